//! Looks at the VPC before anything is changed.

use super::{
    api::{Place, Standing, best},
    keys::AIVEN,
    script::functions,
    steps::{STEP, other_application, peer},
};
use crate::{
    azure::{keys::USER_APP_ID, steps::PROVIDER_HAS_PEERING},
    clouds::{Clouds, Realm},
    engine::{Check, Cx, Done, Refusal, Verdict},
    fact::{Facts, Missing},
    net::{RANGE_SEPARATOR, Ranges},
    shell::{Cmd, call},
};
use async_trait::async_trait;

/// The VPC is there, on Azure and at rest, and no dead peering is in the way.
pub struct VpcReady {
    pub place: Place,
    pub name: &'static str,
}

#[async_trait(?Send)]
impl Check<Clouds> for VpcReady {
    fn shell(&self) -> Vec<Cmd> {
        vec![call(functions(self.place).ready)]
    }

    fn shell_apart(&self) -> Option<(Realm, Vec<Cmd>)> {
        let ready = call(functions(self.place).ready_apart);
        Some((Realm::Provider, vec![ready]))
    }

    fn title(&self) -> &'static str {
        "VPC of the provider"
    }

    async fn look(&self, cx: &mut Cx<'_, Clouds>) -> Done<Verdict, Clouds> {
        let (w, f) = (cx.world, &cx.facts);
        let mut verdict = Verdict::default();
        let name = self.place.named(f)?;
        let Some(vpc) = name.look(w).await? else {
            verdict.problems.push(format!(
                "there is no VPC {} in `{}`: check `--vpc`, and that the token may see it",
                name.id, name.owner
            ));
            return Ok(verdict);
        };
        let clouds = vpc.cloud_names().join(RANGE_SEPARATOR);
        if !vpc.is_on_azure() {
            verdict.problems.push(format!(
                "the VPC {} is on {clouds}, not on Azure: VNets can be peered only with VPCs on azure-…",
                name.id
            ));
        }
        if vpc.state != "ACTIVE" {
            verdict.problems.push(format!(
                "the VPC {} is in state {}, not ACTIVE: a new one takes some minutes",
                name.id, vpc.state
            ));
        }
        let ranges: Ranges = vpc.ranges().into_iter().collect();
        verdict.facts.set(AIVEN.range, ranges.clone());
        if verdict.problems.is_empty() {
            verdict
                .good
                .push(format!("VPC {} ({clouds}) has {ranges}", name.id));
        }
        let peer = peer(f)?;
        let Some(row) = best(vpc, &peer) else {
            verdict.missed.push(STEP);
            return Ok(verdict);
        };
        let given = f.get(USER_APP_ID).ok();
        let same = match (&row.peer_azure_app_id, &given) {
            (Some(theirs), Some(mine)) => theirs.eq_ignore_ascii_case(mine.as_ref()),
            (None, _) => true,
            (Some(_), None) => false,
        };
        match row.standing() {
            Standing::Active => {
                verdict.facts.set(PROVIDER_HAS_PEERING, "ACTIVE");
                verdict.done = Some(format!("{} already shows this VNet as ACTIVE", self.name));
            }
            Standing::Waiting | Standing::PendingPeer if same => {
                verdict.facts.set(PROVIDER_HAS_PEERING, row.state.as_str());
            }
            Standing::Waiting | Standing::PendingPeer => {
                let other = row.peer_azure_app_id.clone().unwrap_or_default();
                let Refusal { message, hints, .. } = other_application(self.name, &row, &other);
                verdict
                    .problems
                    .push(format!("{message}: {}", hints.join("; ")));
            }
            Standing::Failed | Standing::Orphaned => verdict.problems.push(format!(
                "a dead peering is in the way at {}: {}; delete it: {}",
                self.name,
                row.says(),
                self.delete_command(f)?
            )),
            Standing::Going | Standing::Gone => {}
        }
        Ok(verdict)
    }
}

impl VpcReady {
    /// What a person types to delete a dead row.
    fn delete_command(&self, f: &Facts) -> Result<String, Missing> {
        let (name, peer) = (self.place.named(f)?, peer(f)?);
        let quoted = crate::shell::single;
        Ok(match self.place {
            Place::Project => format!(
                "avn vpc peering-connection delete --project {} --project-vpc-id {} --peer-cloud-account {} --peer-resource-group {} --peer-vpc {}",
                quoted(&name.owner),
                quoted(&name.id),
                quoted(&peer.account),
                quoted(&peer.resource_group),
                quoted(&peer.vnet)
            ),
            Place::Organization => format!(
                "avn organization vpc peering-connection list --organization-id {0} --organization-vpc-id {1}, then … delete --organization-id {0} --organization-vpc-id {1} --peering-connection-id ID",
                quoted(&name.owner),
                quoted(&name.id)
            ),
        })
    }
}
