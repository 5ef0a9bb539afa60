//! A process's output as it is each time: what differs from run to run has a name in angle brackets, everything else stays.

use super::{Cloud, Output};
use peer_wizard::providers;
use std::{env, sync::OnceLock};

const VERSION: &str = env!("CARGO_PKG_VERSION");
const GUID: &str = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
const TRACE: &str = "kong:trace:xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";

/// The same everywhere: Azure's built-in Network Contributor, and the form of an id in messages.
const CONSTANT: &str = "4d97b98b-1d4f-4787-a291-c67834d212e7 00000000-0000-0000-0000-000000000000";

/// What was typed, the exit code and both streams, with names for times, ids of new objects, ports and folders.
pub fn stable(output: &Output) -> String {
    let text = output.to_string();
    let mut out = String::with_capacity(text.len());
    let mut ids: Vec<&str> = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let (before, rest) = text.split_at(at);
        if let Some(id) = guid(before, rest) {
            at += id.len();
            if known().contains(id) {
                out.push_str(id);
                continue;
            }
            let number = ids.iter().position(|it| *it == id).unwrap_or_else(|| {
                ids.push(id);
                ids.len() - 1
            });
            out.push_str(&format!("<id-{}>", number + 1));
        } else if let Some((length, name)) = passing(before, rest) {
            at += length;
            out.push_str(name);
        } else {
            let length = rest.chars().next().map_or(1, char::len_utf8);
            out.push_str(&rest[..length]);
            at += length;
        }
    }
    collapsed(&out)
}

/// The ids that are there before any run: those of the sample world and those that tests put into it.
fn known() -> &'static str {
    static KNOWN: OnceLock<String> = OnceLock::new();
    KNOWN.get_or_init(|| {
        let world = serde_json::to_string(&Cloud::new().copy()).expect("a world serialises");
        world + CONSTANT + include_str!("cloud.rs")
    })
}

fn guid<'a>(before: &str, rest: &'a str) -> Option<&'a str> {
    let begins = !before.ends_with(|it: char| it.is_ascii_alphanumeric());
    (begins && shaped(rest, GUID)).then(|| &rest[..GUID.len()])
}

/// The length and the name of what is another each time.
fn passing(before: &str, rest: &str) -> Option<(usize, &'static str)> {
    let after = |words: &[&str]| words.iter().any(|word| before.ends_with(word));
    let length = |part: &dyn Fn(char) -> bool| rest.find(|it| !part(it)).unwrap_or(rest.len());
    let found = |length: usize, name| (length > 0).then_some((length, name));
    let number = |it: char| it.is_ascii_digit() || ".e-".contains(it);

    if shaped(rest, "0000-00-00T00:00:00Z") {
        return Some((20, "<time>"));
    }
    if (before.is_empty() || before.ends_with('\n')) && shaped(rest, "00:00:00 ") {
        return Some((8, "<time>"));
    }
    if after(&["localhost:", "127.0.0.1:", "[::1]:"]) {
        return found(length(&|it| it.is_ascii_digit()), "<port>");
    }
    if after(&["\"took\":", "\"elapsed\":"]) {
        return found(length(&number), "<took>");
    }
    let took = length(&|it| it.is_ascii_digit() || ".hms".contains(it));
    let is_time = rest.starts_with(|it: char| it.is_ascii_digit()) && rest[..took].ends_with('s');
    if is_time && after(&["("]) && in_progress(before) {
        return Some((took, "<took>"));
    }
    if rest.starts_with(VERSION) && after(&["peer-wizard ", "\"version\":\""]) {
        return Some((VERSION.len(), "<version>"));
    }
    let folder = env::temp_dir().join("peer-wizard-test-");
    if rest.starts_with(&*folder.to_string_lossy()) {
        let word = |it: char| it.is_ascii_alphanumeric() || it == '-';
        let name = &rest[folder.as_os_str().len()..];
        let end = name.find(|it| !word(it)).unwrap_or(name.len());
        return Some((folder.as_os_str().len() + end, "<dir>"));
    }
    if shaped(rest, TRACE) {
        return Some((TRACE.len(), "kong:trace:<id>"));
    }
    let run = |id: &str| before.ends_with(&format!("{id}-"));
    let suffix = length(&|it| it.is_ascii_alphanumeric() || it == '-');
    let named = suffix == 4 && !rest[..suffix].contains('-');
    (named && providers::ALL.iter().any(|it| run(it.id))).then_some((suffix, "<run>"))
}

/// Whether the line that these words begin is one of the dated ones.
fn in_progress(before: &str) -> bool {
    let line = before.rsplit('\n').next().unwrap_or_default();
    shaped(line, "00:00:00 (")
}

/// Whether a text begins like a shape in which `0` is a digit, `x` a hexadecimal one, and all else is itself.
fn shaped(text: &str, shape: &str) -> bool {
    let fits = |(byte, wanted): (u8, u8)| match wanted {
        b'0' => byte.is_ascii_digit(),
        b'x' => byte.is_ascii_hexdigit(),
        _ => byte == wanted,
    };
    text.len() >= shape.len() && text.bytes().zip(shape.bytes()).all(fits)
}

/// The text with one line for each state that is waited for, however often it was looked at.
fn collapsed(text: &str) -> String {
    let waits = |line: &str| {
        let events = ["{\"event\":\"waiting\"", "{\"event\":\"retrying\""];
        let words = ["(<took>, usually ", "; next try in "];
        events.iter().any(|it| line.starts_with(it)) || words.iter().any(|it| line.contains(it))
    };
    let mut lines: Vec<&str> = text.lines().collect();
    lines.dedup_by(|line, last| line == last && waits(line));
    lines.join("\n")
}
