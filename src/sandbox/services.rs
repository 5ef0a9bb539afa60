//! The services, Microsoft's and the vendors': which of them answers a request, and what happens in them without one.

use serde_json::{Value, json};

use super::log::Service;
use super::wire::{Answer, Ask, Reply};
use super::world::World;
use super::{arm, entra, graph, vendors};

/// All of them.
pub(super) fn all() -> Vec<Service> {
    let vendors = vendors::names().into_iter().map(Service::Of);
    let azure = [Service::Entra, Service::Graph, Service::Arm];
    azure.into_iter().chain(vendors).collect()
}

/// The service that a path belongs to; the paths do not collide.
pub(super) fn of(segments: &[&str]) -> Service {
    match segments {
        ["v1.0" | "beta", ..] => Service::Graph,
        [first, ..]
            if ["subscriptions", "tenants", "providers", "metadata"]
                .iter()
                .any(|word| first.eq_ignore_ascii_case(word)) =>
        {
            Service::Arm
        }
        _ => vendors::serving(segments).map_or(Service::Entra, |it| Service::Of(it.name)),
    }
}

/// The answer of a service.
pub(super) fn answer(world: &mut World, service: Service, ask: &Ask) -> Reply {
    match service {
        Service::Entra => entra::answer(world, ask),
        Service::Graph => graph::answer(world, ask),
        Service::Arm => arm::answer(world, ask),
        Service::Of(name) => match vendors::named(name) {
            Some(vendor) => (vendor.answer)(world, ask),
            None => Err(Answer::empty(404)),
        },
    }
}

/// The body of a failed request, in the service's own envelope.
pub(super) fn failure(service: Service, status: u16, code: &str, message: &str) -> Value {
    match service {
        Service::Entra => json!({
            "error": "temporarily_unavailable", "error_description": format!("AADSTS90033: {message}"), "error_codes": [90033]
        }),
        Service::Graph | Service::Arm => json!({"error": {"code": code, "message": message}}),
        Service::Of(vendor) => {
            vendors::named(vendor).map_or(Value::Null, |it| (it.failure)(status, code, message))
        }
    }
}

/// Lets everything happen whose time has come.
pub(super) fn advance(world: &mut World) {
    world.tick();
    vendors::advance(world);
}
