//! The world that the steps act on: the services' addresses, the sign-ins, and one way to send a request.

pub mod az;
pub mod certificate;
pub mod credential;
pub mod device_code;
mod endpoints;
pub mod identity;
mod tame;
mod token;

pub use endpoints::{AzureCloud, BadEndpoint, Endpoints, variables};

use crate::{
    engine::{Judged, World},
    fact::Secret,
    http::{
        Answer, ApiError, Call, Cause, Http, Service,
        limits::{self, Pages},
        segment,
        send::Auth,
    },
};
use credential::SignIn;
use identity::AppIdentity;
use reqwest::Url;
use serde::{Deserialize, de::DeserializeOwned};
use std::{
    any::Any,
    cell::{Cell, RefCell},
    collections::BTreeMap,
    rc::Rc,
};
use time::{Duration, OffsetDateTime};
use token::{Reach, Token};
use tokio::sync::Mutex;

/// A clock that differs by more is not believed: a password that ends by it would live for ever, or be dead at birth.
const MOST_AHEAD: Duration = Duration::days(31);

/// The concrete world of the flows.
pub struct Clouds {
    /// The executor of requests.
    pub http: Http,
    /// Where the services are.
    pub endpoints: Endpoints,
    sign_in: SignIn,
    tenant: RefCell<Option<String>>,
    subscription: RefCell<Option<String>>,
    tokens: RefCell<BTreeMap<String, Token>>,
    /// Held by whoever asks for tokens: who comes meanwhile takes what that brings.
    asking: Mutex<()>,
    provider_token: RefCell<Option<Secret>>,
    learned: RefCell<BTreeMap<&'static str, bool>>,
    /// By how much Graph's clock is ahead of this machine's.
    ahead: Cell<Duration>,
    notes: RefCell<BTreeMap<String, Rc<dyn Any>>>,
}

/// Where the rights that a step takes are given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Realm {
    /// Your tenant's directory.
    Entra,
    /// Your Azure subscriptions.
    Azure,
    /// The provider's side.
    Provider,
}

impl std::fmt::Display for Realm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Entra => "entra",
            Self::Azure => "azure",
            Self::Provider => "provider",
        })
    }
}

impl World for Clouds {
    type Error = ApiError;
    type Realm = Realm;

    fn judge(error: &ApiError) -> Judged {
        Judged {
            passing: error.passing(),
            refused: error.is_refusal(),
            after: error.retry_after,
        }
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
            sign_in,
            tenant: RefCell::default(),
            subscription: RefCell::default(),
            tokens: RefCell::default(),
            asking: Mutex::default(),
            provider_token: RefCell::default(),
            learned: RefCell::default(),
            ahead: Cell::default(),
            notes: RefCell::default(),
        }
    }

    /// The tenant to sign in to, from now on. Tokens that are of it already are kept.
    pub fn use_tenant(&self, tenant: &str) {
        let mut mine = self.tenant.borrow_mut();
        if mine.as_deref() != Some(tenant) {
            *mine = Some(tenant.to_owned());
            let is_of_it = |token: &Token| {
                let own = credential::claim(&token.secret, "tid");
                own.is_some_and(|own| own.eq_ignore_ascii_case(tenant))
            };
            self.tokens.borrow_mut().retain(|_, token| is_of_it(token));
        }
    }

    /// The subscription to sign in for, where the sign-in tells its identities apart by that.
    pub fn use_subscription(&self, subscription: &str) {
        *self.subscription.borrow_mut() = Some(subscription.to_owned());
    }

    /// The token for the provider.
    pub fn use_provider_token(&self, token: Secret) {
        *self.provider_token.borrow_mut() = Some(token);
    }

    /// Whether a token for the provider was given.
    #[must_use]
    pub fn has_provider_token(&self) -> bool {
        self.provider_token.borrow().is_some()
    }

    fn reach(&self) -> Reach<'_> {
        Reach {
            http: &self.http,
            endpoints: &self.endpoints,
        }
    }

    /// The sign-in to Azure.
    #[must_use]
    pub fn sign_in(&self) -> &SignIn {
        &self.sign_in
    }

    /// What was learned of a service while asking it, under a name of the asker's.
    #[must_use]
    pub fn learned(&self, what: &'static str) -> Option<bool> {
        self.learned.borrow().get(what).copied()
    }

    /// Remembers something about a service for the requests to come.
    pub fn learn(&self, what: &'static str, is: bool) {
        self.learned.borrow_mut().insert(what, is);
    }

    /// What was noted under this name of the asker's, such as a list that is long and read once.
    #[must_use]
    pub fn noted<T: 'static>(&self, name: &str) -> Option<Rc<T>> {
        let note = self.notes.borrow().get(name).cloned();
        note.and_then(|note| note.downcast().ok())
    }

    /// Notes something for as long as the process lives.
    pub fn note<T: 'static>(&self, name: impl Into<String>, what: T) -> Rc<T> {
        let what = Rc::new(what);
        let note: Rc<dyn Any> = Rc::clone(&what) as Rc<dyn Any>;
        self.notes.borrow_mut().insert(name.into(), note);
        what
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
        let base = self.endpoints.of(call.service)?;
        let auth = self.auth(call.service).await?;
        let sent = match self.http.send(base, call, &auth).await {
            // `az` would give the same token again.
            Err(error) if error.challenge.is_some() && self.is_az() => Err(error),
            // The token may have been withdrawn or have aged in the cache: one fresh one.
            Err(error) if error.status == Some(401) && self.drop_tokens(call.service) => {
                let auth = self.auth(call.service).await?;
                self.http.send(base, call, &auth).await
            }
            result => result,
        };
        if let Ok(answer) = &sent
            && call.service == Service::Graph
            && let Some(date) = answer.header("date")
            && let Ok(date) = azure_core::time::parse_rfc7231(date)
        {
            let ahead = date - OffsetDateTime::now_utc();
            if ahead.abs() <= MOST_AHEAD {
                self.ahead.set(ahead);
            }
        }
        sent.map_err(|error| self.advised(error))
    }

    /// The time, by Graph's clock as soon as that has answered.
    #[must_use]
    pub fn now(&self) -> OffsetDateTime {
        OffsetDateTime::now_utc() + self.ahead.get()
    }

    fn is_az(&self) -> bool {
        matches!(self.sign_in, SignIn::Az(_))
    }

    /// The error with the sign-in that a challenge of ARM or Graph asks for. It cannot be met from here: no library for Azure's
    /// sign-ins in this language passes claims on.
    fn advised(&self, mut error: ApiError) -> ApiError {
        let azure = matches!(error.service, Service::Arm | Service::Graph);
        let Some(claims) = error.challenge.as_deref().filter(|_| azure) else {
            return error;
        };
        let of_token = |token: &Token| credential::claim(&token.secret, "tid");
        let signed_in = self.tokens.borrow().values().find_map(of_token);
        let tenant = signed_in.or_else(|| self.tenant.borrow().clone());
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '-';
        let tenant = tenant.filter(|it| it.chars().all(plain));
        let tenant = tenant.map_or(String::new(), |tenant| format!(" --tenant {tenant}"));
        let scope = self.endpoints.az_scope;
        let claims = match claims {
            "" => String::new(),
            claims => format!(" --claims-challenge \"{claims}\""),
        };
        let how = if self.is_az() {
            ""
        } else {
            " (with `--sign-in az`)"
        };
        error.advice = Box::new([
            format!(
                "your company wants more of this sign-in than it has, such as a second factor; sign in again with these two lines, then go on{how}:"
            ),
            "az logout".into(),
            format!("az login{tenant} --scope \"{scope}\"{claims}"),
        ]);
        error
    }

    /// Sends a request with the tokens of an application instead of the person's.
    ///
    /// # Errors
    /// What the service or the network said.
    pub async fn answer_as<T>(&self, call: &Call<T>, auth: &Auth) -> Result<Answer, ApiError> {
        self.http
            .send(self.endpoints.of(call.service)?, call, auth)
            .await
    }

    /// All of a list, page by page.
    ///
    /// # Errors
    /// Also when a page's link leads to another origin than the service's, and when the list does not end.
    pub async fn list<T: DeserializeOwned>(
        &self,
        call: &Call<Page<T>>,
    ) -> Result<Vec<T>, ApiError> {
        let Page { mut value, next } = self.send(call).await?;
        let mut next = next;
        let mut pages = Pages::new(call.service, call.line());
        while let Some(link) = next.take() {
            pages.next(&link)?;
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
        let followed = self.follow_as(service, link, &auth).await;
        followed.map_err(|error| self.advised(error))
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
        if url.origin() != self.endpoints.of(service)?.origin() {
            return Err(foreign());
        }
        let call: Call<()> = Call::get(service, url.path());
        // A URL's reader has taken them out already, so the link is looked at as it came.
        let raw = link.split(['?', '#']).next().unwrap_or_default();
        let raw = raw.replace(['\t', '\n', '\r'], "");
        for part in raw.split(['/', '\\']).filter(|it| !it.is_empty()) {
            limits::check_path(service, "GET a link", part)?;
        }
        self.http.send_to(url, &call, auth).await
    }

    /// Fresh tokens of an application: for the tenant of the request's subject, and for the other side's.
    ///
    /// # Errors
    /// What Entra said.
    pub async fn app_auth(&self, app: &AppIdentity, other: &str) -> Result<Auth, ApiError> {
        for tenant in [&app.tenant, other] {
            check_tenant(tenant)?;
        }
        let now = self.now();
        let (own, other) = futures_util::future::join(
            identity::app_token(self.reach(), app, &app.tenant, now),
            identity::app_token(self.reach(), app, other, now),
        )
        .await;
        let (own, other) = (own?, other?);
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
            Service::Of(vendor) => (vendor.scheme, self.provider_token(service)?),
        };
        Auth::scheme(scheme, &secret).map_err(|_| unusable(service))
    }

    fn provider_token(&self, service: Service) -> Result<Secret, ApiError> {
        let token = self.provider_token.borrow().clone();
        token.ok_or_else(|| ApiError::new(service, "", Cause::SignIn, "no token was given"))
    }

    async fn token(&self, service: Service) -> Result<Secret, ApiError> {
        let (graph, arm) = (&self.endpoints.graph_scope, &self.endpoints.arm_scope);
        let (scope, other) = match service {
            Service::Graph => (graph, arm),
            _ => (arm, graph),
        };
        if let Some(token) = self.kept(scope) {
            return Ok(token);
        }
        let _alone = self.asking.lock().await;
        if let Some(token) = self.kept(scope) {
            return Ok(token);
        }
        // `az` takes a second for each, and once it is known whom to ask, both will be needed.
        let known = self.subscription.borrow().is_some() || self.tenant.borrow().is_some();
        if self.is_az() && known && self.kept(other).is_none() {
            let both = futures_util::future::join(self.fetch(scope), self.fetch(other));
            return both.await.0;
        }
        self.fetch(scope).await
    }

    fn kept(&self, scope: &str) -> Option<Secret> {
        let tokens = self.tokens.borrow();
        let token = tokens.get(scope).filter(|token| token.usable())?;
        Some(token.secret.clone())
    }

    async fn fetch(&self, scope: &str) -> Result<Secret, ApiError> {
        let tenant = self.tenant.borrow().clone();
        let subscription = self.subscription.borrow().clone();
        if let Some(tenant) = &tenant {
            check_tenant(tenant)?;
        }
        let asked = self.sign_in.token(
            self.reach(),
            scope,
            tenant.as_deref(),
            subscription.as_deref(),
        );
        let token = asked.await?;
        let secret = token.secret.clone();
        self.tokens.borrow_mut().insert(scope.to_owned(), token);
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

/// A tenant is a segment of the address that tokens are asked at.
fn check_tenant(tenant: &str) -> Result<(), ApiError> {
    limits::check_path(Service::Entra, "token", &segment(tenant))
}

fn unusable(service: Service) -> ApiError {
    ApiError::new(
        service,
        "",
        Cause::SignIn,
        "the token has characters that no token has; was it pasted whole?",
    )
}
