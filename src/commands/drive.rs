//! Drives a run to its end, tells what happens, and says how to go on when it does not get there.

use super::{context::Context, failure, outcome, plan, session::Session};
use crate::{
    azure::{Fault, Flow},
    engine::{
        Event, Limits, Run, Runner, Status, Step,
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
        match self.walk(context, Way::On).await {
            Ok(()) => {
                let words = context.run_words(&self.run.run);
                self.connected(context, &words);
                Ok(())
            }
            Err((id, fault)) => Err(self.stopped(context, id, fault, Way::On)),
        }
    }

    /// Deletes what the run created, except the steps in `keep`.
    ///
    /// # Errors
    /// Why something is left; the run is saved.
    pub async fn back(mut self, context: &Context<'_>, keep: &[&str]) -> Result<(), Error> {
        let before = self.run.steps.clone();
        match self.walk(context, Way::Back(keep)).await {
            Ok(()) => {
                context.close(Outcome::Undone, self.run.facts.durable());
                let left = before.iter().filter(|(id, was)| {
                    was.status == Status::Created && self.run.status(id) == Some(Status::Found)
                });
                let left: Vec<&str> = left.map(|(id, _)| id.as_str()).collect();
                context.note(&if left.is_empty() {
                    format!(
                        "What the run {} made is gone; what was there before is as it was.",
                        self.run.run
                    )
                } else {
                    format!(
                        "What the run {} made is gone, but for what something else has come to need: {}.",
                        self.run.run,
                        left.join(", ")
                    )
                });
                Ok(())
            }
            Err((id, fault)) => Err(self.stopped(context, id, fault, Way::Back(keep))),
        }
    }

    async fn walk(
        &mut self,
        context: &Context<'_>,
        way: Way<'_>,
    ) -> Result<(), (&'static str, Fault)> {
        let total = self.flow.steps.len();
        context.view().event(&Event::Opened {
            schema: SCHEMA,
            run: Some(&self.run.run),
            flow: Some(&self.run.flow),
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
        match way {
            Way::On => runner.apply(&mut self.run).await,
            Way::Back(keep) => runner.undo(&mut self.run, keep).await,
        }
    }

    fn connected(&self, context: &Context<'_>, words: &str) {
        let facts = self.run.facts.durable();
        context.close(Outcome::Connected, facts);
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

    /// Says why and how to go on.
    fn stopped(&self, context: &Context<'_>, id: &str, fault: Fault, way: Way<'_>) -> Error {
        let undoing = matches!(way, Way::Back(_));
        let title = self
            .flow
            .steps
            .iter()
            .find(|step| step.about().id == id)
            .map_or_else(String::new, |step| match (step, undoing) {
                (Step::Ensure(resource), true) => format!("Delete {}", resource.thing()),
                _ => step.about().title,
            });
        let error = Error::of_fault(format!("\"{title}\" did not succeed"), fault);
        let words = context.run_words(&self.run.run);
        let command = if undoing { "undo" } else { "resume" };
        let on = format!("peer-wizard {command} {words}");
        let error = match error.kind {
            Kind::Interrupted | Kind::Bug => error,
            _ => error.hint(on.as_str()),
        };
        if !matches!(error.kind, Kind::Waiting | Kind::Interrupted) {
            context.view().event(&Event::Failed {
                step: Some(id),
                error: failure(&error),
                resume: Some(&on),
            });
        }
        context.close(outcome(error.kind), self.run.facts.durable());
        if error.kind == Kind::Interrupted {
            let steps = || self.flow.steps.iter().map(|step| step.about().id);
            let made = |id: &&str| {
                matches!(
                    self.run.status(id),
                    Some(Status::Created | Status::Creating | Status::Deleted)
                )
            };
            let gone = |id: &&str| self.run.status(id) == Some(Status::Deleted);
            let (done, total) = if undoing {
                (steps().filter(gone).count(), steps().filter(made).count())
            } else {
                (
                    steps().filter(|id| self.run.done(id)).count(),
                    steps().count(),
                )
            };
            let text = report::stopped(
                &report::Stopped {
                    done,
                    total,
                    run: &words,
                    services: &format!("Azure and {}", self.provider.name),
                    undoing,
                },
                &context.screen,
            );
            let _ = view::err(&text);
        }
        error
    }
}

/// Which way a run is walked.
#[derive(Clone, Copy)]
enum Way<'a> {
    /// To its end.
    On,
    /// Back, except these steps.
    Back(&'a [&'a str]),
}

/// Where the portal shows the VNet's peerings.
fn azure_page(run: &Run) -> String {
    let vnet = run.facts.durable().get("USER_VNET_ID");
    format!(
        "https://portal.azure.com/#resource{}/peerings",
        vnet.map_or("", String::as_str)
    )
}
