//! What can be typed: the one catalogue of inputs. A question's text is its argument's help, and its way round the
//! question is that argument's flag and environment variable; all are read back from here.

mod azure;
mod parse;
mod told;

pub use azure::{Azure, Credential, GrantRole, GrantScope, Options, Part, Waits};
pub use told::{Inputs, Told};

use crate::{
    error,
    provider::{Flag, text},
    providers,
};
use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};
use parse::provider;
use std::path::PathBuf;

/// Connect an Azure virtual network with a managed service in another tenant
#[derive(Debug, Parser)]
#[command(
    name = "peer-wizard",
    version,
    about,
    long_about = long_about(),
    after_long_help = after_help(),
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

fn long_about() -> String {
    let mut services: Vec<&str> = providers::ALL.iter().map(|it| it.service).collect();
    services.dedup();
    format!(
        "Connects an Azure virtual network (VNet) with the network of a managed service in another tenant: {}. It can be stopped \
         at any moment and resumed, prints the same work as a script, and undoes exactly what it did.",
        services.join(", ")
    )
}

fn after_help() -> String {
    let codes: Vec<String> = error::EXIT_CODES
        .iter()
        .map(|(_, code, _, meaning)| format!("  {code:>3}  {meaning}\n"))
        .collect();
    let tokens = providers::tokens();
    let files: Vec<String> = tokens
        .iter()
        .filter_map(|token| token.file.as_ref())
        .map(|file| format!(" from {},", file.words))
        .collect();
    let secrets: Vec<String> = tokens
        .iter()
        .map(|token| format!("  {:<16}  {}\n", token.services, token.variables.join(", ")))
        .collect();
    let endpoints: Vec<String> = tokens
        .iter()
        .map(|token| format!(", {}", token.vendor.variable))
        .collect();
    format!(
        "Exit codes:\n{}\n\
         Secrets are read from the environment,{} or from a hidden prompt:\n{}  \
         Azure             AZURE_CLIENT_ID, AZURE_TENANT_ID and AZURE_CLIENT_SECRET, or the session of `az login`\n\n\
         Other endpoints: AZURE_AUTHORITY_HOST, PEER_WIZARD_GRAPH_ENDPOINT, PEER_WIZARD_ARM_ENDPOINT{}",
        codes.concat(),
        files.concat(),
        secrets.concat(),
        endpoints.concat()
    )
}

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
    #[cfg_attr(not(feature = "sandbox"), command(skip))]
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
    /// Waiting
    #[command(flatten)]
    pub waits: Waits,
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
    #[cfg_attr(
        feature = "sandbox",
        arg(long, global = true, help_heading = "Options everywhere")
    )]
    #[cfg_attr(not(feature = "sandbox"), arg(skip))]
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

impl From<&Flag> for About {
    fn from(flag: &Flag) -> Self {
        Self {
            help: flag.help.into(),
            flag: flag.long(),
            form: format!("<{}>", flag.form),
            variable: flag.variable.map(Into::into),
        }
    }
}

/// Looks up an option of `azure`.
#[must_use]
pub fn about(id: &str) -> About {
    let command = Cli::command();
    let arg = command
        .find_subcommand("azure")
        .and_then(|azure| azure.get_arguments().find(|arg| arg.get_id() == id));
    debug_assert!(arg.is_some(), "{id} is no option");
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Origin;

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

    fn by_flag<T>(value: T) -> Told<T> {
        Told {
            value,
            from: Origin::Flag,
        }
    }

    fn azure(words: &[&str]) -> Azure {
        let words = ["peer-wizard", "azure"].iter().chain(words);
        match Cli::try_parse_from(words).expect("good words").command {
            Command::Azure(azure) => *azure,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_answer_knows_where_it_came_from() {
        let azure = azure(&["--resource-group", "g", "--grant-role", "peering-only"]);
        assert_eq!(azure.resource_group, Some(by_flag("g".into())));
        assert_eq!(azure.grant_role, by_flag(GrantRole::PeeringOnly));
        let default = Told {
            value: GrantScope::Vnet,
            from: Origin::Default,
        };
        assert_eq!(azure.grant_scope, default);
        assert_eq!(azure.application, None);
        assert_eq!(azure.empty, None);
    }

    #[test]
    fn the_inputs_of_all_providers_can_be_told() {
        for input in providers::ALL.into_iter().flat_map(|it| it.inputs) {
            let good = match input.flag.list {
                Some(_) => "10.0.0.4=corp.example",
                None => "x",
            };
            let azure = azure(&[&input.flag.long(), good]);
            let told = azure.inputs.of(input).expect("told");
            assert_eq!(*told, by_flag(vec![good.to_owned()]));
            let typed: Vec<&str> = azure.inputs.typed().map(|flag| flag.id).collect();
            assert_eq!(typed, [input.flag.id]);
        }
    }

    #[test]
    fn a_flag_with_nothing_in_it_is_noted_and_no_answer() {
        assert_eq!(azure(&["--application", " "]).empty, Some("application"));
        let azure = azure(&["--network", ""]);
        assert_eq!(azure.empty, Some("network"));
        assert_eq!(azure.inputs.typed().count(), 0);
    }
}
