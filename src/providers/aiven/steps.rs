//! The step at Aiven: asking for the peering.

use super::{
    api::{Peer, Place, Row, Standing},
    keys::AIVEN,
    script,
    told::{TOLD_BEFORE, tells_otherwise},
    vendor::SERVICE,
};
use crate::{
    azure::{
        Fault,
        keys::{
            Text, USER_APP_ID, USER_RESOURCE_GROUP, USER_SP_ID, USER_SUBSCRIPTION_ID,
            USER_TENANT_ID, USER_VNET_NAME,
        },
    },
    clouds::{Clouds, Realm},
    engine::{
        About, Beforehand, Cx, Definition, Deleted, Done, Ensure, Known, Look, Made, Maker,
        Refusal, Scope, Settling,
    },
    fact::{Facts, Key, Missing, Named},
    http::{ApiError, Cause},
    keys,
    shell::{Shell, call},
};
use async_trait::async_trait;
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

/// What [`peer`] and the VPC's name read.
pub(super) fn row_reads(place: Place) -> Vec<Named> {
    keys![
        place.owner(),
        place.vpc(),
        USER_SUBSCRIPTION_ID,
        USER_RESOURCE_GROUP,
        USER_VNET_NAME,
    ]
}

/// Whether this run asked for the peering. It bears no mark, so what the run told Aiven is compared.
fn owner(row: &Row, f: &Facts) -> Result<Maker, Missing> {
    let (app, tenant) = (f.get(USER_APP_ID)?, f.get(USER_TENANT_ID)?);
    let other = match (&row.peer_azure_app_id, &row.peer_azure_tenant_id) {
        (None, _) => "it does not tell for which application it was made".to_owned(),
        (Some(theirs), _) if !theirs.eq_ignore_ascii_case(app.as_ref()) => {
            format!("it was made for the application {theirs}")
        }
        (_, Some(theirs)) if !theirs.eq_ignore_ascii_case(tenant.as_ref()) => {
            format!("it was made for the tenant {theirs}")
        }
        _ => return Ok(Maker::Run),
    };
    Ok(Maker::Other(other))
}

/// Aiven's half of the peering.
pub struct ProviderPeering {
    pub place: Place,
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

    /// The peering, if there is one and it is of use.
    async fn existing(&self, w: &Clouds, f: &Facts) -> Result<Option<Known>, Fault> {
        // Without an application there is no need to look.
        f.get(USER_APP_ID)?;
        let Some(row) = self.row(w, f).await? else {
            return Ok(None);
        };
        if row.standing() == Standing::Going {
            return Err(still_going().into());
        }
        self.check_application(f, &row)?;
        // Whoever asked for it with this application: that is not told.
        Ok(Some(known(&row, Maker::Unknown)))
    }

    /// # Errors
    /// When the peering is another application's.
    fn check_application(&self, f: &Facts, row: &Row) -> Result<(), Fault> {
        let mine = f.get(USER_APP_ID)?;
        match &row.peer_azure_app_id {
            Some(other) if !other.eq_ignore_ascii_case(mine.as_ref()) => {
                Err(Fault::Refused(other_application(self.name, row, other)))
            }
            _ => Ok(()),
        }
    }

    /// The peering, if this run asked for it.
    async fn own_row(&self, w: &Clouds, f: &Facts) -> Result<Option<Row>, Fault> {
        let Some(row) = self.row(w, f).await? else {
            return Ok(None);
        };
        Ok((owner(&row, f)? == Maker::Run).then_some(row))
    }
}

fn known(row: &Row, maker: Maker) -> Known {
    let name = row.peer_vpc.clone().unwrap_or_default();
    // A row of a project has no id.
    let id = row.peering_connection_id.clone().unwrap_or_default();
    Known::new(Facts::default(), maker).called(name, id)
}

impl Definition<Clouds> for ProviderPeering {
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

    fn scope(&self) -> Scope {
        Scope::Each
    }

    fn part(&self) -> Realm {
        Realm::Provider
    }

    /// The provider looks at once whether it has been let in.
    fn after(&self) -> Vec<Named> {
        keys![AIVEN.assignment_id, USER_SP_ID]
    }

    fn reads(&self) -> Vec<Named> {
        let mut reads = row_reads(self.place);
        reads.extend(keys![USER_APP_ID, USER_TENANT_ID]);
        reads.extend(TOLD_BEFORE);
        reads
    }

    fn gives(&self) -> Vec<Named> {
        keys![PEERING_STATE]
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

    fn shell(&self) -> Shell {
        let functions = script::functions(self.place);
        let create = call(functions.ask).patient(
            "Aiven may not see the new application yet",
            Duration::from_secs(600),
        );
        Shell {
            find: Some(call(functions.row).arg("state").prints(PEERING_STATE)),
            create: vec![create],
            delete: vec![call(functions.delete)],
            ..Shell::default()
        }
    }
}

#[async_trait(?Send)]
impl Ensure<Clouds> for ProviderPeering {
    fn undo_first(&self) -> bool {
        true
    }

    async fn find(&self, cx: &mut Cx<'_, Clouds>) -> Done<Option<Known>, Clouds> {
        self.existing(cx.world, &cx.facts).await
    }

    fn beforehand(&self) -> Beforehand {
        // Aiven answers with a peering that is there, whosever it is; none can have been made for an application that is new.
        Beforehand::With(USER_APP_ID.named())
    }

    async fn create(&self, cx: &mut Cx<'_, Clouds>) -> Done<Made, Clouds> {
        let (w, f) = (cx.world, &cx.facts);
        match self.ask(w, f).await {
            Ok(row) => {
                self.check_application(f, &row)?;
                Ok(Made::New(known(&row, Maker::Unknown)))
            }
            Err(Fault::World(error)) if error.message.contains("already exists") => {
                match self.existing(w, f).await? {
                    Some(known) => Ok(Made::Already(known)),
                    None => Err(error.into()),
                }
            }
            Err(fault) => Err(fault),
        }
    }

    async fn remains(&self, cx: &mut Cx<'_, Clouds>) -> Done<Option<Known>, Clouds> {
        let (w, f) = (cx.world, &cx.facts);
        let Some(row) = self.row(w, f).await? else {
            return Ok(None);
        };
        Ok(Some(known(&row, owner(&row, f)?)))
    }

    async fn delete(&self, cx: &mut Cx<'_, Clouds>) -> Done<Deleted, Clouds> {
        let (w, f) = (cx.world, &cx.facts);
        let Some(row) = self.own_row(w, f).await? else {
            return Ok(Deleted::Gone);
        };
        if row.standing() != Standing::Going {
            self.place.named(f)?.delete(w, &peer(f)?, &row).await?;
        }
        Ok(match self.own_row(w, f).await? {
            None => Deleted::Gone,
            Some(row) => Deleted::NotYet(row.state),
        })
    }

    async fn renew(&self, cx: &mut Cx<'_, Clouds>) -> Done<(), Clouds> {
        let (w, f) = (cx.world, &cx.facts);
        if let Some(row) = self.row(w, f).await? {
            match row.standing() {
                Standing::Going => return Err(still_going().into()),
                // There is no way out of this state but a new row.
                Standing::Orphaned => {
                    self.place.named(f)?.delete(w, &peer(f)?, &row).await?;
                    return Err(still_going().into());
                }
                Standing::Failed | Standing::Gone => {}
                Standing::Waiting | Standing::PendingPeer | Standing::Active => return Ok(()),
            }
        }
        self.ask(w, f).await?;
        Ok(())
    }

    async fn look(&self, cx: &mut Cx<'_, Clouds>) -> Done<Look, Clouds> {
        let Some(row) = self.row(cx.world, &cx.facts).await? else {
            return Ok(Look::Missing);
        };
        // A run that did not come so far was told nothing yet.
        if let Ok(Some(refusal)) = tells_otherwise(&cx.facts, &row) {
            return Ok(refusal.into());
        }
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
}

/// The state that the script reads.
const PEERING_STATE: Key<Text> = Key::new("AIVEN_PEERING_STATE");

const GOING: &str = "DELETING";

fn still_going() -> ApiError {
    let mut error = ApiError::new(
        SERVICE,
        "the peering",
        Cause::Answered,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peering_is_this_runs_when_it_was_made_for_its_application_and_tenant() {
        let f = Facts::default()
            .with(USER_APP_ID, "app")
            .with(USER_TENANT_ID, "tenant");
        let maker = |app: Option<&str>, tenant: Option<&str>| {
            let row = Row {
                peer_azure_app_id: app.map(Into::into),
                peer_azure_tenant_id: tenant.map(Into::into),
                ..Row::default()
            };
            owner(&row, &f).expect("all is known")
        };
        let other = |text: &str| Maker::Other(text.into());
        assert_eq!(maker(Some("APP"), Some("Tenant")), Maker::Run);
        assert_eq!(maker(Some("app"), None), Maker::Run);
        assert_eq!(
            maker(Some("b"), None),
            other("it was made for the application b")
        );
        assert_eq!(
            maker(Some("app"), Some("t")),
            other("it was made for the tenant t")
        );
        assert_eq!(
            maker(None, Some("tenant")),
            other("it does not tell for which application it was made")
        );
    }
}
