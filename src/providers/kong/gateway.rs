//! A transit gateway as plain data: what Konnect tells of one, what its states mean, and whose it is.

use crate::{
    azure::keys::{RUN, USER_RESOURCE_GROUP, USER_SUBSCRIPTION_ID, USER_TENANT_ID, USER_VNET_NAME},
    fact::{Facts, Missing, Named},
};
use serde::Deserialize;

/// The longest name that Konnect takes.
pub const NAME_LIMIT: usize = 120;

/// The kind of attachment that peers with a virtual network.
pub(super) const KIND: &str = "azure-vnet-peering-attachment";

/// Why an object is in its state.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct StateMetadata {
    /// In the words of what is behind Konnect.
    pub reason: Option<String>,
}

/// Which servers a gateway asks for which names, as Konnect keeps it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct DnsConfig {
    pub remote_dns_server_ip_addresses: Vec<String>,
    /// The names, with all that is below them.
    pub domain_proxy_list: Vec<String>,
}

/// Konnect's end of a peering. Other kinds than Azure's VNet peering have other fields, and are never ours.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct TransitGateway {
    pub id: String,
    /// What people call it; unique in its network.
    pub name: String,
    /// Which servers it asks for which names.
    pub dns_config: Option<Vec<DnsConfig>>,
    pub transit_gateway_attachment_config: AttachmentConfig,
    /// Konnect's word for how it stands.
    pub state: String,
    pub state_metadata: Option<StateMetadata>,
}

/// What a gateway is attached to, as Konnect keeps it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct AttachmentConfig {
    kind: String,
    tenant_id: Option<String>,
    subscription_id: Option<String>,
    resource_group_name: Option<String>,
    vnet_name: Option<String>,
}

/// What a gateway's state means for a peering that is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Under way, or a state not known here.
    Waiting,
    /// Something is missing on your side.
    Person,
    Ready,
    /// It failed, for good: an Azure gateway cannot be changed.
    Failed,
    Going,
    Gone,
}

impl TransitGateway {
    /// What its state means. An unknown one is waited out: the set grows.
    #[must_use]
    pub fn standing(&self) -> Standing {
        match self.state.as_str() {
            "pending-acceptance" | "pending-user-action" => Standing::Person,
            "ready" => Standing::Ready,
            "error" => Standing::Failed,
            "terminating" => Standing::Going,
            "terminated" => Standing::Gone,
            _ => Standing::Waiting,
        }
    }

    /// Why it is in its state, if Konnect tells.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        let reason = self.state_metadata.as_ref()?.reason.as_deref()?.trim();
        (!reason.is_empty()).then_some(reason)
    }

    /// The state, and Konnect's words about it.
    #[must_use]
    pub fn says(&self) -> String {
        match self.reason() {
            Some(reason) => format!("{}: {reason}", self.state),
            None => self.state.clone(),
        }
    }

    /// Which of several counts: a living one before a dead one.
    pub(super) fn rank(&self) -> u8 {
        match self.standing() {
            Standing::Ready => 0,
            Standing::Person | Standing::Waiting => 1,
            Standing::Failed => 2,
            Standing::Going | Standing::Gone => 3,
        }
    }

    /// Whether it tells no VNet that it is attached to.
    pub(super) fn is_loose(&self) -> bool {
        self.transit_gateway_attachment_config.vnet_name.is_none()
    }

    #[must_use]
    pub fn dns(&self) -> &[DnsConfig] {
        self.dns_config.as_deref().unwrap_or_default()
    }
}

/// What [`Attachment::named`] reads.
pub(super) const ATTACHMENT_READS: [Named; 4] = [
    USER_TENANT_ID.named(),
    USER_SUBSCRIPTION_ID.named(),
    USER_RESOURCE_GROUP.named(),
    USER_VNET_NAME.named(),
];

/// Your VNet, as Konnect is told of it: by names, not by its resource id.
#[derive(Clone, Debug)]
pub struct Attachment {
    pub(super) tenant: String,
    pub(super) subscription: String,
    pub(super) resource_group: String,
    pub(super) vnet: String,
}

impl Attachment {
    /// The VNet that the facts name.
    ///
    /// # Errors
    /// When they do not name one.
    pub fn named(f: &Facts) -> Result<Self, Missing> {
        Ok(Self {
            tenant: f.get(USER_TENANT_ID)?.into(),
            subscription: f.get(USER_SUBSCRIPTION_ID)?.into(),
            resource_group: f.get(USER_RESOURCE_GROUP)?.into(),
            vnet: f.get(USER_VNET_NAME)?.into(),
        })
    }

    /// Whether the gateway is attached to this VNet. Azure does not tell names apart by their case.
    #[must_use]
    pub fn is(&self, gateway: &TransitGateway) -> bool {
        let AttachmentConfig {
            kind,
            tenant_id,
            subscription_id,
            resource_group_name,
            vnet_name,
        } = &gateway.transit_gateway_attachment_config;
        let same = |mine: &str, other: &Option<String>| {
            let other = other.as_deref().unwrap_or_default();
            other.to_lowercase() == mine.to_lowercase()
        };
        kind == KIND
            && same(&self.tenant, tenant_id)
            && same(&self.subscription, subscription_id)
            && same(&self.resource_group, resource_group_name)
            && same(&self.vnet, vnet_name)
    }

    /// The gateway attached to this VNet: a living one before a dead one, and none that is deleted.
    #[must_use]
    pub fn best(&self, gateways: Vec<TransitGateway>) -> Option<TransitGateway> {
        gateways
            .into_iter()
            .filter(|it| self.is(it) && it.standing() != Standing::Gone)
            .min_by_key(TransitGateway::rank)
    }
}

/// The name that a run gives its gateway unless it is told another.
#[must_use]
pub fn gateway_name(vnet: &str, run: &str) -> String {
    let room = NAME_LIMIT.saturating_sub(run.len() + 1);
    let vnet: String = vnet.chars().take(room).collect();
    format!("{vnet}-{run}")
}

/// The run that gave a gateway this name, if one did.
#[must_use]
pub fn run_of(name: &str) -> Option<&str> {
    let run = &name[name.rfind("-kong-")? + 1..];
    let tail = run.strip_prefix("kong-")?;
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    (tail.len() == 4 && tail.chars().all(plain)).then_some(run)
}

/// The name that this run gives, unless it was told another.
///
/// # Errors
/// When the run or its VNet is not known.
pub fn own_name(f: &Facts) -> Result<String, Missing> {
    Ok(gateway_name(
        f.get(USER_VNET_NAME)?.as_ref(),
        f.get(RUN)?.as_ref(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn attachment() -> Attachment {
        Attachment {
            tenant: "t".into(),
            subscription: "s".into(),
            resource_group: "Rg".into(),
            vnet: "hub".into(),
        }
    }

    fn gateway(vnet: &str, state: &str) -> TransitGateway {
        serde_json::from_value(json!({
            "id": state, "name": "n", "state": state, "dns_config": null, "entity_version": 1,
            "transit_gateway_attachment_config": {
                "kind": KIND, "tenant_id": "T", "subscription_id": "S",
                "resource_group_name": "rG", "vnet_name": vnet,
            },
        }))
        .expect("the shape of Konnect")
    }

    #[test]
    fn gateways_are_matched_whatever_their_case_and_the_living_one_wins() {
        let other: TransitGateway = serde_json::from_value(json!({
            "id": "x", "name": "hub", "state": "ready", "cidr_blocks": ["10.0.0.0/8"],
            "transit_gateway_attachment_config": { "kind": "aws-transit-gateway-attachment", "ram_share_arn": "a" },
        }))
        .expect("another kind reads too");
        let found = attachment().best(vec![
            other,
            gateway("hub", "terminated"),
            gateway("spoke", "ready"),
            gateway("Hub", "error"),
            gateway("HUB", "initializing"),
        ]);
        assert_eq!(found.map(|it| it.id).as_deref(), Some("initializing"));
        assert!(
            attachment()
                .best(vec![gateway("hub", "terminated")])
                .is_none()
        );
    }

    #[test]
    fn a_name_tells_its_run_and_fits() {
        let name = gateway_name("hub-kong-net", "kong-9k2f");
        assert_eq!(run_of(&name), Some("kong-9k2f"));
        assert_eq!(run_of("kong-9k2f"), None);
        assert_eq!(run_of("hub-kong-prod1"), None);
        assert_eq!(
            gateway_name(&"é".repeat(200), "kong-9k2f").chars().count(),
            NAME_LIMIT
        );
    }

    #[test]
    fn an_unknown_state_is_waited_out() {
        assert_eq!(
            gateway("hub", "something-new").standing(),
            Standing::Waiting
        );
    }
}
