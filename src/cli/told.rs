//! What was told, each answer with where it came from: the flags of `azure`, and those of the providers' inputs.

use crate::{
    engine::Origin,
    provider::{Flag, Input},
    providers,
};
use clap::{
    Arg, ArgAction, ArgMatches, Args, Command, Error, FromArgMatches, ValueEnum,
    builder::{EnumValueParser, TypedValueParser, ValueParser},
    parser::ValueSource,
};
use std::collections::BTreeMap;

/// A value and where it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told<T> {
    /// The value.
    pub value: T,
    /// Where it came from.
    pub from: Origin,
}

impl<T> Told<T> {
    /// What a flag says; clap does not tell a parser where its text comes from, so that is corrected afterwards.
    fn by_flag(value: T) -> Self {
        Self {
            value,
            from: Origin::Flag,
        }
    }
}

impl<T: Default> Default for Told<T> {
    fn default() -> Self {
        Self {
            value: T::default(),
            from: Origin::Default,
        }
    }
}

/// The parser of a text.
pub(super) fn told(
    parse: fn(&str) -> Result<String, String>,
) -> impl Fn(&str) -> Result<Told<String>, String> + Clone {
    move |text| parse(text).map(Told::by_flag)
}

/// The parser of one of several words.
pub(super) fn word_told<T: ValueEnum + Clone + Send + Sync + 'static>() -> impl TypedValueParser {
    EnumValueParser::<T>::new().map(Told::by_flag)
}

/// Where the value of an argument came from.
pub(super) fn origin(matches: &ArgMatches, id: &str) -> Origin {
    match matches.value_source(id) {
        Some(ValueSource::CommandLine) => Origin::Flag,
        Some(ValueSource::EnvVariable) => Origin::Environment,
        _ => Origin::Default,
    }
}

/// What the flags of the providers' inputs say. There is one for each of [`providers::flags`].
#[derive(Clone, Debug, Default)]
pub struct Inputs {
    told: BTreeMap<&'static str, Told<Vec<String>>>,
    /// A flag that was given with nothing in it.
    pub(super) empty: Option<&'static str>,
}

impl Inputs {
    /// What was said about an input; of several values where it may be repeated.
    #[must_use]
    pub fn of(&self, input: &Input) -> Option<&Told<Vec<String>>> {
        self.told.get(input.flag.id)
    }

    /// The flags that were typed; a variable may be set for other reasons.
    pub fn typed(&self) -> impl Iterator<Item = &'static Flag> {
        let typed = |id: &str| self.told.get(id).is_some_and(|it| it.from == Origin::Flag);
        providers::flags()
            .into_iter()
            .filter(move |flag| typed(flag.id))
    }
}

fn arg(flag: &'static Flag) -> Arg {
    let action = match flag.list {
        Some(_) => ArgAction::Append,
        None => ArgAction::Set,
    };
    let arg = Arg::new(flag.id)
        .long(flag.id)
        .value_name(flag.form)
        .help(flag.help)
        .action(action)
        .value_parser(ValueParser::new(flag.parse));
    match flag.variable {
        Some(variable) => arg.env(variable),
        None => arg,
    }
}

impl Args for Inputs {
    fn augment_args(command: Command) -> Command {
        command.args(providers::flags().into_iter().map(arg))
    }
    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Inputs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let mut inputs = Self::default();
        for flag in providers::flags() {
            let Some(values) = matches.get_many::<String>(flag.id) else {
                continue;
            };
            let (value, from) = (
                values.cloned().collect::<Vec<_>>(),
                origin(matches, flag.id),
            );
            if value.iter().any(String::is_empty) {
                if from == Origin::Flag {
                    inputs.empty = inputs.empty.or(Some(flag.id));
                }
                continue;
            }
            inputs.told.insert(flag.id, Told { value, from });
        }
        Ok(inputs)
    }
    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}
