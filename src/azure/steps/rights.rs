//! Whom a role, a principal or an application serves beside this run: the role assignments and the passwords that there are tell.

use super::shown;
use crate::{
    azure::{
        Fault, arm, graph,
        keys::{RUN, USER_APP_ID, USER_VNET_ID, guid, guid_of, tag},
    },
    clouds::Clouds,
    fact::{Facts, Missing},
    net::VnetId,
};

/// The role assignments of a principal.
pub(super) struct Rights {
    all: Vec<arm::RoleAssignment>,
    /// A subscription whose assignments may not be read.
    unseen: Option<String>,
}

/// The role assignments of a principal, in every subscription that can be seen.
pub(super) async fn of_principal(w: &Clouds, f: &Facts, principal: &str) -> Result<Rights, Fault> {
    let here = f.get(USER_VNET_ID)?.subscription;
    let seen = w.list(&arm::subscriptions()).await?.into_iter();
    let mut subscriptions: Vec<String> = seen.map(|it| it.subscription_id).collect();
    if !subscriptions
        .iter()
        .any(|it| it.eq_ignore_ascii_case(&here))
    {
        subscriptions.push(here);
    }
    let mut rights = Rights {
        all: Vec::new(),
        unseen: None,
    };
    for subscription in subscriptions {
        let scope = format!("/subscriptions/{subscription}");
        match w.list(&arm::assignments(&scope, Some(principal))).await {
            Ok(more) => rights.all.extend(more),
            // Who may see no more than one resource of a subscription sees the subscription.
            Err(error) if error.status == Some(403) => rights.unseen = Some(subscription),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(rights)
}

/// What other rights the principal has than `own`, the assignment that this run gave it: in words, in which `who` is the
/// principal.
pub(super) async fn other_rights(
    w: &Clouds,
    f: &Facts,
    (who, principal): (&str, &str),
    own: &str,
) -> Result<Option<String>, Fault> {
    let Rights { all, unseen } = of_principal(w, f, principal).await?;
    for it in &all {
        if !is_own(f, it, own)? {
            return Ok(Some(format!("{who} has other role assignments")));
        }
    }
    Ok(unseen.map(|subscription| {
        format!(
            "whether {who} has role assignments in the subscription {subscription} may not be read"
        )
    }))
}

/// Who else signs in with the application that this run made, in words: a password or a certificate of it that the run did not
/// make tells.
pub(super) async fn other_credential(w: &Clouds, f: &Facts) -> Result<Option<String>, Fault> {
    let Some(app) = w.look(&graph::application(&f.get(USER_APP_ID)?)).await? else {
        return Ok(None);
    };
    let (tag, name) = (tag(f)?, shown::name(f)?);
    if !app.tags.is_some_and(|tags| tags.contains(&tag)) {
        return Ok(None);
    }
    let other = |it: Option<&str>| it != Some(&name);
    let passwords = app.password_credentials.unwrap_or_default();
    let certificates = app.key_credentials.unwrap_or_default();
    let what = if passwords.iter().any(|it| other(it.display_name.as_deref())) {
        "password"
    } else if certificates.iter().any(|it| other(it.display_name())) {
        "certificate"
    } else {
        return Ok(None);
    };
    Ok(Some(format!(
        "the application has a {what} that this run did not make"
    )))
}

/// The assignments of a role, its GUID given, that can be seen at `scope`.
pub(super) async fn of_role(
    w: &Clouds,
    scope: &str,
    role: &str,
) -> Result<Vec<arm::RoleAssignment>, Fault> {
    let mut all = w.list(&arm::assignments(scope, None)).await?;
    all.retain(|it| it.is_of(role));
    Ok(all)
}

/// Whether somebody else than this run, whose own is called `own`, assigned the role at `scope`.
pub(super) async fn assigned_by_others(
    w: &Clouds,
    f: &Facts,
    (scope, role): (&str, &str),
    own: &str,
) -> Result<bool, Fault> {
    for it in &of_role(w, scope, role).await? {
        if !is_own(f, it, own)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The id of an assignment of the role that stands, whosever it is: this run's own may have been left, or was looked for
/// elsewhere. The list may lag behind; the assignment itself does not.
pub(super) async fn still_assigned(
    w: &Clouds,
    scope: &str,
    role: &str,
) -> Result<Option<String>, Fault> {
    for it in of_role(w, scope, role).await? {
        if w.look(&arm::assignment(&it.id)).await?.is_some() {
            return Ok(Some(it.id));
        }
    }
    Ok(None)
}

/// Whether this run made the assignment, for whichever of its VNets: the name is derived from them.
fn is_own(f: &Facts, it: &arm::RoleAssignment, what: &str) -> Result<bool, Missing> {
    let is = |guid: uuid::Uuid| it.name.eq_ignore_ascii_case(&guid.to_string());
    let run = f.get(RUN)?;
    let at_vnet = VnetId::parse(&it.properties.scope);
    Ok(is(guid(f, what)?) || at_vnet.is_some_and(|vnet| is(guid_of(&run, &vnet, what))))
}
