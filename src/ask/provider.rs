//! The answers about the provider's side: one function for each thing that a provider may have to be told.

use super::{Absent, Gather, choices, token};
use crate::{
    aiven::{Place, api},
    azure::keys::Text,
    clouds::Clouds,
    engine::Origin,
    error::{Error, Kind},
    fact::{Facts, Key},
    providers::{Input, Provider, TokenKind},
};

const PROJECT: &str = "PROJECT";
const ORGANIZATION: &str = "ORGANIZATION";
const VPC: &str = "VPC_ID";

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
            Input::Network | Input::Dns => {}
        }
    }
    Ok(())
}

/// What is given, without looking anything up.
pub(super) fn offline(g: &mut Gather<'_>, provider: &Provider) -> Result<(), Error> {
    for input in provider.inputs {
        let Some((_, name)) = named(*input) else {
            continue;
        };
        let arg = arg_of(*input);
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

/// The fact that an answer becomes, and the answer's name.
fn named(input: Input) -> Option<(Key<Text>, &'static str)> {
    match input {
        Input::Project => Some((api::AIVEN_PROJECT, PROJECT)),
        Input::Organization => Some((api::AIVEN_ORGANIZATION_ID, ORGANIZATION)),
        Input::ProjectVpc => Some((api::AIVEN_PROJECT_VPC_ID, VPC)),
        Input::OrganizationVpc => Some((api::AIVEN_ORGANIZATION_VPC_ID, VPC)),
        Input::Network | Input::Dns => None,
    }
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
pub fn fact_name(input: Input) -> Option<&'static str> {
    named(input).map(|(key, _)| key.name)
}

/// The facts that an answer gives.
pub(super) fn facts_of<'a>(
    input: Input,
    value: &impl Fn(&str) -> Option<&'a str>,
    facts: &mut Facts,
) {
    let Some((key, name)) = named(input) else {
        return;
    };
    if let Some(value) = value(name) {
        facts.set(key, value.into());
    }
}

/// The facts that follow from the run's name.
pub(super) fn derived(_: &Provider, _: &str, _: &mut Facts) {}

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
