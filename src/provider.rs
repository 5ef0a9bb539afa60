//! What a provider is: a value with its inputs, its token and its flow, which are values too. All that the rest of the
//! program knows of a provider it reads here; nothing asks which one it is.

use crate::{
    azure::{
        Flow,
        keys::{NETWORK_CONTRIBUTOR_ROLE_ID, RoleId, Side, USER_ROLE_ID},
        steps::{Allows, Application, Assignment, Credential, CredentialKind, Principal, Role},
    },
    clouds::Clouds,
    engine::Answer,
    error::Error,
    fact::{Facts, Key, Named, Secret},
    http::{ApiError, Vendor},
};
use futures_util::future::LocalBoxFuture;
use std::collections::BTreeMap;

/// One service at the other end.
pub struct Provider {
    /// The flow's name: the word of `--provider` and the beginning of the run's name.
    pub id: &'static str,
    /// What people call it.
    pub name: &'static str,
    /// What is connected, for lists.
    pub title: &'static str,
    /// The service with all that is connected of it, for a sentence that names all services; several may share it.
    pub service: &'static str,
    /// The id of the provider's application, the same in all tenants.
    pub app_id: &'static str,
    /// The facts about its side in your tenant.
    pub side: Side,
    /// The name of the custom role, unless another is given.
    pub role_name: &'static str,
    /// What that role allows.
    pub allows: Allows,
    /// What it has to be told, in the order of asking.
    pub inputs: &'static [&'static Input],
    /// The facts that follow from the others.
    pub derived: &'static [Derived],
    /// Your own application makes one half.
    pub own_application: bool,
    /// The token that it takes.
    pub token: &'static TokenKind,
    /// The steps whose looks tell how the two halves stand: yours, and the provider's.
    pub halves: [&'static str; 2],
    /// The web console.
    pub console: &'static str,
    /// What is left to do by hand once it is connected.
    pub next_steps: &'static [&'static str],
    /// The flow.
    pub flow: fn(&Provider, &Shape) -> Flow,
}

/// A flag by which a provider is told something. Inputs of several providers may share one.
#[derive(Debug)]
pub struct Flag {
    /// Its name, without the `--`.
    pub id: &'static str,
    /// The environment variable that may stand in for it.
    pub variable: Option<&'static str>,
    /// What its value looks like, such as `NAME|ID`.
    pub form: &'static str,
    /// What it is: the help, and the question.
    pub help: &'static str,
    /// Reads one value, or says what is wrong with it. An empty text passes: an empty variable counts as not set.
    pub parse: fn(&str) -> Result<String, String>,
    /// It may be repeated, and this is what becomes of its values.
    pub list: Option<List>,
}

impl Flag {
    /// As it is typed, such as `--vpc`.
    #[must_use]
    pub fn long(&self) -> String {
        format!("--{}", self.id)
    }
}

/// How several values become one answer, and how a person puts them together at a prompt.
#[derive(Debug)]
pub struct List {
    /// The one answer, or why they do not go together.
    pub join: fn(&[String]) -> Result<String, String>,
    /// What a value looks like, as a hint.
    pub example: &'static str,
    /// The question above the list.
    pub question: &'static str,
    /// What it means to leave it empty.
    pub none: &'static str,
    /// The item that adds a value, and what it consists of.
    pub add: (&'static str, &'static str),
}

/// Something that a provider has to be told.
pub struct Input {
    /// How it is told.
    pub flag: &'static Flag,
    /// The answer's name in the state file.
    pub answer: &'static str,
    /// The fact that it becomes.
    pub fact: Named,
    /// What it is called in a table.
    pub label: &'static str,
    /// Another answer makes another connection.
    pub identifies: bool,
    /// The fact when there is no answer, which is then no error.
    pub default: Option<&'static str>,
    /// Whether a text is the answer itself; any other stands for something that has to be looked up.
    pub is_answer: fn(&str) -> bool,
    /// What it is unless something else is said, such as the default of the provider's own client.
    pub detected: Option<fn() -> Option<String>>,
    /// The answer without which there is nothing to look up.
    pub needs: Option<&'static str>,
    /// What there is to choose from.
    pub choices: Option<Choices>,
    /// The name of its sample in the sandbox.
    pub sample: Option<&'static str>,
}

/// Looks up what there is to choose from.
pub type Choices = for<'a> fn(Asked<'a>) -> LocalBoxFuture<'a, Result<Listed, ApiError>>;

/// What a look-up is told.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    /// Where to look.
    pub clouds: &'a Clouds,
    /// The answers so far.
    pub answers: &'a BTreeMap<String, Answer>,
    /// What the person gave, if it is not the answer itself.
    pub given: Option<&'a str>,
}

/// What a look-up found.
pub enum Listed {
    /// These can be chosen.
    Choices(Vec<Offer>),
    /// What was given stands for this value.
    Is(String),
    /// What was given stands for nothing, or there is nothing to choose: why, and what to do.
    Nothing(Error),
}

/// One thing to choose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// The answer.
    pub value: String,
    /// Its name, which stays on screen when it is chosen.
    pub label: String,
    /// What tells it from the others, such as region and address range.
    pub note: String,
}

/// A fact that follows from others unless an answer says otherwise.
pub struct Derived {
    /// The fact.
    pub fact: Named,
    /// The answer that would say otherwise.
    pub answer: &'static str,
    /// What it is called in a table.
    pub label: &'static str,
    /// What `--peering-name` names here, for its help.
    pub help: &'static str,
    /// The fact, from those that are known.
    pub from: fn(&Facts) -> String,
}

/// A kind of token: where it is found, and what people call it. How it is sent is the clouds' business.
pub struct TokenKind {
    /// Whose it is, for a table.
    pub services: &'static str,
    /// What people call it.
    pub words: &'static str,
    /// The variables it is read from, in this order.
    pub variables: &'static [&'static str],
    /// The file of the provider's own client that has it too.
    pub file: Option<OwnFile>,
    /// Whose API takes it.
    pub vendor: &'static Vendor,
    /// The variable by which the provider's own client is told which root certificates to trust.
    pub roots: Option<&'static str>,
    /// The name of its sample in the sandbox.
    pub sample: &'static str,
    /// Sends something that is refused when the token is no good, and says what the token may see.
    pub probe: Option<Probe>,
}

/// What a token may see, in words.
pub type Probe = for<'a> fn(&'a Clouds) -> LocalBoxFuture<'a, Result<String, ApiError>>;

/// A file of the provider's own client.
pub struct OwnFile {
    /// What people know it as.
    pub words: &'static str,
    /// The token in it.
    pub token: fn() -> Option<Secret>,
}

/// The answers that change which steps a flow has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shape {
    /// An application of yours was named; none is made.
    pub application_given: bool,
    /// A custom role with just the peering rights instead of Network Contributor.
    pub peering_only: bool,
    /// What your application signs in with.
    pub credential: CredentialKind,
    /// Where Entra's pages are.
    pub login_host: String,
}

impl Provider {
    /// The flow, as the answers shape it.
    #[must_use]
    pub fn flow(&self, shape: &Shape) -> Flow {
        (self.flow)(self, shape)
    }

    /// The provider's custom role.
    #[must_use]
    pub fn role(&self) -> Role {
        Role::may_be_peered_with(self.name, self.side, self.allows).usually(self.role_name)
    }
}

/// Adds your own application and its credential: what a tenant may forbid is known before anything is asked of the provider.
#[must_use]
pub fn own_application(flow: Flow, shape: &Shape) -> Flow {
    let application = if shape.application_given {
        Application::given()
    } else {
        Application::multi_tenant()
    };
    flow.ensure(application)
        .ensure(Credential(shape.credential))
}

/// Adds the principal of your own application, and the narrow role if it is to have that.
#[must_use]
pub fn own_principal(flow: Flow, shape: &Shape) -> Flow {
    let flow = flow.ensure(Principal::own());
    if !shape.peering_only {
        return flow;
    }
    let role = Role::peering_only();
    let here = role.here();
    flow.ensure(role).ensure(here)
}

/// Adds the right of your own application on the VNet.
#[must_use]
pub fn own_right(flow: Flow, shape: &Shape) -> Flow {
    let role: Key<RoleId> = if shape.peering_only {
        USER_ROLE_ID
    } else {
        NETWORK_CONTRIBUTOR_ROLE_ID
    };
    flow.ensure(Assignment::may_write_peerings(role))
}

/// Adds the steps that let the provider in: its principal, its role, the role's assignment.
#[must_use]
pub fn let_in(flow: Flow, provider: &Provider, principal: Principal) -> Flow {
    let role = provider.role();
    let here = role.here();
    flow.ensure(principal)
        .ensure(role)
        .ensure(here)
        .ensure(Assignment::provider(provider.name, provider.side))
}

/// Anything that a person may name something, on one line.
///
/// # Errors
/// When it holds control characters.
pub fn text(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.chars().any(char::is_control) {
        Err("it holds control characters".into())
    } else {
        Ok(text.to_owned())
    }
}
