//! Microsoft Graph v1.0: applications and service principals, with the directory's replication lag.
//!
//! Models <https://learn.microsoft.com/graph/api/resources/application> and
//! <https://learn.microsoft.com/graph/api/resources/serviceprincipal>.

mod access;
mod applications;
mod envelope;
mod keys;
mod objects;
mod path;
mod policies;
mod principals;
mod shape;

pub(super) use self::envelope::CONCURRENT;

use self::access::caller;
use self::envelope::bad_request;
use self::path::address;
use super::wire::{Ask, Reply};
use super::world::World;

pub(super) fn answer(world: &mut World, ask: &Ask) -> Reply {
    let caller = caller(world, ask)?;
    if ask.garbled {
        return Err(bad_request(
            "Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format.",
        ));
    }
    let parts = ask.parts();
    let (collection, key, rest) = address(&parts[1..]);
    match (collection, key) {
        ("applications", None) if rest.is_empty() => applications::collection(world, ask, &caller),
        ("applications", Some(key)) => applications::member(world, ask, &caller, &key, rest),
        ("servicePrincipals", None) if rest.is_empty() => {
            principals::collection(world, ask, &caller)
        }
        ("servicePrincipals", Some(key)) => principals::member(world, ask, &caller, &key, rest),
        (other, _) => objects::answer(world, ask, &caller, other, &parts[2..]),
    }
}
