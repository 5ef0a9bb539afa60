//! What a first run need not look for. The name of a run that this process began was made up a moment ago, so nobody has made
//! what bears the run's mark; and what this process has just made has nothing on it yet. Everything else may be somebody's, and a
//! run that was taken up looks for all of it.

use crate::fact::Named;
use std::{
    cell::{Cell, RefCell},
    collections::BTreeSet,
};

/// Who may have made a step's object before the run did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beforehand {
    /// Anybody: it is looked for before it is made.
    Anybody,
    /// Anybody, and a service that has one refuses to make another, which is how its making learns of it: what was not
    /// there in the preview is not looked for again right before it is made.
    Refused,
    /// Nobody: it bears the mark of this run.
    Nobody,
    /// Nobody who does not have the object that this fact names: it is a part of that, or for it.
    With(Named),
}

/// What a process knows of a run that it began itself.
#[derive(Clone, Debug, Default)]
pub struct Begun {
    /// The ids of the steps whose objects were looked for in the preview, and were not there.
    pub missed: BTreeSet<&'static str>,
}

/// What is new in this process, for one step.
#[derive(Clone, Debug, Default)]
pub(super) struct News {
    /// Whether this process began the run, so that nothing bears its mark but what this process made.
    pub first: bool,
    /// The names of the facts that name what this process made.
    pub made: BTreeSet<&'static str>,
}

/// What a runner has to remember for that.
#[derive(Debug, Default)]
pub(super) struct Memory {
    pub begun: Option<Begun>,
    /// Whether the run stood at its very beginning when this process came to it.
    unbegun: Cell<bool>,
    made: RefCell<BTreeSet<&'static str>>,
}

impl Memory {
    /// Begins to watch a run, of which nothing was done if it is `unbegun`.
    pub fn watch(&self, unbegun: bool) {
        self.unbegun.set(unbegun && self.begun.is_some());
    }

    pub fn news(&self) -> News {
        News {
            first: self.unbegun.get(),
            made: self.made.borrow().clone(),
        }
    }

    /// Remembers that this process made what a step gives.
    pub fn has_made(&self, gives: &[Named]) {
        if self.unbegun.get() {
            let mut made = self.made.borrow_mut();
            made.extend(gives.iter().map(|named| named.name));
        }
    }

    /// Whether the object of the step of this id surely is not there before this run makes it.
    pub fn sure_to_miss(&self, step: &str, beforehand: Beforehand) -> bool {
        self.unbegun.get()
            && match beforehand {
                Beforehand::Anybody => false,
                Beforehand::Refused => {
                    let begun = self.begun.as_ref();
                    begun.is_some_and(|it| it.missed.contains(step))
                }
                Beforehand::Nobody => true,
                Beforehand::With(named) => self.made.borrow().contains(named.name),
            }
    }
}
