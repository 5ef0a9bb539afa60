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
    engine::{
        Event,
        event::{Failure, Outcome, SCHEMA},
    },
    error::{Error, Kind},
    view::{self, report},
};
use clap::{CommandFactory, FromArgMatches, Parser};
use context::Context;
use std::collections::BTreeMap;

/// Runs what was typed and gives the exit code.
pub async fn run() -> u8 {
    let parsed = Cli::command()
        .try_get_matches()
        .and_then(|matches| Ok((Cli::from_arg_matches(&matches)?, matches)));
    let (cli, matches) = match parsed {
        Ok(parsed) => parsed,
        Err(error) => return unparsed(&error),
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
        // The signals first: a prompt blocks, and console's own answer to Ctrl-C is to end the process.
        biased;
        () = context.signals() => Err(Error::new(Kind::Interrupted, "stopped")),
        result = work => result,
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

/// Shows clap's own words: help, version, or what is wrong with the command line. A program that asked for JSON gets
/// its lines for the latter too.
fn unparsed(error: &clap::Error) -> u8 {
    // A closed pipe is nobody's error.
    let _ = error.print();
    if !error.use_stderr() {
        return 0;
    }
    let words: Vec<String> = std::env::args().collect();
    let json = words.iter().any(|word| word == "--output=json")
        || words.windows(2).any(|pair| pair == ["--output", "json"]);
    let cli = Cli::try_parse_from(["peer-wizard", "--output", "json", "runs"]);
    if let (true, Ok(cli)) = (json, cli) {
        let text = error.to_string();
        let first = text.lines().next().unwrap_or_default();
        let error = Error::usage(first.trim_start_matches("error: "));
        Context::new(&cli).lines(&error);
    }
    Kind::Usage.exit_code()
}

impl Context<'_> {
    /// Tells the person, or the program that reads our lines, why it ended.
    fn fail(&self, error: &Error) {
        if self.json() && !self.reported() {
            self.lines(error);
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

impl Context<'_> {
    /// The lines of something that ended before there was a run.
    fn lines(&self, error: &Error) {
        self.open_without_run();
        self.view().event(&Event::Failed {
            step: None,
            error: failure(error),
            resume: None,
        });
        self.close(outcome(error.kind), &BTreeMap::new());
    }

    fn open_without_run(&self) {
        self.view().event(&Event::Opened {
            schema: SCHEMA,
            run: None,
            flow: None,
            total: 0,
            version: env!("CARGO_PKG_VERSION"),
        });
    }

    /// The first and the last line, when there was nothing between them to do.
    fn close_without_run(&self, status: Outcome, facts: &BTreeMap<String, String>) {
        self.open_without_run();
        self.close(status, facts);
    }

    /// The last line.
    fn close(&self, status: Outcome, facts: &BTreeMap<String, String>) {
        self.view().event(&Event::Closed { status, facts });
        self.view().close();
        self.set_reported();
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
