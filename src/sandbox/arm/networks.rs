//! Virtual networks and the operations on them: <https://learn.microsoft.com/rest/api/virtualnetwork/virtual-networks>.

use serde_json::{Value, json};

use super::access::{authorize, sees};
use super::envelope::{error, list, no_resource};
use super::{operations, shape, subscriptions};
use crate::sandbox::faults::Fault;
use crate::sandbox::log::Service;
use crate::sandbox::rbac::covers;
use crate::sandbox::wire::{Answer, Ask, Reply};
use crate::sandbox::world::{Network, Token, World};

const READ: &str = "Microsoft.Network/virtualNetworks/read";

/// What lies directly below `/subscriptions/{id}/providers/Microsoft.Network`.
pub(super) fn in_subscription(
    world: &mut World,
    ask: &Ask,
    caller: &Token,
    subscription: &str,
    rest: &[&str],
) -> Reply {
    match (ask.method.as_str(), rest) {
        ("GET", ["virtualnetworks"]) => {
            let scope = format!("/subscriptions/{subscription}");
            // A list shows what one may read in it; who may read nothing at all is refused.
            let items = visible(world, caller, &scope);
            if items.is_empty() {
                authorize(world, caller, READ, &scope)?;
            }
            Ok(list(world, ask, items))
        }
        (
            "GET",
            [
                "locations",
                _,
                kind @ ("operations" | "operationresults"),
                id,
            ],
        ) => operations::answer(world, ask, caller, id, *kind == "operationresults"),
        ("GET", []) => {
            let provider = [
                "subscriptions",
                subscription,
                "providers",
                "microsoft.network",
            ];
            subscriptions::answer(world, ask, caller, &provider)
        }
        _ => Err(no_resource(ask)),
    }
}

/// A resource group's networks, or one of them.
pub(super) fn in_group(world: &mut World, ask: &Ask, caller: &Token, one: bool) -> Reply {
    if ask.method != "GET" {
        return Err(no_resource(ask));
    }
    if one {
        authorize(world, caller, READ, &path(&ask.parts(), 8))?;
        let at = find(world, ask)?;
        let mut network = shape::network(world, at);
        if busy_elsewhere(world, ask) {
            network["properties"]["provisioningState"] = json!("Updating");
        }
        return Ok(Answer::json(200, network));
    }
    let scope = path(&ask.parts(), 4);
    let items = visible(world, caller, &scope);
    if items.is_empty() {
        authorize(world, caller, READ, &scope)?;
        subscriptions::find_group(world, &ask.segments[1], &ask.segments[3])?;
    }
    Ok(list(world, ask, items))
}

/// The sample networks have no subnets.
pub(super) fn subnets(world: &mut World, ask: &Ask, caller: &Token) -> Reply {
    authorize(
        world,
        caller,
        "Microsoft.Network/virtualNetworks/subnets/read",
        &path(&ask.parts(), 8),
    )?;
    find(world, ask)?;
    Ok(list(world, ask, Vec::new()))
}

/// Whether something else is being done to the network, by a fault.
pub(super) fn busy_elsewhere(world: &mut World, ask: &Ask) -> bool {
    world
        .faults
        .strike(Service::Arm, ask, |fault| *fault == Fault::NetworkUpdating)
        .is_some()
}

/// The network that a request's path names, in any case.
pub(super) fn find(world: &World, ask: &Ask) -> Result<usize, Answer> {
    let parts = ask.parts();
    subscriptions::find_group(world, parts[1], parts[3])?;
    world.network(&path(&parts, 8)).ok_or_else(|| {
        let text = format!(
            "The Resource 'Microsoft.Network/virtualNetworks/{}' under resource group '{}' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix",
            parts[7], parts[3]
        );
        error(404, "ResourceNotFound", &text)
    })
}

/// The first segments of a path, as a resource id.
pub(super) fn path(parts: &[&str], count: usize) -> String {
    format!("/{}", parts[..count.min(parts.len())].join("/"))
}

fn visible(world: &mut World, caller: &Token, scope: &str) -> Vec<Value> {
    let ids: Vec<(usize, String)> = world
        .networks
        .iter()
        .map(Network::id)
        .enumerate()
        .filter(|(_, id)| covers(scope, id))
        .collect();
    ids.into_iter()
        .filter_map(|(at, id)| sees(world, caller, READ, &id).then(|| shape::network(world, at)))
        .collect()
}
