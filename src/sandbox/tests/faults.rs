use serde_json::json;

use super::{AIVEN_APP, ARM, Bench, GRAPH, READER, at, code};
use crate::sandbox::faults::{Fault, Faults, Rule, When};
use crate::sandbox::log::Service;
use crate::sandbox::{Lag, snapshot};

const SUBSCRIPTIONS: &str = "/subscriptions?api-version=2022-12-01";

#[test]
fn throttling_says_how_long() {
    let rule = Rule {
        when: When::service(Service::Arm),
        fault: Fault::Throttle(7),
        skip: 1,
        times: 2,
    };
    let bench = Bench::with(Lag::None, Faults { rules: vec![rule] });
    let arm = bench.admin(ARM);
    let statuses: Vec<u16> = (0..4).map(|_| bench.get(SUBSCRIPTIONS, &arm).0).collect();
    assert_eq!(statuses, [200, 429, 429, 200]);
    bench.edit(|world| world.faults = Faults::once(When::default(), Fault::Throttle(7)));
    let answer = bench.send("GET", SUBSCRIPTIONS, &[("authorization", &arm)], None);
    assert!(answer.headers.contains(&("retry-after", "7".to_owned())));
}

#[test]
fn a_failure_before_the_effect_has_none() {
    let bench = Bench::with(
        Lag::None,
        Faults::once(When::changes(), Fault::FailBefore(503)),
    );
    let graph = bench.admin(GRAPH);
    let before = snapshot::take(&bench.shared.world());
    assert_eq!(
        bench
            .post("/v1.0/applications", &graph, &json!({"displayName": "x"}))
            .0,
        503
    );
    assert_eq!(snapshot::take(&bench.shared.world()), before);
}

#[test]
fn a_failure_after_the_effect_has_it() {
    for fault in [Fault::FailAfter, Fault::Cut] {
        let bench = Bench::with(Lag::None, Faults::once(When::changes(), fault.clone()));
        let graph = bench.admin(GRAPH);
        let before = snapshot::take(&bench.shared.world());
        let (status, _) = bench.post("/v1.0/applications", &graph, &json!({"displayName": "x"}));
        assert_eq!(status, if fault == Fault::Cut { 201 } else { 500 });
        assert_ne!(snapshot::take(&bench.shared.world()), before);
        let logged = bench.shared.world().session.seen.last().unwrap().status;
        assert_eq!(logged, if fault == Fault::Cut { 0 } else { 500 });
    }
}

#[test]
fn pages_may_be_small_or_lead_astray() {
    let bench = Bench::with(
        Lag::None,
        Faults::always(When::default(), Fault::PageSize(1)),
    );
    let arm = bench.admin(ARM);
    let (_, first) = bench.get(SUBSCRIPTIONS, &arm);
    assert_eq!(first["value"].as_array().unwrap().len(), 1);
    let next = first["nextLink"]
        .as_str()
        .unwrap()
        .strip_prefix("https://localhost:1")
        .unwrap()
        .to_owned();
    let (_, second) = bench.get(&next, &arm);
    assert_ne!(first["value"], second["value"]);
    assert!(second.get("nextLink").is_none());
    let (_, graph) = bench.get(
        "/v1.0/servicePrincipals?$filter=accountEnabled eq true",
        &bench.admin(GRAPH),
    );
    assert_eq!(graph["value"].as_array().unwrap().len(), 1);
    bench.edit(|world| world.faults = Faults::always(When::default(), Fault::ForeignPage));
    let (_, page) = bench.get(SUBSCRIPTIONS, &arm);
    assert!(
        page["nextLink"]
            .as_str()
            .unwrap()
            .starts_with("https://elsewhere.example/")
    );
}

#[test]
fn rights_may_be_withheld() {
    let rules = [
        Fault::ConditionalAccess,
        Fault::NoDirectoryRole,
        Fault::PrincipalUnknown,
        Fault::NetworkUpdating,
    ];
    let bench = Bench::with(
        Lag::None,
        Faults {
            rules: rules
                .map(|fault| Rule::once(When::default(), fault))
                .to_vec(),
        },
    );
    let sample = &bench.sample;
    let blocked = bench.sign_in(
        &sample.tenant,
        &sample.client_id,
        &sample.client_secret,
        GRAPH,
    );
    assert_eq!(blocked, Err(53_003));
    let graph = bench.admin(GRAPH);
    let vendor = || {
        bench.post(
            "/v1.0/servicePrincipals",
            &graph,
            &json!({"appId": AIVEN_APP}),
        )
    };
    assert_eq!(vendor().0, 403);
    let (status, principal) = vendor();
    assert_eq!(status, 201);
    let assign = || {
        bench.assign(
            1,
            &sample.vnet_id,
            READER,
            principal["id"].as_str().unwrap(),
        )
    };
    assert_eq!(code(&assign()), (400, "PrincipalNotFound"));
    assert_eq!(assign().0, 201);
    let state = || {
        bench.get(&at(&sample.vnet_id), &bench.admin(ARM)).1["properties"]["provisioningState"]
            .clone()
    };
    assert_eq!([state(), state()], ["Updating", "Succeeded"]);
}
