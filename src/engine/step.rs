//! What a step is: an object that must exist ([`Resource`]) or a state to reach ([`Probe`]), each defined once for
//! running, resuming, status, script, undo and explanation; and a [`Check`], which only looks, before anything is changed.

use crate::{
    fact::{Facts, Missing},
    shell::Shell,
};
use std::{future::Future, pin::Pin, time::Duration};

use super::store::StoreError;

/// What the steps act on: the clouds, or a toy in tests.
pub trait World {
    /// The world's own error.
    type Error: std::error::Error + Send + Sync + 'static;

    /// Whether an error says nothing about the request itself, so that asking again is right.
    fn passing(error: &Self::Error) -> Option<Passing>;
}

/// An error that goes away by itself.
#[derive(Clone, Debug)]
pub struct Passing {
    /// For the person, such as `Azure answered 503`.
    pub because: String,
    /// The change may have been made although its answer was lost: look before doing it again.
    pub lost: bool,
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

/// Why a step ended without reaching its goal.
#[derive(Debug, thiserror::Error)]
pub enum Fault<E: std::error::Error + 'static> {
    /// A step read a fact that no answer and no earlier step gives: an error in the flow.
    #[error(transparent)]
    Missing(#[from] Missing),
    /// The service said no, or the look of things makes going on senseless.
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
    /// Ctrl-C.
    #[error("interrupted")]
    Interrupted,
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

/// A freshly made object, or one that turned out to be there.
#[derive(Clone, Debug)]
pub enum Made<T> {
    /// This call made it.
    New(T),
    /// The service said that it exists.
    Already(T),
}

/// Who made an object, as far as the object itself tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Maker {
    /// Its name, GUID or tag is this run's.
    Run,
    /// It carries a name, GUID or tag that this run would not have given it.
    Other,
    /// It does not tell; the saved status decides.
    Unknown,
}

/// How a deletion stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deleted {
    /// It is gone, or was never there.
    Gone,
    /// Under way, in the service's own word.
    NotYet(String),
    /// Left where it is, and why.
    Kept(String),
}

/// An error that comes from a change not yet known everywhere, and is waited out.
#[derive(Clone, Debug)]
pub struct Settling {
    /// For the person.
    pub because: String,
    /// The longest wait for it.
    pub budget: Duration,
}

/// How an object looks now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Look {
    /// As it should be, in the service's own words for its state, if it has any.
    Present(String),
    /// Not there.
    Missing,
    /// There, but not as it should be.
    Changed {
        /// What is different.
        says: String,
        /// What to do about it.
        todo: String,
    },
}

/// What one look at a state told.
#[derive(Clone, Debug)]
pub enum Polled {
    /// Reached, and the facts that it gives.
    Reached(Facts),
    /// Not yet, in the service's own word for its state.
    NotYet(String),
    /// Only a person can move it on.
    Needs {
        /// What to do.
        text: String,
        /// Where.
        url: String,
    },
    /// It will not be reached.
    Refused(Refusal),
}

/// How long a state usually takes and how long it is waited for.
#[derive(Clone, Copy, Debug)]
pub struct Usual {
    /// For people, such as `2-5 min`.
    pub words: &'static str,
    /// The usual time, for machines.
    pub time: Duration,
    /// The longest time between two looks.
    pub every: Duration,
    /// The longest wait without `--timeout`.
    pub limit: Duration,
}

/// A cloud object that a run may create, and then owns.
pub trait Resource<W: World> {
    /// What the API returns of it.
    type Item;
    /// What it yields lives in memory only, so that it runs again when a later step needs that.
    const EPHEMERAL: bool = false;
    /// Undone before everything else, because the other side has to let go first.
    const UNDO_FIRST: bool = false;

    /// The fixed words.
    fn about(&self) -> About;
    /// Looks for the object.
    fn find(
        &self,
        world: &W,
        facts: &Facts,
    ) -> impl Future<Output = Result<Option<Self::Item>, Fault<W::Error>>>;
    /// Makes it; a repeated call must not make two.
    fn create(
        &self,
        world: &W,
        facts: &Facts,
    ) -> impl Future<Output = Result<Made<Self::Item>, Fault<W::Error>>>;
    /// Deletes it; a missing object counts as deleted. Called again while it answers [`Deleted::NotYet`].
    fn delete(
        &self,
        world: &W,
        facts: &Facts,
    ) -> impl Future<Output = Result<Deleted, Fault<W::Error>>>;
    /// The facts of a found or created object.
    fn facts(&self, item: &Self::Item) -> Facts;
    /// The commands.
    ///
    /// # Errors
    /// Never with symbolic facts.
    fn shell(&self, facts: &Facts) -> Result<Shell, Missing>;

    /// How long a person is given when `create` answers [`Fault::Needs`].
    fn patience(&self) -> Duration {
        Duration::ZERO
    }
    /// Who made it, if the object tells.
    fn maker(&self, _item: &Self::Item, _facts: &Facts) -> Maker {
        Maker::Unknown
    }
    /// Whether an error of `find` or `create` is to be waited out.
    fn settling(&self, _error: &W::Error) -> Option<Settling> {
        None
    }
    /// What an interrupted creation left, in whatever state: undo deletes that.
    fn remains(
        &self,
        world: &W,
        facts: &Facts,
    ) -> impl Future<Output = Result<Option<Self::Item>, Fault<W::Error>>> {
        self.find(world, facts)
    }
    /// What it is, in a few words, where its making is not meant.
    fn thing(&self) -> String {
        self.about().title
    }
    /// How long after its creation `find` may still miss it, because the service answers from copies.
    fn shows_within(&self) -> Duration {
        Duration::ZERO
    }
    /// Asks again for what the service had refused.
    fn renew(
        &self,
        _world: &W,
        _facts: &Facts,
    ) -> impl Future<Output = Result<(), Fault<W::Error>>> {
        async { Ok(()) }
    }
    /// How it looks now.
    fn look(
        &self,
        world: &W,
        facts: &Facts,
    ) -> impl Future<Output = Result<Look, Fault<W::Error>>> {
        async move {
            Ok(match self.find(world, facts).await? {
                Some(_) => Look::Present(String::new()),
                None => Look::Missing,
            })
        }
    }
}

/// A state of the world to wait for.
pub trait Probe<W: World> {
    /// The fixed words.
    fn about(&self) -> About;
    /// One look.
    fn poll(
        &self,
        world: &W,
        facts: &Facts,
    ) -> impl Future<Output = Result<Polled, Fault<W::Error>>>;
    /// How long it usually takes.
    fn usual(&self) -> Usual;
    /// The commands.
    ///
    /// # Errors
    /// Never with symbolic facts.
    fn shell(&self, facts: &Facts) -> Result<Shell, Missing>;
    /// Whether an error of `poll` is to be waited out.
    fn settling(&self, _error: &W::Error) -> Option<Settling> {
        None
    }
    /// How the state looks now; nothing for a state that leaves no trace.
    fn look(
        &self,
        _world: &W,
        _facts: &Facts,
    ) -> impl Future<Output = Result<Option<Look>, Fault<W::Error>>> {
        async { Ok(None) }
    }
}

/// What a check found.
#[derive(Clone, Debug, Default)]
pub struct Verdict {
    /// What is in the way, one sentence each, with what to do.
    pub problems: Vec<String>,
    /// What is good, for `doctor`.
    pub good: Vec<String>,
    /// What it learned on the way.
    pub facts: Facts,
    /// Set when the goal is reached already, with the sentence that says so.
    pub done: Option<String>,
    /// What is in the way and may be removed, if the person agrees to it.
    pub consents: Vec<Consent>,
}

/// Something that is never done without being asked for.
#[derive(Clone, Debug)]
pub struct Consent {
    /// What will happen, as a question.
    pub question: String,
    /// The facts that let it happen.
    pub facts: Facts,
    /// The problem that it is without the person's yes.
    pub otherwise: String,
}

/// A look at the world before anything is changed.
pub trait Check<W: World> {
    /// What it looks at, such as `virtual network`.
    fn title(&self) -> &'static str;
    /// Looks.
    fn look(
        &self,
        world: &W,
        facts: &Facts,
    ) -> impl Future<Output = Result<Verdict, Fault<W::Error>>>;
}

type Boxed<'a, T, E> = Pin<Box<dyn Future<Output = Result<T, Fault<E>>> + 'a>>;

/// A found or created object, erased to its facts.
#[derive(Debug)]
pub struct Known {
    /// The facts it gives.
    pub facts: Facts,
    /// Who made it.
    pub maker: Maker,
}

/// [`Resource`] without its item type.
pub trait AnyResource<W: World> {
    /// See [`Resource::about`].
    fn about(&self) -> About;
    /// See [`Resource::EPHEMERAL`].
    fn ephemeral(&self) -> bool;
    /// See [`Resource::UNDO_FIRST`].
    fn undo_first(&self) -> bool;
    /// See [`Resource::find`].
    fn find<'a>(&'a self, w: &'a W, f: &'a Facts) -> Boxed<'a, Option<Known>, W::Error>;
    /// See [`Resource::remains`].
    fn remains<'a>(&'a self, w: &'a W, f: &'a Facts) -> Boxed<'a, Option<Known>, W::Error>;
    /// See [`Resource::create`].
    fn create<'a>(&'a self, w: &'a W, f: &'a Facts) -> Boxed<'a, Made<Known>, W::Error>;
    /// See [`Resource::delete`].
    fn delete<'a>(&'a self, w: &'a W, f: &'a Facts) -> Boxed<'a, Deleted, W::Error>;
    /// See [`Resource::renew`].
    fn renew<'a>(&'a self, w: &'a W, f: &'a Facts) -> Boxed<'a, (), W::Error>;
    /// See [`Resource::look`].
    fn look<'a>(&'a self, w: &'a W, f: &'a Facts) -> Boxed<'a, Look, W::Error>;
    /// See [`Resource::settling`].
    fn settling(&self, error: &W::Error) -> Option<Settling>;
    /// See [`Resource::thing`].
    fn thing(&self) -> String;
    /// See [`Resource::shows_within`].
    fn shows_within(&self) -> Duration;
    /// See [`Resource::patience`].
    fn patience(&self) -> Duration;
    /// See [`Resource::shell`].
    ///
    /// # Errors
    /// Never with symbolic facts.
    fn shell(&self, f: &Facts) -> Result<Shell, Missing>;
}

impl<W: World, R: Resource<W>> AnyResource<W> for R {
    fn about(&self) -> About {
        Resource::about(self)
    }
    fn ephemeral(&self) -> bool {
        R::EPHEMERAL
    }
    fn undo_first(&self) -> bool {
        R::UNDO_FIRST
    }
    fn find<'a>(&'a self, w: &'a W, f: &'a Facts) -> Boxed<'a, Option<Known>, W::Error> {
        Box::pin(async move {
            let item = Resource::find(self, w, f).await?;
            Ok(item.map(|item| known(self, &item, f)))
        })
    }
    fn remains<'a>(&'a self, w: &'a W, f: &'a Facts) -> Boxed<'a, Option<Known>, W::Error> {
        Box::pin(async move {
            let item = Resource::remains(self, w, f).await?;
            Ok(item.map(|item| known(self, &item, f)))
        })
    }
    fn create<'a>(&'a self, w: &'a W, f: &'a Facts) -> Boxed<'a, Made<Known>, W::Error> {
        Box::pin(async move {
            Ok(match Resource::create(self, w, f).await? {
                Made::New(item) => Made::New(known(self, &item, f)),
                Made::Already(item) => Made::Already(known(self, &item, f)),
            })
        })
    }
    fn delete<'a>(&'a self, w: &'a W, f: &'a Facts) -> Boxed<'a, Deleted, W::Error> {
        Box::pin(Resource::delete(self, w, f))
    }
    fn renew<'a>(&'a self, w: &'a W, f: &'a Facts) -> Boxed<'a, (), W::Error> {
        Box::pin(Resource::renew(self, w, f))
    }
    fn look<'a>(&'a self, w: &'a W, f: &'a Facts) -> Boxed<'a, Look, W::Error> {
        Box::pin(Resource::look(self, w, f))
    }
    fn settling(&self, error: &W::Error) -> Option<Settling> {
        Resource::settling(self, error)
    }
    fn thing(&self) -> String {
        Resource::thing(self)
    }
    fn shows_within(&self) -> Duration {
        Resource::shows_within(self)
    }
    fn patience(&self) -> Duration {
        Resource::patience(self)
    }
    fn shell(&self, f: &Facts) -> Result<Shell, Missing> {
        Resource::shell(self, f)
    }
}

fn known<W: World, R: Resource<W>>(resource: &R, item: &R::Item, facts: &Facts) -> Known {
    Known {
        facts: resource.facts(item),
        maker: resource.maker(item, facts),
    }
}

/// [`Probe`] behind one pointer.
pub trait AnyProbe<W: World> {
    /// See [`Probe::about`].
    fn about(&self) -> About;
    /// See [`Probe::usual`].
    fn usual(&self) -> Usual;
    /// See [`Probe::poll`].
    fn poll<'a>(&'a self, w: &'a W, f: &'a Facts) -> Boxed<'a, Polled, W::Error>;
    /// See [`Probe::look`].
    fn look<'a>(&'a self, w: &'a W, f: &'a Facts) -> Boxed<'a, Option<Look>, W::Error>;
    /// See [`Probe::settling`].
    fn settling(&self, error: &W::Error) -> Option<Settling>;
    /// See [`Probe::shell`].
    ///
    /// # Errors
    /// Never with symbolic facts.
    fn shell(&self, f: &Facts) -> Result<Shell, Missing>;
}

impl<W: World, P: Probe<W>> AnyProbe<W> for P {
    fn about(&self) -> About {
        Probe::about(self)
    }
    fn usual(&self) -> Usual {
        Probe::usual(self)
    }
    fn poll<'a>(&'a self, w: &'a W, f: &'a Facts) -> Boxed<'a, Polled, W::Error> {
        Box::pin(Probe::poll(self, w, f))
    }
    fn look<'a>(&'a self, w: &'a W, f: &'a Facts) -> Boxed<'a, Option<Look>, W::Error> {
        Box::pin(Probe::look(self, w, f))
    }
    fn settling(&self, error: &W::Error) -> Option<Settling> {
        Probe::settling(self, error)
    }
    fn shell(&self, f: &Facts) -> Result<Shell, Missing> {
        Probe::shell(self, f)
    }
}

/// [`Check`] behind one pointer.
pub trait AnyCheck<W: World> {
    /// See [`Check::title`].
    fn title(&self) -> &'static str;
    /// See [`Check::look`].
    fn look<'a>(&'a self, w: &'a W, f: &'a Facts) -> Boxed<'a, Verdict, W::Error>;
}

impl<W: World, C: Check<W>> AnyCheck<W> for C {
    fn title(&self) -> &'static str {
        Check::title(self)
    }
    fn look<'a>(&'a self, w: &'a W, f: &'a Facts) -> Boxed<'a, Verdict, W::Error> {
        Box::pin(Check::look(self, w, f))
    }
}

/// One line of the procedure.
pub enum Step<W: World> {
    /// An object that must exist.
    Ensure(Box<dyn AnyResource<W>>),
    /// A state to reach.
    Wait(Box<dyn AnyProbe<W>>),
}

impl<W: World> Step<W> {
    /// The fixed words.
    #[must_use]
    pub fn about(&self) -> About {
        match self {
            Self::Ensure(resource) => resource.about(),
            Self::Wait(probe) => probe.about(),
        }
    }

    /// The commands.
    ///
    /// # Errors
    /// Never with symbolic facts.
    pub fn shell(&self, facts: &Facts) -> Result<Shell, Missing> {
        match self {
            Self::Ensure(resource) => resource.shell(facts),
            Self::Wait(probe) => probe.shell(facts),
        }
    }

    /// Whether an error is to be waited out.
    pub fn settling(&self, error: &W::Error) -> Option<Settling> {
        match self {
            Self::Ensure(resource) => resource.settling(error),
            Self::Wait(probe) => probe.settling(error),
        }
    }
}
