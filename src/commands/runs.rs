//! `peer-wizard runs`: list the runs, newest first.

use super::{
    context::Context,
    opening::{Opening, practised},
    report::Report,
    resume,
};
use crate::{
    azure::Flow,
    engine::{Run, Runs, Status},
    error::Error,
    store::Folder,
    view::{self, json, report},
};
use serde_json::{Value, json};

/// Lists the runs.
///
/// # Errors
/// When the folder cannot be read.
pub async fn run(context: &Context<'_>) -> Result<Report, Error> {
    let folder = context.folder()?;
    let runs = folder.list().await?.into_iter();
    let runs: Vec<Row> = runs
        .map(|(name, run)| match run {
            Ok(run) => Row::of(context, &folder, name, run),
            Err(error) => Row {
                name,
                state: error.to_string(),
                ..Row::default()
            },
        })
        .filter(|it| !context.global.sandbox || it.sandbox)
        .collect();
    let text = if context.json() {
        let list: Vec<Value> = runs.iter().map(Row::json).collect();
        json::line(&json!({ "runs": list })) + "\n"
    } else if runs.is_empty() {
        let says = "There are no runs yet. `peer-wizard azure` begins one.\n";
        return Ok(Report {
            says: says.into(),
            ..Report::default()
        });
    } else {
        let rows: Vec<Vec<String>> = runs.iter().map(Row::cells).collect();
        let headers = ["RUN", "VNET", "STEPS", "STATE", "SINCE"];
        report::table(&headers, &rows, view::stdout_width())
    };
    Ok(Report::data(text))
}

#[derive(Default)]
struct Row {
    name: String,
    flow: String,
    vnet: String,
    done: usize,
    total: usize,
    state: String,
    since: String,
    sandbox: bool,
    /// The steps whose objects undo left to others, and why.
    kept: Vec<(String, String)>,
}

impl Row {
    fn of(context: &Context<'_>, folder: &Folder, name: String, run: Run) -> Self {
        let facts = run.facts();
        let since = run.records().map(|(_, record)| record.at.as_str()).max();
        let it = Self {
            name,
            flow: run.flow.clone(),
            vnet: facts.text("USER_VNET_NAME").unwrap_or_default().into(),
            since: since.unwrap_or_default().into(),
            sandbox: practised(&run),
            ..Self::default()
        };
        match Opening::of(context, folder, run) {
            Ok(Opening { run, flow, .. }) => Self {
                total: flow.steps.len(),
                done: flow
                    .steps
                    .iter()
                    .filter(|step| run.done(step.about().id))
                    .count(),
                state: state(&run, &flow).into(),
                kept: kept(&run),
                ..it
            },
            Err(error) => Self {
                state: error.message,
                ..it
            },
        }
    }

    fn cells(&self) -> Vec<String> {
        let Self {
            name,
            vnet,
            done,
            total,
            state,
            since,
            sandbox,
            ..
        } = self;
        let state = if *sandbox {
            format!("{state} (sandbox)")
        } else {
            state.clone()
        };
        vec![
            name.clone(),
            vnet.clone(),
            format!("{done}/{total}"),
            state,
            since.clone(),
        ]
    }

    fn json(&self) -> Value {
        let Self {
            name,
            flow,
            vnet,
            done,
            total,
            state,
            since,
            sandbox,
            kept,
        } = self;
        let mut row = json!({
            "run": name, "flow": flow, "vnet": vnet, "done": done, "total": total,
            "state": state, "since": since, "sandbox": sandbox,
        });
        if !kept.is_empty() {
            let kept = kept.iter();
            row["kept"] = kept
                .map(|(step, why)| json!({ "step": step, "why": why }))
                .collect();
        }
        row
    }
}

/// In one word, how far the run is.
pub fn state(run: &Run, flow: &Flow) -> &'static str {
    let left = |status: Status| status.ours() && status != Status::Kept;
    let left = run.records().any(|(_, record)| left(record.status));
    match (run.undoing(), resume::is_unfinished(run, flow), left) {
        (true, _, true) => "undo unfinished",
        (true, _, false) => "undone",
        (false, true, _) => "unfinished",
        (false, false, _) => "connected",
    }
}

fn kept(run: &Run) -> Vec<(String, String)> {
    let kept = run.records().filter(|(_, it)| it.status == Status::Kept);
    kept.map(|(step, record)| (step.to_owned(), record.note.clone().unwrap_or_default()))
        .collect()
}
