//! What a value on the command line may look like.

use crate::{provider::text, providers};
use std::time::Duration;

pub(super) fn provider(text: &str) -> Result<String, String> {
    if text.is_empty() {
        return Ok(String::new());
    }
    let known: Vec<&str> = providers::ALL.iter().map(|it| it.id).collect();
    if known.contains(&text) {
        Ok(text.to_owned())
    } else {
        Err(format!("allowed: {}", known.join(", ")))
    }
}

pub(super) fn display_name(name: &str) -> Result<String, String> {
    let name = text(name)?;
    if name.chars().count() > 120 {
        return Err("a display name has at most 120 characters".into());
    }
    Ok(name)
}

pub(super) fn role_name(name: &str) -> Result<String, String> {
    let name = text(name)?;
    if name.chars().count() > 128 {
        return Err("a role's name has at most 128 characters".into());
    }
    Ok(name)
}

pub(super) fn peering_name(name: &str) -> Result<String, String> {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let good = name.len() <= 80
        && name.chars().all(|c| word(c) || c == '.' || c == '-')
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.ends_with(word);
    if good {
        Ok(name.to_owned())
    } else {
        Err("a peering's name has up to 80 letters, digits, `.`, `-` and `_`, begins with a letter or digit and ends with one or `_`".into())
    }
}

pub(super) fn guid(text: &str) -> Result<String, String> {
    uuid::Uuid::parse_str(text.trim())
        .map(|id| id.to_string())
        .map_err(|_| "an ID has the form 00000000-0000-0000-0000-000000000000".into())
}

pub(super) fn tenant(text: &str) -> Result<String, String> {
    let text = text.trim();
    let good = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    if text.chars().all(good) {
        Ok(text.to_owned())
    } else {
        Err("a tenant is named by its ID, such as 00000000-0000-0000-0000-000000000000".into())
    }
}

pub(super) fn duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text)
        .map_err(|error| format!("{error}; a duration looks like 90s, 30m or 1h30m"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_azure_refuses_are_refused_at_once() {
        for good in ["a", "to-aiven", "9.x_", "a_b"] {
            assert!(peering_name(good).is_ok(), "{good}");
        }
        for bad in ["", "-a", "a-", "a b", "ä", &"x".repeat(81)] {
            assert!(peering_name(bad).is_err(), "{bad}");
        }
    }
}
