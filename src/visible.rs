//! Which characters a reader sees. Names come from services and people, and end on terminals, in scripts and in JSON; what
//! nobody sees there, or takes for something else, is written out. This is the one place that says which characters those are.

use std::fmt::Write as _;

/// Whether a terminal would obey it, or show nothing of it, or a blank that is no space: then a reader is deceived.
#[must_use]
pub fn is_hidden(char: char) -> bool {
    is_invisible(char) || is_odd_blank(char)
}

/// Controls, what turns the direction of reading, what joins, separates or selects and is not shown, and fillers.
fn is_invisible(char: char) -> bool {
    char.is_control()
        || matches!(char,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// Blanks that look like a space, and are none to whoever compares.
fn is_odd_blank(char: char) -> bool {
    char != ' ' && (char.is_whitespace() || char == '\u{2800}')
}

/// The text for people, where lines and the colours of this program stay and all else that is hidden is written out as
/// `\u{…}`. It is for whole outputs: what is not this program's own is cleaned before, colours and lines too.
#[must_use]
pub fn written_out(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(char) = rest.chars().next() {
        let colour = colour(rest);
        if colour > 0 {
            out.push_str(&rest[..colour]);
            rest = &rest[colour..];
            continue;
        }
        match char {
            '\n' | '\t' => out.push(char),
            hidden if is_hidden(hidden) => out.extend(hidden.escape_unicode()),
            shown => out.push(shown),
        }
        rest = &rest[char.len_utf8()..];
    }
    out
}

/// The length of the sequence that the text begins with, when it is one that sets a colour or a style.
fn colour(text: &str) -> usize {
    let Some(rest) = text.strip_prefix("\u{1b}[") else {
        return 0;
    };
    let parameters = |c: char| c.is_ascii_digit() || c == ';';
    let end = rest.find(|c| !parameters(c)).unwrap_or(rest.len());
    if rest[end..].starts_with('m') {
        "\u{1b}[".len() + end + 1
    } else {
        0
    }
}

/// JSON, whose texts are read back the same, with what is hidden as `\uXXXX`: JSON lets all but the first 32 characters stand as
/// they are.
#[must_use]
pub fn in_json(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for char in json.chars() {
        if is_hidden(char) {
            for unit in char.encode_utf16(&mut [0; 2]) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(char);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_deceives_is_hidden_and_what_is_read_is_not() {
        let hidden = [
            0x00, 0x09, 0x0a, 0x1b, 0x7f, 0x85, 0x9f, 0xa0, 0xad, 0x34f, 0x61c, 0x1680, 0x180b,
            0x180e, 0x2000, 0x200a, 0x200b, 0x200d, 0x200e, 0x200f, 0x2028, 0x202a, 0x202e, 0x202f,
            0x205f, 0x2060, 0x2066, 0x2069, 0x2800, 0x3000, 0x3164, 0xfe00, 0xfe0f, 0xfeff, 0xfff9,
            0xe0001, 0xe007f, 0xe0100, 0xe01ef,
        ];
        for code in hidden {
            assert!(char::from_u32(code).is_some_and(is_hidden), "{code:x}");
        }
        for shown in "aZ0 ~éß漢字東京🦀e\u{301}…–“”\u{fffd}".chars() {
            assert!(!is_hidden(shown), "{shown:?}");
        }
    }

    #[test]
    fn lines_and_colours_stay_and_other_sequences_do_not() {
        assert_eq!(
            written_out("a\u{1b}[31;1mred\u{1b}[0m\n\tb\u{1b}[2Jc\u{202e}d\u{a0}\u{1b}"),
            "a\u{1b}[31;1mred\u{1b}[0m\n\tb\\u{1b}[2Jc\\u{202e}d\\u{a0}\\u{1b}"
        );
        assert_eq!(
            in_json("\"a\u{a0}\u{e0041}\""),
            "\"a\\u00a0\\udb40\\udc41\""
        );
    }
}
