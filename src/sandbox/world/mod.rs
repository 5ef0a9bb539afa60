//! Everything that exists in the simulated clouds. Passwords are kept as hashes only, so a saved world holds no secret.

mod azure;
mod directory;
mod policies;
mod session;
mod vendors;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

pub use azure::{Group, Lock, Network, Operation, Peering, State, Subscription};
pub use directory::{
    Application, Assignment, KeyCredential, Password, Permission, Principal, Role, Tenant, User,
};
pub use policies::Policies;
pub(in crate::sandbox) use session::{Audience, Grant, Session, Token};
pub use vendors::{
    Account, Aiven, GatewayNetwork, Konnect, ProviderAccount, Row, TransitGateway, Vpc,
};

use super::faults::Faults;
use super::lag::{Lag, Settle, Spread, now, stamp};

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
    /// Role definitions that were deleted and go on showing in lists for a while.
    pub deleted_roles: Vec<Role>,
    /// Role assignments.
    pub assignments: Vec<Assignment>,
    /// Azure subscriptions.
    pub subscriptions: Vec<Subscription>,
    /// Resource groups.
    pub groups: Vec<Group>,
    /// Management locks.
    pub locks: Vec<Lock>,
    /// Virtual networks, the vendors' included.
    pub networks: Vec<Network>,
    /// Operations on peerings that are under way or over.
    pub operations: Vec<Operation>,
    /// Aiven and Timescale.
    pub aiven: Aiven,
    /// Kong Konnect.
    pub konnect: Konnect,
    /// What other vendors have, by name: each knows the form of its own.
    pub vendors: BTreeMap<String, Value>,
    /// How long changes take to become visible.
    #[serde(skip)]
    pub lag: Lag,
    /// What the organization forbids on its applications.
    #[serde(skip)]
    pub policies: Policies,
    /// The vendors take no order in hand.
    #[serde(skip)]
    pub closed: bool,
    /// What goes wrong on purpose.
    #[serde(skip)]
    pub faults: Faults,
    /// By how many seconds the services' clocks are ahead of this machine's.
    #[serde(skip)]
    pub ahead: i64,
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

    /// What a vendor has; what it does not understand is nothing.
    #[must_use]
    pub fn of<T: Default + DeserializeOwned>(&self, vendor: &str) -> T {
        let saved = self.vendors.get(vendor).cloned().unwrap_or_default();
        serde_json::from_value(saved).unwrap_or_default()
    }

    /// Acts for a vendor on the world and on what the vendor has, and keeps that.
    pub fn act<T, R>(&mut self, vendor: &str, act: impl FnOnce(&mut Self, &mut T) -> R) -> R
    where
        T: Default + Serialize + DeserializeOwned,
    {
        let mut own: T = self.of(vendor);
        let done = act(self, &mut own);
        let own = serde_json::to_value(own).unwrap_or_default();
        self.vendors.insert(vendor.to_owned(), own);
        done
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

    /// Makes a principal; the caller has checked that it may and that there is none yet.
    pub(super) fn add_principal(&mut self, tenant: &str, app_id: &str, tags: Vec<String>) -> usize {
        let (owner_tenant, display_name) = self
            .application(app_id)
            .map(|app| {
                let owner = app.owner.as_ref().unwrap_or(&app.tenant);
                (owner.clone(), app.display_name.clone())
            })
            .unwrap_or_default();
        self.principals.push(Principal {
            tenant: tenant.to_owned(),
            id: guid(),
            app_id: app_id.to_lowercase(),
            owner_tenant,
            display_name,
            created: stamp(),
            tags,
            enabled: true,
            settle: self.lag.begin(Spread::Principal),
            known_to_arm: self.lag.begin(Spread::Principal),
            ..Principal::default()
        });
        self.principals.len() - 1
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
