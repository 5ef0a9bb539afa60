//! The provider's token: from the environment, from the file that the provider's own client wrote, or from a hidden
//! prompt. Never from a flag.

use super::prompt::Prompt;
use crate::{error::Error, fact::Secret, provider::TokenKind};
use std::env;

/// The token, if it can be had without asking.
#[must_use]
pub fn find(kind: &TokenKind) -> Option<Secret> {
    let variable = |name: &&str| {
        let value = env::var(name).ok()?.trim().to_owned();
        (!value.is_empty()).then(|| Secret::from(value))
    };
    let from_environment = kind.variables.iter().find_map(variable);
    from_environment.or_else(|| (kind.file.as_ref()?.token)())
}

/// Asks for it.
///
/// # Errors
/// When the prompt was left.
pub fn ask(prompt: &mut dyn Prompt, kind: &TokenKind) -> Result<Secret, Error> {
    Ok(prompt.secret(kind.words)?)
}
