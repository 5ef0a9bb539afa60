//! A picture of a world in which two runs of the same flow look the same: what this run made has the name of its fact
//! instead of its id, and everything is sorted.

use serde_json::Value;
use std::collections::BTreeMap;

/// The world with the run's ids replaced by the names of its facts; ids that were there `before` stay, others read `<id>`.
pub fn picture(world: &Value, before: &Value, facts: &BTreeMap<String, String>) -> Value {
    let (mut text, before) = (world.to_string(), before.to_string());
    for (name, value) in facts {
        if is_guid(value) && !before.contains(value.as_str()) {
            text = text.replace(value.as_str(), &format!("<{name}>"));
        }
    }
    let mut out = String::new();
    let mut rest = text.as_str();
    while !rest.is_empty() {
        match rest.get(..36).filter(|start| is_guid(start)) {
            Some(id) if before.contains(id) => {
                out.push_str(id);
                rest = &rest[36..];
            }
            Some(_) => {
                out.push_str("<id>");
                rest = &rest[36..];
            }
            None => {
                let end = rest.chars().next().map_or(1, char::len_utf8);
                out.push_str(&rest[..end]);
                rest = &rest[end..];
            }
        }
    }
    let mut picture = serde_json::from_str(&out).expect("only texts were replaced");
    sort(&mut picture);
    picture
}

fn is_guid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
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
