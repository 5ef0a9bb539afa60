//! How checks that are made at the same time hear of each other.

use crate::fact::Facts;
use std::{cell::RefCell, rc::Rc};
use tokio::sync::Notify;

/// What one check hears of those before it.
#[derive(Clone)]
pub(super) struct Earlier {
    told: Rc<Told>,
    index: usize,
}

#[derive(Default)]
struct Told {
    facts: RefCell<Vec<Option<Facts>>>,
    bell: Notify,
}

impl Earlier {
    /// The places of so many checks.
    pub(super) fn places(count: usize) -> impl Iterator<Item = Self> {
        let told = Rc::new(Told::default());
        told.facts.borrow_mut().resize_with(count, || None);
        (0..count).map(move |index| Self {
            told: Rc::clone(&told),
            index,
        })
    }

    /// The facts that the checks before this one told, as soon as all of them have ended.
    pub(super) async fn facts(&self) -> Facts {
        loop {
            let bell = self.told.bell.notified();
            if let Some(facts) = self.all() {
                return facts;
            }
            bell.await;
        }
    }

    fn all(&self) -> Option<Facts> {
        let mut all = Facts::default();
        for facts in &self.told.facts.borrow()[..self.index] {
            all.absorb(facts.clone()?);
        }
        Some(all)
    }

    /// Tells those after this one.
    pub(super) fn tell(&self, facts: Facts) {
        self.told.facts.borrow_mut()[self.index] = Some(facts);
        self.told.bell.notify_waiters();
    }
}
