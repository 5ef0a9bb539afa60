//! Where each service is. Tokens never travel in the clear, wherever a service is said to be.

use crate::http::{ApiError, Cause, Service, Vendor};
use reqwest::Url;
use std::collections::BTreeMap;

/// Where each service is, and for whom its tokens are.
#[derive(Clone, Debug)]
pub struct Endpoints {
    /// Entra: `AZURE_AUTHORITY_HOST`.
    pub entra: Url,
    /// Microsoft Graph, without `/v1.0`.
    pub graph: Url,
    /// Azure Resource Manager.
    pub arm: Url,
    /// The providers, by name.
    vendors: BTreeMap<&'static str, Url>,
    /// The scope of Graph tokens; it stays that of the chosen cloud wherever the requests go.
    pub graph_scope: String,
    /// The scope of ARM tokens.
    pub arm_scope: String,
    /// The scope by which `az login` is told of ARM.
    pub az_scope: &'static str,
}

/// The variables that move Entra, Graph and ARM.
const AZURE: [&str; 3] = [
    "AZURE_AUTHORITY_HOST",
    "PEER_WIZARD_GRAPH_ENDPOINT",
    "PEER_WIZARD_ARM_ENDPOINT",
];

/// Every variable that moves a service elsewhere.
#[must_use]
pub fn variables(vendors: &[&'static Vendor]) -> Vec<&'static str> {
    let vendors = vendors.iter().map(|it| it.variable);
    AZURE.into_iter().chain(vendors).collect()
}

/// The three Azure clouds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AzureCloud {
    /// The one that nearly everybody uses.
    #[default]
    Public,
    /// US Government.
    UsGovernment,
    /// China, operated by 21Vianet.
    China,
}

impl AzureCloud {
    /// The login, Graph and ARM hosts.
    /// <https://learn.microsoft.com/azure/azure-government/compare-azure-government-global-azure>
    fn hosts(self) -> [&'static str; 3] {
        match self {
            Self::Public => [
                "https://login.microsoftonline.com",
                "https://graph.microsoft.com",
                "https://management.azure.com",
            ],
            Self::UsGovernment => [
                "https://login.microsoftonline.us",
                "https://graph.microsoft.us",
                "https://management.usgovcloudapi.net",
            ],
            Self::China => [
                "https://login.chinacloudapi.cn",
                "https://microsoftgraph.chinacloudapi.cn",
                "https://management.chinacloudapi.cn",
            ],
        }
    }

    /// The two slashes belong there: the resource's name ends with one.
    fn az_scope(self) -> &'static str {
        match self {
            Self::Public => "https://management.core.windows.net//.default",
            Self::UsGovernment => "https://management.core.usgovcloudapi.net//.default",
            Self::China => "https://management.core.chinacloudapi.cn//.default",
        }
    }

    /// The hosts of Entra's sign-in and consent pages.
    #[must_use]
    pub fn login_host(self) -> &'static str {
        self.hosts()[0]
    }
}

/// An address that was given is not usable.
#[derive(Debug, thiserror::Error)]
#[error("{name}: `{value}` {problem}")]
pub struct BadEndpoint {
    name: &'static str,
    value: String,
    problem: &'static str,
}

impl Endpoints {
    /// The services' own addresses, or those that `given` names instead, by environment variable.
    ///
    /// # Errors
    /// When a given address is none, or would carry tokens in the clear.
    pub fn new(
        cloud: AzureCloud,
        vendors: &[&'static Vendor],
        given: &dyn Fn(&'static str) -> Option<String>,
    ) -> Result<Self, BadEndpoint> {
        let [login, graph, arm] = cloud.hosts();
        let at = |name, default: &str, suffix: &str| address(name, given(name), default, suffix);
        let [entra_at, graph_at, arm_at] = AZURE;
        let entra = at(entra_at, login, "")?;
        if entra.scheme() != "https" {
            return Err(BadEndpoint {
                name: entra_at,
                value: entra.into(),
                problem: "must be https: Azure's credentials library accepts nothing else",
            });
        }
        Ok(Self {
            entra,
            graph: at(graph_at, graph, "/v1.0")?,
            arm: at(arm_at, arm, "")?,
            vendors: vendors
                .iter()
                .map(|it| Ok((it.name, at(it.variable, it.address, it.suffix)?)))
                .collect::<Result<_, _>>()?,
            graph_scope: format!("{graph}/.default"),
            arm_scope: format!("{arm}/.default"),
            az_scope: cloud.az_scope(),
        })
    }

    pub(super) fn of(&self, service: Service) -> Result<&Url, ApiError> {
        Ok(match service {
            Service::Entra => &self.entra,
            Service::Graph => &self.graph,
            Service::Arm => &self.arm,
            Service::Of(vendor) => self.vendors.get(vendor.name).ok_or_else(|| {
                ApiError::new(service, "", Cause::Local, "its address is not known")
            })?,
        })
    }
}

fn address(
    name: &'static str,
    given: Option<String>,
    default: &str,
    suffix: &str,
) -> Result<Url, BadEndpoint> {
    let value = given.unwrap_or_else(|| default.to_owned());
    let bad = |problem| BadEndpoint {
        name,
        value: value.clone(),
        problem,
    };
    let trimmed = value.trim().trim_end_matches('/');
    let trimmed = trimmed.strip_suffix(suffix).unwrap_or(trimmed);
    // AZURE_AUTHORITY_HOST is often given as a bare host.
    let whole = if trimmed.contains("://") {
        trimmed.to_owned()
    } else {
        format!("https://{trimmed}")
    };
    let url = Url::parse(&whole).map_err(|_| bad("is no address"))?;
    let loopback = match url.host_str() {
        Some(host) => {
            let host = host.trim_matches(['[', ']']);
            host == "localhost"
                || host
                    .parse::<std::net::IpAddr>()
                    .is_ok_and(|ip| ip.is_loopback())
        }
        None => return Err(bad("has no host")),
    };
    match url.scheme() {
        "https" => Ok(url),
        "http" if loopback => Ok(url),
        "http" => Err(bad("would send tokens in the clear: use https")),
        _ => Err(bad("must begin with https://")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: &'static str, value: &'static str) -> Result<Endpoints, BadEndpoint> {
        Endpoints::new(AzureCloud::Public, &[], &move |asked| {
            (asked == name).then(|| value.to_owned())
        })
    }

    #[test]
    fn tokens_never_travel_in_the_clear() {
        for bad in [
            "http://example.com",
            "ftp://localhost",
            "http://localhost.example.com",
        ] {
            assert!(with("PEER_WIZARD_ARM_ENDPOINT", bad).is_err(), "{bad}");
        }
        for good in [
            "http://127.0.0.1:1",
            "http://[::1]:1",
            "http://localhost:1",
            "https://x.example",
        ] {
            assert!(with("PEER_WIZARD_ARM_ENDPOINT", good).is_ok(), "{good}");
        }
        assert!(with("AZURE_AUTHORITY_HOST", "http://127.0.0.1:1").is_err());
    }

    #[test]
    fn an_override_moves_the_requests_and_not_the_scope() {
        let endpoints =
            with("PEER_WIZARD_GRAPH_ENDPOINT", "https://localhost:8443/v1.0/").expect("good");
        assert_eq!(endpoints.graph.as_str(), "https://localhost:8443/");
        assert_eq!(
            endpoints.graph_scope,
            "https://graph.microsoft.com/.default"
        );
    }
}
