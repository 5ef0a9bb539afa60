//! A run that is stopped again and again at one place: where it stands, how it is asked, and what has to hold afterwards.

use super::support::{Cloud, Output, Started, TestEnv};
use peer_wizard::{
    provider::Provider,
    providers,
    sandbox::{Fault, Faults, Rule, When, World},
};
use serde_json::Value;
use std::{
    fs,
    io::{self, Write},
    sync::Mutex,
    thread,
    time::{Duration, Instant},
};

pub const PROJECT: &Provider = &providers::aiven::PROJECT;
/// What is said once at the first signal.
const TOLD: &str = "finishing the request in flight";

/// The longest time from the first signal to the end, and what a password may take more.
pub const STOP: Duration = Duration::from_secs(2);
const TAKE_BACK: Duration = Duration::from_secs(5);
const TIMEOUT: Duration = Duration::from_secs(2);
/// What the start of a process may take on a busy machine.
const START: Duration = Duration::from_secs(5);

/// How a run is made to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    Signals(&'static [&'static str]),
    Timeout,
    NoWait,
}

pub const SIGNALS: [Ask; 4] = [
    Ask::Signals(&["INT"]),
    Ask::Signals(&["TERM"]),
    Ask::Signals(&["INT", "INT"]),
    Ask::Signals(&["TERM", "INT", "HUP"]),
];

/// How a test knows that the run stands there.
#[derive(Clone, Copy)]
pub enum There {
    /// An event of this kind about this step.
    Told(&'static str, &'static str),
    /// A request that is not answered.
    Hung,
}

/// Whether a password has been minted where the run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Password {
    None,
    Minted,
    /// Graph does not answer, so that it stays.
    Stays,
}

/// Where a run stands when it is to stop.
pub struct Place {
    pub name: &'static str,
    pub provider: &'static Provider,
    /// In the undo of a connected run, else on the way there.
    pub undo: bool,
    /// The provider is not let in yet.
    pub closed: bool,
    pub rules: Vec<Rule>,
    /// Only once this step waits do the rules hold.
    pub late: Option<&'static str>,
    pub there: There,
    pub asks: Vec<Ask>,
    pub password: Password,
    /// A run that goes on would not come here again, so each time is a run of its own.
    pub fresh: bool,
    /// How this step is saved.
    pub saved: Option<(&'static str, &'static [&'static str])>,
}

impl Place {
    pub fn new(name: &'static str, there: There) -> Self {
        Self {
            name,
            provider: PROJECT,
            undo: false,
            closed: false,
            rules: Vec::new(),
            late: None,
            there,
            asks: SIGNALS.to_vec(),
            password: Password::None,
            fresh: false,
            saved: None,
        }
    }

    /// A state that is waited for.
    pub fn waits(name: &'static str, step: &'static str) -> Self {
        let mut place = Self::new(name, There::Told("waiting", step));
        place.asks.extend([Ask::Timeout, Ask::NoWait]);
        place
    }

    /// A request without an answer.
    pub fn hangs(name: &'static str, when: When, done: bool) -> Self {
        Self {
            fresh: done,
            ..Self::new(name, There::Hung).with(when, Fault::Hang { done })
        }
    }

    pub fn with(mut self, when: When, fault: Fault) -> Self {
        self.rules.push(Rule::always(when, fault));
        self
    }

    pub fn minted(self) -> Self {
        Self {
            password: Password::Minted,
            ..self
        }
    }

    pub fn undone(self) -> Self {
        Self { undo: true, ..self }
    }

    pub fn saved(self, step: &'static str, statuses: &'static [&'static str]) -> Self {
        Self {
            saved: Some((step, statuses)),
            ..self
        }
    }
}

/// Requests of this kind.
pub fn to(method: &str, path: &str) -> When {
    When {
        method: Some(method.into()),
        ..When::path(path)
    }
}

pub const MADE: &[&str] = &["created"];
pub const MAYBE: &[&str] = &["creating"];
pub const GOING: &[&str] = &["deleting"];

/// The longest times that were seen, by what was asked.
static TIMES: Mutex<Vec<(String, Duration, &'static str)>> = Mutex::new(Vec::new());

pub fn note(kind: &str, took: Duration, place: &'static str) {
    let mut times = TIMES.lock().expect("nobody panics here");
    match times.iter_mut().find(|(it, ..)| it == kind) {
        Some(entry) if entry.1 >= took => {}
        Some(entry) => (entry.1, entry.2) = (took, place),
        None => times.push((kind.to_owned(), took, place)),
    }
}

pub fn print_times() {
    let mut times = TIMES.lock().expect("nobody panics here").clone();
    times.sort();
    for (kind, took, place) in times {
        let took = took.as_secs_f64();
        let _ = writeln!(io::stdout(), "longest {kind}: {took:.2} s ({place})");
    }
}

/// Looks until it is so, or for a minute.
fn until(mut so: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + Duration::from_secs(60);
    while Instant::now() < end {
        if so() {
            return true;
        }
        thread::sleep(Duration::from_millis(2));
    }
    false
}

/// Asserts that one of the requests after the first `seen` gets no answer.
pub fn hangs(cloud: &Cloud, seen: usize) {
    let hung = || {
        let requests = cloud.sandbox.requests();
        requests[seen..].iter().any(|it| it.status == 0)
    };
    assert!(until(hung), "nothing hangs");
}

/// Clouds with a run that is stopped again and again at one place.
pub struct Scene<'a> {
    place: &'a Place,
    pub cloud: Cloud,
    pub env: TestEnv,
    before: Value,
}

impl<'a> Scene<'a> {
    pub fn new(place: &'a Place) -> Self {
        let mut cloud = Cloud::new();
        if place.closed {
            cloud.let_in_beforehand(place.provider, false);
        }
        cloud.settle();
        let env = TestEnv::of(&cloud, place.provider.id);
        let scene = Self {
            place,
            before: cloud.world(),
            cloud,
            env,
        };
        if place.undo {
            scene.env.run(&scene.azure()).code(0);
        }
        scene
    }

    fn azure(&self) -> Vec<String> {
        self.cloud.json_args(self.place.provider)
    }

    fn photograph(&self) -> (World, String) {
        let file = self.env.run_file().expect("there is a run");
        let text = fs::read_to_string(file).expect("a run can be read");
        (self.cloud.copy(), text)
    }

    fn restore(&self, (world, text): &(World, String)) {
        self.cloud.restore(world);
        let file = self.env.run_file().expect("there is a run");
        fs::write(file, text).expect("a run can be written");
    }

    pub fn fail(&self) {
        let rules = self.place.rules.clone();
        self.cloud.faults(Faults { rules });
    }

    pub fn mend(&self) {
        self.cloud.faults(Faults::default());
        self.cloud.open_the_gate();
    }

    /// Makes it an hour later, by which all shows that was made.
    fn an_hour_later(&self) {
        let file = self.env.run_file().expect("there is a run");
        let text = fs::read_to_string(&file).expect("a run can be read");
        let mut saved: Value = serde_json::from_str(&text).expect("a whole run");
        let age = |part: &mut Value| {
            let steps = part["steps"].as_object_mut().into_iter().flatten();
            for (_, record) in steps {
                record["at"] = "2025-06-01T08:00:00Z".into();
            }
        };
        age(&mut saved);
        let members = saved["members"].as_object_mut().into_iter().flatten();
        members.for_each(|(_, member)| age(member));
        fs::write(file, saved.to_string()).expect("a run can be written");
    }

    /// The passwords that no application had before.
    fn passwords(&self) -> usize {
        let count = |world: &Value| {
            let apps = world["applications"].as_array().into_iter().flatten();
            apps.filter_map(|app| app["passwords"].as_array().map(Vec::len))
                .sum::<usize>()
        };
        count(&self.cloud.world()) - count(&self.before)
    }

    /// Starts the process that is to be stopped.
    fn start(&self, ask: Ask) -> (Started, usize) {
        if self.place.late.is_some() {
            self.cloud.faults(Faults::default());
        } else {
            self.fail();
        }
        let words = match (self.place.undo, self.env.run_file()) {
            (true, _) => vec!["undo", "--yes"],
            (false, Some(_)) => vec!["resume"],
            (false, None) => vec![],
        };
        let mut args = if words.is_empty() {
            self.azure()
        } else {
            let words = words.into_iter().chain(["--output", "json"]);
            words.map(str::to_owned).collect()
        };
        match ask {
            Ask::Signals(_) => {}
            Ask::Timeout => args.extend(["--timeout", "2s"].map(str::to_owned)),
            Ask::NoWait => args.push("--no-wait".into()),
        }
        let seen = self.cloud.sandbox.requests().len();
        (self.env.start(&args), seen)
    }

    /// Lets a run come to the place, and asks it to stop there.
    fn stop(&self, ask: Ask) {
        let place = self.place;
        let what = format!("{}, {ask:?}", place.name);
        let (mut started, seen) = self.start(ask);
        if let Some(step) = place.late {
            started.until_waiting(step);
            self.fail();
        }
        let hung = |from: usize| {
            let seen = self.cloud.sandbox.requests();
            seen.get(from..)
                .is_some_and(|seen| seen.iter().any(|it| it.status == 0))
        };
        match place.there {
            // To come earlier than asked is of no use, so it may end before.
            There::Told("retrying", _) if ask == Ask::Timeout => {}
            There::Told(event, step) => {
                started.until(|it| it["event"] == event && it["step"] == step);
            }
            There::Hung => assert!(until(|| hung(seen)), "{what}: nothing hangs"),
        }
        let began = Instant::now();
        if let Ask::Signals(signals) = ask {
            self.signal(&mut started, signals);
        }
        let output = started.finish();
        let took = began.elapsed();
        self.check(&what, ask, took, &output);
    }

    /// Sends the signals, each once the one before has been heard.
    fn signal(&self, started: &mut Started, signals: &[&str]) {
        let requests = || self.cloud.sandbox.requests().len();
        for (index, signal) in signals.iter().enumerate() {
            let heard = match index {
                0 => true,
                1 => started.until_said(TOLD),
                _ => {
                    // What is done after the second one, if anything is.
                    let now = requests();
                    until(|| !started.runs() || requests() > now);
                    started.runs()
                }
            };
            if !heard {
                break;
            }
            started.signal(signal);
        }
    }

    fn check(&self, what: &str, ask: Ask, took: Duration, output: &Output) {
        let place = self.place;
        let three = matches!(ask, Ask::Signals(signals) if signals.len() > 2);
        let (code, status, kind, limit) = match ask {
            Ask::Signals(_) => (130, "interrupted", "from a signal", STOP),
            Ask::Timeout => (5, "waiting", "with --timeout 2s", TIMEOUT + STOP),
            Ask::NoWait => (5, "waiting", "with --no-wait", STOP),
        };
        let (more, with) = match place.password {
            Password::None => (Duration::ZERO, ""),
            Password::Minted => (TAKE_BACK, ", with a password"),
            Password::Stays => (TAKE_BACK, ", with a password and Graph silent"),
        };
        // A service that goes on failing may be a failure; that is counted from the start of the process.
        let failing = matches!(place.there, There::Told("retrying", _)) && ask == Ask::Timeout;
        let more = if failing { more + START } else { more };
        assert!(took <= limit + more, "{what}: it took {took:?}\n{output}");
        let kind = format!("{kind}{with}");
        note(&kind, took, place.name);

        let (code, status) = if failing {
            (1, "failed")
        } else {
            (code, status)
        };
        assert_eq!(output.code, Some(code), "{what}\n{output}");
        told_once(what, output, status);
        assert_eq!(
            output.stderr.matches(TOLD).count(),
            usize::from(code == 130),
            "{what}\n{output}"
        );

        let run = self.env.file()["run"].as_str().expect("a name").to_owned();
        let command = if place.undo { "undo" } else { "resume" };
        let hint = format!("peer-wizard {command} {run}");
        assert_eq!(output.stderr.matches(&hint).count(), 1, "{what}\n{output}");
        if let Some((step, statuses)) = place.saved {
            let status = self.env.saved()["steps"][step]["status"].clone();
            let status = status.as_str().unwrap_or_default();
            assert!(
                statuses.contains(&status),
                "{what}: {step} is {status:?}\n{output}"
            );
        }
        if place.password != Password::Stays && !three {
            assert_eq!(self.passwords(), 0, "{what}: a password is left\n{output}");
        }
    }

    /// Undo leaves the world as it was. Where nothing was made there is none.
    pub fn undo(&self, what: &str) {
        self.mend();
        let saved = self.env.saved();
        let steps = saved["steps"].as_object().into_iter().flatten();
        let mut made = steps.filter(|(_, record)| record["status"] != "found");
        if made.next().is_none() {
            assert_eq!(self.cloud.world(), self.before, "{what}: nothing was made");
            return;
        }
        self.an_hour_later();
        let output = self.env.run(&["undo", "--yes"]).code(0);
        let mut world = self.cloud.world();
        assert!(
            world == self.before,
            "{what}: undo left something: {:#}\n{output}",
            left(&mut world, &self.before)
        );
    }

    /// Going on connects, and doubles nothing.
    fn resume(&self, what: &str) {
        self.mend();
        let output = self.env.run(&["resume"]);
        assert_eq!(output.code, Some(0), "{what}\n{output}");
        assert_eq!(self.passwords(), 0, "{what}: a password is left\n{output}");
        let (now, before) = (self.cloud.world(), &self.before);
        let count = |world: &Value, kind: &str| world[kind].as_array().map_or(0, Vec::len);
        let added = |kind| count(&now, kind) - count(before, kind);
        let own = usize::from(self.place.provider.own_application);
        assert_eq!(added("applications"), own, "{what}\n{output}");
        let rows = [("aiven", "connections"), ("konnect", "gateways")];
        let rows: usize = rows
            .iter()
            .flat_map(|(vendor, rows)| {
                let all = now[*vendor].as_array().into_iter().flatten();
                all.map(|it| count(it, rows))
            })
            .sum();
        assert_eq!(rows, 1, "{what}\n{output}");
        let vnet = self.cloud.sandbox.sample().vnet_id;
        let networks = now["networks"].as_array().into_iter().flatten();
        let halves: Vec<&Value> = networks
            .filter(|network| network["id"] == vnet)
            .flat_map(|network| network["peerings"].as_array().into_iter().flatten())
            .collect();
        assert_eq!(halves.len(), 1, "{what}\n{output}");
        assert_eq!(halves[0]["state"], "Connected", "{what}\n{output}");
    }
}

/// What is in one world and not in the other, roughly.
fn left(world: &mut Value, before: &Value) -> Value {
    let kinds = world.as_object_mut().into_iter().flatten();
    let mut left = serde_json::Map::new();
    for (kind, now) in kinds {
        if *now != before[kind] {
            left.insert(kind.clone(), now.take());
        }
    }
    Value::Object(left)
}

/// One first line, and one last one after which nothing comes.
pub fn told_once(what: &str, output: &Output, status: &str) {
    let events = output.events();
    let count = |kind: &str| events.iter().filter(|it| it["event"] == kind).count();
    assert_eq!(count("opened"), 1, "{what}\n{output}");
    assert_eq!(count("closed"), 1, "{what}\n{output}");
    let last = events.last().cloned().unwrap_or_default();
    assert_eq!(last["event"], "closed", "{what}\n{output}");
    assert_eq!(last["status"], status, "{what}\n{output}");
}

/// Stops a run at a place in every way, one after another, and takes it to both ends afterwards.
fn stops_at(place: &Place) {
    let scene = Scene::new(place);
    for ask in &place.asks {
        scene.stop(*ask);
    }
    if !place.undo {
        let stopped = scene.photograph();
        scene.undo(place.name);
        scene.restore(&stopped);
        scene.resume(place.name);
    }
    scene.undo(place.name);
}

/// Stops a run at a place in one way, and takes it to one of the two ends.
fn stops_once(place: &Place, index: usize) {
    let ask = place.asks[index];
    let what = format!("{}, {ask:?}, and then", place.name);
    let scene = Scene::new(place);
    scene.stop(ask);
    if place.undo || index.is_multiple_of(2) {
        scene.undo(&what);
    } else {
        scene.resume(&what);
    }
}

/// Tries all places side by side.
pub fn all_stop(places: &[Place]) {
    thread::scope(|scope| {
        let mut threads = Vec::new();
        for place in places {
            if place.fresh {
                for index in 0..place.asks.len() {
                    threads.push((place.name, scope.spawn(move || stops_once(place, index))));
                }
            } else {
                threads.push((place.name, scope.spawn(|| stops_at(place))));
            }
        }
        let ended = threads.into_iter();
        let broken: Vec<&str> = ended
            .filter_map(|(name, thread)| thread.join().err().map(|_| name))
            .collect();
        assert!(broken.is_empty(), "{broken:#?}");
    });
    print_times();
}
