//! `peer-wizard status`: look at every object of a run as it is now.

use super::{context::Context, plan, resume};
use crate::{
    azure::Flow,
    cli,
    engine::{Look, Run, Status, Step},
    error::{Error, Kind},
    providers::Provider,
    view::{
        self,
        drawing::{Drawing, End},
        report,
    },
};
use serde_json::{Value, json};

/// Looks at a run.
///
/// # Errors
/// When something is not as it should be, or could not be looked at.
pub async fn run(context: &Context<'_>, options: &cli::Named) -> Result<(), Error> {
    let mut prompt = context.prompt();
    let folder = context.folder()?;
    let name = match &options.run {
        Some(name) => name.clone(),
        None => resume::choose(context, &folder, prompt.as_mut(), &|run, _| !run.undoing())?,
    };
    let run = folder.load(&name)?;
    context.take_over(&run);
    let (provider, flow) = resume::flow_of(context, &run)?;
    let session = resume::session(context, &folder, &run)?;
    session.find_token(provider);
    session.need_token(provider, prompt.as_mut())?;
    let looks = flow
        .survey(&session.clouds, &run.facts)
        .await
        .map_err(|fault| Error::of_fault("cannot look at the run", fault))?;
    let mut rows = rows(&flow, &run, looks);
    if run.undoing() {
        // What was found and what the run never came to are not this run's to judge any more.
        for row in &mut rows {
            row.well |= !matches!(
                row.saved,
                Some(Status::Deleted | Status::Created | Status::Creating)
            );
        }
    }
    let well = rows.iter().all(|row| row.well);
    let words = context.run_words(&name);
    let text = if context.json() {
        document(provider, &run, &rows, well).to_string() + "\n"
    } else {
        page(context, provider, &run, &rows)
    };
    // A closed pipe is nobody's error.
    let _ = view::out(&text);
    context.set_reported();
    if well {
        return Ok(());
    }
    let mut error = Error::new(
        Kind::Failed,
        format!("the run {name} is not as it should be"),
    );
    for row in rows.iter().filter(|row| !row.well) {
        if let Some(todo) = &row.todo {
            error = error.hint(format!("{}: {todo}", row.thing));
        }
    }
    if run.undoing() {
        error = error.hint(format!("peer-wizard undo {words}"));
    } else if resume::is_unfinished(&run, &flow) {
        error = error.hint(format!("peer-wizard resume {words}"));
    }
    Err(error)
}

/// One step: what was saved of it, and how it looks.
struct Row {
    step: &'static str,
    thing: String,
    saved: Option<Status>,
    look: &'static str,
    says: String,
    todo: Option<String>,
    well: bool,
}

fn rows(flow: &Flow, run: &Run, looks: Vec<(&'static str, Option<Look>)>) -> Vec<Row> {
    flow.steps
        .iter()
        .zip(looks)
        .filter_map(|(step, (id, look))| {
            let thing = match step {
                Step::Ensure(resource) => resource.thing(),
                Step::Wait(probe) => probe.about().title,
            };
            let saved = run.status(id);
            let Some(look) = look else {
                // A state or a password leaves no trace to look at; an object not made yet has no name to look for.
                let unfinished =
                    !saved.is_some_and(|status| status.done() || status == Status::Deleted);
                return unfinished.then(|| Row {
                    step: id,
                    thing,
                    saved,
                    look: "unknown",
                    says: "not done yet".into(),
                    todo: None,
                    well: false,
                });
            };
            let (name, says, todo) = match look {
                Look::Present(says) => ("present", says, None),
                Look::Missing => ("missing", String::new(), None),
                Look::Changed { says, todo } => ("changed", says, Some(todo)),
            };
            let (well, todo) = judge(saved, name, todo);
            Some(Row {
                step: id,
                thing,
                saved,
                look: name,
                says,
                todo,
                well,
            })
        })
        .collect()
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
        (Some(status), "present") if status.done() => (true, None),
        (Some(status), "missing") if status.done() => {
            (false, Some(todo.unwrap_or_else(|| gone.into())))
        }
        (Some(Status::Creating), _) => (
            false,
            Some("its creation was interrupted: resume finishes it".into()),
        ),
        (None, "present") => (
            false,
            Some("it is there, and the run has not come to it yet".into()),
        ),
        (None, _) => (false, None),
        (_, _) => (false, todo),
    }
}

fn document(provider: &Provider, run: &Run, rows: &[Row], well: bool) -> Value {
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
        "run": run.run, "flow": run.flow, "provider": provider.name, "well": well,
        "steps": steps, "facts": run.facts.durable(),
    })
}

fn page(context: &Context<'_>, provider: &Provider, run: &Run, rows: &[Row]) -> String {
    let fact = |name: &str| run.facts.durable().get(name).cloned().unwrap_or_default();
    let half = |id: &str| {
        let row = rows.iter().find(|row| row.step == id);
        row.map_or_else(
            || "?".to_owned(),
            |row| match row.says.as_str() {
                "" => row.look.to_owned(),
                says => says.split(':').next().unwrap_or(says).to_owned(),
            },
        )
    };
    let [yours, theirs] = provider.halves;
    let (_, to) = plan::ends(provider, &run.facts);
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
                "" => row.look.to_owned(),
                says => format!("{}: {says}", row.look),
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
