//! A canonical picture of a world, for tests that compare before and after.

use serde_json::{Map, Value, json};

use super::vendor::sorted;
use super::vendors;
use super::world::World;

/// All objects, sorted; no secrets, no times, nothing that sits in a recycle bin.
pub(super) fn take(world: &World) -> Value {
    let mut picture = json!({
        "applications": sorted(world.applications.iter().filter(|app| app.deleted.is_none()).map(|app| {
            let passwords: Vec<&Option<String>> = app.passwords.iter().map(|password| &password.display_name).collect();
            let keys: Vec<&Option<String>> = app.keys.iter().map(|key| &key.display_name).collect();
            json!({
                "tenant": app.tenant, "id": app.id, "appId": app.app_id, "displayName": app.display_name, "uniqueName": app.unique_name,
                "signInAudience": app.audience, "passwords": passwords, "keys": keys,
            })
        })),
        "principals": sorted(world.principals.iter().filter(|sp| sp.deleted.is_none()).map(|sp| {
            json!({"tenant": sp.tenant, "id": sp.id, "appId": sp.app_id, "displayName": sp.display_name, "tags": sp.tags})
        })),
        "roles": sorted(world.roles.iter().map(|role| {
            json!({
                "tenant": role.tenant, "id": role.id, "name": role.name, "permissions": role.permissions,
                "assignableScopes": role.assignable_scopes,
            })
        })),
        "assignments": sorted(world.assignments.iter().map(|one| {
            json!({"tenant": one.tenant, "id": one.id, "scope": one.scope, "role": one.role, "principal": one.principal})
        })),
        "networks": sorted(world.networks.iter().map(|network| {
            let peerings = network.peerings.iter().map(|half| {
                json!({
                    "name": half.name, "remote": half.remote, "state": half.state, "provisioning": half.provisioning, "flags": unusual(&half.flags),
                })
            });
            json!({"id": network.id(), "prefixes": network.prefixes, "provisioning": network.provisioning, "peerings": sorted(peerings)})
        })),
    });
    for (name, there) in vendors::pictures(world) {
        picture[name] = there;
    }
    picture
}

/// Flags that differ from what they are when nobody sets them, so that clients who send defaults and those who don't compare.
fn unusual(flags: &Map<String, Value>) -> Map<String, Value> {
    let usual = |key: &str| {
        json!(matches!(
            key,
            "allowVirtualNetworkAccess" | "peerCompleteVnets"
        ))
    };
    flags
        .iter()
        .filter(|(key, value)| **value != usual(key))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}
