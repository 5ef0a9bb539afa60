//! One line of input, typed key by key: edited, scrolled within the width, hidden if need be.

use console::{Key, Term, measure_text_width, truncate_str};
use std::io;

/// What a line of input is typed on.
pub(super) trait Tty {
    fn width(&self) -> usize;
    fn key(&mut self) -> io::Result<Key>;
    /// Draws over the present line, and leaves the cursor this many columns before its end.
    fn draw(&mut self, line: &str, behind: usize) -> io::Result<()>;
    /// Draws over the present line for good.
    fn keep(&mut self, line: &str) -> io::Result<()>;
}

impl Tty for &Term {
    fn width(&self) -> usize {
        usize::from(self.size().1).max(20)
    }
    fn key(&mut self) -> io::Result<Key> {
        self.read_key_raw()
    }
    fn draw(&mut self, line: &str, behind: usize) -> io::Result<()> {
        self.clear_line()?;
        self.write_str(line)?;
        self.move_cursor_left(behind)?;
        self.flush()
    }
    fn keep(&mut self, line: &str) -> io::Result<()> {
        self.clear_line()?;
        self.write_line(line)?;
        self.flush()
    }
}

/// A line that is being typed.
#[derive(Default)]
pub(super) struct Input {
    chars: Vec<char>,
    at: usize,
}

/// What a key did to it.
pub(super) enum Pressed {
    More,
    Enter,
    Cancel,
}

impl Input {
    pub(super) fn press(&mut self, key: &Key) -> Pressed {
        match key {
            Key::Enter => return Pressed::Enter,
            Key::Escape | Key::CtrlC | Key::Char('\u{3}') => return Pressed::Cancel,
            // Ctrl-D ends the input, which there is none of.
            Key::Char('\u{4}') if self.chars.is_empty() => return Pressed::Cancel,
            // Ctrl-U
            Key::Char('\u{15}') => *self = Self::default(),
            Key::Char(char) if !char.is_control() => {
                self.chars.insert(self.at, *char);
                self.at += 1;
            }
            Key::Backspace if self.at > 0 => {
                self.at -= 1;
                self.chars.remove(self.at);
            }
            Key::Del if self.at < self.chars.len() => {
                self.chars.remove(self.at);
            }
            Key::ArrowLeft => self.at = self.at.saturating_sub(1),
            Key::ArrowRight => self.at = (self.at + 1).min(self.chars.len()),
            Key::Home => self.at = 0,
            Key::End => self.at = self.chars.len(),
            _ => {}
        }
        Pressed::More
    }

    pub(super) fn text(&self) -> String {
        self.chars.iter().collect()
    }

    /// The part around the cursor that fits, and how many columns of it are behind the cursor.
    pub(super) fn window(&self, room: usize) -> (String, usize) {
        let before = |start: usize| self.chars[start..self.at].iter().collect::<String>();
        let mut start = 0;
        while start < self.at && measure_text_width(&before(start)) > room {
            start += 1;
        }
        let rest: String = self.chars[start..].iter().collect();
        let shown = truncate_str(&rest, room, "").into_owned();
        let behind = measure_text_width(&shown).saturating_sub(measure_text_width(&before(start)));
        (shown, behind)
    }
}

/// Keeps the terminal from echoing what is pasted faster than it is read, and from turning Ctrl-C into a signal that a
/// blocked read would never hear of.
#[cfg(unix)]
pub(super) struct Raw(Option<rustix::termios::Termios>);

#[cfg(unix)]
impl Raw {
    /// With `flush`, what was typed before the question is dropped.
    pub(super) fn new(flush: bool) -> Self {
        use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
        let Ok(before) = tcgetattr(std::io::stdin()) else {
            return Self(None);
        };
        let mut quiet = before.clone();
        quiet.local_modes -=
            LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG | LocalModes::IEXTEN;
        let when = if flush {
            OptionalActions::Flush
        } else {
            OptionalActions::Now
        };
        let _ = tcsetattr(std::io::stdin(), when, &quiet);
        Self(Some(before))
    }
}

#[cfg(unix)]
impl Drop for Raw {
    fn drop(&mut self) {
        use rustix::termios::{OptionalActions, tcsetattr};
        if let Some(before) = &self.0 {
            let _ = tcsetattr(std::io::stdin(), OptionalActions::Now, before);
        }
    }
}

/// Windows reads keys without echo by itself.
#[cfg(not(unix))]
pub(super) struct Raw;

#[cfg(not(unix))]
impl Raw {
    pub(super) fn new(_: bool) -> Self {
        Self
    }
}
