//! Who asks, with which token, and whether they may: <https://learn.microsoft.com/azure/role-based-access-control/overview>.

use serde_json::json;

use super::envelope::error;
use crate::sandbox::lag::now;
use crate::sandbox::rbac::Verdict;
use crate::sandbox::wire::{Answer, Ask};
use crate::sandbox::world::{Audience, Token, World};

/// The holder of a valid token for Azure Resource Manager.
pub(super) fn caller(world: &World, ask: &Ask) -> Result<Token, Answer> {
    let text = ask.bearer("Bearer").ok_or_else(|| {
        error(
            401,
            "AuthenticationFailed",
            "Authentication failed. The 'Authorization' header is missing.",
        )
        .with(
            "www-authenticate",
            "Bearer authorization_uri=\"https://login.windows.net/\", error=\"invalid_token\"",
        )
    })?;
    valid(world, text)
}

/// A token of ours for Azure Resource Manager that has not expired.
fn valid(world: &World, text: &str) -> Result<Token, Answer> {
    let token = world.session.tokens.get(text).ok_or_else(|| {
        error(
            401,
            "InvalidAuthenticationToken",
            "The access token is invalid.",
        )
    })?;
    if token.expires < now() {
        return Err(error(
            401,
            "ExpiredAuthenticationToken",
            "The access token expiry UTC time is earlier than current UTC time.",
        ));
    }
    if token.audience != Audience::Arm {
        let text = "The access token has been obtained for wrong audience or resource. It should exactly match with one of the allowed audiences 'https://management.core.windows.net/', 'https://management.azure.com/'.";
        return Err(error(401, "InvalidAuthenticationTokenAudience", text));
    }
    Ok(token.clone())
}

/// The tokens of other tenants that come along: comma-separated, at most three, all valid.
pub(super) fn auxiliary(world: &World, ask: &Ask) -> Result<Vec<Token>, Answer> {
    let Some(header) = ask.header("x-ms-authorization-auxiliary") else {
        return Ok(Vec::new());
    };
    let texts: Vec<&str> = header
        .split([',', ';'])
        .map(str::trim)
        .filter(|text| !text.is_empty())
        .collect();
    if texts.len() > 3 {
        return Err(error(
            401,
            "InvalidAuthenticationToken",
            "The number of auxiliary tokens exceeds the allowed maximum of 3.",
        ));
    }
    let bare = |text: &str| {
        text.split_once(' ')
            .map_or_else(|| text.to_owned(), |(_, token)| token.trim().to_owned())
    };
    texts
        .into_iter()
        .map(|text| {
            valid(world, &bare(text)).map_err(|mut refusal| {
                if let Some(body) = &mut refusal.body {
                    body["error"]["code"] = json!("InvalidAuthenticationTokenAuxiliary");
                }
                refusal
            })
        })
        .collect()
}

/// The subscription in the path must exist and belong to the tenant of the token.
pub(super) fn check_tenant(world: &World, caller: &Token, id: &str) -> Result<(), Answer> {
    let Some(subscription) = world.subscription(id) else {
        return Err(error(
            404,
            "SubscriptionNotFound",
            &format!("The subscription '{id}' could not be found."),
        ));
    };
    if subscription.tenant == caller.tenant {
        return Ok(());
    }
    let (own, other) = (&subscription.tenant, &caller.tenant);
    let text = format!(
        "The access token is from the wrong issuer 'https://sts.windows.net/{other}/'. It must match the tenant 'https://sts.windows.net/{own}/' associated with this subscription. Please use the authority (URL) 'https://login.windows.net/{own}' to get the token. Note, if the subscription is transferred to another tenant there is no impact to the services, but information about new tenant could take time to propagate (up to an hour). If you just transferred your subscription and see this error message, please try back later."
    );
    Err(error(401, "InvalidAuthenticationTokenTenant", &text))
}

/// Refuses a caller who may not do this here.
pub(super) fn authorize(
    world: &mut World,
    caller: &Token,
    action: &str,
    scope: &str,
) -> Result<(), Answer> {
    if world.may(&caller.principal, action, scope, caller.serial) == Verdict::Allowed {
        return Ok(());
    }
    Err(forbidden(caller, action, scope))
}

/// What is said to a caller who may not do this here.
pub(super) fn forbidden(caller: &Token, action: &str, scope: &str) -> Answer {
    let (client, object) = (&caller.app_id, &caller.principal);
    let text = format!(
        "The client '{client}' with object id '{object}' does not have authorization to perform action '{action}' over scope '{scope}' or the scope is invalid. If access was recently granted, please refresh your credentials."
    );
    error(403, "AuthorizationFailed", &text)
}

/// Whether a caller may read a thing, for lists that show only what is visible.
pub(super) fn sees(world: &mut World, caller: &Token, action: &str, scope: &str) -> bool {
    world.may(&caller.principal, action, scope, caller.serial) == Verdict::Allowed
}
