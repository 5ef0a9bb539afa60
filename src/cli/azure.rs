//! What `azure` and `doctor` are told.

use super::{
    parse::{display_name, duration, guid, peering_name, provider, role_name, tenant},
    told::{Inputs, Told, origin, told, word_told},
};
use crate::{
    engine::{Limits, Origin},
    provider::text,
    providers,
};
use clap::{ArgMatches, Args, Command, Error, FromArgMatches, ValueEnum};
use std::{ops::Deref, time::Duration};

/// Options of `azure`, as clap reads them; [`Azure`] adds where each came from.
#[derive(Clone, Debug, Default, Args)]
pub struct Options {
    /// The service to connect with
    #[arg(long, env = "PEER_WIZARD_PROVIDER", value_name = "PROVIDER", value_parser = told(provider))]
    pub provider: Option<Told<String>>,
    /// Your VNet
    ///
    /// Its name, or its resource ID, which answers subscription and resource group too.
    #[arg(long, env = "PEER_WIZARD_VNET", value_name = "NAME|ID", value_parser = told(text))]
    pub vnet: Option<Told<String>>,
    /// The subscription of your VNet
    #[arg(long, env = "AZURE_SUBSCRIPTION_ID", value_name = "NAME|ID", value_parser = told(text))]
    pub subscription: Option<Told<String>>,
    /// The resource group of your VNet, where it is given by its name
    #[arg(long, value_name = "NAME", value_parser = told(text))]
    pub resource_group: Option<Told<String>>,
    /// Your Entra tenant; default: the tenant of the subscription
    #[arg(long, env = "AZURE_TENANT_ID", value_name = "ID", value_parser = told(tenant))]
    pub tenant: Option<Told<String>>,
    /// What the providers are told
    #[command(flatten)]
    pub inputs: Inputs,
    /// Display name of the application that is registered for you
    #[arg(long, value_name = "NAME", value_parser = told(display_name))]
    pub application: Option<Told<String>>,
    /// What your application signs in with for these minutes; with auto a certificate where your tenant forbids passwords
    #[arg(long, value_name = "KIND", default_value = "auto", ignore_case = true, value_parser = word_told::<Credential>())]
    pub credential: Told<Credential>,
    /// Use this application of yours instead of registering one
    ///
    /// Adding a password or a certificate to it takes its owner's rights.
    #[arg(long, value_name = "ID", value_parser = told(guid), conflicts_with = "application")]
    pub application_id: Option<Told<String>>,
    /// Application ID of the provider, if it gave you another than its guides
    ///
    /// On a terminal you are asked about it, with what Entra says of it; where nobody can be asked, this flag is the consent.
    #[arg(long, value_name = "ID", value_parser = told(guid))]
    pub provider_application_id: Option<Told<String>>,
    /// Where your own service principal's role is assigned
    #[arg(long, value_name = "SCOPE", default_value = "vnet", value_parser = word_told::<GrantScope>())]
    pub grant_scope: Told<GrantScope>,
    /// The built-in role of the guides, or a custom role with just the peering rights
    #[arg(long, value_name = "ROLE", default_value = "network-contributor", value_parser = word_told::<GrantRole>())]
    pub grant_role: Told<GrantRole>,
    #[arg(long, help = peering_help(), value_name = "NAME", value_parser = told(peering_name))]
    pub peering_name: Option<Told<String>>,
    /// Name of the custom role for the provider
    #[arg(long, value_name = "NAME", value_parser = told(role_name))]
    pub role_name: Option<Told<String>>,
    /// Print the equivalent script to stdout; change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// With `--dry-run`: only the steps that take rights there, for the person who has them
    #[arg(long, value_name = "PART", ignore_case = true, requires = "dry_run")]
    pub part: Option<Part>,
    /// Waiting
    #[command(flatten)]
    pub waits: Waits,
    /// A flag that was given with nothing in it
    #[arg(skip)]
    pub empty: Option<&'static str>,
}

fn peering_help() -> String {
    let named = providers::ALL.iter().flat_map(|it| it.derived);
    let more: Vec<String> = named.map(|it| format!("; {}", it.help)).collect();
    format!("Name of the peering on your VNet{}", more.concat())
}

/// Options about waiting.
#[derive(Clone, Copy, Debug, Default, Args)]
pub struct Waits {
    /// Stop with code 5 when only waiting is left
    #[arg(long)]
    pub no_wait: bool,
    /// Longest wait for one state, such as 30m; each wait has a sensible default
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub timeout: Option<Duration>,
}

impl Waits {
    /// What was asked, in the engine's words.
    #[must_use]
    pub fn limits(self) -> Limits {
        Limits {
            timeout: self.timeout,
            no_wait: self.no_wait,
            ..Limits::default()
        }
    }
}

/// Where your own service principal's role is assigned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum GrantScope {
    /// On the VNet
    #[default]
    Vnet,
    /// On its resource group
    ResourceGroup,
    /// On its subscription
    Subscription,
}

/// Whose steps a script has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// Everybody's
    #[default]
    All,
    /// Application, principals, credential, and the peering that the application makes
    Entra,
    /// Role and assignments
    Azure,
    /// The ask and its waits
    Provider,
}

/// Which role your own service principal gets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum GrantRole {
    /// The built-in role of the guides
    #[default]
    NetworkContributor,
    /// A custom role with just the peering rights
    PeeringOnly,
}

/// What your application signs in with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Credential {
    /// A password, or a certificate where the tenant forbids passwords
    #[default]
    Auto,
    /// A password
    Password,
    /// A key and its self-signed certificate, both in memory only
    Certificate,
}

/// Options of `azure`.
#[derive(Clone, Debug, Default)]
pub struct Azure(Options);

impl Deref for Azure {
    type Target = Options;
    fn deref(&self) -> &Options {
        &self.0
    }
}

impl Args for Azure {
    fn augment_args(command: Command) -> Command {
        Options::augment_args(command)
    }
    fn augment_args_for_update(command: Command) -> Command {
        Options::augment_args_for_update(command)
    }
}

impl FromArgMatches for Azure {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let mut options = Options::from_arg_matches(matches)?;
        options.came_from(matches);
        Ok(Self(options))
    }
    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Options {
    /// Says of each answer where it came from. An empty variable counts as not set; an empty flag is noted.
    fn came_from(&mut self, matches: &ArgMatches) {
        // Every field by name, so that none is left out.
        let Self {
            provider,
            vnet,
            subscription,
            resource_group,
            tenant,
            inputs,
            application,
            credential,
            application_id,
            provider_application_id,
            grant_scope,
            grant_role,
            peering_name,
            role_name,
            dry_run: _,
            part: _,
            waits: _,
            empty,
        } = self;
        credential.from = origin(matches, "credential");
        grant_scope.from = origin(matches, "grant_scope");
        grant_role.from = origin(matches, "grant_role");
        for (told, id) in [
            (provider, "provider"),
            (vnet, "vnet"),
            (subscription, "subscription"),
            (resource_group, "resource_group"),
            (tenant, "tenant"),
            (application, "application"),
            (application_id, "application_id"),
            (provider_application_id, "provider_application_id"),
            (peering_name, "peering_name"),
            (role_name, "role_name"),
        ] {
            let from = origin(matches, id);
            if let Some(told) = told {
                told.from = from;
            }
            if told.as_ref().is_some_and(|told| told.value.is_empty()) {
                *told = None;
                if from == Origin::Flag {
                    *empty = empty.or(Some(id));
                }
            }
        }
        *empty = empty.or(inputs.empty);
    }
}
