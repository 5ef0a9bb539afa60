//! A flow: the checks and steps for one provider, in order. It is data; building one needs no network.

use super::{
    cx::Cx,
    definition::{Done, Fault, Scope, World},
    record::{At, Part, Run},
    step::{Check, Ensure, Look, Release, Step, Wait},
};
use crate::fact::Facts;
use std::collections::BTreeSet;

/// The checks and steps for one provider.
pub struct Flow<W: World> {
    /// Looked at before anything is changed.
    pub checks: Vec<Box<dyn Check<W>>>,
    /// The procedure.
    pub steps: Vec<Step<W>>,
}

impl<W: World> Default for Flow<W> {
    fn default() -> Self {
        Self {
            checks: Vec::new(),
            steps: Vec::new(),
        }
    }
}

/// A fact that a step reads before anything gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfed {
    /// The step.
    pub step: &'static str,
    /// The fact.
    pub fact: &'static str,
}

impl<W: World + 'static> Flow<W> {
    /// An empty flow.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a check.
    #[must_use]
    pub fn check(mut self, check: impl Check<W> + 'static) -> Self {
        self.checks.push(Box::new(check));
        self
    }

    /// Adds an object that must exist.
    #[must_use]
    pub fn ensure(mut self, step: impl Ensure<W> + 'static) -> Self {
        self.steps.push(Step::Ensure(Box::new(step)));
        self
    }

    /// Adds a state to reach.
    #[must_use]
    pub fn wait(mut self, step: impl Wait<W> + 'static) -> Self {
        self.steps.push(Step::Wait(Box::new(step)));
        self
    }

    /// Adds the end of an earlier step.
    #[must_use]
    pub fn release(mut self, step: impl Release<W> + 'static) -> Self {
        self.steps.push(Step::Release(Box::new(step)));
        self
    }

    /// The step of this id.
    #[must_use]
    pub fn step(&self, id: &str) -> Option<&Step<W>> {
        self.steps.iter().find(|step| step.about().id == id)
    }

    /// The facts that some step's commands read before an answer or an earlier step gives them: none in a sound flow.
    #[must_use]
    pub fn unfed(&self, answers: &BTreeSet<&str>) -> Vec<Unfed> {
        let mut fed: BTreeSet<&str> = answers.clone();
        let mut unfed = Vec::new();
        for step in &self.steps {
            fed.extend(step.gives().iter().map(|named| named.name));
            let reads = step.shell().named();
            let missing = reads.iter().filter(|named| !fed.contains(named.name));
            unfed.extend(missing.map(|named| Unfed {
                step: step.about().id,
                fact: named.name,
            }));
        }
        unfed
    }

    /// The parts of the run that a step is done for.
    #[must_use]
    pub fn places(&self, step: &Step<W>, run: &Run) -> Vec<At> {
        match step.scope() {
            Scope::Shared => vec![At::Shared],
            Scope::Each => run.members.keys().cloned().map(At::Member).collect(),
        }
    }

    fn open(step: &Step<W>, run: &Run, at: &At) -> bool {
        let record = run
            .part(at)
            .and_then(|part| part.steps.get(step.about().id));
        record.is_none_or(|record| !record.status.done() || record.renew)
    }

    /// Whether a run still has to do the step at `index` in this part: it is not done, or has to be asked for again, or a
    /// secret that it gives died with its process and a step still to do reads it.
    #[must_use]
    pub fn is_left_at(&self, index: usize, run: &Run, at: &At) -> bool {
        let step = &self.steps[index];
        if Self::open(step, run, at) {
            return true;
        }
        if let Step::Release(release) = step {
            return self.holds_on_to(release.of(), run, at);
        }
        if !step.ephemeral() {
            return false;
        }
        let gives = step.gives();
        let facts = run.facts_at(at);
        if gives.iter().all(|named| facts.knows(named.name)) {
            return false;
        }
        let secrets: Vec<_> = gives.iter().filter(|named| named.secret).collect();
        self.steps[index + 1..].iter().any(|later| {
            let mut places = self.places(later, run).into_iter();
            places.any(|at| Self::open(later, run, &at))
                && later.reads().iter().any(|read| secrets.contains(&read))
        })
    }

    /// Whether what the step of this id gave for this process only is held, or will be anew.
    fn holds_on_to(&self, id: &str, run: &Run, at: &At) -> bool {
        let Some(index) = self.steps.iter().position(|it| it.about().id == id) else {
            return false;
        };
        let facts = run.facts_at(at);
        let gives = self.steps[index].gives();
        let held = gives.iter().any(|it| it.secret && facts.knows(it.name));
        held || self.is_left_at(index, run, at)
    }

    /// The same for any part.
    #[must_use]
    pub fn is_left(&self, index: usize, run: &Run) -> bool {
        let places = self.places(&self.steps[index], run);
        places.iter().any(|at| self.is_left_at(index, run, at))
    }

    /// Whether there is something left to do.
    #[must_use]
    pub fn is_unfinished(&self, run: &Run) -> bool {
        self.steps.iter().any(|step| {
            let mut places = self.places(step, run).into_iter();
            places.any(|at| Self::open(step, run, &at))
        })
    }

    /// The objects in the order in which undo takes them: those that the other side has to let go of first, then the newest
    /// first.
    #[must_use]
    pub fn undo_order(&self) -> Vec<&Step<W>> {
        let objects = || {
            self.steps.iter().rev().filter_map(|step| match step {
                Step::Ensure(ensure) => Some((step, ensure.undo_first())),
                Step::Wait(_) | Step::Release(_) => None,
            })
        };
        let first = objects().filter(|(_, first)| *first);
        let rest = objects().filter(|(_, first)| !*first);
        first.chain(rest).map(|(step, _)| step).collect()
    }

    /// Takes a run of format 1, which has one VNet and no members, apart: what is done for each VNet, and what that gave, goes
    /// to the one member, which is called `vnet` and knows `own` of itself.
    pub fn split(&self, run: &mut Run, vnet: &str, own: Facts) {
        if run.format != 1 {
            return;
        }
        run.format = super::record::FORMAT;
        let mut member = Part {
            facts: own,
            ..Part::default()
        };
        for step in self.steps.iter().filter(|it| it.scope() == Scope::Each) {
            if let Some(record) = run.shared.steps.remove(step.about().id) {
                member.steps.insert(step.about().id.into(), record);
            }
            for named in step.gives() {
                if let Some(text) = run.shared.facts.take(named.name) {
                    member.facts.set_text(named.name, text);
                }
            }
        }
        run.members.insert(vnet.to_owned(), member);
    }

    /// The first fact of the run whose text is no value of its key, by name: the file was edited by hand, or is damaged.
    #[must_use]
    pub fn malformed(&self, run: &Run) -> Option<&'static str> {
        let keys = || self.steps.iter().flat_map(|step| step.sees());
        run.parts().find_map(|(_, part)| {
            keys()
                .find(|key| {
                    part.facts
                        .text(key.name)
                        .is_some_and(|text| !key.fits(text))
                })
                .map(|key| key.name)
        })
    }

    /// Looks at every step of one part as it is now; one that cannot be looked at keeps nobody from looking at the others. A
    /// step whose facts are not known yet has no look.
    pub async fn survey(
        &self,
        cx: &Cx<'_, W>,
        scope: Option<Scope>,
    ) -> Vec<(&'static str, Done<Option<Look>, W>)> {
        let mut looks = Vec::new();
        let wanted = |step: &&Step<W>| scope.is_none_or(|scope| step.scope() == scope);
        for step in self.steps.iter().filter(wanted) {
            let look = match look_at(step, cx).await {
                Err(Fault::Missing(_)) => Ok(None),
                look => look,
            };
            looks.push((step.about().id, look));
        }
        looks
    }
}

/// How the object or the state of a step looks now. What is not known everywhere yet is not waited for here.
///
/// # Errors
/// Why it cannot be looked at.
pub async fn look_at<W: World + 'static>(step: &Step<W>, cx: &Cx<'_, W>) -> Done<Option<Look>, W> {
    let look = async |cx: &mut Cx<'_, W>| match step {
        Step::Ensure(_) if step.ephemeral() => Ok(None),
        Step::Ensure(ensure) => ensure.look(cx).await.map(Some),
        Step::Wait(wait) => wait.look(cx).await,
        Step::Release(_) => Ok(None),
    };
    let looked = async |cx: &mut Cx<'_, W>| match look(cx).await {
        Err(Fault::World(error)) if step.settling(&error).is_some() => Ok(Err(Fault::World(error))),
        Err(fault) => Err(fault),
        Ok(look) => Ok(Ok(look)),
    };
    cx.for_step(&**step).patiently(looked).await?
}
