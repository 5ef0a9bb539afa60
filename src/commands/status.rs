//! `peer-wizard status`: look at every object of a run as it is now.

use super::{
    context::Context,
    opening::{Opening, choose},
    plan,
    report::Report,
    resume, runs,
};
use crate::{
    azure::{Fault, Flow},
    cli,
    engine::{Cx, Look, Run, Status, Step},
    error::{Error, Kind},
    http::hints,
    provider::Provider,
    view::{
        self,
        drawing::{Drawing, End},
        json, report,
    },
};
use serde_json::{Value, json};

/// Looks at a run.
///
/// # Errors
/// When it could not be looked at.
pub async fn run(context: &Context<'_>, options: &cli::Named) -> Result<Report, Error> {
    let mut prompt = context.prompt();
    let folder = context.folder()?;
    let name = if let Some(name) = &options.run {
        name.clone()
    } else {
        let wanted = |run: &Run, flow: &Flow| runs::state(run, flow) != "undone";
        choose(context, &folder, prompt.as_mut(), &wanted).await?
    };
    let opening = Opening::read(context, &folder, &name).await?;
    let session = opening.session(context, &folder, prompt.as_mut())?;
    let Opening {
        run,
        provider,
        flow,
        ..
    } = opening;
    let observe = context.stream.looks();
    let cx = Cx::looking(&session.clouds, run.facts(), session.pace, &observe);
    let mut rows = Vec::new();
    for (step, (id, look)) in flow.steps.iter().zip(flow.survey(&cx, None).await) {
        rows.extend(row(step, &run, id, look)?);
    }
    if run.undoing() {
        // What was found and what the run never came to are not this run's to judge any more.
        for row in &mut rows {
            row.well |= !row
                .saved
                .is_some_and(|saved| saved.ours() || saved == Status::Deleted);
            if row.well && row.look == "missing" {
                row.shown = "gone";
            }
        }
    }
    let well = rows.iter().all(|row| row.well);
    let state = runs::state(&run, &flow);
    let out = if context.json() {
        json::line(&document(provider, &run, state, &rows, well)) + "\n"
    } else {
        page(context, provider, &run, &rows)
    };
    let says = match state {
        "undone" if !context.json() => format!("The run {} was undone.\n", run.run),
        _ => String::new(),
    };
    Ok(Report {
        out,
        says,
        error: (!well).then(|| not_well(context, &run, &flow, &rows)),
        ..Report::default()
    })
}

fn not_well(context: &Context<'_>, run: &Run, flow: &Flow, rows: &[Row]) -> Error {
    let mut error = Error::new(
        Kind::Failed,
        format!("the run {} is not as it should be", run.run),
    );
    for row in rows.iter().filter(|row| !row.well) {
        if let Some(todo) = &row.todo {
            error = error.hint(format!("{}: {todo}", row.thing));
        }
    }
    let words = context.run_words(&run.run);
    if run.undoing() {
        error.hint(format!("peer-wizard undo {words}"))
    } else if resume::is_unfinished(run, flow) {
        error.hint(format!("peer-wizard resume {words}"))
    } else {
        error
    }
}

/// One step: what was saved of it, and how it looks.
struct Row {
    step: &'static str,
    thing: String,
    saved: Option<Status>,
    look: &'static str,
    /// The look, in a word for people.
    shown: &'static str,
    says: String,
    todo: Option<String>,
    well: bool,
}

/// The row of a step, if there is something to say about it.
///
/// # Errors
/// When its look failed for a reason that all others share.
fn row(
    step: &Step<crate::clouds::Clouds>,
    run: &Run,
    id: &'static str,
    look: Result<Option<Look>, Fault>,
) -> Result<Option<Row>, Error> {
    let saved = run.status(id);
    let row = Row {
        step: id,
        thing: step.thing(),
        saved,
        look: "unknown",
        shown: "unknown",
        says: String::new(),
        todo: None,
        well: false,
    };
    let look = match look {
        Ok(look) => look,
        // What is looked at by what was deleted before it is gone too.
        Err(Fault::World(error)) if error.is_missing() && saved == Some(Status::Deleted) => {
            Some(Look::Missing)
        }
        Err(fault) => {
            let (says, todo) = unknown(fault)?;
            return Ok(Some(Row { says, todo, ..row }));
        }
    };
    if saved == Some(Status::Kept) {
        let note = run.record(id).and_then(|record| record.note.clone());
        return Ok(Some(Row {
            look: "kept",
            shown: "kept",
            says: note.unwrap_or_default(),
            well: true,
            ..row
        }));
    }
    let Some(look) = look else {
        // A state or a password leaves no trace to look at; an object not made yet has no name to look for.
        let unfinished = !saved.is_some_and(|status| status.done() || status == Status::Deleted);
        return Ok(unfinished.then(|| Row {
            says: "not done yet".into(),
            ..row
        }));
    };
    let (look, says, todo) = match look {
        Look::Present(says) => ("present", says, None),
        Look::Missing => ("missing", String::new(), None),
        Look::Changed { says, todo } => ("changed", says, Some(todo)),
    };
    let (well, todo) = judge(saved, look, todo);
    Ok(Some(Row {
        look,
        shown: look,
        says,
        todo,
        well,
        ..row
    }))
}

/// Why a look failed, and what to do.
///
/// # Errors
/// When it is about the sign-in, or about this program.
fn unknown(fault: Fault) -> Result<(String, Option<String>), Error> {
    match fault {
        Fault::World(error) if !error.is_sign_in() => {
            let todo = hints::of(&error).into_iter().next();
            Ok((error.to_string(), todo))
        }
        Fault::Refused(refusal) => Ok((refusal.message, refusal.hints.into_iter().next())),
        Fault::Waiting { says } => Ok((says, None)),
        Fault::Needs { text, .. } => Ok((text, None)),
        fault => Err(Error::of_fault("cannot look at the run", fault)),
    }
}

/// Whether the look fits what was saved, and what to do when it does not.
fn judge(saved: Option<Status>, look: &str, todo: Option<String>) -> (bool, Option<String>) {
    let gone = "somebody deleted it: undo this run and connect anew";
    match (saved, look) {
        (Some(Status::Deleted), "missing") => (true, None),
        (Some(Status::Deleted), _) => (
            false,
            Some("it is there again, or still: undo deleted it once; look who made it".into()),
        ),
        (Some(Status::Deleting), _) => (
            false,
            Some("its deletion was not finished: undo finishes it".into()),
        ),
        (Some(status), "present") if status.done() => (true, None),
        (Some(status), "missing") if status.done() => {
            (false, Some(todo.unwrap_or_else(|| gone.into())))
        }
        (Some(Status::Creating), _) => (
            false,
            Some("its creation was not finished: resume finishes it".into()),
        ),
        (None, "present") => (
            false,
            Some("it is there, and the run has not come to it yet".into()),
        ),
        (None, _) => (false, None),
        (_, _) => (false, todo),
    }
}

fn document(provider: &Provider, run: &Run, state: &str, rows: &[Row], well: bool) -> Value {
    let steps: Vec<Value> = rows
        .iter()
        .map(|row| {
            json!({
                "step": row.step, "thing": row.thing, "status": row.saved, "look": row.look,
                "says": row.says, "todo": row.todo, "well": row.well,
            })
        })
        .collect();
    json!({
        "run": run.run, "flow": run.flow, "provider": provider.name, "state": state, "well": well,
        "steps": steps, "facts": run.facts().texts(),
    })
}

fn page(context: &Context<'_>, provider: &Provider, run: &Run, rows: &[Row]) -> String {
    let facts = run.facts();
    let fact = |name: &str| facts.text(name).unwrap_or_default().to_owned();
    let half = |id: &str| {
        let row = rows.iter().find(|row| row.step == id);
        row.map_or_else(
            || "?".to_owned(),
            |row| match row.says.as_str() {
                "" => row.shown.to_owned(),
                says => says.split(':').next().unwrap_or(says).to_owned(),
            },
        )
    };
    let [yours, theirs] = provider.halves;
    let (_, to) = plan::ends(provider, &facts);
    let drawing = Drawing {
        left: End {
            title: "your tenant".into(),
            lines: vec![
                fact("USER_TENANT_ID"),
                fact("USER_VNET_NAME"),
                fact("USER_VNET_RANGES"),
            ],
        },
        right: End {
            title: provider.name.into(),
            lines: vec![
                fact(provider.side.tenant_id.name),
                to.trim_start_matches(provider.title).trim().to_owned(),
            ],
        },
        there: half(yours),
        back: half(theirs),
    };
    let headers = ["", "STEP", "WHAT", "STATE"];
    let table: Vec<Vec<String>> = rows
        .iter()
        .map(|row| {
            let mark = if row.well {
                context.screen.sign("✓", "+")
            } else {
                context.screen.sign("✗", "x")
            };
            let state = match row.says.as_str() {
                "" => row.shown.to_owned(),
                says => format!("{}: {says}", row.shown),
            };
            vec![
                mark.to_owned(),
                row.step.to_owned(),
                row.thing.clone(),
                state,
            ]
        })
        .collect();
    let width = view::stdout_width();
    format!(
        "{}\n{}",
        drawing.render(width, context.screen.unicode),
        report::table(&headers, &table, width)
    )
}
