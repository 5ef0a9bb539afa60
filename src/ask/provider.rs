//! The answers about the provider's side: one function for each thing that a provider may have to be told.

use super::{Absent, Gather, choices, token};
use crate::{
    aiven::{Place, api},
    azure::keys::{Text, USER_VNET_NAME},
    clouds::Clouds,
    engine::Origin,
    error::{Error, Kind},
    fact::{Facts, Key},
    kong::{api as konnect, gateway::gateway_name},
    providers::{Input, Provider, TokenKind},
};

const PROJECT: &str = "PROJECT";
const ORGANIZATION: &str = "ORGANIZATION";
const VPC: &str = "VPC_ID";
const NETWORK: &str = "NETWORK";

/// Finds what this provider has to be told.
pub(super) async fn gather(
    g: &mut Gather<'_>,
    w: &Clouds,
    provider: &Provider,
) -> Result<(), Error> {
    offline(g, provider)?;
    for input in provider.inputs {
        match input {
            Input::Project => project(g, w).await?,
            Input::Organization => organization(g, w).await?,
            Input::ProjectVpc => vpc(g, w, Place::Project, PROJECT).await?,
            Input::OrganizationVpc => vpc(g, w, Place::Organization, ORGANIZATION).await?,
            Input::Network => network(g, w).await?,
            Input::Dns => super::dns::gather(g)?,
        }
    }
    Ok(())
}

/// What is given, without looking anything up.
pub(super) fn offline(g: &mut Gather<'_>, provider: &Provider) -> Result<(), Error> {
    only_its_own(g, provider)?;
    for input in provider.inputs {
        let (_, name) = named(*input);
        let arg = arg_of(*input);
        if *input == Input::Dns {
            super::dns::given(g)?;
            continue;
        }
        if *input == Input::Network && !is_id(g.given.one(arg)?) {
            // A name has to be looked up.
            continue;
        }
        if g.answers.value(name).is_none() && g.take(arg, name)?.is_none() {
            if let Some(sample) = g.samples.get(name) {
                g.answers.set(name, sample.clone(), Origin::Sample);
            } else if *input == Input::Project
                && let Some(project) = token::avn_default_project()
            {
                g.answers.set(name, project, Origin::Detected);
            }
        }
    }
    Ok(())
}

/// A flag that another provider takes is a mistake; a variable may be set for other reasons.
fn only_its_own(g: &Gather<'_>, provider: &Provider) -> Result<(), Error> {
    for arg in ["project", "organization", "vpc", "network", "dns"] {
        let wanted = provider.inputs.iter().any(|input| arg_of(*input) == arg);
        if !wanted && g.given.by_flag(arg) {
            return Err(says_nothing(arg, provider));
        }
    }
    Ok(())
}

/// The flag means nothing to this provider.
pub(super) fn says_nothing(arg: &str, provider: &Provider) -> Error {
    let flag = crate::cli::about(arg).flag;
    Error::usage(format!(
        "`{flag}` says nothing to `--provider {}`",
        provider.id
    ))
    .hint(format!("leave `{flag}` out, or choose another provider"))
}

/// The fact that an answer becomes, and the answer's name.
fn named(input: Input) -> (Key<Text>, &'static str) {
    match input {
        Input::Project => (api::AIVEN_PROJECT, PROJECT),
        Input::Organization => (api::AIVEN_ORGANIZATION_ID, ORGANIZATION),
        Input::ProjectVpc => (api::AIVEN_PROJECT_VPC_ID, VPC),
        Input::OrganizationVpc => (api::AIVEN_ORGANIZATION_VPC_ID, VPC),
        Input::Network => (konnect::KONG_NETWORK_ID, NETWORK),
        Input::Dns => (konnect::KONG_DNS, super::dns::DNS),
    }
}

/// Whether the given value is an id, or nothing was given.
fn is_id(given: Option<(String, Origin)>) -> bool {
    given.is_none_or(|(text, _)| uuid::Uuid::parse_str(&text).is_ok())
}

/// The argument in the catalogue that answers it.
pub(super) fn arg_of(input: Input) -> &'static str {
    match input {
        Input::Project => "project",
        Input::Organization => "organization",
        Input::ProjectVpc | Input::OrganizationVpc => "vpc",
        Input::Network => "network",
        Input::Dns => "dns",
    }
}

/// The name of the fact that an answer becomes.
#[must_use]
pub fn fact_name(input: Input) -> &'static str {
    named(input).0.name
}

/// The facts that an answer gives.
pub(super) fn facts_of<'a>(
    input: Input,
    value: &impl Fn(&str) -> Option<&'a str>,
    facts: &mut Facts,
) {
    let (key, name) = named(input);
    // No mapping is an answer too.
    let default = (input == Input::Dns).then_some("");
    if let Some(value) = value(name).or(default) {
        facts.set(key, value.into());
    }
}

/// The facts that follow from the run's name.
pub(super) fn derived<'a>(
    provider: &Provider,
    run: &str,
    value: &impl Fn(&str) -> Option<&'a str>,
    facts: &mut Facts,
) {
    if !provider.inputs.contains(&Input::Network) {
        return;
    }
    let name = match (value("PEERING_NAME"), facts.get(USER_VNET_NAME)) {
        (Some(name), _) => name.to_owned(),
        (None, Ok(vnet)) => gateway_name(vnet.as_ref(), run),
        (None, Err(_)) => gateway_name("vnet", run),
    };
    facts.set(konnect::KONG_GATEWAY_NAME, name.into());
}

/// Whether look-ups at the provider are possible; asks for the token if that is all that is missing.
fn may_look(g: &mut Gather<'_>, w: &Clouds, kind: TokenKind) -> Result<bool, Error> {
    if !w.has_provider_token() && g.prompt.can_ask() {
        w.use_provider_token(token::ask(g.prompt, kind)?);
    }
    Ok(w.has_provider_token())
}

fn look_up_failed(error: crate::http::ApiError) -> Error {
    let error = Error::of_api("cannot look up the choices at the provider", error);
    match error.kind {
        Kind::SignIn => error,
        _ => Error {
            kind: Kind::Refused,
            ..error
        },
    }
}

fn absent(g: &mut Gather<'_>, arg: &'static str) {
    g.missing.push(Absent {
        arg,
        allowed: Vec::new(),
    });
}

async fn project(g: &mut Gather<'_>, w: &Clouds) -> Result<(), Error> {
    if g.answers.value(PROJECT).is_some() {
        return Ok(());
    }
    if !may_look(g, w, TokenKind::Aiven)? {
        absent(g, "project");
        return Ok(());
    }
    let (choices, names) = choices::projects(w).await.map_err(look_up_failed)?;
    if names.is_empty() {
        return Err(Error::new(Kind::Refused, "the token may see no project")
            .hint("use a token of a user who is a member of the project"));
    }
    let question = crate::cli::about("project").help;
    if let Some(chosen) = g.choose("project", PROJECT, &question, &choices, names)? {
        g.answers.set(PROJECT, chosen.value, chosen.from);
    }
    Ok(())
}

async fn organization(g: &mut Gather<'_>, w: &Clouds) -> Result<(), Error> {
    if g.answers.value(ORGANIZATION).is_some() {
        return Ok(());
    }
    if !may_look(g, w, TokenKind::Aiven)? {
        absent(g, "organization");
        return Ok(());
    }
    let (choices, ids) = choices::organizations(w).await.map_err(look_up_failed)?;
    if ids.is_empty() {
        return Err(
            Error::new(Kind::Refused, "the token may see no organization")
                .hint("use a token of a user who belongs to it, or connect a project VPC instead"),
        );
    }
    let question = crate::cli::about("organization").help;
    if let Some(chosen) = g.choose("organization", ORGANIZATION, &question, &choices, ids)? {
        g.answers.set(ORGANIZATION, chosen.value, chosen.from);
    }
    Ok(())
}

async fn vpc(g: &mut Gather<'_>, w: &Clouds, place: Place, owner: &str) -> Result<(), Error> {
    if g.answers.value(VPC).is_some() {
        return Ok(());
    }
    let Some(owner) = g.answers.value(owner).map(str::to_owned) else {
        absent(g, "vpc");
        return Ok(());
    };
    if !may_look(g, w, TokenKind::Aiven)? {
        absent(g, "vpc");
        return Ok(());
    }
    let ((choices, ids), others) = match choices::vpcs(w, place, &owner).await {
        Ok(found) => found,
        Err(error) if error.is_missing() => {
            return Err(Error {
                kind: Kind::Usage,
                ..Error::of_api(
                    format!("there is no `{owner}` that the token may see"),
                    error,
                )
            });
        }
        Err(error) => return Err(look_up_failed(error)),
    };
    if ids.is_empty() {
        let error = Error::new(
            Kind::Refused,
            format!("`{owner}` has no VPC on Azure that is ACTIVE"),
        );
        return Err(error.hint(if others.is_empty() {
            "create a VPC on an azure-… cloud first; it takes some minutes".to_owned()
        } else {
            format!("it has: {}", others.join("; "))
        }));
    }
    let question = crate::cli::about("vpc").help;
    if let Some(chosen) = g.choose("vpc", VPC, &question, &choices, ids)? {
        g.answers.set(VPC, chosen.value, chosen.from);
    }
    Ok(())
}

/// The network, by its id, by its name, or chosen from those that are ready.
async fn network(g: &mut Gather<'_>, w: &Clouds) -> Result<(), Error> {
    if g.answers.value(NETWORK).is_some() {
        return Ok(());
    }
    if !may_look(g, w, TokenKind::Konnect)? {
        absent(g, "network");
        return Ok(());
    }
    let mut all = konnect::networks_on_azure(w)
        .await
        .map_err(look_up_failed)?;
    let names: Vec<String> = all.iter().map(|it| it.name.clone()).collect();
    let has = match names.as_slice() {
        [] => "there is no network on Azure that the token may see".to_owned(),
        names => format!("on Azure there are: {}", names.join(", ")),
    };
    if let Some((name, from)) = g.given.one("network")? {
        let found: Vec<_> = all.iter().filter(|it| it.name == name).collect();
        return match found.as_slice() {
            [only] => {
                g.answers.set(NETWORK, only.id.clone(), from);
                Ok(())
            }
            [] => Err(Error::usage(format!("there is no Kong network `{name}`")).hint(has)),
            _ => Err(
                Error::usage(format!("more than one Kong network is called `{name}`"))
                    .hint("give its ID"),
            ),
        };
    }
    all.retain(konnect::Network::is_ready);
    if all.is_empty() {
        return Err(Error::new(
            Kind::Refused,
            "there is no Kong network on Azure that is ready",
        )
        .hint(has)
        .hint("a new network takes 30 to 40 minutes"));
    }
    let (choices, ids) = all
        .into_iter()
        .map(|it| {
            let note = format!("{}  {}", it.region, it.cidr_block);
            (super::prompt::Choice::new(&it.name, note), it.id)
        })
        .unzip::<_, _, Vec<_>, Vec<_>>();
    let question = crate::cli::about("network").help;
    if let Some(chosen) = g.choose("network", NETWORK, &question, &choices, ids)? {
        g.answers.set(NETWORK, chosen.value, chosen.from);
    }
    Ok(())
}
