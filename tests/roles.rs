//! Custom roles in a large tenant: names that are taken out of sight, odd roles, many roles, and two who change one at once.

mod support;

use peer_wizard::{
    engine::{Run, Status},
    http::{ApiError, Service},
    provider::Provider,
    providers,
    sandbox::{
        Fault, Faults, Rule, When,
        parts::{Assignment, Permission, Role, Subscription},
    },
};
use serde_json::{Value, json};
use support::{Bench, Broken, Cloud, Journey, shapes};

const AIVEN: &Provider = &providers::aiven::PROJECT;
/// A subscription of the tenant in which the sample's sign-in may do nothing.
const HIDDEN: &str = "77c1f0a2-3b4d-4e5f-8a6b-9c0d1e2f3a4b";
const THEIRS: &str = "8d0c6a54-1f2e-4b3d-9c7a-5e6f7a8b9c0d";
const OWNER: &str = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635";
const READER: &str = "acdd72a7-3385-48ef-bd42-f606fba81ae7";

fn scope(subscription: &str) -> String {
    format!("/subscriptions/{subscription}")
}

/// A role of the provider's name and actions.
fn role(cloud: &Cloud, subscription: &str) -> Role {
    let actions = AIVEN.allows.actions.iter();
    Role {
        tenant: cloud.sandbox.sample().tenant,
        id: THEIRS.into(),
        name: AIVEN.role_name.into(),
        permissions: vec![Permission {
            actions: actions.map(ToString::to_string).collect(),
            ..Permission::default()
        }],
        assignable_scopes: vec![scope(subscription)],
        created: "2025-06-01T08:00:00Z".into(),
        updated: "2025-06-01T08:00:00Z".into(),
        ..Role::default()
    }
}

/// Clouds in which there are these roles, and one more subscription in which the sign-in may do nothing.
fn cloud(roles: impl FnOnce(&Cloud) -> Vec<Role>) -> Cloud {
    let mut cloud = Cloud::new();
    let (roles, tenant) = (roles(&cloud), cloud.sandbox.sample().tenant);
    cloud.sandbox.edit(|world| {
        world.subscriptions.push(Subscription {
            id: HIDDEN.into(),
            tenant,
            name: "Somebody else's".into(),
            ..Subscription::default()
        });
        world.roles.extend(roles);
    });
    cloud.settle();
    cloud
}

fn bench(roles: impl FnOnce(&Cloud) -> Vec<Role>) -> Bench {
    Bench::on(cloud(roles), AIVEN, &shapes()[0].1)
}

fn development(cloud: &Cloud) -> String {
    cloud
        .sandbox
        .edit(|world| world.subscriptions[1].id.clone())
}

fn go(bench: &Bench) -> Result<Run, String> {
    bench.go(&mut bench.disk(), Journey::Apply)
}

/// A run in which the person chose this name.
fn called(bench: &Bench, name: &str) -> String {
    let mut run: Value = serde_json::from_str(&bench.unbegun()).expect("a whole run");
    run["facts"]["ROLE_NAME"] = json!(name);
    run.to_string()
}

fn scopes(bench: &Bench) -> Vec<String> {
    bench.cloud.sandbox.edit(|world| {
        let theirs = world.roles.iter().find(|it| it.id == THEIRS);
        theirs.expect("it is there").assignable_scopes.clone()
    })
}

#[test]
fn a_name_that_is_taken_out_of_sight_is_gone_round() {
    let bench = bench(|cloud| vec![role(cloud, HIDDEN)]);
    let here = bench.cloud.sandbox.sample().subscription;
    let wanted = format!("{} {}", AIVEN.role_name, &here[..8]);
    let (finished, moments) = bench.moments(&bench.unbegun(), Journey::Apply);
    let run: Run = serde_json::from_str(&finished).expect("a whole run");
    assert_eq!(run.shared.facts.text("ROLE_NAME"), Some(wanted.as_str()));
    let named = bench
        .cloud
        .sandbox
        .edit(|world| world.roles.iter().filter(|it| it.name == wanted).count());
    assert_eq!(named, 1);
    let goal = bench.picture(&run);
    let mut broken = Broken::default();
    for moment in moments
        .into_iter()
        .filter(|it| it.name.contains("role Creat"))
    {
        for journey in [Journey::Apply, Journey::Undo] {
            bench.cloud.restore(&moment.world);
            let end = bench.go(&mut bench.disk_with(&moment.saved), journey);
            let end = end.and_then(|run| match journey {
                Journey::Apply => bench.reached(&run, &goal),
                Journey::Undo => bench.undone(&run),
            });
            broken.note(&format!("{journey:?} {}", moment.name), end);
        }
    }
    broken.assert_none_of("journeys with a role of another name");
}

#[test]
fn the_next_run_finds_the_role_of_another_name() {
    let first = bench(|cloud| vec![role(cloud, HIDDEN)]);
    go(&first).expect("it runs");
    let (shape, cloud) = (&shapes()[0].1, std::rc::Rc::clone(&first.cloud));
    let project = cloud.sample("project");
    let vpc = cloud.sandbox.edit(|world| world.add_project_vpc(&project));
    let second = Bench::with(cloud, AIVEN, shape, "next", &[("VPC_ID", &vpc)]);
    let run = go(&second).expect("it runs too");
    assert_eq!(run.status("role"), Some(Status::Found));
}

#[test]
fn a_name_that_was_chosen_is_kept() {
    let bench = bench(|cloud| {
        let mut taken = role(cloud, HIDDEN);
        taken.name = "Ours".into();
        vec![taken]
    });
    let mut disk = bench.disk_with(&called(&bench, "Ours"));
    let error = bench
        .go(&mut disk, Journey::Apply)
        .expect_err("it is taken");
    assert!(
        error.contains("RoleDefinitionWithSameNameExists"),
        "{error}"
    );
}

#[test]
fn odd_roles_stop_nothing() {
    let odd = [
        json!({"roleName": null}),
        json!({"permissions": null, "assignableScopes": null, "type": null}),
        json!({"permissions": "all", "updatedOn": 7}),
        json!({"permissions": [{"actions": null, "notActions": {}}], "description": []}),
    ];
    let bench = bench(|cloud| {
        let here = cloud.sandbox.sample().subscription;
        let roles = odd.into_iter().enumerate().map(|(index, odd)| Role {
            id: format!("00000000-0000-4000-8000-{index:012}"),
            name: format!("odd {index}"),
            odd: odd.as_object().cloned().unwrap_or_default(),
            permissions: vec![Permission {
                actions: vec!["Microsoft.Compute/*/read".into()],
                ..Permission::default()
            }],
            ..role(cloud, &here)
        });
        roles.collect()
    });
    let run = go(&bench).expect("they are none of ours");
    assert_eq!(run.status("role"), Some(Status::Created));
}

fn lists(bench: &Bench) -> usize {
    let seen = bench.cloud.sandbox.requests().into_iter();
    seen.filter(|it| it.method == "GET" && it.path.ends_with("/roleDefinitions"))
        .count()
}

#[test]
fn many_roles_are_listed_once() {
    for shape in [&shapes()[0].1, &shapes()[2].1] {
        let many = |count: usize| {
            let cloud = cloud(|cloud| {
                let here = cloud.sandbox.sample().subscription;
                let roles = (0..count).map(|index| Role {
                    id: format!("00000000-0000-4000-8000-{index:012}"),
                    name: format!("role {index}"),
                    permissions: vec![Permission {
                        actions: vec![format!("Microsoft.Compute/kind{index}/read")],
                        ..Permission::default()
                    }],
                    ..role(cloud, &here)
                });
                roles.collect()
            });
            let bench = Bench::on(cloud, AIVEN, shape);
            let before = (bench.cloud.sandbox.requests().len(), lists(&bench));
            go(&bench).expect("it runs");
            let after = bench.cloud.sandbox.requests().len();
            (after - before.0, lists(&bench) - before.1)
        };
        let ((none, _), (requests, listed)) = (many(0), many(5000));
        assert_eq!(listed, 1);
        assert!(requests <= none, "{requests} requests, and {none} without");
    }
}

/// Rights for the sample's sign-in in one more subscription.
fn right(cloud: &Cloud, subscription: &str, role: &str) {
    cloud.sandbox.edit(|world| {
        let own = world.assignments.iter();
        let mut own = own.filter(|it| it.principal_type == "ServicePrincipal");
        let mut more = own.next_back().expect("it has rights").clone();
        world
            .assignments
            .retain(|it| it.principal != more.principal || it.scope != scope(subscription));
        more = Assignment {
            id: "4e5f6a7b-8c9d-4e0f-a1b2-c3d4e5f6a7b8".into(),
            scope: scope(subscription),
            role: role.into(),
            ..more
        };
        world.assignments.push(more);
    });
}

fn written_over(path: &str, times: u32) -> Faults {
    let when = When {
        method: Some("PUT".into()),
        ..When::path(path)
    };
    Faults {
        rules: vec![Rule {
            when,
            fault: Fault::WrittenOver(scope(HIDDEN)),
            skip: 0,
            times,
        }],
    }
}

/// Another run read the role before this one wrote it, and writes after that.
#[test]
fn two_who_extend_a_role_at_once_lose_no_scope() {
    for (path, times) in [
        ("/roleDefinitions/", 1),
        ("/roleDefinitions/", 3),
        ("/roleAssignments/", 1),
    ] {
        let bench = bench(|cloud| vec![role(cloud, &development(cloud))]);
        right(&bench.cloud, HIDDEN, OWNER);
        let (dev, here) = (
            development(&bench.cloud),
            bench.cloud.sandbox.sample().subscription,
        );
        bench.cloud.faults(written_over(path, times));
        let mut disk = bench.disk();
        let run = bench.go(&mut disk, Journey::Apply);
        let run = run.unwrap_or_else(|error| panic!("{path}: {error}"));
        assert_eq!(bench.cloud.fault_left(), 0, "{path}");
        assert_eq!(run.status("role"), Some(Status::Found));
        let mut now = scopes(&bench);
        now.sort();
        now.dedup();
        let mut wanted = [&*dev, &*here, HIDDEN].map(scope).to_vec();
        wanted.sort();
        assert_eq!(now, wanted, "{path}");
        // Shrinking it takes back the run's own alone.
        bench.go(&mut disk, Journey::Undo).expect("it is undone");
        let mut now = scopes(&bench);
        now.sort();
        now.dedup();
        let mut wanted = [&*dev, HIDDEN].map(scope).to_vec();
        wanted.sort();
        assert_eq!(now, wanted, "{path}: undone");
    }
}

fn hints(error: &str) -> Vec<String> {
    let (_, said) = error.split_once("Azure answered 403 ").expect("a refusal");
    let (code, message) = said.split_once(": ").expect("a code");
    let body = json!({"error": {"code": code, "message": message}}).to_string();
    let error = ApiError::read(Service::Arm, "PUT /x".into(), 403, body.as_bytes());
    peer_wizard::http::hints::of(&error)
}

#[test]
fn a_role_that_may_not_be_extended_is_gone_round_by_another_name() {
    // The change is made at the first of its scopes; the others are linked.
    for (first, code) in [
        (false, "LinkedAuthorizationFailed"),
        (true, "AuthorizationFailed"),
    ] {
        let bench = bench(|cloud| {
            let mut both = role(cloud, HIDDEN);
            let at = usize::from(!first);
            both.assignable_scopes
                .insert(at, scope(&development(cloud)));
            vec![both]
        });
        right(&bench.cloud, HIDDEN, OWNER);
        right(&bench.cloud, &development(&bench.cloud), READER);
        let before = scopes(&bench);
        let error = go(&bench).expect_err("it may not be extended");
        assert!(error.contains(&format!("403 {code}:")), "{error}");
        let hints = hints(&error);
        let way_out = hints.len() == 1 && hints[0].contains("`--role-name`");
        assert!(way_out, "{hints:?}");
        let mut disk = bench.disk_with(&called(&bench, "Our own"));
        let run = bench.go(&mut disk, Journey::Apply).expect("it has its own");
        assert_eq!(run.status("role"), Some(Status::Created));
        assert_eq!(scopes(&bench), before);
    }
}

#[test]
fn a_right_on_a_condition_has_a_hint() {
    let bench = bench(|_| Vec::new());
    bench.cloud.sandbox.edit(|world| {
        let all = world.assignments.iter_mut();
        all.for_each(|it| it.may_assign = vec![READER.into()]);
    });
    let error = go(&bench).expect_err("the condition is in the way");
    let hints = hints(&error);
    assert!(hints[0].contains("condition"), "{hints:?}");
    assert!(hints[0].contains("`--role-name`"), "{hints:?}");
}
