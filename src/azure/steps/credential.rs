//! What the application signs in with: made for the minutes of the peering, held in memory, removed at the end. A password, or a
//! certificate where the tenant forbids passwords.

use super::{
    ENTRA_APPLICATIONS,
    certificate::{self, SEEN, YES},
    password, settle,
    shown::{self, NAME, Shown, has, shown},
    unknown_application,
};
use crate::{
    azure::{
        Cx, Fault,
        keys::{
            RUN, Text as Note, USER_APP_ID, USER_APP_KEY_ID, USER_APP_OBJECT_ID, USER_APP_SECRET,
        },
    },
    clouds::{Clouds, Realm},
    engine::{About, Definition, Deleted, Ensure, Known, Made, Maker, Release, Scope, Settling},
    fact::{Facts, Key, Named},
    http::{ApiError, Cause},
    keys,
    shell::{Cmd, Helper, Shell, call, helpers},
    text,
};
use async_trait::async_trait;
use std::time::Duration;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// What the application is to sign in with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CredentialKind {
    /// A password, or a certificate where the tenant forbids passwords.
    #[default]
    Auto,
    /// A password.
    Password,
    /// A certificate.
    Certificate,
}

/// The life of a credential that is not removed because the run was left: what a run may take, or the wait that was asked for
/// and an hour for the rest.
const LIFE: Duration = Duration::from_secs(2 * 60 * 60);
/// However long a wait was asked for.
const LONGEST: Duration = Duration::from_secs(31 * 24 * 60 * 60);
const REST: Duration = Duration::from_secs(60 * 60);
/// In people's files, from when there were passwords only.
const STEP: &str = "password";
const RELEASE: &str = "password-revoked";

/// A credential that is younger may not be known everywhere: that Graph finds none does not mean that there is none.
const YOUNG: Duration = Duration::from_secs(3 * 60);
/// One that an earlier process saw is known everywhere sooner.
const SHOWN: Duration = Duration::from_secs(20);
/// The file knows whole seconds, and a fast pace makes less of the time above than a request takes.
const YOUNG_AT_LEAST: Duration = Duration::from_secs(2);
const NOT_KNOWN: &str = "Entra does not know the new credential everywhere yet";

/// There may be credentials whose making was not answered, or that an earlier process made: before the one that is known, so
/// that where that one shows they show too.
const MAY_BE_MORE: Key<Note> = Key::fleeting("USER_APP_KEYS_MAY_BE_MORE");
/// What this process knows of the one whose id it knows: a try to remove it was not answered, it is removed.
const TRIED: Key<Note> = Key::fleeting("USER_APP_KEY_TRIED");
const REMOVED: Key<Note> = Key::fleeting("USER_APP_KEY_REMOVED");
/// The tenant has refused a password, and would again.
const FORBIDDEN: Key<Note> = Key::fleeting("USER_APP_PASSWORD_FORBIDDEN");
const INSTEAD: &str = "your tenant forbids passwords on applications, so it is a certificate";

/// The credential, for as long as the process lives.
pub struct Credential(pub CredentialKind);

/// Its end.
pub struct CredentialRevoked(pub CredentialKind);

/// Whether Entra refuses a credential that is too new for it.
pub(super) fn not_known_yet(error: &ApiError) -> Option<Settling> {
    let number = |code: &str| {
        error.code.as_deref().is_some_and(|it| it.contains(code)) || error.message.contains(code)
    };
    let new = error.cause == Cause::SignIn && (number("7000215") || number("700027"));
    new.then(|| settle(NOT_KNOWN, 5))
}

/// The function of the script that signs the application in.
pub(super) fn sign_in(kind: CredentialKind) -> &'static Helper {
    match kind {
        CredentialKind::Auto | CredentialKind::Password => &password::SIGN_IN,
        CredentialKind::Certificate => &certificate::SIGN_IN,
    }
}

impl CredentialKind {
    /// What is made, as far as it is known.
    fn word(self) -> &'static str {
        match self {
            Self::Auto => "credential",
            Self::Password => "password",
            Self::Certificate => "certificate",
        }
    }
}

/// Removes those that Graph shows, but for the password `known`; tells how many there were beside the known one. What a stale
/// list still shows is none.
async fn remove_shown(w: &Clouds, shown: &Shown, known: Option<&str>) -> Result<usize, Fault> {
    let more = |key: &&String| known.is_none_or(|known| !known.eq_ignore_ascii_case(key));
    let mut removed = 0;
    for key in shown.passwords.iter().filter(more) {
        removed += usize::from(password::remove(w, &shown.app, key).await?);
    }
    certificate::remove(w, shown).await?;
    Ok(removed + shown.certificates.iter().filter(more).count())
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
    let is_password = |key: &&str| !shown.is_others(key) && !has(&shown.certificates, key);
    if let Some(key) = known.filter(is_password) {
        // One that it does not know may come to be known; it is looked for again at the end.
        password::remove(cx.world, &shown.app, key).await?;
    }
    remove_shown(cx.world, &shown, known).await?;
    Ok(())
}

/// Removes the password whose id the run knows; a certificate goes with the list. Tells whether it is surely gone, or may come
/// to be known yet.
async fn end(cx: &mut Cx<'_>, shown: &Shown) -> Result<bool, Fault> {
    let Ok(key) = cx.facts.get(USER_APP_KEY_ID) else {
        return Ok(true);
    };
    let removed = cx.facts.get(REMOVED).is_ok();
    let tried = cx.facts.get(TRIED).is_ok();
    let shows = has(&shown.passwords, key.as_ref());
    // An answer may come from somebody who did nothing: what shows is removed again.
    if shown.is_others(key.as_ref()) || removed && !shows {
        return Ok(true);
    }
    if has(&shown.certificates, key.as_ref()) {
        cx.facts.set(SEEN, YES);
        return Ok(true);
    }
    if cx.facts.get(certificate::IS_ONE).is_ok() {
        return Ok(cx.facts.get(SEEN).is_ok());
    }
    if shows {
        cx.facts.set(SEEN, YES);
    }
    match password::remove(cx.world, &shown.app, key.as_ref()).await {
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

/// When a credential that is made now ends, by the clock of the service, which is the one that ends it.
fn until(cx: &Cx<'_>) -> OffsetDateTime {
    let asked = cx.left().unwrap_or_default().saturating_add(REST);
    let life = asked.clamp(LIFE, LONGEST);
    let end = cx.world.now() + life;
    end.replace_nanosecond(0).unwrap_or(end)
}

async fn add_password(cx: &mut Cx<'_>) -> Result<Facts, Fault> {
    let until = until(cx).format(&Rfc3339).unwrap_or_default();
    let added = password::add(cx, &until).await;
    if let Err(Fault::World(error)) = &added
        && !error.is_refusal()
    {
        cx.facts.set(MAY_BE_MORE, YES);
    }
    added
}

async fn add_certificate(cx: &mut Cx<'_>) -> Result<Facts, Fault> {
    let until = until(cx);
    certificate::add(cx, until).await
}

fn revoke_command() -> Cmd {
    call(&REVOKE).arg(USER_APP_ID).arg(text![NAME, RUN])
}

impl Definition<Clouds> for Credential {
    fn about(&self) -> About {
        let word = self.0.word();
        About {
            id: STEP,
            title: format!("Mint a {word} for your application"),
            why: "Your application signs in to both tenants with it; it is minted now so that Entra knows it everywhere when it is needed, kept in memory only, and revoked at the end.",
            link: match self.0 {
                CredentialKind::Auto | CredentialKind::Password => {
                    "https://learn.microsoft.com/graph/api/application-addpassword"
                }
                CredentialKind::Certificate => {
                    "https://learn.microsoft.com/entra/identity-platform/certificate-credentials"
                }
            },
            permissions: &[ENTRA_APPLICATIONS],
        }
    }

    fn thing(&self) -> String {
        format!("the {} of your application", self.0.word())
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
            REMOVED,
            FORBIDDEN,
            certificate::IS_ONE,
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
        let make = match self.0 {
            CredentialKind::Auto | CredentialKind::Password => call(&password::MINT),
            CredentialKind::Certificate => call(&certificate::MAKE).patient(
                "the application may not be known everywhere yet",
                Duration::from_secs(300),
            ),
        };
        let make = make.arg(USER_APP_ID).arg(text![NAME, RUN]);
        Shell {
            create: vec![make.prints_secret(USER_APP_SECRET)],
            delete: vec![revoke_command()],
            ..Shell::default()
        }
    }
}

#[async_trait(?Send)]
impl Ensure<Clouds> for Credential {
    async fn find(&self, _: &mut Cx<'_>) -> Result<Option<Known>, Fault> {
        // A credential is told once; one that is there is of no use.
        Ok(None)
    }

    async fn create(&self, cx: &mut Cx<'_>) -> Result<Made, Fault> {
        // An application that was made a moment ago has none.
        let may_be_some = cx.since.is_some() || cx.facts.get(MAY_BE_MORE).is_ok();
        let may_be_some = may_be_some || !cx.is_new(USER_APP_ID);
        if may_be_some && certificate::held(&cx.facts).is_none() {
            clear(cx).await?;
        }
        let auto = self.0 == CredentialKind::Auto;
        let forbidden = || cx.facts.get(FORBIDDEN).is_ok();
        let mut facts = None;
        if self.0 != CredentialKind::Certificate && !forbidden() {
            match add_password(cx).await {
                Err(Fault::World(error)) if auto && password::is_forbidden(&error) => {
                    cx.facts.set(FORBIDDEN, YES);
                }
                added => facts = Some(added?),
            }
        }
        let mut facts = match facts {
            Some(facts) => facts,
            None => add_certificate(cx).await?,
        };
        if let Ok(note) = cx.facts.get(MAY_BE_MORE) {
            facts.set(MAY_BE_MORE, note);
        }
        let known = Known::new(facts, Maker::Run);
        Ok(Made::New(if cx.facts.get(FORBIDDEN).is_ok() {
            known.saying(INSTEAD)
        } else {
            known
        }))
    }

    async fn remains(&self, cx: &mut Cx<'_>) -> Result<Option<Known>, Fault> {
        let Some(shown) = shown(cx.world, &cx.facts).await? else {
            return Ok(None);
        };
        let (mine, name) = (shown.mine().join(", "), shown::name(&cx.facts)?);
        let facts = Facts::default().with(USER_APP_OBJECT_ID, shown.app.clone());
        cx.saw(shown);
        let known = Known::new(facts, Maker::Run).called(name, mine.clone());
        Ok((!mine.is_empty()).then_some(known))
    }

    async fn delete(&self, cx: &mut Cx<'_>) -> Result<Deleted, Fault> {
        loop {
            let seen = match cx.take_seen() {
                Some(seen) => Some(seen),
                None => shown(cx.world, &cx.facts).await?,
            };
            let Some(shown) = seen else {
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

static REVOKE: Helper = Helper::new("revoke_credentials", r#"# revoke_credentials APP_ID NAME: removes the application's passwords and certificates of that name
revoke_credentials() {
  local kind keys key
  for kind in '' --cert; do
    keys=$(az ad app credential list --id "$1" ${kind:+"$kind"} --query "[?displayName==$(jmes "$2")].keyId" --output tsv) || return
    for key in $keys; do
      az ad app credential delete --id "$1" ${kind:+"$kind"} --key-id "$key" --output none || return
    done
  done
}"#)
    .needing(&[&helpers::JMES]);

impl Definition<Clouds> for CredentialRevoked {
    fn about(&self) -> About {
        About {
            id: RELEASE,
            title: format!("Revoke the {}", self.0.word()),
            why: match self.0 {
                CredentialKind::Auto => {
                    "It has done its work; a credential that does not exist cannot leak."
                }
                CredentialKind::Password => {
                    "It has done its work; a password that does not exist cannot leak."
                }
                CredentialKind::Certificate => {
                    "It has done its work; a key that opens nothing cannot be misused."
                }
            },
            link: match self.0 {
                CredentialKind::Auto | CredentialKind::Password => {
                    "https://learn.microsoft.com/graph/api/application-removepassword"
                }
                CredentialKind::Certificate => {
                    "https://learn.microsoft.com/graph/api/application-update"
                }
            },
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

impl Release<Clouds> for CredentialRevoked {
    fn of(&self) -> &'static str {
        STEP
    }
}
