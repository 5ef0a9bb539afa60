//! The one error of the program: a sentence, its causes, the way out, and the kind that decides the exit code.

use crate::{
    engine::{Fault, Refusal, StoreError},
    http::{ApiError, hints},
};

/// What to do about an error in this program.
pub const REPORT: &str =
    "this is an error in peer-wizard: please report it with what you did, this message and the log";

/// The kinds of failure, each with its exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A step failed; resume is possible.
    Failed,
    /// A bad or missing input; nothing was touched.
    Usage,
    /// A preflight check failed, or the person said no; nothing was changed.
    Refused,
    /// A sign-in is missing, expired or not allowed.
    SignIn,
    /// Stopped while waiting for someone else.
    Waiting,
    /// An error in this program.
    Bug,
    /// Ctrl-C.
    Interrupted,
}

/// Every exit code with its name and meaning; `--help` and the README print this table.
pub const EXIT_CODES: [(Option<Kind>, u8, &str, &str); 8] = [
    (None, 0, "done", "connected, done, or nothing to do"),
    (
        Some(Kind::Failed),
        1,
        "failed",
        "a step failed; resume is possible",
    ),
    (
        Some(Kind::Usage),
        2,
        "usage",
        "a bad or missing input; nothing was touched",
    ),
    (
        Some(Kind::Refused),
        3,
        "refused",
        "a preflight check failed, or you said no; nothing was changed",
    ),
    (
        Some(Kind::SignIn),
        4,
        "sign-in",
        "a sign-in is missing, expired or not allowed",
    ),
    (
        Some(Kind::Waiting),
        5,
        "waiting",
        "stopped while waiting for someone else; resume is possible",
    ),
    (
        Some(Kind::Bug),
        70,
        "bug",
        "internal error; please report it",
    ),
    (
        Some(Kind::Interrupted),
        130,
        "interrupted",
        "Ctrl-C; resume is possible",
    ),
];

impl Kind {
    fn row(self) -> (u8, &'static str) {
        EXIT_CODES
            .iter()
            .find(|(kind, ..)| *kind == Some(self))
            .map_or((70, "bug"), |(_, code, name, _)| (*code, *name))
    }

    /// The process's exit code.
    #[must_use]
    pub fn exit_code(self) -> u8 {
        self.row().0
    }

    /// The name in the JSON output.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.row().1
    }
}

/// Why the program could not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// Decides the exit code.
    pub kind: Kind,
    /// One sentence: what was being done, or what is wrong with the input.
    pub message: String,
    /// The service's code, when a service said no.
    pub code: Option<String>,
    /// What to do, one sentence each.
    pub hints: Vec<String>,
    /// What it comes from.
    #[source]
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// An error of this kind in these words.
    #[must_use]
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            code: None,
            hints: Vec::new(),
            source: None,
        }
    }

    /// A bad or missing input.
    #[must_use]
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Kind::Usage, message)
    }

    /// An error in this program.
    #[must_use]
    pub fn bug(message: impl Into<String>) -> Self {
        Self::new(Kind::Bug, message)
    }

    /// Adds what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        let hint = hint.into();
        if !self.hints.contains(&hint) {
            self.hints.push(hint);
        }
        self
    }

    /// Adds what it comes from.
    #[must_use]
    pub fn from_source(
        mut self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Why `doing`, such as `cannot create the peering`, ended.
    #[must_use]
    pub fn of_fault(doing: impl Into<String>, fault: Fault<ApiError>) -> Self {
        let doing = doing.into();
        match fault {
            Fault::Missing(missing) => Self::bug(doing).from_source(missing),
            Fault::World(error) => Self::of_api(doing, error),
            Fault::Save(error) => {
                let kind = Self::from(error);
                Self {
                    message: format!("{doing}: {}", kind.message),
                    ..kind
                }
            }
            Fault::Refused(Refusal {
                message,
                code,
                hints,
                renew: _,
                early: _,
                asks: _,
            }) => Self {
                kind: Kind::Failed,
                message: format!("{doing}: {message}"),
                code,
                hints,
                source: None,
            },
            Fault::Needs { text, url } => {
                Self::new(Kind::Waiting, format!("{doing}: {text}")).hint(format!("see {url}"))
            }
            Fault::Waiting { says } => Self::new(Kind::Waiting, format!("{doing}: still {says}")),
            Fault::Interrupted => Self::new(Kind::Interrupted, "interrupted"),
            Fault::Panicked(words) => {
                Self::bug(format!("{doing}: the program failed: {words}")).hint(REPORT)
            }
        }
    }

    /// Why `doing` ended: a service said no, or could not be reached.
    #[must_use]
    pub fn of_api(doing: impl Into<String>, error: ApiError) -> Self {
        let kind = if error.is_sign_in() {
            Kind::SignIn
        } else {
            Kind::Failed
        };
        let mut it = Self::new(kind, doing);
        it.code.clone_from(&error.code);
        for hint in hints::of(&error) {
            it = it.hint(hint);
        }
        it.from_source(error)
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        let kind = match &error {
            StoreError::Io { .. } => Kind::Failed,
            StoreError::Damaged { .. }
            | StoreError::Newer { .. }
            | StoreError::Foreign { .. }
            | StoreError::Locked { .. }
            | StoreError::Unknown { .. } => Kind::Usage,
        };
        let hint = match &error {
            StoreError::Io { .. } => {
                "check that the folder is yours and has room; `--state-dir` chooses another"
            }
            StoreError::Damaged { .. } => {
                "move it away, or repair it by hand: it is plain JSON; it was left as it is"
            }
            StoreError::Newer { .. } => {
                "use that version or a later one; the file was left as it is"
            }
            StoreError::Foreign { .. } => {
                "move it away, or keep the runs elsewhere with `--state-dir`; it was left as it is"
            }
            StoreError::Locked { .. } => "wait until it is done, or stop it",
            StoreError::Unknown { .. } => "`peer-wizard runs` lists the runs there are",
        };
        let message = error.to_string();
        let it = Self::new(kind, message).hint(hint);
        match error {
            StoreError::Io { source, .. } => it.from_source(source),
            _ => it,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_readme_has_every_exit_code_as_it_is() {
        let readme = include_str!("../README.md");
        for (_, code, name, meaning) in EXIT_CODES {
            let row = format!("| {code} | {name} | {meaning} |");
            assert!(readme.contains(&row), "{row}");
        }
    }

    #[test]
    fn a_service_that_is_not_signed_in_to_has_its_own_code() {
        let api = ApiError::new(
            crate::http::Service::Arm,
            "GET /x",
            crate::http::Cause::SignIn,
            "",
        );
        assert_eq!(Error::of_api("cannot look", api).kind.exit_code(), 4);
    }
}
