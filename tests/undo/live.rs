//! Other people's connections that no file of ours tells of: what they use is kept, and goes once they are gone.

use crate::people::{
    APP, KEY, SP, assignment, half, move_in, network, no_blind_deletion, other_vnet, spared,
};
use crate::support::{Bench, Broken, Cloud, GIVEN_APP, Journey, shapes};
use peer_wizard::{
    engine::{Run, Status},
    provider::Provider,
    providers,
    sandbox::{
        Bad, Fault, Faults, Rule, Service, When, World,
        parts::{Password, Row},
    },
};
use std::collections::BTreeSet;

const PROJECT: &Provider = &providers::aiven::PROJECT;
const KONG: &Provider = &providers::kong::KONG_CONNECT;
const THEIRS: &str = "0bbb1111-2222-4333-8444-555566667777";
const OWNER: &str = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635";

/// A connection by hand: what it is called, how it comes about, and the steps whose objects it needs.
type ByHand = (&'static str, fn(&Bench, &Run), &'static [&'static str]);

fn fact(run: &Run, name: &str) -> String {
    let facts = run.facts();
    let text = facts.text(name);
    text.unwrap_or_else(|| panic!("{name} is not known"))
        .to_owned()
}

fn side(run: &Run, name: &str) -> String {
    let prefix = if run.flow == "kong" { "KONG" } else { "AIVEN" };
    fact(run, &format!("{prefix}_{name}"))
}

/// Another network of the same provider.
fn other_network(bench: &Bench, run: &Run) -> String {
    let mine = side(run, "VNET_ID");
    let home = mine
        .rsplit_once('/')
        .map_or("", |(home, _)| home)
        .to_owned();
    bench.cloud.sandbox.edit(|world| {
        let id = world.networks[0].id();
        let networks = world
            .networks
            .iter()
            .map(peer_wizard::sandbox::parts::Network::id);
        let mut others = networks.filter(|it| it.starts_with(&home) && *it != mine && *it != id);
        others.next().expect("the provider has another network")
    })
}

fn second_peering(bench: &Bench, run: &Run) {
    let (vnet, remote) = (fact(run, "USER_VNET_ID"), other_network(bench, run));
    bench.cloud.sandbox.edit(|world| {
        network(world, &vnet)
            .peerings
            .push(half("by-hand", &remote));
        network(world, &remote)
            .peerings
            .push(half("by-hand", &vnet));
        for vpc in &mut world.aiven.vpcs {
            if vpc.network == remote {
                vpc.rows.push(Row {
                    id: "row by hand".into(),
                    account: fact(run, "USER_SUBSCRIPTION_ID"),
                    group: Some("rg-network-prod".into()),
                    vnet: "vnet-hub-prod".into(),
                    app: Some(APP.into()),
                    tenant: Some(fact(run, "USER_TENANT_ID")),
                    state: "ACTIVE".into(),
                    half: Some("by-hand".into()),
                    joined: true,
                    ..Row::default()
                });
            }
        }
    });
}

fn assign(bench: &Bench, scope: &str, role: &str, principal: &str) {
    let made = assignment(&bench.cloud, THEIRS, scope, role, principal);
    bench
        .cloud
        .sandbox
        .edit(|world| world.assignments.push(made));
}

fn leaf(id: &str) -> &str {
    id.rsplit('/').next().unwrap_or(id)
}

fn principal_elsewhere(bench: &Bench, run: &Run) {
    let elsewhere = "/subscriptions/6d25f4c7-90ab-4c1e-8f3d-5e7a1b2c3d4e";
    assign(bench, elsewhere, OWNER, &side(run, "SP_ID"));
}

fn role_for_another(bench: &Bench, run: &Run) {
    let role = side(run, "ROLE_ID");
    assign(bench, &other_vnet(&bench.cloud), leaf(&role), SP);
}

fn own_role_for_another(bench: &Bench, run: &Run) {
    let role = fact(run, "USER_ROLE_ID");
    assign(bench, &other_vnet(&bench.cloud), leaf(&role), SP);
}

fn application_elsewhere(bench: &Bench, run: &Run) {
    let vnet = other_vnet(&bench.cloud);
    assign(bench, &vnet, OWNER, &fact(run, "USER_SP_ID"));
}

fn password_of_another(bench: &Bench, run: &Run) {
    let app = fact(run, "USER_APP_ID");
    bench.cloud.sandbox.edit(|world| add_password(world, &app));
}

fn add_password(world: &mut World, app: &str) {
    let mut apps = world.applications.iter_mut();
    let app = apps.find(|it| it.app_id == app).expect("the application");
    app.passwords.push(Password {
        key_id: KEY.into(),
        display_name: Some("nightly job".into()),
        end: "2099-12-31T00:00:00Z".into(),
        ..Password::default()
    });
}

const OF_THE_PROVIDER: [ByHand; 3] = [
    (
        "a second peering of the VNet",
        second_peering,
        &["provider-assignment", "role", "provider-principal"],
    ),
    (
        "the principal in another subscription",
        principal_elsewhere,
        &["provider-principal"],
    ),
    ("the role for somebody else", role_for_another, &["role"]),
];

const OF_THE_APPLICATION: [ByHand; 3] = [
    (
        "a password of the application",
        password_of_another,
        &["principal", "application"],
    ),
    (
        "the application on another VNet",
        application_elsewhere,
        &["principal", "application"],
    ),
    (
        "the narrow role for somebody else",
        own_role_for_another,
        &["own-role"],
    ),
];

/// Undoes the run beside the connection, and again once that is gone.
fn beside(bench: &Bench, (what, begin, needs): ByHand, broken: &mut Broken) {
    bench.cloud.reset();
    let mut disk = bench.disk();
    let run = bench.go(&mut disk, Journey::Apply).expect("it connects");
    let ours: BTreeSet<_> = crate::people::more(&bench.before, &bench.cloud.world());
    begin(bench, &run);
    let connected = bench.cloud.world();
    let what = format!("{} beside {what}", bench.provider.id);
    let ended = bench.go(&mut disk, Journey::Undo).and_then(|run| {
        spared(&ours, &connected, &bench.cloud.world())?;
        let kept = |id: &str| run.status(id) == Some(Status::Kept);
        for step in &bench.flow.steps {
            let id = step.about().id;
            if kept(id) != needs.contains(&id) {
                return Err(format!("{id} is {:?}", run.status(id)));
            }
        }
        for id in needs {
            let note = run.record(id).and_then(|it| it.note.clone());
            if note.is_none_or(|note| note.is_empty()) {
                return Err(format!("it is not told why {id} is kept"));
            }
        }
        Ok(())
    });
    broken.note(&what, ended);
    // The other connection goes, and with it what was kept.
    bench.cloud.sandbox.edit(|world| {
        world.assignments.retain(|it| it.id != THEIRS);
        for network in &mut world.networks {
            network.peerings.retain(|it| it.name != "by-hand");
        }
        for vpc in &mut world.aiven.vpcs {
            vpc.rows.retain(|it| it.id != "row by hand");
        }
        for app in &mut world.applications {
            app.passwords
                .retain(|it| it.key_id != KEY || app.app_id == APP);
        }
    });
    let ended = bench.go(&mut disk, Journey::Undo);
    broken.note(
        &format!("{what}, which is gone"),
        ended.and_then(|run| bench.undone(&run)),
    );
}

fn among(provider: &'static Provider, shape: usize) -> Bench {
    let mut cloud = Cloud::new();
    cloud.sandbox.edit(|world| {
        world.add_gateway_network();
    });
    if shapes()[shape].1.application_given {
        cloud.add_application();
    }
    move_in(&cloud, provider);
    // What has the same rights would be found instead of made.
    cloud
        .sandbox
        .edit(|world| world.roles.retain(|it| it.name != crate::people::NAME));
    cloud.settle();
    Bench::on(cloud, provider, &shapes()[shape].1)
}

#[test]
fn what_a_connection_made_by_hand_needs_is_kept_and_goes_after_it() {
    let mut broken = Broken::default();
    for provider in [KONG, PROJECT] {
        let bench = among(provider, 0);
        for by_hand in OF_THE_PROVIDER {
            beside(&bench, by_hand, &mut broken);
        }
    }
    let bench = among(PROJECT, 2);
    for by_hand in OF_THE_APPLICATION {
        beside(&bench, by_hand, &mut broken);
    }
    broken.assert_none_of("undos beside connections made by hand");
}

#[test]
fn the_persons_own_application_keeps_its_passwords_and_its_other_rights() {
    let cloud = Cloud::new();
    cloud.add_application();
    cloud.sandbox.edit(|world| add_password(world, GIVEN_APP));
    let bench = Bench::on(cloud, PROJECT, &shapes()[1].1);
    let mut broken = Broken::default();
    let (finished, moments) = bench.moments(&bench.unbegun(), Journey::Apply);
    let connected = bench.cloud.copy();
    // Killed while there is a password of the run's, and the file names another.
    for moment in moments {
        bench.cloud.restore(&moment.world);
        let minted = bench.cloud.world().to_string().contains(r#""peer-wizard "#);
        if !minted && !moment.saved.contains("USER_APP_KEY_ID") {
            continue;
        }
        let mut file: serde_json::Value = serde_json::from_str(&moment.saved).expect("JSON");
        file["facts"]["USER_APP_KEY_ID"] = KEY.into();
        let mut disk = bench.disk_with(&file.to_string());
        let ended = bench.go(&mut disk, Journey::Undo);
        broken.note(&moment.name, ended.and_then(|run| bench.undone(&run)));
    }
    // Somebody else came to use the principal that the run made for it.
    bench.cloud.restore(&connected);
    let run: Run = serde_json::from_str(&finished).expect("a run");
    application_elsewhere(&bench, &run);
    let mut disk = bench.disk_with(&finished);
    let run = bench.go(&mut disk, Journey::Undo).expect("it is undone");
    assert_eq!(run.status("principal"), Some(Status::Kept));
    assert_eq!(run.status("application"), Some(Status::Found));
    let there = bench.cloud.world().to_string();
    assert!(there.contains("nightly job"), "the other password is gone");
    broken.assert_none_of("undos of runs with the person's own application");
}

#[test]
fn an_application_without_its_principal_is_kept_for_its_other_password() {
    let bench = Bench::on(Cloud::new(), PROJECT, &shapes()[0].1);
    let mut disk = bench.disk();
    let run = bench.go(&mut disk, Journey::Apply).expect("it connects");
    password_of_another(&bench, &run);
    let principal = fact(&run, "USER_SP_ID");
    bench
        .cloud
        .sandbox
        .edit(|world| world.principals.retain(|it| it.id != principal));
    let run = bench.go(&mut disk, Journey::Undo).expect("it is undone");
    assert_eq!(run.status("application"), Some(Status::Kept));
    let there = bench.cloud.world().to_string();
    assert!(there.contains("nightly job"), "the other password is gone");
}

#[test]
fn what_was_granted_on_a_vnet_that_is_gone_is_taken_back() {
    for provider in [KONG, PROJECT] {
        let bench = Bench::on(Cloud::new(), provider, &shapes()[0].1);
        let mut disk = bench.disk();
        let run = bench.go(&mut disk, Journey::Apply).expect(provider.id);
        let vnet = fact(&run, "USER_VNET_ID");
        bench.cloud.sandbox.edit(|world| {
            world
                .networks
                .retain(|it| !it.id().eq_ignore_ascii_case(&vnet));
        });
        let run = bench.go(&mut disk, Journey::Undo).expect(provider.id);
        for (id, record) in run.records() {
            assert!(!record.status.ours(), "{}: {id} is left", provider.id);
        }
    }
}

#[test]
fn what_an_undo_left_to_others_is_looked_at_again_and_not_guessed() {
    let bench = Bench::on(Cloud::new(), PROJECT, &shapes()[0].1);
    let mut disk = bench.disk();
    bench.go(&mut disk, Journey::Apply).expect("it connects");
    // Somebody asked for the same peering anew.
    bench.cloud.sandbox.edit(|world| {
        for row in world.aiven.vpcs.iter_mut().flat_map(|it| &mut it.rows) {
            row.app = Some(APP.into());
        }
    });
    let run = bench.go(&mut disk, Journey::Undo).expect("it is undone");
    assert_eq!(run.status("provider-peering"), Some(Status::Found));
    assert_eq!(run.status("vnet-peering"), Some(Status::Kept));
    let trouble = Faults::once(When::service(Service::Of("aiven")), Fault::FailBefore(503));
    bench.cloud.faults(trouble);
    let run = bench.go(&mut disk, Journey::Undo).expect("it is undone");
    assert_eq!(bench.cloud.fault_left(), 0, "the trouble did not strike");
    assert_eq!(run.status("vnet-peering"), Some(Status::Kept));

    // A file that says no more than that it was left has nothing to look for.
    let mut file: serde_json::Value = serde_json::from_str(&bench.unbegun()).expect("JSON");
    let members = file["members"].as_object_mut().expect("members");
    for member in members.values_mut() {
        member["steps"]["provider-peering"] = serde_json::json!({
            "status": "found", "at": "2025-01-01T00:00:00Z", "note": "it was made by hand",
        });
    }
    let mut disk = bench.disk_with(&file.to_string());
    let before = bench.cloud.world();
    bench.go(&mut disk, Journey::Undo).expect("it is undone");
    assert_eq!(bench.cloud.world(), before);
}

/// A half on the VNet that lost its other one.
fn dead(name: &str, remote: &str) -> peer_wizard::sandbox::parts::Peering {
    peer_wizard::sandbox::parts::Peering {
        state: "Disconnected".into(),
        ..half(name, remote)
    }
}

#[test]
fn a_dead_half_to_another_network_stays_and_one_to_this_runs_goes_under_any_name() {
    let mut broken = Broken::default();
    for provider in providers::ALL {
        let bench = among(provider, 0);
        let (finished, _) = bench.moments(&bench.unbegun(), Journey::Apply);
        let connected = bench.cloud.copy();
        let run: Run = serde_json::from_str(&finished).expect("a run");
        let (vnet, mine) = (fact(&run, "USER_VNET_ID"), side(&run, "VNET_ID"));
        let other = other_network(&bench, &run);
        let before = bench.before.clone();
        let undo = |what: &str, file: &str, broken: &mut Broken| {
            let world = bench.cloud.world();
            let ours = crate::people::more(&before, &bench.cloud.world())
                .into_iter()
                .filter(|it| !it.contains("old-half"))
                .collect();
            let seen = bench.cloud.sandbox.requests().len();
            let ended = bench.go(&mut bench.disk_with(file), Journey::Undo);
            let ended = ended.and_then(|_| {
                no_blind_deletion(&bench.cloud.sandbox.requests()[seen..])?;
                let left = spared(&ours, &world, &bench.cloud.world())?;
                if left.is_empty() {
                    Ok(())
                } else {
                    Err(format!("left: {left:#?}"))
                }
            });
            broken.note(&format!("{}: {what}", provider.id), ended);
        };
        bench.cloud.sandbox.edit(|world| {
            network(world, &vnet)
                .peerings
                .push(dead("old-half", &other));
        });
        undo("a dead half to another network", &finished, &mut broken);

        // The provider's network is told to be the one where the dead half leads.
        bench.cloud.restore(&connected);
        bench.cloud.sandbox.edit(|world| {
            let ranges = network(world, &other).prefixes.clone();
            let half = dead("old-half", &other);
            network(world, &vnet)
                .peerings
                .push(peer_wizard::sandbox::parts::Peering {
                    remote_prefixes: ranges,
                    ..half
                });
        });
        let file = serde_json::from_str(&finished).expect("JSON");
        let name = if provider.id == "kong" {
            "KONG_VNET_ID"
        } else {
            "AIVEN_VNET_ID"
        };
        for status in ["created", "found"] {
            let saved = bench.cloud.copy();
            let mut file = crate::people::set_fact(&file, name, &other);
            for (id, record) in crate::people::records(&mut file) {
                if id == "vnet-peering" {
                    record["status"] = status.into();
                }
            }
            let world = bench.cloud.world();
            let ended = bench.go(&mut bench.disk_with(&file.to_string()), Journey::Undo);
            let there = bench.cloud.world().to_string().contains("old-half");
            let ended = ended.and_then(|_| {
                if there {
                    Ok(())
                } else {
                    Err("the dead half of another connection is gone".into())
                }
            });
            broken.note(
                &format!("{}: told to be this run's, {status}", provider.id),
                ended,
            );
            let _ = world;
            bench.cloud.restore(&saved);
        }

        // Somebody gave this run's half another name: it was made anew.
        bench.cloud.restore(&connected);
        bench.cloud.sandbox.edit(|world| {
            for half in &mut network(world, &vnet).peerings {
                if half.remote == mine {
                    half.name = "made-anew".into();
                }
            }
            for gateway in world
                .konnect
                .networks
                .iter_mut()
                .flat_map(|it| &mut it.gateways)
            {
                // Kong does not know it, and leaves it.
                gateway.halves = gateway
                    .halves
                    .take()
                    .map(|(theirs, _)| (theirs, "gone".into()));
            }
        });
        undo("this run's half under another name", &finished, &mut broken);
    }
    broken.assert_none_of("undos with dead halves");
}

#[test]
fn no_password_is_left_after_an_answer_that_is_lost_or_cannot_be_read() {
    let mut broken = Broken::default();
    let bench = Bench::on(Cloud::new(), PROJECT, &shapes()[0].1);
    let bads = Bad::ALL.map(|what| [true, false].map(|done| Fault::Answer { what, done }));
    let faults = bads
        .into_iter()
        .flatten()
        .chain([Fault::FailAfter, Fault::Cut]);
    for fault in faults {
        bench.cloud.reset();
        let what = format!("{fault:?}");
        let rule = Rule::once(When::path("/addPassword"), fault);
        bench.cloud.faults(Faults { rules: vec![rule] });
        let mut disk = bench.disk();
        let ended = bench.go(&mut disk, Journey::Apply);
        assert_eq!(bench.cloud.fault_left(), 0, "{what} did not strike");
        let none = || {
            let left = bench
                .cloud
                .world()
                .to_string()
                .contains(r#"["peer-wizard "#);
            if left {
                Err("a password is left".to_owned())
            } else {
                Ok(())
            }
        };
        broken.note(&what, none());
        let resumed = match ended {
            Ok(run) => Ok(run),
            Err(_) => bench.go(&mut disk, Journey::Apply),
        };
        broken.note(
            &format!("{what}, resumed"),
            resumed.map(drop).and_then(|()| none()),
        );
        let undone = bench.go(&mut disk, Journey::Undo);
        broken.note(
            &format!("{what}, undone"),
            undone.and_then(|run| bench.undone(&run)),
        );
    }
    broken.assert_none_of("runs with a bad answer to a new password");
}
