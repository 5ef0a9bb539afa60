//! What a service answered when it did not do what it was asked, read from the four error shapes that they use.

use super::{call::Service, numbers::wait_in_words};
use serde_json::Value;
use std::time::Duration;

/// How a request failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The service answered with an error.
    Answered,
    /// It could not be reached, so nothing was sent.
    Unreachable,
    /// It was sent, and the answer did not arrive whole.
    Lost,
    /// The answer is not what the API describes.
    Unreadable,
    /// A link in an answer leads to another origin; it was not followed.
    ForeignLink,
    /// No token could be had.
    SignIn,
    /// The request could not be built or the configuration is wrong.
    Local,
}

/// Why a service did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub struct ApiError {
    /// Who was asked.
    pub service: Service,
    /// Method and path.
    pub request: Box<str>,
    /// How it failed.
    pub cause: Cause,
    /// The HTTP status.
    pub status: Option<u16>,
    /// The service's code.
    pub code: Option<String>,
    /// The service's words.
    pub message: String,
    /// The id under which the service's support finds the request.
    pub request_id: Option<Box<str>>,
    /// How long the service asks to wait.
    pub retry_after: Option<Duration>,
    /// The fields that were wrong and why.
    pub fields: Box<[(String, String)]>,
    /// The request was to change something.
    pub changes: bool,
    /// The claims that the service wants the token to have, as [`super::challenge`] reads them.
    pub challenge: Option<Box<str>>,
    /// What to do about it, where that is known better than its code tells.
    pub advice: Box<[String]>,
}

impl std::fmt::Display for ApiError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let service = self.service;
        match self.cause {
            Cause::Answered => {
                write!(f, "{service} answered")?;
                if let Some(status) = self.status {
                    write!(f, " {status}")?;
                }
                if let Some(code) = &self.code {
                    write!(f, " {code}")?;
                }
            }
            Cause::Unreachable => write!(f, "{service} cannot be reached")?,
            Cause::Lost => write!(f, "the answer of {service} was lost")?,
            Cause::Unreadable => write!(f, "{service} answered with something unexpected")?,
            Cause::ForeignLink => write!(f, "{service} sent a link that leads elsewhere")?,
            Cause::SignIn => {
                write!(f, "cannot sign in to {service}")?;
                if let Some(code) = &self.code {
                    write!(f, " ({code})")?;
                }
            }
            Cause::Local => write!(f, "{service} was not asked")?,
        }
        if !self.message.is_empty() {
            write!(f, ": {}", self.message)?;
        }
        for (field, reason) in &*self.fields {
            write!(f, "; {field}: {reason}")?;
        }
        if let Some(id) = &self.request_id {
            write!(f, " (request {id})")?;
        }
        Ok(())
    }
}

impl ApiError {
    /// An error without an answer.
    #[must_use]
    pub fn new(
        service: Service,
        request: impl Into<Box<str>>,
        cause: Cause,
        message: impl Into<String>,
    ) -> Self {
        Self {
            service,
            request: request.into(),
            cause,
            status: None,
            code: None,
            message: message.into(),
            request_id: None,
            retry_after: None,
            fields: Box::default(),
            changes: false,
            challenge: None,
            advice: Box::default(),
        }
    }

    /// The service said no to a request that was to change something, so nothing came of it.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        let no = matches!(self.status, Some(400..=499)) && self.status != Some(408);
        self.changes && self.cause == Cause::Answered && no
    }

    /// Why it goes away by itself, if it does: for a person.
    #[must_use]
    pub fn passing(&self) -> Option<String> {
        let service = self.service;
        match (self.cause, self.status) {
            (Cause::Unreachable, _) if self.is_about_trust() => None,
            (Cause::Unreachable, _) => Some(format!("{service} cannot be reached")),
            (Cause::Lost, _) => Some(format!("the answer of {service} was lost")),
            (Cause::Answered, Some(409)) if self.is_concurrent() => {
                Some(format!("{service} is busy with another change"))
            }
            (Cause::Answered, Some(429)) => Some(format!("{service} asks to slow down")),
            (Cause::Answered, Some(status @ (408 | 500..=599))) => {
                Some(format!("{service} answered {status}"))
            }
            // The change may have been made all the same; a look tells.
            (Cause::Unreadable, _) | (Cause::Answered, Some(300..=399)) if self.changes => {
                Some(format!("{service} answered with something unexpected"))
            }
            _ => None,
        }
    }

    /// Whether the directory only says that it was asked for two changes at once. Its one PATCH, which makes an application
    /// or finds it, has no other reason for a 409.
    fn is_concurrent(&self) -> bool {
        self.service == Service::Graph
            && (self.is("Directory_ConcurrencyViolation") || self.request.starts_with("PATCH "))
    }

    fn is_about_trust(&self) -> bool {
        self.message.to_ascii_lowercase().contains("certificate")
    }

    /// Whether the service's code is `code`, whatever its case.
    #[must_use]
    pub fn is(&self, code: &str) -> bool {
        self.code
            .as_deref()
            .is_some_and(|mine| mine.eq_ignore_ascii_case(code))
    }

    /// Whether the service said that there is no such object.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        self.cause == Cause::Answered && self.status == Some(404)
    }

    /// Whether it is about the sign-in and not about the request.
    #[must_use]
    pub fn is_sign_in(&self) -> bool {
        self.cause == Cause::SignIn
            || self.status == Some(401)
            || matches!(self.service, Service::Of(vendor)
                if vendor.bad_sign_in.iter().any(|code| self.is(code)))
    }

    /// Reads an error answer.
    #[must_use]
    pub fn read(service: Service, request: String, status: u16, body: &[u8]) -> Self {
        let mut error = Self::new(service, request, Cause::Answered, "");
        error.status = Some(status);
        match serde_json::from_slice::<Value>(body) {
            Ok(value) => error.take(&value),
            Err(_) => error.message = describe_text(body),
        }
        if error.retry_after.is_none() && status == 429 {
            // Aiven tells the wait in its sentence.
            error.retry_after = wait_in_words(&error.message);
        }
        error
    }

    fn take(&mut self, body: &Value) {
        let text =
            |value: &Value, name: &str| value.get(name).and_then(Value::as_str).map(one_line);
        // Entra's OAuth shape has a string under `error`, ARM's and Graph's an object, sometimes without the wrapper.
        if let Some(error) = body.get("error").and_then(Value::as_str) {
            self.code = body
                .get("error_codes")
                .and_then(|codes| codes.get(0))
                .and_then(Value::as_u64)
                .map(|code| format!("AADSTS{code}"))
                .or_else(|| Some(one_line(error)));
            self.message = entra_sentence(&text(body, "error_description").unwrap_or_default());
        } else if let Some(errors) = body.get("errors").and_then(Value::as_array) {
            let first = errors.first().unwrap_or(&Value::Null);
            self.code = text(first, "error_code");
            self.message = text(body, "message")
                .or_else(|| text(first, "message"))
                .unwrap_or_default();
        } else if body.get("title").is_some() || body.get("invalid_parameters").is_some() {
            self.code = text(body, "title");
            self.message = text(body, "detail").unwrap_or_default();
            self.request_id = text(body, "instance").map(Into::into);
            let invalid = body.get("invalid_parameters").and_then(Value::as_array);
            self.fields = invalid
                .into_iter()
                .flatten()
                .map(|field| {
                    let reason = text(field, "reason").or_else(|| text(field, "rule"));
                    (
                        text(field, "field").unwrap_or_default(),
                        reason.unwrap_or_default(),
                    )
                })
                .collect();
        } else {
            let error = body.get("error").unwrap_or(body);
            self.code = text(error, "code");
            self.message = text(error, "message").unwrap_or_default();
            let details = error.get("details").and_then(Value::as_array);
            // Graph puts the telling code one level down.
            if let Some(code) = details
                .and_then(|details| details.first())
                .and_then(|detail| text(detail, "code"))
                && self.is("Request_BadRequest")
            {
                self.code = Some(code);
            }
            let inner = error.get("innerError").or_else(|| error.get("innererror"));
            self.request_id = inner
                .and_then(|inner| text(inner, "request-id"))
                .map(Into::into);
        }
    }
}

/// The first sentence of an Entra description: what follows is trace ids and a time stamp.
#[must_use]
pub fn entra_sentence(description: &str) -> String {
    let end = description
        .find("Trace ID:")
        .or_else(|| description.find("To troubleshoot"))
        .unwrap_or(description.len());
    description[..end].trim().to_owned()
}

/// One line of text that does nothing to a terminal: a control character is as good as a space.
fn one_line(text: &str) -> String {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control());
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    words.join(" ")
}

fn describe_text(body: &[u8]) -> String {
    let text = one_line(&String::from_utf8_lossy(body));
    if text.is_empty() {
        return String::new();
    }
    let short: String = text.chars().take(120).collect();
    format!("not JSON but `{short}`; is a proxy in between?")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Vendor;

    const VENDOR: Vendor = Vendor {
        name: "Vendor",
        address: "https://vendor.example",
        variable: "VENDOR_URL",
        suffix: "/v1",
        scheme: "Bearer",
        bad_sign_in: &["authentication_failed"],
        hints: &[],
        no_token: "",
        bad_token: "",
        forbidden: None,
    };

    #[test]
    fn a_vendors_own_word_for_a_bad_sign_in_counts() {
        let body = r#"{"errors":[{"error_code":"authentication_failed","message":"m"}]}"#;
        assert!(read(Service::Of(&VENDOR), 403, body).is_sign_in());
        assert!(!read(Service::Arm, 403, body).is_sign_in());
    }

    fn error(cause: Cause, status: Option<u16>, changes: bool) -> ApiError {
        let mut error = ApiError::new(Service::Arm, "X /x", cause, "");
        error.status = status;
        error.changes = changes;
        error
    }

    #[test]
    fn only_an_answered_no_to_a_change_means_that_nothing_came_of_it() {
        assert!(error(Cause::Answered, Some(403), true).is_refusal());
        assert!(error(Cause::Answered, Some(429), true).is_refusal());
        for (cause, status, changes) in [
            (Cause::Answered, Some(403), false),
            (Cause::Answered, Some(408), true),
            (Cause::Answered, Some(302), true),
            (Cause::Answered, Some(500), true),
            (Cause::Lost, None, true),
            (Cause::Unreadable, None, true),
            (Cause::Unreachable, None, true),
            (Cause::ForeignLink, None, true),
        ] {
            assert!(!error(cause, status, changes).is_refusal(), "{cause:?}");
        }
    }

    #[test]
    fn a_clear_no_is_final_and_a_lost_answer_is_not() {
        for status in [400, 401, 403, 404, 409] {
            assert_eq!(error(Cause::Answered, Some(status), true).passing(), None);
        }
        assert!(error(Cause::Answered, Some(503), false).passing().is_some());
        assert!(error(Cause::Lost, None, false).passing().is_some());
        assert!(error(Cause::Unreadable, None, true).passing().is_some());
        assert_eq!(error(Cause::Unreadable, None, false).passing(), None);
        let mut trust = error(Cause::Unreachable, None, false);
        trust.message = "invalid peer certificate".into();
        assert_eq!(trust.passing(), None);
    }

    #[test]
    fn two_changes_of_the_directory_at_once_pass() {
        let body = r#"{"error":{"code":"Directory_ConcurrencyViolation","message":"m"}}"#;
        assert!(read(Service::Graph, 409, body).passing().is_some());
        assert_eq!(read(Service::Arm, 409, body).passing(), None);
        let twin = r#"{"error":{"code":"Request_MultipleObjectsWithSameKeyValue"}}"#;
        assert_eq!(read(Service::Graph, 409, twin).passing(), None);
        let upsert = "PATCH /v1.0/applications(uniqueName='x')".to_owned();
        let upsert = ApiError::read(Service::Graph, upsert, 409, b"{}");
        assert!(upsert.passing().is_some());
    }

    fn read(service: Service, status: u16, body: &str) -> ApiError {
        ApiError::read(service, "GET /x".into(), status, body.as_bytes())
    }

    #[test]
    fn azure_errors_with_and_without_the_wrapper() {
        let body = r#"{"error":{"code":"AuthorizationFailed","message":"The client 'x'\r\n has no right","details":null}}"#;
        let error = read(Service::Arm, 403, body);
        assert!(error.is("authorizationfailed"));
        assert_eq!(error.message, "The client 'x' has no right");
        assert!(
            read(
                Service::Arm,
                404,
                r#"{"code":"ResourceNotFound","message":"m"}"#
            )
            .is("ResourceNotFound")
        );
    }

    #[test]
    fn graph_tells_the_code_one_level_down() {
        let body = r#"{"error":{"code":"Request_BadRequest","message":"m","details":[{"code":"NoBackingApplicationObject"}],"innerError":{"request-id":"r-1"}}}"#;
        let error = read(Service::Graph, 400, body);
        assert!(error.is("NoBackingApplicationObject"));
        assert_eq!(error.request_id.as_deref(), Some("r-1"));
    }

    #[test]
    fn aiven_errors_tell_the_wait_in_words() {
        let body = r#"{"errors":[{"message":"Rate limit 120 exceeded - try again in 28s","status":429}],"message":"Rate limit 120 exceeded - try again in 28s"}"#;
        let error = read(Service::Of(&VENDOR), 429, body);
        assert_eq!(error.retry_after, Some(Duration::from_secs(28)));
    }

    #[test]
    fn konnect_errors_name_the_fields_and_the_trace() {
        let body = r#"{"status":400,"title":"Bad Request","instance":"kong:trace:1","detail":"Invalid Parameters","invalid_parameters":[{"field":"name","rule":"max_length","reason":"too long"}]}"#;
        let text = read(Service::Of(&VENDOR), 400, body).to_string();
        assert_eq!(
            text,
            "Vendor answered 400 Bad Request: Invalid Parameters; name: too long (request kong:trace:1)"
        );
    }

    #[test]
    fn entra_errors_keep_their_number_and_lose_the_trace() {
        let body = r#"{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret.\r\nTrace ID: t\r\nTimestamp: x","error_codes":[7000215]}"#;
        let error = read(Service::Entra, 401, body);
        assert!(error.is("AADSTS7000215"));
        assert_eq!(error.message, "AADSTS7000215: Invalid client secret.");
    }

    #[test]
    fn a_page_of_a_proxy_is_said_to_be_one() {
        let text = read(Service::Arm, 502, "<html>Bad gateway</html>").to_string();
        assert!(text.contains("is a proxy in between"), "{text}");
    }
}
