//! The provider's token: from the environment, from the file that the provider's own client wrote, or from a hidden
//! prompt. Never from a flag.

use super::prompt::Prompt;
use crate::{error::Error, fact::Secret, providers::TokenKind};
use serde_json::Value;
use std::{env, fs, path::PathBuf};

impl TokenKind {
    /// The variables it is read from, in this order.
    #[must_use]
    pub fn variables(self) -> &'static [&'static str] {
        match self {
            Self::Aiven => &["AIVEN_AUTH_TOKEN", "AIVEN_TOKEN"],
            Self::Konnect => &["KONNECT_TOKEN", "KONNECT_SPAT"],
        }
    }

    /// What people call it.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Aiven => "Aiven or Timescale token",
            Self::Konnect => "Konnect token",
        }
    }
}

/// The token, if it can be had without asking.
#[must_use]
pub fn find(kind: TokenKind) -> Option<Secret> {
    let from_environment = kind
        .variables()
        .iter()
        .find_map(|name| variable(name))
        .map(Secret::from);
    from_environment.or_else(|| match kind {
        TokenKind::Aiven => avn_file(
            "AIVEN_CREDENTIALS_FILE",
            "aiven-credentials.json",
            "auth_token",
        )
        .map(Secret::from),
        TokenKind::Konnect => None,
    })
}

/// Asks for it.
///
/// # Errors
/// When the prompt was left.
pub fn ask(prompt: &mut dyn Prompt, kind: TokenKind) -> Result<Secret, Error> {
    Ok(prompt.secret(kind.words())?)
}

/// The project that `avn` uses when none is named.
#[must_use]
pub fn avn_default_project() -> Option<String> {
    avn_file(
        "AIVEN_CLIENT_CONFIG",
        "aiven-client.json",
        "default_project",
    )
}

fn variable(name: &str) -> Option<String> {
    env::var(name)
        .ok()
        .map(|value| value.trim().to_owned())
        .filter(|value| !value.is_empty())
}

/// A field of one of the files of `avn`, which it looks for in the same order.
fn avn_file(override_variable: &str, name: &str, field: &str) -> Option<String> {
    let path = variable(override_variable).map(PathBuf::from).or_else(|| {
        let folder = variable("AIVEN_CONFIG_DIR").map(PathBuf::from);
        let folder = folder.or_else(|| {
            directories::BaseDirs::new().map(|dirs| dirs.home_dir().join(".config").join("aiven"))
        });
        folder.map(|folder| folder.join(name))
    })?;
    let text = fs::read_to_string(path).ok()?;
    let value: Value = serde_json::from_str(&text).ok()?;
    value
        .get(field)?
        .as_str()
        .map(str::to_owned)
        .filter(|value| !value.is_empty())
}
