//! What is quoted comes back from a real bash byte for byte.

use super::{support::TempDir, texts, trial};
use peer_wizard::shell::{quoted, single};
use proptest::{prop_assert, prop_assert_eq, strategy::Strategy, test_runner::TestCaseError};
use std::{
    env, fs,
    process::{Command, Stdio},
};

/// Runs a script and gives all the words that it passed to its function `words`, in order, or what bash said instead.
///
/// The script is a file, as a person's would be. What breaks out of its quotes does no harm: no program can be found, a
/// restricted bash writes no file and stays in its folder, and nothing of this process's environment is in its own.
fn try_bash_words(script: &str) -> Result<Vec<Vec<u8>>, String> {
    const BEGIN: &str = "PATH=no-programs
set -r
words() { (($# == 0)) || printf '%s\\0' \"$@\"; }
";
    let dir = TempDir::new();
    let path = dir.path("script");
    fs::write(&path, [BEGIN, script].concat()).expect("the test's own folder can be written to");
    let output = Command::new("bash")
        .args(["--noprofile", "script"])
        .current_dir(dir.path(""))
        .env_clear()
        .env("PATH", env::var_os("PATH").unwrap_or_default())
        .env("HOME", dir.path(""))
        .env("HISTFILE", "")
        .env("LC_ALL", "C.UTF-8")
        .stdin(Stdio::null())
        .output()
        .expect("there is a bash");
    let stderr = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() || !stderr.is_empty() {
        return Err(format!("{}: {stderr}", output.status));
    }
    let words = output.stdout.split(|byte| *byte == 0);
    let mut words: Vec<Vec<u8>> = words.map(<[u8]>::to_vec).collect();
    match words.pop() {
        Some(last) if last.is_empty() => Ok(words),
        last => Err(format!("{last:?} does not end with a NUL")),
    }
}

/// The same for a script that cannot fail.
#[track_caller]
fn bash_words(script: &str) -> Vec<Vec<u8>> {
    try_bash_words(script).expect("bash takes the script")
}

/// A line for each text.
fn lines(texts: &[String], line: impl Fn(&str) -> String) -> String {
    texts.iter().map(|text| line(text) + "\n").collect()
}

/// Asserts that the script's words are these texts.
fn comes_back(script: &str, texts: &[String]) -> trial::Verdict {
    let words = try_bash_words(script).map_err(TestCaseError::fail)?;
    for (word, text) in words.iter().zip(texts) {
        prop_assert!(
            word == text.as_bytes(),
            "{text:?} came back as b\"{}\"",
            word.escape_ascii()
        );
    }
    prop_assert_eq!(words.len(), texts.len());
    Ok(())
}

/// Any text that an argument can hold.
fn text() -> impl Strategy<Value = String> {
    texts::text().prop_map(|text| text.replace('\0', "\u{1}"))
}

#[test]
fn bash_words_are_told_apart() {
    let words = bash_words("words a '' $'b\\nc'\nwords\nwords \"$(printf d)\"");
    assert_eq!(words, [&b"a"[..], b"", b"b\nc", b"d"]);
}

#[test]
fn what_breaks_out_of_its_quotes_does_no_harm() {
    for script in ["ls", "/bin/ls", "words a > file", "cd /", "PATH=/bin", "'"] {
        assert!(try_bash_words(script).is_err(), "{script}");
    }
}

#[test]
fn a_quoted_text_is_one_word_of_bash_whatever_it_holds() {
    trial::holds_in_batches("texts quoted as arguments", 20, text(), |texts| {
        comes_back(&lines(&texts, |it| format!("words {}", quoted(it))), &texts)?;
        comes_back(&lines(&texts, |it| format!("words {}", single(it))), &texts)?;
        // All at once, and in a locale that knows no characters.
        let each: Vec<String> = texts.iter().map(|it| single(it)).collect();
        comes_back(&format!("LC_ALL=C\nwords {}", each.join(" ")), &texts)
    });
}

#[test]
fn a_quoted_text_can_stand_in_any_place_of_a_statement() {
    trial::holds_in_batches("texts quoted in statements", 10, text(), |texts| {
        comes_back(
            &lines(&texts, |it| format!("v={}; words \"$v\"", single(it))),
            &texts,
        )?;
        comes_back(
            &lines(&texts, |it| {
                format!("export V={}; words \"$V\"", quoted(it))
            }),
            &texts,
        )?;
        // Beside another word it is still a part of it, and history expansion, which some people's shells have, finds
        // nothing. Bash itself mistakes a `^` that begins a further line, whatever quotes it is in, so there is none.
        let texts: Vec<String> = texts.iter().map(|it| it.replace('^', "")).collect();
        let flagged: Vec<String> = texts.iter().map(|it| format!("--flag={it}")).collect();
        let script = lines(&texts, |it| format!("words --flag={}", single(it)));
        comes_back(&format!("set -o history -o histexpand\n{script}"), &flagged)?;
        // Inside a command substitution, where the kept output of a command comes from.
        let each: Vec<String> = texts.iter().map(|it| single(it)).collect();
        let kept = format!("v=$(printf '%s.' {})\nwords \"$v\"", each.join(" "));
        let whole: String = texts.iter().map(|it| format!("{it}.")).collect();
        comes_back(&kept, &[whole])
    });
}

#[test]
fn quotes_are_left_off_only_where_nothing_needs_them() {
    trial::holds("texts with and without quotes", 3000, &text(), |text| {
        let word = single(&text);
        if word == text {
            let tame = |c: char| c.is_ascii_alphanumeric() || "-_./:,@=".contains(c);
            prop_assert!(
                !text.is_empty() && text.chars().all(tame),
                "{text:?} is bare"
            );
        } else {
            prop_assert_eq!(word, quoted(&text));
        }
        Ok(())
    });
}
