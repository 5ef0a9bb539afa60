//! Finds the answers before anything is changed: flag, environment, what can be detected, the only choice there is, the
//! prompt. Each answer keeps its origin; those that are missing are reported together.

mod answers;
mod azure;
pub mod prompt;
mod provider;
pub mod token;

pub use azure::aim;

pub use answers::{Answers, Begins, Labelled, Line, facts_of, labelled, setting, settle, shape_of};

use crate::{
    azure::Fault,
    cli::{self, About, Told},
    clouds::Clouds,
    engine::{Cx, Observe, Origin, Pace},
    error::{Error, Kind},
    fact::Facts,
    http::ApiError,
    provider::{Offer, Provider},
    providers,
};
use prompt::{Choice, Prompt};
use std::{collections::BTreeMap, fmt::Write as _};

/// Sample values by name, for a sandbox where nothing can be asked.
pub type Samples = BTreeMap<String, String>;

/// How look-ups are repeated that fail in passing, and who is told of it.
#[derive(Clone, Copy)]
pub struct Looks<'a> {
    /// How fast.
    pub pace: Pace,
    /// Who is told.
    pub observe: &'a Observe<'a>,
}

impl Looks<'_> {
    async fn patiently<T>(
        &self,
        clouds: &Clouds,
        work: impl AsyncFn() -> Result<T, ApiError>,
    ) -> Result<T, Fault> {
        let mut cx = Cx::looking(clouds, Facts::default(), self.pace, self.observe);
        cx.patiently(async |_| Ok(work().await?)).await
    }
}

/// What is needed to find answers.
pub struct Gather<'a> {
    /// What was typed and set.
    pub given: &'a cli::Azure,
    /// The person, if there is one.
    pub prompt: &'a mut dyn Prompt,
    /// How things are looked up.
    pub looks: Looks<'a>,
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
    /// What the catalogue says about it.
    pub about: About,
    /// What is allowed, as far as it could be looked up.
    pub allowed: Vec<String>,
}

fn look_up_failed(place: &str, fault: Fault) -> Error {
    let error = Error::of_fault(format!("cannot look up the choices {place}"), fault);
    match error.kind {
        Kind::SignIn => error,
        _ => Error {
            kind: Kind::Refused,
            ..error
        },
    }
}

/// A prompt was left with Ctrl-C or Esc.
impl From<prompt::Cancelled> for Error {
    fn from(_: prompt::Cancelled) -> Self {
        Self::new(Kind::Interrupted, "stopped before anything was changed")
    }
}

impl<'a> Gather<'a> {
    /// Nothing is found yet.
    pub fn new(given: &'a cli::Azure, prompt: &'a mut dyn Prompt, looks: Looks<'a>) -> Self {
        Self {
            given,
            prompt,
            looks,
            samples: Samples::new(),
            answers: Answers::default(),
            missing: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// The provider: the first question.
    ///
    /// # Errors
    /// When a flag is empty, or the prompt was left.
    pub fn provider(&mut self) -> Result<Option<&'static Provider>, Error> {
        const NAME: &str = "PROVIDER";
        if let Some(id) = self.given.empty {
            let flag = id.replace('_', "-");
            return Err(Error::usage(format!("`--{flag}` is empty"))
                .hint("give it a value, or leave it out"));
        }
        self.take(NAME, self.given.provider.as_ref());
        if self.answers.value(NAME).is_none() {
            let offer = |provider: &&Provider| Offer {
                value: provider.id.into(),
                label: provider.id.into(),
                note: provider.title.into(),
            };
            let offers = providers::ALL.iter().map(offer).collect();
            match self.choose(cli::about("provider"), Some("provider"), offers)? {
                Some(id) => self.answers.set(NAME, id.value, id.from),
                None => return Ok(None),
            }
        }
        let id = self.answers.value(NAME).unwrap_or_default();
        Ok(providers::named(id))
    }

    /// Counts the VNet as missing unless it is given; every provider needs it.
    pub fn need_vnet(&mut self) {
        if self.given.vnet.is_none() {
            self.missing.push(Absent {
                about: cli::about("vnet"),
                allowed: Vec::new(),
            });
        }
    }

    /// Takes what a flag or variable gives, as the answer of this name.
    fn take(&mut self, name: &str, told: Option<&Told<String>>) {
        if let Some(Told { value, from }) = told {
            self.answers.set(name, value.clone(), *from);
        }
    }

    fn sample(&self, name: Option<&str>) -> Option<String> {
        self.samples.get(name?).cloned()
    }

    /// One of those offered: the sample, the only one there is, or what the person chooses; else it is missing.
    fn choose(
        &mut self,
        about: About,
        sample: Option<&str>,
        offers: Vec<Offer>,
    ) -> Result<Option<Chosen>, Error> {
        if let Some(sample) = self.sample(sample) {
            return Ok(Some(Chosen::new(sample, Origin::Sample)));
        }
        if let [only] = offers.as_slice() {
            return Ok(Some(Chosen::new(only.value.clone(), Origin::OnlyChoice)));
        }
        let choice = |offer: &Offer| Choice::new(&offer.label, &offer.note);
        if self.prompt.can_ask() && !offers.is_empty() {
            let choices: Vec<Choice> = offers.iter().map(choice).collect();
            let index = self.prompt.select(&about.help, &choices)?;
            let offer = offers.into_iter().nth(index);
            let value = offer.map(|offer| offer.value).unwrap_or_default();
            return Ok(Some(Chosen::new(value, Origin::Prompt)));
        }
        self.missing.push(Absent {
            about,
            allowed: offers.into_iter().map(|offer| offer.value).collect(),
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
        for Absent { about, allowed } in &self.missing {
            let flag = format!("{} {}", about.flag, about.form);
            let variable = about.variable.as_deref().unwrap_or_default();
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
        self.rest(provider);
        Ok(())
    }

    /// The answers that a script needs, from what is given alone: no network, no sign-in.
    ///
    /// # Errors
    /// When a given answer is no good.
    pub fn offline(&mut self, provider: &Provider) -> Result<(), Error> {
        azure::offline(self)?;
        provider::offline(self, provider)?;
        self.rest(provider);
        Ok(())
    }

    /// What has a default or is optional.
    fn rest(&mut self, provider: &Provider) {
        let given = self.given;
        let word = |value: String, from: Origin| Some(Told { value, from });
        let (scope, role) = (&given.grant_scope, &given.grant_role);
        let credential = &given.credential;
        let own = [
            ("application", "APPLICATION", given.application.clone()),
            (
                "application-id",
                "APPLICATION_ID",
                given.application_id.clone(),
            ),
            (
                "credential",
                "CREDENTIAL",
                word(cli::word(&credential.value), credential.from),
            ),
            (
                "grant-scope",
                "GRANT_SCOPE",
                word(cli::word(&scope.value), scope.from),
            ),
            (
                "grant-role",
                "GRANT_ROLE",
                word(cli::word(&role.value), role.from),
            ),
        ];
        for (flag, name, told) in own {
            if provider.own_application {
                self.take(name, told.as_ref());
            } else if told.is_some_and(|told| told.from == Origin::Flag) {
                self.notes.push(format!(
                    "`--{flag}` is not used: {} needs no application of yours",
                    provider.name
                ));
            }
        }
        let id = given.provider_application_id.as_ref();
        self.take("PROVIDER_APPLICATION_ID", id);
        self.take("PEERING_NAME", given.peering_name.as_ref());
        self.take("ROLE_NAME", given.role_name.as_ref());
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
    use crate::{
        ask::prompt::{Refuse, Script},
        cli::Azure,
        engine::Event,
    };

    fn nobody(_: &Event<'_>, _: Option<&str>) {}

    const LOOKS: Looks<'_> = Looks {
        pace: Pace::REAL,
        observe: &nobody,
    };

    #[test]
    fn every_missing_answer_is_named_with_its_flag_variable_and_values() {
        let mut refuse = Refuse;
        let given = Azure::default();
        let mut gather = Gather::new(&given, &mut refuse, LOOKS);
        assert!(gather.provider().expect("no error yet").is_none());
        gather.missing.push(Absent {
            about: cli::about("vnet"),
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
        let given = Azure::default();
        let mut gather = Gather::new(&given, &mut script, LOOKS);
        let provider = gather.provider().expect("answered").expect("known");
        assert_eq!(provider.id, "timescale");
        assert_eq!(gather.answers.from("PROVIDER"), Some(Origin::Prompt));
    }

    #[test]
    fn the_only_choice_is_taken_without_asking() {
        let mut script = Script::default();
        let given = Azure::default();
        let mut gather = Gather::new(&given, &mut script, LOOKS);
        let chosen = gather
            .choose(
                cli::about("vnet"),
                None,
                vec![Offer {
                    value: "x".into(),
                    label: "x".into(),
                    note: String::new(),
                }],
            )
            .expect("no question")
            .expect("chosen");
        assert_eq!(chosen.from, Origin::OnlyChoice);
    }
}
