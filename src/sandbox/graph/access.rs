//! Who asks, with which token, and whether they may manage applications.

use super::envelope::error;
use crate::sandbox::lag::now;
use crate::sandbox::wire::{Answer, Ask};
use crate::sandbox::world::{Audience, Token, World};

/// The holder of a valid token for Graph.
pub(super) fn caller(world: &World, ask: &Ask) -> Result<Token, Answer> {
    let refuse = |text: &str| error(401, "InvalidAuthenticationToken", text, None);
    let text = ask
        .bearer("Bearer")
        .ok_or_else(|| refuse("Access token is empty."))?;
    let token = world
        .session
        .tokens
        .get(text)
        .ok_or_else(|| refuse("CompactToken validation failed: the token is unknown."))?;
    if token.expires < now() {
        return Err(refuse("Lifetime validation failed, the token is expired."));
    }
    if token.audience != Audience::Graph {
        return Err(refuse("Access token validation failure. Invalid audience."));
    }
    Ok(token.clone())
}

/// Whether the caller holds a directory role that may manage all applications.
pub(super) fn administers(world: &World, caller: &Token) -> bool {
    const ROLES: [&str; 3] = [
        "Application Administrator",
        "Cloud Application Administrator",
        "Global Administrator",
    ];
    let user = world
        .users
        .iter()
        .filter(|user| user.id == caller.principal)
        .flat_map(|user| &user.directory_roles);
    let principal = world
        .principals
        .iter()
        .filter(|sp| sp.id == caller.principal)
        .flat_map(|sp| &sp.directory_roles);
    user.chain(principal)
        .any(|role| ROLES.contains(&role.as_str()))
}

/// Refuses callers who hold no such role.
pub(super) fn administrator(world: &World, caller: &Token) -> Result<(), Answer> {
    if administers(world, caller) {
        return Ok(());
    }
    Err(error(
        403,
        "Authorization_RequestDenied",
        "Insufficient privileges to complete the operation.",
        None,
    ))
}
