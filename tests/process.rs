//! The binary as a process among others: killed, interrupted, locked out, signed in through `az`, and watched for secrets.
#![cfg(unix)]

mod support;

use peer_wizard::{provider::Provider, providers};
use serde_json::{Value, json};
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    thread,
    time::{Duration, Instant},
};
use support::{Cloud, TestEnv, picture};

const PROJECT: &Provider = &providers::aiven::PROJECT;

/// The world at the end of a run, in which all that differs from run to run has the same name.
fn end(cloud: &Cloud, before: &Value, saved: &Value) -> Value {
    let run = saved["run"].as_str().expect("a name");
    let world = cloud.world().to_string().replace(run, "<run>");
    let world = serde_json::from_str(&world).expect("only texts were replaced");
    let facts = serde_json::from_value(saved["facts"].clone());
    picture(&world, before, &facts.expect("facts are texts"))
}

#[test]
fn killed_at_any_moment_it_resumes_to_the_same_end() {
    for provider in [PROJECT, &providers::timescale::TIMESCALE] {
        let cloud = Cloud::new();
        let before = cloud.world();
        let env = TestEnv::of(&cloud, provider.id);
        env.run(&cloud.json_args(provider)).code(0);
        let saved = env.saved();
        let goal = end(&cloud, &before, &saved);
        let last = saved["serial"].as_u64().expect("a number");
        // Every third save, and others for the other provider.
        let first = if provider.id == PROJECT.id { 1 } else { 2 };
        for serial in (first..last).step_by(3) {
            cloud.reset();
            let env = TestEnv::of(&cloud, provider.id);
            let mut started = env.start(&cloud.json_args(provider));
            let reached = until(|| {
                let saved = env.run_file().map(|_| env.saved());
                let now = saved.and_then(|saved| saved["serial"].as_u64());
                now.is_some_and(|now| now >= serial)
            });
            assert!(reached, "save {serial} was never made");
            started.kill();
            // Whatever it was doing is lost; if it was too quick, there is nothing left to do.
            let output = env.run(&["resume", "--no-input"]);
            if output.code == Some(2) {
                assert!(output.stderr.contains("no such run"), "{output}");
            } else {
                assert_eq!(output.code, Some(0), "killed at save {serial}\n{output}");
            }
            let saved = env.saved();
            assert_eq!(
                end(&cloud, &before, &saved),
                goal,
                "killed at save {serial}"
            );
        }
    }
}

/// Looks until it is so, or for a minute.
fn until(so: impl Fn() -> bool) -> bool {
    let end = Instant::now() + Duration::from_secs(60);
    while Instant::now() < end {
        if so() {
            return true;
        }
        thread::sleep(Duration::from_millis(1));
    }
    false
}

#[test]
fn ctrl_c_saves_says_how_to_go_on_and_ends_with_130() {
    let cloud = Cloud::new();
    cloud.let_in_beforehand(PROJECT, false);
    let env = TestEnv::of(&cloud, PROJECT.id);
    let mut started = env.start(&cloud.json_args(PROJECT));
    started.until_waiting("pending-peer");
    started.interrupt();
    let output = started.finish().code(130);
    let last = output.events().last().cloned().unwrap_or_default();
    assert_eq!(last["event"], "closed", "{output}");
    assert_eq!(last["status"], "interrupted", "{output}");
    let run = env.saved()["run"].as_str().expect("a name").to_owned();
    let output = output
        .says("Nothing is lost")
        .says(&format!("peer-wizard resume {run}"))
        .says(&format!("peer-wizard undo {run}"));
    assert!(!output.stderr.contains("error"), "{output}");
    cloud.open_the_gate();
    env.run(&["resume", &run]).code(0);
}

#[test]
fn ctrl_c_before_a_run_leaves_nothing() {
    let cloud = Cloud::new();
    // The sign-in takes for ever: `az` does not answer.
    let env = az(
        TestEnv::of(&cloud, PROJECT.id),
        "#!/bin/sh\n: > \"$AZ_CALLS\"\nexec sleep 60\n",
    );
    let mut args = cloud.args(PROJECT);
    args.extend(["--sign-in".to_owned(), "az".to_owned()]);
    let started = env.start(&args);
    assert!(
        until(|| env.path("az-calls").exists()),
        "az was never asked"
    );
    started.interrupt();
    let output = started.finish().code(130);
    assert_eq!(env.run_file(), None, "{output}");
}

#[test]
fn a_second_process_is_locked_out_and_told_by_whom() {
    let cloud = Cloud::new();
    cloud.let_in_beforehand(PROJECT, false);
    let env = TestEnv::of(&cloud, PROJECT.id);
    let mut first = env.start(&cloud.json_args(PROJECT));
    first.until_waiting("pending-peer");
    let run = env.saved()["run"].as_str().expect("a name").to_owned();
    let holder = format!("process {}", first.id());
    env.run(&["resume", &run])
        .code(2)
        .says("is in use by")
        .says(&holder);
    env.run(&["undo", "--yes", &run]).code(2).says(&holder);
    // The same answers again lead to the same run, not to a second one.
    env.run(&cloud.args(PROJECT)).code(2).says(&holder);
    assert!(first.runs(), "the first one goes on");
    cloud.open_the_gate();
    first.finish().code(0);
    env.run(&["resume", &run]).code(0);
}

#[test]
fn a_lock_ends_with_its_process() {
    let cloud = Cloud::new();
    cloud.let_in_beforehand(PROJECT, false);
    let env = TestEnv::of(&cloud, PROJECT.id);
    let mut first = env.start(&cloud.json_args(PROJECT));
    first.until_waiting("pending-peer");
    first.kill();
    cloud.open_the_gate();
    env.run(&["resume"]).code(0);
}

/// Puts a program called `az` before all others; `$AZ_CALLS` is the file that it may note its calls in.
fn az(env: TestEnv, script: &str) -> TestEnv {
    let folder = env.path("bin");
    fs::create_dir_all(&folder).expect("a new folder");
    let program = folder.join("az");
    fs::write(&program, script).expect("a new file");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o700)).expect("our own file");
    let path = std::env::var("PATH").unwrap_or_default();
    let calls = env.path("az-calls").display().to_string();
    env.set("PATH", format!("{}:{path}", folder.display()))
        .set("AZ_CALLS", calls)
        .unset("AZURE_CLIENT_ID")
        .unset("AZURE_TENANT_ID")
        .unset("AZURE_CLIENT_SECRET")
}

/// Tokens of the sample administrator, as files in the test's folder.
fn sign_in(cloud: &Cloud, env: &TestEnv) {
    let sample = cloud.sandbox.sample();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    for (file, resource) in [
        ("arm.json", "https://management.azure.com"),
        ("graph.json", "https://graph.microsoft.com"),
    ] {
        let form = [
            ("grant_type", "client_credentials".to_owned()),
            ("client_id", sample.client_id.clone()),
            ("client_secret", sample.client_secret.clone()),
            ("scope", format!("{resource}/.default")),
        ];
        let url = format!(
            "{}/{}/oauth2/v2.0/token",
            cloud.sandbox.origin(),
            sample.tenant
        );
        let ca = reqwest::Certificate::from_pem(cloud.sandbox.ca_pem().as_bytes());
        let client = reqwest::Client::builder()
            .tls_certs_merge([ca.expect("a certificate")])
            .build();
        let work = async {
            let answer = client
                .expect("a client")
                .post(url)
                .form(&form)
                .send()
                .await?;
            answer.json::<Value>().await
        };
        let answer = runtime.as_ref().expect("a runtime").block_on(work);
        let token = answer.expect("a token")["access_token"].clone();
        let text = json!({
            "accessToken": token, "expiresOn": "2099-01-01 00:00:00.000000", "expires_on": 4_070_908_800_u64,
            "subscription": sample.subscription, "tenant": sample.tenant, "tokenType": "Bearer",
        });
        fs::write(env.path(file), text.to_string()).expect("a new file");
    }
}

#[test]
fn the_session_of_az_serves_and_sees_no_secret() {
    let cloud = Cloud::new();
    let env = TestEnv::of(&cloud, PROJECT.id);
    sign_in(&cloud, &env);
    let script = "#!/bin/sh\nprintf '%s\\n' \"$*\" >> \"$AZ_CALLS\"\ncase \"$*\" in\n  *graph.microsoft.com*) cat graph.json ;;\n  *management.azure.com*) cat arm.json ;;\n  *) echo unexpected >&2; exit 1 ;;\nesac\n";
    // The library starts `az` in a folder of its own choice.
    let here = env.path("");
    let script = script.replace("cat ", &format!("cat {}/", here.display()));
    let env = az(env, &script);
    let output = env.run(&cloud.args(PROJECT)).code(0);
    let calls = fs::read_to_string(env.path("az-calls")).expect("az was called");
    for call in calls.lines() {
        assert!(call.starts_with("account get-access-token"), "{call}");
    }
    // It is slow to start, so its tokens are kept.
    assert!(calls.lines().count() <= 6, "{calls}\n{output}");
    for secret in cloud.sandbox.secrets() {
        assert!(!calls.contains(&secret), "a secret was an argument of az");
    }
}

#[test]
fn a_password_that_nobody_revokes_ends_in_two_hours_by_the_clock_of_the_service() {
    const DAY: i64 = 24 * 60 * 60;
    let cloud = Cloud::new();
    for (ahead, timeout, hours) in [(0, None, 2), (3 * DAY, None, 2), (-3 * DAY, Some("5h"), 6)] {
        cloud.reset();
        cloud.let_in_beforehand(PROJECT, false);
        cloud.sandbox.edit(|world| world.ahead = ahead);
        let env = TestEnv::of(&cloud, PROJECT.id);
        let mut args = cloud.json_args(PROJECT);
        args.extend(
            timeout
                .iter()
                .flat_map(|it| ["--timeout".into(), (*it).into()]),
        );
        let mut started = env.start(&args);
        started.until_waiting("pending-peer");
        started.kill();
        let mut ends = Vec::new();
        cloud.sandbox.edit(|world| {
            let all = world.applications.iter().flat_map(|app| &app.passwords);
            let own = all.filter(|it| it.display_name.as_deref() != Some("practice"));
            ends.extend(own.map(|it| it.end.clone()));
        });
        assert_eq!(ends.len(), 1, "{ends:?}");
        let form = &time::format_description::well_known::Rfc3339;
        let end = time::OffsetDateTime::parse(&ends[0], form).expect("a moment");
        let clock = time::OffsetDateTime::now_utc() + time::Duration::seconds(ahead);
        let left = (end - clock).whole_minutes();
        assert!((hours * 60 - 10..=hours * 60).contains(&left), "{left} min");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn no_core_dump_is_written() {
    let cloud = Cloud::new();
    cloud.let_in_beforehand(PROJECT, false);
    let env = TestEnv::of(&cloud, PROJECT.id);
    let mut started = env.start(&cloud.json_args(PROJECT));
    started.until_waiting("pending-peer");
    let limits = fs::read_to_string(format!("/proc/{}/limits", started.id())).expect("it runs");
    let core = limits
        .lines()
        .find(|line| line.starts_with("Max core file size"));
    let core: Vec<&str> = core.expect("a limit").split_whitespace().collect();
    assert_eq!(core[4..6], ["0", "0"], "{core:?}");
}

#[test]
fn no_secret_is_written_or_said() {
    let cloud = Cloud::new();
    // Also of a run that is broken off, in the most talkative way.
    for (gate, output) in [(false, "json"), (true, "text")] {
        cloud.reset();
        cloud.let_in_beforehand(PROJECT, gate);
        let env = TestEnv::of(&cloud, PROJECT.id);
        let mut args = cloud.args(PROJECT);
        args.extend(["--verbose", "--no-wait", "--output", output].map(str::to_owned));
        let said = env.run(&args).code(if gate { 0 } else { 5 });
        let written = env.everything_written();
        assert!(written.contains("\"format\": 2"), "the run was looked at");
        assert!(
            written.contains("/v1.0/applications"),
            "the log was looked at"
        );
        for secret in cloud.sandbox.secrets() {
            for (place, text) in [
                ("file", &written),
                ("stdout", &said.stdout),
                ("stderr", &said.stderr),
            ] {
                assert!(!text.contains(&secret), "{secret} in a {place}");
            }
        }
    }
}
