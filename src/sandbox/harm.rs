//! What faults do to a request as a whole, whatever it asks for: refused, badly answered, or never.

use std::time::Duration;

use serde_json::Value;

use super::faults::{Bad, ELSEWHERE, Fault};
use super::log::Service;
use super::wire::{Answer, Ask};
use super::world::World;
use super::{graph, services};

/// How an answer reaches the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Delivery {
    /// As the service gave it.
    Whole,
    /// From something in between, which knows no request ids.
    Proxy,
    /// The connection ends in the middle of it.
    Cut,
    /// Not at all.
    Never,
    /// In its place something without an end, packed or not.
    Flood { packed: bool },
    /// Its beginning only, on a connection that stays open.
    Stall,
}

/// How long the answer to a request is on its way.
pub(super) fn late(world: &mut World, service: Service, ask: &Ask) -> Duration {
    let late = |fault: &Fault| matches!(fault, Fault::Late(_));
    match world.faults.strike(service, ask, late) {
        Some(Fault::Late(time)) => Duration::from_millis(time.into()),
        _ => Duration::ZERO,
    }
}

/// Answers a request, with the faults that strike it.
pub(super) fn answer(world: &mut World, service: Service, ask: &Ask) -> (Answer, Delivery) {
    let mut faults = std::mem::take(&mut world.faults);
    let before = faults.strike(service, ask, |fault| {
        matches!(
            fault,
            Fault::Throttle(_)
                | Fault::ThrottleIn(_)
                | Fault::FailBefore(_)
                | Fault::Concurrent
                | Fault::Flood { done: false, .. }
                | Fault::Stall { done: false }
                | Fault::Answer { done: false, .. }
                | Fault::Hang { done: false }
        )
    });
    let after = faults.strike(service, ask, |fault| {
        matches!(
            fault,
            Fault::FailAfter
                | Fault::Cut
                | Fault::Flood { done: true, .. }
                | Fault::Stall { done: true }
                | Fault::Answer { done: true, .. }
                | Fault::Hang { done: true }
        )
    });
    let life = match faults.strike(service, ask, |fault| matches!(fault, Fault::Life(_))) {
        Some(Fault::Life(life)) if service == Service::Entra => Some(life),
        _ => None,
    };
    world.faults = faults;
    let failed = |status| Answer::json(status, failure(service, status));
    match before {
        Some(Fault::Throttle(seconds)) => {
            let answer = failed(429).with("retry-after", seconds.to_string());
            return (answer, Delivery::Whole);
        }
        Some(Fault::ThrottleIn(time)) => {
            return (failed(429).with("retry-after", time), Delivery::Whole);
        }
        Some(Fault::FailBefore(status)) => return (failed(status), Delivery::Whole),
        Some(Fault::Concurrent) => {
            let (code, message) = graph::CONCURRENT;
            let body = services::failure(service, 409, code, message);
            return (Answer::json(409, body), Delivery::Whole);
        }
        Some(Fault::Flood { packed, .. }) => {
            return (Answer::empty(200), Delivery::Flood { packed });
        }
        Some(Fault::Stall { .. }) => return (Answer::empty(200), Delivery::Stall),
        Some(Fault::Answer { what, .. }) => {
            return (spoil(what, Answer::empty(200)), Delivery::Proxy);
        }
        Some(Fault::Hang { .. }) => return (Answer::empty(200), Delivery::Never),
        _ => {}
    }
    let answer = services::answer(world, service, ask);
    let mut answer = answer.unwrap_or_else(|refusal| refusal);
    for field in ["expires_in", "interval"] {
        if let (Some(life), Some(said)) = (
            &life,
            answer.body.as_mut().and_then(|body| body.get_mut(field)),
        ) {
            said.clone_from(life);
        }
    }
    match after {
        Some(Fault::FailAfter) => (failed(500), Delivery::Whole),
        Some(Fault::Cut) => (answer, Delivery::Cut),
        Some(Fault::Flood { packed, .. }) => (answer, Delivery::Flood { packed }),
        Some(Fault::Stall { .. }) => (answer, Delivery::Stall),
        Some(Fault::Answer { what, .. }) => {
            let delivery = match what {
                Bad::Truncated => Delivery::Whole,
                Bad::Html | Bad::Empty | Bad::Redirect => Delivery::Proxy,
            };
            (spoil(what, answer), delivery)
        }
        Some(Fault::Hang { .. }) => (answer, Delivery::Never),
        _ => (answer, Delivery::Whole),
    }
}

/// What comes in place of an answer. Only half an answer keeps anything of it.
fn spoil(what: Bad, answer: Answer) -> Answer {
    match what {
        Bad::Truncated => {
            let whole = match &answer.body {
                Some(Value::String(page)) => page.clone(),
                Some(body) => body.to_string(),
                None => r#"{"id":"#.to_owned(),
            };
            let half = whole.chars().count().div_ceil(2);
            let text: String = whole.chars().take(half).collect();
            Answer {
                // A 204 has no room for a body, and a refusal is no success.
                status: match answer.status {
                    200..=203 => answer.status,
                    _ => 200,
                },
                body: Some(Value::String(text)),
                ..answer
            }
        }
        Bad::Html => {
            let page = "<!DOCTYPE html><html><head><title>Network sign-in</title></head><body>Please sign in to go on.</body></html>";
            Answer::json(200, Value::String(page.to_owned()))
                .with("content-type", "text/html; charset=utf-8")
        }
        Bad::Empty => Answer::empty(200),
        Bad::Redirect => Answer::empty(302).with("location", format!("{ELSEWHERE}/sign-in")),
    }
}

/// The body of a throttled or failed request, in the service's own envelope.
fn failure(service: Service, status: u16) -> Value {
    let (code, message) = match status {
        429 => (
            "TooManyRequests",
            "Too many requests, please try again later.",
        ),
        503 => (
            "ServiceUnavailable",
            "The service is temporarily unavailable.",
        ),
        _ => (
            "InternalServerError",
            "The server encountered an internal error.",
        ),
    };
    services::failure(service, status, code, message)
}
