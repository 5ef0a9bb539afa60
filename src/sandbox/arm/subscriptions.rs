//! What a sign-in can see: cloud metadata, tenants, subscriptions, resource groups, providers.

use serde_json::{Value, json};

use super::access::authorize;
use super::envelope::{error, list, no_resource};
use crate::sandbox::rbac::covers;
use crate::sandbox::wire::{Answer, Ask, Reply};
use crate::sandbox::world::{Group, Subscription, Token, World};

/// The description of a cloud that `az cloud register --endpoint-resource-manager` reads:
/// <https://learn.microsoft.com/azure-stack/operator/azure-stack-version-profiles-azurecli2>.
pub(super) fn endpoints(ask: &Ask) -> Answer {
    let origin = &ask.origin;
    // Under another name of the same server, so that `az rest` can tell from an address which token it needs.
    let graph = format!(
        "https://127.0.0.1:{}/",
        origin.rsplit(':').next().unwrap_or_default()
    );
    let audiences = [
        "https://management.core.windows.net/",
        "https://management.azure.com/",
    ];
    let cloud = json!({
        "name": "Sandbox",
        "portal": origin,
        "authentication": {
            "loginEndpoint": origin, "audiences": audiences, "tenant": "common", "identityProvider": "AAD"
        },
        "media": origin,
        "graphAudience": graph,
        "graph": graph,
        "microsoftGraphResourceId": graph,
        "resourceManager": origin,
        "gallery": origin,
        "batch": "https://batch.core.windows.net/",
        "vmImageAliasDoc": origin,
        "sqlManagement": origin,
        "activeDirectoryDataLake": "https://datalake.azure.net/",
        "suffixes": {"storage": "core.windows.net", "keyVaultDns": "vault.azure.net", "sqlServerHostname": "database.windows.net"},
    });
    // Since 2022-09-01 one cloud, before that a list of them.
    let single = ask
        .query("api-version")
        .is_some_and(|version| version >= "2022-09-01");
    Answer::json(200, if single { cloud } else { json!([cloud]) })
}

pub(super) fn answer(world: &mut World, ask: &Ask, caller: &Token, lower: &[&str]) -> Reply {
    if ask.method != "GET" {
        return Err(no_resource(ask));
    }
    match lower {
        ["tenants"] => {
            let tenants = world.tenants.iter().filter(|tenant| tenant.id == caller.tenant).map(|tenant| {
                json!({
                    "id": format!("/tenants/{}", tenant.id), "tenantId": tenant.id, "displayName": tenant.name, "tenantCategory": "Home",
                    "defaultDomain": tenant.domain, "domains": [tenant.domain], "countryCode": "FI", "tenantType": "AAD",
                })
            });
            let tenants = tenants.collect();
            Ok(list(world, ask, tenants))
        }
        ["subscriptions"] => {
            let visible = world
                .subscriptions
                .iter()
                .filter(|subscription| is_visible(world, caller, subscription))
                .map(subscription)
                .collect();
            Ok(list(world, ask, visible))
        }
        ["subscriptions", id] => {
            let found = world
                .subscription(id)
                .filter(|subscription| is_visible(world, caller, subscription));
            let found = found.ok_or_else(|| {
                error(
                    404,
                    "SubscriptionNotFound",
                    &format!("The subscription '{id}' could not be found."),
                )
            })?;
            Ok(Answer::json(200, subscription(found)))
        }
        ["subscriptions", id, "resourcegroups"] => {
            let scope = format!("/subscriptions/{id}");
            authorize(
                world,
                caller,
                "Microsoft.Resources/subscriptions/resourceGroups/read",
                &scope,
            )?;
            let groups = world
                .groups
                .iter()
                .filter(|group| group.subscription.eq_ignore_ascii_case(id))
                .map(group)
                .collect();
            Ok(list(world, ask, groups))
        }
        ["subscriptions", id, "resourcegroups", name] => {
            let scope = format!("/subscriptions/{id}/resourceGroups/{name}");
            authorize(
                world,
                caller,
                "Microsoft.Resources/subscriptions/resourceGroups/read",
                &scope,
            )?;
            find_group(world, id, name).map(|found| Answer::json(200, group(found)))
        }
        ["subscriptions", id, "providers"] => {
            let providers = vec![provider(world, id)];
            Ok(list(world, ask, providers))
        }
        ["subscriptions", id, "providers", "microsoft.network"] => {
            Ok(Answer::json(200, provider(world, id)))
        }
        ["subscriptions", id, "locations"] => {
            let locations = ["westeurope", "northeurope"].map(|name| {
                json!({"id": format!("/subscriptions/{id}/locations/{name}"), "name": name, "displayName": name, "type": "Region"})
            });
            Ok(list(world, ask, locations.to_vec()))
        }
        _ => Err(no_resource(ask)),
    }
}

/// A resource group, in any case.
pub(super) fn find_group<'a>(
    world: &'a World,
    subscription: &str,
    name: &str,
) -> Result<&'a Group, Answer> {
    world
        .groups
        .iter()
        .find(|group| {
            group.subscription.eq_ignore_ascii_case(subscription)
                && group.name.eq_ignore_ascii_case(name)
        })
        .ok_or_else(|| {
            error(
                404,
                "ResourceGroupNotFound",
                &format!("Resource group '{name}' could not be found."),
            )
        })
}

/// A subscription is visible to whoever has a role on it or on anything in it.
fn is_visible(world: &World, caller: &Token, subscription: &Subscription) -> bool {
    let scope = format!("/subscriptions/{}", subscription.id);
    subscription.tenant == caller.tenant
        && world.assignments.iter().any(|assignment| {
            assignment.principal == caller.principal
                && assignment.settle.due()
                && assignment.since < caller.serial
                && (covers(&scope, &assignment.scope) || covers(&assignment.scope, &scope))
        })
}

fn subscription(subscription: &Subscription) -> Value {
    json!({
        "id": format!("/subscriptions/{}", subscription.id), "authorizationSource": "RoleBased", "managedByTenants": [], "tags": {},
        "subscriptionId": subscription.id, "tenantId": subscription.tenant, "displayName": subscription.name, "state": subscription.state,
        "subscriptionPolicies": {"locationPlacementId": "Public_2014-09-01", "quotaId": "PayAsYouGo_2014-09-01", "spendingLimit": "Off"},
    })
}

fn group(group: &Group) -> Value {
    json!({
        "id": format!("/subscriptions/{}/resourceGroups/{}", group.subscription, group.name), "name": group.name,
        "type": "Microsoft.Resources/resourceGroups", "location": group.location, "properties": {"provisioningState": "Succeeded"},
    })
}

fn provider(world: &World, subscription: &str) -> Value {
    let registered = world
        .subscription(subscription)
        .is_none_or(|it| !it.unregistered);
    let state = if registered {
        "Registered"
    } else {
        "NotRegistered"
    };
    let kind = |name: &str| {
        json!({
            "resourceType": name, "locations": ["West Europe", "North Europe"],
            "apiVersions": ["2024-07-01", "2024-01-01", "2023-11-01"], "defaultApiVersion": "2024-01-01",
        })
    };
    json!({
        "id": format!("/subscriptions/{subscription}/providers/Microsoft.Network"), "namespace": "Microsoft.Network",
        "registrationState": state, "registrationPolicy": "RegistrationRequired",
        "resourceTypes": [kind("virtualNetworks"), kind("virtualNetworks/virtualNetworkPeerings")],
    })
}
