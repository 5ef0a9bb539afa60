//! The world that the steps act on: the services' addresses, the sign-ins, and one way to send a request.

pub mod credential;
pub mod device_code;

use crate::{
    engine::{Pace, Passing, World},
    fact::Secret,
    http::{Answer, ApiError, Call, Cause, Http, Service, send::Auth},
};
use credential::{AppIdentity, SignIn, Token};
use reqwest::Url;
use serde::{Deserialize, de::DeserializeOwned};
use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    time::Duration,
};

/// Where each service is, and for whom its tokens are.
#[derive(Clone, Debug)]
pub struct Endpoints {
    /// Entra: `AZURE_AUTHORITY_HOST`.
    pub entra: Url,
    /// Microsoft Graph, without `/v1.0`.
    pub graph: Url,
    /// Azure Resource Manager.
    pub arm: Url,
    /// Aiven and Timescale, without `/v1`.
    pub aiven: Url,
    /// Konnect, without `/v2`.
    pub konnect: Url,
    /// The scope of Graph tokens; it stays that of the chosen cloud wherever the requests go.
    pub graph_scope: String,
    /// The scope of ARM tokens.
    pub arm_scope: String,
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
        given: &dyn Fn(&'static str) -> Option<String>,
    ) -> Result<Self, BadEndpoint> {
        let [login, graph, arm] = cloud.hosts();
        let at = |name, default: &str, suffix: &str| address(name, given(name), default, suffix);
        let entra = at("AZURE_AUTHORITY_HOST", login, "")?;
        if entra.scheme() != "https" {
            return Err(BadEndpoint {
                name: "AZURE_AUTHORITY_HOST",
                value: entra.into(),
                problem: "must be https: Azure's credentials library accepts nothing else",
            });
        }
        Ok(Self {
            entra,
            graph: at("PEER_WIZARD_GRAPH_ENDPOINT", graph, "/v1.0")?,
            arm: at("PEER_WIZARD_ARM_ENDPOINT", arm, "")?,
            aiven: at("AIVEN_WEB_URL", "https://api.aiven.io", "/v1")?,
            konnect: at("KONNECT_SERVER_URL", "https://global.api.konghq.com", "/v2")?,
            graph_scope: format!("{graph}/.default"),
            arm_scope: format!("{arm}/.default"),
        })
    }

    fn of(&self, service: Service) -> &Url {
        match service {
            Service::Entra => &self.entra,
            Service::Graph => &self.graph,
            Service::Arm => &self.arm,
            Service::Aiven => &self.aiven,
            Service::Konnect => &self.konnect,
        }
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

/// The concrete world of the flows.
pub struct Clouds {
    /// The executor of requests.
    pub http: Http,
    /// Where the services are.
    pub endpoints: Endpoints,
    /// How fast to look again.
    pub pace: Pace,
    sign_in: SignIn,
    tenant: RefCell<Option<String>>,
    subscription: RefCell<Option<String>>,
    tokens: RefCell<BTreeMap<String, Token>>,
    provider_token: RefCell<Option<Secret>>,
    organization_paths: Cell<Option<bool>>,
}

impl World for Clouds {
    type Error = ApiError;

    fn passing(error: &ApiError) -> Option<Passing> {
        let unsure = match (error.cause, error.status) {
            (Cause::Lost, _) | (Cause::Answered, Some(408 | 500..=599)) => true,
            (Cause::Unreachable, _) | (Cause::Answered, Some(429)) => false,
            _ => return None,
        };
        if error.cause == Cause::Unreachable && error.message.contains("certificate") {
            return None;
        }
        Some(Passing {
            because: match error.status {
                Some(status) => format!("{} answered {status}", error.service),
                None if unsure => format!("the answer of {} was lost", error.service),
                None => format!("{} cannot be reached", error.service),
            },
            lost: unsure,
        })
    }
}

/// One page of a list of ARM or Graph.
#[derive(Debug, Deserialize)]
pub struct Page<T> {
    /// What is on it.
    #[serde(default = "Vec::new")]
    pub value: Vec<T>,
    #[serde(rename = "nextLink", alias = "@odata.nextLink", default)]
    next: Option<String>,
}

impl Clouds {
    /// The world with this sign-in to Azure.
    #[must_use]
    pub fn new(http: Http, endpoints: Endpoints, sign_in: SignIn) -> Self {
        Self {
            http,
            endpoints,
            pace: Pace::REAL,
            sign_in,
            tenant: RefCell::default(),
            subscription: RefCell::default(),
            tokens: RefCell::default(),
            provider_token: RefCell::default(),
            organization_paths: Cell::default(),
        }
    }

    /// Pauses before the look after the number `looks`, from 1; `cap` is the longest pause.
    pub async fn pause(&self, looks: u32, cap: Duration) {
        tokio::time::sleep(self.pace.pause(looks, cap)).await;
    }

    /// The tenant to sign in to, from now on.
    pub fn use_tenant(&self, tenant: &str) {
        let mut mine = self.tenant.borrow_mut();
        if mine.as_deref() != Some(tenant) {
            *mine = Some(tenant.to_owned());
            self.tokens.borrow_mut().clear();
        }
    }

    /// The subscription to sign in for while the tenant is not known.
    pub fn use_subscription(&self, subscription: &str) {
        *self.subscription.borrow_mut() = Some(subscription.to_owned());
    }

    /// The token for Aiven, Timescale or Konnect.
    pub fn use_provider_token(&self, token: Secret) {
        *self.provider_token.borrow_mut() = Some(token);
    }

    /// Whether a token for the provider was given.
    #[must_use]
    pub fn has_provider_token(&self) -> bool {
        self.provider_token.borrow().is_some()
    }

    /// The sign-in to Azure.
    #[must_use]
    pub fn sign_in(&self) -> &SignIn {
        &self.sign_in
    }

    /// Which of Aiven's two families of organization paths answers here, once that is known.
    pub fn organization_paths(&self) -> &Cell<Option<bool>> {
        &self.organization_paths
    }

    /// Sends a request and reads its answer.
    ///
    /// # Errors
    /// What the service, the network or the sign-in said.
    pub async fn send<T: DeserializeOwned>(&self, call: &Call<T>) -> Result<T, ApiError> {
        self.answer(call).await?.read()
    }

    /// Sends a request; an object that is not there is no error.
    ///
    /// # Errors
    /// What the service, the network or the sign-in said.
    pub async fn look<T: DeserializeOwned>(&self, call: &Call<T>) -> Result<Option<T>, ApiError> {
        match self.send(call).await {
            Ok(item) => Ok(Some(item)),
            Err(error) if error.is_missing() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Sends a request for its effect; an object that is not there is no error.
    ///
    /// # Errors
    /// What the service, the network or the sign-in said.
    pub async fn forget<T>(&self, call: &Call<T>) -> Result<Option<Answer>, ApiError> {
        match self.answer(call).await {
            Ok(answer) => Ok(Some(answer)),
            Err(error) if error.is_missing() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Sends a request and keeps the whole answer.
    ///
    /// # Errors
    /// What the service, the network or the sign-in said.
    pub async fn answer<T>(&self, call: &Call<T>) -> Result<Answer, ApiError> {
        let base = self.endpoints.of(call.service);
        let auth = self.auth(call.service).await?;
        match self.http.send(base, call, &auth).await {
            // The token may have been withdrawn or have aged in the cache: one fresh one.
            Err(error) if error.status == Some(401) && self.drop_tokens(call.service) => {
                let auth = self.auth(call.service).await?;
                self.http.send(base, call, &auth).await
            }
            result => result,
        }
    }

    /// Sends a request with the tokens of an application instead of the person's.
    ///
    /// # Errors
    /// What the service or the network said.
    pub async fn answer_as<T>(&self, call: &Call<T>, auth: &Auth) -> Result<Answer, ApiError> {
        self.http
            .send(self.endpoints.of(call.service), call, auth)
            .await
    }

    /// All of a list, page by page.
    ///
    /// # Errors
    /// Also when a page's link leads to another origin than the service's.
    pub async fn list<T: DeserializeOwned>(
        &self,
        call: &Call<Page<T>>,
    ) -> Result<Vec<T>, ApiError> {
        let Page { mut value, next } = self.send(call).await?;
        let mut next = next;
        while let Some(link) = next.take() {
            let page: Page<T> = self.follow(call.service, &link).await?.read()?;
            value.extend(page.value);
            next = page.next;
        }
        Ok(value)
    }

    /// GETs a link that a service sent, if it leads to that service.
    ///
    /// # Errors
    /// [`Cause::ForeignLink`] when it does not; nothing is sent then.
    pub async fn follow(&self, service: Service, link: &str) -> Result<Answer, ApiError> {
        let auth = self.auth(service).await?;
        self.follow_as(service, link, &auth).await
    }

    /// The same with given tokens.
    ///
    /// # Errors
    /// [`Cause::ForeignLink`] when it leads elsewhere; nothing is sent then.
    pub async fn follow_as(
        &self,
        service: Service,
        link: &str,
        auth: &Auth,
    ) -> Result<Answer, ApiError> {
        let foreign = || {
            ApiError::new(
                service,
                "GET a link",
                Cause::ForeignLink,
                format!("`{link}` was not followed, since a token would go with it"),
            )
        };
        let url = Url::parse(link).map_err(|_| foreign())?;
        if url.origin() != self.endpoints.of(service).origin() {
            return Err(foreign());
        }
        let call: Call<()> = Call::get(service, url.path());
        self.http.send_to(url, &call, auth).await
    }

    /// Fresh tokens of an application: for the tenant of the request's subject, and for the other side's.
    ///
    /// # Errors
    /// What Entra said.
    pub async fn app_auth(&self, app: &AppIdentity, other: &str) -> Result<Auth, ApiError> {
        let own = credential::app_token(self, app, &app.tenant).await?;
        let other = credential::app_token(self, app, other).await?;
        Auth::scheme("Bearer", &own)
            .and_then(|auth| auth.auxiliary(&other))
            .map_err(|_| unusable(Service::Entra))
    }

    /// The tenant that the person's token is of, where the token tells.
    ///
    /// # Errors
    /// When no token can be had.
    pub async fn signed_in_tenant(&self) -> Result<Option<String>, ApiError> {
        let token = self.token(Service::Arm).await?;
        Ok(credential::claim(&token, "tid"))
    }

    async fn auth(&self, service: Service) -> Result<Auth, ApiError> {
        let (scheme, secret) = match service {
            Service::Entra => return Ok(Auth(Vec::new())),
            Service::Graph | Service::Arm => ("Bearer", self.token(service).await?),
            Service::Aiven => ("aivenv1", self.provider_token(service)?),
            Service::Konnect => ("Bearer", self.provider_token(service)?),
        };
        Auth::scheme(scheme, &secret).map_err(|_| unusable(service))
    }

    fn provider_token(&self, service: Service) -> Result<Secret, ApiError> {
        let token = self.provider_token.borrow().clone();
        token.ok_or_else(|| ApiError::new(service, "", Cause::SignIn, "no token was given"))
    }

    async fn token(&self, service: Service) -> Result<Secret, ApiError> {
        let scope = match service {
            Service::Graph => &self.endpoints.graph_scope,
            _ => &self.endpoints.arm_scope,
        };
        if let Some(token) = self.tokens.borrow().get(scope)
            && token.usable()
        {
            return Ok(token.secret.clone());
        }
        let tenant = self.tenant.borrow().clone();
        let subscription = self.subscription.borrow().clone();
        let token = self
            .sign_in
            .token(self, scope, tenant.as_deref(), subscription.as_deref())
            .await?;
        let secret = token.secret.clone();
        self.tokens.borrow_mut().insert(scope.clone(), token);
        Ok(secret)
    }

    /// Forgets the cached tokens of a service; tells whether there were any.
    fn drop_tokens(&self, service: Service) -> bool {
        let scope = match service {
            Service::Graph => &self.endpoints.graph_scope,
            Service::Arm => &self.endpoints.arm_scope,
            _ => return false,
        };
        self.tokens.borrow_mut().remove(scope).is_some()
    }
}

fn unusable(service: Service) -> ApiError {
    ApiError::new(
        service,
        "",
        Cause::SignIn,
        "the token has characters that no token has; was it pasted whole?",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: &'static str, value: &'static str) -> Result<Endpoints, BadEndpoint> {
        Endpoints::new(AzureCloud::Public, &move |asked| {
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
