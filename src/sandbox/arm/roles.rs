//! Role definitions and one's own permissions: <https://learn.microsoft.com/rest/api/authorization/role-definitions>.

use serde_json::{Value, json};

use super::access::authorize;
use super::envelope::{error, list, no_resource};
use crate::sandbox::filter::{self, Clause};
use crate::sandbox::lag::{Spread, precise_stamp};
use crate::sandbox::rbac::{BUILT_IN, built_in, covers};
use crate::sandbox::wire::{Answer, Ask, Reply};
use crate::sandbox::world::{Role, Token, World};

const TYPE: &str = "Microsoft.Authorization/roleDefinitions";

pub(super) fn answer(
    world: &mut World,
    ask: &Ask,
    caller: &Token,
    scope: &str,
    id: Option<&str>,
) -> Reply {
    match (ask.method.as_str(), id) {
        ("GET", None) => all(world, ask, caller, scope),
        ("GET", Some(id)) => {
            authorize_read(world, caller, scope)?;
            if built_in(id).is_some() {
                return Ok(Answer::json(200, shape_built_in(id, scope)));
            }
            let at = find(world, caller, id).ok_or_else(|| not_found(id))?;
            Ok(Answer::json(200, shape(&world.roles[at], scope)))
        }
        ("PUT", Some(id)) => put(world, ask, caller, scope, id),
        ("DELETE", Some(id)) => {
            let Some(at) = find(world, caller, id) else {
                return Ok(Answer::empty(204));
            };
            for scope in world.roles[at].assignable_scopes.clone() {
                authorize(world, caller, &format!("{TYPE}/delete"), &scope)?;
            }
            if world
                .assignments
                .iter()
                .any(|assignment| assignment.role.eq_ignore_ascii_case(id))
            {
                let text = "There are existing role assignments referencing role (code: RoleDefinitionHasAssignments).";
                return Err(error(400, "RoleDefinitionHasAssignments", text));
            }
            let gone = shape(&world.roles[at], scope);
            world.roles.remove(at);
            Ok(Answer::json(200, gone))
        }
        _ => Err(no_resource(ask)),
    }
}

/// The caller's own permissions: <https://learn.microsoft.com/rest/api/authorization/permissions>.
pub(super) fn permissions(world: &mut World, ask: &Ask, caller: &Token, scope: &str) -> Reply {
    if ask.method != "GET" {
        return Err(no_resource(ask));
    }
    let permissions = world.permissions_at(&caller.principal, scope, caller.serial);
    let items = permissions
        .iter()
        .map(|permission| json!(permission))
        .collect();
    Ok(list(world, ask, items))
}

fn all(world: &mut World, ask: &Ask, caller: &Token, scope: &str) -> Reply {
    authorize_read(world, caller, scope)?;
    let filter = ask
        .query("$filter")
        .map_or_else(Vec::new, |text| filter::parse(text).unwrap_or_default());
    if ask.query("$filter").is_some() && filter.is_empty() {
        return Err(error(
            400,
            "InvalidFilter",
            "The filter expression is not valid.",
        ));
    }
    let clauses: Vec<&Clause> = filter.iter().flatten().collect();
    let by_name = clauses.iter().any(
        |clause| matches!(clause, Clause::Equal(key, _) if key.eq_ignore_ascii_case("roleName")),
    );
    let below = clauses
        .iter()
        .any(|clause| matches!(clause, Clause::Call(name, _) if name == "atscopeandbelow"));
    let mut items: Vec<Value> = BUILT_IN
        .iter()
        .map(|(id, ..)| shape_built_in(id, scope))
        .collect();
    for role in world
        .roles
        .iter_mut()
        .filter(|role| role.tenant == caller.tenant)
    {
        // A role is found where it can be assigned: at its scopes, below them, and above them when asked for.
        let here = scope == "/"
            || role
                .assignable_scopes
                .iter()
                .any(|own| covers(own, scope) || (below && covers(scope, own)));
        if here && (!by_name || role.name_settle.look()) {
            items.push(shape(role, scope));
        }
    }
    // Filters speak of the properties; a role's `type` there is built-in or custom.
    items.retain(|item| filter.is_empty() || filter::holds(&filter, &item["properties"]));
    Ok(list(world, ask, items))
}

fn put(world: &mut World, ask: &Ask, caller: &Token, scope: &str, id: &str) -> Reply {
    let wish = wish(world, ask, caller, scope, id)?;
    for scope in &wish.assignable_scopes {
        authorize(world, caller, &format!("{TYPE}/write"), scope)?;
    }
    if built_in(id).is_some() {
        let text = "Built-in roles cannot be changed.";
        return Err(error(403, "CannotModifyBuiltInRole", text));
    }
    let same = |role: &Role| {
        role.tenant == caller.tenant
            && role.name.eq_ignore_ascii_case(&wish.name)
            && !role.id.eq_ignore_ascii_case(id)
    };
    let built_in = BUILT_IN
        .iter()
        .any(|(_, known, ..)| known.eq_ignore_ascii_case(&wish.name));
    if built_in || world.roles.iter().any(same) {
        let text = format!(
            "A custom role with the same name already exists in this directory. Use a different name: '{}'.",
            wish.name
        );
        return Err(error(409, "RoleDefinitionWithSameNameExists", &text));
    }
    let name_settle = world.lag.begin(Spread::RoleName);
    let at = if let Some(at) = find(world, caller, id) {
        let Role {
            id,
            created,
            created_by,
            settle,
            ..
        } = world.roles[at].clone();
        world.roles[at] = Role {
            id,
            created,
            created_by,
            settle,
            name_settle,
            ..wish
        };
        at
    } else {
        let settle = world.lag.begin(Spread::Role);
        world.roles.push(Role {
            settle,
            name_settle,
            ..wish
        });
        world.roles.len() - 1
    };
    let mut body = shape(&world.roles[at], scope);
    // Only a later look tells who made it and when: this answer speaks of the writing alone, as recorded.
    body["properties"]["createdOn"] = body["properties"]["updatedOn"].clone();
    body["properties"]["createdBy"] = Value::Null;
    Ok(Answer::json(201, body))
}

/// The role that a body asks for.
fn wish(world: &World, ask: &Ask, caller: &Token, scope: &str, id: &str) -> Result<Role, Answer> {
    let properties = &ask.body["properties"];
    let invalid = |text: &str| error(400, "InvalidRoleDefinition", text);
    if uuid::Uuid::parse_str(id).is_err() {
        let text = format!(
            "The role definition ID '{id}' is not valid. The role definition ID must be a GUID."
        );
        return Err(error(400, "InvalidRoleDefinitionId", &text));
    }
    let name = properties["roleName"]
        .as_str()
        .filter(|name| !name.is_empty());
    let scopes = properties["assignableScopes"]
        .as_array()
        .into_iter()
        .flatten();
    let scopes: Vec<String> = scopes
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect();
    if scopes.is_empty() {
        return Err(invalid(
            "The role definition must have at least one assignable scope.",
        ));
    }
    let foreign = |scope: &&String| world.tenant_of(scope).as_ref() != Some(&caller.tenant);
    if let Some(scope) = scopes.iter().find(foreign) {
        let text = format!(
            "The assignable scope '{scope}' does not belong to the tenant '{}'.",
            caller.tenant
        );
        return Err(error(400, "InvalidAssignableScope", &text));
    }
    if scope != "/" && !scopes.iter().any(|own| covers(own, scope)) {
        let text =
            "The scope of the request is not among the assignable scopes of the role definition.";
        return Err(invalid(text));
    }
    let permissions = properties["permissions"].as_array().into_iter().flatten();
    let permissions: Result<Vec<_>, _> = permissions
        .map(|permission| serde_json::from_value(permission.clone()))
        .collect();
    let (moment, author) = (precise_stamp(), Some(caller.principal.clone()));
    Ok(Role {
        tenant: caller.tenant.clone(),
        id: id.to_owned(),
        name: name
            .ok_or_else(|| invalid("The role name is required."))?
            .to_owned(),
        description: properties["description"]
            .as_str()
            .unwrap_or_default()
            .to_owned(),
        permissions: permissions
            .map_err(|_| invalid("The permissions of the role definition are not valid."))?,
        assignable_scopes: scopes,
        created: moment.clone(),
        updated: moment,
        created_by: author.clone(),
        updated_by: author,
        ..Role::default()
    })
}

fn authorize_read(world: &mut World, caller: &Token, scope: &str) -> Result<(), Answer> {
    // Role definitions at tenant scope are readable by everybody in the tenant.
    if scope == "/" {
        return Ok(());
    }
    authorize(world, caller, &format!("{TYPE}/read"), scope)
}

fn find(world: &World, caller: &Token, id: &str) -> Option<usize> {
    world
        .roles
        .iter()
        .position(|role| role.tenant == caller.tenant && role.id.eq_ignore_ascii_case(id))
}

/// Role ids are given below the subscription of the question, or at tenant scope.
fn full_id(scope: &str, id: &str) -> String {
    let mut parts = scope.split('/').skip(1);
    match (parts.next(), parts.next()) {
        (Some(word), Some(subscription)) if word.eq_ignore_ascii_case("subscriptions") => {
            format!("/subscriptions/{subscription}/providers/{TYPE}/{id}")
        }
        _ => format!("/providers/{TYPE}/{id}"),
    }
}

fn shape(role: &Role, scope: &str) -> Value {
    json!({
        "properties": {
            "roleName": role.name, "type": "CustomRole", "description": role.description, "assignableScopes": role.assignable_scopes,
            "permissions": role.permissions, "createdOn": role.created, "updatedOn": role.updated,
            "createdBy": role.created_by, "updatedBy": role.updated_by,
        },
        "id": full_id(scope, &role.id),
        "type": TYPE,
        "name": role.id,
    })
}

fn shape_built_in(id: &str, scope: &str) -> Value {
    let Some((id, name, description, actions, exceptions)) = built_in(id) else {
        return Value::Null;
    };
    json!({
        "properties": {
            "roleName": name, "type": "BuiltInRole", "description": description, "assignableScopes": ["/"],
            "permissions": [{"actions": actions, "notActions": exceptions, "dataActions": [], "notDataActions": []}],
            "createdOn": "2015-02-02T21:55:09.8806423Z", "updatedOn": "2021-11-11T20:13:47.8628684Z", "createdBy": null, "updatedBy": null,
        },
        "id": full_id(scope, id),
        "type": TYPE,
        "name": id,
    })
}

fn not_found(id: &str) -> Answer {
    error(
        404,
        "RoleDefinitionDoesNotExist",
        &format!("The specified role definition with ID '{id}' does not exist."),
    )
}
