//! How it ended: errors with their way out, the interrupted run, the connected networks, tables. Data in, text out.

use super::{Screen, Tone, clean, pad, text::widest, wrap};
use crate::error::Error;
use console::measure_text_width;
use std::{collections::BTreeMap, path::Path};

/// The error, its causes, its hints, and where the log is.
#[must_use]
pub fn error(error: &Error, screen: &Screen, log: Option<&Path>) -> String {
    let mut lines = labelled(screen, "", "error:", Tone::Bad, &error.message);
    let mut said = error.message.clone();
    let mut cause = std::error::Error::source(error);
    while let Some(this) = cause {
        let text = this.to_string();
        // Some errors repeat their cause in their own words.
        if !said.contains(&text) {
            lines.extend(labelled(screen, "  ", "caused by:", Tone::Dim, &text));
        }
        said = text;
        cause = this.source();
    }
    for hint in &error.hints {
        if hint.starts_with("peer-wizard ") || hint.starts_with("az ") {
            // A command stays on one line, so that it can be copied.
            lines.push(format!(
                "{} {}",
                screen.paint(Tone::Hint, "hint:"),
                clean(hint)
            ));
        } else {
            lines.extend(labelled(screen, "", "hint:", Tone::Hint, hint));
        }
    }
    if let Some(log) = log {
        let log = clean(&log.display().to_string());
        lines.push(format!("{}  {log}", screen.paint(Tone::Dim, "log:")));
    }
    lines.join("\n") + "\n"
}

/// A labelled text. Its first line follows the label; further lines of it are indented and kept as they are when they
/// fit, as they may be a table.
fn labelled(screen: &Screen, indent: &str, label: &str, tone: Tone, text: &str) -> Vec<String> {
    let below = format!("{indent}  ");
    let mut lines = Vec::new();
    for (index, part) in text.trim().lines().enumerate() {
        let part = clean(part);
        if index > 0 {
            let kept = format!("  {part}");
            if part.starts_with(' ') && measure_text_width(&part) <= screen.width {
                lines.push(part);
            } else if measure_text_width(&kept) <= screen.width {
                lines.push(kept);
            } else {
                lines.extend(wrap(&part, screen.width, &below));
            }
            continue;
        }
        let mut wrapped = wrap(&format!("{label} {part}"), screen.width, &below);
        if let Some(first) = wrapped.first_mut() {
            let rest = first.trim_start();
            let rest = rest.strip_prefix(label).unwrap_or(rest);
            *first = format!("{indent}{}{rest}", screen.paint(tone, label));
        }
        lines.append(&mut wrapped);
    }
    lines
}

/// A run that was stopped before its end.
#[derive(Clone, Copy, Debug)]
pub struct Stopped<'a> {
    /// The steps that are done.
    pub done: usize,
    /// All steps.
    pub total: usize,
    /// The run's name, and the options that its commands need.
    pub run: &'a str,
    /// Who carries on meanwhile, such as `Azure and Aiven`.
    pub services: &'a str,
    /// Whether it was undo that was stopped.
    pub undoing: bool,
}

/// What is said when a run was stopped: nothing is lost, and how to go on.
#[must_use]
pub fn stopped(stopped: &Stopped<'_>, screen: &Screen) -> String {
    let Stopped {
        done,
        total,
        run,
        services,
        undoing,
    } = *stopped;
    let steps = if total == 1 { "step" } else { "steps" };
    let carry = if services.contains(" and ") {
        "carry"
    } else {
        "carries"
    };
    let text =
        format!("Stopped after {done} of {total} {steps}. Nothing is lost: {services} {carry} on.");
    let mut lines = wrap(&text, screen.width, "");
    let commands: &[(&str, &str)] = if undoing {
        &[("Continue", "undo")]
    } else {
        &[("Continue", "resume"), ("Undo", "undo")]
    };
    lines.extend(commands.iter().map(|(what, command)| {
        let command = format!("peer-wizard {command} {run}");
        format!("  {}{}", pad(what, 11), screen.paint(Tone::Hint, &command))
    }));
    lines.join("\n") + "\n"
}

/// Networks that are connected.
#[derive(Clone, Copy, Debug)]
pub struct Connected<'a> {
    /// What is connected, such as `vnet-prod`.
    pub from: &'a str,
    /// To what, such as `Aiven project acme-prod`.
    pub to: &'a str,
    /// The run's name, and the options that its commands need.
    pub run: &'a str,
    /// What the run knows and may show.
    pub facts: &'a BTreeMap<String, String>,
    /// Where to see it: the place, and the way there.
    pub places: &'a [(String, String)],
}

/// The data for stdout and the prose for stderr, each for its own stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closing {
    /// The facts, one `NAME  value` a line.
    pub stdout: String,
    /// What is connected and what to do next.
    pub stderr: String,
}

/// What is said when the networks are connected.
#[must_use]
pub fn connected(connected: &Connected<'_>, screen: &Screen) -> Closing {
    let Connected {
        from,
        to,
        run,
        facts: known,
        places,
    } = *connected;
    let headline = format!(
        "{} Connected  {}  {}  {}",
        screen.sign("✓", "+"),
        clean(from),
        screen.sign("⇄", "<->"),
        clean(to)
    );
    let mut lines: Vec<String> = wrap(&headline, screen.width, "")
        .iter()
        .map(|line| screen.paint(Tone::Good, line))
        .collect();
    let next = [
        ("Status".to_owned(), format!("peer-wizard status {run}")),
        ("Undo".to_owned(), format!("peer-wizard undo {run}")),
    ];
    let rows: Vec<(String, String)> = places
        .iter()
        .map(|(place, way)| (clean(place), clean(way)))
        .chain(next)
        .collect();
    let label = widest(rows.iter().map(|(label, _)| label.as_str())) + 3;
    for (what, way) in &rows {
        let head = format!("  {}", pad(what, label));
        if way.starts_with("peer-wizard ") {
            // One line, so that it can be copied.
            lines.push(format!("{head}{}", screen.paint(Tone::Hint, way)));
            continue;
        }
        let indent = " ".repeat(2 + label);
        let mut wrapped = wrap(way, screen.width.max(label + 20), &indent);
        if let Some(first) = wrapped.first_mut() {
            *first = format!("{head}{}", first.trim_start());
        }
        lines.append(&mut wrapped);
    }
    Closing {
        stdout: facts(known),
        stderr: lines.join("\n") + "\n",
    }
}

/// The facts as aligned `NAME  value` lines.
#[must_use]
pub fn facts(facts: &BTreeMap<String, String>) -> String {
    let pairs = facts
        .iter()
        .map(|(name, value)| (name.as_str(), clean(value)));
    pairs_of(&pairs.collect::<Vec<_>>())
}

/// Names and values, a pair a line, the values below each other.
fn pairs_of(pairs: &[(&str, String)]) -> String {
    let name_width = widest(pairs.iter().map(|(name, _)| *name)) + 2;
    pairs.iter().fold(String::new(), |text, (name, value)| {
        let line = format!("{}{value}", pad(name, name_width));
        text + line.trim_end() + "\n"
    })
}

/// A table in this width. When its columns do not fit beside each other, each row becomes a block, so that nothing is cut
/// and each value can be copied.
#[must_use]
pub fn table(headers: &[&str], rows: &[Vec<String>], width: usize) -> String {
    let rows: Vec<Vec<String>> = rows
        .iter()
        .map(|row| row.iter().map(|cell| clean(cell)).collect())
        .collect();
    let cell = |row: &Vec<String>, column: usize| row.get(column).cloned().unwrap_or_default();
    let widths: Vec<usize> = (0..headers.len())
        .map(|column| {
            let cells = rows
                .iter()
                .map(|row| measure_text_width(&cell(row, column)));
            cells.fold(measure_text_width(headers[column]), usize::max)
        })
        .collect();
    if widths.iter().sum::<usize>() + 2 * widths.len().saturating_sub(1) <= width {
        let line = |cells: Vec<String>| {
            let padded = cells
                .iter()
                .zip(&widths)
                .map(|(cell, width)| pad(cell, *width));
            padded.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
        };
        let head = line(headers.iter().map(|header| header.to_uppercase()).collect());
        let body = rows
            .iter()
            .map(|row| line((0..headers.len()).map(|column| cell(row, column)).collect()));
        return std::iter::once(head).chain(body).collect();
    }
    let blocks: Vec<String> = rows
        .iter()
        .map(|row| {
            let values = (0..headers.len()).map(|column| cell(row, column));
            pairs_of(&headers.iter().copied().zip(values).collect::<Vec<_>>())
        })
        .collect();
    blocks.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Kind;
    use std::io;

    fn failure() -> Error {
        Error::new(Kind::Failed, "cannot create the peering from vnet-prod")
            .from_source(io::Error::other(
                "Azure answered 403\u{1b}[2J\nno rights yet",
            ))
            .hint("a new role assignment can take up to ten minutes to apply")
            .hint("peer-wizard resume aiven-project-9k2f")
    }

    #[test]
    fn an_error_says_what_why_and_what_to_do() {
        let text = error(
            &failure(),
            &Screen::plain(100),
            Some(Path::new("/state/a.log")),
        );
        assert_eq!(
            text,
            "error: cannot create the peering from vnet-prod\n\
             \x20 caused by: Azure answered 403\n\
             \x20 no rights yet\n\
             hint: a new role assignment can take up to ten minutes to apply\n\
             hint: peer-wizard resume aiven-project-9k2f\n\
             log:  /state/a.log\n"
        );
    }

    #[test]
    fn a_narrow_error_wraps_but_keeps_the_command_whole() {
        let text = error(&failure(), &Screen::plain(44), None);
        assert!(
            text.lines().all(|line| line.chars().count() <= 44),
            "{text}"
        );
        assert!(text.contains("hint: a new role assignment can take up to\n  ten minutes"));
        assert!(text.contains("\nhint: peer-wizard resume aiven-project-9k2f\n"));
        let table = Error::usage("2 answers are missing\n  --vnet <ID>    PEER_WIZARD_VNET");
        let text = error(&table, &Screen::plain(44), None);
        assert!(
            text.ends_with("\n  --vnet <ID>    PEER_WIZARD_VNET\n"),
            "{text}"
        );
    }

    #[test]
    fn a_stopped_run_can_go_on() {
        let mut it = Stopped {
            done: 7,
            total: 11,
            run: "aiven-project-9k2f",
            services: "Azure and Aiven",
            undoing: false,
        };
        assert_eq!(
            stopped(&it, &Screen::plain(100)),
            "Stopped after 7 of 11 steps. Nothing is lost: Azure and Aiven carry on.\n\
             \x20 Continue   peer-wizard resume aiven-project-9k2f\n\
             \x20 Undo       peer-wizard undo aiven-project-9k2f\n"
        );
        it.undoing = true;
        assert!(!stopped(&it, &Screen::plain(40)).contains("resume"));
    }

    #[test]
    fn facts_go_to_stdout_and_prose_to_stderr() {
        let facts = BTreeMap::from([
            ("AIVEN_SP_ID".to_owned(), "5a".to_owned()),
            ("USER_APP_ID".to_owned(), "1\u{1b}]0;x\u{7}b".to_owned()),
        ]);
        let closing = connected(
            &Connected {
                from: "vnet-prod",
                to: "Aiven project acme",
                run: "aiven-project-9k2f",
                facts: &facts,
                places: &[("Azure portal".into(), "vnet-prod, Peerings".into())],
            },
            &Screen::plain(80),
        );
        assert_eq!(closing.stdout, "AIVEN_SP_ID  5a\nUSER_APP_ID  1b\n");
        assert_eq!(
            closing.stderr,
            "✓ Connected vnet-prod ⇄ Aiven project acme\n\
             \x20 Azure portal   vnet-prod, Peerings\n\
             \x20 Status         peer-wizard status aiven-project-9k2f\n\
             \x20 Undo           peer-wizard undo aiven-project-9k2f\n"
        );
    }

    #[test]
    fn a_table_that_does_not_fit_becomes_blocks() {
        let rows = [
            vec!["aiven-project-9k2f".to_owned(), "done".to_owned()],
            vec!["kong-1234".to_owned(), "7 of 11".to_owned()],
        ];
        assert_eq!(
            table(&["Run", "State"], &rows, 80),
            "RUN                 STATE\n\
             aiven-project-9k2f  done\n\
             kong-1234           7 of 11\n"
        );
        assert_eq!(
            table(&["Run", "State"], &rows[..1], 20),
            "Run    aiven-project-9k2f\nState  done\n"
        );
    }
}
