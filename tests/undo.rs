//! Undo asks the object, not the file: whatever a file says, and whoever else lives beside a run, undo deletes what this run made
//! and nothing else.

mod support;

#[path = "undo/edited.rs"]
mod edited;
#[path = "undo/journeys.rs"]
mod journeys;
#[path = "undo/live.rs"]
mod live;
#[path = "undo/people.rs"]
mod people;
