//! The rest of the directory: who am I, my organization, objects by id, the recycle bin.

use serde_json::{Value, json};

use super::access::administrator;
use super::envelope::{bad_request, entity, list, not_found};
use super::shape;
use crate::sandbox::wire::{Answer, Ask, Reply};
use crate::sandbox::world::{Token, World};

pub(super) fn answer(
    world: &mut World,
    ask: &Ask,
    caller: &Token,
    collection: &str,
    rest: &[&str],
) -> Reply {
    match (ask.method.as_str(), collection, rest) {
        ("GET", "me", []) => me(world, ask, caller),
        // <https://learn.microsoft.com/graph/api/user-list-ownedobjects>
        ("GET", "me", ["ownedObjects", ..]) => {
            let id = me(world, ask, caller)?.body.unwrap_or_default()["id"].clone();
            let owned = |owners: &Vec<String>| owners.iter().any(|owner| id == owner.as_str());
            let ids: Vec<String> = world
                .applications
                .iter()
                .filter(|app| owned(&app.owners))
                .map(|app| app.id.clone())
                .collect();
            let objects = by_ids(world, &caller.tenant, &ids);
            list(world, ask, "directoryObjects", objects)
        }
        ("GET", "me", ["transitiveMemberOf" | "memberOf", ..]) => roles(world, ask, caller),
        ("GET", "organization", []) => {
            let objects = world.tenants.iter().filter(|tenant| tenant.id == caller.tenant).map(|tenant| {
                json!({
                    "id": tenant.id, "displayName": tenant.name, "tenantType": "AAD",
                    "verifiedDomains": [{"name": tenant.domain, "isDefault": true, "isInitial": true, "type": "Managed"}],
                })
            });
            let objects = objects.collect();
            list(world, ask, "organization", objects)
        }
        ("GET", "users", []) => {
            let objects = world
                .users
                .iter()
                .filter(|user| user.tenant == caller.tenant)
                .map(shape::user)
                .collect();
            list(world, ask, "users", objects)
        }
        ("GET", "groups", []) => list(world, ask, "groups", Vec::new()),
        ("POST", "directoryObjects", ["getByIds" | "microsoft.graph.getByIds"]) => {
            let ids: Vec<String> = ask.body["ids"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect();
            let objects = by_ids(world, &caller.tenant, &ids);
            list(world, ask, "directoryObjects", objects)
        }
        // <https://learn.microsoft.com/graph/api/directoryobject-get>
        ("GET", "directoryObjects", [id]) => {
            let ids = [(*id).to_owned()];
            let found = by_ids(world, &caller.tenant, &ids).pop();
            let found = found.ok_or_else(|| not_found(id))?;
            Ok(entity(ask, 200, "directoryObjects", found))
        }
        (_, "directory", ["deletedItems", rest @ ..]) => {
            administrator(world, caller)?;
            deleted(world, ask, caller, rest)
        }
        _ => Err(bad_request(&format!(
            "Resource not found for the segment '{collection}'."
        ))),
    }
}

/// <https://learn.microsoft.com/graph/api/user-get>
fn me(world: &World, ask: &Ask, caller: &Token) -> Reply {
    let user = world.users.iter().find(|user| user.id == caller.principal);
    let user = user.ok_or_else(|| {
        bad_request("/me request is only valid with delegated authentication flow.")
    })?;
    Ok(entity(ask, 200, "users", shape::user(user)))
}

/// <https://learn.microsoft.com/graph/api/user-list-transitivememberof>
fn roles(world: &mut World, ask: &Ask, caller: &Token) -> Reply {
    let user = world.users.iter().find(|user| user.id == caller.principal);
    let user = user.ok_or_else(|| {
        bad_request("/me request is only valid with delegated authentication flow.")
    })?;
    let template = |role: &str| match role {
        "Application Administrator" => "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3",
        "Cloud Application Administrator" => "158c047a-c907-4556-b7ef-446551a6b5f7",
        "Global Administrator" => "62e90394-69f5-4237-9190-012177145e10",
        _ => "00000000-0000-0000-0000-000000000000",
    };
    let objects = user
        .directory_roles
        .iter()
        .map(|role| json!({"@odata.type": "#microsoft.graph.directoryRole", "displayName": role, "roleTemplateId": template(role)}))
        .collect();
    list(world, ask, "directoryObjects", objects)
}

/// Objects of any kind by id, as <https://learn.microsoft.com/graph/api/directoryobject-getbyids> gives them.
pub(super) fn by_ids(world: &World, tenant: &str, ids: &[String]) -> Vec<Value> {
    let wanted = |id: &str| ids.iter().any(|wanted| wanted.eq_ignore_ascii_case(id));
    let typed = |mut object: Value, kind: &str| {
        object["@odata.type"] = json!(format!("#microsoft.graph.{kind}"));
        object
    };
    let principals = world
        .principals
        .iter()
        .filter(|sp| {
            sp.tenant == tenant && sp.deleted.is_none() && sp.settle.due() && wanted(&sp.id)
        })
        .map(|sp| {
            typed(
                shape::principal(sp, world.application(&sp.app_id)),
                "servicePrincipal",
            )
        });
    let users = world
        .users
        .iter()
        .filter(|user| user.tenant == tenant && wanted(&user.id))
        .map(|user| typed(shape::user(user), "user"));
    let domain = world
        .tenant(tenant)
        .map(|tenant| tenant.domain.clone())
        .unwrap_or_default();
    let applications = world
        .applications
        .iter()
        .filter(|app| {
            app.tenant == tenant && app.deleted.is_none() && app.settle.due() && wanted(&app.id)
        })
        .map(|app| typed(shape::application(app, &domain), "application"));
    principals.chain(users).chain(applications).collect()
}

/// The object id at the end of an `@odata.id` reference.
pub(super) fn reference(ask: &Ask) -> Result<String, Answer> {
    let id = ask
        .text("@odata.id")
        .and_then(|address| address.rsplit('/').next());
    id.map(str::to_owned)
        .ok_or_else(|| bad_request("Invalid object identifier in '@odata.id'."))
}

/// The recycle bin: <https://learn.microsoft.com/graph/api/directory-deleteditems-list>.
fn deleted(world: &mut World, ask: &Ask, caller: &Token, rest: &[&str]) -> Reply {
    let domain = world
        .tenant(&caller.tenant)
        .map(|tenant| tenant.domain.clone())
        .unwrap_or_default();
    let app = |world: &World, id: &str| {
        world.applications.iter().position(|app| {
            app.tenant == caller.tenant && app.deleted.is_some() && app.id.eq_ignore_ascii_case(id)
        })
    };
    let principal = |world: &World, id: &str| {
        world.principals.iter().position(|sp| {
            sp.tenant == caller.tenant && sp.deleted.is_some() && sp.id.eq_ignore_ascii_case(id)
        })
    };
    match (ask.method.as_str(), rest) {
        ("GET", ["microsoft.graph.application" | "graph.application"]) => {
            let gone = world
                .applications
                .iter()
                .filter(|app| app.tenant == caller.tenant && app.deleted.is_some());
            let objects = gone.map(|app| shape::application(app, &domain)).collect();
            list(world, ask, "applications", objects)
        }
        ("GET", ["microsoft.graph.servicePrincipal" | "graph.servicePrincipal"]) => {
            let gone = world
                .principals
                .iter()
                .filter(|sp| sp.tenant == caller.tenant && sp.deleted.is_some());
            let objects = gone.map(|sp| shape::principal(sp, None)).collect();
            list(world, ask, "servicePrincipals", objects)
        }
        ("GET", [id]) => {
            if let Some(at) = app(world, id) {
                return Ok(entity(
                    ask,
                    200,
                    "directoryObjects",
                    shape::application(&world.applications[at], &domain),
                ));
            }
            let at = principal(world, id).ok_or_else(|| not_found(id))?;
            Ok(entity(
                ask,
                200,
                "directoryObjects",
                shape::principal(&world.principals[at], None),
            ))
        }
        ("DELETE", [id]) => {
            if let Some(at) = app(world, id) {
                world.applications.remove(at);
            } else {
                let at = principal(world, id).ok_or_else(|| not_found(id))?;
                world.principals.remove(at);
            }
            Ok(Answer::empty(204))
        }
        ("POST", [id, "restore"]) => {
            if let Some(at) = app(world, id) {
                world.applications[at].deleted = None;
                let app_id = world.applications[at].app_id.clone();
                for sp in world
                    .principals
                    .iter_mut()
                    .filter(|sp| sp.tenant == caller.tenant && sp.app_id == app_id)
                {
                    sp.deleted = None;
                }
                return Ok(entity(
                    ask,
                    200,
                    "directoryObjects",
                    shape::application(&world.applications[at], &domain),
                ));
            }
            let at = principal(world, id).ok_or_else(|| not_found(id))?;
            world.principals[at].deleted = None;
            Ok(entity(
                ask,
                200,
                "directoryObjects",
                shape::principal(&world.principals[at], None),
            ))
        }
        _ => Err(bad_request(
            "Resource not found for the segment 'deletedItems'.",
        )),
    }
}
