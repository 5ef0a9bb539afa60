//! What the organization's policies say to a wish.

use serde_json::Value;

use super::envelope::error;
use crate::sandbox::wire::Answer;
use crate::sandbox::world::Policies;

const NAME: &str = "Default app management tenant policy";

fn not_allowed() -> Answer {
    let text = format!("Credential type not allowed as per assigned policy '{NAME}'.");
    error(400, "CredentialTypeNotAllowedAsPerAppPolicy", &text, None)
}

fn too_long() -> Answer {
    let text = format!(
        "Credential lifetime exceeds the max value allowed as per assigned policy '{NAME}'."
    );
    error(
        400,
        "CredentialInvalidLifetimeAsPerAppPolicy",
        &text,
        Some(("InvalidKeyEndDate", "EndDate")),
    )
}

/// Whether a password of this life may be added.
pub(super) fn password(policies: &Policies, life: f64) -> Result<(), Answer> {
    if policies.no_passwords {
        return Err(not_allowed());
    }
    match policies.password_life {
        Some(longest) if life > longest => Err(too_long()),
        _ => Ok(()),
    }
}

/// Whether a certificate of this life, signed by itself, may be added. How the refusal for want of a trusted authority reads is
/// not on record; it is that of a kind of credential that is not allowed.
pub(super) fn certificate(policies: &Policies, life: f64) -> Result<(), Answer> {
    if policies.only_trusted_certificates {
        return Err(not_allowed());
    }
    match policies.certificate_life {
        Some(longest) if life > longest => Err(too_long()),
        _ => Ok(()),
    }
}

/// Whether an application may be made or changed so.
pub(super) fn application(policies: &Policies, body: &Value) -> Result<(), Answer> {
    let own = body["passwordCredentials"].as_array();
    if (policies.no_custom_passwords || policies.no_passwords)
        && own.is_some_and(|it| !it.is_empty())
    {
        return Err(not_allowed());
    }
    if let (Some(allowed), Some(audience)) = (&policies.audiences, body["signInAudience"].as_str())
        && !allowed.iter().any(|it| it == audience)
    {
        let text = format!(
            "'signInAudience' property value '{audience}' is not allowed as per assigned policy '{NAME}'."
        );
        return Err(error(
            400,
            "SignInAudienceNotAllowedAsPerAppPolicy",
            &text,
            None,
        ));
    }
    Ok(())
}
