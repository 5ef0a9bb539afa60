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
        schema: u32,
        /// None, as the flow, when it ended before there was a run.
        run: Option<&'a str>,
        flow: Option<&'a str>,
        total: usize,
        version: &'a str,
    },
    /// A step begins.
    Started {
        step: &'a str,
        title: &'a str,
        /// Its place, from 0.
        index: usize,
        total: usize,
    },
    /// A state is not reached yet.
    Waiting {
        step: &'a str,
        /// The service's own word for its state.
        says: &'a str,
        elapsed: f64,
        usually: f64,
    },
    /// Something failed in a way that passes, and is tried again.
    Retrying {
        step: &'a str,
        because: &'a str,
        /// Which try failed, from 1.
        attempt: u32,
        /// The pause before the next one.
        after: f64,
    },
    /// Only a person can move it on.
    Needs {
        step: &'a str,
        text: &'a str,
        url: &'a str,
    },
    /// A step ended well.
    Finished {
        step: &'a str,
        status: Status,
        took: f64,
        facts: &'a BTreeMap<String, String>,
        /// Why undo left or kept the object.
        #[serde(skip_serializing_if = "Option::is_none")]
        note: Option<&'a str>,
        /// What a person should know of the object before it is used.
        #[serde(skip_serializing_if = "Option::is_none")]
        says: Option<&'a str>,
    },
    /// It cannot go on.
    Failed {
        /// The step's id, if a step failed.
        #[serde(skip_serializing_if = "Option::is_none")]
        step: Option<&'a str>,
        error: Failure<'a>,
        /// The command to go on with.
        #[serde(skip_serializing_if = "Option::is_none")]
        resume: Option<&'a str>,
    },
    /// The last line.
    Closed {
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
    pub message: &'a str,
    /// The service's code for it.
    pub code: Option<&'a str>,
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
