//! Our application's own sign-in, in two tenants: with a password, or with a certificate where the tenant forbids passwords.

use super::{
    certificate::Certificate,
    credential::{client_options, failure, get, secret_credential},
    token::Reach,
};
use crate::{
    fact::Secret,
    http::{ApiError, Cause, Service},
};
use async_trait::async_trait;
use azure_core::{credentials::TokenCredential, http::ClientMethodOptions};
use azure_identity::{
    ClientAssertion, ClientAssertionCredential, ClientAssertionCredentialOptions,
};
use std::{rc::Rc, sync::Arc};
use time::OffsetDateTime;

/// Our application, which signs in by itself.
#[derive(Clone, Debug)]
pub struct AppIdentity {
    /// Its application id.
    pub client_id: String,
    /// What it signs in with.
    pub credential: AppCredential,
    /// Its home tenant.
    pub tenant: String,
}

/// What an application signs in with.
#[derive(Clone, Debug)]
pub enum AppCredential {
    /// A password.
    Password(Secret),
    /// A key with its certificate.
    Certificate(Rc<Certificate>),
}

/// An assertion that was signed already.
#[derive(Debug)]
struct Signed(Secret);

#[async_trait]
impl ClientAssertion for Signed {
    async fn secret(&self, _: Option<ClientMethodOptions<'_>>) -> azure_core::Result<String> {
        Ok(self.0.expose().to_owned())
    }
}

/// A fresh ARM token of our application in `tenant`. The credential is new each time: tokens are cached in it, and one
/// from before a role assignment does not carry the new right.
///
/// # Errors
/// What Entra said.
pub async fn app_token(
    clouds: Reach<'_>,
    app: &AppIdentity,
    tenant: &str,
    now: OffsetDateTime,
) -> Result<Secret, ApiError> {
    let credential: Arc<dyn TokenCredential> = match &app.credential {
        AppCredential::Password(secret) => {
            secret_credential(clouds, tenant, &app.client_id, secret)
                .map_err(|error| failure(&error))?
        }
        AppCredential::Certificate(certificate) => {
            let signed = signed(clouds, certificate, (tenant, &app.client_id), now)?;
            let options = ClientAssertionCredentialOptions {
                client_options: client_options(clouds),
            };
            let (tenant, client_id) = (tenant.to_owned(), app.client_id.clone());
            ClientAssertionCredential::new(tenant, client_id, signed, Some(options))
                .map_err(|error| failure(&error))?
        }
    };
    let scope = clouds.endpoints.arm_scope.clone();
    Ok(get(clouds, &*credential, &scope).await?.secret)
}

/// An assertion for one tenant: it is addressed to that one's endpoint, and to no other.
fn signed(
    clouds: Reach<'_>,
    certificate: &Certificate,
    (tenant, client_id): (&str, &str),
    now: OffsetDateTime,
) -> Result<Signed, ApiError> {
    let failed = |error: String| ApiError::new(Service::Entra, "token", Cause::SignIn, error);
    let path = format!("/{tenant}/oauth2/v2.0/token");
    let audience = clouds.endpoints.entra.join(&path);
    let audience = audience.map_err(|error| failed(error.to_string()))?;
    let signed = certificate.assertion(audience.as_str(), client_id, now);
    signed
        .map(Signed)
        .map_err(|error| failed(format!("the application's key cannot sign: {error}")))
}
