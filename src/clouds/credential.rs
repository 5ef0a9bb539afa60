//! The person's sign-ins, through azure_identity.

use super::{
    az::{self, Az, Of},
    tame,
    token::{Reach, Token},
};
use crate::{
    fact::Secret,
    http::{ApiError, Cause, Service, fault::entra_sentence},
};
use async_trait::async_trait;
use azure_core::{
    cloud::{CloudConfiguration, CustomConfiguration},
    credentials::TokenCredential,
    error::ErrorKind,
    http::{AsyncRawResponse, ClientOptions, HttpClient, Request, RetryOptions, Transport},
};
use azure_identity::{
    ClientAssertionCredentialOptions, ClientSecretCredential, ClientSecretCredentialOptions,
    ManagedIdentityCredential, ManagedIdentityCredentialOptions, WorkloadIdentityCredential,
    WorkloadIdentityCredentialOptions,
};
use serde_json::{Value, json};
use std::sync::Arc;

/// How the person signs in to Azure.
#[derive(Clone, Debug)]
pub enum SignIn {
    /// The session of `az login`.
    Az(Az),
    /// A service principal from the environment.
    Environment {
        /// Its tenant, unless another is asked for.
        tenant: String,
        /// Its application id.
        client_id: String,
        /// Its secret.
        secret: Secret,
    },
    /// A code to type in at a browser.
    DeviceCode(super::device_code::DeviceCode),
    /// The identity of the machine.
    ManagedIdentity {
        /// The client id of a user-assigned one.
        client_id: Option<String>,
    },
    /// A federated token of the workload.
    WorkloadIdentity,
    /// None: look-ups are impossible.
    Nobody,
}

impl SignIn {
    /// The words of `--sign-in`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Az(_) => "az",
            Self::Environment { .. } => "environment",
            Self::DeviceCode(_) => "device-code",
            Self::ManagedIdentity { .. } => "managed-identity",
            Self::WorkloadIdentity => "workload-identity",
            Self::Nobody => "none",
        }
    }

    /// A token for `scope`.
    ///
    /// # Errors
    /// What `az` or Entra said.
    pub async fn token(
        &self,
        clouds: Reach<'_>,
        scope: &str,
        tenant: Option<&str>,
        subscription: Option<&str>,
    ) -> Result<Token, ApiError> {
        let credential: Result<Arc<dyn TokenCredential>, _> = match self {
            Self::Az(session) => {
                return of_az(session, clouds, scope, tenant, subscription).await;
            }
            Self::Environment {
                tenant: own,
                client_id,
                secret,
            } => secret_credential(clouds, tenant.unwrap_or(own), client_id, secret)
                .map(|credential| credential as _),
            Self::DeviceCode(device) => return device.token(clouds, scope, tenant).await,
            Self::ManagedIdentity { client_id } => {
                ManagedIdentityCredential::new(Some(ManagedIdentityCredentialOptions {
                    user_assigned_id: client_id
                        .clone()
                        .map(azure_identity::UserAssignedId::ClientId),
                    client_options: client_options(clouds),
                }))
                .map(|credential| credential as _)
            }
            Self::WorkloadIdentity => {
                WorkloadIdentityCredential::new(Some(WorkloadIdentityCredentialOptions {
                    credential_options: ClientAssertionCredentialOptions {
                        client_options: client_options(clouds),
                    },
                    tenant_id: tenant.map(Into::into),
                    ..WorkloadIdentityCredentialOptions::default()
                }))
                .map(|credential| credential as _)
            }
            Self::Nobody => {
                return Err(ApiError::new(
                    Service::Entra,
                    "",
                    Cause::SignIn,
                    "no sign-in was chosen",
                ));
            }
        };
        let credential = credential.map_err(|error| failure(&error))?;
        get(clouds, &*credential, scope).await
    }
}

/// A token of the session of `az`: by the subscription where one is known, by the tenant where not, or where az does not know
/// the subscription.
async fn of_az(
    session: &Az,
    clouds: Reach<'_>,
    scope: &str,
    tenant: Option<&str>,
    subscription: Option<&str>,
) -> Result<Token, ApiError> {
    let ask = async |of: Of<'_>| {
        let credential = session.credential(of);
        let asked = match &credential {
            Ok(credential) => get(clouds, &**credential, scope).await,
            Err(error) => Err(failure(error)),
        };
        asked.map_err(|error| az::explained(error, tenant, of))
    };
    let by_tenant = tenant.map_or(Of::Current, Of::Tenant);
    let Some(subscription) = subscription else {
        return ask(by_tenant).await;
    };
    let token = match ask(Of::Subscription(subscription)).await {
        Err(error) if tenant.is_some() && az::knows_no_subscription(&error) => {
            return ask(by_tenant).await;
        }
        token => token?,
    };
    if let (Some(tenant), Some(own)) = (tenant, claim(&token.secret, "tid"))
        && is_guid(tenant)
        && !own.eq_ignore_ascii_case(tenant)
    {
        let text = format!(
            "az signs in to the subscription {subscription} in the tenant {own}, not in {tenant}"
        );
        let mut error = ApiError::new(Service::Entra, "token", Cause::SignIn, text);
        error.advice = Box::new([format!(
            "leave `--tenant` out (and AZURE_TENANT_ID), or name a VNet that is in the tenant {tenant}"
        )]);
        return Err(error);
    }
    Ok(token)
}

fn is_guid(text: &str) -> bool {
    uuid::Uuid::parse_str(text).is_ok()
}

/// A claim of a token, read without checking: it is shown and compared, never trusted.
#[must_use]
pub fn claim(token: &Secret, name: &str) -> Option<String> {
    let payload = token.expose().split('.').nth(1)?;
    let bytes = azure_core::base64::decode_url_safe(payload).ok()?;
    let claims: Value = serde_json::from_slice(&bytes).ok()?;
    claims.get(name)?.as_str().map(Into::into)
}

pub(super) async fn get(
    clouds: Reach<'_>,
    credential: &dyn TokenCredential,
    scope: &str,
) -> Result<Token, ApiError> {
    let began = std::time::Instant::now();
    let result = credential.get_token(&[scope], None).await;
    clouds.http.log(format!(
        "Entra: token for {scope} -> {} in {:.2} s",
        if result.is_ok() { "got" } else { "refused" },
        began.elapsed().as_secs_f64(),
    ));
    let token = result.map_err(|error| clouds.http.quiet.error(failure(&error)))?;
    let secret = Secret::from(token.token.secret().to_owned());
    clouds.http.quiet.about(&secret);
    Ok(Token {
        secret,
        expires: token.expires_on,
    })
}

pub(super) fn secret_credential(
    clouds: Reach<'_>,
    tenant: &str,
    client_id: &str,
    secret: &Secret,
) -> azure_core::Result<Arc<ClientSecretCredential>> {
    clouds.http.quiet.about(secret);
    ClientSecretCredential::new(
        tenant,
        client_id.to_owned(),
        secret.expose().to_owned().into(),
        Some(ClientSecretCredentialOptions {
            client_options: client_options(clouds),
        }),
    )
}

/// Our client as transport, our authority, and no patience of its own.
pub(super) fn client_options(clouds: Reach<'_>) -> ClientOptions {
    let mut cloud = CustomConfiguration::default();
    cloud.authority_host = clouds.endpoints.entra.to_string();
    ClientOptions {
        cloud: Some(Arc::new(CloudConfiguration::from(cloud))),
        transport: Some(Transport::new(Arc::new(Readable(
            clouds.http.client().clone(),
        )))),
        // Whether to ask again is the engine's to decide.
        retry: RetryOptions::none(),
        ..ClientOptions::default()
    }
}

/// Makes Entra's error answers readable for azure_identity 1.0, which loses status and code of a body whose
/// description holds an escape (`\r\n`, `\"`), or that is not JSON.
#[derive(Debug)]
struct Readable(reqwest::Client);

#[async_trait]
impl HttpClient for Readable {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let response = self.0.execute_request(request).await?;
        let (status, headers, body) = response.deconstruct();
        let body = tame::body(body).await?;
        let body = if status.is_success() {
            tame::lives(body)
        } else {
            readable(&body)
        };
        Ok(AsyncRawResponse::from_bytes(status, headers, body))
    }
}

fn readable(body: &[u8]) -> Vec<u8> {
    let plain = |text: &str| -> String {
        text.chars()
            .map(|c| match c {
                '"' => '\'',
                '\\' => '/',
                c if c.is_control() => ' ',
                c => c,
            })
            .collect()
    };
    let body = if let Ok(Value::Object(mut fields)) = serde_json::from_slice::<Value>(body) {
        for value in fields.values_mut() {
            if let Value::String(text) = value {
                *text = plain(text);
            }
        }
        Value::Object(fields)
    } else {
        let text = String::from_utf8_lossy(body);
        let start: String = text.chars().take(120).collect();
        json!({
            "error": "not_json",
            "error_description": format!("not JSON but: {}", plain(&start)),
            "error_codes": [],
        })
    };
    body.to_string().into_bytes()
}

/// What azure_identity said, as one of our errors: the code of Entra, its sentence, and what is below it.
pub(super) fn failure(error: &azure_core::Error) -> ApiError {
    let mut status = None;
    let mut code = None;
    let mut unreachable = false;
    let mut source: Option<&(dyn std::error::Error + 'static)> = Some(error);
    let mut deepest = error.to_string();
    while let Some(current) = source {
        if let Some(limit) = tame::limit(current) {
            return limit;
        }
        if let Some(azure) = current.downcast_ref::<azure_core::Error>() {
            match azure.kind() {
                ErrorKind::HttpResponse {
                    status: http,
                    error_code,
                    ..
                } => {
                    status = Some(u16::from(*http));
                    code.clone_from(error_code);
                }
                ErrorKind::Io | ErrorKind::Connection => unreachable = true,
                _ => {}
            }
        }
        deepest = current.to_string();
        source = current.source();
    }
    let message = if code.is_some() || !unreachable {
        entra_sentence(&error.to_string())
    } else {
        deepest
    };
    let cause = match status {
        None if unreachable => Cause::Unreachable,
        // That says nothing about the sign-in.
        Some(408 | 429 | 500..=599) => Cause::Answered,
        _ => Cause::SignIn,
    };
    let mut failure = ApiError::new(Service::Entra, "token", cause, tidy(&message));
    failure.status = status;
    failure.code = code.filter(|code| !code.is_empty()).map(|code| {
        if code.starts_with(|c: char| c.is_ascii_digit()) {
            format!("AADSTS{code}")
        } else {
            code
        }
    });
    failure
}

/// Without the names of the library's types and the lines that tell nothing.
fn tidy(message: &str) -> String {
    let message = message
        .split_once("authentication failed. ")
        .map_or(message, |(_, rest)| rest);
    message.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_and_pages_become_readable() {
        let body = br#"{"error":"x","error_description":"a \"b\"\r\nTrace ID: 1","error_codes":[7000215]}"#;
        let text = String::from_utf8(readable(body)).expect("UTF-8");
        assert!(!text.contains('\\'), "{text}");
        assert!(text.contains("7000215"));
        let page = String::from_utf8(readable(b"<html>\n</html>")).expect("UTF-8");
        assert!(page.contains("not JSON but"), "{page}");
    }

    #[test]
    fn a_token_tells_its_tenant_and_an_opaque_one_does_not() {
        let payload = azure_core::base64::encode_url_safe(r#"{"tid":"t-1"}"#);
        let token = Secret::from(format!("h.{payload}.s"));
        assert_eq!(claim(&token, "tid").as_deref(), Some("t-1"));
        assert_eq!(claim(&Secret::from("opaque".to_owned()), "tid"), None);
    }
}
