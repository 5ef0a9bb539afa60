//! A run may die at any moment, and every request may be lost: resumed, it ends as if nothing had happened; undone, the
//! world is as before. Every provider is a line of the table by itself.

mod support;

use peer_wizard::{
    provider::{Provider, Shape},
    providers,
    sandbox::{Fault, Faults, Lag, Rule, Service, When},
};
use serde_json::Value;
use std::time::Duration;
use support::{Bench, Broken, Journey, shapes};

/// The providers with each of these shapes; a shape that makes no difference to a provider is left out.
fn table(wanted: &[usize]) -> Vec<(&'static Provider, &'static str, Shape)> {
    let mut table = Vec::new();
    for provider in providers::ALL {
        for (index, (name, shape)) in shapes().into_iter().enumerate() {
            if wanted.contains(&index) && (index == 0 || provider.own_application) {
                table.push((provider, name, shape));
            }
        }
    }
    table
}

/// Goes through the table with a thread for each line: their time is spent on waiting.
fn side_by_side(
    table: Vec<(&'static Provider, &'static str, Shape)>,
    work: impl Fn(usize, &'static Provider, &Shape) -> Broken + Sync,
) -> Broken {
    let work = &work;
    let mut broken = Broken::default();
    std::thread::scope(|scope| {
        let lines = table.into_iter().enumerate();
        let threads: Vec<_> = lines
            .map(|(index, (provider, _, shape))| scope.spawn(move || work(index, provider, &shape)))
            .collect();
        for thread in threads {
            let ended = thread.join();
            broken.add(ended.unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
    });
    broken
}

/// The plain shape of every provider.
const PLAIN: &[usize] = &[0];

fn count(world: &Value, kind: &str, tenant: &str) -> usize {
    let all = world[kind]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    all.iter().filter(|it| it["tenant"] == tenant).count()
}

/// Beside each other, as most of their time is spent on waiting.
#[test]
fn a_few_things_take_their_time() {
    std::thread::scope(|scope| {
        scope.spawn(killed_at_any_save_it_resumes_to_the_same_end);
        scope.spawn(throttling_and_small_pages_make_no_difference);
        scope.spawn(what_spreads_slowly_is_waited_for_also_after_a_kill);
    });
}

#[test]
fn a_run_makes_one_of_each() {
    for (provider, name, shape) in table(&[0, 1, 2, 3]) {
        let bench = Bench::new(provider, &shape, Lag::None);
        let mut disk = bench.disk();
        let run = bench.go(&mut disk, Journey::Apply);
        let run = run.unwrap_or_else(|error| panic!("{} ({name}): {error}", provider.id));
        assert!(
            bench
                .flow
                .steps
                .iter()
                .all(|step| run.done(step.about().id))
        );

        let (now, before) = (bench.cloud.world(), &bench.before);
        let sample = bench.cloud.sandbox.sample();
        let added = |kind| count(&now, kind, &sample.tenant) - count(before, kind, &sample.tenant);
        let own = usize::from(provider.own_application);
        let what = format!("{} ({name})", provider.id);
        let made = usize::from(provider.own_application && !shape.application_given);
        assert_eq!(added("applications"), made, "{what}: applications");
        assert_eq!(added("principals"), own + 1, "{what}: principals");
        let roles = 1 + usize::from(provider.own_application && shape.peering_only);
        assert_eq!(added("roles"), roles, "{what}: roles");
        assert_eq!(added("assignments"), own + 1, "{what}: assignments");
        let passwords = now["applications"].as_array().into_iter().flatten();
        let left: Vec<&Value> = passwords
            .filter(|app| app["displayName"] != "Platform administration")
            .filter(|app| app["passwords"] != Value::Array(Vec::new()))
            .collect();
        assert!(left.is_empty(), "{what}: a password is left: {left:?}");
        let networks = now["networks"].as_array().into_iter().flatten();
        let vnet = networks
            .filter(|network| network["id"] == sample.vnet_id)
            .filter_map(|network| network["peerings"].as_array())
            .flatten()
            .collect::<Vec<_>>();
        assert_eq!(vnet.len(), 1, "{what}: peerings on the VNet: {vnet:?}");
        assert_eq!(vnet[0]["state"], "Connected", "{what}");
        let rows = bench.cloud.sandbox.peerings();
        assert_eq!(rows.len(), 1, "{what}: rows at the provider: {rows:?}");

        let undone = bench.go(&mut disk, Journey::Undo);
        let undone = undone.unwrap_or_else(|error| panic!("{what}: undo: {error}"));
        bench.undone(&undone).expect(&what);
    }
}

fn killed_at_any_save_it_resumes_to_the_same_end() {
    let broken = side_by_side(table(&[0, 3]), |_, provider, shape| {
        let mut broken = Broken::default();
        let bench = Bench::new(provider, shape, Lag::None);
        let goal = bench.goal();
        let (_, moments) = bench.moments(&bench.unbegun(), Journey::Apply);
        assert!(moments.len() >= bench.flow.steps.len(), "too few saves");
        for moment in moments {
            let what = format!("{} ({shape:?}) killed {}", provider.id, moment.name);
            bench.cloud.restore(&moment.world);
            let mut disk = bench.disk_with(&moment.saved);
            let run = bench.go(&mut disk, Journey::Apply);
            broken.note(&what, run.and_then(|run| bench.reached(&run, &goal)));
        }
        broken
    });
    broken.assert_none_of("resumed runs after a death at a save");
}

#[test]
fn abandoned_at_any_save_it_is_undone_without_a_trace() {
    let mut broken = Broken::default();
    for (provider, name, shape) in table(&[0, 3]) {
        let bench = Bench::new(provider, &shape, Lag::None);
        let (_, moments) = bench.moments(&bench.unbegun(), Journey::Apply);
        for moment in moments {
            let what = format!("{} ({name}) abandoned {}", provider.id, moment.name);
            bench.cloud.restore(&moment.world);
            let mut disk = bench.disk_with(&moment.saved);
            let run = bench.go(&mut disk, Journey::Undo);
            broken.note(&what, run.and_then(|run| bench.undone(&run)));
        }
    }
    broken.assert_none_of("undone runs after a death at a save");
}

#[test]
fn undo_killed_at_any_save_goes_on() {
    let mut broken = Broken::default();
    for (provider, name, shape) in table(&[0, 3]) {
        let bench = Bench::new(provider, &shape, Lag::None);
        let (finished, _) = bench.moments(&bench.unbegun(), Journey::Apply);
        let (_, moments) = bench.moments(&finished, Journey::Undo);
        for moment in moments {
            let what = format!("{} ({name}) undo killed {}", provider.id, moment.name);
            bench.cloud.restore(&moment.world);
            let mut disk = bench.disk_with(&moment.saved);
            let run = bench.go(&mut disk, Journey::Undo);
            broken.note(&what, run.and_then(|run| bench.undone(&run)));
        }
    }
    broken.assert_none_of("undone runs after a death in undo");
}

/// Lets each mutating request of a run, and then of its undo, be struck once.
fn struck_at_every_change(provider: &'static Provider, shape: &Shape, fault: &Fault, status: u16) {
    let bench = Bench::new(provider, shape, Lag::None);
    let goal = bench.goal();
    let (finished, _) = bench.moments(&bench.unbegun(), Journey::Apply);
    let done = bench.cloud.copy();
    let mut broken = Broken::default();
    let mut hits = 0;
    for journey in [Journey::Apply, Journey::Undo] {
        for skip in 0.. {
            let what = format!("{} {journey:?}: {fault:?} at change {skip}", provider.id);
            let mut disk = match journey {
                Journey::Apply => {
                    bench.cloud.reset();
                    bench.disk()
                }
                Journey::Undo => {
                    bench.cloud.restore(&done);
                    bench.disk_with(&finished)
                }
            };
            let requests = bench.cloud.sandbox.requests().len();
            bench.cloud.faults(Faults {
                rules: vec![Rule {
                    when: When::changes(),
                    fault: fault.clone(),
                    skip,
                    times: 1,
                }],
            });
            let run = bench.go(&mut disk, journey);
            let end = run.and_then(|run| match journey {
                Journey::Apply => bench.reached(&run, &goal),
                Journey::Undo => bench.undone(&run),
            });
            broken.note(&what, end);
            let seen = bench.cloud.sandbox.requests();
            if !seen[requests..].iter().any(|it| it.status == status) {
                break;
            }
            hits += 1;
        }
    }
    broken.assert_none_of("journeys with a fault at a change");
    assert!(hits > 5, "{}: only {hits} changes were struck", provider.id);
}

#[test]
fn an_answer_of_500_after_the_effect_doubles_nothing() {
    for (provider, _, shape) in table(PLAIN) {
        struck_at_every_change(provider, &shape, &Fault::FailAfter, 500);
    }
}

#[test]
fn an_answer_cut_in_the_middle_doubles_nothing() {
    for (provider, _, shape) in table(PLAIN) {
        struck_at_every_change(provider, &shape, &Fault::Cut, 0);
    }
}

fn throttling_and_small_pages_make_no_difference() {
    let broken = side_by_side(table(PLAIN), |_, provider, shape| {
        let mut broken = Broken::default();
        let bench = Bench::new(provider, shape, Lag::None);
        let goal = bench.goal();
        // Every second request to each service is told to come again at once.
        let mut rules = vec![Rule::always(When::default(), Fault::PageSize(1))];
        let services = bench.cloud.sandbox.services().into_iter();
        for service in services.filter(|it| *it != Service::Entra) {
            rules.extend((0..25).map(|turn| Rule {
                when: When::service(service),
                fault: Fault::Throttle(0),
                skip: 2 * turn,
                times: 1,
            }));
        }
        bench.cloud.faults(Faults { rules });
        let mut disk = bench.disk();
        let run = bench.go(&mut disk, Journey::Apply);
        let run = run.unwrap_or_else(|error| panic!("{}: {error}", provider.id));
        let seen = bench.cloud.sandbox.requests();
        assert!(seen.iter().filter(|it| it.status == 429).count() > 10);
        broken.note(provider.id, bench.reached(&run, &goal));
        let end = bench.go(&mut disk, Journey::Undo);
        let end = end.and_then(|run| bench.undone(&run));
        broken.note(&format!("{}: undo", provider.id), end);
        broken
    });
    broken.assert_none_of("journeys of throttled requests");
}

fn what_spreads_slowly_is_waited_for_also_after_a_kill() {
    // Each way on a thread of its own.
    let ways = [Journey::Apply, Journey::Undo];
    let both = table(PLAIN)
        .into_iter()
        .flat_map(|line| [line.clone(), line]);
    let broken = side_by_side(both.collect(), |index, provider, shape| {
        let (index, journey) = (index / 2, ways[index % 2]);
        let mut broken = Broken::default();
        let goal = Bench::new(provider, shape, Lag::None).goal();
        let mut bench = Bench::new(provider, shape, Lag::Looks(2));
        // Slower than elsewhere: undo looks for what it may have made for 60 s times the scale, and the saved time at which
        // it was made has whole seconds only.
        bench.pace.first = Duration::from_millis(50);
        bench.pace.scale = 0.025;
        let (finished, moments) = bench.moments(&bench.unbegun(), Journey::Apply);
        let run = serde_json::from_str(&finished).expect("a whole run");
        broken.note(provider.id, bench.reached(&run, &goal));
        // The flows share their steps, so each takes its own third of the moments.
        for moment in moments.into_iter().skip(index % 3).step_by(3) {
            let what = format!("{}, {journey:?} when killed {}", provider.id, moment.name);
            bench.cloud.restore(&moment.world);
            let mut disk = bench.disk_with(&moment.just_now());
            let end = bench.go(&mut disk, journey).and_then(|run| match journey {
                Journey::Apply => bench.reached(&run, &goal),
                Journey::Undo => bench.undone(&run),
            });
            broken.note(&what, end);
        }
        broken
    });
    broken.assert_none_of("journeys in slow clouds after a death");
}
