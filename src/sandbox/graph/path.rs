//! How Microsoft Graph names an object in a path.

/// How an object of a collection is named in a path.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Key {
    Id(String),
    AppId(String),
    UniqueName(String),
}

/// Splits a path into collection, key and what follows.
pub(super) fn address<'a>(parts: &'a [&'a str]) -> (&'a str, Option<Key>, &'a [&'a str]) {
    let Some((&first, rest)) = parts.split_first() else {
        return ("", None, &[]);
    };
    if let Some((collection, key)) = first.split_once('(') {
        let key = key.strip_suffix(')').and_then(|key| key.split_once('='));
        let key = key.and_then(|(name, value)| {
            let value = value
                .strip_prefix('\'')?
                .strip_suffix('\'')?
                .replace("''", "'");
            match name {
                "appId" => Some(Key::AppId(value)),
                "uniqueName" => Some(Key::UniqueName(value)),
                "id" => Some(Key::Id(value)),
                _ => None,
            }
        });
        return (collection, key, rest);
    }
    match (first, rest) {
        ("applications" | "servicePrincipals", [id, rest @ ..]) => {
            (first, Some(Key::Id((*id).to_owned())), rest)
        }
        _ => (first, None, rest),
    }
}
