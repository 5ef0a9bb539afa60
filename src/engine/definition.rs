//! What every step tells of itself without any world, and how what it does may end.

use super::runs::StoreError;
use crate::{
    fact::{Facts, Missing, Named},
    shell::Shell,
};
use std::{any::Any, time::Duration};

/// What the steps act on: the clouds, or a toy in tests.
pub trait World {
    /// The world's own error.
    type Error: std::error::Error + Send + Sync + 'static;
    /// Where rights are given, such as one of several services: who has them in one may have none in another.
    type Realm: Copy + PartialEq + std::fmt::Display + 'static;

    /// What an error says about the request that it answers.
    fn judge(error: &Self::Error) -> Judged;
}

/// What an error says about the request that it answers: the one classification that everything else follows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Judged {
    /// It goes away by itself, for this reason in a person's words, such as `Azure answered 503`.
    pub passing: Option<String>,
    /// The request was to change something, and was plainly refused: nothing came of it.
    pub refused: bool,
    /// When the service asks to be asked again.
    pub after: Option<Duration>,
}

/// The fixed words about a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    /// The name in the state file and the events; once released it stays for ever.
    pub id: &'static str,
    /// What it does, as a person would say it.
    pub title: String,
    /// Why it is needed.
    pub why: &'static str,
    /// The page of the API or guide that it follows.
    pub link: &'static str,
    /// The rights that it takes, one sentence each.
    pub permissions: &'static [&'static str],
}

/// Whether all VNets of a run share what a step makes, or it is done for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Once for all members.
    Shared,
    /// Once for each member.
    Each,
}

/// Why a step ended without reaching its goal.
#[derive(Debug, thiserror::Error)]
pub enum Fault<E: std::error::Error + 'static> {
    /// A step read a fact that no answer and no earlier step gives: an error in the flow.
    #[error(transparent)]
    Missing(#[from] Missing),
    /// The service said no, or what was found makes it useless to go on.
    #[error("{}", .0.message)]
    Refused(Refusal),
    /// The world's own error.
    #[error(transparent)]
    World(E),
    /// Only a person can move it on.
    #[error("{text}")]
    Needs {
        /// What to do.
        text: String,
        /// Where.
        url: String,
    },
    /// The run could not be saved.
    #[error(transparent)]
    Save(#[from] StoreError),
    /// Only waiting is left, and the person asked not to wait, or not that long.
    #[error("still waiting: {says}")]
    Waiting {
        /// The service's own word for its state.
        says: String,
    },
    /// Ctrl-C, or another signal to end.
    #[error("interrupted")]
    Interrupted,
    /// An error in this program.
    #[error("the program failed: {0}")]
    Panicked(String),
}

impl<E: std::error::Error + 'static> Fault<E> {
    /// That it panicked, in the panic's own words.
    pub(super) fn panicked(panic: &(dyn Any + Send)) -> Self {
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let words = text.or_else(|| panic.downcast_ref::<String>().cloned());
        Self::Panicked(words.unwrap_or_else(|| "for a reason that it does not tell".into()))
    }
}

/// A refusal with what was found when looking for its cause.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refusal {
    /// The service's own words.
    pub message: String,
    /// The service's code for it.
    pub code: Option<String>,
    /// What was found, and what to do.
    pub hints: Vec<String>,
    /// The step whose request is to be made again on resume.
    pub renew: Option<&'static str>,
    /// Set when that is likely to pass by itself: then the request is made again at once, for a while.
    pub early: Option<Early>,
    /// Set when a person may let it be.
    pub asks: Option<Box<Consent>>,
}

/// Something that is never done without being asked for.
#[derive(Clone, Debug, Default)]
pub struct Consent {
    /// What will happen, as a question.
    pub question: String,
    /// The facts that let it happen.
    pub facts: Facts,
    /// The problem that it is without the person's yes.
    pub otherwise: String,
    /// The flag that stands for a yes where nobody can be asked.
    pub by_flag: Option<&'static str>,
    /// The facts that remember a no.
    pub refused: Facts,
}

impl PartialEq for Consent {
    fn eq(&self, other: &Self) -> bool {
        self.question == other.question && self.facts.texts() == other.facts.texts()
    }
}

impl Eq for Consent {}

/// A service was asked before what it needs had reached it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Early {
    /// For the person.
    pub because: String,
    /// The step whose effect has to spread.
    pub after: &'static str,
    /// How long after that step it is likely to be on its way.
    pub spreads: Duration,
    /// How long the request is made again.
    pub budget: Duration,
}

impl Refusal {
    /// A refusal in these words.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            ..Self::default()
        }
    }

    /// Adds what was found or what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }
}

/// An error that comes from a change not yet known everywhere, and is waited out.
#[derive(Clone, Debug)]
pub struct Settling {
    /// For the person.
    pub because: String,
    /// The longest wait for it.
    pub budget: Duration,
}

/// What every step tells of itself, without any world.
pub trait Definition<W: World> {
    /// The fixed words.
    fn about(&self) -> About;
    /// Once for all members of a run, or for each.
    fn scope(&self) -> Scope;
    /// Where the rights that it takes are given.
    fn part(&self) -> W::Realm;
    /// The facts of what has to be there before it, although it reads none of it: another person may have to make that.
    fn after(&self) -> Vec<Named> {
        Vec::new()
    }
    /// The facts and secrets that it reads, also by its commands: it sees no others.
    fn reads(&self) -> Vec<Named>;
    /// The facts and secrets that it gives, each time or at times.
    fn gives(&self) -> Vec<Named> {
        Vec::new()
    }
    /// The fact of the object that this one is a part of: it stays when something that uses that one stays.
    fn belongs_to(&self) -> Option<Named> {
        self.gives().first().copied()
    }
    /// The commands.
    fn shell(&self) -> Shell;
    /// The commands that make it for somebody who has rights in this step's part alone.
    fn shell_apart(&self) -> Shell {
        self.shell()
    }
    /// What it is, in a few words, where its making is not meant.
    fn thing(&self) -> String {
        self.about().title
    }
    /// Whether an error is to be waited out.
    fn settling(&self, _error: &W::Error) -> Option<Settling> {
        None
    }
    /// All names that it may see.
    fn sees(&self) -> Vec<Named> {
        let mut names = self.reads();
        names.extend(self.gives());
        names
    }
}

/// The result of something that a step does.
pub type Done<T, W> = Result<T, Fault<<W as World>::Error>>;
