//! Custom roles: looked for by name and by what they allow, made once, and extended to further subscriptions.

use super::{AZURE_ROLES, role_scope::RoleScope, settle};
use crate::{
    azure::{
        Fault, arm,
        keys::{
            ROLE_NAME, RoleId, Side, Text, USER_ROLE_ID, USER_ROLE_NAME, USER_SUBSCRIPTION_ID,
            USER_TENANT_ID, USER_VNET_ID, guid,
        },
    },
    clouds::Clouds,
    engine::{About, Deleted, Look, Made, Maker, Refusal, Resource, Settling},
    fact::{Facts, Key, Missing},
    http::ApiError,
    net::{covers, leaf},
    shell::{Shell, az, call},
};
use std::collections::BTreeSet;

/// What a custom role allows, and how it is found.
#[derive(Clone, Copy)]
pub struct Allows {
    /// The actions: these and no others.
    pub actions: &'static [&'static str],
    /// Its description.
    pub description: &'static str,
    /// Other names under which guides have people create it.
    pub other_names: &'static [&'static str],
}

/// A custom role that allows some actions and nothing else.
pub struct Role {
    id: &'static str,
    title: String,
    thing: String,
    why: &'static str,
    name: Key<Text>,
    role: Key<RoleId>,
    allows: Allows,
}

impl Role {
    /// The role under which the provider called `name` may peer with a VNet.
    #[must_use]
    pub fn may_be_peered_with(name: &str, side: Side, allows: Allows) -> Self {
        Self {
            id: "role",
            title: format!("Define the role for {name}"),
            thing: format!("the custom role for {name}"),
            why: "It allows what the peering takes and nothing else; one such role serves all your peerings.",
            name: ROLE_NAME,
            role: side.role_id,
            allows,
        }
    }

    /// The role for your own principal, with just the rights over peerings.
    #[must_use]
    pub fn peering_only() -> Self {
        Self {
            id: "own-role",
            title: "Define a narrow role for your application".into(),
            thing: "the narrow role for your application".into(),
            why: "Network Contributor may change the whole network; this role may only write its peerings.",
            name: USER_ROLE_NAME,
            role: USER_ROLE_ID,
            allows: Allows {
                actions: &[
                    "Microsoft.Network/virtualNetworks/read",
                    "Microsoft.Network/virtualNetworks/virtualNetworkPeerings/read",
                    "Microsoft.Network/virtualNetworks/virtualNetworkPeerings/write",
                    "Microsoft.Network/virtualNetworks/virtualNetworkPeerings/delete",
                ],
                description: "May write the peerings of a virtual network and nothing else",
                other_names: &[],
            },
        }
    }

    /// Whether the role is there and may be assigned on the VNet, so that none has to be defined.
    ///
    /// # Errors
    /// What Azure said.
    pub async fn is_here(&self, w: &Clouds, f: &Facts) -> Result<bool, Fault> {
        let vnet = f.get(USER_VNET_ID)?;
        let role = self.search(w, f).await?;
        Ok(role.is_some_and(|role| assignable(&role, vnet.as_ref())))
    }

    /// The step that makes the role assignable in this subscription.
    #[must_use]
    pub fn here(&self) -> RoleScope {
        RoleScope {
            id: if self.id == "role" {
                "role-scope"
            } else {
                "own-role-scope"
            },
            role: self.role,
        }
    }

    fn own_guid(&self, f: &Facts) -> Result<String, Missing> {
        Ok(guid(f, self.id)?.to_string())
    }

    /// The best of these roles: by name, else by what it allows.
    ///
    /// # Errors
    /// When a role of the name allows something else.
    fn choose(
        &self,
        f: &Facts,
        roles: Vec<arm::RoleDefinition>,
    ) -> Result<Option<arm::RoleDefinition>, Fault> {
        let name = f.get(self.name)?;
        let mine = self.own_guid(f)?;
        let named = |role: &arm::RoleDefinition| {
            let has = role.properties.role_name.as_str();
            has == name.as_ref() || self.allows.other_names.contains(&has)
        };
        let (fitting, others): (Vec<_>, Vec<_>) = roles
            .into_iter()
            .filter(|role| role.properties.kind != "BuiltInRole")
            .partition(|role| allows_just(&role.properties.permissions, self.allows.actions));
        if let Some(taken) = others
            .iter()
            .find(|role| role.properties.role_name == name.as_ref())
        {
            return Err(Fault::Refused(
                Refusal::new(format!(
                    "the role `{name}` exists and allows other actions ({})",
                    listed(&taken.properties.permissions),
                ))
                .hint("choose another name with `--role-name`"),
            ));
        }
        let here = f.get(USER_VNET_ID)?;
        let rank = |role: &arm::RoleDefinition| {
            (
                !role.name.eq_ignore_ascii_case(&mine),
                !named(role),
                !assignable(role, here.as_ref()),
            )
        };
        Ok(fitting.into_iter().min_by_key(rank))
    }

    async fn search(&self, w: &Clouds, f: &Facts) -> Result<Option<arm::RoleDefinition>, Fault> {
        let subscription = format!("/subscriptions/{}", f.get(USER_SUBSCRIPTION_ID)?);
        let here = w.list(&arm::custom_roles(&subscription)).await?;
        if let Some(role) = self.choose(f, here)? {
            return Ok(Some(role));
        }
        // A role of another subscription is not in this one's list, and its name is taken all the same.
        let everywhere = match w.list(&arm::custom_roles("")).await {
            Ok(roles) => roles,
            Err(error) if matches!(error.status, Some(403 | 404)) => Vec::new(),
            Err(error) => return Err(error.into()),
        };
        if let Some(role) = self.choose(f, everywhere)? {
            return Ok(Some(role));
        }
        // The lists lag behind; the GUID does not.
        Ok(w.look(&arm::role(&subscription, &self.own_guid(f)?))
            .await?)
    }

    /// The role as it is now.
    async fn now(
        &self,
        w: &Clouds,
        f: &Facts,
        guid: &str,
    ) -> Result<Option<arm::RoleDefinition>, Fault> {
        if let Some(role) = anywhere(w, guid).await? {
            return Ok(Some(role));
        }
        let subscription = format!("/subscriptions/{}", f.get(USER_SUBSCRIPTION_ID)?);
        Ok(w.look(&arm::role(&subscription, guid)).await?)
    }

    /// Whether the role serves another subscription, or another assignment in this one.
    async fn used_elsewhere(&self, w: &Clouds, here: &str, guid: &str) -> Result<bool, Fault> {
        let role = w.look(&arm::role(here, guid)).await?;
        let scopes = role
            .map(|role| role.properties.assignable_scopes)
            .unwrap_or_default();
        if scopes.iter().any(|scope| !covers(here, scope)) {
            return Ok(true);
        }
        Ok(w.list(&arm::assignments(here, None))
            .await?
            .iter()
            .any(|it| leaf(&it.properties.role_definition_id).eq_ignore_ascii_case(guid)))
    }

    /// Looks through every subscription that can be seen: for a name that is taken and in neither list.
    async fn search_wide(
        &self,
        w: &Clouds,
        f: &Facts,
    ) -> Result<Option<arm::RoleDefinition>, Fault> {
        for subscription in w.list(&arm::subscriptions()).await? {
            let scope = format!("/subscriptions/{}", subscription.subscription_id);
            let roles = w.list(&arm::custom_roles(&scope)).await?;
            if let Some(role) = self.choose(f, roles)? {
                return Ok(Some(role));
            }
        }
        Ok(None)
    }
}

/// The role at the scope of the tenant, where not everybody may look.
pub(super) async fn anywhere(w: &Clouds, guid: &str) -> Result<Option<arm::RoleDefinition>, Fault> {
    match w.look(&arm::role("", guid)).await {
        Err(error) if error.status == Some(403) => Ok(None),
        found => Ok(found?),
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

fn allows_just(permissions: &[arm::Permission], wanted: &[&str]) -> bool {
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

fn listed(permissions: &[arm::Permission]) -> String {
    actions(permissions)
        .into_iter()
        .collect::<Vec<_>>()
        .join(", ")
}

impl Resource<Clouds> for Role {
    type Item = (arm::RoleDefinition, RoleId);

    fn about(&self) -> About {
        About {
            id: self.id,
            title: self.title.clone(),
            why: self.why,
            link: "https://learn.microsoft.com/azure/role-based-access-control/custom-roles-rest",
            permissions: &[AZURE_ROLES],
        }
    }

    fn thing(&self) -> String {
        self.thing.clone()
    }

    async fn find(&self, w: &Clouds, f: &Facts) -> Result<Option<Self::Item>, Fault> {
        let subscription = f.get(USER_SUBSCRIPTION_ID)?;
        Ok(self.search(w, f).await?.map(|role| {
            let id = arm::role_id(subscription.as_ref(), &role.name);
            (role, id)
        }))
    }

    async fn create(&self, w: &Clouds, f: &Facts) -> Result<Made<Self::Item>, Fault> {
        let subscription = f.get(USER_SUBSCRIPTION_ID)?;
        let scope = format!("/subscriptions/{subscription}");
        let role = arm::RoleProperties {
            role_name: f.get(self.name)?.into(),
            kind: "CustomRole".into(),
            description: Some(self.allows.description.into()),
            permissions: vec![arm::Permission {
                actions: self.allows.actions.iter().map(|it| (*it).into()).collect(),
                ..arm::Permission::default()
            }],
            assignable_scopes: vec![scope.clone()],
        };
        let put = arm::put_role(&scope, &self.own_guid(f)?, &role);
        let known = |role: arm::RoleDefinition| {
            let id = arm::role_id(subscription.as_ref(), &role.name);
            (role, id)
        };
        match w.send(&put).await {
            Ok(role) => Ok(Made::New(known(role))),
            Err(error) if error.is("RoleDefinitionWithSameNameExists") => {
                match self.search_wide(w, f).await? {
                    Some(role) => Ok(Made::Already(known(role))),
                    None => Err(error.into()),
                }
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn delete(&self, w: &Clouds, f: &Facts) -> Result<Deleted, Fault> {
        let subscription = format!("/subscriptions/{}", f.get(USER_SUBSCRIPTION_ID)?);
        let role = f.get(self.role)?;
        let guid = leaf(role.as_ref());
        match w.forget(&arm::delete_role(&subscription, guid)).await {
            Ok(_) => Ok(Deleted::Gone),
            Err(error) if error.is("RoleDefinitionHasAssignments") => {
                // Ours was deleted a moment ago and may still count; one of somebody else's counts for good.
                let used = self.used_elsewhere(w, &subscription, guid).await?;
                Ok(if used {
                    Deleted::Kept("it is assigned elsewhere".into())
                } else {
                    Deleted::NotYet("its assignments are still going".into())
                })
            }
            Err(error) => Err(error.into()),
        }
    }

    fn facts(&self, (_, id): &Self::Item) -> Facts {
        Facts::default().with(self.role, id.clone())
    }

    fn maker(&self, (role, _): &Self::Item, f: &Facts) -> Maker {
        match self.own_guid(f) {
            Ok(mine) if role.name.eq_ignore_ascii_case(&mine) => Maker::Run,
            Ok(_) => Maker::Other,
            Err(_) => Maker::Unknown,
        }
    }

    fn settling(&self, error: &ApiError) -> Option<Settling> {
        error
            .is("RoleDefinitionWithSameNameExists")
            .then(|| settle("a role of this name exists but does not show yet", 1))
    }

    async fn look(&self, w: &Clouds, f: &Facts) -> Result<Look, Fault> {
        let role = f.get(self.role)?;
        Ok(match self.now(w, f, leaf(role.as_ref())).await? {
            None => Look::Missing,
            Some(role) if allows_just(&role.properties.permissions, self.allows.actions) => {
                Look::Present(role.properties.role_name)
            }
            Some(role) => Look::Changed {
                says: format!("allows {}", listed(&role.properties.permissions)),
                todo: format!("set its actions back to {}", self.allows.actions.join(", ")),
            },
        })
    }

    fn shell(&self, f: &Facts) -> Result<Shell, Missing> {
        let (name, subscription) = (f.get(self.name)?, f.get(USER_SUBSCRIPTION_ID)?);
        // Read by the function.
        f.get(USER_TENANT_ID)?;
        let actions = self.allows.actions.join("\", \"");
        let actions = format!("[\"{actions}\"]");
        let escaped = actions.replace('"', "\\\"");
        let json = format!(
            "\"{{\\\"Name\\\": \\\"$(json_text \"{name}\")\\\", \\\"Description\\\": \\\"{}\\\", \\\"Actions\\\": {escaped}, \\\"AssignableScopes\\\": [\\\"/subscriptions/{subscription}\\\"]}}\"",
            self.allows.description,
        );
        let role = f.get(self.role)?;
        Ok(Shell {
            find: Some(call("find_role").arg(name).arg(actions).prints(self.role)),
            create: vec![
                az("role definition create")
                    .opt_bash("--role-definition", json)
                    .opt("--subscription", subscription.as_ref())
                    .yields(self.role, "id"),
            ],
            delete: vec![
                call("delete_unless_used")
                    .arg(role.as_ref())
                    .arg("")
                    .flag("az role definition delete")
                    .opt_bash("--name", format!("\"$(basename \"{role}\")\""))
                    .opt("--scope", format!("/subscriptions/{subscription}"))
                    .opt("--custom-role-only", "true"),
            ],
            functions: vec![FIND_ROLE],
            ..Shell::default()
        })
    }
}

/// A name is taken in the whole tenant, so every subscription of the session is looked through.
const FIND_ROLE: &str = r#"# find_role NAME ACTIONS: the id of the custom role of that name, or of one with just these actions
find_role() {
  local subscriptions subscription id query
  subscriptions=$(az account list --query "[?tenantId=='$USER_TENANT_ID'].id" --output tsv) || return
  for query in "[?roleName==$(jmes "$1")]|[0].id" "[?permissions[0].actions==\`$2\`]|[0].id"; do
    for subscription in $subscriptions; do
      id=$(az role definition list --custom-role-only true --scope "/subscriptions/$subscription" --query "$query" --output tsv) || return
      if [ -n "$id" ]; then
        printf '%s\n' "$id"
        return
      fi
    done
  done
}"#;

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
