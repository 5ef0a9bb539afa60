//! What Aiven does behind its API: it builds its half of a peering as its own principal, watches, and cleans up.
//!
//! Models <https://aiven.io/docs/platform/howto/vnet-peering-azure>.

use crate::sandbox::faults::Fault;
use crate::sandbox::halves::{place, sever};
use crate::sandbox::lag::{Settle, Spread, stamp};
use crate::sandbox::log::Service;
use crate::sandbox::sample::{AIVEN_APP, AIVEN_ROLE, AIVEN_TENANT};
use crate::sandbox::vendor::{Hindrance, Site, Vendor, survey};
use crate::sandbox::wire::Ask;
use crate::sandbox::world::{Assignment, Row, World, guid};

const VENDOR: Vendor = Vendor {
    app: AIVEN_APP,
    actions: &["Microsoft.Network/virtualNetworks/peer/action"],
};

/// Lets everything happen whose time has come.
pub(in crate::sandbox) fn advance(world: &mut World) {
    for at in 0..world.aiven.vpcs.len() {
        move_on(world, at, false);
    }
}

/// As `advance` for one VPC, and what is waiting comes one look nearer.
pub(super) fn look(world: &mut World, at: usize) {
    move_on(world, at, true);
}

fn move_on(world: &mut World, at: usize, look: bool) {
    let mut row = 0;
    while row < world.aiven.vpcs[at].rows.len() {
        let rows = world.aiven.vpcs[at].rows.len();
        step(world, at, row, look);
        if world.aiven.vpcs[at].rows.len() == rows {
            row += 1;
        }
    }
}

/// Moves one row to its next state, if it is time.
fn step(world: &mut World, at: usize, row: usize, look: bool) {
    let (half, lag, path) = (half(world, at, row), world.lag, path(world, at, row));
    let one = &mut world.aiven.vpcs[at].rows[row];
    match one.state.as_str() {
        "PENDING_PEER" | "ACTIVE" if half.as_deref() == Some("Disconnected") => {
            set(
                one,
                "DELETED_BY_PEER",
                Some((
                    "deleted-by-peer",
                    "The peering was deleted from the peer VNet".to_owned(),
                )),
            );
        }
        "PENDING_PEER" if half.as_deref() == Some("Connected") => {
            if !one.joined {
                one.joined = true;
                one.settle = lag.begin(Spread::Join);
            }
            if passed(&mut one.settle, look) {
                set(one, "ACTIVE", None);
            }
        }
        "DELETING"
            if world.faults.hold(
                &Fault::RowStuck,
                Service::Of("aiven"),
                ("DELETE", &path),
                look,
            ) => {}
        "DELETING" if passed(&mut one.settle, look) => remove(world, at, row),
        "PENDING_PEER"
        | "ACTIVE"
        | "DELETING"
        | "DELETED_BY_PEER"
        | "INVALID_SPECIFICATION"
        | "REJECTED_BY_PEER"
        | "ERROR" => {}
        // APPROVED, and any word that a fault put in its place.
        _ if passed(&mut one.settle, look) => build(world, at, row),
        _ => {}
    }
}

fn passed(settle: &mut Settle, look: bool) -> bool {
    if look { settle.look() } else { settle.due() }
}

/// Where the API shows a row, for rules that are about it.
fn path(world: &World, at: usize, row: usize) -> String {
    let vpc = &world.aiven.vpcs[at];
    let (owner, id, row) = match (&vpc.organization, &vpc.project) {
        (Some(organization), _) => ("organization", organization, &vpc.rows[row].id),
        (None, project) => (
            "project",
            project.as_ref().unwrap_or(&vpc.id),
            &vpc.rows[row].id,
        ),
    };
    format!("/v1/{owner}/{id}/vpcs/{}/peering-connections/{row}", vpc.id)
}

/// The state of Aiven's half, if it has made one.
fn half(world: &World, at: usize, row: usize) -> Option<String> {
    let vpc = &world.aiven.vpcs[at];
    let name = vpc.rows[row].half.as_ref()?;
    let network = &world.networks[world.network(&vpc.network)?];
    network
        .peerings
        .iter()
        .find(|peering| peering.name == *name)
        .map(|peering| peering.state.clone())
}

/// Tries to make Aiven's half of the peering, with the rights that the user gave to Aiven's principal.
fn build(world: &mut World, at: usize, row: usize) {
    if world.closed {
        return;
    }
    let vpc = &world.aiven.vpcs[at];
    let (own, one) = (vpc.network.clone(), vpc.rows[row].clone());
    // The backend's work is not a request; rules that refuse it match by the service alone.
    let refusal = world
        .faults
        .strike(Service::Of("aiven"), &Ask::default(), |fault| {
            matches!(fault, Fault::Refuse(..))
        });
    if let Some(Fault::Refuse(state, message)) = refusal {
        let kind = state.to_lowercase().replace('_', "-");
        set(
            &mut world.aiven.vpcs[at].rows[row],
            &state,
            Some((&kind, message)),
        );
        return;
    }
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let peer = format!(
        "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.Network/virtualNetworks/{}",
        one.account,
        text(&one.group),
        one.vnet
    );
    match survey(world, &VENDOR, &text(&one.tenant), &peer, &own) {
        // A right that has not spread is none: whoever asks too early has to ask again.
        Err(
            Hindrance::Spreading(message)
            | Hindrance::Rights(message)
            | Hindrance::Invalid(message),
        ) => {
            let note = Some(("invalid-specification", message));
            set(
                &mut world.aiven.vpcs[at].rows[row],
                "INVALID_SPECIFICATION",
                note,
            );
        }
        Ok(Site {
            own: home,
            peer,
            half,
        }) => {
            let name = format!("aiven-{}", one.id);
            if let Some(half) = half {
                "Connected".clone_into(&mut world.networks[peer].peerings[half].state);
            }
            place(
                world,
                home,
                peer,
                &name,
                if half.is_some() {
                    "Connected"
                } else {
                    "Initiated"
                },
            );
            admit(world, &text(&one.app), &own);
            let one = &mut world.aiven.vpcs[at].rows[row];
            one.half = Some(name);
            let message = "Azure VNet peering was created from Aiven's side; create a peering from the peer VNet to finish it";
            set(
                one,
                "PENDING_PEER",
                Some(("pending-peer", message.to_owned())),
            );
        }
    }
}

/// Gives the user's application a principal in Aiven's tenant, and that the right to peer with Aiven's network.
fn admit(world: &mut World, app_id: &str, network: &str) {
    let known = world
        .principal(AIVEN_TENANT, app_id)
        .map(|sp| sp.id.clone());
    let principal = known.unwrap_or_else(|| {
        let at = world.add_principal(AIVEN_TENANT, app_id, Vec::new());
        world.principals[at].id.clone()
    });
    let there = |one: &Assignment| one.principal == principal && one.scope == network;
    if !world.assignments.iter().any(there) {
        let settle = world.lag.begin(Spread::Assignment);
        world.assignments.push(Assignment {
            tenant: AIVEN_TENANT.to_owned(),
            id: guid(),
            scope: network.to_owned(),
            role: AIVEN_ROLE.to_owned(),
            principal,
            principal_type: "ServicePrincipal".to_owned(),
            created: stamp(),
            author: AIVEN_APP.to_owned(),
            settle,
            ..Assignment::default()
        });
    }
}

/// Takes a row away, with Aiven's half and, when nothing else needs them, the user's rights in Aiven's tenant.
fn remove(world: &mut World, at: usize, row: usize) {
    let gone = world.aiven.vpcs[at].rows.remove(row);
    let network = world.aiven.vpcs[at].network.clone();
    if let (Some(name), Some(home)) = (&gone.half, world.network(&network)) {
        sever(world, home, name);
    }
    let Some(app_id) = gone.app else { return };
    let in_use = |network: Option<&str>| {
        world
            .aiven
            .vpcs
            .iter()
            .filter(|vpc| network.is_none_or(|network| vpc.network == network))
            .flat_map(|vpc| &vpc.rows)
            .any(|row| row.app.as_ref() == Some(&app_id))
    };
    let (here, anywhere) = (in_use(Some(&network)), in_use(None));
    let Some(principal) = world
        .principal(AIVEN_TENANT, &app_id)
        .map(|sp| sp.id.clone())
    else {
        return;
    };
    if !here {
        world
            .assignments
            .retain(|one| one.principal != principal || one.scope != network);
    }
    if !anywhere {
        world.principals.retain(|sp| sp.id != principal);
    }
}

fn set(row: &mut Row, state: &str, note: Option<(&str, String)>) {
    state.clone_into(&mut row.state);
    row.note = note.map(|(kind, message)| (kind.to_owned(), message));
    row.updated = stamp();
}
