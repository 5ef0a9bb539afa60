//! The application's password: minted for the minutes of the peering, held in memory, revoked at the end.

use super::{ENTRA_APPLICATIONS, settle, unknown_application};
use crate::{
    azure::{
        Cx, Fault, graph,
        keys::{
            AppObjectId, RUN, Text as Note, USER_APP_ID, USER_APP_KEY_ID, USER_APP_OBJECT_ID,
            USER_APP_SECRET,
        },
    },
    clouds::{Clouds, Realm},
    engine::{About, Definition, Deleted, Ensure, Known, Made, Maker, Release, Scope, Settling},
    fact::{Facts, Key, Missing, Named},
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

/// A password that is younger may not be known everywhere: that Graph finds none does not mean that there is none.
const YOUNG: Duration = Duration::from_secs(3 * 60);
/// One that an earlier process saw is known everywhere sooner.
const SHOWN: Duration = Duration::from_secs(20);
/// The file knows whole seconds, and a fast pace makes less of the time above than a request takes.
const YOUNG_AT_LEAST: Duration = Duration::from_secs(2);
const NOT_KNOWN: &str = "Entra does not know the new password everywhere yet";

const YES: &str = "yes";
/// There may be passwords whose making was not answered, or that an earlier process made: minted before the one that is known,
/// so that where that one shows they show too.
const MAY_BE_MORE: Key<Note> = Key::fleeting("USER_APP_KEYS_MAY_BE_MORE");
/// What this process knows of the one whose id it knows: Graph has shown it, a try to remove it was not answered, it is removed.
const SEEN: Key<Note> = Key::fleeting("USER_APP_KEY_SEEN");
const TRIED: Key<Note> = Key::fleeting("USER_APP_KEY_TRIED");
const REMOVED: Key<Note> = Key::fleeting("USER_APP_KEY_REMOVED");

/// The ephemeral password.
pub struct Password;

/// The end of the password.
pub struct PasswordRevoked;

/// What all passwords of the run are called, also those of killed processes and those whose making was not answered.
pub(super) fn name(f: &Facts) -> Result<String, Missing> {
    Ok(format!("{NAME}{}", f.get(RUN)?))
}

/// What one look at the application's passwords told.
struct Shown {
    app: AppObjectId,
    /// Those of this run.
    mine: Vec<String>,
    /// The others: the run's file may name one of them.
    others: Vec<String>,
}

/// The application and its passwords, as far as Graph shows them.
async fn shown(w: &Clouds, f: &Facts) -> Result<Option<Shown>, Fault> {
    let name = name(f)?;
    let Some(app) = w.look(&graph::application(&f.get(USER_APP_ID)?)).await? else {
        return Ok(None);
    };
    let all = app.password_credentials.unwrap_or_default().into_iter();
    let (mine, others): (Vec<_>, Vec<_>) =
        all.partition(|it| it.display_name.as_deref() == Some(name.as_str()));
    let keys = |all: Vec<graph::PasswordCredential>| all.into_iter().map(|it| it.key_id).collect();
    Ok(Some(Shown {
        app: app.id.into(),
        mine: keys(mine),
        others: keys(others),
    }))
}

fn has(keys: &[String], key: &str) -> bool {
    keys.iter().any(|it| it.eq_ignore_ascii_case(key))
}

/// Removes a password; tells whether it was there, as far as Graph knows.
async fn remove(w: &Clouds, app: &AppObjectId, key: &str) -> Result<bool, ApiError> {
    match w.forget(&graph::remove_password(app, key)).await {
        Ok(answer) => Ok(answer.is_some()),
        // It knows none of that id: 400.
        Err(error) if error.status == Some(400) && error.message.contains("keyId") => Ok(false),
        Err(error) if error.message.contains("No password credential found") => Ok(false),
        Err(error) => Err(error),
    }
}

/// Removes those that Graph shows, but for `known`; tells how many there were to remove. What a stale list still shows is none.
async fn remove_shown(w: &Clouds, shown: &Shown, known: Option<&str>) -> Result<usize, Fault> {
    let mut removed = 0;
    for key in &shown.mine {
        if known.is_none_or(|known| !known.eq_ignore_ascii_case(key)) {
            removed += usize::from(remove(w, &shown.app, key).await?);
        }
    }
    Ok(removed)
}

/// Removes what earlier processes and earlier tries left, the one first whose id the run knows, and notes that there may be
/// more than shows.
async fn clear(cx: &mut Cx<'_>) -> Result<(), Fault> {
    if cx.since.is_some() {
        cx.facts.set(MAY_BE_MORE, YES);
    }
    let Some(shown) = shown(cx.world, &cx.facts).await? else {
        return Ok(());
    };
    let known = cx.facts.get(USER_APP_KEY_ID).ok();
    let known = known.as_ref().map(AsRef::as_ref);
    if let Some(key) = known.filter(|key| !has(&shown.others, key)) {
        // One that it does not know may come to be known; it is looked for again at the end.
        remove(cx.world, &shown.app, key).await?;
    }
    remove_shown(cx.world, &shown, known).await?;
    Ok(())
}

/// Removes the password whose id the run knows. Tells whether it is surely gone, or may come to be known yet.
async fn end(cx: &mut Cx<'_>, shown: &Shown) -> Result<bool, Fault> {
    let Ok(key) = cx.facts.get(USER_APP_KEY_ID) else {
        return Ok(true);
    };
    let removed = cx.facts.get(REMOVED).is_ok();
    let tried = cx.facts.get(TRIED).is_ok();
    let shows = has(&shown.mine, key.as_ref());
    // An answer may come from somebody who did nothing: what shows is removed again.
    if has(&shown.others, key.as_ref()) || removed && !shows {
        return Ok(true);
    }
    if shows {
        cx.facts.set(SEEN, YES);
    }
    match remove(cx.world, &shown.app, key.as_ref()).await {
        Ok(true) => {
            cx.facts.set(REMOVED, YES);
            Ok(true)
        }
        // It was seen, and a try to remove it may have done so.
        Ok(false) => Ok(removed || tried && cx.facts.get(SEEN).is_ok()),
        Err(error) => {
            if !error.is_refusal() {
                cx.facts.set(TRIED, YES);
            }
            Err(error.into())
        }
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

    fn part(&self) -> Realm {
        Realm::Entra
    }

    fn reads(&self) -> Vec<Named> {
        keys![
            RUN,
            USER_APP_ID,
            USER_APP_OBJECT_ID,
            MAY_BE_MORE,
            SEEN,
            TRIED,
            REMOVED
        ]
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
        clear(cx).await?;
        // By the clock of the service, which is the one that ends it.
        let life = cx.left().map_or(LIFE, |asked| LIFE.max(asked + REST));
        let end = (cx.world.now() + life).replace_nanosecond(0);
        let f = &cx.facts;
        let end = end
            .ok()
            .and_then(|end| end.format(&Rfc3339).ok())
            .unwrap_or_default();
        let add = graph::add_password(&f.get(USER_APP_OBJECT_ID)?, &name(f)?, &end);
        let password = match cx.world.send(&add).await {
            Ok(password) => password,
            Err(error) => {
                if !error.is_refusal() {
                    cx.facts.set(MAY_BE_MORE, YES);
                }
                return Err(error.into());
            }
        };
        let mut facts = Facts::default()
            .with(USER_APP_KEY_ID, password.key_id)
            .with_secret(USER_APP_SECRET, password.secret);
        if let Ok(note) = cx.facts.get(MAY_BE_MORE) {
            facts.set(MAY_BE_MORE, note);
        }
        Ok(Made::New(Known::new(facts, Maker::Run)))
    }

    async fn remains(&self, cx: &mut Cx<'_>) -> Result<Option<Known>, Fault> {
        let (w, f) = (cx.world, &cx.facts);
        let Some(shown) = shown(w, f).await?.filter(|it| !it.mine.is_empty()) else {
            return Ok(None);
        };
        let facts = Facts::default().with(USER_APP_OBJECT_ID, shown.app);
        let known = Known::new(facts, Maker::Run);
        Ok(Some(known.called(name(f)?, shown.mine.join(", "))))
    }

    async fn delete(&self, cx: &mut Cx<'_>) -> Result<Deleted, Fault> {
        loop {
            let Some(shown) = shown(cx.world, &cx.facts).await? else {
                return Ok(Deleted::Gone);
            };
            // The list may lag behind, so the one that is known does not wait for it.
            let gone = end(cx, &shown).await?;
            let known = cx.facts.get(USER_APP_KEY_ID).ok();
            let known = known.as_ref().map(AsRef::as_ref);
            let removed = remove_shown(cx.world, &shown, known).await?;
            let more = cx.facts.get(MAY_BE_MORE).is_ok() && cx.facts.get(SEEN).is_err();
            let young = if cx.shown { SHOWN } else { YOUNG };
            let young = cx.stood_less_than(cx.scaled(young).max(YOUNG_AT_LEAST));
            if known.is_some() && young && (!gone || more) {
                cx.settling(NOT_KNOWN, Duration::MAX).await?;
                continue;
            }
            return Ok(if removed == 0 {
                Deleted::Gone
            } else {
                // There may be more than the list showed.
                Deleted::NotYet(format!("{removed} left"))
            });
        }
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

    fn part(&self) -> Realm {
        Realm::Entra
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
