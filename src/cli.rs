//! What can be typed: the one catalogue of inputs. A question's text is its argument's help, and its way round the
//! question is that argument's flag and environment variable; all are read back from here.

use clap::{ArgAction, Args, CommandFactory, Parser, Subcommand, ValueEnum};
use std::{path::PathBuf, time::Duration};

/// Connect an Azure virtual network with a managed service in another tenant
#[derive(Debug, Parser)]
#[command(
    name = "peer-wizard",
    version,
    about,
    long_about = "Connects an Azure virtual network (VNet) with the network of a managed service in another tenant: \
        Aiven (project and organization VPCs), Timescale, Kong Konnect. It can be stopped at any moment and resumed, \
        prints the same work as a script, and undoes exactly what it did.",
    after_long_help = EXIT_CODES,
    max_term_width = 100,
    disable_help_subcommand = true,
    propagate_version = true
)]
pub struct Cli {
    /// What to do
    #[command(subcommand)]
    pub command: Command,
    /// Options of every command
    #[command(flatten)]
    pub global: Global,
}

const EXIT_CODES: &str = "Exit codes:
    0  connected, done, or nothing to do
    1  a step failed; resume is possible
    2  a bad or missing input; nothing was touched
    3  a preflight check failed, or you said no; nothing was changed
    4  a sign-in is missing, expired or not allowed
    5  stopped while waiting for someone else; resume is possible
   70  internal error; please report it
  130  Ctrl-C; resume is possible

Secrets are read from the environment, from the file that `avn user login` wrote, or from a hidden prompt:
  Aiven, Timescale  AIVEN_AUTH_TOKEN, AIVEN_TOKEN
  Konnect           KONNECT_TOKEN, KONNECT_SPAT
  Azure             AZURE_CLIENT_ID, AZURE_TENANT_ID and AZURE_CLIENT_SECRET, or the session of `az login`

Other endpoints: AZURE_AUTHORITY_HOST, PEER_WIZARD_GRAPH_ENDPOINT, PEER_WIZARD_ARM_ENDPOINT, AIVEN_WEB_URL, KONNECT_SERVER_URL";

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Connect a VNet: ask, look, preview, confirm, run
    Azure(Box<Azure>),
    /// Go on with an unfinished run
    Resume(Resume),
    /// Look at every object of a run as it is now; show drift
    Status(Named),
    /// Delete what a run created: preview, confirm, newest first
    Undo(Undo),
    /// List the runs, newest first
    Runs,
    /// Check sign-ins, tenant, permissions and address ranges; change nothing
    Doctor(Box<Azure>),
    /// Say what each step does and why, with permissions and links
    Explain(Explain),
    /// Serve the simulated clouds and print how to point az, avn and this tool at them
    Sandbox(Serve),
    /// Print a completion script
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page
    Man,
}

/// A run, by name.
#[derive(Debug, Default, Args)]
pub struct Named {
    /// The run; default: the only one, or the newest of those there are to choose from
    #[arg(value_name = "RUN", value_parser = text)]
    pub run: Option<String>,
}

/// Options of `undo`.
#[derive(Debug, Default, Args)]
pub struct Undo {
    /// The run
    #[command(flatten)]
    pub named: Named,
    /// Leave your application for the next peering
    #[arg(long)]
    pub keep_application: bool,
    /// Print the undo script to stdout; change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Longest wait for one deletion, such as 30m
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub timeout: Option<Duration>,
}

/// Options of `explain`.
#[derive(Debug, Default, Args)]
pub struct Explain {
    /// The provider; default: all
    #[arg(value_name = "PROVIDER", value_parser = provider)]
    pub provider: Option<String>,
}

/// Options of `sandbox`.
#[derive(Debug, Default, Args)]
pub struct Serve {
    /// The port on loopback; default: any free one
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub port: u16,
    /// Keep the simulated clouds in this file between runs
    #[arg(long, value_name = "FILE")]
    pub state: Option<PathBuf>,
    /// How slowly changes spread, as a factor: 0 for at once, 1 for seconds
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0)]
    pub delay: f64,
}

/// Options of `azure`.
#[derive(Debug, Default, Args)]
pub struct Azure {
    /// The service to connect with
    #[arg(long, env = "PEER_WIZARD_PROVIDER", value_name = "PROVIDER", value_parser = provider)]
    pub provider: Option<String>,
    /// Your VNet
    ///
    /// Its name, or its resource ID, which answers subscription and resource group too.
    #[arg(long, env = "PEER_WIZARD_VNET", value_name = "NAME|ID", value_parser = text)]
    pub vnet: Option<String>,
    /// The subscription of your VNet
    #[arg(long, env = "AZURE_SUBSCRIPTION_ID", value_name = "NAME|ID", value_parser = text)]
    pub subscription: Option<String>,
    /// The resource group of your VNet, where it is given by its name
    #[arg(long, value_name = "NAME", value_parser = text)]
    pub resource_group: Option<String>,
    /// Your Entra tenant; default: the tenant of the subscription
    #[arg(long, env = "AZURE_TENANT_ID", value_name = "ID", value_parser = tenant)]
    pub tenant: Option<String>,
    /// The Aiven or Timescale project
    #[arg(long, env = "AIVEN_PROJECT", value_name = "NAME", value_parser = text)]
    pub project: Option<String>,
    /// The Aiven organization
    #[arg(long, env = "PEER_WIZARD_ORGANIZATION", value_name = "ID", value_parser = text)]
    pub organization: Option<String>,
    /// The VPC of the Aiven project or organization
    #[arg(long, env = "PEER_WIZARD_VPC", value_name = "ID", value_parser = text)]
    pub vpc: Option<String>,
    /// The Kong Dedicated Cloud Gateway network
    #[arg(long, env = "KONNECT_NETWORK_ID", value_name = "NAME|ID", value_parser = text)]
    pub network: Option<String>,
    /// Names that Kong looks up at your DNS servers; repeat it for each group
    #[arg(long, value_name = "IP[,IP…]=DOMAIN[,DOMAIN…]", action = ArgAction::Append, value_parser = dns)]
    pub dns: Vec<String>,
    /// Display name of the application that is registered for you
    #[arg(long, value_name = "NAME", value_parser = display_name)]
    pub application: Option<String>,
    /// Use this application of yours instead of registering one
    ///
    /// Adding a password to it takes its owner's rights.
    #[arg(long, value_name = "ID", value_parser = guid, conflicts_with = "application")]
    pub application_id: Option<String>,
    /// Application ID of the provider, if it gave you another than its guides
    #[arg(long, value_name = "ID", value_parser = guid)]
    pub provider_application_id: Option<String>,
    /// Where your own service principal's role is assigned
    #[arg(long, value_name = "SCOPE", default_value = "vnet")]
    pub grant_scope: GrantScope,
    /// The built-in role of the guides, or a custom role with just the peering rights
    #[arg(long, value_name = "ROLE", default_value = "network-contributor")]
    pub grant_role: GrantRole,
    /// Name of the peering on your VNet; for Kong, of the gateway at Konnect
    #[arg(long, value_name = "NAME", value_parser = peering_name)]
    pub peering_name: Option<String>,
    /// Name of the custom role for the provider
    #[arg(long, value_name = "NAME", value_parser = role_name)]
    pub role_name: Option<String>,
    /// Print the equivalent script to stdout; change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Waiting
    #[command(flatten)]
    pub waits: Waits,
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

/// Options of `resume`.
#[derive(Debug, Default, Args)]
pub struct Resume {
    /// The run; default: the only unfinished one
    #[arg(value_name = "RUN", value_parser = text)]
    pub run: Option<String>,
    /// Print what is left as a script to stdout; change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Waiting
    #[command(flatten)]
    pub waits: Waits,
}

/// Options of every command.
#[derive(Debug, Default, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub struct Global {
    /// Practise on simulated clouds inside this process
    #[arg(long, global = true, help_heading = "Options everywhere")]
    pub sandbox: bool,
    /// Approve the plan; answers no question
    #[arg(long, short = 'y', global = true, help_heading = "Options everywhere")]
    pub yes: bool,
    /// Never prompt; implied when stdin is no terminal or CI is set
    #[arg(long, global = true, help_heading = "Options everywhere")]
    pub no_input: bool,
    /// How to sign in to Azure; default: environment when its three variables are set, else az
    #[arg(
        long,
        global = true,
        value_name = "HOW",
        help_heading = "Options everywhere"
    )]
    pub sign_in: Option<SignInKind>,
    /// Text for people, or one JSON object a line
    #[arg(
        long,
        global = true,
        value_name = "FORMAT",
        default_value = "text",
        help_heading = "Options everywhere"
    )]
    pub output: Output,
    /// Colours; NO_COLOR and CLICOLOR_FORCE are honoured too
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        default_value = "auto",
        help_heading = "Options everywhere"
    )]
    pub color: Color,
    /// Show each request
    #[arg(long, short, global = true, help_heading = "Options everywhere")]
    pub verbose: bool,
    /// Show only the result and errors
    #[arg(
        long,
        short,
        global = true,
        conflicts_with = "verbose",
        help_heading = "Options everywhere"
    )]
    pub quiet: bool,
    /// Where runs are kept
    #[arg(
        long,
        global = true,
        env = "PEER_WIZARD_STATE_DIR",
        value_name = "DIR",
        help_heading = "Options everywhere"
    )]
    pub state_dir: Option<PathBuf>,
    /// More trusted roots (PEM), for company proxies; SSL_CERT_FILE is honoured too
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        help_heading = "Options everywhere"
    )]
    pub ca_cert: Option<PathBuf>,
    /// Which Azure; default: public
    #[arg(
        long,
        global = true,
        value_name = "CLOUD",
        help_heading = "Options everywhere"
    )]
    pub azure_cloud: Option<AzureCloud>,
}

/// How to sign in to Azure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SignInKind {
    /// The session of `az login`
    Az,
    /// A service principal from the environment
    Environment,
    /// A code to type in at a browser
    DeviceCode,
    /// The identity of the machine
    ManagedIdentity,
    /// A federated token
    WorkloadIdentity,
}

/// The forms of output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people
    #[default]
    Text,
    /// One JSON object a line
    Json,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// The Azure clouds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum AzureCloud {
    /// The one that nearly everybody uses
    #[default]
    Public,
    /// US Government
    Usgovernment,
    /// China
    China,
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

/// Which role your own service principal gets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum GrantRole {
    /// The built-in role of the guides
    #[default]
    NetworkContributor,
    /// A custom role with just the peering rights
    PeeringOnly,
}

/// The word that stands for a value on the command line.
#[must_use]
pub fn word(value: &impl ValueEnum) -> String {
    value
        .to_possible_value()
        .map(|value| value.get_name().to_owned())
        .unwrap_or_default()
}

/// What the catalogue says about one input: the question, the flag, the variable, the form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    /// The help, as a question's text.
    pub help: String,
    /// `--vnet`.
    pub flag: String,
    /// `<NAME|ID>`.
    pub form: String,
    /// `PEER_WIZARD_VNET`.
    pub variable: Option<String>,
}

/// Looks up an option of `azure`.
#[must_use]
pub fn about(id: &str) -> About {
    let command = Cli::command();
    let arg = command
        .find_subcommand("azure")
        .and_then(|azure| azure.get_arguments().find(|arg| arg.get_id() == id));
    let text = |text: Option<String>| text.unwrap_or_default();
    About {
        help: text(arg.and_then(|arg| arg.get_help().map(ToString::to_string))),
        flag: format!(
            "--{}",
            text(arg.and_then(|arg| arg.get_long().map(Into::into)))
        ),
        form: arg
            .and_then(|arg| arg.get_value_names()?.first())
            .map(|name| format!("<{name}>"))
            .unwrap_or_default(),
        variable: arg
            .and_then(|arg| arg.get_env())
            .map(|name| name.to_string_lossy().into_owned()),
    }
}

fn provider(text: &str) -> Result<String, String> {
    if text.is_empty() {
        return Ok(String::new());
    }
    let known: Vec<&str> = crate::providers::ALL.iter().map(|it| it.id).collect();
    if known.contains(&text) {
        Ok(text.to_owned())
    } else {
        Err(format!("allowed: {}", known.join(", ")))
    }
}

/// Anything that a person may name something, on one line. Empty passes: an empty variable counts as not set, and an
/// empty flag is refused when it is read.
fn text(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.chars().any(char::is_control) {
        Err("it holds control characters".into())
    } else {
        Ok(text.to_owned())
    }
}

fn dns(text: &str) -> Result<String, String> {
    text.parse::<crate::kong::dns::DnsMapping>()
        .map(|_| text.to_owned())
        .map_err(|error| error.to_string())
}

fn display_name(name: &str) -> Result<String, String> {
    let name = text(name)?;
    if name.chars().count() > 120 {
        return Err("a display name has at most 120 characters".into());
    }
    Ok(name)
}

fn role_name(name: &str) -> Result<String, String> {
    let name = text(name)?;
    if name.chars().count() > 128 {
        return Err("a role's name has at most 128 characters".into());
    }
    Ok(name)
}

fn peering_name(name: &str) -> Result<String, String> {
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

fn guid(text: &str) -> Result<String, String> {
    uuid::Uuid::parse_str(text.trim())
        .map(|id| id.to_string())
        .map_err(|_| "an ID has the form 00000000-0000-0000-0000-000000000000".into())
}

fn tenant(text: &str) -> Result<String, String> {
    let text = text.trim();
    let good = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    if text.chars().all(good) {
        Ok(text.to_owned())
    } else {
        Err("a tenant is named by its ID, such as 00000000-0000-0000-0000-000000000000".into())
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text)
        .map_err(|error| format!("{error}; a duration looks like 90s, 30m or 1h30m"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalogue_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_question_is_read_back_from_the_catalogue() {
        let vnet = about("vnet");
        assert_eq!(vnet.flag, "--vnet");
        assert_eq!(vnet.variable.as_deref(), Some("PEER_WIZARD_VNET"));
        assert_eq!(vnet.form, "<NAME|ID>");
        assert!(vnet.help.starts_with("Your VNet"));
    }

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
