use serde_json::{Value, json};

use super::{ARM, Bench, GRAPH, assignment, at, guid, until};
use crate::sandbox::faults::{Fault, Faults, When};
use crate::sandbox::log::Service;
use crate::sandbox::{Lag, sample::KONG_APP};

const ACTIONS: [&str; 5] = [
    "Microsoft.Network/virtualNetworks/read",
    "Microsoft.Network/virtualNetworks/virtualNetworkPeerings/read",
    "Microsoft.Network/virtualNetworks/virtualNetworkPeerings/write",
    "Microsoft.Network/virtualNetworks/virtualNetworkPeerings/delete",
    "Microsoft.Network/virtualNetworks/peer/action",
];

fn token(bench: &Bench) -> String {
    format!("Bearer {}", bench.sample.konnect_token)
}

fn gateways(bench: &Bench) -> String {
    format!(
        "/v2/cloud-gateways/networks/{}/transit-gateways",
        bench.sample.konnect_network
    )
}

fn body(bench: &Bench, name: &str) -> Value {
    let parts: Vec<&str> = bench.sample.vnet_id.split('/').collect();
    json!({
        "name": name,
        "dns_config": [{"remote_dns_server_ip_addresses": ["10.0.0.4"], "domain_proxy_list": ["corp.example"]}],
        "transit_gateway_attachment_config": {
            "kind": "azure-vnet-peering-attachment", "tenant_id": bench.sample.tenant, "subscription_id": parts[2],
            "resource_group_name": parts[4], "vnet_name": parts[8],
        },
    })
}

/// Creates a gateway and gives its path.
fn create(bench: &Bench) -> String {
    let (status, made) = bench.post(&gateways(bench), &token(bench), &body(bench, "mine"));
    assert_eq!((status, &made["state"]), (201, &json!("created")), "{made}");
    format!("{}/{}", gateways(bench), made["id"].as_str().unwrap())
}

fn state(bench: &Bench, path: &str) -> (String, String) {
    let (_, body) = bench.get(path, &token(bench));
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    (
        text(&body["state"]),
        text(&body["state_metadata"]["reason"]),
    )
}

fn admit(bench: &Bench, actions: &[&str]) {
    let (status, sp) = bench.post(
        "/v1.0/servicePrincipals",
        &bench.admin(GRAPH),
        &json!({"appId": KONG_APP}),
    );
    assert_eq!(status, 201);
    assert_eq!(bench.role(1, "Kong", actions).0, 201);
    until(201, || {
        bench.assign(
            1,
            &bench.sample.vnet_id,
            &guid(1),
            sp["id"].as_str().unwrap(),
        )
    });
}

fn halves(bench: &Bench) -> Vec<String> {
    let (_, body) = bench.get(
        &at(&format!("{}/virtualNetworkPeerings", bench.sample.vnet_id)),
        &bench.admin(ARM),
    );
    let state = |half: &Value| {
        half["properties"]["peeringState"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    body["value"]
        .as_array()
        .unwrap()
        .iter()
        .map(state)
        .collect()
}

#[test]
fn networks_are_listed_filtered_and_paged() {
    let bench = Bench::new(Lag::None);
    let token = token(&bench);
    let list = |query: &str| bench.get(&format!("/v2/cloud-gateways/networks?{query}"), &token);
    let names = |query: &str| {
        let (_, body) = list(query);
        let names = body["data"].as_array().unwrap().iter();
        names
            .map(|network| network["name"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(names(""), ["edge-europe", "edge-frankfurt", "edge-next"]);
    assert_eq!(names("page%5Bsize%5D=2&page%5Bnumber%5D=2"), ["edge-next"]);
    assert_eq!(
        list("page[size]=2").1["meta"]["page"],
        json!({"number": 1, "size": 2, "total": 3})
    );
    assert_eq!(names("filter[state][eq]=initializing"), ["edge-next"]);
    assert_eq!(names("filter[state][oeq]=initializing,ready").len(), 3);
    assert_eq!(names("filter[name][contains]=frank"), ["edge-frankfurt"]);
    assert_eq!(list("filter[colour][eq]=red").0, 400);
    assert_eq!(list("page[size]=many").0, 400);
    let (_, azure) = bench.get(
        "/v2/cloud-gateways/provider-accounts?filter[provider][eq]=azure",
        &token,
    );
    assert_eq!(azure["data"].as_array().unwrap().len(), 1);
    assert_eq!(bench.get("/v2/cloud-gateways/availability.json", "").0, 200);
    let refused = bench.send(
        "GET",
        "/v2/cloud-gateways/networks",
        &[("authorization", "Bearer no")],
        None,
    );
    assert_eq!(refused.status, 401);
    assert!(
        refused
            .headers
            .contains(&("content-type", "application/problem+json".to_owned()))
    );
    assert!(
        refused.body.unwrap()["instance"]
            .as_str()
            .unwrap()
            .starts_with("kong:trace:")
    );
    assert_eq!(
        bench
            .get(&format!("/v2/cloud-gateways/networks/{}", guid(1)), &token)
            .0,
        404
    );
}

#[test]
fn bodies_are_checked_field_by_field() {
    let bench = Bench::new(Lag::None);
    let rules = |change: &dyn Fn(&mut Value)| {
        let mut wrong = body(&bench, "mine");
        change(&mut wrong);
        let (status, answer) = bench.post(&gateways(&bench), &token(&bench), &wrong);
        assert_eq!(status, 400, "{wrong}");
        let named = answer["invalid_parameters"].as_array().unwrap().iter();
        named
            .map(|one| {
                format!(
                    "{} {}",
                    one["field"].as_str().unwrap(),
                    one["rule"].as_str().unwrap()
                )
            })
            .collect::<Vec<_>>()
    };
    let config = "transit_gateway_attachment_config";
    assert_eq!(
        rules(&|body| body["name"] = json!("n".repeat(121))),
        ["name max_length"]
    );
    assert_eq!(rules(&|body| body["name"] = Value::Null), ["name required"]);
    assert_eq!(
        rules(&|body| body["colour"] = json!(1)),
        ["colour unknown_property"]
    );
    assert_eq!(
        rules(&|body| body[config]["cidr"] = json!(1)),
        [format!("{config}.cidr unknown_property")]
    );
    assert_eq!(
        rules(&|body| body[config]["kind"] = json!("x")),
        [format!("{config}.kind enum")]
    );
    assert_eq!(
        rules(&|body| body[config]["vnet_name"] = Value::Null),
        [format!("{config}.vnet_name required")]
    );
    assert_eq!(
        rules(&|body| body[config] = Value::Null),
        [format!("{config} required")]
    );
    let dns = "dns_config[0].remote_dns_server_ip_addresses invalid";
    assert_eq!(
        rules(
            &|body| body["dns_config"][0]["remote_dns_server_ip_addresses"] = json!(["10.0.0.400"])
        ),
        [dns]
    );
    let dns = "dns_config[0].domain_proxy_list is_fqdn";
    assert_eq!(
        rules(&|body| body["dns_config"][0]["domain_proxy_list"] = json!(["-corp.example"])),
        [dns]
    );
    assert_eq!(
        rules(&|body| body["dns_config"] = json!({})),
        ["dns_config is_array"]
    );
}

#[test]
fn the_network_must_fit() {
    let bench = Bench::new(Lag::None);
    let networks = bench.edit(|world| {
        world
            .konnect
            .networks
            .iter()
            .map(|network| network.id.clone())
            .collect::<Vec<_>>()
    });
    let post = |network: &str| {
        let path = gateways(&bench).replace(&bench.sample.konnect_network, network);
        bench.post(&path, &token(&bench), &body(&bench, "mine"))
    };
    assert_eq!(post(&networks[1]).0, 400, "on another cloud");
    let (status, answer) = post(&networks[2]);
    assert_eq!(status, 400);
    assert!(answer["detail"].as_str().unwrap().contains("is not ready"));
    assert_eq!(post(&networks[0]).0, 201);
    assert_eq!(post(&networks[0]).0, 409, "names are unique");
}

#[test]
fn a_gateway_goes_through_its_states() {
    let bench = Bench::new(Lag::Looks(1));
    admit(&bench, &ACTIONS);
    let path = create(&bench);
    assert_eq!(
        bench.call("DELETE", &path, &token(&bench), None).0,
        400,
        "not while it is being made"
    );
    let mut seen: Vec<String> = (0..9).map(|_| state(&bench, &path).0).collect();
    seen.dedup();
    assert_eq!(seen, ["created", "initializing", "ready"]);
    assert_eq!(halves(&bench), ["Connected"]);
    assert_eq!(
        bench
            .call("PATCH", &path, &token(&bench), Some(&json!({})))
            .0,
        400
    );
    assert_eq!(bench.call("DELETE", &path, &token(&bench), None).0, 204);
    assert_eq!(state(&bench, &path).0, "terminating");
    until(404, || bench.get(&path, &token(&bench)));
    assert!(bench.edit(|world| {
        world
            .networks
            .iter()
            .all(|network| network.peerings.is_empty())
    }));
    assert_eq!(bench.call("DELETE", &path, &token(&bench), None).0, 404);
}

#[test]
fn rights_are_waited_for() {
    let bench = Bench::new(Lag::None);
    let path = create(&bench);
    let (word, reason) = state(&bench, &path);
    assert_eq!(word, "pending-user-action");
    assert!(reason.contains("has no service principal"));
    admit(&bench, &ACTIONS[..4]);
    let (word, reason) = state(&bench, &path);
    assert_eq!(word, "pending-user-action");
    assert!(reason.contains("to perform Microsoft.Network/virtualNetworks/peer/action on"));
    assert!(halves(&bench).is_empty());
    assert_eq!(bench.role(1, "Kong", &ACTIONS).0, 201);
    assert_eq!(state(&bench, &path), ("ready".to_owned(), String::new()));
}

#[test]
fn what_cannot_be_mended_is_an_error() {
    let bench = Bench::new(Lag::None);
    admit(&bench, &ACTIONS);
    bench.edit(|world| world.networks[0].prefixes.push("10.200.4.0/24".to_owned()));
    let path = create(&bench);
    let (word, reason) = state(&bench, &path);
    assert_eq!(word, "error");
    assert!(reason.contains("overlap"));
    assert_eq!(bench.call("DELETE", &path, &token(&bench), None).0, 204);
    assert_eq!(bench.get(&path, &token(&bench)).0, 404);
}

#[test]
fn without_rights_the_other_half_is_left_hanging() {
    let bench = Bench::new(Lag::None);
    admit(&bench, &ACTIONS);
    let path = create(&bench);
    assert_eq!(state(&bench, &path).0, "ready");
    bench.call(
        "DELETE",
        &assignment(1, &bench.sample.vnet_id),
        &bench.admin(ARM),
        None,
    );
    bench.call("DELETE", &path, &token(&bench), None);
    assert_eq!(bench.get(&path, &token(&bench)).0, 404);
    assert_eq!(halves(&bench), ["Disconnected"]);
}

#[test]
fn a_half_deleted_behind_its_back_is_noticed() {
    let bench = Bench::new(Lag::None);
    admit(&bench, &ACTIONS);
    let path = create(&bench);
    assert_eq!(state(&bench, &path).0, "ready");
    let name = bench.edit(|world| world.networks[0].peerings[0].name.clone());
    let half = at(&format!(
        "{}/virtualNetworkPeerings/{name}",
        bench.sample.vnet_id
    ));
    bench.call("DELETE", &half, &bench.admin(ARM), None);
    until(404, || bench.get(&half, &bench.admin(ARM)));
    assert_eq!(state(&bench, &path).0, "error");
}

#[test]
fn the_vendor_may_refuse_or_speak_in_riddles() {
    let refusal = Fault::Refuse("error".to_owned(), "no room".to_owned());
    let bench = Bench::with(
        Lag::None,
        Faults::once(When::service(Service::Of("konnect")), refusal),
    );
    let path = create(&bench);
    assert_eq!(
        state(&bench, &path),
        ("error".to_owned(), "no room".to_owned())
    );
    let riddle = Fault::Strange("contemplating".to_owned());
    let bench = Bench::with(
        Lag::Looks(1),
        Faults::once(When::service(Service::Of("konnect")), riddle),
    );
    let (_, made) = bench.post(&gateways(&bench), &token(&bench), &body(&bench, "mine"));
    assert_eq!(made["state"], "contemplating");
}

#[test]
fn a_gateway_may_never_be_gone() {
    let bench = Bench::new(Lag::None);
    admit(&bench, &ACTIONS);
    let path = create(&bench);
    assert_eq!(state(&bench, &path).0, "ready");
    bench.edit(|world| world.faults = Faults::always(When::changes(), Fault::GatewayStuck));
    assert_eq!(bench.call("DELETE", &path, &token(&bench), None).0, 204);
    for _ in 0..5 {
        assert_eq!(state(&bench, &path).0, "terminating");
    }
    assert_eq!(halves(&bench), ["Connected"]);
    bench.edit(|world| world.faults = Faults::default());
    assert_eq!(bench.get(&path, &token(&bench)).0, 404);
    assert!(halves(&bench).is_empty());
}

#[test]
fn the_other_half_may_be_left_though_it_could_go() {
    let bench = Bench::new(Lag::None);
    admit(&bench, &ACTIONS);
    let path = create(&bench);
    assert_eq!(state(&bench, &path).0, "ready");
    bench.edit(|world| {
        world.faults = Faults::once(When::service(Service::Of("konnect")), Fault::LeaveHalf);
    });
    bench.call("DELETE", &path, &token(&bench), None);
    assert_eq!(bench.get(&path, &token(&bench)).0, 404);
    assert_eq!(halves(&bench), ["Disconnected"]);
}
