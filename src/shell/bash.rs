//! Bash: how words are quoted and commands written.

use super::{Cmd, Keeps, Part, Patience, Program, Text, Word};
use crate::visible::is_hidden;

impl Cmd {
    /// The command as one line of bash, without the assignment around it.
    #[must_use]
    pub fn bash_words(&self) -> String {
        let bare = self.bare_words();
        match self.output() {
            Some(output) => format!("{bare} {output}"),
            None => bare,
        }
    }

    /// The same without what says how its output is printed: whoever runs it decides about that.
    fn bare_words(&self) -> String {
        let mut words: Vec<String> = Vec::new();
        if let Some(Patience { because, limit }) = self.patience {
            words.push(format!("retry {} {}", limit.as_secs(), single(because)));
        }
        words.push(
            match self.program {
                Program::Az => "az",
                Program::Avn => "avn",
                Program::Helper(helper) => helper.name,
            }
            .into(),
        );
        words.extend(self.words.iter().map(|word| match word {
            Word::Bare(text) => text.clone(),
            Word::Text(text) => text.bash(),
            Word::Command(command) => command.bare_words(),
            Word::Quiet => ">/dev/null".into(),
        }));
        words.join(" ")
    }

    /// `az` has to be told what to print.
    fn output(&self) -> Option<String> {
        if !matches!(self.program, Program::Az) {
            return None;
        }
        Some(match &self.keeps {
            Some(Keeps {
                query: Some(query), ..
            }) => format!("--query {} --output tsv", query.bash()),
            Some(_) => "--output tsv".into(),
            None => "--output none".into(),
        })
    }

    /// The command as a statement: with the assignment when its output is kept.
    #[must_use]
    pub fn statement(&self) -> String {
        match self.kept() {
            Some(variable) => format!("{}=$({})", variable.name, self.bash_words()),
            None => self.bash_words(),
        }
    }
}

impl Text {
    /// One word of bash.
    #[must_use]
    pub fn bash(&self) -> String {
        let mut literal = String::new();
        let mut out = String::new();
        let mut fixed = true;
        for part in self.parts() {
            match part {
                Part::Literal(text) => {
                    literal.push_str(text);
                    escape(text, &mut out);
                }
                Part::Fact(named) => {
                    fixed = false;
                    out.push_str(&format!("${{{}}}", named.name));
                }
                Part::Call(helper, words) => {
                    fixed = false;
                    let words = words.iter().map(|word| format!(" {}", word.bash()));
                    out.push_str(&format!("$({}{})", helper.name, words.collect::<String>()));
                }
            }
        }
        if fixed {
            single(&literal)
        } else {
            format!("\"{out}\"")
        }
    }
}

/// One shell word in single quotes, whatever it holds; bare when it needs none.
#[must_use]
pub fn single(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:,@=".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.into()
    } else {
        quoted(text)
    }
}

/// One shell word in single quotes, whatever it holds. What a reader would not see is written out, byte by byte, so that it is
/// the same in any locale; so are then the few signs that older shells stumble over in such quotes.
#[must_use]
pub fn quoted(text: &str) -> String {
    if !text.contains(is_hidden) {
        return format!("'{}'", text.replace('\'', r"'\''"));
    }
    let mut out = "$'".to_owned();
    for char in text.chars() {
        if is_hidden(char) || matches!(char, '\'' | '\\' | '!') {
            for byte in char.encode_utf8(&mut [0; 4]).bytes() {
                out.push_str(&format!("\\x{byte:02x}"));
            }
        } else {
            out.push(char);
        }
    }
    out.push('\'');
    out
}

fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        if matches!(c, '"' | '\\' | '`' | '$') {
            out.push('\\');
        }
        out.push(c);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        fact::Key,
        shell::{avn, az, helpers},
        text,
    };
    use std::time::Duration;

    const ID: Key<String> = Key::new("ID");

    #[test]
    fn words_are_quoted_only_where_needed() {
        assert_eq!(single("plain-1.2"), "plain-1.2");
        assert_eq!(single("it's $5"), r"'it'\''s $5'");
        assert_eq!(single(""), "''");
        assert_eq!(text![ID, "/x \"$y\""].bash(), r#""${ID}/x \"\$y\"""#);
        assert_eq!(text!["a b"].bash(), "'a b'");
        let lower = Text::call(&helpers::LOWER, [ID.into()]);
        assert_eq!(text!["x", lower].bash(), r#""x$(lower "${ID}")""#);
    }

    #[test]
    fn az_says_how_its_output_is_used() {
        assert_eq!(
            az("ad app delete").opt("--id", ID).statement(),
            r#"az ad app delete --id "${ID}" --output none"#
        );
        assert_eq!(
            az("ad app list").yields(ID, "[0].id").statement(),
            "ID=$(az ad app list --query '[0].id' --output tsv)"
        );
    }

    #[test]
    fn a_patient_command_is_wrapped() {
        let cmd = avn("vpc list").patient("it is slow", Duration::from_secs(60));
        assert_eq!(cmd.statement(), "retry 60 'it is slow' avn vpc list");
    }
}
