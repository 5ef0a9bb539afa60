//! `--dry-run`: the same work as a script.

use super::{
    context::Context, opening::Opening, plan, practice::Practice, report::Report, session::secrets,
};
use crate::{
    ask::{Gather, Looks, facts_of, prompt::Prompt, setting, shape_of},
    azure::Flow,
    cli,
    clouds::{Clouds, Realm},
    engine::{Origin, Pace, Run},
    error::Error,
    provider::Provider,
    store::Folder,
    view::script::{Script, Setting, Told},
};
use std::collections::BTreeMap;

/// The script that connects what the answers name. No network, no sign-in: what is not answered is a variable.
///
/// # Errors
/// When the provider is not known, or an answer is no good.
pub fn connect(
    context: &Context<'_>,
    options: &cli::Azure,
    prompt: &mut dyn Prompt,
) -> Result<Report, Error> {
    let practice = match (context.global.sandbox, prompt.can_ask()) {
        (true, false) => Some(Practice::boot(None)?),
        _ => None,
    };
    let observe = context.stream.looks();
    let looks = Looks {
        pace: Pace::REAL,
        observe: &observe,
    };
    let mut gather = Gather::new(options, prompt, looks);
    if let Some(practice) = &practice {
        gather.samples = practice.samples();
    }
    if context.global.sandbox {
        gather.answers.set("SANDBOX", "true", Origin::Flag);
    }
    let Some(provider) = gather.provider()? else {
        gather.complete()?;
        return Err(Error::bug("no provider was chosen"));
    };
    gather.offline(provider)?;
    for note in &gather.notes {
        context.stream.note(note);
    }
    let answers = gather.answers.0;
    // The same answers print the same script, to whomever and however they are given.
    let values: BTreeMap<_, _> = answers.iter().map(|(name, it)| (name, &it.value)).collect();
    let text = serde_json::to_string(&values).unwrap_or_default();
    let id = uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, text.as_bytes())
        .simple()
        .to_string();
    let name = format!("{}-{}", provider.id, &id[..4]);
    let begins = facts_of(&answers, provider, &name);
    let login_host = context.signing_in(None).cloud.login_host();
    let flow = provider.flow(&shape_of(&answers, login_host));
    let run = Run::new(name, provider.id, answers, begins.shared, begins.members);
    let part = match options.part.unwrap_or_default() {
        cli::Part::All => return Ok(print(provider, &flow, &run, &|script| script.apply())),
        cli::Part::Entra => Realm::Entra,
        cli::Part::Azure => Realm::Azure,
        cli::Part::Provider => Realm::Provider,
    };
    let own = |name: &str| own_tenant(name, part);
    let render = |script: &Script<'_, Clouds>| script.part(part, &TOLD);
    Ok(print_with(provider, &flow, &run, &own, &render))
}

/// Who has rights in Entra alone tells the tenant: not everybody sees the subscription.
const TENANT: &str = "USER_TENANT_ID";
const TOLD: [Told<Clouds>; 1] = [(TENANT, Realm::Entra)];

fn own_tenant(name: &str, part: Realm) -> Option<Setting> {
    let line = format!("{TENANT}=${{{TENANT}:-$(az account show --query tenantId --output tsv)}}");
    (part == Realm::Entra && name == TENANT).then(|| Setting::new(TENANT, line, Vec::new()))
}

/// The script that does what is left of a run.
///
/// # Errors
/// When there is no such run.
pub async fn rest(context: &Context<'_>, folder: &Folder, name: &str) -> Result<Report, Error> {
    let Opening {
        run,
        provider,
        flow,
        ..
    } = Opening::read(context, folder, name).await?;
    if run.undoing() {
        return Err(
            Error::usage(format!("undo has begun on the run {name}")).hint(format!(
                "print the rest of that: peer-wizard undo {} --dry-run",
                context.run_words(name)
            )),
        );
    }
    Ok(print(provider, &flow, &run, &|script| script.apply()))
}

/// The script that undoes a run.
///
/// # Errors
/// When there is no such run.
pub async fn undo(
    context: &Context<'_>,
    folder: &Folder,
    name: &str,
    keep: &[&str],
) -> Result<Report, Error> {
    let Opening {
        run,
        provider,
        flow,
        ..
    } = Opening::read(context, folder, name).await?;
    Ok(print(provider, &flow, &run, &|script| script.undo(keep)))
}

fn print(
    provider: &Provider,
    flow: &Flow,
    run: &Run,
    render: &dyn Fn(&Script<'_, Clouds>) -> String,
) -> Report {
    print_with(provider, flow, run, &|_| None, render)
}

/// The same where some variables are set in a way of their own.
fn print_with(
    provider: &Provider,
    flow: &Flow,
    run: &Run,
    own: &dyn Fn(&str) -> Option<Setting>,
    render: &dyn Fn(&Script<'_, Clouds>) -> String,
) -> Report {
    let (from, to) = plan::ends(provider, &run.facts());
    let settings = |name: &str| {
        if let Some(own) = own(name) {
            return Some(own);
        }
        let line = setting(name, &run.answers, provider)?;
        Some(Setting::new(name, line.text, line.reads))
    };
    let script = Script {
        headline: format!("{from} and {to}"),
        flow,
        run,
        secrets: &secrets(),
        settings: &settings,
    };
    Report::data(render(&script))
}
