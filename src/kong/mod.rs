//! The Kong Konnect side: networks of Dedicated Cloud Gateways and their transit gateways.

pub mod api;
pub mod checks;
pub mod curl;
pub mod dns;
pub mod existing;
pub mod gateway;
pub mod lack;
pub mod probes;
pub mod script;
pub mod steps;

pub use dns::DnsMapping;
