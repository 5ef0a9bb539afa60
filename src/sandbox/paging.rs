//! Lists in pages, as `OData` and Azure Resource Manager hand them out.

use serde_json::Value;

use super::faults::{ELSEWHERE, Fault};
use super::log::Service;
use super::wire::{Ask, escape};
use super::world::World;

/// The slice of a list that a request asks for, and the address of the next one.
pub(super) fn page(
    world: &mut World,
    service: Service,
    ask: &Ask,
    items: Vec<Value>,
) -> (Vec<Value>, Option<String>) {
    page_of(world, (service, 100), ask, items)
}

/// The same where a page has another usual size.
pub(super) fn page_of(
    world: &mut World,
    (service, usual): (Service, usize),
    ask: &Ask,
    items: Vec<Value>,
) -> (Vec<Value>, Option<String>) {
    let fault = world.faults.strike(service, ask, |fault| {
        matches!(
            fault,
            Fault::PageSize(_) | Fault::ForeignPage | Fault::EndlessPages | Fault::PageCycle
        )
    });
    let size = match fault {
        Some(Fault::PageSize(size)) => size.max(1),
        Some(Fault::ForeignPage | Fault::EndlessPages) => 1,
        _ => ask
            .query("$top")
            .and_then(|top| top.parse().ok())
            .unwrap_or(usual),
    };
    let from: usize = ask
        .query("$skiptoken")
        .and_then(|token| token.parse().ok())
        .unwrap_or(0);
    let more = from.saturating_add(size) < items.len()
        || matches!(fault, Some(Fault::EndlessPages | Fault::PageCycle));
    let next = match fault {
        Some(Fault::PageCycle) => from,
        _ => from.saturating_add(size),
    };
    let slice = items.into_iter().skip(from).take(size).collect();
    let next = more.then(|| {
        let origin = if fault == Some(Fault::ForeignPage) {
            ELSEWHERE
        } else {
            &ask.origin
        };
        let mut query: Vec<String> = ask
            .query
            .iter()
            .filter(|(key, _)| !key.eq_ignore_ascii_case("$skiptoken"))
            .map(|(key, value)| format!("{key}={}", escape(value)))
            .collect();
        query.push(format!("$skiptoken={next}"));
        format!("{origin}{}?{}", ask.path, query.join("&"))
    });
    (slice, next)
}
