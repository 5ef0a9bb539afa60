//! Finds the answers before anything is changed: flag, environment, what can be detected, the only choice there is, the
//! prompt. Each answer keeps its origin; those that are missing are reported together.

mod answers;
mod azure;
pub mod choices;
mod dns;
mod given;
pub mod prompt;
mod provider;
pub mod token;

pub use answers::{Answers, facts_of, setting, shape_of};
pub use given::Given;
pub use provider::fact_name;

use crate::{
    clouds::Clouds,
    engine::Origin,
    error::{Error, Kind},
    providers::{self, Provider},
};
use prompt::{Choice, Prompt};
use std::{collections::BTreeMap, fmt::Write as _};

/// Sample values by the name of the answer, for a sandbox where nothing can be asked.
pub type Samples = BTreeMap<&'static str, String>;

/// What is needed to find answers.
pub struct Gather<'a> {
    /// What was typed and set.
    pub given: Given<'a>,
    /// The person, if there is one.
    pub prompt: &'a mut dyn Prompt,
    /// The sandbox's values, if it is one and nothing can be asked.
    pub samples: Samples,
    /// The answers so far.
    pub answers: Answers,
    /// The answers that nobody gave.
    pub missing: Vec<Absent>,
    /// What the person should know about what was given.
    pub notes: Vec<String>,
}

/// An answer that nobody gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Absent {
    /// The id of its argument in the catalogue.
    pub arg: &'static str,
    /// What is allowed, as far as it could be looked up.
    pub allowed: Vec<String>,
}

/// A prompt was left with Ctrl-C or Esc.
impl From<prompt::Cancelled> for Error {
    fn from(_: prompt::Cancelled) -> Self {
        Self::new(Kind::Interrupted, "stopped before anything was changed")
    }
}

impl Gather<'_> {
    /// The provider: the first question.
    ///
    /// # Errors
    /// When it is not given and cannot be asked.
    pub fn provider(&mut self) -> Result<Option<&'static Provider>, Error> {
        const NAME: &str = "PROVIDER";
        if self.take("provider", NAME)?.is_none() {
            let choices: Vec<Choice> = providers::ALL
                .iter()
                .map(|provider| Choice::new(provider.id, provider.title))
                .collect();
            let ids = providers::ALL.iter().map(|it| it.id.to_owned()).collect();
            let question = crate::cli::about("provider").help;
            match self.choose("provider", NAME, &question, &choices, ids)? {
                Some(id) => self.answers.set(NAME, id.value, id.from),
                None => return Ok(None),
            }
        }
        let id = self.answers.value(NAME).unwrap_or_default();
        Ok(providers::named(id))
    }

    /// Takes what a flag or variable gives, as the answer of this name.
    ///
    /// # Errors
    /// When it is given and empty.
    pub fn take(&mut self, arg: &str, name: &'static str) -> Result<Option<String>, Error> {
        let Some((value, from)) = self.given.one(arg)? else {
            return Ok(None);
        };
        self.answers.set(name, value.clone(), from);
        Ok(Some(value))
    }

    /// One of `values`: the sample, the only one there is, or what the person chooses; else it is missing.
    fn choose(
        &mut self,
        arg: &'static str,
        name: &'static str,
        question: &str,
        choices: &[Choice],
        values: Vec<String>,
    ) -> Result<Option<Chosen>, Error> {
        if let Some(sample) = self.samples.get(name) {
            return Ok(Some(Chosen::new(sample.clone(), Origin::Sample)));
        }
        if let [only] = values.as_slice() {
            return Ok(Some(Chosen::new(only.clone(), Origin::OnlyChoice)));
        }
        if self.prompt.can_ask() && !values.is_empty() {
            let index = self.prompt.select(question, choices)?;
            let value = values.into_iter().nth(index).unwrap_or_default();
            return Ok(Some(Chosen::new(value, Origin::Prompt)));
        }
        self.missing.push(Absent {
            arg,
            allowed: values,
        });
        Ok(None)
    }

    /// The error that names every missing answer, if there is one.
    ///
    /// # Errors
    /// When answers are missing.
    pub fn complete(&self) -> Result<(), Error> {
        if self.missing.is_empty() {
            return Ok(());
        }
        let count = self.missing.len();
        let mut text = if count == 1 {
            "1 answer is missing, and nothing can be asked".to_owned()
        } else {
            format!("{count} answers are missing, and nothing can be asked")
        };
        for Absent { arg, allowed } in &self.missing {
            let about = crate::cli::about(arg);
            let flag = format!("{} {}", about.flag, about.form);
            let variable = about.variable.unwrap_or_default();
            let _ = write!(text, "\n  {flag:<26} {variable:<26} {}", about.help);
            if !allowed.is_empty() {
                let _ = write!(text, " (one of: {})", allowed.join(", "));
            }
        }
        Err(Error::usage(text)
            .hint("give each by its flag or variable, or run it in a terminal to be asked"))
    }

    /// All the answers that this provider takes.
    ///
    /// # Errors
    /// When a given answer is no good, or a look-up failed.
    pub async fn all(&mut self, clouds: &Clouds, provider: &Provider) -> Result<(), Error> {
        azure::gather(self, clouds).await?;
        provider::gather(self, clouds, provider).await?;
        self.rest(provider)
    }

    /// The answers that a script needs, from what is given alone: no network, no sign-in.
    ///
    /// # Errors
    /// When a given answer is no good.
    pub fn offline(&mut self, provider: &Provider) -> Result<(), Error> {
        azure::offline(self)?;
        provider::offline(self, provider)?;
        self.rest(provider)
    }

    /// What has a default or is optional.
    fn rest(&mut self, provider: &Provider) -> Result<(), Error> {
        let own = [
            ("application", "APPLICATION"),
            ("application_id", "APPLICATION_ID"),
            ("grant_scope", "GRANT_SCOPE"),
            ("grant_role", "GRANT_ROLE"),
        ];
        for (arg, name) in own {
            if provider.own_application {
                self.take(arg, name)?;
            } else if self.given.by_flag(arg) {
                let flag = crate::cli::about(arg).flag;
                self.notes.push(format!(
                    "`{flag}` is left aside: {} needs no application of yours",
                    provider.name
                ));
            }
        }
        for (arg, name) in [
            ("provider_application_id", "PROVIDER_APPLICATION_ID"),
            ("peering_name", "PEERING_NAME"),
            ("role_name", "ROLE_NAME"),
        ] {
            self.take(arg, name)?;
        }
        Ok(())
    }
}

/// A value and where it came from.
struct Chosen {
    value: String,
    from: Origin,
}

impl Chosen {
    fn new(value: String, from: Origin) -> Self {
        Self { value, from }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ask::prompt::{Refuse, Script};

    fn gather(prompt: &mut dyn Prompt) -> Gather<'_> {
        Gather {
            given: Given::none(),
            prompt,
            samples: Samples::new(),
            answers: Answers::default(),
            missing: Vec::new(),
            notes: Vec::new(),
        }
    }

    #[test]
    fn every_missing_answer_is_named_with_its_flag_variable_and_values() {
        let mut refuse = Refuse;
        let mut gather = gather(&mut refuse);
        assert!(gather.provider().expect("no error yet").is_none());
        gather.missing.push(Absent {
            arg: "vnet",
            allowed: vec!["a".into(), "b".into()],
        });
        let text = gather.complete().expect_err("two are missing").to_string();
        for part in [
            "2 answers",
            "--provider",
            "PEER_WIZARD_PROVIDER",
            "aiven-project",
            "--vnet",
            "PEER_WIZARD_VNET",
            "one of: a, b",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
    }

    #[test]
    fn a_person_chooses_and_it_is_remembered() {
        let mut script = Script::new(["timescale"]);
        let mut gather = gather(&mut script);
        let provider = gather.provider().expect("answered").expect("known");
        assert_eq!(provider.id, "timescale");
        assert_eq!(gather.answers.from("PROVIDER"), Some(Origin::Prompt));
    }

    #[test]
    fn the_only_choice_is_taken_without_asking() {
        let mut script = Script::default();
        let mut gather = gather(&mut script);
        let chosen = gather
            .choose("vnet", "VNET_ID", "Which", &[], vec!["x".into()])
            .expect("no question")
            .expect("chosen");
        assert_eq!(chosen.from, Origin::OnlyChoice);
    }
}
