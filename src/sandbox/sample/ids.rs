//! The ids, names and secrets of the sample world.

use crate::sandbox::world::sha256;

pub(super) const TENANT: &str = "3f0a6c1e-5b1d-4a77-9c58-2d1e7b90c4a1";
pub(super) const PRODUCTION: &str = "0b1f6471-1bf0-4dda-aec3-cb9272f09590";
pub(super) const DEVELOPMENT: &str = "6d25f4c7-90ab-4c1e-8f3d-5e7a1b2c3d4e";
pub(super) const ADMIN_APP: &str = "e1a4b7c0-2d35-4f68-9a1b-3c5d7e9f0a2b";
pub(super) const ADMIN_SP: &str = "7b2e9d14-6c08-4a53-b1f7-8d4e0c2a6f95";
pub(super) const PERSON: &str = "c9f3a1d5-4e72-4b86-8a0c-1d6f5b3e7a28";
pub(super) const OWNER: &str = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635";
pub(super) const ADMINISTRATOR: &str = "Application Administrator";

/// Aiven's tenant, its subscription there, and its published application.
pub(in crate::sandbox) const AIVEN_TENANT: &str = "c5b1e7d2-8f43-4e0b-a6d9-71f2a3b84e60";
pub(super) const AIVEN_SUBSCRIPTION: &str = "2a9c4e61-7d3b-4f05-8e1a-b6c8d0f2a435";
pub(in crate::sandbox) const AIVEN_APP: &str = "55f300d4-fc50-4c5e-9222-e90a6e2187fb";
/// The role that Aiven gives to its customers' applications in its own tenant.
pub(in crate::sandbox) const AIVEN_ROLE: &str = "5e9f7c31-8a4d-4b26-9c0e-f1d3a5b7c962";
/// Kong's tenant, its subscription there, and its published application.
pub(in crate::sandbox) const KONG_TENANT: &str = "9d27f0b4-1c6e-4f35-b8a2-60c3d5e7f918";
pub(super) const KONG_SUBSCRIPTION: &str = "4c7e1f93-5a2d-4b68-9f0c-e3d5b7a91c26";
pub(in crate::sandbox) const KONG_APP: &str = "207b296f-cf25-4d23-9eba-9a2c41dc62ca";

pub(super) const PROJECT: &str = "acme-prod";
pub(super) const PROJECT_VPC: &str = "d3c1b5a7-8e90-4f2d-a6b4-1c3e5d7f9b80";
pub(super) const ORGANIZATION: &str = "org1a2b3c4d5e6";
pub(super) const ORGANIZATION_VPC: &str = "e5d7f9b8-1c3e-4a6b-8d0f-2b4c6e8a0d1f";
pub(super) const TIMESCALE_PROJECT: &str = "acme-metrics";
pub(super) const TIMESCALE_VPC: &str = "f7e9d1c3-5b4a-4d8c-9e2f-6a0b8c4d2e1f";
pub(super) const KONNECT_NETWORK: &str = "b8d6f4a2-0c1e-4e3d-8b5a-7f9c1d3e5a60";

// Not secrets: they open nothing but a sandbox on this machine, and must be the same after a restart of a saved one.
pub(super) const ADMIN_SECRET: &str = "sandbox-Admin~password.of-no-real-cloud";
pub(super) const AIVEN_TOKEN: &str = "sandbox-aiven-token-of-no-real-cloud==";
pub(super) const TIMESCALE_TOKEN: &str = "sandbox-timescale-token-of-no-real-cloud==";
pub(super) const KONNECT_TOKEN: &str = "kpat_sandbox-konnect-token-of-no-real-cloud";

/// A GUID that always goes with a text, so that a sample world is the same each time.
pub(super) fn related(text: &str, salt: char) -> String {
    let hash = sha256(&format!("{salt}{text}"));
    format!(
        "{}-{}-4{}-8{}-{}",
        &hash[..8],
        &hash[8..12],
        &hash[13..16],
        &hash[17..20],
        &hash[20..32]
    )
}
