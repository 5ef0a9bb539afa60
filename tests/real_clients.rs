//! Proof with the real `az` and `avn`: what this program prints, they accept, and it ends where this program ends.
//!
//! Ignored by default, since it needs PyPI, `shellcheck` and minutes; `.ci/run` runs it, and so does
//! `cargo test --test real_clients -- --ignored --test-threads 2`. Every script that runs here is clean for `shellcheck`,
//! leaves the person's own `az` session as it was and nothing in the folder for temporary files, and has no secret in its
//! text, its output, or an argument of a program, nor in the environment of one that needs none: see [`person::Person::try_run`].
#![cfg(unix)]

mod support;

#[path = "real_clients/certificate.rs"]
mod certificate;
#[path = "real_clients/clients.rs"]
mod clients;
#[path = "real_clients/parts.rs"]
mod parts;
#[path = "real_clients/person.rs"]
mod person;
#[path = "real_clients/shape.rs"]
mod shape;
#[path = "real_clients/world.rs"]
mod world;

use peer_wizard::{
    engine::{Run, Status},
    provider::{Provider, Shape},
    providers,
    sandbox::{
        Lag,
        parts::{Group, Network},
    },
};
use person::Person;
use serde_json::Value;
use shape::{assert_same, shape};
use support::{Bench, Cloud, GIVEN_APP, Journey, Moment, TestEnv, shapes};
use world::{rely_on, role_of_another_subscription};

/// A proof for each provider, by its id.
macro_rules! proofs {
    ($($provider:ident = $id:literal,)*) => {
        const PROVED: &[&str] = &[$($id),*];
        $(mod $provider {
            #[test]
            #[ignore = "needs PyPI; run by .ci/run"]
            fn its_script_connects() {
                super::connects(super::provider($id));
            }

            #[test]
            #[ignore = "needs PyPI; run by .ci/run"]
            fn its_undo_script_undoes() {
                super::undoes(super::provider($id));
            }

            #[test]
            #[ignore = "needs PyPI; run by .ci/run"]
            fn its_undo_script_fails_where_it_may_not_look() {
                super::undoes_nothing_unseen(super::provider($id));
            }
        })*
    };
}

proofs! {
    aiven_project = "aiven-project",
    aiven_organization = "aiven-organization",
    timescale = "timescale",
    kong = "kong",
}

#[test]
fn every_provider_is_proved() {
    let all: Vec<&str> = providers::ALL.iter().map(|provider| provider.id).collect();
    assert_eq!(PROVED, all);
}

fn provider(id: &str) -> &'static Provider {
    providers::named(id).unwrap_or_else(|| panic!("there is no provider {id}"))
}

fn plain() -> Shape {
    let [(_, plain), ..] = shapes();
    plain
}

fn both() -> Shape {
    let [.., (_, both)] = shapes();
    both
}

/// A finished native run on clouds that were prepared so, its saved form, and the world's shape after it.
fn native(provider: &'static Provider, shaped: &Shape, prepare: Prepare) -> (Bench, String, Value) {
    let mut cloud = Cloud::new();
    prepare(&cloud);
    cloud.settle();
    let bench = Bench::on(cloud, provider, shaped);
    let mut disk = bench.disk();
    let run = bench.go(&mut disk, Journey::Apply);
    run.unwrap_or_else(|error| panic!("{}: {error}", provider.id));
    let saved = disk.saved;
    let goal = shape(&bench.cloud, &bench.before, provider);
    (bench, saved, goal)
}

/// The script connects as a native run does, from nothing, again, and after it was cut off; and so does the one whose
/// values are variables.
fn connects(provider: &'static Provider) {
    let (_, _, goal) = native(provider, &plain(), &|_| ());
    // The clock of the simulated clouds runs, so that what a script waits for it really waits for.
    let cloud = Cloud::with(Lag::Timed(1.0));
    let person = Person::sign_in(&cloud, provider);
    let (before, fresh) = (cloud.world(), cloud.copy());
    let now = || shape(&cloud, &before, provider);
    let what = |what: &str| format!("{}: {what}", provider.id);

    let script = person.print(&person.connect_args());
    let ran = person.run(&what("connects"), &script);
    assert!(ran.said.ends_with("Connected.\n"), "{}", ran.said);
    assert_same(&what("connected"), &now(), &goal);
    let world = cloud.world();
    person.run(&what("connects again"), &script);
    assert_same(&what("connected again"), &cloud.world(), &world);

    cloud.restore(&fresh);
    let (script, vars) = with_variables(provider, &cloud);
    let ran = person.try_run(&what("asks for its variables"), &script, &[]);
    assert_ne!(ran.code, Some(0));
    assert!(ran.said.contains("set it"), "{}", ran.said);
    assert!(ran.called.is_empty(), "{:?}", ran.called);
    let mut vars: Vec<(&str, &str)> = vars
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    vars.push((token(provider), "of-nobody"));
    let ran = person.try_run(&what("is cut off at the provider"), &script, &vars);
    assert_ne!(ran.code, Some(0), "{}", ran.said);
    vars.pop();
    person.run_with(&what("goes on, from variables"), &script, &vars);
    let now = now()
        .to_string()
        .replace("peer-wizard-its-own", "peer-wizard-<run>");
    let now: Value = serde_json::from_str(&now).expect("only a name was replaced");
    // Kong's gateway has the VNet's name in its own, if that is known when the script is printed.
    let goal = goal
        .to_string()
        .replace("vnet-hub-prod-<run>", "vnet-<run>");
    let goal: Value = serde_json::from_str(&goal).expect("only a name was replaced");
    assert_same(&what("connected, from variables"), &now, &goal);
}

/// The script that is printed when nothing but the provider is known, and what its variables have to be.
fn with_variables(
    provider: &'static Provider,
    cloud: &Cloud,
) -> (String, Vec<(&'static str, String)>) {
    let mut args = vec![
        "azure",
        "--dry-run",
        "--no-input",
        "--provider",
        provider.id,
    ];
    if provider.own_application {
        args.extend([
            "--application",
            "peer-wizard-its-own",
            "--peering-name",
            "peer-wizard-its-own",
        ]);
    }
    // Signed in nowhere, and nothing listens where its services are.
    let script = TestEnv::new().run(&args).code(0).stdout;
    let mut vars = vec![("USER_VNET_ID", cloud.sandbox.sample().vnet_id)];
    let values = cloud
        .inputs(provider)
        .into_iter()
        .map(|(_, _, value)| value);
    let names = provider.inputs.iter().map(|input| input.fact.name);
    vars.extend(names.zip(values));
    (script, vars)
}

/// What a world is like before a run.
type Prepare<'a> = &'a dyn Fn(&Cloud);

/// The undo script leaves the world as it was before the native run; what was found beforehand stays.
fn undoes(provider: &'static Provider) {
    let let_in = |cloud: &Cloud| cloud.let_in_beforehand(provider, true);
    let elsewhere = |cloud: &Cloud| role_of_another_subscription(cloud, provider);
    let mut cases: Vec<(&str, Shape, Prepare)> = vec![
        ("all is new", plain(), &|_| ()),
        ("the provider was let in before", plain(), &let_in),
        ("the role was extended", plain(), &elsewhere),
    ];
    // These steps are the same code for every provider.
    if provider.id == providers::ALL[0].id {
        cases.push(("own application and role", both(), &|cloud| {
            cloud.add_application();
        }));
    }
    for (case, shaped, prepare) in cases {
        let (bench, saved, _) = native(provider, &shaped, prepare);
        assert_ne!(bench.cloud.world(), bench.before, "nothing to undo");
        let person = Person::sign_in(&bench.cloud, provider);
        let run = person.has_run(&saved);
        let what = format!("{}: undo, {case}", provider.id);
        let script = person.print(&["undo", &run, "--dry-run"]);
        person.run(&what, &script);
        assert_same(&what, &bench.cloud.world(), &bench.before);
        if case == "all is new" {
            person.run(&format!("{what}, again"), &script);
            assert_same(
                &format!("{what}, again"),
                &bench.cloud.world(),
                &bench.before,
            );
        }
    }
}

/// Whoever may not look at the provider has not undone anything: the script says so, and leaves all that there is.
fn undoes_nothing_unseen(provider: &'static Provider) {
    let (bench, saved, _) = native(provider, &plain(), &|_| ());
    let world = bench.cloud.world();
    let person = Person::sign_in(&bench.cloud, provider);
    let run = person.has_run(&saved);
    let script = person.print(&["undo", &run, "--dry-run"]);
    let what = format!("{}: undo with the token of nobody", provider.id);
    let ran = person.try_run(&what, &script, &[(token(provider), "of-nobody")]);
    assert_ne!(ran.code, Some(0), "{what}: {}", ran.said);
    assert_same(&what, &bench.cloud.world(), &world);
}

/// The variable that the provider's token is in.
fn token(provider: &Provider) -> &'static str {
    provider.token.variables[0]
}

/// Another peering has come to rely on the provider's principal and role since; undo takes nothing from it.
#[test]
#[ignore = "needs PyPI; run by .ci/run"]
fn an_undo_script_leaves_what_another_peering_relies_on() {
    let provider = provider("aiven-project");
    for (what, prepare) in [
        ("role and principal are new", (|_| ()) as fn(&Cloud)),
        ("the role was extended", |cloud| {
            role_of_another_subscription(cloud, self::provider("aiven-project"));
        }),
    ] {
        let (bench, saved, _) = native(provider, &plain(), &prepare);
        rely_on(&bench, provider);
        let person = Person::sign_in(&bench.cloud, provider);
        let world = bench.cloud.copy();
        let mut disk = bench.disk_with(&saved);
        bench.go(&mut disk, Journey::Undo).expect("undo");
        let goal = bench.cloud.world();
        bench.cloud.restore(&world);
        let run = person.has_run(&saved);
        let script = person.print(&["undo", &run, "--dry-run"]);
        person.run(what, &script);
        assert_same(what, &bench.cloud.world(), &goal);
    }
}

/// What a process that died leaves behind.
#[derive(Clone, Copy)]
enum Death {
    /// Between two steps.
    Between,
    /// In a step: the object is made, and the run's file says that it is being made.
    Within,
}

/// A run that died at each of its steps, from the step `from` on, is brought to its end by the script of what is left.
fn rest(provider: &'static Provider, from: Option<&str>, death: Death) {
    let bench = Bench::new(provider, &plain(), Lag::None);
    // The sign-in is part of every moment, so that its tokens are good at each of them.
    let person = Person::sign_in(&bench.cloud, provider);
    let (_, moments) = bench.moments(&bench.unbegun(), Journey::Apply);
    let goal = shape(&bench.cloud, &bench.before, provider);
    let steps = bench.flow.steps.iter().map(|step| step.about().id);
    let first = from.map_or(Some(0), |from| steps.clone().position(|id| id == from));
    let first = first.expect("the flow has this step");
    let stops = stops(&moments, death);
    assert!(stops.len() > first, "too few moments");
    for (done, moment) in stops {
        if done < first {
            continue;
        }
        let what = format!("{}: rest after {done} steps, {}", provider.id, moment.name);
        bench.cloud.restore(&moment.world);
        let run = person.has_run(&moment.saved);
        let script = person.print(&["resume", &run, "--dry-run"]);
        person.run(&what, &script);
        assert_same(&what, &shape(&bench.cloud, &bench.before, provider), &goal);
    }
}

/// The moments at which one more step was done than before, or was about to be, with the number of steps that were.
fn stops(moments: &[Moment], death: Death) -> Vec<(usize, &Moment)> {
    let record =
        |moment: &Moment| -> Run { serde_json::from_str(&moment.saved).expect("a whole run") };
    let done = |run: &Run| {
        run.records()
            .filter(|(_, it)| it.status != Status::Creating)
            .count()
    };
    let mut stops = Vec::new();
    // They come in pairs: before a save and after it.
    for pair in moments.chunks_exact(2) {
        let [before, after] = pair else { continue };
        let (was, is) = (record(before), record(after));
        if done(&is) == done(&was) {
            continue;
        }
        let creating = |run: &Run| run.records().any(|(_, it)| it.status == Status::Creating);
        match death {
            Death::Between => stops.push((done(&is), after)),
            Death::Within if creating(&was) => stops.push((done(&was), before)),
            Death::Within => {}
        }
    }
    stops
}

#[test]
#[ignore = "needs PyPI; run by .ci/run"]
fn what_is_left_of_a_run_is_a_script() {
    rest(provider("aiven-project"), None, Death::Between);
}

#[test]
#[ignore = "needs PyPI; run by .ci/run"]
fn what_is_left_of_a_run_that_died_in_a_step_is_a_script() {
    rest(provider("aiven-project"), None, Death::Within);
}

/// The steps before are the same code as in the project's flow, with the same values; Timescale has no step of its own.
#[test]
#[ignore = "needs PyPI; run by .ci/run"]
fn what_is_left_of_an_organizations_run_is_a_script() {
    let provider = provider("aiven-organization");
    rest(provider, Some("provider-peering"), Death::Between);
}

/// The steps before are those by which every provider is let in.
#[test]
#[ignore = "needs PyPI; run by .ci/run"]
fn what_is_left_of_a_run_for_kong_is_a_script() {
    rest(provider("kong"), Some("transit-gateway"), Death::Between);
}

#[test]
#[ignore = "needs PyPI; run by .ci/run"]
fn a_role_of_another_subscription_is_extended() {
    let provider = provider("aiven-project");
    let prepare = |cloud: &Cloud| role_of_another_subscription(cloud, provider);
    let (_, _, goal) = native(provider, &plain(), &prepare);
    let cloud = Cloud::new();
    prepare(&cloud);
    let person = Person::sign_in(&cloud, provider);
    let before = cloud.world();
    let script = person.print(&person.connect_args());
    person.run("a role of another subscription", &script);
    assert_same(
        "the role is extended",
        &shape(&cloud, &before, provider),
        &goal,
    );
}

#[test]
#[ignore = "needs PyPI; run by .ci/run"]
fn an_application_of_ones_own_and_a_narrow_role_are_used() {
    let provider = provider("aiven-project");
    let (_, _, goal) = native(provider, &both(), &|cloud| {
        cloud.add_application();
    });
    let cloud = Cloud::new();
    cloud.add_application();
    let person = Person::sign_in(&cloud, provider);
    let before = cloud.world();
    let mut args = person.connect_args();
    args.extend(
        [
            "--application-id",
            GIVEN_APP,
            "--grant-role",
            "peering-only",
        ]
        .map(str::to_owned),
    );
    let script = person.print(&args);
    person.run("own application, narrow role", &script);
    assert_same("connected", &shape(&cloud, &before, provider), &goal);
    person.run("own application, narrow role, again", &script);
    assert_same("connected again", &shape(&cloud, &before, provider), &goal);
}

/// Text that means something to bash, JSON, JMESPath, OData, or a URL.
const ODD: &str = r#"O'Brien's "own" $HOME `id` (50%) \ & Zoë's #1"#;
/// The same for resource groups, as far as a name can have it and further; and what Azure allows beyond ASCII.
const ODD_GROUPS: [&str; 2] = ["rg-O'Brien_$HOME`id`-(x).y", "rg-(zoë).ключ"];

#[test]
#[ignore = "needs PyPI; run by .ci/run"]
fn values_of_any_characters_arrive_as_they_are() {
    let provider = provider("aiven-project");
    let odd = |cloud: &Cloud, group: &str| -> String {
        let subscription = cloud.sandbox.sample().subscription;
        let network = Network {
            subscription: subscription.clone(),
            group: group.into(),
            name: "vnet-odd".into(),
            location: "westeurope".into(),
            prefixes: vec!["10.77.0.0/16".into()],
            guid: "9f1e2d3c-4b5a-4978-8695-a4b3c2d1e0f9".into(),
            provisioning: "Succeeded".into(),
            ..Network::default()
        };
        let id = network.id();
        cloud.sandbox.edit(|world| {
            world.groups.push(Group {
                subscription,
                name: group.into(),
                location: "westeurope".into(),
            });
            world.networks.push(network);
        });
        id
    };
    let args = |cloud: &Cloud, vnet: &str| -> Vec<String> {
        let mut args: Vec<String> = ["azure", "--provider", provider.id, "--vnet", vnet]
            .map(str::to_owned)
            .into();
        for (flag, _, value) in cloud.inputs(provider) {
            args.extend([flag.clone(), value]);
        }
        for flag in ["--application", "--role-name"] {
            args.extend([flag, ODD].map(str::to_owned));
        }
        args.extend(["--grant-scope", "resource-group", "--no-input"].map(str::to_owned));
        args
    };
    let with = |mut args: Vec<String>, more: &str| {
        args.push(more.to_owned());
        args
    };

    for group in ODD_GROUPS {
        let cloud = Cloud::new();
        let vnet = odd(&cloud, group);
        let before = cloud.world();
        let env = TestEnv::of(&cloud, provider.id);
        env.run(&with(args(&cloud, &vnet), "--yes")).code(0);
        let goal = shape(&cloud, &before, provider);

        let cloud = Cloud::new();
        let vnet = odd(&cloud, group);
        let person = Person::sign_in(&cloud, provider);
        let script = person.print(&with(args(&cloud, &vnet), "--dry-run"));
        person.run(&format!("odd values, {group}"), &script);
        assert_same(group, &shape(&cloud, &before, provider), &goal);
        person.run(&format!("odd values, {group}, again"), &script);
        assert_same(group, &shape(&cloud, &before, provider), &goal);
    }
}

#[test]
#[ignore = "needs PyPI; run by .ci/run"]
fn this_program_signs_in_with_the_session_of_az() {
    let provider = provider("aiven-project");
    let (_, _, goal) = native(provider, &plain(), &|_| ());
    let cloud = Cloud::new();
    let person = Person::sign_in(&cloud, provider);
    let before = cloud.world();
    let mut env = TestEnv::of(&cloud, provider.id);
    for (name, value) in person.vars() {
        env = env.set(name, value);
    }
    for name in ["AZURE_CLIENT_ID", "AZURE_TENANT_ID", "AZURE_CLIENT_SECRET"] {
        env = env.unset(name);
    }
    let mut args = cloud.args(provider);
    args.extend(["--sign-in", "az", "--output", "json"].map(str::to_owned));
    let events = env.run(&args).code(0).events();
    let last = events.last().expect("events");
    assert_eq!(last["status"], "connected", "{last}");
    assert_same(
        "connected through az",
        &shape(&cloud, &before, provider),
        &goal,
    );
    let calls = person.calls();
    assert!(
        calls
            .iter()
            .any(|call| call.starts_with("az account get-access-token")),
        "{calls:?}"
    );
    person.assert_untouched("this program", &calls);
}

/// What no test above runs is at least clean.
#[test]
#[ignore = "needs shellcheck; run by .ci/run"]
fn every_shape_of_script_is_clean() {
    let folder = support::TempDir::new();
    let check = |what: &str, script: &str| {
        let path = folder.path("script.sh");
        std::fs::write(&path, script).expect("a new file");
        clients::shellcheck(what, &path);
    };
    let cloud = Cloud::new();
    for provider in providers::ALL {
        let choices: &[&[&str]] = &[
            &[],
            &["--application-id", GIVEN_APP],
            &["--grant-role", "peering-only"],
            &[
                "--grant-role",
                "peering-only",
                "--application-id",
                GIVEN_APP,
            ],
            &["--credential", "certificate"],
            &["--grant-scope", "resource-group"],
            &["--grant-scope", "subscription"],
            &["--application", ODD, "--role-name", ODD],
        ];
        for choice in choices {
            for known in [false, true] {
                let mut args = if known {
                    cloud.args(provider)
                } else {
                    vec!["azure".into()]
                };
                args.retain(|arg| arg != "--yes");
                if !known {
                    args.extend(["--provider", provider.id].map(str::to_owned));
                }
                args.extend(["--dry-run", "--no-input"].map(str::to_owned));
                args.extend(choice.iter().map(|it| (*it).to_owned()));
                let output = TestEnv::new().run(&args).code(0);
                check(&output.command, &output.stdout);
            }
        }
        let (_, saved, _) = native(provider, &plain(), &|_| ());
        let env = TestEnv::new();
        let run: Value = serde_json::from_str(&saved).expect("a whole run");
        let name = run["run"].as_str().expect("a name").to_owned();
        std::fs::create_dir_all(env.runs()).expect("a new folder");
        std::fs::write(env.runs().join(format!("{name}.json")), &saved).expect("a new file");
        for args in [
            vec!["undo", &name, "--dry-run", "--keep-application"],
            vec!["undo", &name, "--dry-run"],
            vec!["resume", &name, "--dry-run"],
        ] {
            let output = env.run(&args).code(0);
            check(&output.command, &output.stdout);
        }
    }
}
