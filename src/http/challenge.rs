//! What a service wants a token to have, as it says in `WWW-Authenticate`.
//! <https://learn.microsoft.com/entra/identity-platform/claims-challenge>

/// The claims that an answer asks for, in base64 as they came; empty when they have another form and cannot be passed on.
/// None when it asks for no claims.
#[must_use]
pub fn claims<'a>(challenges: impl IntoIterator<Item = &'a str>) -> Option<Box<str>> {
    challenges.into_iter().find_map(|challenge| {
        let found = parameter(challenge, "claims");
        let asked = found.is_some() || challenge.contains("insufficient_claims");
        asked.then(|| found.filter(|it| is_base64(it)).unwrap_or_default().into())
    })
}

fn parameter<'a>(challenge: &'a str, name: &str) -> Option<&'a str> {
    // The bytes stay where they are: only ASCII changes its case.
    let lower = challenge.to_ascii_lowercase();
    let begins = |at: usize| {
        let before = lower[..at].chars().next_back();
        before.is_none_or(|c| c == ',' || c.is_whitespace())
    };
    let (at, found) = lower
        .match_indices(&format!("{name}="))
        .find(|(at, _)| begins(*at))?;
    let rest = &challenge[at + found.len()..];
    match rest.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next(),
        None => rest.split([',', ' ']).next(),
    }
}

fn is_base64(text: &str) -> bool {
    let body = text.trim_end_matches('=');
    let known = |c: u8| c.is_ascii_alphanumeric() || b"+/-_".contains(&c);
    !body.is_empty() && text.len() - body.len() <= 2 && body.bytes().all(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_are_taken_as_they_came_and_only_as_base64() {
        let of = |text: &str| claims([text]).map(String::from);
        let whole = r#"Bearer realm="", authorization_uri="https://x", error="insufficient_claims", claims="eyJ4Ijp7fX0=""#;
        assert_eq!(of(whole).as_deref(), Some("eyJ4Ijp7fX0="));
        assert_eq!(of("Bearer Claims=abc-_, x=y").as_deref(), Some("abc-_"));
        for odd in [
            r#"Bearer claims="""#,
            r#"Bearer claims="a b""#,
            r#"Bearer claims="$(x)""#,
            r#"Bearer claims="=""#,
            r#"Bearer claims="abc===""#,
            r#"Bearer error="insufficient_claims""#,
            "Bearer claims=\"a\u{e9}\"",
        ] {
            assert_eq!(of(odd).as_deref(), Some(""), "{odd}");
        }
        assert_eq!(of(r#"Bearer error="invalid_token""#), None);
        assert_eq!(of(r#"Bearer xclaims="abc""#), None);
        assert_eq!(claims(["Basic", whole]).as_deref(), Some("eyJ4Ijp7fX0="));
    }
}
