//! Links in answers: next pages, redirects, operations. None leads a token to another server, none leads round in a circle or on
//! for ever.

use super::{
    hostile::{Deed, Hostile, Reply},
    scene::{Broken, error, factor, side_by_side, some, tried, unsound, watched},
    support::Cloud,
};
use peer_wizard::providers;
use serde_json::{Value, json};
use std::time::Duration;

/// The list of a preview.
const LIST: &str = "/roleDefinitions?api-version";

/// Links that lead away from this server to the other one, or into nonsense.
fn astray(here: &Hostile, there: &Hostile) -> Vec<String> {
    let (port, other) = (here.port(), there.port());
    let origin = there.origin();
    [
        format!("{origin}/steal"),
        format!("https://127.0.0.1:{other}/steal"),
        format!("https://localhost:{port}@127.0.0.1:{other}/steal"),
        format!("https://localhost:{port}%2f@localhost:{other}/steal"),
        format!("https://user:word@localhost:{port}/subscriptions"),
        format!("https://@localhost:{other}/steal"),
        format!("//localhost:{other}/steal"),
        format!("///localhost:{other}/steal"),
        format!("/\\localhost:{other}/steal"),
        format!("\\\\localhost:{other}\\steal"),
        format!("https:\\\\localhost:{other}\\steal"),
        format!("https:localhost:{other}/steal"),
        format!("https:/localhost:{other}/steal"),
        format!("ht\ttps://localhost:{other}/steal"),
        format!(" https://localhost:{other}/steal"),
        format!("https://localhost:{port}\\@localhost:{other}/steal"),
        format!("https://localhost:{port}#@localhost:{other}/steal"),
        format!("https://localhost:{port}?@localhost:{other}/steal"),
        format!("https://localhost:{port}.evil.example/steal"),
        format!("https://localhost.:{other}/steal"),
        format!("https://ⓛocalhost:{other}/steal"),
        format!("https://[::1]:{other}/steal"),
        format!("https://2130706433:{other}/steal"),
        format!("http://localhost:{port}/subscriptions"),
        format!("http://localhost:{other}/steal"),
        format!("wss://localhost:{port}/subscriptions"),
        "file:///etc/passwd".into(),
        "data:application/json,{\"value\":[]}".into(),
        "javascript:alert(1)".into(),
        "gopher://localhost:1/x".into(),
        "https://".into(),
        "https://:1".into(),
        "http:".into(),
        " ".into(),
        "\0".into(),
        "..".into(),
        "?".into(),
        "#".into(),
        format!("https://localhost:{port}/{}", "a/".repeat(100_000)),
        "x".repeat(1 << 20),
    ]
    .to_vec()
}

/// Checks that the other server was not met, in any way, and that nothing that is secret went there.
fn unmet(there: &Hostile, what: &str, broken: &Broken) {
    for asked in there.asked() {
        broken.note(format!("followed: {what}\n{}", asked.text()));
    }
}

#[test]
fn no_link_leads_a_token_to_another_server() {
    let broken = Broken::default();
    let provider = &providers::aiven::PROJECT;
    let cloud = Cloud::new();
    let there = Hostile::stranger();
    let links = astray(&Hostile::stranger(), &there);
    // Links of this server are made anew for each server.
    let all = (0..links.len()).flat_map(|at| [(at, "nextLink"), (at, "location")]);
    let all = some(all, 5);
    let count = all.len();
    side_by_side(all, |(at, kind)| {
        let (sent, received) = std::sync::mpsc::channel::<String>();
        let received = std::sync::Mutex::new(received);
        let link = std::sync::OnceLock::new();
        let hostile = Hostile::before(&cloud, move |asked| {
            if !asked.target.contains(LIST) {
                return Deed::Pass;
            }
            let link = link.get_or_init(|| {
                let received = received.lock().expect("not poisoned");
                received.recv().expect("a link")
            });
            if kind == "nextLink" {
                let body = json!({ "value": [], "nextLink": link });
                return Deed::Say(Reply::new(200, body.to_string()));
            }
            let clean: String = link.chars().filter(|it| !it.is_control()).collect();
            let status = [301, 302, 303, 307, 308][clean.len() % 5];
            Deed::Say(Reply::new(status, "{}").with("location", clean))
        });
        let link = astray(&hostile, &there)[at].clone();
        let what = format!("{kind} {link:.90?}");
        sent.send(link).expect("the server waits for it");
        let env = hostile.home(&cloud, provider.id);
        let mut args = cloud.json_args(provider);
        args.retain(|arg| arg != "--yes");
        let ended = watched(&env, &args);
        if let Some(why) = unsound(&ended.output) {
            broken.note(format!("{why}: {what}\n{}", ended.output));
        }
        if ended.took > Duration::from_secs(20) {
            broken.note(format!("{:?}: {what}", ended.took));
        }
        if ended.output.stdout.len() + ended.output.stderr.len() > 64 << 10 {
            broken.note(format!("it says too much: {what}"));
        }
        unmet(&there, &what, &broken);
    });
    tried(count, "links that lead astray");
    broken.none();
}

#[test]
fn a_list_that_goes_on_for_ever_or_round_in_circles_ends() {
    let broken = Broken::default();
    let provider = &providers::aiven::PROJECT;
    let cloud = Cloud::new();
    // How many pages there are before the first comes again, and how long each is.
    let cases = [
        (1, 10),
        (2, 10),
        (3, 10),
        (199, 10),
        (201, 10),
        (usize::MAX, 10),
        (usize::MAX, 1 << 18),
    ];
    for (circle, size) in cases {
        let hostile = Hostile::before(&cloud, move |asked| {
            if !asked.target.contains(LIST) {
                return Deed::Pass;
            }
            let host = asked.headers.iter().find(|(name, _)| name == "host");
            let host = host.map(|(_, value)| value.clone()).unwrap_or_default();
            let path = asked.target.split("&page=").next().unwrap_or_default();
            let page = asked.target.split("&page=").nth(1);
            let page: usize = page.and_then(|it| it.parse().ok()).unwrap_or(0);
            let next = (page + 1) % circle;
            let next = format!("https://{host}{path}&page={next}");
            let body = json!({ "value": [{ "pad": "x".repeat(size) }], "nextLink": next });
            Deed::Say(Reply::new(200, body.to_string()))
        });
        let env = hostile.home(&cloud, provider.id);
        let mut args = cloud.json_args(provider);
        args.retain(|arg| arg != "--yes");
        let ended = watched(&env, &args);
        let pages = hostile
            .asked()
            .iter()
            .filter(|it| it.target.contains(LIST))
            .count();
        let error = error(&ended.output);
        let what = format!(
            "a circle of {circle} pages of {size}: {pages} pages, {:?}, {} MiB, {:?} {error}",
            ended.took,
            ended.memory >> 10,
            ended.output.code
        );
        if let Some(why) = unsound(&ended.output) {
            broken.note(format!("{why}: {what}"));
        }
        // The list is asked for in two places.
        if pages > 2 * 201 {
            broken.note(format!("it does not give up: {what}"));
        }
        if ended.memory > 160 << 10 {
            broken.note(format!("too much memory: {what}"));
        }
    }
    tried(cases.len(), "lists without an end");
    broken.none();
}

#[test]
fn an_operation_elsewhere_is_not_followed() {
    let broken = Broken::default();
    let provider = &providers::aiven::PROJECT;
    let there = Hostile::stranger();
    let kinds = ["azure-asyncoperation", "location", "content-location"];
    let mut count = 0;
    for at in [0, 2, 6, 8, 23]
        .into_iter()
        .chain((factor() > 1).then_some(15))
    {
        let cloud = Cloud::new();
        let links = astray(&Hostile::stranger(), &there);
        let link: String = links[at].chars().filter(|it| !it.is_control()).collect();
        let sent = link.clone();
        let hostile = Hostile::before(&cloud, move |asked| {
            if !asked.is("PUT", "/virtualNetworkPeerings/")
                && !asked.is("DELETE", "/virtualNetworkPeerings/")
            {
                return Deed::Pass;
            }
            let link = sent.clone();
            Deed::Change(Box::new(move |mut reply| {
                for kind in kinds {
                    reply.headers.retain(|(name, _)| name != kind);
                    reply = reply.with(kind, link.clone());
                }
                reply
            }))
        });
        let env = hostile.home(&cloud, provider.id);
        let run = env.run(&cloud.json_args(provider));
        let undo = env.run(&["undo", "--yes", "--output", "json"]);
        for output in [&run, &undo] {
            if let Some(why) = unsound(output) {
                broken.note(format!("{why}: {link}\n{output}"));
            }
        }
        unmet(&there, &link, &broken);
        let left: Vec<Value> = cloud.world()["networks"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let left = left.iter().any(|it| {
            it.to_string().contains(&format!(
                "peer-wizard-{}",
                env.file()["run"].as_str().unwrap_or_default()
            ))
        });
        if left && undo.code == Some(0) {
            broken.note(format!(
                "undo leaves the peering and says it is done: {link}\n{undo}"
            ));
        }
        count += 1;
    }
    tried(count, "operations elsewhere");
    broken.none();
}

#[test]
fn a_sign_in_that_is_redirected_takes_no_secret_along() {
    let broken = Broken::default();
    let provider = &providers::aiven::PROJECT;
    let there = Hostile::stranger();
    for status in [301, 302, 303, 307, 308] {
        let cloud = Cloud::new();
        let to = there.origin();
        let hostile = Hostile::before(&cloud, move |asked| {
            if asked.target.contains("/oauth2/") {
                return Deed::Say(
                    Reply::new(status, "{}").with("location", format!("{to}{}", asked.target)),
                );
            }
            Deed::Pass
        });
        let env = hostile.home(&cloud, provider.id);
        let mut args = cloud.json_args(provider);
        args.retain(|arg| arg != "--yes");
        let ended = watched(&env, &args);
        if let Some(why) = unsound(&ended.output) {
            broken.note(format!("{why}: {status}\n{}", ended.output));
        }
        unmet(&there, &status.to_string(), &broken);
    }
    tried(5, "redirected sign-ins");
    broken.none();
}
