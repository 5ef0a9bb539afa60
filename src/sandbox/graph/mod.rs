//! Microsoft Graph v1.0: applications and service principals, with the directory's replication lag.
//!
//! Models <https://learn.microsoft.com/graph/api/resources/application> and
//! <https://learn.microsoft.com/graph/api/resources/serviceprincipal>.

mod applications;
mod objects;
mod principals;
mod shape;

use serde_json::{Value, json};

pub(super) use principals::create as new_principal;

use super::filter::{self, Clause};
use super::lag::now;
use super::log::Service;
use super::paging;
use super::wire::{Answer, Ask, Reply};
use super::world::{Audience, Token, World, guid};

/// How an object of a collection is named in a path.
#[derive(Clone, Debug, PartialEq)]
enum Key {
    Id(String),
    AppId(String),
    UniqueName(String),
}

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

/// Splits a path into collection, key and what follows.
fn address<'a>(parts: &'a [&'a str]) -> (&'a str, Option<Key>, &'a [&'a str]) {
    let Some((&first, rest)) = parts.split_first() else {
        return ("", None, &[]);
    };
    if let Some((collection, key)) = first.split_once('(') {
        let key = key.strip_suffix(')').and_then(|key| key.split_once('='));
        let key = key.and_then(|(name, value)| {
            let value = value
                .strip_prefix('\'')?
                .strip_suffix('\'')?
                .replace("''", "'");
            match name {
                "appId" => Some(Key::AppId(value)),
                "uniqueName" => Some(Key::UniqueName(value)),
                "id" => Some(Key::Id(value)),
                _ => None,
            }
        });
        return (collection, key, rest);
    }
    match (first, rest) {
        ("applications" | "servicePrincipals", [id, rest @ ..]) => {
            (first, Some(Key::Id((*id).to_owned())), rest)
        }
        _ => (first, None, rest),
    }
}

/// The holder of a valid token for Graph.
fn caller(world: &World, ask: &Ask) -> Result<Token, Answer> {
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
fn administers(world: &World, caller: &Token) -> bool {
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
fn administrator(world: &World, caller: &Token) -> Result<(), Answer> {
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

/// The properties that `$filter` knows, by collection.
fn filterable(context: &str) -> &'static [&'static str] {
    match context {
        "applications" => &[
            "id",
            "appId",
            "displayName",
            "identifierUris",
            "signInAudience",
            "publisherDomain",
            "description",
            "tags",
            "createdDateTime",
        ],
        "servicePrincipals" => &[
            "id",
            "appId",
            "displayName",
            "servicePrincipalNames",
            "accountEnabled",
            "tags",
            "servicePrincipalType",
            "alternativeNames",
            "appOwnerOrganizationId",
            "createdDateTime",
        ],
        _ => &["id", "displayName", "userPrincipalName", "mail"],
    }
}

/// A list answer: the objects that satisfy `$filter`, in pages.
fn list(world: &mut World, ask: &Ask, context: &str, objects: Vec<Value>) -> Reply {
    let objects = match ask.query("$filter") {
        Some(text) => {
            let known = |clause: &Clause| match clause {
                Clause::Equal(key, _) | Clause::Starts(key, _) | Clause::Any(key, _) => {
                    filterable(context).contains(&key.as_str())
                }
                Clause::Call(..) => false,
            };
            let filter = filter::parse(text).filter(|filter| filter.iter().flatten().all(known));
            let filter = filter.ok_or_else(|| {
                let text = format!("Unsupported or invalid query filter clause specified: {text}.");
                error(400, "Request_UnsupportedQuery", &text, None)
            })?;
            objects
                .into_iter()
                .filter(|object| filter::holds(&filter, object))
                .collect()
        }
        None => objects,
    };
    let (objects, next) = paging::page(world, Service::Graph, ask, objects);
    let mut body = json!({"@odata.context": format!("{}/v1.0/$metadata#{context}", ask.origin), "value": objects});
    if let Some(next) = next {
        body["@odata.nextLink"] = json!(next);
    }
    Ok(Answer::json(200, body))
}

/// One object as an answer.
fn entity(ask: &Ask, status: u16, context: &str, mut object: Value) -> Answer {
    object["@odata.context"] = json!(format!("{}/v1.0/$metadata#{context}/$entity", ask.origin));
    Answer::json(status, object)
}

/// Refuses bodies with properties that the type does not have or that cannot be set.
fn check_properties(body: &Value, settable: &[&str], read_only: &[&str]) -> Result<(), Answer> {
    let Some(body) = body.as_object() else {
        return Err(bad_request("Empty Payload. JSON content expected."));
    };
    for key in body.keys().filter(|key| !key.starts_with('@')) {
        if read_only.contains(&key.as_str()) {
            return Err(bad_request(&format!(
                "Property '{key}' is read-only and cannot be set."
            )));
        }
        if !settable.contains(&key.as_str()) {
            return Err(bad_request(&format!("Invalid property '{key}'.")));
        }
    }
    Ok(())
}

fn not_found(id: &str) -> Answer {
    let text = format!(
        "Resource '{id}' does not exist or one of its queried reference-property objects are not present."
    );
    error(404, "Request_ResourceNotFound", &text, None)
}

fn bad_request(text: &str) -> Answer {
    error(400, "Request_BadRequest", text, None)
}

/// The error envelope, with a detail where Graph gives one: code and target.
fn error(status: u16, code: &str, message: &str, detail: Option<(&str, &str)>) -> Answer {
    let id = guid();
    let stamp = super::lag::stamp();
    let mut body = json!({"error": {
        "code": code,
        "message": message,
        "innerError": {"date": stamp.trim_end_matches('Z'), "request-id": id, "client-request-id": id},
    }});
    if let Some((code, target)) = detail {
        body["error"]["details"] = json!([{"code": code, "message": message, "target": target}]);
    }
    Answer::json(status, body)
}
