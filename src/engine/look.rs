//! Looks before anything is changed: what the checks say, and what of a flow is there already. What does not need what another
//! look tells goes side by side.

use super::{
    beforehand::Beforehand,
    cx::Cx,
    definition::{Done, Fault, World},
    earlier::Earlier,
    flow::Flow,
    step::{Check, Ensure, Known, Step, Verdict},
};
use crate::fact::Facts;
use futures_util::future::join_all;
use std::collections::BTreeSet;

/// What a look for a step's object told.
#[derive(Clone, Debug)]
pub enum Sought {
    /// It is there.
    There(Box<Known>),
    /// It is not there.
    Missed,
    /// It was not looked for, or is under way: what the look needs may not be there yet either.
    Unknown,
}

impl<W: World + 'static> Flow<W> {
    /// What each check says.
    pub async fn examine(&self, cx: &Cx<'_, W>) -> Vec<Done<Verdict, W>> {
        let places = Earlier::places(self.checks.len());
        let checks = self.checks.iter().zip(places);
        let checks = checks.map(|(check, earlier)| heard(check.as_ref(), cx, earlier));
        join_all(checks).await
    }

    /// What of the flow is there. What was `missed` already is not looked for again.
    pub async fn seek(
        &self,
        cx: &Cx<'_, W>,
        missed: &BTreeSet<&'static str>,
    ) -> Vec<Done<Sought, W>> {
        let mut sought: Vec<_> = self.steps.iter().map(|_| None).collect();
        let mut facts = cx.facts.clone();
        loop {
            let open = |index: usize| sought[index].is_none();
            let now: Vec<usize> = (0..sought.len())
                .filter(|&index| open(index) && !self.hangs_on(index, &open))
                .collect();
            if now.is_empty() {
                break;
            }
            let looks = now
                .iter()
                .map(|&index| look_for(&self.steps[index], cx, &facts, missed));
            let found = join_all(looks).await;
            for (index, found) in now.into_iter().zip(found) {
                if let Ok(Sought::There(new)) = &found {
                    facts.absorb(new.facts.clone());
                }
                sought[index] = Some(found);
            }
        }
        sought.into_iter().flatten().collect()
    }

    /// Whether a step reads what an earlier one gives that is open.
    fn hangs_on(&self, index: usize, open: &impl Fn(usize) -> bool) -> bool {
        let reads = self.steps[index].reads();
        let earlier = self.steps[..index].iter().enumerate();
        let mut open = earlier.filter(|(index, _)| open(*index));
        open.any(|(_, step)| step.gives().iter().any(|gives| reads.contains(gives)))
    }
}

async fn heard<W: World + 'static>(
    check: &dyn Check<W>,
    cx: &Cx<'_, W>,
    earlier: Earlier,
) -> Done<Verdict, W> {
    let mut cx = cx.for_check(earlier.clone());
    let verdict = cx.patiently(async |cx| check.look(cx).await).await;
    let facts = verdict.as_ref().map(|verdict| verdict.facts.clone());
    earlier.tell(facts.unwrap_or_default());
    verdict
}

async fn look_for<W: World + 'static>(
    step: &Step<W>,
    cx: &Cx<'_, W>,
    facts: &Facts,
    missed: &BTreeSet<&'static str>,
) -> Done<Sought, W> {
    let Step::Ensure(ensure) = step else {
        return Ok(Sought::Unknown);
    };
    if missed.contains(step.about().id) {
        return Ok(Sought::Missed);
    }
    // The run was named a moment ago.
    if cx.is_first() && ensure.beforehand() == Beforehand::Nobody {
        return Ok(Sought::Unknown);
    }
    let look = async |cx: &mut Cx<'_, W>| found(step, ensure.as_ref(), cx).await;
    cx.for_step_with(&**step, facts).patiently(look).await
}

async fn found<W: World + 'static>(
    step: &Step<W>,
    ensure: &dyn Ensure<W>,
    cx: &mut Cx<'_, W>,
) -> Done<Sought, W> {
    match ensure.find(cx).await {
        Ok(Some(known)) => Ok(Sought::There(Box::new(known))),
        Ok(None) => Ok(Sought::Missed),
        Err(Fault::Missing(_) | Fault::Waiting { .. }) => Ok(Sought::Unknown),
        Err(Fault::World(error)) if step.settling(&error).is_some() => Ok(Sought::Unknown),
        Err(fault) => Err(fault),
    }
}
