//! Looks before anything is changed: the checks, what of the flow is there already, and the page that shows it.

use super::{context::Context, session::Session};
use crate::{
    ask::{labelled, prompt::Prompt},
    azure::{Fault, Flow},
    clouds::Clouds,
    engine::{About, Answer, Begun, Consent, Cx, Observe, Refusal, Sought, Step},
    error::{Error, Kind},
    fact::Facts,
    http::hints,
    provider::Provider,
    view::preview::{Mark, PlanLine, Preview, Row},
};
use std::collections::{BTreeMap, BTreeSet};

/// What the looks found.
pub struct Plan {
    /// The facts, with what the checks added.
    pub facts: Facts,
    /// The goal is reached already.
    pub done: Option<String>,
    /// For each step, what is said of its object, if that is there.
    pub there: Vec<Option<String>>,
    /// What the run that begins now need not look for.
    pub begun: Begun,
}

/// Runs the checks, then looks for each object whose name is known already. What is in the way and may be removed is
/// removed only if the person `agrees`.
///
/// # Errors
/// One error that lists every problem.
pub async fn look(
    context: &Context<'_>,
    session: &Session,
    flow: &Flow,
    mut facts: Facts,
    agrees: &mut dyn FnMut(&Consent) -> Result<bool, Error>,
) -> Result<Plan, Error> {
    let observe = context.stream.looks();
    let mut problems: Vec<String> = Vec::new();
    let mut done = None;
    let mut missed = BTreeSet::new();
    let cx = looking(session, &facts, &observe);
    for (check, verdict) in flow.checks.iter().zip(flow.examine(&cx).await) {
        match verdict {
            Ok(verdict) => {
                facts.absorb(verdict.facts);
                missed.extend(verdict.missed);
                done = done.or(verdict.done);
                for note in verdict.notes {
                    context.stream.note(&note);
                }
                for consent in verdict.consents {
                    if agrees(&consent)? {
                        facts.absorb(consent.facts);
                    } else {
                        problems.push(consent.otherwise);
                    }
                }
                for problem in verdict.problems {
                    if !problems.contains(&problem) {
                        problems.push(problem);
                    }
                }
            }
            Err(fault) => problems.push(problem(check.title(), fault)?),
        }
    }
    let mut there = Vec::new();
    if problems.is_empty() && done.is_none() {
        let mut sought = flow
            .seek(&looking(session, &facts, &observe), &missed)
            .await;
        // What a person lets be may be used by the steps after it, which may ask too.
        for _ in &flow.steps {
            let Some(consent) = sought.iter().find_map(asks) else {
                break;
            };
            if !agrees(consent)? {
                break;
            }
            facts.absorb(consent.facts.clone());
            sought = flow
                .seek(&looking(session, &facts, &observe), &missed)
                .await;
        }
        for (step, sought) in flow.steps.iter().zip(sought) {
            there.push(match &sought {
                Ok(Sought::There(known)) => Some(known.says.clone()),
                _ => None,
            });
            match sought {
                Ok(Sought::There(_) | Sought::Unknown) => {}
                Ok(Sought::Missed) => {
                    missed.insert(step.about().id);
                }
                Err(fault) => problems.push(problem(&step.about().title, fault)?),
            }
        }
    }
    if problems.is_empty() {
        return Ok(Plan {
            facts,
            done,
            there,
            begun: Begun { missed },
        });
    }
    Err(refuse(&problems))
}

fn looking<'a>(session: &'a Session, facts: &Facts, observe: &'a Observe<'a>) -> Cx<'a, Clouds> {
    let cx = Cx::looking(&session.clouds, facts.clone(), session.pace, observe);
    cx.of_a_new_run()
}

/// Whether the person agrees; where nobody can be asked, the flag that stands for a yes is the answer.
///
/// # Errors
/// When the question cannot be put.
pub fn agreed(prompt: &mut dyn Prompt, consent: &Consent) -> Result<bool, Error> {
    if !prompt.can_ask() {
        return Ok(consent.by_flag.is_some());
    }
    Ok(prompt.confirm(&consent.question, false)?)
}

/// What a look asks a person about.
fn asks(sought: &Result<Sought, Fault>) -> Option<&Consent> {
    match sought {
        Err(Fault::Refused(Refusal { asks, .. })) => asks.as_deref(),
        _ => None,
    }
}

/// One message that lists every problem.
fn refuse(problems: &[String]) -> Error {
    let text = match problems {
        [one] => format!("cannot begin: {one}"),
        many => {
            let list: Vec<String> = many.iter().map(|it| format!("\n  - {it}")).collect();
            format!("cannot begin, for {} reasons:{}", many.len(), list.concat())
        }
    };
    Error::new(Kind::Refused, text).hint("nothing was changed")
}

/// A fault of a look as one sentence.
///
/// # Errors
/// When it is about the sign-in, which has an exit code of its own, or about this program.
fn problem(title: &str, fault: Fault) -> Result<String, Error> {
    match fault {
        Fault::World(error) if error.is_sign_in() => {
            Err(Error::of_api(format!("cannot look at the {title}"), error))
        }
        Fault::World(error) => {
            let hints = hints::of(&error);
            let mut text = format!("{title}: {error}");
            if let Some(hint) = hints.first() {
                text = format!("{text}; {hint}");
            }
            Ok(text)
        }
        Fault::Refused(refusal) => {
            let mut text = format!("{title}: {}", refusal.message);
            if !refusal.hints.is_empty() {
                text = format!("{text}; {}", refusal.hints.join("; "));
            }
            Ok(text)
        }
        fault => Err(Error::of_fault(
            format!("cannot look at the {title}"),
            fault,
        )),
    }
}

/// The page that is shown before anything is changed.
pub fn preview(
    provider: &Provider,
    flow: &Flow,
    answers: &BTreeMap<String, Answer>,
    plan: &Plan,
) -> Preview {
    let mut needs: Vec<String> = Vec::new();
    let lines = flow
        .steps
        .iter()
        .zip(&plan.there)
        .map(|(step, there)| {
            let about = step.about();
            for need in about.permissions {
                if !needs.iter().any(|it| it == need) {
                    needs.push((*need).to_owned());
                }
            }
            let (mark, note, detail) = match (step, there) {
                (Step::Wait(_) | Step::Release(_), _) => (Mark::Wait, usually(step), ""),
                (Step::Ensure(_), Some(says)) => (
                    Mark::Found,
                    "already there; will be left on undo".to_owned(),
                    says.as_str(),
                ),
                (Step::Ensure(ensure), None) => {
                    (Mark::Create, "new".to_owned(), ensure.unknown_before())
                }
            };
            PlanLine {
                detail: detail.into(),
                ..line(about, mark, note)
            }
        })
        .collect();
    let (from, to) = ends(provider, &plan.facts);
    Preview {
        verb: "Connect".into(),
        from,
        to,
        rows: rows(provider, answers, &plan.facts),
        lines,
        needs,
        held: None,
        question: "Proceed?".into(),
    }
}

/// One step of a page.
pub fn line(about: About, mark: Mark, note: impl Into<String>) -> PlanLine {
    let About {
        id: _,
        title,
        why,
        link,
        permissions,
    } = about;
    PlanLine {
        mark,
        title,
        detail: String::new(),
        note: note.into(),
        why: why.into(),
        link: link.into(),
        permissions: permissions.iter().map(|it| (*it).into()).collect(),
    }
}

/// How long a step that waits usually takes.
pub fn usually(step: &Step<Clouds>) -> String {
    match step {
        Step::Wait(wait) => format!("usually {}", wait.usual().words),
        Step::Release(_) => "usually seconds".into(),
        Step::Ensure(_) => String::new(),
    }
}

/// The two ends in a person's words.
pub fn ends(provider: &Provider, facts: &Facts) -> (String, String) {
    let mut from = facts
        .text("USER_VNET_NAME")
        .unwrap_or("your VNet")
        .to_owned();
    if let Some(ranges) = facts.text("USER_VNET_RANGES") {
        from = format!("{from} ({ranges})");
    }
    let mut to = provider.title.to_owned();
    for input in provider.inputs {
        if let Some(name) = facts.text(input.fact.name)
            && !name.is_empty()
        {
            to = format!("{to} {name}");
        }
    }
    if let Some(range) = facts.text(provider.side.range.name) {
        to = format!("{to} ({range})");
    }
    (from, to)
}

fn rows(provider: &Provider, answers: &BTreeMap<String, Answer>, facts: &Facts) -> Vec<Row> {
    let all = labelled(answers, provider, facts).into_iter();
    all.map(|it| Row::new(it.label, it.value, Some(it.from)))
        .collect()
}
