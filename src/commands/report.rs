//! How a command ended: all that is left to say. It is said in one place, at the very end.

use super::{context::Context, stream::Stream};
use crate::{
    engine::event::Outcome,
    error::{Error, Kind},
    view,
};
use std::{collections::BTreeMap, path::PathBuf};

/// How a command ended.
#[derive(Default)]
pub struct Report {
    /// Data for stdout: a document, a script, or facts for people.
    pub out: String,
    /// Prose for stderr, unless it is to be quiet.
    pub says: String,
    /// What is said instead of the error.
    pub stopped: String,
    /// The end of the stream of events; nothing where a document was asked for.
    pub end: Option<End>,
    /// Why it did not succeed.
    pub error: Option<Error>,
    /// Where more about it is.
    pub log: Option<PathBuf>,
}

/// The end of the stream of events.
#[derive(Default)]
pub struct End {
    /// How it ended, where it did not fail.
    pub status: Option<Outcome>,
    /// What the run knows.
    pub facts: BTreeMap<String, String>,
    /// The step that failed.
    pub step: Option<&'static str>,
    /// The command to go on with, if there is a run.
    pub resume: Option<String>,
}

impl Report {
    /// Data alone.
    pub fn data(out: String) -> Self {
        Self {
            out,
            ..Self::default()
        }
    }

    /// Nothing had to be done, and why.
    pub fn nothing(status: Outcome, facts: BTreeMap<String, String>, says: &str) -> Self {
        Self {
            says: format!("{says}\n"),
            end: Some(End {
                status: Some(status),
                facts,
                ..End::default()
            }),
            ..Self::default()
        }
    }

    /// Says it all, and gives the exit code.
    pub fn print(self, context: &Context<'_>) -> u8 {
        let code = self
            .error
            .as_ref()
            .map_or(0, |error| error.kind.exit_code());
        self.close(&context.stream);
        context.stream.clear();
        // A closed pipe is nobody's error; with stderr closed there is nobody left to tell.
        let _ = view::out(&self.out);
        if !context.screen.quiet {
            let _ = view::err(&self.says);
        }
        let last = match &self.error {
            Some(error) if self.stopped.is_empty() => {
                let log = self.log.filter(|path| path.exists());
                view::report::error(error, &context.screen, log.as_deref())
            }
            _ => self.stopped,
        };
        let _ = view::err(&last);
        code
    }

    /// The last lines of the stream, and the first if nothing was told yet.
    pub fn close(&self, stream: &Stream) {
        let Some(end) = &self.end else { return };
        stream.open(None, 0);
        if let Some(error) = &self.error {
            // A run that waits or was stopped has not failed.
            let paused = matches!(error.kind, Kind::Waiting | Kind::Interrupted);
            if !paused || end.resume.is_none() {
                stream.failed(error, end.step, end.resume.as_deref());
            }
        }
        let kind = self.error.as_ref().map(|error| error.kind);
        let status = match (kind, end.status) {
            (None, Some(status)) => status,
            (Some(Kind::Waiting), _) => Outcome::Waiting,
            (Some(Kind::Interrupted), _) => Outcome::Interrupted,
            _ => Outcome::Failed,
        };
        stream.close(status, &end.facts);
    }
}

/// It ended before there was a run.
impl From<Error> for Report {
    fn from(error: Error) -> Self {
        Self {
            end: Some(End::default()),
            error: Some(error),
            ..Self::default()
        }
    }
}
