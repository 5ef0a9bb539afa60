//! Role definitions and one's own permissions: <https://learn.microsoft.com/rest/api/authorization/role-definitions>.

use serde_json::{Value, json};

use super::access::authorize;
use super::envelope::{error, list, no_resource, whole_list};
use crate::sandbox::faults::Fault;
use crate::sandbox::filter::{self, Clause};
use crate::sandbox::lag::{Settle, Spread, precise_stamp};
use crate::sandbox::log::Service;
use crate::sandbox::rbac::{BUILT_IN, built_in, covers, permits};
use crate::sandbox::wire::{Answer, Ask, Reply};
use crate::sandbox::world::{Assignment, Role, Token, World};

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
            let mut gone = world.roles.remove(at);
            let answer = Answer::json(200, shape(&gone, scope));
            gone.name_settle = world.lag.begin(Spread::RoleGone);
            if !gone.name_settle.due() {
                world.deleted_roles.push(gone);
            }
            Ok(answer)
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
    // Filters speak of the properties; a role's `type` there is built-in or custom.
    let wanted = |name: &str, kind: &str| {
        let properties = || json!({"roleName": name, "type": kind});
        filter.is_empty() || filter::holds(&filter, &properties())
    };
    let mut items: Vec<Value> = BUILT_IN
        .iter()
        .filter(|(_, name, ..)| wanted(name, "BuiltInRole"))
        .map(|(id, ..)| shape_built_in(id, scope))
        .collect();
    let readable = readable(world, caller);
    // What was deleted shows until everybody knows that it was.
    world
        .deleted_roles
        .retain_mut(|role| !role.name_settle.look());
    let gone = world.deleted_roles.iter().cloned().map(|role| Role {
        name_settle: Settle::Done,
        ..role
    });
    let mut gone: Vec<Role> = gone.collect();
    for role in world.roles.iter_mut().chain(&mut gone) {
        // A role is found where it can be assigned: at its scopes, below them, and above them when asked for.
        let here = role.tenant == caller.tenant
            && role.assignable_scopes.iter().any(|own| match scope {
                "/" => readable
                    .iter()
                    .any(|seen| covers(seen, own) || covers(own, seen)),
                scope => covers(own, scope) || (below && covers(scope, own)),
            });
        if here && wanted(&role.name, "CustomRole") && (!by_name || role.name_settle.look()) {
            items.push(shape(role, scope));
        }
    }
    // Role definitions come all at once, unless a number is asked for.
    Ok(whole_list(world, ask, items))
}

/// The scopes where the caller may read role definitions: at the top of the tenant it sees the roles of these.
fn readable(world: &World, caller: &Token) -> Vec<String> {
    let action = format!("{TYPE}/read");
    let reads = |one: &&Assignment| {
        one.principal.eq_ignore_ascii_case(&caller.principal)
            && world
                .permissions(&one.role)
                .iter()
                .any(|it| permits(it, &action))
    };
    let rights = world.assignments.iter().filter(reads);
    rights.map(|one| one.scope.clone()).collect()
}

fn put(world: &mut World, ask: &Ask, caller: &Token, scope: &str, id: &str) -> Reply {
    let wish = wish(world, ask, caller, scope, id)?;
    if scope != "/" {
        authorize(world, caller, &format!("{TYPE}/write"), scope)?;
    }
    for linked in &wish.assignable_scopes {
        let action = format!("{TYPE}/write");
        authorize(world, caller, &action, linked)
            .map_err(|_| not_linked(caller, &action, scope, linked))?;
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
            scope_settle,
            assignable_scopes,
            ..
        } = world.roles[at].clone();
        let moved = assignable_scopes != wish.assignable_scopes;
        world.roles[at] = Role {
            id,
            created,
            created_by,
            settle,
            name_settle,
            scope_settle: if moved {
                world.lag.begin(Spread::RoleScopes)
            } else {
                scope_settle
            },
            ..wish
        };
        write_over(world, ask, at, assignable_scopes);
        at
    } else {
        let settle = world.lag.begin(Spread::Role);
        let scope_settle = world.lag.begin(Spread::RoleScopes);
        world.roles.push(Role {
            settle,
            name_settle,
            scope_settle,
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

/// Somebody who had read the role before it was changed writes it as it was, with a scope of their own.
fn write_over(world: &mut World, ask: &Ask, at: usize, before: Vec<String>) {
    let over = world.faults.strike(Service::Arm, ask, |fault| {
        matches!(fault, Fault::WrittenOver(_))
    });
    if let Some(Fault::WrittenOver(scope)) = over {
        let role = &mut world.roles[at];
        role.assignable_scopes = before;
        role.assignable_scopes.push(scope);
    }
}

/// What is said to a caller who may not change the role at another of its scopes.
fn not_linked(caller: &Token, action: &str, scope: &str, linked: &str) -> Answer {
    let (client, object) = (&caller.app_id, &caller.principal);
    let text = format!(
        "The client '{client}' with object id '{object}' has permission to perform action '{action}' on scope '{scope}'; however, it does not have permission to perform action '{action}' on the linked scope(s) '{linked}' or the linked scope(s) are invalid."
    );
    error(403, "LinkedAuthorizationFailed", &text)
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
    let mut shape = json!({
        "properties": {
            "roleName": role.name, "type": "CustomRole", "description": role.description, "assignableScopes": role.assignable_scopes,
            "permissions": role.permissions, "createdOn": role.created, "updatedOn": role.updated,
            "createdBy": role.created_by, "updatedBy": role.updated_by,
        },
        "id": full_id(scope, &role.id),
        "type": TYPE,
        "name": role.id,
    });
    for (key, value) in &role.odd {
        shape["properties"][key] = value.clone();
    }
    shape
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
