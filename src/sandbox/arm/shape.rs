//! What virtual networks and the peerings on them look like in answers.

use serde_json::{Value, json};

use crate::sandbox::faults::Fault;
use crate::sandbox::log::Service;
use crate::sandbox::world::{Network, Peering, World};

/// The type of a peering, and the beginning of the actions on one.
pub(super) const PEERING: &str = "Microsoft.Network/virtualNetworks/virtualNetworkPeerings";

/// A network with its peerings; that is no look at them.
pub(super) fn network(world: &mut World, at: usize) -> Value {
    let peerings = peerings(world, at, None, false);
    let network = &world.networks[at];
    json!({
        "name": network.name,
        "id": network.id(),
        "etag": format!("W/\"{}\"", network.guid),
        "type": "Microsoft.Network/virtualNetworks",
        "location": network.location,
        "tags": {},
        "properties": {
            "provisioningState": network.provisioning,
            "resourceGuid": network.guid,
            "addressSpace": {"addressPrefixes": network.prefixes},
            "dhcpOptions": {"dnsServers": []},
            "subnets": [],
            "virtualNetworkPeerings": peerings,
            "enableDdosProtection": false,
        },
    })
}

/// The peerings on a network, or the one of this name, as they are shown; `look` says whether that is a look at them.
pub(super) fn peerings(world: &mut World, at: usize, name: Option<&str>, look: bool) -> Vec<Value> {
    let network = &world.networks[at];
    let mut items: Vec<Value> = network
        .peerings
        .iter()
        .filter(|peering| name.is_none_or(|name| peering.name.eq_ignore_ascii_case(name)))
        .map(|half| peering(world, network, half))
        .collect();
    for item in &mut items {
        let id = item["id"].as_str().unwrap_or_default().to_owned();
        let mut held = |fault| {
            let thing = ("GET", id.as_str());
            world.faults.hold(&fault, Service::Arm, thing, look)
        };
        if held(Fault::PeeringUpdating) {
            item["properties"]["provisioningState"] = json!("Updating");
        }
        if held(Fault::RangeUntold) {
            let none = json!({"addressPrefixes": []});
            item["properties"]["remoteAddressSpace"] = none.clone();
            item["properties"]["remoteVirtualNetworkAddressSpace"] = none;
        }
    }
    items
}

/// What a peering looks like in answers.
pub(super) fn peering(world: &World, network: &Network, peering: &Peering) -> Value {
    let remote = world.network(&peering.remote).map(|at| &world.networks[at]);
    let current = remote.is_none_or(|remote| remote.prefixes == peering.remote_prefixes);
    let level = match (peering.state.as_str(), current) {
        ("Connected", true) => "FullyInSync",
        ("Connected", false) => "LocalNotInSync",
        _ => "RemoteNotInSync",
    };
    let prefixes = json!({"addressPrefixes": remote.map_or(&peering.remote_prefixes, |remote| &remote.prefixes)});
    let mut properties = json!({
        "provisioningState": peering.provisioning,
        "resourceGuid": peering.guid,
        "peeringState": peering.state,
        "peeringSyncLevel": level,
        "remoteVirtualNetwork": {"id": peering.remote},
        "allowVirtualNetworkAccess": true,
        "allowForwardedTraffic": false,
        "allowGatewayTransit": false,
        "useRemoteGateways": false,
        "doNotVerifyRemoteGateways": false,
        "peerCompleteVnets": true,
        "remoteAddressSpace": {"addressPrefixes": peering.remote_prefixes},
        "remoteVirtualNetworkAddressSpace": prefixes,
        "routeServiceVips": {},
    });
    for (key, value) in &peering.flags {
        properties[key] = value.clone();
    }
    json!({
        "name": peering.name,
        "id": format!("{}/virtualNetworkPeerings/{}", network.id(), peering.name),
        "etag": format!("W/\"{}\"", peering.etag),
        "properties": properties,
        "type": PEERING,
    })
}
