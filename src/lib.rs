//! peer-wizard connects an Azure virtual network with the network of a managed service in another tenant.
//!
//! The map, from the outside in; an arrow means "uses", and `tests/architecture.rs` holds the crate to it:
//!
//! * `main` → [`commands`]: one file for each command. Each gives back how it ended; one place prints that.
//! * `commands` → [`ask`] (finds the answers), [`view`] (draws), [`store`] (keeps the runs in files), [`providers`], [`engine`].
//! * `ask` → [`cli`] (what can be typed) and [`provider`], whose values say what has to be asked.
//! * [`providers`], the catalogue with a folder for each → [`provider`], the type → [`azure`], the steps that all share.
//! * those → [`clouds`] (addresses and sign-ins) → [`http`] (requests as data, one executor that sends each once).
//! * `store` → [`engine`] → [`shell`] (commands as data, Bash as one form of them) → [`fact`]. The engine walks steps, saves,
//!   resumes, undoes, waits; it knows no cloud, no terminal and no file.
//! * [`error`], [`net`] and [`visible`] are used by many and know little: why it ended, ids and ranges as values, and which
//!   characters a reader sees.
//! * `sandbox` is an island: simulated clouds that share no code with the above.
//!
//! # Words
//!
//! | word | meaning |
//! |---|---|
//! | provider | the service at the other end, and the value that describes it |
//! | flow | the checks and steps for one provider, in order; data that needs no network |
//! | run | one execution of a flow, with its file |
//! | member | one VNet of a run; a step is *shared* by all members or done for *each* |
//! | part | what is shared, or one member: facts, and how each step stands |
//! | realm | where the rights that a step takes are given: Entra, Azure, the provider; `--part` names one |
//! | step | one line of a flow: *ensure* an object, *wait* for a state, or *release* what an earlier step made |
//! | fact | a value with a name that the file, the script and the JSON share; a *fleeting* one is never saved |
//! | found | the object was there before the run; undo leaves it |
//! | creating, created | this run may have made it; this run made it. Only such objects are ever deleted |
//! | kept | this run made it, and undo left it because something else needs it, or because it was asked to |
//! | mark | how an object itself tells that this run made it: a unique name, a derived GUID, a tag |
//! | ephemeral | of use to this process only, such as a password; taken back when the process ends |
//! | settling | an error that only says that a change is not known everywhere yet |
//! | passing | an error that goes away by itself, such as a 503 |
//! | pace | how fast to look again; the sandbox and tests are faster |
//! | voice | what a step speaks and waits through: its context, and nothing else, sleeps |
//! | bell, ring | how a signal reaches a run; see [`engine::Stop`] |
//! | half | one side of a peering; a *dead* half is one whose other half is gone |
//! | answer, origin | what the person decided, and where that came from: a flag, a variable, a saved run, a prompt ... |
//! | practice | a run in simulated clouds inside this process, its own |

pub mod ask;
pub mod azure;
pub mod cli;
pub mod clouds;
pub mod commands;
pub mod engine;
pub mod error;
pub mod fact;
pub mod http;
pub mod net;
pub mod provider;
pub mod providers;
#[cfg(feature = "sandbox")]
pub mod sandbox;
pub mod shell;
pub mod store;
pub mod view;
pub mod visible;
