//! What is saved of a run: format 2 of the state file. Format 1, of one VNet and without members, is read for ever.

use crate::fact::Facts;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, time::Duration};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// The format that this version writes.
pub const FORMAT: u32 = 2;

/// One execution of a flow, for one VNet or many.
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
    /// What the members share.
    #[serde(flatten)]
    pub shared: Part,
    /// The rest, by the VNet's resource ID in lower case.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub members: BTreeMap<String, Part>,
}

/// A part of a run: what it knows, and how its steps stand.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Part {
    /// What is known.
    pub facts: Facts,
    /// How each step stands, by its id.
    pub steps: BTreeMap<String, StepRecord>,
}

/// A part of a run, by name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum At {
    /// What the members share.
    Shared,
    /// The member with this VNet.
    Member(String),
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// A create call may be under way, or its answer may have been lost: the object may be there.
    Creating,
    /// This run made it.
    Created,
    /// It was there before the run, so undo leaves it.
    Found,
    /// The state was reached.
    Reached,
    /// Undo has begun on it: it may still be there.
    Deleting,
    /// Undo deleted it.
    Deleted,
    /// This run made it, and something else needs it now.
    Kept,
}

impl Status {
    /// Whether the step needs nothing more.
    #[must_use]
    pub fn done(self) -> bool {
        matches!(self, Self::Created | Self::Found | Self::Reached)
    }

    /// Whether this run made the object, or may have, and it may still be there.
    #[must_use]
    pub fn ours(self) -> bool {
        matches!(
            self,
            Self::Creating | Self::Created | Self::Deleting | Self::Kept
        )
    }

    /// Whether undo has come by.
    #[must_use]
    pub fn undone(self) -> bool {
        matches!(self, Self::Deleting | Self::Deleted | Self::Kept)
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
    /// It was seen at the service after it was made.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub shown: bool,
    /// Why undo kept it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
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
            shown: false,
            note: None,
        }
    }

    /// How long it has stood so; zero when the time cannot be read.
    #[must_use]
    pub fn age(&self) -> Duration {
        self.since()
            .and_then(|at| (OffsetDateTime::now_utc() - at).try_into().ok())
            .unwrap_or_default()
    }

    /// Since when it has stood so.
    #[must_use]
    pub fn since(&self) -> Option<OffsetDateTime> {
        OffsetDateTime::parse(&self.at, &Rfc3339).ok()
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
    /// A run that has not begun, for the VNets that are the keys of `members`.
    #[must_use]
    pub fn new(
        run: String,
        flow: &str,
        answers: BTreeMap<String, Answer>,
        facts: Facts,
        members: BTreeMap<String, Facts>,
    ) -> Self {
        let part = |facts| Part {
            facts,
            steps: BTreeMap::new(),
        };
        Self {
            format: FORMAT,
            run,
            written_by: written_by(),
            serial: 0,
            flow: flow.into(),
            answers,
            shared: part(facts),
            members: members
                .into_iter()
                .map(|(vnet, facts)| (vnet, part(facts)))
                .collect(),
        }
    }

    /// One part of it, if there is such a member.
    #[must_use]
    pub fn part(&self, at: &At) -> Option<&Part> {
        match at {
            At::Shared => Some(&self.shared),
            At::Member(vnet) => self.members.get(vnet),
        }
    }

    /// One part of it; a member that is not there yet begins.
    pub fn part_mut(&mut self, at: &At) -> &mut Part {
        match at {
            At::Shared => &mut self.shared,
            At::Member(vnet) => self.members.entry(vnet.clone()).or_default(),
        }
    }

    /// All its parts, what is shared first.
    pub fn parts(&self) -> impl Iterator<Item = (At, &Part)> {
        let members = self.members.iter();
        let members = members.map(|(vnet, part)| (At::Member(vnet.clone()), part));
        std::iter::once((At::Shared, &self.shared)).chain(members)
    }

    /// What one part knows: a member's facts lie over those that are shared.
    #[must_use]
    pub fn facts_at(&self, at: &At) -> Facts {
        match self.part(at) {
            Some(part) if *at != At::Shared => self.shared.facts.under(&part.facts),
            _ => self.shared.facts.clone(),
        }
    }

    /// What the run knows, seen from its first member.
    #[must_use]
    pub fn facts(&self) -> Facts {
        match self.members.values().next() {
            Some(member) => self.shared.facts.under(&member.facts),
            None => self.shared.facts.clone(),
        }
    }

    /// How the step stands in one part.
    #[must_use]
    pub fn status_at(&self, at: &At, step: &str) -> Option<Status> {
        let record = self.part(at)?.steps.get(step)?;
        Some(record.status)
    }

    /// The record of a step: of the member that is furthest behind, where it is done for each.
    #[must_use]
    pub fn record(&self, step: &str) -> Option<&StepRecord> {
        if let Some(record) = self.shared.steps.get(step) {
            return Some(record);
        }
        let mut members = self.members.values().map(|part| part.steps.get(step));
        let first = members.next()??;
        let behind = |record: &&StepRecord| !record.status.done();
        members.try_fold(first, |worst, record| {
            let record = record?;
            Some(if behind(&worst) || !behind(&record) {
                worst
            } else {
                record
            })
        })
    }

    /// How the step stands, if it was begun.
    #[must_use]
    pub fn status(&self, step: &str) -> Option<Status> {
        self.record(step).map(|record| record.status)
    }

    /// Whether the step needs nothing more.
    #[must_use]
    pub fn done(&self, step: &str) -> bool {
        self.status(step).is_some_and(Status::done)
    }

    /// All records, of all parts.
    pub fn records(&self) -> impl Iterator<Item = (&str, &StepRecord)> {
        let parts = std::iter::once(&self.shared).chain(self.members.values());
        parts.flat_map(|part| part.steps.iter().map(|(id, record)| (id.as_str(), record)))
    }

    /// Whether undo has begun on this run: it cannot be resumed then.
    #[must_use]
    pub fn undoing(&self) -> bool {
        self.records().any(|(_, record)| record.status.undone())
    }
}

/// This program and its version.
#[must_use]
pub fn written_by() -> String {
    concat!("peer-wizard ", env!("CARGO_PKG_VERSION")).to_owned()
}
