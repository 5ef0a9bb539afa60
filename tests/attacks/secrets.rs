//! Every secret of a run is looked for wherever it could have gone: files, outputs, children, other servers; also in the forms
//! that encodings give it, and when services say it back.

use super::{
    hostile::{Asked, Deed, Hostile, Reply},
    scene::{Broken, side_by_side, some, tried},
    support::Cloud,
};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use peer_wizard::providers;
use serde_json::{Value, json};
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    sync::{Arc, Mutex},
};

/// A secret in the forms that it could have been written in.
fn forms(secret: &str) -> Vec<String> {
    let mut forms = vec![
        secret.to_owned(),
        STANDARD.encode(secret),
        URL_SAFE_NO_PAD.encode(secret),
    ];
    let encoded: String = secret
        .bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => (byte as char).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect();
    forms.push(
        encoded
            .replace("%2D", "-")
            .replace("%2E", ".")
            .replace("%5F", "_"),
    );
    forms.push(encoded);
    forms.push(secret.bytes().map(|byte| format!("{byte:02x}")).collect());
    forms.push(secret.escape_debug().to_string());
    forms.push(secret.chars().rev().collect());
    // A part of a secret is one too.
    if secret.len() > 40 {
        forms.push(secret[secret.len() - 30..].to_owned());
        forms.push(secret[..secret.len() / 2].to_owned());
    }
    forms.retain(|form| form.len() >= 12);
    forms
}

/// The secrets that went by: what the person has, and what services gave.
type Bag = Arc<Mutex<Vec<String>>>;

fn known(cloud: &Cloud) -> Bag {
    let sample = cloud.sandbox.sample();
    Arc::new(Mutex::new(vec![
        sample.client_secret,
        sample.aiven_token,
        sample.timescale_token,
        sample.konnect_token,
    ]))
}

fn note(bag: &Bag, reply: &Reply) {
    let body = reply.json();
    for name in ["access_token", "secretText", "refresh_token"] {
        if let Some(secret) = body[name].as_str() {
            bag.lock().expect("a bag").push(secret.to_owned());
        }
    }
}

fn leaks(bag: &Bag, text: &str) -> Vec<String> {
    let bag = bag.lock().expect("a bag").clone();
    let mut found = Vec::new();
    for secret in bag {
        for form in forms(&secret) {
            if let Some(at) = text.find(&form) {
                let from = text[..at]
                    .char_indices()
                    .rev()
                    .nth(80)
                    .map_or(0, |(at, _)| at);
                let short: String = text[from..].chars().take(200).collect();
                found.push(format!("{form:.40}… in …{short}…"));
            }
        }
    }
    found
}

/// All that a request carried, given back in every field that errors have.
fn echo(asked: &Asked, status: u16) -> Reply {
    let all = asked.text();
    let body = String::from_utf8_lossy(&asked.body).into_owned();
    let authorization: Vec<String> = asked
        .headers
        .iter()
        .filter(|(name, _)| name.contains("authorization"))
        .map(|(_, value)| value.clone())
        .collect();
    let authorization = authorization.join(" ");
    let error = json!({
        "code": format!("Echo {authorization}"),
        "message": format!("you sent {all}"),
        "details": [{ "code": authorization, "message": body }],
        "innererror": { "message": all, "code": authorization },
        "error_description": all,
    });
    let text = json!({
        "error": error, "message": all, "errors": [{ "message": all, "error_code": authorization }],
        "error_description": format!("AADSTS7000215: {all}"), "detail": all, "title": authorization, "instance": all,
        "invalid_parameters": [{ "field": authorization, "reason": all, "rule": all }],
        "claims": authorization,
    });
    let header: String = authorization
        .chars()
        .filter(|it| !it.is_control())
        .collect();
    Reply::new(status, text.to_string())
        .with("x-ms-request-id", header.clone())
        .with("request-id", header.clone())
        .with("x-ms-failure-cause", header.clone())
        .with("www-authenticate", format!("Bearer error=\"insufficient_claims\", claims=\"{header}\", error_description=\"{header}\""))
        .with("location", format!("/{header}"))
}

/// Runs, stops, looks and undoes with a server that gives back what it is sent at each of these requests.
#[test]
fn what_a_service_says_back_is_told_to_nobody() {
    let broken = Broken::default();
    let parts = [
        ("GET", "/v1/project/"),
        ("POST", "/oauth2/"),
        ("GET", "virtualNetworks/vnet-hub-prod?"),
        ("PATCH", "/applications("),
        ("POST", "/addPassword"),
        ("POST", "/servicePrincipals"),
        ("PUT", "/roleDefinitions/"),
        ("PUT", "/roleAssignments/"),
        ("POST", "/peering-connections"),
        ("PUT", "/virtualNetworkPeerings/"),
        ("GET", "/operations/"),
        ("POST", "/removePassword"),
    ];
    let parts = some(parts.into_iter().enumerate(), 2);
    let count = parts.len() * 3;
    side_by_side(parts, |(at, (method, part))| {
        let provider = &providers::aiven::PROJECT;
        let cloud = Cloud::new();
        let bag = known(&cloud);
        let kept = Arc::clone(&bag);
        let status = [400, 401, 403, 409][at % 4];
        let secret = Arc::new(Mutex::new(String::new()));
        let hostile = Hostile::before(&cloud, move |asked| {
            let kept = Arc::clone(&kept);
            if asked.is(method, part) {
                let mut reply = echo(asked, status);
                // What was minted before is said back as well.
                let minted = secret.lock().expect("text").clone();
                reply.body = String::from_utf8_lossy(&reply.body)
                    .replacen("you sent ", &format!("you have {minted} and sent "), 1)
                    .into_bytes();
                return Deed::Say(reply);
            }
            let secret = Arc::clone(&secret);
            Deed::Change(Box::new(move |reply| {
                note(&kept, &reply);
                if let Some(text) = reply.json()["secretText"].as_str() {
                    text.clone_into(&mut secret.lock().expect("text"));
                }
                reply
            }))
        });
        let env = hostile.home(&cloud, provider.id);
        let mut args = cloud.json_args(provider);
        args.extend(["--verbose", "--timeout", "1s"].map(str::to_owned));
        let mut text = String::new();
        for args in [
            args,
            ["resume", "-v", "--no-input", "--timeout", "1s"]
                .map(str::to_owned)
                .to_vec(),
            ["undo", "--yes", "-v", "--output", "json", "--timeout", "1s"]
                .map(str::to_owned)
                .to_vec(),
        ] {
            text.push_str(&env.run(&args).to_string());
        }
        text.push_str(&env.everything_written());
        for leak in leaks(&bag, &text) {
            broken.note(format!("{method} {part}, said back with {status}: {leak}"));
        }
    });
    tried(
        count,
        "processes whose services say back what they are sent",
    );
    broken.none();
}

/// az, which writes down what it sees; it gives tokens of these clouds.
const AZ: &str = r#"#!/bin/bash
{ printf '%s\n' "$*"; cat /proc/$$/environ | tr '\0' '\n'; tr '\0' '\n' < /proc/$PPID/cmdline; } >> "$HOME/az-saw"
{ cat /proc/$PPID/environ | tr '\0' '\n'; } > "$HOME/parent-environ" 2>&1
grep -i -E 'NoNewPrivs|Cpus_allowed_list' /proc/$PPID/status > /dev/null 2>&1
ls -l /proc/$PPID/fd > "$HOME/parent-fd" 2>&1
cat /proc/$PPID/limits > "$HOME/parent-limits" 2>&1
stat -c '%U %a' /proc/$PPID/mem > "$HOME/parent-mem" 2>&1
ls -l /proc/self/fd > "$HOME/own-fd" 2>&1
case "$*" in
  *graph*|*Graph*) token=$(cat "$HOME/graph") ;;
  *) token=$(cat "$HOME/arm") ;;
esac
case "$*" in
  *get-access-token*) printf '{"accessToken":"%s","expiresOn":"2099-01-01 00:00:00.000000","expires_on":4070908800,"subscription":"s","tenant":"%s","tokenType":"Bearer"}' "$token" "$TENANT_OF_TEST" ;;
  *"account list"*) printf '[]' ;;
  *) printf '{}' ;;
esac
"#;

/// A preview that is signed in by the environment, for its tokens of ARM and Graph.
fn tokens_of(cloud: &Cloud, bag: &Bag) -> (Hostile, [String; 2]) {
    let provider = &providers::aiven::PROJECT;
    let kept = Arc::clone(bag);
    let tokens: Arc<Mutex<Vec<(String, String)>>> = Arc::default();
    let given = Arc::clone(&tokens);
    let hostile = Hostile::before(cloud, move |asked| {
        let body = String::from_utf8_lossy(&asked.body).into_owned();
        let (kept, given) = (Arc::clone(&kept), Arc::clone(&given));
        Deed::Change(Box::new(move |reply| {
            note(&kept, &reply);
            if let Some(token) = reply.json()["access_token"].as_str() {
                given.lock().expect("tokens").push((body, token.to_owned()));
            }
            reply
        }))
    });
    let env = hostile.home(cloud, provider.id);
    env.run(&["doctor", "--provider", provider.id, "--output", "json"]);
    let find = |word: &str| {
        let tokens = tokens.lock().expect("tokens");
        tokens
            .iter()
            .find(|(body, _)| body.contains(word))
            .map(|(_, token)| token.clone())
    };
    let mut args = cloud.json_args(provider);
    args.retain(|arg| arg != "--yes");
    env.run(&args);
    let both = ["management", "graph"].map(|word| find(word).expect("a token"));
    (hostile, both)
}

#[test]
fn children_see_no_secret_and_the_process_lies_open_to_nobody() {
    let broken = Broken::default();
    let provider = &providers::aiven::PROJECT;
    let cloud = Cloud::new();
    let bag = known(&cloud);
    let (hostile, [arm, graph]) = tokens_of(&cloud, &bag);

    let env = hostile.home(&cloud, provider.id);
    let home = env.path("home");
    fs::write(home.join("arm"), arm).expect("a file");
    fs::write(home.join("graph"), graph).expect("a file");
    let bin = env.path("bin");
    fs::create_dir_all(&bin).expect("a folder");
    fs::write(bin.join("az"), AZ).expect("a file");
    fs::set_permissions(bin.join("az"), fs::Permissions::from_mode(0o755)).expect("ours");
    let path = format!(
        "{}:{}",
        bin.display(),
        std::env::var("PATH").expect("a path")
    );
    let env = env
        .set("PATH", path)
        .set("TENANT_OF_TEST", cloud.sandbox.sample().tenant)
        .set("KONNECT_SPAT", cloud.sandbox.sample().konnect_token);
    let mut args = cloud.json_args(provider);
    args.extend(["--sign-in", "az", "--tenant"].map(str::to_owned));
    args.push(cloud.sandbox.sample().tenant);
    let output = env.run(&args);
    let read = |name: &str| fs::read_to_string(home.join(name)).unwrap_or_default();
    let saw = read("az-saw");
    if saw.is_empty() {
        broken.note(format!("az was not called\n{output}"));
    }
    if output.code != Some(0) {
        broken.note(format!("it does not connect\n{output}"));
    }
    for leak in leaks(&bag, &saw) {
        broken.note(format!("az sees: {leak}"));
    }
    let root = rustix::process::geteuid().is_root();
    for leak in leaks(&bag, &read("parent-environ"))
        .into_iter()
        .filter(|_| !root)
    {
        // Its own environment is what the person gave it; nobody else may read it.
        broken.note(format!("the process's environment can be read: {leak:.60}"));
    }
    let limits = read("parent-limits");
    let core = limits
        .lines()
        .find(|line| line.starts_with("Max core file size"));
    if !limits.is_empty() && core.is_none_or(|line| line.split_whitespace().nth(4) != Some("0")) {
        broken.note(format!("it can leave a core dump: {core:?}"));
    }
    for line in read("own-fd").lines() {
        let number = line
            .split_whitespace()
            .rev()
            .nth(2)
            .and_then(|it| it.parse::<u32>().ok());
        if number.is_some_and(|number| number > 2)
            && (line.contains("/runs/") || line.contains("socket:"))
        {
            broken.note(format!("az was handed {line}"));
        }
    }
    for leak in leaks(
        &bag,
        &(output.to_string() + &env.path("state").display().to_string()),
    ) {
        broken.note(leak);
    }
    let written = env.everything_written();
    let state: String = written
        .split("=== ")
        .filter(|part| part.contains("/state/"))
        .collect();
    for leak in leaks(&bag, &state) {
        broken.note(format!("saved: {leak}"));
    }
    tried(1, "runs whose children look around");
    broken.none();
}

#[test]
fn a_run_that_ends_in_any_way_leaves_no_secret_behind() {
    let broken = Broken::default();
    let ends = ["well", "interrupted", "killed", "terminated"];
    let all = providers::ALL
        .into_iter()
        .flat_map(|provider| ends.map(|end| (provider, end)));
    let all = some(all, 3);
    let count = all.len();
    side_by_side(all, |(provider, end)| {
        let cloud = Cloud::new();
        let bag = known(&cloud);
        let kept = Arc::clone(&bag);
        cloud.let_in_beforehand(provider, end == "well");
        let hostile = Hostile::before(&cloud, move |_| {
            let kept = Arc::clone(&kept);
            Deed::Change(Box::new(move |reply| {
                note(&kept, &reply);
                reply
            }))
        });
        let env = hostile.home(&cloud, provider.id);
        let mut args = cloud.json_args(provider);
        args.push("-v".into());
        let mut started = env.start(&args);
        if end != "well" {
            started
                .until(|event: &Value| event["event"] == "waiting" || event["event"] == "closed");
        }
        match end {
            "interrupted" => started.interrupt(),
            "terminated" => started.signal("TERM"),
            "killed" => started.kill(),
            _ => {}
        }
        let output = started.finish();
        let text = output.to_string() + &env.everything_written();
        for leak in leaks(&bag, &text) {
            broken.note(format!("{} {end}: {leak}", provider.id));
        }
    });
    tried(count, "ends of runs searched for secrets");
    broken.none();
}
