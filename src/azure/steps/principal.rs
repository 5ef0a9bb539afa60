//! Service principals: what an application is in one tenant, and what roles are assigned to.

use super::{
    ENTRA_APPLICATIONS,
    assignment::{OWN_ASSIGNMENT, PROVIDER_ASSIGNMENT},
    rights::{other_credential, other_rights},
    script::DELETE_UNLESS_USED,
    settle, unknown_application,
};
use crate::{
    azure::{
        Cx, Fault, graph,
        keys::{
            AppId, GUID_READS, PrincipalId, Side, TAG_PREFIX, USER_APP_ID, USER_SP_ID,
            USER_TENANT_ID, tag,
        },
    },
    clouds::{Clouds, Realm},
    engine::{
        About, Beforehand, Consent, Definition, Deleted, Ensure, Known, Made, Maker, Refusal,
        Scope, Settling,
    },
    fact::{Facts, Key, Missing, Named},
    http::ApiError,
    keys,
    shell::{self, Cmd, Shell, az, call, helpers},
    text,
};
use async_trait::async_trait;
use std::time::Duration;

/// A service principal in your tenant.
pub struct Principal {
    id: &'static str,
    title: String,
    thing: String,
    why: &'static str,
    app: Key<AppId>,
    principal: Key<PrincipalId>,
    /// The step that gives it its role in this run.
    assignment: &'static str,
    provider: Option<Provider>,
}

/// What is particular to a provider's principal.
struct Provider {
    side: Side,
    /// What people call it.
    called: String,
    /// The application that it documents.
    documented: &'static str,
    /// The provider's application has a consent page: a person with the right may open it while we wait.
    consent_at: Option<String>,
}

impl Principal {
    /// Your own application's.
    #[must_use]
    pub fn own() -> Self {
        Self {
            id: "principal",
            title: "Create your application's principal".into(),
            thing: "your application's principal".into(),
            why: "Roles are assigned to a service principal, not to an application.",
            app: USER_APP_ID,
            principal: USER_SP_ID,
            assignment: OWN_ASSIGNMENT,
            provider: None,
        }
    }

    /// That of the application of the provider called `name`, which documents the application `documented`.
    #[must_use]
    pub fn of(name: &str, side: Side, documented: &'static str) -> Self {
        Self {
            id: "provider-principal",
            title: format!("Create the service principal of {name}"),
            thing: format!("the service principal of {name}"),
            why: "The provider's application acts in your tenant only through a principal that you let in.",
            app: side.app_id,
            principal: side.sp_id,
            assignment: PROVIDER_ASSIGNMENT,
            provider: Some(Provider {
                side,
                called: name.into(),
                documented,
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
    fn shell_delete(&self) -> Cmd {
        let delete = az("ad sp delete").opt("--id", self.principal);
        if self.provider.is_none() {
            return delete;
        }
        call(&DELETE_UNLESS_USED)
            .arg("")
            .arg(self.principal)
            .running(delete)
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

    fn known(&self, item: graph::ServicePrincipal, maker: Maker) -> Known {
        let mut facts = Facts::default().with(self.principal, item.id.as_str());
        let mut says = String::new();
        if let Some(Provider { side, called, .. }) = &self.provider {
            let (name, owner) = (
                item.display_name.as_deref(),
                &item.app_owner_organization_id,
            );
            let publisher = item.publisher();
            says = entra_says(called, name, owner.as_deref(), publisher);
            if let Some(name) = name {
                facts.set(side.app_name, name);
            }
            if let Some(publisher) = publisher {
                facts.set(side.app_publisher, publisher);
            }
            if let Some(tenant) = owner {
                facts.set(side.app_tenant_id, tenant.as_str());
            }
        }
        let name = item.display_name.unwrap_or_default();
        Known::new(facts, maker).called(name, item.id).saying(says)
    }

    fn found(&self, f: &Facts, item: graph::ServicePrincipal) -> Result<Known, Fault> {
        let tags = item.tags.as_deref();
        let maker = if bears_tag(f, tags)? {
            Maker::Run
        } else if tags.is_some_and(|tags| tags.iter().any(|tag| tag.starts_with(TAG_PREFIX))) {
            Maker::Other("it bears another run's tag".into())
        } else {
            Maker::Unknown
        };
        self.let_in(f, self.known(item, maker))
    }

    /// The principal, if it may be given a right. One that the provider does not document is a stranger until a person confirms
    /// what Entra says of it.
    fn let_in(&self, f: &Facts, mut known: Known) -> Result<Known, Fault> {
        let Some(provider) = &self.provider else {
            return Ok(known);
        };
        let Provider {
            side,
            called,
            documented,
            ..
        } = provider;
        let (app, mine) = (f.get(self.app)?, f.get(USER_TENANT_ID)?);
        let owner = known.facts.get(side.app_tenant_id).ok();
        if owner
            .as_ref()
            .is_some_and(|owner| owner.as_ref().eq_ignore_ascii_case(mine.as_ref()))
        {
            return Err(Fault::Refused(
                Refusal::new(format!(
                    "the application {app} (`{}`) belongs to your own tenant {mine}, so it is not {called}'s",
                    known.name
                ))
                .hint(NOT_LET_IN),
            ));
        }
        if app.as_ref().eq_ignore_ascii_case(documented) {
            return Ok(known);
        }
        let stranger =
            format!("{app} is not the application that {called} documents ({documented})");
        let Some(owner) = owner else {
            return Err(Fault::Refused(
                Refusal::new(format!(
                    "{stranger}, and Entra does not tell which tenant it belongs to: what {called} tells of its tenant could not be checked"
                ))
                .hint(NOT_LET_IN),
            ));
        };
        known.says = format!("{stranger}. {}", known.says);
        let confirmed = format!("{app} of the tenant {owner}");
        let said = f.get(side.app_confirmed).ok();
        if said.as_ref().is_some_and(|said| said.as_ref() == confirmed) {
            known.facts.set(side.app_confirmed, confirmed);
            return Ok(known);
        }
        let otherwise = format!("{stranger}, and was not confirmed. {}", known.says);
        let consent = Consent {
            question: format!(
                "{} Let it peer with your VNet in {called}'s name?",
                known.says
            ),
            facts: Facts::default().with(side.app_confirmed, confirmed),
            otherwise: otherwise.clone(),
            // Where a person has said no, the flag says nothing any more.
            by_flag: said.is_none().then_some("provider-application-id"),
            refused: Facts::default().with(side.app_confirmed, "no"),
        };
        let mut refusal = Refusal::new(otherwise).hint(NOT_LET_IN);
        refusal.asks = Some(Box::new(consent));
        Err(Fault::Refused(refusal))
    }
}

const NOT_LET_IN: &str =
    "nothing was given to it: check `--provider-application-id`, or leave it out";

/// What Entra says of a provider's application, for a person.
fn entra_says(
    called: &str,
    name: Option<&str>,
    owner: Option<&str>,
    publisher: Option<&str>,
) -> String {
    let name = name.map_or_else(|| "without a name".into(), |name| format!("`{name}`"));
    let of = match owner {
        Some(owner) => format!("of the tenant {owner}"),
        None => format!(
            "of a tenant that is not told, so that what {called} tells of its tenant is not checked"
        ),
    };
    let by = match publisher {
        Some(publisher) => format!("verified publisher `{publisher}`"),
        None => "no verified publisher".into(),
    };
    format!("Entra says: {name}, {of}; {by}.")
}

/// What is said of an object in Entra that is not this run's.
pub(super) const NO_TAG: &str = "it does not bear this run's tag";

pub(super) fn bears_tag(f: &Facts, tags: Option<&[String]>) -> Result<bool, Missing> {
    Ok(tags.unwrap_or_default().contains(&tag(f)?))
}

impl Definition<Clouds> for Principal {
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

    fn scope(&self) -> Scope {
        Scope::Shared
    }

    fn part(&self) -> Realm {
        Realm::Entra
    }

    fn reads(&self) -> Vec<Named> {
        let mut reads = keys![self.app];
        reads.extend(GUID_READS);
        if self.provider.is_some() {
            reads.push(USER_TENANT_ID.named());
        }
        reads
    }

    fn gives(&self) -> Vec<Named> {
        match &self.provider {
            None => keys![self.principal],
            Some(Provider { side, .. }) => keys![
                self.principal,
                side.app_name,
                side.app_tenant_id,
                side.app_publisher,
                side.app_confirmed,
            ],
        }
    }

    fn settling(&self, error: &ApiError) -> Option<Settling> {
        if error.is("Request_MultipleObjectsWithSameKeyValue") {
            // It says that there is one, and shows none: one was deleted, and Entra does not let go of it at once.
            return Some(settle("Entra still holds one that was deleted", 15));
        }
        let lagging = match &self.provider {
            None => unknown_application(error),
            // For a foreign application only a missing answer about an existing principal is lag.
            Some(_) => error.is_missing(),
        };
        lagging.then(|| settle("Entra does not know it everywhere yet", 5))
    }

    fn shell(&self) -> Shell {
        Shell {
            find: Some(
                az("ad sp list")
                    .opt(
                        "--filter",
                        text![
                            "appId eq '",
                            shell::Text::call(&helpers::ODATA, [self.app.into()]),
                            "'"
                        ],
                    )
                    .yields(self.principal, "[0].id"),
            ),
            create: vec![
                az("ad sp create")
                    .opt("--id", self.app)
                    .yields(self.principal, "id")
                    .patient(
                        "the application may not be known everywhere yet",
                        Duration::from_secs(300),
                    ),
            ],
            delete: vec![self.shell_delete()],
            ..Shell::default()
        }
    }
}

#[async_trait(?Send)]
impl Ensure<Clouds> for Principal {
    async fn find(&self, cx: &mut Cx<'_>) -> Result<Option<Known>, Fault> {
        let call = graph::principal(&cx.facts.get(self.app)?);
        let found = cx.world.look(&call).await?;
        found.map(|item| self.found(&cx.facts, item)).transpose()
    }

    fn beforehand(&self) -> Beforehand {
        match self.provider {
            None => Beforehand::With(self.app.named()),
            Some(_) => Beforehand::Refused,
        }
    }

    async fn create(&self, cx: &mut Cx<'_>) -> Result<Made, Fault> {
        let (w, f) = (cx.world, &cx.facts);
        let app = f.get(self.app)?;
        match w.send(&graph::create_principal(&app, &tag(f)?)).await {
            Ok(principal) => Ok(Made::New(
                self.let_in(f, self.known(principal, Maker::Run))?,
            )),
            Err(error) if error.status == Some(409) => {
                match w.look(&graph::principal(&app)).await? {
                    Some(principal) => Ok(Made::Already(self.found(f, principal)?)),
                    None => Err(error.into()),
                }
            }
            Err(error) if error.status == Some(403) => {
                Err(self.consent(f, &app)?.unwrap_or(Fault::World(error)))
            }
            Err(error) => Err(error.into()),
        }
    }

    fn unknown_before(&self) -> &'static str {
        if self.provider.is_some() {
            "Entra tells only once it is made whose application it is; that is told, and checked, before it gets any right"
        } else {
            ""
        }
    }

    async fn remains(&self, cx: &mut Cx<'_>) -> Result<Option<Known>, Fault> {
        let call = graph::principal(&cx.facts.get(self.app)?);
        let Some(item) = cx.world.look(&call).await? else {
            return Ok(None);
        };
        let maker = if bears_tag(&cx.facts, item.tags.as_deref())? {
            Maker::Run
        } else {
            Maker::Other(NO_TAG.into())
        };
        Ok(Some(self.known(item, maker)))
    }

    /// Another peering of yours, in any subscription, may have come to rely on it.
    async fn needed(&self, cx: &mut Cx<'_>) -> Result<Option<String>, Fault> {
        // Whoever signs in with your application signs in as this.
        if self.provider.is_none()
            && let Some(used) = other_credential(cx.world, &cx.facts).await?
        {
            return Ok(Some(used));
        }
        let principal = cx.facts.get(self.principal)?;
        let it = ("it", principal.as_ref());
        other_rights(cx.world, &cx.facts, it, self.assignment).await
    }

    async fn delete(&self, cx: &mut Cx<'_>) -> Result<Deleted, Fault> {
        let principal = cx.facts.get(self.principal)?;
        let call = graph::delete_principal(&principal);
        cx.world.forget(&call).await?;
        Ok(Deleted::Gone)
    }

    fn shows_within(&self) -> Duration {
        Duration::from_secs(60)
    }

    fn patience(&self) -> Duration {
        Duration::from_secs(90 * 60)
    }
}
