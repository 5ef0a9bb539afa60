//! The application's password: minted for the minutes of the peering, held in memory, revoked at the end.

use super::{ENTRA_APPLICATIONS, settle, unknown_application};
use crate::{
    azure::{
        Cx, Fault, graph,
        keys::{
            AppObjectId, RUN, USER_APP_ID, USER_APP_KEY_ID, USER_APP_OBJECT_ID, USER_APP_SECRET,
        },
    },
    clouds::Clouds,
    engine::{About, Definition, Deleted, Ensure, Known, Made, Maker, Release, Scope, Settling},
    fact::{Facts, Missing, Named},
    http::ApiError,
    keys,
    shell::{Cmd, Helper, Shell, Text, az, call, helpers},
    text,
};
use async_trait::async_trait;
use std::time::Duration;
use time::format_description::well_known::Rfc3339;

/// The life of a password that is not revoked because the run was left: what a run may take, or the wait that was asked for and
/// an hour for the rest.
const LIFE: Duration = Duration::from_secs(2 * 60 * 60);
const REST: Duration = Duration::from_secs(60 * 60);
const NAME: &str = "peer-wizard ";
const STEP: &str = "password";

/// The ephemeral password.
pub struct Password;

/// The end of the password.
pub struct PasswordRevoked;

/// What all passwords of the run are called, also those of killed processes and those whose making was not answered.
pub(super) fn name(f: &Facts) -> Result<String, Missing> {
    Ok(format!("{NAME}{}", f.get(RUN)?))
}

/// The application and its passwords, as far as Graph shows them: this run's, and the others.
async fn shown(w: &Clouds, f: &Facts) -> Result<Option<(AppObjectId, [Vec<String>; 2])>, Fault> {
    let name = name(f)?;
    let Some(app) = w.look(&graph::application(&f.get(USER_APP_ID)?)).await? else {
        return Ok(None);
    };
    let all = app.password_credentials.unwrap_or_default().into_iter();
    let (mine, others): (Vec<_>, Vec<_>) =
        all.partition(|it| it.display_name.as_deref() == Some(name.as_str()));
    let keys = |all: Vec<graph::PasswordCredential>| all.into_iter().map(|it| it.key_id).collect();
    Ok(Some((app.id.into(), [keys(mine), keys(others)])))
}

/// The application and the ids of its passwords of this run.
async fn minted(w: &Clouds, f: &Facts) -> Result<Option<(AppObjectId, Vec<String>)>, Fault> {
    Ok(shown(w, f).await?.map(|(app, [mine, _])| (app, mine)))
}

/// Whether the password of this id is not this run's: the run's file may name another.
async fn is_other(w: &Clouds, f: &Facts, key: &str) -> Result<bool, Fault> {
    let shown = shown(w, f).await?;
    Ok(shown.is_some_and(|(_, [_, others])| others.iter().any(|it| it.eq_ignore_ascii_case(key))))
}

/// Removes every password of this run; tells how many there were to remove. What a stale list still shows is none.
async fn revoke(w: &Clouds, f: &Facts) -> Result<usize, Fault> {
    let Some((app, keys)) = minted(w, f).await? else {
        return Ok(0);
    };
    let mut removed = 0;
    for key in &keys {
        removed += usize::from(remove(w, &app, key).await?);
    }
    Ok(removed)
}

/// Removes a password; tells whether it was there.
async fn remove(w: &Clouds, app: &AppObjectId, key: &str) -> Result<bool, Fault> {
    match w.forget(&graph::remove_password(app, key)).await {
        Ok(answer) => Ok(answer.is_some()),
        // Gone already: Graph answers 400 then.
        Err(error) if error.status == Some(400) && error.message.contains("keyId") => Ok(false),
        Err(error) if error.message.contains("No password credential found") => Ok(false),
        Err(error) => Err(error.into()),
    }
}

fn revoke_command() -> Cmd {
    call(&REVOKE).arg(USER_APP_ID).arg(text![NAME, RUN])
}

impl Definition<Clouds> for Password {
    fn about(&self) -> About {
        About {
            id: STEP,
            title: "Mint a password for your application".into(),
            why: "Your application signs in to both tenants with it; it is minted now so that Entra knows it everywhere when it is needed, kept in memory only, and revoked at the end.",
            link: "https://learn.microsoft.com/graph/api/application-addpassword",
            permissions: &[ENTRA_APPLICATIONS],
        }
    }

    fn thing(&self) -> String {
        "the password of your application".into()
    }

    fn scope(&self) -> Scope {
        Scope::Shared
    }

    fn reads(&self) -> Vec<Named> {
        keys![RUN, USER_APP_ID, USER_APP_OBJECT_ID]
    }

    fn gives(&self) -> Vec<Named> {
        keys![USER_APP_KEY_ID, USER_APP_SECRET]
    }

    fn settling(&self, error: &ApiError) -> Option<Settling> {
        unknown_application(error)
            .then(|| settle("the new application is not known everywhere yet", 5))
    }

    fn shell(&self) -> Shell {
        Shell {
            create: vec![
                az("ad app credential reset")
                    .opt("--id", USER_APP_ID)
                    .flag("--append")
                    .flag("--only-show-errors")
                    .opt("--display-name", text![NAME, RUN])
                    .opt("--end-date", Text::call(&helpers::IN_TWO_HOURS, []))
                    .yields_secret(USER_APP_SECRET, "password")
                    .patient(
                        "the application may not be known everywhere yet",
                        Duration::from_secs(300),
                    ),
            ],
            delete: vec![revoke_command()],
            ..Shell::default()
        }
    }
}

#[async_trait(?Send)]
impl Ensure<Clouds> for Password {
    async fn find(&self, _: &mut Cx<'_>) -> Result<Option<Known>, Fault> {
        // A password is told once; one that is there is of no use.
        Ok(None)
    }

    async fn create(&self, cx: &mut Cx<'_>) -> Result<Made, Fault> {
        let (w, f) = (cx.world, &cx.facts);
        revoke(w, f).await?;
        // By the clock of the service, which is the one that ends it.
        let life = cx.left().map_or(LIFE, |asked| LIFE.max(asked + REST));
        let end = (w.now() + life).replace_nanosecond(0);
        let end = end
            .ok()
            .and_then(|end| end.format(&Rfc3339).ok())
            .unwrap_or_default();
        let add = graph::add_password(&f.get(USER_APP_OBJECT_ID)?, &name(f)?, &end);
        let password = w.send(&add).await?;
        let facts = Facts::default()
            .with(USER_APP_KEY_ID, password.key_id)
            .with_secret(USER_APP_SECRET, password.secret);
        Ok(Made::New(Known::new(facts, Maker::Run)))
    }

    async fn remains(&self, cx: &mut Cx<'_>) -> Result<Option<Known>, Fault> {
        let (w, f) = (cx.world, &cx.facts);
        let Some((app, keys)) = minted(w, f).await? else {
            return Ok(None);
        };
        if keys.is_empty() {
            return Ok(None);
        }
        let facts = Facts::default().with(USER_APP_OBJECT_ID, app);
        let known = Known::new(facts, Maker::Run);
        Ok(Some(known.called(name(f)?, keys.join(", "))))
    }

    async fn delete(&self, cx: &mut Cx<'_>) -> Result<Deleted, Fault> {
        let (w, f) = (cx.world, &cx.facts);
        // The one we know of goes first, since the list may lag behind; but the list tells if it is somebody else's.
        if let Ok(key) = f.get(USER_APP_KEY_ID)
            && !is_other(w, f, key.as_ref()).await?
        {
            remove(w, &f.get(USER_APP_OBJECT_ID)?, key.as_ref()).await?;
        }
        let left = revoke(w, f).await?;
        Ok(if left == 0 {
            Deleted::Gone
        } else {
            // There may be more than the list showed.
            Deleted::NotYet(format!("{left} left"))
        })
    }
}

static REVOKE: Helper = Helper::new("revoke_password", r#"# revoke_password APP_ID NAME: removes the application's passwords of that name
revoke_password() {
  local keys key
  keys=$(az ad app credential list --id "$1" --query "[?displayName==$(jmes "$2")].keyId" --output tsv) || return
  for key in $keys; do
    az ad app credential delete --id "$1" --key-id "$key" --output none || return
  done
}"#)
    .needing(&[&helpers::JMES]);

impl Definition<Clouds> for PasswordRevoked {
    fn about(&self) -> About {
        About {
            id: "password-revoked",
            title: "Revoke the password".into(),
            why: "It has done its work; a password that does not exist cannot leak.",
            link: "https://learn.microsoft.com/graph/api/application-removepassword",
            permissions: &[ENTRA_APPLICATIONS],
        }
    }

    fn scope(&self) -> Scope {
        Scope::Shared
    }

    fn reads(&self) -> Vec<Named> {
        keys![RUN, USER_APP_ID]
    }

    fn shell(&self) -> Shell {
        Shell {
            create: vec![revoke_command()],
            ..Shell::default()
        }
    }
}

impl Release<Clouds> for PasswordRevoked {
    fn of(&self) -> &'static str {
        STEP
    }
}
