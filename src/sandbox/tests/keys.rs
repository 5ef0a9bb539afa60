use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rcgen::{CertificateParams, KeyPair, PKCS_RSA_SHA256, SigningKey};
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};

use super::{ARM, App, Bench, GRAPH, code, guid};
use crate::sandbox::certificate::Certificate;
use crate::sandbox::lag::stamp_after;
use crate::sandbox::{Fault, Faults, Lag, When};

/// A key and its certificate, as somebody would make them.
struct Own {
    key: KeyPair,
    der: String,
}

impl Own {
    fn new() -> Self {
        let key = KeyPair::generate_for(&PKCS_RSA_SHA256).unwrap();
        let mut params = CertificateParams::default();
        let now = OffsetDateTime::now_utc();
        (params.not_before, params.not_after) =
            (now - Duration::hours(1), now + Duration::hours(2));
        let der = STANDARD.encode(params.self_signed(&key).unwrap().der());
        Self { key, der }
    }

    fn wish(&self, number: u32) -> Value {
        json!({
            "type": "AsymmetricX509Cert", "usage": "Verify", "key": self.der, "keyId": guid(number), "displayName": "mine",
            "endDateTime": stamp_after(3600),
        })
    }

    fn assertion(&self, head: &Value, claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(head), part(claims));
        let signature = self.key.sign(signed.as_bytes()).unwrap();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    fn head(&self) -> Value {
        let print = Certificate::read(&self.der).unwrap().sha256();
        json!({"alg": "RS256", "typ": "JWT", "x5t#S256": URL_SAFE_NO_PAD.encode(print)})
    }
}

fn claims(tenant: &str, client: &str) -> Value {
    let now = OffsetDateTime::now_utc().unix_timestamp();
    json!({
        "aud": format!("https://localhost:1/{tenant}/oauth2/v2.0/token"), "iss": client, "sub": client, "jti": guid(77),
        "nbf": now - 60, "exp": now + 300,
    })
}

fn path(app: &App) -> String {
    format!("/v1.0/applications/{}", app.id)
}

fn put(bench: &Bench, app: &App, keys: &Value) -> (u16, Value) {
    let body = json!({"keyCredentials": keys});
    bench.call("PATCH", &path(app), &bench.admin(GRAPH), Some(&body))
}

fn shown(bench: &Bench, app: &App) -> Value {
    let (_, it) = bench.get(&path(app), &bench.admin(GRAPH));
    it["keyCredentials"].clone()
}

/// The error code of a sign-in with this assertion; 0 when it is good.
fn sign_in(bench: &Bench, app: &App, assertion: &str) -> u64 {
    let scope = format!("{ARM}/.default");
    let fields = [
        ("grant_type", "client_credentials"),
        ("client_id", app.client.as_str()),
        ("client_assertion", assertion),
        (
            "client_assertion_type",
            "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        ),
        ("scope", &scope),
    ];
    let target = format!("/{}/oauth2/v2.0/token", bench.sample.tenant);
    let (status, body) = bench.form(&target, &fields);
    if status == 200 {
        return 0;
    }
    body["error_codes"][0].as_u64().unwrap()
}

#[test]
fn certificates_are_one_list_that_tells_no_key() {
    let bench = Bench::new(Lag::None);
    let (app, one, two) = (bench.app(), Own::new(), Own::new());
    assert_eq!(put(&bench, &app, &json!([one.wish(1)])).0, 204);
    let mut list = shown(&bench, &app);
    assert_eq!(list[0]["key"], Value::Null);
    assert_eq!(list[0]["keyId"], guid(1));
    let whole = format!("{}?$select=keyCredentials", path(&app));
    let (_, whole) = bench.get(&whole, &bench.admin(GRAPH));
    assert_eq!(whole["keyCredentials"][0]["key"], one.der);

    // As it came, and one more.
    list.as_array_mut().unwrap().push(two.wish(2));
    assert_eq!(put(&bench, &app, &list).0, 204);
    assert_eq!(shown(&bench, &app).as_array().unwrap().len(), 2);
    // What is not in the list is gone.
    assert_eq!(put(&bench, &app, &json!([list[1]])).0, 204);
    assert_eq!(shown(&bench, &app)[0]["keyId"], guid(2));
    let mut other = shown(&bench, &app);
    other[0]["endDateTime"] = json!(stamp_after(60));
    let refused = put(&bench, &app, &other);
    assert_eq!(code(&refused), (400, "Request_BadRequest"));
    assert!(
        refused
            .1
            .to_string()
            .contains("Update to existing credential")
    );
}

#[test]
fn what_is_no_certificate_or_ends_after_it_is_refused() {
    let bench = Bench::new(Lag::None);
    let (app, own) = (bench.app(), Own::new());
    let with = |name: &str, value: Value| {
        let mut wish = own.wish(1);
        wish[name] = value;
        json!([wish])
    };
    for wrong in [
        with("key", Value::Null),
        with("key", json!("bm90IG9uZQ==")),
        with("type", json!("Symmetric")),
        with("usage", json!("Sign")),
        with("endDateTime", json!(stamp_after(3 * 3600))),
        with("endDateTime", json!(stamp_after(-60))),
        with("startDateTime", json!(stamp_after(-2 * 3600))),
        with("colour", json!("red")),
        json!([own.wish(1), own.wish(1)]),
        json!("all"),
    ] {
        assert_eq!(put(&bench, &app, &wrong).0, 400, "{wrong}");
        assert_eq!(shown(&bench, &app), json!([]), "{wrong}");
    }
}

#[test]
fn an_assertion_is_believed_only_when_all_of_it_is_right() {
    let bench = Bench::new(Lag::None);
    let (app, own, other) = (bench.app(), Own::new(), Own::new());
    let tenant = bench.sample.tenant.clone();
    let good = own.assertion(&own.head(), &claims(&tenant, &app.client));
    assert_eq!(sign_in(&bench, &app, &good), 700_027, "not registered");
    assert_eq!(put(&bench, &app, &json!([own.wish(1)])).0, 204);
    assert_eq!(sign_in(&bench, &app, &good), 0);
    let but = |name: &str, value: Value| {
        let mut claims = claims(&tenant, &app.client);
        claims[name] = value;
        own.assertion(&own.head(), &claims)
    };
    let now = OffsetDateTime::now_utc().unix_timestamp();
    let elsewhere = "https://localhost:1/other/oauth2/v2.0/token";
    for (what, assertion, refused) in [
        (
            "another's signature",
            other.assertion(&own.head(), &claims(&tenant, &app.client)),
            700_027,
        ),
        (
            "another's key",
            other.assertion(&other.head(), &claims(&tenant, &app.client)),
            700_027,
        ),
        (
            "no thumbprint",
            own.assertion(&json!({"alg": "RS256"}), &claims(&tenant, &app.client)),
            50_027,
        ),
        (
            "no signature",
            own.assertion(&json!({"alg": "none"}), &claims(&tenant, &app.client)),
            50_027,
        ),
        ("garbage", "a.b".to_owned(), 50_027),
        (
            "another tenant's endpoint",
            but("aud", json!(elsewhere)),
            700_023,
        ),
        ("another application", but("sub", json!(guid(9))), 700_021),
        ("another issuer", but("iss", json!(guid(9))), 700_021),
        ("over", but("exp", json!(now - 60)), 700_024),
        ("too long", but("exp", json!(now + 3600)), 700_024),
        ("not yet", but("nbf", json!(now + 60)), 700_024),
        ("without an id", but("jti", json!("")), 700_024),
    ] {
        assert_eq!(sign_in(&bench, &app, &assertion), refused, "{what}");
    }
    let tampered = {
        let (signed, signature) = good.rsplit_once('.').unwrap();
        let (head, _) = signed.split_once('.').unwrap();
        let mut claims = claims(&tenant, &app.client);
        claims["exp"] = json!(now + 400);
        let claims = URL_SAFE_NO_PAD.encode(claims.to_string());
        format!("{head}.{claims}.{signature}")
    };
    assert_eq!(sign_in(&bench, &app, &tampered), 700_027);
    assert_eq!(put(&bench, &app, &json!([])).0, 204);
    assert_eq!(sign_in(&bench, &app, &good), 700_027, "removed");
}

#[test]
fn a_new_certificate_spreads_as_a_password_does() {
    let bench = Bench::new(Lag::Looks(2));
    let app = bench.app();
    let own = Own::new();
    bench.edit(|world| {
        for app in &mut world.applications {
            app.busy = crate::sandbox::Settle::Done;
        }
        for sp in &mut world.principals {
            sp.settle = crate::sandbox::Settle::Done;
        }
    });
    assert_eq!(put(&bench, &app, &json!([own.wish(1)])).0, 204);
    let good = own.assertion(&own.head(), &claims(&bench.sample.tenant, &app.client));
    let tries: Vec<u64> = (0..3).map(|_| sign_in(&bench, &app, &good)).collect();
    assert_eq!(tries, [700_027, 700_027, 0]);
    let looks: Vec<usize> = (0..3)
        .map(|_| shown(&bench, &app).as_array().unwrap().len())
        .collect();
    assert_eq!(looks, [0, 0, 1]);
}

#[test]
fn policies_forbid_with_their_own_codes() {
    let bench = Bench::new(Lag::None);
    let (app, own) = (bench.app(), Own::new());
    let add = || {
        let target = format!("{}/addPassword", path(&app));
        bench.post(&target, &bench.admin(GRAPH), &json!({}))
    };
    let certificate = || put(&bench, &app, &json!([own.wish(1)]));
    let not_allowed = (400, "CredentialTypeNotAllowedAsPerAppPolicy");
    let too_long = (400, "CredentialInvalidLifetimeAsPerAppPolicy");

    bench.edit(|world| world.policies.no_passwords = true);
    assert_eq!(code(&add()), not_allowed);
    bench.edit(|world| world.policies.no_passwords = false);
    bench.edit(|world| world.policies.password_life = Some(3600.0));
    let refused = add();
    assert_eq!(code(&refused), too_long);
    assert_eq!(
        refused.1["error"]["details"][0]["code"],
        "InvalidKeyEndDate"
    );
    bench.edit(|world| world.policies.password_life = None);
    // A password that the service makes is none of the client's choice.
    bench.edit(|world| world.policies.no_custom_passwords = true);
    assert_eq!(add().0, 200);

    bench.edit(|world| world.policies.certificate_life = Some(60.0));
    assert_eq!(code(&certificate()), too_long);
    bench.edit(|world| world.policies.certificate_life = None);
    bench.edit(|world| world.policies.only_trusted_certificates = true);
    assert_eq!(code(&certificate()), not_allowed);
    bench.edit(|world| world.policies.only_trusted_certificates = false);
    assert_eq!(certificate().0, 204);

    let only = vec!["AzureADMyOrg".to_owned()];
    bench.edit(|world| world.policies.audiences = Some(only));
    let wish = json!({"displayName": "x", "signInAudience": "AzureADMultipleOrgs"});
    let refused = bench.post("/v1.0/applications", &bench.admin(GRAPH), &wish);
    assert_eq!(
        code(&refused),
        (400, "SignInAudienceNotAllowedAsPerAppPolicy")
    );
    // What is there already stays good.
    let other = json!({"notes": "x"});
    let change = bench.call("PATCH", &path(&app), &bench.admin(GRAPH), Some(&other));
    assert_eq!(change.0, 204);
}

#[test]
fn somebody_may_write_over_the_list() {
    let faults = Faults::once(When::default(), Fault::KeysWrittenOver);
    let bench = Bench::with(Lag::None, faults);
    let (app, own) = (bench.app(), Own::new());
    assert_eq!(put(&bench, &app, &json!([own.wish(1)])).0, 204);
    let list = shown(&bench, &app);
    assert_eq!(list.as_array().unwrap().len(), 1);
    assert_ne!(list[0]["keyId"], guid(1));
}
