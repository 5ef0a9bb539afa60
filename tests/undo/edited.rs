//! Files edited by hand.

use crate::people::{
    self, APP, APP_OBJECT, ASSIGNMENT, GATEWAY, KEY, NAME, PEERING, ROLE, SP, as_format_1, facts,
    more, move_in, no_blind_deletion, other_vnet, records, set_fact, spared,
};
use crate::support::{Bench, Broken, Cloud, Journey, shapes};
use peer_wizard::{
    ask::settle,
    azure::keys::{USER_VNET_ID, vnet_facts},
    engine::{Run, Scope, Step},
    provider::Provider,
    providers,
    sandbox::World,
};
use serde_json::{Value, json};
use std::{collections::BTreeSet, rc::Rc};

/// A finished run with somebody else's things around it.
struct Scene {
    bench: Rc<Bench>,
    /// The clouds after the run.
    world: World,
    /// The same as a picture.
    picture: Value,
    /// What the run made.
    ours: BTreeSet<String>,
    /// Its file.
    saved: Value,
}

impl Scene {
    fn of(bench: Bench) -> Self {
        let mut disk = bench.disk();
        let run = bench.go(&mut disk, Journey::Apply);
        run.unwrap_or_else(|error| panic!("{}: {error}", bench.provider.id));
        let saved = serde_json::from_str(&disk.saved).expect("JSON");
        let picture = bench.cloud.world();
        Self {
            ours: more(&bench.before, &picture),
            world: bench.cloud.copy(),
            picture,
            saved,
            bench: Rc::new(bench),
        }
    }

    fn among_strangers(provider: &'static Provider, shape: usize) -> Self {
        let cloud = Cloud::new();
        if shapes()[shape].1.application_given {
            cloud.add_application();
        }
        move_in(&cloud, provider);
        Self::of(Bench::on(cloud, provider, &shapes()[shape].1))
    }

    /// A file as it is read: in the form that the flow knows, with what its answers settle.
    fn read(&self, file: &Value) -> String {
        let mut run: Run = serde_json::from_value(file.clone()).expect("a run");
        let vnet = run.shared.facts.get(USER_VNET_ID).expect("a VNet");
        self.bench
            .flow
            .split(&mut run, &vnet.member(), vnet_facts(&vnet));
        settle(&mut run, self.bench.provider, &self.bench.flow);
        serde_json::to_string(&run).expect("a run serialises")
    }

    /// Undoes the run as this file tells it; what of the run's own is left, and what it cost others.
    fn undo(&self, file: &Value) -> Result<BTreeSet<String>, String> {
        let cloud = &self.bench.cloud;
        cloud.restore(&self.world);
        let seen = cloud.sandbox.requests().len();
        let mut disk = self.bench.disk_with(&self.read(file));
        let end = self.bench.go(&mut disk, Journey::Undo);
        let left = spared(&self.ours, &self.picture, &cloud.world())?;
        no_blind_deletion(&cloud.sandbox.requests()[seen..])?;
        end.map_err(|error| format!("it does not end well: {error}"))?;
        Ok(left)
    }
}

/// The scene after its world was changed.
fn scene_of(scene: &Scene, world: World, picture: Value, theirs: &BTreeSet<String>) -> Scene {
    Scene {
        bench: Rc::clone(&scene.bench),
        world,
        ours: scene.ours.difference(theirs).cloned().collect(),
        picture,
        saved: scene.saved.clone(),
    }
}

fn strangers(scene: &Scene) -> Vec<(&'static str, String)> {
    let cloud = &scene.bench.cloud;
    let sample = cloud.sandbox.sample();
    let provider = scene.bench.provider;
    let vnet = &sample.vnet_id;
    let text = str::to_owned;
    let role = format!(
        "/subscriptions/{}/providers/Microsoft.Authorization/roleDefinitions/{ROLE}",
        sample.subscription
    );
    let assignment =
        format!("{vnet}/providers/Microsoft.Authorization/roleAssignments/{ASSIGNMENT}");
    let vendor = provider.id != "kong";
    let other_vpc = |own: &str| {
        cloud.sandbox.edit(|world| {
            let vpc = world
                .aiven
                .vpcs
                .iter()
                .find(|vpc| vpc.id != own && !vpc.network.is_empty());
            vpc.expect("another VPC").id.clone()
        })
    };
    let mut all = vec![
        ("USER_APP_ID", text(APP)),
        ("USER_APP_OBJECT_ID", text(APP_OBJECT)),
        ("USER_APP_KEY_ID", text(KEY)),
        ("USER_SP_ID", text(SP)),
        ("USER_ROLE_ID", role.clone()),
        ("USER_ROLE_NAME", text(NAME)),
        ("USER_ROLE_ASSIGNMENT_ID", assignment.clone()),
        ("APPLICATION_NAME", text(NAME)),
        ("ROLE_NAME", text(NAME)),
        ("PEERING_NAME", text(PEERING)),
        (
            "GRANT_SCOPE",
            format!("/subscriptions/{}", sample.subscription),
        ),
        ("USER_VNET_ID", other_vnet(cloud)),
        ("USER_VNET_NAME", text("VNet-Apps")),
        ("RUN", text("payroll")),
    ];
    let side = [
        ("AIVEN_APP_ID", "KONG_APP_ID", text(APP)),
        ("AIVEN_SP_ID", "KONG_SP_ID", text(SP)),
        ("AIVEN_ROLE_ID", "KONG_ROLE_ID", role),
        (
            "AIVEN_ROLE_ASSIGNMENT_ID",
            "KONG_ROLE_ASSIGNMENT_ID",
            assignment,
        ),
        ("AIVEN_VNET_ID", "KONG_VNET_ID", other_vnet(cloud)),
    ];
    all.extend(side.map(|(aiven, kong, value)| (if vendor { aiven } else { kong }, value)));
    if vendor {
        all.push(("AIVEN_PROJECT_VPC_ID", other_vpc(&sample.project_vpc)));
        all.push((
            "AIVEN_ORGANIZATION_VPC_ID",
            other_vpc(&sample.organization_vpc),
        ));
    } else {
        all.push(("KONG_GATEWAY_ID", text(GATEWAY)));
        all.push(("KONG_GATEWAY_NAME", text(NAME)));
        let other = cloud
            .sandbox
            .edit(|world| world.konnect.networks[1].id.clone());
        all.push(("KONG_NETWORK_ID", other));
    }
    let known = facts(&scene.saved);
    all.retain(|(name, _)| known.contains_key(*name));
    all
}

/// Files of one run: what was changed in them, and the file.
type Edits = Vec<(String, Value)>;

/// The ids by which an object is looked for where it bears no mark.
const LOOKED_FOR_BY: [&str; 8] = [
    "USER_APP_ID",
    "USER_VNET_NAME",
    "PEERING_NAME",
    "AIVEN_VNET_ID",
    "AIVEN_PROJECT_VPC_ID",
    "KONG_GATEWAY_ID",
    "KONG_GATEWAY_NAME",
    "KONG_NETWORK_ID",
];

/// Each id alone, all but one, all, and each two of those that objects are looked for by.
fn edits(scene: &Scene) -> Edits {
    let mut all = strangers(scene);
    // The binary refuses a file with another VNet's id.
    all.retain(|(name, _)| *name != "USER_VNET_ID");
    let with = |wanted: &dyn Fn(&str) -> bool| {
        let chosen = all.iter().filter(|(name, _)| wanted(name));
        chosen.fold(scene.saved.clone(), |file, (name, value)| {
            set_fact(&file, name, value)
        })
    };
    let mut edits = vec![
        ("nothing".to_owned(), scene.saved.clone()),
        ("all".to_owned(), with(&|_| true)),
        ("format 1".to_owned(), as_format_1(&scene.saved)),
        ("all, format 1".to_owned(), as_format_1(&with(&|_| true))),
    ];
    for (name, _) in &all {
        edits.push(((*name).to_owned(), with(&|it| it == *name)));
        edits.push((format!("all but {name}"), with(&|it| it != *name)));
    }
    for (at, one) in LOOKED_FOR_BY.iter().enumerate() {
        for two in &LOOKED_FOR_BY[..at] {
            let file = with(&|it| it == *one || it == *two);
            if facts(&scene.saved).contains_key(*one) && facts(&scene.saved).contains_key(*two) {
                edits.push((format!("{one} and {two}"), file));
            }
        }
    }
    edits
}

#[test]
fn ids_of_other_peoples_objects_in_the_file_delete_none_of_them() {
    let mut broken = Broken::default();
    for (provider, shape) in [(0, 0), (0, 3), (1, 1), (2, 2), (3, 0)] {
        let scene = Scene::among_strangers(providers::ALL[provider], shape);
        for (what, file) in edits(&scene) {
            let end = scene.undo(&file).and_then(|left| {
                // Under which ids its own roles, principals and assignments are, the program finds out by itself.
                let derived = ["ROLE_ID", "SP_ID", "ASSIGNMENT_ID"];
                let derived =
                    what.split(' ').count() == 1 && derived.iter().any(|it| what.ends_with(it));
                let whole = derived || what.starts_with("nothing") || what == "format 1";
                if whole && !left.is_empty() {
                    return Err(format!("left: {left:#?}"));
                }
                Ok(())
            });
            broken.note(&format!("{} {shape}: {what}", scene.bench.provider.id), end);
        }
    }
    broken.assert_none_of("undos of files with other people's ids");
}

/// Every record in the file for which the change tells another status.
fn with_status(file: &Value, wanted: &dyn Fn(&str, &str) -> Option<&'static str>) -> Value {
    let mut file = file.clone();
    for (id, record) in records(&mut file) {
        let status = record["status"].as_str().unwrap_or_default().to_owned();
        if let Some(other) = wanted(&id, &status) {
            record["status"] = json!(other);
        }
    }
    file
}

#[test]
fn what_was_there_before_stays_though_the_file_says_that_it_was_made() {
    let mut broken = Broken::default();
    for (provider, shape) in [(0, 0), (0, 3), (1, 1), (3, 0)] {
        let provider = providers::ALL[provider];
        let cloud = Cloud::new();
        if shapes()[shape].1.application_given {
            cloud.add_application();
        }
        cloud.let_in_beforehand(provider, true);
        let scene = Scene::of(Bench::on(cloud, provider, &shapes()[shape].1));
        let mut found = BTreeSet::new();
        let mut saved = scene.saved.clone();
        for (id, record) in records(&mut saved) {
            if record["status"] == "found" {
                found.insert(id);
            }
        }
        assert!(found.len() >= 4, "{found:?}");
        for lie in ["created", "creating", "kept", "deleting"] {
            let all = with_status(&scene.saved, &|_, was| (was == "found").then_some(lie));
            let mut files = vec![("all of it".to_owned(), all)];
            for step in &found {
                let file = with_status(&scene.saved, &|id, _| (id == step).then_some(lie));
                files.push((step.clone(), file));
            }
            if lie != "created" {
                files.truncate(1);
            }
            for (what, file) in files {
                let left = scene.undo(&file);
                // All that the run made goes: nothing of that was touched.
                let end = left.and_then(|left| {
                    if left.is_empty() {
                        Ok(())
                    } else {
                        Err(format!("left: {left:#?}"))
                    }
                });
                broken.note(&format!("{} {shape}: {what} {lie}", provider.id), end);
            }
        }
        // The other way round: less is known than there is.
        for step in records(&mut saved.clone()).into_iter().map(|(id, _)| id) {
            let mut file = scene.saved.clone();
            file["steps"].as_object_mut().expect("steps").remove(&step);
            for member in file["members"]
                .as_object_mut()
                .expect("members")
                .values_mut()
            {
                member["steps"]
                    .as_object_mut()
                    .expect("steps")
                    .remove(&step);
            }
            let end = scene.undo(&file).map(drop);
            broken.note(&format!("{} {shape}: without {step}", provider.id), end);
        }
    }
    broken.assert_none_of("undos of files with another status");
}

#[test]
fn what_was_never_made_is_not_found_in_other_peoples_things() {
    let mut broken = Broken::default();
    for provider in providers::ALL {
        for status in ["creating", "created", "deleting", "kept"] {
            for at in ["2025-01-01T00:00:00Z", "2099-01-01T00:00:00Z"] {
                let cloud = Cloud::new();
                move_in(&cloud, provider);
                let bench = Bench::on(cloud, provider, &shapes()[0].1);
                let mut file: Value = serde_json::from_str(&bench.unbegun()).expect("JSON");
                let record = json!({ "status": status, "at": at });
                let member = file["members"]
                    .as_object()
                    .and_then(|it| it.keys().next().cloned());
                let member = member.expect("a member");
                for step in &bench.flow.steps {
                    if !matches!(step, Step::Ensure(_)) {
                        continue;
                    }
                    match step.scope() {
                        Scope::Shared => file["steps"][step.about().id] = record.clone(),
                        Scope::Each => {
                            file["members"][&member]["steps"][step.about().id] = record.clone();
                        }
                    }
                }
                // The world does not know when it will show, so what was surely made a moment ago is waited for.
                if at.starts_with("2099") && status == "created" {
                    continue;
                }
                let before = bench.cloud.world();
                let end = bench.go(&mut bench.disk_with(&file.to_string()), Journey::Undo);
                let end = end.and_then(|run| bench.nothing_left(&run, &before));
                broken.note(&format!("{} {status} {at}", provider.id), end);
            }
        }
    }
    broken.assert_none_of("undos of runs that made nothing");
}

/// A change to the world.
type Edit<'a> = &'a dyn Fn(&mut World);

#[test]
fn what_somebody_made_in_place_of_the_runs_own_is_left() {
    let mut broken = Broken::default();
    for provider in providers::ALL {
        let scene = Scene::among_strangers(provider, 0);
        let sample = scene.bench.cloud.sandbox.sample();
        let other = other_vnet(&scene.bench.cloud);
        let edits: [(&str, Edit<'_>); 6] = [
            ("principal without the tag", &|world| {
                // The run's own goes with its application, whatever it bears.
                let others = world.principals.iter_mut();
                for it in others.filter(|it| it.owner_tenant != it.tenant) {
                    it.tags.retain(|tag| !tag.starts_with("peer-wizard"));
                }
            }),
            ("application without the tag", &|world| {
                for it in &mut world.applications {
                    if it
                        .unique_name
                        .as_ref()
                        .is_some_and(|it| it.starts_with("peer-wizard"))
                    {
                        it.unique_name = None;
                        it.extra.clear();
                    }
                }
            }),
            ("assignment under another name", &|world| {
                for (at, it) in world.assignments.iter_mut().enumerate() {
                    if it.tenant == sample.tenant
                        && it.scope == sample.vnet_id
                        && it.id != ASSIGNMENT
                    {
                        it.id = format!("0ccc{at:04}-2222-4333-8444-555566667777");
                    }
                }
            }),
            ("row for another application", &|world| {
                for it in world.aiven.vpcs.iter_mut().flat_map(|it| &mut it.rows) {
                    it.app = Some(APP.into());
                }
            }),
            ("gateway under another name", &|world| {
                for it in world
                    .konnect
                    .networks
                    .iter_mut()
                    .flat_map(|it| &mut it.gateways)
                {
                    it.name = format!("by hand {}", it.id);
                }
            }),
            ("peering of the name to another network", &|world| {
                for it in &mut people::network(world, &sample.vnet_id).peerings {
                    if it.name.starts_with("peer-wizard") {
                        it.remote.clone_from(&other);
                        it.remote_prefixes = vec!["10.20.0.0/16".into()];
                    }
                }
            }),
        ];
        for (what, edit) in edits {
            let cloud = &scene.bench.cloud;
            cloud.restore(&scene.world);
            cloud.sandbox.edit(edit);
            let (world, picture) = (cloud.copy(), cloud.world());
            // What was changed is somebody else's now.
            let changed = more(&scene.picture, &picture);
            let scene = scene_of(&scene, world, picture, &changed);
            let end = scene.undo(&scene.saved).map(drop);
            // A second undo is no way round.
            let end = end.and_then(|()| {
                let mut disk = scene.bench.disk_with(&scene.read(&scene.saved));
                let again = scene.bench.go(&mut disk, Journey::Undo);
                let again = again.and_then(|_| scene.bench.go(&mut disk, Journey::Undo));
                again?;
                spared(&scene.ours, &scene.picture, &scene.bench.cloud.world()).map(drop)
            });
            broken.note(&format!("{}: {what}", provider.id), end);
        }
    }
    broken.assert_none_of("undos after somebody put another object in place");
}
