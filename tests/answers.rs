//! Answers that tell nothing or the wrong thing, to each request that changes something: a proxy's page, half of the JSON, a
//! redirect, an operation that cannot be followed or fails. Whatever the run makes of it, undo leaves the world as it was and
//! resume connects it; nothing is there twice, and no password is left. Every provider is a line of the table by itself.

mod support;

#[path = "answers/limits.rs"]
mod limits;

use peer_wizard::{
    provider::{Provider, Shape},
    providers,
    sandbox::{Bad, Fault, Faults, Lag, Rule, When},
};
use serde_json::Value;
use std::time::Duration;
use support::{Bench, Broken, Journey, shapes};

/// The whole world as texts, to count in.
fn passwords(world: &Value, before: &Value) -> Vec<String> {
    let apps = |world: &Value| -> Vec<Value> {
        let all = world["applications"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        all.into_iter()
            .flat_map(|app| app["passwords"].as_array().cloned().unwrap_or_default())
            .collect()
    };
    let old = apps(before);
    let new = apps(world).into_iter().filter(|it| !old.contains(it));
    new.map(|it| it.to_string()).collect()
}

/// Strikes each change of an undisturbed run once with this fault; then resumes, or undoes.
fn struck(provider: &'static Provider, shape: &Shape, fault: &Fault, broken: &mut Broken) -> usize {
    let bench = Bench::new(provider, shape, Lag::None);
    let goal = bench.goal();
    let mut hits = 0;
    for skip in 0.. {
        let mut struck = false;
        for then in [Journey::Apply, Journey::Undo] {
            let what = format!("{}: {fault:?} at change {skip}, then {then:?}", provider.id);
            bench.cloud.reset();
            let mut disk = bench.disk();
            let mut rule = Rule::once(When::changes(), fault.clone());
            rule.skip = skip;
            bench.cloud.faults(Faults { rules: vec![rule] });
            let first = bench.go(&mut disk, Journey::Apply);
            struck = bench.cloud.fault_left() == 0;
            bench.cloud.faults(Faults::default());
            let left = passwords(&bench.cloud.world(), &bench.before);
            if !left.is_empty() {
                broken.note(&what, Err(format!("a password is left: {left:?}")));
            }
            let end = match (first, then) {
                (Ok(run), Journey::Apply) => bench.reached(&run, &goal),
                _ => bench.go(&mut disk, then).and_then(|run| match then {
                    Journey::Apply => bench.reached(&run, &goal),
                    Journey::Undo => bench.undone(&run),
                }),
            };
            broken.note(&what, end);
        }
        if !struck {
            break;
        }
        hits += 1;
    }
    hits
}

/// Strikes each change of an undisturbed undo once; undo again ends it.
fn struck_undo(
    provider: &'static Provider,
    shape: &Shape,
    fault: &Fault,
    broken: &mut Broken,
) -> usize {
    let bench = Bench::new(provider, shape, Lag::None);
    let (finished, _) = bench.moments(&bench.unbegun(), Journey::Apply);
    let done = bench.cloud.copy();
    let mut hits = 0;
    for skip in 0.. {
        let what = format!("{}: {fault:?} at change {skip} of undo", provider.id);
        bench.cloud.restore(&done);
        let mut disk = bench.disk_with(&finished);
        let mut rule = Rule::once(When::changes(), fault.clone());
        rule.skip = skip;
        bench.cloud.faults(Faults { rules: vec![rule] });
        let first = bench.go(&mut disk, Journey::Undo);
        let struck = bench.cloud.fault_left() == 0;
        bench.cloud.faults(Faults::default());
        let end = first.or_else(|_| bench.go(&mut disk, Journey::Undo));
        broken.note(&what, end.and_then(|run| bench.undone(&run)));
        if !struck {
            break;
        }
        hits += 1;
    }
    hits
}

fn over_all(faults: &[Fault], least: usize) {
    let mut broken = Broken::default();
    let mut tried = 0;
    let shape = &shapes()[0].1;
    for provider in providers::ALL {
        for fault in faults {
            let hits = struck(provider, shape, fault, &mut broken);
            let back = struck_undo(provider, shape, fault, &mut broken);
            assert!(
                hits >= least,
                "{}: {fault:?}: only {hits} struck",
                provider.id
            );
            tried += 2 * hits + back;
        }
    }
    #[expect(clippy::print_stdout, reason = "a test's own count")]
    {
        println!("tried {tried} answers that tell nothing or the wrong thing");
    }
    broken.assert_none_of("journeys after such an answer");
}

fn bad(done: bool) -> Vec<Fault> {
    Bad::ALL
        .into_iter()
        .map(|what| Fault::Answer { what, done })
        .collect()
}

#[test]
fn a_bad_answer_to_a_change_that_was_made_doubles_nothing_and_leaves_nothing() {
    over_all(&bad(true), 4);
}

#[test]
fn a_bad_answer_to_a_change_that_was_not_made_doubles_nothing_and_leaves_nothing() {
    over_all(&bad(false), 4);
}

#[test]
fn an_operation_that_cannot_be_followed_or_fails_leaves_nothing() {
    let failed = ("InternalServerError".to_owned(), "it broke".to_owned());
    over_all(
        &[
            Fault::ForeignOperation,
            Fault::FailOperation(failed.0.clone(), failed.1.clone()),
            Fault::UndoOperation(failed.0, failed.1),
        ],
        0,
    );
}

/// The right to look at an operation is not that on the VNet: the peering itself tells then.
#[test]
fn an_operation_that_may_not_be_looked_at_stops_nothing() {
    let mut broken = Broken::default();
    for provider in providers::ALL {
        let mut bench = Bench::new(provider, &shapes()[0].1, Lag::Looks(1));
        // Undo looks for what does not show yet for 60 s times the scale.
        bench.pace.first = Duration::from_millis(50);
        bench.pace.scale = 0.025;
        let goal = Bench::new(provider, &shapes()[0].1, Lag::None).goal();
        bench
            .cloud
            .faults(Faults::always(When::default(), Fault::OperationForbidden));
        let mut disk = bench.disk();
        let run = bench.go(&mut disk, Journey::Apply);
        broken.note(provider.id, run.and_then(|run| bench.reached(&run, &goal)));
        let run = bench.go(&mut disk, Journey::Undo);
        broken.note(provider.id, run.and_then(|run| bench.undone(&run)));
    }
    broken.assert_none_of("journeys whose operations may not be looked at");
}
