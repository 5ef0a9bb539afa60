//! The one executor of requests: sends each once, and logs method, path, status and time, and nothing more. Whether to ask
//! again is the engine's to decide.

use super::{
    call::{Call, Service},
    challenge,
    fault::{ApiError, Cause},
    limits::{self, LARGEST_ANSWER, LONGEST_REQUEST, SILENCE},
    numbers,
    quiet::Quiet,
};
use crate::fact::Secret;
use reqwest::{
    Certificate, Client, Response, Url,
    header::{AUTHORIZATION, HeaderMap, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE},
};
use serde::de::{DeserializeOwned, IgnoredAny};
use std::{
    cell::RefCell,
    time::{Duration, Instant},
};

type Hook<T> = RefCell<Option<Box<dyn FnMut(T)>>>;

/// The client for all services.
pub struct Http {
    client: Client,
    log: Hook<String>,
    /// Whatever was sent to let a request in.
    pub quiet: Quiet,
}

/// A good answer.
#[derive(Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The JSON body; empty when there is none.
    body: Vec<u8>,
    headers: HeaderMap,
    request: String,
    changes: bool,
    service: Service,
}

impl Answer {
    /// A header as text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// How long the service asks to wait before the next look.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        retry_after(&self.headers)
    }

    /// The body as `T`.
    ///
    /// # Errors
    /// When it has another shape than the API describes.
    pub fn read<T: DeserializeOwned>(self) -> Result<T, ApiError> {
        let body = if self.body.is_empty() {
            b"null"
        } else {
            self.body.as_slice()
        };
        serde_json::from_slice(body).map_err(|error| ApiError {
            changes: self.changes,
            ..ApiError::new(
                self.service,
                self.request,
                Cause::Unreadable,
                error.to_string(),
            )
        })
    }
}

/// A secret has characters that a header cannot hold.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the secret has characters that no header holds")]
pub struct NoHeader;

/// What a request carries to be let in. It is never logged.
pub struct Auth(pub Vec<(&'static str, HeaderValue)>);

impl Auth {
    /// `authorization: <scheme> <secret>`.
    ///
    /// # Errors
    /// When the secret has characters that a header cannot hold.
    pub fn scheme(scheme: &str, secret: &Secret) -> Result<Self, NoHeader> {
        let mut value = HeaderValue::from_str(&format!("{scheme} {}", secret.expose()))
            .map_err(|_| NoHeader)?;
        value.set_sensitive(true);
        Ok(Self(vec![(AUTHORIZATION.as_str(), value)]))
    }

    /// Adds the token of another tenant, as ARM reads it.
    ///
    /// # Errors
    /// When the secret has characters that a header cannot hold.
    pub fn auxiliary(mut self, secret: &Secret) -> Result<Self, NoHeader> {
        let mut value =
            HeaderValue::from_str(&format!("Bearer {}", secret.expose())).map_err(|_| NoHeader)?;
        value.set_sensitive(true);
        self.0.push(("x-ms-authorization-auxiliary", value));
        Ok(self)
    }
}

/// A client made by somebody else, with a log of its own.
impl From<Client> for Http {
    fn from(client: Client) -> Self {
        Self {
            client,
            log: RefCell::default(),
            quiet: Quiet::default(),
        }
    }
}

impl Http {
    /// A client that trusts the system's roots and the given ones (PEM).
    ///
    /// # Errors
    /// When the roots are no certificates, or the system's cannot be read.
    pub fn new(roots: &[Vec<u8>]) -> Result<Self, String> {
        Self::patient(roots, SILENCE)
    }

    /// The same with another time without a byte that ends a request.
    ///
    /// # Errors
    /// As [`Http::new`].
    pub fn patient(roots: &[Vec<u8>], silence: Duration) -> Result<Self, String> {
        let mut certificates = Vec::new();
        for pem in roots {
            let bundle = Certificate::from_pem_bundle(pem).map_err(|error| error.to_string())?;
            if bundle.is_empty() {
                return Err("it holds no certificate in PEM form".into());
            }
            certificates.extend(bundle);
        }
        let mut builder = Client::builder()
            .user_agent(concat!("peer-wizard/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(Duration::from_secs(10))
            .read_timeout(silence)
            .timeout(LONGEST_REQUEST);
        if !certificates.is_empty() {
            builder = builder.tls_certs_merge(certificates);
        }
        let client = builder.build().map_err(|error| deepest(&error))?;
        Ok(client.into())
    }

    /// The client itself, for the credentials library's own requests.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Told of each request in one line without secrets.
    pub fn on_request(&self, hook: impl FnMut(String) + 'static) {
        *self.log.borrow_mut() = Some(Box::new(hook));
    }

    /// Writes a line to the log.
    pub fn log(&self, line: String) {
        if let Some(hook) = self.log.borrow_mut().as_mut() {
            hook(line);
        }
    }

    /// Sends a request to `base`.
    ///
    /// # Errors
    /// What the service or the network said.
    pub async fn send<T>(
        &self,
        base: &Url,
        call: &Call<T>,
        auth: &Auth,
    ) -> Result<Answer, ApiError> {
        limits::check_path(call.service, &call.line(), &call.path)?;
        let url = format!("{}{}", base.as_str().trim_end_matches('/'), call.path);
        let url = Url::parse(&url).map_err(|error| {
            ApiError::new(call.service, call.line(), Cause::Local, error.to_string())
        })?;
        self.send_to(url, call, auth).await
    }

    /// Sends a request to a whole URL, which has to be checked by the caller.
    ///
    /// # Errors
    /// What the service or the network said.
    pub async fn send_to<T>(
        &self,
        url: Url,
        call: &Call<T>,
        auth: &Auth,
    ) -> Result<Answer, ApiError> {
        let changes = call.changes();
        self.once(url, call, auth)
            .await
            .map_err(|error| self.quiet.error(ApiError { changes, ..error }))
    }

    async fn once<T>(&self, url: Url, call: &Call<T>, auth: &Auth) -> Result<Answer, ApiError> {
        let Call {
            service,
            method,
            path: _,
            query,
            headers,
            body,
            ..
        } = call;
        let mut request = self.client.request(method.clone(), url);
        if !query.is_empty() {
            request = request.query(query);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        for (name, value) in &auth.0 {
            let secret = value.to_str().unwrap_or_default().rsplit(' ').next();
            self.quiet
                .about(&Secret::from(secret.unwrap_or_default().to_owned()));
            request = request.header(*name, value.clone());
        }
        let began = Instant::now();
        let response = match request.send().await {
            Ok(response) => response,
            Err(error) => {
                self.log(format!("{service}: {} -> {}", call.line(), deepest(&error)));
                return Err(failure(*service, call.line(), &error));
            }
        };
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let id = request_id(&headers);
        self.log(format!(
            "{service}: {} -> {status} in {:.2} s{}",
            call.line(),
            began.elapsed().as_secs_f64(),
            id.as_deref()
                .map(|id| format!(", request {}", self.quiet.word(id)))
                .unwrap_or_default(),
        ));
        let bytes = body_of(*service, &call.line(), response).await?;
        if !(200..300).contains(&status) {
            let mut error = ApiError::read(*service, call.line(), status, &bytes);
            error.retry_after = retry_after(&headers).or(error.retry_after);
            error.request_id = error.request_id.or(id);
            if status == 401 {
                error.challenge = challenge::claims(wanted(&headers));
            }
            return Err(error);
        }
        let body = if bytes.iter().all(u8::is_ascii_whitespace) {
            Vec::new()
        } else {
            // What is not read may still come from somebody else than the service.
            serde_json::from_slice::<IgnoredAny>(&bytes).map_err(|error| {
                ApiError::new(*service, call.line(), Cause::Unreadable, error.to_string())
            })?;
            bytes
        };
        Ok(Answer {
            status,
            body,
            headers,
            request: call.line(),
            changes: call.changes(),
            service: *service,
        })
    }
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    numbers::retry_after(headers.get(RETRY_AFTER)?.to_str().ok()?)
}

/// What is said of a request that was not answered.
#[must_use]
pub fn failure(service: Service, request: String, error: &reqwest::Error) -> ApiError {
    let cause = if error.is_builder() {
        Cause::Local
    } else if error.is_connect() {
        Cause::Unreachable
    } else if error.is_timeout() {
        return limits::no_answer(service, request);
    } else {
        Cause::Lost
    };
    ApiError::new(service, request, cause, deepest(error))
}

/// The body of an answer, unpacked, as far as one is read.
///
/// # Errors
/// When it is longer, or does not arrive whole.
pub async fn body_of(
    service: Service,
    request: &str,
    mut response: Response,
) -> Result<Vec<u8>, ApiError> {
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(None) => {
                limits::check_count(service, request, &body)?;
                return Ok(body);
            }
            Ok(Some(piece)) if body.len() + piece.len() <= LARGEST_ANSWER => {
                body.extend_from_slice(&piece);
            }
            Ok(Some(_)) => return Err(limits::too_large(service, request)),
            Err(error) => return Err(failure(service, request.to_owned(), &error)),
        }
    }
}

/// What the answer wants a token to be like.
fn wanted(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let all = headers.get_all(WWW_AUTHENTICATE).iter();
    all.filter_map(|value| value.to_str().ok())
}

fn request_id(headers: &HeaderMap) -> Option<Box<str>> {
    ["x-ms-request-id", "request-id", "x-request-id"]
        .iter()
        .find_map(|name| headers.get(*name)?.to_str().ok())
        .map(Into::into)
}

/// The last cause in the chain: the one that tells something.
fn deepest(error: &dyn std::error::Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}
