//! Commands that a person would type for a step, as data: words are literals and the names of facts. [`bash`] is one
//! renderer of it, and the only place that knows bash; no value is ever pasted into a command.

pub mod bash;
pub mod helpers;

use crate::fact::{Fact, Key, Named, SecretKey};
pub use bash::{quoted, single};
use std::{collections::BTreeSet, time::Duration};

/// One word of a command: text with facts in it.
#[derive(Clone, Debug, Default)]
pub struct Text(Vec<Part>);

/// A part of a word.
#[derive(Clone, Debug)]
pub enum Part {
    /// As it is.
    Literal(String),
    /// The value of a fact.
    Fact(Named),
    /// What a helper prints when it is given these words.
    Call(&'static Helper, Vec<Text>),
}

impl Text {
    /// What `helper` prints for these words.
    #[must_use]
    pub fn call(helper: &'static Helper, words: impl IntoIterator<Item = Text>) -> Self {
        Self(vec![Part::Call(helper, words.into_iter().collect())])
    }

    /// Its parts.
    #[must_use]
    pub fn parts(&self) -> &[Part] {
        &self.0
    }

    /// This text and another one after it.
    #[must_use]
    pub fn then(mut self, text: impl Into<Self>) -> Self {
        self.0.extend(text.into().0);
        self
    }

    fn walk(&self, seen: &mut dyn FnMut(Use)) {
        for part in &self.0 {
            match part {
                Part::Literal(_) => {}
                Part::Fact(named) => seen(Use::Fact(*named)),
                Part::Call(helper, words) => {
                    seen(Use::Helper(helper));
                    for word in words {
                        word.walk(seen);
                    }
                }
            }
        }
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self(vec![Part::Literal(text.into())])
    }
}
impl From<String> for Text {
    fn from(text: String) -> Self {
        Self(vec![Part::Literal(text)])
    }
}
impl<T: Fact> From<Key<T>> for Text {
    fn from(key: Key<T>) -> Self {
        Self(vec![Part::Fact(key.named())])
    }
}
impl From<Named> for Text {
    fn from(named: Named) -> Self {
        Self(vec![Part::Fact(named)])
    }
}

/// A word put together from literals, keys and other texts: `text!["appId eq '", USER_APP_ID, "'"]`.
#[macro_export]
macro_rules! text {
    ($($part:expr),* $(,)?) => { $crate::shell::Text::default()$(.then($part))* };
}

/// A function of the script.
#[derive(Debug)]
pub struct Helper {
    /// By which it is called.
    pub name: &'static str,
    /// Its text, comment and all. It may set up more than the one function.
    pub bash: &'static str,
    /// The facts and secrets that it reads by itself, beside its arguments.
    pub reads: &'static [Named],
    /// The other functions that it calls.
    pub needs: &'static [&'static Helper],
    /// It finds out by itself whether there is anything to delete.
    pub looks: bool,
}

impl Helper {
    /// A function that reads nothing and calls no other.
    #[must_use]
    pub const fn new(name: &'static str, bash: &'static str) -> Self {
        Self {
            name,
            bash,
            reads: &[],
            needs: &[],
            looks: false,
        }
    }

    /// The same, reading these facts by itself.
    #[must_use]
    pub const fn reading(mut self, reads: &'static [Named]) -> Self {
        self.reads = reads;
        self
    }

    /// The same, calling these.
    #[must_use]
    pub const fn needing(mut self, needs: &'static [&'static Helper]) -> Self {
        self.needs = needs;
        self
    }

    /// The same; as a deletion it needs no look before it.
    #[must_use]
    pub const fn looking(mut self) -> Self {
        self.looks = true;
        self
    }
}

/// One command of a script.
#[derive(Clone, Debug)]
pub struct Cmd {
    program: Program,
    words: Vec<Word>,
    keeps: Option<Keeps>,
    patience: Option<Patience>,
}

/// What is run.
#[derive(Clone, Copy, Debug)]
pub enum Program {
    /// `az`.
    Az,
    /// `avn`, through the helper of that name.
    Avn,
    /// A function of the script.
    Helper(&'static Helper),
}

#[derive(Clone, Debug)]
enum Word {
    /// Sub-commands and flags: in need of no quotes.
    Bare(String),
    Text(Text),
    /// Another command, as the arguments of a helper that runs it.
    Command(Box<Cmd>),
    /// Nothing that it prints is wanted.
    Quiet,
}

/// What of a command's output is kept, and under which name.
#[derive(Clone, Debug)]
struct Keeps {
    variable: Named,
    query: Option<Text>,
}

/// How long a command is tried again while it fails, and why it may.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For the person: what is being waited out.
    pub because: &'static str,
    /// The longest time.
    pub limit: Duration,
}

/// What a person would type for one step.
#[derive(Clone, Debug, Default)]
pub struct Shell {
    /// Prints the object's id when it is there, and nothing when it is not.
    pub find: Option<Cmd>,
    /// Makes it.
    pub create: Vec<Cmd>,
    /// Deletes it; a missing object is no error.
    pub delete: Vec<Cmd>,
    /// Waits for a state.
    pub wait: Option<Wait>,
}

/// A loop that ends when a command prints one of some words.
#[derive(Clone, Debug)]
pub struct Wait {
    /// Prints the state.
    pub state: Cmd,
    /// States that end the wait well.
    pub reached: &'static [&'static str],
    /// States that end it badly.
    pub refused: &'static [&'static str],
    /// The longest wait.
    pub limit: Duration,
    /// What is asked for again in a state that may pass.
    pub again: Option<Again>,
}

/// A request that may have come too early: it is made again while the state is one of some words.
#[derive(Clone, Debug)]
pub struct Again {
    /// Those states.
    pub on: &'static [&'static str],
    /// For how long.
    pub within: Duration,
    /// Makes the request.
    pub ask: &'static Helper,
}

/// An `az` command: `az("ad app create")`.
#[must_use]
pub fn az(words: &str) -> Cmd {
    Cmd::new(Program::Az, words)
}

/// An `avn` command.
#[must_use]
pub fn avn(words: &str) -> Cmd {
    Cmd::new(Program::Avn, words)
}

/// A call of one of the script's own functions.
#[must_use]
pub fn call(helper: &'static Helper) -> Cmd {
    Cmd::new(Program::Helper(helper), "")
}

enum Use {
    Fact(Named),
    Helper(&'static Helper),
}

impl Cmd {
    fn new(program: Program, words: &str) -> Self {
        let words = words.split_ascii_whitespace();
        Self {
            program,
            words: words.map(|word| Word::Bare(word.into())).collect(),
            keeps: None,
            patience: None,
        }
    }

    /// A flag without a value, or a word that needs no quotes.
    #[must_use]
    pub fn flag(mut self, flag: &str) -> Self {
        self.words.push(Word::Bare(flag.into()));
        self
    }

    /// A positional value.
    #[must_use]
    pub fn arg(mut self, value: impl Into<Text>) -> Self {
        self.words.push(Word::Text(value.into()));
        self
    }

    /// A flag and its value.
    #[must_use]
    pub fn opt(self, flag: &str, value: impl Into<Text>) -> Self {
        self.flag(flag).arg(value)
    }

    /// A flag and its value in lower case.
    #[must_use]
    pub fn opt_lower(self, flag: &str, value: impl Into<Text>) -> Self {
        self.opt(flag, Text::call(&helpers::LOWER, [value.into()]))
    }

    /// A command that this one runs, as its last arguments.
    #[must_use]
    pub fn running(mut self, command: Self) -> Self {
        self.words.push(Word::Command(Box::new(command)));
        self
    }

    /// Drops what it prints.
    #[must_use]
    pub fn quiet(mut self) -> Self {
        self.words.push(Word::Quiet);
        self
    }

    fn keep(mut self, variable: Named, query: Option<Text>) -> Self {
        self.keeps = Some(Keeps { variable, query });
        self
    }

    /// Keeps what the `JMESPath` query selects of an `az` command's output under the fact's name.
    #[must_use]
    pub fn yields<T: Fact>(self, key: Key<T>, query: impl Into<Text>) -> Self {
        self.keep(key.named(), Some(query.into()))
    }

    /// The same for a secret, which is never shown.
    #[must_use]
    pub fn yields_secret<T>(self, key: SecretKey<T>, query: impl Into<Text>) -> Self {
        self.keep(key.named(), Some(query.into()))
    }

    /// Keeps all that the command prints under the fact's name.
    #[must_use]
    pub fn prints<T: Fact>(self, key: Key<T>) -> Self {
        self.keep(key.named(), None)
    }

    /// The same for a secret, which is never shown.
    #[must_use]
    pub fn prints_secret<T>(self, key: SecretKey<T>) -> Self {
        self.keep(key.named(), None)
    }

    /// Tries again while it fails: what was just made may not be known everywhere.
    #[must_use]
    pub fn patient(mut self, because: &'static str, limit: Duration) -> Self {
        self.patience = Some(Patience { because, limit });
        self
    }

    /// What it is kept under, if its output is.
    #[must_use]
    pub fn kept(&self) -> Option<Named> {
        self.keeps.as_ref().map(|keeps| keeps.variable)
    }

    /// Whether it is a helper that finds out by itself whether there is anything to delete.
    #[must_use]
    pub fn looks(&self) -> bool {
        matches!(self.program, Program::Helper(helper) if helper.looks)
    }

    fn walk(&self, seen: &mut dyn FnMut(Use)) {
        match self.program {
            Program::Az => {}
            Program::Avn => seen(Use::Helper(&helpers::AVN)),
            Program::Helper(helper) => seen(Use::Helper(helper)),
        }
        if self.patience.is_some() {
            seen(Use::Helper(&helpers::RETRY));
        }
        for word in &self.words {
            match word {
                Word::Bare(_) | Word::Quiet => {}
                Word::Text(text) => text.walk(seen),
                Word::Command(command) => command.walk(seen),
            }
        }
        if let Some(Keeps {
            query: Some(query), ..
        }) = &self.keeps
        {
            query.walk(seen);
        }
    }

    /// The helpers that it calls itself.
    #[must_use]
    pub fn helpers(&self) -> Vec<&'static Helper> {
        let mut helpers = Vec::new();
        self.walk(&mut |it| {
            if let Use::Helper(helper) = it {
                helpers.push(helper);
            }
        });
        helpers
    }
}

impl Shell {
    fn commands(&self) -> impl Iterator<Item = &Cmd> {
        let wait = self.wait.iter().map(|wait| &wait.state);
        let find = self.find.iter();
        find.chain(wait).chain(&self.create).chain(&self.delete)
    }

    /// The variables that running the step sets.
    #[must_use]
    pub fn given(&self) -> BTreeSet<Named> {
        let commands = self.find.iter().chain(&self.create);
        commands.filter_map(Cmd::kept).collect()
    }

    /// The helpers that its commands call themselves.
    #[must_use]
    pub fn helpers(&self) -> Vec<&'static Helper> {
        let mut helpers: Vec<_> = self.commands().flat_map(Cmd::helpers).collect();
        if let Some(wait) = &self.wait {
            helpers.push(&helpers::WAIT_FOR);
            if let Some(again) = &wait.again {
                helpers.extend([&helpers::ASKING_AGAIN, again.ask]);
            }
        }
        helpers
    }

    /// The variables that its commands and their helpers read, those that it sets itself among them.
    #[must_use]
    pub fn named(&self) -> BTreeSet<Named> {
        let mut named = BTreeSet::new();
        for command in self.commands() {
            command.walk(&mut |it| {
                if let Use::Fact(fact) = it {
                    named.insert(fact);
                }
            });
        }
        for helper in with_needs(self.helpers()) {
            named.extend(helper.reads.iter().copied());
        }
        named
    }
}

/// These helpers and all that they need, each once, what is needed first.
#[must_use]
pub fn with_needs(helpers: Vec<&'static Helper>) -> Vec<&'static Helper> {
    fn add(helper: &'static Helper, all: &mut Vec<&'static Helper>) {
        if all.iter().any(|it| it.name == helper.name) {
            return;
        }
        for need in helper.needs {
            add(need, all);
        }
        all.push(helper);
    }
    let mut all = Vec::new();
    for helper in helpers {
        add(helper, &mut all);
    }
    all
}
