//! A custom role as Azure has it: where it is found, what it allows, where it may be assigned.

use crate::{
    azure::{Cx, Fault, arm, keys::USER_SUBSCRIPTION_ID},
    clouds::Clouds,
    fact::{Facts, Missing},
    http::ApiError,
    net::covers,
};
use std::{collections::BTreeSet, time::Duration};

/// A role that is there and does not show.
pub(super) const HIDDEN: &str = "Azure does not show the role everywhere yet";
const SHOWS_WITHIN: Duration = Duration::from_secs(5 * 60);
/// Azure keeps no versions of a role: who writes one last wins, also who had read it before somebody else wrote.
const WRITTEN_OVER: &str = "somebody else changed the role at the same time";

/// The scope of the subscription that the VNet is in.
pub(super) fn here(f: &Facts) -> Result<String, Missing> {
    Ok(format!("/subscriptions/{}", f.get(USER_SUBSCRIPTION_ID)?))
}

/// The role as it is now. Not everybody may look at the scope of the tenant, and a new role shows in its own subscription first.
pub(super) async fn now(
    w: &Clouds,
    here: &str,
    guid: &str,
) -> Result<Option<arm::RoleDefinition>, Fault> {
    match w.look(&arm::role("", guid)).await {
        Ok(None) => {}
        Err(error) if error.status == Some(403) => {}
        found => return Ok(found?),
    }
    Ok(w.look(&arm::role(here, guid)).await?)
}

/// The role, waited for: it was found or made a moment ago, so that it does not show means that Azure answers from a copy.
pub(super) async fn shown(
    cx: &mut Cx<'_>,
    here: &str,
    guid: &str,
) -> Result<arm::RoleDefinition, Fault> {
    loop {
        if let Some(role) = now(cx.world, here, guid).await? {
            return Ok(role);
        }
        cx.settling(HIDDEN, SHOWS_WITHIN).await?;
    }
}

/// Whether two scopes are one.
pub(super) fn same(scope: &str, other: &str) -> bool {
    let bare = |it: &str| it.trim_end_matches('/').to_lowercase();
    bare(scope) == bare(other)
}

/// Writes the role with these scopes.
pub(super) async fn put(
    w: &Clouds,
    role: &arm::RoleDefinition,
    scopes: Vec<String>,
) -> Result<(), ApiError> {
    // Azure takes the change at a scope where the role is and stays.
    let at = scopes.first().cloned().unwrap_or_default();
    let changed = arm::RoleProperties {
        assignable_scopes: scopes,
        ..role.properties.clone()
    };
    w.send(&arm::put_role(&at, &role.name, &changed)).await?;
    Ok(())
}

/// Makes the role assignable at `here` too. The role is read again after that: where the scope is missing, it was written by
/// somebody who had read it before, and what they did not know of is written once more, also what others had added.
pub(super) async fn extend(
    cx: &mut Cx<'_>,
    mut role: arm::RoleDefinition,
    here: &str,
) -> Result<(), Fault> {
    let mut wanted = Vec::new();
    loop {
        for scope in role.properties.assignable_scopes.iter().map(String::as_str) {
            add(&mut wanted, scope);
        }
        add(&mut wanted, here);
        match put(cx.world, &role, wanted.clone()).await {
            Ok(()) => {}
            // A scope is in use that was not among those that were read: they were out of date.
            Err(error) if error.is("RoleDefinitionHasAssignments") => {}
            Err(error) => return Err(error.into()),
        }
        role = shown(cx, here, &role.name).await?;
        let mut scopes = role.properties.assignable_scopes.iter();
        if scopes.any(|scope| same(scope, here)) {
            return Ok(());
        }
        cx.settling(WRITTEN_OVER, SHOWS_WITHIN).await?;
    }
}

fn add(scopes: &mut Vec<String>, scope: &str) {
    if !scopes.iter().any(|it| same(it, scope)) {
        scopes.push(scope.to_owned());
    }
}

/// Whether the role may be assigned at `id`. A management group's name does not tell what is in it; that a role of one
/// shows here does.
pub(super) fn assignable(role: &arm::RoleDefinition, id: &str) -> bool {
    role.properties.assignable_scopes.iter().any(|scope| {
        covers(scope, id)
            || scope
                .to_lowercase()
                .starts_with("/providers/microsoft.management/")
    })
}

fn actions(permissions: &[arm::Permission]) -> BTreeSet<String> {
    permissions
        .iter()
        .flat_map(|permission| &permission.actions)
        .map(|action| action.to_lowercase())
        .collect()
}

/// Whether they allow these actions and nothing else.
pub(super) fn allows_just(permissions: &[arm::Permission], wanted: &[&str]) -> bool {
    // Most of thousands of roles allow something else, which is soon seen.
    let mut all = permissions.iter().flat_map(|it| &it.actions);
    if !all.all(|it| wanted.iter().any(|action| action.eq_ignore_ascii_case(it))) {
        return false;
    }
    let wanted: BTreeSet<String> = wanted.iter().map(|action| action.to_lowercase()).collect();
    actions(permissions) == wanted
        && permissions.iter().all(|permission| {
            let arm::Permission {
                actions: _,
                not_actions,
                data_actions,
                not_data_actions: _,
            } = permission;
            not_actions.is_empty() && data_actions.is_empty()
        })
}

/// The actions that they allow, for a person.
pub(super) fn listed(permissions: &[arm::Permission]) -> String {
    actions(permissions)
        .into_iter()
        .collect::<Vec<_>>()
        .join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn permission(actions: &[&str]) -> Vec<arm::Permission> {
        vec![arm::Permission {
            actions: actions.iter().map(|it| (*it).to_owned()).collect(),
            ..arm::Permission::default()
        }]
    }

    #[test]
    fn a_role_fits_when_it_allows_just_that() {
        let wanted = ["Microsoft.Network/virtualNetworks/peer/action"];
        assert!(allows_just(
            &permission(&["microsoft.network/virtualnetworks/PEER/action"]),
            &wanted
        ));
        assert!(!allows_just(&permission(&["Microsoft.Network/*"]), &wanted));
        assert!(!allows_just(
            &permission(&[wanted[0], "Microsoft.Network/virtualNetworks/read"]),
            &wanted
        ));
    }
}
