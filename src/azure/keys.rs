//! The facts of the Azure side. Their names are the variables of the providers' guides, in upper case.

use crate::{
    fact::{Facts, Key, Missing, Secret},
    text_types,
};
use uuid::Uuid;

text_types! {
    /// An application (client) id: what signs in, and what a principal is made for.
    AppId,
    /// The object id of an application registration.
    AppObjectId,
    /// The object id of a service principal: what roles are assigned to.
    PrincipalId,
    /// The id of an Entra tenant.
    TenantId,
    /// The whole resource id of a role definition.
    RoleId,
    /// The whole resource id of a role assignment.
    AssignmentId,
    /// A whole resource id of a scope: a VNet, a resource group, a subscription.
    Scope,
    /// Anything that is only shown or passed on.
    Text,
}

/// The run's name.
pub const RUN: Key<Text> = Key::durable("RUN");
/// Your VNet's resource id.
pub const USER_VNET_ID: Key<Scope> = Key::durable("USER_VNET_ID");
/// The subscription it is in.
pub const USER_SUBSCRIPTION_ID: Key<Text> = Key::durable("USER_SUBSCRIPTION_ID");
/// The resource group it is in.
pub const USER_RESOURCE_GROUP: Key<Text> = Key::durable("USER_RESOURCE_GROUP");
/// Its name.
pub const USER_VNET_NAME: Key<Text> = Key::durable("USER_VNET_NAME");
/// Its address ranges.
pub const USER_VNET_RANGES: Key<Text> = Key::durable("USER_VNET_RANGES");
/// Your Entra tenant.
pub const USER_TENANT_ID: Key<TenantId> = Key::durable("USER_TENANT_ID");
/// The display name of your application.
pub const APPLICATION_NAME: Key<Text> = Key::durable("APPLICATION_NAME");
/// Your application's id.
pub const USER_APP_ID: Key<AppId> = Key::durable("USER_APP_ID");
/// The object id of its registration.
pub const USER_APP_OBJECT_ID: Key<AppObjectId> = Key::durable("USER_APP_OBJECT_ID");
/// The object id of its service principal.
pub const USER_SP_ID: Key<PrincipalId> = Key::durable("USER_SP_ID");
/// Its password, for minutes and in memory only.
pub const USER_APP_SECRET: Key<Secret> = Key::ephemeral("USER_APP_SECRET");
/// The id of that password, by which it is revoked.
pub const USER_APP_KEY_ID: Key<Text> = Key::durable("USER_APP_KEY_ID");
/// The built-in role of the guides.
pub const NETWORK_CONTRIBUTOR_ROLE_ID: Key<RoleId> = Key::durable("NETWORK_CONTRIBUTOR_ROLE_ID");
/// The name of the narrow role for your own principal.
pub const USER_ROLE_NAME: Key<Text> = Key::durable("USER_ROLE_NAME");
/// The narrow role for your own principal.
pub const USER_ROLE_ID: Key<RoleId> = Key::durable("USER_ROLE_ID");
/// Where your own principal gets its role.
pub const GRANT_SCOPE: Key<Scope> = Key::durable("GRANT_SCOPE");
/// The assignment of that role.
pub const USER_ROLE_ASSIGNMENT_ID: Key<AssignmentId> = Key::durable("USER_ROLE_ASSIGNMENT_ID");
/// The name of the peering on your VNet.
pub const PEERING_NAME: Key<Text> = Key::durable("PEERING_NAME");
/// The name of the custom role for the provider.
pub const ROLE_NAME: Key<Text> = Key::durable("ROLE_NAME");

/// The facts about one provider's side in your tenant, under the provider's own prefix.
#[derive(Clone, Copy)]
pub struct Side {
    /// The provider's application id.
    pub app_id: Key<AppId>,
    /// What that application is called.
    pub app_name: Key<Text>,
    /// The tenant that it belongs to.
    pub app_tenant_id: Key<TenantId>,
    /// Its service principal in your tenant.
    pub sp_id: Key<PrincipalId>,
    /// The custom role that lets it peer.
    pub role_id: Key<RoleId>,
    /// The assignment of that role.
    pub assignment_id: Key<AssignmentId>,
    /// The tenant that the provider's network belongs to.
    pub tenant_id: Key<TenantId>,
    /// The provider's network.
    pub vnet_id: Key<Scope>,
    /// The address range of the provider's network.
    pub range: Key<Text>,
}

/// Aiven and Timescale.
pub const AIVEN: Side = Side {
    app_id: Key::durable("AIVEN_APP_ID"),
    app_name: Key::durable("AIVEN_APP_NAME"),
    app_tenant_id: Key::durable("AIVEN_APP_TENANT_ID"),
    sp_id: Key::durable("AIVEN_SP_ID"),
    role_id: Key::durable("AIVEN_ROLE_ID"),
    assignment_id: Key::durable("AIVEN_ROLE_ASSIGNMENT_ID"),
    tenant_id: Key::durable("AIVEN_TENANT_ID"),
    vnet_id: Key::durable("AIVEN_VNET_ID"),
    range: Key::durable("AIVEN_VPC_RANGE"),
};

/// Kong.
pub const KONG: Side = Side {
    app_id: Key::durable("KONG_APP_ID"),
    app_name: Key::durable("KONG_APP_NAME"),
    app_tenant_id: Key::durable("KONG_APP_TENANT_ID"),
    sp_id: Key::durable("KONG_SP_ID"),
    role_id: Key::durable("KONG_ROLE_ID"),
    assignment_id: Key::durable("KONG_ROLE_ASSIGNMENT_ID"),
    tenant_id: Key::durable("KONG_TENANT_ID"),
    vnet_id: Key::durable("KONG_VNET_ID"),
    range: Key::durable("KONG_NETWORK_RANGE"),
};

/// The namespace of all GUIDs that are derived from a run.
const NAMESPACE: Uuid = Uuid::from_u128(0x6f1d_5c52_2f0e_5b8e_9a41_3b1f_0c7d_9e24);

/// A GUID that this run gives to its object `what`, the same at every try.
///
/// # Errors
/// When the run or its VNet is not known.
pub fn guid(facts: &Facts, what: &str) -> Result<Uuid, Missing> {
    let run = facts.get(RUN)?;
    let vnet = facts.get(USER_VNET_ID)?.as_ref().to_lowercase();
    Ok(Uuid::new_v5(
        &NAMESPACE,
        format!("{run}|{vnet}|{what}").as_bytes(),
    ))
}

/// The tag that this run's objects in Entra carry.
///
/// # Errors
/// When the run is not known.
pub fn tag(facts: &Facts) -> Result<String, Missing> {
    Ok(format!("{TAG_PREFIX}{}", guid(facts, "tag")?))
}

/// What all our tags begin with.
pub const TAG_PREFIX: &str = "peer-wizard:";
