//! `peer-wizard doctor`: check sign-ins, tenant, permissions and address ranges; change nothing.

use super::{
    context::Context,
    practice::Practice,
    session::{Session, login_host},
};
use crate::{
    aiven::api,
    ask::{Answers, Gather, Given, Samples, facts_of, prompt::Refuse, shape_of},
    azure::arm,
    clouds::Clouds,
    error::{Error, Kind},
    http::hints,
    providers::{Provider, TokenKind},
    view,
};
use clap::ArgMatches;
use serde_json::{Value, json};

struct Finding {
    what: String,
    good: bool,
    says: String,
}

/// Checks what can be checked with what is given.
///
/// # Errors
/// When something is in the way.
pub async fn run(context: &Context<'_>, matches: &ArgMatches) -> Result<(), Error> {
    let practice = if context.global.sandbox {
        Some(Practice::boot(None)?)
    } else {
        None
    };
    let session = Session::open(context, practice)?;
    let clouds = &session.clouds;
    let mut findings = Vec::new();
    let signed_in = azure(clouds, &mut findings).await;
    let mut nobody = Refuse;
    let mut gather = Gather {
        given: Given::new(matches),
        prompt: &mut nobody,
        samples: session
            .practice
            .as_ref()
            .map_or_else(Samples::new, |it| it.samples(None)),
        answers: Answers::default(),
        missing: Vec::new(),
        notes: Vec::new(),
    };
    if let Some(provider) = gather.provider()? {
        if let Some(practice) = &session.practice {
            gather.samples = practice.samples(Some(provider.id));
        }
        session.find_token(provider);
        token(clouds, provider, &mut findings).await;
        if signed_in && clouds.has_provider_token() {
            gather.all(clouds, provider).await?;
            if gather.missing.is_empty() {
                connection(context, clouds, provider, &gather.answers, &mut findings).await;
            }
        }
    }
    for absent in &gather.missing {
        let about = crate::cli::about(absent.arg);
        context.note(&format!("give {} to check more", about.flag));
    }
    show(context, &findings);
    let bad = findings.iter().filter(|it| !it.good).count();
    match (bad, signed_in) {
        (0, _) => Ok(()),
        (_, false) => Err(Error::new(Kind::SignIn, "you are not signed in")),
        (1, _) => Err(Error::new(Kind::Failed, "one thing is in the way")),
        (bad, _) => Err(Error::new(
            Kind::Failed,
            format!("{bad} things are in the way"),
        )),
    }
}

async fn azure(clouds: &Clouds, findings: &mut Vec<Finding>) -> bool {
    let how = clouds.sign_in().name();
    let seen = clouds.list(&arm::subscriptions()).await;
    let tenant = clouds.signed_in_tenant().await.ok().flatten();
    let (good, says) = match seen {
        Ok(all) => {
            let names: Vec<&str> = all.iter().map(|it| it.display_name.as_str()).collect();
            let tenant = tenant.unwrap_or_else(|| "unknown".into());
            let subscriptions = match names.as_slice() {
                [] => "no subscription".to_owned(),
                names => names.join(", "),
            };
            (
                !names.is_empty(),
                format!("signed in with {how} to the tenant {tenant}; it may see {subscriptions}"),
            )
        }
        Err(error) => (false, explained(&error)),
    };
    findings.push(Finding {
        what: "Azure sign-in".into(),
        good,
        says,
    });
    good
}

fn explained(error: &crate::http::ApiError) -> String {
    let hints = hints::of(error).join("; ");
    if hints.is_empty() {
        error.to_string()
    } else {
        format!("{error}; {hints}")
    }
}

async fn token(clouds: &Clouds, provider: &Provider, findings: &mut Vec<Finding>) {
    let what = format!("{} token", provider.name);
    let missing = format!("put one into {}", provider.token.variables()[0]);
    let (good, says) = match (clouds.has_provider_token(), provider.token) {
        (false, _) => (false, missing),
        (true, TokenKind::Aiven) => match clouds.send(&api::projects()).await {
            Ok(list) => {
                let names: Vec<String> = list
                    .projects
                    .into_iter()
                    .map(|it| it.project_name)
                    .collect();
                (
                    true,
                    format!("it may see the projects {}", names.join(", ")),
                )
            }
            Err(error) => (false, explained(&error)),
        },
        (true, TokenKind::Konnect) => (true, "there is one".into()),
    };
    findings.push(Finding { what, good, says });
}

async fn connection(
    context: &Context<'_>,
    clouds: &Clouds,
    provider: &Provider,
    answers: &Answers,
    findings: &mut Vec<Finding>,
) {
    let flow = provider.flow(&shape_of(&answers.0, login_host(context)));
    let mut facts = facts_of(&answers.0, provider, "doctor");
    for check in &flow.checks {
        let what = check.title();
        match check.look(clouds, &facts).await {
            Ok(verdict) => {
                facts.absorb(verdict.facts);
                let good = verdict.good.into_iter().chain(verdict.done);
                let good = good.map(|says| (true, says));
                let consents = verdict.consents.into_iter().map(|it| it.otherwise);
                let bad = verdict.problems.into_iter().chain(consents);
                let bad = bad.map(|says| (false, says));
                findings.extend(good.chain(bad).map(|(good, says)| Finding {
                    what: what.into(),
                    good,
                    says,
                }));
            }
            Err(fault) => findings.push(Finding {
                what: what.into(),
                good: false,
                says: fault.to_string(),
            }),
        }
    }
}

fn show(context: &Context<'_>, findings: &[Finding]) {
    let text = if context.json() {
        let list: Vec<Value> = findings
            .iter()
            .map(|it| json!({ "what": it.what, "good": it.good, "says": it.says }))
            .collect();
        let good = findings.iter().all(|it| it.good);
        json!({ "good": good, "findings": list }).to_string() + "\n"
    } else {
        let (yes, no) = (context.screen.sign("✓", "+"), context.screen.sign("✗", "x"));
        let line = |it: &Finding| {
            let mark = if it.good { yes } else { no };
            format!("{mark} {}: {}", it.what, view::clean(&it.says))
        };
        let lines: Vec<String> = findings.iter().map(line).collect();
        lines.join("\n") + "\n"
    };
    // A closed pipe is nobody's error.
    let _ = view::out(&text);
    context.set_reported();
}
