//! A bench for flows in this process: each journey is a process of its own as far as the clouds and the disk can tell, and
//! the disk keeps a photograph of the world at every save, so that a test can die there and go on.

use super::{Cloud, cloud::GIVEN_APP, picture};
use peer_wizard::{
    ask::facts_of,
    azure::Flow,
    clouds::{AzureCloud, Clouds, Endpoints, credential::SignIn},
    engine::{
        Answer, Event, Limits, Origin, Pace, Run, Runner, Status, Store, StoreError, record::now,
    },
    fact::Secret,
    http::Http,
    providers::{Provider, Shape},
    sandbox::{Lag, World},
};
use serde_json::Value;
use std::{collections::BTreeMap, future::Future, time::Duration};

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
        for record in run.steps.values_mut() {
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

impl Store for Disk<'_> {
    fn save(&mut self, run: &mut Run) -> Result<(), StoreError> {
        run.serial += 1;
        let text = serde_json::to_string(run).expect("a run serialises");
        if self.photographs {
            let world = self.cloud.copy();
            let last = |run: &Run| {
                let steps = run.steps.iter();
                let newest = steps.map(|(id, record)| format!("{id} {:?}", record.status));
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
    pub cloud: Cloud,
    /// The provider.
    pub provider: &'static Provider,
    /// The flow.
    pub flow: Flow,
    /// How fast it looks again.
    pub pace: Pace,
    /// The world before.
    pub before: Value,
    start: Run,
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
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        let flow = provider.flow(shape);
        let run = format!("{}-test", provider.id);
        let answers = answers(&cloud, provider, shape);
        let facts = facts_of(&answers, provider, &run);
        let mut bench = Self {
            before: cloud.world(),
            start: Run::new(run, provider.id, answers, facts),
            cloud,
            provider,
            flow,
            pace: Pace {
                first: Duration::from_millis(400),
                scale: 0.001,
            },
            runtime,
        };
        bench.check();
        bench
    }

    /// Runs the checks, which have to be content, and keeps what they tell.
    fn check(&mut self) {
        let clouds = self.clouds();
        for check in &self.flow.checks {
            let verdict = self.block_on(check.look(&clouds, &self.start.facts));
            let verdict = verdict.unwrap_or_else(|fault| panic!("{}: {fault}", check.title()));
            assert!(verdict.problems.is_empty(), "{:?}", verdict.problems);
            assert_eq!(verdict.done, None, "{}", check.title());
            self.start.facts.absorb(verdict.facts);
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
        let http = Http::new(&[sandbox.ca_pem().into_bytes()]).expect("a certificate");
        let endpoints = Endpoints::new(AzureCloud::Public, &|_| Some(sandbox.origin()));
        let sample = sandbox.sample();
        let sign_in = SignIn::Environment {
            tenant: sample.tenant.clone(),
            client_id: sample.client_id,
            secret: Secret::from(sample.client_secret),
        };
        let mut clouds = Clouds::new(http, endpoints.expect("good addresses"), sign_in);
        clouds.use_tenant(&sample.tenant);
        clouds.use_provider_token(Secret::from(match self.provider.id {
            "timescale" => sample.timescale_token,
            "kong" => sample.konnect_token,
            _ => sample.aiven_token,
        }));
        clouds.pace = self.pace;
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
        let mut run: Run = serde_json::from_str(&disk.saved).expect("a whole run");
        let clouds = self.clouds();
        let mut told = String::new();
        let observe = |event: &Event<'_>| {
            if let Ok(line) = serde_json::to_string(event) {
                told.push_str(&line);
                told.push('\n');
            }
        };
        let mut runner = Runner::new(&self.flow, &clouds, disk, observe);
        runner.pace = self.pace;
        runner.limits = limits;
        let end = self.block_on(async {
            match journey {
                Journey::Apply => runner.apply(&mut run).await,
                Journey::Undo => runner.undo(&mut run, &[]).await,
            }
        });
        drop(runner);
        for secret in self.cloud.sandbox.secrets() {
            let leak = disk.history.iter().any(|text| text.contains(&secret));
            assert!(!leak, "{secret} was saved");
            assert!(!told.contains(&secret), "{secret} was told:\n{told}");
        }
        end.map(|()| run)
            .map_err(|(step, fault)| format!("{step}: {fault}\n{told}"))
    }

    /// An undisturbed journey, and what a death at each of its saves leaves behind.
    pub fn moments(&self, saved: &str, journey: Journey) -> (String, Vec<Moment>) {
        let mut disk = self.disk_with(saved);
        disk.photographs = true;
        let end = self.go(&mut disk, journey);
        end.unwrap_or_else(|error| panic!("{}: {error}", self.provider.id));
        (disk.saved, disk.moments)
    }

    /// The run as it is before it begins.
    pub fn unbegun(&self) -> String {
        self.disk().saved
    }

    /// What the world looks like, with this run's ids by name.
    pub fn picture(&self, run: &Run) -> Value {
        picture(&self.cloud.world(), &self.before, run.facts.durable())
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
        let ours = |status| matches!(status, Status::Created | Status::Creating);
        let left: Vec<_> = run.steps.iter().filter(|(_, it)| ours(it.status)).collect();
        if !left.is_empty() {
            return Err(format!("the run has something left: {left:?}"));
        }
        same(&self.cloud.world(), &self.before)
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

/// Everything that went wrong in a table, so that a test shows all of it at once.
#[derive(Default)]
pub struct Broken(Vec<String>);

impl Broken {
    /// Keeps what went wrong, and where.
    pub fn note(&mut self, what: &str, result: Result<(), String>) {
        if let Err(error) = result {
            self.0.push(format!("{what}: {error}"));
        }
    }

    /// Asserts that nothing did.
    #[track_caller]
    pub fn assert_none(&self) {
        let Self(broken) = self;
        assert!(
            broken.is_empty(),
            "{} broken:\n\n{}",
            broken.len(),
            broken.join("\n\n")
        );
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
    let from = Origin::Flag;
    let pairs = values.into_iter();
    pairs
        .map(|(name, value)| (name.to_owned(), Answer { value, from }))
        .collect()
}
