//! Kong Konnect's Dedicated Cloud Gateway networks and their transit gateways.
//!
//! Models <https://developer.konghq.com/api/konnect/cloud-gateways/v2/>.

mod backend;
mod envelope;
mod gateways;

use serde_json::{Value, json};

use self::envelope::{list, not_found, problem};
use super::lag::Settle;
use super::sample;
use super::vendor::{Backend, sorted};
use super::wire::{Answer, Ask, Reply};
use super::world::{GatewayNetwork, ProviderAccount, World, guid, sha256};

pub(super) const BACKEND: Backend = Backend {
    name: "konnect",
    serves: |path| matches!(path, ["v2", "cloud-gateways", ..]),
    answer,
    failure: |status, code, message| {
        json!({
            "status": status, "title": code, "instance": format!("kong:trace:{}", guid()), "detail": message
        })
    },
    advance: backend::advance,
    furnish: sample::konnect,
    samples: &[],
    secrets: &[],
    picture,
    peerings: |world| {
        let networks = world.konnect.networks.iter();
        let gateways = networks.flat_map(|network| &network.gateways);
        gateways.map(|gateway| gateway.id.clone()).collect()
    },
    resting: &["pending-user-action", "error"],
    refusals: &["pending-user-action", "error"],
    say: |world, word| {
        let networks = world.konnect.networks.iter_mut();
        for gateway in networks.flat_map(|network| &mut network.gateways) {
            word.clone_into(&mut gateway.state);
            gateway.settle = Settle::Looks(u32::MAX);
        }
    },
};

fn picture(world: &World) -> Value {
    sorted(world.konnect.networks.iter().map(|network| {
            let gateways = network.gateways.iter().map(|gateway| {
                json!({
                    "id": gateway.id, "name": gateway.name, "attachment": gateway.attachment, "dns": gateway.dns, "state": gateway.state,
                })
            });
            json!({"id": network.id, "name": network.name, "state": network.state, "gateways": sorted(gateways)})
        }))
}

fn answer(world: &mut World, ask: &Ask) -> Reply {
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
