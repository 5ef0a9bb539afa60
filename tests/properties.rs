//! Rules that hold for every input, tried with inputs nobody would think of: what bash reads back, ids, DNS mappings, state
//! files, and errors of the services.
//!
//! `PEER_WIZARD_CASES=100` tries a hundred times as many. A failure names the smallest input that breaks the rule and the
//! `PROPTEST_RNG_SEED` that finds it again. Nothing is kept between runs.

mod support;

#[path = "properties/bash.rs"]
#[cfg(unix)]
mod bash;
#[path = "properties/commands.rs"]
mod commands;
#[path = "properties/dns.rs"]
mod dns;
#[path = "properties/errors.rs"]
mod errors;
#[path = "properties/functions.rs"]
#[cfg(unix)]
mod functions;
#[path = "properties/hidden.rs"]
mod hidden;
#[path = "properties/ids.rs"]
mod ids;
#[path = "properties/state.rs"]
mod state;
#[path = "properties/texts.rs"]
mod texts;
#[path = "properties/trial.rs"]
mod trial;
