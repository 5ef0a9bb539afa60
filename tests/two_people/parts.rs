//! The scripts of one part each.

use crate::support::{Cloud, TestEnv, shapes};
use peer_wizard::{provider::Provider, providers};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    os::unix::fs::PermissionsExt,
    process::{Command, Output, Stdio},
};

const PARTS: [&str; 3] = ["entra", "azure", "provider"];

/// The arguments that print a script with every answer given.
fn args(cloud: &Cloud, provider: &Provider, peering_only: bool) -> Vec<String> {
    let mut args = cloud.args(provider);
    args.retain(|arg| arg != "--yes");
    args.extend(["--dry-run", "--no-input"].map(str::to_owned));
    if peering_only {
        args.extend(["--grant-role", "peering-only"].map(str::to_owned));
    }
    args
}

fn print(cloud: &Cloud, provider: &Provider, peering_only: bool, part: &str) -> String {
    let mut args = args(cloud, provider, peering_only);
    args.extend(["--part", part].map(str::to_owned));
    // Signed in nowhere, and nothing listens where its services are.
    TestEnv::new().run(&args).code(0).stdout
}

/// The first and second words after `command` in lines that begin with it.
fn told(script: &str) -> BTreeSet<&str> {
    let lines = script.lines().filter_map(|line| line.strip_prefix("tell "));
    lines
        .filter_map(|line| line.split_whitespace().next())
        .collect()
}

/// Part and name of what a script takes from others.
fn needed(script: &str) -> BTreeSet<(&str, &str)> {
    let lines = script
        .lines()
        .filter_map(|line| line.strip_prefix("needs "));
    lines
        .flat_map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            let triples: Vec<_> = words.chunks(3).map(|it| (it[0], it[1])).collect();
            triples
        })
        .collect()
}

#[test]
fn a_part_is_for_a_script_alone() {
    let cloud = Cloud::new();
    let env = TestEnv::of(&cloud, "aiven-project");
    for command in ["azure", "doctor"] {
        env.run(&[command, "--part", "entra"])
            .code(2)
            .says("--dry-run");
    }
    env.run(&["azure", "--dry-run", "--part", "both"])
        .code(2)
        .says("possible values: all, entra, azure, provider");
    assert!(cloud.sandbox.requests().is_empty(), "it asked a service");
    let provider = providers::ALL[0];
    let all = print(&cloud, provider, false, "ALL");
    let plain = TestEnv::new().run(&args(&cloud, provider, false)).code(0);
    assert_eq!(all, plain.stdout);
}

#[test]
fn what_one_part_needs_another_tells() {
    let cloud = Cloud::new();
    for provider in providers::ALL {
        for peering_only in [false, true] {
            let scripts: BTreeMap<&str, String> = PARTS
                .map(|part| (part, print(&cloud, provider, peering_only, part)))
                .into();
            let mut between = 0;
            for (part, script) in &scripts {
                for (from, name) in needed(script) {
                    assert_ne!(from, *part, "{}: {name} is its own", provider.id);
                    assert!(
                        told(&scripts[from]).contains(name),
                        "{}: {part} needs {name} of {from}, which does not tell it",
                        provider.id
                    );
                    between += 1;
                }
                for name in told(script) {
                    let wanted = |it: &str| needed(it).iter().any(|(_, other)| *other == name);
                    let wanted = scripts.values().any(|it| wanted(it));
                    assert!(wanted, "{}: nobody needs {name}", provider.id);
                }
            }
            assert!(between > 3, "{}: {between}", provider.id);
            // Every step is in one of them.
            let flow = provider.flow(&shapes()[if peering_only { 2 } else { 0 }].1);
            for step in &flow.steps {
                let title = step.about().title;
                let has = |script: &&String| script.contains(&format!(". {title}\n"));
                assert_eq!(scripts.values().filter(has).count(), 1, "{title}");
            }
        }
    }
}

#[test]
fn no_secret_goes_from_one_part_to_another() {
    let cloud = Cloud::new();
    for provider in providers::ALL {
        for part in PARTS {
            let script = print(&cloud, provider, false, part);
            let told = told(&script);
            assert!(told.iter().all(|it| !it.contains("SECRET")), "{told:?}");
            let minted = script.contains("USER_APP_SECRET=");
            assert_eq!(minted, part == "entra" && provider.own_application);
        }
    }
}

/// Programs that note that they were called, and fail.
fn stubs(env: &TestEnv) -> String {
    let folder = env.path("stubs");
    fs::create_dir(&folder).expect("a new folder");
    for tool in ["az", "avn", "curl"] {
        let record = env.path("called").display().to_string();
        let path = folder.join(tool);
        fs::write(
            &path,
            format!("#!/bin/sh\necho {tool} \"$@\" >>'{record}'\nexit 1\n"),
        )
        .expect("a new file");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("our own");
    }
    format!(
        "{}:{}",
        folder.display(),
        std::env::var("PATH").expect("a PATH")
    )
}

fn bash(env: &TestEnv, script: &str, path: &str, vars: &[(&str, &str)]) -> Output {
    let file = env.path("script.sh");
    fs::write(&file, script).expect("a new file");
    Command::new("bash")
        .arg(&file)
        .env_clear()
        .env("PATH", path)
        .env("HOME", env.path("home"))
        .env("TMPDIR", env.path("home"))
        .envs(vars.iter().copied())
        .stdin(Stdio::null())
        .output()
        .expect("bash starts")
}

#[test]
fn a_script_whose_turn_has_not_come_says_whose_it_is() {
    let cloud = Cloud::new();
    for provider in providers::ALL {
        let script = print(&cloud, provider, false, "provider");
        let env = TestEnv::new();
        let path = stubs(&env);
        let ran = bash(&env, &script, &path, &[]);
        let said = String::from_utf8_lossy(&ran.stderr).into_owned();
        assert_eq!(ran.status.code(), Some(5), "{}: {said}", provider.id);
        assert!(said.contains("The next move is another's"), "{said}");
        for (part, name) in needed(&script).into_iter().take(3) {
            let told = format!("{name} (part {part})");
            let later = name == "FOUND_PEERING_NAME";
            assert!(said.contains(&told) || later, "{told}: {said}");
        }
        assert!(!env.path("called").exists(), "{}: it asked", provider.id);
    }
}
