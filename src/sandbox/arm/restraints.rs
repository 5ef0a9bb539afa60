//! What keeps anybody from changing something, whatever their roles: a missing second factor, locks, a disabled subscription,
//! a provider that is not registered.

use serde_json::{Value, json};

use super::access::authorize;
use super::envelope::{error, list, no_resource};
use super::networks::path;
use crate::sandbox::faults::Fault;
use crate::sandbox::log::Service;
use crate::sandbox::rbac::covers;
use crate::sandbox::wire::{Answer, Ask, Reply};
use crate::sandbox::world::{Lock, State, Token, World};

/// The claims that a token with a second factor has: `{"access_token":{"acrs":{"essential":true,"values":["p1"]}}}`.
const MFA: &str =
    "eyJhY2Nlc3NfdG9rZW4iOnsiYWNycyI6eyJlc3NlbnRpYWwiOnRydWUsInZhbHVlcyI6WyJwMSJdfX19";

/// Asks for more than the token has, or refuses for a policy:
/// <https://learn.microsoft.com/entra/identity/authentication/concept-mandatory-multifactor-authentication> and
/// <https://learn.microsoft.com/entra/identity-platform/claims-challenge>.
pub(super) fn challenge(world: &mut World, ask: &Ask, caller: &Token) -> Result<(), Answer> {
    if caller.is_user && ask.mutates() && strikes(world, ask, &Fault::MfaRequired) {
        let text = "Resource was disallowed by policy. Reasons: MFA is required. See error details for policy resource IDs.";
        let refusal = error(401, "RequestDisallowedByPolicy", text);
        return Err(refusal.with("www-authenticate", wanted(world, ask)));
    }
    if ask.mutates() && strikes(world, ask, &Fault::DeniedByPolicy) {
        let text = "Resource was disallowed by policy. Policy identifiers: '[{\"policyAssignment\":{\"name\":\"No peerings\"}}]'.";
        return Err(error(403, "RequestDisallowedByPolicy", text));
    }
    if strikes(world, ask, &Fault::TokenWithdrawn) {
        let text = "Continuous access evaluation resulted in challenge with result: InteractionRequired and code: TokenIssuedBeforeRevocationTimestamp";
        let refusal = error(401, "InvalidAuthenticationToken", text);
        return Err(refusal.with("www-authenticate", wanted(world, ask)));
    }
    Ok(())
}

fn strikes(world: &mut World, ask: &Ask, wanted: &Fault) -> bool {
    let strike = world
        .faults
        .strike(Service::Arm, ask, |fault| fault == wanted);
    strike.is_some()
}

fn wanted(world: &mut World, ask: &Ask) -> String {
    let odd = |fault: &Fault| matches!(fault, Fault::OddClaims(_));
    let claims = match world.faults.strike(Service::Arm, ask, odd) {
        Some(Fault::OddClaims(text)) => text,
        _ => MFA.to_owned(),
    };
    format!(
        "Bearer authorization_uri=\"https://login.microsoftonline.com/common/oauth2/authorize\", error=\"insufficient_claims\", claims=\"{claims}\""
    )
}

/// Refuses changes where a lock or the state of the subscription forbids them.
pub(super) fn allow(world: &World, ask: &Ask, subscription: &str) -> Result<(), Answer> {
    if !ask.mutates() {
        return Ok(());
    }
    let found = world.subscription(subscription);
    if found.is_some_and(|it| it.state == State::Disabled) {
        let text = format!(
            "The subscription '{subscription}' is disabled and therefore marked as read only. You cannot perform any write actions on this subscription until it is re-enabled."
        );
        return Err(error(409, "ReadOnlyDisabledSubscription", &text));
    }
    let parts = ask.parts();
    let target = path(&parts, parts.len());
    if found.is_some_and(|it| it.unregistered)
        && target
            .to_ascii_lowercase()
            .contains("/microsoft.network/virtualnetworks/")
    {
        let text = format!(
            "The subscription is not registered to use namespace 'Microsoft.Network'. See https://aka.ms/rps-not-found for how to register subscriptions. ({subscription})"
        );
        return Err(error(409, "MissingSubscriptionRegistration", &text));
    }
    let deletes = ask.method == "DELETE";
    let lock = world.locks.iter().find(|lock| {
        covers(&lock.scope, &target) && (deletes || lock.level.eq_ignore_ascii_case("ReadOnly"))
    });
    let Some(lock) = lock else {
        return Ok(());
    };
    let verb = if deletes { "delete" } else { "write" };
    let text = format!(
        "The scope '{target}' cannot perform {verb} operation because following scope(s) are locked: '{}'. Please remove the lock and try again.",
        lock.scope
    );
    Err(error(409, "ScopeLocked", &text))
}

/// The locks on a scope and on what is below it: <https://learn.microsoft.com/rest/api/resources/management-locks/list-by-scope>.
pub(super) fn locks(world: &mut World, ask: &Ask, caller: &Token, scope: &str) -> Reply {
    if ask.method != "GET" {
        return Err(no_resource(ask));
    }
    authorize(world, caller, "Microsoft.Authorization/locks/read", scope)?;
    let here = world.locks.iter().filter(|lock| covers(scope, &lock.scope));
    let here = here.map(shown).collect();
    Ok(list(world, ask, here))
}

fn shown(lock: &Lock) -> Value {
    let Lock { scope, name, level } = lock;
    json!({
        "id": format!("{scope}/providers/Microsoft.Authorization/locks/{name}"), "name": name,
        "type": "Microsoft.Authorization/locks", "properties": {"level": level},
    })
}
