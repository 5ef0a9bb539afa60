//! The Aiven side, which Timescale's managed service shares: project and organization VPCs and their peerings.

pub mod api;
pub mod checks;
pub mod probes;
mod script;
pub mod steps;

pub use api::Place;
