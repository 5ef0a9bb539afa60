//! The state folder in other hands: links, pipes and folders where files should be, files of others, files that change
//! while a run goes on; and what of the process itself lies open.

use super::{
    hostile::{Deed, Hostile},
    scene::{Broken, side_by_side, some, tried, unsound},
    support::{Cloud, TempDir, TestEnv},
};
use peer_wizard::providers;
use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt, symlink},
    path::{Path, PathBuf},
    process::Command,
};

const VICTIM: &str = "what nobody may touch\n";

/// A connected run, and where its files are.
struct Home {
    _cloud: Cloud,
    env: TestEnv,
    run: String,
}

impl Home {
    fn new() -> Self {
        let provider = &providers::aiven::PROJECT;
        let cloud = Cloud::new();
        let env = TestEnv::of(&cloud, provider.id);
        let run = env.run(&cloud.json_args(provider)).code(0).run();
        Self {
            _cloud: cloud,
            env,
            run,
        }
    }

    fn file(&self, ending: &str) -> PathBuf {
        self.env.runs().join(format!("{}.{ending}", self.run))
    }

    fn victim(&self) -> PathBuf {
        let path = self.env.path("victim");
        fs::write(&path, VICTIM).expect("a file");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).expect("ours");
        path
    }
}

/// What is put in a file's place.
const PLACES: [&str; 7] = [
    "a link to a victim",
    "a link to nothing",
    "a second name of a victim",
    "a pipe",
    "a folder",
    "a device",
    "a link to itself",
];

fn put(kind: &str, path: &Path, home: &Home) {
    let _ = fs::remove_file(path);
    let victim = home.victim();
    match kind {
        "a link to a victim" => symlink(&victim, path),
        "a link to nothing" => symlink(home.env.path("made-by-a-link"), path),
        "a second name of a victim" => fs::hard_link(&victim, path),
        "a pipe" => {
            let made = Command::new("mkfifo").arg(path).status();
            made.map(|_| ())
        }
        "a folder" => fs::create_dir(path).and_then(|()| fs::write(path.join("x"), "x")),
        "a device" => symlink("/dev/zero", path),
        _ => symlink(path, path),
    }
    .expect("it can be put there");
}

#[test]
fn what_lies_in_place_of_a_run_s_files_is_neither_followed_nor_overwritten_nor_waited_for() {
    let broken = Broken::default();
    let home = Home::new();
    let mut count = 0;
    let saved: Vec<(PathBuf, Vec<u8>)> = ["json", "lock", "log"]
        .iter()
        .map(|ending| {
            (
                home.file(ending),
                fs::read(home.file(ending)).expect("a file"),
            )
        })
        .collect();
    for ending in ["json", "lock", "log"] {
        for kind in PLACES {
            let path = home.file(ending);
            put(kind, &path, &home);
            for args in [
                vec!["status", &home.run, "--output", "json"],
                vec!["resume", &home.run, "--output", "json", "--no-input"],
                vec!["undo", &home.run, "--output", "json"],
                vec!["runs", "--output", "json"],
            ] {
                let output = home.env.run(&args);
                count += 1;
                let what = format!("{kind} in place of the {ending}: {}", args[0]);
                if let Some(why) = unsound(&output) {
                    broken.note(format!("{why}: {what}\n{output}"));
                }
                if fs::read_to_string(home.env.path("victim")).ok().as_deref() != Some(VICTIM) {
                    broken.note(format!("the victim was changed: {what}\n{output}"));
                }
                let mode = fs::metadata(home.env.path("victim")).map(|it| it.mode() & 0o777);
                if mode.ok() != Some(0o640) {
                    broken.note(format!("the victim's mode was changed: {what}\n{output}"));
                }
                if home.env.path("made-by-a-link").exists() {
                    broken.note(format!("a file was made through a link: {what}\n{output}"));
                    let _ = fs::remove_file(home.env.path("made-by-a-link"));
                }
                if output.stdout.contains("nobody may touch")
                    || output.stderr.contains("nobody may touch")
                {
                    broken.note(format!("the victim was read aloud: {what}\n{output}"));
                }
            }
            let _ = fs::remove_dir_all(&path);
            let _ = fs::remove_file(&path);
            for (path, bytes) in &saved {
                let _ = fs::remove_file(path);
                fs::write(path, bytes).expect("a file");
                fs::set_permissions(path, fs::Permissions::from_mode(0o600)).expect("ours");
            }
        }
    }
    tried(
        count,
        "looks at a run with something else in place of a file",
    );
    broken.none();
}

#[test]
fn a_new_run_writes_through_no_link_and_leaves_nothing_open_to_others() {
    let broken = Broken::default();
    let provider = &providers::aiven::PROJECT;
    // The folder itself, or the one above, leads elsewhere, or everybody may write to it.
    for kind in [
        "runs is a link",
        "runs is open to all",
        "runs is a file",
        "state is open to all",
        "runs is a pipe",
    ] {
        let cloud = Cloud::new();
        let env = TestEnv::of(&cloud, provider.id);
        let elsewhere = env.path("elsewhere");
        fs::create_dir(&elsewhere).expect("a folder");
        fs::set_permissions(&elsewhere, fs::Permissions::from_mode(0o777)).expect("ours");
        match kind {
            "runs is a link" => symlink(&elsewhere, env.runs()).expect("a link"),
            "runs is open to all" => {
                fs::create_dir(env.runs()).expect("a folder");
                fs::set_permissions(env.runs(), fs::Permissions::from_mode(0o777)).expect("ours");
            }
            "runs is a file" => fs::write(env.runs(), VICTIM).expect("a file"),
            "runs is a pipe" => {
                Command::new("mkfifo")
                    .arg(env.runs())
                    .status()
                    .expect("mkfifo");
            }
            _ => {
                let state = env.runs().parent().expect("a folder").to_owned();
                fs::set_permissions(state, fs::Permissions::from_mode(0o777)).expect("ours");
            }
        }
        let output = env.run(&cloud.json_args(provider));
        if let Some(why) = unsound(&output) {
            broken.note(format!("{why}: {kind}\n{output}"));
        }
        let runs = fs::metadata(env.runs()).map_or(0, |it| it.mode() & 0o777);
        let written = fs::read_dir(&elsewhere).map_or(0, Iterator::count);
        if kind == "runs is a link"
            && written > 0
            && fs::metadata(&elsewhere).map(|it| it.mode() & 0o077).ok() != Some(0)
        {
            broken.note(format!("runs lie in a folder that is open to all: {kind}"));
        }
        if kind == "runs is open to all" && output.code == Some(0) && runs & 0o022 != 0 {
            broken.note(format!("others can write to the folder {runs:o}: {kind}"));
        }
    }
    tried(5, "state folders");
    broken.none();
}

#[test]
fn nothing_that_is_made_is_open_to_others_whatever_the_umask() {
    let broken = Broken::default();
    let provider = &providers::aiven::PROJECT;
    for umask in ["000", "022", "777", "177"] {
        let cloud = Cloud::new();
        let env = TestEnv::of(&cloud, provider.id);
        let args = cloud.json_args(provider);
        let binary = env!("CARGO_BIN_EXE_peer-wizard");
        let mut real = env.command(&args);
        let mut command = Command::new("sh");
        command
            .args(["-c", &format!("umask {umask}; exec \"$@\""), "sh", binary])
            .args(&args);
        command.env_clear();
        for (name, value) in real.get_envs() {
            if let Some(value) = value {
                command.env(name, value);
            }
        }
        let _ = &mut real;
        let output = command.output().expect("sh");
        if output.status.code() != Some(0) && umask != "777" && umask != "177" {
            broken.note(format!("{umask}: {output:?}"));
        }
        let mut pending = vec![env.runs().parent().expect("a folder").to_owned()];
        let top = pending[0].clone();
        while let Some(path) = pending.pop() {
            let Ok(about) = fs::symlink_metadata(&path) else {
                continue;
            };
            let mode = about.mode() & 0o777;
            let most = if about.is_dir() { 0o700 } else { 0o600 };
            // The topmost was there before.
            if path != top && mode & !most != 0 {
                broken.note(format!("umask {umask}: {} is {mode:o}", path.display()));
            }
            if about.is_dir() {
                pending.extend(
                    fs::read_dir(&path)
                        .into_iter()
                        .flatten()
                        .flatten()
                        .map(|it| it.path()),
                );
            }
        }
    }
    tried(4, "umasks");
    broken.none();
}

#[test]
fn a_file_that_is_swapped_while_the_run_goes_on_hurts_nobody_else() {
    let broken = Broken::default();
    let provider = &providers::aiven::PROJECT;
    let endings = ["json", "lock", "log"];
    let all = endings
        .into_iter()
        .flat_map(|ending| PLACES.map(|kind| (ending, kind)));
    let all = some(all, 2);
    let count = all.len();
    side_by_side(all, |(ending, kind)| {
        let cloud = Cloud::new();
        let dir = TempDir::new();
        let victim = dir.path("victim");
        fs::write(&victim, VICTIM).expect("a file");
        let env = TestEnv::of(&cloud, provider.id);
        let runs = env.runs();
        let hostile_victim = victim.clone();
        let through = dir.path("made-by-a-link");
        let to = through.clone();
        let hostile = Hostile::before(&cloud, move |asked| {
            if asked.is("POST", "/addPassword") {
                for entry in fs::read_dir(&runs).into_iter().flatten().flatten() {
                    let path = entry.path();
                    if path.extension().is_some_and(|it| it == ending) {
                        let _ = fs::remove_file(&path);
                        let _ = match kind {
                            "a link to a victim" => symlink(&hostile_victim, &path),
                            "a link to nothing" => symlink(&to, &path),
                            "a second name of a victim" => fs::hard_link(&hostile_victim, &path),
                            "a pipe" => Command::new("mkfifo").arg(&path).status().map(|_| ()),
                            "a folder" => fs::create_dir(&path),
                            "a device" => symlink("/dev/full", &path),
                            _ => symlink(&path, &path),
                        };
                    }
                }
            }
            Deed::Pass
        });
        let env = super::support::endpoints()
            .into_iter()
            .fold(env, |env, name| env.set(name, hostile.origin()))
            .set("SSL_CERT_FILE", hostile.ca_file());
        let output = env.run(&cloud.json_args(provider));
        if let Some(why) = unsound(&output) {
            broken.note(format!("{why}: {kind} for the {ending}\n{output}"));
        }
        if fs::read_to_string(&victim).ok().as_deref() != Some(VICTIM) {
            broken.note(format!(
                "the victim was changed: {kind} for the {ending}\n{output}"
            ));
        }
        if through.exists() {
            broken.note(format!(
                "written through a link: {kind} for the {ending}\n{output}"
            ));
        }
    });
    tried(count, "files swapped during a run");
    broken.none();
}

#[test]
fn names_of_runs_lead_out_of_no_folder() {
    let broken = Broken::default();
    let home = Home::new();
    let outside = home.env.path("state").join("outside.json");
    fs::copy(home.file("json"), &outside).expect("a file");
    let names = [
        "../outside",
        "../../state/outside",
        "./../outside",
        "..",
        ".",
        "/etc/passwd",
        "",
        " ",
        "a/b",
        "a\\b",
        "..%2foutside",
        "%2e%2e/outside",
        "\u{2024}\u{2024}/outside",
        "--",
        "-x",
        "~/x",
        "$HOME",
        "run\nname",
        "\u{1b}[2J",
        "aiven-project-....",
        "aiven-project-../x",
        "AIVEN-PROJECT-XXXX",
    ];
    let before = fs::read(&outside).expect("a file");
    let mut count = 0;
    for name in names {
        for command in ["status", "resume", "undo"] {
            let mut args = vec![command, "--output=json", "--no-input"];
            if command == "undo" {
                args.push("--yes");
            }
            args.extend(["--", name]);
            let output = home.env.run(&args);
            count += 1;
            if output.code != Some(2) {
                broken.note(format!("{command} {name:?}\n{output}"));
            }
            if output.stderr.contains('\u{1b}') || output.stdout.contains('\u{1b}') {
                broken.note(format!("raw: {command} {name:?}\n{output}"));
            }
        }
    }
    assert_eq!(fs::read(&outside).expect("a file"), before);
    tried(count, "names of runs");
    broken.none();
}
