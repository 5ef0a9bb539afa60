//! The states at Aiven that a run waits for, and what is looked at when one is not reached.

use super::{
    super::diagnosis,
    api::{Place, Row, Standing},
    keys::AIVEN,
    script,
    steps::{DOCS, STEP, peer, row_reads},
    told::{TOLD_BEFORE, tells_otherwise},
};
use crate::{
    azure::{
        Fault,
        agreement::{self, Told},
        arm,
        keys::{PEERING_NAME, USER_APP_ID, USER_TENANT_ID, USER_VNET_ID},
        steps::{CHECK_REMOTE, FOUND_PEERING, PROVIDER_ASSIGNMENT, peering_to},
    },
    clouds::{Clouds, Realm},
    engine::{About, Cx, Definition, Done, Early, Polled, Refusal, Scope, Usual, Wait},
    fact::{Facts, Named},
    keys,
    shell::{self, Shell, call},
};
use async_trait::async_trait;
use std::time::Duration;

/// The state in which Aiven's half is made and it tells its network.
pub struct PendingPeer {
    pub place: Place,
    pub name: &'static str,
}

impl Definition<Clouds> for PendingPeer {
    fn about(&self) -> About {
        About {
            id: "pending-peer",
            title: format!("Wait for {} to make its half", self.name),
            why: "Only then does the provider tell the tenant and the network that your half must point to.",
            link: DOCS,
            permissions: &[],
        }
    }

    fn scope(&self) -> Scope {
        Scope::Each
    }

    fn part(&self) -> Realm {
        Realm::Provider
    }

    fn reads(&self) -> Vec<Named> {
        let mut reads = row_reads(self.place);
        // Its script may have to ask again.
        reads.extend(keys![PEERING_NAME, USER_APP_ID, USER_TENANT_ID]);
        reads.extend(diagnosis::reads(&AIVEN));
        reads.extend(agreement::reads(AIVEN));
        reads
    }

    fn gives(&self) -> Vec<Named> {
        keys![AIVEN.tenant_id, AIVEN.vnet_id]
    }

    fn shell(&self) -> Shell {
        let functions = script::functions(self.place);
        let row = call(functions.row);
        Shell {
            wait: Some(shell::Wait {
                state: row.clone().arg("says"),
                reached: &["PENDING_PEER", "ACTIVE"],
                refused: REFUSED,
                limit: self.usual().limit,
                // Nothing tells a script how old the provider's right is; the reason is printed all the while.
                again: Some(shell::Again {
                    on: MAY_BE_EARLY,
                    within: BUDGET,
                    ask: functions.ask,
                }),
            }),
            create: vec![
                row.arg("to-tenant-id").prints(AIVEN.tenant_id),
                call(functions.remote_network).prints(AIVEN.vnet_id),
                call(&CHECK_REMOTE)
                    .arg(AIVEN.app_id)
                    .arg(AIVEN.tenant_id)
                    .arg(AIVEN.vnet_id),
            ],
            ..Shell::default()
        }
    }

    fn shell_apart(&self) -> Shell {
        let told = call(script::functions(self.place).told_once);
        let tenant = told.clone().arg("to-tenant-id").arg(AIVEN.tenant_id);
        let network = told.arg("to-network-id").arg(AIVEN.vnet_id);
        Shell {
            create: vec![
                tenant.prints(AIVEN.tenant_id),
                network.prints(AIVEN.vnet_id),
            ],
            ..self.shell()
        }
    }
}

#[async_trait(?Send)]
impl Wait<Clouds> for PendingPeer {
    async fn poll(&self, cx: &mut Cx<'_, Clouds>) -> Done<Polled, Clouds> {
        let (w, f) = (cx.world, &cx.facts);
        let row = match standing(w, f, (self.place, self.name)).await? {
            Ok(row) if row.standing() == Standing::Waiting => {
                return Ok(Polled::NotYet(row.says()));
            }
            Ok(row) => row,
            Err(ended) => return Ok(ended),
        };
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
            (Some(tenant), Some(network)) => {
                let told = Told {
                    tenant: Some(&tenant),
                    network: &network,
                };
                match agreement::look(cx, AIVEN, told).await? {
                    Some(refusal) => Polled::Refused(refusal),
                    None => Polled::Reached(
                        Facts::default()
                            .with(AIVEN.tenant_id, tenant)
                            .with(AIVEN.vnet_id, network),
                    ),
                }
            }
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
    let mut theirs = range.texts();
    theirs.sort_unstable();
    let peerings = w.list(&arm::peerings(&f.get(USER_VNET_ID)?)).await?;
    Ok(peerings
        .iter()
        .find(|it| !it.is_dead() && it.remote_ranges() == theirs)
        .map(|it| it.remote().to_owned()))
}

/// The state in which both halves are there and Aiven has seen it.
pub struct Active {
    pub place: Place,
    pub name: &'static str,
}

impl Definition<Clouds> for Active {
    fn about(&self) -> About {
        About {
            id: "active",
            title: format!("Wait for {} to see both halves", self.name),
            why: "The provider looks at Azure from time to time; services can be reached once it has seen your half.",
            link: DOCS,
            permissions: &[],
        }
    }

    fn scope(&self) -> Scope {
        Scope::Each
    }

    fn part(&self) -> Realm {
        Realm::Provider
    }

    fn after(&self) -> Vec<Named> {
        keys![FOUND_PEERING]
    }

    fn reads(&self) -> Vec<Named> {
        let mut reads = row_reads(self.place);
        reads.extend(TOLD_BEFORE);
        reads.extend(diagnosis::reads(&AIVEN));
        reads
    }

    fn shell(&self) -> Shell {
        Shell {
            wait: Some(shell::Wait {
                state: call(script::functions(self.place).row).arg("says"),
                reached: &["ACTIVE"],
                refused: REFUSED,
                limit: self.usual().limit,
                again: None,
            }),
            ..Shell::default()
        }
    }
}

#[async_trait(?Send)]
impl Wait<Clouds> for Active {
    async fn poll(&self, cx: &mut Cx<'_, Clouds>) -> Done<Polled, Clouds> {
        let (w, f) = (cx.world, &cx.facts);
        let row = match standing(w, f, (self.place, self.name)).await? {
            Ok(row) if row.standing() == Standing::Active => {
                return Ok(Polled::Reached(Facts::default()));
            }
            Ok(row) => row,
            Err(ended) => return Ok(ended),
        };
        if let Some(refusal) = tells_otherwise(f, &row)? {
            return Ok(Polled::Refused(refusal));
        }
        let remote = f.get(AIVEN.vnet_id)?;
        let mine = peering_to(w, &f.get(USER_VNET_ID)?, remote.as_ref()).await?;
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

    fn usual(&self) -> Usual {
        Usual {
            words: "1-5 min, at times 15",
            time: Duration::from_secs(180),
            every: Duration::from_secs(5),
            limit: Duration::from_secs(30 * 60),
        }
    }
}

/// The refusals that may only say that the provider was asked before its right had spread, how long that may take, and how long
/// the provider is asked again.
const MAY_BE_EARLY: &[&str] = &["INVALID_SPECIFICATION", "REJECTED_BY_PEER"];
const SPREADS: Duration = Duration::from_secs(15 * 60);
const BUDGET: Duration = Duration::from_secs(10 * 60);

/// The peering as the provider has it, or how the wait for it ends when it can get no further.
async fn standing(
    w: &Clouds,
    f: &Facts,
    (place, name): (Place, &str),
) -> Result<Result<Row, Polled>, Fault> {
    let Some(row) = place.named(f)?.row(w, &peer(f)?).await? else {
        return Ok(Err(vanished()));
    };
    Ok(match row.standing() {
        Standing::Waiting | Standing::PendingPeer | Standing::Active => Ok(row),
        Standing::Failed | Standing::Orphaned | Standing::Going | Standing::Gone => {
            Err(refusal(w, f, name, &row).await?)
        }
    })
}

async fn refusal(w: &Clouds, f: &Facts, name: &str, row: &Row) -> Result<Polled, Fault> {
    let mut refusal = Refusal::new(row.says());
    refusal.code = Some(row.state.clone());
    refusal.renew = Some(STEP);
    let told = row.peer_azure_tenant_id.as_deref();
    let diagnosis = diagnosis::diagnose(w, f, &AIVEN, told).await?;
    // Its right is seconds old, and nobody but Azure knows when it has reached the place that Aiven asks.
    let may_pass = diagnosis.is_clean() && MAY_BE_EARLY.contains(&row.state.as_str());
    refusal.early = may_pass.then(|| Early {
        because: format!(
            "{name} says {}; its right on your VNet may not have reached it yet (asked again for up to {} min)",
            row.state,
            BUDGET.as_secs() / 60
        ),
        after: PROVIDER_ASSIGNMENT,
        spreads: SPREADS,
        budget: BUDGET,
    });
    refusal.hints = diagnosis.hints();
    Ok(Polled::Refused(
        refusal.hint("resume asks the provider again"),
    ))
}

fn vanished() -> Polled {
    let mut refusal = Refusal::new("the provider has no such peering any more");
    refusal.renew = Some(STEP);
    Polled::Refused(refusal.hint("somebody deleted it; resume asks for it again"))
}
