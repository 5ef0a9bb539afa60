//! Role assignments: which principal may do what on which scope.

use super::{AZURE_GRANTS, settle};
use crate::{
    azure::{
        Fault, arm,
        keys::{
            AssignmentId, GRANT_SCOPE, PrincipalId, RoleId, Scope, Side, USER_ROLE_ASSIGNMENT_ID,
            USER_SP_ID, USER_VNET_ID, guid,
        },
    },
    clouds::Clouds,
    engine::{About, Deleted, Made, Maker, Resource, Settling},
    fact::{Facts, Key, Missing},
    http::ApiError,
    net::{covers, leaf},
    shell::{Shell, az},
};
use std::time::Duration;

/// The assignment of a role to a principal.
pub struct Assignment {
    id: &'static str,
    title: String,
    thing: String,
    why: &'static str,
    role: Key<RoleId>,
    principal: Key<PrincipalId>,
    scope: Key<Scope>,
    assignment: Key<AssignmentId>,
}

impl Assignment {
    /// Your own principal may write peerings: on the VNet, or on the wider scope that was chosen.
    #[must_use]
    pub fn may_write_peerings(role: Key<RoleId>) -> Self {
        Self {
            id: "assignment",
            title: "Let it write peerings on your VNet".into(),
            thing: "the right of your application on the VNet".into(),
            why: "The half of the peering on your VNet is made by your application, so it needs the right to.",
            role,
            principal: USER_SP_ID,
            scope: GRANT_SCOPE,
            assignment: USER_ROLE_ASSIGNMENT_ID,
        }
    }

    /// The provider called `name` may peer with the VNet.
    #[must_use]
    pub fn provider(name: &str, side: Side) -> Self {
        Self {
            id: "provider-assignment",
            title: format!("Let {name} peer with your VNet"),
            thing: format!("the right of {name} on the VNet"),
            why: "The right is given on this one VNet, so the provider reaches no other.",
            role: side.role_id,
            principal: side.sp_id,
            scope: USER_VNET_ID,
            assignment: side.assignment_id,
        }
    }

    fn own_guid(&self, f: &Facts) -> Result<String, Missing> {
        Ok(guid(f, self.id)?.to_string())
    }

    async fn matching(&self, w: &Clouds, f: &Facts) -> Result<Option<arm::RoleAssignment>, Fault> {
        let (scope, role) = (f.get(self.scope)?, f.get(self.role)?);
        let principal = f.get(self.principal)?;
        let call = arm::assignments(scope.as_ref(), Some(principal.as_ref()));
        let mut matching: Vec<_> = w.list(&call).await?;
        matching.retain(|it| {
            let of = &it.properties;
            of.principal_id.eq_ignore_ascii_case(principal.as_ref())
                && leaf(&of.role_definition_id).eq_ignore_ascii_case(leaf(role.as_ref()))
                && covers(&of.scope, scope.as_ref())
        });
        let mine = self.own_guid(f)?;
        matching.sort_by_key(|it| !it.name.eq_ignore_ascii_case(&mine));
        Ok(matching.into_iter().next())
    }
}

impl Resource<Clouds> for Assignment {
    type Item = arm::RoleAssignment;

    fn about(&self) -> About {
        About {
            id: self.id,
            title: self.title.clone(),
            why: self.why,
            link: "https://learn.microsoft.com/azure/role-based-access-control/role-assignments-rest",
            permissions: &[AZURE_GRANTS],
        }
    }

    fn thing(&self) -> String {
        self.thing.clone()
    }

    async fn find(&self, w: &Clouds, f: &Facts) -> Result<Option<Self::Item>, Fault> {
        self.matching(w, f).await
    }

    async fn create(&self, w: &Clouds, f: &Facts) -> Result<Made<Self::Item>, Fault> {
        let (scope, role, principal) = (
            f.get(self.scope)?,
            f.get(self.role)?,
            f.get(self.principal)?,
        );
        let id = arm::assignment_id(scope.as_ref(), &self.own_guid(f)?);
        let put = arm::put_assignment(&id, role.as_ref(), principal.as_ref());
        match w.send(&put).await {
            Ok(assignment) => Ok(Made::New(assignment)),
            Err(error) if error.is("RoleAssignmentExists") => match self.matching(w, f).await? {
                Some(assignment) => Ok(Made::Already(assignment)),
                None => Err(error.into()),
            },
            Err(error) => Err(error.into()),
        }
    }

    async fn delete(&self, w: &Clouds, f: &Facts) -> Result<Deleted, Fault> {
        w.forget(&arm::delete_assignment(f.get(self.assignment)?.as_ref()))
            .await?;
        Ok(Deleted::Gone)
    }

    fn facts(&self, item: &Self::Item) -> Facts {
        Facts::default().with(self.assignment, item.id.as_str().into())
    }

    fn maker(&self, item: &Self::Item, f: &Facts) -> Maker {
        match self.own_guid(f) {
            Ok(mine) if item.name.eq_ignore_ascii_case(&mine) => Maker::Run,
            Ok(_) => Maker::Other,
            Err(_) => Maker::Unknown,
        }
    }

    fn settling(&self, error: &ApiError) -> Option<Settling> {
        if error.is("PrincipalNotFound") {
            Some(settle("Azure does not know the new principal yet", 5))
        } else if error.is("RoleDefinitionDoesNotExist") {
            Some(settle("Azure does not know the new role everywhere yet", 5))
        } else if error.is("RoleAssignmentExists") {
            Some(settle("the assignment exists but does not show yet", 2))
        } else {
            None
        }
    }

    fn shell(&self, f: &Facts) -> Result<Shell, Missing> {
        let (scope, role, principal) = (
            f.get(self.scope)?,
            f.get(self.role)?,
            f.get(self.principal)?,
        );
        Ok(Shell {
            find: Some(
                az("role assignment list")
                    .opt("--assignee-object-id", principal.as_ref())
                    .opt("--role", role.as_ref())
                    .opt("--scope", scope.as_ref())
                    .yields(self.assignment, "[0].id"),
            ),
            create: vec![
                az("role assignment create")
                    .opt("--role", role)
                    .opt("--assignee-object-id", principal)
                    .opt("--assignee-principal-type", "ServicePrincipal")
                    .opt("--scope", scope)
                    .yields(self.assignment, "id")
                    .patient(
                        "the principal or the role may not be known everywhere yet",
                        Duration::from_secs(300),
                    ),
            ],
            delete: vec![az("role assignment delete").opt("--ids", f.get(self.assignment)?)],
            ..Shell::default()
        })
    }
}
