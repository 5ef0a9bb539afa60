//! What Aiven has to be told, its token, and what its own client `avn` knows of both.

use super::{Place, api, keys, vendor::VENDOR};
use crate::{
    clouds::Clouds,
    error::{Error, Kind},
    fact::Secret,
    http::ApiError,
    net::RANGE_SEPARATOR,
    provider::{Asked, Flag, Input, Listed, Offer, OwnFile, TokenKind, text},
};
use futures_util::future::LocalBoxFuture;
use serde_json::Value;
use std::{env, fs, path::PathBuf};

const PROJECT_FLAG: Flag = Flag {
    id: "project",
    variable: Some("AIVEN_PROJECT"),
    form: "NAME",
    help: "The Aiven or Timescale project",
    parse: text,
    list: None,
};

const VPC_FLAG: Flag = Flag {
    id: "vpc",
    variable: Some("PEER_WIZARD_VPC"),
    form: "ID",
    help: "The VPC of the Aiven project or organization",
    parse: text,
    list: None,
};

/// A project.
pub const PROJECT: Input = Input {
    flag: &PROJECT_FLAG,
    answer: "PROJECT",
    fact: keys::AIVEN_PROJECT.named(),
    label: "Project",
    identifies: true,
    default: None,
    is_answer: |_| true,
    detected: Some(|| avn_file(&CONFIG)),
    needs: None,
    choices: Some(|asked| Box::pin(projects(asked.clouds))),
    sample: Some("project"),
};

/// A VPC of that project.
pub const PROJECT_VPC: Input = Input {
    flag: &VPC_FLAG,
    answer: "VPC_ID",
    fact: keys::AIVEN_PROJECT_VPC_ID.named(),
    label: "VPC",
    detected: None,
    needs: Some(PROJECT.answer),
    choices: Some(|asked| vpcs(asked, Place::Project, PROJECT.answer)),
    sample: Some("project_vpc"),
    ..PROJECT
};

/// An organization.
pub const ORGANIZATION: Input = Input {
    flag: &Flag {
        id: "organization",
        variable: Some("PEER_WIZARD_ORGANIZATION"),
        form: "ID",
        help: "The Aiven organization",
        parse: text,
        list: None,
    },
    answer: "ORGANIZATION",
    fact: keys::AIVEN_ORGANIZATION_ID.named(),
    label: "Organization",
    detected: None,
    choices: Some(|asked| Box::pin(organizations(asked.clouds))),
    sample: Some("organization"),
    ..PROJECT
};

/// A VPC of that organization.
pub const ORGANIZATION_VPC: Input = Input {
    fact: keys::AIVEN_ORGANIZATION_VPC_ID.named(),
    needs: Some(ORGANIZATION.answer),
    choices: Some(|asked| vpcs(asked, Place::Organization, ORGANIZATION.answer)),
    sample: Some("organization_vpc"),
    ..PROJECT_VPC
};

/// Aiven's token; Timescale's looks the same.
pub const TOKEN: TokenKind = TokenKind {
    services: "Aiven, Timescale",
    words: "Aiven or Timescale token",
    variables: &["AIVEN_AUTH_TOKEN", "AIVEN_TOKEN"],
    file: Some(OwnFile {
        words: "the file that `avn user login` wrote",
        token: || avn_file(&CREDENTIALS).map(Secret::from),
    }),
    vendor: &VENDOR,
    roots: Some("AIVEN_CA_CERT"),
    sample: "aiven_token",
    probe: Some(|clouds| Box::pin(may_see(clouds))),
};

async fn may_see(clouds: &Clouds) -> Result<String, ApiError> {
    let projects = clouds.send(&api::projects()).await?.projects;
    let names: Vec<String> = projects.into_iter().map(|it| it.project_name).collect();
    Ok(format!("it may see the projects {}", names.join(", ")))
}

async fn projects(clouds: &Clouds) -> Result<Listed, ApiError> {
    let all = clouds.send(&api::projects()).await?.projects;
    if all.is_empty() {
        return Ok(Listed::Nothing(
            Error::new(Kind::Refused, "the token may see no project")
                .hint("use a token of a user who is a member of the project"),
        ));
    }
    let offer = |it: api::Project| Offer {
        label: it.project_name.clone(),
        value: it.project_name,
        note: String::new(),
    };
    Ok(Listed::Choices(all.into_iter().map(offer).collect()))
}

async fn organizations(clouds: &Clouds) -> Result<Listed, ApiError> {
    let all = clouds.send(&api::organizations()).await?.organizations;
    if all.is_empty() {
        return Ok(Listed::Nothing(
            Error::new(Kind::Refused, "the token may see no organization")
                .hint("use a token of a user who belongs to it, or connect a project VPC instead"),
        ));
    }
    let offer = |it: api::Organization| Offer {
        label: it.organization_name,
        note: it.organization_id.clone(),
        value: it.organization_id,
    };
    Ok(Listed::Choices(all.into_iter().map(offer).collect()))
}

fn vpcs<'a>(
    asked: Asked<'a>,
    place: Place,
    owner: &'static str,
) -> LocalBoxFuture<'a, Result<Listed, ApiError>> {
    let owner = asked.answers.get(owner);
    let owner = owner.map_or("", |answer| answer.value.as_str());
    Box::pin(vpcs_of(asked.clouds, place, owner))
}

/// The VPCs that can be peered, or what is wrong with those there are.
async fn vpcs_of(clouds: &Clouds, place: Place, owner: &str) -> Result<Listed, ApiError> {
    let all = match clouds.send(&api::vpcs(place, owner)).await {
        Ok(list) => list.vpcs,
        Err(error) if error.is_missing() => {
            let what = format!("there is no `{owner}` that the token may see");
            return Ok(Listed::Nothing(Error {
                kind: Kind::Usage,
                ..Error::of_api(what, error)
            }));
        }
        Err(error) => return Err(error),
    };
    let (good, bad): (Vec<_>, Vec<_>) = all
        .into_iter()
        .partition(|vpc| vpc.is_on_azure() && vpc.state == "ACTIVE");
    if good.is_empty() {
        let error = Error::new(
            Kind::Refused,
            format!("`{owner}` has no VPC on Azure that is ACTIVE"),
        );
        let others: Vec<String> = bad.iter().map(lacking).collect();
        return Ok(Listed::Nothing(error.hint(if others.is_empty() {
            "create a VPC on an azure-… cloud first; it takes some minutes".to_owned()
        } else {
            format!("it has: {}", others.join("; "))
        })));
    }
    let offer = |vpc: &api::Vpc| {
        let clouds = vpc.cloud_names().join(RANGE_SEPARATOR);
        let ranges = vpc.ranges().join(RANGE_SEPARATOR);
        Offer {
            value: vpc.id().to_owned(),
            label: match &vpc.display_name {
                Some(name) => format!("{name} ({})", vpc.id()),
                None => vpc.id().to_owned(),
            },
            note: format!("{clouds}  {ranges}"),
        }
    };
    Ok(Listed::Choices(good.iter().map(offer).collect()))
}

fn lacking(vpc: &api::Vpc) -> String {
    let clouds = vpc.cloud_names().join(RANGE_SEPARATOR);
    format!("{} is on {clouds} in state {}", vpc.id(), vpc.state)
}

/// A field of one of the files of `avn`.
struct AvnField {
    /// The variable that names another file.
    variable: &'static str,
    file: &'static str,
    field: &'static str,
}

const CREDENTIALS: AvnField = AvnField {
    variable: "AIVEN_CREDENTIALS_FILE",
    file: "aiven-credentials.json",
    field: "auth_token",
};

const CONFIG: AvnField = AvnField {
    variable: "AIVEN_CLIENT_CONFIG",
    file: "aiven-client.json",
    field: "default_project",
};

/// Looks for the file in the same order as `avn` does.
fn avn_file(of: &AvnField) -> Option<String> {
    let variable = |name: &str| env::var(name).ok().filter(|it| !it.trim().is_empty());
    let path = |text: String| PathBuf::from(text.trim());
    let path = variable(of.variable).map(path).or_else(|| {
        let folder = variable("AIVEN_CONFIG_DIR").map(path).or_else(|| {
            let home = directories::BaseDirs::new()?;
            Some(home.home_dir().join(".config").join("aiven"))
        });
        Some(folder?.join(of.file))
    })?;
    let text = fs::read_to_string(path).ok()?;
    let value: Value = serde_json::from_str(&text).ok()?;
    let value = value.get(of.field)?.as_str()?;
    (!value.is_empty()).then(|| value.to_owned())
}
