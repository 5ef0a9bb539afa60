//! A provider that lies about its side, and objects that were put where a run looks: whom the person did not mean gets no
//! right, no peering and no password, and what is not the run's stays.

use super::{
    hostile::{Deed, Hostile},
    scene::{Broken, error, side_by_side, some, tried, unsound},
    support::{Cloud, TestEnv},
};
use peer_wizard::{
    providers,
    sandbox::parts::{Application, Peering, Permission, Role},
};
use serde_json::{Value, json};

const OWN_TENANT: &str = "3f0a6c1e-5b1d-4a77-9c58-2d1e7b90c4a1";
const AIVEN_TENANT: &str = "c5b1e7d2-8f43-4e0b-a6d9-71f2a3b84e60";
const KONG_TENANT: &str = "9d27f0b4-1c6e-4f35-b8a2-60c3d5e7f918";
const PRODUCTION: &str = "/subscriptions/0b1f6471-1bf0-4dda-aec3-cb9272f09590/resourceGroups/RG-Network-Prod/providers/Microsoft.Network/virtualNetworks";

/// Sets what has this name, wherever it is.
fn set(value: &mut Value, name: &str, to: &Value) {
    match value {
        Value::Object(map) => {
            for (key, inner) in map.iter_mut() {
                if key == name {
                    *inner = to.clone();
                } else {
                    set(inner, name, to);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| set(item, name, to)),
        _ => {}
    }
}

/// The peerings on the person's own networks.
fn halves(cloud: &Cloud) -> Vec<String> {
    let world = cloud.copy();
    let own = [
        "0b1f6471-1bf0-4dda-aec3-cb9272f09590",
        "6d25f4c7-90ab-4c1e-8f3d-5e7a1b2c3d4e",
    ];
    let networks = world
        .networks
        .iter()
        .filter(|it| own.contains(&it.subscription.as_str()));
    networks
        .flat_map(|network| {
            network
                .peerings
                .iter()
                .map(|it| format!("{} to {}", it.name, it.remote))
        })
        .collect()
}

#[test]
fn a_provider_that_lies_about_its_tenant_or_network_is_not_peered_with() {
    let foreign = "/subscriptions/2a9c4e61-7d3b-4f05-8e1a-b6c8d0f2a435/resourceGroups/x/providers/Microsoft.Network";
    let lies: Vec<(&str, String)> = [
        ("to-tenant-id", OWN_TENANT.into()),
        ("to-tenant-id", OWN_TENANT.to_uppercase()),
        ("to-tenant-id", KONG_TENANT.into()),
        ("to-tenant-id", "common".into()),
        ("to-tenant-id", "organizations".into()),
        ("to-tenant-id", "..".into()),
        ("to-tenant-id", format!("../{AIVEN_TENANT}")),
        ("to-tenant-id", format!("{AIVEN_TENANT}/../{OWN_TENANT}")),
        ("to-tenant-id", format!("{AIVEN_TENANT}?x")),
        ("to-tenant-id", format!("{AIVEN_TENANT}#")),
        ("to-tenant-id", "evil.example".into()),
        ("to-tenant-id", format!("{AIVEN_TENANT}\u{200b}")),
        ("to-network-id", format!("{PRODUCTION}/vnet-hub-prod")),
        ("to-network-id", format!("{PRODUCTION}/VNET-APPS")),
        (
            "to-network-id",
            format!("{PRODUCTION}/vnet-apps").to_uppercase(),
        ),
        ("to-network-id", format!("{PRODUCTION}/VNet-Apps/")),
        ("to-network-id", format!("{PRODUCTION}//VNet-Apps")),
        ("to-network-id", format!(" {PRODUCTION}/VNet-Apps")),
        ("to-network-id", format!("{PRODUCTION}/VNet-Apps?x=y")),
        ("to-network-id", format!("{PRODUCTION}/x/../VNet-Apps")),
        ("to-network-id", format!("{PRODUCTION}/VNet%2DApps")),
        ("to-network-id", format!("{PRODUCTION}/VNet-Apps/subnets/x")),
        ("to-network-id", format!("{foreign}/loadBalancers/x")),
        ("to-network-id", format!("{foreign}/virtualNetworks/..")),
        ("to-network-id", "https://evil.example/x".into()),
        ("to-network-id", "$(id)".into()),
    ]
    .into();
    let broken = Broken::default();
    let all = some(lies, 2);
    let count = all.len();
    side_by_side(all, |(name, lie)| {
        let provider = &providers::aiven::PROJECT;
        let cloud = Cloud::new();
        let before = halves(&cloud);
        let told = json!(lie);
        let hostile = Hostile::before(&cloud, move |asked| {
            if asked.is("GET", "/v1/project/") {
                let told = told.clone();
                return Deed::edit(move |body| set(body, name, &told));
            }
            Deed::Pass
        });
        let env = hostile.home(&cloud, provider.id);
        let mut args = cloud.json_args(provider);
        args.extend(["--timeout", "5s"].map(str::to_owned));
        let output = env.run(&args);
        let what = format!("{name} {lie:?}");
        if let Some(why) = unsound(&output) {
            broken.note(format!("{why}: {what}\n{output}"));
        }
        let (code, reason) = (output.code, error(&output));
        if code == Some(0) {
            broken.note(format!("connected: {what}\n{output}"));
        }
        if code == Some(1) && reason["hints"].as_array().is_none_or(Vec::is_empty) {
            broken.note(format!("it does not say what to do: {what} {reason}"));
        }
        if halves(&cloud) != before {
            broken.note(format!("peerings {:?}: {what}\n{output}", halves(&cloud)));
        }
        for asked in hostile.asked() {
            if asked.target.contains("/oauth2/")
                && !asked.target.starts_with(&format!("/{OWN_TENANT}/"))
                && !asked.target.starts_with(&format!("/{AIVEN_TENANT}/"))
            {
                broken.note(format!("signs in at {}: {what}", asked.target));
            }
            if asked.is("PUT", "/virtualNetworkPeerings/") {
                broken.note(format!("asks for a peering: {what}\n{}", asked.text()));
            }
        }
    });
    tried(count, "lies of a provider about its side");
    broken.none();
}

#[test]
fn a_half_that_shows_another_range_is_taken_back() {
    let broken = Broken::default();
    let ranges = [
        json!(["10.99.0.0/16"]),
        json!(["192.168.20.0/22", "10.99.0.0/16"]),
        json!(["0.0.0.0/0"]),
        json!(["192.168.20.0/21"]),
        json!(["10.10.0.0/16"]),
        json!(["x"]),
    ];
    let all = some(ranges, 2);
    let count = all.len();
    side_by_side(all, |range| {
        let provider = &providers::aiven::PROJECT;
        let cloud = Cloud::new();
        let before = halves(&cloud);
        let told = range.clone();
        let hostile = Hostile::before(&cloud, move |asked| {
            if asked.target.contains("/virtualNetworkPeerings/") {
                let told = told.clone();
                return Deed::edit(move |body| set(body, "addressPrefixes", &told));
            }
            Deed::Pass
        });
        let env = hostile.home(&cloud, provider.id);
        let output = env.run(&cloud.json_args(provider));
        if let Some(why) = unsound(&output) {
            broken.note(format!("{why}: {range}\n{output}"));
        }
        if output.code == Some(0) || halves(&cloud) != before {
            broken.note(format!("{range}: {:?}\n{output}", halves(&cloud)));
        }
    });
    tried(count, "halves that show another range");
    broken.none();
}

/// Applications, a role and a peering of others, under names that the run would use.
fn put_in_the_way(cloud: &Cloud) {
    let provider = &providers::aiven::PROJECT;
    let (victim_app, victim_role) = (
        "aaaaaaaa-0000-4000-8000-000000000001",
        "aaaaaaaa-0000-4000-8000-000000000002",
    );
    cloud.sandbox.edit(|world| {
        for (at, name) in ["peer-wizard-victim", "Network automation"]
            .into_iter()
            .enumerate()
        {
            world.applications.push(Application {
                tenant: OWN_TENANT.into(),
                id: format!("{}{at}", &victim_app[..35]),
                app_id: format!("bbbbbbbb-0000-4000-8000-00000000000{at}"),
                display_name: name.into(),
                audience: "AzureADMultipleOrgs".into(),
                created: "2025-06-01T08:00:00Z".into(),
                ..Application::default()
            });
        }
        world.roles.push(Role {
            tenant: OWN_TENANT.into(),
            id: victim_role.into(),
            name: provider.role_name.into(),
            permissions: vec![Permission {
                actions: vec![
                    "Microsoft.Network/virtualNetworks/peer/action".into(),
                    "*".into(),
                ],
                ..Permission::default()
            }],
            assignable_scopes: vec!["/subscriptions/0b1f6471-1bf0-4dda-aec3-cb9272f09590".into()],
            created: "2025-06-01T08:00:00Z".into(),
            updated: "2025-06-01T08:00:00Z".into(),
            ..Role::default()
        });
        let hub = world
            .networks
            .iter_mut()
            .find(|it| it.name == "vnet-hub-prod")
            .expect("a network");
        hub.peerings.push(Peering {
            name: "victim".into(),
            remote: format!("{PRODUCTION}/VNet-Apps"),
            state: "Initiated".into(),
            provisioning: "Succeeded".into(),
            guid: victim_app.into(),
            ..Peering::default()
        });
    });
}

/// Things of others that bear a name that the run would use.
#[test]
fn what_was_put_in_the_way_is_neither_used_nor_changed_nor_deleted() {
    let broken = Broken::default();
    let provider = &providers::aiven::PROJECT;
    let cloud = Cloud::new();
    put_in_the_way(&cloud);
    let before = halves(&cloud);
    let mut count = 0;
    for flags in [
        &[][..],
        &["--peering-name", "victim"],
        &["--application", "peer-wizard-victim"],
        &["--role-name", "of this test"],
        &["--role-name", "of this test", "--peering-name", "VICTIM"],
        &[
            "--role-name",
            "of this test",
            "--application",
            "Network automation",
        ],
    ] {
        let hostile = Hostile::before(&cloud, |_| Deed::Pass);
        let env = hostile.home(&cloud, provider.id);
        let mut args = cloud.json_args(provider);
        args.extend(flags.iter().map(|it| (*it).to_owned()));
        let run = env.run(&args);
        let undo = env.run(&["undo", "--yes", "--output", "json"]);
        count += 1;
        for output in [&run, &undo] {
            if let Some(why) = unsound(output) {
                broken.note(format!("{why}: {flags:?}\n{output}"));
            }
        }
        for asked in hostile.asked().iter().filter(|it| it.changes()) {
            let text = asked.text();
            if text.contains("aaaaaaaa-0000-4000-8000") || text.contains("bbbbbbbb-0000-4000-8000")
            {
                broken.note(format!("{flags:?}: {text}"));
            }
        }
        if halves(&cloud) != before {
            broken.note(format!("{flags:?}: {:?}\n{run}\n{undo}", halves(&cloud)));
        }
        cloud.sandbox.edit(|world| {
            let victims = world
                .applications
                .iter()
                .filter(|it| it.id.starts_with("aaaaaaaa"));
            for app in victims.filter(|it| !it.passwords.is_empty() || it.deleted.is_some()) {
                broken.note(format!("{flags:?}: {app:?}"));
            }
        });
    }
    tried(count, "runs among what was put in the way");
    broken.none();
}

#[test]
fn a_saved_run_whose_ids_lead_to_others_deletes_none_of_theirs() {
    let broken = Broken::default();
    let provider = &providers::aiven::PROJECT;
    let victims = [
        ("USER_APP_ID", "bbbbbbbb-0000-4000-8000-000000000000"),
        ("USER_APP_OBJECT_ID", "aaaaaaaa-0000-4000-8000-000000000001"),
        (
            "USER_APP_OBJECT_ID",
            "../users/aaaaaaaa-0000-4000-8000-000000000001",
        ),
        ("USER_APP_OBJECT_ID", ".."),
        ("USER_SP_ID", "c9f3a1d5-4e72-4b86-8a0c-1d6f5b3e7a28"),
        ("AIVEN_SP_ID", "7b2e9d14-6c08-4a53-b1f7-8d4e0c2a6f95"),
        ("PEERING_NAME", "victim"),
        ("PEERING_NAME", "../../VNet-Apps"),
        (
            "AIVEN_ROLE_ID",
            "/subscriptions/0b1f6471-1bf0-4dda-aec3-cb9272f09590/providers/Microsoft.Authorization/roleDefinitions/aaaaaaaa-0000-4000-8000-000000000002",
        ),
        (
            "USER_ROLE_ASSIGNMENT_ID",
            "/subscriptions/0b1f6471-1bf0-4dda-aec3-cb9272f09590",
        ),
        (
            "AIVEN_ROLE_ASSIGNMENT_ID",
            "/subscriptions/0b1f6471-1bf0-4dda-aec3-cb9272f09590/resourceGroups/RG-Network-Prod",
        ),
        ("AIVEN_PROJECT_VPC_ID", "../../acme-lab"),
        ("AIVEN_PROJECT", "acme-lab"),
        ("USER_VNET_NAME", "VNet-Apps"),
        (
            "USER_VNET_ID",
            "/subscriptions/0b1f6471-1bf0-4dda-aec3-cb9272f09590/resourceGroups/RG-Network-Prod/providers/Microsoft.Network/virtualNetworks/VNet-Apps",
        ),
        ("RUN", "aiven-project-zzzz"),
    ];
    let all = some(victims, 2);
    let count = all.len();
    side_by_side(all, |(name, victim)| {
        let cloud = Cloud::new();
        let env = TestEnv::of(&cloud, provider.id);
        env.run(&cloud.json_args(provider)).code(0);
        let path = env.run_file().expect("a run");
        let mut file = env.file();
        set(&mut file, name, &json!(victim));
        std::fs::write(&path, file.to_string()).expect("a file");
        let hostile = Hostile::before(&cloud, |_| Deed::Pass);
        let env = super::support::endpoints()
            .into_iter()
            .fold(env, |env, name| env.set(name, hostile.origin()))
            .set("SSL_CERT_FILE", hostile.ca_file());
        let output = env.run(&["undo", "--yes", "--output", "json", "--timeout", "2s"]);
        let what = format!("{name} = {victim}");
        if let Some(why) = unsound(&output) {
            broken.note(format!("{why}: {what}\n{output}"));
        }
        for asked in hostile.asked() {
            let path = asked.target.split('?').next().unwrap_or_default();
            if asked.changes() && path.to_lowercase().ends_with(&victim.to_lowercase()) {
                broken.note(format!("{} {path}: {what}\n{output}", asked.method));
            }
            if path.split('/').any(|part| part == "..") {
                broken.note(format!("{} {path}: {what}", asked.method));
            }
        }
    });
    tried(count, "saved runs with ids of others");
    broken.none();
}
