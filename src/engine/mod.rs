//! The step engine: walks a flow of steps, saves before and after each change, resumes, undoes, surveys.
//! It knows no cloud and no terminal.

pub mod event;
pub mod flow;
pub mod record;
pub mod runner;
pub mod step;
pub mod store;
pub mod undo;

pub use event::Event;
pub use flow::Flow;
pub use record::{Answer, Origin, Run, Status, StepRecord};
pub use runner::{Limits, Pace, Runner, Stop};
pub use step::{
    About, Check, Consent, Deleted, Fault, Look, Made, Maker, Passing, Polled, Probe, Refusal,
    Resource, Settling, Step, Usual, Verdict, World,
};
pub use store::{Store, StoreError};
