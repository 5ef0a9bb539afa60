//! `peer-wizard undo`: preview, confirm, delete what the run created.

use super::{context::Context, context::not_approved, drive, plan, resume, script};
use crate::{
    ask::prompt::Prompt,
    azure::{Flow, steps::OWN_APPLICATION},
    cli,
    engine::{About, Limits, Run, Status, event::Outcome},
    error::{Error, Kind},
    providers::Provider,
    view::{
        self,
        preview::{Mark, Preview},
    },
};

/// Undoes a run.
///
/// # Errors
/// Why something is left.
pub async fn run(context: &Context<'_>, options: &cli::Undo) -> Result<(), Error> {
    let mut prompt = context.prompt();
    let folder = context.folder()?;
    let name = match &options.named.run {
        Some(name) => name.clone(),
        None => resume::choose(context, &folder, prompt.as_mut(), &|run, flow| {
            has_something(run, flow, &[])
        })?,
    };
    let keep: &[&str] = if options.keep_application {
        &OWN_APPLICATION
    } else {
        &[]
    };
    if options.dry_run {
        return script::undo(context, &folder, &name, keep);
    }
    folder.load(&name)?;
    let file = folder.lock(&name)?;
    let run = folder.load(&name)?;
    context.take_over(&run);
    let (provider, flow) = resume::flow_of(context, &run)?;
    if !has_something(&run, &flow, keep) {
        context.note(&format!("The run {name} has nothing left to delete."));
        context.close_without_run(Outcome::Undone, run.facts.durable());
        return Ok(());
    }
    let session = resume::session(context, &folder, &run)?;
    session.find_token(provider);
    session.need_token(provider, prompt.as_mut())?;
    confirm(context, provider, &flow, &run, keep, prompt.as_mut())?;
    context.begin(&folder, &name);
    let drive = drive::Drive {
        provider,
        flow: &flow,
        session: &session,
        file,
        run,
        limits: Limits {
            timeout: options.timeout,
            no_wait: false,
        },
    };
    drive.back(context, keep).await
}

/// Whether the run made something that is still there, as far as it knows.
pub fn has_something(run: &Run, flow: &Flow, keep: &[&str]) -> bool {
    flow.undo_order().iter().any(|resource| {
        let id = resource.about().id;
        !keep.contains(&id) && is_ours(run, id)
    })
}

fn is_ours(run: &Run, id: &str) -> bool {
    matches!(run.status(id), Some(Status::Created | Status::Creating))
}

/// Shows what will go and what will stay, and has the run's name typed.
fn confirm(
    context: &Context<'_>,
    provider: &Provider,
    flow: &Flow,
    run: &Run,
    keep: &[&str],
    prompt: &mut dyn Prompt,
) -> Result<(), Error> {
    let (from, to) = plan::ends(provider, &run.facts);
    let lines = flow
        .undo_order()
        .iter()
        .filter_map(|resource| {
            let about = resource.about();
            let status = run.status(about.id)?;
            let kept = keep.contains(&about.id);
            let (mark, note) = match status {
                Status::Created if kept => (Mark::Leave, "kept for the next peering"),
                Status::Created => (Mark::Delete, "made by this run"),
                Status::Creating => (Mark::Delete, "if it was made; that is looked up first"),
                Status::Found => (Mark::Leave, "was there before"),
                Status::Deleted => (Mark::Leave, "deleted already"),
                Status::Reached => return None,
            };
            let title = resource.thing();
            Some(plan::line(About { title, ..about }, mark, note))
        })
        .collect();
    let page = Preview {
        verb: "Undo".into(),
        from,
        to,
        lines,
        ..Preview::default()
    };
    if !context.screen.quiet || !context.global.yes {
        let _ = view::err(&format!("{}\n", page.render(&context.screen, false)));
    }
    if context.global.yes {
        return Ok(());
    }
    if !prompt.can_ask() {
        return Err(not_approved(false));
    }
    let name = run.run.clone();
    let question = format!("Type {name} to delete these, or nothing to leave them");
    let typed = prompt.text(&question, Some(""), &|typed| {
        if typed.is_empty() || typed == name {
            Ok(())
        } else {
            Err(format!("that is not {name}"))
        }
    })?;
    if typed == name {
        Ok(())
    } else {
        Err(Error::new(
            Kind::Refused,
            "you said no; nothing was deleted",
        ))
    }
}
