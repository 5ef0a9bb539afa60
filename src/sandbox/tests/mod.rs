//! Each thing the sandbox enforces, seen failing; most tests ask the handlers directly, without sockets.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod aiven;
mod answers;
mod arm;
mod directory;
mod entra;
mod faults;
mod keys;
mod konnect;
mod more;
mod operations;
mod peering;
mod roles;
mod serving;

use serde_json::{Value, json};

use super::harm::Delivery;
use super::sample::{AIVEN_APP, AIVEN_TENANT, Sample};
use super::server::Shared;
use super::store::Store;
use super::vendors::{sample, secrets, world};
use super::wire::{Answer, Ask};
use super::{Faults, Lag, World};

const ARM: &str = "https://management.azure.com";
const GRAPH: &str = "https://graph.microsoft.com";
const NETWORK_CONTRIBUTOR: &str = "4d97b98b-1d4f-4787-a291-c67834d212e7";
const READER: &str = "acdd72a7-3385-48ef-bd42-f606fba81ae7";
const PEER: &str = "Microsoft.Network/virtualNetworks/peer/action";

/// A world to ask questions of.
struct Bench {
    shared: Shared,
    sample: Sample,
}

/// A made-up application of the user's.
struct App {
    id: String,
    client: String,
    principal: String,
    secret: String,
}

impl Bench {
    fn new(lag: Lag) -> Self {
        Self::with(lag, Faults::default())
    }

    fn with(lag: Lag, faults: Faults) -> Self {
        let mut world = World {
            lag,
            faults,
            ..world()
        };
        world.session.secrets = secrets();
        Self {
            shared: Shared::new(world, Store::default()),
            sample: sample(),
        }
    }

    fn edit<T>(&self, change: impl FnOnce(&mut World) -> T) -> T {
        change(&mut self.shared.world())
    }

    fn send(
        &self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Answer {
        self.deliver(method, target, headers, body).0
    }

    /// As `send`, with the way that the answer goes.
    fn deliver(
        &self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> (Answer, Delivery) {
        let mut all = vec![("host".to_owned(), "localhost:1".to_owned())];
        all.extend(
            headers
                .iter()
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned())),
        );
        let body = body.map(ToString::to_string).unwrap_or_default();
        let ask = Ask::read(method, target, all, body.as_bytes());
        let (answer, delivery, _) = self.shared.answer(&ask);
        (answer, delivery)
    }

    /// Status and body of a request with an `authorization` header.
    fn call(&self, method: &str, target: &str, token: &str, body: Option<&Value>) -> (u16, Value) {
        let answer = self.send(method, target, &[("authorization", token)], body);
        (answer.status, answer.body.unwrap_or_default())
    }

    fn get(&self, target: &str, token: &str) -> (u16, Value) {
        self.call("GET", target, token, None)
    }

    fn put(&self, target: &str, token: &str, body: &Value) -> (u16, Value) {
        self.call("PUT", target, token, Some(body))
    }

    fn post(&self, target: &str, token: &str, body: &Value) -> (u16, Value) {
        self.call("POST", target, token, Some(body))
    }

    fn form(&self, target: &str, fields: &[(&str, &str)]) -> (u16, Value) {
        let escape = super::wire::escape;
        let text: Vec<String> = fields
            .iter()
            .map(|(key, value)| format!("{key}={}", escape(value)))
            .collect();
        let headers = [
            ("content-type", "application/x-www-form-urlencoded"),
            ("host", "localhost:1"),
        ];
        let headers = headers
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .to_vec();
        let answer = self
            .shared
            .answer(&Ask::read(
                "POST",
                target,
                headers,
                text.join("&").as_bytes(),
            ))
            .0;
        (answer.status, answer.body.unwrap_or_default())
    }

    /// A header value with a token, or the Entra error code.
    fn sign_in(&self, tenant: &str, id: &str, secret: &str, resource: &str) -> Result<String, u64> {
        let scope = format!("{resource}/.default");
        let fields = [
            ("grant_type", "client_credentials"),
            ("client_id", id),
            ("client_secret", secret),
            ("scope", &scope),
        ];
        let (status, body) = self.form(&format!("/{tenant}/oauth2/v2.0/token"), &fields);
        if status == 200 {
            return Ok(format!("Bearer {}", body["access_token"].as_str().unwrap()));
        }
        assert!(
            body["error_description"]
                .as_str()
                .unwrap()
                .contains("\r\nTrace ID: ")
        );
        Err(body["error_codes"][0].as_u64().unwrap())
    }

    fn admin(&self, resource: &str) -> String {
        let Sample {
            tenant,
            client_id,
            client_secret,
            ..
        } = &self.sample;
        self.sign_in(tenant, client_id, client_secret, resource)
            .unwrap()
    }

    /// Creates an application with principal and password, waiting out the lag.
    fn app(&self) -> App {
        let graph = self.admin(GRAPH);
        let wish = json!({"displayName": "mine", "signInAudience": "AzureADMultipleOrgs"});
        let (status, app) = self.post("/v1.0/applications", &graph, &wish);
        assert_eq!(status, 201, "{app}");
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let (id, client) = (text(&app["id"]), text(&app["appId"]));
        let sp = until(201, || {
            self.post("/v1.0/servicePrincipals", &graph, &json!({"appId": client}))
        });
        let password = self.post(
            &format!("/v1.0/applications/{id}/addPassword"),
            &graph,
            &json!({}),
        );
        assert_eq!(password.0, 200, "{password:?}");
        App {
            id,
            client,
            principal: text(&sp["id"]),
            secret: text(&password.1["secretText"]),
        }
    }

    /// Creates Aiven's principal in the user's tenant.
    fn vendor(&self) -> String {
        let (status, sp) = self.post(
            "/v1.0/servicePrincipals",
            &self.admin(GRAPH),
            &json!({"appId": AIVEN_APP}),
        );
        assert_eq!(status, 201, "{sp}");
        sp["id"].as_str().unwrap().to_owned()
    }

    fn assign(&self, name: u32, scope: &str, role: &str, principal: &str) -> (u16, Value) {
        let body = json!({"properties": {
            "roleDefinitionId": format!("/subscriptions/x/providers/Microsoft.Authorization/roleDefinitions/{role}"),
            "principalId": principal, "principalType": "ServicePrincipal",
        }});
        self.put(&assignment(name, scope), &self.admin(ARM), &body)
    }

    /// Creates a custom role with these actions in the sample subscription.
    fn role(&self, number: u32, name: &str, actions: &[&str]) -> (u16, Value) {
        let body = role(
            name,
            actions,
            &[&format!("/subscriptions/{}", self.sample.subscription)],
        );
        self.put(
            &definition(number, &self.sample.subscription),
            &self.admin(ARM),
            &body,
        )
    }

    /// Creates role and assignment for Aiven on the sample network.
    fn admit_vendor(&self) {
        let vendor = self.vendor();
        assert_eq!(self.role(1, "aiven", &[PEER]).0, 201);
        until(201, || {
            self.assign(2, &self.sample.vnet_id, &guid(1), &vendor)
        });
    }
}

/// Repeats a request until it has this status.
fn until(status: u16, ask: impl Fn() -> (u16, Value)) -> Value {
    let mut last = Value::Null;
    for _ in 0..50 {
        let (found, body) = ask();
        if found == status {
            return body;
        }
        last = body;
    }
    panic!("never {status}: {last}");
}

fn guid(number: u32) -> String {
    format!("00000000-0000-4000-8000-{number:012}")
}

fn assignment(name: u32, scope: &str) -> String {
    format!(
        "{scope}/providers/Microsoft.Authorization/roleAssignments/{}?api-version=2022-04-01",
        guid(name)
    )
}

fn definition(number: u32, subscription: &str) -> String {
    let id = guid(number);
    format!(
        "/subscriptions/{subscription}/providers/Microsoft.Authorization/roleDefinitions/{id}?api-version=2022-04-01"
    )
}

fn role(name: &str, actions: &[&str], scopes: &[&str]) -> Value {
    json!({"properties": {
        "roleName": name, "type": "CustomRole", "description": "",
        "permissions": [{"actions": actions, "notActions": []}], "assignableScopes": scopes,
    }})
}

/// The code of an ARM or Graph error.
fn code((status, body): &(u16, Value)) -> (u16, &str) {
    (*status, body["error"]["code"].as_str().unwrap_or_default())
}

/// A path with the usual api-version.
fn at(path: &str) -> String {
    format!("{path}?api-version=2024-07-01")
}
