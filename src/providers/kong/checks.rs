//! Looks at Konnect before anything is changed.

use super::{
    super::curl::var,
    api::{self, Network},
    existing::{asked, how_to_delete, other_mapping, replace_question, replaced},
    gateway::{Attachment, NAME_LIMIT, Standing, TransitGateway},
    keys::{KONG, KONG_GATEWAY_NAME, KONG_NETWORK_ID, KONG_REPLACED_GATEWAY_ID},
    probes,
    script::{CLIENT, NETWORK_READY, NETWORK_READY_APART},
};
use crate::{
    azure::{Fault, steps::PROVIDER_HAS_PEERING},
    clouds::{Clouds, Realm},
    engine::{Check, Consent, Cx, Done, Refusal, Verdict},
    fact::{Fact, Facts},
    shell::Cmd,
};
use async_trait::async_trait;

/// The network is there, on Azure and ready, and no gateway is in the way.
pub struct NetworkReady;

#[async_trait(?Send)]
impl Check<Clouds> for NetworkReady {
    fn title(&self) -> &'static str {
        "network at Konnect"
    }

    async fn look(&self, cx: &mut Cx<'_, Clouds>) -> Done<Verdict, Clouds> {
        let (w, f) = (cx.world, &cx.facts);
        let mut verdict = Verdict::default();
        let id = f.get(KONG_NETWORK_ID)?;
        let Some(network) = w.look(&api::network(id.as_ref())).await? else {
            verdict.problems.push(format!(
                "Konnect has no network {id}: check `--network`, and that the token may see it"
            ));
            return Ok(verdict);
        };
        verdict.facts.set(KONG.range, network.range());
        let cloud = api::cloud_of(w, &network).await?;
        verdict
            .problems
            .extend(cannot_be_peered(&network, cloud.as_deref()));
        if let Ok(name) = f.get(KONG_GATEWAY_NAME) {
            let length = name.as_ref().chars().count();
            if length == 0 || length > NAME_LIMIT {
                verdict.problems.push(format!(
                    "the gateway's name has {length} characters, and Konnect takes 1 to {NAME_LIMIT}: choose another with `--peering-name`"
                ));
            }
        }
        // A network that is not there any more has no list of gateways either.
        if verdict.problems.is_empty() {
            verdict.good.push(format!(
                "network `{}` ({}) is ready and has {}",
                network.name, network.region, network.cidr_block
            ));
            gateways(w, f, &network, &mut verdict).await?;
        }
        Ok(verdict)
    }

    fn shell(&self) -> Vec<Cmd> {
        let network = api::network(&var(KONG_NETWORK_ID));
        vec![CLIENT.through(&NETWORK_READY, &network, &[KONG_NETWORK_ID.named()])]
    }

    fn shell_apart(&self) -> Option<(Realm, Vec<Cmd>)> {
        let network = api::network(&var(KONG_NETWORK_ID));
        let keys = [KONG_NETWORK_ID.named()];
        let ready = CLIENT.through(&NETWORK_READY_APART, &network, &keys);
        Some((Realm::Provider, vec![ready]))
    }
}

/// What keeps the network from being peered.
fn cannot_be_peered(network: &Network, cloud: Option<&str>) -> Vec<String> {
    let name = &network.name;
    let mut problems = Vec::new();
    match cloud {
        Some(cloud) if api::is_azure(cloud) => {}
        Some(cloud) => problems.push(format!(
            "the network `{name}` is on {cloud}, not on Azure: choose another with `--network`"
        )),
        None => problems.push(format!(
            "Konnect does not tell which cloud the network `{name}` is on: its account {} cannot be seen with this token",
            network.cloud_gateway_provider_account_id
        )),
    }
    if !network.is_ready() {
        let reason = network
            .state_metadata
            .as_ref()
            .and_then(|it| it.reason.as_deref());
        let todo = match network.state.as_str() {
            "created" | "initializing" => "a new network takes 30 to 40 minutes",
            "terminating" | "terminated" => "it is deleted; choose another with `--network`",
            "offline" => {
                "it is not provisioned: deploy a data plane in it, or choose another with `--network`"
            }
            _ => "look at it in Konnect",
        };
        problems.push(format!(
            "the network `{name}` is in state {}{}, not ready: {todo}",
            network.state,
            reason
                .map(|reason| format!(" ({reason})"))
                .unwrap_or_default(),
        ));
    }
    problems
}

/// Looks at the network's gateways: one for this VNet, and one of the same name.
async fn gateways(
    w: &Clouds,
    f: &Facts,
    network: &Network,
    verdict: &mut Verdict,
) -> Result<(), Fault> {
    let all = api::gateways(w, &network.id).await?;
    let attachment = Attachment::named(f)?;
    let name = f.get(KONG_GATEWAY_NAME).ok();
    let namesake = all.iter().find(|it| {
        name.as_ref().is_some_and(|name| name.as_ref() == it.name)
            && !attachment.is(it)
            && it.standing() != Standing::Gone
    });
    if let Some(other) = namesake {
        verdict.problems.push(format!(
            "the network has a gateway named `{}` already, for another network of yours: choose another name with `--peering-name`",
            other.name
        ));
    }
    if let Some(gateway) = attachment.best(all) {
        existing(w, f, &gateway, network, verdict).await?;
    }
    Ok(())
}

/// What a gateway for the same VNet means: it is used, not doubled.
async fn existing(
    w: &Clouds,
    f: &Facts,
    gateway: &TransitGateway,
    network: &Network,
    verdict: &mut Verdict,
) -> Result<(), Fault> {
    // Its half on the VNet is to be expected then, and is no overlap.
    verdict
        .facts
        .set(PROVIDER_HAS_PEERING, gateway.state.as_str());
    match gateway.standing() {
        Standing::Failed => {
            verdict.problems.push(format!(
                "a failed gateway is in the way: `{}`, {}; {}",
                gateway.name,
                gateway.says(),
                how_to_delete(gateway)
            ));
            return Ok(());
        }
        Standing::Going | Standing::Gone => {
            verdict.good.push(format!(
                "an earlier gateway `{}` is being deleted; the run waits for that",
                gateway.name
            ));
            return Ok(());
        }
        Standing::Waiting | Standing::Person | Standing::Ready => {}
    }
    let wanted = asked(f);
    if !wanted.are(gateway.dns()) {
        if replaced(f, gateway) {
            verdict
                .good
                .push(format!("the gateway `{}` will be replaced", gateway.name));
            return Ok(());
        }
        verdict.consents.push(Consent {
            question: replace_question(gateway),
            facts: Facts::default().with(KONG_REPLACED_GATEWAY_ID, gateway.id.as_str()),
            otherwise: sentence(other_mapping(gateway)),
            ..Consent::default()
        });
        return Ok(());
    }
    if gateway.standing() != Standing::Ready {
        verdict.good.push(format!(
            "Konnect has the gateway `{}` for this VNet ({})",
            gateway.name, gateway.state
        ));
        return Ok(());
    }
    let known = f.clone().with(KONG.range, network.range());
    // Whether the VNet may be looked at is another check's to say.
    if let Ok(Some(peering)) = probes::half(w, &known).await
        && probes::is_connected(&peering)
    {
        let dns = wanted.write();
        let with = if dns.is_empty() {
            String::new()
        } else {
            format!(", with the DNS mapping {dns}")
        };
        verdict.done = Some(format!(
            "Konnect already shows this VNet as ready (`{}`){with}, and your VNet shows the peering as Connected",
            gateway.name
        ));
    }
    Ok(())
}

fn sentence(refusal: Refusal) -> String {
    let Refusal { message, hints, .. } = refusal;
    format!("{message}: {}", hints.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(state: &str) -> Network {
        Network {
            name: "net".into(),
            state: state.into(),
            ..Network::default()
        }
    }

    #[test]
    fn a_ready_network_on_azure_can_be_peered() {
        assert!(cannot_be_peered(&network("ready"), Some("azure")).is_empty());
    }

    #[test]
    fn all_that_is_wrong_is_said_at_once() {
        let problems = cannot_be_peered(&network("initializing"), Some("aws"));
        assert_eq!(problems.len(), 2);
        assert!(
            problems[0].contains("on aws, not on Azure"),
            "{}",
            problems[0]
        );
        assert!(problems[1].contains("30 to 40 minutes"), "{}", problems[1]);
        assert!(cannot_be_peered(&network("ready"), None)[0].contains("does not tell"));
    }
}
