//! Numbers and times in answers and files that no clock and no counter can hold.

use super::{
    hostile::{Deed, Hostile, Reply},
    scene::{Broken, factor, side_by_side, some, tried, unsound, watched},
    support::Cloud,
};
use peer_wizard::providers;
use serde_json::{Value, json};
use std::{
    fs,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

const PAUSES: [&str; 16] = [
    "-5",
    "0",
    "-0",
    "0.0000001",
    "+1",
    " 1",
    "1, 1",
    "NaN",
    "",
    "1e-3",
    "Thu, 01 Jan 1970 00:00:00 GMT",
    "Thu, 32 Foo 99999 99:99:99 GMT",
    "Wed, 21 Oct 0000 07:28:00 GMT",
    "x",
    "0x10",
    "１",
];

/// These may be believed only as far as a person would wait.
const LONG: [&str; 8] = [
    "1e308",
    "1e999",
    "inf",
    "18446744073709551615",
    "18446744073709551616",
    "9223372036854775807",
    "Fri, 31 Dec 9999 23:59:59 GMT",
    "99999999999999999999999999999999999999",
];

#[test]
fn a_pause_that_a_service_asks_for_is_one_that_a_person_would_bear() {
    let broken = Broken::default();
    let provider = &providers::aiven::PROJECT;
    let all = some(PAUSES.iter().chain(&LONG).enumerate(), 3);
    let count = all.len();
    side_by_side(all, |(at, pause)| {
        let cloud = Cloud::new();
        let long = LONG.contains(pause);
        let times = AtomicUsize::new(0);
        let status = [429, 503][at % 2];
        let text = (*pause).to_owned();
        let hostile = Hostile::before(&cloud, move |asked| {
            if asked.is("PUT", "/roleAssignments/") && times.fetch_add(1, Ordering::Relaxed) == 0 {
                let reply = Reply::new(
                    status,
                    "{\"error\":{\"code\":\"TooManyRequests\",\"message\":\"m\"}}",
                );
                return Deed::Say(reply.with("retry-after", text.clone()));
            }
            Deed::Pass
        });
        let env = hostile.home(&cloud, provider.id);
        if long {
            // It says how long it is going to wait.
            let mut started = env.start(&cloud.json_args(provider));
            let event =
                started.until(|event| event["event"] == "retrying" || event["event"] == "failed");
            let longest = numbers(&event).into_iter().fold(0.0, f64::max);
            if longest > 900.0 {
                broken.note(format!("{pause:?}: {event}"));
            }
            started.interrupt();
            let output = started.finish();
            if !matches!(output.code, Some(1 | 130)) {
                broken.note(format!("it does not stop: {pause:?}\n{output}"));
            }
        } else {
            let ended = watched(&env, &cloud.json_args(provider));
            if ended.output.code != Some(0) || ended.took > Duration::from_secs(12) {
                broken.note(format!("{pause:?}: {:?}\n{}", ended.took, ended.output));
            }
        }
    });
    tried(count, "pauses");
    broken.none();
}

/// All numbers in an event but its place in the list.
fn numbers(event: &Value) -> Vec<f64> {
    let all = event.as_object().into_iter().flatten();
    all.filter(|(name, _)| !["index", "total"].contains(&name.as_str()))
        .filter_map(|(_, value)| value.as_f64())
        .collect()
}

#[test]
fn a_token_lives_as_long_as_it_likes() {
    let lives = [
        json!(-1),
        json!(0),
        json!(1),
        json!(-9.5),
        json!(1e308),
        json!(u64::MAX),
        json!(i64::MAX),
        json!(i64::MIN),
        json!("3600"),
        json!("x"),
        json!(""),
        json!(null),
        json!([]),
        json!({}),
        json!("-1"),
        json!("1e400"),
        json!(253_402_300_800_u64),
        json!(true),
    ];
    let broken = Broken::default();
    let provider = &providers::aiven::PROJECT;
    let all = some(lives, 3);
    let count = all.len();
    side_by_side(all, |life| {
        let cloud = Cloud::new();
        let given = life.clone();
        let hostile = Hostile::before(&cloud, move |asked| {
            if asked.target.contains("/oauth2/") {
                let given = given.clone();
                return Deed::edit(move |body| {
                    for name in ["expires_in", "ext_expires_in", "expires_on", "refresh_in"] {
                        body[name] = given.clone();
                    }
                });
            }
            Deed::Pass
        });
        let env = hostile.home(&cloud, provider.id);
        let ended = watched(&env, &cloud.json_args(provider));
        let tokens = hostile
            .asked()
            .iter()
            .filter(|it| it.target.contains("/oauth2/"))
            .count();
        if let Some(why) = unsound(&ended.output) {
            broken.note(format!("{why}: {life}\n{}", ended.output));
        }
        if tokens > 200 || ended.took > Duration::from_secs(15) {
            broken.note(format!("{tokens} tokens, {:?}: {life}", ended.took));
        }
    });
    tried(count, "lives of tokens");
    broken.none();
}

#[test]
fn the_clock_of_a_service_may_be_anything() {
    let dates = [
        "Fri, 31 Dec 9999 23:59:59 GMT",
        "Thu, 01 Jan 1970 00:00:00 GMT",
        "Sat, 01 Jan 0000 00:00:00 GMT",
        "Fri, 31 Dec 99999 23:59:59 GMT",
        "Tue, 24 Nov 2076 10:00:00 GMT",
        "yesterday",
        "",
    ];
    let broken = Broken::default();
    let provider = &providers::aiven::PROJECT;
    side_by_side(dates.to_vec(), |date| {
        let cloud = Cloud::new();
        let hostile = Hostile::before(&cloud, move |_| {
            Deed::Change(Box::new(move |mut reply| {
                reply.headers.retain(|(name, _)| name != "date");
                reply.with("date", date)
            }))
        });
        let env = hostile.home(&cloud, provider.id);
        let output = env.run(&cloud.json_args(provider));
        let asked = hostile.asked();
        let minted = asked.iter().find(|it| it.is("POST", "/addPassword"));
        let body = minted.map(|it| String::from_utf8_lossy(&it.body).into_owned());
        let now = time::OffsetDateTime::now_utc();
        let ends = body.as_deref().and_then(|body| {
            let body: Value = serde_json::from_str(body).ok()?;
            let end = body["passwordCredential"]["endDateTime"].as_str()?;
            time::OffsetDateTime::parse(end, &time::format_description::well_known::Rfc3339).ok()
        });
        if !ends.is_some_and(|end| end > now && end - now < time::Duration::days(32)) {
            broken.note(format!("a password until {ends:?}: {date}"));
        }
        if let Some(why) = unsound(&output) {
            broken.note(format!("{why}: {date}\n{output}"));
        }
        let all = env.run(&["undo", "--yes", "--output", "json"]);
        if let Some(why) = unsound(&all) {
            broken.note(format!("{why}: {date}\n{all}"));
        }
    });
    tried(dates.len(), "dates");
    broken.none();
}

#[test]
fn numbers_and_times_in_a_state_file_may_be_anything() {
    let broken = Broken::default();
    let provider = &providers::aiven::PROJECT;
    let cloud = Cloud::new();
    let env = super::support::TestEnv::of(&cloud, provider.id);
    env.run(&cloud.json_args(provider)).code(0);
    let path = env.run_file().expect("a run");
    let good = env.file();
    let replaced = |old: &str, new: &str| {
        let text = good.to_string();
        let at = text
            .find(old)
            .unwrap_or_else(|| panic!("no {old} in {text}"))
            + old.len();
        let end = text[at..].find([',', '}']).expect("more") + at;
        format!("{}{new}{}", &text[..at], &text[end..])
    };
    let mut files = Vec::new();
    for serial in [
        "18446744073709551615",
        "18446744073709551616",
        "-1",
        "1e308",
        "1.5",
        "null",
        "\"7\"",
    ] {
        files.push((format!("serial {serial}"), replaced("\"serial\":", serial)));
    }
    for took in [
        "1e999",
        "-1",
        "1e308",
        "18446744073709551616",
        "null",
        "\"x\"",
    ] {
        files.push((format!("took {took}"), replaced("\"took\":", took)));
    }
    for at in [
        "9999-12-31T23:59:59Z",
        "+99999-01-01T00:00:00Z",
        "0000-01-01T00:00:00Z",
        "-9999-01-01T00:00:00Z",
        "2026-02-30T00:00:00Z",
        "2026-01-01T24:61:61Z",
        "2026-01-01T00:00:00+99:99",
        "",
        "\\u0000",
        "9999-12-31T23:59:59-23:59",
    ] {
        files.push((
            format!("at {at}"),
            replaced("\"at\":", &format!("\"{at}\"")),
        ));
    }
    for format in [
        "0",
        "-1",
        "1e3",
        "4294967296",
        "18446744073709551616",
        "null",
        "\"2\"",
        "99",
    ] {
        files.push((format!("format {format}"), replaced("\"format\":", format)));
    }
    files.push(("deep".into(), "[".repeat(200_000)));
    files.push(("nothing".into(), String::new()));
    files.push(("NUL".into(), "\0".repeat(4096)));
    files.push(("two".into(), format!("{good}{good}")));
    let count = files.len();
    for (at, (name, text)) in files.into_iter().enumerate() {
        fs::write(&path, &text).expect("a file");
        let commands: &[&[&str]] = &[
            &["runs", "--output", "json"],
            &["status", "--output", "json"],
            &["resume", "--output", "json", "--no-input"],
            &["undo", "--dry-run"],
        ];
        for (number, command) in commands.iter().enumerate() {
            if factor() == 1 && number != 0 && (at + number) % 3 != 0 {
                continue;
            }
            let before = fs::read(&path).expect("a file");
            let output = env.run(command);
            if let Some(why) = unsound(&output) {
                broken.note(format!("{why}: {name}\n{output}"));
            }
            let refused = matches!(output.code, Some(2)) && number > 0;
            if refused && fs::read(&path).ok() != Some(before) {
                broken.note(format!("refused and overwritten: {name}\n{output}"));
            }
        }
    }
    tried(count, "state files with odd numbers and times");
    broken.none();
}
