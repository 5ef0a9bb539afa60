//! What is saved of a run: format 1 of the state file.

use crate::fact::Facts;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// The format that this version writes.
pub const FORMAT: u32 = 1;

/// One execution of a flow.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Run {
    /// The format of the file.
    pub format: u32,
    /// The run's name, `<provider>-<4 characters>`.
    pub run: String,
    /// The version that wrote it, such as `peer-wizard 0.1.0`.
    pub written_by: String,
    /// Grows by one at every save.
    pub serial: u64,
    /// The flow's name.
    pub flow: String,
    /// What the person decided, and where each answer came from.
    pub answers: BTreeMap<String, Answer>,
    /// What the run knows.
    pub facts: Facts,
    /// How each step stands, by its id.
    pub steps: BTreeMap<String, StepRecord>,
}

/// One answer and its origin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The answer.
    pub value: String,
    /// Where it came from.
    pub from: Origin,
}

/// Where an answer came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// A flag of the command line.
    Flag,
    /// An environment variable.
    Environment,
    /// An earlier run.
    Saved,
    /// Looked up, or derived from another answer.
    Detected,
    /// The only choice there was.
    OnlyChoice,
    /// The person, at a prompt.
    Prompt,
    /// The sandbox's sample value.
    Sample,
    /// The program's default.
    Default,
}

impl Origin {
    /// In a person's words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Flag => "flag",
            Self::Environment => "environment",
            Self::Saved => "saved run",
            Self::Detected => "detected",
            Self::OnlyChoice => "the only choice",
            Self::Prompt => "you chose",
            Self::Sample => "sandbox sample",
            Self::Default => "default",
        }
    }
}

/// How a step stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// A create call may be under way, or its answer may have been lost.
    Creating,
    /// This run made it.
    Created,
    /// It was there before the run, so undo leaves it.
    Found,
    /// The state was reached.
    Reached,
    /// Undo deleted it.
    Deleted,
}

impl Status {
    /// Whether the step needs nothing more.
    #[must_use]
    pub fn done(self) -> bool {
        matches!(self, Self::Created | Self::Found | Self::Reached)
    }
}

/// How a step stands, since when, and how long it took.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepRecord {
    /// How it stands.
    pub status: Status,
    /// Since when: RFC 3339, UTC, whole seconds.
    pub at: String,
    /// How long it took, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub took: Option<f64>,
    /// The service refused it later; it is asked for again on resume.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub renew: bool,
}

impl StepRecord {
    /// A step that stands so from now on.
    #[must_use]
    pub fn now(status: Status, took: Option<f64>) -> Self {
        Self {
            status,
            at: now(),
            took: took.map(|seconds| (seconds * 10.0).round() / 10.0),
            renew: false,
        }
    }
}

impl StepRecord {
    /// How long it has stood so; zero when the time cannot be read.
    #[must_use]
    pub fn age(&self) -> std::time::Duration {
        OffsetDateTime::parse(&self.at, &Rfc3339)
            .ok()
            .and_then(|at| (OffsetDateTime::now_utc() - at).try_into().ok())
            .unwrap_or_default()
    }
}

/// The present time: RFC 3339, UTC, whole seconds.
#[must_use]
pub fn now() -> String {
    let now = OffsetDateTime::now_utc();
    now.replace_nanosecond(0)
        .unwrap_or(now)
        .format(&Rfc3339)
        .unwrap_or_default()
}

impl Run {
    /// A run that has not begun.
    #[must_use]
    pub fn new(run: String, flow: &str, answers: BTreeMap<String, Answer>, facts: Facts) -> Self {
        Self {
            format: FORMAT,
            run,
            written_by: written_by(),
            serial: 0,
            flow: flow.into(),
            answers,
            facts,
            steps: BTreeMap::new(),
        }
    }

    /// How the step stands, if it was begun.
    #[must_use]
    pub fn status(&self, step: &str) -> Option<Status> {
        self.steps.get(step).map(|record| record.status)
    }

    /// Whether the step needs nothing more.
    #[must_use]
    pub fn done(&self, step: &str) -> bool {
        self.status(step).is_some_and(Status::done)
    }

    /// Whether undo has begun on this run: it cannot be resumed then.
    #[must_use]
    pub fn undoing(&self) -> bool {
        self.steps
            .values()
            .any(|record| record.status == Status::Deleted)
    }
}

/// This program and its version.
#[must_use]
pub fn written_by() -> String {
    concat!("peer-wizard ", env!("CARGO_PKG_VERSION")).to_owned()
}
