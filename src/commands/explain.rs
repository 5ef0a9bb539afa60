//! `peer-wizard explain`: what each step does and why.

use super::{context::Context, plan, report::Report};
use crate::{
    cli,
    engine::Step,
    provider::{Provider, Shape},
    providers,
    view::{
        self, json,
        preview::{Mark, Preview},
    },
};
use serde_json::{Value, json};

/// Explains one provider's flow, or all.
pub fn run(context: &Context<'_>, options: &cli::Explain) -> Report {
    let wanted = options.provider.as_deref().filter(|id| !id.is_empty());
    let chosen: Vec<&Provider> = providers::ALL
        .iter()
        .copied()
        .filter(|provider| wanted.is_none_or(|id| provider.id == id))
        .collect();
    let shape = Shape {
        login_host: context.signing_in(None).cloud.login_host().into(),
        ..Shape::default()
    };
    Report::data(if context.json() {
        let list: Vec<Value> = chosen.iter().map(|it| document(it, &shape)).collect();
        json::line(&json!({ "providers": list })) + "\n"
    } else {
        let pages: Vec<String> = chosen
            .iter()
            .map(|provider| page(context, provider, &shape))
            .collect();
        pages.join("\n")
    })
}

fn document(provider: &Provider, shape: &Shape) -> Value {
    let flow = provider.flow(shape);
    let steps: Vec<Value> = flow
        .steps
        .iter()
        .map(|step| {
            let about = step.about();
            json!({
                "step": about.id, "title": about.title, "why": about.why, "part": step.part().to_string(),
                "link": about.link, "permissions": about.permissions,
            })
        })
        .collect();
    json!({ "provider": provider.id, "title": provider.title, "steps": steps })
}

fn page(context: &Context<'_>, provider: &Provider, shape: &Shape) -> String {
    let flow = provider.flow(shape);
    let lines = flow
        .steps
        .iter()
        .map(|step| {
            let about = step.about();
            let (mark, note) = match step {
                Step::Ensure(_) => (Mark::Create, String::new()),
                Step::Wait(_) | Step::Release(_) => (Mark::Wait, plan::usually(step)),
            };
            plan::line(about, mark, note)
        })
        .collect();
    let page = Preview {
        verb: "Connect".into(),
        from: "your VNet".into(),
        to: provider.title.into(),
        lines,
        ..Preview::default()
    };
    // It goes to stdout, whose width and colours are its own.
    let screen = view::Screen {
        color: false,
        width: view::stdout_width(),
        ..context.screen.clone()
    };
    page.render(&screen, true)
}
