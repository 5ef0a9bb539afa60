//! Whole outputs, as a person or a program gets them: each is compared with its file in `tests/snapshots`.
//!
//! After a change that is meant: `INSTA_UPDATE=always cargo test --test snapshots`, and read the difference.
#![cfg(unix)]

mod support;

use clap::CommandFactory;
use peer_wizard::{
    cli::Cli,
    providers::{self, Provider},
};
use std::fs;
use support::{Cloud, ENDPOINTS, GIVEN_APP, Output, TestEnv, stable};

const PROJECT: &Provider = &providers::aiven::PROJECT;
const KONG: &Provider = &providers::kong::KONG_CONNECT;

/// Compares outputs, one after the other, with the file of this name.
fn same(name: &str, outputs: &[Output]) {
    let texts: Vec<String> = outputs.iter().map(stable).collect();
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, texts.join("\n\n")));
}

/// The arguments and some more.
fn with(args: &[String], more: &[&str]) -> Vec<String> {
    let more = more.iter().map(|&word| word.to_owned());
    args.iter().cloned().chain(more).collect()
}

/// The arguments without the approval.
fn unapproved(mut args: Vec<String>) -> Vec<String> {
    args.retain(|arg| arg != "--yes");
    args
}

/// Both forms of a command's output.
fn both(env: &TestEnv, args: &[&str]) -> [Output; 2] {
    let json = [args, &["--output", "json"]].concat();
    [env.run(args), env.run(&json)]
}

/// No sign-in, no network, and the services where they always are.
fn offline() -> TestEnv {
    let env = TestEnv::new().unset("PEER_WIZARD_STATE_DIR");
    ENDPOINTS.iter().fold(env, |env, name| env.unset(name))
}

#[test]
fn help() {
    let env = offline();
    let page = |words: &[&str]| {
        let asked = |flag| env.run(&[words, &[flag]].concat()).code(0);
        [asked("-h"), asked("--help")]
    };
    same("help", &page(&[]));
    for command in Cli::command().get_subcommands() {
        let name = command.get_name();
        same(&format!("help-{name}"), &page(&[name]));
    }
    let versions = ["--version", "-V"].map(|flag| env.run(&[flag]).code(0));
    same("version", &versions);
    same("no-command", &[env.run::<&str>(&[])]);
    same("man", &[env.run(&["man"]).code(0)]);
}

#[test]
fn explain() {
    let env = offline();
    for provider in providers::ALL {
        let name = format!("{}-explain", provider.id);
        same(&name, &both(&env, &["explain", provider.id]));
    }
    same("explain", &both(&env, &["explain"]));
}

/// There and back, as a person sees it.
fn in_text(provider: &Provider) {
    let cloud = Cloud::new();
    let env = TestEnv::of(&cloud, provider.id);
    let shown = |name: &str, outputs: &[Output]| same(&format!("{}-{name}", provider.id), outputs);
    let args = cloud.args(provider);
    let doctor: Vec<String> = unapproved(with(&["doctor".to_owned()], &[]))
        .into_iter()
        .chain(unapproved(args.clone()).into_iter().skip(1))
        .collect();
    shown("doctor", &[env.run(&doctor)]);
    shown("doctor-json", &[env.run(&with(&doctor, &["--output", "json"]))]);
    shown("preview", &[env.run(&unapproved(args.clone()))]);
    shown("run", &[env.run(&args).code(0)]);
    shown("again", &[env.run(&args).code(0)]);
    shown("status", &both(&env, &["status"]));
    shown("undo-preview", &[env.run(&["undo"])]);
    shown("undo-dry-run", &[env.run(&["undo", "--dry-run"]).code(0)]);
    shown("undo", &[env.run(&["undo", "--yes"]).code(0)]);
    shown("status-undone", &both(&env, &["status", &run_of(&env)]));
}

/// There and back, as a program sees it.
fn in_json(provider: &Provider) {
    let cloud = Cloud::new();
    let env = TestEnv::of(&cloud, provider.id);
    let json = ["--output", "json"];
    let shown = |name: &str, output| same(&format!("{}-{name}", provider.id), &[output]);
    let args = cloud.args(provider);
    shown("preview-json", env.run(&with(&unapproved(args.clone()), &json)));
    shown("run-json", env.run(&with(&args, &json)).code(0));
    shown("undo-preview-json", env.run(&["undo", "--output", "json"]));
    let undo = ["undo", "--yes", "--output", "json"];
    shown("undo-json", env.run(&undo).code(0));
}

/// The name of the only run.
fn run_of(env: &TestEnv) -> String {
    env.saved()["run"].as_str().unwrap_or_default().to_owned()
}

macro_rules! journeys {
    ($($name:ident: $provider:expr,)*) => { $(
        mod $name {
            #[test]
            fn in_text() {
                super::in_text($provider);
            }
            #[test]
            fn in_json() {
                super::in_json($provider);
            }
        }
    )* };
}

journeys! {
    aiven_project: &peer_wizard::providers::aiven::PROJECT,
    aiven_organization: &peer_wizard::providers::aiven::ORGANIZATION,
    timescale: &peer_wizard::providers::timescale::TIMESCALE,
    kong: &peer_wizard::providers::kong::KONG_CONNECT,
}
