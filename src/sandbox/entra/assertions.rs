//! Client assertions: an application says by a signature that it is itself.
//! <https://learn.microsoft.com/entra/identity-platform/certificate-credentials>

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::error;
use crate::sandbox::certificate::{Algorithm, Certificate};
use crate::sandbox::wire::{Answer, Ask};
use crate::sandbox::world::Application;

const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// The longest life of an assertion, and how much clocks may differ, in seconds.
const LONGEST: f64 = 600.0;
const SKEW: f64 = 5.0;

/// Whether the assertion of a token request is the application's. What it says is believed only when its signature is good.
pub(super) fn check(
    app: &mut Application,
    ask: &Ask,
    (assertion, endpoint): (&str, &str),
    clock: f64,
) -> Result<(), Answer> {
    let malformed = |text: &str| error(400, "invalid_request", 50_027, text);
    if ask.text("client_assertion_type") != Some(TYPE) {
        return Err(error(
            400,
            "invalid_request",
            900_144,
            "The request body must contain the following parameter: 'client_assertion_type'.",
        ));
    }
    let parts: Vec<&str> = assertion.split('.').collect();
    let [head, body, signature] = parts[..] else {
        return Err(malformed("JWT token is invalid or malformed."));
    };
    // Some clients pad.
    let decoded = |part: &str| URL_SAFE_NO_PAD.decode(part.trim_end_matches('=')).ok();
    let read = |part: &str| serde_json::from_slice::<Value>(&decoded(part)?).ok();
    let (Some(head), Some(claims), Some(signature)) = (read(head), read(body), decoded(signature))
    else {
        return Err(malformed("JWT token is invalid or malformed."));
    };
    let algorithm = match head["alg"].as_str() {
        Some("RS256") => Algorithm::Rs256,
        Some("PS256") => Algorithm::Ps256,
        _ => return Err(malformed("The signature algorithm is not supported.")),
    };
    let thumbprint = |name: &str| head[name].as_str().and_then(decoded);
    let (sha1, sha256) = (thumbprint("x5t"), thumbprint("x5t#S256"));
    if sha1.is_none() && sha256.is_none() {
        return Err(malformed(
            "The assertion names no certificate: it needs 'x5t' or 'x5t#S256'.",
        ));
    }
    let is_named = |it: &Certificate| {
        sha1.as_ref().is_none_or(|print| *print == it.sha1())
            && sha256.as_ref().is_none_or(|print| *print == it.sha256())
    };
    let app_id = app.app_id.clone();
    let not_registered = || {
        error(
            401,
            "invalid_client",
            700_027,
            &format!(
                "The certificate with identifier used to sign the client assertion is not registered on application. [Reason - The key was not found. Please visit the Azure Portal, Graph Explorer or directly use MS Graph to see configured keys for app Id '{app_id}'.]"
            ),
        )
    };
    let mut known = None;
    for key in &mut app.keys {
        if let Some(certificate) = Certificate::read(&key.key).filter(is_named)
            && key.settle.look()
        {
            known = Some((certificate, key.end.clone()));
        }
    }
    let Some((certificate, end)) = known else {
        return Err(not_registered());
    };
    let signed = assertion.rsplit_once('.').map_or("", |(signed, _)| signed);
    if !certificate.verifies(algorithm, signed.as_bytes(), &signature) {
        return Err(error(
            401,
            "invalid_client",
            700_027,
            "Client assertion contains an invalid signature. [Reason - The key was found, but use of the key to verify the signature failed.]",
        ));
    }
    believe(&claims, (&app_id, endpoint), clock)?;
    if clock > certificate.until || super::parse_stamp(&end).is_some_and(|end| end < clock) {
        return Err(error(
            401,
            "invalid_client",
            700_027,
            "The certificate used to sign the client assertion is expired on application.",
        ));
    }
    Ok(())
}

/// Whether the claims are for this endpoint, of this application, and for now.
fn believe(claims: &Value, (app_id, endpoint): (&str, &str), clock: f64) -> Result<(), Answer> {
    let is = |name: &str, wanted: &str| {
        let told = claims[name].as_str();
        told.is_some_and(|it| it.eq_ignore_ascii_case(wanted))
    };
    if !is("iss", app_id) || !is("sub", app_id) {
        return Err(error(
            401,
            "invalid_client",
            700_021,
            "Client assertion application identifier doesn't match 'client_id' parameter.",
        ));
    }
    if !is("aud", endpoint) {
        return Err(error(
            401,
            "invalid_client",
            700_023,
            "Client assertion audience claim does not match Realm issuer.",
        ));
    }
    let begins = claims["nbf"].as_f64().or_else(|| claims["iat"].as_f64());
    let in_time = begins
        .zip(claims["exp"].as_f64())
        .is_some_and(|(from, until)| {
            from <= clock + SKEW && clock <= until + SKEW && until - from <= LONGEST
        });
    if !in_time || claims["jti"].as_str().is_none_or(str::is_empty) {
        return Err(error(
            401,
            "invalid_client",
            700_024,
            "Client assertion is not within its valid time range.",
        ));
    }
    Ok(())
}
