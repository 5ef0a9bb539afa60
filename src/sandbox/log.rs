//! The record of requests that tests read, with secrets masked.

use serde_json::{Value, json};
use std::time::Duration;

use super::lag::now;
use super::wire::Ask;

/// Which of the simulated services a request was for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Service {
    /// The sign-in service.
    Entra,
    /// The directory.
    Graph,
    /// Azure Resource Manager.
    Arm,
    /// A vendor, by name.
    Of(&'static str),
}

/// One request as it arrived.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// Whom it was for.
    pub service: Service,
    /// Its method.
    pub method: String,
    /// Its path, still percent-encoded.
    pub path: String,
    /// Its query, decoded.
    pub query: Vec<(String, String)>,
    /// Its JSON body, or the fields of its form as an object; secrets read `***`.
    pub body: Value,
    /// The status it was answered with; 0 when the connection was cut, or no answer came.
    pub status: u16,
    /// When it came, in seconds since 1970.
    pub came: f64,
    /// When its answer went.
    pub went: f64,
}

impl Seen {
    pub(super) fn new(service: Service, ask: &Ask, status: u16, late: Duration) -> Self {
        let mut body = ask.body.clone();
        mask(&mut body);
        let came = now();
        Self {
            service,
            method: ask.method.clone(),
            path: ask.path.clone(),
            query: ask.query.clone(),
            body,
            status,
            came,
            went: came + late.as_secs_f64(),
        }
    }
}

fn mask(value: &mut Value) {
    const HIDDEN: [&str; 6] = [
        "client_secret",
        "refresh_token",
        "device_code",
        "client_assertion",
        "assertion",
        "secretText",
    ];
    match value {
        Value::Object(map) => {
            for (key, inner) in map.iter_mut() {
                if HIDDEN.contains(&key.as_str()) {
                    *inner = json!("***");
                } else {
                    mask(inner);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(mask),
        _ => {}
    }
}
