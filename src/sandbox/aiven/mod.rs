//! Aiven, and Timescale which shares its API: projects, organizations, their VPCs and peering connections.
//!
//! Models <https://api.aiven.io/doc/>.

mod backend;
mod connections;
mod envelope;

use serde_json::{Value, json};

use self::envelope::{error, unknown_path};
use super::lag::Settle;
use super::sample;
use super::vendor::{Backend, sorted};
use super::wire::{Answer, Ask, Reply};
use super::world::{Account, Vpc, World, sha256};

pub(super) const BACKEND: Backend = Backend {
    name: "aiven",
    serves: |path| {
        let families = ["clouds", "me", "project", "organizations", "organization"];
        matches!(path, ["v1", family, ..] if families.contains(family))
    },
    answer,
    failure: |status, _, message| json!({"errors": [{"message": message, "status": status}], "message": message}),
    advance: backend::advance,
    furnish: sample::aiven,
    samples: &[],
    secrets: &[],
    picture,
    peerings: |world| {
        let rows = world.aiven.vpcs.iter().flat_map(|vpc| &vpc.rows);
        rows.map(|row| row.id.clone()).collect()
    },
    resting: &["PENDING_PEER", "REJECTED_BY_PEER"],
    refusals: &["INVALID_SPECIFICATION"],
    say: |world, word| {
        for row in world.aiven.vpcs.iter_mut().flat_map(|vpc| &mut vpc.rows) {
            word.clone_into(&mut row.state);
            row.settle = Settle::Looks(u32::MAX);
        }
    },
};

fn picture(world: &World) -> Value {
    sorted(world.aiven.vpcs.iter().map(|vpc| {
            let rows = vpc.rows.iter().map(|row| {
                json!({
                    "id": row.id, "account": row.account, "group": row.group, "vnet": row.vnet, "app": row.app, "tenant": row.tenant,
                    "state": row.state,
                })
            });
            json!({"id": vpc.id, "cloud": vpc.cloud, "cidr": vpc.cidr, "state": vpc.state, "connections": sorted(rows)})
        }))
}

fn answer(world: &mut World, ask: &Ask) -> Reply {
    let (method, parts) = ask.route();
    if let ("GET", ["clouds"]) = (method, &parts[1..]) {
        return Ok(Answer::json(200, json!({"clouds": clouds("aiven")})));
    }
    let account = account(world, ask)?;
    if ask.garbled {
        return Err(error(
            400,
            "invalid_input",
            "Request body is not valid JSON",
        ));
    }
    match (method, &parts[1..]) {
        ("GET", ["me"]) => Ok(Answer::json(200, json!({"user": user(&account)}))),
        ("GET", ["project"]) => Ok(Answer::json(
            200,
            json!({"projects": projects(&account, None), "project_membership": {}, "project_memberships": {}}),
        )),
        ("GET", ["organizations"]) => {
            let organizations: Vec<Value> = account
                .organizations
                .iter()
                .map(|(id, name)| organization(id, name))
                .collect();
            Ok(Answer::json(200, json!({"organizations": organizations})))
        }
        (_, ["project", name, rest @ ..]) => in_project(world, ask, &account, name, rest),
        (_, ["organization", id, rest @ ..]) => in_organization(world, ask, &account, id, rest),
        _ => Err(unknown_path()),
    }
}

fn in_project(world: &mut World, ask: &Ask, account: &Account, name: &str, rest: &[&str]) -> Reply {
    if !account.projects.iter().any(|known| known == name) {
        return Err(error(
            404,
            "project_does_not_exist",
            "Project does not exist",
        ));
    }
    match (ask.method.as_str(), rest) {
        ("GET", []) => Ok(Answer::json(
            200,
            json!({"project": projects(account, Some(name))[0]}),
        )),
        ("GET", ["clouds"]) => Ok(Answer::json(200, json!({"clouds": clouds(&account.realm)}))),
        ("GET", ["vpcs"]) => {
            let vpcs: Vec<Value> = world
                .aiven
                .vpcs
                .iter()
                .filter(|vpc| vpc.project.as_deref() == Some(name))
                .map(|vpc| shape(vpc, false))
                .collect();
            Ok(Answer::json(200, json!({"vpcs": vpcs})))
        }
        ("GET", ["vpc-peering-connection-types"]) => Ok(connection_types()),
        (_, ["vpcs", id, rest @ ..]) => {
            let found = world.aiven.vpcs.iter().position(|vpc| {
                vpc.project.as_deref() == Some(name) && vpc.id.eq_ignore_ascii_case(id)
            });
            let at = found.ok_or_else(|| {
                error(
                    404,
                    "not_found",
                    &format!("VPC {id} not found in project {name}"),
                )
            })?;
            match (ask.method.as_str(), rest) {
                ("GET", []) | ("POST", ["peering-connections", "refresh"]) => Ok(seen(world, at)),
                ("POST", ["peering-connections"]) => connections::create(world, ask, at),
                (
                    "DELETE",
                    [
                        "peering-connections",
                        "peer-accounts",
                        account,
                        "peer-resource-groups",
                        group,
                        "peer-vpcs",
                        vnet,
                    ],
                ) => connections::delete(world, at, |row| {
                    connections::is_for(row, account, Some(group), vnet)
                }),
                (
                    "DELETE",
                    [
                        "peering-connections",
                        "peer-accounts",
                        account,
                        "peer-vpcs",
                        vnet,
                    ],
                ) => connections::delete(world, at, |row| {
                    connections::is_for(row, account, None, vnet)
                }),
                _ => Err(unknown_path()),
            }
        }
        _ => Err(unknown_path()),
    }
}

fn in_organization(
    world: &mut World,
    ask: &Ask,
    account: &Account,
    id: &str,
    rest: &[&str],
) -> Reply {
    if account.realm == "timescale" {
        return Err(error(
            403,
            "action_forbidden_for_timescale_users",
            "Organizations are not available to Timescale users",
        ));
    }
    let Some((_, name)) = account.organizations.iter().find(|(known, _)| known == id) else {
        return Err(error(
            404,
            "organization_not_found",
            "Organization not found",
        ));
    };
    match (ask.method.as_str(), rest) {
        ("GET", []) => Ok(Answer::json(200, organization(id, name))),
        ("GET", ["projects"]) => Ok(Answer::json(
            200,
            json!({"projects": projects(account, None), "total_project_count": account.projects.len()}),
        )),
        ("GET", ["vpc-clouds"]) => Ok(Answer::json(200, json!({"clouds": clouds(&account.realm)}))),
        ("GET", ["vpc-peering-connection-types"]) => Ok(connection_types()),
        ("GET", ["vpcs"]) => {
            let vpcs: Vec<Value> = world
                .aiven
                .vpcs
                .iter()
                .filter(|vpc| vpc.organization.as_deref() == Some(id))
                .map(|vpc| shape(vpc, false))
                .collect();
            Ok(Answer::json(200, json!({"vpcs": vpcs})))
        }
        // The API description says `vpc` and `peering-connection` below it; Aiven's own command line says `vpcs` and
        // `peering-connections`. Both are served.
        (_, [family @ ("vpc" | "vpcs"), vpc, rest @ ..]) => {
            let found = world.aiven.vpcs.iter().position(|known| {
                known.organization.as_deref() == Some(id) && known.id.eq_ignore_ascii_case(vpc)
            });
            let at = found.ok_or_else(|| {
                error(
                    404,
                    "not_found",
                    &format!("Organization VPC {vpc} not found"),
                )
            })?;
            match (ask.method.as_str(), *family, rest) {
                ("GET", "vpcs", ["peering-connections"]) => {
                    let body = seen(world, at).body.unwrap_or_default();
                    Ok(Answer::json(
                        200,
                        json!({"peering_connections": body["peering_connections"]}),
                    ))
                }
                ("POST", _, ["peering-connections"]) => connections::create(world, ask, at),
                ("GET", _, [])
                | ("POST", "vpc", ["peering-connections", "refresh"])
                | ("POST", "vpcs", ["peering-connections", "actions", "refresh"]) => {
                    Ok(seen(world, at))
                }
                ("DELETE", "vpc", ["peering-connection", row])
                | ("DELETE", "vpcs", ["peering-connections", row]) => {
                    connections::delete(world, at, |known| known.id.eq_ignore_ascii_case(row))
                }
                _ => Err(unknown_path()),
            }
        }
        _ => Err(unknown_path()),
    }
}

/// Shows a VPC with its connections; a look at them brings what is under way nearer.
fn seen(world: &mut World, at: usize) -> Answer {
    backend::look(world, at);
    Answer::json(200, shape(&world.aiven.vpcs[at], true))
}

fn account(world: &World, ask: &Ask) -> Result<Account, Answer> {
    let refusal = || error(403, "authentication_failed", "Invalid or expired token");
    let token = ask.bearer("aivenv1").ok_or_else(refusal)?;
    let hash = sha256(token);
    world
        .aiven
        .accounts
        .iter()
        .find(|account| account.sha256 == hash)
        .cloned()
        .ok_or_else(refusal)
}

fn shape(vpc: &Vpc, with_rows: bool) -> Value {
    let mut body = match &vpc.organization {
        Some(organization) => json!({
            "organization_vpc_id": vpc.id, "organization_id": organization, "display_name": "",
            "clouds": [{"cloud_name": vpc.cloud, "network_cidr": vpc.cidr}],
        }),
        None => {
            json!({"project_vpc_id": vpc.id, "cloud_name": vpc.cloud, "network_cidr": vpc.cidr})
        }
    };
    body["state"] = json!(vpc.state);
    body["create_time"] = json!(vpc.created);
    body["update_time"] = json!(vpc.created);
    if with_rows {
        body["peering_connections"] = vpc
            .rows
            .iter()
            .map(|row| connections::shape(vpc, row))
            .collect();
        body["pending_build_only_peering_connections"] = Value::Null;
    }
    body
}

fn user(account: &Account) -> Value {
    json!({
        "user": account.email, "user_id": format!("u{}", &account.sha256[..11]), "real_name": "Alex Example", "state": "active",
        "projects": account.projects, "project_membership": {}, "project_memberships": {}, "token_validity_begin": "2025-01-15T09:00:00Z",
        "invitations": [], "tenant": account.realm,
        "auth": ["token"], "create_time": "2025-01-15T09:00:00Z", "managed_by_scim": false, "view_type": "default",
    })
}

fn projects(account: &Account, only: Option<&str>) -> Vec<Value> {
    let organization = account
        .organizations
        .first()
        .map_or("org0000000000", |(id, _)| id);
    account
        .projects
        .iter()
        .filter(|name| only.is_none_or(|only| only == name.as_str()))
        .map(|name| {
            json!({
                "project_name": name, "organization_id": organization, "account_id": "a1b2c3d4e5f6", "account_name": "Acme",
                "default_cloud": if account.realm == "timescale" { "timescale-azure-westeurope" } else { "azure-westeurope" },
                "tenant_id": account.realm, "country_code": "FI", "billing_currency": "USD", "estimated_balance": "0.00",
                "payment_method": "card", "vat_id": "", "tags": {}, "available_credits": "0.00",
                "billing_address": "", "billing_emails": [], "billing_group_id": "7d4c2b1a-9e8f-4a6b-8c5d-3e2f1a0b9c8d",
                "billing_group_name": "Acme", "country": "Finland", "end_of_life_extension": {}, "parent_id": "a1b2c3d4e5f6",
                "project_id": &sha256(name)[..12], "tech_emails": [],
            })
        })
        .collect()
}

fn organization(id: &str, name: &str) -> Value {
    json!({
        "organization_id": id, "organization_name": name, "account_id": "a1b2c3d4e5f6", "tier": "business",
        "create_time": "2025-01-15T09:00:00Z", "update_time": "2025-01-15T09:00:00Z",
    })
}

fn clouds(realm: &str) -> Vec<Value> {
    let prefix = if realm == "timescale" {
        "timescale-"
    } else {
        ""
    };
    ["azure-westeurope", "azure-northeurope", "aws-eu-west-1", "google-europe-west1"]
        .map(|name| {
            let provider = name.split('-').next();
            json!({
                "cloud_name": format!("{prefix}{name}"), "cloud_description": format!("Europe - {name}"), "geo_region": "europe",
                "geo_latitude": 52.0, "geo_longitude": 4.0, "provider": provider, "provider_description": provider,
            })
        })
        .to_vec()
}

fn connection_types() -> Answer {
    let types = [("azure-westeurope", "azure-vnet-peering"), ("aws-eu-west-1", "aws-vpc-peering-connection")]
        .map(|(cloud, kind)| json!({"cloud_name": cloud, "price_usd": "0.00000", "vpc_peering_connection_type": kind}));
    Answer::json(200, json!({"vpc_peering_connection_types": types}))
}
