//! Role assignments: which principal may do what on which scope.

use super::{
    AZURE_GRANTS,
    custom_role::{assignable, extend, now},
    settle,
};
use crate::{
    azure::{
        Cx, Fault, arm,
        keys::{
            AssignmentId, GRANT_SCOPE, GUID_READS, PrincipalId, RoleId, Side,
            USER_ROLE_ASSIGNMENT_ID, USER_SP_ID, USER_VNET_ID, guid,
        },
    },
    clouds::{Clouds, Realm},
    engine::{About, Beforehand, Definition, Deleted, Ensure, Known, Made, Maker, Scope, Settling},
    fact::{Facts, Key, Missing, Named},
    http::ApiError,
    keys,
    net::{VnetId, covers, leaf, overlaps},
    shell::{Shell, Text, az},
};
use async_trait::async_trait;
use std::time::Duration;

/// The step that gives your own principal its right.
pub(super) const OWN_ASSIGNMENT: &str = "assignment";
/// The step that gives the provider's principal its right.
pub const PROVIDER_ASSIGNMENT: &str = "provider-assignment";
/// Said of a role that was just made or extended, until everybody knows where it can be assigned.
const NOT_ASSIGNABLE: &str = "RoleAssignmentScopeNotAssignableToRoleDefinition";
const NOT_OURS: &str = "its name is not this run's";

/// The assignment of a role to a principal.
pub struct Assignment {
    id: &'static str,
    title: String,
    thing: String,
    why: &'static str,
    role: Key<RoleId>,
    principal: Key<PrincipalId>,
    assignment: Key<AssignmentId>,
    /// The provider that it is for, which gets it on the VNet alone.
    side: Option<Side>,
}

impl Assignment {
    /// Your own principal may write peerings: on the VNet, or on the wider scope that was chosen.
    #[must_use]
    pub fn may_write_peerings(role: Key<RoleId>) -> Self {
        Self {
            id: OWN_ASSIGNMENT,
            title: "Let your application write peerings".into(),
            thing: "the right of your application on the VNet".into(),
            why: "The half of the peering on your VNet is made by your application, so it needs the right to.",
            role,
            principal: USER_SP_ID,
            assignment: USER_ROLE_ASSIGNMENT_ID,
            side: None,
        }
    }

    /// The provider called `name` may peer with the VNet.
    #[must_use]
    pub fn provider(name: &str, side: Side) -> Self {
        Self {
            id: PROVIDER_ASSIGNMENT,
            title: format!("Let {name} peer with your VNet"),
            thing: format!("the right of {name} on the VNet"),
            why: "The right is given on this one VNet, so the provider reaches no other.",
            role: side.role_id,
            principal: side.sp_id,
            assignment: side.assignment_id,
            side: Some(side),
        }
    }

    fn at(&self, f: &Facts) -> Result<String, Missing> {
        match self.side {
            Some(_) => Ok(f.get(USER_VNET_ID)?.to_string()),
            None => Ok(f.get(GRANT_SCOPE)?.into()),
        }
    }

    fn scope_text(&self) -> Text {
        match self.side {
            Some(_) => USER_VNET_ID.into(),
            None => GRANT_SCOPE.into(),
        }
    }

    /// The id of this run's own.
    fn own_id(&self, f: &Facts) -> Result<String, Missing> {
        let name = guid(f, self.id)?.to_string();
        Ok(arm::assignment_id(&self.at(f)?, &name))
    }

    async fn matching(&self, w: &Clouds, f: &Facts) -> Result<Option<Known>, Fault> {
        let (scope, role) = (self.at(f)?, f.get(self.role)?);
        let principal = f.get(self.principal)?;
        let call = arm::assignments(&scope, Some(principal.as_ref()));
        let mut matching: Vec<_> = w.list(&call).await?;
        matching.retain(|it| {
            it.properties
                .principal_id
                .eq_ignore_ascii_case(principal.as_ref())
                && it.is_of(leaf(role.as_ref()))
                && covers(&it.properties.scope, &scope)
        });
        let mine = guid(f, self.id)?.to_string();
        let is_mine = |it: &arm::RoleAssignment| it.name.eq_ignore_ascii_case(&mine);
        matching.sort_by_key(|it| !is_mine(it));
        Ok(matching.into_iter().next().map(|it| {
            let maker = if is_mine(&it) {
                Maker::Run
            } else {
                Maker::Other(NOT_OURS.into())
            };
            self.known(it, maker)
        }))
    }

    /// The role was made assignable here by an earlier step; where it is not any more, another run has written over that.
    async fn regain(&self, cx: &mut Cx<'_>, role: &str) -> Result<(), Fault> {
        let vnet = cx.facts.get(USER_VNET_ID)?;
        let here = vnet.subscription_scope();
        match now(cx.world, &here, role).await? {
            Some(role)
                if role.properties.kind == "CustomRole"
                    && !assignable(&role, &vnet.to_string()) =>
            {
                extend(cx, role, &here).await
            }
            _ => Ok(()),
        }
    }

    fn known(&self, it: arm::RoleAssignment, maker: Maker) -> Known {
        let facts = Facts::default().with(self.assignment, it.id.as_str());
        Known::new(facts, maker).called(it.name, it.id)
    }
}

/// The peering on the VNet, other than this run's, that still lives and leads to the same provider: to a network in the
/// subscription in which this run's is.
fn other_peering<'p>(
    peerings: &'p [arm::Peering],
    remote: Option<&str>,
    range: &[&str],
) -> Option<&'p arm::Peering> {
    let subscription = |id: &str| VnetId::parse(id).map(|id| id.subscription.to_lowercase());
    // Two networks with the same addresses cannot be peered with one, so the range tells which it is.
    let by_range = || {
        let ours = |it: &&arm::Peering| !overlaps(&it.remote_ranges(), range).is_empty();
        peerings.iter().find(ours).map(arm::Peering::remote)
    };
    let mine = remote.or_else(by_range)?;
    let home = subscription(mine)?;
    peerings.iter().find(|it| {
        !it.is_dead()
            && !it.remote().eq_ignore_ascii_case(mine)
            && subscription(it.remote()).as_ref() == Some(&home)
    })
}

impl Definition<Clouds> for Assignment {
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

    fn scope(&self) -> Scope {
        Scope::Each
    }

    fn part(&self) -> Realm {
        Realm::Azure
    }

    fn reads(&self) -> Vec<Named> {
        let mut reads = keys![self.role, self.principal];
        reads.extend(GUID_READS);
        match self.side {
            Some(side) => reads.extend(keys![side.vnet_id, side.range]),
            None => reads.push(GRANT_SCOPE.named()),
        }
        reads
    }

    fn gives(&self) -> Vec<Named> {
        keys![self.assignment]
    }

    fn settling(&self, error: &ApiError) -> Option<Settling> {
        if error.is("PrincipalNotFound") {
            Some(settle("Azure does not know the new principal yet", 15))
        } else if error.is("RoleDefinitionDoesNotExist") {
            Some(settle("Azure does not know the new role everywhere yet", 5))
        } else if error.is(NOT_ASSIGNABLE) {
            Some(settle(
                "Azure does not know everywhere yet where the role can be assigned",
                5,
            ))
        } else if error.is("RoleAssignmentExists") {
            Some(settle("the assignment exists but does not show yet", 2))
        } else {
            None
        }
    }

    fn shell(&self) -> Shell {
        Shell {
            find: Some(
                az("role assignment list")
                    .opt("--assignee-object-id", self.principal)
                    .opt("--role", self.role)
                    .opt("--scope", self.scope_text())
                    .yields(self.assignment, "[0].id"),
            ),
            create: vec![
                az("role assignment create")
                    .opt("--role", self.role)
                    .opt("--assignee-object-id", self.principal)
                    .opt("--assignee-principal-type", "ServicePrincipal")
                    .opt("--scope", self.scope_text())
                    .yields(self.assignment, "id")
                    .patient(
                        "the principal or the role may not be known everywhere yet",
                        Duration::from_secs(300),
                    ),
            ],
            delete: vec![az("role assignment delete").opt("--ids", self.assignment)],
            ..Shell::default()
        }
    }
}

#[async_trait(?Send)]
impl Ensure<Clouds> for Assignment {
    async fn find(&self, cx: &mut Cx<'_>) -> Result<Option<Known>, Fault> {
        self.matching(cx.world, &cx.facts).await
    }

    fn beforehand(&self) -> Beforehand {
        Beforehand::With(self.principal.named())
    }

    async fn create(&self, cx: &mut Cx<'_>) -> Result<Made, Fault> {
        let (w, f) = (cx.world, &cx.facts);
        let (role, principal) = (f.get(self.role)?, f.get(self.principal)?);
        let put = arm::put_assignment(&self.own_id(f)?, role.as_ref(), principal.as_ref());
        match w.send(&put).await {
            Err(error) if error.is(NOT_ASSIGNABLE) => {
                match self.regain(cx, leaf(role.as_ref())).await {
                    // What Azure said first is what is told.
                    Ok(()) | Err(Fault::World(_)) => Err(error.into()),
                    Err(fault) => Err(fault),
                }
            }
            Ok(it) => Ok(Made::New(self.known(it, Maker::Run))),
            Err(error) if error.is("RoleAssignmentExists") => match self.matching(w, f).await? {
                Some(known) => Ok(Made::Already(known)),
                None => Err(error.into()),
            },
            Err(error) => Err(error.into()),
        }
    }

    async fn remains(&self, cx: &mut Cx<'_>) -> Result<Option<Known>, Fault> {
        let f = &cx.facts;
        let own = self.own_id(f)?;
        let Some(it) = cx.world.look(&arm::assignment(&own)).await? else {
            // The run's file may name another, which is told of and left.
            let named = f.get(self.assignment).ok();
            let Some(id) = named.filter(|id| !leaf(&own).eq_ignore_ascii_case(leaf(id.as_ref())))
            else {
                return Ok(None);
            };
            let other = cx.world.look(&arm::assignment(id.as_ref())).await?;
            return Ok(other.map(|it| self.known(it, Maker::Other(NOT_OURS.into()))));
        };
        let (role, principal) = (f.get(self.role)?, f.get(self.principal)?);
        let of = &it.properties;
        let maker = if !of.principal_id.eq_ignore_ascii_case(principal.as_ref()) {
            Maker::Other("it is the right of another principal".into())
        } else if !it.is_of(leaf(role.as_ref())) {
            Maker::Other("it gives another role".into())
        } else {
            Maker::Run
        };
        Ok(Some(self.known(it, maker)))
    }

    fn connects(&self) -> bool {
        self.side.is_some()
    }

    async fn needed(&self, cx: &mut Cx<'_>) -> Result<Option<String>, Fault> {
        let (w, f) = (cx.world, &cx.facts);
        let Some(side) = self.side else {
            return Ok(None);
        };
        let peerings = match w.list(&arm::peerings(&f.get(USER_VNET_ID)?)).await {
            Ok(peerings) => peerings,
            // The VNet is gone.
            Err(error) if error.is_missing() => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        // Neither is known before the provider has told.
        let remote = f.get(side.vnet_id).ok();
        let range = f.get(side.range).unwrap_or_default();
        let remote = remote.as_ref().map(AsRef::as_ref);
        let other = other_peering(&peerings, remote, &range.texts());
        Ok(other.map(|it| {
            format!(
                "the VNet has another peering to this provider: `{}`",
                it.name
            )
        }))
    }

    async fn delete(&self, cx: &mut Cx<'_>) -> Result<Deleted, Fault> {
        let call = arm::delete_assignment(&self.own_id(&cx.facts)?);
        cx.world.forget(&call).await?;
        Ok(Deleted::Gone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn vnet(subscription: &str, name: &str) -> String {
        format!(
            "/subscriptions/{subscription}/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/{name}"
        )
    }

    fn peering(name: &str, remote: &str, range: &str, state: &str) -> arm::Peering {
        serde_json::from_value(json!({ "name": name, "properties": {
            "peeringState": state,
            "remoteVirtualNetwork": { "id": remote },
            "remoteAddressSpace": { "addressPrefixes": [range] },
        } }))
        .expect("the shape of Azure")
    }

    #[test]
    fn another_living_peering_to_the_same_provider_needs_its_right() {
        let (mine, other) = (vnet("vendor", "a"), vnet("VENDOR", "b"));
        let hub = peering("hub", &vnet("own", "hub"), "10.9.0.0/16", "Connected");
        let living = peering("other", &other, "10.2.0.0/16", "Connected");
        let dead = peering("old", &other, "10.2.0.0/16", "Disconnected");
        let own = peering("mine", &mine, "10.1.0.0/16", "Connected");
        let name = |peerings: &[arm::Peering], remote: Option<&str>, range: &[&str]| {
            other_peering(peerings, remote, range).map(|it| it.name.clone())
        };
        let all = [hub.clone(), own.clone(), living.clone()];
        assert_eq!(name(&all, Some(&mine), &[]).as_deref(), Some("other"));
        assert_eq!(name(&all, None, &["10.1.0.0/16"]).as_deref(), Some("other"));
        // Its own half may be gone by now.
        assert_eq!(name(&[living], Some(&mine), &[]).as_deref(), Some("other"));
        assert_eq!(name(&[hub, own, dead], Some(&mine), &[]), None);
        assert_eq!(name(&all, None, &[]), None);
    }
}
