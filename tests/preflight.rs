//! What would stop a run half-way is said before anything is changed: locks, disabled subscriptions, what another tenant has.

mod support;

use peer_wizard::{
    provider::Provider,
    providers,
    sandbox::{
        Fault, Faults, When,
        parts::{Lock, State},
    },
};
use support::{Cloud, Output, TestEnv};

const PROJECT: &Provider = &providers::aiven::PROJECT;

fn run(cloud: &Cloud, more: &[&str]) -> Output {
    let mut args = cloud.args(PROJECT);
    args.extend(more.iter().map(|it| (*it).to_owned()));
    TestEnv::of(cloud, PROJECT.id).run(&args)
}

fn lock(cloud: &Cloud, level: &str, parts: usize) {
    let vnet = cloud.sandbox.sample().vnet_id.to_uppercase();
    let scope: Vec<&str> = vnet.split('/').take(parts).collect();
    let lock = Lock {
        scope: scope.join("/"),
        name: "frozen".into(),
        level: level.into(),
    };
    cloud.sandbox.edit(|world| world.locks = vec![lock]);
}

/// With the lists of locks out of reach, as for a principal whose role is on the VNet alone.
fn hide_locks(cloud: &Cloud) {
    cloud.faults(Faults::always(
        When::path("/Microsoft.Authorization/locks"),
        Fault::FailBefore(403),
    ));
}

#[test]
fn a_lock_against_changes_is_named_before_anything_is_changed() {
    let cloud = Cloud::new();
    for (parts, place) in [
        (3, "on the subscription"),
        (5, "on the resource group `RG-NETWORK-PROD`"),
        (9, "on the VNet"),
    ] {
        lock(&cloud, "ReadOnly", parts);
        let before = cloud.world();
        run(&cloud, &[])
            .code(3)
            .says("the lock `frozen` (ReadOnly)")
            .says(place)
            .says("az lock delete --ids");
        assert_eq!(cloud.world(), before, "{place}");
    }
    // On something else it matters to nobody.
    lock(&cloud, "ReadOnly", 9);
    cloud.sandbox.edit(|world| {
        for lock in &mut world.locks {
            lock.scope.push_str("-other");
        }
    });
    run(&cloud, &[]).code(0);
}

#[test]
fn a_lock_against_deletion_is_told_and_a_look_that_is_refused_stops_nothing() {
    let cloud = Cloud::new();
    lock(&cloud, "CanNotDelete", 5);
    run(&cloud, &[])
        .code(0)
        .says("the lock `frozen` (CanNotDelete)")
        .says("undo cannot delete");
    cloud.reset();
    lock(&cloud, "ReadOnly", 5);
    hide_locks(&cloud);
    // Then the change is refused, and that says it.
    run(&cloud, &[]).code(1).says("a lock on the VNet");
    cloud.reset();
    hide_locks(&cloud);
    run(&cloud, &[]).code(0);
}

#[test]
fn a_look_at_what_forbids_changes_costs_one_request_each() {
    let cloud = Cloud::new();
    run(&cloud, &[]).code(0);
    let count = |what: &str| {
        let seen = cloud.sandbox.requests();
        seen.iter().filter(|it| it.path.ends_with(what)).count()
    };
    assert_eq!(count("/Microsoft.Authorization/locks"), 1);
    let subscription = cloud.sandbox.sample().subscription;
    assert!(count(&format!("/subscriptions/{subscription}")) <= 1);
}

#[test]
fn the_state_of_the_subscription_is_told() {
    let cloud = Cloud::new();
    let is = |state: State| {
        cloud.reset();
        cloud
            .sandbox
            .edit(|world| world.subscriptions[0].state = state);
    };
    is(State::Disabled);
    let before = cloud.world();
    run(&cloud, &[]).code(3).says("is in state Disabled");
    assert_eq!(cloud.world(), before);
    for (state, word) in [(State::Warned, "Warned"), (State::PastDue, "PastDue")] {
        is(state);
        run(&cloud, &[])
            .code(0)
            .says(&format!("is in state {word}"));
    }
    is(State::Disabled);
    let env = TestEnv::of(&cloud, PROJECT.id);
    let args = ["azure", "--provider", PROJECT.id, "--vnet", "vnet-hub-prod"];
    let args = [&args[..], &["--subscription", "Production"]].concat();
    env.run(&args)
        .code(3)
        .says("the subscription `Production` is disabled");
}

#[test]
fn what_is_not_found_may_be_in_another_tenant() {
    let cloud = Cloud::new();
    let sample = cloud.sandbox.sample();
    let env = TestEnv::of(&cloud, PROJECT.id);
    let ask = |vnet: &str, subscription: &str| {
        let args = ["azure", "--provider", PROJECT.id, "--vnet", vnet];
        env.run(&[&args[..], &["--subscription", subscription]].concat())
    };
    let only = format!(
        "only the tenant of your sign-in, {}, is seen; another is named with `--tenant ID`",
        sample.tenant
    );
    ask("vnet-hub-prod", "Nowhere").code(2).says(&only);
    ask("no-such-vnet", "Production").code(2).says(&only);
    let vnet = sample.vnet_id.replace("vnet-hub-prod", "no-such-vnet");
    let mut args = cloud.args(PROJECT);
    let at = args.iter().position(|it| *it == sample.vnet_id);
    args[at.expect("given")] = vnet;
    env.run(&args)
        .code(3)
        .says("another is named with `--tenant`");
    // Where networks cannot be at all, that is said too.
    cloud.sandbox.edit(|world| {
        world.networks.clear();
        world.subscriptions[0].unregistered = true;
    });
    env.run(&args)
        .code(3)
        .says("az provider register --namespace Microsoft.Network");
}
