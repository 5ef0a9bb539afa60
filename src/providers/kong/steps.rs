//! The transit gateway: Konnect's end of the peering. Kong makes both halves of it in Azure.

use super::{
    super::curl::{self, var},
    api::{self, DOCS},
    dns,
    existing::{asked, how_to_delete, is_taken, name_taken, other_mapping, replaced},
    gateway::{ATTACHMENT_READS, Attachment, Standing, TransitGateway as Gateway, own_name},
    keys::{
        KONG, KONG_DNS, KONG_GATEWAY_ID, KONG_GATEWAY_NAME, KONG_NETWORK_ID,
        KONG_REPLACED_GATEWAY_ID,
    },
    leftover,
    script::{ATTACHED_GATEWAY, CLIENT, DELETE_GATEWAY, WITH_DNS},
    vendor::SERVICE,
};
use crate::{
    azure::{
        Fault,
        keys::{RUN, USER_RESOURCE_GROUP, USER_SUBSCRIPTION_ID, USER_TENANT_ID, USER_VNET_NAME},
    },
    clouds::{Clouds, Realm},
    engine::{
        About, Cx, Definition, Deleted, Done, Ensure, Known, Look, Made, Maker, Refusal, Scope,
        Settling,
    },
    fact::{Facts, Missing, Named},
    http::{ApiError, Cause, Service},
    keys,
    shell::{Shell, Text, call},
};
use async_trait::async_trait;
use std::time::Duration;

/// The right that the gateway takes.
const NETWORK_ADMIN: &str = "Konnect: Network Admin";

/// The transit gateway for your VNet.
pub struct TransitGateway;

/// Whether the run named this gateway: its own name, or the one it was told.
fn maker(gateway: &Gateway, f: &Facts) -> Maker {
    if own_name(f).is_ok_and(|own| own == gateway.name) {
        return Maker::Run;
    }
    match f.get(KONG_GATEWAY_NAME) {
        // A name that was chosen by a person does not tell who used it.
        Ok(name) if name.as_ref() == gateway.name => Maker::Unknown,
        _ => Maker::Other(format!(
            "the gateway for this VNet is `{}`, which this run did not make",
            gateway.name
        )),
    }
}

/// The same for a gateway that is attached to the VNet, of which this run may have made one: all that it gave it is compared.
fn owner(gateway: &Gateway, f: &Facts) -> Maker {
    // Konnect gives no id twice; a run that was killed may not have learned its own.
    let other = f
        .get(KONG_GATEWAY_ID)
        .is_ok_and(|id| id.as_ref() != gateway.id);
    match maker(gateway, f) {
        Maker::Unknown if other => {
            Maker::Other("it is another gateway of the name that this run was told".into())
        }
        Maker::Unknown if asked(f).are(gateway.dns()) => Maker::Run,
        Maker::Unknown => {
            Maker::Other("its DNS mapping is not the one that this run asked for".into())
        }
        maker => maker,
    }
}

/// The gateway that stands where this run's would stand, and whose it is: this run's before another.
fn in_place(all: Vec<Gateway>, f: &Facts) -> Result<Option<(Gateway, Maker)>, Missing> {
    let attachment = Attachment::named(f)?;
    let mut there: Vec<(Gateway, Maker)> = Vec::new();
    for gateway in all.into_iter().filter(|it| it.standing() != Standing::Gone) {
        // A name counts where no VNet is told: networks of two members may have the same name.
        let named = gateway.is_loose() && maker(&gateway, f) == Maker::Run;
        if named || attachment.is(&gateway) {
            let owner = owner(&gateway, f);
            there.push((gateway, owner));
        }
    }
    let mine = |(gateway, owner): &(Gateway, Maker)| (*owner != Maker::Run, gateway.rank());
    Ok(there.into_iter().min_by_key(mine))
}

fn known(gateway: &Gateway, maker: Maker) -> Known {
    let facts = Facts::default().with(KONG_GATEWAY_ID, gateway.id.as_str());
    Known::new(facts, maker).called(&gateway.name, &gateway.id)
}

impl TransitGateway {
    async fn attached(w: &Clouds, f: &Facts) -> Result<Option<Gateway>, Fault> {
        let network = f.get(KONG_NETWORK_ID)?;
        let all = api::gateways(w, network.as_ref()).await?;
        Ok(Attachment::named(f)?.best(all))
    }

    /// What stands where this run's gateway would stand, in whatever state, and whose it is.
    async fn there(w: &Clouds, f: &Facts) -> Result<Option<(Gateway, Maker)>, Fault> {
        let network = f.get(KONG_NETWORK_ID)?;
        match api::gateways(w, network.as_ref()).await {
            Ok(all) => Ok(in_place(all, f)?),
            // Its gateways have gone with the network.
            Err(error) if error.is_missing() => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The gateway that the run remembers.
    async fn current(w: &Clouds, f: &Facts) -> Result<Option<Gateway>, Fault> {
        let (network, id) = (f.get(KONG_NETWORK_ID)?, f.get(KONG_GATEWAY_ID)?);
        let call = api::transit_gateway(network.as_ref(), id.as_ref());
        let found = w.look(&call).await?;
        Ok(found.filter(|it| it.standing() != Standing::Gone))
    }

    /// Konnect answers 400 while a network is being built, as it does to a mistyped field; so it is looked at first.
    async fn network_is_ready(w: &Clouds, f: &Facts) -> Result<(), Fault> {
        let id = f.get(KONG_NETWORK_ID)?;
        let Some(network) = w.look(&api::network(id.as_ref())).await? else {
            return Err(Fault::Refused(
                Refusal::new(format!("Konnect has no network {id} any more"))
                    .hint("undo this run and begin anew with another `--network`"),
            ));
        };
        if network.is_ready() {
            return Ok(());
        }
        Err(Fault::Refused(
            Refusal::new(format!(
                "the network `{}` is in state {}, not ready",
                network.name, network.state
            ))
            .hint("a new network takes 30 to 40 minutes; resume when Konnect shows it as ready"),
        ))
    }

    /// The gateway that this run goes on with.
    async fn existing(w: &Clouds, f: &Facts) -> Result<Option<Known>, Fault> {
        let Some(gateway) = Self::attached(w, f).await? else {
            return Ok(None);
        };
        let maker = maker(&gateway, f);
        match gateway.standing() {
            Standing::Going => return Err(still_going(&gateway).into()),
            // This run's own is told about by the wait for it, and is this run's to delete.
            Standing::Failed if matches!(maker, Maker::Other(_)) => {
                return Err(Fault::Refused(
                    Refusal::new(format!(
                        "a failed gateway is in the way: `{}`, {}",
                        gateway.name,
                        gateway.says()
                    ))
                    .hint(format!("{}, then resume", how_to_delete(&gateway))),
                ));
            }
            _ => {}
        }
        // What this run made has what it asked for, in whatever form Konnect keeps it.
        if maker != Maker::Run && !asked(f).are(gateway.dns()) {
            if replaced(f, &gateway) {
                // The person agreed that another takes its place.
                return Ok(None);
            }
            return Err(Fault::Refused(other_mapping(&gateway)));
        }
        Ok(Some(known(&gateway, maker)))
    }
}

impl Definition<Clouds> for TransitGateway {
    fn about(&self) -> About {
        About {
            id: "transit-gateway",
            title: "Ask Kong for the peering".into(),
            why: "Konnect calls its end of a peering a transit gateway; once it has one, Kong makes both halves in Azure.",
            link: DOCS,
            permissions: &[NETWORK_ADMIN],
        }
    }

    fn thing(&self) -> String {
        "the transit gateway at Kong".into()
    }

    fn scope(&self) -> Scope {
        Scope::Each
    }

    fn part(&self) -> Realm {
        Realm::Provider
    }

    /// Kong begins as soon as it is asked.
    fn after(&self) -> Vec<Named> {
        keys![KONG.assignment_id]
    }

    fn reads(&self) -> Vec<Named> {
        let mut reads = keys![
            KONG_NETWORK_ID,
            KONG_GATEWAY_NAME,
            KONG_DNS,
            KONG_REPLACED_GATEWAY_ID,
            RUN,
        ];
        reads.extend(ATTACHMENT_READS);
        reads.extend(leftover::READS);
        reads
    }

    fn gives(&self) -> Vec<Named> {
        // The network is told where only Kong's half is left.
        keys![KONG_GATEWAY_ID, KONG.vnet_id]
    }

    fn settling(&self, error: &ApiError) -> Option<Settling> {
        let wait = |because: &str, minutes: u64| {
            Some(Settling {
                because: because.into(),
                budget: Duration::from_secs(60 * minutes),
            })
        };
        let busy = ["AnotherOperationInProgress", "RetryableError", "Conflict"];
        if error.is(GOING) {
            wait(
                "an earlier gateway for this VNet is still being deleted",
                30,
            )
        } else if error.service == Service::Arm && busy.iter().any(|code| error.is(code)) {
            wait("Azure is still busy with one of the networks", 10)
        } else {
            None
        }
    }

    fn shell(&self) -> Shell {
        let keys = keys![
            KONG_NETWORK_ID,
            KONG_GATEWAY_NAME,
            KONG_GATEWAY_ID,
            USER_TENANT_ID,
            USER_SUBSCRIPTION_ID,
            USER_RESOURCE_GROUP,
            USER_VNET_NAME,
        ];
        let network = var(KONG_NETWORK_ID);
        let vnet = Attachment {
            tenant: var(USER_TENANT_ID),
            subscription: var(USER_SUBSCRIPTION_ID),
            resource_group: var(USER_RESOURCE_GROUP),
            vnet: var(USER_VNET_NAME),
        };
        let post = api::create_transit_gateway(&network, &var(KONG_GATEWAY_NAME), &vnet, None);
        // The functions turn the pages themselves.
        let mut list = api::transit_gateways(&network, 1);
        list.query.retain(|(name, _)| *name != "page[number]");
        let list = curl::path(&list, &keys);
        let delete = api::delete_transit_gateway(&network, &var(KONG_GATEWAY_ID));
        let with_dns = |body: Text| Text::call(&WITH_DNS, [KONG_DNS.into(), body]);
        Shell {
            find: Some(
                call(&ATTACHED_GATEWAY)
                    .arg(list.clone())
                    .arg(KONG_DNS)
                    .prints(KONG_GATEWAY_ID),
            ),
            create: vec![
                CLIENT
                    .field_through("id", &post, &keys, with_dns)
                    .prints(KONG_GATEWAY_ID),
            ],
            delete: vec![
                call(&DELETE_GATEWAY)
                    .arg(list)
                    .arg(curl::path(&delete, &keys))
                    .arg(KONG_GATEWAY_ID),
            ],
            ..Shell::default()
        }
    }
}

#[async_trait(?Send)]
impl Ensure<Clouds> for TransitGateway {
    fn undo_first(&self) -> bool {
        true
    }

    async fn find(&self, cx: &mut Cx<'_, Clouds>) -> Done<Option<Known>, Clouds> {
        Self::existing(cx.world, &cx.facts).await
    }

    async fn create(&self, cx: &mut Cx<'_, Clouds>) -> Done<Made, Clouds> {
        let (w, f) = (cx.world, &cx.facts);
        let (network, name) = (f.get(KONG_NETWORK_ID)?, f.get(KONG_GATEWAY_NAME)?);
        Self::network_is_ready(w, f).await?;
        if let Some(old) = Self::attached(w, f).await?
            && replaced(f, &old)
        {
            if old.standing() != Standing::Going {
                let call = api::delete_transit_gateway(network.as_ref(), &old.id);
                w.forget(&call).await?;
            }
            return Err(still_going(&old).into());
        }
        let attachment = Attachment::named(f)?;
        let post = api::create_transit_gateway(
            network.as_ref(),
            name.as_ref(),
            &attachment,
            asked(f).config(),
        );
        let error = match w.send(&post).await {
            Ok(gateway) => {
                let maker = maker(&gateway, f);
                return Ok(Made::New(known(&gateway, maker)));
            }
            Err(error) if is_taken(&error) => error,
            Err(error) => return Err(error.into()),
        };
        if let Some(known) = Self::existing(w, f).await? {
            return Ok(Made::Already(known));
        }
        let all = api::gateways(w, network.as_ref()).await?;
        match all.iter().find(|it| it.name == name.as_ref()) {
            Some(other) => Err(Fault::Refused(name_taken(other))),
            None => Err(error.into()),
        }
    }

    async fn remains(&self, cx: &mut Cx<'_, Clouds>) -> Done<Option<Known>, Clouds> {
        let (w, f) = (cx.world, &cx.facts);
        if let Some((gateway, maker)) = Self::there(w, f).await? {
            return Ok(Some(known(&gateway, maker)));
        }
        // Without a gateway Kong's half is of no use, whoever made it.
        let half = leftover::half(w, f).await?;
        Ok(half.map(|half| {
            let facts = Facts::default().with(KONG.vnet_id, half.remote());
            Known::new(facts, Maker::Run).called(half.name, half.id)
        }))
    }

    async fn delete(&self, cx: &mut Cx<'_, Clouds>) -> Done<Deleted, Clouds> {
        let (w, f) = (cx.world, &cx.facts);
        let gateway = match Self::there(w, f).await? {
            None => return leftover::clear(cx).await,
            Some((gateway, Maker::Run)) => gateway,
            Some(_) => return Ok(Deleted::Gone),
        };
        let refused = if gateway.standing() == Standing::Going {
            None
        } else {
            let network = f.get(KONG_NETWORK_ID)?;
            let call = api::delete_transit_gateway(network.as_ref(), &gateway.id);
            match w.forget(&call).await {
                Ok(_) => None,
                // What is being built or deleted cannot be deleted; anything else is a real no.
                Err(error) if error.status == Some(400) => Some(error),
                Err(error) => return Err(error.into()),
            }
        };
        let now = match Self::there(w, f).await? {
            None => return leftover::clear(cx).await,
            Some((now, Maker::Run)) => now,
            Some(_) => return Ok(Deleted::Gone),
        };
        match (refused, now.standing()) {
            (Some(error), Standing::Ready | Standing::Failed) => Err(error.into()),
            _ => Ok(Deleted::NotYet(now.state)),
        }
    }

    async fn look(&self, cx: &mut Cx<'_, Clouds>) -> Done<Look, Clouds> {
        let (w, f) = (cx.world, &cx.facts);
        let Some(gateway) = Self::current(w, f).await? else {
            return Ok(Look::Missing);
        };
        let todo = match gateway.standing() {
            Standing::Ready if !asked(f).are(gateway.dns()) => {
                let has = dns::shown(gateway.dns());
                return Ok(Look::Changed {
                    says: format!(
                        "DNS mapping {}",
                        if has.is_empty() {
                            "none".into()
                        } else {
                            has.join(" ")
                        }
                    ),
                    todo: "a gateway on Azure cannot be changed: undo this run and begin anew"
                        .into(),
                });
            }
            Standing::Ready => return Ok(Look::Present(gateway.says())),
            Standing::Waiting => "wait: Kong is still building it",
            Standing::Person => {
                "Kong's principal lacks a right on your VNet, or has it since a moment ago: look at the role and its assignment"
            }
            Standing::Failed => "a failed gateway cannot be changed: undo this run and begin anew",
            Standing::Going | Standing::Gone => {
                "somebody deletes it in Konnect: undo this run and begin anew"
            }
        };
        Ok(Look::Changed {
            says: gateway.says(),
            todo: todo.into(),
        })
    }
}

const GOING: &str = "TERMINATING";

fn still_going(gateway: &Gateway) -> ApiError {
    let message = format!("the gateway `{}` is still being deleted", gateway.name);
    let mut error = ApiError::new(SERVICE, "the gateway", Cause::Answered, message);
    error.code = Some(GOING.into());
    error
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{fact::Fact, providers::kong::dns::Mappings};
    use serde_json::json;

    fn gateway(name: &str) -> Gateway {
        Gateway {
            name: name.into(),
            ..Gateway::default()
        }
    }

    #[test]
    fn the_name_tells_the_maker() {
        let f = Facts::default()
            .with(RUN, "kong-9k2f")
            .with(USER_VNET_NAME, "hub")
            .with(KONG_GATEWAY_NAME, "mine");
        assert_eq!(maker(&gateway("hub-kong-9k2f"), &f), Maker::Run);
        assert_eq!(maker(&gateway("mine"), &f), Maker::Unknown);
        assert_eq!(
            maker(&gateway("other"), &f),
            Maker::Other(
                "the gateway for this VNet is `other`, which this run did not make".into()
            )
        );
    }

    fn facts(name: &str) -> Facts {
        Facts::default()
            .with(RUN, "kong-9k2f")
            .with(USER_TENANT_ID, "t")
            .with(USER_SUBSCRIPTION_ID, "s")
            .with(USER_RESOURCE_GROUP, "rg")
            .with(USER_VNET_NAME, "hub")
            .with(KONG_GATEWAY_NAME, name)
            .with(KONG_DNS, Mappings::default())
    }

    fn attached(name: &str, group: &str, state: &str) -> Gateway {
        serde_json::from_value(json!({
            "id": format!("{name} {state}"), "name": name, "state": state,
            "transit_gateway_attachment_config": {
                "kind": "azure-vnet-peering-attachment", "tenant_id": "t", "subscription_id": "s",
                "resource_group_name": group, "vnet_name": "hub",
            },
        }))
        .expect("the shape of Konnect")
    }

    fn owner_of(all: Vec<Gateway>, f: &Facts) -> Option<(String, Maker)> {
        let found = in_place(all, f).expect("all is known");
        found.map(|(gateway, maker)| (gateway.id, maker))
    }

    #[test]
    fn this_runs_gateway_is_told_by_its_mark_and_else_by_all_that_the_run_gave_it() {
        let f = facts("hub-kong-9k2f");
        let others = || attached("theirs", "rg", "ready");
        let own = attached("hub-kong-9k2f", "rg", "terminating");
        assert_eq!(
            owner_of(vec![others(), own], &f),
            Some(("hub-kong-9k2f terminating".into(), Maker::Run))
        );
        let gone = attached("hub-kong-9k2f", "rg", "terminated");
        let elsewhere = attached("hub-kong-9k2f", "rg-2", "ready");
        assert_eq!(owner_of(vec![gone, elsewhere], &f), None);
        let found = owner_of(vec![others()], &f);
        assert!(matches!(found, Some((_, Maker::Other(_)))), "{found:?}");

        let f = facts("mine");
        let mine = || attached("mine", "RG", "ready");
        assert_eq!(
            owner_of(vec![mine()], &f),
            Some(("mine ready".into(), Maker::Run))
        );
        let dns = Mappings::read("10.0.0.4=corp").expect("a mapping");
        let found = owner_of(vec![mine()], &f.with(KONG_DNS, dns));
        assert!(matches!(found, Some((_, Maker::Other(_)))), "{found:?}");
    }

    #[test]
    fn the_commands_hold_variables_and_no_values() {
        let shell = TransitGateway.shell();
        let create = shell.create[0].statement();
        assert!(create.starts_with(
            r#"KONG_GATEWAY_ID=$(konnect_field id konnect POST "/v2/cloud-gateways/networks/${KONG_NETWORK_ID}/transit-gateways" "$(with_dns "${KONG_DNS}" "{\"name\":\"$(json_text "${KONG_GATEWAY_NAME}")\""#
        ), "{create}");
        assert_eq!(
            shell.find.map(|find| find.statement()).as_deref(),
            Some(
                r#"KONG_GATEWAY_ID=$(attached_gateway "/v2/cloud-gateways/networks/${KONG_NETWORK_ID}/transit-gateways?page%5Bsize%5D=100" "${KONG_DNS}")"#
            )
        );
    }
}
