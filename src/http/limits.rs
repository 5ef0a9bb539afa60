//! How much of an answer is read, and how long is waited for it. Whatever a service or what
//! is in between sends, a request comes to an end, and that end is an ordinary error.

use super::{
    call::Service,
    fault::{ApiError, Cause},
};
use std::{collections::BTreeSet, time::Duration};

/// The largest answer that is read, unpacked. The longest real ones, lists of everything in a subscription, have a tenth of it.
pub const LARGEST_ANSWER: usize = 16 << 20;
/// The most objects and lists in an answer, and the most values. An object of a few bytes takes hundreds in memory; the longest
/// real answer, 5,000 roles on one page, has a third of it.
pub const MOST_OBJECTS: usize = 150_000;
/// See [`MOST_OBJECTS`].
pub const MOST_VALUES: usize = 1_000_000;
/// The most pages of a list that are read.
pub const MOST_PAGES: usize = 200;
/// The longest time without a byte.
pub const SILENCE: Duration = Duration::from_secs(30);
/// The longest time for a whole request, however it trickles.
pub const LONGEST_REQUEST: Duration = Duration::from_secs(60);
/// The codes of the ends that this program makes itself.
pub const TOO_LARGE: &str = "AnswerTooLarge";
/// See [`TOO_LARGE`].
pub const TOO_MANY_PAGES: &str = "TooManyPages";
/// See [`TOO_LARGE`].
pub const PAGES_IN_A_CIRCLE: &str = "PagesInACircle";
/// See [`TOO_LARGE`].
pub const NO_ANSWER: &str = "NoAnswer";
/// See [`TOO_LARGE`].
pub const BAD_PATH: &str = "BadPath";

/// An answer that is longer than any that is read.
#[must_use]
pub fn too_large(service: Service, request: impl Into<Box<str>>) -> ApiError {
    let message = format!("the answer has more than {} MiB", LARGEST_ANSWER >> 20);
    coded(
        TOO_LARGE,
        ApiError::new(service, request, Cause::Unreadable, message),
    )
}

/// Refuses a text that would take far more memory as JSON than as text.
///
/// # Errors
/// When it holds too many values.
pub fn check_count(service: Service, request: &str, body: &[u8]) -> Result<(), ApiError> {
    let count = |of: &[u8]| body.iter().filter(|byte| of.contains(byte)).count();
    if count(b"{[") <= MOST_OBJECTS && count(b",") <= MOST_VALUES {
        return Ok(());
    }
    let message = format!("the answer holds more than {MOST_OBJECTS} objects");
    Err(coded(
        TOO_LARGE,
        ApiError::new(service, request, Cause::Unreadable, message),
    ))
}

/// A request that nobody goes on answering.
#[must_use]
pub fn no_answer(service: Service, request: impl Into<Box<str>>) -> ApiError {
    coded(
        NO_ANSWER,
        ApiError::new(service, request, Cause::Lost, "nothing came any more"),
    )
}

fn coded(code: &str, error: ApiError) -> ApiError {
    ApiError {
        code: Some(code.into()),
        ..error
    }
}

/// The pages of a list that were read: not too many of them, and none twice.
pub struct Pages {
    service: Service,
    request: String,
    count: usize,
    seen: BTreeSet<String>,
}

impl Pages {
    /// None yet of the list that this request begins.
    #[must_use]
    pub fn new(service: Service, request: String) -> Self {
        Self {
            service,
            request,
            count: 1,
            seen: BTreeSet::new(),
        }
    }

    /// Takes note of the next page, named by the link to it.
    ///
    /// # Errors
    /// When there were too many, or this one was read already.
    pub fn next(&mut self, link: &str) -> Result<(), ApiError> {
        self.count += 1;
        let (code, message) = if !self.seen.insert(link.to_owned()) {
            let message = "the list's next page is one that was read already";
            (PAGES_IN_A_CIRCLE, message.to_owned())
        } else if self.count > MOST_PAGES {
            let message = format!("the list has more than {MOST_PAGES} pages");
            (TOO_MANY_PAGES, message)
        } else {
            return Ok(());
        };
        let request = self.request.clone();
        Err(coded(
            code,
            ApiError::new(self.service, request, Cause::Unreadable, message),
        ))
    }
}

/// Refuses a path with a segment that would lead elsewhere: `.` and `..`, which every reader of URLs takes out, and empty ones.
/// Such a segment comes from an id that is none.
///
/// # Errors
/// When there is one.
pub fn check_path(service: Service, request: &str, path: &str) -> Result<(), ApiError> {
    let below = path.strip_prefix('/').unwrap_or(path);
    let Some(bad) = below.split('/').find(|it| it.is_empty() || is_dots(it)) else {
        return Ok(());
    };
    let message = if bad.is_empty() {
        "an id in its path is empty".to_owned()
    } else {
        format!("an id in its path is `{bad}`, which leads elsewhere")
    };
    Err(coded(
        BAD_PATH,
        ApiError::new(service, request, Cause::Local, message),
    ))
}

/// Whether a URL's reader takes this segment for `.` or `..`.
#[must_use]
pub fn is_dots(segment: &str) -> bool {
    let plain = segment.to_ascii_lowercase().replace("%2e", ".");
    matches!(plain.as_str(), "." | "..")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_leads_where_its_ids_say() {
        let check = |path: &str| check_path(Service::Arm, "GET", path);
        for good in [
            "/a/b",
            "/v1.0/x(y='z')",
            "/a/...",
            "/a/.b",
            "/a/%2Fb",
            "/a/%252e%252e",
        ] {
            assert!(check(good).is_ok(), "{good}");
        }
        for bad in [
            "/a/../b",
            "/a/..",
            "/a/./b",
            "/.",
            "/a//b",
            "/a/",
            "/",
            "/a/%2e%2E/b",
            "/a/.%2e",
            "/%2e",
        ] {
            let error = check(bad).expect_err(bad);
            assert!(error.is(BAD_PATH), "{error}");
        }
    }

    #[test]
    fn an_answer_takes_no_more_memory_than_a_machine_has() {
        let check = |body: &str| check_count(Service::Arm, "GET /x", body.as_bytes());
        assert!(check(&r#"{"id":"x","more":[]},"#.repeat(50_000)).is_ok());
        for body in ["{},", "[],", "[[", "1,"] {
            let error = check(&body.repeat(1_000_001)).expect_err(body);
            assert!(error.is(TOO_LARGE), "{error}");
        }
    }

    #[test]
    fn a_list_ends() {
        let mut pages = Pages::new(Service::Arm, "GET /x".into());
        assert!(pages.next("a").is_ok());
        assert!(pages.next("a").is_err_and(|it| it.is(PAGES_IN_A_CIRCLE)));
        let mut pages = Pages::new(Service::Arm, "GET /x".into());
        for number in 2..=MOST_PAGES {
            assert!(pages.next(&number.to_string()).is_ok(), "{number}");
        }
        assert!(pages.next("more").is_err_and(|it| it.is(TOO_MANY_PAGES)));
    }
}
