//! What Kong may leave on your VNet when its gateway goes: the half of the peering that it made there.

use super::keys::KONG;
use crate::{
    azure::{Fault, arm, keys::USER_VNET_ID},
    clouds::Clouds,
    engine::{Cx, Deleted, Done},
    fact::{Facts, Named},
    http::ApiError,
    net::Ranges,
    shell::single,
};
use std::time::Duration;

/// What is looked for by.
pub(super) const READS: [Named; 2] = [USER_VNET_ID.named(), KONG.range.named()];

/// How often, and with which longest pauses, Kong is given the time to take its half away: two minutes in all.
const LOOKS: u32 = 24;
const EVERY: Duration = Duration::from_secs(5);

/// The half that leads to the network of this run's gateway, if it is there.
pub(super) async fn half(w: &Clouds, f: &Facts) -> Result<Option<arm::Peering>, Fault> {
    let (network, range) = (f.get(KONG.vnet_id).ok(), f.get(KONG.range).ok());
    let peerings = match w.list(&arm::peerings(&f.get(USER_VNET_ID)?)).await {
        Ok(peerings) => peerings,
        // Nothing lies on a VNet that is not there.
        Err(error) if error.is_missing() => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let network = network.as_ref().map(AsRef::as_ref);
    let leads_there = |it: &arm::Peering| leads_to(it, network, range.as_ref());
    Ok(peerings.into_iter().find(leads_there))
}

/// Whether the half leads to that network. Another of Kong's networks may be peered with the same VNet, so it is told by its
/// id, and only while that is not known by exactly its range. A half to that id whose addresses are all others leads elsewhere
/// than this run.
fn leads_to(half: &arm::Peering, network: Option<&str>, range: Option<&Ranges>) -> bool {
    match (network, range) {
        (Some(network), range) => {
            half.remote().eq_ignore_ascii_case(network) && half.may_lead_to(range)
        }
        (None, Some(range)) => {
            let mut range = range.texts();
            range.sort_unstable();
            !range.is_empty() && half.remote_ranges() == range
        }
        (None, None) => false,
    }
}

/// Waits until Kong has taken its half away, and deletes one that is left over. Only for after the gateway is gone.
pub(super) async fn clear(cx: &mut Cx<'_, Clouds>) -> Done<Deleted, Clouds> {
    for _ in 0..LOOKS {
        let Some(half) = half(cx.world, &cx.facts).await? else {
            return Ok(Deleted::Gone);
        };
        if half.is_dead() {
            return delete(cx.world, &cx.facts, &half).await;
        }
        let says = format!("Kong's half is {}", half.properties.peering_state);
        cx.waiting(&says, EVERY).await?;
    }
    Ok(match half(cx.world, &cx.facts).await? {
        None => Deleted::Gone,
        Some(half) if half.is_dead() => return delete(cx.world, &cx.facts, &half).await,
        Some(half) => Deleted::Kept(format!(
            "Konnect has no gateway any more, and the peering `{}` on your VNet is {} all the same; {}",
            half.name,
            half.properties.peering_state,
            by_hand(&half)
        )),
    })
}

async fn delete(w: &Clouds, f: &Facts, half: &arm::Peering) -> Result<Deleted, Fault> {
    let state = &half.properties.provisioning_state;
    if !state.eq_ignore_ascii_case("Deleting") {
        let call = arm::delete_peering(&f.get(USER_VNET_ID)?, &half.name);
        match w.forget(&call).await {
            Ok(_) => {}
            Err(error) if is_forbidden(&error) => {
                return Ok(Deleted::Kept(format!(
                    "you may not delete the peering `{}` on your VNet, which is Disconnected; {}",
                    half.name,
                    by_hand(half)
                )));
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(Deleted::NotYet("Disconnected, being deleted".into()))
}

fn is_forbidden(error: &ApiError) -> bool {
    error.status == Some(403)
}

fn by_hand(half: &arm::Peering) -> String {
    format!(
        "to delete it: az network vnet peering delete --ids {}",
        single(&half.id)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn peering(remote: &str, ranges: &[&str]) -> arm::Peering {
        serde_json::from_value(json!({ "name": "kong", "properties": {
            "peeringState": "Disconnected",
            "remoteVirtualNetwork": { "id": remote },
            "remoteAddressSpace": { "addressPrefixes": ranges },
        } }))
        .expect("the shape of Azure")
    }

    #[test]
    fn the_half_is_told_by_the_network_and_else_by_exactly_its_range() {
        let range: Ranges = ["10.4.0.0/16"].into_iter().collect();
        let mine = peering("/x/Kong-A", &["10.4.0.0/16"]);
        let other = peering("/x/kong-b", &["10.4.0.0/17"]);
        assert!(leads_to(&mine, Some("/X/kong-a"), None));
        assert!(!leads_to(&other, Some("/x/kong-a"), Some(&range)));
        assert!(leads_to(&mine, None, Some(&range)));
        assert!(!leads_to(&other, None, Some(&range)));
        assert!(!leads_to(&mine, None, None));
        assert!(!leads_to(
            &peering("/x/y", &[]),
            None,
            Some(&Ranges::default())
        ));
    }
}
