//! The application's certificate: how it is made, how it is removed, and how a script does so. Graph takes the list of all
//! certificates of an application at once, so that what is there is read, and written back with one more or one less.
//! <https://learn.microsoft.com/graph/api/application-update>

use super::{
    session::AS_APPLICATION,
    shown::{self, Shown, has, shown},
};
use crate::{
    azure::{
        Cx, Fault, graph,
        keys::{AppObjectId, Text as Note, USER_APP_ID, USER_APP_KEY_ID, USER_APP_SECRET},
    },
    clouds::{Clouds, certificate::Certificate, identity::AppCredential},
    engine::Refusal,
    fact::{Facts, Key},
    http::ApiError,
    shell::{Helper, helpers},
};
use std::{rc::Rc, time::Duration};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use uuid::Uuid;

/// Somebody wrote a list that they had read before.
const OVERWRITTEN: &str = "somebody else changed the application's certificates at the same time";
const OVERWRITTEN_LIMIT: Duration = Duration::from_secs(5 * 60);
/// It is good from so much earlier on: clocks differ.
const SLACK: Duration = Duration::from_secs(5 * 60);

/// Of this process: the credential that it made is a certificate.
pub(super) const IS_ONE: Key<Note> = Key::fleeting("USER_APP_KEY_IS_CERTIFICATE");
/// It has shown.
pub(super) const SEEN: Key<Note> = Key::fleeting("USER_APP_KEY_SEEN");
pub(super) const YES: &str = "yes";

/// The one that an earlier try of this process made: nothing has to be made twice when only an answer was lost.
pub(super) fn held(f: &Facts) -> Option<(Note, Rc<Certificate>)> {
    match f.secret(USER_APP_SECRET).ok()? {
        AppCredential::Certificate(it) => Some((f.get(USER_APP_KEY_ID).ok()?, it)),
        AppCredential::Password(_) => None,
    }
}

/// Adds a certificate that is good until then, beside those that are there.
pub(super) async fn add(cx: &mut Cx<'_>, until: OffsetDateTime) -> Result<Facts, Fault> {
    let name = shown::name(&cx.facts)?;
    let (id, certificate) = if let Some(held) = held(&cx.facts) {
        held
    } else {
        let from = cx.world.now() - SLACK;
        let made = Certificate::new(&name, from, until);
        let made = made.map_err(|error| {
            Fault::Refused(Refusal::new(format!("no key could be made: {error}")))
        })?;
        let (id, made) = (Note::from(Uuid::new_v4().to_string()), Rc::new(made));
        cx.facts.set(USER_APP_KEY_ID, id.clone());
        let credential = AppCredential::Certificate(Rc::clone(&made));
        cx.facts.hold(USER_APP_SECRET, credential);
        (id, made)
    };
    let [from, until] = certificate
        .good()
        .map(|time| time.format(&Rfc3339).unwrap_or_default());
    let ours = graph::KeyCredential::new(
        id.as_ref(),
        &name,
        certificate.der(),
        [from.as_str(), until.as_str()],
    );
    loop {
        let before = shown::surely(cx.world, &cx.facts).await?;
        if has(&before.certificates, id.as_ref()) {
            cx.facts.set(SEEN, YES);
            break;
        }
        // Those of killed processes go with the same request.
        let mut all = before.other_certificates.clone();
        all.push(ours.clone());
        put(cx.world, &before.app, &all).await?;
        let Some(after) = shown(cx.world, &cx.facts).await? else {
            break;
        };
        if has(&after.certificates, id.as_ref()) {
            cx.facts.set(SEEN, YES);
            break;
        }
        // A copy that has not heard of it yet shows what it showed before.
        if ids(&after) == ids(&before) {
            break;
        }
        cx.settling(OVERWRITTEN, OVERWRITTEN_LIMIT).await?;
    }
    let mut facts = Facts::default()
        .with(USER_APP_KEY_ID, id)
        .with(IS_ONE, YES)
        .with_secret(USER_APP_SECRET, AppCredential::Certificate(certificate));
    if let Ok(seen) = cx.facts.get(SEEN) {
        facts.set(SEEN, seen);
    }
    Ok(facts)
}

fn ids(shown: &Shown) -> Vec<&str> {
    let others = shown.other_certificates.iter();
    let others = others.map(graph::KeyCredential::key_id);
    let mut ids: Vec<&str> = others
        .chain(shown.certificates.iter().map(String::as_str))
        .collect();
    ids.sort_unstable();
    ids
}

/// Removes those of this run that Graph shows, and leaves the others.
pub(super) async fn remove(w: &Clouds, shown: &Shown) -> Result<(), ApiError> {
    if shown.certificates.is_empty() {
        return Ok(());
    }
    put(w, &shown.app, &shown.other_certificates).await
}

async fn put(w: &Clouds, app: &AppObjectId, all: &[graph::KeyCredential]) -> Result<(), ApiError> {
    match w.answer(&graph::put_keys(app, all)).await {
        Ok(_) => Ok(()),
        Err(error) => Err(advised(error)),
    }
}

/// A policy about certificates has other ways out than one about passwords.
fn advised(mut error: ApiError) -> ApiError {
    let code = error.code.as_deref().unwrap_or_default();
    let advice = if code == "CredentialInvalidLifetimeAsPerAppPolicy" {
        "your tenant caps the life of certificates below what this run asks for: two hours, or an hour more than `--timeout`; ask for less, try `--credential password`, or have an administrator exempt this one application"
    } else if code.ends_with("AsPerAppPolicy") {
        "your tenant takes only certificates that an authority of its own has signed, or none; where it allows passwords, undo this run and connect with `--credential password`; else an administrator can exempt this one application: https://learn.microsoft.com/entra/identity/enterprise-apps/configure-app-management-policies"
    } else {
        return error;
    };
    error.advice = Box::new([advice.to_owned()]);
    error
}

/// The key is in a file for these minutes, as `az` signs in from nothing else.
pub(super) static MAKE: Helper = Helper::new("make_certificate", r#"# make_certificate APP_ID NAME: az makes a key and its certificate, and adds that to those that the application has. az writes the
# key to a file in the home folder, which here is the folder that goes with the script. Prints its path
make_certificate() {
  local session=${AZURE_CONFIG_DIR:-$HOME/.azure}
  HOME="$APPLICATION_SESSION" AZURE_CONFIG_DIR="$session" az ad app credential reset --id "$1" --append --create-cert --only-show-errors \
    --display-name "$2" --end-date "$(in_two_hours)" --query fileWithCertAndPrivateKey --output tsv
}"#)
    .needing(&[&AS_APPLICATION, &helpers::IN_TWO_HOURS]);

pub(super) static SIGN_IN: Helper = Helper::new("sign_in_by_certificate", r#"# sign_in_by_certificate TENANT
sign_in_by_certificate() {
  as_application az login --service-principal --username "$USER_APP_ID" --certificate "$USER_APP_SECRET" \
    --tenant "$1" --allow-no-subscriptions --output none
}"#)
    .reading(&[USER_APP_ID.named(), USER_APP_SECRET.named()])
    .needing(&[&AS_APPLICATION]);
