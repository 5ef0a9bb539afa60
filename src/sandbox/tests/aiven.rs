use serde_json::{Value, json};

use super::{AIVEN_TENANT, ARM, App, Bench, NETWORK_CONTRIBUTOR, at, until};
use crate::sandbox::Lag;
use crate::sandbox::faults::{Fault, Faults, When};
use crate::sandbox::log::Service;

/// Everything that Aiven's guide asks for before the peering.
fn prepared(lag: Lag, faults: Faults) -> (Bench, App) {
    let bench = Bench::with(lag, faults);
    let app = bench.app();
    bench.admit_vendor();
    bench.assign(
        1,
        &bench.sample.vnet_id,
        NETWORK_CONTRIBUTOR,
        &app.principal,
    );
    (bench, app)
}

fn token(bench: &Bench) -> String {
    format!("aivenv1 {}", bench.sample.aiven_token)
}

fn vpc(bench: &Bench) -> String {
    format!(
        "/v1/project/{}/vpcs/{}",
        bench.sample.project, bench.sample.project_vpc
    )
}

fn body(bench: &Bench, app: &App) -> Value {
    let parts: Vec<String> = bench
        .sample
        .vnet_id
        .split('/')
        .map(str::to_lowercase)
        .collect();
    json!({
        "peer_cloud_account": parts[2], "peer_resource_group": parts[4], "peer_vpc": parts[8],
        "peer_azure_app_id": app.client, "peer_azure_tenant_id": bench.sample.tenant,
    })
}

fn create(bench: &Bench, app: &App) -> (u16, Value) {
    bench.post(
        &format!("{}/peering-connections", vpc(bench)),
        &token(bench),
        &body(bench, app),
    )
}

fn row(bench: &Bench) -> Value {
    bench.get(&vpc(bench), &token(bench)).1["peering_connections"][0].clone()
}

/// Writes the user's half, as the guide says.
fn answer_back(bench: &Bench, app: &App) -> (u16, Value) {
    let remote = bench.edit(|world| world.aiven.vpcs[0].network.clone());
    let sign_in = |tenant: &str| {
        (0..20)
            .find_map(|_| bench.sign_in(tenant, &app.client, &app.secret, ARM).ok())
            .unwrap()
    };
    let (home, away) = (sign_in(&bench.sample.tenant), sign_in(AIVEN_TENANT));
    let path = at(&format!(
        "{}/virtualNetworkPeerings/to-aiven",
        bench.sample.vnet_id
    ));
    let headers = [
        ("authorization", home.as_str()),
        ("x-ms-authorization-auxiliary", away.as_str()),
    ];
    let answer = bench.send(
        "PUT",
        &path,
        &headers,
        Some(&json!({"properties": {"remoteVirtualNetwork": {"id": remote}}})),
    );
    (answer.status, answer.body.unwrap_or_default())
}

#[test]
fn tokens_open_their_own_things() {
    let bench = Bench::new(Lag::None);
    let code = |path: &str, token: &str| {
        let (status, body) = bench.get(path, token);
        (
            status,
            body["errors"][0]["error_code"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
        )
    };
    let timescale = format!("aivenv1 {}", bench.sample.timescale_token);
    assert_eq!(
        code("/v1/me", ""),
        (403, "authentication_failed".to_owned())
    );
    assert_eq!(
        code("/v1/me", "aivenv1 wrong"),
        (403, "authentication_failed".to_owned())
    );
    assert_eq!(
        code("/v1/me", &token(&bench).replace("aivenv1", "Bearer")),
        (403, "authentication_failed".to_owned())
    );
    assert_eq!(
        code(&vpc(&bench), &timescale),
        (404, "project_does_not_exist".to_owned())
    );
    let organization = format!("/v1/organization/{}/vpcs", bench.sample.organization);
    assert_eq!(code(&organization, &timescale).0, 403);
    let (_, projects) = bench.get("/v1/project", &timescale);
    assert_eq!(projects["projects"][0]["project_name"], "acme-metrics");
    let (_, vpcs) = bench.get("/v1/project/acme-metrics/vpcs", &timescale);
    assert_eq!(vpcs["vpcs"][0]["cloud_name"], "timescale-azure-westeurope");
    assert!(vpcs["vpcs"][0].get("peering_connections").is_none());
    assert_eq!(bench.get("/v1/clouds", "").0, 200);
    assert_eq!(
        bench.get("/v1/organizations", &timescale).1["organizations"],
        json!([])
    );
}

#[test]
fn bodies_are_checked() {
    let (bench, app) = prepared(Lag::None, Faults::default());
    let path = format!("{}/peering-connections", vpc(&bench));
    let good = body(&bench, &app);
    let with = |key: &str, value: Value| {
        let mut wrong = good.clone();
        wrong[key] = value;
        bench.post(&path, &token(&bench), &wrong)
    };
    assert_eq!(with("peer_resource_group", json!("RG-Network-Prod")).0, 400);
    assert_eq!(with("colour", json!("red")).0, 400);
    assert_eq!(with("peer_cloud_account", Value::Null).0, 400);
    assert_eq!(with("peer_azure_tenant_id", Value::Null).0, 400);
    let unknown = with("peer_azure_app_id", json!(super::guid(5)));
    let text = format!(
        "peer_azure_app_id '{}' does not refer to a valid application object",
        super::guid(5)
    );
    assert_eq!(
        (unknown.0, unknown.1["message"].as_str()),
        (400, Some(text.as_str()))
    );
    assert_eq!(unknown.1["errors"][0]["status"], 400);
    let building = bench.edit(|world| world.aiven.vpcs[3].id.clone());
    let (status, answer) = bench.post(
        &format!("/v1/project/acme-prod/vpcs/{building}/peering-connections"),
        &token(&bench),
        &good,
    );
    assert_eq!(status, 409);
    assert!(
        answer["message"]
            .as_str()
            .unwrap()
            .ends_with("is in state APPROVED, not ACTIVE")
    );
}

#[test]
fn a_single_tenant_application_is_not_resolved() {
    let (bench, app) = prepared(Lag::None, Faults::default());
    bench.edit(|world| {
        let own = world
            .applications
            .iter_mut()
            .find(|own| own.id == app.id)
            .unwrap();
        "AzureADMyOrg".clone_into(&mut own.audience);
    });
    assert_eq!(create(&bench, &app).0, 400);
}

#[test]
fn a_peering_goes_through_its_states() {
    let (bench, app) = prepared(Lag::Looks(1), Faults::default());
    until(200, || create(&bench, &app));
    let mut seen = Vec::new();
    for _ in 0..20 {
        let found = row(&bench);
        let state = found["state"].as_str().unwrap().to_owned();
        if state == "PENDING_PEER" && seen.last() != Some(&state) {
            assert_eq!(found["state_info"]["to-tenant-id"], AIVEN_TENANT);
            assert!(
                found["state_info"]["to-network-id"]
                    .as_str()
                    .unwrap()
                    .contains("/virtualNetworks/vpc-")
            );
            until(201, || answer_back(&bench, &app));
        }
        // The vendor's right was given a moment ago, so the first request comes too early.
        if state == "INVALID_SPECIFICATION" {
            until(200, || create(&bench, &app));
        }
        seen.push(state);
    }
    seen.dedup();
    assert_eq!(
        seen,
        [
            "APPROVED",
            "INVALID_SPECIFICATION",
            "APPROVED",
            "PENDING_PEER",
            "ACTIVE"
        ]
    );
    assert_eq!(row(&bench)["state_info"], Value::Null);

    // The user takes their half away: no way out but to delete the row.
    let arm = bench.admin(ARM);
    let half = at(&format!(
        "{}/virtualNetworkPeerings/to-aiven",
        bench.sample.vnet_id
    ));
    until(202, || bench.call("DELETE", &half, &arm, None));
    until(404, || bench.get(&half, &arm));
    assert_eq!(row(&bench)["state"], "DELETED_BY_PEER");
    assert_eq!(create(&bench, &app).0, 409);
    let keys = body(&bench, &app);
    let path = format!(
        "{}/peering-connections/peer-accounts/{}/peer-resource-groups/{}/peer-vpcs/{}",
        vpc(&bench),
        keys["peer_cloud_account"].as_str().unwrap(),
        keys["peer_resource_group"].as_str().unwrap(),
        keys["peer_vpc"].as_str().unwrap()
    );
    let (status, gone) = bench.call("DELETE", &path, &token(&bench), None);
    assert_eq!((status, &gone["state"]), (200, &json!("DELETING")));
    assert_eq!(row(&bench)["state"], "DELETING");
    assert_eq!(row(&bench), Value::Null);
    assert_eq!(bench.call("DELETE", &path, &token(&bench), None).0, 404);
    assert!(bench.edit(|world| world.principal(AIVEN_TENANT, &app.client).is_none()));
    assert!(bench.edit(|world| {
        world
            .networks
            .iter()
            .all(|network| network.peerings.is_empty())
    }));
}

#[test]
fn what_is_missing_is_told_and_can_be_mended() {
    let bench = Bench::new(Lag::None);
    let app = bench.app();
    let said = || {
        row(&bench)["state_info"]["message"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    assert_eq!(create(&bench, &app).1["state"], "APPROVED");
    assert_eq!(row(&bench)["state"], "INVALID_SPECIFICATION");
    assert!(said().contains("has no service principal"));
    let vendor = bench.vendor();
    create(&bench, &app);
    assert!(said().contains("does not have permission"));
    bench.role(1, "aiven", &[super::PEER]);
    bench.assign(2, &bench.sample.vnet_id, &super::guid(1), &vendor);
    create(&bench, &app);
    assert_eq!(row(&bench)["state"], "PENDING_PEER");
    let before = row(&bench);
    create(&bench, &app);
    assert_eq!(row(&bench), before, "asking again changes nothing");
}

#[test]
fn overlaps_and_leftovers_are_refused() {
    let (bench, app) = prepared(Lag::None, Faults::default());
    bench.edit(|world| {
        world.networks[0]
            .prefixes
            .push("192.168.23.0/24".to_owned());
    });
    create(&bench, &app);
    assert!(
        row(&bench)["state_info"]["message"]
            .as_str()
            .unwrap()
            .contains("overlap")
    );
    bench.edit(|world| {
        world.networks[0].prefixes.pop();
        let remote = world.aiven.vpcs[0].network.clone();
        let leftover = crate::sandbox::parts::Peering {
            name: "old".into(),
            remote,
            state: "Disconnected".into(),
            ..Default::default()
        };
        world.networks[0].peerings.push(leftover);
    });
    create(&bench, &app);
    assert!(
        row(&bench)["state_info"]["message"]
            .as_str()
            .unwrap()
            .contains("RemotePeeringIsDisconnected")
    );
}

#[test]
fn the_wrong_tenant_is_noticed() {
    let (bench, app) = prepared(Lag::None, Faults::default());
    let mut wrong = body(&bench, &app);
    wrong["peer_azure_tenant_id"] = json!(AIVEN_TENANT);
    bench.post(
        &format!("{}/peering-connections", vpc(&bench)),
        &token(&bench),
        &wrong,
    );
    assert_eq!(row(&bench)["state"], "INVALID_SPECIFICATION");
}

#[test]
fn organizations_answer_on_both_families_of_paths() {
    let (bench, app) = prepared(Lag::None, Faults::default());
    let base = |family: &str| {
        format!(
            "/v1/organization/{}/{family}/{}",
            bench.sample.organization, bench.sample.organization_vpc
        )
    };
    let token = token(&bench);
    for (family, one, refresh) in [
        ("vpc", "peering-connection", "refresh"),
        ("vpcs", "peering-connections", "actions/refresh"),
    ] {
        let (status, made) = bench.post(
            &format!("{}/peering-connections", base(family)),
            &token,
            &body(&bench, &app),
        );
        assert_eq!(status, 200, "{made}");
        let id = made["peering_connection_id"].as_str().unwrap();
        let (_, shown) = bench.get(&base(family), &token);
        assert_eq!(shown["clouds"][0]["cloud_name"], "azure-westeurope");
        assert_eq!(shown["peering_connections"][0]["state"], "PENDING_PEER");
        assert_eq!(
            bench
                .post(
                    &format!("{}/peering-connections/{refresh}", base(family)),
                    &token,
                    &json!({})
                )
                .0,
            200
        );
        assert_eq!(
            bench
                .call(
                    "DELETE",
                    &format!("{}/{one}/{id}", base(family)),
                    &token,
                    None
                )
                .0,
            200
        );
        assert_eq!(
            bench.get(&base(family), &token).1["peering_connections"],
            json!([])
        );
    }
    assert_eq!(
        bench
            .post(
                &format!("{}/peering-connections/refresh", base("vpcs")),
                &token,
                &json!({})
            )
            .0,
        404
    );
}

#[test]
fn the_vendor_may_refuse_once() {
    let refusal = Fault::Refuse("REJECTED_BY_PEER".to_owned(), "not today".to_owned());
    let (bench, app) = prepared(
        Lag::None,
        Faults::once(When::service(Service::Of("aiven")), refusal),
    );
    create(&bench, &app);
    let found = row(&bench);
    assert_eq!(
        (&found["state"], &found["state_info"]["message"]),
        (&json!("REJECTED_BY_PEER"), &json!("not today"))
    );
    create(&bench, &app);
    assert_eq!(row(&bench)["state"], "PENDING_PEER");
}

#[test]
fn the_vendor_may_speak_in_riddles() {
    let riddle = Fault::Strange("AWAITING_MOONRISE".to_owned());
    let (bench, app) = prepared(
        Lag::Looks(1),
        Faults::once(When::service(Service::Of("aiven")), riddle),
    );
    let made = until(200, || create(&bench, &app));
    assert_eq!(made["state"], "AWAITING_MOONRISE");
    assert_eq!(row(&bench)["state"], "AWAITING_MOONRISE");
    // Its right was given a moment ago, so the first request comes too early.
    assert!((0..9).any(|_| row(&bench)["state"] == "INVALID_SPECIFICATION"));
    until(200, || create(&bench, &app));
    assert!((0..9).any(|_| row(&bench)["state"] == "PENDING_PEER"));
}

#[test]
fn a_row_may_stay_and_leaves_the_other_half_hanging() {
    let (bench, app) = prepared(Lag::None, Faults::default());
    create(&bench, &app);
    assert_eq!(row(&bench)["state"], "PENDING_PEER");
    assert_eq!(answer_back(&bench, &app).0, 201);
    assert_eq!(row(&bench)["state"], "ACTIVE");
    let half = || {
        let path = at(&format!(
            "{}/virtualNetworkPeerings/to-aiven",
            bench.sample.vnet_id
        ));
        bench.get(&path, &bench.admin(ARM)).1["properties"]["peeringState"].clone()
    };
    bench.edit(|world| {
        let stuck = When::path(&bench.sample.project_vpc);
        world.faults = Faults::always(stuck, Fault::RowStuck);
    });
    let keys = body(&bench, &app);
    let text = |key: &str| keys[key].as_str().unwrap().to_owned();
    let path = format!(
        "{}/peering-connections/peer-accounts/{}/peer-resource-groups/{}/peer-vpcs/{}",
        vpc(&bench),
        text("peer_cloud_account"),
        text("peer_resource_group"),
        text("peer_vpc")
    );
    assert_eq!(bench.call("DELETE", &path, &token(&bench), None).0, 200);
    for _ in 0..5 {
        assert_eq!(row(&bench)["state"], "DELETING");
        assert_eq!(half(), "Connected");
    }
    bench.edit(|world| world.faults = Faults::default());
    assert_eq!(row(&bench), Value::Null);
    assert_eq!(half(), "Disconnected");
}
