//! The facts of Kong. Their names are the variables of the guides, in upper case.

use super::dns::Mappings;
use crate::{
    azure::keys::{Side, Text},
    fact::Key,
};

/// What Kong has in your tenant, and its network.
pub const KONG: Side = Side {
    app_id: Key::new("KONG_APP_ID"),
    app_name: Key::new("KONG_APP_NAME"),
    app_tenant_id: Key::new("KONG_APP_TENANT_ID"),
    app_publisher: Key::new("KONG_APP_PUBLISHER"),
    app_confirmed: Key::new("KONG_APP_CONFIRMED"),
    sp_id: Key::new("KONG_SP_ID"),
    role_id: Key::new("KONG_ROLE_ID"),
    assignment_id: Key::new("KONG_ROLE_ASSIGNMENT_ID"),
    tenant_id: Key::new("KONG_TENANT_ID"),
    vnet_id: Key::new("KONG_VNET_ID"),
    range: Key::new("KONG_NETWORK_RANGE"),
};

/// The network of the Dedicated Cloud Gateways.
pub const KONG_NETWORK_ID: Key<Text> = Key::new("KONG_NETWORK_ID");
/// The transit gateway: what Konnect calls its end of a peering.
pub const KONG_GATEWAY_ID: Key<Text> = Key::new("KONG_GATEWAY_ID");
/// The gateway that the person agreed to have deleted, so that another can take its place.
pub const KONG_REPLACED_GATEWAY_ID: Key<Text> = Key::new("KONG_REPLACED_GATEWAY_ID");
/// The transit gateway's name.
pub const KONG_GATEWAY_NAME: Key<Text> = Key::new("KONG_GATEWAY_NAME");
/// Which names Kong asks which servers for.
pub const KONG_DNS: Key<Mappings> = Key::new("KONG_DNS");
