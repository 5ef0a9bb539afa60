//! Looks before anything is changed: the checks, what of the flow is there already, and the page that shows it.

use crate::{
    azure::{Fault, Flow},
    clouds::Clouds,
    engine::{About, Answer, Step},
    error::{Error, Kind},
    fact::Facts,
    http::hints,
    providers::Provider,
    view::preview::{Mark, PlanLine, Preview, Row},
};
use std::collections::BTreeMap;

/// What the looks found.
pub struct Plan {
    /// The facts, with what the checks added.
    pub facts: Facts,
    /// The goal is reached already.
    pub done: Option<String>,
    /// For each step, whether its object is there.
    pub there: Vec<bool>,
}

/// Runs the checks, then looks for each object whose name is known already. What is in the way and may be removed is
/// removed only if the person `agrees`.
///
/// # Errors
/// One error that lists every problem.
pub async fn look(
    flow: &Flow,
    w: &Clouds,
    mut facts: Facts,
    agrees: &mut dyn FnMut(&str) -> Result<bool, Error>,
) -> Result<Plan, Error> {
    let mut problems: Vec<String> = Vec::new();
    let mut done = None;
    for check in &flow.checks {
        match check.look(w, &facts).await {
            Ok(verdict) => {
                facts.absorb(verdict.facts);
                done = done.or(verdict.done);
                for consent in verdict.consents {
                    if agrees(&consent.question)? {
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
        let mut known = facts.clone();
        for step in &flow.steps {
            let Step::Ensure(resource) = step else {
                there.push(false);
                continue;
            };
            match resource.find(w, &known).await {
                Ok(found) => {
                    there.push(found.is_some());
                    if let Some(found) = found {
                        known.absorb(found.facts);
                    }
                }
                Err(Fault::Missing(_)) => there.push(false),
                Err(Fault::World(error)) if step.settling(&error).is_some() => there.push(false),
                Err(fault) => {
                    there.push(false);
                    problems.push(problem(&step.about().title, fault)?);
                }
            }
        }
    }
    if problems.is_empty() {
        return Ok(Plan { facts, done, there });
    }
    Err(refuse(&problems))
}

/// One message that lists every problem.
pub fn refuse(problems: &[String]) -> Error {
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
            let (mark, note) = match (step, there) {
                (Step::Wait(probe), _) => (Mark::Wait, format!("usually {}", probe.usual().words)),
                (Step::Ensure(_), true) => (
                    Mark::Found,
                    "already there; will be left on undo".to_owned(),
                ),
                (Step::Ensure(_), false) => (Mark::Create, "new".to_owned()),
            };
            line(about, mark, note)
        })
        .collect();
    let (from, to) = ends(provider, &plan.facts);
    Preview {
        verb: "Connect".into(),
        from,
        to,
        rows: rows(answers, &plan.facts),
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
        note: note.into(),
        why: why.into(),
        link: link.into(),
        permissions: permissions.iter().map(|it| (*it).into()).collect(),
    }
}

/// The two ends in a person's words.
pub fn ends(provider: &Provider, facts: &Facts) -> (String, String) {
    let fact = |name: &str| facts.durable().get(name).map(String::as_str);
    let mut from = fact("USER_VNET_NAME").unwrap_or("your VNet").to_owned();
    if let Some(ranges) = fact("USER_VNET_RANGES") {
        from = format!("{from} ({ranges})");
    }
    let mut to = provider.title.to_owned();
    for input in provider.inputs {
        if let Some(name) = fact(crate::ask::fact_name(*input))
            && !name.is_empty()
        {
            to = format!("{to} {name}");
        }
    }
    if let Some(range) = fact(provider.side.range.name) {
        to = format!("{to} ({range})");
    }
    (from, to)
}

fn rows(answers: &BTreeMap<String, Answer>, facts: &Facts) -> Vec<Row> {
    const LABELS: &[(&str, &str)] = &[
        ("PROVIDER", "Provider"),
        ("SUBSCRIPTION_ID", "Subscription"),
        ("TENANT_ID", "Tenant"),
        ("VNET_ID", "VNet"),
        ("PROJECT", "Project"),
        ("ORGANIZATION", "Organization"),
        ("VPC_ID", "VPC"),
        ("NETWORK", "Network"),
        ("DNS", "DNS"),
        ("APPLICATION", "Application"),
        ("APPLICATION_ID", "Application ID"),
        ("PROVIDER_APPLICATION_ID", "Provider's application"),
        ("GRANT_ROLE", "Your role"),
        ("GRANT_SCOPE", "Its scope"),
        ("PEERING_NAME", "Peering"),
        ("ROLE_NAME", "Provider's role"),
    ];
    let given = LABELS.iter().filter_map(|(name, label)| {
        let answer = answers.get(*name)?;
        let value = match crate::net::VnetId::parse(&answer.value) {
            Some(id) => format!("{} in {}", id.name, id.resource_group),
            None => answer.value.clone(),
        };
        Some(Row::new(*label, value, Some(answer.from.words())))
    });
    let derived = [
        ("USER_SUBSCRIPTION_ID", "SUBSCRIPTION_ID", "Subscription"),
        ("APPLICATION_NAME", "APPLICATION", "Application"),
        ("PEERING_NAME", "PEERING_NAME", "Peering"),
        ("KONG_GATEWAY_NAME", "PEERING_NAME", "Gateway"),
        ("ROLE_NAME", "ROLE_NAME", "Provider's role"),
    ];
    let defaults = derived
        .into_iter()
        .filter(|(_, answer, _)| !answers.contains_key(*answer))
        .filter_map(|(fact, _, label)| {
            let value = facts.durable().get(fact)?;
            Some(Row::new(label, value.clone(), Some("default")))
        });
    given.chain(defaults).collect()
}
