//! How many requests a run sends, and when: each one is a moment that somebody waits, and a limit of the service's that is used up.

mod support;

use peer_wizard::{
    engine::Status,
    net::VnetId,
    provider::{Provider, Shape},
    providers,
    sandbox::{
        Fault, Faults, Lag, Seen, Service, When,
        parts::{Permission, Principal, Role, Row},
    },
};
use std::time::{Duration, Instant};
use support::{Bench, Cloud, Journey, TestEnv};

const PROJECT: &Provider = &providers::aiven::PROJECT;

#[expect(clippy::print_stdout, reason = "a test's own figures")]
fn tell(figures: &str) {
    println!("{figures}");
}

/// The requests besides those for tokens.
fn requests(cloud: &Cloud) -> Vec<Seen> {
    let mut all = cloud.sandbox.requests();
    all.retain(|it| it.service != Service::Entra);
    all
}

fn told(requests: &[Seen]) -> String {
    let line = |it: &Seen| format!("{} {} -> {}\n", it.method, it.path, it.status);
    requests.iter().map(line).collect()
}

/// The most of these requests of which each came after the answer to the one before.
fn one_after_another(requests: &[Seen]) -> usize {
    let mut by_end: Vec<&Seen> = requests.iter().collect();
    by_end.sort_by(|a, b| a.went.total_cmp(&b.went));
    let (mut count, mut free) = (0, 0.0);
    for it in by_end {
        if it.came >= free {
            (count, free) = (count + 1, it.went);
        }
    }
    count
}

#[test]
fn a_first_run_sends_nothing_that_tells_nothing_new() {
    let cloud = Cloud::new();
    cloud.faults(Faults::always(When::default(), Fault::Late(150)));
    let env = TestEnv::of(&cloud, PROJECT.id);
    let began = Instant::now();
    let mut started = env.start(&cloud.json_args(PROJECT));
    started.until(|event| event["event"] == "opened");
    let first = began.elapsed();
    started.finish().code(0);
    let took = began.elapsed();
    let all = requests(&cloud);
    assert!(all.len() <= 28, "{}:\n{}", all.len(), told(&all));
    let change = all.iter().position(|it| it.method != "GET");
    let preview = &all[..change.expect("it changes something")];
    assert!(preview.len() <= 9, "{}:\n{}", preview.len(), told(preview));
    let depth = one_after_another(preview);
    assert!(depth <= 4, "{depth}:\n{}", told(preview));
    tell(&format!(
        "tried {} requests, {} in the preview, {depth} one after another, {first:.1?} and {took:.1?}",
        all.len(),
        preview.len()
    ));
    // The limits are 1.2 s and 4.2 s; other tests that run beside this one take their part.
    assert!(first < Duration::from_millis(2400), "{first:?}");
    assert!(took < Duration::from_millis(6300), "{took:?}");
}

#[test]
fn nothing_is_read_twice_before_it_is_made() {
    let cloud = Cloud::new();
    let env = TestEnv::of(&cloud, PROJECT.id);
    env.run(&cloud.json_args(PROJECT)).code(0);
    let all = requests(&cloud);
    let made = all.iter().filter(|it| it.method == "PUT");
    for put in made {
        let before = |it: &&Seen| it.path == put.path && it.method == "GET" && it.went <= put.came;
        let looks = all.iter().filter(before).count();
        assert_eq!(looks, 0, "{}\n{}", put.path, told(&all));
    }
}

/// What a run looks for by names and ids that are derived from its own name.
const OF_THE_RUN: [&str; 4] = [
    "/applications(uniqueName=",
    "/roleDefinitions/",
    "/roleAssignments",
    "/servicePrincipals(appId=",
];

#[test]
fn a_run_that_is_taken_up_looks_for_all_that_it_may_have_made() {
    let mut bench = bench();
    bench.missed.insert("provider-principal");
    let looks = |saved: &str| {
        bench.cloud.reset();
        let before = bench.cloud.sandbox.requests().len();
        let mut disk = bench.disk_with(saved);
        bench.go(&mut disk, Journey::Apply).expect("it connects");
        let all = bench.cloud.sandbox.requests();
        let looks = |path: &str| {
            let looks = |it: &&Seen| it.method == "GET" && it.path.contains(path);
            all.iter().skip(before).filter(looks).count()
        };
        OF_THE_RUN.map(looks)
    };
    assert_eq!(looks(&bench.unbegun()), [0; 4]);
    // It died when it had said that it was about to make the first thing.
    let (_, moments) = bench.moments(&bench.unbegun(), Journey::Apply);
    let first = moments.iter().find(|it| it.name.starts_with("after"));
    let taken_up = looks(&first.expect("it saves").saved);
    assert!(taken_up.iter().all(|looks| *looks > 0), "{taken_up:?}");
}

/// How long a run takes, the best of some.
fn quickest(roles: usize) -> Duration {
    let cloud = Cloud::new();
    let sample = cloud.sandbox.sample();
    cloud.sandbox.edit(|world| {
        world.roles.extend((0..roles).map(|number| Role {
            tenant: sample.tenant.clone(),
            id: format!("{number:08x}-0000-4000-8000-000000000000"),
            name: format!("Team {number} operator"),
            description: "May read, restart and scale what the team runs, and nothing else".into(),
            permissions: vec![Permission {
                actions: (0..6)
                    .map(|it| format!("Microsoft.Compute/virtualMachines/{it}/{number}/action"))
                    .collect(),
                ..Permission::default()
            }],
            assignable_scopes: vec![format!("/subscriptions/{}", sample.subscription)],
            created: "2025-06-01T08:00:00Z".into(),
            updated: "2025-06-01T08:00:00Z".into(),
            ..Role::default()
        }));
    });
    let runs = (0..3).map(|_| {
        let env = TestEnv::of(&cloud, PROJECT.id);
        let began = Instant::now();
        env.run(&cloud.json_args(PROJECT)).code(0);
        let took = began.elapsed();
        let undone = env.run(&["undo", "--no-input", "--yes"]);
        undone.code(0);
        took
    });
    runs.min().expect("it ran")
}

#[test]
fn thousands_of_custom_roles_are_no_burden() {
    let (none, many) = (quickest(0), quickest(5000));
    let ratio = many.as_secs_f64() / none.as_secs_f64();
    tell(&format!(
        "tried 5000 custom roles: {many:.2?} in place of {none:.2?}, {ratio:.2} times as long"
    ));
    // Of two programs without optimisation, one of which is the sandbox that writes the list; other tests run beside them.
    assert!(ratio < 6.0, "{ratio}");
}

fn bench() -> Bench {
    Bench::new(PROJECT, &Shape::default(), Lag::None)
}

#[test]
fn a_peering_that_somebody_asked_for_after_the_preview_is_not_taken() {
    let bench = bench();
    let sample = bench.cloud.sandbox.sample();
    let vnet = VnetId::parse(&sample.vnet_id).expect("an id");
    let lower = |text: &str| text.to_lowercase();
    bench.cloud.sandbox.edit(|world| {
        let mut vpcs = world.aiven.vpcs.iter_mut();
        let vpc = vpcs.find(|it| it.id == sample.project_vpc);
        vpc.expect("it is there").rows.push(Row {
            id: "other".into(),
            account: lower(&vnet.subscription),
            group: Some(lower(&vnet.resource_group)),
            vnet: lower(&vnet.name),
            app: Some("5c1d0a4e-77b2-4a60-9f0e-2b6d8c3e1f55".into()),
            state: "PENDING_PEER".into(),
            ..Row::default()
        });
    });
    let mut disk = bench.disk();
    let error = bench
        .go(&mut disk, Journey::Apply)
        .expect_err("it is another's");
    assert!(
        error.contains("made for the application 5c1d0a4e"),
        "{error}"
    );
}

#[test]
fn what_somebody_made_after_the_preview_is_found() {
    let mut bench = bench();
    bench.missed.insert("provider-principal");
    let tenant = bench.cloud.sandbox.sample().tenant;
    bench.cloud.sandbox.edit(|world| {
        world.principals.push(Principal {
            tenant,
            id: "6a5b4c3d-2e1f-4a0b-9c8d-7e6f5a4b3c2d".into(),
            app_id: PROJECT.app_id.into(),
            enabled: true,
            ..Principal::default()
        });
    });
    let mut disk = bench.disk();
    let run = bench.go(&mut disk, Journey::Apply).expect("it connects");
    assert_eq!(run.status("provider-principal"), Some(Status::Found));
}
