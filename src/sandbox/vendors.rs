//! The catalogue of the simulated vendors, one line each, and what is asked of all of them.

use serde_json::Value;

use super::sample::{self, Sample};
use super::vendor::Backend;
use super::world::World;
use super::{aiven, konnect};

/// All of them. The first that serves a path is asked.
const ALL: &[&Backend] = &[&aiven::BACKEND, &konnect::BACKEND];

/// Their names.
pub(super) fn names() -> Vec<&'static str> {
    ALL.iter().map(|it| it.name).collect()
}

/// The one whose API has this path.
pub(super) fn serving(path: &[&str]) -> Option<&'static Backend> {
    ALL.iter().copied().find(|it| (it.serves)(path))
}

/// The vendor of this name.
pub(super) fn named(name: &str) -> Option<&'static Backend> {
    ALL.iter().copied().find(|it| it.name == name)
}

/// Lets everything happen whose time has come.
pub(super) fn advance(world: &mut World) {
    for vendor in ALL {
        (vendor.advance)(world);
    }
}

/// A fresh sample world.
pub(super) fn world() -> World {
    let mut world = sample::world();
    for vendor in ALL {
        (vendor.furnish)(&mut world);
    }
    sample::groups(&mut world);
    world
}

/// Names, ids and credentials that exist in it.
pub(super) fn sample() -> Sample {
    let mut sample = sample::sample();
    for (name, value) in ALL.iter().flat_map(|it| it.samples) {
        sample.vendors.insert(name, value);
    }
    sample
}

/// The secrets that it starts with.
pub(super) fn secrets() -> Vec<String> {
    let own = ALL.iter().flat_map(|it| it.secrets);
    let own = own.map(|&secret| secret.to_owned());
    sample::secrets().into_iter().chain(own).collect()
}

/// What there is at each vendor, by its name.
pub(super) fn pictures(world: &World) -> Vec<(&'static str, Value)> {
    let picture = |it: &&Backend| (it.name, (it.picture)(world));
    ALL.iter().map(picture).collect()
}

/// The peerings that the vendors have.
pub(super) fn peerings(world: &World) -> Vec<String> {
    ALL.iter().flat_map(|it| (it.peerings)(world)).collect()
}

/// The states in which they stay until somebody does something.
pub(super) fn resting() -> Vec<&'static str> {
    ALL.iter().flat_map(|it| it.resting).copied().collect()
}

/// The states that say no to one that is being built.
pub(super) fn refusals() -> Vec<&'static str> {
    ALL.iter().flat_map(|it| it.refusals).copied().collect()
}

/// Puts each of them into this state, to stay in it.
pub(super) fn say(world: &mut World, word: &str) {
    for vendor in ALL {
        (vendor.say)(world, word);
    }
}
