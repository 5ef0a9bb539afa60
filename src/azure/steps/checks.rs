//! Looks at the Azure side before anything is changed.

use super::{Role, script::VNET_RANGES};
use crate::{
    azure::{
        Cx, Fault, arm,
        keys::{PEERING_NAME, Side, Text, USER_VNET_ID, USER_VNET_RANGES},
        restraints::{locks, network_provider, register},
    },
    clouds::{Clouds, Realm},
    engine::{Check, Verdict},
    fact::Key,
    net::{self, Ranges, VnetId},
    shell::{Cmd, call},
};
use async_trait::async_trait;
use futures_util::future::join;

/// Set by the provider's check when the provider already has a living peering to this VNet.
pub const PROVIDER_HAS_PEERING: Key<Text> = Key::fleeting("PROVIDER_HAS_PEERING");

/// The VNet is there and at rest, and its addresses leave room for the provider's.
pub struct VnetReady {
    /// The provider's side, whose range an earlier check told.
    pub side: Side,
}

#[async_trait(?Send)]
impl Check<Clouds> for VnetReady {
    fn title(&self) -> &'static str {
        "virtual network"
    }

    /// Who asks the provider need not see the VNet, and is told its ranges.
    fn shell_apart(&self) -> Option<(Realm, Vec<Cmd>)> {
        let ranges = call(&VNET_RANGES).prints(USER_VNET_RANGES);
        Some((Realm::Azure, vec![ranges]))
    }

    async fn look(&self, cx: &mut Cx<'_>) -> Result<Verdict, Fault> {
        let w = cx.world;
        let mut verdict = Verdict::default();
        let id = cx.facts.get(USER_VNET_ID)?;
        let vnet_call = arm::vnet(&id);
        let (vnet, (forbidden, notes)) = join(w.look(&vnet_call), restraints(w, &id)).await;
        cx.hear_earlier().await;
        let f = &cx.facts;
        let Some(vnet) = vnet? else {
            verdict.problems.push(format!(
                "there is no VNet `{}` in resource group `{}`, or your sign-in may not see it: check `--vnet`; only one tenant is seen at a time, another is named with `--tenant`",
                id.name, id.resource_group
            ));
            let network = w.look(&network_provider(&id.subscription)).await;
            if matches!(network, Ok(Some(provider)) if provider.is_missing()) {
                verdict.problems.push(register(&id.subscription));
            }
            return Ok(verdict);
        };
        let state = &vnet.properties.provisioning_state;
        if !state.is_empty() && !state.eq_ignore_ascii_case("Succeeded") {
            verdict.problems.push(format!(
                "the VNet `{}` is in state {state}, not Succeeded: wait until its last change is done, or mend that",
                vnet.name
            ));
        }
        let ours: Ranges = vnet
            .properties
            .address_space
            .address_prefixes
            .iter()
            .cloned()
            .collect();
        verdict.facts.set(USER_VNET_RANGES, ours.clone());
        let name = f.get(PEERING_NAME).ok();
        let range = f.get(self.side.range).unwrap_or_default();
        let theirs = range.texts();
        for (mine, other) in net::overlaps(&ours.texts(), &theirs) {
            verdict.problems.push(format!(
                "the VNet's range {mine} overlaps the provider's {other}: peered networks must not share addresses; choose another VPC or VNet"
            ));
        }
        let known = f.get(PROVIDER_HAS_PEERING).is_ok();
        verdict.notes.extend(notes);
        // What is connected already needs no change.
        let heard = if known {
            &mut verdict.notes
        } else {
            &mut verdict.problems
        };
        heard.extend(forbidden);
        for peering in &vnet.properties.virtual_network_peerings {
            if name
                .as_ref()
                .is_some_and(|name| peering.name.eq_ignore_ascii_case(name.as_ref()))
                && !known
            {
                verdict.problems.push(format!(
                    "the VNet has a peering named `{}` already (to {}): choose another name with `--peering-name`",
                    peering.name,
                    peering.remote()
                ));
            }
            let shared = net::overlaps(&peering.remote_ranges(), &theirs);
            let Some((mine, other)) = shared.first() else {
                continue;
            };
            if peering.is_dead() {
                verdict.problems.push(format!(
                    "a dead peering is in the way: `{}` (Disconnected) points to {mine}; delete it: az network vnet peering delete --ids \"{}\"",
                    peering.name, peering.id
                ));
            } else if !(known && mine == other) {
                verdict.problems.push(format!(
                    "the VNet is already peered with {mine} (`{}`), which is the provider's range or overlaps it ({other}): delete that peering, or choose another VPC",
                    peering.name
                ));
            }
        }
        if verdict.problems.is_empty() {
            verdict.good.push(format!(
                "`{}` ({}) has {ours}, and nothing overlaps",
                vnet.name, vnet.location
            ));
        }
        Ok(verdict)
    }
}

/// What forbids changes in general, and what the person should know besides: locks, and the state of the subscription. A look that
/// is refused tells nothing; then the change itself does.
async fn restraints(w: &Clouds, vnet: &VnetId) -> (Vec<String>, Vec<String>) {
    let (mut problems, mut notes) = (Vec::new(), Vec::new());
    let (locks, subscription) = (
        locks(&vnet.subscription),
        arm::subscription(&vnet.subscription),
    );
    let (locks, subscription) = join(w.list(&locks), w.look(&subscription)).await;
    let id = vnet.to_string();
    for lock in locks.unwrap_or_default() {
        if !lock.covers(&id) {
            continue;
        }
        let (name, scope) = (lock.name(), lock.scope());
        let place = match scope.matches('/').count() {
            0..=2 => "the subscription".to_owned(),
            3 | 4 => format!("the resource group `{}`", net::leaf(scope)),
            _ => "the VNet".to_owned(),
        };
        if lock.forbids_all() {
            problems.push(format!(
                "the lock `{name}` (ReadOnly) on {place} forbids every change to the VNet: have it removed: az lock delete --ids \"{}\"",
                lock.id
            ));
        } else {
            notes.push(format!(
                "the lock `{name}` ({}) on {place} lets the VNet be connected, but undo cannot delete anything on it as long as the lock is there",
                lock.properties.level
            ));
        }
    }
    if let Ok(Some(subscription)) = subscription {
        let name = &subscription.display_name;
        match subscription.state.as_deref().unwrap_or_default() {
            state @ ("Disabled" | "Deleted" | "Expired") => problems.push(format!(
                "the subscription `{name}` is in state {state}: nothing in it can be changed until it is enabled again"
            )),
            state @ ("Warned" | "PastDue") => notes.push(format!(
                "the subscription `{name}` is in state {state}: it will be disabled unless that is settled, and the peering with it"
            )),
            _ => {}
        }
    }
    (problems, notes)
}

/// The person may write role assignments on the VNet and role definitions in its subscription.
pub struct MayGrant {
    /// The role that has to be defined, unless it is there.
    pub role: Role,
}

const ASSIGN: &str = "Microsoft.Authorization/roleAssignments/write";
const DEFINE: &str = "Microsoft.Authorization/roleDefinitions/write";

#[async_trait(?Send)]
impl Check<Clouds> for MayGrant {
    fn title(&self) -> &'static str {
        "your rights in Azure"
    }

    async fn look(&self, cx: &mut Cx<'_>) -> Result<Verdict, Fault> {
        let (w, f) = (cx.world, &cx.facts);
        let mut verdict = Verdict::default();
        let vnet = f.get(USER_VNET_ID)?;
        let subscription = vnet.subscription_scope();
        let (on_vnet, above) = (
            arm::permissions(&vnet.to_string()),
            arm::permissions(&subscription),
        );
        let (mine, above) = join(w.list(&on_vnet), w.list(&above)).await;
        let mine = match mine {
            Ok(mine) => mine,
            // The VNet's own check says that it is not there.
            Err(error) if error.is_missing() => return Ok(verdict),
            Err(error) => return Err(error.into()),
        };
        let may = |list: &[arm::Permission], action: &str| list.iter().any(|it| it.allows(action));
        let above = match above {
            Ok(above) => Some(above),
            // Not every sign-in may ask this; the VNet's answer is then all there is.
            Err(error) if matches!(error.status, Some(403 | 404)) => None,
            Err(error) => return Err(error.into()),
        };
        let may_define =
            may(&mine, DEFINE) && above.as_deref().is_none_or(|above| may(above, DEFINE));
        if !may(&mine, ASSIGN) {
            verdict.problems.push(format!(
                "you may not assign roles on the VNet ({ASSIGN}): ask for Owner, User Access Administrator or Role Based Access Control Administrator on it"
            ));
        }
        if !may_define && !self.role.is_here(w, f, cx.is_first()).await? {
            verdict.problems.push(format!(
                "you may not define roles in the subscription ({DEFINE}): ask for Owner or User Access Administrator on it"
            ));
        }
        if verdict.problems.is_empty() {
            verdict
                .good
                .push("you may assign and define roles here".into());
        }
        Ok(verdict)
    }
}
