//! The steps on the Azure side, each parametrised by values so that every provider's flow uses the same ones.

mod application;
mod assignment;
mod certificate;
mod checks;
mod credential;
mod custom_role;
mod password;
mod peering;
mod peering_script;
mod principal;
mod rights;
mod role;
mod role_scope;
mod script;
mod session;
mod shown;

pub use application::Application;
pub use assignment::{Assignment, PROVIDER_ASSIGNMENT};
pub use checks::{MayGrant, PROVIDER_HAS_PEERING, VnetReady};
pub use credential::{Credential, CredentialKind, CredentialRevoked};
pub use peering::{FOUND_PEERING, Peering, to as peering_to};
pub use principal::Principal;
pub use role::{Allows, Role};
pub use role_scope::RoleScope;
pub use script::{CHECK_NETWORKS, CHECK_NETWORKS_APART, CHECK_REMOTE};

use crate::{engine::Settling, http::ApiError};
use std::time::Duration;

/// The rights that more than one step takes.
const ENTRA_APPLICATIONS: &str =
    "Entra: Application Administrator, or Cloud Application Administrator";
const AZURE_GRANTS: &str = "Azure: Owner, User Access Administrator or Role Based Access Control Administrator on the VNet";
const AZURE_ROLES: &str =
    "Azure: Owner or User Access Administrator on the subscription, to define the role";

/// The steps that make your own application, which may serve the next peering too.
pub const OWN_APPLICATION: [&str; 2] = ["application", "principal"];

/// Waits out what is not yet known everywhere.
fn settle(because: &str, minutes: u64) -> Settling {
    Settling {
        because: because.into(),
        budget: Duration::from_secs(60 * minutes),
    }
}

/// Whether Graph says that an application, made a moment ago, is not there: it answers from copies.
fn unknown_application(error: &ApiError) -> bool {
    error.is("NoBackingApplicationObject")
        || error.is("Request_ResourceNotFound")
        || error.is_missing()
        || error.message.contains("backing application")
        || error
            .message
            .contains("does not reference a valid application")
}

/// That a look at a VNet's peerings showed none of the run's name.
struct NoNamesake;
