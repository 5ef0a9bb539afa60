//! Role assignments: <https://learn.microsoft.com/rest/api/authorization/role-assignments>.

use serde_json::{Value, json};

use super::access::authorize;
use super::envelope::{error, list, no_resource};
use crate::sandbox::faults::Fault;
use crate::sandbox::filter::{self, Clause};
use crate::sandbox::lag::{Spread, stamp};
use crate::sandbox::log::Service;
use crate::sandbox::rbac::{built_in, covers, permits};
use crate::sandbox::wire::{Answer, Ask, Reply};
use crate::sandbox::world::{Assignment, Token, World};

const TYPE: &str = "Microsoft.Authorization/roleAssignments";

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
            authorize(world, caller, &format!("{TYPE}/read"), scope)?;
            let at = find(world, caller, scope, id);
            let at = at.ok_or_else(|| {
                error(
                    404,
                    "RoleAssignmentNotFound",
                    &format!("The role assignment '{id}' is not found."),
                )
            })?;
            Ok(Answer::json(200, shape(&world.assignments[at])))
        }
        ("PUT", Some(id)) => put(world, ask, caller, scope, id),
        ("DELETE", Some(id)) => {
            authorize(world, caller, &format!("{TYPE}/delete"), scope)?;
            let Some(at) = find(world, caller, scope, id) else {
                return Ok(Answer::empty(204));
            };
            let gone = world.assignments.remove(at);
            Ok(Answer::json(200, shape(&gone)))
        }
        _ => Err(no_resource(ask)),
    }
}

fn all(world: &mut World, ask: &Ask, caller: &Token, scope: &str) -> Reply {
    authorize(world, caller, &format!("{TYPE}/read"), scope)?;
    let filter = match ask.query("$filter").map(filter::parse) {
        None => Vec::new(),
        Some(Some(filter)) => filter.into_iter().flatten().collect(),
        Some(None) => {
            return Err(error(
                400,
                "InvalidFilter",
                "The filter expression is not valid.",
            ));
        }
    };
    let at_scope = filter
        .iter()
        .any(|clause| matches!(clause, Clause::Call(name, _) if name == "atscope"));
    let wanted = filter.iter().find_map(|clause| match clause {
        Clause::Equal(key, value) if key.eq_ignore_ascii_case("principalId") => Some(value),
        Clause::Call(name, value) if name == "assignedto" => Some(value),
        _ => None,
    });
    let items = world
        .assignments
        .iter()
        .filter(|assignment| assignment.tenant == caller.tenant)
        .filter(|assignment| {
            covers(&assignment.scope, scope) || (!at_scope && covers(scope, &assignment.scope))
        })
        .filter(|assignment| {
            wanted.is_none_or(|principal| assignment.principal.eq_ignore_ascii_case(principal))
        })
        .map(shape)
        .collect();
    Ok(list(world, ask, items))
}

fn put(world: &mut World, ask: &Ask, caller: &Token, scope: &str, id: &str) -> Reply {
    authorize(world, caller, &format!("{TYPE}/write"), scope)?;
    let properties = &ask.body["properties"];
    let text = |key: &str| properties[key].as_str().unwrap_or_default().to_owned();
    let (definition, principal, kind) = (
        text("roleDefinitionId"),
        text("principalId"),
        text("principalType"),
    );
    if uuid::Uuid::parse_str(id).is_err() {
        return Err(error(
            400,
            "InvalidRoleAssignmentId",
            &format!(
                "The role assignment ID '{id}' is not valid. The role assignment ID must be a GUID."
            ),
        ));
    }
    if uuid::Uuid::parse_str(&principal).is_err() {
        return Err(error(
            400,
            "InvalidPrincipalId",
            &format!("A valid principal ID must be provided for role assignment: '{principal}'."),
        ));
    }
    let role = definition.rsplit('/').next().unwrap_or_default().to_owned();
    check_condition(world, caller, &role, scope)?;
    let over = world.faults.strike(Service::Arm, ask, |fault| {
        matches!(fault, Fault::WrittenOver(_))
    });
    if let Some(Fault::WrittenOver(other)) = over {
        let custom = world.roles.iter_mut().find(|custom| custom.id == role);
        if let Some(custom) = custom {
            custom.assignable_scopes.retain(|own| !covers(own, scope));
            custom.assignable_scopes.push(other);
        }
    }
    check_role(world, caller, &role, scope)?;
    check_principal(world, ask, caller, &principal, &kind)?;
    let same = |one: &Assignment| {
        one.scope.eq_ignore_ascii_case(scope)
            && one.role.eq_ignore_ascii_case(&role)
            && one.principal.eq_ignore_ascii_case(&principal)
    };
    if let Some(at) = find(world, caller, scope, id) {
        if same(&world.assignments[at]) {
            return Ok(Answer::json(200, shape(&world.assignments[at])));
        }
        let text =
            "Tenant ID, application ID, principal ID, and scope are not allowed to be updated.";
        return Err(error(400, "RoleAssignmentUpdateNotPermitted", text));
    }
    if let Some(twin) = world.assignments.iter().find(|one| same(one)) {
        let text = format!(
            "The role assignment already exists. The ID of the existing role assignment is {}.",
            twin.id.replace('-', "")
        );
        return Err(error(409, "RoleAssignmentExists", &text));
    }
    let assignment = Assignment {
        tenant: caller.tenant.clone(),
        id: id.to_owned(),
        scope: scope.to_owned(),
        role,
        principal,
        principal_type: if kind.is_empty() {
            "ServicePrincipal".to_owned()
        } else {
            kind
        },
        description: properties["description"].as_str().map(str::to_owned),
        created: stamp(),
        author: caller.principal.clone(),
        may_assign: Vec::new(),
        settle: world.lag.begin(Spread::Assignment),
        since: 0,
    };
    let body = shape(&assignment);
    world.assignments.push(assignment);
    Ok(Answer::json(201, body))
}

/// The role must exist, have spread, and be assignable here.
fn check_role(world: &mut World, caller: &Token, role: &str, scope: &str) -> Result<(), Answer> {
    if built_in(role).is_some() {
        return Ok(());
    }
    let custom = world
        .roles
        .iter_mut()
        .find(|custom| custom.tenant == caller.tenant && custom.id.eq_ignore_ascii_case(role));
    let mut spread = false;
    let known = custom.and_then(|custom| {
        spread = custom.scope_settle.look();
        custom.settle.look().then_some(custom)
    });
    let Some(custom) = known else {
        let text = format!("The specified role definition with ID '{role}' does not exist.");
        return Err(error(400, "RoleDefinitionDoesNotExist", &text));
    };
    let mut scopes = custom.assignable_scopes.iter();
    if spread && scopes.any(|own| covers(own, scope)) {
        return Ok(());
    }
    let text = format!(
        "The role assignment scope '{scope}' is not assignable to role definition '{role}'."
    );
    let code = "RoleAssignmentScopeNotAssignableToRoleDefinition";
    Err(error(400, code, &text))
}

/// Who may assign roles on a condition may assign only those that it names.
fn check_condition(world: &World, caller: &Token, role: &str, scope: &str) -> Result<(), Answer> {
    let action = format!("{TYPE}/write");
    let allows = |one: &&Assignment| {
        one.principal.eq_ignore_ascii_case(&caller.principal)
            && covers(&one.scope, scope)
            && world
                .permissions(&one.role)
                .iter()
                .any(|it| permits(it, &action))
    };
    let mut rights = world.assignments.iter().filter(allows);
    let free = |one: &Assignment| {
        one.may_assign.is_empty()
            || one
                .may_assign
                .iter()
                .any(|it| it.eq_ignore_ascii_case(role))
    };
    if rights.any(free) {
        return Ok(());
    }
    let (client, object) = (&caller.app_id, &caller.principal);
    let text = format!(
        "The client '{client}' with object id '{object}' does not have authorization or an ABAC condition not fulfilled to perform action '{action}' over scope '{scope}' or the scope is invalid. If access was recently granted, please refresh your credentials."
    );
    Err(error(403, "AuthorizationFailed", &text))
}

/// The principal must be known here; naming its type spares the question.
fn check_principal(
    world: &mut World,
    ask: &Ask,
    caller: &Token,
    principal: &str,
    kind: &str,
) -> Result<(), Answer> {
    let struck = world
        .faults
        .strike(Service::Arm, ask, |fault| *fault == Fault::PrincipalUnknown)
        .is_some();
    let user = world
        .users
        .iter()
        .any(|user| user.tenant == caller.tenant && user.id.eq_ignore_ascii_case(principal));
    let found = world.principals.iter_mut().find(|sp| {
        sp.tenant == caller.tenant && sp.deleted.is_none() && sp.id.eq_ignore_ascii_case(principal)
    });
    let known = match found {
        _ if struck => false,
        Some(sp) => !kind.is_empty() || sp.known_to_arm.look(),
        None => user,
    };
    if known {
        return Ok(());
    }
    let text = format!(
        "Principal {} does not exist in the directory {}. Check that you have the correct principal ID. If you are creating this principal and then immediately assigning a role, this error might be related to a replication delay. In this case, set the role assignment principalType property to a value, such as ServicePrincipal, User, or Group.  See https://aka.ms/docs-principaltype",
        principal.replace('-', ""),
        caller.tenant
    );
    Err(error(400, "PrincipalNotFound", &text))
}

fn find(world: &World, caller: &Token, scope: &str, id: &str) -> Option<usize> {
    world.assignments.iter().position(|assignment| {
        assignment.tenant == caller.tenant
            && assignment.id.eq_ignore_ascii_case(id)
            && assignment.scope.eq_ignore_ascii_case(scope)
    })
}

fn shape(assignment: &Assignment) -> Value {
    let subscription = assignment.scope.split('/').nth(2).unwrap_or_default();
    json!({
        "properties": {
            "roleDefinitionId": format!("/subscriptions/{subscription}/providers/Microsoft.Authorization/roleDefinitions/{}", assignment.role),
            "principalId": assignment.principal,
            "principalType": assignment.principal_type,
            "scope": assignment.scope,
            "condition": null,
            "conditionVersion": null,
            "createdOn": assignment.created,
            "updatedOn": assignment.created,
            "createdBy": assignment.author,
            "updatedBy": assignment.author,
            "delegatedManagedIdentityResourceId": null,
            "description": assignment.description,
        },
        "id": format!("{}/providers/{TYPE}/{}", assignment.scope, assignment.id),
        "type": TYPE,
        "name": assignment.id,
    })
}
