//! When a half of a peering may be written: body, rights on both sides, ranges, name.

use super::access::auxiliary;
use super::envelope::error;
use super::shape::PEERING;
use crate::sandbox::halves::overlap;
use crate::sandbox::rbac::Verdict;
use crate::sandbox::wire::{Answer, Ask};
use crate::sandbox::world::{Token, World};

/// The remote network's id in a well-formed body.
pub(super) fn body(ask: &Ask) -> Result<String, Answer> {
    const KNOWN: [&str; 20] = [
        "allowForwardedTraffic",
        "allowGatewayTransit",
        "allowVirtualNetworkAccess",
        "doNotVerifyRemoteGateways",
        "enableOnlyIPv6Peering",
        "localAddressSpace",
        "localSubnetNames",
        "localVirtualNetworkAddressSpace",
        "peerCompleteVnets",
        "peeringState",
        "peeringSyncLevel",
        "provisioningState",
        "remoteAddressSpace",
        "remoteBgpCommunities",
        "remoteSubnetNames",
        "remoteVirtualNetwork",
        "remoteVirtualNetworkAddressSpace",
        "remoteVirtualNetworkEncryption",
        "resourceGuid",
        "useRemoteGateways",
    ];
    let invalid = |text: &str| {
        error(
            400,
            "InvalidRequestFormat",
            &format!("Cannot parse the request. {text}"),
        )
    };
    let properties = ask.body["properties"]
        .as_object()
        .ok_or_else(|| invalid("Required property 'properties' is missing."))?;
    if let Some(key) = properties.keys().find(|key| !KNOWN.contains(&key.as_str())) {
        return Err(invalid(&format!(
            "Could not find member '{key}' on object of type 'VirtualNetworkPeeringPropertiesFormat'."
        )));
    }
    if let Some(key) = ask.body.as_object().and_then(|body| {
        body.keys()
            .find(|key| !["id", "name", "type", "etag", "properties"].contains(&key.as_str()))
    }) {
        return Err(invalid(&format!(
            "Could not find member '{key}' on object of type 'VirtualNetworkPeering'."
        )));
    }
    let remote = properties
        .get("remoteVirtualNetwork")
        .and_then(|remote| remote["id"].as_str());
    remote
        .map(str::to_owned)
        .ok_or_else(|| invalid("Required property 'remoteVirtualNetwork' is missing."))
}

/// The caller must be allowed to peer with the network at the other end, in that network's own tenant.
pub(super) fn linked(
    world: &mut World,
    ask: &Ask,
    caller: &Token,
    id: &str,
    remote: &str,
) -> Result<(), Answer> {
    const ACTION: &str = "Microsoft.Network/virtualNetworks/peer/action";
    let refusal = |text: String| error(403, "LinkedAuthorizationFailed", &text);
    let Some(tenant) = world.tenant_of(remote) else {
        let text = format!(
            "The linked resource id '{remote}' is invalid or its subscription could not be found."
        );
        return Err(error(400, "LinkedInvalidPropertyId", &text));
    };
    let others = auxiliary(world, ask)?;
    let holder = if tenant == caller.tenant {
        Some(caller)
    } else {
        others.iter().find(|token| token.tenant == tenant)
    };
    let Some(holder) = holder.filter(|holder| holder.app_id == caller.app_id) else {
        let subscription = remote.split('/').nth(2).unwrap_or_default();
        return Err(refusal(format!(
            "The client has permission to perform action '{ACTION}' on scope '{id}', however the current tenant '{}' is not authorized to access linked subscription '{subscription}'.",
            caller.tenant
        )));
    };
    if world.may(&holder.principal, ACTION, remote, holder.serial) == Verdict::Allowed {
        return Ok(());
    }
    let (client, object) = (&caller.app_id, &holder.principal);
    Err(refusal(format!(
        "The client '{client}' with object id '{object}' has permission to perform action '{PEERING}/write' on scope '{id}'; however, it does not have permission to perform action '{ACTION}' on the linked scope(s) '{remote}' or the linked scope(s) are invalid."
    )))
}

/// Neither the two networks nor what is peered with either may overlap.
pub(super) fn check_ranges(
    world: &World,
    at: usize,
    other: usize,
    here: &str,
) -> Result<(), Answer> {
    let (own, remote) = (&world.networks[at], &world.networks[other]);
    if let Some(hits) = overlap(&own.prefixes, &remote.prefixes) {
        let text = format!(
            "Cannot create or update peering {here}. Virtual networks {} and {} cannot be peered because their address spaces overlap. Overlapping address prefixes: {hits}.",
            own.id(),
            remote.id()
        );
        return Err(error(400, "VnetAddressSpacesOverlap", &text));
    }
    for (first, second) in [(own, remote), (remote, own)] {
        for third in second
            .peerings
            .iter()
            .filter(|third| !third.remote.eq_ignore_ascii_case(&first.id()))
        {
            if let Some(hits) = overlap(&first.prefixes, &third.remote_prefixes) {
                let text = format!(
                    "Cannot create or update peering {here}. Virtual networks {} and {} cannot be peered because address space of the first virtual network overlaps with address space of virtual network {} already peered with the second virtual network. Overlapping address prefixes: {hits}.",
                    first.id(),
                    second.id(),
                    third.remote
                );
                return Err(error(
                    400,
                    "VnetAddressSpaceOverlapsWithAlreadyPeeredVnet",
                    &text,
                ));
            }
        }
    }
    Ok(())
}

/// <https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules>
pub(super) fn check_name(name: &str) -> Result<(), Answer> {
    let word = |letter: char| letter.is_alphanumeric() || letter == '_';
    let fine = name.chars().count() <= 80
        && name.starts_with(|letter: char| letter.is_alphanumeric())
        && name.ends_with(word)
        && name
            .chars()
            .all(|letter| word(letter) || letter == '.' || letter == '-');
    if fine {
        return Ok(());
    }
    let text = format!(
        "Resource name {name} is invalid. The name can be up to 80 characters long. It must begin with a word character, and it must end with a word character or with '_'. The name may contain word characters or '.', '-', '_'."
    );
    Err(error(400, "InvalidResourceName", &text))
}
