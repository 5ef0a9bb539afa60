//! Drives a run to its end, tells what happens, and says how to go on when it does not get there.

use super::{
    context::Context,
    opening::Opening,
    others, panics, plan,
    report::{End, Report},
    session::Session,
};
use crate::{
    azure::Flow,
    engine::{
        Begun, Event, Failed, Fault, Limits, Other, Run, Runner, Status, Step, Store, Undo,
        event::Outcome,
    },
    error::{Error, Kind, REPORT},
    fact::Missing,
    http::ApiError,
    provider::Provider,
    store::Folder,
    view::report,
};
use std::{cell::RefCell, convert::Infallible, future::pending};

/// A run with all that it takes to go on with it.
pub struct Drive {
    /// The provider.
    pub provider: &'static Provider,
    /// Its flow, in this run's shape.
    pub flow: Flow,
    /// The clouds.
    pub session: Session,
    /// Where the runs are.
    pub folder: Folder,
    /// The run's file.
    pub file: Box<dyn Store>,
    /// The run.
    pub run: Run,
    /// What was asked of the waits.
    pub limits: Limits,
    /// Which way.
    pub direction: Direction,
}

/// Which way a run is walked.
pub enum Direction {
    /// To its end.
    On {
        /// What this process knows of the run, if it began it.
        begun: Option<Begun>,
    },
    /// Back.
    Back {
        /// The steps whose objects stay.
        keep: &'static [&'static str],
        /// The other runs that are in use.
        others: Vec<Other>,
    },
}

/// What a command comes to.
pub enum Next {
    /// Its end.
    Done(Box<Report>),
    /// A run to be driven.
    Run(Box<Drive>),
}

impl From<Drive> for Next {
    fn from(drive: Drive) -> Self {
        Self::Run(Box::new(drive))
    }
}

impl From<Report> for Next {
    fn from(report: Report) -> Self {
        Self::Done(Box::new(report))
    }
}

/// Why the run did not get to its end.
enum Broken {
    At(Failed<ApiError>),
    Here(Error),
}

impl Drive {
    /// Of a run that was taken up, with its clouds and its file.
    pub fn of(
        opening: Opening,
        session: Session,
        (folder, file): (Folder, Box<dyn Store>),
        limits: Limits,
        direction: Direction,
    ) -> Self {
        let Opening {
            run,
            provider,
            flow,
            ..
        } = opening;
        Self {
            provider,
            flow,
            session,
            folder,
            file,
            run,
            limits,
            direction,
        }
    }

    /// Goes on with the run. The first signal lets what is under way be finished, the second does not, and the engine takes
    /// back what is of no use without this process; the third ends it all.
    pub async fn run(mut self, context: &Context<'_>) -> Report {
        let flow = (self.run.run.as_str(), self.run.flow.as_str());
        context.stream.open(Some(flow), self.flow.steps.len());
        let log = self.folder.log(&self.run.run);
        self.session.listen(&context.stream, Some(log));
        let before = self.run.clone();
        let taken_up = !matches!(self.direction, Direction::On { begun: Some(_) });
        match (self.walk(context).await, &self.direction) {
            (Ok(()), Direction::On { .. }) => self.connected(context),
            (Ok(()), Direction::Back { .. }) => self.undone(context, &before).await,
            (Err(broken), _) => self.stopped(context, broken, taken_up),
        }
    }

    async fn walk(&mut self, context: &Context<'_>) -> Result<(), Broken> {
        let Self {
            flow,
            session,
            file,
            run,
            limits,
            direction,
            ..
        } = self;
        let several = run.members.len() > 1;
        let observe = |event: &Event<'_>, vnet: Option<&str>| {
            context.stream.event(event, vnet.filter(|_| several));
        };
        let prompt = RefCell::new(context.prompt());
        let mut runner = Runner::new(flow, &session.clouds, file.as_mut(), observe);
        runner.pace = session.pace;
        runner.limits = *limits;
        runner.stop = context.stop.clone();
        runner.agrees = Box::new(|consent| {
            let mut prompt = prompt.borrow_mut();
            let mut said = false;
            context.stream.aside(&mut || {
                said = plan::agreed(prompt.as_mut(), consent).unwrap_or(false);
            });
            said
        });
        let work = async {
            match direction {
                Direction::On { begun } => {
                    if let Some(begun) = begun.take() {
                        runner.began(begun);
                    }
                    runner.apply(run).await
                }
                Direction::Back { keep, others } => {
                    let undo = Undo {
                        keep,
                        others,
                        kept_only: false,
                    };
                    runner.undo(run, &undo).await
                }
            }
        };
        tokio::select! {
            biased;
            () = context.stop.wait(3) => {
                Err(Broken::Here(Error::new(Kind::Interrupted, "interrupted")))
            }
            never = told(context) => match never {},
            ended = panics::caught(work) => match ended {
                Ok(ended) => ended.map_err(Broken::At),
                Err(bug) => Err(Broken::Here(bug)),
            },
        }
    }

    fn connected(self, context: &Context<'_>) -> Report {
        let facts = self.run.facts();
        let (from, to) = plan::ends(self.provider, &facts);
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
                run: &context.run_words(&self.run.run),
                facts: facts.texts(),
                places: &places,
            },
            &context.screen,
        );
        let data = if context.json() {
            String::new()
        } else {
            closing.stdout
        };
        Report {
            out: data,
            says: closing.stderr,
            end: Some(self.end(Some(Outcome::Connected))),
            ..Report::default()
        }
    }

    fn end(&self, status: Option<Outcome>) -> End {
        End {
            status,
            facts: self.run.facts().texts().clone(),
            ..End::default()
        }
    }

    async fn undone(self, context: &Context<'_>, before: &Run) -> Report {
        let mut says = self.left(before);
        let undone = others::Undone {
            folder: &self.folder,
            run: &self.run,
            session: &self.session,
            limits: self.limits,
        };
        says.extend(others::sweep(context, &undone).await);
        Report {
            says: says.join("\n") + "\n",
            end: Some(self.end(Some(Outcome::Undone))),
            ..Report::default()
        }
    }

    /// What is left of the run after its undo, and why.
    fn left(&self, before: &Run) -> Vec<String> {
        let name = &self.run.run;
        let mut left = Vec::new();
        for step in self.flow.undo_order() {
            let id = step.about().id;
            for at in self.flow.places(step, &self.run) {
                let was_ours = before.status_at(&at, id).is_some_and(Status::ours);
                let record = self.run.part(&at).and_then(|part| part.steps.get(id));
                let Some(record) = record.filter(|it| was_ours && it.status != Status::Deleted)
                else {
                    continue;
                };
                let why = record.note.as_deref().unwrap_or("it is needed");
                let word = if record.status == Status::Kept {
                    "kept"
                } else {
                    "left"
                };
                left.push(format!("  {} ({word}: {why})", step.thing()));
            }
        }
        if left.is_empty() {
            return vec![format!(
                "What the run {name} made is gone; what was there before is as it was."
            )];
        }
        let first = format!("What the run {name} made is gone, but for:");
        std::iter::once(first).chain(left).collect()
    }

    /// Says why and how to go on.
    fn stopped(self, context: &Context<'_>, broken: Broken, taken_up: bool) -> Report {
        let undoing = matches!(self.direction, Direction::Back { .. });
        let command = if undoing { "undo" } else { "resume" };
        let words = context.run_words(&self.run.run);
        let on = format!("peer-wizard {command} {words}");
        let (step, error) = match broken {
            Broken::At(failed) => (Some(failed.step), self.error_of(failed, undoing, taken_up)),
            Broken::Here(error) => (None, error),
        };
        let interrupted = error.kind == Kind::Interrupted;
        let stopped = if interrupted {
            self.interrupted(context, &words, undoing)
        } else {
            String::new()
        };
        Report {
            stopped,
            end: Some(End {
                step,
                resume: Some(on.clone()),
                ..self.end(None)
            }),
            error: Some(if interrupted { error } else { error.hint(on) }),
            log: Some(self.folder.path(&self.run.run, "log")),
            ..Report::default()
        }
    }

    fn error_of(&self, failed: Failed<ApiError>, undoing: bool, taken_up: bool) -> Error {
        let title = match self.flow.step(failed.step) {
            Some(step @ Step::Ensure(_)) if undoing => format!("Delete {}", step.thing()),
            Some(step) => step.about().title,
            None => String::new(),
        };
        let doing = format!("\"{title}\" did not succeed");
        let mut error = match failed.fault {
            // An earlier process saved what its steps gave.
            Fault::Missing(Missing(fact)) if taken_up => Error::new(
                Kind::Failed,
                format!("{doing}: the run's file lacks {fact}, which an earlier step gave"),
            )
            .hint(format!("put it back under `facts`, or undo the run: what it made is found by its mark; if nobody changed the file, {REPORT}")),
            fault => Error::of_fault(doing, fault),
        };
        if error.kind == Kind::Bug {
            error = panics::placed(error);
        }
        for other in failed.more {
            error = error.hint(format!("also: {}: {}", other.step, other.fault));
        }
        error
    }

    fn interrupted(&self, context: &Context<'_>, words: &str, undoing: bool) -> String {
        let steps = || self.flow.steps.iter().map(|step| step.about().id);
        let status = |id: &str| self.run.status(id);
        let gone = |id: &&str| status(id) == Some(Status::Deleted);
        let made = |id: &&str| gone(id) || status(id).is_some_and(Status::ours);
        let (done, total) = if undoing {
            (steps().filter(gone).count(), steps().filter(made).count())
        } else {
            let done = steps().filter(|id| self.run.done(id));
            (done.count(), steps().count())
        };
        report::stopped(
            &report::Stopped {
                done,
                total,
                run: words,
                services: &format!("Azure and {}", self.provider.name),
                undoing,
            },
            &context.screen,
        )
    }
}

/// Says once what the first signal does.
async fn told(context: &Context<'_>) -> Infallible {
    context.stop.wait(1).await;
    let text = "finishing the request in flight (Ctrl-C again to stop now)";
    context.stream.note(text);
    pending().await
}

/// Where the portal shows the VNet's peerings.
fn azure_page(run: &Run) -> String {
    let facts = run.facts();
    let vnet = facts.text("USER_VNET_ID").unwrap_or_default();
    format!("https://portal.azure.com/#resource{vnet}/peerings")
}
