//! What a service refuses because it was asked too early is asked for again, for a while.

use super::{
    CALM, Life, Process, Tally, disk, process_of,
    toy::{Kind, Spec},
    world,
};
use peer_wizard::engine::Fault;
use std::time::Duration;

/// A flow that asks for an object and waits for what is refused at first.
fn early(times: u8) -> Life {
    let spec = |kind, each| Spec { kind, each };
    Life {
        steps: vec![spec(Kind::Marked, false), spec(Kind::Early(times), true)],
        members: 1,
        on: Vec::new(),
        back: Vec::new(),
    }
}

#[test]
fn what_was_asked_for_too_early_is_asked_for_again() {
    let life = early(3);
    let world = world(&life);
    let mut disk = disk(&world, 1);
    let ended = process_of(&life, &mut disk, &CALM, false, &Tally::default());
    assert!(ended.is_ok(), "{}", disk.saved);
    assert_eq!(*world.renewals.borrow(), vec!["a of all"; 3]);
    assert!(!disk.saved.contains("renew"), "{}", disk.saved);
}

#[test]
fn what_stays_refused_fails_and_is_asked_for_once_more_on_resume() {
    let life = early(1);
    let world = world(&life);
    world.budget.set(Duration::ZERO);
    let mut disk = disk(&world, 1);
    let ended = process_of(&life, &mut disk, &CALM, false, &Tally::default());
    let fault = ended.expect_err("no time is left").fault;
    assert!(matches!(fault, Fault::Refused(_)), "{fault:?}");
    assert!(world.renewals.borrow().is_empty());
    let ended = process_of(&life, &mut disk, &CALM, false, &Tally::default());
    assert!(ended.is_ok(), "{}", disk.saved);
    assert_eq!(*world.renewals.borrow(), vec!["a of all"]);
}

#[test]
fn what_was_made_long_ago_is_not_asked_for_again_by_itself() {
    let life = early(1);
    let world = world(&life);
    let mut disk = disk(&world, 1);
    // It made the object and died; the file says that this was long ago.
    let dies = Process {
        death: Some((2, true)),
        ..CALM
    };
    let _ = process_of(&life, &mut disk, &dies, false, &Tally::default());
    let mut saved: serde_json::Value = serde_json::from_str(&disk.saved).expect("a run");
    assert_eq!(saved["steps"]["a"]["status"], "created", "{saved}");
    saved["steps"]["a"]["at"] = "2026-01-05T10:00:03Z".into();
    disk.saved = saved.to_string();
    let ended = process_of(&life, &mut disk, &CALM, false, &Tally::default());
    let fault = ended.expect_err("it is refused").fault;
    assert!(matches!(fault, Fault::Refused(_)), "{fault:?}");
    assert!(world.renewals.borrow().is_empty());
}
