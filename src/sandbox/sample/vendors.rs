//! The sample company's accounts at Aiven, Timescale and Kong, and those vendors' networks.

use super::ids::{
    AIVEN_APP, AIVEN_ROLE, AIVEN_SUBSCRIPTION, AIVEN_TENANT, AIVEN_TOKEN, KONG_APP,
    KONG_SUBSCRIPTION, KONG_TENANT, KONNECT_NETWORK, KONNECT_TOKEN, ORGANIZATION, ORGANIZATION_VPC,
    PROJECT, PROJECT_VPC, TIMESCALE_PROJECT, TIMESCALE_TOKEN, TIMESCALE_VPC,
};
use super::network::vnet;
use crate::sandbox::world::{
    Account, GatewayNetwork, Konnect, Permission, ProviderAccount, Role, Vpc, World, sha256,
};

pub(in crate::sandbox) fn aiven(world: &mut World) {
    let ids = [AIVEN_TENANT, AIVEN_SUBSCRIPTION, AIVEN_APP];
    world.add_vendor("Aiven", "Aiven VPC peering", ids);
    let account = |token: &str,
                   email: &str,
                   realm: &str,
                   projects: &[&str],
                   organizations: &[(&str, &str)]| Account {
        sha256: sha256(token),
        email: email.into(),
        realm: realm.into(),
        projects: projects.iter().map(|&name| name.into()).collect(),
        organizations: organizations
            .iter()
            .map(|&(id, name)| (id.into(), name.into()))
            .collect(),
    };
    world.aiven.accounts = vec![
        account(
            AIVEN_TOKEN,
            "alex@acme.example",
            "aiven",
            &[PROJECT, "acme-lab"],
            &[(ORGANIZATION, "Acme")],
        ),
        account(
            TIMESCALE_TOKEN,
            "alex@acme.example",
            "timescale",
            &[TIMESCALE_PROJECT],
            &[],
        ),
    ];
    world.roles.push(Role {
        tenant: AIVEN_TENANT.into(),
        id: AIVEN_ROLE.into(),
        name: "Customer peering".into(),
        permissions: vec![Permission {
            actions: vec!["Microsoft.Network/virtualNetworks/peer/action".into()],
            ..Permission::default()
        }],
        assignable_scopes: vec![format!("/subscriptions/{AIVEN_SUBSCRIPTION}")],
        created: "2025-01-15T09:00:00Z".into(),
        updated: "2025-01-15T09:00:00Z".into(),
        ..Role::default()
    });
    vpcs(world);
}

fn vpcs(world: &mut World) {
    let project = |name: &str| (Some(name.to_owned()), None);
    let organization = || (None, Some(ORGANIZATION.to_owned()));
    let vpcs = [
        (
            PROJECT_VPC,
            project(PROJECT),
            "azure-westeurope",
            "192.168.20.0/22",
            "ACTIVE",
        ),
        (
            "0e9f7d5b-3c1a-4b8e-9d6f-4a2c0e8b6d13",
            project(PROJECT),
            "aws-eu-west-1",
            "192.168.40.0/24",
            "ACTIVE",
        ),
        (
            "1f0a8e6c-4d2b-4c9f-8e7a-5b3d1f9c7e24",
            project(PROJECT),
            "google-europe-west1",
            "192.168.44.0/24",
            "ACTIVE",
        ),
        (
            "2a1b9f7d-5e3c-4dae-9f8b-6c4e2a0d8f35",
            project(PROJECT),
            "azure-northeurope",
            "192.168.48.0/24",
            "APPROVED",
        ),
        (
            ORGANIZATION_VPC,
            organization(),
            "azure-westeurope",
            "192.168.64.0/22",
            "ACTIVE",
        ),
        (
            "3b2c0a8e-6f4d-4ebf-8a9c-7d5f3b1e9a46",
            organization(),
            "aws-eu-north-1",
            "192.168.72.0/24",
            "ACTIVE",
        ),
        (
            TIMESCALE_VPC,
            project(TIMESCALE_PROJECT),
            "timescale-azure-westeurope",
            "192.168.80.0/22",
            "ACTIVE",
        ),
    ];
    for (id, (project, organization), cloud, cidr, state) in vpcs {
        let mut network = String::new();
        if cloud.contains("azure") && state == "ACTIVE" {
            let vnet = vnet(
                AIVEN_SUBSCRIPTION,
                "vpc-westeurope",
                &format!("vpc-{}", &id[..8]),
                "westeurope",
                cidr,
            );
            network = vnet.id();
            world.networks.push(vnet);
        }
        world.aiven.vpcs.push(Vpc {
            id: id.into(),
            project,
            organization,
            cloud: cloud.into(),
            cidr: cidr.into(),
            state: state.into(),
            created: "2025-02-01T08:00:00Z".into(),
            network,
            ..Vpc::default()
        });
    }
}

pub(in crate::sandbox) fn konnect(world: &mut World) {
    let ids = [KONG_TENANT, KONG_SUBSCRIPTION, KONG_APP];
    world.add_vendor("Kong", "kong-cgw-azure-vnet-peering-app", ids);
    let azure = "5c8e2a60-7d4f-4b93-a1c6-9e0f3d5b7a82";
    let aws = "6d9f3b71-8e50-4ca4-b2d7-0f1a4e6c8b93";
    let vnet = vnet(
        KONG_SUBSCRIPTION,
        "cgw-westeurope",
        "cgw-b8d6f4a2",
        "westeurope",
        "10.200.0.0/16",
    );
    let network = |id: &str, name: &str, account: &str, region: &str, cidr: &str, state: &str| {
        GatewayNetwork {
            id: id.into(),
            name: name.into(),
            account: account.into(),
            region: region.into(),
            cidr: cidr.into(),
            state: state.into(),
            created: "2025-02-10T08:00:00Z".into(),
            ..GatewayNetwork::default()
        }
    };
    let mut ready = network(
        KONNECT_NETWORK,
        "edge-europe",
        azure,
        "westeurope",
        "10.200.0.0/16",
        "ready",
    );
    ready.network = vnet.id();
    world.networks.push(vnet);
    world.konnect = Konnect {
        tokens: vec![sha256(KONNECT_TOKEN)],
        accounts: vec![
            ProviderAccount {
                id: azure.into(),
                provider: "azure".into(),
                account: KONG_SUBSCRIPTION.into(),
            },
            ProviderAccount {
                id: aws.into(),
                provider: "aws".into(),
                account: "123456789012".into(),
            },
        ],
        networks: vec![
            ready,
            network(
                "c9e7a5b3-1d2f-4f4e-9c6b-8a0d2e4f6b71",
                "edge-frankfurt",
                aws,
                "eu-central-1",
                "10.4.0.0/16",
                "ready",
            ),
            network(
                "daf8b6c4-2e30-4a5f-8d7c-9b1e3f5a7c82",
                "edge-next",
                azure,
                "northeurope",
                "10.220.0.0/16",
                "initializing",
            ),
        ],
    };
}
