//! What the real services answer while a change has not spread, or while two are made at once, is waited out; and nothing
//! is left over at the end, whatever the lag.

mod support;

use peer_wizard::{
    azure::steps::{Assignment, Principal},
    engine::{Definition, Run},
    http::{ApiError, Service as Asked},
    provider::Provider,
    providers,
    sandbox::{
        Fault, Faults, Lag, Rule, Service, Settle, When,
        parts::{Permission, Principal as Sp, Role},
    },
};
use std::time::Duration;
use support::{Bench, Broken, Cloud, Journey, shapes};

const AIVEN: &Provider = &providers::aiven::PROJECT;
const KONG: &Provider = &providers::kong::KONG_CONNECT;

fn plain(provider: &'static Provider, lag: Lag) -> Bench {
    Bench::new(provider, &shapes()[0].1, lag)
}

/// How often a request of this method, whose path ends so, was answered so.
fn answers(cloud: &Cloud, method: &str, path: &str, status: u16) -> usize {
    let seen = cloud.sandbox.requests().into_iter();
    let fits = seen.filter(|it| {
        it.method == method && it.path.contains(path) && (status == 0 || it.status == status)
    });
    fits.count()
}

fn passwords(cloud: &Cloud) -> usize {
    cloud.sandbox.edit(|world| {
        let apps = world.applications.iter();
        let apps = apps.filter(|app| app.display_name != "Platform administration");
        apps.map(|app| app.passwords.len()).sum()
    })
}

fn go(bench: &Bench) -> Result<Run, String> {
    bench.go(&mut bench.disk(), Journey::Apply)
}

#[test]
fn whatever_the_lag_a_run_ends_and_leaves_no_password() {
    let mut broken = Broken::default();
    let goal = plain(AIVEN, Lag::None).goal();
    for looks in [1, 2, 3, 7] {
        let bench = plain(AIVEN, Lag::Looks(looks));
        let end = go(&bench).and_then(|run| bench.reached(&run, &goal));
        broken.note(&format!("{looks} looks"), end);
        let cloud = &bench.cloud;
        assert_eq!(passwords(cloud), 0, "{looks} looks");
        let looks = looks as usize;
        let early = answers(cloud, "PUT", "/roleAssignments/", 400);
        assert!(early >= looks, "{early} early assignments");
        assert_eq!(answers(cloud, "POST", "/removePassword", 409), 1);
        assert_eq!(answers(cloud, "POST", "/removePassword", 400), looks);
    }
    broken.assert_none_of("runs in slow clouds");
}

#[test]
fn without_lag_a_password_is_removed_once() {
    let bench = plain(AIVEN, Lag::None);
    go(&bench).expect("it runs");
    assert_eq!(answers(&bench.cloud, "POST", "/removePassword", 0), 1);
}

#[test]
fn a_lost_answer_about_a_password_leaves_none() {
    for looks in [0, 1, 4] {
        for path in ["/addPassword", "/removePassword"] {
            for fault in [Fault::FailAfter, Fault::Cut, Fault::FailBefore(503)] {
                let what = format!("{looks} looks, {fault:?} at {path}");
                let bench = plain(AIVEN, Lag::Looks(looks));
                bench
                    .cloud
                    .faults(Faults::once(When::path(path), fault.clone()));
                go(&bench).unwrap_or_else(|error| panic!("{what}: {error}"));
                assert_eq!(bench.cloud.fault_left(), 0, "{what}");
                assert_eq!(passwords(&bench.cloud), 0, "{what}");
                if looks == 0 {
                    // Nothing is waited for: once for each password, and once more for the lost answer.
                    let asked = answers(&bench.cloud, "POST", "/removePassword", 0);
                    assert!(asked <= 2, "{what}: {asked} times");
                }
            }
        }
    }
}

/// The password of a process that was killed is removed by the next, also where it does not show.
#[test]
fn a_password_of_a_killed_process_is_removed() {
    // Beside each other, as their time is spent on waiting.
    std::thread::scope(|scope| {
        for looks in [0, 2, 5] {
            scope.spawn(move || passwords_of_killed_processes_are_removed(looks));
        }
    });
}

fn passwords_of_killed_processes_are_removed(looks: u32) {
    let mut bench = plain(AIVEN, Lag::Looks(looks));
    // So slow that a password is still young at the end of the run, as it may be in real clouds.
    bench.pace.scale = 0.025;
    bench.pace.first = Duration::from_millis(150);
    let (_, moments) = bench.moments(&bench.unbegun(), Journey::Apply);
    let minted = |name: &str| name.starts_with("after") && name.contains("password Creat");
    let moments = moments.into_iter().filter(|it| minted(&it.name));
    for moment in moments.take(3) {
        bench.cloud.restore(&moment.world);
        let mut disk = bench.disk_with(&moment.just_now());
        let end = bench.go(&mut disk, Journey::Apply);
        end.unwrap_or_else(|error| panic!("{}: {error}", moment.name));
        assert_eq!(passwords(&bench.cloud), 0, "{looks}: {}", moment.name);
    }
}

#[test]
fn two_changes_of_the_directory_at_once_are_made_one_after_the_other() {
    let mut broken = Broken::default();
    for fault in [Fault::Concurrent, Fault::FailBefore(409)] {
        for skip in 0..8 {
            let upsert = fault == Fault::FailBefore(409);
            let when = When {
                service: Some(Service::Graph),
                method: upsert.then(|| "PATCH".into()),
                changes: true,
                ..When::default()
            };
            let bench = plain(AIVEN, Lag::None);
            let goal = bench.goal();
            let (fault, times) = (fault.clone(), 3);
            let skip = if upsert { 0 } else { skip };
            bench.cloud.faults(Faults {
                rules: vec![Rule {
                    when,
                    fault,
                    skip,
                    times,
                }],
            });
            let end = go(&bench).and_then(|run| bench.reached(&run, &goal));
            broken.note(&format!("from change {skip}"), end);
        }
    }
    broken.assert_none_of("runs that meet another change");
}

/// A role of the provider's actions.
fn role(cloud: &Cloud, provider: &Provider, subscription: &str) -> Role {
    Role {
        tenant: cloud.sandbox.sample().tenant,
        id: "8d0c6a54-1f2e-4b3d-9c7a-5e6f7a8b9c0d".into(),
        name: provider.role_name.into(),
        permissions: vec![Permission {
            actions: provider
                .allows
                .actions
                .iter()
                .map(ToString::to_string)
                .collect(),
            ..Permission::default()
        }],
        assignable_scopes: vec![format!("/subscriptions/{subscription}")],
        created: "2025-06-01T08:00:00Z".into(),
        updated: "2025-06-01T08:00:00Z".into(),
        ..Role::default()
    }
}

#[test]
fn a_deleted_role_that_still_shows_is_not_taken() {
    for allows in [AIVEN.allows.actions[0], "Microsoft.Network/*"] {
        let mut cloud = Cloud::new();
        let here = cloud.sandbox.sample().subscription;
        let mut gone = role(&cloud, AIVEN, &here);
        gone.permissions[0].actions = vec![allows.into()];
        gone.name_settle = Settle::Looks(u32::MAX);
        cloud.sandbox.edit(|world| world.deleted_roles.push(gone));
        cloud.settle();
        let bench = Bench::on(cloud, AIVEN, &shapes()[0].1);
        let run = go(&bench).unwrap_or_else(|error| panic!("{allows}: {error}"));
        assert_eq!(
            run.status("role"),
            Some(peer_wizard::engine::Status::Created)
        );
    }
}

#[test]
fn what_was_undone_is_made_again_at_once() {
    for looks in [1, 3] {
        let mut bench = plain(KONG, Lag::Looks(looks));
        bench.pace.first = Duration::from_millis(50);
        bench.pace.scale = 0.025;
        for turn in 0..2 {
            let mut disk = bench.disk();
            let run = bench.go(&mut disk, Journey::Apply);
            run.unwrap_or_else(|error| panic!("turn {turn}: {error}"));
            let run = bench.go(&mut disk, Journey::Undo);
            let undone = run.and_then(|run| bench.undone(&run));
            undone.unwrap_or_else(|error| panic!("turn {turn}: {error}"));
        }
        let held = answers(&bench.cloud, "POST", "/servicePrincipals", 409);
        assert_eq!(held, looks as usize);
    }
}

#[test]
fn a_principal_that_was_deleted_may_be_in_the_way() {
    let mut cloud = Cloud::new();
    let tenant = cloud.sandbox.sample().tenant;
    cloud.sandbox.edit(|world| {
        world.principals.push(Sp {
            tenant,
            id: "3c2b1a09-8f7e-4d6c-b5a4-93827160f5e4".into(),
            app_id: AIVEN.app_id.into(),
            deleted: Some("2025-06-01T08:00:00Z".into()),
            in_the_way: Settle::Looks(9),
            ..Sp::default()
        });
    });
    cloud.settle();
    let bench = Bench::on(cloud, AIVEN, &shapes()[0].1);
    go(&bench).expect("it is waited for");
}

#[test]
fn slow_principals_are_waited_for_as_long_as_they_may_take() {
    let error = |service, code: &str| {
        let body = format!(r#"{{"error":{{"code":"{code}","message":"m"}}}}"#);
        ApiError::read(service, "X /x".into(), 409, body.as_bytes())
    };
    let budget = |step: &dyn Definition<_>, error: &ApiError| {
        let settling = step.settling(error);
        settling.map(|it| it.budget.as_secs() / 60)
    };
    let role = Assignment::provider("Aiven", AIVEN.side);
    let unknown = error(Asked::Arm, "PrincipalNotFound");
    assert_eq!(budget(&role, &unknown), Some(15));
    let scope = error(
        Asked::Arm,
        "RoleAssignmentScopeNotAssignableToRoleDefinition",
    );
    assert_eq!(budget(&role, &scope), Some(5));
    let held = error(Asked::Graph, "Request_MultipleObjectsWithSameKeyValue");
    for principal in [
        Principal::own(),
        Principal::of("Aiven", AIVEN.side, AIVEN.app_id),
    ] {
        assert_eq!(budget(&principal, &held), Some(15));
    }
}
