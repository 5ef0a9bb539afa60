//! Drives a run to its end, tells what happens, and says how to go on when it does not get there.

use super::{context::Context, failure, outcome, plan, session::Session};
use crate::{
    azure::Flow,
    engine::{
        Event, Limits, Run, Runner,
        event::{Outcome, SCHEMA},
        store::Locked,
    },
    error::{Error, Kind},
    providers::Provider,
    view::{self, report},
};

/// A run with all that it takes to go on with it.
pub struct Drive<'a> {
    /// The provider.
    pub provider: &'static Provider,
    /// Its flow, in this run's shape.
    pub flow: &'a Flow,
    /// The clouds.
    pub session: &'a Session,
    /// The run's file.
    pub file: Locked,
    /// The run.
    pub run: Run,
    /// What was asked of the waits.
    pub limits: Limits,
}

impl Drive<'_> {
    /// Goes on with the run.
    ///
    /// # Errors
    /// Why it did not reach its end; the run is saved.
    pub async fn go(mut self, context: &Context<'_>) -> Result<(), Error> {
        let total = self.flow.steps.len();
        context.view().event(&Event::Opened {
            schema: SCHEMA,
            run: &self.run.run,
            flow: &self.run.flow,
            total,
            version: env!("CARGO_PKG_VERSION"),
        });
        let step = context.shared_step();
        let view = context.shared_view();
        let observe = |event: &Event<'_>| {
            if let Event::Started { step: id, .. } = event {
                (*id).clone_into(&mut step.borrow_mut());
            }
            view.borrow_mut().event(event);
        };
        let mut runner = Runner::new(self.flow, &self.session.clouds, &mut self.file, observe);
        runner.pace = self.session.clouds.pace;
        runner.limits = self.limits;
        runner.stop = context.stop.clone();
        let result = runner.apply(&mut self.run).await;
        let words = context.run_words(&self.run.run);
        match result {
            Ok(()) => {
                self.connected(context, &words);
                Ok(())
            }
            Err((id, fault)) => {
                let title = self
                    .flow
                    .steps
                    .iter()
                    .map(|step| step.about())
                    .find(|about| about.id == id)
                    .map_or_else(String::new, |about| about.title);
                let resume = format!("peer-wizard resume {words}");
                let error = Error::of_fault(format!("\"{title}\" did not succeed"), fault);
                Err(self.stopped(context, id, error, &resume, &words))
            }
        }
    }

    fn connected(&self, context: &Context<'_>, words: &str) {
        let facts = self.run.facts.durable();
        context.view().event(&Event::Closed {
            status: Outcome::Connected,
            facts,
        });
        context.view().close();
        context.set_reported();
        let (from, to) = plan::ends(self.provider, &self.run.facts);
        let mut places = vec![
            ("Azure".to_owned(), azure_page(&self.run)),
            (
                self.provider.name.to_owned(),
                self.provider.console.to_owned(),
            ),
        ];
        for (index, step) in self.provider.next_steps.iter().enumerate() {
            let label = if index == 0 { "Next" } else { "" };
            places.push((label.to_owned(), (*step).to_owned()));
        }
        let closing = report::connected(
            &report::Connected {
                from: &from,
                to: &to,
                run: words,
                facts,
                places: &places,
            },
            &context.screen,
        );
        if !context.json() {
            // A closed pipe is nobody's error.
            let _ = view::out(&closing.stdout);
        }
        if !context.screen.quiet {
            let _ = view::err(&closing.stderr);
        }
    }

    fn stopped(
        &self,
        context: &Context<'_>,
        step: &str,
        error: Error,
        resume: &str,
        words: &str,
    ) -> Error {
        let error = match error.kind {
            Kind::Interrupted | Kind::Bug => error,
            _ => error.hint(resume),
        };
        if !matches!(error.kind, Kind::Waiting | Kind::Interrupted) {
            context.view().event(&Event::Failed {
                step: Some(step),
                error: failure(&error),
                resume: Some(resume),
            });
        }
        context.view().event(&Event::Closed {
            status: outcome(error.kind),
            facts: self.run.facts.durable(),
        });
        context.view().close();
        context.set_reported();
        if error.kind == Kind::Interrupted {
            let steps = self.flow.steps.iter();
            let text = report::stopped(
                &report::Stopped {
                    done: steps.filter(|step| self.run.done(step.about().id)).count(),
                    total: self.flow.steps.len(),
                    run: words,
                    services: &format!("Azure and {}", self.provider.name),
                    undoing: false,
                },
                &context.screen,
            );
            let _ = view::err(&text);
        }
        error
    }
}

/// Where the portal shows the VNet's peerings.
fn azure_page(run: &Run) -> String {
    let vnet = run.facts.durable().get("USER_VNET_ID");
    format!(
        "https://portal.azure.com/#resource{}/peerings",
        vnet.map_or("", String::as_str)
    )
}
