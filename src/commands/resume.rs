//! `peer-wizard resume`: go on with an unfinished run.

use super::{
    context::Context,
    drive::Drive,
    practice::Practice,
    script,
    session::{Session, login_host},
};
use crate::{
    ask::{
        prompt::{Choice, Prompt},
        shape_of,
    },
    azure::{Flow, keys::USER_TENANT_ID},
    cli,
    engine::{Limits, Run, event::Outcome, store::Folder},
    error::Error,
    providers::{self, Provider},
};
use std::collections::BTreeMap;

/// Goes on with a run.
///
/// # Errors
/// Why it is not at its end.
pub async fn run(context: &Context<'_>, options: &cli::Resume) -> Result<(), Error> {
    let mut prompt = context.prompt();
    let folder = context.folder()?;
    let name = match &options.run {
        Some(name) => name.clone(),
        None if all_connected(context, &folder)? => {
            context.note("Every run is connected. There is nothing to resume.");
            context.close_without_run(Outcome::Connected, &BTreeMap::new());
            return Ok(());
        }
        None => choose(context, &folder, prompt.as_mut(), &|run, flow| {
            is_unfinished(run, flow)
        })?,
    };
    if options.dry_run {
        return script::rest(context, &folder, &name);
    }
    let limits = Limits {
        timeout: options.waits.timeout,
        no_wait: options.waits.no_wait,
    };
    go_on(context, &folder, &name, limits, prompt.as_mut()).await
}

/// Whether there are runs, and all that were not undone are at their end.
fn all_connected(context: &Context<'_>, folder: &Folder) -> Result<bool, Error> {
    let mut any = false;
    for (_, run) in folder.list()? {
        let Ok(run) = run else { return Ok(false) };
        let (_, flow) = flow_of(context, &run)?;
        if is_unfinished(&run, &flow) {
            return Ok(false);
        }
        any |= !run.undoing();
    }
    Ok(any)
}

/// Whether there is something left to do, and undo has not begun.
pub fn is_unfinished(run: &Run, flow: &Flow) -> bool {
    !run.undoing()
        && flow.steps.iter().any(|step| {
            let id = step.about().id;
            !run.done(id) || run.steps.get(id).is_some_and(|record| record.renew)
        })
}

/// The provider and the flow of a saved run.
///
/// # Errors
/// When this version does not know the flow.
pub fn flow_of(context: &Context<'_>, run: &Run) -> Result<(&'static Provider, Flow), Error> {
    let provider = providers::named(&run.flow).ok_or_else(|| {
        Error::usage(format!(
            "the run {} has the flow `{}`, which this version does not know",
            run.run, run.flow
        ))
        .hint(format!("it was written by {}", run.written_by))
    })?;
    let shape = shape_of(&run.answers, login_host(context));
    Ok((provider, provider.flow(&shape)))
}

/// The only run that is wanted, or the one that the person chooses.
///
/// # Errors
/// When there is none, or several and nobody to ask.
pub fn choose(
    context: &Context<'_>,
    folder: &Folder,
    prompt: &mut dyn Prompt,
    wanted: &dyn Fn(&Run, &Flow) -> bool,
) -> Result<String, Error> {
    let mut names = Vec::new();
    let mut choices = Vec::new();
    let mut unreadable = None;
    for (name, run) in folder.list()? {
        let run = match run {
            Ok(run) => run,
            Err(error) => {
                unreadable = unreadable.or(Some(error));
                continue;
            }
        };
        let Ok((_, flow)) = flow_of(context, &run) else {
            continue;
        };
        if wanted(&run, &flow) {
            let vnet = run.facts.durable().get("USER_VNET_NAME");
            choices.push(Choice::new(&name, vnet.cloned().unwrap_or_default()));
            names.push(name);
        }
    }
    match (names.as_slice(), unreadable) {
        ([], Some(error)) => Err(error.into()),
        ([], None) => Err(Error::usage("there is no such run to go on with")
            .hint("`peer-wizard runs` lists all; `peer-wizard azure` begins one")),
        ([only], _) => Ok(only.clone()),
        _ if prompt.can_ask() => {
            let index = prompt.select("Which run", &choices)?;
            Ok(names.swap_remove(index))
        }
        (several, _) => Err(
            Error::usage(format!("there are {} such runs", several.len()))
                .hint(format!("name one: {}", several.join(", "))),
        ),
    }
}

/// Opens the clouds that a run lives in: the real ones, or its own sandbox.
///
/// # Errors
/// When the person asks for the other kind, or the sandbox is gone.
pub fn session(context: &Context<'_>, folder: &Folder, run: &Run) -> Result<Session, Error> {
    let practised = run.answers.contains_key("SANDBOX");
    if context.global.sandbox && !practised {
        return Err(Error::usage(format!(
            "the run {} is about real clouds, not about the sandbox",
            run.run
        ))
        .hint("leave `--sandbox` out"));
    }
    let practice = if practised {
        let state = folder.path(&run.run, "sandbox.json");
        if !state.exists() {
            return Err(Error::usage(format!(
                "the simulated clouds of the run {} are gone: `{}`",
                run.run,
                state.display()
            ))
            .hint("begin a new one: peer-wizard azure --sandbox"));
        }
        Some(Practice::boot(Some(&state))?)
    } else {
        None
    };
    let session = Session::open(context, practice)?;
    if let Ok(tenant) = run.facts.get(USER_TENANT_ID) {
        session.clouds.use_tenant(tenant.as_ref());
    }
    Ok(session)
}

/// Goes on with the run of this name.
///
/// # Errors
/// Why it is not at its end.
pub async fn go_on(
    context: &Context<'_>,
    folder: &Folder,
    name: &str,
    limits: Limits,
    prompt: &mut dyn Prompt,
) -> Result<(), Error> {
    // Looked at before it is locked: a wrong name must leave nothing behind.
    folder.load(name)?;
    let file = folder.lock(name)?;
    let run = folder.load(name)?;
    context.take_over(&run);
    let (provider, flow) = flow_of(context, &run)?;
    if run.undoing() {
        return Err(
            Error::usage(format!("undo has begun on the run {name}")).hint(format!(
                "finish it: peer-wizard undo {}",
                context.run_words(name)
            )),
        );
    }
    if !is_unfinished(&run, &flow) {
        context.note(&format!(
            "The run {name} is connected already. There is nothing to do."
        ));
        context.close_without_run(Outcome::Connected, run.facts.durable());
        return Ok(());
    }
    let session = session(context, folder, &run)?;
    session.find_token(provider);
    session.need_token(provider, prompt)?;
    context.begin(folder, name);
    let drive = Drive {
        provider,
        flow: &flow,
        session: &session,
        file,
        run,
        limits,
    };
    drive.go(context).await
}
