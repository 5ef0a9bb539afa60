//! What a provider refuses: asked for again by itself where it was asked too early, told with what was found where not.

use super::{PROJECT, with};
use crate::support::{Cloud, TestEnv};
use peer_wizard::sandbox::{Fault, Faults, Service, When};
use serde_json::Value;

#[test]
fn a_refusal_by_the_provider_stops_with_a_diagnosis_and_resumes() {
    let cloud = Cloud::new();
    let said = "the VNet could not be reached with the given application";
    let refuse = Fault::Refuse("INVALID_SPECIFICATION".into(), said.into());
    cloud.faults(Faults::always(When::service(Service::Of("aiven")), refuse));
    let env = TestEnv::of(&cloud, PROJECT.id);
    let args = ["--timeout", "1s", "--output", "json"];
    let output = env.run(&with(cloud.args(PROJECT), &args)).code(1);
    cloud.faults(Faults::default());
    let failed = output
        .events()
        .into_iter()
        .find(|it| it["event"] == "failed");
    let failed = failed.expect("a line that says so");
    assert_eq!(failed["step"], "pending-peer", "{output}");
    assert_eq!(failed["error"]["kind"], "failed", "{output}");
    assert_eq!(failed["error"]["code"], "INVALID_SPECIFICATION", "{output}");
    let text = failed["error"].to_string();
    for part in [
        said,
        "the VNet is there",
        "principal has its role",
        "ranges do not overlap",
    ] {
        assert!(text.contains(part), "{part}\n{output}");
    }
    let resume = failed["resume"].as_str().expect("the way on");
    let words: Vec<&str> = resume.split(' ').skip(1).collect();
    let output = env.run(&words).code(0);
    let world = cloud.world();
    let rows = world["aiven"].as_array().into_iter().flatten();
    let rows: Vec<&Value> = rows
        .filter_map(|vpc| vpc["connections"].as_array())
        .flatten()
        .collect();
    assert_eq!(rows.len(), 1, "{output}");
    assert_eq!(rows[0]["state"], "ACTIVE", "{output}");
}

#[test]
fn a_provider_that_was_asked_too_early_is_asked_again() {
    let cloud = Cloud::new();
    for state in ["INVALID_SPECIFICATION", "REJECTED_BY_PEER"] {
        cloud.reset();
        let refuse = Fault::Refuse(state.into(), "no such network".into());
        cloud.faults(Faults::once(When::service(Service::Of("aiven")), refuse));
        let env = TestEnv::of(&cloud, PROJECT.id);
        let args = ["--no-wait", "--output", "json"];
        let output = env.run(&with(cloud.args(PROJECT), &args)).code(0);
        let again: Vec<Value> = output
            .events()
            .into_iter()
            .filter(|it| it["event"] == "retrying")
            .collect();
        assert_eq!(again.len(), 1, "{output}");
        let because = again[0]["because"].as_str().unwrap_or_default();
        assert!(because.contains(state), "{because}");
        assert!(because.contains("10 min"), "{because}");
        assert!(!env.saved().to_string().contains("renew"), "{output}");
    }
}

#[test]
fn a_provider_that_has_lost_its_right_is_not_asked_again() {
    let cloud = Cloud::new();
    let refuse = Fault::Refuse("INVALID_SPECIFICATION".into(), "no".into());
    cloud.faults(Faults::always(When::service(Service::Of("aiven")), refuse));
    let env = TestEnv::of(&cloud, PROJECT.id);
    env.run(&with(cloud.args(PROJECT), &["--timeout", "0s"]))
        .code(1);
    let theirs = env.saved()["facts"]["AIVEN_SP_ID"].clone();
    cloud.sandbox.edit(|world| {
        world
            .assignments
            .retain(|it| theirs != it.principal.as_str());
    });
    // Without a limit of time: it would be asked for ten minutes.
    let output = env.run(&["resume", "--output", "json"]).code(1);
    let events = output.events();
    assert!(
        events.iter().all(|it| it["event"] != "retrying"),
        "{output}"
    );
    output.says("has lost its role");
}
