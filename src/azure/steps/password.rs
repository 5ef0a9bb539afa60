//! The application's password: how it is made, how it is removed, and how a script does so.

use super::{session::AS_APPLICATION, shown};
use crate::{
    azure::{
        Cx, Fault, graph,
        keys::{AppObjectId, USER_APP_ID, USER_APP_KEY_ID, USER_APP_OBJECT_ID, USER_APP_SECRET},
    },
    clouds::{Clouds, identity::AppCredential},
    fact::Facts,
    http::ApiError,
    shell::{Helper, helpers},
};

/// Adds a password that is good until then.
pub(super) async fn add(cx: &mut Cx<'_>, until: &str) -> Result<Facts, Fault> {
    let f = &cx.facts;
    let add = graph::add_password(&f.get(USER_APP_OBJECT_ID)?, &shown::name(f)?, until);
    let password = cx.world.send(&add).await?;
    cx.world.http.quiet.about(&password.secret);
    Ok(Facts::default()
        .with(USER_APP_KEY_ID, password.key_id)
        .with_secret(USER_APP_SECRET, AppCredential::Password(password.secret)))
}

/// Removes a password; tells whether it was there, as far as Graph knows.
pub(super) async fn remove(w: &Clouds, app: &AppObjectId, key: &str) -> Result<bool, ApiError> {
    match w.forget(&graph::remove_password(app, key)).await {
        Ok(answer) => Ok(answer.is_some()),
        // It knows none of that id: 400.
        Err(error) if error.status == Some(400) && error.message.contains("keyId") => Ok(false),
        Err(error) if error.message.contains("No password credential found") => Ok(false),
        Err(error) => Err(error),
    }
}

/// Whether the tenant forbids all passwords on applications.
pub(super) fn is_forbidden(error: &ApiError) -> bool {
    error.is("CredentialTypeNotAllowedAsPerAppPolicy")
}

/// What a policy forbids does not pass, so that is no reason to try again.
pub(super) static MINT: Helper = Helper::new("mint_password", r#"# mint_password APP_ID NAME: prints a new password of the application, as soon as the application is known everywhere
mint_password() {
  local began=$SECONDS refusal
  until { refusal=$(az ad app credential reset --id "$1" --append --only-show-errors --display-name "$2" \
    --end-date "$(in_two_hours)" --query password --output tsv 2>&1 >&3); } 3>&1; do
    case $refusal in
      *'as per assigned policy'*)
        say "$refusal"
        fail 'your tenant forbids this password on applications; sign in with a certificate: print this script anew with --credential certificate, or let peer-wizard do it' ;;
    esac
    [ $((SECONDS - began)) -lt 300 ] || fail "gave up after 300 s: $refusal"
    say '  not yet: the application may not be known everywhere yet; trying again'
    sleep "${PAUSE:-10}"
  done
}"#)
    .needing(&[&helpers::SAY, &helpers::FAIL, &helpers::IN_TWO_HOURS]);

pub(super) static SIGN_IN: Helper = Helper::new("sign_in_by_password", r#"# sign_in_by_password TENANT: the password goes through a pipe, not through an argument
sign_in_by_password() {
  as_application az login --service-principal --username "$USER_APP_ID" --password "@"<(printf '%s' "$USER_APP_SECRET") \
    --tenant "$1" --allow-no-subscriptions --output none
}"#)
    .reading(&[USER_APP_ID.named(), USER_APP_SECRET.named()])
    .needing(&[&AS_APPLICATION]);
