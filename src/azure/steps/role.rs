//! Custom roles: looked for by name and by what they allow, made once, and extended to further subscriptions.

use super::{
    AZURE_ROLES,
    assignment::{OWN_ASSIGNMENT, PROVIDER_ASSIGNMENT},
    custom_role::{allows_just, assignable, here, listed, now},
    rights::{assigned_by_others, still_assigned},
    role_scope::RoleScope,
    script::DELETE_UNLESS_USED,
    settle,
};
use crate::{
    azure::{
        Cx, Fault, arm,
        keys::{
            GUID_READS, ROLE_NAME, RoleId, Side, Text, USER_ROLE_ID, USER_ROLE_NAME,
            USER_SUBSCRIPTION_ID, USER_TENANT_ID, USER_VNET_ID, guid,
        },
    },
    clouds::Clouds,
    engine::{
        About, Definition, Deleted, Ensure, Known, Look, Made, Maker, Refusal, Scope, Settling,
    },
    fact::{Facts, Key, Missing, Named},
    http::ApiError,
    keys,
    net::{covers, leaf},
    shell::{self, Helper, Shell, az, call, helpers},
    text,
};
use async_trait::async_trait;

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
    /// The step that assigns it in this run.
    assignment: &'static str,
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
            assignment: PROVIDER_ASSIGNMENT,
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
            assignment: OWN_ASSIGNMENT,
        }
    }

    /// Whether the role is there and may be assigned on the VNet, so that none has to be defined.
    ///
    /// # Errors
    /// What Azure said.
    pub async fn is_here(&self, w: &Clouds, f: &Facts) -> Result<bool, Fault> {
        let vnet = f.get(USER_VNET_ID)?;
        let role = self.search(w, f).await?;
        Ok(role.is_some_and(|role| assignable(&role, &vnet.to_string())))
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
            of: self.id,
            role: self.role,
            actions: self.allows.actions,
            assignment: self.assignment,
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
        let here = f.get(USER_VNET_ID)?.to_string();
        let rank = |role: &arm::RoleDefinition| {
            (
                !role.name.eq_ignore_ascii_case(&mine),
                !named(role),
                !assignable(role, &here),
            )
        };
        Ok(fitting.into_iter().min_by_key(rank))
    }

    async fn search(&self, w: &Clouds, f: &Facts) -> Result<Option<arm::RoleDefinition>, Fault> {
        let subscription = here(f)?;
        let roles = w.list(&arm::custom_roles(&subscription)).await?;
        if let Some(role) = self.choose(f, roles)? {
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

    fn known(&self, f: &Facts, role: arm::RoleDefinition) -> Result<Known, Missing> {
        let maker = if role.name.eq_ignore_ascii_case(&self.own_guid(f)?) {
            Maker::Run
        } else {
            Maker::Other("its id is not this run's".into())
        };
        let id = arm::role_id(f.get(USER_SUBSCRIPTION_ID)?.as_ref(), &role.name);
        let facts = Facts::default().with(self.role, id.clone());
        Ok(Known::new(facts, maker).called(role.properties.role_name, id))
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

impl Definition<Clouds> for Role {
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

    fn scope(&self) -> Scope {
        Scope::Shared
    }

    fn reads(&self) -> Vec<Named> {
        let mut reads = keys![self.name, USER_SUBSCRIPTION_ID, USER_TENANT_ID];
        reads.extend(GUID_READS);
        reads
    }

    fn gives(&self) -> Vec<Named> {
        keys![self.role]
    }

    fn settling(&self, error: &ApiError) -> Option<Settling> {
        error
            .is("RoleDefinitionWithSameNameExists")
            .then(|| settle("a role of this name exists but does not show yet", 1))
    }

    fn shell(&self) -> Shell {
        let actions = format!("[\"{}\"]", self.allows.actions.join("\", \""));
        let mut just: Vec<String> = self
            .allows
            .actions
            .iter()
            .map(|it| it.to_lowercase())
            .collect();
        just.sort();
        let json = text![
            "{\"Name\": \"",
            shell::Text::call(&helpers::JSON_TEXT, [self.name.into()]),
            format!(
                "\", \"Description\": \"{}\", \"Actions\": {actions}, \"AssignableScopes\": [\"/subscriptions/",
                self.allows.description
            ),
            USER_SUBSCRIPTION_ID,
            "\"]}"
        ];
        let name = shell::Text::call(&helpers::BASENAME, [self.role.into()]);
        Shell {
            find: Some(
                call(&FIND_ROLE)
                    .arg(self.name)
                    .arg(just.join(" "))
                    .prints(self.role),
            ),
            create: vec![
                az("role definition create")
                    .opt("--role-definition", json)
                    .opt("--subscription", USER_SUBSCRIPTION_ID)
                    .yields(self.role, "id"),
            ],
            delete: vec![
                call(&DELETE_UNLESS_USED).arg(self.role).arg("").running(
                    az("role definition delete")
                        .opt("--name", name)
                        .opt("--scope", text!["/subscriptions/", USER_SUBSCRIPTION_ID])
                        .opt("--custom-role-only", "true"),
                ),
            ],
            ..Shell::default()
        }
    }
}

#[async_trait(?Send)]
impl Ensure<Clouds> for Role {
    async fn find(&self, cx: &mut Cx<'_>) -> Result<Option<Known>, Fault> {
        let found = self.search(cx.world, &cx.facts).await?;
        Ok(found.map(|role| self.known(&cx.facts, role)).transpose()?)
    }

    async fn create(&self, cx: &mut Cx<'_>) -> Result<Made, Fault> {
        let (w, f) = (cx.world, &cx.facts);
        let scope = here(f)?;
        let role = arm::RoleProperties {
            role_name: f.get(self.name)?.into(),
            kind: "CustomRole".into(),
            description: Some(self.allows.description.into()),
            permissions: vec![arm::Permission {
                actions: self.allows.actions.iter().map(|it| (*it).into()).collect(),
                ..arm::Permission::default()
            }],
            assignable_scopes: vec![scope.clone()],
            updated_on: None,
        };
        let put = arm::put_role(&scope, &self.own_guid(f)?, &role);
        match w.send(&put).await {
            Ok(role) => Ok(Made::New(self.known(f, role)?)),
            Err(error) if error.is("RoleDefinitionWithSameNameExists") => {
                match self.search_wide(w, f).await? {
                    Some(role) => Ok(Made::Already(self.known(f, role)?)),
                    None => Err(error.into()),
                }
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn remains(&self, cx: &mut Cx<'_>) -> Result<Option<Known>, Fault> {
        let (w, f) = (cx.world, &cx.facts);
        let own = self.own_guid(f)?;
        let mut role = now(w, f, &own).await?;
        // The run's file may name another, which is told of and left.
        let named = f.get(self.role).ok();
        if let Some(id) =
            named.filter(|id| role.is_none() && !own.eq_ignore_ascii_case(leaf(id.as_ref())))
        {
            role = now(w, f, leaf(id.as_ref())).await?;
        }
        Ok(role.map(|role| self.known(f, role)).transpose()?)
    }

    async fn needed(&self, cx: &mut Cx<'_>) -> Result<Option<String>, Fault> {
        let (w, f) = (cx.world, &cx.facts);
        let (guid, here) = (self.own_guid(f)?, here(f)?);
        let role = now(w, f, &guid).await?;
        let scopes = role.map(|role| role.properties.assignable_scopes);
        let elsewhere = |scope: &String| !covers(&here, scope);
        let used = scopes.unwrap_or_default().iter().any(elsewhere)
            || assigned_by_others(w, f, (&here, &guid), self.assignment).await?;
        Ok(used.then(|| "it is assigned elsewhere".into()))
    }

    async fn delete(&self, cx: &mut Cx<'_>) -> Result<Deleted, Fault> {
        let (guid, here) = (self.own_guid(&cx.facts)?, here(&cx.facts)?);
        match cx.world.forget(&arm::delete_role(&here, &guid)).await {
            Ok(_) => Ok(Deleted::Gone),
            // Ours was deleted a moment ago and may still count; whether there is another is asked before the next try.
            Err(error) if error.is("RoleDefinitionHasAssignments") => {
                let left = still_assigned(cx.world, &here, &guid).await?;
                Ok(left.map_or_else(
                    || Deleted::NotYet("its assignments are still going".into()),
                    |it| Deleted::Kept(format!("it is still assigned: {it}")),
                ))
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn look(&self, cx: &mut Cx<'_>) -> Result<Look, Fault> {
        let role = cx.facts.get(self.role)?;
        Ok(match now(cx.world, &cx.facts, leaf(role.as_ref())).await? {
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
}

/// A name is taken in the whole tenant, so every subscription of the session is looked through.
static FIND_ROLE: Helper = Helper::new("find_role", r#"# find_role NAME ACTIONS: the id of the custom role of that name, which has to allow just these actions and nothing on data
find_role() {
  local subscriptions subscription found actions
  subscriptions=$(az account list --query "[?tenantId==$(jmes "$USER_TENANT_ID")].id" --output tsv) || return
  for subscription in $subscriptions; do
    found=$(az role definition list --custom-role-only true --scope "/subscriptions/$subscription" --query "[?roleName==$(jmes "$1")].join('|', [id, to_string(length(permissions)), join(' ', permissions[].notActions[]), join(' ', permissions[].dataActions[]), join(' ', permissions[].actions[])])|[0]" --output tsv) || return
    if [ -n "$found" ]; then
      actions=$(printf '%s\n' "${found##*|}" | tr ' [:upper:]' '\n[:lower:]' | LC_ALL=C sort | tr '\n' ' ')
      found=${found%|*}
      [ "${found#*|}|${actions% }" = "1|||$2" ] || fail "the role $1 exists and allows something else; choose another name with --role-name"
      printf '%s\n' "${found%%|*}"
      return
    fi
  done
}"#)
    .reading(&[USER_TENANT_ID.named()])
    .needing(&[&helpers::FAIL, &helpers::JMES]);
