use serde_json::json;

use super::{AIVEN_APP, Bench, GRAPH, code, guid};
use crate::sandbox::Lag;

const UPSERT: &str = "/v1.0/applications(uniqueName='run-1')";

#[test]
fn an_upsert_creates_once() {
    let bench = Bench::new(Lag::None);
    let graph = bench.admin(GRAPH);
    let prefer = [
        ("authorization", graph.as_str()),
        ("prefer", "create-if-missing"),
    ];
    let body = json!({"displayName": "x"});
    assert_eq!(
        bench
            .send("PATCH", UPSERT, &prefer[..1], Some(&body))
            .status,
        404
    );
    let made = bench.send("PATCH", UPSERT, &prefer, Some(&body));
    assert_eq!(made.status, 201);
    assert_eq!(made.body.unwrap()["uniqueName"], "run-1");
    let again = bench.send("PATCH", UPSERT, &prefer, Some(&body));
    assert_eq!((again.status, again.body), (204, None));
    let (_, found) = bench.get(UPSERT, &graph);
    assert_eq!(
        bench
            .call(
                "DELETE",
                &format!("/v1.0/applications/{}", found["id"].as_str().unwrap()),
                &graph,
                None
            )
            .0,
        204
    );
    assert_eq!(bench.get(UPSERT, &graph).0, 404);

    // In the recycle bin it still holds its name.
    let taken = bench.send("PATCH", UPSERT, &prefer, Some(&body));
    assert_eq!(taken.status, 400);
    assert!(
        taken.body.unwrap()["error"]["message"]
            .as_str()
            .unwrap()
            .contains("uniqueName already exists")
    );
    let (_, bin) = bench.get(
        "/v1.0/directory/deletedItems/microsoft.graph.application?$filter=displayName eq 'x'",
        &graph,
    );
    let id = bin["value"][0]["id"].as_str().unwrap();
    assert_eq!(
        bench
            .call(
                "DELETE",
                &format!("/v1.0/directory/deletedItems/{id}"),
                &graph,
                None
            )
            .0,
        204
    );
    assert_eq!(
        bench.send("PATCH", UPSERT, &prefer, Some(&body)).status,
        201
    );
}

#[test]
fn bodies_are_checked() {
    let bench = Bench::new(Lag::None);
    let graph = bench.admin(GRAPH);
    let app = bench.app();
    for wrong in [
        json!({}),
        json!({"displayName": ""}),
        json!({"displayName": "x", "colour": "red"}),
        json!({"displayName": "x", "appId": guid(1)}),
        json!({"displayName": "x", "uniqueName": "y"}),
        json!({"displayName": "x", "signInAudience": "Everybody"}),
        json!(["x"]),
    ] {
        let answer = bench.post("/v1.0/applications", &graph, &wrong);
        assert_eq!(code(&answer), (400, "Request_BadRequest"), "{wrong}");
    }
    let path = format!("/v1.0/applications/{}", app.id);
    let secret = json!({"passwordCredentials": []});
    assert_eq!(bench.call("PATCH", &path, &graph, Some(&secret)).0, 400);
    assert_eq!(
        bench
            .post(
                "/v1.0/servicePrincipals",
                &graph,
                &json!({"displayName": "x"})
            )
            .0,
        400
    );
    let password = json!({"passwordCredential": {"secretText": "mine"}});
    assert_eq!(
        bench
            .post(&format!("{path}/addPassword"), &graph, &password)
            .0,
        400
    );
    assert_eq!(
        bench
            .post(
                &format!("{path}/removePassword"),
                &graph,
                &json!({"keyId": guid(1)})
            )
            .0,
        400
    );
    let garbled = Bench::send(
        &bench,
        "POST",
        "/v1.0/applications",
        &[("authorization", &graph)],
        Some(&json!("x")),
    );
    assert_eq!(garbled.status, 400);
}

#[test]
fn replicas_learn_of_an_application_late() {
    let bench = Bench::new(Lag::Looks(4));
    let graph = bench.admin(GRAPH);
    let (_, app) = bench.post("/v1.0/applications", &graph, &json!({"displayName": "x"}));
    let id = app["id"].as_str().unwrap();
    let wish = json!({"appId": app["appId"]});
    let first = bench.post("/v1.0/servicePrincipals", &graph, &wish);
    let second = bench.post("/v1.0/servicePrincipals", &graph, &wish);
    let mut codes = [code(&first), code(&second)];
    codes.sort_unstable();
    assert_eq!(
        codes,
        [
            (400, "Request_BadRequest"),
            (403, "Authorization_RequestDenied")
        ]
    );
    let password = bench.post(
        &format!("/v1.0/applications/{id}/addPassword"),
        &graph,
        &json!({}),
    );
    assert_eq!(code(&password), (404, "Request_ResourceNotFound"));
    assert_eq!(
        bench.get(&format!("/v1.0/applications/{id}"), &graph).0,
        404
    );
    assert_eq!(bench.post("/v1.0/servicePrincipals", &graph, &wish).0, 201);
}

#[test]
fn a_principal_exists_once() {
    let bench = Bench::new(Lag::None);
    let graph = bench.admin(GRAPH);
    bench.vendor();
    let again = bench.post(
        "/v1.0/servicePrincipals",
        &graph,
        &json!({"appId": AIVEN_APP}),
    );
    assert_eq!(
        code(&again),
        (409, "Request_MultipleObjectsWithSameKeyValue")
    );
    assert!(
        again.1["error"]["message"]
            .as_str()
            .unwrap()
            .contains(AIVEN_APP)
    );
    let path = format!("/v1.0/servicePrincipals(appId='{AIVEN_APP}')");
    let (_, found) = bench.get(&path, &graph);
    assert_ne!(found["appOwnerOrganizationId"], json!(bench.sample.tenant));
    let upsert = bench.send(
        "PATCH",
        &path,
        &[("authorization", &graph), ("prefer", "create-if-missing")],
        Some(&json!({"tags": ["t"]})),
    );
    assert_eq!(upsert.status, 204);
    assert_eq!(bench.get(&path, &graph).1["tags"], json!(["t"]));
    let unknown = bench.post(
        "/v1.0/servicePrincipals",
        &graph,
        &json!({"appId": guid(3)}),
    );
    assert_eq!(
        unknown.1["error"]["details"][0]["code"],
        "NoBackingApplicationObject"
    );
}

#[test]
fn a_role_is_needed() {
    let bench = Bench::new(Lag::None);
    let app = bench.app();
    let plain = bench
        .sign_in(&bench.sample.tenant, &app.client, &app.secret, GRAPH)
        .unwrap();
    assert_eq!(
        code(&bench.get("/v1.0/applications", &plain)),
        (403, "Authorization_RequestDenied")
    );
    let vendor = bench.post(
        "/v1.0/servicePrincipals",
        &plain,
        &json!({"appId": AIVEN_APP}),
    );
    assert_eq!(code(&vendor), (403, "Authorization_RequestDenied"));
    assert!(
        vendor.1["error"]["message"]
            .as_str()
            .unwrap()
            .contains("backing application")
    );
    assert_eq!(bench.get("/v1.0/me", &plain).0, 400);
    assert_eq!(
        bench.get("/v1.0/organization", &plain).1["value"][0]["displayName"],
        "Acme"
    );
}

#[test]
fn deleting_an_application_orphans_principals_elsewhere() {
    let bench = Bench::new(Lag::None);
    let graph = bench.admin(GRAPH);
    let app = bench.app();
    bench.edit(|world| world.add_principal(super::AIVEN_TENANT, &app.client, Vec::new()));
    assert_eq!(
        bench
            .call(
                "DELETE",
                &format!("/v1.0/applications(appId='{}')", app.client),
                &graph,
                None
            )
            .0,
        204
    );
    assert_eq!(
        bench
            .get(
                &format!("/v1.0/servicePrincipals/{}", app.principal),
                &graph
            )
            .0,
        404
    );
    assert!(bench.edit(|world| world.principal(super::AIVEN_TENANT, &app.client).is_some()));
    let restore = format!("/v1.0/directory/deletedItems/{}/restore", app.id);
    assert_eq!(bench.post(&restore, &graph, &json!({})).0, 200);
    assert_eq!(
        bench
            .get(
                &format!("/v1.0/servicePrincipals/{}", app.principal),
                &graph
            )
            .0,
        200
    );
}

#[test]
fn filters_find_what_az_asks_for() {
    let bench = Bench::new(Lag::None);
    let graph = bench.admin(GRAPH);
    let app = bench.app();
    let count = |path: &str| bench.get(path, &graph).1["value"].as_array().map(Vec::len);
    assert_eq!(
        count(&format!(
            "/v1.0/applications?$filter=appId eq '{}'",
            app.client
        )),
        Some(1)
    );
    assert_eq!(
        count("/v1.0/applications?$filter=startswith(displayName,'mi')"),
        Some(1)
    );
    assert_eq!(
        count("/v1.0/applications?$filter=displayName%20eq%20%27nobody%27"),
        Some(0)
    );
    let names = format!(
        "/v1.0/servicePrincipals?$filter=servicePrincipalNames/any(c:c%20eq%20'{}')",
        app.client
    );
    assert_eq!(count(&names), Some(1));
    assert_eq!(
        bench
            .get("/v1.0/applications?$filter=displayName ne 'x'", &graph)
            .0,
        400
    );
    let unsupported = bench.get("/v1.0/applications?$filter=uniqueName eq 'x'", &graph);
    assert_eq!(code(&unsupported), (400, "Request_UnsupportedQuery"));
    let wish = json!({"ids": [app.principal, guid(1)], "types": ["servicePrincipal"]});
    let (_, found) = bench.post("/v1.0/directoryObjects/getByIds", &graph, &wish);
    assert_eq!(
        found["value"][0]["@odata.type"],
        "#microsoft.graph.servicePrincipal"
    );
    assert_eq!(found["value"].as_array().unwrap().len(), 1);
}

#[test]
fn tenants_do_not_see_each_other() {
    let bench = Bench::new(Lag::None);
    let graph = bench.admin(GRAPH);
    let path = format!("/v1.0/applications(appId='{AIVEN_APP}')");
    assert_eq!(bench.get(&path, &graph).0, 404);
    assert_eq!(bench.call("DELETE", &path, &graph, None).0, 404);
}

#[test]
fn a_new_password_is_neither_shown_nor_removable_everywhere_at_once() {
    let bench = Bench::new(Lag::Looks(2));
    let graph = bench.admin(GRAPH);
    let app = bench.app();
    let path = format!("/v1.0/applications/{}", app.id);
    let shown = || {
        let (_, found) = bench.get(&path, &graph);
        found["passwordCredentials"].as_array().unwrap().len()
    };
    assert_eq!([shown(), shown(), shown()], [0, 0, 1]);
    let (_, found) = bench.get(&path, &graph);
    let key = json!({"keyId": found["passwordCredentials"][0]["keyId"]});
    let remove = || bench.post(&format!("{path}/removePassword"), &graph, &key);
    // It comes right after another change of the application.
    assert_eq!(code(&remove()), (409, "Directory_ConcurrencyViolation"));
    for _ in 0..2 {
        let answer = remove();
        assert_eq!(code(&answer), (400, "Request_BadRequest"));
        let message = answer.1["error"]["message"].as_str().unwrap();
        assert!(message.contains("No password credential found with keyId"));
    }
    assert_eq!(remove().0, 204);
    assert_eq!(shown(), 0);
}

#[test]
fn a_deleted_principal_is_in_the_way_of_the_next() {
    let bench = Bench::new(Lag::Looks(2));
    let graph = bench.admin(GRAPH);
    let id = bench.vendor();
    let path = format!("/v1.0/servicePrincipals/{id}");
    assert_eq!(bench.call("DELETE", &path, &graph, None).0, 204);
    let wish = json!({"appId": AIVEN_APP});
    for _ in 0..2 {
        let again = bench.post("/v1.0/servicePrincipals", &graph, &wish);
        let held = (409, "Request_MultipleObjectsWithSameKeyValue");
        assert_eq!(code(&again), held);
        let by_app = format!("/v1.0/servicePrincipals(appId='{AIVEN_APP}')");
        assert_eq!(bench.get(&by_app, &graph).0, 404);
    }
    assert_eq!(bench.post("/v1.0/servicePrincipals", &graph, &wish).0, 201);
}
