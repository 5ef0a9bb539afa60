//! The catalogue of providers: what is particular to each, as values, and the flow that it takes.

pub mod aiven;
pub mod kong;
pub mod timescale;

use crate::{
    azure::{
        Flow,
        keys::{NETWORK_CONTRIBUTOR_ROLE_ID, RoleId, Side, USER_ROLE_ID},
        steps::{Allows, Application, Assignment, Principal, Role},
    },
    fact::Key,
};

/// All providers, in the order in which they are offered.
pub const ALL: [&Provider; 4] = [
    &aiven::PROJECT,
    &aiven::ORGANIZATION,
    &timescale::TIMESCALE,
    &kong::KONG_CONNECT,
];

/// One service at the other end.
pub struct Provider {
    /// The flow's name: the word of `--provider` and the beginning of the run's name.
    pub id: &'static str,
    /// What people call it.
    pub name: &'static str,
    /// What is connected, for lists.
    pub title: &'static str,
    /// The id of the provider's application, the same in all tenants.
    pub app_id: &'static str,
    /// The facts about its side in your tenant.
    pub side: Side,
    /// The name of the custom role, unless another is given.
    pub role_name: &'static str,
    /// What that role allows.
    pub allows: Allows,
    /// What it has to be told, in the order of asking.
    pub inputs: &'static [Input],
    /// Your own application makes one half.
    pub own_application: bool,
    /// The token that it takes.
    pub token: TokenKind,
    /// The steps whose looks tell how the two halves stand: yours, and the provider's.
    pub halves: [&'static str; 2],
    /// The web console.
    pub console: &'static str,
    /// What is left to do by hand once it is connected.
    pub next_steps: &'static [&'static str],
    /// The flow.
    pub flow: fn(&Provider, &Shape) -> Flow,
}

/// Something that a provider has to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// An Aiven or Timescale project.
    Project,
    /// A VPC of that project.
    ProjectVpc,
    /// An Aiven organization.
    Organization,
    /// A VPC of that organization.
    OrganizationVpc,
    /// A Kong network.
    Network,
    /// Which names Kong asks which servers for.
    Dns,
}

/// A kind of token: where it is found, and what people call it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// Aiven's and Timescale's.
    Aiven,
    /// Konnect's.
    Konnect,
}

/// The answers that change which steps a flow has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shape {
    /// An application of yours was named; none is made.
    pub application_given: bool,
    /// A custom role with just the peering rights instead of Network Contributor.
    pub peering_only: bool,
    /// Where Entra's pages are.
    pub login_host: String,
}

/// The provider of this name.
#[must_use]
pub fn named(id: &str) -> Option<&'static Provider> {
    ALL.into_iter().find(|provider| provider.id == id)
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
        Role::may_be_peered_with(self.name, self.side, self.allows)
    }
}

/// Adds the steps that give your own application its right on the VNet.
fn own_application(flow: Flow, shape: &Shape) -> Flow {
    let application = if shape.application_given {
        Application::given()
    } else {
        Application::multi_tenant()
    };
    let flow = flow.ensure(application).ensure(Principal::own());
    let role: Key<RoleId> = if shape.peering_only {
        USER_ROLE_ID
    } else {
        NETWORK_CONTRIBUTOR_ROLE_ID
    };
    let flow = if shape.peering_only {
        let role = Role::peering_only();
        let here = role.here();
        flow.ensure(role).ensure(here)
    } else {
        flow
    };
    flow.ensure(Assignment::may_write_peerings(role))
}

/// Adds the steps that let the provider in: its principal, its role, the role's assignment.
fn let_in(flow: Flow, provider: &Provider, principal: Principal) -> Flow {
    let role = provider.role();
    let here = role.here();
    flow.ensure(principal)
        .ensure(role)
        .ensure(here)
        .ensure(Assignment::provider(provider.name, provider.side))
}
