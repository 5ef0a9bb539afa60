//! A world in which what a script made and what this program made look the same.

use crate::support::Cloud;
use peer_wizard::provider::Provider;
use serde_json::Value;

/// The world, with what was not there `before` called by what it is instead of by its id, so that who refers to whom is
/// still compared. Left out is what the two ways cannot have in common:
///
/// * an application's `uniqueName`, which is derived from the run's name;
/// * the tags of principals: this program notes its run there, and `az` its usual one;
/// * the flags of a peering that are false, which `az` spells out;
/// * the run's name, which is in the default names of the application and the peering.
pub fn shape(cloud: &Cloud, before: &Value, provider: &Provider) -> Value {
    let mut world = cloud.world();
    let old = before.to_string();
    let mut names: Vec<(String, String)> = Vec::new();
    let mut name = |id: &Value, name: String| {
        if let Some(id) = id.as_str().filter(|id| !id.is_empty() && !old.contains(id)) {
            names.push((id.to_owned(), name));
        }
    };
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    for app in list(&world["applications"]) {
        name(
            &app["id"],
            format!("<object of {}>", text(&app["displayName"])),
        );
        name(
            &app["appId"],
            format!("<client of {}>", text(&app["displayName"])),
        );
    }
    for it in list(&world["principals"]) {
        name(
            &it["id"],
            format!(
                "<principal of {} in {}>",
                text(&it["displayName"]),
                text(&it["tenant"])
            ),
        );
    }
    for role in list(&world["roles"]) {
        name(&role["id"], format!("<role {}>", text(&role["name"])));
    }
    for it in list(&world["assignments"]) {
        name(&it["id"], "<assignment>".into());
    }
    for id in &cloud.sandbox.peerings() {
        name(&Value::from(id.as_str()), "<the provider's peering>".into());
    }
    replace(&mut world, &|text| {
        let mut text = text.to_owned();
        for (id, name) in &names {
            text = text.replace(id, name);
        }
        without_run(&text, provider.id)
    });
    leave_out(&mut world);
    sort(&mut world);
    world
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn leave_out(world: &mut Value) {
    let each = |world: &mut Value, kind: &str, change: &dyn Fn(&mut Value)| {
        if let Some(all) = world[kind].as_array_mut() {
            all.iter_mut().for_each(change);
        }
    };
    let remove = |value: &mut Value, field: &str| {
        if let Some(fields) = value.as_object_mut() {
            fields.remove(field);
        }
    };
    each(world, "applications", &|app| remove(app, "uniqueName"));
    each(world, "principals", &|it| remove(it, "tags"));
    each(world, "networks", &|network| {
        each(network, "peerings", &|half| {
            if let Some(flags) = half["flags"].as_object_mut() {
                flags.retain(|_, value| *value != Value::Bool(false));
            }
        });
    });
}

/// The text with `<run>` for the run's name: the provider, a hyphen, and four characters.
fn without_run(text: &str, provider: &str) -> String {
    let prefix = format!("{provider}-");
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(&prefix) {
        let after = &rest[at + prefix.len()..];
        let letters = after.bytes().take_while(u8::is_ascii_alphanumeric).count();
        out.push_str(&rest[..at]);
        if letters == 4 {
            out.push_str("<run>");
            rest = &after[4..];
        } else {
            out.push_str(&prefix);
            rest = after;
        }
    }
    out + rest
}

fn replace(value: &mut Value, change: &dyn Fn(&str) -> String) {
    match value {
        Value::String(text) => *text = change(text),
        Value::Array(items) => items.iter_mut().for_each(|item| replace(item, change)),
        Value::Object(fields) => fields.values_mut().for_each(|field| replace(field, change)),
        _ => {}
    }
}

fn sort(value: &mut Value) {
    match value {
        Value::Array(items) => {
            items.iter_mut().for_each(sort);
            items.sort_by_cached_key(Value::to_string);
        }
        Value::Object(fields) => fields.values_mut().for_each(sort),
        _ => {}
    }
}

/// Asserts that two worlds are the same, or shows the lines in which they differ.
#[track_caller]
pub fn assert_same(what: &str, now: &Value, wanted: &Value) {
    if now == wanted {
        return;
    }
    let pretty = |value: &Value| serde_json::to_string_pretty(value).unwrap_or_default();
    let (now, wanted) = (pretty(now), pretty(wanted));
    let only = |a: &str, b: &str, mark: char| -> String {
        let b: Vec<&str> = b.lines().collect();
        let lines = a.lines().filter(|line| !b.contains(line));
        lines.map(|line| format!("{mark}{line}\n")).collect()
    };
    panic!(
        "{what}: the world is not as it should be\n{}{}",
        only(&wanted, &now, '-'),
        only(&now, &wanted, '+'),
    );
}
