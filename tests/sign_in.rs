//! The session of `az` as the sign-in: which of its identities is asked, for what, how often, and what is said when it has no
//! token, or none that is good enough.
#![cfg(unix)]

#[path = "sign_in/az.rs"]
mod az;
mod support;

use az::Az;
use peer_wizard::{
    provider::Provider,
    providers,
    sandbox::{
        Fault, Faults, Rule, Service, When,
        parts::{Subscription, Tenant, User},
    },
};
use support::{Cloud, Output, TestEnv};

const PROJECT: &Provider = &providers::aiven::PROJECT;

/// Another tenant, with a user who is none of the sample tenant's.
const ELSEWHERE: &str = "0e15e3e0-0000-4000-8000-00000000e15e";
const ELSEWHERE_SUBSCRIPTION: &str = "0e15e3e0-1111-4000-8000-00000000e15e";

/// The sample world, a second tenant, and a person signed in to both; the current account is the named one.
fn two_identities(elsewhere_is_current: bool) -> (Cloud, Az, TestEnv) {
    let cloud = Cloud::new();
    cloud.sandbox.edit(|world| {
        world.tenants.push(Tenant {
            id: ELSEWHERE.into(),
            name: "Elsewhere".into(),
            domain: "elsewhere.example".into(),
        });
        world.users.push(User {
            tenant: ELSEWHERE.into(),
            id: "0e15e3e0-2222-4000-8000-00000000e15e".into(),
            name: "sam@elsewhere.example".into(),
            display_name: "Sam".into(),
            directory_roles: Vec::new(),
        });
        world.subscriptions.push(Subscription {
            id: ELSEWHERE_SUBSCRIPTION.into(),
            tenant: ELSEWHERE.into(),
            name: "Elsewhere".into(),
            ..Subscription::default()
        });
    });
    let (az, env) = Az::install(TestEnv::of(&cloud, PROJECT.id));
    let sample = cloud.sandbox.sample();
    let own = || az.add(&cloud, &sample.subscription, &sample.tenant);
    let other = || az.add(&cloud, ELSEWHERE_SUBSCRIPTION, ELSEWHERE);
    if elsewhere_is_current {
        other();
        own();
    } else {
        own();
        other();
    }
    (cloud, az, env)
}

fn args(cloud: &Cloud, more: &[&str]) -> Vec<String> {
    let mut args = cloud.args(PROJECT);
    args.extend(["--sign-in", "az"].map(str::to_owned));
    args.extend(more.iter().map(|it| (*it).to_owned()));
    args
}

fn by_name(mut args: Vec<String>) -> Vec<String> {
    let at = args.iter().position(|it| it == "--vnet").expect("given");
    let id = args.remove(at + 1);
    let name = id.rsplit('/').next().unwrap_or_default();
    args.insert(at + 1, name.to_owned());
    args
}

#[test]
fn the_identity_of_the_vnets_subscription_is_asked_whatever_the_current_one_is() {
    for tenant in [false, true] {
        let (cloud, az, env) = two_identities(true);
        let sample = cloud.sandbox.sample();
        let mut args = args(&cloud, &[]);
        if tenant {
            args.extend(["--tenant".to_owned(), sample.tenant]);
        }
        let output = env.run(&args).code(0);
        let calls = az.calls();
        let wanted = format!("--subscription {}", sample.subscription);
        for call in &calls {
            assert!(call.contains(&wanted), "{calls:?}");
            assert!(!call.contains("--tenant"), "{calls:?}");
        }
        // One for Azure, one for Graph; both are kept.
        assert_eq!(calls.len(), 2, "{calls:?}\n{output}");
        // So it is when the run is taken up again.
        let name = env.saved()["run"].as_str().expect("a name").to_owned();
        env.run(&["status", &name, "--sign-in", "az"]).code(0);
        let calls = az.calls();
        assert!(calls.iter().all(|it| it.contains(&wanted)), "{calls:?}");
        assert_eq!(calls.len(), 2, "{calls:?}");
    }
}

#[test]
fn the_doctor_asks_the_same_identity() {
    let (cloud, az, env) = two_identities(true);
    let mut args = args(&cloud, &[]);
    args.retain(|it| it != "--yes");
    args[0] = "doctor".into();
    let output = env.run(&args).code(0);
    let calls = az.calls();
    let wanted = format!("--subscription {}", cloud.sandbox.sample().subscription);
    assert!(calls.iter().all(|it| it.contains(&wanted)), "{calls:?}");
    assert_eq!(calls.len(), 2, "{calls:?}\n{output}");
}

#[test]
fn a_token_of_the_right_tenant_is_kept_when_the_tenant_becomes_known() {
    let (cloud, az, env) = two_identities(false);
    let output = env
        .run(&by_name(args(&cloud, &["--subscription", "Production"])))
        .code(0);
    let calls = az.calls();
    let of = |what: &str| calls.iter().filter(|it| it.contains(what)).count();
    assert_eq!(of("management"), 1, "{calls:?}\n{output}");
    assert_eq!(of("graph"), 1, "{calls:?}");
    assert!(!calls[0].contains("--tenant"), "{calls:?}");
    assert!(!calls[0].contains("--subscription"), "{calls:?}");
}

#[test]
fn both_tokens_are_fetched_side_by_side() {
    let (cloud, az, env) = two_identities(true);
    // Each waits until the other is under way.
    az.before(
        r#": > "$here/begun-$kind"
other=graph; [ "$kind" = graph ] && other=arm
tries=0
until [ -f "$here/begun-$other" ]; do
  tries=$((tries + 1)); [ $tries -lt 200 ] || fail "alone"
  sleep 0.05
done
"#,
    );
    env.run(&args(&cloud, &[])).code(0);
    assert_eq!(az.calls().len(), 2);
}

#[test]
fn a_subscription_that_az_does_not_know_is_asked_for_by_its_tenant() {
    let cloud = Cloud::new();
    let sample = cloud.sandbox.sample();
    let (az, env) = Az::install(TestEnv::of(&cloud, PROJECT.id));
    az.add(
        &cloud,
        "0e15e3e0-3333-4000-8000-00000000e15e",
        &sample.tenant,
    );
    env.run(&args(&cloud, &[]))
        .code(4)
        .says("no account of az has the subscription")
        .says("az login");
    env.run(&args(&cloud, &["--tenant", &sample.tenant]))
        .code(0);
}

#[test]
fn an_identity_that_is_not_of_the_tenant_is_told_apart() {
    let (cloud, _az, env) = two_identities(true);
    let sample = cloud.sandbox.sample();
    let args = by_name(args(&cloud, &["--tenant", &sample.tenant]));
    env.run(&args)
        .code(4)
        .says("AADSTS50020")
        .says("`sam@elsewhere.example`")
        .says(&format!("az login --tenant {}", sample.tenant))
        .says("az account set --subscription");
}

#[test]
fn a_tenant_that_is_not_the_subscriptions_is_refused() {
    let (cloud, _az, env) = two_identities(false);
    env.run(&args(&cloud, &["--tenant", ELSEWHERE]))
        .code(4)
        .says(&cloud.sandbox.sample().tenant)
        .says("leave `--tenant` out");
}

#[test]
fn az_gets_no_secret_with_its_environment() {
    let (cloud, az, env) = two_identities(false);
    let env = env.set("AZURE_CLIENT_SECRET", "very-secret");
    env.run(&args(&cloud, &[])).code(0);
    let seen = az.environment();
    assert!(seen.contains_key("AZURE_CONFIG_DIR"), "{seen:?}");
    let secrets = cloud.sandbox.secrets();
    for (name, value) in seen {
        assert_ne!(name, "AZURE_CLIENT_SECRET");
        assert!(!secrets.contains(&value), "{name}");
    }
}

const CLAIMS: &str =
    "eyJhY2Nlc3NfdG9rZW4iOnsiYWNycyI6eyJlc3NlbnRpYWwiOnRydWUsInZhbHVlcyI6WyJwMSJdfX19";

fn exact_line(output: &Output, line: &str) {
    let is = |it: &str| it.trim_start_matches("hint:").trim() == line;
    assert!(output.stderr.lines().any(is), "`{line}`\n{output}");
}

#[test]
fn a_missing_second_factor_is_a_sign_in_with_the_claims_and_no_policy() {
    let (cloud, az, env) = two_identities(false);
    let tenant = cloud.sandbox.sample().tenant;
    cloud.faults(Faults::always(When::default(), Fault::MfaRequired));
    let output = env.run(&args(&cloud, &[])).code(4);
    exact_line(&output, "az logout");
    exact_line(
        &output,
        &format!(
            "az login --tenant {tenant} --scope \"https://management.core.windows.net//.default\" --claims-challenge \"{CLAIMS}\""
        ),
    );
    assert!(!output.stderr.contains("Azure Policy"), "{output}");
    // az would give the same token again.
    assert_eq!(az.calls().len(), 2, "{output}");
    // With the factor it goes on.
    cloud.faults(Faults::default());
    env.run(&["resume", "--sign-in", "az"]).code(0);
}

#[test]
fn a_policy_without_a_challenge_stays_a_policy() {
    let (cloud, _az, env) = two_identities(false);
    cloud.faults(Faults::always(When::default(), Fault::DeniedByPolicy));
    let output = env.run(&args(&cloud, &[])).code(1).says("Azure Policy");
    assert!(!output.stderr.contains("az login"), "{output}");
}

#[test]
fn a_sign_in_that_cannot_meet_a_challenge_is_led_to_one_that_can() {
    let (cloud, az, env) = two_identities(false);
    cloud.faults(Faults::always(When::default(), Fault::MfaRequired));
    let mut args = args(&cloud, &[]);
    let at = args.iter().position(|it| it == "az").expect("given");
    args[at] = "device-code".into();
    let output = env.run(&args).code(4).says("with `--sign-in az`");
    exact_line(&output, "az logout");
    assert_eq!(az.calls(), Vec::<String>::new());
}

#[test]
fn a_withdrawn_token_is_signed_in_for_with_its_claims() {
    let (cloud, _az, env) = two_identities(false);
    for (service, claims) in [
        (Service::Arm, CLAIMS),
        (
            Service::Graph,
            "eyJhY2Nlc3NfdG9rZW4iOnsibmJmIjp7ImVzc2VudGlhbCI6dHJ1ZSwidmFsdWUiOiIxNzY0MDAwMDAwIn19fQ==",
        ),
    ] {
        cloud.faults(Faults::always(
            When::service(service),
            Fault::TokenWithdrawn,
        ));
        let output = env.run(&args(&cloud, &["--output", "json"])).code(4);
        assert!(
            output.stderr.is_empty() || !output.stderr.contains("panicked"),
            "{output}"
        );
        let events = output.events();
        let failed = events.iter().find(|it| it["event"] == "failed");
        let hints = failed.expect("it failed")["error"]["hints"].to_string();
        assert!(
            hints.contains(&format!("--claims-challenge \\\"{claims}\\\"")),
            "{hints}"
        );
    }
}

#[test]
fn claims_that_are_none_are_not_passed_on() {
    let (cloud, _az, env) = two_identities(false);
    let odd = "x; rm -rf $HOME";
    cloud.faults(Faults {
        rules: vec![
            Rule::always(When::default(), Fault::MfaRequired),
            Rule::always(When::default(), Fault::OddClaims(odd.into())),
        ],
    });
    let output = env
        .run(&args(&cloud, &[]))
        .code(4)
        .says("az login --tenant");
    assert!(!output.stderr.contains(odd), "{output}");
    assert!(!output.stderr.contains("--claims-challenge"), "{output}");
    assert!(!output.stderr.contains("Azure Policy"), "{output}");
}
