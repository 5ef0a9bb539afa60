//! Peerings between virtual networks: two halves, each written on its own side, by an asynchronous operation.
//!
//! Models <https://learn.microsoft.com/rest/api/virtualnetwork/virtual-network-peerings> and
//! <https://learn.microsoft.com/azure/azure-resource-manager/management/authenticate-multi-tenant>.

use serde_json::{Map, Value};

use super::access::authorize;
use super::envelope::{self, error, no_resource};
use super::networks::{busy_elsewhere, find, path};
use super::operations::{begin, busy, settle};
use super::rules::{body, check_name, check_ranges, linked};
use super::shape::{self, PEERING};
use crate::sandbox::halves::{opposite, position};
use crate::sandbox::wire::{Answer, Ask, Reply};
use crate::sandbox::world::{Network, Peering, Token, World, guid};

/// `GET …/virtualNetworkPeerings`
pub(super) fn list(world: &mut World, ask: &Ask, caller: &Token) -> Reply {
    if ask.method != "GET" {
        return Err(no_resource(ask));
    }
    authorize(
        world,
        caller,
        &format!("{PEERING}/read"),
        &path(&ask.parts(), 8),
    )?;
    let at = find(world, ask)?;
    settle(world, &world.networks[at].id(), None, true);
    let items = shape::peerings(world, at, None, true);
    Ok(envelope::list(world, ask, items))
}

/// `GET`, `PUT` and `DELETE …/virtualNetworkPeerings/{name}`
pub(super) fn member(world: &mut World, ask: &Ask, caller: &Token) -> Reply {
    let id = path(&ask.parts(), 10);
    let name = ask.segments[9].clone();
    match ask.method.as_str() {
        "GET" => {
            authorize(world, caller, &format!("{PEERING}/read"), &id)?;
            let at = find(world, ask)?;
            settle(world, &world.networks[at].id(), Some(&name), true);
            let found = shape::peerings(world, at, Some(&name), true).pop();
            let found = found.ok_or_else(|| missing(&world.networks[at], &name))?;
            Ok(Answer::json(200, found))
        }
        "PUT" => {
            authorize(world, caller, &format!("{PEERING}/write"), &id)?;
            let remote = body(ask)?;
            linked(world, ask, caller, &id, &remote)?;
            let at = find(world, ask)?;
            put(world, ask, at, &name, &remote)
        }
        "DELETE" => {
            authorize(world, caller, &format!("{PEERING}/delete"), &id)?;
            let at = find(world, ask)?;
            let network = world.networks[at].id();
            settle(world, &network, Some(&name), false);
            let Some(half) = position(&world.networks[at], &name) else {
                return Ok(Answer::empty(204));
            };
            busy(world, &network)?;
            "Deleting".clone_into(&mut world.networks[at].peerings[half].provisioning);
            Ok(begin(world, ask, at, &name, true, Answer::empty(202)))
        }
        _ => Err(no_resource(ask)),
    }
}

fn put(world: &mut World, ask: &Ask, at: usize, name: &str, remote: &str) -> Reply {
    let id = world.networks[at].id();
    settle(world, &id, Some(name), false);
    let here = format!("{id}/virtualNetworkPeerings/{name}");
    check_name(name)?;
    let Some(other) = world.network(remote) else {
        let text = format!(
            "Resource {remote} referenced by resource {here} was not found. Please make sure that the referenced resource exists."
        );
        return Err(error(400, "InvalidResourceReference", &text));
    };
    check_provisioned(world, ask, at, other, &here)?;
    busy(world, &id)?;
    check_ranges(world, at, other, &here)?;
    let twin = world.networks[at].peerings.iter().find(|half| {
        half.remote.eq_ignore_ascii_case(remote) && !half.name.eq_ignore_ascii_case(name)
    });
    if let Some(twin) = twin {
        let text = format!(
            "Peering {here} cannot be created because another peering {id}/virtualNetworkPeerings/{} already references remote virtual network {remote}.",
            twin.name
        );
        return Err(error(
            400,
            "AnotherPeeringAlreadyReferencesRemoteVnet",
            &text,
        ));
    }
    let existing = position(&world.networks[at], name);
    if let Some(half) = existing
        && !world.networks[at].peerings[half]
            .remote
            .eq_ignore_ascii_case(remote)
    {
        let text =
            format!("Cannot change the remote virtual network of the existing peering {here}.");
        return Err(error(400, "ChangingRemoteVirtualNetworkNotAllowed", &text));
    }
    let state = match opposite(world, &id, remote) {
        None => "Initiated",
        Some((network, half)) if world.networks[network].peerings[half].state == "Disconnected" => {
            let theirs = format!(
                "{}/virtualNetworkPeerings/{}",
                world.networks[network].id(),
                world.networks[network].peerings[half].name
            );
            let text = format!(
                "Cannot create or update peering {here} because remote peering {theirs} referencing parent virtual network {id} is in Disconnected state. Update or re-create the remote peering to get it back to Initiated state. Peering gets Disconnected when remote vnet or remote peering is deleted and re-created."
            );
            return Err(error(400, "RemotePeeringIsDisconnected", &text));
        }
        Some((network, half)) => {
            "Connected".clone_into(&mut world.networks[network].peerings[half].state);
            "Connected"
        }
    };
    let flags: Map<String, Value> = ask.body["properties"]
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(_, value)| value.is_boolean())
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    let fresh = Peering {
        name: name.to_owned(),
        remote: remote.to_owned(),
        state: state.to_owned(),
        provisioning: "Updating".to_owned(),
        flags,
        remote_prefixes: world.networks[other].prefixes.clone(),
        guid: guid(),
        etag: guid(),
    };
    let half = existing.unwrap_or(world.networks[at].peerings.len());
    match existing {
        Some(half) => {
            world.networks[at].peerings[half] = Peering {
                name: world.networks[at].peerings[half].name.clone(),
                ..fresh
            }
        }
        None => world.networks[at].peerings.push(fresh),
    }
    let network = &world.networks[at];
    let answer = Answer::json(
        if existing.is_some() { 200 } else { 201 },
        shape::peering(world, network, &network.peerings[half]),
    );
    Ok(begin(world, ask, at, name, false, answer))
}

/// Both networks must be at rest.
fn check_provisioned(
    world: &mut World,
    ask: &Ask,
    at: usize,
    other: usize,
    here: &str,
) -> Result<(), Answer> {
    let updating =
        busy_elsewhere(world, ask).then(|| (world.networks[at].id(), "Updating".to_owned()));
    let resting = |network: &&Network| network.provisioning != "Succeeded";
    let restless = [&world.networks[at], &world.networks[other]]
        .into_iter()
        .find(resting);
    let restless =
        updating.or_else(|| restless.map(|network| (network.id(), network.provisioning.clone())));
    let Some((id, state)) = restless else {
        return Ok(());
    };
    let text = format!(
        "Cannot proceed with operation because resource {id} used by resource {here} is not in Succeeded state. Resource is in {state} state and the last operation that updated/is updating the resource is PutSubnetOperation."
    );
    Err(error(400, "ReferencedResourceNotProvisioned", &text))
}

fn missing(network: &Network, name: &str) -> Answer {
    error(
        404,
        "NotFound",
        &format!(
            "Resource {}/virtualNetworkPeerings/{name} not found.",
            network.id()
        ),
    )
}
