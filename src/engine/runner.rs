//! Walks a flow: looks, creates, remembers, and says beforehand that it is about to. A stretch of steps that are done for each
//! VNet runs for all members side by side; a step that they share waits for those still under way.

use super::{
    beforehand::{Beforehand, Begun, Memory, News},
    cx::{Cx, Limits, Observe, Pace, Stop, Voice},
    definition::{Consent, Done, Fault, Refusal, Scope, World},
    event::Event,
    flow::Flow,
    record::{At, Run, Status, StepRecord, written_by},
    runs::Store,
    step::{Ensure, Known, Made, Maker, Polled, Step, Wait},
};
use crate::fact::Facts;
use futures_util::{FutureExt, StreamExt, stream::FuturesUnordered};
use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    panic::AssertUnwindSafe,
    time::{Duration, Instant},
};
use tokio::sync::{Mutex, Semaphore};

/// How long a request in flight is given when the run is to stop.
const GRACE: Duration = Duration::from_millis(1250);

/// Walks one flow for one run.
pub struct Runner<'a, W: World> {
    pub(super) flow: &'a Flow<W>,
    pub(super) world: &'a W,
    store: Mutex<&'a mut dyn Store>,
    observe: Box<Observe<'a>>,
    places: Semaphore,
    pub(super) memory: Memory,
    /// How fast to look again.
    pub pace: Pace,
    /// What the person asked of the waits.
    pub limits: Limits,
    /// Rung to stop.
    pub stop: Stop,
    /// Asks the person; where there is nobody, a flag that was given is the answer.
    pub agrees: Box<dyn Fn(&Consent) -> bool + 'a>,
}

/// Why a run did not get to its end.
#[derive(Debug)]
pub struct Failed<E: std::error::Error + 'static> {
    /// The id of the step.
    pub step: &'static str,
    /// The part of the run that it was done for.
    pub at: At,
    /// Why.
    pub fault: Fault<E>,
    /// The other members that failed.
    pub more: Vec<Failed<E>>,
}

impl<E: std::error::Error + 'static> Failed<E> {
    pub(super) fn new(step: &'static str, at: At, fault: Fault<E>) -> Self {
        Self {
            step,
            at,
            fault,
            more: Vec::new(),
        }
    }
}

/// How a walk ended.
pub type Ended<W> = Result<(), Failed<<W as World>::Error>>;

/// A run that several members change in turn.
pub(super) type Shared<'r> = RefCell<&'r mut Run>;

/// What a step gave, how it stands, and what a person should know of its object.
pub(super) type End = (Facts, Status, String);

impl<'a, W: World + 'static> Runner<'a, W> {
    /// A runner at the pace of the real clouds.
    pub fn new(
        flow: &'a Flow<W>,
        world: &'a W,
        store: &'a mut dyn Store,
        observe: impl Fn(&Event<'_>, Option<&str>) + 'a,
    ) -> Self {
        Self {
            flow,
            world,
            store: Mutex::new(store),
            observe: Box::new(observe),
            places: Semaphore::new(Semaphore::MAX_PERMITS),
            memory: Memory::default(),
            pace: Pace::REAL,
            limits: Limits::default(),
            stop: Stop::default(),
            agrees: Box::new(|consent| consent.by_flag.is_some()),
        }
    }

    /// Tells that this process began the run, and what it knows of that.
    pub fn began(&mut self, begun: Begun) {
        self.memory.begun = Some(begun);
    }

    /// Brings the run to its end, from wherever it stands.
    ///
    /// # Errors
    /// The step that did not reach its goal, and why. The run is saved as far as it came, and what lives for this process only
    /// has been taken back, if that was possible.
    pub async fn apply(&mut self, run: &mut Run) -> Ended<W> {
        self.places = Semaphore::new(self.limits.parallel.max(1));
        self.memory.watch(run.records().next().is_none());
        let run = RefCell::new(run);
        let result = self.walk(&run).await;
        if let Err(failed) = &result {
            let hurry = matches!(failed.fault, Fault::Interrupted | Fault::Panicked(_));
            self.take_back(&run, hurry || self.stop.rung()).await;
        }
        result
    }

    async fn walk(&self, run: &Shared<'_>) -> Ended<W> {
        let mut down = BTreeSet::new();
        let mut failures: Vec<Failed<W::Error>> = Vec::new();
        let mut begin = 0;
        while let Some(first) = self.flow.steps.get(begin) {
            let scope = first.scope();
            let same = self.flow.steps[begin..].iter();
            let end = begin + same.take_while(|step| step.scope() == scope).count();
            match scope {
                Scope::Shared => {
                    if let Err(failed) = self.stretch(run, begin..end, &At::Shared).await {
                        failures.insert(0, failed);
                        break;
                    }
                }
                Scope::Each => {
                    let members: Vec<At> = run
                        .borrow()
                        .members
                        .keys()
                        .cloned()
                        .map(At::Member)
                        .collect();
                    let up: Vec<&At> = members.iter().filter(|at| !down.contains(*at)).collect();
                    let mut under_way: FuturesUnordered<_> = up
                        .iter()
                        .map(|at| self.stretch(run, begin..end, at))
                        .collect();
                    while let Some(ended) = under_way.next().await {
                        if let Err(failed) = ended {
                            down.insert(failed.at.clone());
                            failures.push(failed);
                        }
                    }
                    if !failures.is_empty() && down.len() == members.len() {
                        break;
                    }
                }
            }
            begin = end;
        }
        let mut failures = failures.into_iter();
        match failures.next() {
            None => Ok(()),
            Some(first) => Err(Failed {
                more: failures.collect(),
                ..first
            }),
        }
    }

    /// Does these steps, one after another, for one part of the run.
    async fn stretch(&self, run: &Shared<'_>, steps: Range<usize>, at: &At) -> Ended<W> {
        for index in steps {
            if !self.flow.is_left_at(index, &run.borrow(), at) {
                continue;
            }
            let id = self.flow.steps[index].about().id;
            // Not the step alone may panic, but also what is told of it, and its saving.
            let step = AssertUnwindSafe(self.step(run, index, at)).catch_unwind();
            let ended = step
                .await
                .unwrap_or_else(|panic| Err(Fault::panicked(panic.as_ref())));
            if let Err(fault) = ended {
                return Err(Failed::new(id, at.clone(), fault));
            }
        }
        Ok(())
    }

    pub(super) fn tell(&self, event: &Event<'_>, at: &At) {
        (self.observe)(event, vnet(at));
    }

    /// The voice of a step that stops when the run is to.
    pub(super) fn voice<'v>(&'v self, step: &'static str, at: &'v At) -> Voice<'v> {
        let (limit, usually) = Voice::DEFAULTS;
        Voice {
            observe: &*self.observe,
            step,
            vnet: vnet(at),
            pace: self.pace,
            limits: self.limits,
            limit,
            usually,
            stop: Some(self.stop.clone()),
            places: Some(&self.places),
        }
    }

    /// The context of a step, which sees what it said it would.
    pub(super) fn cx<'v>(
        &'v self,
        run: &Shared<'_>,
        step: &'v Step<W>,
        at: &At,
        voice: Voice<'v>,
    ) -> Cx<'v, W> {
        let run = run.borrow();
        let facts = run.facts_at(at).only(step.about().id, step.sees());
        let mut cx = Cx::new(self.world, facts, Some(&**step), voice);
        let record = run
            .part(at)
            .and_then(|part| part.steps.get(step.about().id));
        cx.since = record.and_then(StepRecord::since);
        cx.shown = record.is_some_and(|record| record.shown);
        cx.news = self.memory.news();
        cx
    }

    /// Saves the run. What several members change is saved one after another.
    pub(super) async fn save(&self, run: &Shared<'_>) -> Done<(), W> {
        let mut store = self.store.lock().await;
        let copy = {
            let mut run = run.borrow_mut();
            run.serial += 1;
            run.written_by = written_by();
            run.clone()
        };
        Ok(store.save(&copy).await?)
    }

    /// Does something that ends at the latest a moment after the run is to stop, and that may fail in any way. What is given up
    /// may have happened: that is saved before.
    pub(super) async fn guard<T>(&self, work: impl Future<Output = Done<T, W>>) -> Done<T, W> {
        let work = AssertUnwindSafe(work).catch_unwind();
        tokio::pin!(work);
        let done = tokio::select! {
            biased;
            done = &mut work => Some(done),
            () = self.stop.wait(1) => {
                let last = async {
                    tokio::select! {
                        biased;
                        done = &mut work => Some(done),
                        () = self.stop.wait(2) => None,
                    }
                };
                tokio::time::timeout(GRACE, last).await.ok().flatten()
            }
        };
        match done {
            Some(Ok(done)) => done,
            Some(Err(panic)) => Err(Fault::panicked(panic.as_ref())),
            None => Err(Fault::Interrupted),
        }
    }

    async fn step(&self, run: &Shared<'_>, index: usize, at: &At) -> Done<(), W> {
        let step = &self.flow.steps[index];
        let about = step.about();
        if self.stop.rung() {
            return Err(Fault::Interrupted);
        }
        self.tell(
            &Event::Started {
                step: about.id,
                title: &about.title,
                index,
                total: self.flow.steps.len(),
            },
            at,
        );
        let began = Instant::now();
        let (facts, status, says) = self.guard(self.act(run, step, at)).await?;
        let took = began.elapsed().as_secs_f64();
        let shown = facts.texts().clone();
        {
            let mut run = run.borrow_mut();
            let part = run.part_mut(at);
            part.facts.absorb(facts);
            part.steps
                .insert(about.id.into(), StepRecord::now(status, Some(took)));
        }
        self.save(run).await?;
        let event = Event::Finished {
            step: about.id,
            status,
            took: tenths(took),
            facts: &shown,
            note: None,
            says: Some(says.as_str()).filter(|says| !says.is_empty()),
        };
        self.tell(&event, at);
        Ok(())
    }

    async fn act(&self, run: &Shared<'_>, step: &Step<W>, at: &At) -> Done<End, W> {
        let id = step.about().id;
        let voice = self.voice(id, at);
        match step {
            Step::Ensure(ensure) => {
                let mut cx = self.cx(run, step, at, voice);
                cx.take_place().await;
                let saved = run
                    .borrow()
                    .part(at)
                    .and_then(|part| part.steps.get(id))
                    .cloned();
                match saved {
                    Some(record) if record.renew && record.status.done() => {
                        renew(ensure.as_ref(), &mut cx).await?;
                        Ok((Facts::default(), record.status, String::new()))
                    }
                    _ => self.ensure(run, ensure.as_ref(), at, &mut cx).await,
                }
            }
            Step::Wait(wait) => {
                let usual = wait.usual();
                let voice = voice.with_limit(usual.limit, usual.time);
                let mut cx = self.cx(run, step, at, voice);
                self.wait(run, wait.as_ref(), at, &mut cx).await
            }
            Step::Release(release) => self.release(run, release.as_ref(), at, voice).await,
        }
    }

    /// Sets how a step stands and saves it.
    pub(super) async fn mark(
        &self,
        run: &Shared<'_>,
        at: &At,
        id: &str,
        record: Option<StepRecord>,
    ) -> Done<(), W> {
        {
            let mut run = run.borrow_mut();
            let steps = &mut run.part_mut(at).steps;
            match record {
                Some(record) => steps.insert(id.into(), record),
                None => steps.remove(id),
            };
        }
        self.save(run).await
    }

    async fn ensure(
        &self,
        run: &Shared<'_>,
        ensure: &dyn Ensure<W>,
        at: &At,
        cx: &mut Cx<'_, W>,
    ) -> Done<End, W> {
        let id = ensure.about().id;
        let status = || run.borrow().status_at(at, id);
        let marked = || status() == Some(Status::Creating);
        // An earlier process, or an earlier try of this one, may have made it without learning so; and what it gave may have
        // died with its process.
        let mut maybe_ours = status().is_some_and(Status::ours);
        let mut sure_to_miss = self.memory.sure_to_miss(id, ensure.beforehand());
        loop {
            if !sure_to_miss {
                match ensure.find(cx).await {
                    Ok(Some(known)) => return Ok(owned(known, maybe_ours)),
                    Ok(None) => {}
                    Err(fault) => {
                        if !self.agreed(run, at, cx, &fault).await? {
                            cx.again(fault).await?;
                        }
                        continue;
                    }
                }
            }
            // Time passes from here on, in which anybody may do anything.
            sure_to_miss &= ensure.beforehand() != Beforehand::Refused;
            // What is made anew has to end anew: both are saved at once.
            if self.reopen_release(run, at, id) || !marked() {
                let creating = StepRecord::now(Status::Creating, None);
                self.mark(run, at, id, Some(creating)).await?;
            }
            match ensure.create(cx).await {
                Ok(Made::New(known)) => {
                    self.memory.has_made(&ensure.gives());
                    return Ok(owned(known, true));
                }
                Ok(Made::Already(known)) => return Ok(owned(known, maybe_ours)),
                Err(Fault::Needs { text, url }) => {
                    // Nothing was made. What a person makes meanwhile is found at the next look, and is not ours.
                    if !maybe_ours {
                        self.mark(run, at, id, None).await?;
                    }
                    let patience = ensure.patience();
                    cx.needs(&text, &url, patience, PERSON_EVERY).await?;
                    (sure_to_miss, cx.news) = (false, News::default());
                }
                Err(fault) => {
                    let refused = matches!(&fault, Fault::World(error) if W::judge(error).refused);
                    if !refused {
                        (sure_to_miss, cx.news) = (false, News::default());
                    }
                    maybe_ours |= !refused;
                    if self.agreed(run, at, cx, &fault).await? {
                        continue;
                    }
                    if let Err(fault) = cx.again(fault).await {
                        // A plain no to the only request: nothing was made, and nothing need be looked for.
                        if !maybe_ours && !matches!(fault, Fault::Interrupted) {
                            self.mark(run, at, id, None).await?;
                        }
                        return Err(fault);
                    }
                }
            }
        }
    }

    async fn wait(
        &self,
        run: &Shared<'_>,
        wait: &dyn Wait<W>,
        at: &At,
        cx: &mut Cx<'_, W>,
    ) -> Done<End, W> {
        let usual = wait.usual();
        let mut last = String::from("no answer");
        loop {
            let polled = match cx.left() {
                None => wait.poll(cx).await,
                // A look that is not answered is given up as at a signal: it changes nothing.
                Some(left) => {
                    let look = tokio::time::timeout(left + GRACE, wait.poll(cx)).await;
                    look.unwrap_or(Err(Fault::Waiting { says: last.clone() }))
                }
            };
            match polled {
                Ok(Polled::Reached(facts)) => return Ok((facts, Status::Reached, String::new())),
                Ok(Polled::Refused(refusal)) => {
                    if !Box::pin(self.ask_again(run, at, cx, &refusal)).await? {
                        return Err(self.refused(run, at, refusal).await);
                    }
                }
                Ok(Polled::NotYet(says)) => {
                    cx.waiting(&says, usual.every).await?;
                    last = says;
                }
                Ok(Polled::Needs { text, url }) => {
                    cx.needs(&text, &url, usual.limit, usual.every).await?;
                }
                Err(fault) => cx.again(fault).await?,
            }
        }
    }

    /// Makes the request of an earlier step again, where it was made too early. Tells whether it did.
    async fn ask_again(
        &self,
        run: &Shared<'_>,
        at: &At,
        cx: &mut Cx<'_, W>,
        refusal: &Refusal,
    ) -> Done<bool, W> {
        let (Some(id), Some(early)) = (refusal.renew, &refusal.early) else {
            return Ok(false);
        };
        let spread = {
            let run = run.borrow();
            let part = run.part(&self.place(early.after, at));
            let record = part.and_then(|part| part.steps.get(early.after));
            record.is_none_or(|record| record.age() >= early.spreads)
        };
        if spread || !cx.ask_again(&early.because, early.budget).await? {
            return Ok(false);
        }
        let there = self.place(id, at);
        let (Some(step @ Step::Ensure(ensure)), true) =
            (self.flow.step(id), Self::renews(run, &there, id, true))
        else {
            return Ok(false);
        };
        self.save(run).await?;
        let mut cx = self.cx(run, step, &there, self.voice(id, &there));
        renew(ensure.as_ref(), &mut cx).await?;
        Self::renews(run, &there, id, false);
        self.save(run).await?;
        Ok(true)
    }

    /// The part of the run that a step is done for when this one is being done.
    fn place(&self, id: &str, at: &At) -> At {
        match self.flow.step(id).map(|step| step.scope()) {
            Some(Scope::Shared) => At::Shared,
            _ => at.clone(),
        }
    }

    /// Remembers whether a request is to be made again. Tells whether there is such a step.
    fn renews(run: &Shared<'_>, at: &At, id: &str, renews: bool) -> bool {
        let mut run = run.borrow_mut();
        let record = run.part_mut(at).steps.get_mut(id);
        record.map(|record| record.renew = renews).is_some()
    }

    /// Remembers which request is to be made again on resume.
    async fn refused(&self, run: &Shared<'_>, at: &At, refusal: Refusal) -> Fault<W::Error> {
        let renew = refusal.renew;
        let marked = renew.is_some_and(|id| Self::renews(run, &self.place(id, at), id, true));
        if marked && let Err(fault) = self.save(run).await {
            return fault;
        }
        Fault::Refused(refusal)
    }

    pub(super) fn finished(
        &self,
        step: &str,
        at: &At,
        status: Status,
        took: f64,
        facts: &BTreeMap<String, String>,
        note: Option<&str>,
    ) {
        let event = Event::Finished {
            step,
            status,
            took: tenths(took),
            facts,
            note,
            says: None,
        };
        self.tell(&event, at);
    }
}

/// The longest pause between two looks for what a person has to do.
const PERSON_EVERY: Duration = Duration::from_secs(15);

fn tenths(seconds: f64) -> f64 {
    (seconds * 10.0).round() / 10.0
}

fn vnet(at: &At) -> Option<&str> {
    match at {
        At::Shared => None,
        At::Member(vnet) => Some(vnet),
    }
}

async fn renew<W: World + 'static>(ensure: &dyn Ensure<W>, cx: &mut Cx<'_, W>) -> Done<(), W> {
    loop {
        match ensure.renew(cx).await {
            Err(fault) => cx.again(fault).await?,
            done => return done,
        }
    }
}

/// What the object says of its maker goes before what the run remembers.
fn owned(known: Known, maybe_ours: bool) -> End {
    let ours = match known.maker {
        Maker::Run => true,
        Maker::Other(_) => false,
        Maker::Unknown => maybe_ours,
    };
    let status = if ours { Status::Created } else { Status::Found };
    (known.facts, status, known.says)
}
