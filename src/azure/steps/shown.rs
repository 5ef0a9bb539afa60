//! What Graph shows of an application's credentials, and which of them are this run's.

use crate::{
    azure::{
        Fault, graph,
        keys::{AppObjectId, RUN, USER_APP_ID},
    },
    clouds::Clouds,
    fact::{Facts, Missing},
};

/// What the names of all credentials of all runs begin with.
pub(super) const NAME: &str = "peer-wizard ";

/// What all credentials of the run are called, also those of killed processes and those whose making was not answered.
pub(super) fn name(f: &Facts) -> Result<String, Missing> {
    Ok(format!("{NAME}{}", f.get(RUN)?))
}

/// What one look at the application's credentials told.
pub(super) struct Shown {
    pub(super) app: AppObjectId,
    /// The passwords of this run.
    pub(super) passwords: Vec<String>,
    /// The certificates of this run.
    pub(super) certificates: Vec<String>,
    /// Other people's passwords, of which the run's file may name one.
    other_passwords: Vec<String>,
    /// Other people's certificates.
    pub(super) other_certificates: Vec<graph::KeyCredential>,
}

impl Shown {
    fn of(app: graph::Application, name: &str) -> Self {
        let all = app.password_credentials.unwrap_or_default().into_iter();
        let (mine, others): (Vec<_>, Vec<_>) =
            all.partition(|it| it.display_name.as_deref() == Some(name));
        let ids =
            |all: Vec<graph::PasswordCredential>| all.into_iter().map(|it| it.key_id).collect();
        let all = app.key_credentials.unwrap_or_default().into_iter();
        let (certificates, other_certificates): (Vec<_>, Vec<_>) =
            all.partition(|it| it.display_name() == Some(name));
        Self {
            app: app.id.into(),
            passwords: ids(mine),
            certificates: certificates
                .iter()
                .map(|it| it.key_id().to_owned())
                .collect(),
            other_passwords: ids(others),
            other_certificates,
        }
    }

    /// The ids of all credentials of this run.
    pub(super) fn mine(&self) -> Vec<String> {
        [self.passwords.clone(), self.certificates.clone()].concat()
    }

    /// Whether a credential of this id is somebody else's.
    pub(super) fn is_others(&self, key: &str) -> bool {
        let mut others = self.other_certificates.iter();
        has(&self.other_passwords, key) || others.any(|it| it.key_id().eq_ignore_ascii_case(key))
    }
}

/// The application and its credentials, as far as Graph shows them.
pub(super) async fn shown(w: &Clouds, f: &Facts) -> Result<Option<Shown>, Fault> {
    let name = name(f)?;
    let app = w.look(&graph::application(&f.get(USER_APP_ID)?)).await?;
    Ok(app.map(|app| Shown::of(app, &name)))
}

/// The same where the application must be there: that it does not show is an error, which passes.
pub(super) async fn surely(w: &Clouds, f: &Facts) -> Result<Shown, Fault> {
    let name = name(f)?;
    let app = w.send(&graph::application(&f.get(USER_APP_ID)?)).await?;
    Ok(Shown::of(app, &name))
}

pub(super) fn has(keys: &[String], key: &str) -> bool {
    keys.iter().any(|it| it.eq_ignore_ascii_case(key))
}
