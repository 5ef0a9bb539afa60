//! Sign-in by a code that the person types in at a browser, and the refresh token that follows from it.
//! <https://learn.microsoft.com/entra/identity-platform/v2-oauth2-device-code>

use super::token::{DEVICE_PAUSE, Reach, Token};
use crate::{
    fact::Secret,
    http::{
        ApiError, Cause, Service,
        numbers::{LONGEST_LIFE, seconds_of},
        segment,
        send::{body_of, failure},
    },
};
use serde::Deserialize;
use serde_json::Value;
use std::{cell::RefCell, fmt, rc::Rc, time::Duration};
use time::OffsetDateTime;

/// The public client of the Azure CLI, whose sign-in this is one of.
const CLIENT: &str = "04b07795-8ddb-461a-bbee-02f9e1bf7b46";
/// The life of a code that does not tell it, and the longest pause between two looks at one.
const DEVICE_LIFE: Duration = Duration::from_secs(900);
const LONGEST_DEVICE_PAUSE: Duration = Duration::from_secs(60);
const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// The sign-in; the person is asked once, at the first token.
#[derive(Clone)]
pub struct DeviceCode {
    ask: Rc<dyn Fn(&str)>,
    refresh: Rc<RefCell<Option<Secret>>>,
}

impl fmt::Debug for DeviceCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeviceCode").finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
struct Code {
    #[serde(rename = "device_code")]
    secret: String,
    message: String,
    #[serde(default)]
    interval: Value,
    #[serde(default)]
    expires_in: Value,
}

#[derive(Deserialize)]
struct Grant {
    access_token: String,
    refresh_token: Option<String>,
    #[serde(default)]
    expires_in: Value,
}

impl DeviceCode {
    /// A sign-in that shows Entra's sentence about the code through `ask`.
    #[must_use]
    pub fn new(ask: impl Fn(&str) + 'static) -> Self {
        Self {
            ask: Rc::new(ask),
            refresh: Rc::default(),
        }
    }

    /// A token for `scope`; asks the person if that was not done yet.
    ///
    /// # Errors
    /// What Entra said, or that the person did not come.
    pub async fn token(
        &self,
        clouds: Reach<'_>,
        scope: &str,
        tenant: Option<&str>,
    ) -> Result<Token, ApiError> {
        let tenant = tenant.unwrap_or("organizations");
        let scopes = format!("{scope} offline_access openid profile");
        let known = self.refresh.borrow().clone();
        if let Some(refresh) = known {
            let grant = post::<Grant>(
                clouds,
                tenant,
                "token",
                &[
                    ("client_id", CLIENT),
                    ("grant_type", "refresh_token"),
                    ("refresh_token", refresh.expose()),
                    ("scope", &scopes),
                ],
            )
            .await?;
            return Ok(self.keep(grant));
        }
        let code: Code = post(
            clouds,
            tenant,
            "devicecode",
            &[("client_id", CLIENT), ("scope", &scopes)],
        )
        .await?;
        (self.ask)(&code.message);
        // A pause of nothing would ask without a pause.
        let pause = seconds_of(&code.interval, LONGEST_DEVICE_PAUSE).filter(|it| !it.is_zero());
        let mut pause = pause.unwrap_or(DEVICE_PAUSE);
        let life = seconds_of(&code.expires_in, LONGEST_LIFE).unwrap_or(DEVICE_LIFE);
        let end = std::time::Instant::now() + life;
        loop {
            crate::engine::cx::rest(pause).await;
            let form = [
                ("client_id", CLIENT),
                ("grant_type", GRANT),
                ("device_code", code.secret.as_str()),
            ];
            match post::<Grant>(clouds, tenant, "token", &form).await {
                Ok(grant) => return Ok(self.keep(grant)),
                Err(error) if pending(&error) && std::time::Instant::now() < end => {
                    if error.is("slow_down") {
                        pause = (pause + DEVICE_PAUSE).min(LONGEST_DEVICE_PAUSE);
                    }
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn keep(&self, grant: Grant) -> Token {
        if let Some(refresh) = grant.refresh_token {
            *self.refresh.borrow_mut() = Some(refresh.into());
        }
        Token {
            secret: grant.access_token.into(),
            expires: OffsetDateTime::now_utc()
                + seconds_of(&grant.expires_in, LONGEST_LIFE).unwrap_or_default(),
        }
    }
}

/// The fields of a form that let somebody in.
const SECRETS: [&str; 2] = ["device_code", "refresh_token"];

/// The person has not typed the code yet: `authorization_pending` is AADSTS70016, `slow_down` has no number.
fn pending(error: &ApiError) -> bool {
    error.is("AADSTS70016") || error.is("authorization_pending") || error.is("slow_down")
}

async fn post<T: for<'de> Deserialize<'de>>(
    clouds: Reach<'_>,
    tenant: &str,
    what: &str,
    form: &[(&str, &str)],
) -> Result<T, ApiError> {
    let url = clouds
        .endpoints
        .entra
        .join(&format!("/{}/oauth2/v2.0/{what}", segment(tenant)));
    let fail = |cause, text: String| ApiError::new(Service::Entra, what, cause, text);
    let url = url.map_err(|error| fail(Cause::Local, error.to_string()))?;
    for (name, value) in form {
        if SECRETS.contains(name) {
            clouds.http.quiet.about(&Secret::from((*value).to_owned()));
        }
    }
    let response = clouds.http.client().post(url).form(form).send().await;
    let response = response.map_err(|error| failure(Service::Entra, what.into(), &error))?;
    let status = response.status();
    let bytes = body_of(Service::Entra, what, response).await?;
    if status.is_success() {
        serde_json::from_slice(&bytes).map_err(|error| fail(Cause::Unreadable, error.to_string()))
    } else {
        let mut error = ApiError::read(Service::Entra, what.into(), status.as_u16(), &bytes);
        error.cause = Cause::SignIn;
        Err(clouds.http.quiet.error(error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_life_of_any_length_is_a_time() {
        for life in [
            json!(i64::MAX),
            json!(u64::MAX),
            json!(i64::MIN),
            json!(1e300),
            json!("3599"),
            Value::Null,
        ] {
            let grant: Grant =
                serde_json::from_value(json!({ "access_token": "t", "expires_in": life }))
                    .expect("a grant");
            let token = DeviceCode::new(|_| ()).keep(grant);
            let left = token.expires - OffsetDateTime::now_utc();
            assert!(left <= time::Duration::hours(24), "{life}: {left}");
        }
    }
}
