//! What the vendors' backends have in common: they act in Azure as their own principals, with the rights they were given.

use serde_json::Value;

use super::halves::overlap;
use super::rbac::Verdict;
use super::wire::{Ask, Reply};
use super::world::World;

/// A simulated vendor, as a value: all that the rest of the sandbox knows of one.
pub(super) struct Backend {
    /// Its name, in pictures of the world and for rules of what goes wrong.
    pub name: &'static str,
    /// Whether a path is one of its API's.
    pub serves: fn(&[&str]) -> bool,
    /// Answers a request to its API.
    pub answer: fn(&mut World, &Ask) -> Reply,
    /// The body of a request that failed with this status, code and message.
    pub failure: fn(u16, &str, &str) -> Value,
    /// Lets everything happen whose time has come.
    pub advance: fn(&mut World),
    /// Adds to a sample world what it has there.
    pub furnish: fn(&mut World),
    /// What a client has to be told about that, by name.
    pub samples: &'static [(&'static str, &'static str)],
    /// The secrets among them.
    pub secrets: &'static [&'static str],
    /// What there is, sorted, without secrets and times.
    pub picture: fn(&World) -> Value,
    /// The ids of its peerings.
    pub peerings: fn(&World) -> Vec<String>,
    /// The states in which a peering stays until somebody does something.
    pub resting: &'static [&'static str],
    /// The states that say no to one that is being built.
    pub refusals: &'static [&'static str],
    /// Puts every peering into this state, to stay in it.
    pub say: fn(&mut World, &str),
}

/// A list whose order tells nothing.
pub(super) fn sorted(items: impl Iterator<Item = Value>) -> Value {
    let mut items: Vec<Value> = items.collect();
    items.sort_by_cached_key(Value::to_string);
    Value::Array(items)
}

/// Who acts, and what they need to be allowed on the user's network.
pub(super) struct Vendor {
    /// The client id of their application.
    pub app: &'static str,
    /// Actions on the user's network.
    pub actions: &'static [&'static str],
}

/// Why a peering cannot be built.
pub(super) enum Hindrance {
    /// A right is on its way; the message is that of one that is missing.
    Spreading(String),
    /// A right is missing.
    Rights(String),
    /// Something in the request or in Azure is wrong.
    Invalid(String),
}

/// The two networks of a peering, by their places in the world.
pub(super) struct Site {
    /// The vendor's network.
    pub own: usize,
    /// The user's network.
    pub peer: usize,
    /// The user's half, if it stands already.
    pub half: Option<usize>,
}

/// Looks whether the vendor can build a peering between their network and the user's.
pub(super) fn survey(
    world: &mut World,
    vendor: &Vendor,
    tenant: &str,
    peer: &str,
    own: &str,
) -> Result<Site, Hindrance> {
    let Vendor { app, actions } = vendor;
    if world
        .tenant_of(peer)
        .is_none_or(|owner| !owner.eq_ignore_ascii_case(tenant))
    {
        return Err(Hindrance::Invalid(format!(
            "The subscription of {peer} was not found in tenant {tenant}"
        )));
    }
    let principal = world.principal(tenant, app).map(|sp| sp.id.clone());
    let principal = principal.ok_or_else(|| {
        Hindrance::Rights(format!(
            "The application {app} has no service principal in tenant {tenant}"
        ))
    })?;
    let (mut missing, mut spreading) = (Vec::new(), Vec::new());
    for action in *actions {
        match world.may(&principal, action, peer, u64::MAX) {
            Verdict::Allowed => {}
            Verdict::Spreading => spreading.push(*action),
            Verdict::Denied => missing.push(*action),
        }
    }
    let lacks = |actions: &[&str]| {
        format!(
            "The application {app} does not have permission to perform {} on {peer}, or the network does not exist",
            actions.join(", ")
        )
    };
    if !missing.is_empty() {
        return Err(Hindrance::Rights(lacks(&missing)));
    }
    if !spreading.is_empty() {
        return Err(Hindrance::Spreading(lacks(&spreading)));
    }
    let found = world.network(peer);
    let found =
        found.ok_or_else(|| Hindrance::Invalid(format!("The network {peer} was not found")))?;
    let home = world
        .network(own)
        .ok_or_else(|| Hindrance::Invalid(format!("The network {own} was not found")))?;
    if let Some(hits) = overlap(
        &world.networks[home].prefixes,
        &world.networks[found].prefixes,
    ) {
        return Err(Hindrance::Invalid(format!(
            "The address ranges of the two networks overlap (VnetAddressSpacesOverlap): {hits}"
        )));
    }
    let half = world.networks[found]
        .peerings
        .iter()
        .position(|half| half.remote.eq_ignore_ascii_case(own));
    if half.is_some_and(|half| world.networks[found].peerings[half].state == "Disconnected") {
        return Err(Hindrance::Invalid(format!(
            "A peering from {peer} to {own} is in Disconnected state (RemotePeeringIsDisconnected); delete it first"
        )));
    }
    Ok(Site {
        own: home,
        peer: found,
        half,
    })
}
