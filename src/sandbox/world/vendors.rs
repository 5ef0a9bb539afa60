//! What lives at Aiven, Timescale and Kong.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::sandbox::lag::Settle;

/// Aiven, and Timescale which shares its API.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Aiven {
    /// Accounts that can sign in.
    pub accounts: Vec<Account>,
    /// VPCs of projects and organizations.
    pub vpcs: Vec<Vpc>,
}

/// Somebody with a token, and what it opens.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Account {
    /// SHA-256 of the token.
    pub sha256: String,
    /// Their mail address.
    pub email: String,
    /// `aiven` or `timescale`.
    pub realm: String,
    /// Projects they see.
    pub projects: Vec<String>,
    /// Organizations they see: id and name.
    pub organizations: Vec<(String, String)>,
}

/// A VPC at Aiven.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Vpc {
    /// Its id.
    pub id: String,
    /// The project that owns it, or
    pub project: Option<String>,
    /// the organization that does.
    pub organization: Option<String>,
    /// Its cloud, such as `azure-westeurope`.
    pub cloud: String,
    /// Its range.
    pub cidr: String,
    /// `APPROVED`, `ACTIVE`, `DELETING` or `DELETED`.
    pub state: String,
    /// When it was made.
    pub created: String,
    /// The resource id of the virtual network behind it, on Azure.
    pub network: String,
    /// Its peering connections.
    pub rows: Vec<Row>,
    /// What its peerings tell of its side in place of the truth.
    pub tells: Map<String, Value>,
}

/// A peering connection at Aiven.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Row {
    /// Its id.
    pub id: String,
    /// The user's cloud account: the subscription on Azure.
    pub account: String,
    /// The user's resource group.
    pub group: Option<String>,
    /// The user's network.
    pub vnet: String,
    /// The user's application.
    pub app: Option<String>,
    /// The user's tenant.
    pub tenant: Option<String>,
    /// Its state.
    pub state: String,
    /// Type and message that go with the state.
    pub note: Option<(String, String)>,
    /// When it was made.
    pub created: String,
    /// When it last changed.
    pub updated: String,
    /// The name of Aiven's half of the peering on Aiven's network.
    pub half: Option<String>,
    /// Whether both halves have been seen standing.
    pub joined: bool,
    /// Until then its present state stays.
    pub settle: Settle,
}

/// Kong Konnect.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Konnect {
    /// SHA-256 of the tokens that open it.
    pub tokens: Vec<String>,
    /// Cloud accounts of Kong.
    pub accounts: Vec<ProviderAccount>,
    /// Dedicated Cloud Gateway networks.
    pub networks: Vec<GatewayNetwork>,
}

/// A cloud account of Kong's.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ProviderAccount {
    /// Its id at Konnect.
    pub id: String,
    /// `aws`, `azure` or `gcp`.
    pub provider: String,
    /// Its id at the cloud.
    pub account: String,
}

/// A Dedicated Cloud Gateway network.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct GatewayNetwork {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The provider account it runs in.
    pub account: String,
    /// Its region.
    pub region: String,
    /// Its range.
    pub cidr: String,
    /// Its state.
    pub state: String,
    /// When it was made.
    pub created: String,
    /// The resource id of the virtual network behind it, on Azure.
    pub network: String,
    /// Its transit gateways.
    pub gateways: Vec<TransitGateway>,
}

/// A transit gateway of a Dedicated Cloud Gateway network.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct TransitGateway {
    /// Its id.
    pub id: String,
    /// Its name, unique in the network.
    pub name: String,
    /// The attachment as it was asked for.
    pub attachment: Value,
    /// The DNS mappings.
    pub dns: Value,
    /// Its state.
    pub state: String,
    /// Why it is in it.
    pub reason: Option<String>,
    /// When it was made.
    pub created: String,
    /// When it last changed.
    pub updated: String,
    /// Its version.
    pub version: u64,
    /// The names of the two halves of the peering: Kong's and the user's.
    pub halves: Option<(String, String)>,
    /// Until then its present state stays.
    pub settle: Settle,
}
