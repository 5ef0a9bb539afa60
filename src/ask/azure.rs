//! The answers about Azure: subscription, VNet, tenant.

use super::{Absent, Gather, choices, prompt::Choice};
use crate::{
    azure::arm,
    clouds::Clouds,
    engine::Origin,
    error::{Error, Kind},
    net::VnetId,
};

const SUBSCRIPTION: &str = "SUBSCRIPTION_ID";
const VNET: &str = "VNET_ID";
const TENANT: &str = "TENANT_ID";

/// Finds the VNet, its subscription and its tenant.
pub(super) async fn gather(g: &mut Gather<'_>, w: &Clouds) -> Result<(), Error> {
    offline(g)?;
    if let Some(tenant) = g.answers.value(TENANT) {
        w.use_tenant(tenant);
    }
    if g.answers.value(VNET).is_none() {
        look_up(g, w).await?;
    }
    let Some(id) = g.answers.value(VNET).map(str::to_owned) else {
        return Ok(());
    };
    let vnet = VnetId::parse(&id).ok_or_else(|| Error::bug(format!("`{id}` is no VNet")))?;
    w.use_subscription(&vnet.subscription);
    if g.answers.value(TENANT).is_none() {
        let call = arm::subscription(&vnet.subscription);
        let found = w.send(&call).await.map_err(|error| {
            if error.is_missing() {
                let what = format!("there is no subscription {}", vnet.subscription);
                Error {
                    kind: Kind::Usage,
                    ..Error::of_api(what, error)
                }
            } else {
                look_up_failed(error)
            }
        })?;
        let tenant = match found.tenant_id {
            Some(tenant) => Some(tenant),
            None => w.signed_in_tenant().await.map_err(look_up_failed)?,
        };
        match tenant {
            Some(tenant) => g.answers.set(TENANT, tenant, Origin::Detected),
            None => g.missing.push(Absent {
                arg: "tenant",
                allowed: Vec::new(),
            }),
        }
    }
    if let Some(tenant) = g.answers.value(TENANT) {
        w.use_tenant(tenant);
    }
    Ok(())
}

/// What is given, without looking anything up.
pub(super) fn offline(g: &mut Gather<'_>) -> Result<(), Error> {
    g.take("tenant", TENANT)?;
    let subscription = g.given.one("subscription")?;
    let group = g.given.one("resource_group")?;
    let Some((vnet, from)) = g.given.one("vnet")? else {
        if let Some(sample) = g.samples.get(VNET) {
            g.answers.set(VNET, sample.clone(), Origin::Sample);
        }
        return Ok(());
    };
    if let Some(id) = VnetId::parse(&vnet) {
        let differs = |given: &Option<(String, Origin)>, has: &str| {
            given
                .as_ref()
                .is_some_and(|(it, from)| *from == Origin::Flag && !it.eq_ignore_ascii_case(has))
        };
        if differs(&group, &id.resource_group)
            || (differs(&subscription, &id.subscription)
                && subscription.as_ref().is_some_and(|(it, _)| is_guid(it)))
        {
            return Err(Error::usage(format!(
                "`--vnet {vnet}` is in another subscription or resource group than the other flags say"
            ))
            .hint("a resource ID answers both; leave the other flags out"));
        }
        g.answers.set(VNET, id.to_string(), from);
    } else if vnet.contains('/') {
        return Err(Error::usage(format!("`{vnet}` is neither a VNet's name nor its resource ID"))
            .hint("an ID looks like /subscriptions/…/resourceGroups/…/providers/Microsoft.Network/virtualNetworks/…; `az network vnet list --query '[].id'` lists yours"));
    } else if let (Some((subscription, _)), Some((group, _))) = (&subscription, &group)
        && is_guid(subscription)
    {
        let id = VnetId {
            subscription: subscription.clone(),
            resource_group: group.clone(),
            name: vnet,
        };
        g.answers.set(VNET, id.to_string(), from);
    }
    Ok(())
}

fn is_guid(text: &str) -> bool {
    uuid::Uuid::parse_str(text).is_ok()
}

fn look_up_failed(error: crate::http::ApiError) -> Error {
    let error = Error::of_api("cannot look up the choices in Azure", error);
    match error.kind {
        Kind::SignIn => error,
        _ => Error {
            kind: Kind::Refused,
            ..error
        },
    }
}

async fn look_up(g: &mut Gather<'_>, w: &Clouds) -> Result<(), Error> {
    let given = g.given.one("vnet")?;
    let subscription = match subscription(g, w).await {
        Ok(Some(subscription)) => subscription,
        Ok(None) => {
            return absent(g);
        }
        // Without anybody to ask, the missing answer is the news, not the sign-in that could have helped to find it.
        Err(error) if error.kind == Kind::SignIn && !g.prompt.can_ask() && given.is_none() => {
            return absent(g);
        }
        Err(error) => return Err(error),
    };
    let mut vnets = w
        .list(&arm::vnets(&subscription))
        .await
        .map_err(look_up_failed)?;
    vnets.sort_by(|a, b| a.name.cmp(&b.name));
    if let Some((group, _)) = g.given.one("resource_group")? {
        vnets.retain(|vnet| {
            VnetId::parse(&vnet.id).is_some_and(|id| id.resource_group.eq_ignore_ascii_case(&group))
        });
    }
    if let Some((name, from)) = given {
        let known: Vec<String> = vnets.iter().map(|vnet| vnet.name.clone()).collect();
        vnets.retain(|vnet| vnet.name.eq_ignore_ascii_case(&name));
        match vnets.as_slice() {
            [only] => {
                g.answers.set(VNET, only.id.clone(), from);
                return Ok(());
            }
            [] => {
                let error = Error::usage(format!(
                    "there is no VNet `{name}` in the subscription {subscription}"
                ));
                return Err(error.hint(if known.is_empty() {
                    "it has none that your sign-in may see".to_owned()
                } else {
                    format!("it has {}", known.join(", "))
                }));
            }
            _ if !g.prompt.can_ask() => {
                let groups = vnets.iter().filter_map(|vnet| VnetId::parse(&vnet.id));
                g.missing.push(Absent {
                    arg: "resource_group",
                    allowed: groups.map(|id| id.resource_group).collect(),
                });
                return Ok(());
            }
            _ => {}
        }
    }
    if vnets.is_empty() {
        return Err(Error::new(
            Kind::Refused,
            format!(
                "there is no VNet in the subscription {subscription} that your sign-in may see"
            ),
        )
        .hint("choose another with `--subscription`, or create a VNet first"));
    }
    let (choices, ids) = choices::vnets(&vnets);
    let question = crate::cli::about("vnet").help;
    if let Some(chosen) = g.choose("vnet", VNET, &question, &choices, ids)? {
        g.answers.set(VNET, chosen.value, chosen.from);
    }
    Ok(())
}

fn absent(g: &mut Gather<'_>) -> Result<(), Error> {
    if g.given.one("vnet")?.is_none() {
        g.missing.push(Absent {
            arg: "vnet",
            allowed: Vec::new(),
        });
    }
    Ok(())
}

/// The id of the subscription that is given by name or id, is the only one, or is chosen.
async fn subscription(g: &mut Gather<'_>, w: &Clouds) -> Result<Option<String>, Error> {
    let given = g.given.one("subscription")?;
    if let Some((id, from)) = &given
        && is_guid(id)
    {
        g.answers.set(SUBSCRIPTION, id.clone(), *from);
        w.use_subscription(id);
        return Ok(Some(id.clone()));
    }
    let all = choices::subscriptions(w).await.map_err(look_up_failed)?;
    if let Some((name, from)) = given {
        let found: Vec<_> = all
            .iter()
            .filter(|it| it.display_name.eq_ignore_ascii_case(&name))
            .collect();
        return match found.as_slice() {
            [only] => {
                g.answers
                    .set(SUBSCRIPTION, only.subscription_id.clone(), from);
                Ok(Some(only.subscription_id.clone()))
            }
            [] => {
                let names: Vec<&str> = all.iter().map(|it| it.display_name.as_str()).collect();
                Err(Error::usage(format!(
                    "there is no subscription `{name}` that your sign-in may see"
                ))
                .hint(format!("it may see {}", names.join(", "))))
            }
            _ => Err(
                Error::usage(format!("more than one subscription is called `{name}`"))
                    .hint("give its ID"),
            ),
        };
    }
    if all.is_empty() {
        return Err(
            Error::new(Kind::Refused, "your sign-in may see no subscription")
                .hint("sign in to the tenant of the VNet: `--tenant ID`, `az login --tenant ID`"),
        );
    }
    let (choices, ids): (Vec<Choice>, Vec<String>) = all
        .into_iter()
        .map(|it| {
            (
                Choice::new(&it.display_name, &it.subscription_id),
                it.subscription_id,
            )
        })
        .unzip();
    let question = crate::cli::about("subscription").help;
    let chosen = g.choose("subscription", SUBSCRIPTION, &question, &choices, ids)?;
    Ok(chosen.map(|chosen| {
        g.answers
            .set(SUBSCRIPTION, chosen.value.clone(), chosen.from);
        chosen.value
    }))
}
