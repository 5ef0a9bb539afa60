//! Two runs over one VNet and one provider: undo of either leaves the other connected and healthy, undo of both leaves the world
//! as it was, also when undo dies at any save.

mod support;

use peer_wizard::{
    engine::Run,
    provider::Provider,
    providers,
    sandbox::{Fault, Faults, When},
};
use serde_json::Value;
use std::rc::Rc;
use support::{Bench, Broken, Cloud, Journey, TestEnv, but, in_use};

const PROJECT: &Provider = &providers::aiven::PROJECT;
const ORGANIZATION: &Provider = &providers::aiven::ORGANIZATION;
const KONG: &Provider = &providers::kong::KONG_CONNECT;

/// Connects one VNet twice and gives the names of the runs.
fn two(env: &TestEnv, first: &[String], second: &[String]) -> [String; 2] {
    [first, second].map(|args| env.run(args).code(0).run())
}

fn healthy(env: &TestEnv, run: &str) -> Value {
    let status = env.run(&["status", run, "--output", "json"]).code(0);
    let document = status.events()[0].clone();
    assert_eq!(document["well"], true, "{status}");
    document
}

/// Undoes one of two and then the other, in both orders.
fn either_and_both(provider: &Provider, cloud: &Cloud, first: &[String], second: &[String]) {
    let before = cloud.world();
    for order in [[0, 1], [1, 0]] {
        let env = TestEnv::of(cloud, provider.id);
        let runs = two(&env, first, second);
        let [gone, left] = order.map(|index| runs[index].as_str());
        env.run(&["undo", gone, "--yes"]).code(0);
        healthy(&env, left);
        // An undone run says so, with its table.
        env.run(&["status", gone]).code(0);
        env.run(&["undo", left, "--yes"]).code(0);
        assert_eq!(cloud.world(), before, "undone {order:?}");
        for run in &runs {
            env.run(&["status", run]).code(0);
        }
    }
}

#[test]
fn two_networks_of_kong_on_one_vnet() {
    let mut cloud = Cloud::new();
    let network = cloud
        .sandbox
        .edit(peer_wizard::sandbox::World::add_gateway_network);
    cloud.settle();
    let first = cloud.json_args(KONG);
    let second = but(cloud.json_args(KONG), "--network", &network);
    either_and_both(KONG, &cloud, &first, &second);
}

#[test]
fn a_project_and_an_organization_of_aiven_on_one_vnet() {
    let cloud = Cloud::new();
    let first = cloud.json_args(PROJECT);
    let second = cloud.json_args(ORGANIZATION);
    either_and_both(PROJECT, &cloud, &first, &second);
}

#[test]
fn without_a_name_undo_takes_the_run_that_only_keeps_something_when_there_is_no_other() {
    let cloud = Cloud::new();
    let before = cloud.world();
    let env = TestEnv::of(&cloud, PROJECT.id);
    let run = env.run(&cloud.json_args(PROJECT)).code(0).run();
    env.run(&["undo", &run, "--keep-application", "--yes"])
        .code(0);
    assert_ne!(cloud.world(), before, "nothing was kept");
    env.run(&["undo", "--yes"]).code(0);
    assert_eq!(cloud.world(), before);
}

#[test]
fn what_the_person_keeps_stays_when_another_run_is_undone() {
    let cloud = Cloud::new();
    let before = cloud.world();
    let env = TestEnv::of(&cloud, PROJECT.id);
    let run = env.run(&cloud.json_args(PROJECT)).code(0).run();
    env.run(&["undo", &run, "--keep-application", "--yes"])
        .code(0);
    let kept = cloud.world();
    let other = env.run(&cloud.json_args(ORGANIZATION)).code(0).run();
    env.run(&["undo", &other, "--yes"]).code(0);
    assert_eq!(cloud.world(), kept, "it was swept away");
    env.run(&["undo", &run, "--yes"]).code(0);
    assert_eq!(cloud.world(), before);
}

#[test]
fn a_run_that_has_not_come_to_its_half_at_the_provider_is_in_use() {
    let cloud = Cloud::new();
    let env = TestEnv::of(&cloud, PROJECT.id);
    let first = env.run(&cloud.json_args(PROJECT)).code(0).run();
    let when = When {
        method: Some("POST".into()),
        ..When::path("/peering-connections")
    };
    cloud.faults(Faults::always(when, Fault::FailBefore(400)));
    let second = env.run(&cloud.json_args(ORGANIZATION));
    assert_ne!(second.code, Some(0), "{second}");
    let second = second.run();
    cloud.faults(Faults::default());
    env.run(&["undo", &first, "--yes"]).code(0);
    env.run(&["resume", &second]).code(0);
    healthy(&env, &second);
}

/// A death at each save of the undo of one; that undo goes on, then the other is undone, and then what the first one had to keep.
fn undo_dies(a: &Bench, b: &Bench, before: &Value) {
    let mut broken = Broken::default();
    let applied = |bench: &Bench| {
        let mut disk = bench.disk();
        let run = bench.go(&mut disk, Journey::Apply);
        run.unwrap_or_else(|error| panic!("{}: {error}", bench.provider.id));
        disk.saved
    };
    let (saved_a, saved_b) = (applied(a), applied(b));
    let run_b: Run = serde_json::from_str(&saved_b).expect("a whole run");
    let others = [in_use(&run_b)];
    let connected = a.cloud.copy();
    let (_, moments) = a.moments_beside(&saved_a, Journey::Undo, &others);
    assert!(moments.len() > 8, "{} moments", moments.len());
    for moment in moments {
        let what = format!(
            "{} beside {}: {}",
            a.provider.id, b.provider.id, moment.name
        );
        a.cloud.restore(&moment.world);
        let mut disk = a.disk_with(&moment.saved);
        if let Err(error) = a.undo_beside(&mut disk, &others) {
            broken.note(&what, Err(error));
            continue;
        }
        let amiss = b.amiss(&run_b);
        if !amiss.is_empty() {
            broken.note(&what, Err(format!("the other is not healthy: {amiss:?}")));
        }
        let mut disk_b = b.disk_with(&saved_b);
        let end = b.go(&mut disk_b, Journey::Undo);
        let end = end.and_then(|_| a.go(&mut disk, Journey::Undo));
        broken.note(&what, end.and_then(|run| a.nothing_left(&run, before)));
    }
    a.cloud.restore(&connected);
    broken.assert_none_of("undone runs after a death beside another run");
}

#[test]
fn undo_that_dies_beside_another_run_takes_nothing_from_it() {
    let shape = &support::shapes()[0].1;
    for swap in [false, true] {
        let cloud = Rc::new(Cloud::new());
        let network = cloud
            .sandbox
            .edit(peer_wizard::sandbox::World::add_gateway_network);
        let before = cloud.world();
        let other = [("NETWORK", network.as_str())];
        let a = Bench::with(Rc::clone(&cloud), KONG, shape, "one", &[]);
        let b = Bench::with(Rc::clone(&cloud), KONG, shape, "two", &other);
        let pair = if swap { (&b, &a) } else { (&a, &b) };
        undo_dies(pair.0, pair.1, &before);
    }
    for swap in [false, true] {
        let cloud = Rc::new(Cloud::new());
        let before = cloud.world();
        let a = Bench::with(Rc::clone(&cloud), PROJECT, shape, "one", &[]);
        let b = Bench::with(Rc::clone(&cloud), ORGANIZATION, shape, "two", &[]);
        let pair = if swap { (&b, &a) } else { (&a, &b) };
        undo_dies(pair.0, pair.1, &before);
    }
}
