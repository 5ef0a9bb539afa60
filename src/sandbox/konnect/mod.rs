//! Kong Konnect's Dedicated Cloud Gateway networks and their transit gateways.
//!
//! Models <https://developer.konghq.com/api/konnect/cloud-gateways/v2/>.

mod backend;
mod gateways;

use serde_json::{Value, json};

pub(super) use backend::advance;

use super::faults::Fault;
use super::log::Service;
use super::wire::{Answer, Ask, Reply};
use super::world::{GatewayNetwork, ProviderAccount, World, guid, sha256};

pub(super) fn answer(world: &mut World, ask: &Ask) -> Reply {
    let (method, parts) = ask.route();
    let rest = &parts[2..];
    if let ("GET", ["availability.json"]) = (method, rest) {
        return Ok(Answer::json(200, availability()));
    }
    let hash = ask.bearer("Bearer").map(sha256).unwrap_or_default();
    if !world.konnect.tokens.contains(&hash) {
        return Err(problem(401, "Unauthorized", "Invalid credentials"));
    }
    match (method, rest) {
        ("GET", ["provider-accounts"]) => {
            let accounts = world.konnect.accounts.iter().map(account).collect();
            list(world, ask, accounts)
        }
        ("GET", ["provider-accounts", id]) => {
            let found = world
                .konnect
                .accounts
                .iter()
                .find(|account| account.id == *id);
            found
                .map(|found| Answer::json(200, account(found)))
                .ok_or_else(|| not_found("provider account", id))
        }
        ("GET", ["networks"]) => {
            let networks = world.konnect.networks.iter().map(network).collect();
            list(world, ask, networks)
        }
        (_, ["networks", id, rest @ ..]) => {
            let found = world
                .konnect
                .networks
                .iter()
                .position(|network| network.id == *id);
            let at = found.ok_or_else(|| not_found("network", id))?;
            match (method, rest) {
                ("GET", []) => Ok(Answer::json(200, network(&world.konnect.networks[at]))),
                (_, ["transit-gateways", rest @ ..]) => gateways::answer(world, ask, at, rest),
                _ => Err(problem(404, "Not Found", "Not found")),
            }
        }
        _ => Err(problem(404, "Not Found", "Not found")),
    }
}

/// A list answer: filtered by `filter[field][operator]`, in pages by `page[size]` and `page[number]`.
fn list(world: &mut World, ask: &Ask, items: Vec<Value>) -> Reply {
    let number = |key: &str, default: usize| match ask.query(key).unwrap_or_default() {
        "" => Ok(default),
        text => text
            .parse::<usize>()
            .ok()
            .filter(|number| (1..=100).contains(number) || key == "page[number]")
            .ok_or_else(|| invalid(&[(key, "is_integer", "must be a positive integer")])),
    };
    let (mut size, page) = (number("page[size]", 10)?, number("page[number]", 1)?);
    if let Some(Fault::PageSize(small)) = world.faults.strike(Service::Konnect, ask, |fault| {
        matches!(fault, Fault::PageSize(_))
    }) {
        size = size.min(small);
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
    let total = kept.len();
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

fn account(account: &ProviderAccount) -> Value {
    json!({
        "id": account.id, "provider": account.provider, "provider_account_id": account.account,
        "created_at": "2025-02-10T08:00:00.000Z", "updated_at": "2025-02-10T08:00:00.000Z",
    })
}

fn network(network: &GatewayNetwork) -> Value {
    let provider = if network.network.is_empty() {
        json!({})
    } else {
        json!({"vpc_id": network.network, "subnet_ids": []})
    };
    json!({
        "id": network.id, "name": network.name, "default": false, "cloud_gateway_provider_account_id": network.account,
        "region": network.region, "availability_zones": ["1", "2", "3"], "cidr_block": network.cidr, "state": network.state,
        "provider_metadata": provider, "transit_gateway_count": network.gateways.len(), "configuration_reference_count": 0,
        "entity_version": 1, "created_at": network.created, "updated_at": network.created,
    })
}

/// Where networks can be made; needs no token.
fn availability() -> Value {
    let region = |region: &str, name: &str, zones: [&str; 3]| {
        json!({
            "region": region, "name": name, "availability_zones": zones,
            "cidr_blocks": ["10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16", "198.18.0.0/15"],
            "reserved_cidr_blocks": ["10.100.0.0/16", "172.17.0.0/16"],
        })
    };
    let azure = [
        region("westeurope", "Netherlands", ["1", "2", "3"]),
        region("northeurope", "Ireland", ["1", "2", "3"]),
    ];
    let aws = [region(
        "eu-central-1",
        "Frankfurt",
        ["euc1-az1", "euc1-az2", "euc1-az3"],
    )];
    json!({
        "versions": ["3.11"], "instance_types": [], "serverless_v1_providers": [],
        "providers": [{"provider": "azure", "regions": azure}, {"provider": "aws", "regions": aws}],
    })
}

fn not_found(kind: &str, id: &str) -> Answer {
    problem(404, "Not Found", &format!("Could not find {kind} [{id}]"))
}

/// A refusal that names fields: field, rule, reason.
fn invalid(parameters: &[(&str, &str, &str)]) -> Answer {
    let mut answer = problem(400, "Bad Request", "Invalid parameters");
    if let Some(body) = &mut answer.body {
        let parameters: Vec<Value> = parameters
            .iter()
            .map(|(field, rule, reason)| {
                let mut parameter =
                    json!({"field": field, "rule": rule, "reason": reason, "source": "body"});
                if *rule == "max_length" {
                    parameter["maximum"] = json!(gateways::LONGEST_NAME);
                }
                if *rule == "enum" {
                    parameter["choices"] = json!([gateways::KIND]);
                }
                parameter
            })
            .collect();
        body["invalid_parameters"] = json!(parameters);
    }
    answer
}

/// The error envelope of RFC 9457.
fn problem(status: u16, title: &str, detail: &str) -> Answer {
    let trace = guid().replace('-', "");
    let body = json!({"status": status, "title": title, "instance": format!("kong:trace:{trace}"), "detail": detail});
    Answer::json(status, body).with("content-type", "application/problem+json")
}
