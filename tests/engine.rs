//! The engine on a toy world: random flows with members, trouble with any request, death at any save, Ctrl-C, undo and
//! interrupted undo. What must be true then is true of every provider.
//! `PEER_WIZARD_CASES` multiplies the number of runs that are tried.

#[path = "engine/early.rs"]
mod early;
mod toy;

use peer_wizard::{
    engine::{Ended, Fault, Pace, Run, Runner, Status, Stop, Undo},
    fact::Facts,
};
use proptest::{
    collection::vec,
    prelude::*,
    test_runner::{Config, TestRunner},
};
use std::{cell::Cell, collections::BTreeMap, rc::Rc, time::Duration};
use toy::{Disk, Kind, Object, Spec, Toy, Trouble, flow};

const NAME: &str = "toy-test";
/// How many runs are tried by default, all in all.
const RUNS: u32 = 100_000;

/// What happens to one process.
#[derive(Clone, Debug)]
struct Process {
    /// It dies at this save, and whether the save still counts.
    death: Option<(u32, bool)>,
    /// What its requests meet, in order; the rest is answered.
    troubles: Vec<Trouble>,
    /// It does not wait.
    no_wait: bool,
}

/// One life of a run: processes that carry it on, and processes that undo it.
#[derive(Clone, Debug)]
struct Life {
    steps: Vec<Spec>,
    members: u8,
    on: Vec<Process>,
    back: Vec<Process>,
}

fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![
        4 => Just(Kind::Marked),
        2 => Just(Kind::Plain),
        1 => Just(Kind::There),
        1 => Just(Kind::Half),
        1 => Just(Kind::Password),
        1 => Just(Kind::Signed),
        1 => (0_u8..3).prop_map(Kind::State),
        1 => Just(Kind::Person),
        1 => (1_u8..3).prop_map(Kind::Early),
    ]
}

fn trouble() -> impl Strategy<Value = Trouble> {
    prop_oneof![
        6 => Just(Trouble::None),
        1 => Just(Trouble::Busy),
        2 => Just(Trouble::Lost),
        2 => Just(Trouble::Unreadable),
        1 => Just(Trouble::Refused),
        1 => Just(Trouble::Settling),
        1 => Just(Trouble::Needs),
        1 => Just(Trouble::Stop),
    ]
}

fn process() -> impl Strategy<Value = Process> {
    let death = prop::option::weighted(0.6, (1_u32..14, any::<bool>()));
    let no_wait = prop::bool::weighted(0.2);
    (death, vec(trouble(), 0..12), no_wait).prop_map(|(death, troubles, no_wait)| Process {
        death,
        troubles,
        no_wait,
    })
}

/// Steps of which at most one gives a secret, before those that read it; a secret is shared.
fn steps() -> impl Strategy<Value = Vec<Spec>> {
    vec((kind(), any::<bool>()), 1..7).prop_map(|kinds| {
        let mut secret = false;
        // What is asked for again is the first step's.
        let may_ask = matches!(
            kinds[0].0,
            Kind::Marked | Kind::Plain | Kind::There | Kind::Half
        );
        let each = |kind: Kind, each: bool| each && kind != Kind::Password;
        kinds
            .into_iter()
            .enumerate()
            .map(|(index, (kind, for_each))| {
                let kind = match kind {
                    Kind::Early(_) if index == 0 || !may_ask => Kind::Marked,
                    Kind::Password if secret => Kind::Marked,
                    Kind::Signed if !secret => Kind::Plain,
                    kind => kind,
                };
                secret |= kind == Kind::Password;
                let each = each(kind, for_each) || matches!(kind, Kind::Early(_));
                Spec { kind, each }
            })
            .collect()
    })
}

fn life(members: std::ops::Range<u8>) -> impl Strategy<Value = Life> {
    (steps(), members, vec(process(), 0..3), vec(process(), 0..3)).prop_map(
        |(steps, members, on, back)| Life {
            steps,
            members,
            on,
            back,
        },
    )
}

thread_local! {
    static RUNTIME: tokio::runtime::Runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime");
}

/// A run that has not begun.
fn begun(members: u8) -> Run {
    let facts = Facts::default().with(toy::RUN, NAME.to_owned());
    let members = (0..members).map(|index| {
        let name = format!("member-{index}");
        let facts = Facts::default().with(toy::MEMBER, name.clone());
        (name, facts)
    });
    Run::new(
        NAME.into(),
        "toy",
        BTreeMap::new(),
        facts,
        members.collect(),
    )
}

/// A world with what was there before.
fn world(life: &Life) -> Rc<Toy> {
    let world = Rc::new(Toy::default());
    world.budget.set(Duration::from_secs(60));
    for (id, spec) in ["a", "b", "c", "d", "e", "f", "g", "h"]
        .iter()
        .zip(&life.steps)
    {
        if spec.kind != Kind::There {
            continue;
        }
        if spec.each {
            for member in 0..life.members {
                world.add(&format!("{id} of member-{member}"), "");
            }
        } else {
            world.add(&format!("{id} of all"), "");
        }
    }
    world
}

/// A disk with a run that has not begun.
fn disk(world: &Rc<Toy>, members: u8) -> Disk {
    Disk {
        saved: serde_json::to_string(&begun(members)).expect("a run serialises"),
        saves: 0,
        death: None,
        world: Rc::clone(world),
    }
}

/// Runs, deaths, troubles and stops so far, for the record.
#[derive(Default)]
struct Tally {
    runs: Cell<u64>,
    deaths: Cell<u64>,
    troubles: Cell<u64>,
    stops: Cell<u64>,
}

impl Tally {
    #[expect(clippy::print_stdout, reason = "a test's own count")]
    fn tell(&self, of: &str) {
        println!(
            "tried {} generated runs of {of}: {} deaths, {} troubles, {} stops",
            self.runs.get(),
            self.deaths.get(),
            self.troubles.get(),
            self.stops.get()
        );
    }
}

fn count(cell: &Cell<u64>, more: usize) {
    cell.set(cell.get() + more as u64);
}

/// A process takes the run from the disk and goes on with it, or undoes it.
fn process_of(
    life: &Life,
    disk: &mut Disk,
    process: &Process,
    back: bool,
    tally: &Tally,
) -> Ended<Toy> {
    let world = Rc::clone(&disk.world);
    let stop = Stop::default();
    world.dead.set(false);
    *world.stop.borrow_mut() = stop.clone();
    let mut troubles = process.troubles.clone();
    troubles.reverse();
    *world.troubles.borrow_mut() = troubles;
    disk.saves = 0;
    disk.death = process.death;
    let mut run: Run = serde_json::from_str(&disk.saved).expect("a whole run");
    let flow = flow(&life.steps);
    // Not asserted at once: a panic there is the step's.
    let leaked = Cell::new(false);
    let mut runner = Runner::new(&flow, &world, disk, |event, vnet| {
        let line = serde_json::to_string(&(event, vnet)).expect("an event serialises");
        leaked.set(leaked.get() || line.contains(toy::SECRET));
    });
    runner.pace = Pace {
        first: Duration::ZERO,
        scale: 0.0,
    };
    runner.limits.no_wait = process.no_wait;
    runner.stop = stop;
    let ended = RUNTIME.with(|runtime| {
        runtime.block_on(async {
            if back {
                runner.undo(&mut run, &Undo::default()).await
            } else {
                runner.apply(&mut run).await
            }
        })
    });
    drop(runner);
    assert!(!leaked.get(), "a secret was told");
    count(&tally.deaths, usize::from(world.dead.get()));
    count(&tally.stops, usize::from(world.stop.borrow().rung()));
    count(
        &tally.troubles,
        process.troubles.len() - world.troubles.borrow().len(),
    );
    world.troubles.borrow_mut().clear();
    ended
}

const CALM: Process = Process {
    death: None,
    troubles: Vec::new(),
    no_wait: false,
};

fn ours(objects: &BTreeMap<String, Object>) -> impl Iterator<Item = (&String, &Object)> {
    objects.iter().filter(|(_, object)| object.by == NAME)
}

/// What is true at every moment, whatever happened.
fn always(disk: &Disk, before: &BTreeMap<String, Object>) -> Result<(), TestCaseError> {
    let now = disk.world.objects.borrow();
    let run: Run = serde_json::from_str(&disk.saved).expect("a whole run");
    for (name, object) in now.iter() {
        prop_assert_eq!(object.count, 1, "{} was made twice", name);
    }
    for (name, object) in before {
        prop_assert_eq!(now.get(name), Some(object), "{} was there before", name);
    }
    for (name, _) in ours(&now) {
        let id = &name[..1];
        let remembered = run
            .records()
            .any(|(step, it)| step == id && it.status.ours());
        // A secret that was released is remembered by what gave it.
        prop_assert!(
            remembered,
            "{} is there and not remembered: {}",
            name,
            disk.saved
        );
    }
    Ok(())
}

/// Whether a secret is left although its process ended by itself.
fn no_secret(life: &Life, disk: &Disk) -> Result<(), TestCaseError> {
    let now = disk.world.objects.borrow();
    for (index, spec) in life.steps.iter().enumerate() {
        let name = format!("{} of all", ["a", "b", "c", "d", "e", "f", "g", "h"][index]);
        let left = spec.kind == Kind::Password && now.contains_key(&name);
        prop_assert!(!left, "a secret is left: {}", disk.saved);
    }
    Ok(())
}

fn live(life: &Life, tally: &Tally) -> Result<(), TestCaseError> {
    count(&tally.runs, 1);
    let world = world(life);
    let before = world.objects.borrow().clone();
    let mut disk = disk(&world, life.members);
    for process in &life.on {
        let ended = process_of(life, &mut disk, process, false, tally);
        always(&disk, &before)?;
        let killed = world.dead.get();
        // Trouble while the secret is taken back may leave it; the next process takes it back.
        let calm = process.troubles.len() < 6;
        if !killed && calm && ended.is_ok() {
            no_secret(life, &disk)?;
        }
    }
    let undone_early = life.on.len() == 2 && !life.back.is_empty();
    if !undone_early {
        let ended = process_of(life, &mut disk, &CALM, false, tally);
        prop_assert!(
            ended.is_ok(),
            "{:?}\n{}",
            ended.map_err(|it| it.fault.to_string()),
            disk.saved
        );
        always(&disk, &before)?;
        no_secret(life, &disk)?;
        let run: Run = serde_json::from_str(&disk.saved).expect("a whole run");
        let flow = flow(&life.steps);
        prop_assert!(!flow.is_unfinished(&run), "{}", disk.saved);
        for (step, spec) in flow.steps.iter().zip(&life.steps) {
            let found = run.status(step.about().id) == Some(Status::Found);
            prop_assert!(!found || spec.kind == Kind::There, "{}", disk.saved);
        }
    }
    for process in &life.back {
        let _ = process_of(life, &mut disk, process, true, tally);
        always(&disk, &before)?;
    }
    let ended = process_of(life, &mut disk, &CALM, true, tally);
    prop_assert!(
        ended.is_ok(),
        "{:?}\n{}",
        ended.map_err(|it| it.fault.to_string()),
        disk.saved
    );
    prop_assert_eq!(
        &*world.objects.borrow(),
        &before,
        "undo left or took something: {}",
        disk.saved
    );
    let run: Run = serde_json::from_str(&disk.saved).expect("a whole run");
    prop_assert!(
        run.records().all(|(_, it)| !it.status.ours()),
        "{}",
        disk.saved
    );
    Ok(())
}

/// So many percent of all runs that are tried.
fn cases(percent: u32) -> u32 {
    let times = std::env::var("PEER_WIZARD_CASES").ok();
    let times: u32 = times.and_then(|it| it.parse().ok()).unwrap_or(1);
    RUNS / 100 * percent * times
}

fn check<S: Strategy>(
    cases: u32,
    strategy: &S,
    test: impl Fn(S::Value) -> Result<(), TestCaseError>,
) {
    let config = Config {
        cases,
        failure_persistence: None,
        max_shrink_iters: 20_000,
        ..Config::default()
    };
    if let Err(error) = TestRunner::new(config).run(strategy, test) {
        panic!("{error}");
    }
}

#[test]
fn whatever_happens_a_run_ends_well_and_undo_ends_where_it_began() {
    let tally = Tally::default();
    check(cases(58), &life(1..2), |life| live(&life, &tally));
    tally.tell("one member");
}

#[test]
fn whatever_happens_to_several_members_they_end_well_and_undo_ends_where_they_began() {
    let tally = Tally::default();
    check(cases(27), &life(2..4), |life| live(&life, &tally));
    tally.tell("several members");
}

#[test]
fn a_member_that_is_refused_leaves_the_others_going() {
    let tally = Tally::default();
    check(cases(5), &(life(1..2), 0_u8..3), |(life, refused)| {
        let life = Life { members: 3, ..life };
        let world = world(&life);
        let member = format!("member-{refused}");
        *world.refuses.borrow_mut() = Some(member.clone());
        let mut disk = disk(&world, 3);
        let ended = process_of(&life, &mut disk, &CALM, false, &tally);
        let makes = |spec: &Spec| {
            spec.each
                && !matches!(
                    spec.kind,
                    Kind::There | Kind::State(_) | Kind::Person | Kind::Early(_)
                )
        };
        let run: Run = serde_json::from_str(&disk.saved).expect("a whole run");
        prop_assert_eq!(ended.is_err(), life.steps.iter().any(makes));
        let flow = flow(&life.steps);
        for step in &flow.steps {
            for at in flow.places(step, &run) {
                let theirs = at == peer_wizard::engine::At::Member(member.clone());
                let done = run
                    .status_at(&at, step.about().id)
                    .is_some_and(Status::done);
                prop_assert!(
                    theirs || done,
                    "{} at {:?}: {}",
                    step.about().id,
                    at,
                    disk.saved
                );
            }
        }
        no_secret(&life, &disk)?;
        *world.refuses.borrow_mut() = None;
        let ended = process_of(&life, &mut disk, &CALM, false, &tally);
        prop_assert!(ended.is_ok(), "{}", disk.saved);
        no_secret(&life, &disk)
    });
}

#[test]
fn what_something_needs_is_kept_and_goes_when_nothing_needs_it() {
    let tally = Tally::default();
    check(cases(5), &(life(1..4), 0_usize..7), |(life, which)| {
        let world = world(&life);
        let before = world.objects.borrow().clone();
        let mut disk = disk(&world, life.members);
        let ended = process_of(&life, &mut disk, &CALM, false, &tally);
        prop_assert!(ended.is_ok());
        let mine: Vec<String> = ours(&world.objects.borrow())
            .map(|(name, _)| name.clone())
            .collect();
        let Some(needed) = mine.get(which % mine.len().max(1)).cloned() else {
            return Ok(());
        };
        *world.needed.borrow_mut() = Some(needed.clone());
        for process in life.back.iter().chain([&CALM]) {
            let _ = process_of(&life, &mut disk, process, true, &tally);
            prop_assert!(world.get(&needed).is_some(), "{} was needed", needed);
        }
        let left: Vec<String> = ours(&world.objects.borrow())
            .map(|(name, _)| name.clone())
            .collect();
        prop_assert_eq!(left, vec![needed.clone()]);
        let run: Run = serde_json::from_str(&disk.saved).expect("a whole run");
        prop_assert!(
            run.records()
                .any(|(id, it)| *id == needed[..1] && it.status == Status::Kept)
        );
        *world.needed.borrow_mut() = None;
        let _ = process_of(&life, &mut disk, &CALM, true, &tally);
        prop_assert_eq!(&*world.objects.borrow(), &before);
        Ok(())
    });
}

#[test]
fn a_file_that_was_edited_deletes_nothing_that_is_not_the_runs() {
    let tally = Tally::default();
    check(cases(5), &life(1..4), |life| {
        let world = world(&life);
        let before = world.objects.borrow().clone();
        let mut disk = disk(&world, life.members);
        let ended = process_of(&life, &mut disk, &CALM, false, &tally);
        prop_assert!(ended.is_ok());
        disk.saved = disk.saved.replace("\"found\"", "\"created\"");
        let ended = process_of(&life, &mut disk, &CALM, true, &tally);
        prop_assert!(ended.is_ok());
        prop_assert_eq!(&*world.objects.borrow(), &before);
        Ok(())
    });
}

#[test]
fn what_was_answered_and_not_deleted_is_deleted_again() {
    let life = Life {
        steps: vec![Spec {
            kind: Kind::Marked,
            each: false,
        }],
        members: 1,
        on: Vec::new(),
        back: Vec::new(),
    };
    let world = world(&life);
    let mut disk = Disk {
        saved: serde_json::to_string(&begun(1)).expect("a run serialises"),
        saves: 0,
        death: None,
        world: Rc::clone(&world),
    };
    let tally = Tally::default();
    assert!(process_of(&life, &mut disk, &CALM, false, &tally).is_ok());
    // The first requests of an undo are looks.
    for looks in 1..4 {
        let deaf = Process {
            troubles: [vec![Trouble::None; looks], vec![Trouble::Deaf]].concat(),
            ..CALM
        };
        let ended = process_of(&life, &mut disk, &deaf, true, &tally);
        assert!(ended.is_ok(), "{}", disk.saved);
        assert!(
            world.objects.borrow().is_empty(),
            "it is left: {}",
            disk.saved
        );
        assert!(process_of(&life, &mut disk, &CALM, false, &tally).is_ok());
    }
}

#[test]
fn a_step_that_panics_ends_the_run_and_takes_the_secret_back() {
    let steps = [Kind::Password, Kind::Signed].map(|kind| Spec { kind, each: false });
    let life = Life {
        steps: steps.to_vec(),
        members: 1,
        on: Vec::new(),
        back: Vec::new(),
    };
    let world = world(&life);
    *world.panics.borrow_mut() = Some("b of all".into());
    let mut disk = disk(&world, 1);
    let ended = process_of(&life, &mut disk, &CALM, false, &Tally::default());
    let failed = ended.expect_err("it panicked");
    assert!(
        matches!(failed.fault, Fault::Panicked(_)),
        "{}",
        failed.fault
    );
    assert!(world.objects.borrow().is_empty(), "the secret is left");
    let run: Run = serde_json::from_str(&disk.saved).expect("a whole run");
    assert_eq!(run.status("b"), Some(Status::Creating));
    *world.panics.borrow_mut() = None;
    let ended = process_of(&life, &mut disk, &CALM, false, &Tally::default());
    assert!(ended.is_ok(), "{}", disk.saved);
}
