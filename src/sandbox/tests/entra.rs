use serde_json::json;

use super::{AIVEN_TENANT, ARM, Bench, GRAPH};
use crate::sandbox::Lag;
use crate::sandbox::lag::Settle;

#[test]
fn tenants_apps_and_secrets_are_told_apart() {
    let bench = Bench::new(Lag::None);
    let app = bench.app();
    let tenant = &bench.sample.tenant;
    assert!(bench.sign_in(tenant, &app.client, &app.secret, ARM).is_ok());
    assert!(
        bench
            .sign_in("acme.example", &app.client, &app.secret, ARM)
            .is_ok()
    );
    assert_eq!(
        bench.sign_in(tenant, &app.client, "wrong", ARM),
        Err(7_000_215)
    );
    assert_eq!(
        bench.sign_in(tenant, &super::guid(9), "wrong", ARM),
        Err(700_016)
    );
    assert_eq!(
        bench.sign_in(AIVEN_TENANT, &app.client, &app.secret, ARM),
        Err(700_016)
    );
    assert_eq!(
        bench.sign_in(&super::guid(9), &app.client, &app.secret, ARM),
        Err(90_002)
    );
}

#[test]
fn a_principal_is_needed_at_home_too() {
    let bench = Bench::new(Lag::None);
    let app = bench.app();
    bench.edit(|world| world.principals.retain(|sp| sp.id != app.principal));
    assert_eq!(
        bench.sign_in(&bench.sample.tenant, &app.client, &app.secret, ARM),
        Err(7_000_229)
    );
}

#[test]
fn only_a_multi_tenant_application_signs_in_elsewhere() {
    let bench = Bench::new(Lag::None);
    let app = bench.app();
    bench.edit(|world| world.add_principal(AIVEN_TENANT, &app.client, Vec::new()));
    assert!(
        bench
            .sign_in(AIVEN_TENANT, &app.client, &app.secret, ARM)
            .is_ok()
    );
    let single = json!({"signInAudience": "AzureADMyOrg"});
    let path = format!("/v1.0/applications/{}", app.id);
    assert_eq!(
        bench
            .call("PATCH", &path, &bench.admin(GRAPH), Some(&single))
            .0,
        204
    );
    assert_eq!(
        bench.sign_in(AIVEN_TENANT, &app.client, &app.secret, ARM),
        Err(700_016)
    );
}

#[test]
fn a_fresh_secret_and_a_fresh_principal_spread() {
    let bench = Bench::new(Lag::Looks(2));
    let app = bench.app();
    let sign_in = || bench.sign_in(&bench.sample.tenant, &app.client, &app.secret, ARM);
    assert_eq!([sign_in(), sign_in()], [Err(7_000_229), Err(7_000_229)]);
    assert_eq!([sign_in(), sign_in()], [Err(7_000_215), Err(7_000_215)]);
    assert!(sign_in().is_ok());
}

#[test]
fn an_expired_secret_is_named() {
    let bench = Bench::new(Lag::None);
    let app = bench.app();
    bench.edit(|world| {
        let own = world
            .applications
            .iter_mut()
            .find(|own| own.id == app.id)
            .unwrap();
        "2020-01-01T00:00:00Z".clone_into(&mut own.passwords[0].end);
    });
    assert_eq!(
        bench.sign_in(&bench.sample.tenant, &app.client, &app.secret, ARM),
        Err(7_000_222)
    );
}

#[test]
fn the_audience_is_enforced_both_ways() {
    let bench = Bench::new(Lag::None);
    let (arm, graph) = (bench.admin(ARM), bench.admin(GRAPH));
    let wrong = bench.get("/v1.0/organization", &arm);
    assert_eq!(super::code(&wrong), (401, "InvalidAuthenticationToken"));
    let wrong = bench.get("/subscriptions?api-version=2022-12-01", &graph);
    assert_eq!(
        super::code(&wrong),
        (401, "InvalidAuthenticationTokenAudience")
    );
    let none = bench.get("/subscriptions?api-version=2022-12-01", "Bearer made-up");
    assert_eq!(super::code(&none), (401, "InvalidAuthenticationToken"));
    let bare = bench.get("/v1.0/organization", "");
    assert_eq!(super::code(&bare), (401, "InvalidAuthenticationToken"));
}

#[test]
fn an_expired_token_is_refused() {
    let bench = Bench::new(Lag::None);
    let token = bench.admin(ARM);
    bench.edit(|world| {
        world
            .session
            .tokens
            .values_mut()
            .for_each(|token| token.expires = 1.0);
    });
    assert_eq!(
        bench.get("/subscriptions?api-version=2022-12-01", &token).0,
        401
    );
}

#[test]
fn a_scope_needs_default() {
    let bench = Bench::new(Lag::None);
    let sample = &bench.sample;
    let fields = [
        ("grant_type", "client_credentials"),
        ("client_id", &*sample.client_id),
        ("client_secret", &*sample.client_secret),
        ("scope", ARM),
    ];
    let (status, body) = bench.form(&format!("/{}/oauth2/v2.0/token", sample.tenant), &fields);
    assert_eq!((status, &body["error"]), (400, &json!("invalid_scope")));
}

#[test]
fn a_device_code_waits_for_the_person() {
    let bench = Bench::new(Lag::Looks(1));
    let scope = format!("{ARM}/.default offline_access");
    let (_, code) = bench.form(
        "/organizations/oauth2/v2.0/devicecode",
        &[("client_id", "c"), ("scope", &scope)],
    );
    assert!(
        code["message"]
            .as_str()
            .unwrap()
            .contains(code["user_code"].as_str().unwrap())
    );
    let device = code["device_code"].as_str().unwrap();
    let kind = "urn:ietf:params:oauth:grant-type:device_code";
    let poll = || {
        let fields = [
            ("grant_type", kind),
            ("client_id", "c"),
            ("device_code", device),
        ];
        bench.form("/organizations/oauth2/v2.0/token", &fields)
    };
    assert_eq!(poll().1["error"], "authorization_pending");
    let (status, tokens) = poll();
    assert_eq!(status, 200);
    let arm = format!("Bearer {}", tokens["access_token"].as_str().unwrap());
    assert_eq!(
        bench.get("/subscriptions?api-version=2022-12-01", &arm).1["value"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    assert_eq!(poll().1["error"], "bad_verification_code");

    // The refresh token opens the directory too.
    let refresh = tokens["refresh_token"].as_str().unwrap();
    let scope = format!("{GRAPH}/.default");
    let fields = [
        ("grant_type", "refresh_token"),
        ("client_id", "c"),
        ("refresh_token", refresh),
        ("scope", &*scope),
    ];
    let (status, tokens) = bench.form(
        &format!("/{}/oauth2/v2.0/token", bench.sample.tenant),
        &fields,
    );
    assert_eq!(status, 200);
    let graph = format!("Bearer {}", tokens["access_token"].as_str().unwrap());
    assert_eq!(
        bench.get("/v1.0/me", &graph).1["userPrincipalName"],
        "alex@acme.example"
    );
    assert_eq!(
        bench
            .form(&format!("/{AIVEN_TENANT}/oauth2/v2.0/token"), &fields)
            .1["error_codes"][0],
        50_020
    );
}

#[test]
fn consent_makes_the_principal() {
    let bench = Bench::new(Lag::None);
    let path = format!(
        "/{}/adminconsent?client_id={}",
        bench.sample.tenant,
        super::AIVEN_APP
    );
    assert_eq!(bench.get(&path, "").0, 200);
    assert!(bench.edit(|world| {
        world
            .principal(&bench.sample.tenant, super::AIVEN_APP)
            .is_some()
    }));
    let path = format!(
        "/{}/adminconsent?client_id={}",
        bench.sample.tenant,
        super::guid(9)
    );
    assert_eq!(bench.get(&path, "").0, 400);
}

#[test]
fn settling_by_the_clock() {
    assert!(!Settle::At(f64::MAX).due());
    assert!(Settle::At(1.0).due());
    assert!(matches!(
        Lag::Timed(1.0).begin(crate::sandbox::lag::Spread::Build),
        Settle::At(_)
    ));
}
