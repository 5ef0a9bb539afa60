//! `peer-wizard runs`: list the runs, newest first.

use super::{context::Context, resume};
use crate::{
    engine::Run,
    error::Error,
    view::{self, report},
};
use serde_json::{Value, json};

/// Lists the runs.
///
/// # Errors
/// When the folder cannot be read.
pub fn run(context: &Context<'_>) -> Result<(), Error> {
    let runs: Vec<Listed> = context
        .folder()?
        .list()?
        .into_iter()
        .map(|(name, run)| match run {
            Ok(run) => Listed::of(context, name, &run),
            Err(error) => Listed {
                name,
                state: error.to_string(),
                ..Listed::default()
            },
        })
        .filter(|it| !context.global.sandbox || it.sandbox)
        .collect();
    let text = if context.json() {
        let list: Vec<Value> = runs.iter().map(Listed::json).collect();
        json!({ "runs": list }).to_string() + "\n"
    } else if runs.is_empty() {
        context.note("There are no runs yet. `peer-wizard azure` begins one.");
        String::new()
    } else {
        let rows: Vec<Vec<String>> = runs.iter().map(Listed::row).collect();
        let headers = ["RUN", "VNET", "STEPS", "STATE", "SINCE"];
        report::table(&headers, &rows, view::stdout_width())
    };
    // A closed pipe is nobody's error.
    let _ = view::out(&text);
    context.set_reported();
    Ok(())
}

#[derive(Default)]
struct Listed {
    name: String,
    flow: String,
    vnet: String,
    done: usize,
    total: usize,
    state: String,
    since: String,
    sandbox: bool,
}

impl Listed {
    fn of(context: &Context<'_>, name: String, run: &Run) -> Self {
        let vnet = run.facts.durable().get("USER_VNET_NAME");
        let since = run.steps.values().map(|step| step.at.as_str()).max();
        let mut it = Self {
            name,
            flow: run.flow.clone(),
            vnet: vnet.cloned().unwrap_or_default(),
            since: since.unwrap_or_default().into(),
            sandbox: run.answers.contains_key("SANDBOX"),
            ..Self::default()
        };
        match resume::flow_of(context, run) {
            Ok((_, flow)) => {
                let ids: Vec<_> = flow.steps.iter().map(|step| step.about().id).collect();
                it.total = ids.len();
                it.done = ids.iter().filter(|id| run.done(id)).count();
                let left = ids.iter().any(|id| {
                    use crate::engine::Status::{Created, Creating};
                    matches!(run.status(id), Some(Created | Creating))
                });
                it.state = match (run.undoing(), resume::is_unfinished(run, &flow), left) {
                    (true, _, true) => "undo unfinished",
                    (true, _, false) => "undone",
                    (false, true, _) => "unfinished",
                    (false, false, _) => "connected",
                }
                .into();
            }
            Err(error) => it.state = error.message,
        }
        it
    }

    fn row(&self) -> Vec<String> {
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
        } = self;
        json!({
            "run": name, "flow": flow, "vnet": vnet, "done": done, "total": total,
            "state": state, "since": since, "sandbox": sandbox,
        })
    }
}
