//! The sample world: a company with two subscriptions, its accounts at Aiven, Timescale and Kong, and those vendors' tenants.

mod more;
mod people;
mod vendors;

use self::people::people;
use self::vendors::{aiven, konnect};
use super::world::{Group, Network, Subscription, Tenant, User, World, sha256};

const TENANT: &str = "3f0a6c1e-5b1d-4a77-9c58-2d1e7b90c4a1";
const PRODUCTION: &str = "0b1f6471-1bf0-4dda-aec3-cb9272f09590";
const DEVELOPMENT: &str = "6d25f4c7-90ab-4c1e-8f3d-5e7a1b2c3d4e";
const ADMIN_APP: &str = "e1a4b7c0-2d35-4f68-9a1b-3c5d7e9f0a2b";
const ADMIN_SP: &str = "7b2e9d14-6c08-4a53-b1f7-8d4e0c2a6f95";
const PERSON: &str = "c9f3a1d5-4e72-4b86-8a0c-1d6f5b3e7a28";
const OWNER: &str = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635";
const ADMINISTRATOR: &str = "Application Administrator";

/// Aiven's tenant, its subscription there, and its published application.
pub(super) const AIVEN_TENANT: &str = "c5b1e7d2-8f43-4e0b-a6d9-71f2a3b84e60";
const AIVEN_SUBSCRIPTION: &str = "2a9c4e61-7d3b-4f05-8e1a-b6c8d0f2a435";
pub(super) const AIVEN_APP: &str = "55f300d4-fc50-4c5e-9222-e90a6e2187fb";
/// The role that Aiven gives to its customers' applications in its own tenant.
pub(super) const AIVEN_ROLE: &str = "5e9f7c31-8a4d-4b26-9c0e-f1d3a5b7c962";
/// Kong's tenant, its subscription there, and its published application.
pub(super) const KONG_TENANT: &str = "9d27f0b4-1c6e-4f35-b8a2-60c3d5e7f918";
const KONG_SUBSCRIPTION: &str = "4c7e1f93-5a2d-4b68-9f0c-e3d5b7a91c26";
pub(super) const KONG_APP: &str = "207b296f-cf25-4d23-9eba-9a2c41dc62ca";

const PROJECT: &str = "acme-prod";
const PROJECT_VPC: &str = "d3c1b5a7-8e90-4f2d-a6b4-1c3e5d7f9b80";
const ORGANIZATION: &str = "org1a2b3c4d5e6";
const ORGANIZATION_VPC: &str = "e5d7f9b8-1c3e-4a6b-8d0f-2b4c6e8a0d1f";
const TIMESCALE_PROJECT: &str = "acme-metrics";
const TIMESCALE_VPC: &str = "f7e9d1c3-5b4a-4d8c-9e2f-6a0b8c4d2e1f";
const KONNECT_NETWORK: &str = "b8d6f4a2-0c1e-4e3d-8b5a-7f9c1d3e5a60";

// Not secrets: they open nothing but a sandbox on this machine, and must be the same after a restart of a saved one.
const ADMIN_SECRET: &str = "sandbox-Admin~password.of-no-real-cloud";
const AIVEN_TOKEN: &str = "sandbox-aiven-token-of-no-real-cloud==";
const TIMESCALE_TOKEN: &str = "sandbox-timescale-token-of-no-real-cloud==";
const KONNECT_TOKEN: &str = "kpat_sandbox-konnect-token-of-no-real-cloud";

/// Names, ids and credentials that exist in the sample world.
#[derive(Clone, Debug)]
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
    }
}

/// The secrets that the sample world starts with.
pub(super) fn secrets() -> Vec<String> {
    [ADMIN_SECRET, AIVEN_TOKEN, TIMESCALE_TOKEN, KONNECT_TOKEN]
        .map(str::to_owned)
        .to_vec()
}

/// A fresh sample world.
pub(super) fn world() -> World {
    let mut world = World {
        tenants: vec![
            tenant(TENANT, "Acme", "acme.example"),
            tenant(AIVEN_TENANT, "Aiven", "aiven.example"),
            tenant(KONG_TENANT, "Kong", "kong.example"),
        ],
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
            subscription(AIVEN_SUBSCRIPTION, AIVEN_TENANT, "Aiven networks"),
            subscription(KONG_SUBSCRIPTION, KONG_TENANT, "Kong networks"),
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
    aiven(&mut world);
    world.konnect = konnect(&mut world.networks);
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
    world
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
    }
}

fn vnet(subscription: &str, group: &str, name: &str, location: &str, range: &str) -> Network {
    Network {
        subscription: subscription.into(),
        group: group.into(),
        name: name.into(),
        location: location.into(),
        prefixes: vec![range.into()],
        guid: related(&sha256(&format!("{subscription}{group}{name}")), 'f'),
        provisioning: "Succeeded".into(),
        peerings: Vec::new(),
    }
}

/// A GUID that always goes with a text, so that a sample world is the same each time.
fn related(text: &str, salt: char) -> String {
    let hash = sha256(&format!("{salt}{text}"));
    format!(
        "{}-{}-4{}-8{}-{}",
        &hash[..8],
        &hash[8..12],
        &hash[13..16],
        &hash[17..20],
        &hash[20..32]
    )
}
