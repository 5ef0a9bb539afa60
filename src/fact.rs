//! Facts: what a run knows, each under one name that the state file, the script's variables, the JSON output and the
//! documentation share.

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    marker::PhantomData,
};

/// The name of one fact and the type of its value.
pub struct Key<T> {
    /// The state file's field, the shell variable and the JSON field.
    pub name: &'static str,
    /// Kept in memory only: never saved, never printed; the step that yields it runs again on resume.
    pub ephemeral: bool,
    of: PhantomData<fn() -> T>,
}

impl<T> Clone for Key<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Key<T> {}

impl<T> Key<T> {
    /// A fact that the state file keeps.
    #[must_use]
    pub const fn durable(name: &'static str) -> Self {
        Self {
            name,
            ephemeral: false,
            of: PhantomData,
        }
    }

    /// A fact that lives in memory only, such as a password.
    #[must_use]
    pub const fn ephemeral(name: &'static str) -> Self {
        Self {
            name,
            ephemeral: true,
            of: PhantomData,
        }
    }
}

/// A fact was read before any answer or step gave it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not known yet")]
pub struct Missing(pub &'static str);

/// Defines newtypes over `String` for values that look alike and must not be swapped.
#[macro_export]
macro_rules! text_types {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub struct $name(String);
        impl From<String> for $name { fn from(text: String) -> Self { Self(text) } }
        impl From<&str> for $name { fn from(text: &str) -> Self { Self(text.to_owned()) } }
        impl From<$name> for String { fn from(value: $name) -> Self { value.0 } }
        impl AsRef<str> for $name { fn as_ref(&self) -> &str { &self.0 } }
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.write_str(&self.0) }
        }
    )*};
}

/// A secret value. It has no `Serialize` and its `Debug` shows nothing.
#[derive(Clone, Debug)]
pub struct Secret(SecretString);

impl Secret {
    /// The secret itself, for the one call that needs it.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}
impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}
impl From<Secret> for String {
    fn from(secret: Secret) -> Self {
        secret.expose().to_owned()
    }
}

/// What a run knows. Concrete facts answer with values; symbolic ones answer `${NAME}`, so that the code which describes
/// a command for a run also describes it for a script.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Facts {
    durable: BTreeMap<String, String>,
    #[serde(skip)]
    ephemeral: BTreeMap<String, Secret>,
    #[serde(skip)]
    symbolic: bool,
    #[serde(skip)]
    read: RefCell<BTreeSet<&'static str>>,
}

impl Facts {
    /// Facts that answer every key with the shell variable of its name.
    #[must_use]
    pub fn symbolic() -> Self {
        Self {
            symbolic: true,
            ..Self::default()
        }
    }

    /// The value of `key`.
    ///
    /// # Errors
    /// [`Missing`] when nothing has given it yet and the facts are concrete.
    pub fn get<T: From<String>>(&self, key: Key<T>) -> Result<T, Missing> {
        self.read.borrow_mut().insert(key.name);
        if self.symbolic {
            return Ok(T::from(format!("${{{}}}", key.name)));
        }
        let value = if key.ephemeral {
            self.ephemeral
                .get(key.name)
                .map(|secret| secret.expose().to_owned())
        } else {
            self.durable.get(key.name).cloned()
        };
        value.map(T::from).ok_or(Missing(key.name))
    }

    /// Sets `key`, replacing what was there.
    pub fn set<T: Into<String>>(&mut self, key: Key<T>, value: T) {
        let value = value.into();
        if key.ephemeral {
            self.ephemeral.insert(key.name.into(), value.into());
        } else {
            self.durable.insert(key.name.into(), value);
        }
    }

    /// These facts and one more.
    #[must_use]
    pub fn with<T: Into<String>>(mut self, key: Key<T>, value: T) -> Self {
        self.set(key, value);
        self
    }

    /// Takes over all of `new`, replacing what was there.
    pub fn absorb(&mut self, new: Self) {
        let Self {
            durable,
            ephemeral,
            symbolic: _,
            read: _,
        } = new;
        self.durable.extend(durable);
        self.ephemeral.extend(ephemeral);
    }

    /// The facts that may be saved and shown, by name.
    #[must_use]
    pub fn durable(&self) -> &BTreeMap<String, String> {
        &self.durable
    }

    /// The names of all facts held, saved or not.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.durable
            .keys()
            .chain(self.ephemeral.keys())
            .map(String::as_str)
    }

    /// Whether a value for `name` is held.
    #[must_use]
    pub fn knows(&self, name: &str) -> bool {
        self.durable.contains_key(name) || self.ephemeral.contains_key(name)
    }

    /// The names read so far.
    #[must_use]
    pub fn reads(&self) -> BTreeSet<&'static str> {
        self.read.borrow().clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: Key<String> = Key::durable("NAME");
    const PASSWORD: Key<Secret> = Key::ephemeral("PASSWORD");

    #[test]
    fn an_unknown_fact_is_missing_and_a_symbolic_one_is_its_variable() {
        assert_eq!(Facts::default().get(NAME), Err(Missing("NAME")));
        assert_eq!(Facts::symbolic().get(NAME).as_deref(), Ok("${NAME}"));
    }

    #[test]
    fn a_secret_is_readable_but_neither_saved_nor_shown() {
        let facts = Facts::default()
            .with(NAME, "n".to_owned())
            .with(PASSWORD, Secret::from("hunter2".to_owned()));
        assert_eq!(facts.get(PASSWORD).expect("known").expose(), "hunter2");
        let saved = serde_json::to_string(&facts).expect("facts serialise");
        assert_eq!(saved, r#"{"NAME":"n"}"#);
        assert!(!format!("{facts:?}").contains("hunter2"));
    }

    #[test]
    fn reads_are_recorded() {
        let facts = Facts::symbolic();
        let _ = facts.get(NAME);
        assert_eq!(facts.reads().into_iter().collect::<Vec<_>>(), ["NAME"]);
    }
}
