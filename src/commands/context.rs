//! What every command has: its options, the screen, the stream of what happens, and the bell for Ctrl-C. How to sign in may
//! also be a saved run's.

use super::stream::Stream;
use crate::{
    ask::{
        Answers,
        prompt::{Prompt, Refuse, Terminal},
    },
    cli::{self, AzureCloud, Cli, Color, Global, Output, SignInKind},
    clouds,
    engine::{Origin, Run, Stop},
    error::{Error, Kind},
    store::Folder,
    view::{self, Screen},
};
use clap::ValueEnum;
use std::{env, io::IsTerminal, path::PathBuf};

const SIGN_IN: &str = "SIGN_IN";
const AZURE_CLOUD: &str = "AZURE_CLOUD";

/// What every command has.
pub struct Context<'a> {
    /// Options of every command.
    pub global: &'a Global,
    /// What stderr can show.
    pub screen: Screen,
    /// Where it is told what happens.
    pub stream: Stream,
    /// Rung at each signal to end.
    pub stop: Stop,
}

/// How to sign in to Azure, and to which.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SigningIn {
    /// How, if that was chosen.
    pub how: Option<SignInKind>,
    /// Which Azure.
    pub cloud: clouds::AzureCloud,
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
        Self {
            stream: Stream::new(view::open(global.output == Output::Json, &screen)),
            global,
            screen,
            stop: Stop::default(),
        }
    }

    /// How to sign in: as the flags say, else as the run was begun.
    pub fn signing_in(&self, run: Option<&Run>) -> SigningIn {
        let saved = |name: &str| run?.answers.get(name).map(|answer| answer.value.as_str());
        let how = || SignInKind::from_str(saved(SIGN_IN)?, false).ok();
        let cloud = || AzureCloud::from_str(saved(AZURE_CLOUD)?, false).ok();
        let cloud = self.global.azure_cloud.or_else(cloud).unwrap_or_default();
        SigningIn {
            how: self.global.sign_in.or_else(how),
            cloud: match cloud {
                AzureCloud::Public => clouds::AzureCloud::Public,
                AzureCloud::Usgovernment => clouds::AzureCloud::UsGovernment,
                AzureCloud::China => clouds::AzureCloud::China,
            },
        }
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
