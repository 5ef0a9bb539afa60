use serde_json::{Value, json};

use super::peering::{half, networks, wish};
use super::{ARM, Bench, at, code};
use crate::sandbox::Lag;
use crate::sandbox::faults::{Fault, Faults, Rule, When};
use crate::sandbox::wire::Answer;

/// A peering between two sample networks, and what operations on it do.
struct Case {
    bench: Bench,
    arm: String,
    hub: String,
    apps: String,
}

impl Case {
    fn new(faults: Faults) -> Self {
        let bench = Bench::with(Lag::None, faults);
        let found = networks(&bench);
        Self {
            arm: bench.admin(ARM),
            hub: found[0].clone(),
            apps: found[1].clone(),
            bench,
        }
    }

    fn put(&self) -> Answer {
        self.send("PUT", Some(&wish(&self.apps)))
    }

    fn delete(&self) -> Answer {
        self.send("DELETE", None)
    }

    fn send(&self, method: &str, body: Option<&Value>) -> Answer {
        let headers = [("authorization", self.arm.as_str())];
        self.bench
            .send(method, &half(&self.hub, "x"), &headers, body)
    }

    fn get(&self, path: &str) -> (u16, Value) {
        self.bench.get(path, &self.arm)
    }

    /// How the peering is provisioned, as it is shown.
    fn provisioned(&self) -> Value {
        self.get(&half(&self.hub, "x")).1["properties"]["provisioningState"].clone()
    }

    /// The names of the peerings that are listed.
    fn listed(&self) -> Vec<Value> {
        let (_, body) = self.get(&at(&format!("{}/virtualNetworkPeerings", self.hub)));
        let items = body["value"].as_array().unwrap();
        items.iter().map(|item| item["name"].clone()).collect()
    }

    fn faults(&self, faults: Faults) {
        self.bench.edit(|world| world.faults = faults);
    }
}

/// Where an answer says that the operation can be watched.
fn link(answer: &Answer, name: &str) -> String {
    let found = answer.headers.iter().find(|(key, _)| *key == name);
    found.unwrap().1.clone()
}

fn watch(answer: &Answer) -> String {
    let link = link(answer, "azure-asyncoperation");
    link.strip_prefix("https://localhost:1").unwrap().to_owned()
}

fn failing(code: &str) -> (String, String) {
    (code.to_owned(), "no luck".to_owned())
}

#[test]
fn a_failed_operation_leaves_the_peering_failed() {
    let (word, text) = failing("InternalError");
    let case = Case::new(Faults::always(
        When::path("virtualNetworkPeerings"),
        Fault::FailOperation(word, text),
    ));
    let put = watch(&case.put());
    assert_eq!(case.get(&put).1["status"], "Failed");
    assert_eq!(case.provisioned(), "Failed");
    assert_eq!(case.listed(), ["x"]);
    let delete = watch(&case.delete());
    assert_eq!(case.get(&delete).1["status"], "Failed");
    assert_eq!(case.provisioned(), "Failed");
    assert_eq!(case.listed(), ["x"]);
    case.faults(Faults::default());
    assert_eq!(case.delete().status, 202);
    assert!(case.listed().is_empty());
}

#[test]
fn a_failed_operation_may_leave_nothing() {
    let case = Case::new(Faults::default());
    let back = half(&case.apps, "back");
    case.bench.put(&back, &case.arm, &wish(&case.hub));
    let (word, text) = failing("InternalError");
    let fail = Fault::UndoOperation(word, text);
    case.faults(Faults::once(When::changes(), fail.clone()));
    let put = watch(&case.put());
    assert_eq!(case.get(&put).1["status"], "Failed");
    assert!(case.listed().is_empty());
    let other = &case.get(&back).1["properties"];
    assert_eq!(other["peeringState"], "Initiated");

    // A peering that was there before is not lost.
    case.put();
    assert_eq!(case.provisioned(), "Succeeded");
    case.faults(Faults::once(When::changes(), fail));
    assert_eq!(case.put().status, 200);
    assert_eq!(case.provisioned(), "Failed");
}

#[test]
fn the_links_to_an_operation_may_lead_astray() {
    let case = Case::new(Faults::always(When::changes(), Fault::ForeignOperation));
    let put = link(&case.put(), "azure-asyncoperation");
    assert!(put.starts_with("https://elsewhere.example/subscriptions/"));
    assert_eq!(case.provisioned(), "Succeeded");
    let delete = case.delete();
    for name in ["azure-asyncoperation", "location"] {
        assert!(link(&delete, name).starts_with("https://elsewhere.example/"));
    }
    assert!(case.listed().is_empty());
}

#[test]
fn the_status_of_an_operation_may_be_forbidden() {
    let case = Case::new(Faults::always(When::default(), Fault::OperationForbidden));
    let refused = case.get(&watch(&case.put()));
    assert_eq!(code(&refused), (403, "AuthorizationFailed"));
    let said = refused.1["error"]["message"].as_str().unwrap();
    assert!(said.contains("'Microsoft.Network/locations/operations/read'"));
    assert_eq!(case.provisioned(), "Succeeded");
    let results = link(&case.delete(), "location");
    let results = results.strip_prefix("https://localhost:1").unwrap();
    assert_eq!(case.get(results).0, 403);
    assert!(case.listed().is_empty());
}

#[test]
fn an_operation_may_be_stuck() {
    let case = Case::new(Faults::always(
        When::path("vnet-hub-prod"),
        Fault::OperationStuck,
    ));
    let put = watch(&case.put());
    for _ in 0..5 {
        assert_eq!(case.get(&put).1["status"], "InProgress");
        assert_eq!(case.provisioned(), "Updating");
    }
    assert_eq!(case.delete().status, 429, "one operation at a time");
    let elsewhere = case.bench.send(
        "PUT",
        &half(&case.apps, "x"),
        &[("authorization", &case.arm)],
        Some(&wish(&case.hub)),
    );
    assert_eq!(case.get(&watch(&elsewhere)).1["status"], "Succeeded");
    case.faults(Faults::default());
    assert_eq!(case.get(&put).1["status"], "Succeeded");
    assert_eq!(case.provisioned(), "Succeeded");

    // Only deletions, and only for two looks.
    let deletions = When {
        method: Some("DELETE".to_owned()),
        ..When::default()
    };
    case.faults(Faults {
        rules: vec![Rule {
            times: 2,
            ..Rule::always(deletions, Fault::OperationStuck)
        }],
    });
    assert_eq!(case.put().status, 200);
    assert_eq!(case.provisioned(), "Succeeded");
    let delete = watch(&case.delete());
    let seen = [(); 3].map(|()| case.get(&delete).1["status"].clone());
    assert_eq!(seen, ["InProgress", "InProgress", "Succeeded"]);
    assert!(case.listed().is_empty());
}

#[test]
fn a_peering_may_go_on_updating() {
    let case = Case::new(Faults::always(When::path("/x"), Fault::PeeringUpdating));
    let put = watch(&case.put());
    assert_eq!(case.get(&put).1["status"], "Succeeded");
    for _ in 0..3 {
        assert_eq!(case.provisioned(), "Updating");
    }
    let (_, network) = case.get(&at(&case.hub));
    let embedded = &network["properties"]["virtualNetworkPeerings"][0];
    assert_eq!(embedded["properties"]["provisioningState"], "Updating");
    let other = half(&case.apps, "y");
    case.bench.put(&other, &case.arm, &wish(&case.hub));
    let other = &case.get(&other).1["properties"];
    assert_eq!(other["provisioningState"], json!("Succeeded"));
    case.faults(Faults::default());
    assert_eq!(case.provisioned(), "Succeeded");
}
