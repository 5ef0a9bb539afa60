//! Answers to azure_identity's own requests, within the same limits as all others: it reads an answer of any length, and adds
//! any life of a token to the present time, which panics where that is no time.

use crate::http::{
    ApiError, Service,
    limits::{self, LARGEST_ANSWER},
    numbers::{LONGEST_LIFE, seconds_of},
};
use azure_core::{
    error::{Error, ErrorKind},
    http::AsyncResponseBody,
};
use futures_util::StreamExt as _;
use serde_json::Value;

/// What azure_identity calls the lives of tokens.
const LIVES: [&str; 2] = ["expires_in", "ext_expires_in"];

/// The body, as far as one is read.
///
/// # Errors
/// When it is longer, or does not arrive whole.
pub(super) async fn body(mut body: AsyncResponseBody) -> azure_core::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    while let Some(piece) = body.next().await {
        let piece = piece?;
        if bytes.len() + piece.len() > LARGEST_ANSWER {
            let error = limits::too_large(Service::Entra, "token");
            return Err(Error::new(ErrorKind::Other, error));
        }
        bytes.extend_from_slice(&piece);
    }
    limits::check_count(Service::Entra, "token", &bytes)
        .map_err(|error| Error::new(ErrorKind::Other, error))?;
    Ok(bytes)
}

/// A good answer with a life that makes sense.
pub(super) fn lives(body: Vec<u8>) -> Vec<u8> {
    let Ok(Value::Object(mut fields)) = serde_json::from_slice(&body) else {
        return body;
    };
    let mut changed = false;
    for name in LIVES {
        if let Some(life) = fields.get_mut(name) {
            let tame = seconds_of(life, LONGEST_LIFE).unwrap_or_default().as_secs();
            if *life != tame {
                *life = tame.into();
                changed = true;
            }
        }
    }
    if changed {
        Value::Object(fields).to_string().into_bytes()
    } else {
        body
    }
}

/// The end that one of our limits made, if this is one.
pub(super) fn limit(error: &(dyn std::error::Error + 'static)) -> Option<ApiError> {
    if let Some(own) = error.downcast_ref::<ApiError>()
        && own.is(limits::TOO_LARGE)
    {
        return Some(limits::too_large(Service::Entra, "token"));
    }
    let sent = error.downcast_ref::<reqwest::Error>()?;
    let silent = sent.is_timeout() && !sent.is_connect();
    silent.then(|| limits::no_answer(Service::Entra, "token"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_life_that_makes_no_sense_is_changed() {
        for (was, is) in [
            (
                r#"{"expires_in":3599,"a":1}"#,
                r#"{"expires_in":3599,"a":1}"#,
            ),
            (
                r#"{"expires_in":9223372036854775807}"#,
                r#"{"expires_in":86400}"#,
            ),
            (
                r#"{"expires_in":-1e300,"ext_expires_in":"7"}"#,
                r#"{"expires_in":0,"ext_expires_in":7}"#,
            ),
            ("no JSON", "no JSON"),
        ] {
            assert_eq!(String::from_utf8(lives(was.into())).expect("text"), is);
        }
    }
}
