//! Who may do what where: role assignments, wildcards, and how they spread.
//!
//! Models <https://learn.microsoft.com/azure/role-based-access-control/overview> and
//! <https://learn.microsoft.com/azure/role-based-access-control/role-definitions>.

use super::lag::Settle;
use super::world::{Permission, World};

/// The answer to "may they?".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Yes.
    Allowed,
    /// An assignment says so, but it has not spread to this token yet.
    Spreading,
    /// No assignment says so.
    Denied,
}

/// A built-in role: GUID, name, description, actions, exceptions.
pub(super) type BuiltIn = (
    &'static str,
    &'static str,
    &'static str,
    &'static [&'static str],
    &'static [&'static str],
);

/// The built-in roles that the sandbox knows, from <https://learn.microsoft.com/azure/role-based-access-control/built-in-roles>.
pub(super) const BUILT_IN: [BuiltIn; 5] = [
    (
        "8e3af657-a8ff-443c-a75c-2fe8c4bcb635",
        "Owner",
        "Grants full access to manage all resources, including the ability to assign roles in Azure RBAC.",
        &["*"],
        &[],
    ),
    (
        "b24988ac-6180-42a0-ab88-20f7382dd24c",
        "Contributor",
        "Grants full access to manage all resources, but does not allow you to assign roles in Azure RBAC.",
        &["*"],
        &[
            "Microsoft.Authorization/*/Delete",
            "Microsoft.Authorization/*/Write",
            "Microsoft.Authorization/elevateAccess/Action",
        ],
    ),
    (
        "acdd72a7-3385-48ef-bd42-f606fba81ae7",
        "Reader",
        "View all resources, but does not allow you to make any changes.",
        &["*/read"],
        &[],
    ),
    (
        "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9",
        "User Access Administrator",
        "Lets you manage user access to Azure resources.",
        &["*/read", "Microsoft.Authorization/*", "Microsoft.Support/*"],
        &[],
    ),
    (
        "4d97b98b-1d4f-4787-a291-c67834d212e7",
        "Network Contributor",
        "Lets you manage networks, but not access to them.",
        &[
            "Microsoft.Authorization/*/read",
            "Microsoft.Insights/alertRules/*",
            "Microsoft.Network/*",
            "Microsoft.ResourceHealth/availabilityStatuses/read",
            "Microsoft.Resources/deployments/*",
            "Microsoft.Resources/subscriptions/resourceGroups/read",
            "Microsoft.Support/*",
        ],
        &[],
    ),
];

impl World {
    /// Whether a principal may perform an action at a scope, with a token of this serial number;
    /// a vendor's backend, which always has a fresh token, passes `u64::MAX`.
    ///
    /// A refusal counts as a look at the assignments that are still spreading.
    pub(super) fn may(
        &mut self,
        principal: &str,
        action: &str,
        scope: &str,
        serial: u64,
    ) -> Verdict {
        let mut spreading = Vec::new();
        for (at, assignment) in self.assignments.iter().enumerate() {
            let fits = assignment.principal.eq_ignore_ascii_case(principal)
                && covers(&assignment.scope, scope)
                && self
                    .permissions(&assignment.role)
                    .iter()
                    .any(|permission| permits(permission, action));
            if !fits {
                continue;
            }
            if assignment.settle == Settle::Done && assignment.since < serial {
                return Verdict::Allowed;
            }
            spreading.push(at);
        }
        for &at in &spreading {
            let assignment = &mut self.assignments[at];
            if assignment.settle != Settle::Done {
                assignment.settle.look();
                if assignment.settle.due() {
                    assignment.settle = Settle::Done;
                    self.session.serial += 1;
                    assignment.since = self.session.serial;
                }
            }
        }
        if spreading.is_empty() {
            Verdict::Denied
        } else {
            Verdict::Spreading
        }
    }

    /// What a role allows, built-in or custom.
    pub(super) fn permissions(&self, role: &str) -> Vec<Permission> {
        if let Some((_, _, _, actions, exceptions)) = built_in(role) {
            let own = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
            return vec![Permission {
                actions: own(actions),
                not_actions: own(exceptions),
                ..Permission::default()
            }];
        }
        self.roles
            .iter()
            .find(|custom| custom.id.eq_ignore_ascii_case(role))
            .map(|custom| custom.permissions.clone())
            .unwrap_or_default()
    }

    /// The permissions that a token's holder has at a scope.
    pub(super) fn permissions_at(
        &self,
        principal: &str,
        scope: &str,
        serial: u64,
    ) -> Vec<Permission> {
        self.assignments
            .iter()
            .filter(|assignment| {
                assignment.principal.eq_ignore_ascii_case(principal)
                    && covers(&assignment.scope, scope)
                    && assignment.settle == Settle::Done
                    && assignment.since < serial
            })
            .flat_map(|assignment| self.permissions(&assignment.role))
            .collect()
    }
}

/// A built-in role by GUID.
pub(super) fn built_in(role: &str) -> Option<BuiltIn> {
    BUILT_IN
        .into_iter()
        .find(|(id, ..)| id.eq_ignore_ascii_case(role))
}

/// Whether one scope is the other or above it.
pub(super) fn covers(scope: &str, target: &str) -> bool {
    let scope = scope.trim_end_matches('/');
    target
        .get(..scope.len())
        .is_some_and(|head| head.eq_ignore_ascii_case(scope))
        && matches!(target.as_bytes().get(scope.len()), None | Some(b'/'))
}

/// Whether a set of permissions allows an action.
pub(super) fn permits(permission: &Permission, action: &str) -> bool {
    let any = |patterns: &[String]| {
        patterns
            .iter()
            .any(|pattern| matches(&pattern.to_lowercase(), &action.to_lowercase()))
    };
    any(&permission.actions) && !any(&permission.not_actions)
}

/// Whether a pattern with `*` for anything matches a text.
fn matches(pattern: &str, text: &str) -> bool {
    let mut pieces = pattern.split('*');
    let Some(mut rest) = pieces.next().and_then(|first| text.strip_prefix(first)) else {
        return false;
    };
    let pieces: Vec<&str> = pieces.collect();
    let Some((last, middle)) = pieces.split_last() else {
        return rest.is_empty();
    };
    for piece in middle {
        let Some(at) = rest.find(piece) else {
            return false;
        };
        rest = &rest[at + piece.len()..];
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_match_as_azure_says() {
        assert!(matches("*", "microsoft.network/virtualnetworks/read"));
        assert!(matches("*/read", "microsoft.network/virtualnetworks/read"));
        assert!(!matches(
            "*/read",
            "microsoft.network/virtualnetworks/write"
        ));
        assert!(matches(
            "microsoft.network/*",
            "microsoft.network/virtualnetworks/peer/action"
        ));
        assert!(!matches(
            "microsoft.network/virtualnetworks/peer",
            "microsoft.network/virtualnetworks/peer/action"
        ));
        assert!(matches(
            "microsoft.*/virtualnetworks/*/write",
            "microsoft.network/virtualnetworks/virtualnetworkpeerings/write"
        ));
    }

    #[test]
    fn exceptions_belong_to_their_own_permission() {
        let contributor = Permission {
            actions: vec!["*".into()],
            not_actions: vec!["Microsoft.Authorization/*/Write".into()],
            ..Permission::default()
        };
        assert!(permits(
            &contributor,
            "Microsoft.Network/virtualNetworks/write"
        ));
        assert!(!permits(
            &contributor,
            "Microsoft.Authorization/roleAssignments/write"
        ));
    }

    #[test]
    fn scopes_cover_what_is_below_them() {
        assert!(covers("/", "/subscriptions/a"));
        assert!(covers(
            "/subscriptions/A",
            "/subscriptions/a/resourceGroups/b"
        ));
        assert!(!covers("/subscriptions/a", "/subscriptions/ab"));
        assert!(!covers(
            "/subscriptions/a/resourceGroups/b",
            "/subscriptions/a"
        ));
    }
}
