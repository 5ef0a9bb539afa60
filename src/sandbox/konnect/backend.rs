//! What Kong does behind its API: with the rights it was given it writes both halves of a peering, and takes both away.
//!
//! Models <https://developer.konghq.com/dedicated-cloud-gateways/azure-peering/>.

use crate::sandbox::faults::Fault;
use crate::sandbox::halves::{place, sever};
use crate::sandbox::lag::{Spread, stamp};
use crate::sandbox::log::Service;
use crate::sandbox::rbac::Verdict;
use crate::sandbox::sample::KONG_APP;
use crate::sandbox::vendor::{Hindrance, Site, Vendor, survey};
use crate::sandbox::wire::Ask;
use crate::sandbox::world::{TransitGateway, World};

const DELETE: &str = "Microsoft.Network/virtualNetworks/virtualNetworkPeerings/delete";
const VENDOR: Vendor = Vendor {
    app: KONG_APP,
    actions: &[
        "Microsoft.Network/virtualNetworks/read",
        "Microsoft.Network/virtualNetworks/virtualNetworkPeerings/read",
        "Microsoft.Network/virtualNetworks/virtualNetworkPeerings/write",
        DELETE,
        "Microsoft.Network/virtualNetworks/peer/action",
    ],
};

/// Lets everything happen whose time has come.
pub(in crate::sandbox) fn advance(world: &mut World) {
    for at in 0..world.konnect.networks.len() {
        move_on(world, at, false);
    }
}

/// As `advance` for one network, and what is waiting comes one look nearer.
pub(super) fn look(world: &mut World, at: usize) {
    move_on(world, at, true);
}

fn move_on(world: &mut World, at: usize, look: bool) {
    let mut gateway = 0;
    while gateway < world.konnect.networks[at].gateways.len() {
        let gateways = world.konnect.networks[at].gateways.len();
        step(world, at, gateway, look);
        if world.konnect.networks[at].gateways.len() == gateways {
            gateway += 1;
        }
    }
}

/// Moves one transit gateway to its next state, if it is time.
fn step(world: &mut World, at: usize, gateway: usize, look: bool) {
    let lag = world.lag;
    let broken = is_broken(world, at, gateway);
    let path = path(world, at, gateway);
    let one = &mut world.konnect.networks[at].gateways[gateway];
    match one.state.as_str() {
        "ready" if broken => set(
            one,
            "error",
            Some("The peering was disconnected from the side of the peer network".to_owned()),
        ),
        "ready" | "error" => {}
        "terminating"
            if world.faults.hold(
                &Fault::GatewayStuck,
                Service::Of("konnect"),
                ("DELETE", &path),
                look,
            ) => {}
        // A person's turn: the backend looks again and again whether they have taken it.
        "pending-user-action" => build(world, at, gateway),
        _ if !(if look {
            one.settle.look()
        } else {
            one.settle.due()
        }) => {}
        "terminating" => remove(world, at, gateway),
        "initializing" => build(world, at, gateway),
        _ => {
            set(one, "initializing", None);
            one.settle = lag.begin(Spread::Build);
        }
    }
}

/// Whether Kong's half, once made, no longer has another.
fn is_broken(world: &World, at: usize, gateway: usize) -> bool {
    let network = &world.konnect.networks[at];
    let Some((own, _)) = &network.gateways[gateway].halves else {
        return false;
    };
    let home = world
        .network(&network.network)
        .map(|at| &world.networks[at]);
    home.is_none_or(|home| {
        home.peerings
            .iter()
            .all(|half| half.name != *own || half.state == "Disconnected")
    })
}

fn build(world: &mut World, at: usize, gateway: usize) {
    if world.closed {
        return;
    }
    let network = &world.konnect.networks[at];
    let (own, one) = (network.network.clone(), network.gateways[gateway].clone());
    // The backend's work is not a request; rules that refuse it match by the service alone.
    let refusal = world
        .faults
        .strike(Service::Of("konnect"), &Ask::default(), |fault| {
            matches!(fault, Fault::Refuse(..))
        });
    if let Some(Fault::Refuse(state, message)) = refusal {
        set(
            &mut world.konnect.networks[at].gateways[gateway],
            &state,
            Some(message),
        );
        return;
    }
    let (tenant, peer) = peer(&one);
    let survey = survey(world, &VENDOR, &tenant, &peer, &own);
    let change = &mut world.konnect.networks[at].gateways[gateway];
    match survey {
        Err(Hindrance::Spreading(_)) => change.settle = world.lag.begin(Spread::Assignment),
        Err(Hindrance::Rights(reason)) => set(change, "pending-user-action", Some(reason)),
        Err(Hindrance::Invalid(reason)) => set(change, "error", Some(reason)),
        Ok(Site { half: Some(_), .. }) => {
            let reason = format!(
                "Another peering of {peer} already references {own} (AnotherPeeringAlreadyReferencesRemoteVnet)"
            );
            set(change, "error", Some(reason));
        }
        Ok(Site {
            own: home,
            peer,
            half: None,
        }) => {
            let names = (format!("peer-{}", one.id), format!("kong-{}", one.id));
            change.halves = Some(names.clone());
            set(change, "ready", None);
            place(world, home, peer, &names.0, "Connected");
            place(world, peer, home, &names.1, "Connected");
        }
    }
}

/// Takes both halves away; the user's only while Kong may still delete there.
fn remove(world: &mut World, at: usize, gateway: usize) {
    let thing = ("DELETE", &*path(world, at, gateway));
    let leave = world
        .faults
        .hold(&Fault::LeaveHalf, Service::Of("konnect"), thing, true);
    let network = world.konnect.networks[at].network.clone();
    let gone = world.konnect.networks[at].gateways.remove(gateway);
    let Some((own, theirs)) = &gone.halves else {
        return;
    };
    if let Some(home) = world.network(&network) {
        sever(world, home, own);
    }
    if leave {
        return;
    }
    let (tenant, peer) = peer(&gone);
    let principal = world
        .principal(&tenant, KONG_APP)
        .map(|sp| sp.id.clone())
        .unwrap_or_default();
    let half = format!("{peer}/virtualNetworkPeerings/{theirs}");
    if let (Verdict::Allowed, Some(other)) = (
        world.may(&principal, DELETE, &half, u64::MAX),
        world.network(&peer),
    ) {
        sever(world, other, theirs);
    }
}

/// Where the API shows a gateway, for rules that are about it.
fn path(world: &World, at: usize, gateway: usize) -> String {
    let network = &world.konnect.networks[at];
    format!(
        "/v2/cloud-gateways/networks/{}/transit-gateways/{}",
        network.id, network.gateways[gateway].id
    )
}

/// The user's tenant and the resource id of their network.
fn peer(gateway: &TransitGateway) -> (String, String) {
    let text = |key: &str| {
        gateway.attachment[key]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    let (subscription, group, vnet) = (
        text("subscription_id"),
        text("resource_group_name"),
        text("vnet_name"),
    );
    let id = format!(
        "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Network/virtualNetworks/{vnet}"
    );
    (text("tenant_id"), id)
}

fn set(gateway: &mut TransitGateway, state: &str, reason: Option<String>) {
    if gateway.state == state && gateway.reason == reason {
        return;
    }
    state.clone_into(&mut gateway.state);
    gateway.reason = reason;
    gateway.updated = stamp();
    gateway.version += 1;
}
