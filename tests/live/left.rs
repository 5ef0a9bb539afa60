//! What lies in Azure that a run could have made: looked at by the kinds of objects, and not by what a run's file says.

use super::account::Account;
use peer_wizard::{
    azure::arm,
    clouds::{AzureCloud, Clouds, Endpoints, Page, az::Az, credential::SignIn},
    http::{ApiError, Call, Http, Service},
    net::VnetId,
    providers,
};
use serde_json::Value;
use std::{collections::BTreeSet, fs};

/// The applications and roles of the live runs, the principals of both applications, and whatever is assigned on the VNet or
/// peered with it: a line each.
///
/// # Errors
/// When one of them cannot be looked at.
pub fn picture(account: &Account) -> Result<BTreeSet<String>, String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| error.to_string())?;
    let vnet = account.var("PEER_WIZARD_VNET").unwrap_or_default();
    let vnet = VnetId::parse(&vnet).ok_or("PEER_WIZARD_VNET has to be a whole resource ID")?;
    let clouds = clouds(account)?;
    let seen = runtime.block_on(seen(&clouds, &vnet, account));
    seen.map_err(|error| format!("cannot look for what is left: {error}"))
}

async fn seen(
    clouds: &Clouds,
    vnet: &VnetId,
    account: &Account,
) -> Result<BTreeSet<String>, ApiError> {
    let mark = account.mark();
    let app = account.provider().app_id;
    let mut seen = BTreeSet::new();
    for (kind, list, filter) in [
        (
            "application",
            "applications",
            format!("displayName eq '{mark}'"),
        ),
        (
            "principal",
            "servicePrincipals",
            format!("displayName eq '{mark}'"),
        ),
        (
            "principal",
            "servicePrincipals",
            format!("appId eq '{app}'"),
        ),
    ] {
        let call: Call<Page<Value>> =
            Call::get(Service::Graph, format!("/v1.0/{list}")).query("$filter", filter);
        for it in clouds.list(&call).await? {
            seen.insert(format!("{kind} {} {}", it["displayName"], it["id"]));
        }
    }
    for role in clouds
        .list(&arm::custom_roles(&vnet.subscription_scope()))
        .await?
    {
        let Some(role) = role.0.filter(|it| it.properties.role_name == mark) else {
            continue;
        };
        // A list shows for minutes what is gone.
        let call = arm::role(&vnet.subscription_scope(), &role.name);
        if let Some(role) = clouds.look(&call).await? {
            seen.insert(format!("role {} {}", role.properties.role_name, role.name));
        }
    }
    for it in clouds
        .list(&arm::assignments(&vnet.to_string(), None))
        .await?
    {
        seen.insert(format!("assignment {}", it.id));
    }
    for it in clouds.list(&arm::peerings(vnet)).await? {
        seen.insert(format!("peering {} {}", it.name, it.remote()));
    }
    Ok(seen)
}

/// Signed in as the program is.
fn clouds(account: &Account) -> Result<Clouds, String> {
    let roots = match account.var("SSL_CERT_FILE") {
        Some(path) => vec![fs::read(path).map_err(|error| error.to_string())?],
        None => Vec::new(),
    };
    let endpoints = Endpoints::new(AzureCloud::Public, &providers::vendors(), &|name| {
        account.var(name)
    });
    let sign_in = match (
        account.var("AZURE_CLIENT_ID"),
        account.var("AZURE_TENANT_ID"),
        account.var("AZURE_CLIENT_SECRET"),
    ) {
        (Some(client_id), Some(tenant), Some(secret)) => SignIn::Environment {
            tenant,
            client_id,
            secret: secret.into(),
        },
        _ => SignIn::Az(Az::hiding(Vec::new())),
    };
    let clouds = Clouds::new(
        Http::new(&roots)?,
        endpoints.map_err(|error| error.to_string())?,
        sign_in,
    );
    if let Some(tenant) = account.var("AZURE_TENANT_ID") {
        clouds.use_tenant(&tenant);
    }
    Ok(clouds)
}
