//! The step at Aiven: asking for the peering.

use super::{
    api::{AIVEN_PROJECT, Peer, Place, Row, Standing},
    script,
};
use crate::{
    azure::{
        Fault,
        keys::{
            USER_APP_ID, USER_RESOURCE_GROUP, USER_SUBSCRIPTION_ID, USER_TENANT_ID, USER_VNET_NAME,
        },
    },
    clouds::Clouds,
    engine::{About, Deleted, Look, Made, Refusal, Resource, Settling},
    fact::{Facts, Missing},
    http::ApiError,
    shell::{Shell, avn, call},
};
use std::time::Duration;

pub(super) const STEP: &str = "provider-peering";
pub(super) const DOCS: &str = "https://aiven.io/docs/platform/howto/vnet-peering-azure";

/// What Aiven is told of your VNet: lower case, or it would not find it again.
pub(super) fn peer(f: &Facts) -> Result<Peer, Missing> {
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
                    vec![
                        script::PROJECT_ROWS,
                        script::ROW,
                        script::DELETE_PROJECT_ROW,
                        script::GONE,
                    ],
                    on("vpc peering-connection create")?,
                    call("delete_peering_row"),
                )
            }
            Place::Organization => {
                let create = avn("organization vpc peering-connection create")
                    .opt("--organization-id", f.get(self.place.owner())?)
                    .opt("--organization-vpc-id", f.get(self.place.vpc())?);
                (
                    vec![
                        script::ORGANIZATION_ROWS,
                        script::ROW,
                        script::DELETE_ORGANIZATION_ROW,
                        script::GONE,
                    ],
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

pub(super) fn other_application(name: &str, row: &Row, other: &str) -> Refusal {
    Refusal::new(format!(
        "{name} has a peering with this VNet already ({}), made for the application {other}",
        row.state
    ))
    .hint(format!(
        "if that application is yours, use it: `--application-id {other}`; else delete that peering first"
    ))
}
