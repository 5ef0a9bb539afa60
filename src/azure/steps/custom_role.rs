//! A custom role as Azure has it: where it is found, what it allows, where it may be assigned.

use crate::{
    azure::{Fault, arm, keys::USER_SUBSCRIPTION_ID},
    clouds::Clouds,
    fact::{Facts, Missing},
    net::covers,
};
use std::collections::BTreeSet;

/// The scope of the subscription that the VNet is in.
pub(super) fn here(f: &Facts) -> Result<String, Missing> {
    Ok(format!("/subscriptions/{}", f.get(USER_SUBSCRIPTION_ID)?))
}

/// The role as it is now. Not everybody may look at the scope of the tenant, and a new role shows in its own subscription first.
pub(super) async fn now(
    w: &Clouds,
    f: &Facts,
    guid: &str,
) -> Result<Option<arm::RoleDefinition>, Fault> {
    match w.look(&arm::role("", guid)).await {
        Ok(None) => {}
        Err(error) if error.status == Some(403) => {}
        found => return Ok(found?),
    }
    Ok(w.look(&arm::role(&here(f)?, guid)).await?)
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
