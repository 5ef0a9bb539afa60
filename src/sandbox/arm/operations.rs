//! Asynchronous operations: <https://learn.microsoft.com/azure/azure-resource-manager/management/async-operations>.

use serde_json::json;

use super::access::forbidden;
use super::envelope::error;
use crate::sandbox::faults::{ELSEWHERE, Fault};
use crate::sandbox::halves::{position, sever, unmake};
use crate::sandbox::lag::{Lag, Spread};
use crate::sandbox::log::Service;
use crate::sandbox::wire::{Answer, Ask, Reply};
use crate::sandbox::world::{Operation, Token, World, guid};

/// `GET …/operations/{id}` and `…/operationResults/{id}`
pub(super) fn answer(
    world: &mut World,
    ask: &Ask,
    caller: &Token,
    id: &str,
    results: bool,
) -> Reply {
    let closed = |fault: &Fault| *fault == Fault::OperationForbidden;
    if world.faults.strike(Service::Arm, ask, closed).is_some() {
        let kind = if results {
            "operationResults"
        } else {
            "operations"
        };
        let action = format!("Microsoft.Network/locations/{kind}/read");
        return Err(forbidden(caller, &action, &ask.path));
    }
    let Some(operation) = world.operations.iter().find(|operation| operation.id == id) else {
        return Err(error(
            404,
            "OperationNotFound",
            &format!("Operation {id} was not found."),
        ));
    };
    let (network, name) = (operation.network.clone(), operation.peering.clone());
    settle(world, &network, Some(&name), true);
    let operation = world.operations.iter().find(|operation| operation.id == id);
    let (over, failure) = operation
        .map(|operation| (operation.over, operation.failure.clone()))
        .unwrap_or_default();
    if results {
        return Ok(if over {
            Answer::empty(204)
        } else {
            patient(world, Answer::empty(202))
        });
    }
    Ok(match (over, failure) {
        (false, _) => patient(world, Answer::json(200, json!({"status": "InProgress"}))),
        (true, None) => Answer::json(200, json!({"status": "Succeeded"})),
        (true, Some((code, message))) => Answer::json(
            200,
            json!({"status": "Failed", "error": {"code": code, "message": message, "details": []}}),
        ),
    })
}

/// Starts an operation and names its address in the answer.
pub(super) fn begin(
    world: &mut World,
    ask: &Ask,
    at: usize,
    name: &str,
    removes: bool,
    answer: Answer,
) -> Answer {
    let (failure, vanishes) = match world.faults.strike(Service::Arm, ask, |fault| {
        matches!(fault, Fault::FailOperation(..) | Fault::UndoOperation(..))
    }) {
        Some(Fault::FailOperation(code, message)) => (Some((code, message)), false),
        // Only what is made by it, and so answered with 201, can come to nothing.
        Some(Fault::UndoOperation(code, message)) => (Some((code, message)), answer.status == 201),
        _ => (None, false),
    };
    let astray = |fault: &Fault| *fault == Fault::ForeignOperation;
    let origin = match world.faults.strike(Service::Arm, ask, astray) {
        Some(_) => ELSEWHERE,
        None => &ask.origin,
    };
    let network = &world.networks[at];
    let operation = Operation {
        id: guid(),
        subscription: network.subscription.clone(),
        network: network.id(),
        peering: name.to_owned(),
        removes,
        failure,
        vanishes,
        over: false,
        settle: world.lag.begin(Spread::Operation),
    };
    let base = format!(
        "{}/subscriptions/{}/providers/Microsoft.Network/locations/{}",
        origin, network.subscription, network.location
    );
    let version = ask.query("api-version").unwrap_or_default();
    let address = |kind: &str| format!("{base}/{kind}/{}?api-version={version}", operation.id);
    let mut answer = answer.with("azure-asyncoperation", address("operations"));
    if removes {
        answer = answer.with("location", address("operationResults"));
    }
    world.operations.push(operation);
    patient(world, answer)
}

/// Says when to ask again, while the clock decides when an operation is over.
fn patient(world: &World, answer: Answer) -> Answer {
    if matches!(world.lag, Lag::Timed(_)) {
        answer.with("retry-after", "1")
    } else {
        answer
    }
}

/// Ends the operations on a network's peerings that have taken long enough; a look brings them nearer.
pub(super) fn settle(world: &mut World, network: &str, name: Option<&str>, look: bool) {
    for at in 0..world.operations.len() {
        let operation = &mut world.operations[at];
        let concerns = operation.network.eq_ignore_ascii_case(network)
            && name.is_none_or(|name| operation.peering.eq_ignore_ascii_case(name));
        if operation.over || !concerns {
            continue;
        }
        let path = format!(
            "{}/virtualNetworkPeerings/{}",
            operation.network, operation.peering
        );
        let thing = (if operation.removes { "DELETE" } else { "PUT" }, &*path);
        let held = world
            .faults
            .hold(&Fault::OperationStuck, Service::Arm, thing, look);
        if held
            || !(if look {
                operation.settle.look()
            } else {
                operation.settle.due()
            })
        {
            continue;
        }
        operation.over = true;
        let Operation {
            network,
            peering: name,
            removes,
            failure,
            vanishes,
            ..
        } = operation.clone();
        let Some(at) = world.network(&network) else {
            continue;
        };
        let Some(half) = position(&world.networks[at], &name) else {
            continue;
        };
        if vanishes {
            unmake(world, at, &name);
            continue;
        }
        let outcome = match (failure.is_some(), removes) {
            (true, _) => "Failed",
            (false, false) => "Succeeded",
            (false, true) => {
                sever(world, at, &name);
                continue;
            }
        };
        outcome.clone_into(&mut world.networks[at].peerings[half].provisioning);
    }
}

/// One operation at a time on a network; being told so counts as a look at the one under way.
pub(super) fn busy(world: &mut World, network: &str) -> Result<(), Answer> {
    settle(world, network, None, false);
    let running = world
        .operations
        .iter()
        .find(|operation| !operation.over && operation.network.eq_ignore_ascii_case(network));
    let Some(running) = running.map(|operation| operation.id.clone()) else {
        return Ok(());
    };
    settle(world, network, None, true);
    let text = format!(
        "Another operation on this or dependent resource is in progress. To retrieve status of the operation use uri: {running}."
    );
    Err(error(429, "AnotherOperationInProgress", &text))
}
