//! Facts: what a run knows, each under one name that the state file, the script's variables, the JSON output and the
//! documentation share. A fact has a type and is read once, where it enters; a secret is no fact, and never text.

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{
    any::Any,
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    fmt,
    marker::PhantomData,
    rc::Rc,
};

/// A value that a state file can hold: it has one text, and reads back from it.
pub trait Fact: Clone + 'static {
    /// Reads the text that [`Fact::write`] wrote, or that a person gave; nothing when it is no such value.
    fn read(text: &str) -> Option<Self>;
    /// The text of the state file, of the script's variable and of the JSON output.
    fn write(&self) -> String;
}

impl Fact for String {
    fn read(text: &str) -> Option<Self> {
        Some(text.to_owned())
    }
    fn write(&self) -> String {
        self.clone()
    }
}

/// The name of one fact and the type of its value.
pub struct Key<T> {
    /// The state file's field, the shell variable and the JSON field.
    pub name: &'static str,
    fleeting: bool,
    of: PhantomData<fn() -> T>,
}

impl<T> Clone for Key<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Key<T> {}

impl<T: Fact> Key<T> {
    /// A fact that the state file keeps.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self {
            name,
            fleeting: false,
            of: PhantomData,
        }
    }

    /// A fact that one look tells the next: never saved, never shown.
    #[must_use]
    pub const fn fleeting(name: &'static str) -> Self {
        Self {
            fleeting: true,
            ..Self::new(name)
        }
    }

    /// The key without its type.
    #[must_use]
    pub const fn named(self) -> Named {
        Named {
            name: self.name,
            secret: false,
            fits: fits::<T>,
        }
    }
}

fn fits<T: Fact>(text: &str) -> bool {
    T::read(text).is_some()
}

/// The name of a secret and the type of its value: kept in memory only; the step that gives it runs again on resume.
pub struct SecretKey<T = Secret> {
    /// The variable of the script.
    pub name: &'static str,
    of: PhantomData<fn() -> T>,
}

impl<T> Clone for SecretKey<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for SecretKey<T> {}

impl<T> SecretKey<T> {
    /// A secret of this name.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self {
            name,
            of: PhantomData,
        }
    }

    /// The key as one among others.
    #[must_use]
    pub const fn named(self) -> Named {
        Named {
            name: self.name,
            secret: true,
            fits: |_| true,
        }
    }
}

/// A key without its type: what a step says that it reads or gives.
#[derive(Clone, Copy)]
pub struct Named {
    /// The name of the fact or of the secret.
    pub name: &'static str,
    /// It lives in memory only.
    pub secret: bool,
    fits: fn(&str) -> bool,
}

impl Named {
    /// Whether a text is a value of this key.
    #[must_use]
    pub fn fits(&self, text: &str) -> bool {
        (self.fits)(text)
    }
}

impl fmt::Debug for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}
impl PartialEq for Named {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}
impl Eq for Named {}
impl PartialOrd for Named {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Named {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.name.cmp(other.name)
    }
}
impl<T: Fact> From<Key<T>> for Named {
    fn from(key: Key<T>) -> Self {
        key.named()
    }
}
impl<T> From<SecretKey<T>> for Named {
    fn from(key: SecretKey<T>) -> Self {
        key.named()
    }
}

/// A list of keys of different types: `keys![USER_APP_ID, USER_APP_SECRET]`.
#[macro_export]
macro_rules! keys {
    ($($key:expr),* $(,)?) => { vec![$($crate::fact::Named::from($key)),*] };
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
        impl $crate::fact::Fact for $name {
            fn read(text: &str) -> Option<Self> { Some(Self(text.to_owned())) }
            fn write(&self) -> String { self.0.clone() }
        }
    )*};
}

/// A secret value. It has no `Serialize`, no way into a text but [`Secret::expose`], and its `Debug` shows nothing.
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

/// What a run knows.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    texts: BTreeMap<String, String>,
    /// What was read of the texts already, so that each is read once.
    values: RefCell<BTreeMap<String, Rc<dyn Any>>>,
    fleeting: BTreeMap<&'static str, String>,
    secrets: BTreeMap<&'static str, Rc<dyn Any>>,
    /// Who reads, and the only names that it may, when it has said which.
    only: Option<(&'static str, BTreeSet<&'static str>)>,
    /// Notes what is read, when a test wants to know.
    heard: Option<Heard>,
}

/// Who read which name.
pub type Heard = Rc<RefCell<BTreeSet<(&'static str, &'static str)>>>;

impl Serialize for Facts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.texts.serialize(serializer)
    }
}
impl<'de> Deserialize<'de> for Facts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self {
            texts: BTreeMap::deserialize(deserializer)?,
            ..Self::default()
        })
    }
}

impl Facts {
    fn may_read(&self, name: &'static str) -> bool {
        let Some((reader, only)) = &self.only else {
            return true;
        };
        if let Some(heard) = &self.heard {
            heard.borrow_mut().insert((*reader, name));
        }
        only.contains(name)
    }

    /// The value of `key`. A text that is no such value counts as not known: it was refused where it entered.
    ///
    /// # Errors
    /// [`Missing`] when nothing has given it yet, or when the step has not said that it reads it.
    pub fn get<T: Fact>(&self, key: Key<T>) -> Result<T, Missing> {
        let missing = Missing(key.name);
        if !self.may_read(key.name) {
            return Err(missing);
        }
        if key.fleeting {
            let text = self.fleeting.get(key.name);
            return text.and_then(|text| T::read(text)).ok_or(missing);
        }
        if let Some(value) = self.values.borrow().get(key.name)
            && let Some(value) = value.downcast_ref::<T>()
        {
            return Ok(value.clone());
        }
        let text = self.texts.get(key.name).ok_or(missing)?;
        let value = T::read(text).ok_or(missing)?;
        let kept: Rc<dyn Any> = Rc::new(value.clone());
        self.values.borrow_mut().insert(key.name.into(), kept);
        Ok(value)
    }

    /// The secret of this name.
    ///
    /// # Errors
    /// [`Missing`] when it is not held, or when the step has not said that it reads it.
    pub fn secret<T: Clone + 'static>(&self, key: SecretKey<T>) -> Result<T, Missing> {
        let held = self.may_read(key.name).then(|| self.secrets.get(key.name));
        let held = held.flatten().and_then(|held| held.downcast_ref::<T>());
        held.cloned().ok_or(Missing(key.name))
    }

    /// Sets `key`, replacing what was there.
    pub fn set<T: Fact>(&mut self, key: Key<T>, value: impl Into<T>) {
        let value: T = value.into();
        if key.fleeting {
            self.fleeting.insert(key.name, value.write());
            return;
        }
        self.texts.insert(key.name.into(), value.write());
        let kept: Rc<dyn Any> = Rc::new(value);
        self.values.borrow_mut().insert(key.name.into(), kept);
    }

    /// Holds a secret under this name.
    pub fn hold<T: 'static>(&mut self, key: SecretKey<T>, secret: T) {
        self.secrets.insert(key.name, Rc::new(secret));
    }

    /// These facts and one more.
    #[must_use]
    pub fn with<T: Fact>(mut self, key: Key<T>, value: impl Into<T>) -> Self {
        self.set(key, value);
        self
    }

    /// These facts and a secret.
    #[must_use]
    pub fn with_secret<T: 'static>(mut self, key: SecretKey<T>, secret: T) -> Self {
        self.hold(key, secret);
        self
    }

    /// Takes over all of `new`, replacing what was there.
    pub fn absorb(&mut self, new: Self) {
        let Self {
            texts,
            values,
            fleeting,
            secrets,
            only: _,
            heard: _,
        } = new;
        let mut mine = self.values.borrow_mut();
        for name in texts.keys() {
            mine.remove(name);
        }
        mine.extend(values.into_inner());
        drop(mine);
        self.texts.extend(texts);
        self.fleeting.extend(fleeting);
        self.secrets.extend(secrets);
    }

    /// These facts with `over` lying over them.
    #[must_use]
    pub fn under(&self, over: &Self) -> Self {
        let mut all = self.clone();
        all.absorb(over.clone());
        all
    }

    /// These facts for one `reader`, such as a step, which can read only those of these names.
    #[must_use]
    pub fn only(mut self, reader: &'static str, names: impl IntoIterator<Item = Named>) -> Self {
        let names = names.into_iter().map(|named| named.name);
        self.only = Some((reader, names.collect()));
        self
    }

    /// Notes from now on who reads which name.
    #[must_use]
    pub fn heard_by(mut self, heard: &Heard) -> Self {
        self.heard = Some(Rc::clone(heard));
        self
    }

    /// The facts that are saved and shown, by name.
    #[must_use]
    pub fn texts(&self) -> &BTreeMap<String, String> {
        &self.texts
    }

    /// The text of a fact that is saved.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.texts.get(name).map(String::as_str)
    }

    /// Takes a fact away, and gives its text.
    pub fn take(&mut self, name: &str) -> Option<String> {
        self.values.borrow_mut().remove(name);
        self.texts.remove(name)
    }

    /// Sets a fact by its name and text, as a state file does.
    pub fn set_text(&mut self, name: &str, text: String) {
        self.values.borrow_mut().remove(name);
        self.texts.insert(name.into(), text);
    }

    /// Whether a fact or a secret of this name is held.
    #[must_use]
    pub fn knows(&self, name: &str) -> bool {
        self.texts.contains_key(name) || self.secrets.contains_key(name)
    }

    /// Lets go of the secrets.
    pub fn forget_secrets(&mut self) {
        self.secrets.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: Key<String> = Key::new("NAME");
    const PORT: Key<Port> = Key::new("PORT");
    const PASSWORD: SecretKey = SecretKey::new("PASSWORD");

    #[derive(Clone, Debug, PartialEq)]
    struct Port(u16);
    impl Fact for Port {
        fn read(text: &str) -> Option<Self> {
            text.parse().ok().map(Self)
        }
        fn write(&self) -> String {
            self.0.to_string()
        }
    }

    #[test]
    fn an_unknown_fact_is_missing_and_so_is_one_that_is_no_such_value() {
        assert_eq!(Facts::default().get(NAME), Err(Missing("NAME")));
        let mut facts = Facts::default().with(PORT, Port(5));
        assert_eq!(facts.get(PORT), Ok(Port(5)));
        assert_eq!(facts.text("PORT"), Some("5"));
        facts.set_text("PORT", "five".into());
        assert_eq!(facts.get(PORT), Err(Missing("PORT")));
        assert!(!PORT.named().fits("five") && PORT.named().fits("5"));
    }

    #[test]
    fn what_lies_over_wins_also_when_the_other_was_read() {
        let under = Facts::default().with(PORT, Port(5));
        assert_eq!(under.get(PORT), Ok(Port(5)));
        let mut over = Facts::default();
        over.set_text("PORT", "6".into());
        assert_eq!(under.under(&over).get(PORT), Ok(Port(6)));
    }

    #[test]
    fn a_secret_is_readable_but_neither_saved_nor_shown() {
        let facts = Facts::default()
            .with(NAME, "n")
            .with_secret(PASSWORD, Secret::from("hunter2".to_owned()));
        assert_eq!(facts.secret(PASSWORD).expect("known").expose(), "hunter2");
        let saved = serde_json::to_string(&facts).expect("facts serialise");
        assert_eq!(saved, r#"{"NAME":"n"}"#);
        assert!(!format!("{facts:?}").contains("hunter2"));
    }

    #[test]
    fn a_step_reads_what_it_said_it_would() {
        let heard = Heard::default();
        let facts = Facts::default().with(NAME, "n").with(PORT, Port(5));
        let facts = facts.heard_by(&heard).only("a-step", keys![NAME]);
        assert_eq!(facts.get(NAME).as_deref(), Ok("n"));
        assert_eq!(facts.get(PORT), Err(Missing("PORT")));
        let heard: Vec<_> = heard.borrow().iter().copied().collect();
        assert_eq!(heard, [("a-step", "NAME"), ("a-step", "PORT")]);
    }
}
