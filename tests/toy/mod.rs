//! A toy world for the engine: named objects, some of them marked, secrets, states, and trouble on order. After its death a
//! process reaches neither the world nor the disk.

mod steps;

use async_trait::async_trait;
use peer_wizard::engine::{Judged, Run, Stop, Store, StoreError, World};
use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    rc::Rc,
    time::Duration,
};

pub use steps::{Kind, MEMBER, RUN, Spec, flow};

/// What a toy secret looks like, wherever it turns up.
pub const SECRET: &str = "s3cr3t";

/// What a request meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// It is answered.
    None,
    /// Nothing was done, and that passes: 503.
    Busy,
    /// A change was made, and its answer was lost.
    Lost,
    /// A change was made, and its answer cannot be read: for the engine it may or may not pass.
    Unreadable,
    /// A plain no.
    Refused,
    /// Something made a moment ago is not known everywhere.
    Settling,
    /// Only a person can move it on.
    Needs,
    /// Ctrl-C comes while it is under way.
    Stop,
    /// A deletion is answered by somebody who did nothing.
    Deaf,
}

/// An error of the toy world.
#[derive(Debug, thiserror::Error)]
#[error("{what:?}")]
pub struct ToyError {
    pub what: Trouble,
    changes: bool,
}

/// One object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// The run whose mark it bears; empty for one that was there before.
    pub by: String,
    /// How many there are: never more than one.
    pub count: u32,
}

/// What is left when all processes are gone.
#[derive(Default)]
pub struct Toy {
    pub objects: RefCell<BTreeMap<String, Object>>,
    /// How often each state was looked at.
    pub looks: RefCell<BTreeMap<String, u32>>,
    /// Trouble for the requests to come, the next one last.
    pub troubles: RefCell<Vec<Trouble>>,
    /// The process is dead.
    pub dead: Cell<bool>,
    pub stop: RefCell<Stop>,
    /// A member whose own objects are refused for good.
    pub refuses: RefCell<Option<String>>,
    /// An object whose making is an error in the program.
    pub panics: RefCell<Option<String>>,
    /// Objects that something else has come to need.
    pub needed: RefCell<Option<String>>,
    /// The objects that were asked for again, once for each time.
    pub renewals: RefCell<Vec<String>>,
    /// How long what was refused too early is asked for again.
    pub budget: Cell<Duration>,
}

impl World for Toy {
    type Error = ToyError;
    type Realm = &'static str;

    fn judge(error: &ToyError) -> Judged {
        let passes = match error.what {
            Trouble::Busy | Trouble::Lost => true,
            Trouble::Unreadable => error.changes,
            _ => false,
        };
        Judged {
            passing: passes.then(|| "trouble".to_owned()),
            refused: error.changes && error.what == Trouble::Refused,
            after: None,
        }
    }
}

impl Toy {
    fn fail(what: Trouble, changes: bool) -> Result<(), ToyError> {
        Err(ToyError { what, changes })
    }

    /// A look.
    pub fn look(&self) -> Result<(), ToyError> {
        self.request(false, false, |_| ())
    }

    /// A request that takes something away.
    pub fn take(&self, name: &str) -> Result<(), ToyError> {
        self.request(true, false, |world| world.remove(name))
    }

    /// A request that deletes something for good: only that meets the deaf.
    pub fn delete(&self, name: &str) -> Result<(), ToyError> {
        let deaf = self.troubles.borrow().last() == Some(&Trouble::Deaf);
        if deaf && !self.dead.get() {
            self.troubles.borrow_mut().pop();
            return Ok(());
        }
        self.take(name)
    }

    /// A request that makes something.
    pub fn make(&self, name: &str, by: &str) -> Result<(), ToyError> {
        self.request(true, true, |world| world.add(name, by))
    }

    /// A request for something that was refused.
    pub fn renew(&self, name: &str) -> Result<(), ToyError> {
        self.request(true, false, |world| {
            world.renewals.borrow_mut().push(name.to_owned());
        })
    }

    /// How often the objects of this step were asked for again.
    pub fn renewed(&self, step: &str) -> u32 {
        let renewals = self.renewals.borrow();
        let count = renewals
            .iter()
            .filter(|name| name.starts_with(step))
            .count();
        u32::try_from(count).expect("a small number")
    }

    fn request(
        &self,
        changes: bool,
        makes: bool,
        change: impl FnOnce(&Self),
    ) -> Result<(), ToyError> {
        if self.dead.get() {
            return Self::fail(Trouble::Refused, false);
        }
        let trouble = self.troubles.borrow_mut().pop().unwrap_or(Trouble::None);
        match trouble {
            // Only what makes something can wait for a person.
            Trouble::Needs if !makes => {}
            Trouble::Busy | Trouble::Refused | Trouble::Settling | Trouble::Needs => {
                return Self::fail(trouble, changes);
            }
            Trouble::Stop => self.stop.borrow().ring(),
            _ => {}
        }
        change(self);
        match trouble {
            Trouble::Lost | Trouble::Unreadable => Self::fail(trouble, changes),
            _ => Ok(()),
        }
    }

    pub fn get(&self, name: &str) -> Option<Object> {
        self.objects.borrow().get(name).cloned()
    }

    pub fn add(&self, name: &str, by: &str) {
        let mut objects = self.objects.borrow_mut();
        let object = objects.entry(name.to_owned()).or_insert(Object {
            by: by.to_owned(),
            count: 0,
        });
        object.count += 1;
    }

    fn remove(&self, name: &str) {
        self.objects.borrow_mut().remove(name);
    }
}

/// A disk that outlives the processes, and what it looked like at each save.
pub struct Disk {
    pub saved: String,
    pub saves: u32,
    /// The save at which the process dies, and whether that save still reaches the disk.
    pub death: Option<(u32, bool)>,
    pub world: Rc<Toy>,
}

#[async_trait(?Send)]
impl Store for Disk {
    async fn save(&mut self, run: &Run) -> Result<(), StoreError> {
        if self.world.dead.get() {
            return Ok(());
        }
        self.saves += 1;
        let dies = self.death.filter(|(at, _)| *at == self.saves);
        if dies.is_none_or(|(_, kept)| kept) {
            self.saved = serde_json::to_string(run).expect("a run serialises");
            assert!(!self.saved.contains(SECRET), "a secret was saved");
        }
        if dies.is_some() {
            self.world.dead.set(true);
        }
        Ok(())
    }
}
