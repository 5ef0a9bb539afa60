//! What is about to happen, before it happens: the same page for a run and for undo. Data in, text out.

use super::{Screen, Tone, clean, pad, text::widest, wrap};
use console::measure_text_width;

/// A wrapped value gets at least this many columns beside its label; with less, it goes below.
const LEAST_VALUE: usize = 20;
/// The column where the title of a line begins: its number, its mark and the spaces around them.
const TITLE: usize = 8;

/// The page.
#[derive(Clone, Debug, Default)]
pub struct Preview {
    /// The first word, such as `Connect` or `Undo`.
    pub verb: String,
    /// What is connected.
    pub from: String,
    /// To what; may be empty.
    pub to: String,
    /// The answers.
    pub rows: Vec<Row>,
    /// The steps.
    pub lines: Vec<PlanLine>,
    /// The rights that it takes.
    pub needs: Vec<String>,
    /// Whether the person has them, if that is known.
    pub held: Option<bool>,
    /// What to ask below the page. It is not part of the text: the prompt shows it.
    pub question: String,
}

/// One answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// Its name.
    pub label: String,
    /// Its value.
    pub value: String,
    /// Where it came from.
    pub origin: Option<String>,
}

/// What a step will do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mark {
    /// Make something.
    #[default]
    Create,
    /// Use what is there.
    Found,
    /// Wait for a state.
    Wait,
    /// Delete what the run made.
    Delete,
    /// Leave what was there before.
    Leave,
    /// Keep what the run made, for the reason in the note.
    Kept,
    /// Leave what is not the run's, for the reason in the note.
    Left,
}

/// One step.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlanLine {
    /// What it will do.
    pub mark: Mark,
    /// What it is about.
    pub title: String,
    /// The name and the id of the object, shown below the title.
    pub detail: String,
    /// What stands behind it, such as `already there; will be left on undo`.
    pub note: String,
    /// Why it is needed.
    pub why: String,
    /// The page it follows.
    pub link: String,
    /// The rights that it takes.
    pub permissions: Vec<String>,
}

impl Mark {
    fn paint(self, screen: &Screen) -> String {
        let (tone, sign) = match self {
            Self::Create => (Tone::Good, "+"),
            Self::Found | Self::Leave | Self::Kept | Self::Left => (Tone::Dim, "="),
            Self::Wait => (Tone::Warn, screen.sign("…", "~")),
            Self::Delete => (Tone::Bad, "-"),
        };
        screen.paint(tone, sign)
    }
}

impl Preview {
    /// The page as text; with `explain`, each step says why, with which rights and after which page.
    #[must_use]
    pub fn render(&self, screen: &Screen, explain: bool) -> String {
        let mut lines = self.heading(screen);
        if !self.rows.is_empty() {
            lines.push(String::new());
            lines.extend(self.table(screen));
        }
        if !self.lines.is_empty() {
            lines.push(String::new());
            lines.extend(self.steps(screen, explain));
        }
        lines.extend(self.rights(screen));
        lines.join("\n") + "\n"
    }

    fn heading(&self, screen: &Screen) -> Vec<String> {
        let verb = screen.paint(Tone::Bold, &self.verb);
        let (from, to) = (clean(&self.from), clean(&self.to));
        let arrow = screen.sign("⇄", "<->");
        if to.is_empty() {
            return vec![format!("{verb}  {from}")];
        }
        let line = format!("{verb}  {from}  {arrow}  {to}");
        if measure_text_width(&line) <= screen.width {
            return vec![line];
        }
        vec![format!("{verb}  {from}"), format!("  {arrow}  {to}")]
    }

    /// Label, value and origin in columns; what does not fit goes below its neighbour.
    fn table(&self, screen: &Screen) -> Vec<String> {
        let rows: Vec<Row> = self.rows.iter().map(Row::cleaned).collect();
        let label = widest(rows.iter().map(|row| row.label.as_str())) + 3;
        let room = screen.width.saturating_sub(2 + label);
        let fits = |row: &&Row| measure_text_width(&row.value) + row.origin_width() <= room;
        let value = widest(rows.iter().filter(fits).map(|row| row.value.as_str()));
        let mut lines = Vec::new();
        for row in &rows {
            let origin = row.origin.as_deref().unwrap_or_default();
            let origin = screen.paint(Tone::Dim, origin);
            let head = format!("  {}", pad(&row.label, label));
            if value.max(measure_text_width(&row.value)) + row.origin_width() <= room {
                let line = format!("{head}{}   {origin}", pad(&row.value, value));
                lines.push(line.trim_end().to_owned());
                continue;
            }
            let below = if room < LEAST_VALUE { 4 } else { 2 + label };
            let below = " ".repeat(below);
            let mut values = wrap(&row.value, screen.width, &below);
            if room < LEAST_VALUE {
                lines.push(head.trim_end().to_owned());
            } else if let Some(first) = values.first_mut() {
                *first = format!("{head}{}", first.trim_start());
            }
            lines.append(&mut values);
            if !origin.is_empty() {
                lines.push(format!("{below}{origin}"));
            }
        }
        lines
    }

    fn steps(&self, screen: &Screen, explain: bool) -> Vec<String> {
        let titles: Vec<String> = self.lines.iter().map(|line| clean(&line.title)).collect();
        let notes: Vec<String> = self.lines.iter().map(PlanLine::words).collect();
        let widest_note = widest(notes.iter().map(String::as_str));
        let title = widest(titles.iter().map(String::as_str));
        let beside = TITLE + title + 3 + widest_note <= screen.width;
        let below = " ".repeat(TITLE);
        let mut lines = Vec::new();
        for (index, line) in self.lines.iter().enumerate() {
            let head = format!("{:>4}  {} ", index + 1, line.mark.paint(screen));
            let note = screen.paint(Tone::Dim, &notes[index]);
            if beside {
                let line = format!("{head}{}   {note}", pad(&titles[index], title));
                lines.push(line.trim_end().to_owned());
            } else {
                let mut wrapped = wrap(&titles[index], screen.width, &below);
                if let Some(first) = wrapped.first_mut() {
                    *first = format!("{head}{}", first.trim_start());
                }
                lines.append(&mut wrapped);
                lines.extend(dim(screen, &notes[index], &below));
            }
            lines.extend(dim(screen, &clean(&line.detail), &below));
            if explain {
                lines.extend(line.explanation(screen, &below));
            }
        }
        lines
    }

    fn rights(&self, screen: &Screen) -> Vec<String> {
        if self.needs.is_empty() {
            return Vec::new();
        }
        let needs: Vec<String> = self.needs.iter().map(|need| clean(need)).collect();
        let text = format!("Needs: {}", needs.join(screen.sign(" · ", "; ")));
        let held = match (self.held, needs.len()) {
            (None, _) => String::new(),
            (Some(false), _) => screen.paint(
                Tone::Warn,
                "! you seem to lack some of it; `doctor` tells which",
            ),
            (Some(true), count) => {
                let all = match count {
                    1 => "it",
                    2 => "both",
                    _ => "them all",
                };
                let sign = screen.sign("✓", "+");
                screen.paint(Tone::Good, &format!("{sign} you have {all}"))
            }
        };
        let line = format!("  {text}   {held}");
        if measure_text_width(line.trim_end()) <= screen.width {
            return vec![line.trim_end().to_owned()];
        }
        let mut lines = vec!["  Needs:".to_owned()];
        for need in &needs {
            lines.extend(wrap(need, screen.width, "    "));
        }
        lines.extend((!held.is_empty()).then(|| format!("  {held}")));
        lines
    }
}

impl Row {
    /// An answer and where it came from.
    #[must_use]
    pub fn new(
        label: impl Into<String>,
        value: impl Into<String>,
        origin: Option<impl Into<String>>,
    ) -> Self {
        Self {
            label: label.into(),
            value: value.into(),
            origin: origin.map(Into::into),
        }
    }

    fn cleaned(&self) -> Self {
        Self::new(
            clean(&self.label),
            clean(&self.value),
            self.origin.as_deref().map(clean),
        )
    }

    /// The columns that the origin takes, with the gap before it.
    fn origin_width(&self) -> usize {
        self.origin
            .as_ref()
            .map_or(0, |origin| measure_text_width(origin) + 3)
    }
}

impl PlanLine {
    /// The note, after the word of its mark.
    fn words(&self) -> String {
        let note = clean(&self.note);
        match self.mark {
            Mark::Kept if note.is_empty() => "kept".to_owned(),
            Mark::Kept => format!("kept: {note}"),
            Mark::Left if note.is_empty() => "left".to_owned(),
            Mark::Left => format!("left: {note}"),
            _ => note,
        }
    }

    fn explanation(&self, screen: &Screen, below: &str) -> Vec<String> {
        let mut lines = wrap(&clean(&self.why), screen.width, below);
        for permission in &self.permissions {
            let right = format!("Right: {}", clean(permission));
            lines.extend(dim(screen, &right, below));
        }
        if !self.link.is_empty() {
            lines.push(format!(
                "{below}{}",
                screen.paint(Tone::Hint, &clean(&self.link))
            ));
        }
        lines
    }
}

fn dim(screen: &Screen, text: &str, indent: &str) -> Vec<String> {
    wrap(text, screen.width, indent)
        .iter()
        .map(|line| screen.paint(Tone::Dim, line))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(mark: Mark, title: &str, note: &str) -> PlanLine {
        PlanLine {
            mark,
            title: title.into(),
            detail: String::new(),
            note: note.into(),
            why: "Aiven recognises who peers by it".into(),
            link: "https://learn.microsoft.com/a/very/long/path/that/stays/whole".into(),
            permissions: vec!["Application Administrator in Entra".into()],
        }
    }

    fn preview() -> Preview {
        Preview {
            verb: "Connect".into(),
            from: "vnet-prod (westeurope)".into(),
            to: "Aiven project acme-prod".into(),
            rows: vec![
                Row::new("Subscription", "Production", Some("from az login")),
                Row::new("VNet", "vnet-prod  10.20.0.0/16", Some("you chose")),
                Row::new("Project", "acme", None::<&str>),
            ],
            lines: vec![
                line(Mark::Create, "application", "new"),
                line(Mark::Found, "role", "already there; will be left on undo"),
                line(Mark::Wait, "wait for Aiven", "usually 2-5 min"),
                line(Mark::Delete, "peering", ""),
            ],
            needs: vec!["Owner".into(), "User Access Administrator".into()],
            held: Some(true),
            question: "Proceed?".into(),
        }
    }

    #[test]
    fn a_wide_page_has_columns() {
        let text = preview().render(&Screen::plain(100), false);
        assert_eq!(
            text,
            "Connect  vnet-prod (westeurope)  ⇄  Aiven project acme-prod\n\
             \n\
             \x20 Subscription   Production                from az login\n\
             \x20 VNet           vnet-prod  10.20.0.0/16   you chose\n\
             \x20 Project        acme\n\
             \n\
             \x20  1  + application      new\n\
             \x20  2  = role             already there; will be left on undo\n\
             \x20  3  … wait for Aiven   usually 2-5 min\n\
             \x20  4  - peering\n\
             \x20 Needs: Owner · User Access Administrator   ✓ you have both\n"
        );
    }

    #[test]
    fn a_narrow_page_wraps_and_breaks_nothing() {
        let mut preview = preview();
        preview.rows.push(Row::new(
            "DNS",
            "10.0.0.4 = corp.example and 10.0.0.5 = lab.example",
            Some("flag"),
        ));
        let text = preview.render(&Screen::plain(40), true);
        for line in text.lines().filter(|line| !line.contains("https://")) {
            assert!(measure_text_width(line) <= 40, "{line:?} in\n{text}");
        }
        assert!(
            text.contains("  DNS            10.0.0.4 = corp.example\n"),
            "{text}"
        );
        assert!(text.contains("\n                 flag\n"), "{text}");
        assert!(
            text.contains("/a/very/long/path/that/stays/whole\n"),
            "{text}"
        );
    }

    #[test]
    fn explaining_adds_why_rights_and_link() {
        let plain = preview().render(&Screen::plain(100), false);
        let explained = preview().render(&Screen::plain(100), true);
        assert!(!plain.contains("recognises"));
        assert_eq!(explained.matches("        Aiven recognises who").count(), 4);
        assert!(explained.contains("\n        Right: Application Administrator in Entra\n"));
    }

    #[test]
    fn colour_only_when_asked_and_remote_text_is_harmless() {
        let mut preview = preview();
        preview.rows[0].value = "Prod\u{1b}[2J\u{202e}".into();
        let plain = preview.render(&Screen::plain(100), true);
        assert!(!plain.contains('\u{1b}') && !plain.contains('\u{202e}'));
        let colored = preview.render(
            &Screen {
                color: true,
                ..Screen::plain(100)
            },
            true,
        );
        assert!(!colored.contains("\u{1b}[2J"));
        assert_eq!(console::strip_ansi_codes(&colored), plain);
        let ascii = Screen {
            unicode: false,
            ..Screen::plain(100)
        };
        preview.rows.clear();
        assert!(preview.render(&ascii, true).is_ascii());
    }

    #[test]
    fn an_undo_names_each_object_and_breaks_no_id() {
        let id = "/subscriptions/0b1f6471-1bf0-4dda-aec3-cb9272f09590/roleAssignments/7";
        let mut lines = vec![
            line(Mark::Delete, "your application", "made by this run"),
            line(Mark::Kept, "the role", "another assignment needs it"),
            line(Mark::Left, "the peering", "it bears another mark"),
        ];
        lines[0].detail = "peer-wizard-a1b2  5a3f2c10-1bf0-4dda-aec3-cb9272f09590".into();
        lines[1].detail = format!("peering writer\u{202e} {id}");
        let undo = Preview {
            lines,
            ..Preview::default()
        };
        let wide = undo.render(&Screen::plain(100), false);
        assert!(
            wide.contains(
                "   1  - your application   made by this run\n        peer-wizard-a1b2 5a3f2c10-1bf0-"
            ),
            "{wide}"
        );
        assert!(wide.contains("  2  = the role           kept: another assignment needs it\n"));
        assert!(wide.contains("  3  = the peering        left: it bears another mark\n"));
        let narrow = undo.render(&Screen::plain(40), false);
        assert!(
            narrow.contains("\n        5a3f2c10-1bf0-4dda-aec3-cb9272f09590\n"),
            "{narrow}"
        );
        assert!(narrow.contains(&format!("\n        {id}\n")), "{narrow}");
        assert!(!narrow.contains('\u{202e}'));
    }
}
