//! Azure Resource Manager: subscriptions, networks, roles; every request is checked against role assignments.
//!
//! Models <https://learn.microsoft.com/rest/api/resources/subscriptions>,
//! <https://learn.microsoft.com/rest/api/virtualnetwork> and <https://learn.microsoft.com/rest/api/authorization>.

mod access;
mod assignments;
mod envelope;
mod networks;
mod operations;
mod peerings;
mod restraints;
mod roles;
mod rules;
mod shape;
mod subscriptions;

use self::access::{caller, check_tenant};
use self::envelope::{error, no_resource};
use super::wire::{Ask, Reply};
use super::world::World;

pub(super) fn answer(world: &mut World, ask: &Ask) -> Reply {
    let lower: Vec<String> = ask
        .segments
        .iter()
        .map(|part| part.to_ascii_lowercase())
        .collect();
    let lower: Vec<&str> = lower.iter().map(String::as_str).collect();
    if lower == ["metadata", "endpoints"] {
        return Ok(subscriptions::endpoints(ask));
    }
    let caller = caller(world, ask)?;
    restraints::challenge(world, ask, &caller)?;
    if ask.query("api-version").is_none() {
        return Err(error(
            400,
            "MissingApiVersionParameter",
            "The api-version query parameter (?api-version=) is required for all requests.",
        ));
    }
    if ask.garbled {
        return Err(error(
            400,
            "InvalidRequestContent",
            "The request content was invalid and could not be deserialized.",
        ));
    }
    if let ["subscriptions", id, ..] = lower.as_slice() {
        check_tenant(world, &caller, id)?;
        restraints::allow(world, ask, id)?;
    }
    // Roles and assignments exist at any scope: what stands before the last `providers/Microsoft.Authorization`.
    let authorization = (0..lower.len().saturating_sub(1))
        .rev()
        .find(|&at| lower[at..at + 2] == ["providers", "microsoft.authorization"]);
    if let Some(at) = authorization {
        let scope = format!("/{}", ask.segments[..at].join("/"));
        let id = ask.segments.get(at + 3).map(String::as_str);
        return match lower.get(at + 2) {
            Some(&"roledefinitions") => roles::answer(world, ask, &caller, &scope, id),
            Some(&"roleassignments") => assignments::answer(world, ask, &caller, &scope, id),
            Some(&"permissions") => roles::permissions(world, ask, &caller, &scope),
            Some(&"locks") => restraints::locks(world, ask, &caller, &scope),
            _ => Err(no_resource(ask)),
        };
    }
    match lower.as_slice() {
        [
            "subscriptions",
            subscription,
            "providers",
            "microsoft.network",
            rest @ ..,
        ] => networks::in_subscription(world, ask, &caller, subscription, rest),
        [
            "subscriptions",
            _,
            "resourcegroups",
            _,
            "providers",
            "microsoft.network",
            "virtualnetworks",
            rest @ ..,
        ] => match rest {
            [] | [_] => networks::in_group(world, ask, &caller, !rest.is_empty()),
            [_, "virtualnetworkpeerings"] => peerings::list(world, ask, &caller),
            [_, "virtualnetworkpeerings", _] => peerings::member(world, ask, &caller),
            [_, "subnets"] => networks::subnets(world, ask, &caller),
            _ => Err(no_resource(ask)),
        },
        _ => subscriptions::answer(world, ask, &caller, &lower),
    }
}
