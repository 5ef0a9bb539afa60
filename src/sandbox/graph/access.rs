//! Who asks, with which token, and whether they may manage applications.

use super::envelope::error;
use crate::sandbox::faults::Fault;
use crate::sandbox::lag::now;
use crate::sandbox::log::Service;
use crate::sandbox::wire::{Answer, Ask};
use crate::sandbox::world::{Audience, Token, World};

/// The holder of a valid token for Graph.
pub(super) fn caller(world: &mut World, ask: &Ask) -> Result<Token, Answer> {
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
    let token = token.clone();
    let withdrawn = |fault: &Fault| *fault == Fault::TokenWithdrawn;
    if world
        .faults
        .strike(Service::Graph, ask, withdrawn)
        .is_some()
    {
        let text = "Continuous access evaluation resulted in challenge with result: InteractionRequired and code: TokenIssuedBeforeRevocationTimestamp";
        // `{"access_token":{"nbf":{"essential":true,"value":"1764000000"}}}`
        let claims = "eyJhY2Nlc3NfdG9rZW4iOnsibmJmIjp7ImVzc2VudGlhbCI6dHJ1ZSwidmFsdWUiOiIxNzY0MDAwMDAwIn19fQ==";
        let wanted = format!(
            "Bearer realm=\"\", authorization_uri=\"https://login.microsoftonline.com/common/oauth2/authorize\", error=\"insufficient_claims\", claims=\"{claims}\""
        );
        return Err(refuse(text).with("www-authenticate", wanted));
    }
    Ok(token)
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
