//! The few `$filter` expressions that the directory and Azure Resource Manager understand.

use serde_json::Value;

/// One condition.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Clause {
    /// `property eq 'value'`
    Equal(String, String),
    /// `startswith(property,'value')`
    Starts(String, String),
    /// `property/any(c:c eq 'value')`
    Any(String, String),
    /// `name()` or `name('value')`
    Call(String, String),
}

/// Alternatives of conditions that hold together; `None` when the text is not understood.
pub(super) fn parse(text: &str) -> Option<Vec<Vec<Clause>>> {
    split(text, " or ")
        .iter()
        .map(|all| split(all, " and ").iter().map(|one| clause(one)).collect())
        .collect()
}

/// Whether an object, in the shape it is answered in, satisfies the conditions.
pub(super) fn holds(filter: &[Vec<Clause>], object: &Value) -> bool {
    filter
        .iter()
        .any(|all| all.iter().all(|clause| clause.holds(object)))
}

impl Clause {
    fn holds(&self, object: &Value) -> bool {
        match self {
            Self::Equal(property, wanted) => match &object[property] {
                Value::String(value) => value.eq_ignore_ascii_case(wanted),
                Value::Null => wanted == "null",
                Value::Bool(value) => wanted == if *value { "true" } else { "false" },
                _ => false,
            },
            Self::Starts(property, wanted) => object[property]
                .as_str()
                .is_some_and(|value| value.to_lowercase().starts_with(&wanted.to_lowercase())),
            Self::Any(property, wanted) => object[property].as_array().is_some_and(|values| {
                values.iter().any(|value| {
                    value
                        .as_str()
                        .is_some_and(|v| v.eq_ignore_ascii_case(wanted))
                })
            }),
            Self::Call(..) => true,
        }
    }
}

/// Splits at a word outside of quotes.
fn split<'a>(text: &'a str, word: &str) -> Vec<&'a str> {
    let (mut parts, mut start, mut quoted) = (Vec::new(), 0, false);
    for (at, letter) in text.char_indices() {
        if letter == '\'' {
            quoted = !quoted;
        } else if !quoted && at >= start && text[at..].to_ascii_lowercase().starts_with(word) {
            parts.push(&text[start..at]);
            start = at + word.len();
        }
    }
    parts.push(&text[start..]);
    parts
}

fn clause(text: &str) -> Option<Clause> {
    let text = text.trim();
    if let Some(inner) = text
        .strip_prefix('(')
        .and_then(|rest| rest.strip_suffix(')'))
    {
        return clause(inner);
    }
    if let Some((property, rest)) = text.split_once("/any(") {
        let (_, value) = rest.strip_suffix(')')?.split_once(" eq ")?;
        return Some(Clause::Any(property.to_owned(), literal(value)?));
    }
    if let Some((name, rest)) = text.split_once('(')
        && !name.contains(' ')
    {
        let inside = rest.strip_suffix(')')?;
        if name.eq_ignore_ascii_case("startswith") {
            let (property, value) = inside.split_once(',')?;
            return Some(Clause::Starts(property.trim().to_owned(), literal(value)?));
        }
        let value = if inside.is_empty() {
            String::new()
        } else {
            literal(inside)?
        };
        return Some(Clause::Call(name.to_ascii_lowercase(), value));
    }
    let (property, value) = text.split_once(" eq ")?;
    Some(Clause::Equal(property.trim().to_owned(), literal(value)?))
}

/// A quoted string, in which a doubled quote is one quote, or a bare word.
fn literal(text: &str) -> Option<String> {
    let text = text.trim();
    match text.strip_prefix('\'') {
        Some(rest) => Some(rest.strip_suffix('\'')?.replace("''", "'")),
        None => (!text.is_empty() && !text.contains([' ', '\''])).then(|| text.to_owned()),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;
    use serde_json::json;

    fn matches(text: &str, object: &Value) -> bool {
        holds(&parse(text).unwrap(), object)
    }

    #[test]
    fn conditions_are_read() {
        let object = json!({"displayName": "O'Hara and sons", "names": ["x", "y"], "appId": null});
        assert!(matches("displayName eq 'O''Hara and sons'", &object));
        assert!(!matches("displayName eq 'O''Hara'", &object));
        assert!(matches("startswith(displayName,'o''h')", &object));
        assert!(matches("names/any(c:c eq 'y') and appId eq null", &object));
        assert!(matches(
            "appId eq 'z' or displayName eq 'O''Hara and sons'",
            &object
        ));
        assert_eq!(
            parse("atScope() and assignedTo('p')").unwrap()[0][1],
            Clause::Call("assignedto".into(), "p".into())
        );
        assert!(parse("displayName ne 'x'").is_none());
        assert!(parse("displayName eq 'x").is_none());
    }
}
