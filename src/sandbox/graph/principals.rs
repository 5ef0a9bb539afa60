//! Service principals: <https://learn.microsoft.com/graph/api/serviceprincipal-post-serviceprincipals> and its neighbours.

use serde_json::Value;

use super::access::{administers, administrator};
use super::envelope::{bad_request, check_properties, entity, error, list, not_found};
use super::path::Key;
use super::{objects, shape};
use crate::sandbox::faults::Fault;
use crate::sandbox::lag::{Spread, stamp};
use crate::sandbox::log::Service;
use crate::sandbox::wire::{Answer, Ask, Reply};
use crate::sandbox::world::{Principal, Token, World};

const SETTABLE: [&str; 20] = [
    "accountEnabled",
    "addIns",
    "alternativeNames",
    "appRoleAssignmentRequired",
    "appRoles",
    "appId",
    "customSecurityAttributes",
    "description",
    "displayName",
    "homepage",
    "info",
    "keyCredentials",
    "loginUrl",
    "logoutUrl",
    "notes",
    "notificationEmailAddresses",
    "preferredSingleSignOnMode",
    "replyUrls",
    "servicePrincipalNames",
    "tags",
];
const READ_ONLY: [&str; 7] = [
    "appOwnerOrganizationId",
    "applicationTemplateId",
    "createdDateTime",
    "deletedDateTime",
    "id",
    "passwordCredentials",
    "signInAudience",
];

/// `GET` and `POST /servicePrincipals`
pub(super) fn collection(world: &mut World, ask: &Ask, caller: &Token) -> Reply {
    match ask.method.as_str() {
        "GET" => {
            administrator(world, caller)?;
            let mut visible = Vec::new();
            for (at, sp) in world.principals.iter_mut().enumerate() {
                if sp.tenant == caller.tenant && sp.deleted.is_none() && sp.settle.look() {
                    visible.push(at);
                }
            }
            let objects = visible.into_iter().map(|at| shaped(world, at)).collect();
            list(world, ask, "servicePrincipals", objects)
        }
        "POST" => {
            check_properties(&ask.body, &SETTABLE, &READ_ONLY)?;
            let Some(app_id) = ask.text("appId") else {
                let text =
                    "A value is required for property 'appId' of resource 'ServicePrincipal'.";
                return Err(error(
                    400,
                    "Request_BadRequest",
                    text,
                    Some(("PropertyValueRequired", "appId")),
                ));
            };
            post(world, ask, caller, app_id)
        }
        _ => Err(Answer::empty(405)),
    }
}

/// Everything below one service principal.
pub(super) fn member(
    world: &mut World,
    ask: &Ask,
    caller: &Token,
    key: &Key,
    rest: &[&str],
) -> Reply {
    let found = find(world, caller, key);
    let name = match key {
        Key::Id(name) | Key::AppId(name) | Key::UniqueName(name) => name,
    };
    if let ("PATCH", [], Key::AppId(app_id)) = (ask.method.as_str(), rest, key) {
        // <https://learn.microsoft.com/graph/api/serviceprincipal-upsert>
        let create = ask
            .header("prefer")
            .is_some_and(|prefer| prefer.contains("create-if-missing"));
        check_properties(&ask.body, &SETTABLE, &READ_ONLY)?;
        return match found {
            None if create => post(world, ask, caller, app_id),
            None => Err(not_found(name)),
            Some(at) => {
                administrator(world, caller)?;
                assign(&mut world.principals[at], &ask.body);
                Ok(Answer::empty(204))
            }
        };
    }
    administrator(world, caller)?;
    let knows = |&at: &usize| ask.method == "DELETE" || world.principals[at].settle.look();
    let at = found.filter(knows).ok_or_else(|| not_found(name))?;
    match (ask.method.as_str(), rest) {
        ("GET", []) => Ok(entity(ask, 200, "servicePrincipals", shaped(world, at))),
        ("PATCH", []) => {
            check_properties(&ask.body, &SETTABLE, &READ_ONLY)?;
            assign(&mut world.principals[at], &ask.body);
            Ok(Answer::empty(204))
        }
        ("DELETE", []) => {
            let in_the_way = world.lag.begin(Spread::PrincipalGone);
            let sp = &mut world.principals[at];
            sp.deleted = Some(stamp());
            sp.in_the_way = in_the_way;
            Ok(Answer::empty(204))
        }
        ("GET", ["owners"]) => {
            let owners = world.principals[at].owners.clone();
            let objects = objects::by_ids(world, &caller.tenant, &owners);
            list(world, ask, "directoryObjects", objects)
        }
        ("DELETE", ["owners", owner, "$ref"]) => {
            world.principals[at].owners.retain(|known| known != owner);
            Ok(Answer::empty(204))
        }
        ("POST", ["owners", "$ref"]) => {
            let owner = objects::reference(ask)?;
            world.principals[at].owners.push(owner);
            Ok(Answer::empty(204))
        }
        (
            "GET",
            [
                "appRoleAssignedTo"
                | "appRoleAssignments"
                | "oauth2PermissionGrants"
                | "memberOf"
                | "transitiveMemberOf",
            ],
        ) => list(world, ask, "directoryObjects", Vec::new()),
        _ => Err(bad_request("Resource not found for the segment.")),
    }
}

/// Makes the principal of an application in the caller's tenant.
fn post(world: &mut World, ask: &Ask, caller: &Token, app_id: &str) -> Reply {
    let local = world.applications.iter().position(|app| {
        app.deleted.is_none()
            && app.tenant == caller.tenant
            && app.app_id.eq_ignore_ascii_case(app_id)
    });
    let refused = world
        .faults
        .strike(Service::Graph, ask, |fault| {
            *fault == Fault::NoDirectoryRole
        })
        .is_some();
    if local.is_none() && (refused || !administers(world, caller)) {
        return Err(elsewhere());
    }
    administrator(world, caller)?;
    match local {
        Some(at) => {
            if !world.applications[at].settle.look() {
                // Both answers are seen for an application that has not spread yet.
                return Err(if world.session.seen.len().is_multiple_of(2) {
                    no_application(app_id)
                } else {
                    elsewhere()
                });
            }
        }
        None => {
            if world
                .application(app_id)
                .is_none_or(|app| !app.is_multi_tenant())
            {
                return Err(no_application(app_id));
            }
        }
    }
    let mut gone = world.principals.iter_mut().filter(|sp| {
        sp.deleted.is_some() && sp.tenant == caller.tenant && sp.app_id.eq_ignore_ascii_case(app_id)
    });
    let held = gone.any(|sp| !sp.in_the_way.look());
    if held || world.principal(&caller.tenant, app_id).is_some() {
        let text = format!(
            "The service principal cannot be created, updated, or restored because the service principal name {app_id} is already in use."
        );
        return Err(error(
            409,
            "Request_MultipleObjectsWithSameKeyValue",
            &text,
            None,
        ));
    }
    let tags = strings(&ask.body["tags"]);
    let at = world.add_principal(&caller.tenant, app_id, tags);
    if let Some(enabled) = ask.body["accountEnabled"].as_bool() {
        world.principals[at].enabled = enabled;
    }
    if caller.is_user {
        world.principals[at].owners.push(caller.principal.clone());
    }
    Ok(entity(ask, 201, "servicePrincipals", shaped(world, at)))
}

fn assign(principal: &mut Principal, body: &Value) {
    if let Some(name) = body["displayName"].as_str() {
        name.clone_into(&mut principal.display_name);
    }
    if let Some(enabled) = body["accountEnabled"].as_bool() {
        principal.enabled = enabled;
    }
    if body["tags"].is_array() {
        principal.tags = strings(&body["tags"]);
    }
}

fn strings(value: &Value) -> Vec<String> {
    value
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}

fn shaped(world: &World, at: usize) -> Value {
    let principal = &world.principals[at];
    shape::principal(principal, world.application(&principal.app_id))
}

fn find(world: &World, caller: &Token, key: &Key) -> Option<usize> {
    world.principals.iter().position(|sp| {
        sp.tenant == caller.tenant
            && sp.deleted.is_none()
            && match key {
                Key::Id(id) => sp.id.eq_ignore_ascii_case(id),
                Key::AppId(id) => sp.app_id.eq_ignore_ascii_case(id),
                Key::UniqueName(_) => false,
            }
    })
}

fn no_application(app_id: &str) -> Answer {
    let text = format!(
        "The appId '{app_id}' of the service principal does not reference a valid application object."
    );
    error(
        400,
        "Request_BadRequest",
        &text,
        Some(("NoBackingApplicationObject", "appId")),
    )
}

fn elsewhere() -> Answer {
    let text = "When using this permission, the backing application of the service principal being created must in the local tenant";
    error(403, "Authorization_RequestDenied", text, None)
}
