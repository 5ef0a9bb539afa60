//! Your application: what signs in to both tenants when the peering is made from your VNet.

use super::{
    ENTRA_APPLICATIONS,
    assignment::OWN_ASSIGNMENT,
    principal::{NO_TAG, bears_tag},
    rights::{other_credential, other_rights},
    script::{CREATE_APPLICATION, DELETE_APPLICATION, FIND_APPLICATION},
    settle, unknown_application,
};
use crate::{
    azure::{
        Cx, Fault, graph,
        keys::{APPLICATION_NAME, GUID_READS, USER_APP_ID, USER_APP_OBJECT_ID, guid, tag},
    },
    clouds::{Clouds, Realm},
    engine::{
        About, Beforehand, Definition, Deleted, Ensure, Known, Look, Made, Maker, Refusal, Scope,
        Settling,
    },
    fact::{Facts, Missing, Named},
    http::ApiError,
    keys,
    shell::{Shell, az, call},
};
use async_trait::async_trait;
use std::time::Duration;

/// An application registration in your tenant.
pub struct Application {
    given: bool,
}

impl Application {
    /// One of this run's own, able to sign in to other tenants.
    #[must_use]
    pub fn multi_tenant() -> Self {
        Self { given: false }
    }

    /// One that is there and was named.
    #[must_use]
    pub fn given() -> Self {
        Self { given: true }
    }

    async fn get(&self, w: &Clouds, f: &Facts) -> Result<Option<graph::Application>, Fault> {
        let call = if self.given {
            graph::application(&f.get(USER_APP_ID)?)
        } else {
            graph::application_by_unique_name(&unique_name(f)?)
        };
        Ok(w.look(&call).await?)
    }

    fn known(&self, app: graph::Application) -> Known {
        // The unique name is derived from the run, so what bears it is this run's.
        let maker = if self.given {
            Maker::Other("it was given to the run".into())
        } else {
            Maker::Run
        };
        known(app, maker)
    }
}

fn known(app: graph::Application, maker: Maker) -> Known {
    let facts = Facts::default()
        .with(USER_APP_ID, app.app_id.as_str())
        .with(USER_APP_OBJECT_ID, app.id);
    Known::new(facts, maker).called(app.display_name.unwrap_or_default(), app.app_id)
}

/// The name by which Graph makes one and not two, however often it is asked.
fn unique_name(f: &Facts) -> Result<String, Missing> {
    Ok(format!("peer-wizard-{}", guid(f, "application")?))
}

const MULTI_TENANT: &str = "AzureADMultipleOrgs";

fn signs_in_elsewhere(app: &graph::Application) -> bool {
    match &app.sign_in_audience {
        Some(audience) => {
            audience.starts_with("AzureADMultipleOrgs")
                || audience.starts_with("AzureADandPersonal")
        }
        None => true,
    }
}

fn no_such_application(f: &Facts) -> Result<Refusal, Missing> {
    let id = f.get(USER_APP_ID)?;
    Ok(
        Refusal::new(format!("there is no application {id} in your tenant"))
            .hint("check `--application-id`: it is the application (client) id, not an object id"),
    )
}

fn single_tenant() -> Refusal {
    Refusal::new("the application cannot sign in to other tenants").hint(format!(
        "let it: `az ad app update --id … --sign-in-audience {MULTI_TENANT}`"
    ))
}

impl Definition<Clouds> for Application {
    fn about(&self) -> About {
        About {
            id: "application",
            title: if self.given {
                "Use your application".into()
            } else {
                "Register your application".into()
            },
            why: "The peering needs one identity that both tenants know; an application that may sign in to several tenants is one.",
            link: "https://learn.microsoft.com/graph/api/application-upsert",
            permissions: &[ENTRA_APPLICATIONS],
        }
    }

    fn thing(&self) -> String {
        "your application".into()
    }

    fn scope(&self) -> Scope {
        Scope::Shared
    }

    fn part(&self) -> Realm {
        Realm::Entra
    }

    fn reads(&self) -> Vec<Named> {
        if self.given {
            return Vec::new();
        }
        let mut reads = keys![APPLICATION_NAME];
        reads.extend(GUID_READS);
        reads
    }

    fn gives(&self) -> Vec<Named> {
        keys![USER_APP_ID, USER_APP_OBJECT_ID]
    }

    fn settling(&self, error: &ApiError) -> Option<Settling> {
        (!self.given && unknown_application(error))
            .then(|| settle("the new application is not known everywhere yet", 5))
    }

    fn shell(&self) -> Shell {
        if self.given {
            let show = az("ad app show").opt("--id", USER_APP_ID);
            return Shell {
                find: Some(show.flag("--query id")),
                ..Shell::default()
            };
        }
        Shell {
            find: Some(call(&FIND_APPLICATION).arg("appId").prints(USER_APP_ID)),
            create: vec![
                call(&CREATE_APPLICATION)
                    .arg(MULTI_TENANT)
                    .prints(USER_APP_ID),
            ],
            delete: vec![call(&DELETE_APPLICATION)],
            ..Shell::default()
        }
    }
}

#[async_trait(?Send)]
impl Ensure<Clouds> for Application {
    async fn find(&self, cx: &mut Cx<'_>) -> Result<Option<Known>, Fault> {
        match self.get(cx.world, &cx.facts).await? {
            Some(app) if !signs_in_elsewhere(&app) => Err(Fault::Refused(single_tenant())),
            // Nothing can be made in its stead.
            None if self.given => Err(Fault::Refused(no_such_application(&cx.facts)?)),
            found => Ok(found.map(|app| self.known(app))),
        }
    }

    fn beforehand(&self) -> Beforehand {
        if self.given {
            Beforehand::Anybody
        } else {
            Beforehand::Nobody
        }
    }

    async fn create(&self, cx: &mut Cx<'_>) -> Result<Made, Fault> {
        let (w, f) = (cx.world, &cx.facts);
        if self.given {
            return Err(Fault::Refused(no_such_application(f)?));
        }
        let name = unique_name(f)?;
        let display = f.get(APPLICATION_NAME)?;
        let upsert = graph::upsert_application(&name, display.as_ref(), &tag(f)?);
        if let Some(app) = w.send(&upsert).await? {
            return Ok(Made::New(self.known(app)));
        }
        // 204: it was there, so an earlier try of this run made it.
        let app = w.send(&graph::application_by_unique_name(&name)).await?;
        Ok(Made::Already(self.known(app)))
    }

    async fn remains(&self, cx: &mut Cx<'_>) -> Result<Option<Known>, Fault> {
        let Some(app) = self.get(cx.world, &cx.facts).await? else {
            return Ok(None);
        };
        if !self.given && !bears_tag(&cx.facts, app.tags.as_deref())? {
            return Ok(Some(known(app, Maker::Other(NO_TAG.into()))));
        }
        Ok(Some(self.known(app)))
    }

    async fn needed(&self, cx: &mut Cx<'_>) -> Result<Option<String>, Fault> {
        let (w, f) = (cx.world, &cx.facts);
        if let Some(used) = other_credential(w, f).await? {
            return Ok(Some(used));
        }
        let principal = w.look(&graph::principal(&f.get(USER_APP_ID)?)).await?;
        match principal {
            Some(it) => other_rights(w, f, ("its principal", &it.id), OWN_ASSIGNMENT).await,
            None => Ok(None),
        }
    }

    async fn delete(&self, cx: &mut Cx<'_>) -> Result<Deleted, Fault> {
        let call = graph::delete_application(&cx.facts.get(USER_APP_OBJECT_ID)?);
        cx.world.forget(&call).await?;
        Ok(Deleted::Gone)
    }

    fn shows_within(&self) -> Duration {
        Duration::from_secs(60)
    }

    async fn look(&self, cx: &mut Cx<'_>) -> Result<Look, Fault> {
        Ok(match self.get(cx.world, &cx.facts).await? {
            None => Look::Missing,
            Some(app) if signs_in_elsewhere(&app) => Look::Present(String::new()),
            Some(app) => Look::Changed {
                says: format!(
                    "sign-in audience {}",
                    app.sign_in_audience.unwrap_or_default()
                ),
                todo: format!(
                    "az ad app update --id {} --sign-in-audience {MULTI_TENANT}",
                    app.app_id
                ),
            },
        })
    }
}
