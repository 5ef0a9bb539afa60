//! How Azure Resource Manager wraps lists and refusals.

use serde_json::{Value, json};

use crate::sandbox::log::Service;
use crate::sandbox::paging;
use crate::sandbox::wire::{Answer, Ask};
use crate::sandbox::world::World;

/// A list answer that has no pages of its own.
pub(super) fn whole_list(world: &mut World, ask: &Ask, items: Vec<Value>) -> Answer {
    let (items, next) = paging::page_of(world, (Service::Arm, usize::MAX), ask, items);
    enveloped(&items, next)
}

/// A list answer in pages.
pub(super) fn list(world: &mut World, ask: &Ask, items: Vec<Value>) -> Answer {
    let (items, next) = paging::page(world, Service::Arm, ask, items);
    enveloped(&items, next)
}

fn enveloped(items: &[Value], next: Option<String>) -> Answer {
    let mut body = json!({"value": items});
    if let Some(next) = next {
        body["nextLink"] = json!(next);
    }
    Answer::json(200, body)
}

pub(super) fn no_resource(ask: &Ask) -> Answer {
    error(
        404,
        "InvalidResourceType",
        &format!(
            "The resource type could not be found for the path '{}' and method {}.",
            ask.path, ask.method
        ),
    )
}

pub(super) fn error(status: u16, code: &str, message: &str) -> Answer {
    Answer::json(
        status,
        json!({"error": {"code": code, "message": message, "details": []}}),
    )
}
