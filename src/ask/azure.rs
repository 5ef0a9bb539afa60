//! The answers about Azure: subscription, VNet, tenant.

use super::{Absent, Gather, look_up_failed};
use crate::{
    azure::{
        Fault, arm,
        restraints::{network_provider, register},
    },
    cli::{self, Told},
    clouds::Clouds,
    engine::Origin,
    error::{Error, Kind},
    net::{RANGE_SEPARATOR, VnetId},
    provider::Offer,
};

const SUBSCRIPTION: &str = "SUBSCRIPTION_ID";
const VNET: &str = "VNET_ID";
const TENANT: &str = "TENANT_ID";

/// Points the sign-in at the tenant and the subscription that are given, before it is asked for the first token.
pub fn aim(given: &cli::Azure, w: &Clouds) {
    if let Some(tenant) = &given.tenant {
        w.use_tenant(&tenant.value);
    }
    let of_vnet = given.vnet.as_ref().and_then(|it| VnetId::parse(&it.value));
    let named = given.subscription.as_ref().map(|it| &it.value);
    if let Some(vnet) = of_vnet {
        w.use_subscription(&vnet.subscription);
    } else if let Some(id) = named.filter(|it| is_guid(it)) {
        w.use_subscription(id);
    }
}

/// Finds the VNet, its subscription and its tenant.
pub(super) async fn gather(g: &mut Gather<'_>, w: &Clouds) -> Result<(), Error> {
    offline(g)?;
    aim(g.given, w);
    if g.answers.value(VNET).is_none() {
        look_up(g, w).await?;
    }
    let Some(id) = g.answers.value(VNET).map(str::to_owned) else {
        return Ok(());
    };
    let vnet = VnetId::parse(&id).ok_or_else(|| Error::bug(format!("`{id}` is no VNet")))?;
    w.use_subscription(&vnet.subscription);
    if g.answers.value(TENANT).is_none() {
        match tenant_of(g, w, &vnet.subscription).await? {
            Some(tenant) => g.answers.set(TENANT, tenant, Origin::Detected),
            None => g.missing.push(Absent {
                about: cli::about("tenant"),
                allowed: Vec::new(),
            }),
        }
    }
    if let Some(tenant) = g.answers.value(TENANT) {
        w.use_tenant(tenant);
    }
    Ok(())
}

async fn tenant_of(
    g: &Gather<'_>,
    w: &Clouds,
    subscription: &str,
) -> Result<Option<String>, Error> {
    let call = arm::subscription(subscription);
    let found = match g.looks.patiently(w, async || w.send(&call).await).await {
        Ok(found) => found,
        Err(Fault::World(error)) if error.is_missing() => {
            let what = format!("there is no subscription {subscription}");
            return Err(Error {
                kind: Kind::Usage,
                ..Error::of_api(what, error)
            });
        }
        Err(fault) => return Err(failed(fault)),
    };
    if found.tenant_id.is_some() {
        return Ok(found.tenant_id);
    }
    let signed_in = async || w.signed_in_tenant().await;
    g.looks.patiently(w, signed_in).await.map_err(failed)
}

/// What is given, without looking anything up.
pub(super) fn offline(g: &mut Gather<'_>) -> Result<(), Error> {
    let given = g.given;
    g.take(TENANT, given.tenant.as_ref());
    let (subscription, group) = (given.subscription.as_ref(), given.resource_group.as_ref());
    let Some(Told { value: vnet, from }) = &given.vnet else {
        if let Some(sample) = g.sample(Some("vnet_id")) {
            g.answers.set(VNET, sample, Origin::Sample);
        }
        return Ok(());
    };
    if let Some(id) = VnetId::parse(vnet) {
        let differs = |told: Option<&Told<String>>, has: &str| {
            told.is_some_and(|it| it.from == Origin::Flag && !it.value.eq_ignore_ascii_case(has))
        };
        if differs(group, &id.resource_group)
            || (differs(subscription, &id.subscription)
                && subscription.is_some_and(|it| is_guid(&it.value)))
        {
            return Err(Error::usage(format!(
                "`--vnet {vnet}` is in another subscription or resource group than the other flags say"
            ))
            .hint("a resource ID answers both; leave the other flags out"));
        }
        g.answers.set(VNET, id.to_string(), *from);
    } else if vnet.contains('/') {
        return Err(Error::usage(format!("`{vnet}` is neither a VNet's name nor its resource ID"))
            .hint("an ID looks like /subscriptions/…/resourceGroups/…/providers/Microsoft.Network/virtualNetworks/…; `az network vnet list --query '[].id'` lists yours"));
    } else if let (Some(subscription), Some(group)) = (subscription, group)
        && is_guid(&subscription.value)
    {
        let id = VnetId {
            subscription: subscription.value.clone(),
            resource_group: group.value.clone(),
            name: vnet.clone(),
        };
        g.answers.set(VNET, id.to_string(), *from);
    }
    Ok(())
}

fn is_guid(text: &str) -> bool {
    uuid::Uuid::parse_str(text).is_ok()
}

fn failed(fault: Fault) -> Error {
    look_up_failed("in Azure", fault)
}

async fn look_up(g: &mut Gather<'_>, w: &Clouds) -> Result<(), Error> {
    let given = g.given.vnet.as_ref();
    let subscription = match subscription(g, w).await {
        Ok(Some(subscription)) => subscription,
        Ok(None) => {
            g.need_vnet();
            return Ok(());
        }
        // Without anybody to ask, the missing answer is the news, not the sign-in that could have helped to find it.
        Err(error) if error.kind == Kind::SignIn && !g.prompt.can_ask() && given.is_none() => {
            g.need_vnet();
            return Ok(());
        }
        Err(error) => return Err(error),
    };
    let call = arm::vnets(&subscription);
    let listed = g.looks.patiently(w, async || w.list(&call).await).await;
    let mut vnets = listed.map_err(failed)?;
    vnets.sort_by(|a, b| a.name.cmp(&b.name));
    if let Some(group) = &g.given.resource_group {
        vnets.retain(|vnet| {
            let id = VnetId::parse(&vnet.id);
            id.is_some_and(|id| id.resource_group.eq_ignore_ascii_case(&group.value))
        });
    }
    if let Some(Told { value: name, from }) = given {
        let known: Vec<String> = vnets.iter().map(|vnet| vnet.name.clone()).collect();
        vnets.retain(|vnet| vnet.name.eq_ignore_ascii_case(name));
        match vnets.as_slice() {
            [only] => {
                g.answers.set(VNET, only.id.clone(), *from);
                return Ok(());
            }
            [] => {
                let error = Error::usage(format!(
                    "there is no VNet `{name}` in the subscription {subscription}"
                ));
                let error = error.hint(if known.is_empty() {
                    "it has none that your sign-in may see".to_owned()
                } else {
                    format!("it has {}", known.join(", "))
                });
                return Err(error.hint(one_tenant(w).await));
            }
            _ if !g.prompt.can_ask() => {
                let groups = vnets.iter().filter_map(|vnet| VnetId::parse(&vnet.id));
                g.missing.push(Absent {
                    about: cli::about("resource_group"),
                    allowed: groups.map(|id| id.resource_group).collect(),
                });
                return Ok(());
            }
            _ => {}
        }
    }
    if vnets.is_empty() {
        let network = w.look(&network_provider(&subscription)).await;
        let missing = matches!(network, Ok(Some(provider)) if provider.is_missing());
        let error = Error::new(
            Kind::Refused,
            format!(
                "there is no VNet in the subscription {subscription} that your sign-in may see"
            ),
        )
        .hint("choose another with `--subscription`, or create a VNet first");
        let error = if missing {
            error.hint(register(&subscription))
        } else {
            error
        };
        return Err(error.hint(one_tenant(w).await));
    }
    let offers = vnets.into_iter().map(vnet_offer).collect();
    if let Some(chosen) = g.choose(cli::about("vnet"), None, offers)? {
        g.answers.set(VNET, chosen.value, chosen.from);
    }
    Ok(())
}

fn vnet_offer(vnet: arm::Vnet) -> Offer {
    let ranges = vnet.properties.address_space.address_prefixes;
    let ranges = ranges.join(RANGE_SEPARATOR);
    let group = VnetId::parse(&vnet.id).map(|id| id.resource_group);
    let group = group.unwrap_or_default();
    Offer {
        note: format!("{}  {ranges}  {group}", vnet.location),
        label: vnet.name,
        value: vnet.id,
    }
}

/// What can be seen is of one tenant, whatever else the person may sign in to.
async fn one_tenant(w: &Clouds) -> String {
    let tenant = w.signed_in_tenant().await.ok().flatten();
    let tenant = tenant.map_or(String::new(), |tenant| format!(", {tenant},"));
    format!("only the tenant of your sign-in{tenant} is seen; another is named with `--tenant ID`")
}

fn is_disabled(subscription: &arm::Subscription) -> bool {
    matches!(subscription.state.as_deref(), Some("Disabled" | "Deleted"))
}

/// The subscriptions that can be seen.
async fn subscriptions(g: &Gather<'_>, w: &Clouds) -> Result<Vec<arm::Subscription>, Error> {
    let call = arm::subscriptions();
    let listed = g.looks.patiently(w, async || w.list(&call).await).await;
    let mut all = listed.map_err(failed)?;
    all.sort_by(|a, b| a.display_name.cmp(&b.display_name));
    Ok(all)
}

/// The id of the subscription that is given by name or id, is the only one, or is chosen.
async fn subscription(g: &mut Gather<'_>, w: &Clouds) -> Result<Option<String>, Error> {
    let given = g.given.subscription.as_ref();
    if let Some(Told { value: id, from }) = given
        && is_guid(id)
    {
        g.answers.set(SUBSCRIPTION, id.clone(), *from);
        return Ok(Some(id.clone()));
    }
    let mut all = subscriptions(g, w).await?;
    if let Some(Told { value: name, from }) = given {
        let found: Vec<_> = all
            .iter()
            .filter(|it| it.display_name.eq_ignore_ascii_case(name))
            .collect();
        return match found.as_slice() {
            [only] if is_disabled(only) => Err(Error::new(
                Kind::Refused,
                format!("the subscription `{name}` is disabled"),
            )
            .hint("its owner has to enable it again before anything in it can be changed")),
            [only] => {
                g.answers
                    .set(SUBSCRIPTION, only.subscription_id.clone(), *from);
                Ok(Some(only.subscription_id.clone()))
            }
            [] => {
                let names: Vec<&str> = all.iter().map(|it| it.display_name.as_str()).collect();
                Err(Error::usage(format!(
                    "there is no subscription `{name}` that your sign-in may see"
                ))
                .hint(format!("it may see {}", names.join(", ")))
                .hint(one_tenant(w).await))
            }
            _ => Err(
                Error::usage(format!("more than one subscription is called `{name}`"))
                    .hint("give its ID"),
            ),
        };
    }
    all.retain(|it| !is_disabled(it));
    if all.is_empty() {
        return Err(
            Error::new(Kind::Refused, "your sign-in may see no subscription")
                .hint("sign in to the tenant of the VNet: `--tenant ID`, `az login --tenant ID`")
                .hint(one_tenant(w).await),
        );
    }
    let offer = |it: arm::Subscription| Offer {
        label: it.display_name,
        note: it.subscription_id.clone(),
        value: it.subscription_id,
    };
    let offers = all.into_iter().map(offer).collect();
    let chosen = g.choose(cli::about("subscription"), None, offers)?;
    Ok(chosen.map(|chosen| {
        g.answers
            .set(SUBSCRIPTION, chosen.value.clone(), chosen.from);
        chosen.value
    }))
}
