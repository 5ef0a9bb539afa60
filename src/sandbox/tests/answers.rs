use serde_json::{Value, json};

use super::{ARM, Bench, GRAPH, at};
use crate::sandbox::faults::{Bad, Fault, Faults, When};
use crate::sandbox::harm::Delivery;
use crate::sandbox::log::Service;
use crate::sandbox::wire::Answer;
use crate::sandbox::{Lag, snapshot};

fn picture(bench: &Bench) -> Value {
    snapshot::take(&bench.shared.world())
}

/// Creates an application while this fault strikes every change; says whether it is there.
fn struck(fault: Fault) -> (Answer, bool) {
    let bench = Bench::with(Lag::None, Faults::once(When::changes(), fault));
    let graph = bench.admin(GRAPH);
    let before = picture(&bench);
    let answer = bench.send(
        "POST",
        "/v1.0/applications",
        &[("authorization", &graph)],
        Some(&json!({"displayName": "x"})),
    );
    let logged = bench.shared.world().session.seen.last().unwrap().status;
    assert_eq!(logged, answer.status);
    let done = picture(&bench) != before;
    let (again, _) = bench.post("/v1.0/applications", &graph, &json!({"displayName": "y"}));
    assert_eq!(again, 201, "the rule is used up");
    (answer, done)
}

fn text(answer: &Answer) -> &str {
    answer.body.as_ref().and_then(Value::as_str).unwrap()
}

fn header<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
    let found = answer.headers.iter().find(|(key, _)| *key == name);
    found.map(|(_, value)| value.as_str())
}

#[test]
fn a_bad_answer_hides_whether_the_thing_is_done() {
    for wanted in [true, false] {
        for what in Bad::ALL {
            let (answer, done) = struck(Fault::Answer { what, done: wanted });
            assert_eq!(done, wanted, "{what:?}");
            match what {
                Bad::Truncated => {
                    assert_eq!(answer.status, if wanted { 201 } else { 200 });
                    assert!(text(&answer).starts_with('{'));
                    assert!(serde_json::from_str::<Value>(text(&answer)).is_err());
                }
                Bad::Html => {
                    assert_eq!(answer.status, 200);
                    assert!(text(&answer).starts_with("<!DOCTYPE html>"));
                    let kind = header(&answer, "content-type");
                    assert!(kind.unwrap().starts_with("text/html"));
                }
                Bad::Empty => assert_eq!(answer, Answer::empty(200)),
                Bad::Redirect => {
                    assert_eq!((answer.status, &answer.body), (302, &None));
                    let place = header(&answer, "location").unwrap();
                    assert!(place.starts_with("https://elsewhere.example/"));
                }
            }
        }
    }
}

#[test]
fn an_answer_without_a_body_is_bad_all_the_same() {
    for what in Bad::ALL {
        let fault = Fault::Answer { what, done: true };
        let bench = Bench::with(Lag::None, Faults::default());
        let app = bench.app();
        bench.edit(|world| world.faults = Faults::once(When::changes(), fault));
        let graph = bench.admin(GRAPH);
        let path = format!("/v1.0/applications/{}", app.id);
        let answer = bench.send("DELETE", &path, &[("authorization", &graph)], None);
        assert_eq!(bench.get(&path, &graph).0, 404, "it is done");
        let status = if what == Bad::Redirect { 302 } else { 200 };
        assert_eq!(answer.status, status, "{what:?}");
        let has_body = matches!(what, Bad::Truncated | Bad::Html);
        assert_eq!(answer.body.is_some(), has_body, "{what:?}");
    }
}

#[test]
fn half_an_answer_keeps_its_headers_and_a_refusal_does_not_show() {
    let fault = |what| {
        Faults::once(
            When::service(Service::Arm),
            Fault::Answer { what, done: true },
        )
    };
    let bench = Bench::new(Lag::None);
    let arm = bench.admin(ARM);
    let peer = bench.edit(|world| world.networks[1].id());
    let half = at(&format!(
        "{}/virtualNetworkPeerings/x",
        bench.sample.vnet_id
    ));
    let wish = json!({"properties": {"remoteVirtualNetwork": {"id": peer}}});
    bench.edit(|world| world.faults = fault(Bad::Truncated));
    let put = |body| bench.send("PUT", &half, &[("authorization", &arm)], Some(body));
    assert!(header(&put(&wish), "azure-asyncoperation").is_some());
    bench.edit(|world| world.faults = fault(Bad::Truncated));
    assert_eq!(put(&json!({})).status, 200);
}

#[test]
fn no_answer_may_come_before_or_after_the_effect() {
    for done in [true, false] {
        let bench = Bench::with(
            Lag::None,
            Faults::once(When::changes(), Fault::Hang { done }),
        );
        let graph = bench.admin(GRAPH);
        let before = picture(&bench);
        let headers = [("authorization", graph.as_str())];
        let wish = json!({"displayName": "x"});
        let delivery = bench.deliver("POST", "/v1.0/applications", &headers, Some(&wish));
        assert_eq!(delivery.1, Delivery::Never);
        assert_eq!(picture(&bench) != before, done);
        let logged = bench.shared.world().session.seen.last().unwrap().status;
        assert_eq!(logged, 0);
    }
}
