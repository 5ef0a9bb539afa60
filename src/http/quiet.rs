//! Words of services, before anybody reads them: without the secrets that were sent to them, and no longer than a person reads.

use super::fault::ApiError;
use crate::fact::Secret;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::cell::RefCell;

/// What stands in place of a secret.
const HIDDEN: &str = "***";
/// A text that is shorter is no secret, and may be part of any word.
const SHORTEST: usize = 8;
/// The longest sentence of a service that is told.
const SENTENCE: usize = 2000;
/// The longest code, id or name of a field.
const WORD: usize = 200;
/// The most fields that are told of.
const FIELDS: usize = 20;
/// What an HTML form leaves as it is.
const FORM: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'*');

/// The secrets that requests have carried. A service may say them back, and in front of one may stand a proxy that does.
#[derive(Default)]
pub struct Quiet(RefCell<Vec<Secret>>);

impl Quiet {
    /// Remembers a secret, in the forms in which it travels.
    pub fn about(&self, secret: &Secret) {
        let text = secret.expose();
        if text.len() < SHORTEST {
            return;
        }
        let mut known = self.0.borrow_mut();
        if known.iter().any(|it| it.expose() == text) {
            return;
        }
        let form = utf8_percent_encode(text, FORM).to_string();
        if form != text {
            known.push(Secret::from(form));
        }
        known.push(secret.clone());
    }

    /// The text without them.
    #[must_use]
    pub fn text(&self, text: &str) -> String {
        let known = self.0.borrow();
        known.iter().fold(text.to_owned(), |text, secret| {
            if text.contains(secret.expose()) {
                text.replace(secret.expose(), HIDDEN)
            } else {
                text
            }
        })
    }

    /// A word of a header or a body, such as an id.
    #[must_use]
    pub fn word(&self, word: &str) -> String {
        short(&self.text(word), WORD)
    }

    /// The error without them, and not longer than it helps.
    #[must_use]
    pub fn error(&self, mut error: ApiError) -> ApiError {
        error.message = short(&self.text(&error.message), SENTENCE);
        error.code = error.code.map(|code| self.word(&code));
        error.request_id = error.request_id.map(|id| self.word(&id).into());
        error.challenge = error.challenge.map(|claims| self.text(&claims).into());
        let fields = error.fields.iter().take(FIELDS);
        error.fields = fields
            .map(|(field, reason)| (self.word(field), short(&self.text(reason), SENTENCE)))
            .collect();
        error
    }
}

/// The beginning of a text that is longer than that many characters.
fn short(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{Cause, Service};

    #[test]
    fn a_secret_that_is_said_back_is_hidden_in_every_form() {
        let quiet = Quiet::default();
        quiet.about(&Secret::from("s3cret~word==".to_owned()));
        quiet.about(&Secret::from("short".to_owned()));
        let said = quiet.text("Bearer s3cret~word== s3cret%7Eword%3D%3D short");
        assert_eq!(said, "Bearer *** *** short");
    }

    #[test]
    fn what_a_service_says_is_as_long_as_a_person_reads() {
        let quiet = Quiet::default();
        let mut error = ApiError::new(Service::Arm, "GET /x", Cause::Answered, "é".repeat(9000));
        error.code = Some("c".repeat(9000));
        error.fields = vec![("f".into(), "r".into()); 9000].into();
        let error = quiet.error(error);
        assert_eq!(error.message.chars().count(), SENTENCE + 1);
        assert_eq!(error.code.map(|code| code.len()), Some(WORD + "…".len()));
        assert_eq!(error.fields.len(), FIELDS);
    }
}
