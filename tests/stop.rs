//! A run is told to stop wherever it may stand: by one, two and three signals, by `--timeout` and by `--no-wait`. It ends in
//! time, takes back the password first, says so once, and goes on or is undone afterwards as if nothing had been.
#![cfg(unix)]

#[path = "stop/scene.rs"]
mod scene;
mod support;

use peer_wizard::{
    provider::Provider,
    providers,
    sandbox::{Fault, Faults, Rule, Service, When, World},
};
use scene::{
    Ask, GOING, MADE, MAYBE, PROJECT, Password, Place, SIGNALS, STOP, Scene, There, all_stop,
    hangs, note, print_times, to, told_once,
};
use std::{fs, thread, time::Instant};
use support::{Cloud, TestEnv, but};

const KONG: &Provider = &providers::kong::KONG_CONNECT;
/// The tenant of Aiven in the sample world, to which the run signs in as the person's application.
const AIVEN_TENANT: &str = "c5b1e7d2-8f43-4e0b-a6d9-71f2a3b84e60";

fn peerings(method: &str) -> When {
    to(method, "/virtualNetworkPeerings/")
}

/// States that are waited for.
fn waits() -> Vec<Place> {
    vec![
        Place::waits(
            "the operation of the peering stays InProgress",
            "vnet-peering",
        )
        .with(peerings("PUT"), Fault::OperationStuck)
        .minted()
        .saved("vnet-peering", MAYBE),
        Place::waits("the peering stays Updating", "vnet-peering")
            .with(peerings("GET"), Fault::PeeringUpdating)
            .minted()
            .saved("vnet-peering", MAYBE),
        Place {
            closed: true,
            ..Place::waits("the provider does not begin", "pending-peer")
                .minted()
                .saved("provider-peering", MADE)
        },
        Place {
            provider: KONG,
            ..Place::waits("Kong waits for its rights", "ready").with(
                When::service(Service::Of("konnect")),
                Fault::Refuse("pending-user-action".into(), "not yet".into()),
            )
        },
        Place {
            provider: KONG,
            there: There::Told("needs", "provider-principal"),
            ..Place::waits("a person has to act", "")
                .with(When::service(Service::Graph), Fault::NoDirectoryRole)
        },
    ]
}

/// Services that fail in passing, and go on failing.
fn failures() -> Vec<Place> {
    let fails = |name, step| Place {
        asks: SIGNALS.into_iter().chain([Ask::Timeout]).collect(),
        ..Place::new(name, There::Told("retrying", step))
    };
    vec![
        fails("Azure asks to come in a minute", "vnet-peering")
            .with(peerings("PUT"), Fault::Throttle(60))
            .minted(),
        fails("the provider answers 503", "provider-peering")
            .with(to("POST", "/peering-connections"), Fault::FailBefore(503)),
        fails("Graph asks to come in a minute, in undo", "application")
            .with(to("DELETE", "/applications/"), Fault::Throttle(60))
            .undone()
            .saved("application", GOING),
    ]
}

/// Requests that are not answered.
fn hung() -> Vec<Place> {
    let ask = || to("POST", "/peering-connections");
    let application = || to("PATCH", "/applications(");
    let password = || to("POST", "/addPassword");
    let tenant = When {
        service: Some(Service::Entra),
        ..to("POST", AIVEN_TENANT)
    };
    vec![
        Place::hangs("an application, not made", application(), false).saved("application", MAYBE),
        Place::hangs("an application, made", application(), true).saved("application", MAYBE),
        Place::hangs("the ask at the provider, not heard", ask(), false)
            .saved("provider-peering", MAYBE),
        Place::hangs("the ask at the provider, heard", ask(), true)
            .saved("provider-peering", MAYBE),
        Place::hangs("a password, not made", password(), false)
            .minted()
            .saved("password", MAYBE),
        Place::hangs("a password, made", password(), true)
            .minted()
            .saved("password", MAYBE),
        Place::hangs("the sign-in of the application", tenant, false)
            .minted()
            .saved("vnet-peering", MAYBE),
        Place::hangs("the peering, not made", peerings("PUT"), false)
            .minted()
            .saved("vnet-peering", MAYBE),
        Place {
            closed: true,
            late: Some("pending-peer"),
            asks: SIGNALS.into_iter().chain([Ask::Timeout]).collect(),
            ..Place::hangs(
                "a look in a wait",
                When {
                    method: Some("GET".into()),
                    ..When::service(Service::Of("aiven"))
                },
                false,
            )
            .minted()
        },
    ]
}

/// Where an undo may stand.
fn undos() -> Vec<Place> {
    vec![
        Place::waits(
            "the operation of a deletion stays InProgress",
            "vnet-peering",
        )
        .with(peerings("DELETE"), Fault::OperationStuck)
        .undone()
        .saved("vnet-peering", GOING),
        Place::waits(
            "the peering at the provider stays DELETING",
            "provider-peering",
        )
        .with(to("DELETE", "/peering-connections"), Fault::RowStuck)
        .undone()
        .saved("provider-peering", GOING),
        Place {
            provider: KONG,
            ..Place::waits("the transit gateway stays terminating", "transit-gateway")
                .with(to("DELETE", "/transit-gateways"), Fault::GatewayStuck)
                .undone()
                .saved("transit-gateway", GOING)
        },
        Place::hangs(
            "a deletion, not done",
            to("DELETE", "/applications/"),
            false,
        )
        .undone()
        .saved("application", GOING),
        Place::hangs("a deletion, done", to("DELETE", "/applications/"), true)
            .undone()
            .saved("application", GOING),
    ]
}

/// Where Graph does not answer, so that the run is kept for seconds.
fn silent() -> Vec<Place> {
    // The password cannot be taken back: not where it is revoked in the end, and not where the run is stopped.
    let silent = |place: Place| Place {
        password: Password::Stays,
        ..place.with(to("POST", "/removePassword"), Fault::Hang { done: false })
    };
    let revoked = |asks: &[Ask]| Place {
        asks: asks.to_vec(),
        ..silent(Place::new("the password is revoked", There::Hung))
    };
    let waits = |asks: &[Ask]| Place {
        closed: true,
        asks: asks.to_vec(),
        ..silent(Place::new(
            "a wait, and Graph is silent",
            There::Told("waiting", "pending-peer"),
        ))
    };
    vec![
        revoked(&SIGNALS[..1]),
        revoked(&SIGNALS[2..3]),
        revoked(&SIGNALS[3..]),
        waits(&SIGNALS[..1]),
        waits(&SIGNALS[3..]),
    ]
}

#[test]
fn a_hung_request_holds_nobody_up() {
    all_stop(&hung());
}

#[test]
fn a_run_stops_wherever_it_waits() {
    let places = [waits(), failures(), undos(), silent()];
    all_stop(&places.into_iter().flatten().collect::<Vec<_>>());
}

#[test]
fn before_a_run_the_first_signal_ends_it() {
    let vnet = || When {
        method: Some("GET".into()),
        ..When::service(Service::Arm)
    };
    thread::scope(|scope| {
        for undo in [false, true] {
            scope.spawn(move || {
                let place = Place::hangs("a look before a run", vnet(), false);
                let place = if undo { place.undone() } else { place };
                let scene = Scene::new(&place);
                let state = || {
                    scene
                        .env
                        .run_file()
                        .map(|file| fs::read_to_string(file).expect("a run"))
                };
                let before = (state(), scene.cloud.world());
                scene.fail();
                let mut args = if undo {
                    vec!["undo".to_owned(), "--yes".into()]
                } else {
                    scene.cloud.args(PROJECT)
                };
                args.extend(["--output", "json"].map(str::to_owned));
                for signals in [&["INT"][..], &["TERM"], &["INT", "INT"]] {
                    let seen = scene.cloud.sandbox.requests().len();
                    let started = scene.env.start(&args);
                    hangs(&scene.cloud, seen);
                    let began = Instant::now();
                    for signal in signals {
                        started.signal(signal);
                    }
                    let output = started.finish();
                    let took = began.elapsed();
                    assert!(took <= STOP, "it took {took:?}\n{output}");
                    note("from a signal, before a run", took, place.name);
                    let output = output.code(130);
                    told_once(place.name, &output, "interrupted");
                    assert_eq!((state(), scene.cloud.world()), before, "{output}");
                }
                scene.mend();
                scene.env.run(&args).code(0);
            });
        }
    });
    print_times();
}

#[test]
fn people_are_told_once_and_how_to_go_on() {
    let waits = Place {
        closed: true,
        ..Place::waits("the provider does not begin", "pending-peer")
    };
    let deletes = Place::waits(
        "the peering at the provider stays DELETING",
        "provider-peering",
    )
    .with(to("DELETE", "/peering-connections"), Fault::RowStuck)
    .undone();
    thread::scope(|scope| {
        for place in [&waits, &deletes] {
            scope.spawn(move || {
                let scene = Scene::new(place);
                scene.fail();
                let first = if place.undo {
                    vec!["undo".to_owned(), "--yes".into()]
                } else {
                    scene.cloud.args(PROJECT)
                };
                let again: Vec<String> = if place.undo {
                    first.clone()
                } else {
                    vec!["resume".into()]
                };
                let mut started = scene.env.start(&first);
                let state = if place.undo {
                    "DELETING ("
                } else {
                    "APPROVED ("
                };
                assert!(started.until_said(state), "it never waits");
                started.interrupt();
                let stopped = started.finish().code(130).says("Nothing is lost");
                let late: Vec<String> = again.into_iter().chain(["--no-wait".into()]).collect();
                let waiting = scene.env.run(&late).code(5);
                for output in [stopped, waiting] {
                    let run = scene.env.file()["run"].as_str().expect("a name").to_owned();
                    let command = if place.undo { "undo" } else { "resume" };
                    let hint = format!("peer-wizard {command} {run}");
                    assert_eq!(output.stderr.matches(&hint).count(), 1, "{output}");
                    assert_eq!(output.stdout, "", "{output}");
                    let mut lines: Vec<&str> = output
                        .stderr
                        .lines()
                        .map(str::trim)
                        .filter(|line| !line.is_empty())
                        .collect();
                    let all = lines.len();
                    lines.sort_unstable();
                    lines.dedup();
                    assert_eq!(lines.len(), all, "a line is there twice\n{output}");
                }
                scene.undo(place.name);
            });
        }
    });
}

#[test]
fn it_stops_while_it_tidies_up_after_an_undo() {
    // Three runs on one VNet: the first is undone and keeps what the others use, so the undo of the second looks after that.
    let mut cloud = Cloud::new();
    let networks: Vec<String> = (0..2)
        .map(|_| cloud.sandbox.edit(World::add_gateway_network))
        .collect();
    cloud.settle();
    let env = TestEnv::of(&cloud, KONG.id);
    let runs: Vec<String> = std::iter::once(None)
        .chain(networks.iter().map(Some))
        .map(|network| {
            let args = cloud.json_args(KONG);
            let args = match network {
                Some(network) => but(args, "--network", network),
                None => args,
            };
            env.run(&args).code(0).run()
        })
        .collect();
    env.run(&["undo", "--yes", &runs[0]]).code(0);
    let photograph = cloud.copy();
    let state = env
        .path("state")
        .join("runs")
        .join(format!("{}.json", runs[1]));
    let saved = fs::read_to_string(&state).expect("a run");
    for signals in [&["INT"][..], &["TERM", "INT"]] {
        cloud.restore(&photograph);
        fs::write(&state, &saved).expect("a run can be written");
        // The first look at the third run's network is before the undo.
        let mut rule = Rule::always(to("GET", &networks[1]), Fault::Hang { done: false });
        rule.skip = 1;
        cloud.faults(Faults { rules: vec![rule] });
        let seen = cloud.sandbox.requests().len();
        let started = env.start(&["undo", "--yes", &runs[1], "--output", "json"]);
        hangs(&cloud, seen);
        let began = Instant::now();
        for signal in signals {
            started.signal(signal);
        }
        let output = started.finish();
        let took = began.elapsed();
        assert!(took <= STOP, "it took {took:?}\n{output}");
        note("from a signal, after an undo", took, "tidying up");
        // The run that was asked for is undone.
        let output = output.code(0);
        told_once("tidying up", &output, "undone");
        let output = output.says(&format!("peer-wizard undo {}", runs[0]));
        assert!(!output.stderr.contains("error"), "{output}");
    }
    print_times();
}
