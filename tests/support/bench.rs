//! A bench for flows in this process: each journey is a process of its own as far as the clouds and the disk can tell, and
//! the disk keeps a photograph of the world at every save, so that a test can die there and go on.

use super::{Cloud, cloud::GIVEN_APP, picture};
use async_trait::async_trait;
use peer_wizard::{
    ask::facts_of,
    azure::{Flow, steps::CredentialKind},
    clouds::{AzureCloud, Clouds, Endpoints, credential::SignIn},
    engine::{
        Answer, Begun, Cx, Event, Limits, Look, Origin, Other, Pace, Run, Runner, Step, Store,
        StoreError, Undo, record::now,
    },
    fact::{Heard, Secret},
    http::Http,
    provider::{Provider, Shape},
    providers,
    sandbox::{Fault, Faults, Lag, Rule, When, World},
};
use serde_json::Value;
use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    future::Future,
    rc::Rc,
    time::Duration,
};

/// Where a run is going.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Journey {
    /// To its end.
    Apply,
    /// Back to its beginning.
    Undo,
}

/// What a killed process leaves behind: the world and the saved run.
#[derive(Clone)]
pub struct Moment {
    /// Where in the run it died, for messages.
    pub name: String,
    /// The clouds.
    pub world: World,
    /// The run's file.
    pub saved: String,
}

impl Moment {
    /// The saved run as if its process had died this second: what it was making may still not show.
    pub fn just_now(&self) -> String {
        let mut run: Run = serde_json::from_str(&self.saved).expect("a whole run");
        let parts = std::iter::once(&mut run.shared).chain(run.members.values_mut());
        for record in parts.flat_map(|part| part.steps.values_mut()) {
            record.at = now();
        }
        serde_json::to_string(&run).expect("a run serialises")
    }
}

/// A disk in memory that holds one run.
pub struct Disk<'a> {
    cloud: &'a Cloud,
    /// The run's file.
    pub saved: String,
    /// Every version of it that ever was.
    pub history: Vec<String>,
    /// For each save, what a death just before it and just after it leaves behind.
    pub moments: Vec<Moment>,
    photographs: bool,
}

#[async_trait(?Send)]
impl Store for Disk<'_> {
    async fn save(&mut self, run: &Run) -> Result<(), StoreError> {
        let text = serde_json::to_string(run).expect("a run serialises");
        if self.photographs {
            let world = self.cloud.copy();
            let last = |run: &Run| {
                let newest = run
                    .records()
                    .map(|(id, record)| format!("{id} {:?}", record.status));
                newest.collect::<Vec<_>>().join(", ")
            };
            for (when, saved) in [("before", &self.saved), ("after", &text)] {
                self.moments.push(Moment {
                    name: format!("{when} save {} ({})", run.serial, last(run)),
                    world: world.clone(),
                    saved: saved.clone(),
                });
            }
        }
        self.history.push(text.clone());
        self.saved = text;
        Ok(())
    }
}

/// One flow on simulated clouds.
pub struct Bench {
    /// The clouds.
    pub cloud: Rc<Cloud>,
    /// The provider.
    pub provider: &'static Provider,
    /// The flow.
    pub flow: Flow,
    /// How fast it looks again.
    pub pace: Pace,
    /// The world before.
    pub before: Value,
    /// What was not there in the preview.
    pub missed: BTreeSet<&'static str>,
    start: Run,
    /// Who read which fact.
    heard: Heard,
    /// Made once, as it reads the roots that the system trusts.
    client: reqwest::Client,
    runtime: tokio::runtime::Runtime,
}

impl Bench {
    /// A run of this provider's flow that has passed its checks and not begun.
    pub fn new(provider: &'static Provider, shape: &Shape, lag: Lag) -> Self {
        let mut cloud = Cloud::with(lag);
        if shape.application_given {
            cloud.add_application();
            cloud.settle();
        }
        Self::on(cloud, provider, shape)
    }

    /// The same on clouds that a test has prepared.
    pub fn on(cloud: Cloud, provider: &'static Provider, shape: &Shape) -> Self {
        Self::with(Rc::new(cloud), provider, shape, "test", &[])
    }

    /// One of several runs on the same clouds, with other answers than the sample's.
    pub fn with(
        cloud: Rc<Cloud>,
        provider: &'static Provider,
        shape: &Shape,
        name: &str,
        other: &[(&str, &str)],
    ) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        let flow = provider.flow(shape);
        let run = format!("{}-{name}", provider.id);
        let mut answers = answers(&cloud, provider, shape);
        for (name, value) in other {
            let answer = answers.get_mut(*name).expect("it has such an answer");
            (*value).clone_into(&mut answer.value);
        }
        let begins = facts_of(&answers, provider, &run);
        let http = Http::new(&[cloud.sandbox.ca_pem().into_bytes()]).expect("a certificate");
        let mut bench = Self {
            before: cloud.world(),
            start: Run::new(run, provider.id, answers, begins.shared, begins.members),
            missed: BTreeSet::new(),
            cloud,
            provider,
            flow,
            pace: Pace {
                first: Duration::from_secs(2),
                scale: 0.0002,
            },
            heard: Heard::default(),
            client: http.client().clone(),
            runtime,
        };
        bench.check();
        bench
    }

    /// Runs the checks, which have to be content, and keeps what they tell.
    fn check(&mut self) {
        let clouds = self.clouds();
        for check in &self.flow.checks {
            let facts = self.start.shared.facts.clone();
            let nobody = |_: &Event<'_>, _: Option<&str>| {};
            let mut cx = Cx::looking(&clouds, facts, self.pace, &nobody);
            let verdict = self.block_on(check.look(&mut cx));
            let verdict = verdict.unwrap_or_else(|fault| panic!("{}: {fault}", check.title()));
            assert!(verdict.problems.is_empty(), "{:?}", verdict.problems);
            assert_eq!(verdict.done, None, "{}", check.title());
            self.start.shared.facts.absorb(verdict.facts);
            self.missed.extend(verdict.missed);
        }
        assert_eq!(self.cloud.world(), self.before, "a check changed something");
    }

    /// Drives a future to its end.
    pub fn block_on<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    /// The clouds as a new process sees them: signed in anew, with nothing remembered.
    pub fn clouds(&self) -> Clouds {
        let sandbox = &self.cloud.sandbox;
        let http = Http::from(self.client.clone());
        let endpoints = Endpoints::new(AzureCloud::Public, &providers::vendors(), &|_| {
            Some(sandbox.origin())
        });
        let sample = sandbox.sample();
        let sign_in = SignIn::Environment {
            tenant: sample.tenant.clone(),
            client_id: sample.client_id,
            secret: Secret::from(sample.client_secret),
        };
        let clouds = Clouds::new(http, endpoints.expect("good addresses"), sign_in);
        clouds.use_tenant(&sample.tenant);
        let token = self.cloud.sample(self.provider.token.sample);
        clouds.use_provider_token(Secret::from(token));
        clouds
    }

    /// A disk with a run that has not begun.
    pub fn disk(&self) -> Disk<'_> {
        let saved = serde_json::to_string(&self.start).expect("a run serialises");
        self.disk_with(&saved)
    }

    /// A disk with this run on it.
    pub fn disk_with(&self, saved: &str) -> Disk<'_> {
        Disk {
            cloud: &self.cloud,
            saved: saved.to_owned(),
            history: vec![saved.to_owned()],
            moments: Vec::new(),
            photographs: false,
        }
    }

    /// A process that takes the run from the disk and goes on with it.
    pub fn go(&self, disk: &mut Disk<'_>, journey: Journey) -> Result<Run, String> {
        self.go_within(disk, journey, Limits::default())
    }

    /// The same with limits on waiting.
    pub fn go_within(
        &self,
        disk: &mut Disk<'_>,
        journey: Journey,
        limits: Limits,
    ) -> Result<Run, String> {
        self.travel(disk, journey, limits, &[])
    }

    /// Undoes the run while these are in use.
    pub fn undo_beside(&self, disk: &mut Disk<'_>, others: &[Other]) -> Result<Run, String> {
        self.travel(disk, Journey::Undo, Limits::default(), others)
    }

    fn travel(
        &self,
        disk: &mut Disk<'_>,
        journey: Journey,
        limits: Limits,
        others: &[Other],
    ) -> Result<Run, String> {
        let mut run: Run = serde_json::from_str(&disk.saved).expect("a whole run");
        run.shared.facts = std::mem::take(&mut run.shared.facts).heard_by(&self.heard);
        let clouds = self.clouds();
        let told = RefCell::new(String::new());
        let observe = |event: &Event<'_>, _: Option<&str>| {
            if let Ok(line) = serde_json::to_string(event) {
                told.borrow_mut().push_str(&line);
                told.borrow_mut().push('\n');
            }
        };
        let mut runner = Runner::new(&self.flow, &clouds, disk, observe);
        runner.pace = self.pace;
        runner.limits = limits;
        if run.records().next().is_none() {
            runner.began(Begun {
                missed: self.missed.clone(),
            });
        }
        let end = self.block_on(async {
            match journey {
                Journey::Apply => runner.apply(&mut run).await,
                Journey::Undo => {
                    let undo = Undo {
                        others,
                        ..Undo::default()
                    };
                    runner.undo(&mut run, &undo).await
                }
            }
        });
        drop(runner);
        let told = told.into_inner();
        for secret in self.cloud.sandbox.secrets() {
            let leak = disk.history.iter().any(|text| text.contains(&secret));
            assert!(!leak, "{secret} was saved");
            assert!(!told.contains(&secret), "{secret} was told:\n{told}");
        }
        end.map(|()| run)
            .map_err(|failed| format!("{}: {}\n{told}", failed.step, failed.fault))
    }

    /// An undisturbed journey, and what a death at each of its saves leaves behind.
    pub fn moments(&self, saved: &str, journey: Journey) -> (String, Vec<Moment>) {
        self.moments_beside(saved, journey, &[])
    }

    /// The same while these are in use.
    pub fn moments_beside(
        &self,
        saved: &str,
        journey: Journey,
        others: &[Other],
    ) -> (String, Vec<Moment>) {
        let mut disk = self.disk_with(saved);
        disk.photographs = true;
        let end = self.travel(&mut disk, journey, Limits::default(), others);
        end.unwrap_or_else(|error| panic!("{}: {error}", self.provider.id));
        (disk.saved, disk.moments)
    }

    /// The run as it is before it begins.
    pub fn start(&self) -> &Run {
        &self.start
    }

    /// What each step read in a run that is looked at and undone; if `thoroughly`, also in one that is killed and resumed, meets
    /// others and is refused.
    pub fn heard(&self, thoroughly: bool) -> BTreeMap<&'static str, BTreeSet<&'static str>> {
        let (finished, moments) = self.moments(&self.unbegun(), Journey::Apply);
        let done = self.cloud.copy();
        if thoroughly {
            self.meet_trouble(&finished, &done, moments);
        }
        self.cloud.restore(&done);
        let run: Run = serde_json::from_str(&finished).expect("a whole run");
        self.amiss(&run);
        let mut disk = self.disk_with(&finished);
        self.go(&mut disk, Journey::Undo).expect("it is undone");
        let mut all: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
        for (step, name) in self.heard.borrow().iter() {
            all.entry(*step).or_default().insert(*name);
        }
        all
    }

    fn meet_trouble(&self, finished: &str, done: &World, moments: Vec<Moment>) {
        for moment in moments.into_iter().step_by(2) {
            self.cloud.restore(&moment.world);
            let mut disk = self.disk_with(&moment.saved);
            self.go(&mut disk, Journey::Apply).expect("it resumes");
        }
        let run: Run = serde_json::from_str(finished).expect("a whole run");
        // A state that was reached before its process learnt of it, or that is another by now.
        let resting = self.cloud.sandbox.resting().into_iter();
        let seen = [""].into_iter().chain(resting).map(|word| (word, true));
        let refusals = self.cloud.sandbox.refusals().into_iter();
        for (word, may_look) in seen.chain(refusals.map(|word| (word, false))) {
            self.cloud.restore(done);
            self.cloud.say(word);
            if !may_look {
                let when = When::path("/v1.0/servicePrincipals");
                self.cloud
                    .faults(Faults::always(when, Fault::FailBefore(403)));
            }
            for step in &self.flow.steps {
                let Step::Wait(_) = step else { continue };
                let mut run = run.clone();
                for part in run.members.values_mut() {
                    part.steps.remove(step.about().id);
                }
                let saved = serde_json::to_string(&run).expect("a run serialises");
                let _ = self.go_within(&mut self.disk_with(&saved), Journey::Apply, NO_WAIT);
            }
        }
        // What somebody else made in this run's place.
        self.cloud.restore(done);
        self.cloud.disguise();
        for step in self.flow.steps.iter().filter(|it| !it.ephemeral()) {
            let mut run = run.clone();
            let parts = std::iter::once(&mut run.shared).chain(run.members.values_mut());
            for part in parts {
                part.steps.remove(step.about().id);
            }
            let saved = serde_json::to_string(&run).expect("a run serialises");
            let _ = self.go_within(&mut self.disk_with(&saved), Journey::Apply, NO_WAIT);
        }
        // What is looked at when the provider refuses, or waits for a person.
        for state in self.cloud.sandbox.refusals() {
            self.cloud.reset();
            let rule = Rule {
                when: When::default(),
                fault: Fault::Refuse(state.into(), "it says no".into()),
                skip: 0,
                times: 1,
            };
            self.cloud.faults(Faults { rules: vec![rule] });
            let mut disk = self.disk();
            let _ = self.go_within(&mut disk, Journey::Apply, NO_WAIT);
        }
    }

    /// Which of the run's steps are not as they should be.
    pub fn amiss(&self, run: &Run) -> Vec<String> {
        let clouds = self.clouds();
        let nobody = |_: &Event<'_>, _: Option<&str>| {};
        let cx = Cx::looking(
            &clouds,
            run.facts().heard_by(&self.heard),
            self.pace,
            &nobody,
        );
        let looks = self.block_on(self.flow.survey(&cx, None));
        let amiss = looks.into_iter().filter_map(|(id, look)| match look {
            Ok(None | Some(Look::Present(_))) => None,
            look => Some(format!("{id}: {look:?}")),
        });
        amiss.collect()
    }

    /// The run as it is before it begins.
    pub fn unbegun(&self) -> String {
        self.disk().saved
    }

    /// What the world looks like, with this run's ids by name.
    pub fn picture(&self, run: &Run) -> Value {
        picture(&self.cloud.world(), &self.before, run.facts().texts())
    }

    /// The world at the end of an undisturbed run; it is as before afterwards.
    pub fn goal(&self) -> Value {
        self.cloud.reset();
        let mut disk = self.disk();
        let run = self.go(&mut disk, Journey::Apply);
        let run = run.unwrap_or_else(|error| panic!("{}: {error}", self.provider.id));
        let goal = self.picture(&run);
        self.cloud.reset();
        goal
    }

    /// Whether the world is as an undisturbed run leaves it.
    pub fn reached(&self, run: &Run, goal: &Value) -> Result<(), String> {
        same(&self.picture(run), goal)
    }

    /// Whether nothing of the run is left.
    pub fn undone(&self, run: &Run) -> Result<(), String> {
        self.nothing_left(run, &self.before)
    }

    /// Whether nothing of the run is left, and the world is as it was at some time before.
    pub fn nothing_left(&self, run: &Run, before: &Value) -> Result<(), String> {
        let left: Vec<_> = run.records().filter(|(_, it)| it.status.ours()).collect();
        if !left.is_empty() {
            return Err(format!("the run has something left: {left:?}"));
        }
        same(&self.cloud.world(), before)
    }
}

/// Whether two pictures are the same, or where they are not.
fn same(now: &Value, wanted: &Value) -> Result<(), String> {
    if now == wanted {
        return Ok(());
    }
    let pretty = |value: &Value| serde_json::to_string_pretty(value).unwrap_or_default();
    let (now, wanted) = (pretty(now), pretty(wanted));
    let only = |a: &str, b: &str, mark: char| -> String {
        let b: Vec<&str> = b.lines().collect();
        let lines = a.lines().filter(|line| !b.contains(line));
        lines.map(|line| format!("{mark}{line}\n")).collect()
    };
    Err(format!(
        "the world is not as it should be\n{}{}",
        only(&wanted, &now, '-'),
        only(&now, &wanted, '+'),
    ))
}

/// Everything that went wrong in a table, so that a test shows all of it at once, and how much was tried.
#[derive(Default)]
pub struct Broken {
    tried: usize,
    broken: Vec<String>,
}

impl Broken {
    /// Keeps what went wrong, and where.
    pub fn note(&mut self, what: &str, result: Result<(), String>) {
        self.tried += 1;
        if let Err(error) = result {
            self.broken.push(format!("{what}: {error}"));
        }
    }

    /// Takes over what another one kept.
    pub fn add(&mut self, other: Self) {
        self.tried += other.tried;
        self.broken.extend(other.broken);
    }

    /// Asserts that nothing did, and tells how many journeys `of` some kind were tried.
    #[track_caller]
    pub fn assert_none_of(&self, of: &str) {
        let Self { tried, broken } = self;
        #[expect(clippy::print_stdout, reason = "a test's own count")]
        {
            println!("tried {tried} {of}");
        }
        assert!(
            broken.is_empty(),
            "{} broken:\n\n{}",
            broken.len(),
            broken.join("\n\n")
        );
    }
}

/// For what ends as soon as it would wait, or ask again.
const NO_WAIT: Limits = Limits {
    timeout: Some(Duration::ZERO),
    no_wait: true,
    parallel: 1,
};

/// A run that is in use, as another one sees it.
pub fn in_use(run: &Run) -> Other {
    Other {
        run: run.run.clone(),
        facts: run.parts().map(|(at, _)| run.facts_at(&at)).collect(),
    }
}

fn answers(cloud: &Cloud, provider: &Provider, shape: &Shape) -> BTreeMap<String, Answer> {
    let sample = cloud.sandbox.sample();
    let mut values = vec![
        ("PROVIDER", provider.id.to_owned()),
        ("VNET_ID", sample.vnet_id),
        ("TENANT_ID", sample.tenant),
    ];
    let inputs = cloud.inputs(provider).into_iter();
    values.extend(inputs.map(|(_, name, value)| (name, value)));
    if shape.application_given {
        values.push(("APPLICATION_ID", GIVEN_APP.to_owned()));
    }
    if shape.peering_only {
        values.push(("GRANT_ROLE", "peering-only".to_owned()));
    }
    let credential = match shape.credential {
        CredentialKind::Auto => "auto",
        CredentialKind::Password => "password",
        CredentialKind::Certificate => "certificate",
    };
    values.push(("CREDENTIAL", credential.to_owned()));
    let from = Origin::Flag;
    let pairs = values.into_iter();
    pairs
        .map(|(name, value)| (name.to_owned(), Answer { value, from }))
        .collect()
}
