//! Walks a flow back: deletes what the run created and nothing else. It is a run too: saved at each change, resumable.

use super::{
    event::Event,
    record::{Run, Status, StepRecord},
    runner::{Runner, Tries},
    step::{Deleted, Fault, Step, World},
    store::Store,
};
use std::{collections::BTreeMap, time::Duration};

/// The longest pause between two looks at a deletion, and the longest wait for it.
const EVERY: Duration = Duration::from_secs(5);
const LIMIT: Duration = Duration::from_secs(60 * 60);
const USUALLY: f64 = 60.0;

impl<W: World + 'static, S: Store, O: FnMut(&Event<'_>)> Runner<'_, W, S, O> {
    /// Deletes what the run created, except the steps named in `keep`.
    ///
    /// # Errors
    /// The id of the step that could not be undone, and why. The run is saved as far as it came.
    pub async fn undo(
        &mut self,
        run: &mut Run,
        keep: &[&str],
    ) -> Result<(), (&'static str, Fault<W::Error>)> {
        let order: Vec<&'static str> = self
            .flow
            .undo_order()
            .iter()
            .map(|resource| resource.about().id)
            .filter(|id| !keep.contains(id))
            .filter(|id| matches!(run.status(id), Some(Status::Created | Status::Creating)))
            .collect();
        for (index, id) in order.iter().copied().enumerate() {
            if self.stop.rung() {
                return Err((id, Fault::Interrupted));
            }
            self.undo_step(run, id, index, order.len())
                .await
                .map_err(|fault| (id, fault))?;
        }
        Ok(())
    }

    /// Whether what was asked for a moment ago may exist and not show yet.
    fn may_still_show(&self, run: &Run, id: &str, within: Duration) -> bool {
        run.steps
            .get(id)
            .is_some_and(|record| record.age() < within.mul_f64(self.pace.scale))
    }

    async fn look_again(&mut self, id: &str, tries: &mut Tries) -> Result<(), Fault<W::Error>> {
        let (attempt, pause) = tries.next(self.pace);
        (self.observe)(&Event::Retrying {
            step: id,
            because: "it was asked for a moment ago and may not show yet",
            attempt,
            after: pause.as_secs_f64(),
        });
        self.stop.clone().pause(pause).await
    }

    async fn undo_step(
        &mut self,
        run: &mut Run,
        id: &'static str,
        index: usize,
        total: usize,
    ) -> Result<(), Fault<W::Error>> {
        let flow = self.flow;
        let Some(step @ Step::Ensure(resource)) =
            flow.steps.iter().find(|step| step.about().id == id)
        else {
            return Ok(());
        };
        let title = format!("Delete {}", resource.thing());
        (self.observe)(&Event::Started {
            step: id,
            title: &title,
            index,
            total,
        });
        let mut tries = Tries::new();
        // The answer to the create call was lost: look before deciding that there is nothing to delete.
        while run.status(id) == Some(Status::Creating) {
            // What lives in memory only cannot be found; its deletion finds what is left of it.
            if resource.ephemeral() {
                run.steps
                    .insert(id.into(), StepRecord::now(Status::Created, None));
                break;
            }
            match resource.remains(self.world, &run.facts).await {
                Ok(Some(known)) => {
                    run.facts.absorb(known.facts);
                    let status = match known.maker {
                        super::step::Maker::Other => Status::Found,
                        _ => Status::Created,
                    };
                    run.steps.insert(id.into(), StepRecord::now(status, None));
                }
                Ok(None) if self.may_still_show(run, id, resource.shows_within()) => {
                    self.look_again(id, &mut tries).await?;
                    continue;
                }
                // Nothing to find, or not even what it would be found by: it was never made.
                Ok(None) | Err(Fault::Missing(_)) => {
                    run.steps.remove(id);
                }
                Err(fault) => self.again(step, &mut tries, fault).await?,
            }
            self.store.save(run)?;
        }
        if run.status(id) != Some(Status::Created) {
            return Ok(());
        }
        let limit = self.limits.timeout.unwrap_or(LIMIT);
        let mut looks = 0;
        loop {
            looks += 1;
            let (status, note) = match resource.delete(self.world, &run.facts).await {
                Ok(Deleted::Gone) => (Status::Deleted, None),
                Ok(Deleted::Kept(why)) => (Status::Found, Some(why)),
                Ok(Deleted::NotYet(says)) => {
                    let waited = tries.began.elapsed();
                    (self.observe)(&Event::Waiting {
                        step: id,
                        says: &says,
                        elapsed: waited.as_secs_f64(),
                        usually: USUALLY,
                    });
                    if waited >= limit {
                        return Err(Fault::Waiting { says });
                    }
                    self.stop
                        .clone()
                        .pause(self.pace.pause(looks, EVERY))
                        .await?;
                    continue;
                }
                Err(fault) => {
                    self.again(step, &mut tries, fault).await?;
                    continue;
                }
            };
            let took = tries.began.elapsed().as_secs_f64();
            run.steps
                .insert(id.into(), StepRecord::now(status, Some(took)));
            self.store.save(run)?;
            self.finished(id, status, took, &BTreeMap::new(), note.as_deref());
            return Ok(());
        }
    }
}
