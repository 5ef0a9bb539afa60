//! A virtual network of the sample world.

use super::ids::related;
use crate::sandbox::world::{Network, sha256};

/// An unpeered network with one range.
pub(in crate::sandbox) fn vnet(
    subscription: &str,
    group: &str,
    name: &str,
    location: &str,
    range: &str,
) -> Network {
    Network {
        subscription: subscription.into(),
        group: group.into(),
        name: name.into(),
        location: location.into(),
        prefixes: vec![range.into()],
        guid: related(&sha256(&format!("{subscription}{group}{name}")), 'f'),
        provisioning: "Succeeded".into(),
        peerings: Vec::new(),
    }
}
