//! Attacks by somebody who has read what the program promises, and not its code: a hostile server in front of the simulated
//! clouds, hostile names, hostile scripts, hostile files. `PEER_WIZARD_CASES` multiplies what is tried.
#![cfg(unix)]

#[path = "attacks/answers.rs"]
mod answers;
#[path = "attacks/at_rest.rs"]
mod at_rest;
#[path = "attacks/hostile.rs"]
mod hostile;
#[path = "attacks/letting_in.rs"]
mod letting_in;
#[path = "attacks/links.rs"]
mod links;
#[path = "attacks/numbers.rs"]
mod numbers;
#[path = "attacks/scene.rs"]
mod scene;
#[path = "attacks/script.rs"]
mod script;
#[path = "attacks/secrets.rs"]
mod secrets;
mod support;
