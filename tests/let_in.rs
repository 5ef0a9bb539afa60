//! Who is let in, and where the peering leads: what a provider tells is compared with what Entra and Azure tell, and what does
//! not agree stops the run before anything further is given.

mod support;

use peer_wizard::{
    engine::{Limits, Run},
    provider::Provider,
    providers,
    sandbox::{
        Fault, Faults, Lag, Rule, When, World,
        parts::{Application, Peering},
    },
};
use serde_json::{Value, json};
use std::time::Duration;
use support::{Bench, Cloud, Journey, Moment, TestEnv, shapes};

const AIVEN: &Provider = &providers::aiven::PROJECT;
const KONG: &Provider = &providers::kong::KONG_CONNECT;
/// A tenant that is neither the person's nor the provider's.
const ELSEWHERE: &str = "11111111-2222-4333-8444-555555555555";

fn bench(provider: &'static Provider, attack: impl FnOnce(&Cloud, &mut World)) -> Bench {
    slow_bench(provider, Lag::None, attack)
}

fn slow_bench(
    provider: &'static Provider,
    lag: Lag,
    attack: impl FnOnce(&Cloud, &mut World),
) -> Bench {
    let mut cloud = Cloud::with(lag);
    let mut world = cloud.copy();
    attack(&cloud, &mut world);
    cloud.restore(&world);
    cloud.settle();
    Bench::on(cloud, provider, &shapes()[0].1)
}

/// What a process leaves behind that dies right after this was saved.
fn moment(bench: &Bench, what: &str) -> Moment {
    let (_, moments) = bench.moments(&bench.unbegun(), Journey::Apply);
    let mut moments = moments.into_iter();
    let found = moments.find(|it| it.name.starts_with("after") && it.name.contains(what));
    found.expect("such a moment")
}

/// The provider's VPC or network that the sample's run is about.
fn tells(world: &mut World, field: &str, value: &str) {
    for vpc in &mut world.aiven.vpcs {
        vpc.tells.insert(field.into(), json!(value));
    }
}

/// Goes on with the run to its stop at `step`, and gives what was said there and the run's file.
fn stops(bench: &Bench, saved: &str, step: &str) -> (String, String) {
    let mut disk = bench.disk_with(saved);
    let said = bench.go(&mut disk, Journey::Apply);
    let said = said
        .err()
        .unwrap_or_else(|| panic!("it goes on past {step}"));
    assert!(said.starts_with(&format!("{step}: ")), "{said}");
    (said, disk.saved)
}

/// After a stop the run is as it stopped at each try, and undo leaves the world as it was.
fn stays_and_goes(bench: &Bench, saved: &str, step: &str) {
    let (_, saved) = stops(bench, saved, step);
    let mut disk = bench.disk_with(&saved);
    let run = bench.go(&mut disk, Journey::Undo);
    let run = run.unwrap_or_else(|error| panic!("undo: {error}"));
    bench.undone(&run).expect("the world is as before");
}

/// Whether the person's application has signed in to another tenant than the person's.
fn signed_in_abroad(bench: &Bench) -> bool {
    let mine = bench.cloud.sandbox.sample().tenant;
    let seen = bench.cloud.sandbox.requests().into_iter();
    seen.filter(|it| it.path.contains("/oauth2/"))
        .any(|it| !it.path.contains(&mine))
}

fn half_on_the_vnet(bench: &Bench) -> usize {
    let vnet = bench.cloud.sandbox.sample().vnet_id;
    bench.cloud.sandbox.edit(|world| {
        let mine = world.networks.iter().find(|it| it.id() == vnet);
        mine.expect("it is there").peerings.len()
    })
}

#[test]
fn a_tenant_that_is_not_the_applications_owner_stops_the_run() {
    for provider in [
        AIVEN,
        &providers::aiven::ORGANIZATION,
        &providers::timescale::TIMESCALE,
    ] {
        let bench = bench(provider, |_, world| tells(world, "to-tenant-id", ELSEWHERE));
        let (said, saved) = stops(&bench, &bench.unbegun(), "pending-peer");
        assert!(said.contains(ELSEWHERE), "{said}");
        let owner = "c5b1e7d2-8f43-4e0b-a6d9-71f2a3b84e60";
        assert!(said.contains(owner), "both are named: {said}");
        assert!(!signed_in_abroad(&bench));
        stays_and_goes(&bench, &saved, "pending-peer");
    }
}

#[test]
fn an_application_of_another_owner_stops_the_run() {
    let bench = bench(AIVEN, |_, world| {
        for app in &mut world.applications {
            if app.app_id == AIVEN.app_id {
                app.owner = Some(ELSEWHERE.into());
            }
        }
    });
    let (said, saved) = stops(&bench, &bench.unbegun(), "pending-peer");
    assert!(said.contains(ELSEWHERE), "{said}");
    assert!(!signed_in_abroad(&bench));
    stays_and_goes(&bench, &saved, "pending-peer");
}

#[test]
fn an_application_without_an_owner_is_not_checked_and_goes_on() {
    let bench = bench(AIVEN, |_, world| {
        for app in &mut world.applications {
            if app.app_id == AIVEN.app_id {
                app.owner = Some(String::new());
            }
        }
    });
    let run = bench
        .go(&mut bench.disk(), Journey::Apply)
        .expect("it runs");
    assert_eq!(run.facts().text("AIVEN_APP_TENANT_ID"), None);
}

#[test]
fn ones_own_tenant_stops_the_run() {
    // Also where Entra tells no owner to compare with.
    for owner in [None, Some(String::new())] {
        let bench = bench(AIVEN, |cloud, world| {
            let mine = cloud.sandbox.sample().tenant.to_uppercase();
            tells(world, "to-tenant-id", &mine);
            for app in &mut world.applications {
                if app.app_id == AIVEN.app_id {
                    app.owner.clone_from(&owner);
                }
            }
        });
        let (said, saved) = stops(&bench, &bench.unbegun(), "pending-peer");
        assert!(said.contains("your own tenant"), "{said}");
        stays_and_goes(&bench, &saved, "pending-peer");
    }
}

#[test]
fn a_network_of_ones_own_stops_the_run() {
    // In the VNet's subscription, and in another one of the tenant.
    for name in ["VNet-Apps", "vnet-dev"] {
        let bench = bench(AIVEN, |_, world| {
            let mine = world.networks.iter().find(|it| it.name == name);
            let id = mine.expect("it is in the sample").id().to_uppercase();
            tells(world, "to-network-id", &id);
        });
        let (said, saved) = stops(&bench, &bench.unbegun(), "pending-peer");
        assert!(said.contains("one of yours"), "{said}");
        assert!(!signed_in_abroad(&bench));
        stays_and_goes(&bench, &saved, "pending-peer");
    }
}

#[test]
fn what_is_no_network_stops_the_run() {
    let bench = bench(AIVEN, |_, world| tells(world, "to-network-id", "/x/../y"));
    let (said, saved) = stops(&bench, &bench.unbegun(), "pending-peer");
    assert!(said.contains("no id of a virtual network"), "{said}");
    stays_and_goes(&bench, &saved, "pending-peer");
}

#[test]
fn ids_in_another_case_agree() {
    let bench = bench(AIVEN, |_, world| {
        let network = world.aiven.vpcs[0].network.to_lowercase();
        tells(world, "to-network-id", &network);
        tells(
            world,
            "to-tenant-id",
            "C5B1E7D2-8F43-4E0B-A6D9-71F2A3B84E60",
        );
    });
    bench
        .go(&mut bench.disk(), Journey::Apply)
        .expect("it runs");
}

/// The provider's network has these ranges, and the provider tells its own.
fn ranges(provider: &'static Provider, ranges: &[&str]) -> Bench {
    bench(provider, |cloud, world| {
        let network = if provider.id == KONG.id {
            let id = cloud.sample("konnect_network");
            let it = world.konnect.networks.iter().find(|it| it.id == id);
            it.expect("it is in the sample").network.clone()
        } else {
            world.aiven.vpcs[0].network.clone()
        };
        let home = world.networks.iter_mut().find(|it| it.id() == network);
        home.expect("it is in the sample").prefixes =
            ranges.iter().map(|it| (*it).into()).collect();
    })
}

#[test]
fn a_range_that_was_not_previewed_is_taken_back() {
    for wrong in [
        &["172.30.0.0/16"][..],
        &["192.168.16.0/20"],
        &["192.168.20.0/23"],
        &["192.168.20.0/22", "172.30.0.0/16"],
    ] {
        let bench = ranges(AIVEN, wrong);
        let (said, saved) = stops(&bench, &bench.unbegun(), "vnet-peering");
        assert!(said.contains("192.168.20.0/22 was previewed"), "{said}");
        assert!(said.contains(wrong[0]), "{said}");
        assert_eq!(half_on_the_vnet(&bench), 0, "{wrong:?}");
        stays_and_goes(&bench, &saved, "vnet-peering");
    }
}

#[test]
fn the_same_addresses_cut_otherwise_agree() {
    let bench = ranges(AIVEN, &["192.168.22.0/23", "192.168.20.0/23"]);
    bench
        .go(&mut bench.disk(), Journey::Apply)
        .expect("it runs");
}

#[test]
fn a_wrong_half_of_a_killed_process_is_taken_back_too() {
    let wrong = ranges(AIVEN, &["192.168.16.0/20"]);
    let good = bench(AIVEN, |_, _| ());
    let (_, moments) = good.moments(&good.unbegun(), Journey::Apply);
    // The peering stands, and the process died before it could look at it.
    let moment = moments
        .into_iter()
        .find(|it| it.name.starts_with("before") && it.name.contains("vnet-peering Created"))
        .expect("such a moment");
    let mut world = moment.world.clone();
    let network = world.aiven.vpcs[0].network.clone();
    for it in &mut world.networks {
        if it.id() == network {
            it.prefixes = vec!["192.168.16.0/20".into()];
        }
        for half in &mut it.peerings {
            if half.remote.eq_ignore_ascii_case(&network) {
                half.remote_prefixes = vec!["192.168.16.0/20".into()];
            }
        }
    }
    wrong.cloud.restore(&world);
    assert_eq!(half_on_the_vnet(&wrong), 1);
    let (said, saved) = stops(&wrong, &moment.saved, "vnet-peering");
    assert!(said.contains("192.168.16.0/20"), "{said}");
    assert_eq!(half_on_the_vnet(&wrong), 0);
    stays_and_goes(&wrong, &saved, "vnet-peering");
}

#[test]
fn somebody_elses_half_that_leads_elsewhere_is_left() {
    let bench = bench(AIVEN, |_, _| ());
    let moment = moment(&bench, "pending-peer Reached");
    bench.cloud.restore(&moment.world);
    let vnet = bench.cloud.sandbox.sample().vnet_id;
    bench.cloud.sandbox.edit(|world| {
        let network = world.aiven.vpcs[0].network.clone();
        let mine = world.networks.iter_mut().find(|it| it.id() == vnet);
        let half = Peering {
            name: "by-hand".into(),
            remote: network,
            state: "Connected".into(),
            provisioning: "Succeeded".into(),
            remote_prefixes: vec!["192.168.16.0/20".into()],
            ..Peering::default()
        };
        mine.expect("it is there").peerings.push(half);
    });
    let (said, saved) = stops(&bench, &moment.saved, "vnet-peering");
    assert!(said.contains("192.168.20.0/22 was previewed"), "{said}");
    let mut disk = bench.disk_with(&saved);
    bench.go(&mut disk, Journey::Undo).expect("it is undone");
    assert_eq!(half_on_the_vnet(&bench), 1);
}

#[test]
fn a_range_that_azure_tells_a_moment_later_is_waited_for() {
    let bench = bench(AIVEN, |_, _| ());
    for fault in [Fault::RangeUntold, Fault::PeeringUpdating] {
        bench.cloud.reset();
        let when = When::path("/virtualNetworkPeerings/peer-wizard");
        let rule = Rule {
            when,
            fault,
            skip: 0,
            times: 3,
        };
        bench.cloud.faults(Faults { rules: vec![rule] });
        bench
            .go(&mut bench.disk(), Journey::Apply)
            .expect("it runs");
        assert_eq!(bench.cloud.fault_left(), 0);
    }
}

/// The run's file with another value of a member's fact.
fn edited(saved: &str, fact: &str, value: &str) -> String {
    let mut run: Value = serde_json::from_str(saved).expect("a whole run");
    for member in run["members"]
        .as_object_mut()
        .expect("members")
        .values_mut()
    {
        member["facts"][fact] = json!(value);
    }
    run.to_string()
}

#[test]
fn a_saved_network_is_looked_at_again_before_anything_signs_in_there() {
    let bench = bench(AIVEN, |_, _| ());
    let moment = moment(&bench, "pending-peer Reached");
    let saved = edited(&moment.saved, "AIVEN_TENANT_ID", ELSEWHERE);
    bench.cloud.restore(&moment.world);
    let (said, _) = stops(&bench, &saved, "vnet-peering");
    assert!(said.contains(ELSEWHERE), "{said}");
    assert!(!signed_in_abroad(&bench));
}

fn look(bench: &Bench, run: &Run, step: &str) -> Option<String> {
    let amiss = bench.amiss(run).into_iter();
    amiss
        .filter(|it| it.starts_with(&format!("{step}: ")))
        .find(|it| it.contains("Changed"))
}

#[test]
fn what_the_provider_tells_otherwise_later_is_seen() {
    let bench = slow_bench(AIVEN, Lag::Looks(2), |_, _| ());
    let moment = moment(&bench, "pending-peer Reached");
    bench.cloud.restore(&moment.world);
    bench
        .cloud
        .sandbox
        .edit(|world| tells(world, "to-tenant-id", ELSEWHERE));
    let run: Run = serde_json::from_str(&moment.saved).expect("a whole run");
    let said = look(&bench, &run, "provider-peering").expect("status tells of it");
    assert!(said.contains(ELSEWHERE), "{said}");
    // And the run stops where it waits for the end of it.
    let (said, saved) = stops(&bench, &moment.saved, "active");
    assert!(said.contains(ELSEWHERE), "{said}");
    stays_and_goes(&bench, &saved, "active");
}

#[test]
fn a_range_that_changes_later_is_seen() {
    for provider in [AIVEN, KONG] {
        let bench = bench(provider, |_, _| ());
        let mut disk = bench.disk();
        let run = bench.go(&mut disk, Journey::Apply).expect("it runs");
        let id = run
            .facts()
            .text(provider.side.vnet_id.name)
            .map(str::to_owned);
        bench.cloud.sandbox.edit(|world| {
            for it in &mut world.networks {
                if Some(it.id().to_lowercase()) == id.as_ref().map(|id| id.to_lowercase()) {
                    it.prefixes.push("172.30.0.0/16".into());
                }
            }
        });
        let said = look(&bench, &run, provider.halves[0]).expect("status tells of it");
        assert!(said.contains("172.30.0.0/16"), "{said}");
    }
}

#[test]
fn a_half_of_kongs_that_leads_elsewhere_stops_the_run() {
    for wrong in [&["10.200.0.0/15"][..], &["10.200.0.0/17"]] {
        let bench = ranges(KONG, wrong);
        let (said, saved) = stops(&bench, &bench.unbegun(), "connected");
        assert!(said.contains("10.200.0.0/16 was previewed"), "{said}");
        stays_and_goes(&bench, &saved, "connected");
    }
}

#[test]
fn a_range_that_konnect_tells_otherwise_stops_the_run() {
    let bench = bench(KONG, |_, _| ());
    let id = bench.cloud.sample("konnect_network");
    bench.cloud.sandbox.edit(|world| {
        let mut networks = world.konnect.networks.iter_mut();
        let it = networks.find(|it| it.id == id).expect("in the sample");
        it.cidr = "10.201.0.0/16".into();
    });
    let (said, _) = stops(&bench, &bench.unbegun(), "ready");
    assert!(
        said.contains("10.201.0.0/16") && said.contains("10.200.0.0/16"),
        "{said}"
    );
}

/// An application of somebody else's, which a person names in the place of the provider's.
const STRANGER: &str = "0f1e2d3c-4b5a-4697-8899-aabbccddeeff";

fn stranger(owner: Option<&str>, publisher: Option<&str>) -> Application {
    Application {
        tenant: ELSEWHERE.into(),
        id: "1a2b3c4d-5e6f-4708-91a2-b3c4d5e6f708".into(),
        app_id: STRANGER.into(),
        display_name: "Aiven VPC peering".into(),
        audience: "AzureADMultipleOrgs".into(),
        created: "2026-01-01T08:00:00Z".into(),
        owner: owner.map(Into::into),
        publisher: publisher.map(Into::into),
        ..Application::default()
    }
}

/// A bench, and a run whose provider's application is this one.
fn with_stranger(app: Application) -> (Bench, String) {
    let id = app.app_id.clone();
    let bench = bench(AIVEN, |_, world| world.applications.push(app));
    let mut run: Value = serde_json::from_str(&bench.unbegun()).expect("a whole run");
    run["facts"]["AIVEN_APP_ID"] = json!(id);
    (bench, run.to_string())
}

fn assigned(bench: &Bench) -> usize {
    bench.cloud.sandbox.edit(|world| world.assignments.len())
}

#[test]
fn where_nobody_is_asked_the_flag_counts_and_is_told() {
    let (bench, saved) = with_stranger(stranger(None, Some("Somebody Ltd")));
    let limits = Limits {
        timeout: Some(Duration::ZERO),
        ..Limits::default()
    };
    let mut disk = bench.disk_with(&saved);
    let told = bench.go_within(&mut disk, Journey::Apply, limits);
    // The provider itself has no right then.
    let told = told.expect_err("Aiven can do nothing with it");
    let line = |what: &str| told.lines().position(|line| line.contains(what));
    let said = line("is not the application that Aiven documents").expect("it is told");
    let given = line(r#""started","step":"provider-assignment""#).expect("it is let in");
    assert!(said < given, "{told}");
    for part in [
        "Somebody Ltd",
        ELSEWHERE,
        &format!(r#""AIVEN_APP_CONFIRMED":"{STRANGER} of the tenant {ELSEWHERE}""#),
    ] {
        assert!(told.contains(part), "{part} in {told}");
    }
}

#[test]
fn a_no_is_remembered_and_nothing_is_given() {
    for said in [
        "no".to_owned(),
        format!("{STRANGER} of the tenant somebody-else's"),
    ] {
        let (bench, saved) = with_stranger(stranger(None, None));
        let before = assigned(&bench);
        let mut run: Value = serde_json::from_str(&saved).expect("a whole run");
        run["facts"]["AIVEN_APP_CONFIRMED"] = json!(said);
        let (text, saved) = stops(&bench, &run.to_string(), "provider-principal");
        assert!(text.contains("was not confirmed"), "{text}");
        assert!(text.contains("no verified publisher"), "{text}");
        assert_eq!(assigned(&bench), before);
        stays_and_goes(&bench, &saved, "provider-principal");
    }
}

#[test]
fn a_stranger_of_an_unknown_tenant_is_not_let_in() {
    let (bench, saved) = with_stranger(stranger(Some(""), None));
    let before = assigned(&bench);
    let (text, saved) = stops(&bench, &saved, "provider-principal");
    assert!(text.contains("does not tell which tenant"), "{text}");
    assert_eq!(assigned(&bench), before);
    stays_and_goes(&bench, &saved, "provider-principal");
}

#[test]
fn an_application_of_ones_own_is_no_providers() {
    let mine = Cloud::new().sandbox.sample().tenant.to_uppercase();
    let (bench, saved) = with_stranger(stranger(Some(&mine), None));
    let (text, saved) = stops(&bench, &saved, "provider-principal");
    assert!(text.contains("your own tenant"), "{text}");
    stays_and_goes(&bench, &saved, "provider-principal");
}

fn on_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The preview, as it is shown where it is not approved.
fn preview(cloud: &Cloud) -> String {
    let env = TestEnv::of(cloud, AIVEN.id);
    let mut args = cloud.args(AIVEN);
    args.retain(|it| it != "--yes");
    on_one_line(&env.run(&args).code(2).stderr)
}

#[test]
fn the_preview_says_whose_principal_and_whose_role_it_is() {
    let cloud = Cloud::new();
    let shown = preview(&cloud);
    assert!(
        shown.contains("Entra tells only once it is made"),
        "{shown}"
    );
    cloud.let_in_beforehand(AIVEN, true);
    let role = |by: Option<&str>| {
        cloud.sandbox.edit(|world| {
            let role = world.roles.iter_mut().find(|it| it.name == AIVEN.role_name);
            role.expect("it is there").created_by = by.map(Into::into);
        });
    };
    let principal = "Entra says: `Aiven`, of the tenant c5b1e7d2-8f43-4e0b-a6d9-71f2a3b84e60; ";
    let shown = preview(&cloud);
    for part in [
        &format!("{principal}no verified publisher"),
        "`peer-wizard VNet peering target` allows just that; made by somebody whom Azure does not tell on 2025-06-01",
    ] {
        assert!(shown.contains(part), "{part} in {shown}");
    }
    cloud.sandbox.edit(|world| {
        for app in &mut world.applications {
            app.publisher = (app.app_id == AIVEN.app_id).then(|| "Aiven Oy".into());
        }
    });
    role(Some("c9f3a1d5-4e72-4b86-8a0c-1d6f5b3e7a28"));
    let shown = preview(&cloud);
    for part in [
        &format!("{principal}verified publisher `Aiven Oy`"),
        "made by `Alex Example` (c9f3a1d5-4e72-4b86-8a0c-1d6f5b3e7a28) on 2025-06-01",
    ] {
        assert!(shown.contains(part), "{part} in {shown}");
    }
    // Who has gone has no name any more, and who may not ask sees none.
    let gone = "d0d1d2d3-4e72-4b86-8a0c-1d6f5b3e7a28";
    role(Some(gone));
    assert!(preview(&cloud).contains(&format!("made by {gone} on")));
    role(Some("c9f3a1d5-4e72-4b86-8a0c-1d6f5b3e7a28"));
    let when = When::path("/directoryObjects/");
    cloud.faults(Faults::always(when, Fault::FailBefore(403)));
    assert!(preview(&cloud).contains("made by c9f3a1d5"));
}

#[test]
fn what_entra_says_is_told_before_the_right_is_given() {
    let cloud = Cloud::new();
    let env = TestEnv::of(&cloud, AIVEN.id);
    let output = env.run(&cloud.json_args(AIVEN)).code(0);
    let events: Vec<Value> = output
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let at = |event: &str, step: &str| {
        let is = |it: &Value| it["event"] == event && it["step"] == step;
        events.iter().position(is).expect("such an event")
    };
    let made = at("finished", "provider-principal");
    assert!(made < at("started", "provider-assignment"));
    let says = events[made]["says"].as_str().expect("it says");
    assert!(
        says.starts_with("Entra says: `Aiven VPC peering`, of the tenant c5b1"),
        "{says}"
    );
}
