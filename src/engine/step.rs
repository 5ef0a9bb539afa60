//! What a step is: an object that must exist ([`Ensure`]), a state to reach ([`Wait`]), or the end of what an earlier step
//! made for the time of the run ([`Release`]). Each is defined once for running, resuming, status, script, undo and
//! explanation. A [`Check`] only looks, before anything is changed.

use super::{
    beforehand::Beforehand,
    cx::Cx,
    definition::{Consent, Definition, Done, Refusal, World},
};
use crate::{fact::Facts, shell::Cmd};
use async_trait::async_trait;
use std::{ops::Deref, time::Duration};

/// An object that is there.
#[derive(Clone, Debug)]
pub struct Known {
    /// The facts that it gives.
    pub facts: Facts,
    /// Who made it.
    pub maker: Maker,
    /// What people call it; may be empty.
    pub name: String,
    /// Its id at its service.
    pub id: String,
    /// What a person should know of it before it is used; may be empty.
    pub says: String,
}

impl Known {
    /// An object with these facts.
    #[must_use]
    pub fn new(facts: Facts, maker: Maker) -> Self {
        Self {
            facts,
            maker,
            name: String::new(),
            id: String::new(),
            says: String::new(),
        }
    }

    /// The same, with what a person knows it by.
    #[must_use]
    pub fn called(mut self, name: impl Into<String>, id: impl Into<String>) -> Self {
        self.name = name.into();
        self.id = id.into();
        self
    }

    /// The same, with what a person should know of it before it is used.
    #[must_use]
    pub fn saying(mut self, says: impl Into<String>) -> Self {
        self.says = says.into();
        self
    }
}

/// An object that was asked for.
#[derive(Clone, Debug)]
pub enum Made {
    /// This call made it.
    New(Known),
    /// The service said that it exists.
    Already(Known),
}

/// Who made an object, as far as the object itself tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Maker {
    /// It bears this run's mark (a unique name, a derived GUID, a tag) or, where it can bear none, has every property that
    /// the run gave it.
    Run,
    /// It bears another mark, or lacks this run's. The words say what does not fit.
    Other(String),
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
    /// Left where it is because something else needs it, and what.
    Kept(String),
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

/// What would end a run is a change, in the same words.
impl From<Refusal> for Look {
    fn from(refusal: Refusal) -> Self {
        Self::Changed {
            says: refusal.message,
            todo: refusal.hints.join("; "),
        }
    }
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

/// A cloud object that a run may create, and then owns. A step that gives a secret is *ephemeral*: what it made is of no use
/// to another process, so it runs again when a later step needs the secret, and is taken back when the run ends.
#[async_trait(?Send)]
pub trait Ensure<W: World>: Definition<W> {
    /// Looks for the object.
    async fn find(&self, cx: &mut Cx<'_, W>) -> Done<Option<Known>, W>;

    /// Who may have made it before the run does. A first run does not look for what cannot be there.
    fn beforehand(&self) -> Beforehand {
        Beforehand::Anybody
    }

    /// Makes it; a repeated call must not make two. Where it waits, it waits through `cx`.
    async fn create(&self, cx: &mut Cx<'_, W>) -> Done<Made, W>;

    /// Looks, in whatever state it is, for the object that this run would have made: by its mark and not by an id that the
    /// file holds. Only what says [`Maker::Run`] is ever deleted; its facts are read anew from the object.
    async fn remains(&self, cx: &mut Cx<'_, W>) -> Done<Option<Known>, W>;

    /// What else needs the object, in words; nothing when it can go.
    async fn needed(&self, _cx: &mut Cx<'_, W>) -> Done<Option<String>, W> {
        Ok(None)
    }

    /// Deletes what [`Ensure::remains`] found; a missing object counts as deleted. Called again, after another look, while it
    /// answers [`Deleted::NotYet`].
    async fn delete(&self, cx: &mut Cx<'_, W>) -> Done<Deleted, W>;

    /// What is of no use to anybody once this run's connection is gone, whoever made it, such as a half of a peering whose
    /// other half was deleted. Asked for where the step itself found its object instead of making it.
    async fn dead(&self, _cx: &mut Cx<'_, W>) -> Done<Option<Known>, W> {
        Ok(None)
    }

    /// Asks again for what the service had refused.
    async fn renew(&self, _cx: &mut Cx<'_, W>) -> Done<(), W> {
        Ok(())
    }

    /// How it looks now.
    async fn look(&self, cx: &mut Cx<'_, W>) -> Done<Look, W> {
        Ok(match self.find(cx).await? {
            Some(_) => Look::Present(String::new()),
            None => Look::Missing,
        })
    }

    /// What nobody can know of it until it is made, and what is done about that; may be empty.
    fn unknown_before(&self) -> &'static str {
        ""
    }

    /// Whether every connection of the two networks uses it, whoever asked for that.
    fn connects(&self) -> bool {
        false
    }

    /// Undone before everything else, because the other side has to let go first.
    fn undo_first(&self) -> bool {
        false
    }
    /// How long a person is given when `create` answers [`Fault::Needs`].
    fn patience(&self) -> Duration {
        Duration::ZERO
    }
    /// How long after its creation a look may still miss it, because the service answers from copies.
    fn shows_within(&self) -> Duration {
        Duration::ZERO
    }
}

/// A state of the world to wait for. It owns nothing and changes nothing.
#[async_trait(?Send)]
pub trait Wait<W: World>: Definition<W> {
    /// One look.
    async fn poll(&self, cx: &mut Cx<'_, W>) -> Done<Polled, W>;
    /// How long it usually takes.
    fn usual(&self) -> Usual;
    /// How the state looks now; nothing for a state that leaves no trace.
    async fn look(&self, _cx: &mut Cx<'_, W>) -> Done<Option<Look>, W> {
        Ok(None)
    }
}

/// The end of what an earlier step made for the time of the run.
pub trait Release<W: World>: Definition<W> {
    /// The id of that step. Its [`Ensure::delete`] is how it ends.
    fn of(&self) -> &'static str;
}

/// One line of the procedure.
pub enum Step<W: World> {
    /// An object that must exist.
    Ensure(Box<dyn Ensure<W>>),
    /// A state to reach.
    Wait(Box<dyn Wait<W>>),
    /// The end of an earlier one.
    Release(Box<dyn Release<W>>),
}

impl<W: World + 'static> Deref for Step<W> {
    type Target = dyn Definition<W>;
    fn deref(&self) -> &Self::Target {
        match self {
            Self::Ensure(it) => it.as_ref(),
            Self::Wait(it) => it.as_ref(),
            Self::Release(it) => it.as_ref(),
        }
    }
}

impl<W: World + 'static> Step<W> {
    /// Whether what it makes lives for this process only.
    #[must_use]
    pub fn ephemeral(&self) -> bool {
        matches!(self, Self::Ensure(_)) && self.gives().iter().any(|named| named.secret)
    }
}

/// What a check found.
#[derive(Clone, Debug, Default)]
pub struct Verdict {
    /// What is in the way, one sentence each, with what to do.
    pub problems: Vec<String>,
    /// What is good, for `doctor`.
    pub good: Vec<String>,
    /// What the person should know, although it is not in the way.
    pub notes: Vec<String>,
    /// What it learned on the way.
    pub facts: Facts,
    /// The ids of the steps whose objects it would have seen, and did not.
    pub missed: Vec<&'static str>,
    /// Set when the goal is reached already, with the sentence that says so.
    pub done: Option<String>,
    /// What is in the way and may be removed, if the person agrees to it.
    pub consents: Vec<Consent>,
}

/// A look at the world before anything is changed.
#[async_trait(?Send)]
pub trait Check<W: World> {
    /// What it looks at, such as `virtual network`.
    fn title(&self) -> &'static str;
    /// Looks.
    async fn look(&self, cx: &mut Cx<'_, W>) -> Done<Verdict, W>;
    /// The commands with which a script looks, and ends where nothing must be made.
    fn shell(&self) -> Vec<Cmd> {
        Vec::new()
    }
    /// The same for somebody who has rights in one part alone, and in which; nothing where it takes more than one.
    fn shell_apart(&self) -> Option<(W::Realm, Vec<Cmd>)> {
        None
    }
}
