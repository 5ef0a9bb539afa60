//! peer-wizard connects an Azure virtual network with the network of a managed service in another tenant.
//!
//! The map, from the outside in; an arrow means "uses":
//!
//! * `main` → [`commands`]: one file for each command.
//! * `commands` → [`ask`] (finds the answers), [`view`] (draws), [`providers`] (what is connected with what), [`engine`].
//! * `providers` → [`azure`], [`aiven`], [`kong`]: the APIs and the steps.
//! * those → [`clouds`] (addresses and sign-ins) → [`http`] (requests as data, one executor).
//! * [`engine`] → [`shell`] → [`fact`]: walks steps, saves, resumes, undoes; it knows no cloud.
//! * [`sandbox`] is an island: simulated clouds that share no code with the above.

pub mod aiven;
pub mod ask;
pub mod azure;
pub mod cli;
pub mod clouds;
pub mod commands;
pub mod engine;
pub mod error;
pub mod fact;
pub mod http;
pub mod kong;
pub mod net;
pub mod providers;
pub mod sandbox;
pub mod shell;
pub mod view;
