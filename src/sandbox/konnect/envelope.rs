//! How Konnect wraps lists and refusals, and the limits that it names in them.

use serde_json::{Value, json};

use crate::sandbox::faults::Fault;
use crate::sandbox::log::Service;
use crate::sandbox::wire::{Answer, Ask, Reply};
use crate::sandbox::world::{World, guid};

/// The kind of attachment that peers with a virtual network.
pub(super) const KIND: &str = "azure-vnet-peering-attachment";
/// The most characters a name may have.
pub(super) const LONGEST_NAME: usize = 120;

/// A list answer: filtered by `filter[field][operator]`, in pages by `page[size]` and `page[number]`.
pub(super) fn list(world: &mut World, ask: &Ask, items: Vec<Value>) -> Reply {
    let number = |key: &str, default: usize| match ask.query(key).unwrap_or_default() {
        "" => Ok(default),
        text => text
            .parse::<usize>()
            .ok()
            .filter(|number| (1..=100).contains(number) || key == "page[number]")
            .ok_or_else(|| invalid(&[(key, "is_integer", "must be a positive integer")])),
    };
    let (mut size, mut page) = (number("page[size]", 10)?, number("page[number]", 1)?);
    let fault = world.faults.strike(Service::Of("konnect"), ask, |fault| {
        matches!(
            fault,
            Fault::PageSize(_) | Fault::EndlessPages | Fault::PageCycle
        )
    });
    match fault {
        Some(Fault::PageSize(small)) => size = size.min(small),
        // The number of the page is not looked at.
        Some(_) => page = 1,
        None => {}
    }
    let mut kept = items;
    for (key, wanted) in &ask.query {
        let Some(rest) = key
            .strip_prefix("filter[")
            .and_then(|rest| rest.strip_suffix(']'))
        else {
            continue;
        };
        let (field, operator) = rest.split_once("][").unwrap_or((rest, "eq"));
        if !["name", "state", "provider"].contains(&field)
            || !["eq", "neq", "contains", "oeq", "ocontains"].contains(&operator)
        {
            return Err(invalid(&[(
                key,
                "unknown_property",
                "is not a supported filter",
            )]));
        }
        kept.retain(|item| {
            let value = item[field].as_str().unwrap_or_default();
            match operator {
                "neq" => value != wanted,
                "contains" => value.contains(wanted.as_str()),
                "oeq" => wanted.split(',').any(|one| one == value),
                "ocontains" => wanted.split(',').any(|one| value.contains(one)),
                _ => value == wanted,
            }
        });
    }
    let total = match fault {
        Some(Fault::EndlessPages | Fault::PageCycle) => usize::MAX,
        _ => kept.len(),
    };
    let data: Vec<Value> = kept
        .into_iter()
        .skip(page.saturating_sub(1) * size)
        .take(size)
        .collect();
    Ok(Answer::json(
        200,
        json!({"data": data, "meta": {"page": {"number": page, "size": size, "total": total}}}),
    ))
}

pub(super) fn not_found(kind: &str, id: &str) -> Answer {
    problem(404, "Not Found", &format!("Could not find {kind} [{id}]"))
}

/// A refusal that names fields: field, rule, reason.
pub(super) fn invalid(parameters: &[(&str, &str, &str)]) -> Answer {
    let mut answer = problem(400, "Bad Request", "Invalid parameters");
    if let Some(body) = &mut answer.body {
        let parameters: Vec<Value> = parameters
            .iter()
            .map(|(field, rule, reason)| {
                let mut parameter =
                    json!({"field": field, "rule": rule, "reason": reason, "source": "body"});
                if *rule == "max_length" {
                    parameter["maximum"] = json!(LONGEST_NAME);
                }
                if *rule == "enum" {
                    parameter["choices"] = json!([KIND]);
                }
                parameter
            })
            .collect();
        body["invalid_parameters"] = json!(parameters);
    }
    answer
}

/// The error envelope of RFC 9457.
pub(super) fn problem(status: u16, title: &str, detail: &str) -> Answer {
    let trace = guid().replace('-', "");
    let body = json!({"status": status, "title": title, "instance": format!("kong:trace:{trace}"), "detail": detail});
    Answer::json(status, body).with("content-type", "application/problem+json")
}
