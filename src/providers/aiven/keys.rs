//! The facts of Aiven and Timescale. Their names are the variables of the guides, in upper case.

use crate::{
    azure::keys::{Side, Text},
    fact::Key,
};

/// What Aiven and Timescale have in your tenant, and their network.
pub const AIVEN: Side = Side {
    app_id: Key::new("AIVEN_APP_ID"),
    app_name: Key::new("AIVEN_APP_NAME"),
    app_tenant_id: Key::new("AIVEN_APP_TENANT_ID"),
    app_publisher: Key::new("AIVEN_APP_PUBLISHER"),
    app_confirmed: Key::new("AIVEN_APP_CONFIRMED"),
    sp_id: Key::new("AIVEN_SP_ID"),
    role_id: Key::new("AIVEN_ROLE_ID"),
    assignment_id: Key::new("AIVEN_ROLE_ASSIGNMENT_ID"),
    tenant_id: Key::new("AIVEN_TENANT_ID"),
    vnet_id: Key::new("AIVEN_VNET_ID"),
    range: Key::new("AIVEN_VPC_RANGE"),
};

/// The project, by its name.
pub const AIVEN_PROJECT: Key<Text> = Key::new("AIVEN_PROJECT");
/// The project's VPC.
pub const AIVEN_PROJECT_VPC_ID: Key<Text> = Key::new("AIVEN_PROJECT_VPC_ID");
/// The organization.
pub const AIVEN_ORGANIZATION_ID: Key<Text> = Key::new("AIVEN_ORGANIZATION_ID");
/// The organization's VPC.
pub const AIVEN_ORGANIZATION_VPC_ID: Key<Text> = Key::new("AIVEN_ORGANIZATION_VPC_ID");
