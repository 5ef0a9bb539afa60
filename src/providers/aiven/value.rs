//! Aiven: project VPCs and organization VPCs.
//! <https://aiven.io/docs/platform/howto/vnet-peering-azure>

use super::{
    Place,
    checks::VpcReady,
    inputs,
    keys::AIVEN,
    probes::{Active, PendingPeer},
    steps::ProviderPeering,
};
use crate::{
    azure::{
        Flow,
        steps::{Allows, CredentialRevoked, MayGrant, Peering, Principal, VnetReady},
    },
    provider::{Provider, Shape, let_in, own_application, own_principal, own_right},
};

/// Aiven's application, a fixed value of its guides.
pub const APP_ID: &str = "55f300d4-fc50-4c5e-9222-e90a6e2187fb";

/// What the role allows: the provider may point a peering at the VNet, and nothing else.
pub const ALLOWS: Allows = Allows {
    actions: &["Microsoft.Network/virtualNetworks/peer/action"],
    description: "Allows creating a peering to vnets in scope (but not from)",
    other_names: &[],
};

/// The name of that role.
pub const ROLE_NAME: &str = "peer-wizard VNet peering target";

/// What is left to do by hand.
pub const NEXT_STEPS: &[&str] = &[
    "test it from a machine in your VNet: nc -zv <service host> <port>",
    "a service's firewall (its IP filter) must allow your VNet's ranges, and your network security groups its range",
];

/// A VPC of an Aiven project.
pub const PROJECT: Provider = Provider {
    id: "aiven-project",
    name: "Aiven",
    title: "Aiven project VPC",
    service: "Aiven (project and organization VPCs)",
    app_id: APP_ID,
    side: AIVEN,
    role_name: ROLE_NAME,
    allows: ALLOWS,
    inputs: &[&inputs::PROJECT, &inputs::PROJECT_VPC],
    derived: &[],
    own_application: true,
    token: &inputs::TOKEN,
    halves: ["vnet-peering", "provider-peering"],
    console: "https://console.aiven.io/",
    next_steps: NEXT_STEPS,
    flow: project,
};

/// A VPC of an Aiven organization.
pub const ORGANIZATION: Provider = Provider {
    id: "aiven-organization",
    title: "Aiven organization VPC",
    inputs: &[&inputs::ORGANIZATION, &inputs::ORGANIZATION_VPC],
    flow: organization,
    ..PROJECT
};

/// The flow of a project VPC; Timescale's is the same.
fn project(provider: &Provider, shape: &Shape) -> Flow {
    flow(provider, shape, Place::Project)
}

fn organization(provider: &Provider, shape: &Shape) -> Flow {
    flow(provider, shape, Place::Organization)
}

fn flow(provider: &Provider, shape: &Shape, place: Place) -> Flow {
    let (name, side) = (provider.name, provider.side);
    let flow = Flow::new()
        .check(VpcReady { place, name })
        .check(VnetReady { side })
        .check(MayGrant {
            role: provider.role(),
        });
    // What takes long to spread comes first, so that it spreads while the provider works. Whether Aiven takes an application that
    // has no principal is not known, so it has one before Aiven is asked.
    let flow = own_application(flow, shape);
    let flow = let_in(flow, provider, Principal::of(name, side, provider.app_id));
    let flow = own_principal(flow, shape).ensure(ProviderPeering { place, name });
    own_right(flow, shape)
        .wait(PendingPeer { place, name })
        .ensure(Peering::to_remote(side, shape.credential))
        .wait(Active { place, name })
        .release(CredentialRevoked(shape.credential))
}
