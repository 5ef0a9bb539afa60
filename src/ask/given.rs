//! What was typed and what the environment sets, each with its origin.

use crate::{engine::Origin, error::Error};
use clap::{ArgMatches, parser::ValueSource};

/// The arguments of one command.
#[derive(Clone, Copy)]
pub struct Given<'a> {
    matches: Option<&'a ArgMatches>,
}

impl<'a> Given<'a> {
    /// Those that clap matched.
    #[must_use]
    pub fn new(matches: &'a ArgMatches) -> Self {
        Self {
            matches: Some(matches),
        }
    }

    /// Nothing was given.
    #[must_use]
    pub fn none() -> Self {
        Self { matches: None }
    }

    /// The value of an argument and where it came from. An empty variable counts as not set.
    ///
    /// # Errors
    /// When a flag was given with nothing in it.
    pub fn one(self, arg: &str) -> Result<Option<(String, Origin)>, Error> {
        let Some((mut values, from)) = self.raw(arg) else {
            return Ok(None);
        };
        let value = values.drain(..).next_back().unwrap_or_default();
        match (value.is_empty(), from) {
            (false, from) => Ok(Some((value, from))),
            (true, Origin::Environment) => Ok(None),
            (true, _) => Err(
                Error::usage(format!("`{}` is empty", crate::cli::about(arg).flag))
                    .hint("give it a value, or leave it out"),
            ),
        }
    }

    /// All values of an argument that can be repeated.
    #[must_use]
    pub fn many(self, arg: &str) -> Vec<String> {
        self.raw(arg).map(|(values, _)| values).unwrap_or_default()
    }

    /// Whether a flag gives the argument.
    #[must_use]
    pub fn by_flag(self, arg: &str) -> bool {
        self.raw(arg).is_some_and(|(_, from)| from == Origin::Flag)
    }

    fn raw(self, arg: &str) -> Option<(Vec<String>, Origin)> {
        let matches = self.matches?;
        let from = match matches.value_source(arg)? {
            ValueSource::CommandLine => Origin::Flag,
            ValueSource::EnvVariable => Origin::Environment,
            _ => Origin::Default,
        };
        let raw = matches.get_raw(arg)?;
        Some((
            raw.map(|value| value.to_string_lossy().trim().to_owned())
                .collect(),
            from,
        ))
    }
}
