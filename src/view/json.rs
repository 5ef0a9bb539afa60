//! Every event as one line of JSON on stdout, as it happens; prose goes to stderr.

use super::{Screen, View, clean};
use crate::engine::Event;
use std::io::Write;

/// The view for programs: `out` gets the events, `err` the prose.
pub struct Json<O: Write, E: Write> {
    out: O,
    err: E,
    quiet: bool,
    verbose: bool,
}

impl<O: Write, E: Write> Json<O, E> {
    /// A view on these two.
    pub fn new(out: O, err: E, screen: &Screen) -> Self {
        Self {
            out,
            err,
            quiet: screen.quiet,
            verbose: screen.verbose,
        }
    }
}

// That nobody reads any more must not end a run half-way, so what cannot be written is dropped.
impl<O: Write, E: Write> View for Json<O, E> {
    fn event(&mut self, event: &Event<'_>) {
        let line = serde_json::to_string(event).expect("events have text keys only");
        let _ = writeln!(self.out, "{line}").and_then(|()| self.out.flush());
    }

    fn note(&mut self, text: &str) {
        if !self.quiet {
            let _ = writeln!(self.err, "{}", text.trim_end_matches('\n'));
        }
    }

    fn request(&mut self, line: &str) {
        if self.verbose {
            let _ = writeln!(self.err, "{}", clean(line));
        }
    }

    fn close(&mut self) {
        let _ = self.out.flush();
        let _ = self.err.flush();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Status, event::Outcome};
    use std::collections::BTreeMap;

    #[test]
    fn every_event_is_one_line_and_prose_goes_elsewhere() {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let mut view = Json::new(&mut out, &mut err, &Screen::plain(80));
        let facts = BTreeMap::from([("USER_APP_ID".to_owned(), "a\nb\u{1b}[31m".to_owned())]);
        view.event(&Event::Finished {
            step: "application",
            status: Status::Created,
            took: 1.8,
            facts: &facts,
            note: None,
        });
        view.note("prose");
        view.request("GET /hidden");
        view.event(&Event::Closed {
            status: Outcome::Connected,
            facts: &facts,
        });
        view.close();
        let out = String::from_utf8(out).expect("text");
        let lines: Vec<serde_json::Value> = out
            .lines()
            .map(|line| serde_json::from_str(line).expect("json"))
            .collect();
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[0]["event"], "finished");
        assert_eq!(lines[0]["facts"]["USER_APP_ID"], "a\nb\u{1b}[31m");
        assert!(!out.contains('\u{1b}'), "JSON escapes control characters");
        assert_eq!(lines[1]["status"], "connected");
        assert_eq!(err, b"prose\n");
    }

    #[test]
    fn quiet_drops_prose_but_no_event() {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let screen = Screen {
            quiet: true,
            ..Screen::plain(80)
        };
        let mut view = Json::new(&mut out, &mut err, &screen);
        view.note("prose");
        view.event(&Event::Needs {
            step: "consent",
            text: "consent",
            url: "https://x",
        });
        assert!(err.is_empty());
        assert!(!out.is_empty());
    }
}
