//! The sample world: a company with two subscriptions, its accounts at Aiven, Timescale and Kong, and those vendors' tenants.

mod ids;
mod more;
mod network;
mod people;
mod vendors;

use self::ids::{
    ADMIN_APP, ADMIN_SECRET, ADMINISTRATOR, AIVEN_TOKEN, DEVELOPMENT, KONNECT_NETWORK,
    KONNECT_TOKEN, ORGANIZATION, ORGANIZATION_VPC, PERSON, PRODUCTION, PROJECT, PROJECT_VPC,
    TENANT, TIMESCALE_PROJECT, TIMESCALE_TOKEN, TIMESCALE_VPC,
};
use self::people::people;
use super::world::{Group, Subscription, Tenant, User, World};
use std::collections::BTreeMap;

pub(super) use self::network::vnet;
pub(super) use self::vendors::{aiven, konnect};

#[cfg(test)]
pub(super) use ids::KONG_TENANT;
pub(super) use ids::{AIVEN_APP, AIVEN_ROLE, AIVEN_TENANT, KONG_APP};

/// Names, ids and credentials that exist in the sample world.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Sample {
    /// The user's tenant.
    pub tenant: String,
    /// An administrator's application there, for a sign-in with client credentials, and
    pub client_id: String,
    /// its password.
    pub client_secret: String,
    /// A token for Aiven.
    pub aiven_token: String,
    /// A token for Timescale.
    pub timescale_token: String,
    /// A token for Konnect.
    pub konnect_token: String,
    /// The subscription with the sample network.
    pub subscription: String,
    /// The resource id of a virtual network that can be peered with everything below.
    pub vnet_id: String,
    /// An Aiven project.
    pub project: String,
    /// An active VPC on Azure in it.
    pub project_vpc: String,
    /// An Aiven organization.
    pub organization: String,
    /// An active VPC on Azure in it.
    pub organization_vpc: String,
    /// A Timescale project.
    pub timescale_project: String,
    /// An active VPC on Azure in it.
    pub timescale_vpc: String,
    /// A ready Dedicated Cloud Gateway network on Azure.
    pub konnect_network: String,
    /// What the other vendors have, by name.
    #[serde(flatten)]
    pub vendors: BTreeMap<&'static str, &'static str>,
}

pub(super) fn sample() -> Sample {
    Sample {
        tenant: TENANT.into(),
        client_id: ADMIN_APP.into(),
        client_secret: ADMIN_SECRET.into(),
        aiven_token: AIVEN_TOKEN.into(),
        timescale_token: TIMESCALE_TOKEN.into(),
        konnect_token: KONNECT_TOKEN.into(),
        subscription: PRODUCTION.into(),
        vnet_id: vnet(
            PRODUCTION,
            "RG-Network-Prod",
            "vnet-hub-prod",
            "westeurope",
            "10.10.0.0/16",
        )
        .id(),
        project: PROJECT.into(),
        project_vpc: PROJECT_VPC.into(),
        organization: ORGANIZATION.into(),
        organization_vpc: ORGANIZATION_VPC.into(),
        timescale_project: TIMESCALE_PROJECT.into(),
        timescale_vpc: TIMESCALE_VPC.into(),
        konnect_network: KONNECT_NETWORK.into(),
        vendors: BTreeMap::new(),
    }
}

/// The secrets that the sample world starts with.
pub(super) fn secrets() -> Vec<String> {
    [ADMIN_SECRET, AIVEN_TOKEN, TIMESCALE_TOKEN, KONNECT_TOKEN]
        .map(str::to_owned)
        .to_vec()
}

/// A fresh sample world without what the vendors have.
pub(super) fn world() -> World {
    let mut world = World {
        tenants: vec![tenant(TENANT, "Acme", "acme.example")],
        users: vec![User {
            tenant: TENANT.into(),
            id: PERSON.into(),
            name: "alex@acme.example".into(),
            display_name: "Alex Example".into(),
            directory_roles: vec![ADMINISTRATOR.into()],
        }],
        subscriptions: vec![
            subscription(PRODUCTION, TENANT, "Production"),
            subscription(DEVELOPMENT, TENANT, "Development"),
        ],
        networks: vec![
            vnet(
                PRODUCTION,
                "RG-Network-Prod",
                "vnet-hub-prod",
                "westeurope",
                "10.10.0.0/16",
            ),
            vnet(
                PRODUCTION,
                "RG-Network-Prod",
                "VNet-Apps",
                "northeurope",
                "10.20.0.0/16",
            ),
            // Holds the ranges of all the vendors' VPCs below.
            vnet(
                PRODUCTION,
                "Shared-Services",
                "vnet-legacy",
                "westeurope",
                "192.168.0.0/16",
            ),
            vnet(
                DEVELOPMENT,
                "rg-dev-Network",
                "vnet-dev",
                "westeurope",
                "10.40.0.0/16",
            ),
        ],
        ..World::default()
    };
    people(&mut world);
    world
}

/// Adds the resource groups that the networks are in.
pub(super) fn groups(world: &mut World) {
    for network in &world.networks {
        let group = Group {
            subscription: network.subscription.clone(),
            name: network.group.clone(),
            location: network.location.clone(),
        };
        if !world
            .groups
            .iter()
            .any(|known| known.name == group.name && known.subscription == group.subscription)
        {
            world.groups.push(group);
        }
    }
}

fn tenant(id: &str, name: &str, domain: &str) -> Tenant {
    Tenant {
        id: id.into(),
        name: name.into(),
        domain: domain.into(),
    }
}

fn subscription(id: &str, tenant: &str, name: &str) -> Subscription {
    Subscription {
        id: id.into(),
        tenant: tenant.into(),
        name: name.into(),
        ..Subscription::default()
    }
}
