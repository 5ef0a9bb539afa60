//! Simulated Entra, Microsoft Graph, Azure Resource Manager, Aiven and Konnect on loopback, with real TLS.
//!
//! An island: written from the services' public documents, sharing no code with the clients that talk to it. It enforces
//! meaning: who may do what, what spreads when, and that a peering has two halves.
//!
//! A request comes in at `server`, may be struck by `harm`, and goes through `services` to one of the five services. They
//! decide by the rules that they share (`rbac`, `halves`, `lag`) and change the `world`, which knows none of them.

mod aiven;
mod arm;
mod certificate;
mod cut;
mod endless;
mod entra;
mod faults;
mod filter;
mod graph;
mod halves;
mod harm;
mod konnect;
mod lag;
mod log;
mod paging;
mod rbac;
mod sample;
mod server;
mod services;
mod snapshot;
mod store;
#[cfg(test)]
mod tests;
mod vendor;
mod vendors;
mod wire;
mod world;

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;

pub use faults::{Bad, Fault, Faults, Rule, When};
pub use lag::{Lag, Settle};
pub use log::{Seen, Service};
pub use sample::Sample;
pub use world::World;
/// The parts of a [`World`].
pub mod parts {
    pub use super::world::{
        Account, Aiven, Application, Assignment, GatewayNetwork, Group, KeyCredential, Konnect,
        Lock, Network, Operation, Password, Peering, Permission, Policies, Principal,
        ProviderAccount, Role, Row, State, Subscription, Tenant, TransitGateway, User, Vpc,
    };
}

/// How to start a sandbox.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The port to listen on; 0 for any free one.
    pub port: u16,
    /// A file to load the world from, if it exists, and to save it to after each change.
    pub state: Option<PathBuf>,
    /// How long changes take to become visible.
    pub lag: Lag,
    /// What goes wrong on purpose.
    pub faults: Faults,
}

/// Running simulated clouds; dropping it stops them.
pub struct Sandbox {
    port: u16,
    authority: String,
    shared: Arc<server::Shared>,
    handle: axum_server::Handle<SocketAddr>,
    thread: Option<JoinHandle<()>>,
}

impl Sandbox {
    /// Starts the services in a thread of their own and returns once they listen.
    ///
    /// # Errors
    /// When the port is taken, or the state file is unreadable.
    pub fn boot(options: Options) -> io::Result<Self> {
        let Options {
            port,
            state,
            lag,
            faults,
        } = options;
        let saved = state
            .as_deref()
            .map(store::Store::load)
            .transpose()?
            .flatten();
        let mut world = saved.unwrap_or_else(vendors::world);
        world.lag = lag;
        world.faults = faults;
        world.session.secrets = vendors::secrets();
        let (listeners, authority, tls) = server::secure(port)?;
        let port = listeners[0].local_addr()?.port();
        let shared = Arc::new(server::Shared::new(world, store::Store::at(state)));
        let handle = axum_server::Handle::new();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let work = {
            let (shared, handle) = (Arc::clone(&shared), handle.clone());
            // The listeners are bound already, so clients that come early wait in their queues.
            move || {
                runtime.block_on(async {
                    let mut servers = tokio::task::JoinSet::new();
                    for listener in listeners {
                        servers.spawn(server::serve(
                            listener,
                            tls.clone(),
                            handle.clone(),
                            Arc::clone(&shared),
                        ));
                    }
                    while servers.join_next().await.is_some() {}
                });
            }
        };
        let thread = std::thread::Builder::new()
            .name("sandbox".to_owned())
            .spawn(work)?;
        Ok(Self {
            port,
            authority,
            shared,
            handle,
            thread: Some(thread),
        })
    }

    /// The one origin that serves all five services; their paths do not collide.
    #[must_use]
    pub fn origin(&self) -> String {
        format!("https://localhost:{}", self.port)
    }

    /// The certificate authority to trust, in PEM; made at each start.
    #[must_use]
    pub fn ca_pem(&self) -> String {
        self.authority.clone()
    }

    /// Saves the world at this path from now on.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn keep(&self, path: &Path) -> io::Result<()> {
        let world = self.shared.world();
        let mut store = store::Store::at(Some(path.to_owned()));
        store.save(&world)?;
        *self.shared.store() = store;
        Ok(())
    }

    /// Names, ids and credentials that exist in the sample world.
    #[must_use]
    pub fn sample(&self) -> Sample {
        vendors::sample()
    }

    /// A canonical picture of all that exists, sorted, without secrets; what sits in a recycle bin is left out.
    #[must_use]
    pub fn world(&self) -> serde_json::Value {
        let mut world = self.shared.world();
        services::advance(&mut world);
        snapshot::take(&world)
    }

    /// Lets a test reach in: change things behind the clients' backs, and take something out.
    pub fn edit<T>(&self, change: impl FnOnce(&mut World) -> T) -> T {
        let mut world = self.shared.world();
        services::advance(&mut world);
        let found = change(&mut world);
        // As for requests: the clouds go on when the disk is full.
        let _ = self.shared.store().save(&world);
        found
    }

    /// The ids of the peerings that vendors have.
    #[must_use]
    pub fn peerings(&self) -> Vec<String> {
        vendors::peerings(&self.shared.world())
    }

    /// The states in which they stay until somebody does something.
    #[must_use]
    pub fn resting(&self) -> Vec<&'static str> {
        vendors::resting()
    }

    /// The states that say no to one that is being built.
    #[must_use]
    pub fn refusals(&self) -> Vec<&'static str> {
        vendors::refusals()
    }

    /// Puts every peering that a vendor has into this state, to stay in it.
    pub fn say(&self, word: &str) {
        self.edit(|world| vendors::say(world, word));
    }

    /// The services that a request can be for.
    #[must_use]
    pub fn services(&self) -> Vec<Service> {
        services::all()
    }

    /// Every request so far, in order.
    #[must_use]
    pub fn requests(&self) -> Vec<Seen> {
        self.shared.world().session.seen.clone()
    }

    /// Every password, token and secret that was ever issued.
    #[must_use]
    pub fn secrets(&self) -> Vec<String> {
        self.shared.world().session.secrets.clone()
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.handle.shutdown();
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has nothing more to stop.
            let _ = thread.join();
        }
    }
}
