//! A key and its certificate, made for the minutes of one run and held in memory: the assertions that it signs stand in for a
//! password. <https://learn.microsoft.com/entra/identity-platform/certificate-credentials>

use crate::fact::Secret;
use aws_lc_rs::digest::{SHA256, digest};
use azure_core::base64::encode_url_safe;
use rcgen::{CertificateParams, DnType, Error, KeyPair, PKCS_RSA_SHA256, SigningKey};
use secrecy::zeroize::Zeroize;
use serde_json::{Value, json};
use std::fmt;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

/// The life of an assertion; Entra takes none that lives for more than ten minutes.
const LIFE: Duration = Duration::minutes(8);
/// From so much earlier on it is good: the clocks of Entra's machines differ.
const SLACK: Duration = Duration::minutes(1);

/// A key of RSA-2048 and its self-signed certificate. The key is in the library's memory alone, which is wiped when it is let go.
pub struct Certificate {
    key: KeyPair,
    der: Vec<u8>,
    good: [OffsetDateTime; 2],
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Certificate")
    }
}

impl Certificate {
    /// A new key, and a certificate of this name that is good for this time.
    ///
    /// # Errors
    /// What the library said.
    pub fn new(name: &str, from: OffsetDateTime, until: OffsetDateTime) -> Result<Self, Error> {
        let whole = |time: OffsetDateTime| time.replace_nanosecond(0).unwrap_or(time);
        let (from, until) = (whole(from), whole(until));
        let mut key = KeyPair::generate_for(&PKCS_RSA_SHA256)?;
        // A copy for those who save it, which nobody does.
        key.zeroize();
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        (params.not_before, params.not_after) = (from, until);
        let der = params.self_signed(&key)?.der().to_vec();
        let good = [from, until];
        Ok(Self { key, der, good })
    }

    /// The certificate, which is no secret.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// From when until when it is good.
    #[must_use]
    pub fn good(&self) -> [OffsetDateTime; 2] {
        self.good
    }

    /// Says, for the endpoint `audience`, that who holds the key is the application.
    ///
    /// # Errors
    /// What the library said.
    pub(super) fn assertion(
        &self,
        audience: &str,
        client_id: &str,
        now: OffsetDateTime,
    ) -> Result<Secret, Error> {
        let header =
            json!({ "alg": "RS256", "typ": "JWT", "x5t#S256": base64(digest(&SHA256, &self.der)) });
        let claims = json!({
            "aud": audience,
            "iss": client_id,
            "sub": client_id,
            "jti": Uuid::new_v4().to_string(),
            "iat": now.unix_timestamp(),
            "nbf": (now - SLACK).unix_timestamp(),
            "exp": (now + LIFE).unix_timestamp(),
        });
        let part = |value: &Value| base64(value.to_string());
        let signed = format!("{}.{}", part(&header), part(&claims));
        let signature = base64(self.key.sign(signed.as_bytes())?);
        Ok(Secret::from(format!("{signed}.{signature}")))
    }
}

/// Base64 as tokens have it.
fn base64(bytes: impl AsRef<[u8]>) -> String {
    encode_url_safe(bytes).trim_end_matches('=').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use azure_core::base64::decode_url_safe;

    #[test]
    fn an_assertion_lives_for_less_than_ten_minutes_and_no_two_are_alike() {
        let now = OffsetDateTime::now_utc();
        let certificate = Certificate::new("x", now, now + Duration::hours(2)).expect("a key");
        assert!(certificate.key.serialized_der().is_empty());
        assert_eq!(format!("{certificate:?}"), "Certificate");
        let claims = |_| -> Value {
            let assertion = certificate.assertion("https://a/t", "app", now);
            let assertion = assertion.expect("it signs");
            let parts: Vec<&str> = assertion.expose().split('.').collect();
            assert_eq!(parts.len(), 3);
            let claims = decode_url_safe(parts[1]).expect("base64");
            serde_json::from_slice(&claims).expect("JSON")
        };
        let [one, two] = [0, 1].map(claims);
        let life = one["exp"].as_i64().zip(one["nbf"].as_i64());
        assert!(life.is_some_and(|(exp, nbf)| (60..=600).contains(&(exp - nbf))));
        assert_eq!((&one["iss"], &one["sub"]), (&json!("app"), &json!("app")));
        assert_eq!(one["aud"], "https://a/t");
        assert_ne!(one["jti"], two["jti"]);
    }
}
