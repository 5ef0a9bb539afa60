//! Turns events and results into text: bars on a terminal, lines without one, JSON for programs. Nothing else draws.
//! It knows no cloud and decides nothing.

pub mod bars;
pub mod drawing;
pub mod json;
pub mod lines;
pub mod preview;
pub mod report;
pub mod script;
mod text;

pub use text::{clean, duration, pad, usually, wrap};

use crate::{engine::Event, visible};
use console::{Style, Term, truncate_str};
use std::{
    env,
    io::{self, ErrorKind, Write},
};

/// The width of what is no terminal: nothing is wrapped there, so that it can be searched.
const UNBOUNDED: usize = 10_000;

/// When to use colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Color {
    /// As the terminal and the environment ask for.
    #[default]
    Auto,
    /// Also into a pipe.
    Always,
    /// On no account.
    Never,
}

/// What stderr can show and what the person wants to see there.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "five independent facts")]
pub struct Screen {
    /// Whether to use colour.
    pub color: bool,
    /// Columns.
    pub width: usize,
    /// Whether lines can be drawn over.
    pub terminal: bool,
    /// Whether the locale has more than ASCII.
    pub unicode: bool,
    /// Only results, prompts and errors.
    pub quiet: bool,
    /// Each request too.
    pub verbose: bool,
}

/// What a piece of text means, which decides its colour. No meaning is told by colour alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// It went well, or is new.
    Good,
    /// It failed, or will be deleted.
    Bad,
    /// It waits, or needs a person.
    Warn,
    /// A way out, or a place to go.
    Hint,
    /// Less important than the rest of its line.
    Dim,
    /// More important than the rest of its line.
    Bold,
}

impl Screen {
    /// Looks at stderr and the environment, and tells the prompts whether to use colour.
    #[must_use]
    pub fn detect(color: Color, quiet: bool, verbose: bool) -> Self {
        let var = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
        let stderr = Term::stderr();
        let terminal = stderr.is_term() && var("TERM").is_none_or(|term| term != "dumb");
        let color = wants_color(color, &var, terminal);
        console::set_colors_enabled_stderr(color);
        Self {
            color,
            width: columns(&stderr),
            terminal,
            unicode: has_unicode(&var),
            quiet,
            verbose,
        }
    }

    /// A screen that shows plain text this wide, for tests and for files.
    #[must_use]
    pub fn plain(width: usize) -> Self {
        Self {
            color: false,
            width,
            terminal: false,
            unicode: true,
            quiet: false,
            verbose: false,
        }
    }

    /// The text in the colour of its meaning.
    #[must_use]
    pub fn paint(&self, tone: Tone, text: &str) -> String {
        if !self.color || text.is_empty() {
            return text.to_owned();
        }
        let style = match tone {
            Tone::Good => Style::new().green(),
            Tone::Bad => Style::new().red().bold(),
            Tone::Warn => Style::new().yellow(),
            Tone::Hint => Style::new().cyan(),
            Tone::Dim => Style::new().dim(),
            Tone::Bold => Style::new().bold(),
        };
        style.force_styling(true).apply_to(text).to_string()
    }

    /// The first text, or the second where only ASCII can be shown.
    #[must_use]
    pub fn sign(&self, unicode: &'static str, ascii: &'static str) -> &'static str {
        if self.unicode { unicode } else { ascii }
    }

    /// The text cut to this many columns.
    #[must_use]
    pub fn cut(&self, text: &str, width: usize) -> String {
        let tail = self.sign("…", "~");
        truncate_str(text, width.max(1), tail).into_owned()
    }
}

/// Shows what happens during a run.
pub trait View {
    /// Shows one event, and which VNet it is about, if there are several.
    fn event(&mut self, event: &Event<'_>, vnet: Option<&str>);
    /// Shows prose of this program on stderr, unless the person wants it quiet.
    fn note(&mut self, text: &str);
    /// Shows one HTTP request, if the person wants to see them.
    fn request(&mut self, line: &str);
    /// Does something on the terminal while nothing else is drawn there.
    fn aside(&mut self, work: &mut dyn FnMut()) {
        work();
    }
    /// Clears what is still moving and shows the cursor. The view may be used again afterwards.
    fn close(&mut self);
}

/// The view for this output and this screen.
#[must_use]
pub fn open(json: bool, screen: &Screen) -> Box<dyn View> {
    let view: Box<dyn View> = if json {
        Box::new(json::Json::new(io::stdout(), io::stderr(), screen))
    } else if screen.terminal && !screen.quiet {
        Box::new(bars::Bars::new(screen))
    } else {
        Box::new(lines::Lines::new(io::stderr(), screen))
    };
    Box::new(UntilClosed {
        view,
        closed: false,
    })
}

/// A view that shows no event after the last one, whoever still has something to tell.
struct UntilClosed {
    view: Box<dyn View>,
    closed: bool,
}

impl View for UntilClosed {
    fn event(&mut self, event: &Event<'_>, vnet: Option<&str>) {
        if !self.closed {
            self.closed = matches!(event, Event::Closed { .. });
            self.view.event(event, vnet);
        }
    }

    fn note(&mut self, text: &str) {
        self.view.note(&visible::written_out(text));
    }

    fn request(&mut self, line: &str) {
        self.view.request(line);
    }

    fn aside(&mut self, work: &mut dyn FnMut()) {
        self.view.aside(work);
    }

    fn close(&mut self) {
        self.view.close();
    }
}

/// What a step does, and for which VNet, if there are several.
fn titled(title: &str, vnet: Option<&str>) -> String {
    match vnet.and_then(|id| id.rsplit('/').next()) {
        Some(name) => clean(&format!("{name}: {title}")),
        None => clean(title),
    }
}

/// Writes data to stdout. That nobody reads any more is no error.
///
/// # Errors
/// When stdout cannot be written to, as on a full disk.
pub fn out(text: &str) -> io::Result<()> {
    write_all(io::stdout().lock(), &visible::written_out(text))
}

/// Writes prose to stderr. That nobody reads any more is no error.
///
/// # Errors
/// When stderr cannot be written to.
pub fn err(text: &str) -> io::Result<()> {
    write_all(io::stderr().lock(), &visible::written_out(text))
}

fn write_all(mut to: impl Write, text: &str) -> io::Result<()> {
    match to.write_all(text.as_bytes()).and_then(|()| to.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}

/// The columns of stdout; more than any line needs when it is no terminal.
#[must_use]
pub fn stdout_width() -> usize {
    columns(&Term::stdout())
}

fn columns(term: &Term) -> usize {
    if term.is_term() {
        usize::from(term.size().1).max(20)
    } else {
        UNBOUNDED
    }
}

fn wants_color(choice: Color, var: &dyn Fn(&str) -> Option<String>, terminal: bool) -> bool {
    match choice {
        Color::Always => true,
        Color::Never => false,
        Color::Auto if var("NO_COLOR").is_some() => false,
        Color::Auto if var("CLICOLOR_FORCE").is_some_and(|force| force != "0") => true,
        Color::Auto => terminal && var("CLICOLOR").is_none_or(|color| color != "0"),
    }
}

fn has_unicode(var: &dyn Fn(&str) -> Option<String>) -> bool {
    match ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(var) {
        Some(locale) => {
            let locale = locale.to_ascii_lowercase();
            locale.contains("utf-8") || locale.contains("utf8")
        }
        // Windows has no such variables and macOS does not always set them; their terminals show it all.
        None => cfg!(any(windows, target_os = "macos")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::event::{Outcome, SCHEMA};
    use std::{cell::RefCell, collections::BTreeMap, rc::Rc};

    #[test]
    fn nothing_follows_the_last_event() {
        struct Count(Rc<RefCell<Vec<&'static str>>>);
        impl View for Count {
            fn event(&mut self, event: &Event<'_>, _: Option<&str>) {
                let name = match event {
                    Event::Opened { .. } => "opened",
                    Event::Closed { .. } => "closed",
                    _ => "other",
                };
                self.0.borrow_mut().push(name);
            }
            fn note(&mut self, _: &str) {
                self.0.borrow_mut().push("note");
            }
            fn request(&mut self, _: &str) {}
            fn close(&mut self) {}
        }
        let seen = Rc::new(RefCell::new(Vec::new()));
        let mut view = UntilClosed {
            view: Box::new(Count(Rc::clone(&seen))),
            closed: false,
        };
        let opened = Event::Opened {
            schema: SCHEMA,
            run: None,
            flow: None,
            total: 0,
            version: "1",
        };
        let closed = Event::Closed {
            status: Outcome::Interrupted,
            facts: &BTreeMap::new(),
        };
        for event in [&opened, &closed, &opened, &closed] {
            view.event(event, None);
        }
        view.close();
        view.event(&opened, Some("/vnet"));
        view.note("prose may follow");
        assert_eq!(*seen.borrow(), ["opened", "closed", "note"]);
    }

    #[test]
    fn the_flag_goes_before_the_environment_and_no_colour_before_colour() {
        let both = |name: &str| (name != "CLICOLOR").then(|| "1".to_owned());
        let none = |_: &str| None;
        let force = |name: &str| (name == "CLICOLOR_FORCE").then(|| "1".to_owned());
        assert!(wants_color(Color::Always, &both, false));
        assert!(!wants_color(Color::Auto, &both, true));
        assert!(wants_color(Color::Auto, &force, false));
        assert!(wants_color(Color::Auto, &none, true));
        assert!(!wants_color(Color::Never, &force, true));
        assert!(!Screen::plain(80).paint(Tone::Bad, "x").contains('\u{1b}'));
    }

    #[test]
    fn the_first_locale_that_is_set_decides() {
        let mixed = |name: &str| match name {
            "LC_ALL" => Some("C".to_owned()),
            "LANG" => Some("en_US.UTF-8".to_owned()),
            _ => None,
        };
        assert!(!has_unicode(&mixed));
        assert!(has_unicode(&|_| Some("C.utf8".to_owned())));
    }

    #[test]
    fn a_closed_pipe_is_no_error() {
        struct Closed;
        impl Write for Closed {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        assert!(write_all(Closed, "data").is_ok());
    }
}
