//! Proof on real accounts: each flow connects, `status` finds all of it, and `undo` leaves nothing behind.
//!
//! What costs something is ignored by default and run by hand: `.github/workflows/live.yml`, or as `.github/CONTRIBUTING.md`
//! says. What it does is tried here on simulated clouds, also when it breaks: see [`account::Account::journey`].
#![cfg(unix)]

mod support;

#[path = "live/account.rs"]
mod account;
#[path = "live/left.rs"]
mod left;

use account::{Account, Budget};
use peer_wizard::{
    provider::Provider,
    providers,
    sandbox::{
        Fault, Faults, Lag, Rule, Service, When,
        parts::{Application, Role},
    },
};
use serde_json::Value;
use std::{path::Path, time::Duration};
use support::{Cloud, TempDir};

/// A journey for each provider, by its id.
macro_rules! journeys {
    ($($provider:ident = $id:literal,)*) => {
        const TRAVELLED: &[&str] = &[$($id),*];
        $(mod $provider {
            #[test]
            #[ignore = "needs real accounts, see .github/CONTRIBUTING.md"]
            fn connects_and_is_undone() {
                super::Account::real($id).journey().unwrap_or_else(|what| panic!("{what}"));
            }

            /// For when the test above was killed.
            #[test]
            #[ignore = "needs real accounts, see .github/CONTRIBUTING.md"]
            fn is_cleaned_up() {
                super::Account::real($id).clean_up().unwrap_or_else(|what| panic!("{what}"));
            }
        })*
    };
}

journeys! {
    aiven_project = "aiven-project",
    aiven_organization = "aiven-organization",
    timescale = "timescale",
    kong = "kong",
}

#[test]
fn every_provider_has_a_journey() {
    let all: Vec<&str> = providers::ALL.iter().map(|provider| provider.id).collect();
    assert_eq!(TRAVELLED, all);
}

/// Simulated clouds, and an account there.
struct Practice {
    cloud: Cloud,
    before: Value,
    account: Account,
    _folder: TempDir,
}

impl Practice {
    fn of(provider: &'static Provider, lag: Lag) -> Self {
        let cloud = Cloud::with(lag);
        let folder = TempDir::new();
        Self {
            before: cloud.world(),
            account: simulated(&cloud, provider, &folder.path("")),
            cloud,
            _folder: folder,
        }
    }

    /// Asserts that the journey failed and said why, and that the world is as it was.
    #[track_caller]
    fn fails(&self, why: &str) {
        let said = self.account.journey().expect_err("it breaks");
        assert!(said.contains(why), "{said} does not say {why}");
        self.is_as_before();
    }

    #[track_caller]
    fn is_as_before(&self) {
        assert_eq!(self.cloud.world(), self.before);
    }

    /// From now on, requests with this method and a path like this are refused.
    fn refuses(&self, method: &str, path: &str) {
        let rule = Rule {
            when: When {
                method: Some(method.into()),
                path: Some(path.into()),
                ..When::default()
            },
            fault: Fault::FailBefore(403),
            skip: 0,
            times: u32::MAX,
        };
        self.cloud.faults(Faults { rules: vec![rule] });
    }
}

/// The account of the sample world: by the same variables as a real one, and no others.
fn simulated(cloud: &Cloud, provider: &'static Provider, folder: &Path) -> Account {
    let text = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let mut vars: std::collections::BTreeMap<String, String> =
        cloud.vars(provider.id).into_iter().collect();
    vars.extend([
        text("PATH", &std::env::var("PATH").expect("a PATH")),
        text("HOME", &folder.to_string_lossy()),
        text("PEER_WIZARD_VNET", &cloud.sandbox.sample().vnet_id),
    ]);
    for input in provider.inputs {
        if let (Some(name), Some(sample)) = (input.flag.variable, input.sample) {
            vars.insert(name.into(), cloud.sample(sample));
        }
    }
    let budget = Budget {
        connect: Duration::from_secs(60),
        other: Duration::from_secs(120),
        grace: Duration::from_secs(60),
        objects: 12,
        patience: Duration::ZERO,
    };
    Account::new(provider, vars, folder.join("runs"), budget)
}

#[test]
fn each_flow_connects_and_leaves_nothing() {
    for provider in providers::ALL {
        let practice = Practice::of(provider, Lag::None);
        practice.account.journey().expect(provider.id);
        practice.is_as_before();
        let made = practice.cloud.sandbox.requests();
        let put = |path: &str| {
            made.iter()
                .any(|it| it.method == "PUT" && it.path.contains(path))
        };
        assert!(put("/roleAssignments/") && put("/roleDefinitions/"));
        // It can be done again.
        practice.account.journey().expect(provider.id);
    }
}

#[test]
fn what_was_there_before_stays() {
    let provider = providers::ALL[0];
    let mut practice = Practice::of(provider, Lag::None);
    practice.cloud.let_in_beforehand(provider, true);
    practice.before = practice.cloud.world();
    practice.account.journey().expect("it connects");
    practice.is_as_before();
}

#[test]
fn a_run_that_fails_is_cleaned_up() {
    let practice = Practice::of(providers::ALL[0], Lag::None);
    practice.refuses("PUT", "/virtualNetworkPeerings/");
    practice.fails("azure: exit code 1");
}

#[test]
fn a_run_that_takes_too_long_is_stopped_and_cleaned_up() {
    let mut practice = Practice::of(providers::ALL[0], Lag::None);
    // The provider takes the request and never begins.
    practice.cloud.sandbox.edit(|world| world.closed = true);
    practice.before = practice.cloud.world();
    practice.account.budget.connect = Duration::from_secs(4);
    practice.fails("azure: out of time");
}

#[test]
fn a_run_that_does_not_stop_is_killed_and_cleaned_up() {
    let killed = |provider: &'static Provider| {
        let path = if provider.own_application {
            "/peering-connections"
        } else {
            "/transit-gateways"
        };
        let mut practice = Practice::of(provider, Lag::None);
        // The provider does what it is asked, and its answer never comes.
        let rule = Rule {
            when: When {
                method: Some("POST".into()),
                path: Some(path.into()),
                ..When::default()
            },
            fault: Fault::Hang { done: true },
            skip: 0,
            times: 1,
        };
        practice.cloud.faults(Faults { rules: vec![rule] });
        practice.account.budget.connect = Duration::from_secs(8);
        practice.account.budget.grace = Duration::ZERO;
        practice.fails("azure: out of time");
        assert_eq!(practice.cloud.fault_left(), 0, "{}", provider.id);
    };
    std::thread::scope(|scope| {
        for provider in providers::ALL {
            scope.spawn(move || killed(provider));
        }
    });
}

#[test]
fn nothing_is_begun_that_costs_more_than_it_may() {
    let mut practice = Practice::of(providers::ALL[0], Lag::None);
    practice.account.budget.objects = 3;
    practice.fails("10 objects would be made, and 3 may be");
    let changes =
        |it: &peer_wizard::sandbox::Seen| it.method != "GET" && it.service != Service::Entra;
    let log = practice.cloud.sandbox.requests();
    assert!(!log.iter().any(changes), "something was changed");
}

#[test]
fn what_an_earlier_run_left_is_not_built_upon() {
    let mut practice = Practice::of(providers::ALL[0], Lag::None);
    let (tenant, name) = (
        practice.cloud.sandbox.sample().tenant,
        practice.account.mark(),
    );
    practice.cloud.sandbox.edit(|world| {
        world.applications.push(Application {
            tenant: tenant.clone(),
            id: "1d2e3f40-5a6b-4c7d-8e9f-0a1b2c3d4e5f".into(),
            app_id: "5c1d0a4e-77b2-4a60-9f0e-2b6d8c3e1f55".into(),
            display_name: name.clone(),
            audience: "AzureADMultipleOrgs".into(),
            created: "2025-06-01T08:00:00Z".into(),
            ..Application::default()
        });
    });
    practice.before = practice.cloud.world();
    practice.fails("left by an earlier run: application");
    let subscription = practice.cloud.sandbox.sample().subscription;
    practice.cloud.sandbox.edit(|world| {
        world.applications.retain(|it| it.display_name != name);
        world.roles.push(Role {
            tenant,
            id: "3a8d0f12-5c4b-4e6d-9f70-8b9c0d1e2f3a".into(),
            name,
            assignable_scopes: vec![format!("/subscriptions/{subscription}")],
            created: "2025-06-01T08:00:00Z".into(),
            updated: "2025-06-01T08:00:00Z".into(),
            ..Role::default()
        });
    });
    practice.before = practice.cloud.world();
    practice.fails("left by an earlier run: role");
}

#[test]
fn what_cannot_be_cleaned_up_is_told_and_cleaned_up_later() {
    for (path, what) in [
        ("/applications", "application"),
        ("/roleDefinitions/", "role"),
        ("/roleAssignments/", "assignment"),
        ("/virtualNetworkPeerings/", "peering"),
    ] {
        let practice = Practice::of(providers::ALL[0], Lag::None);
        practice.refuses("DELETE", path);
        let said = practice.account.journey().expect_err("something is left");
        assert!(said.contains(&format!("left: {what}")), "{path}: {said}");
        assert!(said.contains("not undone"), "{path}: {said}");
        practice
            .account
            .clean_up()
            .expect_err("it is still refused");
        practice.cloud.faults(Faults::default());
        practice.account.clean_up().expect("it is let");
        practice.is_as_before();
    }
}

#[test]
fn an_account_is_told_by_variables_and_what_is_missing_is_named() {
    let practice = Practice::of(providers::ALL[0], Lag::None);
    let mut vars = practice.account.vars().clone();
    let told = |vars| account::missing(providers::ALL[0], &vars);
    assert_eq!(told(vars.clone()), Vec::<String>::new());
    vars.remove("PEER_WIZARD_VNET");
    vars.remove("AIVEN_PROJECT");
    vars.remove("AIVEN_TOKEN");
    assert_eq!(
        told(vars),
        ["PEER_WIZARD_VNET", "AIVEN_AUTH_TOKEN", "AIVEN_PROJECT"]
    );
}
