//! State files that are not what a run wrote, given to the commands that read them.

use super::{
    state::{NAME, V1, damaged, edited, now},
    support::{Cloud, TestEnv},
    texts,
    trial::{self, Bytes},
};
use peer_wizard::{engine::Runs as _, store::Folder};
use proptest::{
    prop_assert, prop_assert_eq,
    strategy::{Strategy, Union},
};
use serde_json::Value;
use std::fs;

/// What a command may do to a run's file that can be read.
#[derive(PartialEq)]
enum Does {
    Looks,
    Goes,
    Undoes,
}

const COMMANDS: &[(Does, &[&str])] = &[
    (Does::Looks, &["runs"]),
    (Does::Looks, &["status", NAME]),
    (Does::Looks, &["resume", NAME, "--dry-run"]),
    (Does::Looks, &["undo", NAME, "--dry-run"]),
    (
        Does::Goes,
        &["resume", NAME, "--no-wait", "--timeout", "1s"],
    ),
    (
        Does::Undoes,
        &["undo", NAME, "--yes", "--no-wait", "--timeout", "1s"],
    ),
];

/// Clouds in which nothing of the file's run exists, so that whatever undo deleted would be somebody else's.
#[test]
fn no_command_panics_overwrites_a_file_that_is_no_run_or_deletes_what_is_not_its_own() {
    let cloud = Cloud::new();
    let before = cloud.world();
    let env = TestEnv::of(&cloud, "aiven-project");
    fs::create_dir_all(env.runs()).expect("a new folder");
    let folder = Folder::new(&env.path("state"));
    let file = folder.path(NAME, "json");
    let any = Union::new(vec![
        damaged().boxed(),
        edited().boxed(),
        edited().boxed(),
        texts::bytes().boxed(),
    ]);
    trial::holds("state files for the commands", 12, &any, |Bytes(bytes)| {
        for (does, args) in COMMANDS {
            cloud.reset();
            fs::write(&file, &bytes).expect("the test's own folder can be written to");
            let is_run = now(folder.load(NAME)).is_ok();
            let output = env.run(args);
            let after = fs::read(&file).unwrap_or_default();
            prop_assert!(matches!(output.code, Some(0..=5)), "{output}");
            prop_assert!(!output.stderr.contains("panicked"), "{output}");
            prop_assert!(
                !(output.stdout.is_empty() && output.stderr.is_empty()),
                "{output}"
            );
            if !is_run && args[0] != "runs" {
                prop_assert_eq!(output.code, Some(2), "{}", output);
                prop_assert!(output.stderr.contains(NAME), "{output}");
            }
            if *does == Does::Looks || !is_run {
                prop_assert!(after == bytes, "the file is not what it was\n{output}");
            } else {
                prop_assert!(now(folder.load(NAME)).is_ok(), "it is no run now\n{output}");
            }
            if *does != Does::Goes {
                prop_assert_eq!(cloud.world(), before.clone(), "{}", output);
            }
        }
        Ok(())
    });
}

#[test]
fn a_file_that_lacks_what_an_earlier_step_gave_is_no_error_of_the_program() {
    let cloud = Cloud::new();
    let env = TestEnv::of(&cloud, "aiven-project");
    fs::create_dir_all(env.runs()).expect("a new folder");
    let mut file: Value = serde_json::from_str(V1).expect("a run");
    let facts = file["facts"].as_object_mut().expect("it has facts");
    facts.remove("USER_SP_ID");
    let steps = file["steps"].as_object_mut().expect("it has steps");
    steps.remove("assignment");
    let path = Folder::new(&env.path("state")).path(NAME, "json");
    fs::write(path, file.to_string()).expect("the test's own folder can be written to");
    let output = env.run(&["resume", NAME, "--no-wait", "--timeout", "1s"]);
    assert_eq!(output.code, Some(1), "{output}");
    assert!(output.stderr.contains("lacks USER_SP_ID"), "{output}");
}
