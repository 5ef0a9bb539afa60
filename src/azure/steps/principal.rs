//! Service principals: what an application is in one tenant, and what roles are assigned to.

use super::{ENTRA_APPLICATIONS, settle, unknown_application};
use crate::{
    azure::{
        Fault, arm, graph,
        keys::{
            AppId, AssignmentId, PrincipalId, Side, TAG_PREFIX, TenantId, Text, USER_APP_ID,
            USER_SP_ID, USER_SUBSCRIPTION_ID, USER_TENANT_ID, tag,
        },
    },
    clouds::Clouds,
    engine::{About, Deleted, Made, Maker, Resource, Settling},
    fact::{Facts, Key, Missing},
    http::ApiError,
    shell::{Cmd, Shell, az, call},
};
use std::time::Duration;

/// A service principal in your tenant.
pub struct Principal {
    id: &'static str,
    title: String,
    thing: String,
    why: &'static str,
    app: Key<AppId>,
    principal: Key<PrincipalId>,
    provider: Option<Provider>,
}

/// What is particular to a provider's principal.
struct Provider {
    name: Key<Text>,
    tenant: Key<TenantId>,
    assignment: Key<AssignmentId>,
    /// The provider's application has a consent page: a person with the right may open it while we wait.
    consent_at: Option<String>,
}

impl Principal {
    /// Your own application's.
    #[must_use]
    pub fn own() -> Self {
        Self {
            id: "principal",
            title: "Create its service principal".into(),
            thing: "its service principal".into(),
            why: "Roles are assigned to a service principal, not to an application.",
            app: USER_APP_ID,
            principal: USER_SP_ID,
            provider: None,
        }
    }

    /// That of the application of the provider called `name`.
    #[must_use]
    pub fn of(name: &str, side: Side) -> Self {
        Self {
            id: "provider-principal",
            title: format!("Create the service principal of {name}"),
            thing: format!("the service principal of {name}"),
            why: "The provider's application acts in your tenant only through a principal that you let in.",
            app: side.app_id,
            principal: side.sp_id,
            provider: Some(Provider {
                name: side.app_name,
                tenant: side.app_tenant_id,
                assignment: side.assignment_id,
                consent_at: None,
            }),
        }
    }

    /// The provider has a consent page at the given login host: who may not create the principal waits for somebody who may.
    #[must_use]
    pub fn by_consent(mut self, login_host: &str) -> Self {
        if let Some(provider) = &mut self.provider {
            provider.consent_at = Some(login_host.trim_end_matches('/').to_owned());
        }
        self
    }

    /// The provider's principal may serve other peerings by now; your own serves this application alone.
    fn shell_delete(&self, f: &Facts) -> Result<Cmd, Missing> {
        let principal = f.get(self.principal)?;
        if self.provider.is_none() {
            return Ok(az("ad sp delete").opt("--id", principal));
        }
        // Read by the function.
        f.get(USER_TENANT_ID)?;
        Ok(call("delete_unless_used")
            .arg("")
            .arg(principal.as_ref())
            .flag("az ad sp delete")
            .opt("--id", principal))
    }

    /// The fault that asks a person for consent, when the provider knows a page for it.
    fn consent(&self, f: &Facts, app: &AppId) -> Result<Option<Fault>, Missing> {
        let host = self
            .provider
            .as_ref()
            .and_then(|provider| provider.consent_at.as_deref());
        let Some(host) = host else { return Ok(None) };
        let tenant = f.get(USER_TENANT_ID)?;
        Ok(Some(Fault::Needs {
            text: format!(
                "an Application Administrator of your tenant has to let in the application {app}; send them this link, or `az ad sp create --id {app}`"
            ),
            url: format!("{host}/{tenant}/adminconsent?client_id={app}"),
        }))
    }
}

impl Resource<Clouds> for Principal {
    type Item = graph::ServicePrincipal;

    fn about(&self) -> About {
        About {
            id: self.id,
            title: self.title.clone(),
            why: self.why,
            link: "https://learn.microsoft.com/graph/api/serviceprincipal-post-serviceprincipals",
            permissions: &[ENTRA_APPLICATIONS],
        }
    }

    fn thing(&self) -> String {
        self.thing.clone()
    }

    async fn find(&self, w: &Clouds, f: &Facts) -> Result<Option<Self::Item>, Fault> {
        Ok(w.look(&graph::principal(&f.get(self.app)?)).await?)
    }

    async fn create(&self, w: &Clouds, f: &Facts) -> Result<Made<Self::Item>, Fault> {
        let app = f.get(self.app)?;
        match w.send(&graph::create_principal(&app, &tag(f)?)).await {
            Ok(principal) => Ok(Made::New(principal)),
            Err(error) if error.status == Some(409) => {
                Ok(Made::Already(w.send(&graph::principal(&app)).await?))
            }
            Err(error) if error.status == Some(403) => {
                Err(self.consent(f, &app)?.unwrap_or(Fault::World(error)))
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn delete(&self, w: &Clouds, f: &Facts) -> Result<Deleted, Fault> {
        let principal = f.get(self.principal)?;
        // Another peering of yours, in any subscription, may have come to rely on the provider's principal since.
        if let Some(provider) = &self.provider {
            let mine = f.get(provider.assignment).ok();
            let here = f.get(USER_SUBSCRIPTION_ID)?.to_string();
            let mut subscriptions: Vec<String> = w
                .list(&arm::subscriptions())
                .await?
                .into_iter()
                .map(|it| it.subscription_id)
                .collect();
            if !subscriptions
                .iter()
                .any(|it| it.eq_ignore_ascii_case(&here))
            {
                subscriptions.push(here);
            }
            for subscription in subscriptions {
                let scope = format!("/subscriptions/{subscription}");
                let list = arm::assignments(&scope, Some(principal.as_ref()));
                let used = w.list(&list).await?.into_iter().any(|other| {
                    !mine
                        .as_ref()
                        .is_some_and(|mine| mine.as_ref().eq_ignore_ascii_case(&other.id))
                });
                if used {
                    return Ok(Deleted::Kept("it has other role assignments".into()));
                }
            }
        }
        w.forget(&graph::delete_principal(&principal)).await?;
        Ok(Deleted::Gone)
    }

    fn facts(&self, item: &Self::Item) -> Facts {
        let mut facts = Facts::default().with(self.principal, item.id.as_str().into());
        if let Some(provider) = &self.provider {
            if let Some(name) = &item.display_name {
                facts.set(provider.name, name.as_str().into());
            }
            if let Some(tenant) = &item.app_owner_organization_id {
                facts.set(provider.tenant, tenant.as_str().into());
            }
        }
        facts
    }

    fn maker(&self, item: &Self::Item, f: &Facts) -> Maker {
        let Ok(mine) = tag(f) else {
            return Maker::Unknown;
        };
        let tags = item.tags.as_deref().unwrap_or_default();
        if tags.contains(&mine) {
            Maker::Run
        } else if tags.iter().any(|tag| tag.starts_with(TAG_PREFIX)) {
            Maker::Other
        } else {
            Maker::Unknown
        }
    }

    fn settling(&self, error: &ApiError) -> Option<Settling> {
        let lagging = match &self.provider {
            None => unknown_application(error),
            // For a foreign application only a missing answer about an existing principal is lag.
            Some(_) => error.is_missing(),
        };
        lagging.then(|| settle("Entra does not know it everywhere yet", 5))
    }

    fn shows_within(&self) -> Duration {
        Duration::from_secs(60)
    }

    fn patience(&self) -> Duration {
        Duration::from_secs(90 * 60)
    }

    fn shell(&self, f: &Facts) -> Result<Shell, Missing> {
        let app = f.get(self.app)?;
        Ok(Shell {
            find: Some(
                az("ad sp list")
                    .opt("--filter", format!("appId eq '{app}'"))
                    .yields(self.principal, "[0].id"),
            ),
            create: vec![
                az("ad sp create")
                    .opt("--id", app)
                    .yields(self.principal, "id")
                    .patient(
                        "the application may not be known everywhere yet",
                        Duration::from_secs(300),
                    ),
            ],
            delete: vec![self.shell_delete(f)?],
            ..Shell::default()
        })
    }
}
