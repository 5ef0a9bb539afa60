//! Azure Resource Manager: subscriptions, networks, roles; every request is checked against role assignments.
//!
//! Models <https://learn.microsoft.com/rest/api/resources/subscriptions>,
//! <https://learn.microsoft.com/rest/api/virtualnetwork> and <https://learn.microsoft.com/rest/api/authorization>.

mod assignments;
mod networks;
mod operations;
mod peerings;
mod roles;
mod rules;
mod subscriptions;

use serde_json::{Value, json};

pub(super) use peerings::sever;
pub(super) use rules::overlap;

use super::lag::now;
use super::log::Service;
use super::paging;
use super::rbac::Verdict;
use super::wire::{Answer, Ask, Reply};
use super::world::{Audience, Token, World};

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

/// The holder of a valid token for Azure Resource Manager.
fn caller(world: &World, ask: &Ask) -> Result<Token, Answer> {
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
fn auxiliary(world: &World, ask: &Ask) -> Result<Vec<Token>, Answer> {
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
fn check_tenant(world: &World, caller: &Token, id: &str) -> Result<(), Answer> {
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
fn authorize(world: &mut World, caller: &Token, action: &str, scope: &str) -> Result<(), Answer> {
    if world.may(&caller.principal, action, scope, caller.serial) == Verdict::Allowed {
        return Ok(());
    }
    Err(forbidden(caller, action, scope))
}

/// What is said to a caller who may not do this here.
fn forbidden(caller: &Token, action: &str, scope: &str) -> Answer {
    let (client, object) = (&caller.app_id, &caller.principal);
    let text = format!(
        "The client '{client}' with object id '{object}' does not have authorization to perform action '{action}' over scope '{scope}' or the scope is invalid. If access was recently granted, please refresh your credentials."
    );
    error(403, "AuthorizationFailed", &text)
}

/// Whether a caller may read a thing, for lists that show only what is visible.
fn sees(world: &mut World, caller: &Token, action: &str, scope: &str) -> bool {
    world.may(&caller.principal, action, scope, caller.serial) == Verdict::Allowed
}

/// A list answer in pages.
fn list(world: &mut World, ask: &Ask, items: Vec<Value>) -> Answer {
    let (items, next) = paging::page(world, Service::Arm, ask, items);
    let mut body = json!({"value": items});
    if let Some(next) = next {
        body["nextLink"] = json!(next);
    }
    Answer::json(200, body)
}

fn no_resource(ask: &Ask) -> Answer {
    error(
        404,
        "InvalidResourceType",
        &format!(
            "The resource type could not be found for the path '{}' and method {}.",
            ask.path, ask.method
        ),
    )
}

fn error(status: u16, code: &str, message: &str) -> Answer {
    Answer::json(
        status,
        json!({"error": {"code": code, "message": message, "details": []}}),
    )
}
