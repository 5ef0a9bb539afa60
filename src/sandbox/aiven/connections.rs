//! Peering connections as the API creates, shows and deletes them; the backend does the rest.

use serde_json::{Value, json};

use super::envelope::error;
use crate::sandbox::faults::Fault;
use crate::sandbox::lag::{Spread, stamp};
use crate::sandbox::log::Service;
use crate::sandbox::wire::{Answer, Ask, Reply};
use crate::sandbox::world::{Row, Vpc, World, guid};

/// `POST …/peering-connections`: makes a row, or asks again for one that failed.
pub(super) fn create(world: &mut World, ask: &Ask, at: usize) -> Reply {
    let wish = wish(ask)?;
    let vpc = &world.aiven.vpcs[at];
    if vpc.state != "ACTIVE" {
        let kind = if vpc.organization.is_some() {
            "Organization"
        } else {
            "Project"
        };
        return Err(error(
            409,
            "conflict",
            &format!(
                "{kind} VPC {} is in state {}, not ACTIVE",
                vpc.id, vpc.state
            ),
        ));
    }
    if vpc.cloud.contains("azure") {
        let Some(app_id) = &wish.app else {
            return Err(invalid("peer_azure_app_id is required"));
        };
        if wish.tenant.is_none() || wish.group.is_none() {
            return Err(invalid(
                "peer_azure_tenant_id and peer_resource_group are required",
            ));
        }
        let app = world
            .applications
            .iter_mut()
            .find(|app| app.deleted.is_none() && app.app_id.eq_ignore_ascii_case(app_id));
        let resolved = app.is_some_and(|app| app.is_multi_tenant() && app.settle.look());
        if !resolved {
            return Err(invalid(&format!(
                "peer_azure_app_id '{app_id}' does not refer to a valid application object"
            )));
        }
    }
    let strange = world.faults.strike(Service::Of("aiven"), ask, |fault| {
        matches!(fault, Fault::Strange(_))
    });
    let settle = world.lag.begin(Spread::Build);
    let vpc = &mut world.aiven.vpcs[at];
    let same = |row: &Row| is_for(row, &wish.account, wish.group.as_deref(), &wish.vnet);
    let fresh = Row {
        id: guid(),
        state: match strange {
            Some(Fault::Strange(other)) => other,
            _ => "APPROVED".to_owned(),
        },
        created: stamp(),
        updated: stamp(),
        settle,
        ..wish.clone()
    };
    let row = match vpc.rows.iter().position(same) {
        None => {
            vpc.rows.push(fresh);
            vpc.rows.len() - 1
        }
        Some(row) => {
            match vpc.rows[row].state.as_str() {
                "INVALID_SPECIFICATION" | "REJECTED_BY_PEER" | "ERROR" => {
                    let id = vpc.rows[row].id.clone();
                    vpc.rows[row] = Row { id, ..fresh };
                }
                state @ ("DELETING" | "DELETED_BY_PEER") => {
                    return Err(error(
                        409,
                        "conflict",
                        &format!("Peering connection is in state {state}"),
                    ));
                }
                _ => {}
            }
            row
        }
    };
    let vpc = &world.aiven.vpcs[at];
    Ok(Answer::json(200, shape(vpc, &vpc.rows[row])))
}

/// `DELETE …`: marks the row; the backend takes Aiven's half away and then the row.
pub(super) fn delete(world: &mut World, at: usize, is_it: impl Fn(&Row) -> bool) -> Reply {
    let settle = world.lag.begin(Spread::Removal);
    let vpc = &mut world.aiven.vpcs[at];
    let Some(row) = vpc.rows.iter().position(is_it) else {
        return Err(error(404, "not_found", "Peering connection does not exist"));
    };
    if vpc.rows[row].state != "DELETING" {
        "DELETING".clone_into(&mut vpc.rows[row].state);
        vpc.rows[row].note = None;
        vpc.rows[row].updated = stamp();
        vpc.rows[row].settle = settle;
    }
    Ok(Answer::json(200, shape(vpc, &vpc.rows[row])))
}

/// What a peering connection looks like in answers.
pub(super) fn shape(vpc: &Vpc, row: &Row) -> Value {
    let info = row.note.as_ref().map(|(kind, message)| {
        let mut info = json!({"type": kind, "message": message});
        if row.state == "PENDING_PEER" {
            info["to-tenant-id"] = json!(crate::sandbox::sample::AIVEN_TENANT);
            info["to-network-id"] = json!(vpc.network);
            for (key, value) in &vpc.tells {
                info[key] = value.clone();
            }
        }
        info
    });
    let kind = match vpc.cloud.trim_start_matches("timescale-").split('-').next() {
        Some("azure") => "azure-vnet-peering",
        Some("google") => "google-vpc-peering",
        _ => "aws-vpc-peering-connection",
    };
    json!({
        "create_time": row.created, "update_time": row.updated, "peer_cloud_account": row.account, "peer_resource_group": row.group,
        "peer_vpc": row.vnet, "peer_region": null, "peer_azure_app_id": row.app, "peer_azure_tenant_id": row.tenant,
        // Only the organization API fills it in.
        "peering_connection_id": vpc.organization.as_ref().map(|_| &row.id),
        "state": row.state, "state_info": info, "user_peer_network_cidrs": [], "vpc_peering_connection_type": kind,
    })
}

/// The row that a body asks for.
fn wish(ask: &Ask) -> Result<Row, Answer> {
    const KNOWN: [&str; 7] = [
        "peer_cloud_account",
        "peer_vpc",
        "peer_resource_group",
        "peer_azure_app_id",
        "peer_azure_tenant_id",
        "peer_region",
        "user_peer_network_cidrs",
    ];
    let body = ask
        .body
        .as_object()
        .ok_or_else(|| invalid("Input must be an object"))?;
    if let Some(key) = body.keys().find(|key| !KNOWN.contains(&key.as_str())) {
        return Err(invalid(&format!(
            "Additional properties are not allowed ('{key}' was unexpected)"
        )));
    }
    let text = |key: &str| match &body.get(key) {
        None | Some(Value::Null) => Ok(None),
        // The console and the guides say it: names are given in lower case.
        Some(Value::String(text)) if *text != text.to_lowercase() => {
            Err(invalid(&format!("{key} must be given in lower case")))
        }
        Some(Value::String(text)) if text.len() <= 1024 => Ok(Some(text.clone())),
        Some(_) => Err(invalid(&format!("{key} is not a valid string"))),
    };
    Ok(Row {
        account: text("peer_cloud_account")?
            .ok_or_else(|| invalid("'peer_cloud_account' is a required property"))?,
        vnet: text("peer_vpc")?.ok_or_else(|| invalid("'peer_vpc' is a required property"))?,
        group: text("peer_resource_group")?,
        app: text("peer_azure_app_id")?,
        tenant: text("peer_azure_tenant_id")?,
        ..Row::default()
    })
}

fn invalid(message: &str) -> Answer {
    error(400, "invalid_input", message)
}

/// Whether a row is about this account, resource group and network.
pub(super) fn is_for(row: &Row, account: &str, group: Option<&str>, vnet: &str) -> bool {
    row.account == account
        && row.vnet == vnet
        && group.is_none_or(|group| row.group.as_deref() == Some(group))
}
