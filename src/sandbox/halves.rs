//! The two halves of a peering: where they stand, what becomes of the one when the other goes, and which ranges collide.

use ipnet::IpNet;

use super::world::{Network, Peering, World, guid};

/// Where a peering stands on a network.
pub(super) fn position(network: &Network, name: &str) -> Option<usize> {
    network
        .peerings
        .iter()
        .position(|peering| peering.name.eq_ignore_ascii_case(name))
}

/// The half at the other end that points back, as network and peering.
pub(super) fn opposite(world: &World, network: &str, remote: &str) -> Option<(usize, usize)> {
    let at = world.network(remote)?;
    let half = world.networks[at]
        .peerings
        .iter()
        .position(|half| half.remote.eq_ignore_ascii_case(network))?;
    Some((at, half))
}

/// Puts a half on one network that points to another.
pub(super) fn place(world: &mut World, on: usize, to: usize, name: &str, state: &str) {
    let half = Peering {
        name: name.to_owned(),
        remote: world.networks[to].id(),
        state: state.to_owned(),
        provisioning: "Succeeded".to_owned(),
        remote_prefixes: world.networks[to].prefixes.clone(),
        guid: guid(),
        etag: guid(),
        ..Peering::default()
    };
    world.networks[on].peerings.push(half);
}

/// Takes a half away; the other one, if it stands, is disconnected.
pub(super) fn sever(world: &mut World, at: usize, name: &str) {
    remove(world, at, name, "Disconnected");
}

/// Takes a half back that was never really made; the other one, if it stands, waits for it again.
pub(super) fn unmake(world: &mut World, at: usize, name: &str) {
    remove(world, at, name, "Initiated");
}

fn remove(world: &mut World, at: usize, name: &str, leaves: &str) {
    let id = world.networks[at].id();
    let Some(half) = position(&world.networks[at], name) else {
        return;
    };
    let gone = world.networks[at].peerings.remove(half);
    if let Some((network, half)) = opposite(world, &id, &gone.remote) {
        leaves.clone_into(&mut world.networks[network].peerings[half].state);
    }
}

/// Whether two sets of ranges overlap, and where.
pub(super) fn overlap(some: &[String], others: &[String]) -> Option<String> {
    let nets = |texts: &[String]| {
        texts
            .iter()
            .filter_map(|text| text.parse::<IpNet>().ok())
            .collect::<Vec<_>>()
    };
    let others = nets(others);
    let hits = nets(some).into_iter().filter(|net| {
        others
            .iter()
            .any(|other| net.contains(other) || other.contains(net))
    });
    let hits: Vec<String> = hits.map(|net| net.to_string()).collect();
    (!hits.is_empty()).then(|| hits.join(", "))
}
