//! A custom role's being assignable in this subscription: a change to a role that was there, taken back by undo.

use super::{
    AZURE_ROLES,
    role::{anywhere, assignable},
    settle,
};
use crate::{
    azure::{
        Fault, arm,
        keys::{RoleId, USER_SUBSCRIPTION_ID, USER_VNET_ID},
    },
    clouds::Clouds,
    engine::{About, Deleted, Made, Resource, Settling},
    fact::{Facts, Key, Missing},
    http::{ApiError, Cause, Service},
    net::leaf,
    shell::{Shell, call},
};

/// A role's being assignable in this subscription: a change to a role that was there, taken back by undo.
pub struct RoleScope {
    pub(super) id: &'static str,
    pub(super) role: Key<RoleId>,
}

impl RoleScope {
    /// The role, or nothing when it does not show.
    async fn role(&self, w: &Clouds, f: &Facts) -> Result<Option<arm::RoleDefinition>, Fault> {
        let role = f.get(self.role)?;
        let guid = leaf(role.as_ref());
        if let Some(found) = anywhere(w, guid).await? {
            return Ok(Some(found));
        }
        // A new role shows in its own subscription first.
        let subscription = format!("/subscriptions/{}", f.get(USER_SUBSCRIPTION_ID)?);
        Ok(w.look(&arm::role(&subscription, guid)).await?)
    }

    async fn put(
        &self,
        w: &Clouds,
        role: &arm::RoleDefinition,
        scopes: Vec<String>,
    ) -> Result<arm::RoleDefinition, Fault> {
        // Azure takes the change at a scope where the role already is.
        let at = role
            .properties
            .assignable_scopes
            .first()
            .cloned()
            .unwrap_or_default();
        let changed = arm::RoleProperties {
            assignable_scopes: scopes,
            ..role.properties.clone()
        };
        Ok(w.send(&arm::put_role(&at, &role.name, &changed)).await?)
    }

    fn scope(f: &Facts) -> Result<String, Missing> {
        Ok(format!("/subscriptions/{}", f.get(USER_SUBSCRIPTION_ID)?))
    }
}

/// The role was found or made a moment ago, so that it does not show means that Azure answers from a copy.
fn does_not_show() -> Fault {
    let mut error = ApiError::new(
        Service::Arm,
        "the role",
        Cause::Answered,
        "the custom role does not show",
    );
    error.status = Some(404);
    error.into()
}

impl Resource<Clouds> for RoleScope {
    type Item = ();

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

    async fn find(&self, w: &Clouds, f: &Facts) -> Result<Option<()>, Fault> {
        let here = f.get(USER_VNET_ID)?;
        let role = self.role(w, f).await?.ok_or_else(does_not_show)?;
        Ok(assignable(&role, here.as_ref()).then_some(()))
    }

    async fn create(&self, w: &Clouds, f: &Facts) -> Result<Made<()>, Fault> {
        let role = self.role(w, f).await?.ok_or_else(does_not_show)?;
        let mut scopes = role.properties.assignable_scopes.clone();
        scopes.push(Self::scope(f)?);
        self.put(w, &role, scopes).await?;
        Ok(Made::New(()))
    }

    async fn delete(&self, w: &Clouds, f: &Facts) -> Result<Deleted, Fault> {
        let Some(role) = self.role(w, f).await? else {
            return Ok(Deleted::Gone);
        };
        let mine = Self::scope(f)?;
        let mut scopes = role.properties.assignable_scopes.clone();
        scopes.retain(|scope| !scope.eq_ignore_ascii_case(&mine));
        if scopes.len() == role.properties.assignable_scopes.len() {
            return Ok(Deleted::Gone);
        }
        let subscription = Self::scope(f)?;
        let used = w
            .list(&arm::assignments(&subscription, None))
            .await?
            .iter()
            .any(|it| leaf(&it.properties.role_definition_id).eq_ignore_ascii_case(&role.name));
        if used {
            return Ok(Deleted::Kept(
                "the role is assigned elsewhere in this subscription".into(),
            ));
        }
        self.put(w, &role, scopes).await?;
        Ok(Deleted::Gone)
    }

    fn facts(&self, (): &()) -> Facts {
        Facts::default()
    }

    fn settling(&self, error: &ApiError) -> Option<Settling> {
        error
            .is_missing()
            .then(|| settle("Azure does not show the role everywhere yet", 5))
    }

    fn shell(&self, f: &Facts) -> Result<Shell, Missing> {
        let (role, subscription) = (f.get(self.role)?, f.get(USER_SUBSCRIPTION_ID)?);
        let scope = format!("/subscriptions/{subscription}");
        Ok(Shell {
            create: vec![
                call("set_role_scopes")
                    .arg(role.as_ref())
                    .arg(scope.as_str())
                    .flag("add"),
            ],
            delete: vec![call("set_role_scopes").arg(role).arg(scope).flag("remove")],
            functions: vec![SET_ROLE_SCOPES],
            ..Shell::default()
        })
    }
}

/// `az` wants the whole role to change one property of it, and answers only where the role is assignable already.
const SET_ROLE_SCOPES: &str = r#"# set_role_scopes ROLE_ID SCOPE add|remove: adds the scope to those where the role can be assigned, or takes it away
set_role_scopes() {
  local name=${1##*/} home=${1%%/providers/*} has scopes role used
  has=$(az role definition list --custom-role-only true --scope "$home" --query "[?name=='$name']|[0].assignableScopes[?@=='$2']|[0]" --output tsv) || return
  if [ "$3" = remove ]; then
    used=$(az role assignment list --all --subscription "${2##*/}" --fill-principal-name false --fill-role-definition-name false \
      --query "[?ends_with(roleDefinitionId, '/$name')]|[0].id" --output tsv) || return
    if [ -n "$used" ]; then
      say "  left: another assignment needs it ($used)"
      return
    fi
  fi
  case "$3,$has" in
    add,?*|remove,) return ;;
    add,) scopes="[assignableScopes, ['$2']][]" ;;
    remove,*) scopes="assignableScopes[?@!='$2']" ;;
  esac
  role=$(az role definition list --custom-role-only true --scope "$home" --query "[?name=='$name']|[0].{id:id, name:name, roleName:roleName, description:description, permissions:permissions, assignableScopes:$scopes}" --output json) || return
  az role definition update --role-definition "$role" --output none
}"#;
