//! The binary itself: what it refuses, what it says, and where it stands after it was killed.

use crate::people::{as_format_1, facts, records, set_fact};
use crate::support::{Bench, Broken, Cloud, Journey, Output, TestEnv, but, shapes};
use peer_wizard::{
    engine::Run,
    provider::Provider,
    providers,
    sandbox::{Fault, Faults, Rule, When},
};
use serde_json::{Value, json};
use std::fs;

const PROJECT: &Provider = &providers::aiven::PROJECT;
const ORGANIZATION: &Provider = &providers::aiven::ORGANIZATION;
const KONG: &Provider = &providers::kong::KONG_CONNECT;

fn keep(env: &TestEnv, name: &str, text: &str) {
    fs::create_dir_all(env.runs()).expect("a new folder");
    fs::write(env.runs().join(format!("{name}.json")), text).expect("a new file");
}

fn kept(env: &TestEnv, name: &str) -> Value {
    let text = fs::read_to_string(env.runs().join(format!("{name}.json"))).expect("a file");
    serde_json::from_str(&text).expect("JSON")
}

fn undo(env: &TestEnv, run: &str) -> Output {
    env.run(&["undo", run, "--yes", "--output", "json"])
}

fn closed(output: &Output) -> String {
    let last = output.events().pop().unwrap_or_default();
    assert_eq!(last["event"], "closed", "{output}");
    last["status"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn a_file_that_calls_itself_or_its_vnet_by_another_name_is_refused_and_left() {
    let cloud = Cloud::new();
    let env = TestEnv::of(&cloud, KONG.id);
    let run = env.run(&cloud.json_args(KONG)).code(0).run();
    let good = kept(&env, &run);
    let world = cloud.world();
    let vnet = good["members"]
        .as_object()
        .and_then(|it| it.keys().next().cloned());
    let vnet = vnet.expect("a member");
    let other = vnet.replace("vnet-hub-prod", "vnet-apps");
    let mut named = good.clone();
    named["run"] = json!("kong-zzzz");
    let mut member = good.clone();
    let own = member["members"][&vnet].take();
    member["members"] = json!({ &other: own });
    let bad = [
        ("another run's name", named),
        ("another member's key", member),
        ("another VNet's id", set_fact(&good, "USER_VNET_ID", &other)),
        (
            "no VNet's id",
            set_fact(&good, "USER_VNET_ID", "/subscriptions/x"),
        ),
        ("a flow of nobody", {
            let mut it = good.clone();
            it["flow"] = json!("cong");
            it
        }),
        ("no members", {
            let mut it = good.clone();
            it["members"] = json!({});
            it
        }),
    ];
    for (what, file) in bad {
        let text = file.to_string();
        keep(&env, &run, &text);
        let output = undo(&env, &run);
        assert_eq!(output.code, Some(2), "{what}: {output}");
        assert_eq!(cloud.world(), world, "{what}: the world changed");
        assert_eq!(kept(&env, &run), file, "{what}: the file changed");
    }
    // A fact RUN is no name.
    keep(&env, &run, &set_fact(&good, "RUN", "kong-zzzz").to_string());
    assert_eq!(closed(&undo(&env, &run).code(0)), "undone");
}

#[test]
fn a_file_of_format_1_with_other_peoples_ids_is_undone_for_what_is_its_own() {
    let cloud = Cloud::new();
    crate::people::move_in(&cloud, PROJECT);
    let before = cloud.world();
    let env = TestEnv::of(&cloud, PROJECT.id);
    let run = env.run(&cloud.json_args(PROJECT)).code(0).run();
    let mut file = kept(&env, &run);
    for (name, value) in [
        ("USER_APP_ID", crate::people::APP),
        ("USER_APP_OBJECT_ID", crate::people::APP_OBJECT),
        ("USER_APP_KEY_ID", crate::people::KEY),
        ("USER_SP_ID", crate::people::SP),
        ("AIVEN_SP_ID", crate::people::SP),
        ("PEERING_NAME", crate::people::PEERING),
        ("USER_VNET_NAME", "VNet-Apps"),
        ("RUN", "payroll"),
    ] {
        file = set_fact(&file, name, value);
    }
    let mut file = as_format_1(&file);
    for (_, record) in records(&mut file) {
        if record["status"] == "found" {
            record["status"] = json!("created");
        }
    }
    keep(&env, &run, &file.to_string());
    assert_eq!(closed(&undo(&env, &run).code(0)), "undone");
    assert_eq!(cloud.world(), before);
}

#[test]
fn undo_names_each_object_that_goes_and_says_what_is_left_and_why() {
    for provider in [PROJECT, KONG] {
        let cloud = Cloud::new();
        let env = TestEnv::of(&cloud, provider.id);
        let before = cloud.world();
        let run = env.run(&cloud.json_args(provider)).code(0).run();
        let known = facts(&kept(&env, &run));
        // Nothing is begun without a yes.
        let world = cloud.world();
        let preview = env.run(&["undo", &run, "--no-input"]).code(2);
        assert_eq!(cloud.world(), world);
        for (name, value) in &known {
            let id = [
                "_SP_ID",
                "_ROLE_ID",
                "_ASSIGNMENT_ID",
                "GATEWAY_ID",
                "USER_APP_ID",
            ];
            let told = id.iter().any(|it| name.ends_with(it)) && !name.starts_with("NETWORK");
            let told = told || name == "PEERING_NAME" || name == "KONG_GATEWAY_NAME";
            assert!(
                !told || preview.stderr.contains(value),
                "{name} {value}: {preview}"
            );
        }
        // The provider's principal is somebody else's by now.
        let sp = known
            .iter()
            .find(|(name, _)| name.ends_with("_SP_ID") && !name.starts_with("USER"));
        let sp = sp.expect("a principal").1.clone();
        let tags = cloud.sandbox.edit(|world| {
            let it = world
                .principals
                .iter_mut()
                .find(|it| it.id == sp)
                .expect("it is there");
            std::mem::take(&mut it.tags)
        });
        assert!(!tags.is_empty());
        let undone = undo(&env, &run)
            .code(0)
            .says("it does not bear this run's tag");
        assert_eq!(closed(&undone), "undone");
        assert_eq!(undone.finished()["provider-principal"], "found", "{undone}");
        cloud
            .sandbox
            .edit(|world| world.principals.retain(|it| it.id != sp));
        assert_eq!(cloud.world(), before);
        // Twice, and what the others say of it.
        assert_eq!(closed(&undo(&env, &run).code(0)), "undone");
        let runs = env.run(&["runs", "--output", "json"]).code(0);
        assert_eq!(runs.events()[0]["runs"][0]["state"], "undone", "{runs}");
        env.run(&["status", &run]).code(0);
        env.run(&["resume", &run]).code(2).says("was undone");
    }
}

#[test]
fn an_undo_that_was_killed_at_any_save_is_known_by_all_commands_and_goes_on() {
    let cloud = Cloud::new();
    let env = TestEnv::of(&cloud, KONG.id);
    let bench = Bench::on(cloud, KONG, &shapes()[0].1);
    let (finished, _) = bench.moments(&bench.unbegun(), Journey::Apply);
    let (_, moments) = bench.moments(&finished, Journey::Undo);
    assert!(moments.len() > 8);
    let mut broken = Broken::default();
    // What is there after one save is there before the next.
    for moment in moments.iter().skip(1).step_by(2) {
        bench.cloud.restore(&moment.world);
        let run: Run = serde_json::from_str(&moment.saved).expect("a run");
        keep(&env, &run.run, &moment.saved);
        let left = run.records().any(|(_, it)| it.status.ours());
        let runs = env.run(&["runs", "--output", "json"]).code(0);
        let state = &runs.events()[0]["runs"][0]["state"];
        let wanted = if left { "undo unfinished" } else { "undone" };
        let mut said = Ok(());
        if state != wanted {
            said = Err(format!("runs: {state}, not {wanted}"));
        }
        let resume = env.run(&["resume", &run.run]);
        if resume.code != Some(2) || left != resume.stderr.contains("undo has begun") {
            said = Err(format!("{resume}"));
        }
        let status = env.run(&["status", &run.run]);
        if !left && status.code != Some(0) || left && status.code == Some(70) {
            said = Err(format!("{status}"));
        }
        let undone = undo(&env, &run.run);
        if undone.code != Some(0) {
            said = Err(format!("{undone}"));
        }
        let run: Run = serde_json::from_value(kept(&env, &run.run)).expect("a run");
        broken.note(&moment.name, said.and_then(|()| bench.undone(&run)));
    }
    broken.assert_none_of("undos killed at a save");
}

#[test]
fn what_is_kept_for_the_next_peering_goes_when_it_is_not_kept() {
    let cloud = Cloud::new();
    let before = cloud.world();
    let env = TestEnv::of(&cloud, PROJECT.id);
    let run = env.run(&cloud.json_args(PROJECT)).code(0).run();
    env.run(&["undo", &run, "--keep-application", "--yes"])
        .code(0);
    let apps = cloud.world()["applications"].to_string();
    assert!(apps.contains(&format!("peer-wizard-{run}")), "{apps}");
    let runs = env.run(&["runs"]).code(0);
    assert!(runs.stdout.contains(&run), "{runs}");
    env.run(&["status", &run]).code(0);
    env.run(&["undo", &run, "--keep-application", "--yes"])
        .code(0);
    assert!(cloud.world()["applications"].to_string().contains(&run));
    undo(&env, &run).code(0);
    assert_eq!(cloud.world(), before);
}

#[test]
fn runs_beside_each_other_are_undone_in_any_order_also_half_finished_ones() {
    let mut cloud = Cloud::new();
    let vpc = cloud
        .sandbox
        .edit(|world| world.add_project_vpc("acme-prod"));
    cloud.settle();
    let before = cloud.world();
    let makers = [
        cloud.json_args(PROJECT),
        cloud.json_args(ORGANIZATION),
        but(cloud.json_args(PROJECT), "--vpc", &vpc),
    ];
    for (order, half) in [([0, 1, 2], 2), ([2, 0, 1], 0), ([1, 2, 0], 1)] {
        cloud.reset();
        let env = TestEnv::of(&cloud, PROJECT.id);
        let mut runs = Vec::new();
        for (at, args) in makers.iter().enumerate() {
            if at == half {
                let when = When {
                    method: Some("PUT".into()),
                    ..When::path("virtualNetworkPeerings")
                };
                let rules = vec![Rule::once(when, Fault::FailBefore(400))];
                cloud.faults(Faults { rules });
            }
            let code = i32::from(at == half);
            runs.push(env.run(args).code(code).run());
        }
        for (done, at) in order.into_iter().enumerate() {
            assert_eq!(closed(&undo(&env, &runs[at]).code(0)), "undone");
            for left in &order[done + 1..] {
                if *left == half {
                    continue;
                }
                let status = env
                    .run(&["status", &runs[*left], "--output", "json"])
                    .code(0);
                assert_eq!(status.events()[0]["well"], true, "{status}");
            }
            let told = env.run(&["runs", "--output", "json"]).code(0);
            assert_eq!(told.events()[0]["runs"].as_array().map(Vec::len), Some(3));
        }
        assert_eq!(cloud.world(), before, "{order:?}, {half} half-finished");
        for run in &runs {
            env.run(&["status", run]).code(0);
        }
    }
}
