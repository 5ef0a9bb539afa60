//! `peer-wizard resume`: go on with an unfinished run.

use super::{
    context::Context,
    drive::{Direction, Drive, Next},
    opening::{Opening, choose},
    report::Report,
    script,
};
use crate::{
    ask::prompt::Prompt,
    azure::Flow,
    cli,
    engine::{Limits, Run, Runs, Undo, event::Outcome},
    error::Error,
    store::Folder,
};
use std::collections::BTreeMap;

/// Goes on with a run.
///
/// # Errors
/// Why nothing was begun.
pub async fn run(context: &Context<'_>, options: &cli::Resume) -> Result<Next, Error> {
    let mut prompt = context.prompt();
    let folder = context.folder()?;
    let name = match &options.run {
        Some(name) => name.clone(),
        None if all_connected(context, &folder).await? => {
            let says = "Every run is connected. There is nothing to resume.";
            return Ok(Report::nothing(Outcome::Connected, BTreeMap::new(), says).into());
        }
        None => choose(context, &folder, prompt.as_mut(), &is_unfinished).await?,
    };
    if options.dry_run {
        return Ok(script::rest(context, &folder, &name).await?.into());
    }
    go_on(
        context,
        folder,
        &name,
        options.waits.limits(),
        prompt.as_mut(),
    )
    .await
}

/// Whether there are runs, and all that were not undone are at their end.
async fn all_connected(context: &Context<'_>, folder: &Folder) -> Result<bool, Error> {
    let mut any = false;
    for (_, run) in folder.list().await? {
        let Ok(run) = run else { return Ok(false) };
        let Opening { run, flow, .. } = Opening::of(context, folder, run)?;
        if is_unfinished(&run, &flow) {
            return Ok(false);
        }
        any |= !run.undoing();
    }
    Ok(any)
}

/// Whether there is something left to do, and undo has not begun.
pub fn is_unfinished(run: &Run, flow: &Flow) -> bool {
    !run.undoing() && flow.is_unfinished(run)
}

/// Goes on with the run of this name.
///
/// # Errors
/// Why nothing was begun.
pub async fn go_on(
    context: &Context<'_>,
    folder: Folder,
    name: &str,
    limits: Limits,
    prompt: &mut dyn Prompt,
) -> Result<Next, Error> {
    let (opening, file) = Opening::hold(context, &folder, name).await?;
    if opening.run.undoing()
        && opening
            .flow
            .to_undo(&opening.run, &Undo::default())
            .is_empty()
    {
        return Err(Error::usage(format!("the run {name} was undone"))
            .hint("begin a new one: peer-wizard azure"));
    }
    if opening.run.undoing() {
        return Err(
            Error::usage(format!("undo has begun on the run {name}")).hint(format!(
                "finish it: peer-wizard undo {}",
                context.run_words(name)
            )),
        );
    }
    if !is_unfinished(&opening.run, &opening.flow) {
        let facts = opening.run.facts().texts().clone();
        let says = format!("The run {name} is connected already. There is nothing to do.");
        return Ok(Report::nothing(Outcome::Connected, facts, &says).into());
    }
    let session = opening.session(context, &folder, prompt)?;
    Ok(Drive::of(
        opening,
        session,
        (folder, file),
        limits,
        Direction::On { begun: None },
    )
    .into())
}
