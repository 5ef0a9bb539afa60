//! What Aiven told of its side, and whether it still tells the same.

use super::{api::Row, keys::AIVEN};
use crate::{
    engine::Refusal,
    fact::{Facts, Missing, Named},
};

/// What a peering told before, and what is compared with it.
pub(super) const TOLD_BEFORE: [Named; 2] = [AIVEN.tenant_id.named(), AIVEN.vnet_id.named()];

/// How the row differs from what it told this run before, where it tells its network at all.
///
/// # Errors
/// When it has told this run nothing yet.
pub(super) fn tells_otherwise(f: &Facts, row: &Row) -> Result<Option<String>, Missing> {
    let (tenant, network) = (f.get(AIVEN.tenant_id)?, f.get(AIVEN.vnet_id)?);
    let differs = |what: &str, field: &str, before: &str| {
        let now = row.info(field)?;
        let same = now.trim().eq_ignore_ascii_case(before.trim());
        (!same).then(|| {
            format!("the provider tells {now} as its {what} now, and told {before} before")
        })
    };
    Ok(differs("tenant", "to-tenant-id", tenant.as_ref())
        .or_else(|| differs("network", "to-network-id", network.as_ref())))
}

/// What to do about that.
pub(super) const OTHERWISE: &str = "what was checked is what it told before, and what your VNet is peered with; ask the provider, and undo this run if that cannot be settled";

/// The end of a run that it told otherwise.
pub(super) fn otherwise(says: String) -> Refusal {
    Refusal::new(says).hint(OTHERWISE)
}
