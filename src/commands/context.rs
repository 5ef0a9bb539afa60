//! What every command has: the screen, the view, the runs' folder, and the bell for Ctrl-C.

use crate::{
    ask::{
        Answers,
        prompt::{Prompt, Refuse, Terminal},
    },
    cli::{self, AzureCloud, Cli, Color, Global, Output, SignInKind},
    engine::{
        Origin, Run, Stop,
        store::{Folder, Log},
    },
    error::{Error, Kind},
    view::{self, Screen, View},
};
use clap::ValueEnum;
use std::{
    cell::{Cell, Ref, RefCell, RefMut},
    env,
    io::IsTerminal,
    path::PathBuf,
    rc::Rc,
};

const SIGN_IN: &str = "SIGN_IN";
const AZURE_CLOUD: &str = "AZURE_CLOUD";

/// How to sign in, and where.
#[derive(Clone, Copy, Default)]
struct Ways {
    sign_in: Option<SignInKind>,
    cloud: Option<AzureCloud>,
}

/// What every command has.
pub struct Context<'a> {
    /// Options of every command.
    pub global: &'a Global,
    /// What stderr can show.
    pub screen: Screen,
    /// Rung at the first Ctrl-C while a run is under way.
    pub stop: Stop,
    view: Rc<RefCell<Box<dyn View>>>,
    log: Rc<RefCell<Option<Log>>>,
    /// The step under way, for requests that are sent again within it.
    step: Rc<RefCell<String>>,
    run: RefCell<Option<String>>,
    /// How the run under way was begun, where that is asked for with every command.
    saved: Cell<Ways>,
    running: Cell<bool>,
    reported: Cell<bool>,
}

impl<'a> Context<'a> {
    /// Looks at the terminal and the environment.
    pub fn new(cli: &'a Cli) -> Self {
        let global = &cli.global;
        let color = match global.color {
            Color::Auto => view::Color::Auto,
            Color::Always => view::Color::Always,
            Color::Never => view::Color::Never,
        };
        let screen = Screen::detect(color, global.quiet, global.verbose);
        let view = view::open(global.output == Output::Json, &screen);
        Self {
            global,
            screen,
            stop: Stop::default(),
            view: Rc::new(RefCell::new(view)),
            log: Rc::default(),
            step: Rc::default(),
            run: RefCell::default(),
            saved: Cell::default(),
            running: Cell::new(false),
            reported: Cell::new(false),
        }
    }

    /// Takes over from a saved run how to sign in and to which cloud, where no flag says so.
    pub fn take_over(&self, run: &Run) {
        let value = |name: &str| run.answers.get(name).map(|answer| answer.value.as_str());
        self.saved.set(Ways {
            sign_in: value(SIGN_IN).and_then(|it| SignInKind::from_str(it, false).ok()),
            cloud: value(AZURE_CLOUD).and_then(|it| AzureCloud::from_str(it, false).ok()),
        });
    }

    /// How to sign in to Azure, if that was chosen.
    pub fn sign_in(&self) -> Option<SignInKind> {
        self.global.sign_in.or(self.saved.get().sign_in)
    }

    /// Which Azure.
    pub fn azure_cloud(&self) -> AzureCloud {
        let chosen = self.global.azure_cloud.or(self.saved.get().cloud);
        chosen.unwrap_or_default()
    }

    /// Adds to the answers what a resumed run has to take over.
    pub fn remember(&self, answers: &mut Answers) {
        if let Some(sign_in) = &self.global.sign_in {
            answers.set(SIGN_IN, cli::word(sign_in), Origin::Flag);
        }
        if let Some(cloud) = &self.global.azure_cloud {
            answers.set(AZURE_CLOUD, cli::word(cloud), Origin::Flag);
        }
    }

    /// Whether the output is for a program.
    pub fn json(&self) -> bool {
        self.global.output == Output::Json
    }

    /// The view.
    pub fn view(&self) -> RefMut<'_, Box<dyn View>> {
        self.view.borrow_mut()
    }

    /// The view, for hooks that outlive a borrow.
    pub fn shared_view(&self) -> Rc<RefCell<Box<dyn View>>> {
        Rc::clone(&self.view)
    }

    /// The step under way.
    pub fn shared_step(&self) -> Rc<RefCell<String>> {
        Rc::clone(&self.step)
    }

    /// The run's log, once there is a run.
    pub fn shared_log(&self) -> Rc<RefCell<Option<Log>>> {
        Rc::clone(&self.log)
    }

    /// Shows prose.
    pub fn note(&self, text: &str) {
        self.view().note(text);
    }

    /// Whoever can be asked. The sandbox asks nobody when the plan is approved beforehand: it has sample answers.
    pub fn prompt(&self) -> Box<dyn Prompt> {
        let ci = env::var_os("CI").is_some_and(|it| !it.is_empty() && it != "false");
        let unattended = self.global.sandbox && self.global.yes;
        if self.global.no_input || ci || unattended || !std::io::stdin().is_terminal() {
            Box::new(Refuse)
        } else {
            Box::new(Terminal {
                unicode: self.screen.unicode,
                clean: view::clean,
            })
        }
    }

    /// The folder of the runs.
    ///
    /// # Errors
    /// When the platform names no place for it.
    pub fn folder(&self) -> Result<Folder, Error> {
        Ok(Folder::new(&self.state_dir()?))
    }

    fn state_dir(&self) -> Result<PathBuf, Error> {
        if let Some(given) = &self.global.state_dir
            && !given.as_os_str().is_empty()
        {
            return Ok(given.clone());
        }
        directories::ProjectDirs::from("", "", "peer-wizard")
            .map(|dirs| {
                dirs.state_dir()
                    .unwrap_or_else(|| dirs.data_local_dir())
                    .to_owned()
            })
            .ok_or_else(|| {
                Error::usage("there is no home folder to keep runs in")
                    .hint("name one with `--state-dir DIR`")
            })
    }

    /// The run's name and the options that its commands need.
    pub fn run_words(&self, run: &str) -> String {
        match &self.global.state_dir {
            Some(dir) if env::var_os("PEER_WIZARD_STATE_DIR").is_none() => format!(
                "{run} --state-dir {}",
                crate::shell::single(&dir.to_string_lossy())
            ),
            _ => run.to_owned(),
        }
    }

    /// From here on there is a run: its log is written, and the first Ctrl-C lets what is under way be finished.
    pub fn begin(&self, folder: &Folder, run: &str) {
        *self.log.borrow_mut() = Some(folder.log(run));
        *self.run.borrow_mut() = Some(run.to_owned());
        self.running.set(true);
    }

    /// The run, once there is one.
    pub fn run_name(&self) -> Option<Ref<'_, String>> {
        Ref::filter_map(self.run.borrow(), Option::as_ref).ok()
    }

    /// Where the run's log is.
    pub fn log_path(&self) -> Option<PathBuf> {
        let log = self.log.borrow();
        log.as_ref().map(|log| log.path().to_owned())
    }

    /// The last event has been sent.
    pub fn set_reported(&self) {
        self.reported.set(true);
    }

    /// Whether the last event has been sent.
    pub fn reported(&self) -> bool {
        self.reported.get()
    }

    /// Returns when it is to stop at once: at the first signal before a run, at the second during one.
    pub async fn signals(&self) {
        loop {
            signal().await;
            if !self.running.get() || self.stop.rung() {
                return;
            }
            self.stop.ring();
            self.note("finishing the request in flight (Ctrl-C again to stop now)");
        }
    }
}

/// One Ctrl-C, or what a system sends to end a program.
#[cfg(unix)]
async fn signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut interrupt), Ok(mut terminate), Ok(mut hangup)) = (
        signal(SignalKind::interrupt()),
        signal(SignalKind::terminate()),
        signal(SignalKind::hangup()),
    ) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        _ = hangup.recv() => {}
    }
}
#[cfg(not(unix))]
async fn signal() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// The person said no, or could not be asked.
pub fn not_approved(can_ask: bool) -> Error {
    if can_ask {
        Error::new(Kind::Refused, "you said no; nothing was changed")
    } else {
        Error::usage("the plan is not approved, and nothing can be asked")
            .hint("approve it with `--yes`, or run it in a terminal")
    }
}
