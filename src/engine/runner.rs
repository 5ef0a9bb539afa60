//! Walks a flow: looks, creates, remembers, and says beforehand that it is about to.

use super::{
    event::Event,
    flow::Flow,
    record::{Run, Status, StepRecord},
    step::{AnyProbe, AnyResource, Fault, Known, Made, Maker, Polled, Refusal, Step, World},
    store::Store,
};
use crate::fact::Facts;
use std::{
    cell::Cell,
    collections::BTreeMap,
    rc::Rc,
    time::{Duration, Instant},
};
use tokio::sync::Notify;

/// How fast to look again.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// The first pause between two looks; it grows up to what the step says.
    pub first: Duration,
    /// All pauses are multiplied by this: 1 for the real clouds, less for simulated ones.
    pub scale: f64,
}

impl Pace {
    /// For the real clouds.
    pub const REAL: Self = Self {
        first: Duration::from_secs(1),
        scale: 1.0,
    };

    /// The pause after the look number `tries`, from 1; never above `cap`.
    #[must_use]
    pub fn pause(&self, tries: u32, cap: Duration) -> Duration {
        let grown = self
            .first
            .mul_f64(1.5_f64.powi(i32::try_from(tries.saturating_sub(1).min(30)).unwrap_or(30)));
        grown.min(cap).mul_f64(self.scale)
    }
}

/// The longest pause before something that failed in passing is tried again.
const SETTLE_CAP: Duration = Duration::from_secs(15);
/// How often a step is begun again when the services fail in passing.
const PASSING_TRIES: u32 = 8;

/// The longest time to take back what lives in memory only when a run stops.
const TAKE_BACK_LIMIT: Duration = Duration::from_secs(5);

/// What the person asked of the waits.
#[derive(Clone, Copy, Debug, Default)]
pub struct Limits {
    /// The longest wait for one state, instead of the step's own.
    pub timeout: Option<Duration>,
    /// Stop as soon as only waiting is left.
    pub no_wait: bool,
}

/// A bell that asks the runner to stop: waits end at once, a change under way is finished and saved first.
#[derive(Clone, Debug, Default)]
pub struct Stop {
    rung: Rc<Cell<bool>>,
    bell: Rc<Notify>,
}

impl Stop {
    /// Rings the bell.
    pub fn ring(&self) {
        self.rung.set(true);
        self.bell.notify_waiters();
    }

    /// Whether it was rung.
    #[must_use]
    pub fn rung(&self) -> bool {
        self.rung.get()
    }

    /// Returns when it is rung.
    pub async fn wait(&self) {
        let bell = self.bell.notified();
        if !self.rung() {
            bell.await;
        }
    }

    /// Does `work`, unless the bell rings first.
    async fn or<T, E: std::error::Error + 'static>(
        &self,
        work: impl Future<Output = Result<T, Fault<E>>>,
    ) -> Result<T, Fault<E>> {
        tokio::select! {
            biased;
            () = self.wait() => Err(Fault::Interrupted),
            result = work => result,
        }
    }

    pub(super) async fn pause<E: std::error::Error + 'static>(
        &self,
        pause: Duration,
    ) -> Result<(), Fault<E>> {
        self.or(async {
            tokio::time::sleep(pause).await;
            Ok(())
        })
        .await
    }
}

/// Walks one flow for one run.
pub struct Runner<'a, W: World, S, O> {
    pub(super) flow: &'a Flow<W>,
    pub(super) world: &'a W,
    pub(super) store: &'a mut S,
    pub(super) observe: O,
    /// How fast to look again.
    pub pace: Pace,
    /// What the person asked of the waits.
    pub limits: Limits,
    /// Rung to stop.
    pub stop: Stop,
}

/// Counts the tries of one step and decides about the next.
pub(super) struct Tries {
    pub(super) began: Instant,
    first_failure: Option<Instant>,
    count: u32,
    passing: u32,
    /// What a person was asked for.
    needs: Option<String>,
}

impl Tries {
    pub(super) fn new() -> Self {
        Self {
            began: Instant::now(),
            first_failure: None,
            count: 0,
            passing: 0,
            needs: None,
        }
    }

    /// The number of the try that failed, and the pause before the next.
    pub(super) fn next(&mut self, pace: Pace) -> (u32, Duration) {
        self.count += 1;
        (self.count, pace.pause(self.count + 1, SETTLE_CAP))
    }
}

impl<'a, W: World + 'static, S: Store, O: FnMut(&Event<'_>)> Runner<'a, W, S, O> {
    /// A runner at the pace of the real clouds.
    pub fn new(flow: &'a Flow<W>, world: &'a W, store: &'a mut S, observe: O) -> Self {
        Self {
            flow,
            world,
            store,
            observe,
            pace: Pace::REAL,
            limits: Limits::default(),
            stop: Stop::default(),
        }
    }

    /// Brings the run to its end, from wherever it stands.
    ///
    /// # Errors
    /// The id of the step that did not reach its goal, and why. The run is saved as far as it came.
    pub async fn apply(&mut self, run: &mut Run) -> Result<(), (&'static str, Fault<W::Error>)> {
        let result = self.walk(run).await;
        if result.is_err() {
            self.drop_ephemeral(run).await;
        }
        result
    }

    /// What lives in this process's memory is of no use after it: it is taken back, if that works at once. If not, the
    /// resumed run or undo does it.
    async fn drop_ephemeral(&self, run: &Run) {
        for step in &self.flow.steps {
            let Step::Ensure(resource) = step else {
                continue;
            };
            if !resource.ephemeral() || !run.done(step.about().id) {
                continue;
            }
            let (_, yields) = self.flow.traffic(step);
            if yields.iter().any(|name| run.facts.knows(name)) {
                let taking_back = resource.delete(self.world, &run.facts);
                let _ = tokio::time::timeout(TAKE_BACK_LIMIT, taking_back).await;
            }
        }
    }

    async fn walk(&mut self, run: &mut Run) -> Result<(), (&'static str, Fault<W::Error>)> {
        let total = self.flow.steps.len();
        for (index, step) in self.flow.steps.iter().enumerate() {
            let about = step.about();
            let id = about.id;
            let renew = run.steps.get(id).is_some_and(|record| record.renew);
            if !self.flow.is_left(index, run) {
                continue;
            }
            if self.stop.rung() {
                return Err((id, Fault::Interrupted));
            }
            (self.observe)(&Event::Started {
                step: id,
                title: &about.title,
                index,
                total,
            });
            let began = Instant::now();
            let done = match step {
                Step::Ensure(resource) if renew && run.done(id) => {
                    self.renew(step, resource.as_ref(), run).await
                }
                Step::Ensure(resource) => self.ensure(step, resource.as_ref(), run).await,
                Step::Wait(probe) => self.wait(step, probe.as_ref(), run).await,
            };
            let (facts, status) = done.map_err(|fault| (id, fault))?;
            let took = began.elapsed().as_secs_f64();
            let shown = facts.durable().clone();
            run.facts.absorb(facts);
            run.steps
                .insert(id.into(), StepRecord::now(status, Some(took)));
            self.store
                .save(run)
                .map_err(|error| (id, Fault::Save(error)))?;
            self.finished(id, status, took, &shown, None);
        }
        Ok(())
    }

    async fn ensure(
        &mut self,
        step: &Step<W>,
        resource: &dyn AnyResource<W>,
        run: &mut Run,
    ) -> Result<(Facts, Status), Fault<W::Error>> {
        let id = step.about().id;
        // Somebody, an earlier process or an earlier try of this one, may have made it without learning so.
        let mut maybe_ours = run.status(id) == Some(Status::Creating);
        let marked_before = maybe_ours;
        let mut tries = Tries::new();
        loop {
            let find = resource.find(self.world, &run.facts);
            match self.stop.clone().or(find).await {
                Ok(Some(known)) => return Ok(owned(known, maybe_ours)),
                Ok(None) => {}
                Err(fault) => {
                    self.again(step, &mut tries, fault).await?;
                    continue;
                }
            }
            if run.status(id) != Some(Status::Creating) {
                run.steps
                    .insert(id.into(), StepRecord::now(Status::Creating, None));
                self.store.save(run)?;
            }
            // Not interrupted: what is asked for may be made, so its answer is waited for and saved.
            match resource.create(self.world, &run.facts).await {
                Ok(Made::New(known)) => return Ok(owned(known, true)),
                Ok(Made::Already(known)) => return Ok(owned(known, maybe_ours)),
                Err(Fault::Needs { text, url }) => {
                    // Nothing was made. What a person makes meanwhile is found at the next look, and is not ours.
                    if !maybe_ours && run.steps.remove(id).is_some() {
                        self.store.save(run)?;
                    }
                    self.ask_person(id, resource.patience(), &mut tries, &text, &url)
                        .await?;
                }
                Err(fault) => {
                    let lost = matches!(&fault, Fault::World(error)
                        if W::passing(error).is_some_and(|passing| passing.lost));
                    maybe_ours |= lost;
                    if let Err(fault) = self.again(step, &mut tries, fault).await {
                        // A clear no to the first and only request: nothing was made, and nothing need be looked for.
                        if !maybe_ours && !marked_before && !matches!(fault, Fault::Interrupted) {
                            run.steps.remove(id);
                            self.store.save(run)?;
                        }
                        return Err(fault);
                    }
                }
            }
        }
    }

    /// Shows what a person has to do, once; after that, that it is waited for.
    fn show_need(&mut self, id: &str, tries: &mut Tries, text: &str, url: &str, usual: Duration) {
        if tries.needs.as_deref() == Some(text) {
            (self.observe)(&Event::Waiting {
                step: id,
                says: "waiting for a person",
                elapsed: tries.began.elapsed().as_secs_f64(),
                usually: usual.as_secs_f64(),
            });
        } else {
            tries.needs = Some(text.to_owned());
            (self.observe)(&Event::Needs {
                step: id,
                text,
                url,
            });
        }
    }

    /// Shows what a person has to do, and pauses before the next look.
    async fn ask_person(
        &mut self,
        id: &str,
        patience: Duration,
        tries: &mut Tries,
        text: &str,
        url: &str,
    ) -> Result<(), Fault<W::Error>> {
        self.show_need(id, tries, text, url, patience);
        let limit = self.limits.timeout.unwrap_or(patience);
        if self.limits.no_wait || tries.began.elapsed() >= limit {
            return Err(Fault::Waiting { says: text.into() });
        }
        let (_, pause) = tries.next(self.pace);
        self.stop.clone().pause(pause).await
    }

    async fn renew(
        &mut self,
        step: &Step<W>,
        resource: &dyn AnyResource<W>,
        run: &mut Run,
    ) -> Result<(Facts, Status), Fault<W::Error>> {
        let status = run.status(step.about().id).unwrap_or(Status::Creating);
        let mut tries = Tries::new();
        loop {
            match resource.renew(self.world, &run.facts).await {
                Ok(()) => return Ok((Facts::default(), status)),
                Err(fault) => self.again(step, &mut tries, fault).await?,
            }
        }
    }

    async fn wait(
        &mut self,
        step: &Step<W>,
        probe: &dyn AnyProbe<W>,
        run: &mut Run,
    ) -> Result<(Facts, Status), Fault<W::Error>> {
        let id = step.about().id;
        let usual = probe.usual();
        let limit = self.limits.timeout.unwrap_or(usual.limit);
        let mut tries = Tries::new();
        let mut looks = 0;
        loop {
            looks += 1;
            let poll = probe.poll(self.world, &run.facts);
            let says = match self.stop.clone().or(poll).await {
                Ok(Polled::Reached(facts)) => return Ok((facts, Status::Reached)),
                Ok(Polled::Refused(refusal)) => return Err(self.refused(run, refusal)),
                Ok(Polled::NotYet(says)) => {
                    (self.observe)(&Event::Waiting {
                        step: id,
                        says: &says,
                        elapsed: tries.began.elapsed().as_secs_f64(),
                        usually: usual.time.as_secs_f64(),
                    });
                    says
                }
                Ok(Polled::Needs { text, url }) => {
                    self.show_need(id, &mut tries, &text, &url, usual.time);
                    text
                }
                Err(fault) => {
                    self.again(step, &mut tries, fault).await?;
                    continue;
                }
            };
            tries.passing = 0;
            let waited = tries.began.elapsed();
            if self.limits.no_wait || waited >= limit {
                return Err(Fault::Waiting { says });
            }
            let pause = self.pace.pause(looks, usual.every);
            self.stop
                .clone()
                .pause(pause.min(limit.saturating_sub(waited)))
                .await?;
        }
    }

    /// Remembers which request is to be made again on resume.
    fn refused(&mut self, run: &mut Run, refusal: Refusal) -> Fault<W::Error> {
        if let Some(record) = refusal.renew.and_then(|id| run.steps.get_mut(id)) {
            record.renew = true;
            if let Err(error) = self.store.save(run) {
                return Fault::Save(error);
            }
        }
        Fault::Refused(refusal)
    }

    /// Pauses when the fault passes by itself; hands it back when it does not, or has lasted too long.
    pub(super) async fn again(
        &mut self,
        step: &Step<W>,
        tries: &mut Tries,
        fault: Fault<W::Error>,
    ) -> Result<(), Fault<W::Error>> {
        let Fault::World(error) = fault else {
            return Err(fault);
        };
        let since = *tries.first_failure.get_or_insert_with(Instant::now);
        let because = if let Some(settling) = step.settling(&error) {
            if since.elapsed() >= settling.budget {
                return Err(Fault::World(error));
            }
            settling.because
        } else if let Some(passing) = W::passing(&error) {
            tries.passing += 1;
            if tries.passing >= PASSING_TRIES {
                return Err(Fault::World(error));
            }
            passing.because
        } else {
            return Err(Fault::World(error));
        };
        let (attempt, pause) = tries.next(self.pace);
        (self.observe)(&Event::Retrying {
            step: step.about().id,
            because: &because,
            attempt,
            after: pause.as_secs_f64(),
        });
        self.stop.clone().pause(pause).await
    }

    pub(super) fn finished(
        &mut self,
        step: &str,
        status: Status,
        took: f64,
        facts: &BTreeMap<String, String>,
        note: Option<&str>,
    ) {
        (self.observe)(&Event::Finished {
            step,
            status,
            took: (took * 10.0).round() / 10.0,
            facts,
            note,
        });
    }
}

/// What the object says of its maker goes before what the run remembers.
fn owned(known: Known, maybe_ours: bool) -> (Facts, Status) {
    let ours = match known.maker {
        Maker::Run => true,
        Maker::Other => false,
        Maker::Unknown => maybe_ours,
    };
    let status = if ours { Status::Created } else { Status::Found };
    (known.facts, status)
}
