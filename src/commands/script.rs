//! `--dry-run`: the same work as a script.

use super::{context::Context, plan, practice::Practice, resume, session::login_host};
use crate::{
    ask::{Answers, Gather, Given, Samples, facts_of, prompt::Prompt, setting, shape_of},
    azure::Flow,
    engine::{Origin, Run, store::Folder},
    error::Error,
    providers::Provider,
    view::{
        self,
        script::{Script, Setting},
    },
};
use clap::ArgMatches;

/// Prints the script that connects what the answers name. No network, no sign-in: what is not answered is a variable.
///
/// # Errors
/// When the provider is not known, or an answer is no good.
pub fn connect(
    context: &Context<'_>,
    matches: &ArgMatches,
    prompt: &mut dyn Prompt,
) -> Result<(), Error> {
    let practice = match (context.global.sandbox, prompt.can_ask()) {
        (true, false) => Some(Practice::boot(None)?),
        _ => None,
    };
    let samples = |provider: Option<&str>| {
        let practice = practice.as_ref();
        practice.map_or_else(Samples::new, |it| it.samples(provider))
    };
    let mut gather = Gather {
        given: Given::new(matches),
        prompt,
        samples: samples(None),
        answers: Answers::default(),
        missing: Vec::new(),
        notes: Vec::new(),
    };
    if context.global.sandbox {
        gather.answers.set("SANDBOX", "true", Origin::Flag);
    }
    let Some(provider) = gather.provider()? else {
        return gather.complete();
    };
    gather.samples = samples(Some(provider.id));
    gather.offline(provider)?;
    for note in &gather.notes {
        context.note(note);
    }
    let answers = gather.answers.0;
    // The same answers print the same script.
    let text = serde_json::to_string(&answers).unwrap_or_default();
    let id = uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, text.as_bytes())
        .simple()
        .to_string();
    let name = format!("{}-{}", provider.id, &id[..4]);
    let facts = facts_of(&answers, provider, &name);
    let flow = provider.flow(&shape_of(&answers, login_host(context)));
    let run = Run::new(name, provider.id, answers, facts);
    print(context, provider, &flow, &run, &|script| script.apply());
    Ok(())
}

/// Prints the script that does what is left of a run.
///
/// # Errors
/// When there is no such run.
pub fn rest(context: &Context<'_>, folder: &Folder, name: &str) -> Result<(), Error> {
    let run = folder.load(name)?;
    context.take_over(&run);
    let (provider, flow) = resume::flow_of(context, &run)?;
    if run.undoing() {
        return Err(
            Error::usage(format!("undo has begun on the run {name}")).hint(format!(
                "print the rest of that: peer-wizard undo {} --dry-run",
                context.run_words(name)
            )),
        );
    }
    print(context, provider, &flow, &run, &|script| script.apply());
    Ok(())
}

/// Prints the script that undoes a run.
///
/// # Errors
/// When there is no such run.
pub fn undo(
    context: &Context<'_>,
    folder: &Folder,
    name: &str,
    keep: &[&str],
) -> Result<(), Error> {
    let run = folder.load(name)?;
    context.take_over(&run);
    let (provider, flow) = resume::flow_of(context, &run)?;
    print(context, provider, &flow, &run, &|script| script.undo(keep));
    Ok(())
}

fn print(
    context: &Context<'_>,
    provider: &Provider,
    flow: &Flow,
    run: &Run,
    render: &dyn Fn(&Script<'_, crate::clouds::Clouds>) -> String,
) {
    let (from, to) = plan::ends(provider, &run.facts);
    let settings = |name: &str| {
        let line = setting(name, &run.answers, provider)?;
        Some(Setting {
            name: name.to_owned(),
            line,
        })
    };
    let script = Script {
        headline: format!("{from} and {to}"),
        flow,
        run,
        settings: &settings,
    };
    // A closed pipe is nobody's error.
    let _ = view::out(&render(&script));
    context.set_reported();
}
