//! What keeps anybody from changing something, whatever their rights: management locks, and the state of the subscription and of
//! its resource providers.

use crate::{
    clouds::Page,
    http::{Call, Service::Arm, segment},
    net::{covers, leaf},
};
use serde::Deserialize;

/// A management lock.
#[derive(Clone, Debug, Deserialize)]
pub struct Lock {
    /// Its resource id.
    pub id: String,
    /// The rest.
    #[serde(default)]
    pub properties: LockProperties,
}

/// What a lock forbids.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct LockProperties {
    /// `ReadOnly` or `CanNotDelete`.
    pub level: String,
}

impl Lock {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        leaf(&self.id)
    }

    /// What it is on.
    #[must_use]
    pub fn scope(&self) -> &str {
        let end = self.id.to_ascii_lowercase();
        let end = end.find("/providers/microsoft.authorization/locks/");
        end.map_or("", |end| &self.id[..end])
    }

    /// Whether it is on this resource or on something above it.
    #[must_use]
    pub fn covers(&self, resource: &str) -> bool {
        let scope = self.scope();
        !scope.is_empty() && covers(scope, resource)
    }

    /// Whether it forbids every change, and not only deletions.
    #[must_use]
    pub fn forbids_all(&self) -> bool {
        self.properties.level.eq_ignore_ascii_case("ReadOnly")
    }
}

/// How a resource provider stands in a subscription.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ResourceProvider {
    /// `Registered` when it can be used.
    pub registration_state: String,
}

impl ResourceProvider {
    /// Whether it cannot be used yet.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        let state = self.registration_state.to_ascii_lowercase();
        matches!(
            state.as_str(),
            "notregistered" | "unregistered" | "unregistering"
        )
    }
}

/// All locks of a subscription: on itself, on its groups, on its resources.
/// <https://learn.microsoft.com/rest/api/resources/management-locks/list-at-subscription-level>
#[must_use]
pub fn locks(subscription: &str) -> Call<Page<Lock>> {
    let path = format!(
        "/subscriptions/{}/providers/Microsoft.Authorization/locks",
        segment(subscription)
    );
    Call::get(Arm, path).query("api-version", "2020-05-01")
}

/// <https://learn.microsoft.com/rest/api/resources/providers/get>
#[must_use]
pub fn network_provider(subscription: &str) -> Call<ResourceProvider> {
    let path = format!(
        "/subscriptions/{}/providers/Microsoft.Network",
        segment(subscription)
    );
    Call::get(Arm, path).query("api-version", "2021-04-01")
}

/// What to do where `Microsoft.Network` is not registered.
#[must_use]
pub fn register(subscription: &str) -> String {
    format!(
        "Microsoft.Network is not registered in the subscription: `az provider register --namespace Microsoft.Network --subscription {subscription}`"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_covers_what_is_below_it_in_any_case() {
        let lock = |scope: &str| Lock {
            id: format!("{scope}/providers/Microsoft.Authorization/locks/x"),
            properties: LockProperties::default(),
        };
        let vnet =
            "/subscriptions/S/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/v";
        assert!(lock("/subscriptions/s").covers(vnet));
        assert!(lock("/subscriptions/s/resourcegroups/RG").covers(vnet));
        assert!(lock(vnet).covers(vnet));
        assert!(!lock("/subscriptions/s/resourceGroups/r").covers(vnet));
        assert!(!lock(&format!("{vnet}/subnets/a")).covers(vnet));
        assert!(!lock("").covers(vnet));
        assert_eq!(lock(vnet).name(), "x");
    }
}
