//! A custom role's being assignable in this subscription: a change to a role that was there, taken back by undo.

use super::{
    AZURE_ROLES,
    custom_role::{HIDDEN, allows_just, assignable, extend, here, now, put, same, shown},
    rights::{assigned_by_others, still_assigned},
    settle,
};
use crate::{
    azure::{
        Cx, Fault, arm,
        keys::{GUID_READS, RoleId, USER_SUBSCRIPTION_ID, USER_VNET_ID, guid},
    },
    clouds::{Clouds, Realm},
    engine::{About, Definition, Deleted, Ensure, Known, Look, Made, Maker, Scope, Settling},
    fact::{Facts, Key, Missing, Named},
    http::ApiError,
    keys,
    net::leaf,
    shell::{Helper, Shell, call, helpers},
    text,
};
use async_trait::async_trait;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// How much Azure's clock may lag behind this machine's.
const TOLERANCE: time::Duration = time::Duration::minutes(2);

/// A role's being assignable in this subscription.
pub struct RoleScope {
    pub(super) id: &'static str,
    /// The step that finds or makes the role.
    pub(super) of: &'static str,
    pub(super) role: Key<RoleId>,
    /// What the role allows.
    pub(super) actions: &'static [&'static str],
    /// The step that assigns it.
    pub(super) assignment: &'static str,
}

impl RoleScope {
    /// The role, or nothing when it does not show.
    async fn role(&self, w: &Clouds, f: &Facts) -> Result<Option<arm::RoleDefinition>, Fault> {
        let role = f.get(self.role)?;
        now(w, &here(f)?, leaf(role.as_ref())).await
    }

    /// The role, waited for.
    async fn shown(&self, cx: &mut Cx<'_>) -> Result<arm::RoleDefinition, Fault> {
        let (role, here) = (cx.facts.get(self.role)?, here(&cx.facts)?);
        shown(cx, &here, leaf(role.as_ref())).await
    }

    /// Whether the role of this GUID is the one that this run made itself.
    fn is_own(&self, f: &Facts, role: &str) -> Result<bool, Missing> {
        let own = guid(f, self.of)?.to_string();
        Ok(role.eq_ignore_ascii_case(&own))
    }

    /// Whether the change to the role is this run's, as far as that can be told: it can bear no mark.
    fn maker(&self, role: &arm::RoleDefinition, since: Option<OffsetDateTime>) -> Maker {
        if !allows_just(&role.properties.permissions, self.actions) {
            return Maker::Other("the role allows something else".into());
        }
        let changed = role.properties.updated_on.as_deref();
        let Some(changed) = changed.and_then(|at| OffsetDateTime::parse(at, &Rfc3339).ok()) else {
            return Maker::Run;
        };
        match since {
            Some(since) if changed + TOLERANCE >= since => Maker::Run,
            Some(_) => Maker::Other("the role was not changed when this run says it was".into()),
            None => Maker::Other("the run does not say when it changed the role".into()),
        }
    }
}

/// The run made the role, and made it assignable here.
fn with_the_role() -> Maker {
    Maker::Other("it came with the role".into())
}

impl Definition<Clouds> for RoleScope {
    fn about(&self) -> About {
        About {
            id: self.id,
            title: "Make the role assignable here".into(),
            why: "A custom role can be assigned only in the subscriptions that it names; its name is taken in all of them.",
            link: "https://learn.microsoft.com/azure/role-based-access-control/custom-roles#custom-role-properties",
            permissions: &[AZURE_ROLES],
        }
    }

    fn thing(&self) -> String {
        "the role's being assignable in your subscription".into()
    }

    fn scope(&self) -> Scope {
        Scope::Shared
    }

    fn part(&self) -> Realm {
        Realm::Azure
    }

    /// The scope goes with the role's last assignment here.
    fn belongs_to(&self) -> Option<Named> {
        Some(self.role.named())
    }

    fn reads(&self) -> Vec<Named> {
        let mut reads = keys![self.role, USER_SUBSCRIPTION_ID];
        reads.extend(GUID_READS);
        reads
    }

    fn settling(&self, error: &ApiError) -> Option<Settling> {
        error.is_missing().then(|| settle(HIDDEN, 5))
    }

    fn shell(&self) -> Shell {
        let set = |what: &str| {
            call(&SET_ROLE_SCOPES)
                .arg(self.role)
                .arg(text!["/subscriptions/", USER_SUBSCRIPTION_ID])
                .flag(what)
        };
        Shell {
            create: vec![set("add")],
            delete: vec![set("remove")],
            ..Shell::default()
        }
    }
}

#[async_trait(?Send)]
impl Ensure<Clouds> for RoleScope {
    async fn find(&self, cx: &mut Cx<'_>) -> Result<Option<Known>, Fault> {
        let vnet = cx.facts.get(USER_VNET_ID)?.to_string();
        let named = cx.facts.get(self.role)?;
        if cx.is_new(self.role) && self.is_own(&cx.facts, leaf(named.as_ref()))? {
            return Ok(Some(Known::new(Facts::default(), with_the_role())));
        }
        let role = self.shown(cx).await?;
        let maker = if self.is_own(&cx.facts, &role.name)? {
            with_the_role()
        } else {
            Maker::Unknown
        };
        Ok(assignable(&role, &vnet).then(|| Known::new(Facts::default(), maker)))
    }

    async fn create(&self, cx: &mut Cx<'_>) -> Result<Made, Fault> {
        let role = self.shown(cx).await?;
        let here = here(&cx.facts)?;
        extend(cx, role, &here).await?;
        Ok(Made::New(Known::new(Facts::default(), Maker::Run)))
    }

    async fn remains(&self, cx: &mut Cx<'_>) -> Result<Option<Known>, Fault> {
        let here = here(&cx.facts)?;
        let Some(role) = self.role(cx.world, &cx.facts).await? else {
            return Ok(None);
        };
        // The run's own role takes its scopes along when it goes.
        let scopes = &role.properties.assignable_scopes;
        if self.is_own(&cx.facts, &role.name)? || !scopes.iter().any(|it| same(it, &here)) {
            return Ok(None);
        }
        let maker = self.maker(&role, cx.since);
        let known = Known::new(Facts::default(), maker);
        Ok(Some(known.called(role.properties.role_name, here)))
    }

    async fn needed(&self, cx: &mut Cx<'_>) -> Result<Option<String>, Fault> {
        let (w, f) = (cx.world, &cx.facts);
        let role = f.get(self.role)?;
        let place = (&*here(f)?, leaf(role.as_ref()));
        let used = assigned_by_others(w, f, place, self.assignment).await?;
        Ok(used.then(|| "the role is assigned elsewhere in this subscription".into()))
    }

    async fn delete(&self, cx: &mut Cx<'_>) -> Result<Deleted, Fault> {
        let here = here(&cx.facts)?;
        // The whole role is written, so it is read right before.
        let Some(role) = self.role(cx.world, &cx.facts).await? else {
            return Ok(Deleted::Gone);
        };
        let mut scopes = role.properties.assignable_scopes.clone();
        scopes.retain(|scope| !same(scope, &here));
        if scopes.len() == role.properties.assignable_scopes.len() {
            return Ok(Deleted::Gone);
        }
        if scopes.is_empty() {
            let why = "a role has to be assignable somewhere, and this is its only place";
            return Ok(Deleted::Kept(why.into()));
        }
        match put(cx.world, &role, scopes).await {
            Ok(()) => Ok(Deleted::Gone),
            Err(error) if error.is("RoleDefinitionHasAssignments") => {
                let left = still_assigned(cx.world, &here, &role.name).await?;
                Ok(left.map_or_else(
                    || Deleted::NotYet("the role's assignments are still going".into()),
                    |it| Deleted::Kept(format!("the role is still assigned: {it}")),
                ))
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn look(&self, cx: &mut Cx<'_>) -> Result<Look, Fault> {
        let vnet = cx.facts.get(USER_VNET_ID)?.to_string();
        let role = self.role(cx.world, &cx.facts).await?;
        Ok(match role {
            Some(role) if assignable(&role, &vnet) => Look::Present(String::new()),
            _ => Look::Missing,
        })
    }
}

/// `az` wants the whole role to change one property of it, and answers only where the role is assignable already.
static SET_ROLE_SCOPES: Helper = Helper::new("set_role_scopes", r#"# set_role_scopes ROLE_ID SCOPE add|remove: adds the scope to those where the role can be assigned, or takes it away
set_role_scopes() {
  local name=${1##*/} home=${1%%/providers/*} has scopes role used
  has=$(az role definition list --custom-role-only true --scope "$home" --query "[?name==$(jmes "$name")]|[0].assignableScopes[?@==$(jmes "$2")]|[0]" --output tsv) || return
  if [ "$3" = remove ]; then
    used=$(az role assignment list --all --subscription "${2##*/}" --fill-principal-name false --fill-role-definition-name false \
      --query "[?ends_with(roleDefinitionId, $(jmes "/$name"))]|[0].id" --output tsv) || return
    if [ -n "$used" ]; then
      say "  left: another assignment needs it ($used)"
      return
    fi
  fi
  case "$3,$has" in
    add,?*|remove,) return ;;
    add,) scopes="[assignableScopes, [$(jmes "$2")]][]" ;;
    remove,*) scopes="assignableScopes[?@!=$(jmes "$2")]" ;;
  esac
  role=$(az role definition list --custom-role-only true --scope "$home" --query "[?name==$(jmes "$name")]|[0].{id:id, name:name, roleName:roleName, description:description, permissions:permissions, assignableScopes:$scopes}" --output json) || return
  az role definition update --role-definition "$role" --output none
}"#)
    .needing(&[&helpers::SAY, &helpers::JMES]);

#[cfg(test)]
mod tests {
    use super::*;

    const ACTIONS: &[&str] = &["Microsoft.Network/virtualNetworks/peer/action"];

    fn at(text: &str) -> OffsetDateTime {
        OffsetDateTime::parse(text, &Rfc3339).expect("a time")
    }

    #[test]
    fn a_scope_is_this_runs_when_the_role_was_changed_when_the_run_says() {
        let step = RoleScope {
            id: "role-scope",
            of: "role",
            role: Key::new("ROLE"),
            actions: ACTIONS,
            assignment: "provider-assignment",
        };
        let role = |actions: &[&str], updated: Option<&str>| arm::RoleDefinition {
            name: "guid".into(),
            properties: arm::RoleProperties {
                permissions: vec![arm::Permission {
                    actions: actions.iter().map(|it| (*it).into()).collect(),
                    ..arm::Permission::default()
                }],
                updated_on: updated.map(Into::into),
                ..arm::RoleProperties::default()
            },
        };
        let since = Some(at("2026-01-01T12:00:00Z"));
        let ours = |updated: Option<&str>| step.maker(&role(ACTIONS, updated), since) == Maker::Run;
        assert!(ours(Some("2026-01-01T11:58:30.1234567Z")));
        assert!(ours(Some("2026-02-01T00:00:00Z")));
        assert!(ours(None));
        assert!(!ours(Some("2026-01-01T11:57:00Z")));
        let other = role(&["Microsoft.Network/*"], None);
        assert_ne!(step.maker(&other, since), Maker::Run);
        let unsaid = step.maker(&role(ACTIONS, Some("2026-01-01T12:00:00Z")), None);
        assert_ne!(unsaid, Maker::Run);
    }
}
