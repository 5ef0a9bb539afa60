//! The application's password: minted for the minutes of the peering, held in memory, revoked at the end.

use super::{ENTRA_APPLICATIONS, settle, unknown_application};
use crate::{
    azure::{
        Fault, graph,
        keys::{
            AppObjectId, RUN, USER_APP_ID, USER_APP_KEY_ID, USER_APP_OBJECT_ID, USER_APP_SECRET,
        },
    },
    clouds::Clouds,
    engine::{About, Deleted, Made, Polled, Probe, Resource, Settling, Usual},
    fact::{Facts, Missing},
    http::ApiError,
    shell::{Shell, az, call},
};
use std::time::Duration;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// The life of a password that is not revoked because the run was left: longer than any wait, no longer than a day.
const LIFE: time::Duration = time::Duration::hours(24);

/// The ephemeral password.
pub struct Password;

/// The state in which no password of the run is left.
pub struct PasswordRevoked;

fn name(f: &Facts) -> Result<String, Missing> {
    Ok(format!("peer-wizard {}", f.get(RUN)?))
}

/// Removes every password of this run, also those of killed processes; tells how many there were.
async fn revoke(w: &Clouds, f: &Facts) -> Result<usize, Fault> {
    let name = name(f)?;
    let id = f.get(USER_APP_OBJECT_ID)?;
    let Some(app) = w.look(&graph::application(&f.get(USER_APP_ID)?)).await? else {
        return Ok(0);
    };
    let mine: Vec<String> = app
        .password_credentials
        .unwrap_or_default()
        .into_iter()
        .filter(|it| it.display_name.as_deref() == Some(name.as_str()))
        .map(|it| it.key_id)
        .collect();
    for key in &mine {
        remove(w, &id, key).await?;
    }
    Ok(mine.len())
}

async fn remove(w: &Clouds, id: &AppObjectId, key: &str) -> Result<(), Fault> {
    match w.forget(&graph::remove_password(id, key)).await {
        Ok(_) => Ok(()),
        // Gone already: Graph answers 400 then.
        Err(error) if error.status == Some(400) && error.message.contains("keyId") => Ok(()),
        Err(error) if error.message.contains("No password credential found") => Ok(()),
        Err(error) => Err(error.into()),
    }
}

impl Resource<Clouds> for Password {
    type Item = graph::NewPassword;
    const EPHEMERAL: bool = true;

    fn about(&self) -> About {
        About {
            id: "password",
            title: "Mint a password for your application".into(),
            why: "Your application signs in to both tenants with it; it is minted now so that Entra knows it everywhere when it is needed, kept in memory only, and revoked at the end.",
            link: "https://learn.microsoft.com/graph/api/application-addpassword",
            permissions: &[ENTRA_APPLICATIONS],
        }
    }

    fn thing(&self) -> String {
        "the password of your application".into()
    }

    async fn find(&self, _: &Clouds, _: &Facts) -> Result<Option<Self::Item>, Fault> {
        // A password is told once; one that is there is of no use.
        Ok(None)
    }

    async fn create(&self, w: &Clouds, f: &Facts) -> Result<Made<Self::Item>, Fault> {
        revoke(w, f).await?;
        let end = (OffsetDateTime::now_utc() + LIFE).replace_nanosecond(0);
        let end = end
            .ok()
            .and_then(|end| end.format(&Rfc3339).ok())
            .unwrap_or_default();
        let add = graph::add_password(&f.get(USER_APP_OBJECT_ID)?, &name(f)?, &end);
        Ok(Made::New(w.send(&add).await?))
    }

    async fn delete(&self, w: &Clouds, f: &Facts) -> Result<Deleted, Fault> {
        revoke(w, f).await?;
        Ok(Deleted::Gone)
    }

    fn facts(&self, item: &Self::Item) -> Facts {
        Facts::default()
            .with(USER_APP_SECRET, item.secret.clone())
            .with(USER_APP_KEY_ID, item.key_id.as_str().into())
    }

    fn settling(&self, error: &ApiError) -> Option<Settling> {
        unknown_application(error)
            .then(|| settle("the new application is not known everywhere yet", 5))
    }

    fn shell(&self, f: &Facts) -> Result<Shell, Missing> {
        let id = f.get(USER_APP_ID)?;
        Ok(Shell {
            create: vec![
                az("ad app credential reset")
                    .opt("--id", id.as_ref())
                    .flag("--append")
                    .flag("--only-show-errors")
                    .opt("--display-name", name(f)?)
                    .opt_bash("--end-date", "\"$(tomorrow)\"")
                    .yields(USER_APP_SECRET, "password")
                    .patient(
                        "the application may not be known everywhere yet",
                        Duration::from_secs(300),
                    ),
            ],
            delete: vec![call("revoke_password").arg(id).arg(name(f)?)],
            functions: vec![REVOKE],
            ..Shell::default()
        })
    }
}

const REVOKE: &str = r#"# revoke_password APP_ID NAME: removes the application's passwords of that name
revoke_password() {
  local keys key
  keys=$(az ad app credential list --id "$1" --query "[?displayName==$(jmes "$2")].keyId" --output tsv) || return
  for key in $keys; do
    az ad app credential delete --id "$1" --key-id "$key" --output none || return
  done
}"#;

impl Probe<Clouds> for PasswordRevoked {
    fn about(&self) -> About {
        About {
            id: "password-revoked",
            title: "Revoke the password".into(),
            why: "It has done its work; a password that does not exist cannot leak.",
            link: "https://learn.microsoft.com/graph/api/application-removepassword",
            permissions: &[ENTRA_APPLICATIONS],
        }
    }

    async fn poll(&self, w: &Clouds, f: &Facts) -> Result<Polled, Fault> {
        // The one we know of goes first: the list may lag behind.
        if let Ok(key) = f.get(USER_APP_KEY_ID) {
            remove(w, &f.get(USER_APP_OBJECT_ID)?, key.as_ref()).await?;
        }
        let mut left = 0;
        for look in 1..=5 {
            left = revoke(w, f).await?;
            if left == 0 {
                return Ok(Polled::Reached(Facts::default()));
            }
            w.pause(look, Duration::from_secs(2)).await;
        }
        Ok(Polled::NotYet(format!("{left} left")))
    }

    fn usual(&self) -> Usual {
        Usual {
            words: "seconds",
            time: Duration::from_secs(2),
            every: Duration::from_secs(5),
            limit: Duration::from_secs(300),
        }
    }

    fn shell(&self, f: &Facts) -> Result<Shell, Missing> {
        Ok(Shell {
            create: vec![
                call("revoke_password")
                    .arg(f.get(USER_APP_ID)?)
                    .arg(name(f)?),
            ],
            functions: vec![REVOKE],
            ..Shell::default()
        })
    }
}
