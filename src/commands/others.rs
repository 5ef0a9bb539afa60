//! The other runs of the same person, which may use what an undone run made: they keep it, and once they are undone it goes.

use super::{
    context::Context,
    opening::{Opening, practised},
    session::Session,
};
use crate::{
    cli::SignInKind,
    engine::{
        Cx, Event, Limits, Look, NEXT_TIME, Other, Run, Runner, Runs, Status, Step, StepRecord,
        Undo, look_at,
    },
    error::Error,
    fact::Facts,
    net::leaf,
    store::Folder,
};
use std::collections::BTreeSet;

/// The other runs that are in use: not undone, and their half at the provider is not known to be gone. A practice run has
/// clouds of its own, which no other run uses.
///
/// # Errors
/// When the folder cannot be read.
pub async fn in_use(
    context: &Context<'_>,
    folder: &Folder,
    mine: &Opening,
    session: &Session,
) -> Result<Vec<Other>, Error> {
    let mut others = Vec::new();
    if practised(&mine.run) {
        return Ok(others);
    }
    let made = identities(&mine.run, mine);
    for (name, run) in folder.list().await? {
        let Ok(run) = run else { continue };
        if name == mine.run.run || run.undoing() || practised(&run) {
            continue;
        }
        let Ok(other) = Opening::of(context, folder, run) else {
            continue;
        };
        let shared = !made.is_disjoint(&identities(&other.run, mine));
        if shared && is_gone(context, folder, &other, mine, session).await {
            continue;
        }
        let parts = other.run.parts();
        let facts = parts.map(|(at, _)| other.run.facts_at(&at)).collect();
        others.push(Other { run: name, facts });
    }
    Ok(others)
}

/// What tells the objects of a flow apart, as far as a run knows it. The same object is called by ids that differ before their
/// last part.
fn identities(run: &Run, flow_of: &Opening) -> BTreeSet<(&'static str, String)> {
    let steps = flow_of.flow.steps.iter();
    let first = |step: &Step<_>| step.gives().into_iter().find(|named| !named.secret);
    let keys: Vec<_> = steps.filter_map(first).collect();
    let known = |facts: &Facts| {
        let known = keys.iter().filter_map(|key| {
            let id = leaf(facts.text(key.name)?).to_lowercase();
            Some((key.name, id))
        });
        known.collect::<Vec<_>>()
    };
    run.parts()
        .flat_map(|(_, part)| known(&part.facts))
        .collect()
}

/// Whether the provider says that its half of each of the run's connections is gone. What cannot be looked at may be there.
async fn is_gone(
    context: &Context<'_>,
    folder: &Folder,
    other: &Opening,
    mine: &Opening,
    session: &Session,
) -> bool {
    let Some(clouds) = Clouds::of(context, folder, other, mine, session) else {
        return false;
    };
    let session = clouds.session();
    let observe = context.stream.looks();
    let mut gone = false;
    for step in &other.flow.steps {
        if !matches!(step, Step::Ensure(ensure) if ensure.undo_first()) {
            continue;
        }
        for at in other.flow.places(step, &other.run) {
            let status = other.run.status_at(&at, step.about().id);
            if !status.is_some_and(Status::done) {
                return false;
            }
            let facts = other.run.facts_at(&at);
            let cx = Cx::looking(&session.clouds, facts, session.pace, &observe);
            if !matches!(look_at(step, &cx).await, Ok(Some(Look::Missing))) {
                return false;
            }
            gone = true;
        }
    }
    gone
}

/// The clouds that another run is looked at in: those that are open, if they are the same and signed in to in the same way.
enum Clouds<'a> {
    Open(&'a Session),
    Own(Box<Session>),
}

impl<'a> Clouds<'a> {
    /// Nothing when they cannot be opened without asking the person.
    fn of(
        context: &Context<'_>,
        folder: &Folder,
        other: &Opening,
        mine: &Opening,
        session: &'a Session,
    ) -> Option<Self> {
        let tenant = |opening: &Opening| {
            opening
                .run
                .facts()
                .text("USER_TENANT_ID")
                .map(str::to_owned)
        };
        if other.provider.id == mine.provider.id
            && tenant(other) == tenant(mine)
            && other.signing_in == mine.signing_in
        {
            return Some(Self::Open(session));
        }
        if other.signing_in.how == Some(SignInKind::DeviceCode) {
            return None;
        }
        let own = other.clouds(context, folder).ok()?;
        own.clouds
            .has_provider_token()
            .then(|| Self::Own(Box::new(own)))
    }

    fn session(&self) -> &Session {
        match self {
            Self::Open(session) => session,
            Self::Own(session) => session,
        }
    }
}

/// A run that was undone.
pub struct Undone<'a> {
    /// Where the runs are.
    pub folder: &'a Folder,
    /// The run.
    pub run: &'a Run,
    /// The clouds.
    pub session: &'a Session,
    /// What was asked of the waits.
    pub limits: Limits,
}

/// After the undo of one run: deletes what earlier undone runs had to keep for it. Tells what went, in sentences.
pub async fn sweep(context: &Context<'_>, undone: &Undone<'_>) -> Vec<String> {
    let mut told = Vec::new();
    if practised(undone.run) {
        return told;
    }
    let Ok(mine) = Opening::of(context, undone.folder, undone.run.clone()) else {
        return told;
    };
    // What went of one run may have been all that kept another's.
    while !context.stop.rung() {
        let went = sweep_once(context, undone, &mine).await;
        if went.is_empty() {
            break;
        }
        told.extend(went);
    }
    told
}

async fn sweep_once(context: &Context<'_>, undone: &Undone<'_>, mine: &Opening) -> Vec<String> {
    let mut told = Vec::new();
    let Ok(runs) = undone.folder.list().await else {
        return told;
    };
    for (name, run) in runs {
        let waits =
            |run: &Run| !practised(run) && run.records().any(|(_, it)| waits_for_others(it));
        if name == mine.run.run || !run.is_ok_and(|run| waits(&run)) {
            continue;
        }
        match take(context, undone, mine, &name).await {
            Ok(went) if went.is_empty() => {}
            Ok(went) => told.push(format!(
                "What the run {name} had to keep is gone too: {}.",
                went.join(", ")
            )),
            Err(why) => context.stream.note(&format!(
                "What the run {name} had to keep is still there: {why}; peer-wizard undo {} goes on with it",
                context.run_words(&name)
            )),
        }
    }
    told
}

/// Whether undo kept the object because something else needed it, and not because the person wanted to.
fn waits_for_others(record: &StepRecord) -> bool {
    record.status == Status::Kept && record.note.as_deref() != Some(NEXT_TIME)
}

/// Undoes what the run of this name kept for others, and says what went. A run that another process has is left to it.
async fn take(
    context: &Context<'_>,
    undone: &Undone<'_>,
    mine: &Opening,
    name: &str,
) -> Result<Vec<String>, String> {
    let folder = undone.folder;
    let Ok((mut opening, mut file)) = Opening::hold(context, folder, name).await else {
        return Ok(Vec::new());
    };
    let Some(clouds) = Clouds::of(context, folder, &opening, mine, undone.session) else {
        return Err("it cannot be looked at without a sign-in".into());
    };
    let session = clouds.session();
    let others = tokio::select! {
        // Nothing is under way yet that a moment would help.
        biased;
        () = context.stop.wait(1) => return Err("it was stopped".into()),
        others = in_use(context, folder, &opening, session) => others,
    };
    let others = others.map_err(|error| error.message)?;
    let before = opening.run.clone();
    let wanted: Vec<&str> = before
        .records()
        .filter(|(_, record)| record.status == Status::Kept && !waits_for_others(record))
        .map(|(id, _)| id)
        .collect();
    let observe = |event: &Event<'_>, _: Option<&str>| {
        // Its steps are not those that the stream was opened for: what went is told, and in JSON alone.
        let Event::Finished { status, .. } = event else {
            return;
        };
        if context.json() && *status == Status::Deleted {
            context.stream.event(event, None);
        }
    };
    let mut runner = Runner::new(&opening.flow, &session.clouds, file.as_mut(), observe);
    runner.pace = session.pace;
    runner.limits = undone.limits;
    runner.stop = context.stop.clone();
    let undo = Undo {
        keep: &wanted,
        others: &others,
        kept_only: true,
    };
    let ended = runner.undo(&mut opening.run, &undo).await;
    drop(runner);
    let mut went = Vec::new();
    for step in opening.flow.undo_order() {
        let id = step.about().id;
        for at in opening.flow.places(step, &before) {
            let was = before.status_at(&at, id);
            if was == Some(Status::Kept) && opening.run.status_at(&at, id) == Some(Status::Deleted)
            {
                went.push(step.thing());
            }
        }
    }
    match ended {
        Err(failed) if went.is_empty() => Err(failed.fault.to_string()),
        _ => Ok(went),
    }
}
