//! What lives in Azure subscriptions.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::sandbox::lag::Settle;

/// An Azure subscription.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Subscription {
    /// Its id.
    pub id: String,
    /// The tenant that owns it.
    pub tenant: String,
    /// Its display name.
    pub name: String,
    /// `Enabled`, or why it can be used less.
    pub state: State,
    /// Whether `Microsoft.Network` is still to be registered.
    pub unregistered: bool,
}

/// What may be done in a subscription: <https://learn.microsoft.com/azure/cost-management-billing/manage/subscription-states>.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum State {
    /// All.
    #[default]
    Enabled,
    /// All, as long as it is not paid too late.
    PastDue,
    /// All, as long as it is not paid too late.
    Warned,
    /// Nothing but looking.
    Disabled,
}

/// A management lock: <https://learn.microsoft.com/azure/azure-resource-manager/management/lock-resources>.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Lock {
    /// What it is on; what is below inherits it.
    pub scope: String,
    /// Its name.
    pub name: String,
    /// `ReadOnly` or `CanNotDelete`.
    pub level: String,
}

/// A resource group.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Group {
    /// Its subscription.
    pub subscription: String,
    /// Its name.
    pub name: String,
    /// Its region.
    pub location: String,
}

/// A virtual network.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Network {
    /// Its subscription.
    pub subscription: String,
    /// Its resource group.
    pub group: String,
    /// Its name.
    pub name: String,
    /// Its region.
    pub location: String,
    /// Its address ranges.
    pub prefixes: Vec<String>,
    /// Its resource GUID.
    pub guid: String,
    /// `Succeeded`, or what is being done to it.
    pub provisioning: String,
    /// The peerings on it.
    pub peerings: Vec<Peering>,
}

impl Network {
    /// Its resource id.
    #[must_use]
    pub fn id(&self) -> String {
        let Self {
            subscription,
            group,
            name,
            ..
        } = self;
        format!(
            "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Network/virtualNetworks/{name}"
        )
    }
}

/// One half of a peering, on the network that holds it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Peering {
    /// Its name.
    pub name: String,
    /// The resource id of the network at the other end, as it was written.
    pub remote: String,
    /// `Initiated`, `Connected` or `Disconnected`.
    pub state: String,
    /// `Updating`, `Succeeded`, `Deleting` or `Failed`.
    pub provisioning: String,
    /// The flags that were set.
    pub flags: Map<String, Value>,
    /// The other network's ranges when this half last looked.
    pub remote_prefixes: Vec<String>,
    /// Its resource GUID.
    pub guid: String,
    /// Its version.
    pub etag: String,
}

/// An asynchronous operation on a peering.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Operation {
    /// Its id.
    pub id: String,
    /// The subscription it belongs to.
    pub subscription: String,
    /// The network it works on.
    pub network: String,
    /// The peering it works on.
    pub peering: String,
    /// Whether it deletes the peering.
    pub removes: bool,
    /// Code and message, when it is going to fail.
    pub failure: Option<(String, String)>,
    /// Whether the peering is gone once it has failed.
    pub vanishes: bool,
    /// Whether it is over.
    pub over: bool,
    /// Until then it is in progress.
    pub settle: Settle,
}
