//! What your application signs in with: a password, or a certificate where the tenant forbids passwords. It is made before
//! anything is asked of the provider, nobody else's is touched, and nothing of it is left.

mod support;

use peer_wizard::{
    azure::steps::CredentialKind,
    engine::Run,
    provider::{Provider, Shape},
    providers,
    sandbox::{
        Fault, Faults, Lag, Rule, Seen, Service, When, World,
        parts::{KeyCredential, Password, Policies},
    },
};
use serde_json::Value;
use std::time::Duration;
use support::{Bench, Broken, Cloud, GIVEN_APP, Journey, Output, TestEnv, shapes};

const PROJECT: &Provider = &providers::aiven::PROJECT;
const OTHERS: &str = "nightly job";
const OTHERS_KEY: &str = "3f0a9b58-6f0e-4c39-9f0e-2b6d8c3e1f02";

fn shape(credential: CredentialKind, given: bool) -> Shape {
    Shape {
        credential,
        ..shapes()[usize::from(given)].1.clone()
    }
}

fn certificate(lag: Lag) -> Bench {
    Bench::new(PROJECT, &shape(CredentialKind::Certificate, false), lag)
}

fn go(bench: &Bench) -> Result<Run, String> {
    bench.go(&mut bench.disk(), Journey::Apply)
}

/// The names of the credentials that applications have, but for that of the one that the tests sign in with.
fn credentials(cloud: &Cloud) -> Vec<String> {
    cloud.sandbox.edit(|world| {
        let apps = world.applications.iter();
        let apps = apps.filter(|app| app.display_name != "Platform administration");
        let names = apps.flat_map(|app| {
            let passwords = app.passwords.iter().map(|it| it.display_name.clone());
            passwords.chain(app.keys.iter().map(|it| it.display_name.clone()))
        });
        names.flatten().collect()
    })
}

/// Gives the person's own application a password and a certificate that somebody needs.
fn others_too(world: &mut World) {
    let mut apps = world.applications.iter_mut();
    let app = apps.find(|app| app.app_id == GIVEN_APP);
    let app = app.expect("it was added");
    app.passwords.push(Password {
        key_id: "3f0a9b58-6f0e-4c39-9f0e-2b6d8c3e1f01".into(),
        display_name: Some(OTHERS.into()),
        ..Password::default()
    });
    app.keys.push(KeyCredential {
        key_id: OTHERS_KEY.into(),
        display_name: Some(OTHERS.into()),
        start: "2026-01-01T00:00:00Z".into(),
        end: "2036-01-01T00:00:00Z".into(),
        ..KeyCredential::default()
    });
}

fn graph(cloud: &Cloud, method: &str) -> Vec<Seen> {
    let seen = cloud.sandbox.requests().into_iter();
    let fits = |it: &Seen| it.service == Service::Graph && it.method == method;
    seen.filter(fits).collect()
}

/// The requests that wrote certificates.
fn writes(cloud: &Cloud) -> Vec<Value> {
    let patches = graph(cloud, "PATCH").into_iter();
    let lists = patches.map(|it| it.body["keyCredentials"].clone());
    lists.filter(|it| !it.is_null()).collect()
}

fn minted(cloud: &Cloud) -> usize {
    let posts = graph(cloud, "POST").into_iter();
    posts.filter(|it| it.path.ends_with("/addPassword")).count()
}

fn forbid(cloud: &Cloud, policies: Policies) {
    cloud.sandbox.edit(|world| world.policies = policies);
}

fn no_passwords() -> Policies {
    Policies {
        no_passwords: true,
        ..Policies::default()
    }
}

fn run(cloud: &Cloud, more: &[&str]) -> (TestEnv, Output) {
    let mut args = cloud.args(PROJECT);
    args.extend(more.iter().map(|it| (*it).to_owned()));
    let env = TestEnv::of(cloud, PROJECT.id);
    let output = env.run(&args);
    (env, output)
}

#[test]
fn a_certificate_connects_as_a_password_does_and_nothing_of_it_is_left() {
    let bench = certificate(Lag::None);
    let goal = Bench::new(PROJECT, &shape(CredentialKind::Password, false), Lag::None).goal();
    let run = go(&bench).expect("it connects");
    bench.reached(&run, &goal).expect("the same end");
    assert_eq!(minted(&bench.cloud), 0);
    let lists = writes(&bench.cloud);
    assert_eq!(lists.len(), 2, "{lists:?}");
    let key = &lists[0][0];
    assert_eq!(key["type"], "AsymmetricX509Cert");
    assert_eq!(key["usage"], "Verify");
    assert_eq!(key["displayName"], format!("peer-wizard {}", run.run));
    assert_eq!(run.facts().text("USER_APP_KEY_ID"), key["keyId"].as_str());
    assert_eq!(lists[1], Value::Array(Vec::new()));

    // Both tenants were signed in to by assertions.
    let app = run.facts().text("USER_APP_ID").map(str::to_owned);
    let seen = bench.cloud.sandbox.requests().into_iter();
    let tokens: Vec<Seen> = seen
        .filter(|it| {
            it.service == Service::Entra && it.body["client_id"].as_str() == app.as_deref()
        })
        .collect();
    assert!(tokens.iter().all(|it| it.body["client_secret"].is_null()));
    let good = tokens.iter().filter(|it| it.status == 200);
    assert_eq!(good.count(), 2);
    let mut disk = bench.disk_with(&serde_json::to_string(&run).expect("a run serialises"));
    let undone = bench.go(&mut disk, Journey::Undo).expect("it is undone");
    bench.undone(&undone).expect("nothing is left");
}

#[test]
fn the_credential_is_made_before_the_provider_is_asked_for_anything() {
    for kind in [CredentialKind::Auto, CredentialKind::Certificate] {
        let bench = Bench::new(PROJECT, &shape(kind, false), Lag::None);
        go(&bench).expect("it connects");
        let seen = bench.cloud.sandbox.requests();
        let made = seen.iter().position(|it| {
            it.path.ends_with("/addPassword") || !it.body["keyCredentials"].is_null()
        });
        let asked = seen
            .iter()
            .position(|it| matches!(it.service, Service::Of(_)) && it.method != "GET");
        assert!(made.expect("it is made") < asked.expect("it is asked"));

        bench.cloud.reset();
        let before = bench.cloud.sandbox.requests().len();
        forbid(
            &bench.cloud,
            Policies {
                only_trusted_certificates: true,
                ..no_passwords()
            },
        );
        go(&bench).expect_err("neither is allowed");
        let seen = bench.cloud.sandbox.requests();
        let mut asked = seen[before..].iter();
        let asked = asked.any(|it| matches!(it.service, Service::Of(_)) && it.method != "GET");
        assert!(!asked, "the provider was asked");
    }
}

#[test]
fn where_passwords_are_forbidden_auto_takes_a_certificate_and_says_so() {
    let cloud = Cloud::new();
    forbid(&cloud, no_passwords());
    let (env, output) = run(&cloud, &["--output", "json"]);
    let output = output.code(0);
    let events = output.events();
    let finished = events
        .iter()
        .find(|it| it["event"] == "finished" && it["step"] == "password");
    let says = finished.expect("it is made")["says"].clone();
    assert!(
        says.as_str().is_some_and(|it| it.contains("certificate")),
        "{says}"
    );
    assert_eq!(credentials(&cloud), Vec::<String>::new());
    assert_eq!(env.file()["answers"]["CREDENTIAL"]["value"], "auto");
    assert_eq!(env.file()["answers"]["CREDENTIAL"]["from"], "default");
    let written = env.everything_written();
    assert!(!written.contains("USER_APP_SECRET"), "{written}");
    for list in writes(&cloud) {
        let key = list[0]["key"].as_str();
        assert!(key.is_none_or(|key| !written.contains(key)));
    }

    // In words too.
    let cloud = Cloud::new();
    forbid(&cloud, no_passwords());
    run(&cloud, &[]).1.code(0).says("so it is a certificate");
}

#[test]
fn a_policy_that_is_not_met_says_what_to_do() {
    let both = Policies {
        only_trusted_certificates: true,
        ..no_passwords()
    };
    let life = Policies {
        password_life: Some(3600.0),
        certificate_life: Some(3600.0),
        ..Policies::default()
    };
    let audience = Policies {
        audiences: Some(vec!["AzureADMyOrg".into()]),
        ..Policies::default()
    };
    for (policies, kind, code, hint) in [
        (
            &no_passwords(),
            "password",
            "CredentialTypeNotAllowedAsPerAppPolicy",
            "`--credential certificate`",
        ),
        (
            &both,
            "certificate",
            "CredentialTypeNotAllowedAsPerAppPolicy",
            "an authority of its own has signed",
        ),
        (
            &both,
            "auto",
            "CredentialTypeNotAllowedAsPerAppPolicy",
            "an authority of its own has signed",
        ),
        (
            &life,
            "auto",
            "CredentialInvalidLifetimeAsPerAppPolicy",
            "the life of passwords",
        ),
        (
            &life,
            "certificate",
            "CredentialInvalidLifetimeAsPerAppPolicy",
            "the life of certificates",
        ),
        (
            &audience,
            "auto",
            "SignInAudienceNotAllowedAsPerAppPolicy",
            "`--application-id`",
        ),
    ] {
        let cloud = Cloud::new();
        forbid(&cloud, policies.clone());
        let (_, output) = run(&cloud, &["--credential", kind]);
        output.code(1).says(code).says(hint);
        assert_eq!(credentials(&cloud), Vec::<String>::new(), "{kind} {code}");
    }
}

#[test]
fn the_answer_is_taken_in_any_case_saved_and_given_to_resume() {
    let cloud = Cloud::new();
    // The provider does not begin, so that the first process stops after the credential.
    cloud.sandbox.edit(|world| world.closed = true);
    let (env, output) = run(&cloud, &["--credential", "CERTIFICATE", "--no-wait"]);
    output.code(5);
    assert_eq!(env.file()["answers"]["CREDENTIAL"]["value"], "certificate");
    assert_eq!(env.file()["answers"]["CREDENTIAL"]["from"], "flag");
    assert_eq!(credentials(&cloud), Vec::<String>::new());
    let before = writes(&cloud).len();
    cloud.open_the_gate();
    let run = env.file()["run"].as_str().expect("it is saved").to_owned();
    env.run(&["resume", &run, "--yes"]).code(0);
    assert!(writes(&cloud).len() > before);
    assert_eq!(minted(&cloud), 0);
    assert_eq!(credentials(&cloud), Vec::<String>::new());
    env.run(&["azure", "--credential", "smoke-signals", "--yes"])
        .code(2)
        .says("certificate");
}

#[test]
fn killed_at_any_save_with_a_certificate_it_resumes_and_is_undone() {
    std::thread::scope(|scope| {
        for (kind, given) in [
            (CredentialKind::Certificate, false),
            (CredentialKind::Certificate, true),
            (CredentialKind::Auto, false),
        ] {
            scope.spawn(move || killed_at_any_save(kind, given));
        }
    });
}

fn killed_at_any_save(kind: CredentialKind, given: bool) {
    let mut cloud = Cloud::new();
    if given {
        cloud.add_application();
        cloud.sandbox.edit(others_too);
    }
    if kind == CredentialKind::Auto {
        forbid(&cloud, no_passwords());
    }
    cloud.settle();
    let bench = Bench::on(cloud, PROJECT, &shape(kind, given));
    let others = credentials(&bench.cloud);
    assert_eq!(others.len(), if given { 2 } else { 0 });
    let goal = bench.goal();
    let (_, moments) = bench.moments(&bench.unbegun(), Journey::Apply);
    let mut broken = Broken::default();
    for moment in moments {
        for journey in [Journey::Apply, Journey::Undo] {
            let what = format!("{kind:?} {given} {journey:?} when killed {}", moment.name);
            bench.cloud.restore(&moment.world);
            let end = bench.go(&mut bench.disk_with(&moment.saved), journey);
            let end = end.and_then(|run| match journey {
                Journey::Apply => bench.reached(&run, &goal),
                Journey::Undo => bench.undone(&run),
            });
            broken.note(&what, end);
            assert_eq!(credentials(&bench.cloud), others, "{what}");
        }
        // The file names somebody else's.
        if given && moment.saved.contains("USER_APP_KEY_ID") {
            bench.cloud.restore(&moment.world);
            let mut file: Value = serde_json::from_str(&moment.saved).expect("JSON");
            file["facts"]["USER_APP_KEY_ID"] = OTHERS_KEY.into();
            let end = bench.go(&mut bench.disk_with(&file.to_string()), Journey::Undo);
            broken.note(
                "the file names another",
                end.and_then(|run| bench.undone(&run)),
            );
            assert_eq!(credentials(&bench.cloud), others);
        }
    }
    broken.assert_none_of("journeys with a certificate after a death at a save");
}

#[test]
fn whatever_the_lag_no_certificate_is_left() {
    let goal = certificate(Lag::None).goal();
    let mut broken = Broken::default();
    for looks in [1, 2, 3, 7] {
        let bench = certificate(Lag::Looks(looks));
        let end = go(&bench).and_then(|run| bench.reached(&run, &goal));
        broken.note(&format!("{looks} looks"), end);
        assert_eq!(credentials(&bench.cloud), Vec::<String>::new(), "{looks}");
    }
    broken.assert_none_of("runs with a certificate in slow clouds");
}

#[test]
fn a_lost_answer_about_a_certificate_leaves_none() {
    for looks in [0, 1, 4] {
        // The first writes it, the second removes it.
        for skip in [0, 1] {
            for fault in [
                Fault::FailAfter,
                Fault::Cut,
                Fault::FailBefore(503),
                Fault::Concurrent,
            ] {
                let what = format!("{looks} looks, {fault:?} at write {skip}");
                let bench = certificate(Lag::Looks(looks));
                let when = When {
                    method: Some("PATCH".into()),
                    ..When::path("/v1.0/applications/")
                };
                bench.cloud.faults(Faults {
                    rules: vec![Rule {
                        when,
                        fault: fault.clone(),
                        skip,
                        times: 1,
                    }],
                });
                go(&bench).unwrap_or_else(|error| panic!("{what}: {error}"));
                assert_eq!(bench.cloud.fault_left(), 0, "{what}");
                assert_eq!(credentials(&bench.cloud), Vec::<String>::new(), "{what}");
            }
        }
    }
}

/// The certificate of a process that was killed is removed by the next, also where it does not show.
#[test]
fn certificates_of_killed_processes_are_removed_in_slow_clouds() {
    std::thread::scope(|scope| {
        for looks in [2, 5] {
            scope.spawn(move || {
                let mut bench = certificate(Lag::Looks(looks));
                bench.pace.scale = 0.025;
                bench.pace.first = Duration::from_millis(150);
                let (_, moments) = bench.moments(&bench.unbegun(), Journey::Apply);
                let minted =
                    |name: &str| name.starts_with("after") && name.contains("password Creat");
                let moments = moments.into_iter().filter(|it| minted(&it.name));
                for moment in moments.take(2) {
                    bench.cloud.restore(&moment.world);
                    let mut disk = bench.disk_with(&moment.just_now());
                    let end = bench.go(&mut disk, Journey::Apply);
                    end.unwrap_or_else(|error| panic!("{}: {error}", moment.name));
                    assert_eq!(
                        credentials(&bench.cloud),
                        Vec::<String>::new(),
                        "{looks}: {}",
                        moment.name
                    );
                }
            });
        }
    });
}

#[test]
fn what_somebody_else_writes_at_the_same_time_stays_and_ours_is_put_again() {
    for (given, skip) in [(false, 0), (true, 0), (true, 1)] {
        let bench = Bench::new(
            PROJECT,
            &shape(CredentialKind::Certificate, given),
            Lag::None,
        );
        if given {
            bench.cloud.sandbox.edit(others_too);
        }
        bench.cloud.faults(Faults {
            rules: vec![Rule {
                skip,
                ..Rule::once(When::default(), Fault::KeysWrittenOver)
            }],
        });
        go(&bench).expect("it connects");
        assert_eq!(bench.cloud.fault_left(), 0);
        let left = credentials(&bench.cloud);
        let theirs = |name: &str| left.iter().filter(|it| *it == name).count();
        assert_eq!(theirs("written at the same time"), 1, "{left:?}");
        assert_eq!(theirs(OTHERS), if given { 2 } else { 0 }, "{left:?}");
        assert_eq!(left.len(), 1 + 2 * usize::from(given), "{left:?}");
    }
}

#[test]
fn an_application_with_a_certificate_of_somebody_else_is_kept() {
    let bench = certificate(Lag::None);
    let mut disk = bench.disk();
    let run = bench.go(&mut disk, Journey::Apply).expect("it connects");
    let id = run.facts().text("USER_APP_ID").map(str::to_owned);
    bench.cloud.sandbox.edit(|world| {
        let mut apps = world.applications.iter_mut();
        let app = apps.find(|app| Some(&app.app_id) == id.as_ref());
        app.expect("it is there").keys.push(KeyCredential {
            key_id: "3f0a9b58-6f0e-4c39-9f0e-2b6d8c3e1f03".into(),
            display_name: Some(OTHERS.into()),
            ..KeyCredential::default()
        });
    });
    let undone = bench.go(&mut disk, Journey::Undo).expect("it is undone");
    let kept = undone.records().filter(|(_, it)| it.status.ours());
    assert!(kept.count() > 0, "it was deleted");
    assert_eq!(credentials(&bench.cloud), [OTHERS]);
}

#[test]
fn the_script_makes_a_certificate_or_says_what_to_do() {
    let cloud = Cloud::new();
    let script = |kind: &str| {
        let (_, output) = run(&cloud, &["--dry-run", "--credential", kind]);
        output.code(0).stdout
    };
    let certificate = script("certificate");
    for part in [
        "--create-cert",
        "--append",
        "--certificate \"$USER_APP_SECRET\"",
        "--cert",
    ] {
        assert!(certificate.contains(part), "{part} in {certificate}");
    }
    assert!(!certificate.contains("--query password"), "{certificate}");
    let auto = script("auto");
    assert!(!auto.contains("--create-cert"));
    assert!(auto.contains("as per assigned policy"));
    assert!(auto.contains("--credential certificate"));
}
