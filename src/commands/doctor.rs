//! `peer-wizard doctor`: check sign-ins, tenant, permissions and address ranges; change nothing.

use super::{context::Context, practice::Practice, report::Report, session::Session};
use crate::{
    ask::{Answers, Gather, Looks, aim, facts_of, prompt::Refuse, shape_of},
    azure::{Fault, arm},
    cli,
    clouds::Clouds,
    engine::{Cx, Observe},
    error::{Error, Kind},
    fact::Facts,
    http::hints,
    provider::Provider,
    view::{self, json},
};
use serde_json::{Value, json};

struct Finding {
    what: String,
    good: bool,
    says: String,
}

/// Checks what can be checked with what is given.
///
/// # Errors
/// When it could not be checked at all.
pub async fn run(context: &Context<'_>, options: &cli::Azure) -> Result<Report, Error> {
    let practice = if context.global.sandbox {
        Some(Practice::boot(None)?)
    } else {
        None
    };
    let session = Session::open(context, context.signing_in(None), practice)?;
    let observe = context.stream.looks();
    let doctor = Doctor {
        context,
        session: &session,
        observe: &observe,
    };
    let mut findings = Vec::new();
    aim(options, &session.clouds);
    let signed_in = doctor.azure(&mut findings).await;
    let mut nobody = Refuse;
    let looks = Looks {
        pace: session.pace,
        observe: &observe,
    };
    let mut gather = Gather::new(options, &mut nobody, looks);
    if let Some(practice) = &session.practice {
        gather.samples = practice.samples();
    }
    if let Some(provider) = gather.provider()? {
        session.find_token(provider);
        doctor.token(provider, &mut findings).await;
        if signed_in && session.clouds.has_provider_token() {
            gather.all(&session.clouds, provider).await?;
            if gather.missing.is_empty() {
                doctor
                    .connection(provider, &gather.answers, &mut findings)
                    .await;
            }
        }
    }
    for absent in &gather.missing {
        let text = format!("give {} to check more", absent.about.flag);
        context.stream.note(&text);
    }
    let bad = findings.iter().filter(|it| !it.good).count();
    let error = match (bad, signed_in) {
        (0, _) => None,
        (_, false) => Some(Error::new(Kind::SignIn, "you are not signed in")),
        (1, _) => Some(Error::new(Kind::Failed, "one thing is in the way")),
        (bad, _) => Some(Error::new(
            Kind::Failed,
            format!("{bad} things are in the way"),
        )),
    };
    Ok(Report {
        out: show(context, &findings),
        error,
        ..Report::default()
    })
}

/// What the looks need.
struct Doctor<'a> {
    context: &'a Context<'a>,
    session: &'a Session,
    observe: &'a Observe<'a>,
}

impl Doctor<'_> {
    fn looking(&self, facts: Facts) -> Cx<'_, Clouds> {
        let Self {
            session, observe, ..
        } = self;
        Cx::looking(&session.clouds, facts, session.pace, observe)
    }

    async fn azure(&self, findings: &mut Vec<Finding>) -> bool {
        let clouds = &self.session.clouds;
        let how = clouds.sign_in().name();
        let mut cx = self.looking(Facts::default());
        let seen = cx
            .patiently(async |cx| Ok(cx.world.list(&arm::subscriptions()).await?))
            .await;
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
                    format!(
                        "signed in with {how} to the tenant {tenant}; it may see {subscriptions}"
                    ),
                )
            }
            Err(fault) => (false, explained(&fault)),
        };
        findings.push(Finding {
            what: "Azure sign-in".into(),
            good,
            says,
        });
        good
    }

    async fn token(&self, provider: &Provider, findings: &mut Vec<Finding>) {
        let (good, says) = match (
            self.session.clouds.has_provider_token(),
            provider.token.probe,
        ) {
            (false, _) => (
                false,
                format!("put one into {}", provider.token.variables[0]),
            ),
            (true, None) => (true, "there is one".into()),
            (true, Some(probe)) => {
                let mut cx = self.looking(Facts::default());
                let seen = cx.patiently(async |cx| Ok(probe(cx.world).await?)).await;
                match seen {
                    Ok(says) => (true, says),
                    Err(fault) => (false, explained(&fault)),
                }
            }
        };
        findings.push(Finding {
            what: format!("{} token", provider.name),
            good,
            says,
        });
    }

    async fn connection(
        &self,
        provider: &Provider,
        answers: &Answers,
        findings: &mut Vec<Finding>,
    ) {
        let login_host = self.context.signing_in(None).cloud.login_host();
        let flow = provider.flow(&shape_of(&answers.0, login_host));
        let mut facts = facts_of(&answers.0, provider, "doctor").shared;
        for check in &flow.checks {
            let what = check.title();
            let mut cx = self.looking(facts.clone());
            match cx.patiently(async |cx| check.look(cx).await).await {
                Ok(verdict) => {
                    facts.absorb(verdict.facts);
                    let notes = verdict.notes.into_iter();
                    let good = verdict.good.into_iter().chain(verdict.done).chain(notes);
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
}

fn explained(fault: &Fault) -> String {
    let hints = match fault {
        Fault::World(error) => hints::of(error).join("; "),
        _ => String::new(),
    };
    if hints.is_empty() {
        fault.to_string()
    } else {
        format!("{fault}; {hints}")
    }
}

fn show(context: &Context<'_>, findings: &[Finding]) -> String {
    if context.json() {
        let list: Vec<Value> = findings
            .iter()
            .map(|it| json!({ "what": it.what, "good": it.good, "says": it.says }))
            .collect();
        let good = findings.iter().all(|it| it.good);
        json::line(&json!({ "good": good, "findings": list })) + "\n"
    } else {
        let (yes, no) = (context.screen.sign("✓", "+"), context.screen.sign("✗", "x"));
        let line = |it: &Finding| {
            let mark = if it.good { yes } else { no };
            format!("{mark} {}: {}", it.what, view::clean(&it.says))
        };
        let lines: Vec<String> = findings.iter().map(line).collect();
        lines.join("\n") + "\n"
    }
}
