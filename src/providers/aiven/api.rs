//! Aiven's REST API, v1. <https://api.aiven.io/doc/>

use super::{
    keys::{AIVEN_ORGANIZATION_ID, AIVEN_ORGANIZATION_VPC_ID, AIVEN_PROJECT, AIVEN_PROJECT_VPC_ID},
    vendor::SERVICE,
};
use crate::{
    azure::keys::Text,
    clouds::Clouds,
    fact::{Facts, Key, Missing},
    http::{ApiError, Call, segment},
};
use serde::Deserialize;
use serde_json::{Value, json};

/// What the cloud names of VPCs on Azure begin with.
pub const ON_AZURE: [&str; 2] = ["azure-", "timescale-azure-"];

/// Where a VPC lives, and under which facts its ids are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In a project; the paths say `project`.
    Project,
    Organization,
}

/// The two ids that name a VPC.
#[derive(Clone, Debug)]
pub struct VpcName {
    pub place: Place,
    /// The project's name or the organization's id.
    pub owner: String,
    pub id: String,
}

impl Place {
    /// The key of the owner: the project's name, the organization's id.
    #[must_use]
    pub fn owner(self) -> Key<Text> {
        match self {
            Self::Project => AIVEN_PROJECT,
            Self::Organization => AIVEN_ORGANIZATION_ID,
        }
    }

    /// The key of the VPC's id.
    #[must_use]
    pub fn vpc(self) -> Key<Text> {
        match self {
            Self::Project => AIVEN_PROJECT_VPC_ID,
            Self::Organization => AIVEN_ORGANIZATION_VPC_ID,
        }
    }

    /// The VPC that the facts name.
    ///
    /// # Errors
    /// When they do not name one.
    pub fn named(self, facts: &Facts) -> Result<VpcName, Missing> {
        Ok(VpcName {
            place: self,
            owner: facts.get(self.owner())?.into(),
            id: facts.get(self.vpc())?.into(),
        })
    }
}

/// A VPC of a project or an organization.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Vpc {
    /// The id of a project's.
    pub project_vpc_id: Option<String>,
    /// The id of an organization's.
    pub organization_vpc_id: Option<String>,
    /// What people call an organization's.
    pub display_name: Option<String>,
    /// Where a project's is.
    pub cloud_name: Option<String>,
    /// The range of a project's.
    pub network_cidr: Option<String>,
    /// Where an organization's is, and its ranges.
    pub clouds: Option<Vec<VpcCloud>>,
    /// `ACTIVE` when it can be peered.
    pub state: String,
    /// Its peerings; in the answer about one VPC only.
    pub peering_connections: Option<Vec<Row>>,
}

/// Where an organization's VPC is.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct VpcCloud {
    /// Such as `azure-westeurope`.
    pub cloud_name: String,
    pub network_cidr: String,
}

impl Vpc {
    #[must_use]
    pub fn id(&self) -> &str {
        let id = self.project_vpc_id.as_deref();
        id.or(self.organization_vpc_id.as_deref()).unwrap_or("")
    }

    #[must_use]
    pub fn cloud_names(&self) -> Vec<&str> {
        let many = self
            .clouds
            .iter()
            .flatten()
            .map(|it| it.cloud_name.as_str());
        self.cloud_name.as_deref().into_iter().chain(many).collect()
    }

    #[must_use]
    pub fn ranges(&self) -> Vec<&str> {
        let many = self
            .clouds
            .iter()
            .flatten()
            .map(|it| it.network_cidr.as_str());
        self.network_cidr
            .as_deref()
            .into_iter()
            .chain(many)
            .collect()
    }

    /// Whether all of it is on Azure.
    #[must_use]
    pub fn is_on_azure(&self) -> bool {
        let names = self.cloud_names();
        !names.is_empty()
            && names
                .iter()
                .all(|name| ON_AZURE.iter().any(|prefix| name.starts_with(prefix)))
    }
}

/// A peering as Aiven sees it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Row {
    /// The subscription of the other network.
    pub peer_cloud_account: Option<String>,
    pub peer_resource_group: Option<String>,
    pub peer_vpc: Option<String>,
    /// The application that makes the other half.
    pub peer_azure_app_id: Option<String>,
    /// The tenant of the other network.
    pub peer_azure_tenant_id: Option<String>,
    /// Its id; an organization's only.
    pub peering_connection_id: Option<String>,
    /// Aiven's word for how it stands; the set is open.
    pub state: String,
    /// More about the state. It changes with the state and may be gone with the next one.
    pub state_info: Option<Value>,
}

/// What a state of a row means for a peering that is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Under way, or a state not known here.
    Waiting,
    /// Aiven's half is there; yours is waited for.
    PendingPeer,
    Active,
    /// It failed; asking again can help.
    Failed,
    /// The other half was removed; only a new one helps.
    Orphaned,
    Going,
    Gone,
}

impl Row {
    /// What its state means. An unknown one is waited out: the set grows.
    #[must_use]
    pub fn standing(&self) -> Standing {
        match self.state.as_str() {
            "PENDING_PEER" => Standing::PendingPeer,
            "ACTIVE" => Standing::Active,
            "INVALID_SPECIFICATION" | "REJECTED_BY_PEER" | "ERROR" => Standing::Failed,
            "DELETED_BY_PEER" => Standing::Orphaned,
            "DELETING" => Standing::Going,
            "DELETED" => Standing::Gone,
            _ => Standing::Waiting,
        }
    }

    /// A text of the state's information.
    #[must_use]
    pub fn info(&self, name: &str) -> Option<&str> {
        self.state_info.as_ref()?.get(name)?.as_str()
    }

    /// The state, and Aiven's words about it.
    #[must_use]
    pub fn says(&self) -> String {
        match self.info("message") {
            Some(message) => format!("{}: {message}", self.state),
            None => self.state.clone(),
        }
    }
}

/// What Aiven is told of your network. It takes lower case only.
#[derive(Clone, Debug)]
pub struct Peer {
    pub account: String,
    pub resource_group: String,
    pub vnet: String,
}

impl Peer {
    /// Whether the row is about this network.
    #[must_use]
    pub fn is(&self, row: &Row) -> bool {
        let same = |mine: &str, other: &Option<String>| {
            other
                .as_deref()
                .is_some_and(|other| other.to_lowercase() == mine)
        };
        same(&self.account, &row.peer_cloud_account)
            && same(&self.resource_group, &row.peer_resource_group)
            && same(&self.vnet, &row.peer_vpc)
    }
}

#[derive(Debug, Deserialize)]
pub struct Projects {
    /// All that the token's user is a member of.
    #[serde(default)]
    pub projects: Vec<Project>,
}

#[derive(Debug, Deserialize)]
pub struct Project {
    /// Its name, by which it is asked for.
    pub project_name: String,
}

#[derive(Debug, Deserialize)]
pub struct Organizations {
    /// All that the token's user belongs to.
    #[serde(default)]
    pub organizations: Vec<Organization>,
}

#[derive(Debug, Deserialize)]
pub struct Organization {
    pub organization_id: String,
    #[serde(default)]
    pub organization_name: String,
}

#[derive(Debug, Deserialize)]
pub struct Vpcs {
    /// All of the project or organization, without their peerings.
    #[serde(default, alias = "organization_vpcs")]
    pub vpcs: Vec<Vpc>,
}

/// The projects that the token can see.
#[must_use]
pub fn projects() -> Call<Projects> {
    Call::get(SERVICE, "/v1/project")
}

/// The organizations that the token can see.
#[must_use]
pub fn organizations() -> Call<Organizations> {
    Call::get(SERVICE, "/v1/organizations")
}

/// The VPCs of a project or an organization.
#[must_use]
pub fn vpcs(place: Place, owner: &str) -> Call<Vpcs> {
    let owner = segment(owner);
    Call::get(
        SERVICE,
        match place {
            Place::Project => format!("/v1/project/{owner}/vpcs"),
            Place::Organization => format!("/v1/organization/{owner}/vpcs"),
        },
    )
}

impl VpcName {
    /// The path of the VPC. Organization VPCs have two families of paths: `vpc/…` of the API's description, and
    /// `vpcs/…` of Aiven's own command line client.
    fn path(&self, plural: bool) -> String {
        let (owner, id) = (segment(&self.owner), segment(&self.id));
        match (self.place, plural) {
            (Place::Project, _) => format!("/v1/project/{owner}/vpcs/{id}"),
            (Place::Organization, false) => format!("/v1/organization/{owner}/vpc/{id}"),
            (Place::Organization, true) => format!("/v1/organization/{owner}/vpcs/{id}"),
        }
    }

    fn get(&self, plural: bool) -> Call<Vpc> {
        Call::get(SERVICE, self.path(plural))
    }

    fn create(&self, plural: bool, body: Value) -> Call<Row> {
        let path = format!("{}/peering-connections", self.path(plural));
        Call::post(SERVICE, path, body)
    }

    fn deletion(&self, plural: bool, peer: &Peer, row: &Row) -> Call<Value> {
        let vpc = self.path(plural);
        let id = segment(row.peering_connection_id.as_deref().unwrap_or_default());
        let path = match (self.place, plural) {
            (Place::Project, _) => format!(
                "{vpc}/peering-connections/peer-accounts/{}/peer-resource-groups/{}/peer-vpcs/{}",
                segment(row.peer_cloud_account.as_deref().unwrap_or(&peer.account)),
                segment(
                    row.peer_resource_group
                        .as_deref()
                        .unwrap_or(&peer.resource_group)
                ),
                segment(row.peer_vpc.as_deref().unwrap_or(&peer.vnet)),
            ),
            (Place::Organization, false) => format!("{vpc}/peering-connection/{id}"),
            (Place::Organization, true) => format!("{vpc}/peering-connections/{id}"),
        };
        Call::delete(SERVICE, path)
    }

    /// The VPC with its peerings, or nothing when there is none.
    ///
    /// # Errors
    /// What Aiven said.
    pub async fn look(&self, w: &Clouds) -> Result<Option<Vpc>, ApiError> {
        let known = w.learned(PLURAL);
        let vpc = w.look(&self.get(known.unwrap_or(false))).await?;
        if vpc.is_some() || known.is_some() || self.place == Place::Project {
            return Ok(vpc);
        }
        let vpc = w.look(&self.get(true)).await?;
        if vpc.is_some() {
            w.learn(PLURAL, true);
        }
        Ok(vpc)
    }

    /// The peering with this network; a living one before a dead one, and none that is deleted.
    ///
    /// # Errors
    /// What Aiven said.
    pub async fn row(&self, w: &Clouds, peer: &Peer) -> Result<Option<Row>, ApiError> {
        Ok(self.look(w).await?.and_then(|vpc| best(vpc, peer)))
    }

    /// Asks for a peering, or again for one that failed.
    ///
    /// # Errors
    /// What Aiven said.
    pub async fn ask(
        &self,
        w: &Clouds,
        peer: &Peer,
        app: &str,
        tenant: &str,
    ) -> Result<Row, ApiError> {
        let body = json!({
            "peer_cloud_account": peer.account,
            "peer_resource_group": peer.resource_group,
            "peer_vpc": peer.vnet,
            "peer_azure_app_id": app.to_lowercase(),
            "peer_azure_tenant_id": tenant.to_lowercase(),
        });
        w.send(&self.create(plural(w), body)).await
    }

    /// Asks for the deletion of a peering.
    ///
    /// # Errors
    /// What Aiven said; that it is gone already is none.
    pub async fn delete(&self, w: &Clouds, peer: &Peer, row: &Row) -> Result<(), ApiError> {
        w.forget(&self.deletion(plural(w), peer, row)).await?;
        Ok(())
    }
}

/// Which of the two families of organization paths answers here, once that is known.
const PLURAL: &str = "the plural paths of organizations";

fn plural(w: &Clouds) -> bool {
    w.learned(PLURAL).unwrap_or(false)
}

/// The row about this network, if the VPC has one.
#[must_use]
pub fn best(vpc: Vpc, peer: &Peer) -> Option<Row> {
    vpc.peering_connections
        .unwrap_or_default()
        .into_iter()
        .filter(|row| peer.is(row) && row.standing() != Standing::Gone)
        .min_by_key(|row| match row.standing() {
            Standing::Active => 0,
            Standing::PendingPeer => 1,
            Standing::Waiting => 2,
            Standing::Failed | Standing::Orphaned => 3,
            Standing::Going | Standing::Gone => 4,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(vnet: &str, state: &str) -> Row {
        Row {
            peer_cloud_account: Some("s".into()),
            peer_resource_group: Some("RG".into()),
            peer_vpc: Some(vnet.into()),
            state: state.into(),
            ..Row::default()
        }
    }

    #[test]
    fn rows_are_matched_whatever_their_case_and_the_living_one_wins() {
        let peer = Peer {
            account: "s".into(),
            resource_group: "rg".into(),
            vnet: "v".into(),
        };
        let vpc = Vpc {
            peering_connections: Some(vec![
                row("V", "DELETED"),
                row("other", "ACTIVE"),
                row("V", "INVALID_SPECIFICATION"),
                row("v", "APPROVED"),
            ]),
            ..Vpc::default()
        };
        assert_eq!(
            best(vpc, &peer).map(|row| row.state).as_deref(),
            Some("APPROVED")
        );
    }

    #[test]
    fn an_unknown_state_is_waited_out() {
        assert_eq!(row("v", "SOMETHING_NEW").standing(), Standing::Waiting);
    }

    #[test]
    fn clouds_on_azure_are_told_by_their_names() {
        let vpc = |name: &str| Vpc {
            cloud_name: Some(name.into()),
            ..Vpc::default()
        };
        assert!(vpc("azure-westeurope").is_on_azure());
        assert!(vpc("timescale-azure-westeurope").is_on_azure());
        assert!(!vpc("aws-eu-west-1").is_on_azure());
        assert!(!Vpc::default().is_on_azure());
    }
}
