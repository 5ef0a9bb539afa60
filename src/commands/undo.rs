//! `peer-wizard undo`: preview, confirm, delete what the run created.

use super::{
    context::{Context, not_approved},
    drive::{Direction, Drive, Next},
    opening::{Opening, choose},
    others, plan,
    report::Report,
    script,
    session::Session,
};
use crate::{
    ask::prompt::Prompt,
    azure::{Flow, steps::OWN_APPLICATION},
    cli,
    engine::{
        About, At, Cx, Fate, Foreseen, Known, Other, Run, Runs, Status, Step, Undo, event::Outcome,
    },
    error::{Error, Kind},
    store::Folder,
    view::{
        self,
        preview::{Mark, PlanLine, Preview},
    },
};

/// Undoes a run.
///
/// # Errors
/// Why nothing was begun.
pub async fn run(context: &Context<'_>, options: &cli::Undo) -> Result<Next, Error> {
    let mut prompt = context.prompt();
    let folder = context.folder()?;
    let name = match &options.named.run {
        Some(name) => name.clone(),
        None => candidate(context, &folder, prompt.as_mut()).await?,
    };
    let keep: &'static [&'static str] = if options.keep_application {
        &OWN_APPLICATION
    } else {
        &[]
    };
    if options.dry_run {
        return Ok(script::undo(context, &folder, &name, keep).await?.into());
    }
    let (opening, file) = Opening::hold(context, &folder, &name).await?;
    let asked = Undo {
        keep,
        ..Undo::default()
    };
    if opening.flow.to_undo(&opening.run, &asked).is_empty() {
        let facts = opening.run.facts().texts().clone();
        let says = format!("The run {name} has nothing left to delete.");
        return Ok(Report::nothing(Outcome::Undone, facts, &says).into());
    }
    let session = opening.session(context, &folder, prompt.as_mut())?;
    let others = others::in_use(context, &folder, &opening, &session).await?;
    confirm(context, &opening, &session, keep, &others, prompt.as_mut()).await?;
    let (limits, back) = (options.waits.limits(), Direction::Back { keep, others });
    Ok(Drive::of(opening, session, (folder, file), limits, back).into())
}

/// The run that is meant when none is named. One that only keeps objects for others is not, as long as there is another.
async fn candidate(
    context: &Context<'_>,
    folder: &Folder,
    prompt: &mut dyn Prompt,
) -> Result<String, Error> {
    let kept = |run: &Run, flow: &Flow| !flow.to_undo(run, &Undo::default()).is_empty();
    let left = |run: &Run, flow: &Flow| {
        let all = flow.to_undo(run, &Undo::default());
        all.iter()
            .any(|(step, at)| run.status_at(at, step.about().id) != Some(Status::Kept))
    };
    let mut any = false;
    for (_, run) in folder.list().await? {
        let opening = run.ok().map(|run| Opening::of(context, folder, run));
        any |= matches!(opening, Some(Ok(it)) if left(&it.run, &it.flow));
    }
    if any {
        choose(context, folder, prompt, &left).await
    } else {
        choose(context, folder, prompt, &kept).await
    }
}

/// Looks at all that the run made, shows what will go and what will stay, and has the run's name typed.
async fn confirm(
    context: &Context<'_>,
    opening: &Opening,
    session: &Session,
    keep: &[&str],
    others: &[Other],
    prompt: &mut dyn Prompt,
) -> Result<(), Error> {
    if !context.screen.quiet || !context.global.yes {
        let Opening { run, flow, .. } = opening;
        let undo = Undo {
            keep,
            others,
            kept_only: false,
        };
        let observe = context.stream.looks();
        let mut cx = Cx::looking(&session.clouds, run.facts(), session.pace, &observe);
        let foreseen = flow.foresee(&mut cx, run, &undo).await.map_err(|failed| {
            let thing = flow.step(failed.step).map(|step| step.thing());
            let doing = format!("cannot look at {}", thing.unwrap_or_default());
            Error::of_fault(doing, failed.fault)
        })?;
        let (from, to) = plan::ends(opening.provider, &run.facts());
        let page = Preview {
            verb: "Undo".into(),
            from,
            to,
            lines: lines(flow, run, keep, &foreseen),
            ..Preview::default()
        };
        let _ = view::err(&format!("{}\n", page.render(&context.screen, false)));
    }
    if context.global.yes {
        return Ok(());
    }
    if !prompt.can_ask() {
        return Err(not_approved(false));
    }
    let name = opening.run.run.clone();
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

fn lines(flow: &Flow, run: &Run, keep: &[&str], foreseen: &[Foreseen]) -> Vec<PlanLine> {
    let mut lines = Vec::new();
    for step in flow.undo_order() {
        for at in flow.places(step, run) {
            let seen = foreseen
                .iter()
                .find(|it| it.step == step.about().id && it.at == at);
            lines.extend(line(step, run, &at, keep, seen));
        }
    }
    lines
}

fn line(
    step: &Step<crate::clouds::Clouds>,
    run: &Run,
    at: &At,
    keep: &[&str],
    seen: Option<&Foreseen>,
) -> Option<PlanLine> {
    let about = step.about();
    let status = run.status_at(at, about.id)?;
    let own = |note: &str| note.to_owned();
    let (mark, note) = match (seen.map(|seen| &seen.fate), status) {
        (Some(Fate::Goes), _) => (Mark::Delete, own("made by this run")),
        (Some(Fate::Kept(why)), _) => (Mark::Kept, why.clone()),
        (Some(Fate::Left(why)), _) => (Mark::Left, why.clone()),
        (Some(Fate::Absent), Status::Creating) => {
            (Mark::Delete, own("if it was made; that is looked up first"))
        }
        // What lives for one process only is gone as a rule, and nobody misses it.
        (Some(Fate::Absent), _) if step.ephemeral() => return None,
        // A service may answer from a copy that does not know it yet.
        (Some(Fate::Absent), _) => (Mark::Leave, own("does not show now; undo looks again")),
        (None, Status::Found) => (Mark::Leave, own("was there before")),
        (None, Status::Deleted) => (Mark::Leave, own("deleted already")),
        (None, Status::Reached) => return None,
        (None, _) if keep.contains(&about.id) => (Mark::Leave, own("kept for the next peering")),
        (None, _) => return None,
    };
    let title = match at {
        At::Member(vnet) if run.members.len() > 1 => {
            format!("{} ({})", step.thing(), crate::net::leaf(vnet))
        }
        _ => step.thing(),
    };
    Some(PlanLine {
        detail: seen
            .and_then(|seen| seen.known.as_ref())
            .map_or_else(String::new, called),
        ..plan::line(About { title, ..about }, mark, note)
    })
}

/// What a person knows the object by: its name, and its id if the name is not the end of it.
fn called(known: &Known) -> String {
    let Known { name, id, .. } = known;
    if name.is_empty() || crate::net::leaf(id) == name {
        return id.clone();
    }
    if id.is_empty() {
        return name.clone();
    }
    format!("{name} ({id})")
}
