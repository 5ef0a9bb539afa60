//! The binary against simulated clouds: what it prints, how it ends, and what it leaves behind.

#[path = "cli/refusals.rs"]
mod refusals;
mod support;

use peer_wizard::{
    provider::Provider,
    providers,
    sandbox::{Fault, Faults, Lag, Rule, Service, When},
};
use serde_json::Value;
use support::{Cloud, Output, TestEnv, but};

const PROJECT: &Provider = &providers::aiven::PROJECT;

/// An option after a command's arguments.
fn with(mut args: Vec<String>, more: &[&str]) -> Vec<String> {
    args.extend(more.iter().map(|&word| word.to_owned()));
    args
}

/// How many requests for a change the clouds have seen.
fn changes(cloud: &Cloud) -> usize {
    let seen = cloud.sandbox.requests();
    seen.iter()
        .filter(|it| it.service != Service::Entra && it.method != "GET")
        .count()
}

fn first_and_last(output: &Output) -> (Value, Value) {
    let events = output.events();
    let first = events.first().cloned().unwrap_or_default();
    (first, events.last().cloned().unwrap_or_default())
}

#[test]
fn the_main_job_for_every_provider_in_json() {
    for provider in providers::ALL {
        let cloud = Cloud::new();
        let env = TestEnv::of(&cloud, provider.id);
        let args = with(cloud.args(provider), &["--output", "json"]);
        let output = env.run(&args).code(0);
        let (first, last) = first_and_last(&output);
        assert_eq!(first["event"], "opened", "{output}");
        assert_eq!(first["schema"], 1, "{output}");
        assert_eq!(first["flow"], provider.id, "{output}");
        assert_eq!(last["event"], "closed", "{output}");
        assert_eq!(last["status"], "connected", "{output}");
        let total = usize::try_from(first["total"].as_u64().unwrap_or_default());
        assert_eq!(total.ok(), Some(output.finished().len()), "{output}");
        let saved = env.saved();
        assert_eq!(saved["run"], first["run"], "{output}");
        assert_eq!(saved["facts"], last["facts"], "{output}");
        let name = saved["run"].as_str().unwrap_or_default();
        let suffix = name.strip_prefix(provider.id).unwrap_or_default();
        assert_eq!(suffix.len(), 5, "a dash and four characters: {name}");
    }
}

#[test]
fn the_main_job_in_text_prints_facts_on_stdout_and_prose_on_stderr() {
    for provider in providers::ALL {
        let cloud = Cloud::new();
        let env = TestEnv::of(&cloud, provider.id);
        let output = env.run(&cloud.args(provider)).code(0);
        let saved = env.saved();
        let facts = saved["facts"].as_object().expect("facts");
        assert_eq!(output.stdout.lines().count(), facts.len(), "{output}");
        for (line, (name, value)) in output.stdout.lines().zip(facts) {
            let value = value.as_str().unwrap_or_default();
            let (first, rest) = line.split_once(' ').unwrap_or((line, ""));
            assert_eq!((first, rest.trim()), (name.as_str(), value), "{output}");
        }
        let run = saved["run"].as_str().unwrap_or_default();
        let said = output
            .says("Connected")
            .says(&format!("peer-wizard undo {run}"));
        assert!(
            !said.stderr.contains('\u{1b}'),
            "no colours without a terminal\n{said}"
        );
    }
}

/// Beside each other, as all of their time is spent on waiting.
#[test]
fn a_few_things_take_their_time() {
    std::thread::scope(|scope| {
        scope.spawn(practice_needs_nothing_and_undoes_itself);
        scope.spawn(slow_clouds_are_waited_for);
    });
}

fn practice_needs_nothing_and_undoes_itself() {
    // All at once, as their delays are real.
    let started: Vec<_> = providers::ALL
        .into_iter()
        .map(|provider| {
            let mut env = TestEnv::new();
            for name in ["AZURE_AUTHORITY_HOST", "AIVEN_WEB_URL"] {
                env = env.unset(name);
            }
            let args = ["azure", "--sandbox", "--yes", "--output", "json"];
            let args = with(
                args.map(str::to_owned).to_vec(),
                &["--provider", provider.id],
            );
            let started = env.start(&args);
            (env, started)
        })
        .collect();
    let undone: Vec<_> = started
        .into_iter()
        .map(|(env, started)| {
            let output = started.finish().code(0);
            let (_, last) = first_and_last(&output);
            assert_eq!(last["status"], "connected", "{output}");
            // A practice run has its clouds beside it.
            let undo = env.start(&["undo", "--sandbox", "--yes", "--output", "json"]);
            (env, undo)
        })
        .collect();
    for (_env, started) in undone {
        let output = started.finish().code(0);
        let (_, last) = first_and_last(&output);
        assert_eq!(last["status"], "undone", "{output}");
    }
}

#[test]
fn help_tells_every_option_and_exit_code() {
    let env = TestEnv::new();
    let help = env.run(&["--help"]).code(0);
    for word in [
        "azure",
        "resume",
        "runs",
        "Exit codes",
        "130",
        "AIVEN_AUTH_TOKEN",
    ] {
        assert!(help.stdout.contains(word), "{word}\n{help}");
    }
    let help = env.run(&["azure", "--help"]).code(0);
    for word in [
        "--provider",
        "--vnet",
        "--subscription",
        "--resource-group",
        "--tenant",
        "--project",
        "--organization",
        "--vpc",
        "--network",
        "--dns",
        "--application",
        "--application-id",
        "--provider-application-id",
        "--grant-scope",
        "--grant-role",
        "--peering-name",
        "--role-name",
        "--dry-run",
        "--no-wait",
        "--timeout",
        "--sandbox",
        "--yes",
        "--no-input",
        "--output",
        "--color",
        "--verbose",
        "--quiet",
        "--state-dir",
        "--ca-cert",
        "--azure-cloud",
        "--sign-in",
        "PEER_WIZARD_PROVIDER",
        "AZURE_SUBSCRIPTION_ID",
        "KONNECT_NETWORK_ID",
    ] {
        assert!(help.stdout.contains(word), "{word}\n{help}");
    }
    env.run(&["azure", "--no-such-flag"]).code(2);
    env.run(&["azure", "--provider", "nobody"])
        .code(2)
        .says("allowed:");
    assert!(!env.runs().exists(), "help leaves nothing behind");
}

#[test]
fn missing_answers_are_reported_together() {
    let cloud = Cloud::new();
    let env = TestEnv::of(&cloud, PROJECT.id);
    let output = env.run(&["azure", "--no-input"]).code(2);
    for word in [
        "--provider",
        "PEER_WIZARD_PROVIDER",
        "aiven-organization",
        "--vnet",
        "PEER_WIZARD_VNET",
    ] {
        assert!(output.stderr.contains(word), "{word}\n{output}");
    }
    let output = env
        .run(&["azure", "--no-input", "--provider", "aiven-project"])
        .code(2);
    // Each with its flag, its variable, and the values that could be looked up.
    for word in [
        "--subscription",
        "AZURE_SUBSCRIPTION_ID",
        "--vnet",
        "--project",
        "AIVEN_PROJECT",
        "acme-prod",
        "acme-lab",
        "--vpc",
        "PEER_WIZARD_VPC",
    ] {
        assert!(output.stderr.contains(word), "{word}\n{output}");
    }
    let json = env
        .run(&["azure", "--no-input", "--output", "json"])
        .code(2);
    let kinds: Vec<Value> = json.events().iter().map(|it| it["event"].clone()).collect();
    assert_eq!(kinds, ["opened", "failed", "closed"], "{json}");
    assert_eq!(json.events()[1]["error"]["kind"], "usage", "{json}");
    assert_eq!(changes(&cloud), 0);
}

#[test]
fn without_approval_nothing_happens() {
    let cloud = Cloud::new();
    let env = TestEnv::of(&cloud, PROJECT.id);
    let mut args = cloud.args(PROJECT);
    args.retain(|arg| arg != "--yes");
    env.run(&args).code(2).says("--yes");
    assert_eq!(changes(&cloud), 0);
    assert_eq!(env.run_file(), None);
}

#[test]
fn preflight_lists_every_problem_and_changes_nothing() {
    let cloud = Cloud::new();
    let sample = cloud.sandbox.sample();
    let legacy = sample.vnet_id.replace("RG-Network-Prod", "Shared-Services");
    let legacy = legacy.replace("vnet-hub-prod", "vnet-legacy");
    let absent = sample.vnet_id.replace("vnet-hub-prod", "vnet-nowhere");
    let env = TestEnv::of(&cloud, PROJECT.id);
    let args = || cloud.args(PROJECT);
    let before = cloud.world();

    env.run(&but(args(), "--vnet", &legacy))
        .code(3)
        .says("overlaps");
    env.run(&but(args(), "--vnet", &absent))
        .code(3)
        .says("there is no VNet `vnet-nowhere`");
    let not_ready = "2a1b9f7d-5e3c-4dae-9f8b-6c4e2a0d8f35";
    env.run(&but(args(), "--vpc", not_ready))
        .code(3)
        .says("APPROVED, not ACTIVE");
    let on_aws = "0e9f7d5b-3c1a-4b8e-9d6f-4a2c0e8b6d13";
    env.run(&but(args(), "--vpc", on_aws))
        .code(3)
        .says("not on Azure");

    // The administrator becomes a mere reader, the VNet is busy, its range overlaps: one message tells it all.
    let owner = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635";
    let reader = "acdd72a7-3385-48ef-bd42-f606fba81ae7";
    cloud.sandbox.edit(|world| {
        for assignment in &mut world.assignments {
            if assignment.role == owner {
                reader.clone_into(&mut assignment.role);
            }
        }
        for network in &mut world.networks {
            if network.name == "vnet-legacy" {
                "Updating".clone_into(&mut network.provisioning);
            }
        }
    });
    let output = env
        .run(&but(args(), "--vnet", &legacy))
        .code(3)
        .says("overlaps")
        .says("Updating")
        .says("Microsoft.Authorization/roleAssignments/write")
        .says("Microsoft.Authorization/roleDefinitions/write")
        .says("nothing was changed");
    assert_eq!(output.stderr.matches("cannot begin").count(), 1, "{output}");
    assert_eq!(changes(&cloud), 0);
    assert_eq!(env.run_file(), None, "a refused run is not saved");
    cloud.reset();
    assert_eq!(cloud.world(), before);
}

#[test]
fn a_bad_sign_in_has_its_own_code() {
    let cloud = Cloud::new();
    let before = cloud.world();
    let args = cloud.args(PROJECT);
    let wrong_token = TestEnv::of(&cloud, PROJECT.id).set("AIVEN_TOKEN", "wrong-token");
    wrong_token.run(&args).code(4).says("Aiven");
    let no_token = TestEnv::of(&cloud, PROJECT.id).unset("AIVEN_TOKEN");
    no_token.run(&args).code(4).says("AIVEN_AUTH_TOKEN");
    let wrong_secret = TestEnv::of(&cloud, PROJECT.id).set("AZURE_CLIENT_SECRET", "wrong-secret");
    wrong_secret.run(&args).code(4).says("AADSTS7000215");
    let incomplete = TestEnv::of(&cloud, PROJECT.id).unset("AZURE_CLIENT_SECRET");
    let asked = with(args.clone(), &["--sign-in", "environment"]);
    incomplete.run(&asked).code(4).says("AZURE_CLIENT_SECRET");
    cloud.faults(Faults::always(When::default(), Fault::ConditionalAccess));
    let blocked = TestEnv::of(&cloud, PROJECT.id).run(&args).code(4);
    assert!(blocked.stderr.contains("53003"), "{blocked}");
    assert_eq!(cloud.world(), before);
}

#[test]
fn tokens_go_only_where_they_belong() {
    let cloud = Cloud::new();
    let env = TestEnv::of(&cloud, PROJECT.id);
    for (variable, value) in [
        ("PEER_WIZARD_ARM_ENDPOINT", "http://management.example"),
        ("PEER_WIZARD_GRAPH_ENDPOINT", "http://localhost.example:80"),
        ("AIVEN_WEB_URL", "http://api.example"),
        ("AZURE_AUTHORITY_HOST", "http://localhost:80"),
    ] {
        let env = TestEnv::of(&cloud, PROJECT.id).set(variable, value);
        env.run(&cloud.args(PROJECT)).code(2).says(variable);
    }
    assert!(cloud.sandbox.requests().is_empty(), "nothing was asked");

    // A list whose next page is elsewhere.
    cloud.faults(Faults::always(
        When::service(Service::Arm),
        Fault::ForeignPage,
    ));
    let output = env.run(&["azure", "--no-input", "--provider", "aiven-project"]);
    assert_ne!(output.code, Some(0), "{output}");
    output.says("elsewhere.example").says("not followed");
    assert_eq!(changes(&cloud), 0);
}

#[test]
fn an_unknown_authority_is_refused_and_a_named_one_is_trusted() {
    let cloud = Cloud::new();
    let env = TestEnv::of(&cloud, PROJECT.id).unset("SSL_CERT_FILE");
    let args = cloud.args(PROJECT);
    let output = env.run(&args);
    assert!(matches!(output.code, Some(1 | 3 | 4)), "{output}");
    assert!(
        output.stderr.to_lowercase().contains("certificate"),
        "{output}"
    );
    assert!(cloud.sandbox.requests().is_empty(), "no token was sent");
    let ca = cloud.ca_file();
    env.run(&with(args, &["--ca-cert", &ca])).code(0);
}

#[test]
fn without_waiting_it_stops_and_resumes() {
    let cloud = Cloud::new();
    cloud.let_in_beforehand(PROJECT, false);
    let env = TestEnv::of(&cloud, PROJECT.id);
    let args = with(cloud.args(PROJECT), &["--no-wait", "--output", "json"]);
    let output = env.run(&args).code(5);
    let (first, last) = first_and_last(&output);
    assert_eq!(last["status"], "waiting", "{output}");
    let run = first["run"].as_str().expect("a name").to_owned();
    let output = output.says(&format!("peer-wizard resume {run}"));
    assert_eq!(output.finished()["provider-principal"], "found", "{output}");

    // The same answers again go on with the same run.
    env.run(&args).code(5).says(&run);
    let again = env.run(&["resume", &run, "--timeout", "0s"]).code(5);
    assert!(again.stderr.contains("APPROVED"), "{again}");
    cloud.open_the_gate();
    let output = env.run(&["resume", "--output", "json"]).code(0);
    assert_eq!(first_and_last(&output).1["status"], "connected", "{output}");
    env.run(&["resume", &run]).code(0).says("connected already");
    env.run(&cloud.args(PROJECT)).code(0).says("nothing to do");
}

#[test]
fn what_was_there_is_found_and_stays() {
    let cloud = {
        let mut cloud = Cloud::new();
        cloud.let_in_beforehand(PROJECT, true);
        cloud.settle();
        cloud
    };
    let before = cloud.world();
    let env = TestEnv::of(&cloud, PROJECT.id);
    let output = env
        .run(&with(cloud.args(PROJECT), &["--output", "json"]))
        .code(0);
    let finished = output.finished();
    for step in [
        "provider-principal",
        "role",
        "role-scope",
        "provider-assignment",
    ] {
        assert_eq!(finished[step], "found", "{step}\n{output}");
    }
    for step in [
        "application",
        "principal",
        "assignment",
        "provider-peering",
        "vnet-peering",
    ] {
        assert_eq!(finished[step], "created", "{step}\n{output}");
    }
    let undone = env.run(&["undo", "--yes", "--output", "json"]).code(0);
    assert_eq!(first_and_last(&undone).1["status"], "undone", "{undone}");
    assert_eq!(cloud.world(), before);
    env.run(&[
        "undo",
        "--yes",
        env.saved()["run"].as_str().unwrap_or_default(),
    ])
    .code(0)
    .says("nothing left to delete");
}

#[test]
fn a_missing_directory_role_is_told_with_the_way_out() {
    let cloud = Cloud::new();
    cloud.faults(Faults::always(When::default(), Fault::NoDirectoryRole));
    let env = TestEnv::of(&cloud, PROJECT.id);
    let output = env
        .run(&cloud.args(PROJECT))
        .code(1)
        .says("Application Administrator");
    cloud.faults(Faults::default());
    let run = env.saved()["run"].as_str().unwrap_or_default().to_owned();
    let output = output.says(&format!("peer-wizard resume {run}"));
    assert_eq!(env.run(&["resume"]).code, Some(0), "after {output}");
}

#[test]
fn an_operation_that_fails_is_told_and_tried_again_on_resume() {
    let cloud = Cloud::new();
    let fault = Fault::FailOperation("PeeringLimit".into(), "too many peerings".into());
    cloud.faults(Faults {
        rules: vec![Rule::once(When::path("virtualNetworkPeerings"), fault)],
    });
    let env = TestEnv::of(&cloud, PROJECT.id);
    env.run(&cloud.args(PROJECT))
        .code(1)
        .says("PeeringLimit")
        .says("too many peerings");
    env.run(&["resume"]).code(0);
}

#[test]
fn runs_and_status_tell_how_things_stand() {
    let cloud = Cloud::new();
    let env = TestEnv::of(&cloud, PROJECT.id);
    let none = env.run(&["runs", "--output", "json"]).code(0);
    assert_eq!(none.events(), [serde_json::json!({"runs": []})], "{none}");
    env.run(&["resume"]).code(2);
    env.run(&["resume", "aiven-project-0000"])
        .code(2)
        .says("there is no run");
    env.run(&["resume", "../../etc/passwd"])
        .code(2)
        .says("there is no run");
    env.run(&cloud.args(PROJECT)).code(0);
    let runs = env.run(&["runs", "--output", "json"]).code(0);
    let listed = &runs.events()[0]["runs"];
    assert_eq!(listed.as_array().map(Vec::len), Some(1), "{runs}");
    assert_eq!(listed[0]["state"], "connected", "{runs}");
    assert_eq!(listed[0]["flow"], PROJECT.id, "{runs}");
    let text = env.run(&["runs"]).code(0);
    assert!(text.stdout.contains("vnet-hub-prod"), "{text}");
    env.run(&["status"]).code(0);

    // Drift behind its back.
    cloud.sandbox.edit(|world| {
        world
            .assignments
            .retain(|it| !it.scope.ends_with("vnet-hub-prod"));
    });
    let drift = env.run(&["status", "--output", "json"]).code(1);
    assert!(drift.stdout.contains("missing"), "{drift}");
}

fn slow_clouds_are_waited_for() {
    let cloud = Cloud::with(Lag::Looks(1));
    let env = TestEnv::of(&cloud, PROJECT.id);
    let args = with(cloud.args(PROJECT), &["--output", "json"]);
    let output = env.run(&args).code(0);
    let events = output.events();
    let kinds: Vec<&str> = events
        .iter()
        .filter_map(|it| it["event"].as_str())
        .collect();
    for kind in ["retrying", "waiting"] {
        assert!(kinds.contains(&kind), "{kind}\n{output}");
    }
    let reasons = events.iter().filter(|it| it["event"] == "retrying");
    for event in reasons {
        assert!(
            event["because"].as_str().is_some_and(|it| !it.is_empty()),
            "{event}"
        );
        assert!(
            event["step"].as_str().is_some_and(|it| !it.is_empty()),
            "{event}"
        );
    }
}
