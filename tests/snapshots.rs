//! Whole outputs, as a person or a program gets them: each is compared with its file in `tests/snapshots`.
//!
//! After a change that is meant: `INSTA_UPDATE=always cargo test --test snapshots`, and read the difference. With the folder
//! emptied before, files that nothing is compared with any more go too.
#![cfg(unix)]

mod support;

use clap::CommandFactory;
use peer_wizard::{
    cli::Cli,
    provider::Provider,
    providers,
    sandbox::{
        Fault, Faults, Lag, Service, Settle, When,
        parts::{Assignment, Principal},
    },
};
use serde_json::Value;
use std::fs;
use support::{Cloud, GIVEN_APP, Output, TestEnv, endpoints, stable};

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

/// A state folder that has the same path each time, as a table is as wide as what is in it.
fn at_home(env: TestEnv) -> TestEnv {
    env.set("PEER_WIZARD_STATE_DIR", "state")
}

/// No sign-in, no network, and the services where they always are.
fn offline() -> TestEnv {
    let env = TestEnv::new().unset("PEER_WIZARD_STATE_DIR");
    endpoints().into_iter().fold(env, TestEnv::unset)
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
    let mut doctor = unapproved(args.clone());
    "doctor".clone_into(&mut doctor[0]);
    let doctor: Vec<&str> = doctor.iter().map(String::as_str).collect();
    shown("doctor", &both(&env, &doctor));
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
    shown(
        "preview-json",
        env.run(&with(&unapproved(args.clone()), &json)),
    );
    shown("run-json", env.run(&with(&args, &json)).code(0));
    shown("undo-preview-json", env.run(&["undo", "--output", "json"]));
    let undo = ["undo", "--yes", "--output", "json"];
    shown("undo-json", env.run(&undo).code(0));
}

/// The name of the only run.
fn run_of(env: &TestEnv) -> String {
    env.saved()["run"].as_str().unwrap_or_default().to_owned()
}

/// A run that waits for the provider, who does not begin before the gate is opened.
fn waiting(provider: &Provider, more: &[&str]) -> (Cloud, TestEnv, Output) {
    let cloud = Cloud::new();
    cloud.let_in_beforehand(provider, false);
    let env = TestEnv::of(&cloud, provider.id);
    let begun = env.run(&with(
        &cloud.args(provider),
        &[&["--no-wait"], more].concat(),
    ));
    (cloud, env, begun.code(5))
}

const JSON: [&str; 2] = ["--output", "json"];

#[test]
fn what_waits_is_resumed() {
    let (cloud, env, begun) = waiting(PROJECT, &[]);
    same("waiting", &[begun]);
    let again = with(&cloud.args(PROJECT), &["--no-wait"]);
    same("waiting-again", &[env.run(&again).code(5)]);
    same(
        "waiting-preview",
        &[env.run(&unapproved(cloud.args(PROJECT)))],
    );
    same("waiting-status", &both(&env, &["status"]));
    same("waiting-runs", &both(&env, &["runs"]));
    same(
        "waiting-timeout",
        &both(&env, &["resume", "--timeout", "0s"]),
    );
    same(
        "resume-dry-run",
        &[env.run(&["resume", "--dry-run"]).code(0)],
    );
    same("waiting-undo-preview", &[env.run(&["undo"])]);
    cloud.open_the_gate();
    same("resume", &[env.run(&["resume"]).code(0)]);
    same("resume-nothing", &both(&env, &["resume"]));
    same("resume-connected", &both(&env, &["resume", &run_of(&env)]));
    same(
        "resume-dry-run-connected",
        &[env.run(&["resume", &run_of(&env), "--dry-run"])],
    );

    let (cloud, env, begun) = waiting(PROJECT, &JSON);
    same("waiting-json", &[begun]);
    cloud.open_the_gate();
    same(
        "resume-json",
        &[env.run(&["resume", "--output", "json"]).code(0)],
    );
    same(
        "undo-keep",
        &[env.run(&["undo", "--keep-application", "--yes"]).code(0)],
    );
    same("undo-begun", &both(&env, &["resume", &run_of(&env)]));
    same(
        "undo-nothing",
        &both(
            &env,
            &["undo", "--keep-application", "--yes", &run_of(&env)],
        ),
    );
}

#[test]
fn what_is_interrupted_says_how_to_go_on() {
    let (_cloud, env, _) = waiting(PROJECT, &[]);
    let mut resumed = env.start(&["resume", "--output", "json"]);
    resumed.until_waiting("pending-peer");
    resumed.interrupt();
    same("interrupted", &[resumed.finish().code(130)]);
}

/// Opens the gate of the waiting run, whose application Aiven's tenant knows after these looks.
fn open_the_gate_to_a_tenant(cloud: &Cloud, looks: u32) {
    let text = |text: &str| text.to_owned();
    // At one stroke, as the provider begins as soon as it can.
    cloud.sandbox.edit(|world| {
        world.closed = false;
        let vpcs = world.aiven.vpcs.iter();
        let vpc = vpcs.clone().find(|vpc| !vpc.rows.is_empty());
        let scope = vpc.expect("one was asked for").network.clone();
        let apps = world.applications.iter();
        let tenant_of = |app_id: &str| {
            let app = apps.clone().find(|app| app.app_id == app_id);
            app.expect("it is there").tenant.clone()
        };
        let own = world.applications.last().expect("the run made one");
        let app_id = own.app_id.clone();
        let (tenant, owner_tenant) = (tenant_of(PROJECT.app_id), own.tenant.clone());
        let role = world.roles.iter().find(|role| role.tenant == tenant);
        let role = role.expect("Aiven has a role for its peers").id.clone();
        world.principals.push(Principal {
            tenant: tenant.clone(),
            id: text("8c7b6a59-4d3e-4f2a-b1c0-9d8e7f6a5b4c"),
            app_id,
            owner_tenant,
            enabled: true,
            settle: Settle::Looks(looks),
            ..Principal::default()
        });
        world.assignments.push(Assignment {
            tenant,
            id: text("1a2b3c4d-5e6f-4a7b-8c9d-0e1f2a3b4c5d"),
            scope,
            role,
            principal: text("8c7b6a59-4d3e-4f2a-b1c0-9d8e7f6a5b4c"),
            principal_type: text("ServicePrincipal"),
            settle: Settle::Looks(looks),
            ..Assignment::default()
        });
    });
}

/// A run that is connected.
fn connected(provider: &Provider) -> (Cloud, TestEnv) {
    let cloud = Cloud::new();
    if provider.id == PROJECT.id {
        cloud.let_in_beforehand(provider, true);
    }
    let env = TestEnv::of(&cloud, provider.id);
    env.run(&cloud.args(provider)).code(0);
    (cloud, env)
}

#[test]
fn a_slow_cloud_is_told_of() {
    // All at once, as they spend their time waiting, and first in the alphabet, so that others go on meanwhile. What is looked at
    // twice is slow by count, not by the clock; and what one run would wait for after the other, several do beside each other.
    let slow = |cloud: &Cloud| cloud.sandbox.edit(|world| world.lag = Lag::Looks(1));
    let form = |json: bool| if json { &JSON[..] } else { &[] };
    let named = |name: &str, json| format!("{name}{}", if json { "-json" } else { "" });
    let mut started = Vec::new();
    for json in [false, true] {
        let (cloud, env, _) = waiting(PROJECT, &[]);
        open_the_gate_to_a_tenant(&cloud, 0);
        slow(&cloud);
        let process = env.start(&[&["resume"], form(json)].concat());
        started.push((named("slow-resume", json), cloud, env, process));
        let cloud = Cloud::new();
        slow(&cloud);
        let env = TestEnv::of(&cloud, KONG.id);
        let process = env.start(&with(&cloud.args(KONG), form(json)));
        started.push((named("slow-kong", json), cloud, env, process));
    }
    let (cloud, env, _) = waiting(PROJECT, &[]);
    open_the_gate_to_a_tenant(&cloud, 1);
    let process = env.start(&["resume"]);
    started.push(("slow-tenants".into(), cloud, env, process));
    for json in [false, true] {
        for (name, provider) in [("slow-undo", PROJECT), ("slow-kong-undo", KONG)] {
            let (cloud, env) = connected(provider);
            slow(&cloud);
            // The replica that is asked first does not know the provider's principal.
            cloud.sandbox.edit(|world| {
                let principals = world.principals.iter_mut();
                let theirs = principals.filter(|it| it.app_id == KONG.app_id);
                theirs.for_each(|it| it.settle = Settle::Looks(2));
            });
            let process = env.start(&[&["undo", "--yes"], form(json)].concat());
            started.push((named(name, json), cloud, env, process));
        }
    }
    for (name, _cloud, _env, process) in started {
        same(&name, &[process.finish().code(0)]);
    }
}

#[test]
fn what_another_run_uses_is_kept() {
    let cloud = Cloud::new();
    let env = at_home(TestEnv::of(&cloud, PROJECT.id));
    env.run(&cloud.args(PROJECT)).code(0);
    let first = run_of(&env);
    let organization = &providers::aiven::ORGANIZATION;
    env.run(&cloud.args(organization)).code(0);
    same("beside-undo-preview", &[env.run(&["undo", &first])]);
    let undo = ["undo", &first, "--yes"];
    same("beside-undo", &[env.run(&undo).code(0)]);
    same(
        "beside-status",
        &both(&env, &["status", &first]).map(|it| it.code(0)),
    );
    same("beside-runs", &both(&env, &["runs"]));
    same("beside-resume", &both(&env, &["resume", &first]));
    same("beside-again", &[env.run(&undo).code(0)]);
    same("beside-last", &[env.run(&["undo", "--yes"]).code(0)]);
    same("beside-runs-last", &[env.run(&["runs"])]);
}

#[test]
fn what_is_not_the_runs_is_left() {
    let (_cloud, env) = connected(PROJECT);
    let path = env.run_file().expect("there is a run");
    let saved = fs::read_to_string(&path).expect("our own file");
    let edited = saved.replace("\"found\"", "\"created\"");
    fs::write(&path, edited).expect("our own file");
    same("left-undo", &[env.run(&["undo", "--yes"]).code(0)]);
    same("left-status", &[env.run(&["status", &run_of(&env)])]);
}

#[test]
fn an_undo_that_waits_is_gone_on_with() {
    let (cloud, env) = connected(KONG);
    cloud.sandbox.edit(|world| world.lag = Lag::Looks(u32::MAX));
    let undo = ["undo", "--yes", "--no-wait"];
    same("undo-waiting", &both(&env, &undo).map(|it| it.code(5)));
    same("undo-waiting-status", &both(&env, &["status"]));
    same("undo-waiting-runs", &both(&env, &["runs"]));
    same("undo-waiting-resume", &both(&env, &["resume"]));
    let dry = ["undo", "--dry-run"];
    same("undo-waiting-dry-run", &[env.run(&dry).code(0)]);
    same("undo-waiting-preview", &[env.run(&["undo"])]);
}

#[test]
fn drift() {
    for provider in [PROJECT, KONG] {
        let cloud = Cloud::new();
        let env = TestEnv::of(&cloud, provider.id);
        env.run(&cloud.args(provider)).code(0);
        cloud.sandbox.edit(|world| {
            world.roles.retain(|role| role.name != provider.role_name);
        });
        let name = format!("{}-status-without-role", provider.id);
        same(&name, &both(&env, &["status"]).map(|it| it.code(1)));
    }
}

#[test]
fn runs() {
    let cloud = Cloud::new();
    let env = at_home(TestEnv::of(&cloud, PROJECT.id));
    same("runs-none", &both(&env, &["runs"]));
    same("resume-none", &both(&env, &["resume"]));
    same("status-none", &both(&env, &["status"]));
    same("undo-none", &both(&env, &["undo"]));
    env.run(&cloud.args(PROJECT)).code(0);
    env.run(&["undo", "--yes"]).code(0);
    env.run(&cloud.args(KONG)).code(0);
    let organization = &providers::aiven::ORGANIZATION;
    cloud.reset();
    cloud.let_in_beforehand(organization, false);
    env.run(&with(&cloud.args(organization), &["--no-wait"]))
        .code(5);
    let damaged = env.runs().join("timescale-9k2f.json");
    fs::write(&damaged, "not JSON").expect("a new file");
    // Surely the newest, however coarse the clock of the file system is.
    let file = fs::File::options()
        .write(true)
        .open(&damaged)
        .expect("it is there");
    let later = std::time::SystemTime::now() + std::time::Duration::from_secs(60);
    file.set_modified(later).expect("a time");
    same("runs", &both(&env, &["runs"]));
    same("resume-damaged", &both(&env, &["resume", "timescale-9k2f"]));
    same("undo-several", &both(&env, &["undo", "--yes"]));
}

/// A finished run, as version 0.1.0 wrote it.
const V1: &str = include_str!("fixtures/state-v1.json");

#[test]
fn a_newer_format() {
    let env = at_home(TestEnv::new());
    let mut run: Value = serde_json::from_str(V1).expect("the fixture is whole");
    run["format"] = 3.into();
    run["written_by"] = "peer-wizard 7.1.0".into();
    let name = run["run"].as_str().unwrap_or_default().to_owned();
    fs::create_dir_all(env.runs()).expect("a new folder");
    let path = env.runs().join(format!("{name}.json"));
    fs::write(path, run.to_string()).expect("a new file");
    same("newer-runs", &both(&env, &["runs"]));
    for command in ["resume", "status", "undo"] {
        same(&format!("newer-{command}"), &both(&env, &[command, &name]));
    }
}

#[test]
fn bad_input() {
    let cloud = Cloud::new();
    let env = TestEnv::of(&cloud, PROJECT.id);
    let shown = |name: &str, args: &[&str]| same(&format!("error-{name}"), &both(&env, args));
    shown("no-provider", &["azure", "--no-input"]);
    for provider in providers::ALL {
        let env = TestEnv::of(&cloud, provider.id);
        let args = ["azure", "--no-input", "--provider", provider.id];
        same(&format!("{}-missing", provider.id), &both(&env, &args));
    }
    shown("flag", &["azure", "--no-such-flag"]);
    shown("command", &["azur"]);
    shown("provider", &["azure", "--provider", "nobody"]);
    shown("explain", &["explain", "nobody"]);
    let both_named = ["azure", "--application", "a", "--application-id", GIVEN_APP];
    shown("conflict", &both_named);
    shown("guid", &["azure", "--application-id", "no-guid"]);
    for command in ["resume", "status", "undo"] {
        let name = format!("{command}-unknown");
        shown(&name, &[command, "no-such-run"]);
    }
}

#[test]
fn refusals() {
    let cloud = Cloud::new();
    let shown = |name: &str, env: TestEnv, args: &[String]| {
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        same(&format!("error-{name}"), &both(&env, &args));
    };
    let args = |provider| cloud.args(provider);
    let signed_in = |provider: &Provider| TestEnv::of(&cloud, provider.id);
    let wrong_token = || signed_in(PROJECT).set("AIVEN_TOKEN", "wrong-token");
    shown("aiven-token", wrong_token(), &args(PROJECT));
    let wrong_token = signed_in(KONG).set("KONNECT_TOKEN", "wrong-token");
    shown("konnect-token", wrong_token, &args(KONG));
    let no_token = signed_in(PROJECT).unset("AIVEN_TOKEN");
    shown("no-token", no_token, &args(PROJECT));
    let wrong_secret = signed_in(PROJECT).set("AZURE_CLIENT_SECRET", "wrong-secret");
    shown("azure-secret", wrong_secret, &args(PROJECT));

    let vnet = cloud.sandbox.sample().vnet_id;
    let with_vnet = |group: &str, name: &str| {
        let other = vnet
            .replace("RG-Network-Prod", group)
            .replace("vnet-hub-prod", name);
        args(PROJECT)
            .iter()
            .map(|arg| arg.replace(&vnet, &other))
            .collect::<Vec<_>>()
    };
    shown(
        "overlap",
        signed_in(PROJECT),
        &with_vnet("Shared-Services", "vnet-legacy"),
    );
    shown(
        "no-vnet",
        signed_in(PROJECT),
        &with_vnet("RG-Network-Prod", "vnet-nowhere"),
    );
}

#[test]
fn scripts() {
    let cloud = Cloud::new();
    let env = offline();
    let shapes: [(&str, &[&str]); 4] = [
        ("", &[]),
        ("-application-id", &["--application-id", GIVEN_APP]),
        ("-peering-only", &["--grant-role", "peering-only"]),
        (
            "-both",
            &[
                "--application-id",
                GIVEN_APP,
                "--grant-role",
                "peering-only",
            ],
        ),
    ];
    for provider in providers::ALL {
        for (shape, flags) in shapes {
            let args = with(&unapproved(cloud.args(provider)), &["--dry-run"]);
            let output = env.run(&with(&args, flags)).code(0);
            same(&format!("{}-dry-run{shape}", provider.id), &[output]);
        }
        let args = ["azure", "--dry-run", "--provider", provider.id];
        let name = format!("{}-dry-run-open", provider.id);
        same(&name, &[env.run(&args).code(0)]);
        let (_cloud, env, _) = waiting(provider, &[]);
        let name = format!("{}-resume-dry-run", provider.id);
        same(&name, &[env.run(&["resume", "--dry-run"]).code(0)]);
    }
}

#[test]
fn practice() {
    let env = offline();
    for provider in providers::ALL {
        let args = ["azure", "--sandbox", "--provider", provider.id];
        same(
            &format!("{}-practice", provider.id),
            &[env.run(&args).code(2)],
        );
    }
    // A practice run in all but name: its clouds were quick.
    let cloud = Cloud::new();
    let env = TestEnv::of(&cloud, KONG.id);
    env.run(&cloud.args(KONG)).code(0);
    same("practice-none", &both(&env, &["runs", "--sandbox"]));
    same("practice-real", &both(&env, &["status", "--sandbox"]));
    let mut saved = env.saved();
    saved["answers"]["SANDBOX"] = serde_json::json!({"value": "true", "from": "flag"});
    let path = env.run_file().expect("there is a run");
    fs::write(&path, saved.to_string()).expect("our own file");
    same("practice-gone", &both(&env, &["status"]));
    let kept = cloud.sandbox.keep(&path.with_extension("sandbox.json"));
    kept.expect("a new file");
    same("practice-status", &both(&env, &["status"]));
    same("practice-runs", &both(&env, &["runs"]));
    same("practice-undo", &[env.run(&["undo"])]);
}

/// How a failing cloud is told of in both forms, and what is left to do then.
fn failing(name: &str, faults: &Faults, limits: &[&str]) {
    let cloud = Cloud::new();
    for json in [false, true] {
        cloud.reset();
        cloud.faults(faults.clone());
        let env = TestEnv::of(&cloud, PROJECT.id);
        let form = if json { &JSON[..] } else { &[] };
        let args = with(&cloud.args(PROJECT), limits);
        let output = env.run(&with(&args, form)).code(1);
        let name = format!("failed-{name}{}", if json { "-json" } else { "" });
        let rest = env.run(&["resume", "--dry-run"]).code(0);
        let status = env.run(&with(&["status".to_owned()], form));
        same(&name, &[output, env.run(&["runs"]), status]);
        if !json {
            same(&format!("{name}-dry-run"), &[rest]);
        }
    }
}

#[test]
fn failures() {
    let said = "the VNet could not be reached with the given application";
    let refuse = Fault::Refuse("INVALID_SPECIFICATION".into(), said.into());
    failing(
        "by-aiven",
        &Faults::always(When::service(Service::Of("aiven")), refuse),
        &["--timeout", "0s"],
    );
    let no_role = Faults::always(When::default(), Fault::NoDirectoryRole);
    failing("directory-role", &no_role, &[]);
    let fail = Fault::FailOperation("PeeringLimit".into(), "too many peerings".into());
    failing(
        "operation",
        &Faults::once(When::path("virtualNetworkPeerings"), fail),
        &[],
    );
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
