//! One file for each command; they join the parts and know nothing of their own. A command gives back how it ended, or a run
//! to be driven; this is the one place that prints the end and picks the exit code.

mod azure;
mod context;
mod doctor;
mod drive;
mod explain;
mod generate;
mod guard;
mod opening;
mod others;
mod panics;
mod plan;
mod practice;
mod report;
mod resume;
mod runs;
mod script;
mod serve;
mod session;
mod signals;
mod status;
mod stream;
mod undo;

use crate::{
    cli::{Cli, Command},
    error::{Error, Kind},
    view::{self, Screen},
};
use clap::Parser;
use context::Context;
use drive::Next;
use report::Report;

/// Runs what was typed and gives the exit code.
#[must_use]
pub fn run() -> u8 {
    guard::memory();
    panics::keep();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let ended = runtime
        .map_err(|error| Error::new(Kind::Failed, "cannot begin").from_source(error))
        .and_then(|runtime| {
            let ended = runtime.block_on(panics::caught(typed()));
            // What hangs in the background, such as the look-up of a name, holds nobody.
            runtime.shutdown_background();
            ended
        });
    ended.unwrap_or_else(|error| {
        // With stderr closed there is nobody left to tell.
        let _ = view::err(&view::report::error(&error, &Screen::plain(100), None));
        error.kind.exit_code()
    })
}

async fn typed() -> u8 {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return unparsed(&error),
    };
    let context = Context::new(&cli);
    let report = tokio::select! {
        // The signals first: a prompt blocks, and console's own answer to Ctrl-C is to end the process.
        biased;
        never = signals::listen(&context.stop) => match never {},
        report = ended(&context, command(&context, &cli.command)) => report,
    };
    report.print(&context)
}

async fn command(context: &Context<'_>, command: &Command) -> Result<Next, Error> {
    Ok(match command {
        Command::Azure(options) => azure::run(context, options).await?,
        Command::Resume(options) => resume::run(context, options).await?,
        Command::Status(named) => status::run(context, named).await?.into(),
        Command::Undo(options) => undo::run(context, options).await?,
        Command::Runs => runs::run(context).await?.into(),
        Command::Doctor(options) => doctor::run(context, options).await?.into(),
        Command::Explain(options) => explain::run(context, options).into(),
        Command::Sandbox(options) => match serve::run(context, options).await? {},
        Command::Completions { shell } => generate::completions(*shell).into(),
        Command::Man => generate::man()?.into(),
    })
}

/// Does what the command asks for, to whatever end: before there is a run the first signal ends it, then the run itself
/// listens; and a panic is an error like others.
async fn ended(
    context: &Context<'_>,
    command: impl Future<Output = Result<Next, Error>>,
) -> Report {
    let next = tokio::select! {
        biased;
        () = context.stop.wait(1) => Err(Error::new(Kind::Interrupted, "stopped")),
        next = panics::caught(command) => next.and_then(|next| next),
    };
    let driven = match next {
        Ok(Next::Done(report)) => Ok(*report),
        Ok(Next::Run(drive)) => panics::caught(Box::pin(drive.run(context))).await,
        Err(error) => Err(error),
    };
    driven.unwrap_or_else(Report::from)
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
        Report::from(error).close(&Context::new(&cli).stream);
    }
    Kind::Usage.exit_code()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        engine::{Event, Status},
        view::View,
    };
    use std::{
        cell::{Cell, RefCell},
        rc::Rc,
    };
    use stream::Stream;

    /// A view that keeps the lines of the events, and panics once when it is told this.
    #[derive(Clone, Default)]
    struct Told(Rc<RefCell<Vec<String>>>, Rc<Cell<Option<&'static str>>>);

    impl Told {
        fn panic_at(&self, line: &str) {
            let at = self.1.take();
            assert!(!at.is_some_and(|at| line.contains(at)), "the moon is full");
            self.1.set(at);
        }
    }

    impl View for Told {
        fn event(&mut self, event: &Event<'_>, _: Option<&str>) {
            let line = view::json::line(event);
            self.panic_at(&line);
            self.0.borrow_mut().push(line);
        }
        fn note(&mut self, _: &str) {}
        fn request(&mut self, line: &str) {
            self.panic_at(line);
        }
        fn close(&mut self) {}
    }

    /// How a command ends that does this, and the events that are told of it.
    fn end_of(
        begin: impl FnOnce(&Context<'_>),
        command: impl Future<Output = Result<Next, Error>>,
    ) -> (Report, Vec<String>) {
        let cli = Cli::try_parse_from(["peer-wizard", "runs"]).expect("a command");
        let told = Told::default();
        let mut context = Context::new(&cli);
        context.stream = Stream::new(Box::new(told.clone()));
        begin(&context);
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        let runtime = runtime.expect("a runtime");
        let report = runtime.block_on(ended(&context, command));
        report.close(&context.stream);
        let told = told.0.borrow().clone();
        (report, told)
    }

    fn code(report: &Report) -> Option<u8> {
        report.error.as_ref().map(|error| error.kind.exit_code())
    }

    #[test]
    fn a_panic_ends_the_command_as_an_error_and_closes_the_stream() {
        panics::keep();
        let (report, told) = end_of(|_| (), async { panic!("the moon is full") });
        assert_eq!(code(&report), Some(70));
        assert_eq!(told.len(), 3, "{told:?}");
        assert!(told[0].contains("opened"), "{told:?}");
        assert!(told[1].contains("the moon is full"), "{told:?}");
        assert!(told[2].contains("closed"), "{told:?}");
    }

    /// A practice run that panics when this is told ends as an error, is saved, and leaves no password.
    #[cfg(feature = "sandbox")]
    fn panics_at(at: &'static str) {
        panics::keep();
        let state = crate::store::Scratch::fresh();
        let folder = state.0.display().to_string();
        let words = ["peer-wizard", "azure", "--sandbox", "--yes", "--quiet"];
        let words = words.into_iter().chain(["--state-dir", &folder]);
        let cli = Cli::try_parse_from(words).expect("a command");
        let Command::Azure(options) = &cli.command else {
            panic!("another command");
        };
        let told = Told::default();
        told.1.set(Some(at));
        let mut context = Context::new(&cli);
        context.stream = Stream::new(Box::new(told.clone()));
        let at_once = crate::cli::Serve {
            port: 0,
            state: None,
            delay: 0.0,
        };
        let practice = practice::Practice::serve(&at_once).expect("a port is free");
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        let command = azure::connect(&context, options, Some(practice));
        let report = runtime
            .expect("a runtime")
            .block_on(ended(&context, command));
        report.close(&context.stream);

        let told = told.0.borrow().join("\n");
        let error = report.error.as_ref().expect("it panicked");
        assert_eq!(code(&report), Some(70), "{at}: {error:?}\n{told}");
        let why = format!("{error:?}");
        assert!(why.contains("the moon is full"), "{at}: {why}");
        assert!(why.contains(file!()), "{at}: {why}");
        assert!(why.contains("peer-wizard resume"), "{at}: {why}");
        for event in ["opened", "failed", "closed"] {
            let line = format!("\"event\":\"{event}\"");
            assert_eq!(told.matches(&line).count(), 1, "{at}: {told}");
        }
        let last = told.lines().last().unwrap_or_default();
        assert!(last.contains("closed"), "{at}: {told}");

        let files = std::fs::read_dir(state.0.join("runs")).expect("there is a run");
        let files = files.map(|file| file.expect("a file").path());
        let (worlds, runs): (Vec<_>, Vec<_>) = files
            .filter(|path| path.extension().is_some_and(|it| it == "json"))
            .partition(|path| path.to_string_lossy().ends_with(".sandbox.json"));
        let text = |path: &std::path::PathBuf| std::fs::read_to_string(path).expect("a file");
        let run: crate::engine::Run = serde_json::from_str(&text(&runs[0])).expect("a whole run");
        // It was minted, and is gone.
        assert!(run.status("password").is_some_and(Status::ours), "{at}");
        let password = format!("peer-wizard {}", run.run);
        assert!(!text(&worlds[0]).contains(&password), "{at}: it is left");
    }

    #[test]
    #[cfg(feature = "sandbox")]
    fn a_panic_in_a_run_saves_it_and_takes_the_password_back() {
        // While it is minted, between two steps, and within one that waits for Azure.
        panics_at("/addPassword ");
        panics_at(r#""event":"started","step":"pending-peer""#);
        panics_at("/virtualNetworkPeerings/");
    }

    #[test]
    fn a_stream_has_one_first_line() {
        let open = |context: &Context<'_>| context.stream.open(Some(("kong-9k2f", "kong")), 7);
        let (_, told) = end_of(open, async { Err(Error::usage("no")) });
        let opened = told.iter().filter(|line| line.contains("opened"));
        assert_eq!(opened.count(), 1, "{told:?}");
    }

    #[test]
    fn the_first_signal_ends_what_is_no_run() {
        let (report, told) = end_of(|context| context.stop.ring(), std::future::pending());
        assert_eq!(code(&report), Some(130));
        assert!(told[2].contains("interrupted"), "{told:?}");
    }
}
