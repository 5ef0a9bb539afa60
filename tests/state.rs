//! The state file's rules: every released format is read for ever, what cannot be read is left alone, and nobody else reads
//! what is written.

mod support;

use peer_wizard::providers;
use serde_json::Value;
use std::fs;
use support::{Cloud, TestEnv};

/// A finished run, as version 0.1.0 wrote it. Never changed.
const V1: &str = include_str!("fixtures/state-v1.json");
const NAME: &str = "aiven-project-9k2f";

/// Puts a run's file where the binary looks for it.
fn keep(env: &TestEnv, text: &str) -> std::path::PathBuf {
    fs::create_dir_all(env.runs()).expect("a new folder");
    let path = env.runs().join(format!("{NAME}.json"));
    fs::write(&path, text).expect("a new file");
    path
}

fn fixture() -> Value {
    serde_json::from_str(V1).expect("the fixture is whole")
}

#[test]
fn format_1_is_read() {
    let env = TestEnv::new();
    let path = keep(&env, V1);
    let runs = env.run(&["runs", "--output", "json"]).code(0);
    let listed = &runs.events()[0]["runs"][0];
    assert_eq!(listed["run"], NAME, "{runs}");
    assert_eq!(listed["vnet"], "vnet-hub-prod", "{runs}");
    assert_eq!(listed["state"], "connected", "{runs}");
    assert_eq!(listed["done"], listed["total"], "{runs}");
    // Nothing is left to do, so no cloud is asked.
    let output = env.run(&["resume", NAME, "--output", "json"]).code(0);
    let closed = output.events().pop().unwrap_or_default();
    assert_eq!(closed["status"], "connected", "{output}");
    assert_eq!(closed["facts"], fixture()["facts"], "{output}");
    assert_eq!(
        fs::read_to_string(path).expect("still there"),
        V1,
        "reading changes nothing"
    );
}

#[test]
fn format_1_is_resumed_and_undone() {
    // The last steps were never taken: the fixture's run goes on in clouds that know nothing of it, and is undone there.
    let cloud = Cloud::new();
    let before = cloud.world();
    let env = TestEnv::of(&cloud, "aiven-project");
    let mut run = fixture();
    let steps = run["steps"].as_object_mut().expect("steps");
    steps.clear();
    let facts = run["facts"].as_object_mut().expect("facts");
    for made in [
        "USER_APP_ID",
        "USER_APP_OBJECT_ID",
        "USER_APP_KEY_ID",
        "USER_SP_ID",
        "AIVEN_SP_ID",
        "AIVEN_ROLE_ID",
        "USER_ROLE_ASSIGNMENT_ID",
        "AIVEN_ROLE_ASSIGNMENT_ID",
        "AIVEN_TENANT_ID",
        "AIVEN_VNET_ID",
    ] {
        facts.remove(made);
    }
    run["answers"]
        .as_object_mut()
        .expect("answers")
        .remove("SANDBOX");
    keep(&env, &run.to_string());
    env.run(&["resume", NAME]).code(0);
    let names = |value: &Value| {
        value["facts"]
            .as_object()
            .map(|it| it.keys().cloned().collect::<Vec<_>>())
    };
    assert_eq!(
        names(&env.saved()),
        names(&fixture()),
        "the names of facts are for ever"
    );
    let steps = |value: &Value| {
        value["steps"]
            .as_object()
            .map(|it| it.keys().cloned().collect::<Vec<_>>())
    };
    assert_eq!(
        steps(&env.saved()),
        steps(&fixture()),
        "the ids of steps are for ever"
    );
    env.run(&["undo", NAME, "--yes"]).code(0);
    assert_eq!(cloud.world(), before);
}

#[test]
fn a_newer_format_is_refused_and_left_as_it_is() {
    let env = TestEnv::new();
    let mut run = fixture();
    run["format"] = 3.into();
    run["written_by"] = "peer-wizard 7.1.0".into();
    let text = run.to_string();
    let path = keep(&env, &text);
    env.run(&["resume", NAME])
        .code(2)
        .says("peer-wizard 7.1.0")
        .says("format 3");
    env.run(&["undo", NAME, "--yes"])
        .code(2)
        .says("peer-wizard 7.1.0");
    let runs = env.run(&["runs"]).code(0);
    assert!(
        runs.stdout.contains(NAME),
        "it is listed all the same\n{runs}"
    );
    assert_eq!(fs::read_to_string(path).expect("still there"), text);
}

#[test]
fn a_damaged_file_is_refused_with_its_path_and_left_as_it_is() {
    let cut = &V1[..V1.len() / 2];
    for text in [
        cut,
        "",
        "{}",
        "not JSON",
        "[1]",
        "{\"format\":0}",
        "{\"format\":1}",
    ] {
        let env = TestEnv::new();
        let path = keep(&env, text);
        let shown = path.display().to_string();
        let output = env.run(&["resume", NAME]).code(2).says("is damaged");
        assert!(output.stderr.contains(&shown), "{text}\n{output}");
        env.run(&["runs"]).code(0);
        assert_eq!(fs::read_to_string(path).expect("still there"), text);
    }
}

#[test]
fn a_damaged_file_is_in_nobodys_way() {
    let cloud = Cloud::new();
    let env = TestEnv::of(&cloud, "aiven-project");
    let path = keep(&env, "not JSON");
    env.run(&cloud.args(&providers::aiven::PROJECT)).code(0);
    assert_eq!(fs::read_to_string(path).expect("still there"), "not JSON");
}

#[test]
fn a_place_that_cannot_be_written_to_is_told_before_anything_is_changed() {
    let cloud = Cloud::new();
    let before = cloud.world();
    let env = TestEnv::of(&cloud, "aiven-project");
    let file = env.path("a-file");
    fs::write(&file, "").expect("a new file");
    let mut args = cloud.args(&providers::aiven::PROJECT);
    args.extend([
        "--state-dir".to_owned(),
        file.join("below").display().to_string(),
    ]);
    let output = env.run(&args);
    assert!(matches!(output.code, Some(1 | 2)), "{output}");
    output.says("--state-dir");
    assert_eq!(cloud.world(), before);
}

#[cfg(unix)]
mod unix {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn mode(path: &std::path::Path) -> u32 {
        let data = fs::metadata(path).expect("it is there");
        data.permissions().mode() & 0o777
    }

    #[test]
    fn only_the_owner_reads_a_run() {
        let cloud = Cloud::new();
        let env = TestEnv::of(&cloud, "aiven-project");
        // A folder that is there already may have been open to others.
        fs::create_dir_all(env.runs()).expect("a new folder");
        fs::set_permissions(env.runs(), fs::Permissions::from_mode(0o755)).expect("our own folder");
        env.run(&cloud.args(&providers::aiven::PROJECT)).code(0);
        assert_eq!(mode(&env.runs()), 0o700);
        let mut count = 0;
        for entry in fs::read_dir(env.runs()).expect("a folder").flatten() {
            assert_eq!(mode(&entry.path()), 0o600, "{}", entry.path().display());
            count += 1;
        }
        assert!(count >= 3, "run, lock and log");
    }

    #[test]
    fn a_read_only_folder_is_told_before_anything_is_changed() {
        let cloud = Cloud::new();
        let before = cloud.world();
        let env = TestEnv::of(&cloud, "aiven-project");
        let folder = env.path("state");
        let with = |mode| fs::set_permissions(&folder, fs::Permissions::from_mode(mode));
        with(0o500).expect("our own folder");
        // For root there are no read-only folders.
        let powerless = fs::write(folder.join("probe"), "").is_err();
        if powerless {
            env.run(&cloud.args(&providers::aiven::PROJECT))
                .code(1)
                .says("cannot create");
            assert_eq!(cloud.world(), before);
        }
        with(0o700).expect("our own folder");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn runs_are_kept_where_linux_keeps_state() {
        let cloud = Cloud::new();
        let env = TestEnv::of(&cloud, "aiven-project").unset("PEER_WIZARD_STATE_DIR");
        env.run(&cloud.args(&providers::aiven::PROJECT)).code(0);
        let runs = env.path("xdg-state").join("peer-wizard").join("runs");
        assert_eq!(mode(&runs), 0o700);
        assert!(fs::read_dir(runs).expect("a folder").count() >= 3);
        assert_eq!(env.run_file(), None);
    }
}

/// Files that somebody else put there, where the run's own are expected.
#[cfg(unix)]
#[test]
fn a_link_a_pipe_and_a_strangers_file_are_not_used() {
    use std::{os::unix::fs as unix, process::Command};
    let cloud = Cloud::new();
    let env = TestEnv::of(&cloud, "aiven-project");
    let elsewhere = env.path("elsewhere");
    let resume = || env.run(&["resume", NAME]);

    let path = keep(&env, V1);
    fs::rename(&path, &elsewhere).expect("our own file");
    unix::symlink(&elsewhere, &path).expect("a new link");
    env.run(&["status", NAME])
        .code(2)
        .says("is not used: it is a link");
    fs::remove_file(&path).expect("our own link");
    // A name is taken by a link too, and one that leads nowhere is no way to a new file.
    unix::symlink(env.path("nowhere"), &path).expect("a new link");
    env.run(&["status", NAME]).code(2).says("it is a link");

    for (kind, reason) in [("lock", "it is a link"), ("log", "it is a link")] {
        let path = keep_anew(&env);
        let other = path.with_extension(kind);
        let _ = fs::remove_file(&other);
        fs::write(&elsewhere, "untouched").expect("our own file");
        unix::symlink(&elsewhere, &other).expect("a new link");
        resume().code(2).says(reason).says(kind);
        let text = fs::read_to_string(&elsewhere).expect("still there");
        assert_eq!(text, "untouched", "{kind}");
        fs::remove_file(&other).expect("our own link");
    }

    for kind in ["lock", "log", "json"] {
        let path = keep_anew(&env);
        let other = path.with_extension(kind);
        let _ = fs::remove_file(&other);
        let made = Command::new("mkfifo").arg(&other).status();
        assert!(made.is_ok_and(|status| status.success()), "mkfifo");
        let output = resume();
        assert_ne!(output.code, Some(0), "{output}");
        assert!(output.stderr.contains(kind), "{output}");
        fs::remove_file(&other).expect("our own pipe");
    }

    // Only root can give a file away.
    let path = keep_anew(&env);
    if unix::chown(&path, Some(12_345), None).is_ok() {
        env.run(&["status", NAME])
            .code(2)
            .says("it belongs to somebody else");
    }
}

#[cfg(unix)]
fn keep_anew(env: &TestEnv) -> std::path::PathBuf {
    let path = env.runs().join(format!("{NAME}.json"));
    let _ = fs::remove_file(&path);
    keep(env, V1)
}
