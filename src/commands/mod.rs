//! One file for each command; they join the parts and know nothing of their own.

mod azure;
mod context;
mod doctor;
mod drive;
mod explain;
mod generate;
mod plan;
mod practice;
mod resume;
mod runs;
mod script;
mod serve;
mod session;
mod status;
mod undo;

use crate::{
    cli::{Cli, Command},
    engine::{Event, event::Failure, event::Outcome},
    error::{Error, Kind},
    view::{self, report},
};
use clap::{CommandFactory, FromArgMatches};
use context::Context;
use std::collections::BTreeMap;

/// Runs what was typed and gives the exit code.
pub async fn run() -> u8 {
    let matches = Cli::command().get_matches();
    let cli = match Cli::from_arg_matches(&matches) {
        Ok(cli) => cli,
        Err(error) => error.exit(),
    };
    let context = Context::new(&cli);
    let work = async {
        match &cli.command {
            Command::Azure(options) => {
                let given = matches.subcommand_matches("azure");
                azure::run(&context, options, given.unwrap_or(&matches)).await
            }
            Command::Resume(options) => resume::run(&context, options).await,
            Command::Status(named) => status::run(&context, named).await,
            Command::Undo(options) => undo::run(&context, options).await,
            Command::Runs => runs::run(&context),
            Command::Doctor(_) => {
                let given = matches.subcommand_matches("doctor");
                doctor::run(&context, given.unwrap_or(&matches)).await
            }
            Command::Explain(options) => {
                explain::run(&context, options);
                Ok(())
            }
            Command::Sandbox(options) => serve::run(&context, options).await,
            Command::Completions { shell } => {
                generate::completions(*shell);
                Ok(())
            }
            Command::Man => generate::man(),
        }
    };
    let result = tokio::select! {
        biased;
        result = work => result,
        () = context.signals() => Err(Error::new(Kind::Interrupted, "stopped")),
    };
    context.view().close();
    match result {
        Ok(()) => 0,
        Err(error) => {
            context.fail(&error);
            error.kind.exit_code()
        }
    }
}

impl Context<'_> {
    /// Tells the person, or the program that reads our lines, why it ended.
    fn fail(&self, error: &Error) {
        if self.json() && !self.reported() {
            let failed = Event::Failed {
                step: None,
                error: failure(error),
                resume: None,
            };
            self.view().event(&failed);
            self.view().event(&Event::Closed {
                status: outcome(error.kind),
                facts: &BTreeMap::new(),
            });
        }
        if error.kind == Kind::Interrupted && self.run_name().is_some() {
            // The way on has been shown.
            return;
        }
        let log = self.log_path().filter(|path| path.exists());
        let text = report::error(error, &self.screen, log.as_deref());
        // With stderr closed there is nobody left to tell.
        let _ = view::err(&text);
    }
}

fn failure(error: &Error) -> Failure<'_> {
    Failure {
        kind: error.kind.name(),
        message: &error.message,
        code: error.code.as_deref(),
        hints: &error.hints,
    }
}

fn outcome(kind: Kind) -> Outcome {
    match kind {
        Kind::Waiting => Outcome::Waiting,
        Kind::Interrupted => Outcome::Interrupted,
        _ => Outcome::Failed,
    }
}
