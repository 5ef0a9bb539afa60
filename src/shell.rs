//! Commands that a person would type for a step: words, not text, so that quoting is done in one place.
//!
//! Values are shell variables named after their facts (`${USER_APP_ID}`); no value is ever pasted into a command.

use crate::fact::Key;
use std::time::Duration;

/// One command of a script.
#[derive(Clone, Debug)]
pub struct Cmd {
    words: Vec<Word>,
    prints: Option<Capture>,
    patience: Option<Patience>,
}

#[derive(Clone, Debug)]
enum Word {
    /// Goes into the script as it is: program names, sub-commands, flags.
    Bare(String),
    /// Text in which `${NAME}` stands for a fact; everything else is quoted.
    Text(String),
    /// The same in lower case.
    Lower(String),
    /// Bash that quotes for itself, such as a call of one of the script's functions.
    Bash(String),
}

/// What of a command's output is kept, and under which name.
#[derive(Clone, Debug)]
struct Capture {
    variable: &'static str,
    /// It is kept in memory only, so it must not be printed.
    secret: bool,
    query: Option<String>,
}

/// How long a command is tried again while it fails, and why it may.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For the person: what is being waited out.
    pub because: &'static str,
    /// The longest time.
    pub limit: Duration,
}

/// What a person would type for one step.
#[derive(Clone, Debug, Default)]
pub struct Shell {
    /// Prints the object's id when it is there, and nothing when it is not.
    pub find: Option<Cmd>,
    /// Makes it.
    pub create: Vec<Cmd>,
    /// Deletes it; a missing object is no error.
    pub delete: Vec<Cmd>,
    /// Waits for a state.
    pub wait: Option<Wait>,
    /// Bash functions that the commands use; each is printed once, at the top of the script.
    pub functions: Vec<&'static str>,
}

/// A loop that ends when a command prints one of some words.
#[derive(Clone, Debug)]
pub struct Wait {
    /// Prints the state.
    pub state: Cmd,
    /// States that end the wait well.
    pub reached: &'static [&'static str],
    /// States that end it badly.
    pub refused: &'static [&'static str],
    /// The longest wait.
    pub limit: Duration,
}

/// An `az` command: `az("ad app create")`.
#[must_use]
pub fn az(words: &str) -> Cmd {
    Cmd::program("az", words)
}

/// An `avn` command.
#[must_use]
pub fn avn(words: &str) -> Cmd {
    Cmd::program("avn", words)
}

/// A call of one of the script's own functions.
#[must_use]
pub fn call(function: &str) -> Cmd {
    Cmd::program(function, "")
}

impl Cmd {
    fn program(program: &str, words: &str) -> Self {
        Self {
            words: std::iter::once(program)
                .chain(words.split_ascii_whitespace())
                .map(|word| Word::Bare(word.into()))
                .collect(),
            prints: None,
            patience: None,
        }
    }

    /// A flag without a value.
    #[must_use]
    pub fn flag(mut self, flag: &str) -> Self {
        self.words.push(Word::Bare(flag.into()));
        self
    }

    /// A positional value.
    #[must_use]
    pub fn arg(mut self, value: impl Into<String>) -> Self {
        self.words.push(Word::Text(value.into()));
        self
    }

    /// A flag and its value.
    #[must_use]
    pub fn opt(self, flag: &str, value: impl Into<String>) -> Self {
        self.flag(flag).arg(value)
    }

    /// A flag and its value in lower case.
    #[must_use]
    pub fn opt_lower(self, flag: &str, value: impl Into<String>) -> Self {
        let mut cmd = self.flag(flag);
        cmd.words.push(Word::Lower(value.into()));
        cmd
    }

    /// A flag and bash that yields its value and quotes for itself.
    #[must_use]
    pub fn opt_bash(self, flag: &str, bash: impl Into<String>) -> Self {
        self.flag(flag).bash(bash)
    }

    /// Bash that quotes for itself.
    #[must_use]
    pub fn bash(mut self, bash: impl Into<String>) -> Self {
        self.words.push(Word::Bash(bash.into()));
        self
    }

    /// Keeps what the `JMESPath` query selects of an `az` command's output under the fact's name.
    #[must_use]
    pub fn yields<T>(mut self, key: Key<T>, query: impl Into<String>) -> Self {
        self.prints = Some(Capture {
            variable: key.name,
            secret: key.ephemeral,
            query: Some(query.into()),
        });
        self
    }

    /// Keeps all that the command prints under the fact's name.
    #[must_use]
    pub fn prints<T>(mut self, key: Key<T>) -> Self {
        self.prints = Some(Capture {
            variable: key.name,
            secret: key.ephemeral,
            query: None,
        });
        self
    }

    /// Tries again while it fails: what was just made may not be known everywhere.
    #[must_use]
    pub fn patient(mut self, because: &'static str, limit: Duration) -> Self {
        self.patience = Some(Patience { because, limit });
        self
    }

    /// The variable that the command's output is kept in.
    #[must_use]
    pub fn variable(&self) -> Option<&'static str> {
        self.prints.as_ref().map(|capture| capture.variable)
    }

    /// The variable that may be shown.
    #[must_use]
    pub fn shown(&self) -> Option<&'static str> {
        let capture = self.prints.as_ref().filter(|capture| !capture.secret)?;
        Some(capture.variable)
    }

    /// The command as one line of bash, without the assignment around it.
    #[must_use]
    pub fn bash_words(&self) -> String {
        let mut words: Vec<String> = Vec::new();
        if let Some(Patience { because, limit }) = self.patience {
            words.push(format!("retry {} {}", limit.as_secs(), single(because)));
        }
        words.extend(self.words.iter().map(|word| match word {
            Word::Bare(text) | Word::Bash(text) => text.clone(),
            Word::Text(text) => double(text),
            Word::Lower(text) => format!("\"$(lower {})\"", double(text)),
        }));
        if let Some(Word::Bare(program)) = self.words.first()
            && program == "az"
        {
            words.push(match &self.prints {
                Some(Capture {
                    query: Some(query), ..
                }) => format!("--query {} --output tsv", double(query)),
                Some(_) => "--output tsv".into(),
                None => "--output none".into(),
            });
        }
        words.join(" ")
    }

    /// The command as a statement: with the assignment when its output is kept.
    #[must_use]
    pub fn statement(&self) -> String {
        match self.variable() {
            Some(variable) => format!("{variable}=$({})", self.bash_words()),
            None => self.bash_words(),
        }
    }
}

impl Shell {
    /// The variables that running the step sets and that may be shown.
    pub fn shown(&self) -> impl Iterator<Item = &'static str> {
        self.find.iter().chain(&self.create).filter_map(Cmd::shown)
    }

    /// The variables that running the step sets.
    pub fn yielded(&self) -> impl Iterator<Item = &'static str> {
        self.find
            .iter()
            .chain(&self.create)
            .filter_map(Cmd::variable)
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

/// One shell word in single quotes, whatever it holds.
#[must_use]
pub fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// One shell word in which `${NAME}` expands and nothing else does.
fn double(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        let (before, after) = rest.split_at(at);
        escape(before, &mut out);
        let end = after.find('}').map_or(after.len(), |end| end + 1);
        out.push_str(&after[..end]);
        rest = &after[end..];
    }
    if out.is_empty() && rest == text {
        return single(text);
    }
    escape(rest, &mut out);
    format!("\"{out}\"")
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

    const ID: Key<String> = Key::durable("ID");

    #[test]
    fn words_are_quoted_only_where_needed() {
        assert_eq!(single("plain-1.2"), "plain-1.2");
        assert_eq!(single("it's $5"), r"'it'\''s $5'");
        assert_eq!(single(""), "''");
        assert_eq!(double("${A}/x \"$y\""), r#""${A}/x \"\$y\"""#);
        assert_eq!(double("a b"), "'a b'");
    }

    #[test]
    fn az_says_how_its_output_is_used() {
        assert_eq!(
            az("ad app delete").opt("--id", "${ID}").statement(),
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
