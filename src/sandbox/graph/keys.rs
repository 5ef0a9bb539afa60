//! The certificates of an application, which are written as one list:
//! <https://learn.microsoft.com/graph/api/resources/keycredential>.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::envelope::{bad_request, check_properties, error};
use super::policies;
use crate::sandbox::certificate::Certificate;
use crate::sandbox::lag::{Spread, now, parse_stamp, stamp_after};
use crate::sandbox::wire::Answer;
use crate::sandbox::world::{Application, KeyCredential, World, guid};

const PROPERTIES: [&str; 8] = [
    "customKeyIdentifier",
    "displayName",
    "endDateTime",
    "key",
    "keyId",
    "startDateTime",
    "type",
    "usage",
];

fn refused(code: &str, text: &str) -> Answer {
    error(
        400,
        "Request_BadRequest",
        text,
        Some((code, "keyCredentials")),
    )
}

/// Puts a list in place of the certificates that the application has. Those that it has are named by their id, and stay as they
/// are; what they hold need not be told again, as it is not shown. What the list does not name is gone.
pub(super) fn replace(world: &mut World, at: usize, body: &Value) -> Result<(), Answer> {
    let Some(wanted) = body.get("keyCredentials") else {
        return Ok(());
    };
    let Some(wanted) = wanted.as_array() else {
        return Err(bad_request(
            "Invalid value specified for property 'keyCredentials' of resource 'Application'.",
        ));
    };
    let mut list: Vec<KeyCredential> = Vec::new();
    for wish in wanted {
        check_properties(wish, &PROPERTIES, &[])?;
        let id = wish["keyId"].as_str().unwrap_or_default();
        let mut there = world.applications[at].keys.iter();
        let there = there.find(|it| it.key_id.eq_ignore_ascii_case(id));
        let key = match there {
            Some(there) => kept(there, wish)?,
            None => new(world, wish)?,
        };
        if list.iter().any(|it| it.key_id == key.key_id) {
            return Err(refused(
                "DuplicateValue",
                "A key credential with the same keyId is in the list twice.",
            ));
        }
        list.push(key);
    }
    let busy = world.lag.begin(Spread::Change);
    let app = &mut world.applications[at];
    if app.keys.len() != list.len()
        || app
            .keys
            .iter()
            .zip(&list)
            .any(|(a, b)| a.key_id != b.key_id)
    {
        app.busy = busy;
    }
    app.keys = list;
    Ok(())
}

fn kept(there: &KeyCredential, wish: &Value) -> Result<KeyCredential, Answer> {
    let same = |name: &str, is: &str| wish[name].as_str().is_none_or(|told| told == is);
    let same_moment = |name: &str, is: &str| {
        let told = wish[name].as_str();
        told.is_none_or(|told| parse_stamp(told) == parse_stamp(is))
    };
    let as_it_is = same("key", &there.key)
        && same("type", "AsymmetricX509Cert")
        && same("usage", "Verify")
        && same_moment("startDateTime", &there.start)
        && same_moment("endDateTime", &there.end);
    if as_it_is {
        return Ok(there.clone());
    }
    let text = format!(
        "Update to existing credential with KeyId '{}' is not allowed.",
        there.key_id
    );
    Err(refused("KeyNotUpdatable", &text))
}

fn new(world: &World, wish: &Value) -> Result<KeyCredential, Answer> {
    let text = |name: &str| wish[name].as_str();
    if text("type") != Some("AsymmetricX509Cert") || text("usage") != Some("Verify") {
        return Err(refused(
            "InvalidKeyTypeOrUsage",
            "New key credential must have type 'AsymmetricX509Cert' and usage 'Verify'.",
        ));
    }
    let key = text("key").unwrap_or_default();
    let Some(certificate) = Certificate::read(key) else {
        return Err(refused(
            "InvalidCertificate",
            "Key credential value is not a valid certificate.",
        ));
    };
    let moment = |name: &str, otherwise: f64| {
        match text(name) {
        None => Ok(otherwise),
        Some(told) => parse_stamp(told).ok_or_else(|| {
            bad_request(&format!(
                "Cannot convert a value to the expected type 'Edm.DateTimeOffset' of property '{name}'."
            ))
        }),
    }
    };
    let (start, end) = (
        moment("startDateTime", certificate.from)?,
        moment("endDateTime", certificate.until)?,
    );
    #[expect(clippy::cast_precision_loss, reason = "an hour or a day")]
    let clock = now() + world.ahead as f64;
    if start < certificate.from || start > end {
        return Err(refused(
            "InvalidKeyStartDate",
            "Key credential start date is invalid.",
        ));
    }
    if end > certificate.until || end <= clock {
        return Err(refused(
            "InvalidKeyEndDate",
            "Key credential end date is invalid.",
        ));
    }
    policies::certificate(&world.policies, end - start)?;
    #[expect(clippy::cast_possible_truncation, reason = "seconds")]
    let stamp = |moment: f64| stamp_after((moment - now()).round() as i64);
    let told =
        |name: &str, otherwise: f64| text(name).map_or_else(|| stamp(otherwise), str::to_owned);
    Ok(KeyCredential {
        key_id: text("keyId").map_or_else(guid, str::to_owned),
        display_name: text("displayName").map(str::to_owned),
        start: told("startDateTime", start),
        end: told("endDateTime", end),
        key: key.split_ascii_whitespace().collect(),
        settle: world.lag.begin(Spread::Secret),
        shows: world.lag.begin(Spread::Password),
    })
}

/// Somebody who had read the list before writes it, with one of their own.
pub(super) fn write_over(app: &mut Application, before: Vec<KeyCredential>) {
    app.keys = before;
    app.keys.push(KeyCredential {
        key_id: guid(),
        display_name: Some("written at the same time".to_owned()),
        start: stamp_after(0),
        end: stamp_after(86_400),
        ..KeyCredential::default()
    });
}

/// As they are shown; what they hold only where that alone was asked for.
pub(super) fn shown(app: &Application, whole: bool) -> Vec<Value> {
    let shown = app.keys.iter().filter(|key| key.shows.due());
    let thumbprint =
        |key: &KeyCredential| Certificate::read(&key.key).map(|it| STANDARD.encode(it.sha1()));
    shown
        .map(|key| {
            json!({
                "customKeyIdentifier": thumbprint(key), "displayName": key.display_name, "endDateTime": key.end,
                "key": whole.then_some(&key.key), "keyId": key.key_id, "startDateTime": key.start,
                "type": "AsymmetricX509Cert", "usage": "Verify",
            })
        })
        .collect()
}
