//! How Microsoft Graph wraps objects, lists and refusals, and what it takes in a body.

use serde_json::{Value, json};

use crate::sandbox::filter::{self, Clause};
use crate::sandbox::lag::stamp;
use crate::sandbox::log::Service;
use crate::sandbox::paging;
use crate::sandbox::wire::{Answer, Ask, Reply};
use crate::sandbox::world::{World, guid};

/// What the directory says while it is busy with another change of the same object.
pub(in crate::sandbox) const CONCURRENT: (&str, &str) = (
    "Directory_ConcurrencyViolation",
    "Error due to concurrent requests being made to the tenant. Please wait briefly and retry.",
);

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
pub(super) fn list(world: &mut World, ask: &Ask, context: &str, objects: Vec<Value>) -> Reply {
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
pub(super) fn entity(ask: &Ask, status: u16, context: &str, mut object: Value) -> Answer {
    object["@odata.context"] = json!(format!("{}/v1.0/$metadata#{context}/$entity", ask.origin));
    Answer::json(status, object)
}

/// Refuses bodies with properties that the type does not have or that cannot be set.
pub(super) fn check_properties(
    body: &Value,
    settable: &[&str],
    read_only: &[&str],
) -> Result<(), Answer> {
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

pub(super) fn not_found(id: &str) -> Answer {
    let text = format!(
        "Resource '{id}' does not exist or one of its queried reference-property objects are not present."
    );
    error(404, "Request_ResourceNotFound", &text, None)
}

pub(super) fn bad_request(text: &str) -> Answer {
    error(400, "Request_BadRequest", text, None)
}

/// The error envelope, with a detail where Graph gives one: code and target.
pub(super) fn error(
    status: u16,
    code: &str,
    message: &str,
    detail: Option<(&str, &str)>,
) -> Answer {
    let id = guid();
    let stamp = stamp();
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
