//! The context of a step: the world, the facts that it may see, and its voice. Waiting goes through it and through nothing
//! else, so that every wait is told, ends at `--timeout`, `--no-wait` and Ctrl-C, and is as fast as a test wants it.

use super::{
    beforehand::News,
    definition::{Definition, Done, Fault, World},
    earlier::Earlier,
    event::Event,
};
use crate::fact::{Facts, Named};
use std::{
    any::Any,
    cell::Cell,
    rc::Rc,
    time::{Duration, Instant},
};
use time::OffsetDateTime;
use tokio::sync::{Notify, Semaphore, SemaphorePermit};

/// How fast to look again.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// The first pause between two looks.
    pub first: Duration,
    /// All pauses are multiplied by this: 1 for the real clouds, less for simulated ones.
    pub scale: f64,
}

/// The first pause is this much longer before something that has to settle is tried again, and before something that failed in
/// passing is.
const SETTLING: f64 = 2.0;
const PASSING: f64 = 4.0;

impl Pace {
    /// For the real clouds.
    pub const REAL: Self = Self {
        first: Duration::from_millis(250),
        scale: 1.0,
    };

    /// The pause before another look at what has taken `so_far`: a tenth of that, so that nobody waits much longer than has to
    /// be. At least `first`, at most `cap`.
    #[must_use]
    pub fn look_again(&self, so_far: Duration, first: f64, cap: Duration) -> Duration {
        let first = self.scaled(self.first.mul_f64(first));
        (so_far / 10).max(first).min(self.scaled(cap))
    }

    /// The pause after the failure number `tries`, from 1, of a service that has to recover; never above `cap`.
    #[must_use]
    pub fn back_off(&self, tries: u32, cap: Duration) -> Duration {
        let power = i32::try_from(tries.min(30)).unwrap_or(30);
        let grown = self.first.mul_f64(PASSING * 1.5_f64.powi(power));
        self.scaled(grown.min(cap))
    }

    /// Whatever a service asks for: what is too long to be told is as long as can be.
    fn scaled(&self, time: Duration) -> Duration {
        Duration::try_from_secs_f64(time.as_secs_f64() * self.scale).unwrap_or(Duration::MAX)
    }
}

/// The longest pause before another look, and before something that failed in passing is tried again.
const LOOK_CAP: Duration = Duration::from_secs(10);
const BACK_OFF_CAP: Duration = Duration::from_secs(15);
/// How often something is tried when the services fail in passing.
const PASSING_TRIES: u32 = 8;
/// The longest time that a service may go on asking to come later.
const THROTTLED_LIMIT: Duration = Duration::from_secs(300);
/// The longest wait within a step that has no limit of its own.
const LIMIT: Duration = Duration::from_secs(30 * 60);
const USUALLY: Duration = Duration::from_secs(60);

/// What the person asked of the waits.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The longest wait for one state, instead of the step's own.
    pub timeout: Option<Duration>,
    /// Stop as soon as only waiting is left.
    pub no_wait: bool,
    /// How many members may be changing something at once.
    pub parallel: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            timeout: None,
            no_wait: false,
            parallel: 8,
        }
    }
}

/// A bell that asks the runner to stop. At the first ring waits end at once and a request in flight is given a moment; at the
/// second it is given up too.
#[derive(Clone, Debug, Default)]
pub struct Stop {
    rung: Rc<Cell<u32>>,
    bell: Rc<Notify>,
}

impl Stop {
    /// Rings the bell.
    pub fn ring(&self) {
        self.rung.set(self.rung.get() + 1);
        self.bell.notify_waiters();
    }

    /// How often it was rung.
    #[must_use]
    pub fn rings(&self) -> u32 {
        self.rung.get()
    }

    /// Whether it was rung.
    #[must_use]
    pub fn rung(&self) -> bool {
        self.rings() > 0
    }

    /// Returns when it was rung `times`.
    pub async fn wait(&self, times: u32) {
        loop {
            let bell = self.bell.notified();
            if self.rings() >= times {
                return;
            }
            bell.await;
        }
    }
}

/// Sleeps: the one place of the program that does.
pub async fn rest(time: Duration) {
    if !time.is_zero() {
        tokio::time::sleep(time).await;
    }
}

/// Who is told of what happens, and about which VNet it is.
pub type Observe<'a> = dyn Fn(&Event<'_>, Option<&str>) + 'a;

/// What a context speaks with.
pub(super) struct Voice<'a> {
    pub observe: &'a Observe<'a>,
    pub step: &'static str,
    pub vnet: Option<&'a str>,
    pub pace: Pace,
    pub limits: Limits,
    /// The longest wait without `--timeout`.
    pub limit: Duration,
    pub usually: Duration,
    /// Nothing for what has to be done although the run stops.
    pub stop: Option<Stop>,
    /// Where a place among those that change something is taken.
    pub places: Option<&'a Semaphore>,
}

/// What a step acts with.
pub struct Cx<'a, W: World> {
    /// The world.
    pub world: &'a W,
    /// The facts that the step said it would read or give.
    pub facts: Facts,
    /// Since when the step has stood as the run's file says, if it has.
    pub since: Option<OffsetDateTime>,
    /// Whether an earlier process saw at the service what the step made.
    pub shown: bool,
    pub(super) news: News,
    /// What the last look of the step saw, until somebody takes it.
    seen: Option<Box<dyn Any>>,
    /// For a check: what those before it tell.
    pub(super) earlier: Option<Earlier>,
    voice: Voice<'a>,
    step: Option<&'a dyn Definition<W>>,
    place: Option<SemaphorePermit<'a>>,
    tries: Tries,
}

/// What a pause is for.
enum Asked {
    /// What was made a moment ago is not known everywhere yet.
    Settling,
    /// A service fails in passing.
    BackOff,
    /// A service asked to be left alone for this long.
    After(Duration),
}

/// Counts the tries of one step.
struct Tries {
    began: Instant,
    first_failure: Option<Instant>,
    count: u32,
    /// The last reason to try again, since when, and how often it was in a row.
    because: Option<(String, Instant)>,
    alike: u32,
    passing: u32,
    /// What a person was asked for.
    needs: Option<String>,
}

impl Tries {
    fn new() -> Self {
        Self {
            began: Instant::now(),
            first_failure: None,
            count: 0,
            because: None,
            alike: 0,
            passing: 0,
            needs: None,
        }
    }
}

impl<'a, W: World + 'static> Cx<'a, W> {
    pub(super) fn new(
        world: &'a W,
        facts: Facts,
        step: Option<&'a dyn Definition<W>>,
        voice: Voice<'a>,
    ) -> Self {
        Self {
            world,
            facts,
            since: None,
            shown: false,
            news: News::default(),
            seen: None,
            earlier: None,
            voice,
            step,
            place: None,
            tries: Tries::new(),
        }
    }

    /// A context for looks outside a run: it repeats what fails in passing, and what would wait gives up. `observe` is told of
    /// each repetition.
    #[must_use]
    pub fn looking(world: &'a W, facts: Facts, pace: Pace, observe: &'a Observe<'a>) -> Self {
        let voice = Voice {
            observe,
            step: "",
            vnet: None,
            pace,
            limits: Limits {
                no_wait: true,
                ..Limits::default()
            },
            limit: Duration::ZERO,
            usually: Duration::ZERO,
            stop: None,
            places: None,
        };
        Self::new(world, facts, None, voice)
    }

    /// A context for one of the checks that are made at the same time.
    pub(super) fn for_check(&self, earlier: Earlier) -> Self {
        let voice = Voice {
            stop: self.voice.stop.clone(),
            ..self.voice
        };
        let mut cx = Self::new(self.world, self.facts.clone(), None, voice);
        cx.news = self.news.clone();
        cx.earlier = Some(earlier);
        cx
    }

    /// For a check: takes what those before it told, and waits for that. What does not need it is best done before.
    pub async fn hear_earlier(&mut self) {
        if let Some(earlier) = &self.earlier {
            self.facts.absorb(earlier.facts().await);
        }
    }

    /// The same context for the looks of one step, which sees only what it said it would.
    #[must_use]
    pub fn for_step(&self, step: &'a dyn Definition<W>) -> Self {
        self.for_step_with(step, &self.facts)
    }

    /// The same with other facts.
    pub(super) fn for_step_with(&self, step: &'a dyn Definition<W>, facts: &Facts) -> Self {
        let voice = Voice {
            observe: self.voice.observe,
            step: step.about().id,
            stop: self.voice.stop.clone(),
            ..self.voice
        };
        let facts = facts.clone().only(step.about().id, step.sees());
        let mut cx = Self::new(self.world, facts, Some(step), voice);
        cx.news = self.news.clone();
        cx
    }

    /// The same for a run whose name was made up a moment ago, so that nothing bears its mark yet.
    #[must_use]
    pub fn of_a_new_run(mut self) -> Self {
        self.news.first = true;
        self
    }

    /// Whether nothing bears the run's mark but what this process made.
    #[must_use]
    pub fn is_first(&self) -> bool {
        self.news.first
    }

    /// Whether this process made the object that this fact names a moment ago.
    #[must_use]
    pub fn is_new(&self, named: impl Into<Named>) -> bool {
        self.news.first && self.news.made.contains(named.into().name)
    }

    /// Keeps what a look saw for what is done right after it, so that it need not look again.
    pub fn saw<T: 'static>(&mut self, what: T) {
        self.seen = Some(Box::new(what));
    }

    /// What the last look saw, once.
    pub fn take_seen<T: 'static>(&mut self) -> Option<T> {
        let seen = self.seen.take()?;
        seen.downcast().ok().map(|seen| *seen)
    }

    /// Takes a place among those that change something, and waits for one if there is none.
    pub(super) async fn take_place(&mut self) {
        if let Some(places) = self.voice.places
            && self.place.is_none()
        {
            // The places are never closed.
            self.place = places.acquire().await.ok();
        }
    }

    fn tell(&self, event: &Event<'_>) {
        (self.voice.observe)(event, self.voice.vnet);
    }

    /// How long the step has been at it.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.tries.began.elapsed()
    }

    /// A time of the real clouds at the pace of the run.
    #[must_use]
    pub fn scaled(&self, time: Duration) -> Duration {
        self.voice.pace.scaled(time)
    }

    /// Whether the step has stood for less than this, as the run's file says and as far as this process knows.
    #[must_use]
    pub fn stood_less_than(&self, time: Duration) -> bool {
        let since = self.since.map(|since| OffsetDateTime::now_utc() - since);
        let stood = since.and_then(|time| Duration::try_from(time).ok());
        // A clock may have been set back.
        stood.unwrap_or_default().max(self.elapsed()) < time
    }

    async fn pause(&mut self, time: Duration) -> Done<(), W> {
        // Whoever waits holds no place, and what was seen before may not be so after.
        self.place = None;
        self.seen = None;
        let Some(stop) = self.voice.stop.clone() else {
            rest(time).await;
            return Ok(());
        };
        tokio::select! {
            biased;
            () = stop.wait(1) => Err(Fault::Interrupted),
            () = rest(time) => {
                self.take_place().await;
                Ok(())
            }
        }
    }

    /// What is left of the time that the person gives, if they give one.
    #[must_use]
    pub fn left(&self) -> Option<Duration> {
        let timeout = self.voice.limits.timeout?;
        Some(timeout.saturating_sub(self.elapsed()))
    }

    /// Waits before the next look at a state that is not reached: `says` is the service's own word for it, `every` the longest
    /// pause.
    ///
    /// # Errors
    /// When the person does not want to wait, or not that long; when it is to stop.
    pub async fn waiting(&mut self, says: &str, every: Duration) -> Done<(), W> {
        self.waiting_as_asked(says, every, None).await
    }

    /// The same when the service has asked for a pause of its own: to come earlier is of no use.
    ///
    /// # Errors
    /// As [`Cx::waiting`].
    pub async fn waiting_as_asked(
        &mut self,
        says: &str,
        every: Duration,
        asked: Option<Duration>,
    ) -> Done<(), W> {
        self.tell(&Event::Waiting {
            step: self.voice.step,
            says,
            elapsed: self.elapsed().as_secs_f64(),
            usually: self.voice.usually.as_secs_f64(),
        });
        // A service that answers is one that does not fail.
        self.tries.passing = 0;
        let limit = self.voice.limits.timeout.unwrap_or(self.voice.limit);
        let waited = self.elapsed();
        if self.voice.limits.no_wait || waited >= limit {
            return Err(Fault::Waiting { says: says.into() });
        }
        let pace = self.voice.pace;
        let pause = pace.look_again(waited, 1.0, every.min(LOOK_CAP));
        let pause = pause.max(pace.scaled(asked.unwrap_or_default()));
        self.pause(pause.min(limit.saturating_sub(waited))).await
    }

    /// Shows what a person has to do, once, and that it is waited for after that; pauses before the next look.
    pub(super) async fn needs(
        &mut self,
        text: &str,
        url: &str,
        patience: Duration,
        every: Duration,
    ) -> Done<(), W> {
        if self.tries.needs.as_deref() == Some(text) {
            self.tell(&Event::Waiting {
                step: self.voice.step,
                says: "waiting for a person",
                elapsed: self.elapsed().as_secs_f64(),
                usually: patience.as_secs_f64(),
            });
        } else {
            self.tries.needs = Some(text.to_owned());
            self.tell(&Event::Needs {
                step: self.voice.step,
                text,
                url,
            });
        }
        let limit = self.voice.limits.timeout.unwrap_or(patience);
        let waited = self.elapsed();
        if self.voice.limits.no_wait || waited >= limit {
            return Err(Fault::Waiting { says: text.into() });
        }
        let every = every.min(LOOK_CAP);
        let pause = self.voice.pace.look_again(waited, 1.0, every);
        self.pause(pause.min(limit.saturating_sub(waited))).await
    }

    /// Waits out what is not known everywhere yet, within this budget. It is no waiting for somebody else, so `--no-wait` does
    /// not end it.
    ///
    /// # Errors
    /// When the budget is over, or the time that the person gives; when it is to stop.
    pub async fn settling(&mut self, because: &str, budget: Duration) -> Done<(), W> {
        let since = *self.tries.first_failure.get_or_insert_with(Instant::now);
        let limit = self.voice.limits.timeout.unwrap_or(budget).min(budget);
        if since.elapsed() >= limit {
            let says = because.into();
            return Err(Fault::Waiting { says });
        }
        let left = limit.saturating_sub(since.elapsed());
        self.retry(because, Asked::Settling, left).await
    }

    /// Pauses before something that was refused too early is asked for again. Tells whether there is time left for that, of
    /// this budget and of what the person gives.
    pub(super) async fn ask_again(&mut self, because: &str, budget: Duration) -> Done<bool, W> {
        let since = *self.tries.first_failure.get_or_insert_with(Instant::now);
        let limit = self.voice.limits.timeout.unwrap_or(budget).min(budget);
        let left = limit.saturating_sub(since.elapsed());
        if !left.is_zero() {
            self.retry(because, Asked::Settling, left).await?;
        }
        Ok(!left.is_zero())
    }

    /// Tells of another try, and pauses before it, at the longest until the time is over.
    async fn retry(&mut self, because: &str, asked: Asked, left: Duration) -> Done<(), W> {
        self.tries.count += 1;
        // Another reason is progress, and is waited for from the beginning.
        let since = match &self.tries.because {
            Some((same, since)) if same == because => *since,
            _ => {
                let now = Instant::now();
                self.tries.alike = 0;
                self.tries.because = Some((because.to_owned(), now));
                now
            }
        };
        self.tries.alike += 1;
        let pace = self.voice.pace;
        let pause = match asked {
            Asked::Settling => pace.look_again(since.elapsed(), SETTLING, LOOK_CAP),
            Asked::BackOff => pace.back_off(self.tries.alike, BACK_OFF_CAP),
            Asked::After(time) => time.max(pace.back_off(self.tries.alike, BACK_OFF_CAP)),
        };
        let pause = pause.min(left);
        self.tell(&Event::Retrying {
            step: self.voice.step,
            because,
            attempt: self.tries.count,
            after: pause.as_secs_f64(),
        });
        self.pause(pause).await
    }

    /// Pauses when the fault passes by itself; hands it back when it does not, or has lasted too long. This is the only
    /// retry policy there is.
    pub(super) async fn again(&mut self, fault: Fault<W::Error>) -> Done<(), W> {
        let Fault::World(error) = fault else {
            return Err(fault);
        };
        let since = *self.tries.first_failure.get_or_insert_with(Instant::now);
        let timeout = self.voice.limits.timeout.unwrap_or(Duration::MAX);
        if let Some(settling) = self.step.and_then(|step| step.settling(&error)) {
            if since.elapsed() >= settling.budget {
                return Err(Fault::World(error));
            }
            if since.elapsed() >= timeout {
                let says = settling.because;
                return Err(Fault::Waiting { says });
            }
            let left = timeout.min(settling.budget);
            let left = left.saturating_sub(since.elapsed());
            return self.retry(&settling.because, Asked::Settling, left).await;
        }
        let judged = W::judge(&error);
        let Some(because) = judged.passing else {
            return Err(Fault::World(error));
        };
        self.tries.passing += 1;
        let asked = judged.after.map(|after| self.voice.pace.scaled(after));
        let over = match asked {
            // To come earlier than asked is of no use.
            Some(asked) => since.elapsed().saturating_add(asked) >= THROTTLED_LIMIT.min(timeout),
            None => self.tries.passing >= PASSING_TRIES || since.elapsed() >= timeout,
        };
        if over {
            return Err(Fault::World(error));
        }
        let left = timeout.saturating_sub(since.elapsed());
        let asked = asked.map_or(Asked::BackOff, Asked::After);
        self.retry(&because, asked, left).await
    }

    /// Does something that changes nothing, again while it fails in passing.
    ///
    /// # Errors
    /// The last fault.
    pub async fn patiently<T>(
        &mut self,
        work: impl AsyncFn(&mut Self) -> Done<T, W>,
    ) -> Done<T, W> {
        loop {
            match work(self).await {
                Err(fault) => self.again(fault).await?,
                done => return done,
            }
        }
    }
}

impl<'a> Voice<'a> {
    /// The longest wait and the usual time of what has none of its own.
    pub(super) const DEFAULTS: (Duration, Duration) = (LIMIT, USUALLY);

    pub(super) fn with_limit(self, limit: Duration, usually: Duration) -> Voice<'a> {
        Voice {
            limit,
            usually,
            ..self
        }
    }
}
