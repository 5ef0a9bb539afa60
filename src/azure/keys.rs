//! The facts of the Azure side. Their names are the variables of the providers' guides, in upper case.

use crate::{
    clouds::identity::AppCredential,
    fact::{Facts, Key, Missing, Named, SecretKey},
    net::{Ranges, VnetId},
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
pub const RUN: Key<Text> = Key::new("RUN");
/// Your VNet's resource id.
pub const USER_VNET_ID: Key<VnetId> = Key::new("USER_VNET_ID");
/// The subscription it is in.
pub const USER_SUBSCRIPTION_ID: Key<Text> = Key::new("USER_SUBSCRIPTION_ID");
/// The resource group it is in.
pub const USER_RESOURCE_GROUP: Key<Text> = Key::new("USER_RESOURCE_GROUP");
/// Its name.
pub const USER_VNET_NAME: Key<Text> = Key::new("USER_VNET_NAME");
/// Its address ranges.
pub const USER_VNET_RANGES: Key<Ranges> = Key::new("USER_VNET_RANGES");
/// Your Entra tenant.
pub const USER_TENANT_ID: Key<TenantId> = Key::new("USER_TENANT_ID");
/// The display name of your application.
pub const APPLICATION_NAME: Key<Text> = Key::new("APPLICATION_NAME");
/// Your application's id.
pub const USER_APP_ID: Key<AppId> = Key::new("USER_APP_ID");
/// The object id of its registration.
pub const USER_APP_OBJECT_ID: Key<AppObjectId> = Key::new("USER_APP_OBJECT_ID");
/// The object id of its service principal.
pub const USER_SP_ID: Key<PrincipalId> = Key::new("USER_SP_ID");
/// What it signs in with, for minutes and in memory only.
pub const USER_APP_SECRET: SecretKey<AppCredential> = SecretKey::new("USER_APP_SECRET");
/// The id of that password or certificate, by which it is removed.
pub const USER_APP_KEY_ID: Key<Text> = Key::new("USER_APP_KEY_ID");
/// The built-in role of the guides.
pub const NETWORK_CONTRIBUTOR_ROLE_ID: Key<RoleId> = Key::new("NETWORK_CONTRIBUTOR_ROLE_ID");
/// The name of the narrow role for your own principal.
pub const USER_ROLE_NAME: Key<Text> = Key::new("USER_ROLE_NAME");
/// The narrow role for your own principal.
pub const USER_ROLE_ID: Key<RoleId> = Key::new("USER_ROLE_ID");
/// Where your own principal gets its role.
pub const GRANT_SCOPE: Key<Scope> = Key::new("GRANT_SCOPE");
/// The assignment of that role.
pub const USER_ROLE_ASSIGNMENT_ID: Key<AssignmentId> = Key::new("USER_ROLE_ASSIGNMENT_ID");
/// The name of the peering on your VNet.
pub const PEERING_NAME: Key<Text> = Key::new("PEERING_NAME");
/// The name of the custom role for the provider.
pub const ROLE_NAME: Key<Text> = Key::new("ROLE_NAME");

/// The facts about one provider's side in your tenant, under the provider's own prefix.
#[derive(Clone, Copy)]
pub struct Side {
    /// The provider's application id.
    pub app_id: Key<AppId>,
    /// What that application is called.
    pub app_name: Key<Text>,
    /// The tenant that it belongs to.
    pub app_tenant_id: Key<TenantId>,
    /// Its verified publisher, if it has one.
    pub app_publisher: Key<Text>,
    /// What a person confirmed of it, where it is not the one that the provider documents: itself and its tenant, or `no`.
    pub app_confirmed: Key<Text>,
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
    pub range: Key<Ranges>,
}

/// What is known of a VNet once its id is: the other names are there for scripts and readers.
#[must_use]
pub fn vnet_facts(vnet: &VnetId) -> Facts {
    Facts::default()
        .with(USER_VNET_ID, vnet.clone())
        .with(USER_SUBSCRIPTION_ID, vnet.subscription.as_str())
        .with(USER_RESOURCE_GROUP, vnet.resource_group.as_str())
        .with(USER_VNET_NAME, vnet.name.as_str())
}

/// The namespace of all GUIDs that are derived from a run.
const NAMESPACE: Uuid = Uuid::from_u128(0x6f1d_5c52_2f0e_5b8e_9a41_3b1f_0c7d_9e24);

/// What [`guid`] reads.
pub const GUID_READS: [Named; 2] = [RUN.named(), USER_VNET_ID.named()];

/// A GUID that this run gives to its object `what`, the same at every try.
///
/// # Errors
/// When the run or its VNet is not known.
pub fn guid(facts: &Facts, what: &str) -> Result<Uuid, Missing> {
    Ok(guid_of(&facts.get(RUN)?, &facts.get(USER_VNET_ID)?, what))
}

/// The GUID that a run gives to its object `what` for one of its VNets.
#[must_use]
pub fn guid_of(run: &Text, vnet: &VnetId, what: &str) -> Uuid {
    let vnet = vnet.member();
    Uuid::new_v5(&NAMESPACE, format!("{run}|{vnet}|{what}").as_bytes())
}

/// What a run calls its objects, unless it is told another name.
#[must_use]
pub fn own_name(run: &Text) -> String {
    format!("peer-wizard-{run}")
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
