//! The steps at Aiven: asking for the peering, and waiting for its states.

use super::api::{AIVEN_PROJECT, Peer, Place, Row, Standing};
use crate::{
    azure::{
        Fault, arm,
        keys::{
            AIVEN, USER_APP_ID, USER_RESOURCE_GROUP, USER_SUBSCRIPTION_ID, USER_TENANT_ID,
            USER_VNET_ID, USER_VNET_NAME, USER_VNET_RANGES,
        },
        steps::{PROVIDER_HAS_PEERING, peering_to, vnet_of},
    },
    clouds::Clouds,
    engine::{
        About, Check, Deleted, Look, Made, Polled, Probe, Refusal, Resource, Settling, Usual,
        Verdict,
    },
    fact::{Facts, Missing},
    http::ApiError,
    net::{self, RANGE_SEPARATOR, covers, leaf},
    shell::{Shell, Wait, avn, call},
};
use std::time::Duration;

const STEP: &str = "provider-peering";
const DOCS: &str = "https://aiven.io/docs/platform/howto/vnet-peering-azure";

/// What Aiven is told of your VNet: lower case, or it would not find it again.
fn peer(f: &Facts) -> Result<Peer, Missing> {
    let lower = |text: &str| text.to_lowercase();
    Ok(Peer {
        account: lower(f.get(USER_SUBSCRIPTION_ID)?.as_ref()),
        resource_group: lower(f.get(USER_RESOURCE_GROUP)?.as_ref()),
        vnet: lower(f.get(USER_VNET_NAME)?.as_ref()),
    })
}

/// Aiven's half of the peering.
pub struct ProviderPeering {
    /// Where the VPC lives.
    pub place: Place,
    /// What people call the provider.
    pub name: &'static str,
}

impl ProviderPeering {
    async fn row(&self, w: &Clouds, f: &Facts) -> Result<Option<Row>, Fault> {
        Ok(self.place.named(f)?.row(w, &peer(f)?).await?)
    }

    async fn ask(&self, w: &Clouds, f: &Facts) -> Result<Row, Fault> {
        let (app, tenant) = (f.get(USER_APP_ID)?, f.get(USER_TENANT_ID)?);
        let vpc = self.place.named(f)?;
        Ok(vpc.ask(w, &peer(f)?, app.as_ref(), tenant.as_ref()).await?)
    }
}

impl Resource<Clouds> for ProviderPeering {
    type Item = Row;
    const UNDO_FIRST: bool = true;

    fn about(&self) -> About {
        About {
            id: STEP,
            title: format!("Ask {} for the peering", self.name),
            why: "The provider makes its half first, and lets your application make the other one.",
            link: DOCS,
            permissions: &[
                "Aiven: the networking permission in the project or organization (roles operator, developer, admin)",
            ],
        }
    }

    fn thing(&self) -> String {
        format!("the peering at {}", self.name)
    }

    async fn find(&self, w: &Clouds, f: &Facts) -> Result<Option<Row>, Fault> {
        let Some(row) = self.row(w, f).await? else {
            return Ok(None);
        };
        if row.standing() == Standing::Going {
            return Err(still_going().into());
        }
        let mine = f.get(USER_APP_ID)?;
        match &row.peer_azure_app_id {
            Some(other) if !other.eq_ignore_ascii_case(mine.as_ref()) => {
                Err(Fault::Refused(other_application(self.name, &row, other)))
            }
            _ => Ok(Some(row)),
        }
    }

    async fn create(&self, w: &Clouds, f: &Facts) -> Result<Made<Row>, Fault> {
        match self.ask(w, f).await {
            Ok(row) => Ok(Made::New(row)),
            Err(Fault::World(error)) if error.message.contains("already exists") => {
                match self.row(w, f).await? {
                    Some(row) => Ok(Made::Already(row)),
                    None => Err(error.into()),
                }
            }
            Err(fault) => Err(fault),
        }
    }

    async fn delete(&self, w: &Clouds, f: &Facts) -> Result<Deleted, Fault> {
        let Some(row) = self.row(w, f).await? else {
            return Ok(Deleted::Gone);
        };
        if row.standing() != Standing::Going {
            self.place.named(f)?.forget(w, &peer(f)?, &row).await?;
        }
        Ok(match self.row(w, f).await? {
            None => Deleted::Gone,
            Some(row) => Deleted::NotYet(row.state),
        })
    }

    fn facts(&self, _: &Row) -> Facts {
        Facts::default()
    }

    async fn renew(&self, w: &Clouds, f: &Facts) -> Result<(), Fault> {
        if let Some(row) = self.row(w, f).await? {
            match row.standing() {
                Standing::Going => return Err(still_going().into()),
                // There is no way out of this state but a new row.
                Standing::Orphaned => {
                    self.place.named(f)?.forget(w, &peer(f)?, &row).await?;
                    return Err(still_going().into());
                }
                Standing::Failed | Standing::Gone => {}
                Standing::Waiting | Standing::PendingPeer | Standing::Active => return Ok(()),
            }
        }
        self.ask(w, f).await?;
        Ok(())
    }

    fn settling(&self, error: &ApiError) -> Option<Settling> {
        let wait = |because: &str, minutes: u64| {
            Some(Settling {
                because: because.into(),
                budget: Duration::from_secs(60 * minutes),
            })
        };
        if error.is(GOING) {
            wait("an earlier peering is still being deleted", 15)
        } else if error
            .message
            .contains("does not refer to a valid application")
        {
            wait("Aiven does not see your new application yet", 10)
        } else if error.status == Some(409) && error.message.contains("not ACTIVE") {
            wait("the VPC is still being built", 15)
        } else {
            None
        }
    }

    async fn look(&self, w: &Clouds, f: &Facts) -> Result<Look, Fault> {
        let Some(row) = self.row(w, f).await? else {
            return Ok(Look::Missing);
        };
        let todo = match row.standing() {
            Standing::Active => return Ok(Look::Present(row.says())),
            Standing::PendingPeer => {
                "your half is missing, or was made a moment ago: look at the peering on your VNet"
            }
            Standing::Waiting => "wait: the provider is still building it",
            Standing::Failed => "resume asks for it again; see the message for the cause",
            Standing::Orphaned => {
                "the half on your VNet was removed: undo this run and connect anew"
            }
            Standing::Going | Standing::Gone => {
                "somebody deleted it at the provider: undo this run and connect anew"
            }
        };
        Ok(Look::Changed {
            says: row.says(),
            todo: todo.into(),
        })
    }

    fn shell(&self, f: &Facts) -> Result<Shell, Missing> {
        let (app, tenant) = (f.get(USER_APP_ID)?, f.get(USER_TENANT_ID)?);
        let (functions, create, delete) = match self.place {
            Place::Project => {
                let on = |words: &str| -> Result<crate::shell::Cmd, Missing> {
                    Ok(avn(words)
                        .opt("--project", f.get(AIVEN_PROJECT)?)
                        .opt("--project-vpc-id", f.get(self.place.vpc())?))
                };
                (
                    vec![PROJECT_ROWS, ROW, DELETE_PROJECT_ROW],
                    on("vpc peering-connection create")?,
                    call("delete_peering_row"),
                )
            }
            Place::Organization => {
                let create = avn("organization vpc peering-connection create")
                    .opt("--organization-id", f.get(self.place.owner())?)
                    .opt("--organization-vpc-id", f.get(self.place.vpc())?);
                (
                    vec![ORGANIZATION_ROWS, ROW, DELETE_ORGANIZATION_ROW],
                    create,
                    call("delete_peering_row"),
                )
            }
        };
        let create = create
            .opt_lower("--peer-cloud-account", f.get(USER_SUBSCRIPTION_ID)?)
            .opt_lower("--peer-resource-group", f.get(USER_RESOURCE_GROUP)?)
            .opt_lower("--peer-vpc", f.get(USER_VNET_NAME)?)
            .opt_lower("--peer-azure-app-id", app)
            .opt_lower("--peer-azure-tenant-id", tenant)
            .flag("--json >/dev/null")
            .patient(
                "Aiven may not see the new application yet",
                Duration::from_secs(600),
            );
        Ok(Shell {
            find: Some(call("peering_row").arg("state").prints(PEERING_STATE)),
            create: vec![create],
            delete: vec![delete],
            functions,
            ..Shell::default()
        })
    }
}

/// The state that the script reads.
const PEERING_STATE: crate::fact::Key<crate::azure::keys::Text> =
    crate::fact::Key::durable("AIVEN_PEERING_STATE");

const PROJECT_ROWS: &str = r#"# peering_rows: all peerings of the VPC, as JSON
peering_rows() {
  avn vpc peering-connection list --project "$AIVEN_PROJECT" --project-vpc-id "$AIVEN_PROJECT_VPC_ID" --json
}"#;

const ORGANIZATION_ROWS: &str = r#"# peering_rows: all peerings of the VPC, as JSON
peering_rows() {
  avn organization vpc peering-connection list --organization-id "$AIVEN_ORGANIZATION_ID" --organization-vpc-id "$AIVEN_ORGANIZATION_VPC_ID" --json
}"#;

/// `avn` prints JSON with sorted keys, one to a line, so that awk can read it.
const ROW: &str = r#"# peering_row FIELD: a field of this VNet's peering; nothing when there is no such peering
peering_row() {
  peering_rows | awk -F '"' -v want="$1" -v account="$(lower "$USER_SUBSCRIPTION_ID")" \
    -v group="$(lower "$USER_RESOURCE_GROUP")" -v vnet="$(lower "$USER_VNET_NAME")" '
    /^    \{/ { split("", row) }
    /^ *"[^"]*": "/ { row[$2] = $4 }
    /^    \}/ {
      if (tolower(row["peer_cloud_account"]) == account && tolower(row["peer_resource_group"]) == group &&
          tolower(row["peer_vpc"]) == vnet && row["state"] != "DELETED") { print row[want]; exit }
    }'
}"#;

/// The network is told while the peering waits for its other half, and not any more once it is ACTIVE.
const REMOTE_NETWORK: &str = r#"# remote_network: the provider's network, as the provider tells it or as your VNet is peered with it
remote_network() {
  local network
  network=$(peering_row to-network-id)
  if [ -z "$network" ]; then
    network=$(az network vnet peering list --resource-group "$USER_RESOURCE_GROUP" --vnet-name "$USER_VNET_NAME" \
      --subscription "$USER_SUBSCRIPTION_ID" --query "[?name=='$PEERING_NAME']|[0].remoteVirtualNetwork.id" --output tsv)
  fi
  printf '%s\n' "$network"
}"#;

const DELETE_PROJECT_ROW: &str = r#"# delete_peering_row: deletes this VNet's peering, if there is one
delete_peering_row() {
  [ -n "$(peering_row state)" ] || return 0
  avn vpc peering-connection delete --project "$AIVEN_PROJECT" --project-vpc-id "$AIVEN_PROJECT_VPC_ID" \
    --peer-cloud-account "$(peering_row peer_cloud_account)" \
    --peer-resource-group "$(peering_row peer_resource_group)" \
    --peer-vpc "$(peering_row peer_vpc)" --json >/dev/null
  wait_for 1800 GONE '' peering_row_or_gone
}
peering_row_or_gone() {
  local state
  state=$(peering_row state)
  printf '%s\n' "${state:-GONE}"
}"#;

const DELETE_ORGANIZATION_ROW: &str = r#"# delete_peering_row: deletes this VNet's peering, if there is one
delete_peering_row() {
  [ -n "$(peering_row state)" ] || return 0
  avn organization vpc peering-connection delete --organization-id "$AIVEN_ORGANIZATION_ID" \
    --organization-vpc-id "$AIVEN_ORGANIZATION_VPC_ID" \
    --peering-connection-id "$(peering_row peering_connection_id)" --json >/dev/null
  wait_for 1800 GONE '' peering_row_or_gone
}
peering_row_or_gone() {
  local state
  state=$(peering_row state)
  printf '%s\n' "${state:-GONE}"
}"#;

const GOING: &str = "DELETING";

fn still_going() -> ApiError {
    let mut error = ApiError::new(
        crate::http::Service::Aiven,
        "the peering",
        crate::http::Cause::Answered,
        "an earlier peering is still being deleted",
    );
    error.code = Some(GOING.into());
    error
}

fn other_application(name: &str, row: &Row, other: &str) -> Refusal {
    Refusal::new(format!(
        "{name} has a peering with this VNet already ({}), made for the application {other}",
        row.state
    ))
    .hint(format!(
        "if that application is yours, use it: `--application-id {other}`; else delete that peering first"
    ))
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
        let split = |text: &'_ str| -> Vec<String> {
            text.split(RANGE_SEPARATOR).map(Into::into).collect()
        };
        let (ours, theirs) = (split(ours.as_ref()), split(theirs.as_ref()));
        let refs = |list: &'_ [String]| -> Vec<String> { list.to_vec() };
        let (ours, theirs) = (refs(&ours), refs(&theirs));
        let ours: Vec<&str> = ours.iter().map(String::as_str).collect();
        let theirs: Vec<&str> = theirs.iter().map(String::as_str).collect();
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
            functions: vec![REMOTE_NETWORK],
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

/// The VPC is there, on Azure and at rest, and no dead peering is in the way.
pub struct VpcReady {
    /// Where the VPC lives.
    pub place: Place,
    /// What people call the provider.
    pub name: &'static str,
}

impl Check<Clouds> for VpcReady {
    fn title(&self) -> &'static str {
        "VPC of the provider"
    }

    async fn look(&self, w: &Clouds, f: &Facts) -> Result<Verdict, Fault> {
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
        let ranges = vpc.ranges().join(RANGE_SEPARATOR);
        verdict.facts.set(AIVEN.range, ranges.clone().into());
        if verdict.problems.is_empty() {
            verdict
                .good
                .push(format!("VPC {} ({clouds}) has {ranges}", name.id));
        }
        let peer = peer(f)?;
        let Some(row) = super::api::best(vpc, &peer) else {
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
                verdict.facts.set(PROVIDER_HAS_PEERING, "ACTIVE".into());
                verdict.done = Some(format!("{} already shows this VNet as ACTIVE", self.name));
            }
            Standing::Waiting | Standing::PendingPeer if same => {
                verdict
                    .facts
                    .set(PROVIDER_HAS_PEERING, row.state.as_str().into());
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
