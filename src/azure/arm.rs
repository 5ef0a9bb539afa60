//! Azure Resource Manager: subscriptions, virtual networks and their peerings, roles.

use super::keys::RoleId;
use crate::{
    clouds::Page,
    http::{Call, Service::Arm, segment},
    net::{Ranges, VnetId, leaf, overlaps},
};
use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::{Value, json, value::RawValue};

const SUBSCRIPTIONS: &str = "2022-12-01";
const NETWORK: &str = "2024-07-01";
const AUTHORIZATION: &str = "2022-04-01";

/// A subscription.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Subscription {
    /// Its id, a GUID.
    pub subscription_id: String,
    /// What people call it.
    #[serde(default)]
    pub display_name: String,
    /// The tenant it belongs to.
    #[serde(default)]
    pub tenant_id: Option<String>,
    /// `Enabled` when it can be used.
    #[serde(default)]
    pub state: Option<String>,
}

/// A virtual network.
#[derive(Clone, Debug, Deserialize)]
pub struct Vnet {
    /// Its resource id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its region.
    #[serde(default)]
    pub location: String,
    /// The rest.
    #[serde(default)]
    pub properties: VnetProperties,
}

/// What a virtual network is like.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct VnetProperties {
    /// `Succeeded` when it is at rest.
    pub provisioning_state: String,
    /// Its address ranges.
    pub address_space: AddressSpace,
    /// Its halves of peerings.
    pub virtual_network_peerings: Vec<Peering>,
}

/// Address ranges.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AddressSpace {
    /// In CIDR notation.
    pub address_prefixes: Vec<String>,
}

/// One half of a peering.
#[derive(Clone, Debug, Deserialize)]
pub struct Peering {
    /// Its resource id.
    #[serde(default)]
    pub id: String,
    /// Its name.
    #[serde(default)]
    pub name: String,
    /// The rest.
    #[serde(default)]
    pub properties: PeeringProperties,
}

/// What a peering is like.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PeeringProperties {
    /// `Initiated`, `Connected` or `Disconnected`.
    pub peering_state: String,
    /// `FullyInSync`, or which side's ranges have changed since.
    pub peering_sync_level: Option<String>,
    /// `Succeeded` when it is at rest.
    pub provisioning_state: String,
    /// The other network.
    pub remote_virtual_network: Option<Reference>,
    /// The other network's ranges, as peered.
    pub remote_address_space: Option<AddressSpace>,
    /// The other network's ranges, as they are.
    pub remote_virtual_network_address_space: Option<AddressSpace>,
}

/// A reference to a resource.
#[derive(Clone, Debug, Deserialize)]
pub struct Reference {
    /// Its resource id.
    #[serde(default)]
    pub id: String,
}

impl Peering {
    /// The other network's id.
    #[must_use]
    pub fn remote(&self) -> &str {
        self.properties
            .remote_virtual_network
            .as_ref()
            .map_or("", |remote| &remote.id)
    }

    /// The other network's ranges.
    #[must_use]
    pub fn remote_ranges(&self) -> Vec<&str> {
        let PeeringProperties {
            remote_address_space,
            remote_virtual_network_address_space,
            ..
        } = &self.properties;
        let mut ranges: Vec<&str> = [remote_address_space, remote_virtual_network_address_space]
            .into_iter()
            .flatten()
            .flat_map(|space| &space.address_prefixes)
            .map(String::as_str)
            .collect();
        ranges.sort_unstable();
        ranges.dedup();
        ranges
    }

    /// Whether it may lead to a network with this range, as far as both are known. Azure keeps two networks with the same
    /// addresses from being peered with one, so that no addresses in common mean another network.
    #[must_use]
    pub fn may_lead_to(&self, range: Option<&Ranges>) -> bool {
        let (theirs, range) = (
            self.remote_ranges(),
            range.map(Ranges::texts).unwrap_or_default(),
        );
        theirs.is_empty() || range.is_empty() || !overlaps(&theirs, &range).is_empty()
    }

    /// Whether the other side has gone.
    #[must_use]
    pub fn is_dead(&self) -> bool {
        self.properties
            .peering_state
            .eq_ignore_ascii_case("Disconnected")
    }
}

/// An item of a list in which some may be odd: nothing where it has another form than the API describes. For lists that
/// are searched for one of our own.
#[derive(Clone, Debug)]
pub struct Lenient<T>(pub Option<T>);

impl<'de, T: DeserializeOwned> Deserialize<'de> for Lenient<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let item = <Box<RawValue>>::deserialize(deserializer)?;
        Ok(Self(serde_json::from_str(item.get()).ok()))
    }
}

/// Azure says null where it has nothing to say.
fn or_nothing<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: Default + Deserialize<'de>,
    D: Deserializer<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// A role definition.
#[derive(Clone, Debug, Deserialize)]
pub struct RoleDefinition {
    /// Its GUID.
    pub name: String,
    /// The rest.
    pub properties: RoleProperties,
}

/// What a role allows, and where.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RoleProperties {
    /// What people call it.
    #[serde(deserialize_with = "or_nothing")]
    pub role_name: String,
    /// `CustomRole` or `BuiltInRole`.
    #[serde(rename = "type", deserialize_with = "or_nothing")]
    pub kind: String,
    /// What it is for.
    pub description: Option<String>,
    /// What it allows.
    #[serde(deserialize_with = "or_nothing")]
    pub permissions: Vec<Permission>,
    /// Where it may be assigned.
    #[serde(deserialize_with = "or_nothing")]
    pub assignable_scopes: Vec<String>,
    /// When it was last changed, RFC 3339.
    pub updated_on: Option<String>,
    /// When it was made, RFC 3339.
    pub created_on: Option<String>,
    /// The object id of who made it.
    pub created_by: Option<String>,
}

/// Actions, with `*` for any text; an action counts when it is allowed and not taken back by the same entry.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Permission {
    /// Allowed.
    #[serde(deserialize_with = "or_nothing")]
    pub actions: Vec<String>,
    /// Taken back.
    #[serde(deserialize_with = "or_nothing")]
    pub not_actions: Vec<String>,
    /// Allowed on data.
    #[serde(deserialize_with = "or_nothing")]
    pub data_actions: Vec<String>,
    /// Taken back on data.
    #[serde(deserialize_with = "or_nothing")]
    pub not_data_actions: Vec<String>,
}

impl Permission {
    /// Whether it allows `action`.
    #[must_use]
    pub fn allows(&self, action: &str) -> bool {
        let any = |patterns: &[String]| patterns.iter().any(|pattern| matches(pattern, action));
        any(&self.actions) && !any(&self.not_actions)
    }
}

/// Whether `pattern`, in which `*` stands for any text, matches `action`, whatever their case.
fn matches(pattern: &str, action: &str) -> bool {
    let action = action.to_lowercase();
    let pattern = pattern.to_lowercase();
    let Some((first, rest)) = pattern.split_once('*') else {
        return pattern == action;
    };
    let Some(mut left) = action.strip_prefix(first) else {
        return false;
    };
    let mut parts = rest.split('*').peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return left.ends_with(part);
        }
        match left.find(part) {
            Some(at) => left = &left[at + part.len()..],
            None => return false,
        }
    }
    true
}

/// A role assignment.
#[derive(Clone, Debug, Deserialize)]
pub struct RoleAssignment {
    /// Its resource id.
    pub id: String,
    /// Its GUID.
    pub name: String,
    /// The rest.
    pub properties: AssignmentProperties,
}

/// Who may do what where.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AssignmentProperties {
    /// The role.
    #[serde(deserialize_with = "or_nothing")]
    pub role_definition_id: String,
    /// The principal.
    #[serde(deserialize_with = "or_nothing")]
    pub principal_id: String,
    /// Where.
    #[serde(deserialize_with = "or_nothing")]
    pub scope: String,
}

impl RoleAssignment {
    /// Whether it is one of the role with this GUID.
    #[must_use]
    pub fn is_of(&self, role: &str) -> bool {
        leaf(&self.properties.role_definition_id).eq_ignore_ascii_case(role)
    }
}

/// How an operation that goes on after its answer stands.
#[derive(Clone, Debug, Deserialize)]
pub struct Operation {
    /// `InProgress`, `Succeeded`, `Failed` or `Canceled`.
    pub status: String,
    /// Why it failed.
    #[serde(default)]
    pub error: Option<OperationError>,
}

/// Why an operation failed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct OperationError {
    /// Azure's code.
    pub code: String,
    /// Azure's words.
    pub message: String,
}

fn call<T>(path: String, version: &str) -> Call<T> {
    Call::get(Arm, path).query("api-version", version)
}

fn vnet_path(vnet: &VnetId) -> String {
    scope_path(&vnet.to_string())
}

/// A scope as a path: each segment encoded.
fn scope_path(scope: &str) -> String {
    scope
        .trim_end_matches('/')
        .split('/')
        .map(segment)
        .collect::<Vec<_>>()
        .join("/")
}

/// <https://learn.microsoft.com/rest/api/resources/subscriptions/list>
#[must_use]
pub fn subscriptions() -> Call<Page<Subscription>> {
    call("/subscriptions".into(), SUBSCRIPTIONS)
}

/// <https://learn.microsoft.com/rest/api/resources/subscriptions/get>
#[must_use]
pub fn subscription(id: &str) -> Call<Subscription> {
    call(format!("/subscriptions/{}", segment(id)), SUBSCRIPTIONS)
}

/// <https://learn.microsoft.com/rest/api/virtualnetwork/virtual-networks/list-all>
#[must_use]
pub fn vnets(subscription: &str) -> Call<Page<Vnet>> {
    let path = format!(
        "/subscriptions/{}/providers/Microsoft.Network/virtualNetworks",
        segment(subscription)
    );
    call(path, NETWORK)
}

/// <https://learn.microsoft.com/rest/api/virtualnetwork/virtual-networks/get>
#[must_use]
pub fn vnet(id: &VnetId) -> Call<Vnet> {
    call(vnet_path(id), NETWORK)
}

/// <https://learn.microsoft.com/rest/api/virtualnetwork/virtual-network-peerings/list>
#[must_use]
pub fn peerings(id: &VnetId) -> Call<Page<Peering>> {
    call(format!("{}/virtualNetworkPeerings", vnet_path(id)), NETWORK)
}

fn peering_path(id: &VnetId, name: &str) -> String {
    format!("{}/virtualNetworkPeerings/{}", vnet_path(id), segment(name))
}

/// <https://learn.microsoft.com/rest/api/virtualnetwork/virtual-network-peerings/get>
#[must_use]
pub fn peering(id: &VnetId, name: &str) -> Call<Peering> {
    call(peering_path(id, name), NETWORK)
}

/// <https://learn.microsoft.com/rest/api/virtualnetwork/virtual-network-peerings/create-or-update>
#[must_use]
pub fn put_peering(id: &VnetId, name: &str, remote: &str) -> Call<Peering> {
    let body = json!({ "properties": {
        "remoteVirtualNetwork": { "id": remote },
        "allowVirtualNetworkAccess": true,
        "allowForwardedTraffic": false,
        "allowGatewayTransit": false,
        "useRemoteGateways": false,
    } });
    Call::put(Arm, peering_path(id, name), body).query("api-version", NETWORK)
}

/// <https://learn.microsoft.com/rest/api/virtualnetwork/virtual-network-peerings/delete>
#[must_use]
pub fn delete_peering(id: &VnetId, name: &str) -> Call<Value> {
    Call::delete(Arm, peering_path(id, name)).query("api-version", NETWORK)
}

/// The custom roles that can be seen at `scope`; the empty scope is the tenant.
/// <https://learn.microsoft.com/rest/api/authorization/role-definitions/list>
#[must_use]
pub fn custom_roles(scope: &str) -> Call<Page<Lenient<RoleDefinition>>> {
    let path = format!(
        "{}/providers/Microsoft.Authorization/roleDefinitions",
        scope_path(scope)
    );
    call(path, AUTHORIZATION).query("$filter", "type eq 'CustomRole'")
}

fn role_path(scope: &str, guid: &str) -> String {
    format!(
        "{}/providers/Microsoft.Authorization/roleDefinitions/{}",
        scope_path(scope),
        segment(guid)
    )
}

/// <https://learn.microsoft.com/rest/api/authorization/role-definitions/get>
#[must_use]
pub fn role(scope: &str, guid: &str) -> Call<RoleDefinition> {
    call(role_path(scope, guid), AUTHORIZATION)
}

/// <https://learn.microsoft.com/rest/api/authorization/role-definitions/create-or-update>
#[must_use]
pub fn put_role(scope: &str, guid: &str, role: &RoleProperties) -> Call<RoleDefinition> {
    let RoleProperties {
        role_name,
        kind: _,
        description,
        permissions,
        assignable_scopes,
        updated_on: _,
        created_on: _,
        created_by: _,
    } = role;
    let permissions: Vec<Value> = permissions
        .iter()
        .map(|permission| {
            let Permission {
                actions,
                not_actions,
                data_actions,
                not_data_actions,
            } = permission;
            json!({
                "actions": actions,
                "notActions": not_actions,
                "dataActions": data_actions,
                "notDataActions": not_data_actions,
            })
        })
        .collect();
    let body = json!({ "properties": {
        "roleName": role_name,
        "type": "CustomRole",
        "description": description.as_deref().unwrap_or(""),
        "permissions": permissions,
        "assignableScopes": assignable_scopes,
    } });
    Call::put(Arm, role_path(scope, guid), body).query("api-version", AUTHORIZATION)
}

/// <https://learn.microsoft.com/rest/api/authorization/role-definitions/delete>
#[must_use]
pub fn delete_role(scope: &str, guid: &str) -> Call<Value> {
    Call::delete(Arm, role_path(scope, guid)).query("api-version", AUTHORIZATION)
}

/// The whole id of a role definition as seen from a subscription.
#[must_use]
pub fn role_id(subscription: &str, guid: &str) -> RoleId {
    RoleId::from(format!(
        "/subscriptions/{subscription}/providers/Microsoft.Authorization/roleDefinitions/{guid}"
    ))
}

/// The assignments of one principal at, above and below `scope`, or all of a scope's.
/// <https://learn.microsoft.com/rest/api/authorization/role-assignments/list-for-scope>
#[must_use]
pub fn assignments(scope: &str, principal: Option<&str>) -> Call<Page<RoleAssignment>> {
    let path = format!(
        "{}/providers/Microsoft.Authorization/roleAssignments",
        scope_path(scope)
    );
    let list = call(path, AUTHORIZATION);
    match principal {
        Some(principal) => list.query("$filter", format!("principalId eq '{principal}'")),
        None => list,
    }
}

/// The whole id of a role assignment.
#[must_use]
pub fn assignment_id(scope: &str, guid: &str) -> String {
    format!("{scope}/providers/Microsoft.Authorization/roleAssignments/{guid}")
}

/// <https://learn.microsoft.com/rest/api/authorization/role-assignments/get-by-id>
#[must_use]
pub fn assignment(id: &str) -> Call<RoleAssignment> {
    call(scope_path(id), AUTHORIZATION)
}

/// <https://learn.microsoft.com/rest/api/authorization/role-assignments/create>
#[must_use]
pub fn put_assignment(id: &str, role: &str, principal: &str) -> Call<RoleAssignment> {
    let body = json!({ "properties": {
        "roleDefinitionId": role,
        "principalId": principal,
        "principalType": "ServicePrincipal",
    } });
    Call::put(Arm, scope_path(id), body).query("api-version", AUTHORIZATION)
}

/// <https://learn.microsoft.com/rest/api/authorization/role-assignments/delete>
#[must_use]
pub fn delete_assignment(id: &str) -> Call<Value> {
    Call::delete(Arm, scope_path(id)).query("api-version", AUTHORIZATION)
}

/// What the caller may do at `scope`.
/// <https://learn.microsoft.com/rest/api/authorization/permissions/list-for-resource>
#[must_use]
pub fn permissions(scope: &str) -> Call<Page<Permission>> {
    let path = format!(
        "{}/providers/Microsoft.Authorization/permissions",
        scope_path(scope)
    );
    call(path, AUTHORIZATION)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_match_as_azure_matches_them() {
        let owner = Permission {
            actions: vec!["*".into()],
            ..Permission::default()
        };
        assert!(owner.allows("Microsoft.Authorization/roleAssignments/write"));
        let contributor = Permission {
            actions: vec!["*".into()],
            not_actions: vec!["Microsoft.Authorization/*/Write".into()],
            ..Permission::default()
        };
        assert!(!contributor.allows("Microsoft.Authorization/roleAssignments/write"));
        assert!(contributor.allows("Microsoft.Network/virtualNetworks/read"));
        assert!(matches(
            "Microsoft.*/virtualNetworks/*/action",
            "Microsoft.Network/virtualNetworks/peer/action"
        ));
        assert!(!matches(
            "Microsoft.Network/*/read",
            "Microsoft.Network/virtualNetworks/write"
        ));
    }

    #[test]
    fn an_odd_role_stops_no_list() {
        let page = json!({ "value": [
            { "name": "a", "properties": { "roleName": null, "permissions": null, "assignableScopes": null } },
            { "name": null, "properties": null },
            { "name": "b", "properties": { "roleName": ["x"] } },
            "c",
            { "name": "d", "properties": { "roleName": "D", "permissions": [{ "actions": ["x"], "notActions": null }] } },
        ] });
        let page: Page<Lenient<RoleDefinition>> = serde_json::from_value(page).expect("a page");
        let names = page.value.into_iter().filter_map(|it| it.0);
        let names: Vec<String> = names.map(|role| role.name).collect();
        assert_eq!(names, ["a", "d"]);
    }

    #[test]
    fn odd_names_stay_in_their_segment() {
        let vnet = VnetId {
            subscription: "s".into(),
            resource_group: "Rg (é)".into(),
            name: "v".into(),
        };
        assert!(
            peering(&vnet, "p")
                .path
                .contains("/resourceGroups/Rg%20%28%C3%A9%29/")
        );
    }
}
