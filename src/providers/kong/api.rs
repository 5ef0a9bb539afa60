//! Konnect's Cloud Gateways API, v2; one global host serves all regions.
//! <https://developer.konghq.com/api/konnect/cloud-gateways/v2/>

use super::{
    gateway::{Attachment, KIND, StateMetadata, TransitGateway},
    vendor::SERVICE,
};
use crate::{
    clouds::Clouds,
    http::{ApiError, Call, limits::Pages, segment},
    net::Ranges,
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

/// The page of the API that everything here follows.
pub const DOCS: &str = "https://developer.konghq.com/api/konnect/cloud-gateways/v2/";

const AZURE: &str = "azure";
const PAGE_SIZE: usize = 100;

/// One page of a list.
#[derive(Debug, Deserialize)]
pub struct List<T> {
    #[serde(default = "Vec::new")]
    pub data: Vec<T>,
    #[serde(default)]
    meta: Meta,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Meta {
    page: PageMeta,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PageMeta {
    /// Konnect describes it as a number, not as an integer.
    total: Option<f64>,
}

impl<T> List<T> {
    /// Whether `seen` entries, those of this page among them, are all there are.
    fn is_last(&self, seen: usize) -> bool {
        let left = match self.meta.page.total {
            #[expect(clippy::cast_precision_loss, reason = "nobody has that many")]
            Some(total) => (seen as f64) < total,
            None => self.data.len() >= PAGE_SIZE,
        };
        self.data.is_empty() || !left
    }
}

/// A network of Dedicated Cloud Gateways.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Network {
    pub id: String,
    pub name: String,
    /// The account at the cloud that it is in; only the account tells which cloud that is.
    pub cloud_gateway_provider_account_id: String,
    pub region: String,
    /// Its address range, which never changes.
    pub cidr_block: String,
    /// `ready` when it can be peered.
    pub state: String,
    pub state_metadata: Option<StateMetadata>,
}

impl Network {
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.state == "ready"
    }

    /// Its address range, as the fact is.
    #[must_use]
    pub fn range(&self) -> Ranges {
        Ranges(vec![self.cidr_block.clone()])
    }
}

/// An account of Kong's at a cloud.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ProviderAccount {
    pub id: String,
    /// `aws`, `azure` or `gcp`.
    pub provider: String,
}

fn page<T>(path: &str, number: usize) -> Call<List<T>> {
    Call::get(SERVICE, path)
        .query("page[size]", PAGE_SIZE.to_string())
        .query("page[number]", number.to_string())
}

/// The networks, page by page from 1.
#[must_use]
pub fn networks(number: usize) -> Call<List<Network>> {
    page("/v2/cloud-gateways/networks", number)
}

#[must_use]
pub fn network(id: &str) -> Call<Network> {
    Call::get(
        SERVICE,
        format!("/v2/cloud-gateways/networks/{}", segment(id)),
    )
}

/// The accounts at the clouds, page by page from 1.
#[must_use]
pub fn provider_accounts(number: usize) -> Call<List<ProviderAccount>> {
    page("/v2/cloud-gateways/provider-accounts", number)
}

/// The path of a network's transit gateways.
#[must_use]
pub fn gateways_path(network: &str) -> String {
    format!(
        "/v2/cloud-gateways/networks/{}/transit-gateways",
        segment(network)
    )
}

/// The transit gateways of a network, page by page from 1.
#[must_use]
pub fn transit_gateways(network: &str, number: usize) -> Call<List<TransitGateway>> {
    page(&gateways_path(network), number)
}

#[must_use]
pub fn transit_gateway(network: &str, id: &str) -> Call<TransitGateway> {
    Call::get(
        SERVICE,
        format!("{}/{}", gateways_path(network), segment(id)),
    )
}

/// Creates a transit gateway; `dns` is Konnect's list of mappings, if there are any.
#[must_use]
pub fn create_transit_gateway(
    network: &str,
    name: &str,
    attachment: &Attachment,
    dns: Option<Value>,
) -> Call<TransitGateway> {
    let Attachment {
        tenant,
        subscription,
        resource_group,
        vnet,
    } = attachment;
    let mut body = json!({
        "name": name,
        "transit_gateway_attachment_config": {
            "kind": KIND,
            "tenant_id": tenant,
            "subscription_id": subscription,
            "resource_group_name": resource_group,
            "vnet_name": vnet,
        },
    });
    if let Some(dns) = dns {
        body["dns_config"] = dns;
    }
    Call::post(SERVICE, gateways_path(network), body)
}

/// Deletes a transit gateway; Konnect refuses with 400 while it is in a transitional state.
#[must_use]
pub fn delete_transit_gateway(network: &str, id: &str) -> Call<Value> {
    Call::delete(
        SERVICE,
        format!("{}/{}", gateways_path(network), segment(id)),
    )
}

/// All of a list, page by page.
///
/// # Errors
/// What Konnect said, or that the list does not end.
pub async fn all<T: DeserializeOwned>(
    w: &Clouds,
    page: impl Fn(usize) -> Call<List<T>>,
) -> Result<Vec<T>, ApiError> {
    let mut entries = Vec::new();
    let mut pages = Pages::new(SERVICE, page(1).line());
    let mut number = 1;
    loop {
        let list = w.send(&page(number)).await?;
        let done = list.is_last(entries.len() + list.data.len());
        entries.extend(list.data);
        if done {
            return Ok(entries);
        }
        number += 1;
        pages.next(&number.to_string())?;
    }
}

/// All transit gateways of a network.
///
/// # Errors
/// What Konnect said.
pub async fn gateways(w: &Clouds, network: &str) -> Result<Vec<TransitGateway>, ApiError> {
    all(w, |number| transit_gateways(network, number)).await
}

/// The cloud that a network is on, such as `azure`; nothing when its account cannot be seen.
///
/// # Errors
/// What Konnect said.
pub async fn cloud_of(w: &Clouds, network: &Network) -> Result<Option<String>, ApiError> {
    let accounts = all(w, provider_accounts).await?;
    Ok(accounts
        .into_iter()
        .find(|account| account.id == network.cloud_gateway_provider_account_id)
        .map(|account| account.provider))
}

/// Whether a cloud's name is Azure's.
#[must_use]
pub fn is_azure(cloud: &str) -> bool {
    cloud.eq_ignore_ascii_case(AZURE)
}

/// All networks on Azure, whatever their state, for choosing one.
///
/// # Errors
/// What Konnect said.
pub async fn networks_on_azure(w: &Clouds) -> Result<Vec<Network>, ApiError> {
    let accounts = all(w, provider_accounts).await?;
    let mut found = all(w, networks).await?;
    found.retain(|network| {
        accounts.iter().any(|account| {
            account.id == network.cloud_gateway_provider_account_id && is_azure(&account.provider)
        })
    });
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_body_has_dns_only_when_there_is_some() {
        let attachment = Attachment {
            tenant: "t".into(),
            subscription: "s".into(),
            resource_group: "Rg".into(),
            vnet: "hub".into(),
        };
        let call = create_transit_gateway("n/1", "name", &attachment, None);
        assert_eq!(
            call.path,
            "/v2/cloud-gateways/networks/n%2F1/transit-gateways"
        );
        let body = call.body.expect("a body");
        assert_eq!(
            body,
            json!({ "name": "name", "transit_gateway_attachment_config": {
                "kind": "azure-vnet-peering-attachment", "tenant_id": "t", "subscription_id": "s",
                "resource_group_name": "Rg", "vnet_name": "hub",
            } })
        );
        let call = create_transit_gateway("n", "name", &attachment, Some(json!([])));
        assert_eq!(call.body.expect("a body")["dns_config"], json!([]));
    }

    #[test]
    fn a_list_ends_when_all_is_seen_or_a_page_is_empty() {
        let list = |data: Value, meta: Value| -> List<Value> {
            serde_json::from_value(json!({ "data": data, "meta": meta })).expect("a list")
        };
        let of = |total: f64| json!({ "page": { "number": 1, "size": 1, "total": total } });
        assert!(!list(json!([1]), of(2.0)).is_last(1));
        assert!(list(json!([1]), of(2.0)).is_last(2));
        assert!(list(json!([]), of(2.0)).is_last(1));
        assert!(list(json!([1]), json!({})).is_last(1));
    }
}
