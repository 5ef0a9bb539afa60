//! The transit gateway: Konnect's end of the peering. Kong makes both halves of it in Azure.

use super::{
    api::{self, DOCS, KONG_DNS, KONG_GATEWAY_ID, KONG_GATEWAY_NAME, KONG_NETWORK_ID},
    curl, dns,
    existing::{asked, how_to_delete, is_taken, name_taken, other_mapping, replaced},
    gateway::{Attachment, Standing, TransitGateway as Gateway, own_name},
    script::{
        ATTACHED_GATEWAY, DELETE_GATEWAY, JSON_LINES, KONNECT, KONNECT_FIELD, KONNECT_LIST,
        WITH_DNS,
    },
};
use crate::{
    azure::Fault,
    clouds::Clouds,
    engine::{About, Deleted, Look, Made, Maker, Refusal, Resource, Settling},
    fact::{Facts, Missing},
    http::{ApiError, Cause, Service},
    shell::{Shell, call},
};
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
        _ => Maker::Other,
    }
}

impl TransitGateway {
    async fn attached(w: &Clouds, f: &Facts) -> Result<Option<Gateway>, Fault> {
        let network = f.get(KONG_NETWORK_ID)?;
        let all = api::gateways(w, network.as_ref()).await?;
        Ok(Attachment::named(f)?.best(all))
    }

    /// The gateway of this run, which its id names.
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
}

impl Resource<Clouds> for TransitGateway {
    type Item = Gateway;
    const UNDO_FIRST: bool = true;

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

    async fn find(&self, w: &Clouds, f: &Facts) -> Result<Option<Gateway>, Fault> {
        let Some(gateway) = Self::attached(w, f).await? else {
            return Ok(None);
        };
        let maker = maker(&gateway, f);
        match gateway.standing() {
            Standing::Going => return Err(still_going(&gateway).into()),
            // This run's own is told about by the wait for it, and is this run's to delete.
            Standing::Failed if maker == Maker::Other => {
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
        if maker != Maker::Run && !dns::same(&asked(f).map_err(Fault::Refused)?, gateway.dns()) {
            if replaced(f, &gateway) {
                // The person agreed that another takes its place.
                return Ok(None);
            }
            return Err(Fault::Refused(other_mapping(&gateway)));
        }
        Ok(Some(gateway))
    }

    async fn create(&self, w: &Clouds, f: &Facts) -> Result<Made<Gateway>, Fault> {
        let (network, name) = (f.get(KONG_NETWORK_ID)?, f.get(KONG_GATEWAY_NAME)?);
        let dns = dns::config(&asked(f).map_err(Fault::Refused)?);
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
        let post = api::create_transit_gateway(network.as_ref(), name.as_ref(), &attachment, dns);
        let error = match w.send(&post).await {
            Ok(gateway) => return Ok(Made::New(gateway)),
            Err(error) if is_taken(&error) => error,
            Err(error) => return Err(error.into()),
        };
        if let Some(gateway) = self.find(w, f).await? {
            return Ok(Made::Already(gateway));
        }
        let all = api::gateways(w, network.as_ref()).await?;
        match all.iter().find(|it| it.name == name.as_ref()) {
            Some(other) => Err(Fault::Refused(name_taken(other))),
            None => Err(error.into()),
        }
    }

    async fn delete(&self, w: &Clouds, f: &Facts) -> Result<Deleted, Fault> {
        let Some(gateway) = Self::current(w, f).await? else {
            return Ok(Deleted::Gone);
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
        let Some(now) = Self::current(w, f).await? else {
            return Ok(Deleted::Gone);
        };
        match (refused, now.standing()) {
            (Some(error), Standing::Ready | Standing::Failed) => Err(error.into()),
            _ => Ok(Deleted::NotYet(now.state)),
        }
    }

    fn facts(&self, gateway: &Gateway) -> Facts {
        Facts::default().with(KONG_GATEWAY_ID, gateway.id.as_str().into())
    }

    fn maker(&self, gateway: &Gateway, f: &Facts) -> Maker {
        maker(gateway, f)
    }

    fn settling(&self, error: &ApiError) -> Option<Settling> {
        error.is(GOING).then(|| Settling {
            because: "an earlier gateway for this VNet is still being deleted".into(),
            budget: Duration::from_secs(30 * 60),
        })
    }

    async fn look(&self, w: &Clouds, f: &Facts) -> Result<Look, Fault> {
        let Some(gateway) = Self::current(w, f).await? else {
            return Ok(Look::Missing);
        };
        let todo = match gateway.standing() {
            Standing::Ready if !dns::same(&asked(f).map_err(Fault::Refused)?, gateway.dns()) => {
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

    fn shell(&self, f: &Facts) -> Result<Shell, Missing> {
        let (network, name) = (f.get(KONG_NETWORK_ID)?, f.get(KONG_GATEWAY_NAME)?);
        let (mappings, id) = (f.get(KONG_DNS)?, f.get(KONG_GATEWAY_ID)?);
        let attachment = Attachment::named(f)?;
        let post = api::create_transit_gateway(network.as_ref(), name.as_ref(), &attachment, None);
        // The functions turn the pages themselves.
        let mut list = api::transit_gateways(network.as_ref(), 1);
        list.query.retain(|(name, _)| *name != "page[number]");
        let list = curl::path(&list);
        let delete = curl::path(&api::delete_transit_gateway(network.as_ref(), id.as_ref()));
        Ok(Shell {
            find: Some(
                call("attached_gateway")
                    .arg(list.as_str())
                    .prints(KONG_GATEWAY_ID),
            ),
            create: vec![
                curl::field_through("id", &post, |body| {
                    format!("\"$(with_dns \"{mappings}\" {body})\"")
                })
                .prints(KONG_GATEWAY_ID),
            ],
            delete: vec![call("delete_gateway").arg(list).arg(delete).arg(id)],
            functions: vec![
                KONNECT,
                JSON_LINES,
                KONNECT_FIELD,
                KONNECT_LIST,
                ATTACHED_GATEWAY,
                WITH_DNS,
                DELETE_GATEWAY,
            ],
            ..Shell::default()
        })
    }
}

const GOING: &str = "TERMINATING";

fn still_going(gateway: &Gateway) -> ApiError {
    let message = format!("the gateway `{}` is still being deleted", gateway.name);
    let mut error = ApiError::new(Service::Konnect, "the gateway", Cause::Answered, message);
    error.code = Some(GOING.into());
    error
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::azure::keys::{RUN, USER_VNET_NAME};

    fn gateway(name: &str) -> Gateway {
        Gateway {
            name: name.into(),
            ..Gateway::default()
        }
    }

    #[test]
    fn the_name_tells_the_maker() {
        let f = Facts::default()
            .with(RUN, "kong-9k2f".into())
            .with(USER_VNET_NAME, "hub".into())
            .with(KONG_GATEWAY_NAME, "mine".into());
        assert_eq!(maker(&gateway("hub-kong-9k2f"), &f), Maker::Run);
        assert_eq!(maker(&gateway("mine"), &f), Maker::Unknown);
        assert_eq!(maker(&gateway("other"), &f), Maker::Other);
    }

    #[test]
    fn the_commands_hold_variables_and_no_values() {
        let shell = TransitGateway.shell(&Facts::symbolic()).expect("symbolic");
        let create = shell.create[0].statement();
        assert!(create.starts_with(
            r#"KONG_GATEWAY_ID=$(konnect_field id konnect POST "/v2/cloud-gateways/networks/${KONG_NETWORK_ID}/transit-gateways" "$(with_dns "${KONG_DNS}" "{\"name\":\"$(json_text "${KONG_GATEWAY_NAME}")\""#
        ), "{create}");
        assert_eq!(
            shell.find.map(|find| find.statement()).as_deref(),
            Some(
                r#"KONG_GATEWAY_ID=$(attached_gateway "/v2/cloud-gateways/networks/${KONG_NETWORK_ID}/transit-gateways?page%5Bsize%5D=100")"#
            )
        );
    }
}
