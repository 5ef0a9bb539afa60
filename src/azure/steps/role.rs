//! Custom roles: looked for by name and by what they allow, made once, and extended to further subscriptions.

use super::{
    AZURE_ROLES,
    assignment::{OWN_ASSIGNMENT, PROVIDER_ASSIGNMENT},
    custom_role::{allows_just, assignable, here, listed, now},
    rights::{assigned_by_others, still_assigned},
    role_scope::RoleScope,
    script::DELETE_UNLESS_USED,
};
use crate::{
    azure::{
        Cx, Fault, arm, graph,
        keys::{
            GUID_READS, ROLE_NAME, RoleId, Side, Text, USER_ROLE_ID, USER_ROLE_NAME,
            USER_SUBSCRIPTION_ID, USER_TENANT_ID, USER_VNET_ID, guid,
        },
    },
    clouds::{Clouds, Realm},
    engine::{About, Definition, Deleted, Ensure, Known, Look, Made, Maker, Refusal, Scope},
    fact::{Facts, Key, Missing, Named},
    keys,
    net::{covers, leaf},
    shell::{self, Helper, Shell, az, call, helpers},
    text,
};
use async_trait::async_trait;
use std::{rc::Rc, time::Duration};

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
    /// What it is called where nobody chose its name; nothing where nobody can.
    usual: Option<&'static str>,
    /// The step that assigns it in this run.
    assignment: &'static str,
}

const TAKEN: &str = "RoleDefinitionWithSameNameExists";
/// How long, and how often at the least, a role is looked for whose name is taken.
const SHOWS_WITHIN: Duration = Duration::from_secs(60);
const LOOKS: u32 = 5;

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
            usual: None,
            assignment: PROVIDER_ASSIGNMENT,
        }
    }

    /// The same, called `name` where the person does not choose.
    #[must_use]
    pub fn usually(mut self, name: &'static str) -> Self {
        self.usual = Some(name);
        self
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
            usual: None,
            assignment: OWN_ASSIGNMENT,
        }
    }

    /// Whether the role is there and may be assigned on the VNet, so that none has to be defined; `first` as for its search.
    ///
    /// # Errors
    /// What Azure said.
    pub async fn is_here(&self, w: &Clouds, f: &Facts, first: bool) -> Result<bool, Fault> {
        let vnet = f.get(USER_VNET_ID)?;
        let role = self.search(w, f, first).await?;
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

    /// What the role of this name is called in a tenant where the name is taken by one that cannot be seen.
    fn other_name(name: &str, f: &Facts) -> Result<String, Missing> {
        let subscription = f.get(USER_SUBSCRIPTION_ID)?.to_string();
        let first: String = subscription.chars().take(8).collect();
        Ok(format!("{name} {first}"))
    }

    /// Whether a person chose the name.
    fn name_is_chosen(&self, f: &Facts) -> Result<bool, Missing> {
        let name = f.get(self.name)?;
        let Some(usual) = self.usual else {
            return Ok(false);
        };
        Ok(name.as_ref() != usual && name.as_ref() != Self::other_name(usual, f)?)
    }

    fn fits(&self, role: &arm::RoleDefinition) -> bool {
        allows_just(&role.properties.permissions, self.allows.actions)
    }

    /// The roles among these that may be the one, best first: by name, else by what they allow. Those that have the name and
    /// allow something else come before all.
    fn candidates(
        &self,
        f: &Facts,
        roles: &[arm::RoleDefinition],
    ) -> Result<Vec<arm::RoleDefinition>, Missing> {
        let (name, mine) = (f.get(self.name)?, self.own_guid(f)?);
        let here = f.get(USER_VNET_ID)?.to_string();
        let chosen = self.name_is_chosen(f)?;
        let called = |role: &arm::RoleDefinition| role.properties.role_name == name.as_ref();
        let named = |role: &arm::RoleDefinition| {
            let has = role.properties.role_name.as_str();
            called(role) || self.allows.other_names.contains(&has)
        };
        let may_be = |role: &&arm::RoleDefinition| {
            if role.properties.kind == "BuiltInRole" {
                return false;
            }
            // Who chooses a name does so to have nothing to do with a role of another, unless it is of use as it is.
            let wanted = || !chosen || called(role) || assignable(role, &here);
            if self.fits(role) {
                wanted()
            } else {
                called(role)
            }
        };
        let mut all: Vec<_> = roles.iter().filter(may_be).cloned().collect();
        all.sort_by_key(|role| {
            (
                self.fits(role),
                !role.name.eq_ignore_ascii_case(&mine),
                !named(role),
                !assignable(role, &here),
            )
        });
        Ok(all)
    }

    /// The best of the roles that are listed at `scope`. A list goes on showing roles that were deleted, so each is read by
    /// its id before it counts.
    ///
    /// # Errors
    /// When a role of the name allows something else.
    async fn choose(
        &self,
        w: &Clouds,
        f: &Facts,
        scope: &str,
        roles: &[arm::RoleDefinition],
    ) -> Result<Option<arm::RoleDefinition>, Fault> {
        for listed in self.candidates(f, roles)? {
            let role = match scope {
                "" => now(w, &here(f)?, &listed.name).await?,
                scope => w.look(&arm::role(scope, &listed.name)).await?,
            };
            let Some(role) = role else { continue };
            if self.fits(&role) {
                return Ok(Some(role));
            }
            self.not_taken(f, &role)?;
        }
        Ok(None)
    }

    /// # Errors
    /// When this role, which allows something else, has the name.
    fn not_taken(&self, f: &Facts, role: &arm::RoleDefinition) -> Result<(), Fault> {
        let name = f.get(self.name)?;
        if role.properties.role_name != name.as_ref() {
            return Ok(());
        }
        let allows = listed(&role.properties.permissions);
        Err(Fault::Refused(
            Refusal::new(format!(
                "the role `{name}` exists and allows other actions ({allows})"
            ))
            .hint("choose another name with `--role-name`"),
        ))
    }

    /// The role as it is; on a `first` run none has this run's id.
    async fn search(
        &self,
        w: &Clouds,
        f: &Facts,
        first: bool,
    ) -> Result<Option<arm::RoleDefinition>, Fault> {
        let here = here(f)?;
        // The lists lag behind; the id does not.
        if !first && let Some(role) = now(w, &here, &self.own_guid(f)?).await? {
            if !self.fits(&role) {
                self.not_taken(f, &role)?;
            }
            return Ok(Some(role));
        }
        // Names are taken in the whole tenant. Who may not see its roles sees those of the subscription.
        for scope in ["", &here] {
            let roles = seen(w, scope).await?;
            if let Some(role) = self.choose(w, f, scope, &roles).await? {
                return Ok(Some(role));
            }
            if !roles.is_empty() {
                break;
            }
        }
        Ok(None)
    }

    fn known(&self, f: &Facts, role: arm::RoleDefinition) -> Result<Known, Missing> {
        let maker = if role.name.eq_ignore_ascii_case(&self.own_guid(f)?) {
            Maker::Run
        } else {
            Maker::Other("its id is not this run's".into())
        };
        let id = arm::role_id(f.get(USER_SUBSCRIPTION_ID)?.as_ref(), &role.name);
        let mut facts = Facts::default().with(self.role, id.clone());
        let name = role.properties.role_name;
        // It may be called otherwise than was asked for.
        let asked = f.get(self.name)?;
        if maker == Maker::Run && !name.is_empty() && name != asked.as_ref() {
            facts.set(self.name, name.as_str());
        }
        Ok(Known::new(facts, maker).called(name, id))
    }

    /// Looks through every subscription that can be seen: for a name that is taken and in neither list.
    async fn search_wide(
        &self,
        w: &Clouds,
        f: &Facts,
    ) -> Result<Option<arm::RoleDefinition>, Fault> {
        for subscription in w.list(&arm::subscriptions()).await? {
            let scope = format!("/subscriptions/{}", subscription.subscription_id);
            let roles = list(w, &scope).await?;
            if let Some(role) = self.choose(w, f, &scope, &roles).await? {
                return Ok(Some(role));
            }
        }
        Ok(None)
    }

    fn properties(&self, name: &str, scope: &str) -> arm::RoleProperties {
        arm::RoleProperties {
            role_name: name.into(),
            kind: "CustomRole".into(),
            description: Some(self.allows.description.into()),
            permissions: vec![arm::Permission {
                actions: self.allows.actions.iter().map(|it| (*it).into()).collect(),
                ..arm::Permission::default()
            }],
            assignable_scopes: vec![scope.into()],
            ..arm::RoleProperties::default()
        }
    }
}

/// The custom roles that can be seen at `scope`; none where that may not be asked. What cannot be read is none of ours.
async fn list(w: &Clouds, scope: &str) -> Result<Vec<arm::RoleDefinition>, Fault> {
    match w.list(&arm::custom_roles(scope)).await {
        Ok(roles) => Ok(roles.into_iter().filter_map(|role| role.0).collect()),
        Err(error) if matches!(error.status, Some(403 | 404)) => Ok(Vec::new()),
        Err(error) => Err(error.into()),
    }
}

/// When a role was made, as the end of a sentence.
fn made_on(role: &arm::RoleDefinition) -> String {
    let on = role.properties.created_on.as_deref().unwrap_or_default();
    let (day, _) = on.split_once('T').unwrap_or_default();
    if day.is_empty() {
        String::new()
    } else {
        format!(" on {day}")
    }
}

/// Who an object id stands for. A name is a help and no more, so that a look that fails leaves the id.
async fn author_of(w: &Clouds, id: Option<String>) -> String {
    let Some(id) = id.filter(|id| !id.is_empty()) else {
        return "somebody whom Azure does not tell".into();
    };
    let note = format!("who is {id}");
    if let Some(said) = w.noted::<String>(&note) {
        return said.to_string();
    }
    let found = w.look(&graph::directory_object(&id)).await;
    let name = found.ok().flatten().and_then(|it| it.display_name);
    let said = match name {
        Some(name) => format!("`{name}` ({id})"),
        None => id,
    };
    w.note(note, said).to_string()
}

/// The same, listed once: a tenant may have thousands.
async fn seen(w: &Clouds, scope: &str) -> Result<Rc<Vec<arm::RoleDefinition>>, Fault> {
    let name = format!("custom roles at {scope}");
    if let Some(roles) = w.noted(&name) {
        return Ok(roles);
    }
    let roles = list(w, scope).await?;
    Ok(w.note(name, roles))
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

    fn part(&self) -> Realm {
        Realm::Azure
    }

    fn reads(&self) -> Vec<Named> {
        let mut reads = keys![self.name, USER_SUBSCRIPTION_ID, USER_TENANT_ID];
        reads.extend(GUID_READS);
        reads
    }

    fn gives(&self) -> Vec<Named> {
        keys![self.role]
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
        let Some(role) = self.search(cx.world, &cx.facts, cx.is_first()).await? else {
            return Ok(None);
        };
        let author = role.properties.created_by.clone();
        let made = made_on(&role);
        let mut known = self.known(&cx.facts, role)?;
        if known.maker != Maker::Run {
            let by = author_of(cx.world, author).await;
            known.says = format!("`{}` allows just that; made by {by}{made}", known.name);
        }
        Ok(Some(known))
    }

    async fn create(&self, cx: &mut Cx<'_>) -> Result<Made, Fault> {
        let (scope, own) = (here(&cx.facts)?, self.own_guid(&cx.facts)?);
        let mut name = cx.facts.get(self.name)?.to_string();
        let mut other = if self.name_is_chosen(&cx.facts)? {
            None
        } else {
            let usual = self.usual.unwrap_or(&name);
            Some(Self::other_name(usual, &cx.facts)?).filter(|other| *other != name)
        };
        let (mut looks, mut began) = (0, cx.elapsed());
        loop {
            let put = arm::put_role(&scope, &own, &self.properties(&name, &scope));
            let error = match cx.world.send(&put).await {
                Ok(role) => return Ok(Made::New(self.known(&cx.facts, role)?)),
                Err(error) if error.is(TAKEN) => error,
                Err(error) => return Err(error.into()),
            };
            if let Some(role) = self.search_wide(cx.world, &cx.facts).await? {
                return Ok(Made::Already(self.known(&cx.facts, role)?));
            }
            looks += 1;
            if looks < LOOKS || cx.elapsed() < began + cx.scaled(SHOWS_WITHIN) {
                let because = "a role of this name exists but does not show yet";
                cx.settling(because, Duration::MAX).await?;
                continue;
            }
            let Some(another) = other.take() else {
                return Err(error.into());
            };
            let because = format!(
                "the name `{name}` is taken by a role that cannot be seen from here, so this one is called `{another}`"
            );
            cx.settling(&because, Duration::MAX).await?;
            name = another;
            (looks, began) = (0, cx.elapsed());
        }
    }

    async fn remains(&self, cx: &mut Cx<'_>) -> Result<Option<Known>, Fault> {
        let (w, f) = (cx.world, &cx.facts);
        let own = self.own_guid(f)?;
        let mut role = now(w, &here(f)?, &own).await?;
        // The run's file may name another, which is told of and left.
        let named = f.get(self.role).ok();
        if let Some(id) =
            named.filter(|id| role.is_none() && !own.eq_ignore_ascii_case(leaf(id.as_ref())))
        {
            role = now(w, &here(f)?, leaf(id.as_ref())).await?;
        }
        Ok(role.map(|role| self.known(f, role)).transpose()?)
    }

    async fn needed(&self, cx: &mut Cx<'_>) -> Result<Option<String>, Fault> {
        let (w, f) = (cx.world, &cx.facts);
        let (guid, here) = (self.own_guid(f)?, here(f)?);
        let role = now(w, &here, &guid).await?;
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
        let (role, here) = (cx.facts.get(self.role)?, here(&cx.facts)?);
        Ok(match now(cx.world, &here, leaf(role.as_ref())).await? {
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
      actions=$(printf '%s\n' "${found##*|}" | tr ' ' '\n' | awk '{ print tolower($0) }' | LC_ALL=C sort | tr '\n' ' ')
      found=${found%|*}
      [ "${found#*|}|${actions% }" = "1|||$2" ] || fail "the role $1 exists and allows something else; choose another name with --role-name"
      printf '%s\n' "${found%%|*}"
      return
    fi
  done
}"#)
    .reading(&[USER_TENANT_ID.named()])
    .needing(&[&helpers::FAIL, &helpers::JMES]);
