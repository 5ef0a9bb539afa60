//! What lives as long as the process, and is never saved.

use std::collections::HashMap;

use crate::sandbox::lag::Settle;
use crate::sandbox::log::Seen;

/// What lives as long as the process: tokens, the log, the list of secrets.
#[derive(Clone, Debug, Default)]
pub(in crate::sandbox) struct Session {
    /// Access tokens, by their text.
    pub tokens: HashMap<String, Token>,
    /// Refresh tokens and pending device codes, by their text.
    pub grants: HashMap<String, Grant>,
    /// Every secret ever issued.
    pub secrets: Vec<String>,
    /// Every request, in order.
    pub seen: Vec<Seen>,
    /// The serial number of the newest token or settled assignment.
    pub serial: u64,
}

/// What an access token says.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::sandbox) struct Token {
    pub serial: u64,
    pub tenant: String,
    pub audience: Audience,
    pub principal: String,
    pub app_id: String,
    pub is_user: bool,
    pub expires: f64,
}

/// The resource an access token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sandbox) enum Audience {
    Arm,
    Graph,
    Other,
}

/// A right to get tokens later.
#[derive(Clone, Debug)]
pub(in crate::sandbox) struct Grant {
    pub tenant: String,
    pub user: String,
    pub client: String,
    pub scope: String,
    /// For a device code: until then the person has not answered.
    pub pending: Option<Settle>,
}
