//! The states at Aiven that a run waits for, and what is looked at when one is not reached.

use super::{
    api::{Place, Row, Standing},
    script,
    steps::{DOCS, STEP, peer},
};
use crate::{
    azure::{
        Fault, arm,
        keys::{AIVEN, USER_TENANT_ID, USER_VNET_ID, USER_VNET_RANGES},
        steps::{peering_to, vnet_of},
    },
    clouds::Clouds,
    engine::{About, Polled, Probe, Refusal, Usual},
    fact::{Facts, Missing},
    net::{self, RANGE_SEPARATOR, covers, leaf},
    shell::{Shell, Wait, call},
};
use std::time::Duration;

/// The state in which Aiven's half is made and it tells its network.
pub struct PendingPeer {
    /// Where the VPC lives.
    pub place: Place,
    /// What people call the provider.
    pub name: &'static str,
}

impl Probe<Clouds> for PendingPeer {
    fn about(&self) -> About {
        About {
            id: "pending-peer",
            title: format!("Wait for {} to make its half", self.name),
            why: "Only then does the provider tell the tenant and the network that your half must point to.",
            link: DOCS,
            permissions: &[],
        }
    }

    async fn poll(&self, w: &Clouds, f: &Facts) -> Result<Polled, Fault> {
        let Some(row) = self.place.named(f)?.row(w, &peer(f)?).await? else {
            return Ok(vanished());
        };
        match row.standing() {
            Standing::Waiting => return Ok(Polled::NotYet(row.says())),
            Standing::PendingPeer | Standing::Active => {}
            Standing::Failed | Standing::Orphaned | Standing::Going | Standing::Gone => {
                return Ok(refusal(w, f, &row).await);
            }
        }
        // Told now and perhaps never again: the next state's information is another.
        let tenant = match row.info("to-tenant-id") {
            Some(tenant) => Some(tenant.to_owned()),
            None => f.get(AIVEN.app_tenant_id).ok().map(Into::into),
        };
        let network = match row.info("to-network-id") {
            Some(network) => Some(network.to_owned()),
            None if row.standing() == Standing::Active => already_peered(w, f).await?,
            None => None,
        };
        Ok(match (tenant, network) {
            (Some(tenant), Some(network)) => Polled::Reached(
                Facts::default()
                    .with(AIVEN.tenant_id, tenant.into())
                    .with(AIVEN.vnet_id, network.into()),
            ),
            _ if row.standing() == Standing::Active => Polled::Refused(
                Refusal::new("the peering is ACTIVE, but the provider does not tell its network any more")
                    .hint("it is connected; if you want this run to own it, delete the peering at the provider and begin anew"),
            ),
            _ => Polled::NotYet(format!("{}, network not told yet", row.state)),
        })
    }

    fn usual(&self) -> Usual {
        Usual {
            words: "2-5 min",
            time: Duration::from_secs(180),
            every: Duration::from_secs(5),
            limit: Duration::from_secs(30 * 60),
        }
    }

    fn shell(&self, f: &Facts) -> Result<Shell, Missing> {
        self.place.named(f)?;
        Ok(Shell {
            wait: Some(Wait {
                state: call("peering_row").arg("state"),
                reached: &["PENDING_PEER", "ACTIVE"],
                refused: REFUSED,
                limit: self.usual().limit,
            }),
            create: vec![
                call("peering_row")
                    .arg("to-tenant-id")
                    .prints(AIVEN.tenant_id),
                call("remote_network").prints(AIVEN.vnet_id),
            ],
            functions: vec![script::REMOTE_NETWORK],
            ..Shell::default()
        })
    }
}

const REFUSED: &[&str] = &[
    "INVALID_SPECIFICATION",
    "REJECTED_BY_PEER",
    "ERROR",
    "DELETED_BY_PEER",
    "DELETING",
];

/// The network that a peering on the VNet points to and whose range is the VPC's: it was told once, and used.
async fn already_peered(w: &Clouds, f: &Facts) -> Result<Option<String>, Fault> {
    let Ok(range) = f.get(AIVEN.range) else {
        return Ok(None);
    };
    let theirs: Vec<&str> = range.as_ref().split(RANGE_SEPARATOR).collect();
    let peerings = w.list(&arm::peerings(&vnet_of(f)?)).await?;
    Ok(peerings
        .iter()
        .find(|it| !it.is_dead() && it.remote_ranges() == theirs)
        .map(|it| it.remote().to_owned()))
}

/// The state in which both halves are there and Aiven has seen it.
pub struct Active {
    /// Where the VPC lives.
    pub place: Place,
    /// What people call the provider.
    pub name: &'static str,
}

impl Probe<Clouds> for Active {
    fn about(&self) -> About {
        About {
            id: "active",
            title: format!("Wait for {} to see both halves", self.name),
            why: "The provider looks at Azure from time to time; services can be reached once it has seen your half.",
            link: DOCS,
            permissions: &[],
        }
    }

    async fn poll(&self, w: &Clouds, f: &Facts) -> Result<Polled, Fault> {
        let Some(row) = self.place.named(f)?.row(w, &peer(f)?).await? else {
            return Ok(vanished());
        };
        match row.standing() {
            Standing::Active => Ok(Polled::Reached(Facts::default())),
            Standing::Failed | Standing::Orphaned | Standing::Going | Standing::Gone => {
                Ok(refusal(w, f, &row).await)
            }
            Standing::Waiting | Standing::PendingPeer => {
                let remote = f.get(AIVEN.vnet_id)?;
                let mine = peering_to(w, &vnet_of(f)?, remote.as_ref()).await?;
                Ok(match mine {
                    Some(half) if half.is_dead() => Polled::Refused(
                        Refusal::new(
                            "the peering on your VNet is Disconnected: the provider's half is gone",
                        )
                        .hint("undo this run and connect anew"),
                    ),
                    Some(half) => Polled::NotYet(format!(
                        "{}, your half {}",
                        row.state, half.properties.peering_state
                    )),
                    None => Polled::Refused(
                        Refusal::new("the peering on your VNet is gone")
                            .hint("somebody deleted it; undo this run and connect anew"),
                    ),
                })
            }
        }
    }

    fn usual(&self) -> Usual {
        Usual {
            words: "1-5 min, at times 15",
            time: Duration::from_secs(180),
            every: Duration::from_secs(5),
            limit: Duration::from_secs(30 * 60),
        }
    }

    fn shell(&self, f: &Facts) -> Result<Shell, Missing> {
        self.place.named(f)?;
        Ok(Shell {
            wait: Some(Wait {
                state: call("peering_row").arg("state"),
                reached: &["ACTIVE"],
                refused: REFUSED,
                limit: self.usual().limit,
            }),
            ..Shell::default()
        })
    }
}

/// Looks for the cause of a refusal instead of guessing it.
async fn diagnose(w: &Clouds, f: &Facts, row: &Row) -> Vec<String> {
    let mut found = Vec::new();
    let mut good = Vec::new();
    let Ok(vnet) = vnet_of(f) else { return found };
    match w.look(&arm::vnet(&vnet)).await {
        Ok(Some(_)) => good.push("the VNet is there"),
        Ok(None) => found.push(format!("the VNet `{}` is not there any more", vnet.name)),
        Err(_) => {}
    }
    if let (Ok(scope), Ok(principal), Ok(role)) = (
        f.get(USER_VNET_ID),
        f.get(AIVEN.sp_id),
        f.get(AIVEN.role_id),
    ) {
        let call = arm::assignments(scope.as_ref(), Some(principal.as_ref()));
        if let Ok(list) = w.list(&call).await {
            let has = list.iter().any(|it| {
                leaf(&it.properties.role_definition_id).eq_ignore_ascii_case(leaf(role.as_ref()))
                    && covers(&it.properties.scope, scope.as_ref())
            });
            if has {
                good.push("the provider's principal has its role on it");
            } else {
                found.push("the provider's principal has lost its role on the VNet: undo this run and begin anew, or assign the role again".into());
            }
        }
    }
    if let (Ok(ours), Ok(theirs)) = (f.get(USER_VNET_RANGES), f.get(AIVEN.range)) {
        let ours: Vec<&str> = ours.as_ref().split(RANGE_SEPARATOR).collect();
        let theirs: Vec<&str> = theirs.as_ref().split(RANGE_SEPARATOR).collect();
        match net::overlaps(&ours, &theirs).first() {
            Some((mine, other)) => found.push(format!("the VNet's range {mine} overlaps {other}")),
            None => good.push("the ranges do not overlap"),
        }
    }
    if let (Ok(mine), Some(theirs)) = (f.get(USER_TENANT_ID), &row.peer_azure_tenant_id)
        && !theirs.eq_ignore_ascii_case(mine.as_ref())
    {
        found.push(format!(
            "the provider was told the tenant {theirs}, and yours is {mine}"
        ));
    }
    if found.is_empty() && !good.is_empty() {
        found.push(format!(
            "looked: {}; a role assigned a moment ago may not have reached the provider",
            good.join(", ")
        ));
    }
    found
}

async fn refusal(w: &Clouds, f: &Facts, row: &Row) -> Polled {
    let mut refusal = Refusal::new(row.says());
    refusal.code = Some(row.state.clone());
    refusal.renew = Some(STEP);
    refusal.hints = diagnose(w, f, row).await;
    Polled::Refused(refusal.hint("resume asks the provider again"))
}

fn vanished() -> Polled {
    let mut refusal = Refusal::new("the provider has no such peering any more");
    refusal.renew = Some(STEP);
    Polled::Refused(refusal.hint("somebody deleted it; resume asks for it again"))
}
