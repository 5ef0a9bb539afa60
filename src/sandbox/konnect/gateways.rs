//! Transit gateways as the API creates, shows and deletes them; the backend does the rest.

use serde_json::{Value, json};

use super::backend;
use super::envelope::{KIND, LONGEST_NAME, invalid, list, not_found, problem};
use crate::sandbox::faults::Fault;
use crate::sandbox::lag::{Spread, stamp};
use crate::sandbox::log::Service;
use crate::sandbox::wire::{Answer, Ask, Reply};
use crate::sandbox::world::{TransitGateway, World, guid};

/// Everything below `/networks/{id}/transit-gateways`.
pub(super) fn answer(world: &mut World, ask: &Ask, at: usize, rest: &[&str]) -> Reply {
    match (ask.method.as_str(), rest) {
        ("GET", []) => {
            backend::look(world, at);
            let gateways = world.konnect.networks[at]
                .gateways
                .iter()
                .map(shape)
                .collect();
            list(world, ask, gateways)
        }
        ("POST", []) => create(world, ask, at),
        ("GET", [id]) => {
            backend::look(world, at);
            let gateway = find(world, at, id)?;
            Ok(Answer::json(
                200,
                shape(&world.konnect.networks[at].gateways[gateway]),
            ))
        }
        ("DELETE", [id]) => {
            let gateway = find(world, at, id)?;
            let settle = world.lag.begin(Spread::Removal);
            let gateway = &mut world.konnect.networks[at].gateways[gateway];
            if ["created", "initializing", "terminating"].contains(&gateway.state.as_str()) {
                let text = format!(
                    "Transit gateway [{id}] cannot be deleted in state [{}]",
                    gateway.state
                );
                return Err(with_parameters(problem(400, "Bad Request", &text)));
            }
            "terminating".clone_into(&mut gateway.state);
            gateway.updated = stamp();
            gateway.settle = settle;
            Ok(Answer::empty(204))
        }
        ("PATCH", [id]) => {
            find(world, at, id)?;
            Err(with_parameters(problem(
                400,
                "Bad Request",
                "Azure transit gateways cannot be updated",
            )))
        }
        _ => Err(problem(404, "Not Found", "Not found")),
    }
}

fn create(world: &mut World, ask: &Ask, at: usize) -> Reply {
    let faults = check(&ask.body);
    if ask.garbled || !ask.body.is_object() {
        return Err(invalid(&[("body", "is_object", "must be an object")]));
    }
    if !faults.is_empty() {
        let faults: Vec<(&str, &str, &str)> = faults
            .iter()
            .map(|(field, rule, reason)| (field.as_str(), *rule, *reason))
            .collect();
        return Err(invalid(&faults));
    }
    let network = &world.konnect.networks[at];
    if network.state != "ready" {
        let text = format!(
            "Network [{}] is not ready: its state is [{}]",
            network.id, network.state
        );
        return Err(with_parameters(problem(400, "Bad Request", &text)));
    }
    let provider = world
        .konnect
        .accounts
        .iter()
        .find(|account| account.id == network.account);
    if provider.is_none_or(|account| account.provider != "azure") {
        return Err(invalid(&[(
            "transit_gateway_attachment_config.kind",
            "invalid",
            "does not fit the provider of the network",
        )]));
    }
    let name = ask.text("name").unwrap_or_default();
    if network.gateways.iter().any(|gateway| gateway.name == name) {
        return Err(problem(
            409,
            "Conflict",
            &format!("A transit gateway with the name [{name}] already exists in the network"),
        ));
    }
    let state = match world.faults.strike(Service::Of("konnect"), ask, |fault| {
        matches!(fault, Fault::Strange(_))
    }) {
        Some(Fault::Strange(other)) => other,
        _ => "created".to_owned(),
    };
    let gateway = TransitGateway {
        id: guid(),
        name: name.to_owned(),
        attachment: ask.body["transit_gateway_attachment_config"].clone(),
        dns: ask
            .body
            .get("dns_config")
            .cloned()
            .unwrap_or_else(|| json!([])),
        state,
        created: stamp(),
        updated: stamp(),
        version: 1,
        settle: world.lag.begin(Spread::Order),
        ..TransitGateway::default()
    };
    let body = shape(&gateway);
    world.konnect.networks[at].gateways.push(gateway);
    Ok(Answer::json(201, body))
}

/// What is wrong with a body: field, rule, reason.
fn check(body: &Value) -> Vec<(String, &'static str, &'static str)> {
    let mut faults = Vec::new();
    let mut fault = |field: &str, rule, reason| faults.push((field.to_owned(), rule, reason));
    let unknown = |value: &Value, known: &[&str]| -> Vec<String> {
        value
            .as_object()
            .into_iter()
            .flatten()
            .map(|(key, _)| key.clone())
            .filter(|key| !known.contains(&key.as_str()))
            .collect()
    };
    for key in unknown(
        body,
        &["name", "dns_config", "transit_gateway_attachment_config"],
    ) {
        fault(&key, "unknown_property", "is not a known property");
    }
    match &body["name"] {
        Value::String(name) if name.is_empty() => fault("name", "required", "is a required field"),
        Value::String(name) if name.chars().count() > LONGEST_NAME => fault(
            "name",
            "max_length",
            "must not have more than 120 characters",
        ),
        Value::String(_) => {}
        Value::Null => fault("name", "required", "is a required field"),
        _ => fault("name", "is_string", "must be a string"),
    }
    let (attachment, place) = (
        &body["transit_gateway_attachment_config"],
        "transit_gateway_attachment_config",
    );
    let fields = [
        "tenant_id",
        "subscription_id",
        "resource_group_name",
        "vnet_name",
    ];
    if attachment.is_object() {
        for key in fields
            .iter()
            .filter(|key| attachment[**key].as_str().is_none_or(str::is_empty))
        {
            fault(&format!("{place}.{key}"), "required", "is a required field");
        }
        if attachment["kind"] != KIND {
            fault(
                &format!("{place}.kind"),
                "enum",
                "must be one of the choices",
            );
        }
        for key in unknown(attachment, &[&fields[..], &["kind"]].concat()) {
            fault(
                &format!("{place}.{key}"),
                "unknown_property",
                "is not a known property",
            );
        }
    } else {
        fault(place, "required", "is a required field");
    }
    match &body["dns_config"] {
        Value::Null => {}
        Value::Array(mappings) => {
            for (number, mapping) in mappings.iter().enumerate() {
                for (key, rule, reason, fits) in DNS {
                    let values = mapping[key].as_array();
                    if values.is_none_or(|values| {
                        values.is_empty()
                            || !values.iter().all(|value| value.as_str().is_some_and(fits))
                    }) {
                        fault(&format!("dns_config[{number}].{key}"), rule, reason);
                    }
                }
                for key in unknown(mapping, &DNS.map(|(key, ..)| key)) {
                    fault(
                        &format!("dns_config[{number}].{key}"),
                        "unknown_property",
                        "is not a known property",
                    );
                }
            }
        }
        _ => fault("dns_config", "is_array", "must be an array"),
    }
    faults
}

/// A list in a DNS mapping: name, rule, reason, and what an entry must be.
type List = (&'static str, &'static str, &'static str, fn(&str) -> bool);

/// The two lists of a DNS mapping.
const DNS: [List; 2] = [
    (
        "remote_dns_server_ip_addresses",
        "invalid",
        "must be a list of IP addresses",
        |text| text.parse::<std::net::IpAddr>().is_ok(),
    ),
    (
        "domain_proxy_list",
        "is_fqdn",
        "must be a list of domain names",
        is_domain,
    ),
];

fn is_domain(text: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label
                .chars()
                .all(|letter| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= 253 && text.contains('.') && text.split('.').all(label)
}

fn find(world: &World, at: usize, id: &str) -> Result<usize, Answer> {
    let gateways = &world.konnect.networks[at].gateways;
    gateways
        .iter()
        .position(|gateway| gateway.id == id)
        .ok_or_else(|| not_found("transit gateway", id))
}

fn shape(gateway: &TransitGateway) -> Value {
    let mut body = json!({
        "id": gateway.id, "name": gateway.name, "dns_config": gateway.dns, "transit_gateway_attachment_config": gateway.attachment,
        "state": gateway.state, "entity_version": gateway.version, "created_at": gateway.created, "updated_at": gateway.updated,
    });
    if let Some(reason) = &gateway.reason {
        body["state_metadata"] =
            json!({"reported_status": gateway.state.to_uppercase(), "reason": reason});
    }
    body
}

/// A refusal for a reason that no field has.
fn with_parameters(mut answer: Answer) -> Answer {
    if let Some(body) = &mut answer.body {
        body["invalid_parameters"] = json!([]);
    }
    answer
}
