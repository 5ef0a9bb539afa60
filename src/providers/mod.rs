//! The catalogue of providers: one folder and one line for each.

pub mod aiven;
mod curl;
mod diagnosis;
pub mod kong;
pub mod timescale;

use crate::{
    http::Vendor,
    provider::{Flag, Provider, TokenKind},
};

/// All providers, in the order in which they are offered.
pub const ALL: [&Provider; 4] = [
    &aiven::PROJECT,
    &aiven::ORGANIZATION,
    &timescale::TIMESCALE,
    &kong::KONG_CONNECT,
];

/// The provider of this name.
#[must_use]
pub fn named(id: &str) -> Option<&'static Provider> {
    ALL.into_iter().find(|provider| provider.id == id)
}

/// The flags by which the providers are told what they have to be told, each once. None comes before one that some provider
/// is told first.
#[must_use]
pub fn flags() -> Vec<&'static Flag> {
    let ids = |provider: &'static Provider| provider.inputs.iter().map(|input| input.flag);
    let mut left: Vec<&Flag> = Vec::new();
    for flag in ALL.into_iter().flat_map(ids) {
        if !left.iter().any(|it| it.id == flag.id) {
            left.push(flag);
        }
    }
    let mut flags: Vec<&Flag> = Vec::new();
    while !left.is_empty() {
        let ready = |flag: &&'static Flag| {
            ALL.into_iter().all(|provider| {
                let before = ids(provider).take_while(|it| it.id != flag.id);
                let has = ids(provider).any(|it| it.id == flag.id);
                !has || before
                    .into_iter()
                    .all(|it| flags.iter().any(|flag| flag.id == it.id))
            })
        };
        // Two providers may be told the same in opposite orders; then the first goes first.
        let next = left.iter().position(ready).unwrap_or(0);
        flags.push(left.remove(next));
    }
    flags
}

/// The kinds of tokens, each once, as far as people can tell them apart.
#[must_use]
pub fn tokens() -> Vec<&'static TokenKind> {
    let mut tokens: Vec<&TokenKind> = Vec::new();
    for token in ALL.into_iter().map(|provider| provider.token) {
        if !tokens.iter().any(|it| it.variables == token.variables) {
            tokens.push(token);
        }
    }
    tokens
}

/// The providers' APIs, each once.
#[must_use]
pub fn vendors() -> Vec<&'static Vendor> {
    let mut vendors: Vec<&Vendor> = ALL.into_iter().map(|it| it.token.vendor).collect();
    vendors.dedup();
    vendors
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_flag_is_one_and_the_same_whoever_is_told_by_it() {
        let flags = flags();
        let ids: BTreeSet<&str> = flags.iter().map(|flag| flag.id).collect();
        assert_eq!(ids.len(), flags.len());
        for input in ALL.into_iter().flat_map(|provider| provider.inputs) {
            let flag = flags.iter().find(|flag| flag.id == input.flag.id);
            let flag = flag.expect("every flag is listed");
            assert_eq!(flag.help, input.flag.help);
            assert_eq!(flag.variable, input.flag.variable);
        }
    }

    #[test]
    fn a_flag_comes_after_those_that_are_asked_before_it() {
        let flags = flags();
        let at = |id: &str| flags.iter().position(|flag| flag.id == id);
        for provider in ALL {
            for pair in provider.inputs.windows(2) {
                assert!(at(pair[0].flag.id) < at(pair[1].flag.id), "{}", provider.id);
            }
        }
    }

    #[test]
    fn answers_and_facts_of_one_provider_are_all_different() {
        for provider in ALL {
            let answers: BTreeSet<&str> = provider.inputs.iter().map(|it| it.answer).collect();
            let facts: BTreeSet<&str> = provider.inputs.iter().map(|it| it.fact.name).collect();
            assert_eq!(answers.len(), provider.inputs.len(), "{}", provider.id);
            assert_eq!(facts.len(), provider.inputs.len(), "{}", provider.id);
        }
    }
}
