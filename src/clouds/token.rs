//! Tokens, and what it takes to ask for one.

use super::endpoints::Endpoints;
use crate::{fact::Secret, http::Http};
use std::time::Duration;
use time::OffsetDateTime;

/// How Entra is reached.
#[derive(Clone, Copy)]
pub struct Reach<'a> {
    /// The executor of requests.
    pub http: &'a Http,
    /// Where the services are.
    pub endpoints: &'a Endpoints,
}

/// A token and its end.
#[derive(Clone, Debug)]
pub struct Token {
    /// The token.
    pub secret: Secret,
    /// When it ends.
    pub expires: OffsetDateTime,
}

impl Token {
    /// Whether it will be good for the request that is about to be made.
    #[must_use]
    pub fn usable(&self) -> bool {
        self.expires - OffsetDateTime::now_utc() > time::Duration::seconds(30)
    }
}

/// The pause between two looks at a device code, and other waits for a person.
pub(super) const DEVICE_PAUSE: Duration = Duration::from_secs(5);
