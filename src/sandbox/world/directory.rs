//! What lives in Entra tenants, and what it may do.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::sandbox::lag::Settle;

/// An Entra tenant.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Tenant {
    /// Its directory id.
    pub id: String,
    /// Its display name.
    pub name: String,
    /// Its default domain.
    pub domain: String,
}

/// An application object.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Application {
    /// Its home tenant.
    pub tenant: String,
    /// Its object id.
    pub id: String,
    /// Its client id.
    pub app_id: String,
    /// Its display name.
    pub display_name: String,
    /// Its immutable alternate key.
    pub unique_name: Option<String>,
    /// Who may sign in with it.
    pub audience: String,
    /// When it was made.
    pub created: String,
    /// The tenant that Entra tells as its owner, where that is not its home; an empty one is none.
    pub owner: Option<String>,
    /// Its verified publisher, if it has one.
    pub publisher: Option<String>,
    /// Other properties that were set.
    pub extra: Map<String, Value>,
    /// Its passwords, hashed.
    pub passwords: Vec<Password>,
    /// Its certificates.
    pub keys: Vec<KeyCredential>,
    /// Object ids of its owners.
    pub owners: Vec<String>,
    /// When it was deleted, while it can still be restored.
    pub deleted: Option<String>,
    /// Until then replicas do not know it.
    pub settle: Settle,
    /// Until then an earlier change is in the way of the next.
    pub busy: Settle,
}

impl Application {
    /// Whether principals of it may exist in other tenants.
    #[must_use]
    pub fn is_multi_tenant(&self) -> bool {
        self.audience == "AzureADMultipleOrgs"
            || self.audience == "AzureADandPersonalMicrosoftAccount"
    }
}

/// A password of an application.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Password {
    /// Its id.
    pub key_id: String,
    /// Its label.
    pub display_name: Option<String>,
    /// From when on it is valid.
    pub start: String,
    /// Until when it is valid.
    pub end: String,
    /// Its first three characters.
    pub hint: String,
    /// SHA-256 of the secret.
    pub sha256: String,
    /// Until then the token service refuses it.
    pub settle: Settle,
    /// Until then the application does not show it.
    pub shows: Settle,
    /// Until then it cannot be removed, because it is not known.
    pub removable: Settle,
}

/// A certificate of an application.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct KeyCredential {
    /// Its id.
    pub key_id: String,
    /// Its label.
    pub display_name: Option<String>,
    /// From when on it is valid.
    pub start: String,
    /// Until when it is valid.
    pub end: String,
    /// The certificate, base64 of DER.
    pub key: String,
    /// Until then the token service does not know it.
    pub settle: Settle,
    /// Until then the application does not show it.
    pub shows: Settle,
}

/// A service principal.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Principal {
    /// The tenant it lives in.
    pub tenant: String,
    /// Its object id.
    pub id: String,
    /// The client id of its application.
    pub app_id: String,
    /// The home tenant of its application.
    pub owner_tenant: String,
    /// Its display name.
    pub display_name: String,
    /// When it was made.
    pub created: String,
    /// Its tags.
    pub tags: Vec<String>,
    /// Whether it may sign in.
    pub enabled: bool,
    /// Directory roles it holds, by name.
    pub directory_roles: Vec<String>,
    /// Object ids of its owners.
    pub owners: Vec<String>,
    /// When it was deleted, while it can still be restored.
    pub deleted: Option<String>,
    /// Until then replicas of the directory do not know it.
    pub settle: Settle,
    /// Until then Azure Resource Manager does not know it.
    pub known_to_arm: Settle,
    /// Once it is deleted: until then none can be made in its stead.
    pub in_the_way: Settle,
}

/// A person.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct User {
    /// The tenant the account belongs to.
    pub tenant: String,
    /// Its object id.
    pub id: String,
    /// Its sign-in name.
    pub name: String,
    /// Its display name.
    pub display_name: String,
    /// Directory roles, by name.
    pub directory_roles: Vec<String>,
}

/// A set of permissions.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Permission {
    /// Allowed control-plane actions, with `*` for anything.
    pub actions: Vec<String>,
    /// Exceptions from them.
    pub not_actions: Vec<String>,
    /// Allowed data-plane actions.
    pub data_actions: Vec<String>,
    /// Exceptions from them.
    pub not_data_actions: Vec<String>,
}

/// A custom role definition.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Role {
    /// The tenant it belongs to.
    pub tenant: String,
    /// Its id, a GUID.
    pub id: String,
    /// Its name, unique in the tenant.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// What it allows.
    pub permissions: Vec<Permission>,
    /// Where it may be assigned.
    pub assignable_scopes: Vec<String>,
    /// When it was made.
    pub created: String,
    /// When it was last changed.
    pub updated: String,
    /// The object id of who made it, if that is known.
    pub created_by: Option<String>,
    /// The object id of who last changed it, if that is known.
    pub updated_by: Option<String>,
    /// Until then assignments do not find it.
    pub settle: Settle,
    /// Until then searches by name do not find it.
    pub name_settle: Settle,
    /// Until then assignments do not know where it can be assigned.
    pub scope_settle: Settle,
    /// Properties that are shown in place of its own: Azure has older roles of odd forms.
    pub odd: Map<String, Value>,
}

/// A role assignment.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Assignment {
    /// The tenant whose directory knows the principal.
    pub tenant: String,
    /// Its name, a GUID.
    pub id: String,
    /// Where it holds, as it was written.
    pub scope: String,
    /// The GUID of the role.
    pub role: String,
    /// The object id of the principal.
    pub principal: String,
    /// `ServicePrincipal` or `User`.
    pub principal_type: String,
    /// What it is for.
    pub description: Option<String>,
    /// When it was made.
    pub created: String,
    /// Who made it.
    pub author: String,
    /// The roles that its holder may assign by it, where a condition says so; any where there is none.
    pub may_assign: Vec<String>,
    /// Until then nothing honours it.
    pub settle: Settle,
    /// Tokens up to this serial number were issued too early to carry it.
    #[serde(skip)]
    pub since: u64,
}
