//! Other people's things in the simulated clouds, and what is left of a world.

use crate::support::Cloud;
use peer_wizard::{
    provider::Provider,
    sandbox::{
        Seen, Service, World,
        parts::{
            Application, Assignment, Network, Password, Peering, Permission, Principal, Role, Row,
            TransitGateway,
        },
    },
};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Somebody else's application in the person's tenant.
pub const APP: &str = "0aaa1111-2222-4333-8444-555566667777";
/// Its object.
pub const APP_OBJECT: &str = "0aaa2222-2222-4333-8444-555566667777";
/// Its principal.
pub const SP: &str = "0aaa3333-2222-4333-8444-555566667777";
/// A password of it.
pub const KEY: &str = "0aaa4444-2222-4333-8444-555566667777";
/// Somebody else's custom role.
pub const ROLE: &str = "0aaa5555-2222-4333-8444-555566667777";
/// An assignment of it to somebody else, on the run's VNet.
pub const ASSIGNMENT: &str = "0aaa6666-2222-4333-8444-555566667777";
/// Somebody else's gateway in the run's network.
pub const GATEWAY: &str = "0aaa7777-2222-4333-8444-555566667777";
/// What somebody else called a peering on the run's VNet.
pub const PEERING: &str = "payroll-peering";
/// What somebody else calls everything.
pub const NAME: &str = "Payroll";
const THEN: &str = "2025-06-01T08:00:00Z";
const NETWORK_CONTRIBUTOR: &str = "4d97b98b-1d4f-4787-a291-c67834d212e7";

/// The virtual network of this id.
pub fn network<'a>(world: &'a mut World, id: &str) -> &'a mut Network {
    let mut all = world.networks.iter_mut();
    all.find(|it| it.id().eq_ignore_ascii_case(id))
        .expect("there is such a network")
}

/// The person's other VNet in the same subscription.
pub fn other_vnet(cloud: &Cloud) -> String {
    cloud
        .sandbox
        .sample()
        .vnet_id
        .replace("vnet-hub-prod", "VNet-Apps")
}

/// A half of a peering that both sides hold.
pub fn half(name: &str, remote: &str) -> Peering {
    Peering {
        name: name.into(),
        remote: remote.into(),
        state: "Connected".into(),
        provisioning: "Succeeded".into(),
        guid: format!("guid of {name}"),
        etag: format!("etag of {name}"),
        ..Peering::default()
    }
}

/// An assignment that somebody made by hand.
pub fn assignment(cloud: &Cloud, id: &str, scope: &str, role: &str, principal: &str) -> Assignment {
    Assignment {
        tenant: cloud.sandbox.sample().tenant,
        id: id.into(),
        scope: scope.into(),
        role: role.into(),
        principal: principal.into(),
        principal_type: "ServicePrincipal".into(),
        created: THEN.into(),
        author: "c9f3a1d5-4e72-4b86-8a0c-1d6f5b3e7a28".into(),
        ..Assignment::default()
    }
}

/// Puts somebody else's object of each kind beside the run's.
pub fn move_in(cloud: &Cloud, provider: &Provider) {
    let sample = cloud.sandbox.sample();
    let (vnet, other) = (sample.vnet_id.clone(), other_vnet(cloud));
    let theirs = assignment(cloud, ASSIGNMENT, &vnet, NETWORK_CONTRIBUTOR, SP);
    cloud.sandbox.edit(|world| {
        world.applications.push(Application {
            tenant: sample.tenant.clone(),
            id: APP_OBJECT.into(),
            app_id: APP.into(),
            display_name: NAME.into(),
            unique_name: Some("payroll".into()),
            audience: "AzureADMultipleOrgs".into(),
            created: THEN.into(),
            passwords: vec![Password {
                key_id: KEY.into(),
                display_name: Some("payroll".into()),
                start: THEN.into(),
                end: "2099-12-31T00:00:00Z".into(),
                hint: "abc".into(),
                sha256: "00".into(),
                ..Password::default()
            }],
            ..Application::default()
        });
        world.principals.push(Principal {
            tenant: sample.tenant.clone(),
            id: SP.into(),
            app_id: APP.into(),
            owner_tenant: sample.tenant.clone(),
            display_name: NAME.into(),
            created: THEN.into(),
            tags: vec!["payroll".into()],
            enabled: true,
            ..Principal::default()
        });
        world.roles.push(Role {
            tenant: sample.tenant.clone(),
            id: ROLE.into(),
            name: NAME.into(),
            permissions: vec![Permission {
                actions: provider.allows.actions.iter().map(|it| (*it).to_owned()).collect(),
                ..Permission::default()
            }],
            assignable_scopes: vec![format!("/subscriptions/{}", sample.subscription)],
            created: THEN.into(),
            updated: THEN.into(),
            ..Role::default()
        });
        world.assignments.push(theirs);
        network(world, &vnet).peerings.push(half(PEERING, &other));
        network(world, &other).peerings.push(half(PEERING, &vnet));
        for vpc in &mut world.aiven.vpcs {
            vpc.rows.push(Row {
                id: format!("row of {}", vpc.id),
                account: sample.subscription.clone(),
                group: Some("RG-Network-Prod".into()),
                vnet: "VNet-Apps".into(),
                app: Some(APP.into()),
                tenant: Some(sample.tenant.clone()),
                state: "ACTIVE".into(),
                created: THEN.into(),
                updated: THEN.into(),
                joined: true,
                ..Row::default()
            });
        }
        for network in &mut world.konnect.networks {
            network.gateways.push(TransitGateway {
                id: if network.id == sample.konnect_network {
                    GATEWAY.into()
                } else {
                    format!("gateway of {}", network.id)
                },
                name: NAME.into(),
                attachment: json!({
                    "kind": "azure-vnet-peering-attachment", "resource_group_name": "RG-Network-Prod",
                    "subscription_id": sample.subscription, "tenant_id": sample.tenant, "vnet_name": "VNet-Apps",
                }),
                dns: json!([]),
                state: "ready".into(),
                created: THEN.into(),
                updated: THEN.into(),
                version: 1,
                ..TransitGateway::default()
            });
        }
    });
}

/// Every single thing in a picture of a world.
pub fn things(world: &Value) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    let none = Vec::new();
    for (kind, items) in world.as_object().expect("a picture") {
        for item in items.as_array().expect("a list") {
            let parts = ["peerings", "connections", "gateways"];
            let mut bare = item.clone();
            for part in parts {
                let inner = item[part].as_array().unwrap_or(&none);
                for thing in inner {
                    all.insert(format!("{part} of {}: {thing}", item["id"]));
                }
                if let Some(map) = bare.as_object_mut() {
                    map.remove(part);
                }
            }
            all.insert(format!("{kind}: {bare}"));
        }
    }
    all
}

/// What the second world has that the first has not.
pub fn more(less: &Value, more: &Value) -> BTreeSet<String> {
    let less = things(less);
    things(more)
        .into_iter()
        .filter(|it| !less.contains(it))
        .collect()
}

/// A thing whatever its state: a half that lost its other one is the same half.
fn stateless(thing: &str) -> String {
    let Some((before, rest)) = thing.split_once(r#""state":""#) else {
        return thing.to_owned();
    };
    let after = rest.split_once('"').map_or("", |(_, after)| after);
    format!("{before}{after}")
}

/// Whether everything that was there before undo, and is none of the run's things, is there still; and what of the run's is.
pub fn spared(
    ours: &BTreeSet<String>,
    before: &Value,
    after: &Value,
) -> Result<BTreeSet<String>, String> {
    let (before, after) = (things(before), things(after));
    let of_ours: BTreeSet<String> = ours.iter().map(|it| stateless(it)).collect();
    let is_ours = |it: &&String| ours.contains(*it) || of_ours.contains(&stateless(it));
    let harmed: Vec<_> = before
        .iter()
        .filter(|it| !is_ours(it) && !after.contains(*it))
        .collect();
    let strange: Vec<_> = after
        .iter()
        .filter(|it| !is_ours(it) && !before.contains(*it))
        .collect();
    if harmed.is_empty() && strange.is_empty() {
        return Ok(after.iter().filter(is_ours).cloned().collect());
    }
    Err(format!("harmed: {harmed:#?}\nnew: {strange:#?}"))
}

/// A deletion that found nothing to delete was aimed at something without looking.
pub fn no_blind_deletion(seen: &[Seen]) -> Result<(), String> {
    let blind = seen.iter().filter(|it| {
        it.method == "DELETE"
            && (it.status == 404 || it.status == 204 && it.service == Service::Arm)
    });
    let blind: Vec<_> = blind.map(|it| &it.path).collect();
    if blind.is_empty() {
        Ok(())
    } else {
        Err(format!("blind deletions: {blind:?}"))
    }
}

/// A saved run as text with one fact set wherever it stands.
pub fn set_fact(saved: &Value, name: &str, value: &str) -> Value {
    let mut saved = saved.clone();
    let mut parts = vec![&mut saved];
    while let Some(part) = parts.pop() {
        let Some(map) = part.as_object_mut() else {
            continue;
        };
        for (key, inner) in map.iter_mut() {
            if key == "facts" {
                if let Some(fact) = inner.get_mut(name) {
                    *fact = json!(value);
                }
            } else {
                parts.push(inner);
            }
        }
    }
    saved
}

/// The records of a saved run, wherever they stand.
pub fn records(saved: &mut Value) -> Vec<(String, &mut Value)> {
    let mut all = Vec::new();
    let mut parts = vec![saved];
    while let Some(part) = parts.pop() {
        let Some(map) = part.as_object_mut() else {
            continue;
        };
        for (key, inner) in map.iter_mut() {
            if key == "steps" {
                let steps = inner.as_object_mut().expect("steps");
                all.extend(steps.iter_mut().map(|(id, record)| (id.clone(), record)));
            } else {
                parts.push(inner);
            }
        }
    }
    all
}

/// All facts of a saved run.
pub fn facts(saved: &Value) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    let mut parts = vec![saved];
    while let Some(part) = parts.pop() {
        let Some(map) = part.as_object() else {
            continue;
        };
        for (key, inner) in map {
            if key == "facts" {
                let facts = inner.as_object().expect("facts");
                let texts = facts.iter().map(|(key, value)| {
                    (key.clone(), value.as_str().unwrap_or_default().to_owned())
                });
                all.extend(texts);
            } else {
                parts.push(inner);
            }
        }
    }
    all
}

/// A saved run of one VNet in the first format.
pub fn as_format_1(saved: &Value) -> Value {
    let mut old = saved.clone();
    let members = old["members"].take();
    let map = old.as_object_mut().expect("a run");
    map.remove("members");
    map.insert("format".into(), json!(1));
    for member in members.as_object().into_iter().flat_map(|it| it.values()) {
        for part in ["facts", "steps"] {
            let own = member[part].as_object().cloned().unwrap_or_default();
            old[part].as_object_mut().expect("an object").extend(own);
        }
    }
    old
}
