//! What happens during a run, as it happens: the lines of `--output json`, and what the views draw.

use super::record::Status;
use serde::Serialize;
use std::collections::BTreeMap;

/// The version of the event lines.
pub const SCHEMA: u32 = 1;

/// One thing that happened. Times are in seconds.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event<'a> {
    /// The first line.
    Opened {
        /// [`SCHEMA`].
        schema: u32,
        /// The run's name; none when it ended before there was a run.
        run: Option<&'a str>,
        /// The flow's name, likewise.
        flow: Option<&'a str>,
        /// How many steps it has.
        total: usize,
        /// This program's version.
        version: &'a str,
    },
    /// A step begins.
    Started {
        /// Its id.
        step: &'a str,
        /// What it does.
        title: &'a str,
        /// Its place, from 0.
        index: usize,
        /// How many there are.
        total: usize,
    },
    /// A state is not reached yet.
    Waiting {
        /// The step's id.
        step: &'a str,
        /// The service's own word for its state.
        says: &'a str,
        /// Since the step began.
        elapsed: f64,
        /// How long it usually takes.
        usually: f64,
    },
    /// Something failed in a way that passes, and is tried again.
    Retrying {
        /// The step's id.
        step: &'a str,
        /// Why.
        because: &'a str,
        /// Which try failed, from 1.
        attempt: u32,
        /// The pause before the next one.
        after: f64,
    },
    /// Only a person can move it on.
    Needs {
        /// The step's id.
        step: &'a str,
        /// What to do.
        text: &'a str,
        /// Where.
        url: &'a str,
    },
    /// A step ended well.
    Finished {
        /// Its id.
        step: &'a str,
        /// How it stands now.
        status: Status,
        /// How long it took.
        took: f64,
        /// What it gave.
        facts: &'a BTreeMap<String, String>,
        /// Why an object was left, when undo left it.
        #[serde(skip_serializing_if = "Option::is_none")]
        note: Option<&'a str>,
    },
    /// It cannot go on.
    Failed {
        /// The step's id, if a step failed.
        #[serde(skip_serializing_if = "Option::is_none")]
        step: Option<&'a str>,
        /// What and why.
        error: Failure<'a>,
        /// The command to go on with.
        #[serde(skip_serializing_if = "Option::is_none")]
        resume: Option<&'a str>,
    },
    /// The last line.
    Closed {
        /// How it ended.
        status: Outcome,
        /// What the run knows.
        facts: &'a BTreeMap<String, String>,
    },
}

/// Why it cannot go on.
#[derive(Clone, Debug, Serialize)]
pub struct Failure<'a> {
    /// The kind that decides the exit code.
    pub kind: &'a str,
    /// One sentence.
    pub message: &'a str,
    /// The service's code for it.
    pub code: Option<&'a str>,
    /// What to do.
    pub hints: &'a [String],
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The networks are connected.
    Connected,
    /// It cannot go on.
    Failed,
    /// It waits for somebody else.
    Waiting,
    /// Ctrl-C.
    Interrupted,
    /// What the run made is gone.
    Undone,
}
