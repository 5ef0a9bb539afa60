//! The Kong Konnect side: networks of Dedicated Cloud Gateways and their transit gateways.

pub mod api;
mod checks;
pub mod dns;
mod existing;
pub mod gateway;
pub mod inputs;
pub mod keys;
mod lack;
mod leftover;
mod probes;
mod script;
mod steps;
mod value;
mod vendor;

pub use dns::DnsMapping;
pub use value::*;
pub use vendor::SERVICE;
