//! One dated line per thing worth knowing, for logs and pipes, where nothing can be drawn over.

use super::{Screen, View, clean, duration, text::word, titled, usually};
use crate::engine::Event;
use std::{collections::BTreeMap, io::Write};
use time::OffsetDateTime;

/// An unchanged wait is reported this often, in seconds, so that nobody takes it for a hang.
const HEARTBEAT: f64 = 30.0;

/// The view without a terminal. Its times are UTC. When quiet, it shows only what needs a person.
pub struct Lines<W: Write> {
    out: W,
    quiet: bool,
    verbose: bool,
    now: Box<dyn Fn() -> OffsetDateTime>,
    /// The step that is under way, by the VNet that it is about; the name is empty when it is about no single one.
    steps: BTreeMap<String, UnderWay>,
    /// What needed a person, shown once each.
    needed: Vec<String>,
}

#[derive(Default)]
struct UnderWay {
    /// `(3/12) Create its service principal`
    title: String,
    /// The last reason to wait that was shown, and when.
    shown: Option<(String, OffsetDateTime)>,
}

impl<W: Write> Lines<W> {
    /// A view on `out`.
    pub fn new(out: W, screen: &Screen) -> Self {
        Self::with_clock(out, screen, Box::new(OffsetDateTime::now_utc))
    }

    /// A view on `out` with this clock.
    pub fn with_clock(out: W, screen: &Screen, now: Box<dyn Fn() -> OffsetDateTime>) -> Self {
        Self {
            out,
            quiet: screen.quiet,
            verbose: screen.verbose,
            now,
            steps: BTreeMap::new(),
            needed: Vec::new(),
        }
    }

    fn line(&mut self, text: &str) {
        let (hour, minute, second) = (self.now)().to_hms();
        // That nobody reads any more must not end a run half-way.
        let _ = writeln!(self.out, "{hour:02}:{minute:02}:{second:02} {text}");
    }

    fn title(&self, vnet: &str) -> &str {
        self.steps.get(vnet).map_or("", |step| &step.title)
    }

    fn progress(&mut self, vnet: &str, text: &str) {
        if !self.quiet {
            self.line(&format!("{}: {text}", self.title(vnet)));
        }
    }

    /// Shows a reason to wait when it is a new one, or when the last word is too long ago.
    fn wait(&mut self, vnet: &str, reason: &str, text: &str) {
        let now = (self.now)();
        let step = self.steps.entry(vnet.to_owned()).or_default();
        let stale = step
            .shown
            .as_ref()
            .is_none_or(|(shown, at)| shown != reason || (now - *at).as_seconds_f64() >= HEARTBEAT);
        if stale {
            step.shown = Some((reason.to_owned(), now));
            self.progress(vnet, text);
        }
    }
}

impl<W: Write> View for Lines<W> {
    fn event(&mut self, event: &Event<'_>, vnet: Option<&str>) {
        let key = vnet.unwrap_or_default();
        match event {
            Event::Opened { .. } | Event::Closed { .. } => {}
            Event::Started {
                step: _,
                title,
                index,
                total,
            } => {
                let begun = UnderWay {
                    title: format!("({}/{total}) {}", index + 1, titled(title, vnet)),
                    shown: None,
                };
                self.steps.insert(key.to_owned(), begun);
            }
            Event::Waiting {
                step: _,
                says,
                elapsed,
                usually: usual,
            } => {
                let (says, usual) = (clean(says), usually(*usual));
                let elapsed = duration(elapsed.floor());
                self.wait(key, &says, &format!("{says} ({elapsed}, {usual})"));
            }
            Event::Retrying {
                step: _,
                because,
                attempt: _,
                after,
            } => {
                let because = clean(because);
                let after = duration(*after);
                self.wait(key, &because, &format!("{because}; next try in {after}"));
            }
            Event::Needs { step: _, text, url } => {
                let needs = format!("{}: {} {}", self.title(key), clean(text), clean(url));
                if !self.needed.contains(&needs) {
                    // Quiet or not, nothing goes on without the person.
                    self.line(needs.trim_end());
                    self.needed.push(needs);
                }
            }
            Event::Finished {
                step: _,
                status,
                took,
                facts: _,
                note,
                says,
            } => {
                let word = word(*status, note.is_some());
                let note = note.map(|note| format!(", {}", clean(note)));
                let took = duration(*took);
                self.progress(key, &format!("{word} ({took}{})", note.unwrap_or_default()));
                if let Some(says) = says {
                    self.progress(key, &clean(says));
                }
            }
            Event::Failed { step, .. } => {
                if step.is_some() {
                    self.progress(key, "failed");
                }
            }
        }
    }

    fn note(&mut self, text: &str) {
        if !self.quiet {
            let _ = writeln!(self.out, "{}", text.trim_end_matches('\n'));
        }
    }

    fn request(&mut self, line: &str) {
        if self.verbose {
            self.line(&clean(line));
        }
    }

    fn close(&mut self) {
        let _ = self.out.flush();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Status;
    use std::{cell::Cell, collections::BTreeMap, rc::Rc};

    /// A view, and what it wrote after each event that came with its second.
    fn shown(quiet: bool, events: &[(i64, Event<'_>)]) -> String {
        let mut out = Vec::new();
        let clock = Rc::new(Cell::new(OffsetDateTime::UNIX_EPOCH));
        let screen = Screen {
            quiet,
            ..Screen::plain(40)
        };
        let hand = clock.clone();
        let mut view = Lines::with_clock(&mut out, &screen, Box::new(move || hand.get()));
        for (second, event) in events {
            clock.set(OffsetDateTime::UNIX_EPOCH + time::Duration::seconds(*second));
            view.event(event, None);
        }
        view.note("a note");
        drop(view);
        String::from_utf8(out).expect("text")
    }

    fn waiting(says: &str, elapsed: f64) -> Event<'_> {
        Event::Waiting {
            step: "s",
            says,
            elapsed,
            usually: 180.0,
        }
    }

    const STARTED: Event<'static> = Event::Started {
        step: "s",
        title: "Wait for Aiven",
        index: 2,
        total: 12,
    };

    #[test]
    fn a_wait_is_told_when_it_changes_and_every_half_minute() {
        let text = shown(
            false,
            &[
                (0, STARTED),
                (1, waiting("APPROVED", 1.0)),
                (11, waiting("APPROVED", 11.0)),
                (31, waiting("APPROVED", 31.2)),
                (41, waiting("PENDING_PEER", 41.0)),
            ],
        );
        assert_eq!(
            text,
            "00:00:01 (3/12) Wait for Aiven: APPROVED (1s, usually about 3 min)\n\
             00:00:31 (3/12) Wait for Aiven: APPROVED (31s, usually about 3 min)\n\
             00:00:41 (3/12) Wait for Aiven: PENDING_PEER (41s, usually about 3 min)\n\
             a note\n"
        );
    }

    #[test]
    fn retries_are_told_by_their_reason() {
        let retrying = |because, attempt| Event::Retrying {
            step: "s",
            because,
            attempt,
            after: 10.0,
        };
        let text = shown(
            false,
            &[
                (0, STARTED),
                (1, retrying("Azure answered 503", 1)),
                (2, retrying("Azure answered 503", 2)),
                (3, retrying("the role is still spreading", 3)),
            ],
        );
        assert_eq!(text.matches("next try in 10s").count(), 2);
        assert!(text.contains("00:00:03 (3/12) Wait for Aiven: the role is still spreading; "));
    }

    #[test]
    fn quiet_tells_only_what_needs_a_person_and_that_once() {
        let facts = BTreeMap::new();
        let needs = || Event::Needs {
            step: "s",
            text: "Consent \u{1b}[2Jhere:",
            url: "https://login",
        };
        let finished = Event::Finished {
            step: "s",
            status: Status::Found,
            took: 1.84,
            facts: &facts,
            note: Some("it is in use"),
            says: None,
        };
        let events = [(0, STARTED), (1, needs()), (2, needs()), (3, finished)];
        let quiet = shown(true, &events);
        assert_eq!(
            quiet,
            "00:00:01 (3/12) Wait for Aiven: Consent here: https://login\n"
        );
        let loud = shown(false, &events);
        assert!(loud.contains("00:00:03 (3/12) Wait for Aiven: left (1.8s, it is in use)\n"));
    }

    #[test]
    fn each_vnet_has_its_own_step_and_what_is_kept_says_why() {
        let (mut out, facts) = (Vec::new(), BTreeMap::new());
        let clock = Box::new(|| OffsetDateTime::UNIX_EPOCH);
        let mut view = Lines::with_clock(&mut out, &Screen::plain(40), clock);
        view.event(&STARTED, Some("/virtualnetworks/a"));
        view.event(&STARTED, Some("/virtualnetworks/b"));
        view.event(&waiting("APPROVED", 1.0), Some("/virtualnetworks/a"));
        view.event(&waiting("APPROVED", 1.0), Some("/virtualnetworks/b"));
        for (vnet, status) in [("a", Status::Kept), ("b", Status::Deleted)] {
            let finished = Event::Finished {
                step: "s",
                status,
                took: 1.84,
                facts: &facts,
                note: Some("it is in use"),
                says: None,
            };
            view.event(&finished, Some(&format!("/virtualnetworks/{vnet}")));
        }
        drop(view);
        assert_eq!(
            String::from_utf8(out).expect("text"),
            "00:00:00 (3/12) a: Wait for Aiven: APPROVED (1s, usually about 3 min)\n\
             00:00:00 (3/12) b: Wait for Aiven: APPROVED (1s, usually about 3 min)\n\
             00:00:00 (3/12) a: Wait for Aiven: kept (1.8s, it is in use)\n\
             00:00:00 (3/12) b: Wait for Aiven: deleted (1.8s, it is in use)\n"
        );
    }
}
