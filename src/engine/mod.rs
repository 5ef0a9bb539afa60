//! The step engine: walks a flow of steps, saves before and after each change, resumes, undoes, surveys.
//! It knows no cloud, no terminal and no file.

mod asking;
pub mod beforehand;
pub mod cx;
pub mod definition;
mod earlier;
pub mod ending;
pub mod event;
pub mod flow;
pub mod look;
pub mod record;
pub mod runner;
pub mod runs;
pub mod step;
pub mod undo;

pub use beforehand::{Beforehand, Begun};
pub use cx::{Cx, Limits, Observe, Pace, Stop};
pub use definition::{
    About, Consent, Definition, Done, Early, Fault, Judged, Refusal, Scope, Settling, World,
};
pub use event::Event;
pub use flow::{Flow, look_at};
pub use look::Sought;
pub use record::{Answer, At, Origin, Part, Run, Status, StepRecord};
pub use runner::{Ended, Failed, Runner};
pub use runs::{Listed, Runs, Store, StoreError};
pub use step::{
    Check, Deleted, Ensure, Known, Look, Made, Maker, Polled, Release, Step, Usual, Verdict, Wait,
};
pub use undo::{Fate, Foreseen, NEXT_TIME, Other, Undo};
