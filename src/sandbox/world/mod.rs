//! Everything that exists in the simulated clouds. Passwords are kept as hashes only, so a saved world holds no secret.

mod azure;
mod directory;
mod session;
mod vendors;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub use azure::{Group, Network, Operation, Peering, Subscription};
pub use directory::{Application, Assignment, Password, Permission, Principal, Role, Tenant, User};
pub(in crate::sandbox) use session::{Audience, Grant, Session, Token};
pub use vendors::{
    Account, Aiven, GatewayNetwork, Konnect, ProviderAccount, Row, TransitGateway, Vpc,
};

use super::faults::Faults;
use super::lag::{Lag, Settle, now};

/// The state of all five services.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct World {
    /// Entra tenants.
    pub tenants: Vec<Tenant>,
    /// Application objects of all tenants, deleted ones included.
    pub applications: Vec<Application>,
    /// Service principals of all tenants, deleted ones included.
    pub principals: Vec<Principal>,
    /// People who can sign in with a device code.
    pub users: Vec<User>,
    /// Custom role definitions.
    pub roles: Vec<Role>,
    /// Role assignments.
    pub assignments: Vec<Assignment>,
    /// Azure subscriptions.
    pub subscriptions: Vec<Subscription>,
    /// Resource groups.
    pub groups: Vec<Group>,
    /// Virtual networks, the vendors' included.
    pub networks: Vec<Network>,
    /// Operations on peerings that are under way or over.
    pub operations: Vec<Operation>,
    /// Aiven and Timescale.
    pub aiven: Aiven,
    /// Kong Konnect.
    pub konnect: Konnect,
    /// How long changes take to become visible.
    #[serde(skip)]
    pub lag: Lag,
    /// What goes wrong on purpose.
    #[serde(skip)]
    pub faults: Faults,
    #[serde(skip)]
    pub(super) session: Session,
}

impl World {
    /// Lets the clock work: assignments that have spread since the last look become effective.
    pub(super) fn tick(&mut self) {
        for assignment in &mut self.assignments {
            if assignment.settle != Settle::Done && assignment.settle.due() {
                assignment.settle = Settle::Done;
                self.session.serial += 1;
                assignment.since = self.session.serial;
            }
        }
        self.session.tokens.retain(|_, token| token.expires > now());
    }

    /// A tenant by id or domain.
    pub(super) fn tenant(&self, name: &str) -> Option<&Tenant> {
        self.tenants.iter().find(|tenant| {
            tenant.id.eq_ignore_ascii_case(name) || tenant.domain.eq_ignore_ascii_case(name)
        })
    }

    /// A live application by client id.
    pub(super) fn application(&self, app_id: &str) -> Option<&Application> {
        self.applications
            .iter()
            .find(|app| app.deleted.is_none() && app.app_id.eq_ignore_ascii_case(app_id))
    }

    /// A live service principal by tenant and client id.
    pub(super) fn principal(&self, tenant: &str, app_id: &str) -> Option<&Principal> {
        self.principals.iter().find(|sp| {
            sp.deleted.is_none()
                && sp.tenant.eq_ignore_ascii_case(tenant)
                && sp.app_id.eq_ignore_ascii_case(app_id)
        })
    }

    /// A subscription by id.
    pub(super) fn subscription(&self, id: &str) -> Option<&Subscription> {
        self.subscriptions
            .iter()
            .find(|subscription| subscription.id.eq_ignore_ascii_case(id))
    }

    /// The tenant that owns a scope.
    pub(super) fn tenant_of(&self, scope: &str) -> Option<String> {
        let mut parts = scope.split('/').skip(1);
        if !parts.next()?.eq_ignore_ascii_case("subscriptions") {
            return None;
        }
        self.subscription(parts.next()?)
            .map(|subscription| subscription.tenant.clone())
    }

    /// A network by resource id, in any case.
    pub(super) fn network(&self, id: &str) -> Option<usize> {
        self.networks
            .iter()
            .position(|network| network.id().eq_ignore_ascii_case(id))
    }

    /// Remembers a secret for leak tests and gives its hash.
    pub(super) fn conceal(&mut self, secret: &str) -> String {
        self.session.secrets.push(secret.to_owned());
        sha256(secret)
    }
}

/// SHA-256 in lower-case hexadecimal.
pub(super) fn sha256(text: &str) -> String {
    use std::fmt::Write as _;
    Sha256::digest(text.as_bytes())
        .iter()
        .fold(String::new(), |mut out, byte| {
            let _ = write!(out, "{byte:02x}");
            out
        })
}

/// A fresh GUID.
pub(super) fn guid() -> String {
    uuid::Uuid::new_v4().to_string()
}
