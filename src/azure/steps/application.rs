//! Your application: what signs in to both tenants when the peering is made from your VNet.

use super::{ENTRA_APPLICATIONS, settle, unknown_application};
use crate::{
    azure::{
        Fault, graph,
        keys::{APPLICATION_NAME, USER_APP_ID, USER_APP_OBJECT_ID, guid, tag},
    },
    clouds::Clouds,
    engine::{About, Deleted, Look, Made, Maker, Refusal, Resource, Settling},
    fact::{Facts, Missing},
    http::ApiError,
    shell::{Shell, az},
};
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

impl Resource<Clouds> for Application {
    type Item = graph::Application;

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

    async fn find(&self, w: &Clouds, f: &Facts) -> Result<Option<Self::Item>, Fault> {
        let found = self.get(w, f).await?;
        match found {
            Some(app) if !signs_in_elsewhere(&app) => Err(Fault::Refused(single_tenant())),
            // Nothing can be made in its stead.
            None if self.given => Err(Fault::Refused(no_such_application(f)?)),
            found => Ok(found),
        }
    }

    async fn create(&self, w: &Clouds, f: &Facts) -> Result<Made<Self::Item>, Fault> {
        if self.given {
            return Err(Fault::Refused(no_such_application(f)?));
        }
        let name = unique_name(f)?;
        let display = f.get(APPLICATION_NAME)?;
        let upsert = graph::upsert_application(&name, display.as_ref(), &tag(f)?);
        Ok(match w.send(&upsert).await? {
            Some(app) => Made::New(app),
            // 204: it was there, so an earlier try of this run made it.
            None => Made::Already(w.send(&graph::application_by_unique_name(&name)).await?),
        })
    }

    async fn delete(&self, w: &Clouds, f: &Facts) -> Result<Deleted, Fault> {
        w.forget(&graph::delete_application(&f.get(USER_APP_OBJECT_ID)?))
            .await?;
        Ok(Deleted::Gone)
    }

    fn facts(&self, app: &Self::Item) -> Facts {
        Facts::default()
            .with(USER_APP_ID, app.app_id.as_str().into())
            .with(USER_APP_OBJECT_ID, app.id.as_str().into())
    }

    fn maker(&self, _: &Self::Item, _: &Facts) -> Maker {
        // The unique name is derived from the run, so what bears it is this run's.
        if self.given { Maker::Other } else { Maker::Run }
    }

    fn settling(&self, error: &ApiError) -> Option<Settling> {
        (!self.given && unknown_application(error))
            .then(|| settle("the new application is not known everywhere yet", 5))
    }

    fn shows_within(&self) -> Duration {
        Duration::from_secs(60)
    }

    async fn look(&self, w: &Clouds, f: &Facts) -> Result<Look, Fault> {
        Ok(match self.get(w, f).await? {
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

    fn shell(&self, f: &Facts) -> Result<Shell, Missing> {
        if self.given {
            let id = f.get(USER_APP_ID)?;
            return Ok(Shell {
                find: Some(az("ad app show").opt("--id", id).flag("--query id")),
                ..Shell::default()
            });
        }
        let name = f.get(APPLICATION_NAME)?;
        Ok(Shell {
            find: Some(
                az("ad app list")
                    .opt_bash(
                        "--filter",
                        format!("\"displayName eq '$(odata \"{name}\")'\""),
                    )
                    .yields(USER_APP_ID, "[0].appId"),
            ),
            create: vec![
                az("ad app create")
                    .opt("--display-name", name)
                    .opt("--sign-in-audience", MULTI_TENANT)
                    .yields(USER_APP_ID, "appId"),
            ],
            delete: vec![az("ad app delete").opt("--id", f.get(USER_APP_ID)?)],
            ..Shell::default()
        })
    }
}
