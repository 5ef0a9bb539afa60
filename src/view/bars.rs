//! The view on a terminal: a line for each finished step, and below them one line that lives, or one for each VNet.

mod live;

use self::live::{LEAST_TITLE, Live};
use super::{Screen, Tone, View, clean, duration, pad, text::word, titled, usually, wrap};
use crate::engine::{Event, Status, event::Outcome};
use console::{Term, measure_text_width};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// The spinner turns this often.
const TICK: Duration = Duration::from_millis(120);
/// Titles are padded to this, so that the words behind them stand below each other.
const TITLE: usize = 40;

/// The view that draws. It never hides the cursor, so that nothing has to run to bring it back.
pub struct Bars {
    screen: Screen,
    /// The columns to draw in; asked again each time, as windows are resized.
    width: fn(&Screen) -> usize,
    multi: MultiProgress,
    /// The lines that live, by the VNet that each is about; the name is empty when it is about no single one.
    under_way: BTreeMap<String, UnderWay>,
    /// What needed a person, shown once each.
    needed: Vec<String>,
}

struct UnderWay {
    bar: ProgressBar,
    live: Arc<Mutex<Live>>,
}

impl UnderWay {
    fn live(&self) -> MutexGuard<'_, Live> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Bars {
    /// A view on stderr.
    #[must_use]
    pub fn new(screen: &Screen) -> Self {
        // The last column stays free: some terminals break the line as soon as it is used.
        let width = |_: &Screen| usize::from(Term::stderr().size().1).max(20) - 1;
        Self::on(ProgressDrawTarget::stderr(), screen, width)
    }

    fn on(target: ProgressDrawTarget, screen: &Screen, width: fn(&Screen) -> usize) -> Self {
        Self {
            screen: screen.clone(),
            width,
            multi: MultiProgress::with_draw_target(target),
            under_way: BTreeMap::new(),
            needed: Vec::new(),
        }
    }

    fn print(&self, line: &str) {
        // A terminal that is gone must not end a run half-way.
        let _ = self.multi.println(line);
    }

    fn start(&mut self, vnet: &str, live: Live) {
        self.clear(vnet);
        let (screen, width, live) = (self.screen.clone(), self.width, Arc::new(Mutex::new(live)));
        let shown = Arc::clone(&live);
        let text = move |_: &ProgressState, to: &mut dyn fmt::Write| {
            let live = shown.lock().unwrap_or_else(PoisonError::into_inner);
            let _ = to.write_str(&live.line(&screen, width(&screen).saturating_sub(2)));
        };
        let template = if self.screen.color {
            "{spinner:.cyan} {live}"
        } else {
            "{spinner} {live}"
        };
        let style = ProgressStyle::with_template(template)
            .expect("the template is well-formed")
            .tick_chars(self.screen.sign("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏ ", r"-\|/ "))
            .with_key("live", text);
        let bar = self.multi.add(ProgressBar::new_spinner().with_style(style));
        bar.tick();
        bar.enable_steady_tick(TICK);
        self.under_way
            .insert(vnet.to_owned(), UnderWay { bar, live });
    }

    fn clear(&mut self, vnet: &str) {
        if let Some(UnderWay { bar, .. }) = self.under_way.remove(vnet) {
            bar.disable_steady_tick();
            bar.finish_and_clear();
            self.multi.remove(&bar);
        }
    }

    /// Replaces the living line by one that stays. A step that ended without having begun here has only its id.
    fn end(&mut self, vnet: &str, step: &str, mark: (Tone, &str), word: &str, took: Option<f64>) {
        let width = (self.width)(&self.screen);
        let live = match self.under_way.get(vnet) {
            Some(it) => it.live().clone(),
            None => Live::new(String::new(), clean(step)),
        };
        let took = took.map(duration).unwrap_or_default();
        let head = measure_text_width(mark.1) + measure_text_width(&live.place) + 3;
        // What fits, in this order: the title, the word, the time.
        let room = |tail: &str| width.saturating_sub(head + measure_text_width(tail));
        let full = format!("   {word}  {took}");
        let tail = if room(&full) >= LEAST_TITLE {
            full
        } else {
            format!("   {word}")
        };
        let title = self.screen.cut(&live.title, room(&tail).max(LEAST_TITLE));
        let title = pad(&title, TITLE.min(room(&tail)));
        let rest = format!(" {}  {title}{tail}", live.place);
        let rest = self
            .screen
            .cut(rest.trim_end(), width - measure_text_width(mark.1));
        let painted = format!("{}{rest}", self.screen.paint(mark.0, mark.1));
        self.clear(vnet);
        self.print(&painted);
    }

    fn wait(&mut self, vnet: &str, says: String, usual: Option<String>, elapsed: Option<f64>) {
        let Some(it) = self.under_way.get(vnet) else {
            return;
        };
        {
            let mut live = it.live();
            live.says = says;
            if let Some(usual) = usual {
                live.usual = usual;
            }
            let elapsed = elapsed.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
            if let Some(began) = elapsed.and_then(|elapsed| Instant::now().checked_sub(elapsed)) {
                live.since = began;
            }
        }
        // Draws at once; `tick` leaves that to the ticking thread.
        it.bar.set_message("");
    }

    fn needs(&mut self, vnet: &str, text: &str, url: &str) {
        let key = format!("{text} {url}");
        if !self.needed.contains(&key) {
            self.needed.push(key);
            let width = (self.width)(&self.screen);
            for line in wrap(&clean(text), width, "  ") {
                self.print(&self.screen.paint(Tone::Warn, &line));
            }
            // Not cut, as it is to be opened or copied.
            if !url.is_empty() {
                self.print(&format!("  {}", self.screen.paint(Tone::Hint, &clean(url))));
            }
        }
        self.wait(vnet, "waiting for you".to_owned(), None, None);
    }
}

impl View for Bars {
    fn event(&mut self, event: &Event<'_>, vnet: Option<&str>) {
        let key = vnet.unwrap_or_default();
        match event {
            Event::Opened { .. } => {}
            Event::Started {
                step: _,
                title,
                index,
                total,
            } => {
                let digits = total.to_string().len();
                let place = format!("{:>digits$}/{total}", index + 1);
                self.start(key, Live::new(place, titled(title, vnet)));
            }
            Event::Waiting {
                step: _,
                says,
                elapsed,
                usually: usual,
            } => self.wait(key, clean(says), Some(usually(*usual)), Some(*elapsed)),
            Event::Retrying {
                step: _,
                because,
                attempt: _,
                after,
            } => {
                let says = format!("{}; next try in {}", clean(because), duration(*after));
                self.wait(key, says, Some(String::new()), None);
            }
            Event::Needs { step: _, text, url } => self.needs(key, text, url),
            Event::Finished {
                step,
                status,
                took,
                facts: _,
                note,
                says,
            } => {
                let mark = match status {
                    Status::Found | Status::Kept => (Tone::Dim, "="),
                    _ => (Tone::Good, self.screen.sign("✓", "+")),
                };
                let word = word(*status, note.is_some());
                self.end(key, step, mark, word, Some(*took));
                for text in [note, says].into_iter().flatten() {
                    for line in wrap(&clean(text), self.screen.width, "    ") {
                        self.print(&self.screen.paint(Tone::Dim, &line));
                    }
                }
            }
            Event::Failed { step, .. } => {
                if let Some(step) = step {
                    let mark = (Tone::Bad, self.screen.sign("✗", "x"));
                    self.end(key, step, mark, "failed", None);
                }
            }
            Event::Closed { status, facts: _ } => {
                // What was under way when it stopped; the words about it are the report's.
                let word = match status {
                    Outcome::Waiting => "still waiting",
                    _ => "stopped",
                };
                let mark = (Tone::Warn, self.screen.sign("…", "~"));
                let open: Vec<String> = self.under_way.keys().cloned().collect();
                for vnet in open {
                    self.end(&vnet, "", mark, word, None);
                }
            }
        }
    }

    fn note(&mut self, text: &str) {
        for line in text.trim_end_matches('\n').split('\n') {
            self.print(line);
        }
    }

    fn aside(&mut self, work: &mut dyn FnMut()) {
        self.multi.suspend(work);
    }

    fn request(&mut self, line: &str) {
        if self.screen.verbose {
            let line = self.screen.cut(&clean(line), (self.width)(&self.screen));
            self.print(&self.screen.paint(Tone::Dim, &line));
        }
    }

    fn close(&mut self) {
        let open: Vec<String> = self.under_way.keys().cloned().collect();
        for vnet in open {
            self.clear(&vnet);
        }
        // A prompt that was broken off may have left it hidden.
        if self.screen.terminal {
            let _ = Term::stderr().show_cursor();
        }
    }
}

impl Drop for Bars {
    fn drop(&mut self) {
        self.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use indicatif::InMemoryTerm;

    fn bars(columns: u16, unicode: bool) -> (Bars, InMemoryTerm) {
        let term = InMemoryTerm::new(12, columns);
        let target = ProgressDrawTarget::term_like(Box::new(term.clone()));
        let screen = Screen {
            unicode,
            ..Screen::plain(usize::from(columns))
        };
        (Bars::on(target, &screen, |screen| screen.width - 1), term)
    }

    fn started(index: usize, title: &str) -> Event<'_> {
        Event::Started {
            step: "s",
            title,
            index,
            total: 12,
        }
    }

    fn finish(view: &mut Bars, status: Status, note: Option<&str>) {
        let finished = Event::Finished {
            step: "s",
            status,
            took: 1.8,
            facts: &BTreeMap::new(),
            note,
            says: None,
        };
        view.event(&finished, None);
    }

    fn waiting(says: &str) -> Event<'_> {
        Event::Waiting {
            step: "s",
            says,
            elapsed: 72.2,
            usually: 180.0,
        }
    }

    /// The screen without the spinner's own sign, which depends on the moment.
    fn shown(term: &InMemoryTerm) -> Vec<String> {
        let spinner = |char| "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏".contains(char);
        let text = term.contents();
        text.lines()
            .map(|line| line.trim_start_matches(spinner).to_owned())
            .collect()
    }

    #[test]
    fn finished_steps_stay_above_the_living_line() {
        let (mut view, term) = bars(100, true);
        view.event(&started(1, "Create its service principal"), None);
        finish(&mut view, Status::Created, None);
        view.event(&started(2, "Find the role"), None);
        finish(&mut view, Status::Found, None);
        view.event(&started(9, "Wait for Aiven"), None);
        view.event(&waiting("APPROVED"), None);
        view.note("a note");
        assert_eq!(
            shown(&term),
            [
                "✓  2/12  Create its service principal               created  1.8s",
                "=  3/12  Find the role                              found  1.8s",
                "a note",
                " 10/12  Wait for Aiven · APPROVED · 1m12s, usually about 3 min",
            ]
        );
        view.close();
        assert_eq!(shown(&term).len(), 3, "closing clears the living line");
    }

    #[test]
    fn forty_columns_are_enough() {
        let (mut view, term) = bars(40, true);
        view.event(
            &started(3, "Create its service principal in your tenant"),
            None,
        );
        view.event(&waiting("PENDING_PEER"), None);
        let live = &shown(&term)[0];
        assert!(live.starts_with("  4/12  Create"), "{live}");
        assert!(live.ends_with("1m12s"), "{live}");
        finish(&mut view, Status::Created, None);
        view.event(&started(4, "b"), None);
        view.event(
            &Event::Retrying {
                step: "s",
                because: "the role assignment is still spreading through Azure",
                attempt: 1,
                after: 10.0,
            },
            None,
        );
        let lines = shown(&term);
        assert_eq!(lines.len(), 2, "nothing wraps: {lines:?}");
        assert_eq!(lines[0], "✓  4/12  Create its se…   created  1.8s");
        assert_eq!(lines[1], "  5/12  b · the role assignment … · 0s");
    }

    #[test]
    fn a_retry_shows_its_reason_and_a_need_is_shown_once() {
        let (mut view, term) = bars(90, false);
        view.event(&started(3, "Consent"), None);
        view.event(
            &Event::Retrying {
                step: "s",
                because: "Azure answered\u{1b}[2J 503",
                attempt: 1,
                after: 10.0,
            },
            None,
        );
        assert!(
            term.contents()
                .contains("Azure answered 503; next try in 10s - 0s")
        );
        for _ in 0..2 {
            view.event(
                &Event::Needs {
                    step: "s",
                    text: "An administrator must consent:",
                    url: "https://login.example/consent",
                },
                None,
            );
        }
        let text = term.contents();
        assert_eq!(text.matches("must consent").count(), 1);
        assert_eq!(text.matches("https://login").count(), 1);
        assert!(text.contains("waiting for you"));
        assert!(text.is_ascii(), "{text}");
    }

    #[test]
    fn what_was_left_says_why_and_a_stop_leaves_its_line() {
        let (mut view, term) = bars(60, true);
        view.event(&started(0, "Delete the role"), None);
        finish(&mut view, Status::Found, Some("another assignment uses it"));
        view.event(&started(1, "Wait for Aiven"), None);
        view.event(
            &Event::Closed {
                status: Outcome::Interrupted,
                facts: &BTreeMap::new(),
            },
            None,
        );
        let lines = shown(&term);
        assert!(lines[0].ends_with("left  1.8s"), "{lines:?}");
        assert_eq!(lines[1], "    another assignment uses it");
        assert!(lines[2].starts_with("…  2/12  Wait for Aiven"), "{lines:?}");
        assert!(lines[2].ends_with("stopped"), "{lines:?}");
    }

    #[test]
    fn each_vnet_has_a_line_of_its_own() {
        let (mut view, term) = bars(100, true);
        let facts = BTreeMap::new();
        view.event(&started(3, "Wait for Aiven"), Some("/virtualnetworks/a"));
        view.event(&started(3, "Wait for Aiven"), Some("/virtualnetworks/b"));
        view.event(&waiting("APPROVED"), Some("/virtualnetworks/b"));
        let finished = Event::Finished {
            step: "s",
            status: Status::Kept,
            took: 1.8,
            facts: &facts,
            note: Some("the run kong-1 uses it"),
            says: None,
        };
        view.event(&finished, Some("/virtualnetworks/a"));
        assert_eq!(
            shown(&term),
            [
                "=  4/12  a: Wait for Aiven                          kept  1.8s",
                "    the run kong-1 uses it",
                "  4/12  b: Wait for Aiven · APPROVED · 1m12s, usually about 3 min",
            ]
        );
    }
}
