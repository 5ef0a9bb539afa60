//! A flow: the checks and steps for one provider, in order. It is data; building one needs no network.

use super::record::Run;
use super::step::{
    AnyCheck, AnyProbe, AnyResource, Check, Fault, Look, Probe, Resource, Step, World,
};
use crate::fact::Facts;
use std::collections::BTreeSet;

/// The checks and steps for one provider.
pub struct Flow<W: World> {
    /// Looked at before anything is changed.
    pub checks: Vec<Box<dyn AnyCheck<W>>>,
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
    pub fn ensure(mut self, resource: impl Resource<W> + 'static) -> Self {
        self.steps
            .push(Step::Ensure(Box::new(resource) as Box<dyn AnyResource<W>>));
        self
    }

    /// Adds a state to reach.
    #[must_use]
    pub fn wait(mut self, probe: impl Probe<W> + 'static) -> Self {
        self.steps
            .push(Step::Wait(Box::new(probe) as Box<dyn AnyProbe<W>>));
        self
    }

    /// The facts that some step reads before an answer or an earlier step gives them: none in a sound flow.
    /// It sees what the steps' commands read.
    #[must_use]
    pub fn unfed(&self, answers: &BTreeSet<&str>) -> Vec<Unfed> {
        let mut fed: BTreeSet<&str> = answers.clone();
        let mut unfed = Vec::new();
        for step in &self.steps {
            let (reads, yields) = self.traffic(step);
            fed.extend(yields);
            unfed.extend(
                reads
                    .into_iter()
                    .filter(|name| !fed.contains(name))
                    .map(|fact| Unfed {
                        step: step.about().id,
                        fact,
                    }),
            );
        }
        unfed
    }

    /// Whether a run still has to do the step at `index`: it is not done, or has to be asked for again, or what it
    /// yields died with the process and a step still to do reads it.
    #[must_use]
    pub fn is_left(&self, index: usize, run: &Run) -> bool {
        let open = |step: &Step<W>| {
            let id = step.about().id;
            !run.done(id) || run.steps.get(id).is_some_and(|record| record.renew)
        };
        let step = &self.steps[index];
        if open(step) {
            return true;
        }
        if !matches!(step, Step::Ensure(resource) if resource.ephemeral()) {
            return false;
        }
        let (_, yields) = self.traffic(step);
        if yields.iter().all(|name| run.facts.knows(name)) {
            return false;
        }
        self.steps[index + 1..]
            .iter()
            .filter(|later| open(later))
            .any(|later| !self.traffic(later).0.is_disjoint(&yields))
    }

    /// The facts that a step's commands read and yield.
    #[must_use]
    pub fn traffic(&self, step: &Step<W>) -> (BTreeSet<&'static str>, BTreeSet<&'static str>) {
        let facts = Facts::symbolic();
        let yields = step
            .shell(&facts)
            .map(|shell| shell.yielded().collect())
            .unwrap_or_default();
        (facts.reads(), yields)
    }

    /// The resources in the order in which undo takes them: those the other side has to let go of first, then the
    /// newest first.
    #[must_use]
    pub fn undo_order(&self) -> Vec<&dyn AnyResource<W>> {
        let resources = || {
            self.steps.iter().rev().filter_map(|step| match step {
                Step::Ensure(resource) => Some(resource.as_ref()),
                Step::Wait(_) => None,
            })
        };
        resources()
            .filter(|resource| resource.undo_first())
            .chain(resources().filter(|resource| !resource.undo_first()))
            .collect()
    }

    /// Looks at every step as it is now. A step whose facts are not known yet has no look.
    ///
    /// # Errors
    /// The first error that is not about a missing fact.
    pub async fn survey(
        &self,
        world: &W,
        facts: &Facts,
    ) -> Result<Vec<(&'static str, Option<Look>)>, Fault<W::Error>> {
        let mut looks = Vec::new();
        for step in &self.steps {
            let look = match step {
                Step::Ensure(resource) if resource.ephemeral() => Ok(None),
                Step::Ensure(resource) => resource.look(world, facts).await.map(Some),
                Step::Wait(probe) => probe.look(world, facts).await,
            };
            let look = match look {
                Err(Fault::Missing(_)) => None,
                look => look?,
            };
            looks.push((step.about().id, look));
        }
        Ok(looks)
    }
}
