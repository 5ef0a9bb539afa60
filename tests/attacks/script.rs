//! The printed scripts under bash, with az, avn and curl that write down what they are called with and what they can see, and
//! answer with what would run if anything were evaluated.

use super::{
    scene::{Broken, every, factor, side_by_side, some, tried},
    support::{Cloud, TestEnv},
};
use peer_wizard::{provider::Provider, providers};
use serde_json::Value;
use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
};

/// Texts that would make a file called `owned`, each through another door.
const PAYLOADS: [&str; 24] = [
    "$(touch owned)",
    "`touch owned`",
    "'; touch owned; '",
    "\"; touch owned; \"",
    "'\"'\"'; touch owned #",
    "x\ntouch owned\n",
    "x\rtouch owned\r",
    "x\u{2028}touch owned",
    "a[$(touch owned)]",
    "a[`touch owned`]+1",
    "$((a[$(touch owned)]))",
    "${x:-$(touch owned)}",
    "<(touch owned)",
    "; touch owned",
    "| touch owned",
    "&& touch owned &",
    "\\'; touch owned; \\'",
    "\\\n$(touch owned)",
    "%n%s$(touch owned)",
    "*",
    "!touch owned",
    "-v; touch owned",
    "\u{1}\u{1b}]52;c;dG91Y2g=\u{7}",
    "EOF\ntouch owned\nEOF",
];

/// Writes its arguments and environment down and answers; the call whose number is in `AT` is answered with `SAYS`.
const FAKE: &str = r#"#!/bin/bash
set -f
echo x >> "$REC/count"
n=$(wc -l < "$REC/count")
{ printf '%s' "${0##*/}"; printf '\0%s' "$@"; printf '\n\1'; } >> "$REC/calls"
cat /proc/$$/environ | tr '\0' '\n' | sed "s/^/${0##*/} /" >> "$REC/environs"
# What comes through a pipe is asked for by name
for word; do case $word in @/dev/fd/*|/dev/fd/*) cat "${word#@}" >/dev/null;; esac; done
if [ "$n" = "$AT" ]; then cat "$REC/says"; exit 0; fi
id=11111111-2222-4333-8444-555555555555
scope=/subscriptions/0b1f6471-1bf0-4dda-aec3-cb9272f09590
case "${0##*/} $*" in
  *appOwnerOrganizationId*) echo c5b1e7d2-8f43-4e0b-a6d9-71f2a3b84e60 ;;
  *'cloud show'*) echo https://graph.microsoft.com/ ;;
  *'vnet show'*) echo 'Succeeded 10.10.0.0/16' ;;
  *'account list'*) echo 0b1f6471-1bf0-4dda-aec3-cb9272f09590 ;;
  *'credential reset'*) echo secret-of-the-script ;;
  *'peeringState'*) echo Connected ;;
  *'credential list'*) echo $id ;;
  *'definition create'*) echo $scope/providers/Microsoft.Authorization/roleDefinitions/$id ;;
  *'assignment create'*) echo $scope/providers/Microsoft.Authorization/roleAssignments/$id ;;
  *'assignableScopes[?@='*) echo $scope ;;
  *'definition list'*|*'assignment list'*) ;;
  'az rest'*|*'ad sp'*|*'ad app list'*) echo $id ;;
  *'peering list'*'remoteVirtualNetwork.id'*) echo /subscriptions/2a9c4e61-7d3b-4f05-8e1a-b6c8d0f2a435/x ;;
  *'vpc list'*) printf '[\n    {\n        "network_cidr": "192.168.20.0/22",\n        "project_vpc_id": "d3c1b5a7-8e90-4f2d-a6b4-1c3e5d7f9b80",\n        "state": "ACTIVE"\n    }\n]\n' ;;
  *'peering-connection list'*) printf '[\n    {\n        "peer_cloud_account": "0b1f6471-1bf0-4dda-aec3-cb9272f09590",\n        "peer_resource_group": "rg-network-prod",\n        "peer_vpc": "vnet-hub-prod",\n        "state": "ACTIVE",\n        "state_info": {\n            "message": "m",\n            "to-network-id": "/subscriptions/2a9c4e61-7d3b-4f05-8e1a-b6c8d0f2a435/x",\n            "to-tenant-id": "c5b1e7d2-8f43-4e0b-a6d9-71f2a3b84e60"\n        }\n    }\n]\n' ;;
  curl*transit-gateways/*) printf '{"id":"%s","state":"ready"}' $id ;;
  curl*transit-gateways\?*) printf '{"meta":{"page":{"total":0}},"data":[]}' ;;
  curl*transit-gateways*) printf '{"id":"%s","state":"ready","name":"n"}' $id ;;
  curl*networks*) printf '{"id":"b8d6f4a2-0c1e-4e3d-8b5a-7f9c1d3e5a60","state":"ready","cidr_block":"192.168.96.0/22"}' ;;
esac
"#;

const AIVEN: &Provider = &providers::aiven::PROJECT;
const KONG: &Provider = &providers::kong::KONG_CONNECT;
/// What the person who runs the script has in the environment, and which programs may see each.
const SECRETS: [(&str, &str, &str); 5] = [
    ("AIVEN_AUTH_TOKEN", "token-for-aiven-only", "avn"),
    ("KONNECT_TOKEN", "token-for-konnect-only", ""),
    ("KONNECT_SPAT", "other-token-for-konnect-only", ""),
    ("USER_APP_SECRET", "password-of-an-older-run", ""),
    ("", "secret-of-the-script", ""),
];

/// What a script did.
struct Done {
    calls: Vec<Vec<String>>,
    environs: String,
    output: String,
    said: String,
    owned: bool,
    code: Option<i32>,
    script: String,
}

/// Runs a script among the fakes; the call of this number is answered with this text.
fn run(env: &TestEnv, script: &str, at: usize, says: &str) -> Done {
    let dir = env.path("script");
    let _ = fs::remove_dir_all(&dir);
    for folder in ["bin", "record", "here", "home"] {
        fs::create_dir_all(dir.join(folder)).expect("a folder");
    }
    for name in ["az", "avn", "curl"] {
        let path = dir.join("bin").join(name);
        fs::write(&path, FAKE).expect("a file");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("ours");
    }
    // What a pattern would find.
    fs::write(dir.join("here/globbed"), "").expect("a file");
    fs::write(dir.join("record/says"), says).expect("a file");
    fs::write(dir.join("script.sh"), script).expect("a file");
    let path = std::env::var("PATH").expect("a path");
    // Whoever waits for a state that never comes is not waited for.
    let mut command = Command::new("timeout");
    command
        .args(["-k", "1", "2", "bash"])
        .arg(dir.join("script.sh"))
        .current_dir(dir.join("here"))
        .env_clear()
        .env("PATH", format!("{}:{path}", dir.join("bin").display()))
        .env("HOME", dir.join("home"))
        .env("REC", dir.join("record"))
        .env("AT", at.to_string())
        .env("PAUSE", "0")
        .stdin(Stdio::null());
    for (name, value, _) in SECRETS.iter().filter(|(name, _, _)| !name.is_empty()) {
        command.env(name, value);
    }
    let output = command.output().expect("bash");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let calls = fs::read_to_string(dir.join("record/calls")).unwrap_or_default();
    let calls = calls.split("\n\u{1}").filter(|call| !call.is_empty());
    Done {
        calls: calls
            .map(|call| call.split('\0').map(str::to_owned).collect())
            .collect(),
        environs: fs::read_to_string(dir.join("record/environs")).unwrap_or_default(),
        output: text(&output.stdout) + &text(&output.stderr),
        said: text(&output.stderr),
        owned: exists(&dir, "owned"),
        code: output.status.code(),
        script: script.to_owned(),
    }
}

fn exists(dir: &Path, name: &str) -> bool {
    ["here", "bin", "record", "home", "."]
        .iter()
        .any(|it| dir.join(it).join(name).exists())
}

/// What no script may do, whatever it is told.
fn harm(done: &Done) -> Vec<String> {
    let mut harm = Vec::new();
    if done.owned {
        harm.push("something else ran".into());
    }
    let verbs: BTreeSet<&str> = [
        "account", "ad", "cloud", "login", "network", "rest", "role", "vpc",
    ]
    .into();
    for call in &done.calls {
        let all = call.join(" ");
        if call.iter().any(|word| word == "globbed") {
            harm.push(format!("a pattern found a file: {all}"));
        }
        let program = call[0].as_str();
        let verb = call.get(1).map_or("", String::as_str);
        if program != "curl" && !verbs.contains(verb) {
            harm.push(format!("an unknown call: {all}"));
        }
        for (_, secret, _) in SECRETS {
            if all.contains(secret) {
                harm.push(format!("a secret among arguments: {all}"));
            }
        }
    }
    for line in done.environs.lines() {
        let (program, line) = line.split_once(' ').unwrap_or_default();
        for (name, secret, whose) in SECRETS {
            // One that the script has no use for is the person's own affair.
            let used = name.is_empty() || done.script.contains(name);
            if line.contains(secret) && program != whose && used {
                harm.push(format!("{program} sees {line}"));
            }
        }
    }
    // What it gives to stdout is data, and as it came.
    let steers = |it: char| it.is_control() && !"\n\t".contains(it);
    if done.said.contains(steers) {
        harm.push(format!(
            "control characters reach the terminal: {:.600?}",
            done.said
        ));
    }
    harm.sort();
    harm.dedup();
    harm
}

fn printed(env: &TestEnv, args: &[String]) -> Option<String> {
    let output = env.run(args);
    assert!(matches!(output.code, Some(0 | 2)), "{output}");
    (output.code == Some(0)).then_some(output.stdout)
}

fn dry(cloud: &Cloud, provider: &Provider) -> Vec<String> {
    let mut args = cloud.args(provider);
    args.push("--dry-run".into());
    args
}

#[test]
fn nothing_that_a_program_prints_is_run_and_no_secret_is_handed_on() {
    let broken = Broken::default();
    let mut count = 0;
    for (kind, provider) in [("aiven", AIVEN), ("kong", KONG)] {
        let cloud = Cloud::new();
        let env = TestEnv::of(&cloud, provider.id);
        let script = printed(&env, &dry(&cloud, provider)).expect("a script");
        let own = if kind == "aiven" {
            "AIVEN_AUTH_TOKEN"
        } else {
            "KONNECT_TOKEN"
        };
        assert!(script.contains(own), "{script}");
        let good = run(&env, &script, 0, "");
        assert_eq!(good.code, Some(0), "{}", good.output);
        for harm in harm(&good) {
            broken.note(format!("{kind}, undisturbed: {harm}"));
        }
        for round in 0..factor().min(PAYLOADS.len()) {
            for at in some(1..=good.calls.len(), 5) {
                let payload = PAYLOADS[(at * 5 + round) % PAYLOADS.len()];
                let done = run(&env, &script, at, payload);
                count += 1;
                for harm in harm(&done) {
                    broken.note(format!(
                        "{kind}, call {at} answered {payload:?} ({}): {harm}",
                        good.calls[at - 1].join(" ")
                    ));
                }
            }
        }
    }
    tried(count, "answers of az, avn and curl to the printed script");
    broken.none();
}

#[test]
fn what_konnect_says_is_not_obeyed_by_the_script() {
    let broken = Broken::default();
    let cloud = Cloud::new();
    let env = TestEnv::of(&cloud, KONG.id);
    let script = printed(&env, &dry(&cloud, KONG)).expect("a script");
    let calls = run(&env, &script, 0, "").calls;
    let curls: Vec<usize> = (0..calls.len())
        .filter(|at| calls[*at][0] == "curl")
        .map(|at| at + 1)
        .collect();
    let texts = [
        "{\"id\":\"../../../victim\",\"state\":\"ready\"}",
        "{\"id\":\"..\",\"state\":\"ready\"}",
        "{\"id\":\"%2e%2e/victim\",\"state\":\"ready\"}",
        "{\"id\":\"victim?x=y\",\"state\":\"ready\"}",
        "{\"id\":\"victim#\",\"state\":\"ready\"}",
        "{\"id\":\"$(touch owned)\",\"state\":\"$(touch owned)\"}",
        "{\"id\":\"x\\ny\",\"state\":\"a[$(touch owned)]\"}",
        "{\"id\":\"-K/etc/passwd\",\"state\":\"ready\"}",
        "{\"id\":\"{a,b}[1-9]\",\"state\":\"ready\"}",
        "{\"state\":\"\u{1b}]52;c;eA==\u{7}\",\"state_metadata\":{\"reason\":\"\u{9b}2J\u{202e}\"}}",
        "{\"state\":\"odd\u{9b}2J\",\"state_metadata\":{\"reason\":\"\u{85}\u{9d}x\"}}",
        "{\"meta\":{\"page\":{\"total\":\"a[$(touch owned)]\"}},\"data\":[{\"id\":\"x\"}]}",
        "{\"meta\":{\"page\":{\"total\":1e308}},\"data\":[{\"id\":\"x\"}]}",
        "{\"meta\":{\"page\":{\"total\":-1}},\"data\":[[[[[[]]]]]]}",
        "{\"meta\":{\"page\":{\"total\":0x7fffffffffffffffff}},\"data\":[{\"id\":\"x\"}]}",
        "[[[[[[[[",
        "",
        "null",
        "\u{1b}[2J\u{1b}]0;x\u{7}",
    ];
    let mut count = 0;
    for (number, text) in texts.iter().enumerate() {
        for at in &curls {
            if (number * 3 + at) % every(curls.len() * 3) != 0 {
                continue;
            }
            let done = run(&env, &script, *at, text);
            count += 1;
            for call in &done.calls {
                let url = call
                    .iter()
                    .position(|word| word == "--url")
                    .and_then(|at| call.get(at + 1));
                let Some(url) = url else { continue };
                if url.contains("victim")
                    && (url.contains("..")
                        || url.contains("%2e")
                        || url.contains('#')
                        || url.contains('?'))
                {
                    broken.note(format!("call {at} answered {text:?}: asks for {url}"));
                }
            }
            for harm in harm(&done) {
                broken.note(format!("call {at} answered {text:?}: {harm}"));
            }
        }
    }
    tried(count, "answers of Konnect to the printed script");
    broken.none();
}

#[test]
fn nothing_that_is_typed_or_saved_is_run_by_the_script() {
    let broken = Broken::default();
    let (count, accepted) = (AtomicUsize::new(0), AtomicUsize::new(0));
    side_by_side(
        vec![("aiven", AIVEN), ("kong", KONG)],
        |(kind, provider)| {
            let cloud = Cloud::new();
            let env = TestEnv::of(&cloud, provider.id);
            let flags: &[&str] = if kind == "aiven" {
                &[
                    "--project",
                    "--vpc",
                    "--application",
                    "--role-name",
                    "--peering-name",
                    "--subscription",
                    "--resource-group",
                    "--tenant",
                    "--provider-application-id",
                    "--vnet",
                    "--application-id",
                ]
            } else {
                &[
                    "--network",
                    "--dns",
                    "--role-name",
                    "--peering-name",
                    "--vnet",
                    "--provider-application-id",
                ]
            };
            for (number, flag) in flags.iter().enumerate() {
                for (at, payload) in PAYLOADS.iter().enumerate() {
                    if (at * 5 + number) % every(48) != 0 {
                        continue;
                    }
                    let mut args = dry(&cloud, provider);
                    if let Some(at) = args.iter().position(|arg| arg == flag) {
                        args.drain(at..=at + 1);
                    }
                    let value = match *flag {
                        "--dns" => format!("10.0.0.4={payload}"),
                        "--vnet" => format!("{}{payload}", cloud.sandbox.sample().vnet_id),
                        _ => (*payload).to_owned(),
                    };
                    args.push(format!("{flag}={value}"));
                    count.fetch_add(1, Ordering::Relaxed);
                    let output = env.run(&args);
                    if !matches!(output.code, Some(0 | 2 | 3)) {
                        broken.note(format!("{flag} {payload:?}\n{output}"));
                    }
                    if output.code != Some(0) {
                        continue;
                    }
                    accepted.fetch_add(1, Ordering::Relaxed);
                    let done = run(&env, &output.stdout, 0, "");
                    for harm in harm(&done) {
                        broken.note(format!("{kind}, {flag} {payload:?}: {harm}"));
                    }
                }
            }
            let (more, good) = saved(&cloud, provider, kind, &broken);
            count.fetch_add(more, Ordering::Relaxed);
            accepted.fetch_add(good, Ordering::Relaxed);
        },
    );
    let (count, accepted) = (count.into_inner(), accepted.into_inner());
    tried(
        count,
        &format!("values in the printed scripts, {accepted} of them printed"),
    );
    broken.none();
}

/// Scripts of a run whose file was edited.
fn saved(cloud: &Cloud, provider: &Provider, kind: &str, broken: &Broken) -> (usize, usize) {
    let (mut count, mut accepted) = (0, 0);
    let env = TestEnv::of(cloud, provider.id);
    env.run(&cloud.json_args(provider)).code(0);
    let path = env.run_file().expect("a run");
    let good = env.file();
    let mut places = vec!["/written_by".to_owned()];
    let mut pending = vec![String::new()];
    while let Some(place) = pending.pop() {
        let value = good.pointer(&place).expect("a place");
        match value {
            Value::Object(map) => {
                pending.extend(
                    map.keys().map(|key| {
                        format!("{place}/{}", key.replace('~', "~0").replace('/', "~1"))
                    }),
                );
            }
            Value::String(_) => places.push(place),
            _ => {}
        }
    }
    places.sort();
    places.dedup();
    for (number, place) in places.iter().enumerate() {
        for (at, payload) in PAYLOADS.iter().enumerate() {
            if (at + number * 5) % every(PAYLOADS.len() * 10) != 0 {
                continue;
            }
            let mut file = good.clone();
            *file.pointer_mut(place).expect("a place") = (*payload).into();
            // What was done is to be done again, so that the way there is printed too.
            let unfinished = number % 2 == 0;
            if unfinished {
                let last = ["active", "connected", "password-revoked", "gateway-ready"];
                let mut parts: Vec<&mut Value> = vec![&mut file["steps"]];
                parts.truncate(1);
                for part in parts {
                    if let Some(steps) = part.as_object_mut() {
                        steps.retain(|name, _| !last.contains(&name.as_str()));
                    }
                }
            }
            fs::write(&path, file.to_string()).expect("a file");
            let command: &[&str] = if unfinished {
                &["resume", "--dry-run"]
            } else {
                &["undo", "--dry-run"]
            };
            let output = env.run(command);
            count += 1;
            if !matches!(output.code, Some(0..=3)) {
                broken.note(format!("{place} {payload:?}\n{output}"));
            }
            if output.code != Some(0) || output.stdout.is_empty() {
                continue;
            }
            accepted += 1;
            let done = run(&env, &output.stdout, 0, "");
            for harm in harm(&done) {
                broken.note(format!(
                    "{kind}, {command:?} with {place} = {payload:?}: {harm}"
                ));
            }
        }
    }
    (count, accepted)
}
