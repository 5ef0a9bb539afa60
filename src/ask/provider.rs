//! The answers about the provider's side, as its inputs say.

use super::{Absent, Gather, look_up_failed, prompt::Choice, token};
use crate::{
    clouds::Clouds,
    engine::Origin,
    error::Error,
    provider::{Asked, Flag, Input, List, Listed, Provider},
};

/// Finds what this provider has to be told.
pub(super) async fn gather(
    g: &mut Gather<'_>,
    w: &Clouds,
    provider: &Provider,
) -> Result<(), Error> {
    offline(g, provider)?;
    for input in provider.inputs {
        if g.answers.value(input.answer).is_none() {
            find(g, w, provider, input).await?;
        }
    }
    Ok(())
}

/// What is given, without looking anything up.
pub(super) fn offline(g: &mut Gather<'_>, provider: &Provider) -> Result<(), Error> {
    only_its_own(g, provider)?;
    for input in provider.inputs {
        if g.answers.value(input.answer).is_some() {
            continue;
        }
        if let Some(told) = g.given.inputs.of(input) {
            let answer = match (&input.flag.list, told.value.as_slice()) {
                (Some(list), values) => {
                    (list.join)(values).map_err(|error| Error::usage(error).hint(list.example))?
                }
                (None, [.., value]) if (input.is_answer)(value) => value.clone(),
                // What stands for it has to be looked up.
                (None, _) => continue,
            };
            g.answers.set(input.answer, answer, told.from);
        } else if let Some(sample) = g.sample(input.sample) {
            g.answers.set(input.answer, sample, Origin::Sample);
        } else if let Some(detected) = input.detected.and_then(|detect| detect()) {
            g.answers.set(input.answer, detected, Origin::Detected);
        }
    }
    Ok(())
}

/// A flag that another provider takes is a mistake; a variable may be set for other reasons.
fn only_its_own(g: &Gather<'_>, provider: &Provider) -> Result<(), Error> {
    let takes = |flag: &Flag| provider.inputs.iter().any(|it| it.flag.id == flag.id);
    match g.given.inputs.typed().find(|flag| !takes(flag)) {
        None => Ok(()),
        Some(flag) => {
            let (flag, id) = (flag.long(), provider.id);
            Err(
                Error::usage(format!("`{flag}` is not used with `--provider {id}`"))
                    .hint(format!("leave `{flag}` out, or choose another provider")),
            )
        }
    }
}

/// Whether look-ups at the provider are possible; asks for the token if that is all that is missing.
fn may_look(g: &mut Gather<'_>, w: &Clouds, provider: &Provider) -> Result<bool, Error> {
    if !w.has_provider_token() && g.prompt.can_ask() {
        w.use_provider_token(token::ask(g.prompt, provider.token)?);
    }
    Ok(w.has_provider_token())
}

fn absent(g: &mut Gather<'_>, input: &Input) {
    if input.default.is_none() {
        g.missing.push(Absent {
            about: input.flag.into(),
            allowed: Vec::new(),
        });
    }
}

/// Finds an answer that was not given: from a list of what there is, or by asking.
async fn find(
    g: &mut Gather<'_>,
    w: &Clouds,
    provider: &Provider,
    input: &Input,
) -> Result<(), Error> {
    let Some(choices) = input.choices else {
        return type_in(g, input);
    };
    let needed = input
        .needs
        .is_none_or(|name| g.answers.value(name).is_some());
    if !needed || !may_look(g, w, provider)? {
        absent(g, input);
        return Ok(());
    }
    let told = g.given.inputs.of(input);
    let listed = {
        let asked = Asked {
            clouds: w,
            answers: &g.answers.0,
            given: told.and_then(|it| it.value.last()).map(String::as_str),
        };
        let looked = g.looks.patiently(w, async || choices(asked).await).await;
        looked.map_err(|fault| look_up_failed("at the provider", fault))?
    };
    match listed {
        Listed::Nothing(error) => Err(error),
        Listed::Is(value) => {
            let from = told.map_or(Origin::Detected, |it| it.from);
            g.answers.set(input.answer, value, from);
            Ok(())
        }
        Listed::Choices(offers) => {
            let about = input.flag.into();
            if let Some(chosen) = g.choose(about, input.sample, offers)? {
                g.answers.set(input.answer, chosen.value, chosen.from);
            }
            Ok(())
        }
    }
}

/// Has an answer typed that is in no list.
fn type_in(g: &mut Gather<'_>, input: &Input) -> Result<(), Error> {
    if !g.prompt.can_ask() {
        absent(g, input);
        return Ok(());
    }
    let answer = if let Some(list) = &input.flag.list {
        put_together(g, input.flag, list)?
    } else {
        let check = |text: &str| parsed(input.flag, text).map(|_| ());
        let typed = g.prompt.text(input.flag.help, input.default, &check)?;
        (input.flag.parse)(&typed).map_err(Error::usage)?
    };
    g.answers.set(input.answer, answer, Origin::Prompt);
    Ok(())
}

fn parsed(flag: &Flag, text: &str) -> Result<String, String> {
    match (flag.parse)(text)? {
        value if value.is_empty() => Err("nothing was typed".into()),
        value => Ok(value),
    }
}

/// Has a list put together: add, remove, done.
fn put_together(g: &mut Gather<'_>, flag: &Flag, list: &List) -> Result<String, Error> {
    let mut values: Vec<String> = Vec::new();
    loop {
        let count = match values.len() {
            0 => list.none.to_owned(),
            count => format!("{count} in the list"),
        };
        let mut items = vec![
            Choice::new("Done", count),
            Choice::new(list.add.0, list.add.1),
        ];
        let remove = values
            .iter()
            .map(|it| Choice::new(format!("Remove {it}"), ""));
        items.extend(remove);
        match g.prompt.select(list.question, &items)? {
            0 => return (list.join)(&values).map_err(Error::usage),
            1 => {
                let with = |text: &str| -> Result<Vec<String>, String> {
                    let mut with = values.clone();
                    with.push(parsed(flag, text)?);
                    (list.join)(&with)?;
                    Ok(with)
                };
                let check = |text: &str| with(text).map(|_| ());
                let typed = g.prompt.text(flag.form, None, &check)?;
                values = with(&typed).map_err(Error::usage)?;
            }
            remove => {
                values.remove(remove - 2);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        ask::{Looks, prompt::Script},
        cli::Azure,
        engine::Pace,
        providers,
    };

    #[test]
    fn a_list_is_put_together_and_what_does_not_fit_is_asked_for_again() {
        let input = providers::ALL.into_iter().flat_map(|it| it.inputs);
        let mut lists = input.filter(|it| it.flag.list.is_some());
        let input = lists.next().expect("Kong has one");
        let list = input.flag.list.as_ref().expect("it is one");
        let mut script = Script::new([
            list.add.0,
            "10.0.0.4=Corp.example",
            "Remove 10.0.0.4=corp.example",
            list.add.0,
            "10.0.0.5=lab.example",
            list.add.0,
            "10.0.0.6=lab.example",
            "10.0.0.6=corp.example.",
            "Done",
        ]);
        let given = Azure::default();
        let looks = Looks {
            pace: Pace::REAL,
            observe: &|_, _| {},
        };
        let mut g = Gather::new(&given, &mut script, looks);
        type_in(&mut g, input).expect("answered");
        assert_eq!(
            g.answers.value(input.answer),
            Some("10.0.0.5=lab.example;10.0.0.6=corp.example")
        );
        assert_eq!(g.answers.from(input.answer), Some(Origin::Prompt));
    }
}
