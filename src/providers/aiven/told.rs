//! What Aiven told of its side, and whether it still tells the same.

use super::{api::Row, keys::AIVEN};
use crate::{
    azure::agreement::same_id,
    engine::Refusal,
    fact::{Facts, Missing, Named},
};

/// What a peering told before, and what is compared with it.
pub(super) const TOLD_BEFORE: [Named; 2] = [AIVEN.tenant_id.named(), AIVEN.vnet_id.named()];

/// How the row differs from what it told this run before, where it tells its network at all.
///
/// # Errors
/// When it has told this run nothing yet.
pub(super) fn tells_otherwise(f: &Facts, row: &Row) -> Result<Option<Refusal>, Missing> {
    let (tenant, network) = (f.get(AIVEN.tenant_id)?, f.get(AIVEN.vnet_id)?);
    let differs = |what: &str, field: &str, before: &str| {
        let now = row.info(field)?;
        (!same_id(now, before)).then(|| {
            format!("the provider tells {now} as its {what} now, and told {before} before")
        })
    };
    let says = differs("tenant", "to-tenant-id", tenant.as_ref())
        .or_else(|| differs("network", "to-network-id", network.as_ref()));
    Ok(says.map(|says| Refusal::new(says).hint(OTHERWISE)))
}

const OTHERWISE: &str = "what was checked is what it told before, and what your VNet is peered with; ask the provider, and undo this run if that cannot be settled";
