//! The person at the terminal: lists are drawn by the library, lines are typed on [`super::line`].

use super::{
    Approval, Cancelled, Choice, Prompt, approval, checked, hidden,
    line::{Input, Pressed, Raw, Tty},
    yes_or_no,
};
use crate::fact::Secret;
use console::{Style, StyledObject, Term, measure_text_width, style, truncate_str};
use dialoguer::{FuzzySelect, theme::ColorfulTheme};
use std::{
    collections::BTreeSet,
    env,
    io::{self, IsTerminal},
};

/// A list shows this many choices at a time.
const ROWS: usize = 7;
/// A line of input gets at least this many columns behind its question; with less, it goes below.
const LEAST_INPUT: usize = 16;

/// A person at a terminal. Questions are drawn on stderr.
///
/// Ctrl-C at a list arrives as SIGINT too, as the library raises it: a handler must be installed before.
#[derive(Clone, Copy, Debug)]
pub struct Terminal {
    /// Whether the locale has more than ASCII.
    pub unicode: bool,
    /// Makes remote text, such as the names in a list, harmless to a terminal.
    pub clean: fn(&str) -> String,
}

impl Prompt for Terminal {
    fn can_ask(&self) -> bool {
        let dumb = env::var("TERM").is_ok_and(|term| term == "dumb");
        io::stdin().is_terminal() && Term::stderr().is_term() && !dumb
    }

    fn select(&mut self, question: &str, items: &[Choice]) -> Result<usize, Cancelled> {
        if items.is_empty() || !self.can_ask() {
            return Err(Cancelled);
        }
        let term = Term::stderr();
        let cursor = Cursor(&term);
        let width = usize::from(term.size().1).max(20);
        let filter = if items.len() > ROWS {
            " (type to filter)"
        } else {
            ""
        };
        // Lines that wrap would not be cleared again.
        let asked = self.cut(question, width.saturating_sub(filter.len() + LEAST_INPUT));
        let theme = self.theme();
        let chosen = FuzzySelect::with_theme(&theme)
            .with_prompt(format!("{asked}{filter}"))
            .items(self.labels(items, width - 3))
            .default(0)
            .max_length(ROWS)
            .report(false)
            .interact_on_opt(&term);
        drop(cursor);
        let chosen = chosen.ok().flatten().ok_or(Cancelled)?;
        let label = (self.clean)(&items[chosen].label);
        let mut tty = &term;
        tty.keep(&self.answered(question, &label))
            .map_err(|_| Cancelled)?;
        Ok(chosen)
    }

    fn text(
        &mut self,
        question: &str,
        default: Option<&str>,
        check: &dyn Fn(&str) -> Result<(), String>,
    ) -> Result<String, Cancelled> {
        let hint = default.map(|default| format!(" ({})", (self.clean)(default)));
        let accept = |typed: &str| {
            let value = checked(typed, default, check)?;
            Ok((value.clone(), value))
        };
        self.ask(question, &hint.unwrap_or_default(), false, &accept)
    }

    fn secret(&mut self, question: &str) -> Result<Secret, Cancelled> {
        let accept = |typed: &str| Ok((hidden(typed)?, "********".to_owned()));
        self.ask(question, " (not shown)", true, &accept)
    }

    fn approve(&mut self, question: &str) -> Result<Approval, Cancelled> {
        let accept = |typed: &str| {
            let approval = approval(typed)?;
            let word = match approval {
                Approval::Yes => "yes",
                Approval::No => "no",
                Approval::Explain => "explain",
            };
            Ok((approval, word.to_owned()))
        };
        self.ask(question, " [y]es / [N]o / [e]xplain", false, &accept)
    }

    fn confirm(&mut self, question: &str, default: bool) -> Result<bool, Cancelled> {
        let hint = if default { " [Y/n]" } else { " [y/N]" };
        let accept = |typed: &str| {
            let yes = yes_or_no(typed, default)?;
            Ok((yes, if yes { "yes" } else { "no" }.to_owned()))
        };
        self.ask(question, hint, false, &accept)
    }
}

/// What becomes of a typed line: the answer and the words that stay on screen, or what is wrong with it.
type Accept<'a, T> = &'a dyn Fn(&str) -> Result<(T, String), String>;

impl Terminal {
    fn ask<T>(
        self,
        question: &str,
        hint: &str,
        hidden: bool,
        accept: Accept<'_, T>,
    ) -> Result<T, Cancelled> {
        if !self.can_ask() {
            return Err(Cancelled);
        }
        let _raw = Raw::new(hidden);
        let term = Term::buffered_stderr();
        self.ask_on(&mut &term, question, hint, hidden, accept)
    }

    fn ask_on<T>(
        self,
        tty: &mut impl Tty,
        question: &str,
        hint: &str,
        hidden: bool,
        accept: Accept<'_, T>,
    ) -> Result<T, Cancelled> {
        let question = (self.clean)(question);
        let suffix = self.sign("›", ">");
        let asked = format!(
            "{} {}{}",
            paint("?", &Style::new().yellow()),
            paint(&question, &Style::new().bold()),
            paint(hint, &Style::new().dim())
        );
        let mut head = format!("{asked} {suffix} ");
        if measure_text_width(&head) + LEAST_INPUT > tty.width() {
            tty.keep(&asked).map_err(|_| Cancelled)?;
            head = format!("{suffix} ");
        }
        let mut input = Input::default();
        // Nothing moves while a secret is typed, so its prompt is drawn once.
        let mut drawn = false;
        loop {
            if !hidden {
                let room = tty.width().saturating_sub(measure_text_width(&head) + 1);
                let (shown, behind) = input.window(room);
                tty.draw(&format!("{head}{shown}"), behind)
                    .map_err(|_| Cancelled)?;
            } else if !drawn {
                tty.draw(&head, 0).map_err(|_| Cancelled)?;
                drawn = true;
            }
            match tty.key().map_or(Pressed::Cancel, |key| input.press(&key)) {
                Pressed::More => {}
                Pressed::Cancel => {
                    let _ = tty.keep(&head);
                    return Err(Cancelled);
                }
                Pressed::Enter => match accept(input.text().trim()) {
                    Ok((answer, said)) => {
                        let line = self.answered(&question, &(self.clean)(&said));
                        tty.keep(&line).map_err(|_| Cancelled)?;
                        return Ok(answer);
                    }
                    Err(wrong) => {
                        let line = format!("{} {}", self.sign("✘", "x"), (self.clean)(&wrong));
                        tty.keep(&paint(&line, &Style::new().red()).to_string())
                            .map_err(|_| Cancelled)?;
                        if hidden {
                            input = Input::default();
                            drawn = false;
                        }
                    }
                },
            }
        }
    }

    /// The one line that stays of a question and its answer.
    fn answered(self, question: &str, answer: &str) -> String {
        format!(
            "{} {} {} {}",
            paint(self.sign("✔", "+"), &Style::new().green()),
            paint((self.clean)(question), &Style::new().bold()),
            self.sign("·", "-"),
            paint(answer, &Style::new().green())
        )
    }

    /// The lines of a list: aligned, no wider than the terminal, and different from each other, as the library tells them
    /// apart by their text.
    fn labels(self, items: &[Choice], width: usize) -> Vec<String> {
        let clean = |text: &str| (self.clean)(text);
        let widths = items.iter().map(|item| clean(&item.label));
        let widest = widths.map(|label| measure_text_width(&label)).max();
        let mut taken = BTreeSet::new();
        let mut lines = Vec::new();
        for item in items {
            let label = clean(&item.label);
            let gap = widest.unwrap_or_default() - measure_text_width(&label);
            let line = format!("{label}{}  {}", " ".repeat(gap), clean(&item.note));
            let mut unique = self.cut(line.trim_end(), width);
            let mut count = 2;
            while !taken.insert(unique.clone()) {
                let number = format!(" #{count}");
                let room = width.saturating_sub(number.len());
                unique = format!("{}{number}", self.cut(line.trim_end(), room));
                count += 1;
            }
            lines.push(unique);
        }
        lines
    }

    fn cut(self, text: &str, width: usize) -> String {
        truncate_str(&(self.clean)(text), width.max(1), self.sign("…", "~")).into_owned()
    }

    fn sign(self, unicode: &'static str, ascii: &'static str) -> &'static str {
        if self.unicode { unicode } else { ascii }
    }

    fn theme(self) -> ColorfulTheme {
        if self.unicode {
            return ColorfulTheme::default();
        }
        ColorfulTheme {
            prompt_suffix: style(">".to_owned()).for_stderr(),
            active_item_prefix: style(">".to_owned()).for_stderr().green(),
            ..ColorfulTheme::default()
        }
    }
}

fn paint<T>(text: T, style: &Style) -> StyledObject<T> {
    style.clone().for_stderr().apply_to(text)
}

/// Shows the cursor again, however a prompt ends: the library leaves it hidden when it is broken off.
struct Cursor<'a>(&'a Term);

impl Drop for Cursor<'_> {
    fn drop(&mut self) {
        let _ = self.0.show_cursor();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use console::Key;
    use std::collections::VecDeque;

    /// A terminal whose person types these keys.
    struct Fake {
        width: usize,
        keys: VecDeque<Key>,
        drawn: Vec<String>,
        kept: Vec<String>,
    }

    impl Fake {
        fn new(width: usize, typed: &str) -> Self {
            let key = |char| match char {
                '\n' => Key::Enter,
                '\u{1b}' => Key::Escape,
                '<' => Key::ArrowLeft,
                '\u{8}' => Key::Backspace,
                _ => Key::Char(char),
            };
            Self {
                width,
                keys: typed.chars().map(key).collect(),
                drawn: Vec::new(),
                kept: Vec::new(),
            }
        }
    }

    impl Tty for Fake {
        fn width(&self) -> usize {
            self.width
        }
        fn key(&mut self) -> io::Result<Key> {
            self.keys
                .pop_front()
                .ok_or_else(|| io::ErrorKind::Interrupted.into())
        }
        fn draw(&mut self, line: &str, _: usize) -> io::Result<()> {
            self.drawn.push(plain(line));
            Ok(())
        }
        fn keep(&mut self, line: &str) -> io::Result<()> {
            self.kept.push(plain(line));
            Ok(())
        }
    }

    fn plain(text: &str) -> String {
        console::strip_ansi_codes(text).into_owned()
    }

    const TERMINAL: Terminal = Terminal {
        unicode: true,
        clean: |text| text.replace('\u{1b}', "?"),
    };

    fn name(tty: &mut Fake) -> Result<String, Cancelled> {
        let accept = |typed: &str| {
            let check = |name: &str| {
                let spaces = name.contains(' ');
                (!spaces).then_some(()).ok_or("no spaces".to_owned())
            };
            let value = checked(typed, Some("vnet-prod"), &check)?;
            Ok((value.clone(), value))
        };
        TERMINAL.ask_on(tty, "VNet", " (vnet-prod)", false, &accept)
    }

    #[test]
    fn enter_takes_the_default_and_one_line_stays() {
        let mut tty = Fake::new(80, "\n");
        assert_eq!(name(&mut tty).as_deref(), Ok("vnet-prod"));
        assert_eq!(tty.drawn, ["? VNet (vnet-prod) › "]);
        assert_eq!(tty.kept, ["✔ VNet · vnet-prod"]);
    }

    #[test]
    fn a_line_is_edited_checked_and_asked_again() {
        let mut tty = Fake::new(80, "a cb\u{8}<\u{8}\n");
        assert_eq!(name(&mut tty).as_deref(), Ok("ac"));
        let mut tty = Fake::new(80, "a b\n\u{8}\u{8}\n");
        assert_eq!(name(&mut tty).as_deref(), Ok("a"));
        assert_eq!(tty.kept, ["✘ no spaces", "✔ VNet · a"]);
    }

    #[test]
    fn escape_and_interruption_cancel() {
        assert_eq!(name(&mut Fake::new(80, "ab\u{1b}")), Err(Cancelled));
        assert_eq!(name(&mut Fake::new(80, "ab\u{3}")), Err(Cancelled));
        assert_eq!(name(&mut Fake::new(80, "ab")), Err(Cancelled));
    }

    #[test]
    fn a_secret_is_never_drawn() {
        let mut tty = Fake::new(80, "\n7777\n");
        let accept = |typed: &str| Ok((hidden(typed)?, "********".to_owned()));
        let secret = TERMINAL.ask_on(&mut tty, "Token", "", true, &accept);
        assert_eq!(secret.expect("typed").expose(), "7777");
        let all = [tty.drawn, tty.kept].concat().join("\n");
        assert!(!all.contains('7'), "{all}");
    }

    #[test]
    fn a_narrow_terminal_puts_the_input_below_and_scrolls_it() {
        let mut tty = Fake::new(24, "a-name-that-is-wider-than-the-terminal\n");
        assert!(name(&mut tty).is_ok());
        assert_eq!(tty.kept[0], "? VNet (vnet-prod)");
        assert!(tty.drawn.iter().all(|line| line.chars().count() < 24));
        assert!(
            tty.drawn
                .last()
                .is_some_and(|line| line.ends_with("terminal"))
        );
    }

    #[test]
    fn lines_of_a_list_are_aligned_cut_and_different() {
        let items = [
            Choice::new("vnet-prod", "westeurope 10.20.0.0/16"),
            Choice::new("vnet", "northeurope\u{1b}[2J"),
            Choice::new("vnet-prod", "westeurope 10.20.0.0/24"),
        ];
        assert_eq!(
            TERMINAL.labels(&items, 22),
            [
                "vnet-prod  westeurope…",
                "vnet       northeurop…",
                "vnet-prod  westeur… #2"
            ]
        );
    }
}
