//! The Aiven side, which Timescale's managed service shares: project and organization VPCs and their peerings.

pub mod api;
mod checks;
pub mod inputs;
pub mod keys;
mod probes;
mod script;
mod steps;
mod told;
mod value;
mod vendor;

pub use api::Place;
pub use value::*;
pub use vendor::SERVICE;
