//! Whatever a service sends, and for however long: each request comes to an end, as an ordinary error with a code and a hint.

use super::support::{Bench, shapes};
use peer_wizard::{
    azure::arm,
    clouds::{AzureCloud, Clouds, Endpoints, credential::SignIn},
    error::Error,
    fact::Secret,
    http::{ApiError, Cause, Http, Service, limits, numbers},
    net::VnetId,
    providers,
    sandbox::{Fault, Faults, Lag, Rule, When},
};
use serde_json::json;
use std::time::Duration;

fn bench() -> Bench {
    Bench::new(providers::ALL[0], &shapes()[0].1, Lag::None)
}

/// Clouds that lose patience at once.
fn impatient(bench: &Bench) -> Clouds {
    let roots = [bench.cloud.sandbox.ca_pem().into_bytes()];
    let http = Http::patient(&roots, Duration::from_millis(300)).expect("a certificate");
    with(bench, http)
}

/// Clouds with another client.
fn with(bench: &Bench, http: Http) -> Clouds {
    let origin = bench.cloud.sandbox.origin();
    let given = |_| Some(origin.clone());
    let endpoints = Endpoints::new(AzureCloud::Public, &providers::vendors(), &given);
    let sample = bench.cloud.sandbox.sample();
    let own = SignIn::Environment {
        tenant: sample.tenant.clone(),
        client_id: sample.client_id,
        secret: Secret::from(sample.client_secret),
    };
    let endpoints = endpoints.expect("good addresses");
    let clouds = Clouds::new(http, endpoints, own);
    clouds.use_tenant(&sample.tenant);
    clouds
}

fn vnet(bench: &Bench) -> VnetId {
    VnetId::parse(&bench.cloud.sandbox.sample().vnet_id).expect("an id")
}

/// Looks at the VNet.
fn look(bench: &Bench, clouds: &Clouds) -> Result<arm::Vnet, ApiError> {
    let call = arm::vnet(&vnet(bench));
    bench.block_on(clouds.send(&call))
}

/// Asserts how a request ended.
#[track_caller]
fn ended<T>(result: Result<T, ApiError>, cause: Cause, code: &str) {
    let Err(error) = result else {
        panic!("it did not end with {code}");
    };
    assert_eq!(
        (error.cause, error.code.as_deref()),
        (cause, Some(code)),
        "{error}"
    );
    let error = Error::of_api("cannot look", error);
    assert_eq!(error.code.as_deref(), Some(code));
    assert!(!error.hints.is_empty(), "{error:?}");
}

#[test]
fn an_answer_without_an_end_is_not_read_to_its_end() {
    let bench = bench();
    for packed in [false, true] {
        for done in [false, true] {
            let clouds = bench.clouds();
            let fault = Fault::Flood { packed, done };
            let when = When::path("/virtualNetworks/");
            bench.cloud.faults(Faults::always(when, fault.clone()));
            ended(look(&bench, &clouds), Cause::Unreadable, limits::TOO_LARGE);
            let clouds = bench.clouds();
            let when = When::path("/oauth2/v2.0/token");
            bench.cloud.faults(Faults::always(when, fault));
            ended(look(&bench, &clouds), Cause::Unreadable, limits::TOO_LARGE);
        }
    }
}

#[test]
fn a_service_that_falls_silent_is_not_waited_for() {
    let bench = bench();
    for fault in [Fault::Hang { done: false }, Fault::Stall { done: false }] {
        for path in ["/virtualNetworks/", "/oauth2/v2.0/token"] {
            bench.cloud.faults(Faults::default());
            let clouds = impatient(&bench);
            let when = When::path(path);
            bench.cloud.faults(Faults::always(when, fault.clone()));
            ended(look(&bench, &clouds), Cause::Lost, limits::NO_ANSWER);
        }
    }
}

fn asked(bench: &Bench, part: &str) -> usize {
    let all = bench.cloud.sandbox.requests();
    all.iter().filter(|it| it.path.contains(part)).count()
}

#[test]
fn a_list_without_an_end_is_not_read_to_its_end() {
    let bench = bench();
    let scope = vnet(&bench).subscription_scope();
    for (fault, code, most) in [
        (
            Fault::EndlessPages,
            limits::TOO_MANY_PAGES,
            limits::MOST_PAGES,
        ),
        (Fault::PageCycle, limits::PAGES_IN_A_CIRCLE, 3),
    ] {
        let before = asked(&bench, "/roleDefinitions");
        bench.cloud.faults(Faults::always(When::default(), fault));
        let clouds = bench.clouds();
        let list = arm::custom_roles(&scope);
        ended(bench.block_on(clouds.list(&list)), Cause::Unreadable, code);
        let pages = asked(&bench, "/roleDefinitions") - before;
        assert!(pages <= most && pages > 1, "{pages} pages");
    }
}

#[test]
fn konnects_pages_come_to_an_end() {
    let kong = providers::ALL.iter().find(|it| it.id == "kong");
    let bench = Bench::new(kong.expect("there is Kong"), &shapes()[0].1, Lag::None);
    let mut disk = bench.disk();
    let connected = bench.go(&mut disk, super::Journey::Apply);
    connected.expect("nothing is in the way");
    let before = asked(&bench, "/transit-gateways");
    bench.cloud.faults(Faults::always(
        When::path("/transit-gateways"),
        Fault::EndlessPages,
    ));
    let end = bench
        .go(&mut disk, super::Journey::Undo)
        .expect_err("it never ends");
    assert!(end.contains("more than 200 pages"), "{end}");
    assert_eq!(
        asked(&bench, "/transit-gateways") - before,
        limits::MOST_PAGES
    );
}

#[test]
fn a_pause_that_makes_no_sense_is_not_believed() {
    let bench = bench();
    for (said, most) in [
        ("18446744073709551615", numbers::LONGEST_PAUSE),
        ("99999999999999999999999999", numbers::LONGEST_PAUSE),
        ("1e300", numbers::LONGEST_PAUSE),
        ("-7", Duration::ZERO),
        ("0.2", Duration::from_secs(1)),
    ] {
        let fault = Fault::ThrottleIn(said.into());
        let when = When::path("/virtualNetworks/");
        bench.cloud.faults(Faults {
            rules: vec![Rule::always(when, fault)],
        });
        let clouds = bench.clouds();
        let error = look(&bench, &clouds).expect_err("throttled");
        assert_eq!(error.retry_after, Some(most), "{said}");
        // The engine takes it as it is.
        let mut cx = peer_wizard::azure::Cx::looking(
            &clouds,
            peer_wizard::fact::Facts::default(),
            bench.pace,
            &|_, _| {},
        );
        let vnet = vnet(&bench);
        bench.cloud.faults(Faults::once(
            When::path("/virtualNetworks/"),
            Fault::ThrottleIn("-1".into()),
        ));
        let patient = cx.patiently(async |cx| Ok(cx.world.send(&arm::vnet(&vnet)).await?));
        assert!(bench.block_on(patient).is_ok());
    }
}

#[test]
fn a_life_of_a_token_that_makes_no_sense_is_not_believed() {
    let bench = bench();
    for life in [
        json!(i64::MAX),
        json!(u64::MAX),
        json!(i64::MIN),
        json!(1e300),
        json!(3599.5),
        json!("3599"),
    ] {
        let fault = Fault::Life(life.clone());
        bench
            .cloud
            .faults(Faults::always(When::path("/oauth2/v2.0/"), fault));
        let clouds = bench.clouds();
        let look = look(&bench, &clouds);
        assert!(look.is_ok(), "{life}: {look:?}");
    }
}

#[test]
fn an_id_that_leads_elsewhere_is_not_asked_for() {
    let bench = bench();
    let clouds = bench.clouds();
    let before = bench.cloud.sandbox.requests().len();
    for id in ["..", ".", ""] {
        ended(
            bench.block_on(clouds.send(&arm::subscription(id))),
            Cause::Local,
            limits::BAD_PATH,
        );
        ended(
            bench.block_on(clouds.list(&arm::vnets(id))),
            Cause::Local,
            limits::BAD_PATH,
        );
        let vnet = vnet(&bench);
        let delete = arm::delete_peering(&vnet, id);
        ended(
            bench.block_on(clouds.forget(&delete)),
            Cause::Local,
            limits::BAD_PATH,
        );
        let delete = arm::delete_assignment(&format!(
            "/subscriptions/{id}/providers/x/roleAssignments/y"
        ));
        ended(
            bench.block_on(clouds.forget(&delete)),
            Cause::Local,
            limits::BAD_PATH,
        );
        if !id.is_empty() {
            let link = format!("{}/subscriptions/{id}/x", bench.cloud.sandbox.origin());
            ended(
                bench.block_on(clouds.follow(Service::Graph, &link)),
                Cause::Local,
                limits::BAD_PATH,
            );
        }
    }
    let asked = bench.cloud.sandbox.requests();
    let sent: Vec<_> = asked[before..].iter().map(|it| &it.path).collect();
    assert!(sent.iter().all(|path| path.contains("/token")), "{sent:?}");

    // A tenant is a part of the address that a secret is sent to.
    for tenant in ["..", ""] {
        let clouds = bench.clouds();
        clouds.use_tenant(tenant);
        ended(
            bench.block_on(clouds.list(&arm::subscriptions())),
            Cause::Local,
            limits::BAD_PATH,
        );
    }
}
