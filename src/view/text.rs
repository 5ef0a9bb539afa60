//! Words on a screen: made harmless, measured, wrapped, aligned; and times as people say them.

use crate::{engine::Status, visible::is_hidden};
use console::{measure_text_width, strip_ansi_codes};
use std::time::Duration;

/// One line of remote text that cannot touch the terminal: without ANSI sequences, with line breaks as spaces, and with
/// what nobody would see written out.
#[must_use]
pub fn clean(text: &str) -> String {
    let mut cleaned = String::with_capacity(text.len());
    for char in strip_ansi_codes(text).chars() {
        match char {
            '\n' | '\r' | '\t' => cleaned.push(' '),
            hidden if is_hidden(hidden) => cleaned.extend(hidden.escape_unicode()),
            shown => cleaned.push(shown),
        }
    }
    cleaned
}

/// A time for people: `0.4s`, `42s`, `1m12s`, `1h05m`.
#[must_use]
pub fn duration(seconds: f64) -> String {
    let tenths = (seconds * 10.0).round() / 10.0;
    if tenths < 10.0 {
        let text = format!("{:.1}", tenths.max(0.0));
        return format!("{}s", text.strip_suffix(".0").unwrap_or(&text));
    }
    let whole = Duration::try_from_secs_f64(seconds.round())
        .unwrap_or_default()
        .as_secs();
    match (whole / 3600, whole / 60 % 60, whole % 60) {
        (0, 0, seconds) => format!("{seconds}s"),
        (0, minutes, seconds) => format!("{minutes}m{seconds:02}s"),
        (hours, minutes, _) => format!("{hours}h{minutes:02}m"),
    }
}

/// How long something usually takes: `usually about 3 min`.
#[must_use]
pub fn usually(seconds: f64) -> String {
    let whole = Duration::try_from_secs_f64(seconds)
        .unwrap_or_default()
        .as_secs();
    match whole {
        0..20 => "usually a few seconds".to_owned(),
        20..50 => "usually under a minute".to_owned(),
        _ => format!("usually about {} min", (whole + 30) / 60),
    }
}

/// The text in lines of at most `width` columns, each begun with `indent`. Addresses, ids and commands in backticks stay
/// whole even when they are wider, so that they can be copied.
#[must_use]
pub fn wrap(text: &str, width: usize, indent: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in words(text) {
        let wanted = measure_text_width(indent) + measure_text_width(&line);
        if !line.is_empty() && wanted + 1 + measure_text_width(word) > width {
            lines.push(format!("{indent}{line}"));
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    if !line.is_empty() {
        lines.push(format!("{indent}{line}"));
    }
    lines
}

/// The words of a text; what stands between backticks is one word.
fn words(text: &str) -> Vec<&str> {
    let balanced = text.matches('`').count().is_multiple_of(2);
    let mut quoted = false;
    text.split(move |char| {
        quoted ^= balanced && char == '`';
        char == ' ' && !quoted
    })
    .filter(|word| !word.is_empty())
    .collect()
}

/// How a step stands, in one word. What was found is left, when undo says why.
pub(super) fn word(status: Status, left: bool) -> &'static str {
    match status {
        Status::Found if left => "left",
        Status::Creating => "creating",
        Status::Created => "created",
        Status::Found => "found",
        Status::Reached => "reached",
        Status::Deleting => "deleting",
        Status::Deleted => "deleted",
        Status::Kept => "kept",
    }
}

/// The text and as many spaces as it lacks.
#[must_use]
pub fn pad(text: &str, width: usize) -> String {
    let lacks = width.saturating_sub(measure_text_width(text));
    format!("{text}{}", " ".repeat(lacks))
}

/// The columns of the widest text.
pub(super) fn widest<'a>(texts: impl Iterator<Item = &'a str>) -> usize {
    texts.map(measure_text_width).max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_text_cannot_touch_the_terminal() {
        let hostile =
            "a\u{1b}[31mred\u{1b}[0m\u{1b}]0;title\u{7} b\nc\u{202e}d\u{200b}\u{9b}2J\u{1b}";
        let cleaned = clean(hostile);
        assert!(!cleaned.chars().any(is_hidden), "{cleaned:?}");
        assert!(cleaned.starts_with("ared"), "{cleaned:?}");
        assert!(cleaned.contains(r" b c\u{202e}d\u{200b}"), "{cleaned:?}");
        assert_eq!(clean("Zürich 東京"), "Zürich 東京");
    }

    #[test]
    fn durations_are_short() {
        let all = [
            0.0,
            0.42,
            3.0,
            9.97,
            42.4,
            59.7,
            72.0,
            3900.0,
            -1.0,
            f64::NAN,
        ]
        .map(duration);
        assert_eq!(
            all,
            [
                "0s", "0.4s", "3s", "10s", "42s", "1m00s", "1m12s", "1h05m", "0s", "0s"
            ]
        );
    }

    #[test]
    fn usual_times_are_ranges() {
        assert_eq!(usually(180.0), "usually about 3 min");
        assert_eq!(usually(60.0), "usually about 1 min");
        assert_eq!(usually(5.0), "usually a few seconds");
    }

    #[test]
    fn wrapping_keeps_commands_whole() {
        let text = "run `peer-wizard resume aiven-project-9k2f` to go on";
        let lines = wrap(text, 20, "  ");
        assert_eq!(
            lines,
            [
                "  run",
                "  `peer-wizard resume aiven-project-9k2f`",
                "  to go on"
            ]
        );
    }
}
