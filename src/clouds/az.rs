//! The session of `az`: which of its identities is asked, for how long, and what it means when it has no token.

use crate::http::ApiError;
use async_trait::async_trait;
use azure_identity::{AzureCliCredential, AzureCliCredentialOptions, Executor};
use std::{
    ffi::OsStr,
    io,
    process::{Output, Stdio},
    sync::Arc,
    time::Duration,
};

/// How long `az` may take; it usually needs one second, and what takes so long waits for somebody who cannot be seen.
const PATIENCE: Duration = Duration::from_secs(30);
const NO_ANSWER: &str = "gave no answer in";

/// The session of `az login`.
#[derive(Clone, Debug)]
pub struct Az {
    runner: Arc<Runner>,
}

/// Whom `az` is asked for a token of.
///
/// It takes one or the other. By a subscription it asks the user that the subscription is of, in the subscription's tenant;
/// by a tenant it asks the current account, which with several identities may be none of that tenant's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of<'a> {
    /// The user of this subscription.
    Subscription(&'a str),
    /// The current account, in this tenant.
    Tenant(&'a str),
    /// The current account.
    Current,
}

impl Az {
    /// The session, whose program does not see these variables: it has no use for the secrets in them.
    #[must_use]
    pub fn hiding(variables: Vec<&'static str>) -> Self {
        Self {
            runner: Arc::new(Runner {
                hidden: variables,
                patience: PATIENCE,
            }),
        }
    }

    pub(super) fn credential(&self, of: Of<'_>) -> azure_core::Result<Arc<AzureCliCredential>> {
        let (subscription, tenant_id) = match of {
            Of::Subscription(id) => (Some(id.to_owned()), None),
            Of::Tenant(id) => (None, Some(id.to_owned())),
            Of::Current => (None, None),
        };
        AzureCliCredential::new(Some(AzureCliCredentialOptions {
            subscription,
            tenant_id,
            executor: Some(self.runner.clone()),
        }))
    }
}

/// Whether `az` has no account with the subscription that it was asked for.
pub(super) fn knows_no_subscription(error: &ApiError) -> bool {
    error.message.contains("Subscription '") && error.message.contains("' not found")
}

/// The error with what to do about it, where more is known than its code.
pub(super) fn explained(mut error: ApiError, tenant: Option<&str>, of: Of<'_>) -> ApiError {
    let login = tenant.map_or("az login --tenant ID".into(), |tenant| {
        format!("az login --tenant {tenant}")
    });
    if error.code.is_none() {
        error.code = entra_code(&error.message);
    }
    if let Some((_, rest)) = error.message.split_once(NO_ANSWER) {
        let seconds = rest.split_whitespace().next().unwrap_or_default();
        error.message = format!("`az` {NO_ANSWER} {seconds} s and was ended");
        error.advice = Box::new([
            "run `az account get-access-token` yourself to see what it waits for; `az login` again, or choose another `--sign-in`".into(),
        ]);
    } else if error.is("AADSTS50020") {
        let account = error
            .message
            .split_once("User account '")
            .and_then(|(_, rest)| rest.split_once('\''))
            .map(|(account, _)| account)
            .filter(|account| account.contains('@'));
        let account = account.map_or("(`az account show --query user.name`)".into(), |account| {
            format!("`{account}`")
        });
        error.advice = Box::new([
            format!(
                "the account {account} that az uses is none of this tenant's: sign in with one that is, `{login}`"
            ),
            "if az has such an account already, make it the current one: `az account set --subscription ID`, with a subscription of this tenant".into(),
        ]);
    } else if knows_no_subscription(&error)
        && let Of::Subscription(id) = of
    {
        error.advice = Box::new([format!(
            "no account of az has the subscription {id}: sign in with one that may see it, `{login}`, or let az look again: `az account list --refresh`"
        )]);
    }
    error
}

/// The number of Entra's error, which `az` only tells in a sentence.
fn entra_code(message: &str) -> Option<String> {
    let (_, rest) = message.split_once("AADSTS")?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    (!digits.is_empty()).then(|| format!("AADSTS{digits}"))
}

/// Runs `az`, not for ever.
#[derive(Debug)]
struct Runner {
    hidden: Vec<&'static str>,
    patience: Duration,
}

#[async_trait]
impl Executor for Runner {
    async fn run(&self, program: &OsStr, args: &[&OsStr]) -> io::Result<Output> {
        let mut command = tokio::process::Command::new(program);
        command
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        for name in &self.hidden {
            command.env_remove(name);
        }
        #[cfg(unix)]
        command.process_group(0);
        let child = command.spawn()?;
        let mut group = Group(child.id());
        let output = tokio::time::timeout(self.patience, child.wait_with_output()).await;
        let seconds = self.patience.as_secs();
        let output = output.map_err(|_| {
            let text = format!("az {NO_ANSWER} {seconds} s");
            io::Error::new(io::ErrorKind::TimedOut, text)
        })?;
        group.0 = None;
        output
    }
}

/// What a shell has started goes with it.
struct Group(Option<u32>);

impl Drop for Group {
    fn drop(&mut self) {
        #[cfg(unix)]
        if let Some(id) = self.0.and_then(|id| i32::try_from(id).ok())
            && let Some(id) = rustix::process::Pid::from_raw(id)
        {
            // It may have ended by itself.
            let _ = rustix::process::kill_process_group(id, rustix::process::Signal::KILL);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{Cause, Service};

    fn said(text: &str) -> ApiError {
        ApiError::new(Service::Entra, "token", Cause::SignIn, text)
    }

    /// Whether a process with this among its words runs.
    #[cfg(target_os = "linux")]
    fn runs(word: &str) -> bool {
        let all = std::fs::read_dir("/proc").expect("it is there").flatten();
        let mut words = all.filter_map(|it| std::fs::read(it.path().join("cmdline")).ok());
        let has = |words: Vec<u8>| {
            words
                .split(|byte| *byte == 0)
                .any(|it| it == word.as_bytes())
        };
        words.any(has)
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn what_does_not_answer_is_ended_with_all_that_it_started() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        let runner = Runner {
            hidden: Vec::new(),
            patience: Duration::from_secs(1),
        };
        // A number that no other sleeps for.
        let long = format!("600.{}", std::process::id());
        let script = format!("cd / && sleep {long} && true");
        let args = ["-c", &script].map(OsStr::new);
        let error = runtime
            .block_on(runner.run(OsStr::new("/bin/sh"), &args))
            .expect_err("it never answers");
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        let end = std::time::Instant::now() + Duration::from_secs(30);
        while runs(&long) {
            assert!(std::time::Instant::now() < end, "it goes on");
            std::thread::yield_now();
        }
        let said = said(&format!("timed out error: {error}"));
        let error = explained(said, None, Of::Current);
        assert_eq!(error.message, "`az` gave no answer in 1 s and was ended");
        assert!(error.advice[0].contains("az account get-access-token"));
    }

    #[test]
    fn the_account_is_named_where_entra_names_it() {
        let text = |who: &str| {
            said(&format!(
                "ERROR: AADSTS50020: User account '{who}' from identity provider 'x' does not exist in tenant 'Acme'"
            ))
        };
        let error = explained(text("sam@x.example"), Some("t-1"), Of::Tenant("t-1"));
        assert!(error.is("AADSTS50020"));
        assert!(error.advice[0].contains("`sam@x.example`"));
        assert!(error.advice[0].contains("`az login --tenant t-1`"));
        assert!(error.advice[1].contains("az account set"));
        let error = explained(text("{EUII Hidden}"), None, Of::Current);
        assert!(error.advice[0].contains("az account show"));
    }
}
