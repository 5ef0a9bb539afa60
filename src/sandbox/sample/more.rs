//! More of what the sample world has one of, for those who try two runs over one network: added on demand, because the
//! only choice is what most people have.

use super::ids::{AIVEN_SUBSCRIPTION, KONG_SUBSCRIPTION, related};
use super::network::vnet;
use crate::sandbox::world::{
    Application, GatewayNetwork, Principal, Subscription, Tenant, Vpc, World,
};

impl World {
    /// Adds a ready Dedicated Cloud Gateway network on Azure and gives its id. Its range is its own.
    pub fn add_gateway_network(&mut self) -> String {
        let number = self.konnect.networks.len();
        let id = related(&format!("gateway network {number}"), 'a');
        let cidr = format!("10.{}.0.0/16", 200 + number);
        let home = vnet(
            KONG_SUBSCRIPTION,
            "cgw-westeurope",
            &format!("cgw-{}", &id[..8]),
            "westeurope",
            &cidr,
        );
        let azure = self
            .konnect
            .accounts
            .iter()
            .find(|account| account.provider == "azure");
        self.konnect.networks.push(GatewayNetwork {
            id: id.clone(),
            name: format!("edge-europe-{number}"),
            account: azure.map(|account| account.id.clone()).unwrap_or_default(),
            region: "westeurope".into(),
            cidr,
            state: "ready".into(),
            created: "2025-02-10T08:00:00Z".into(),
            network: home.id(),
            ..GatewayNetwork::default()
        });
        self.networks.push(home);
        id
    }

    /// Adds a vendor's tenant, with a subscription and the application that it publishes.
    pub(in crate::sandbox) fn add_vendor(
        &mut self,
        name: &str,
        app_name: &str,
        [tenant, subscription, app_id]: [&str; 3],
    ) {
        let domain = format!("{}.example", name.to_lowercase());
        self.tenants.push(Tenant {
            id: tenant.into(),
            name: name.into(),
            domain,
        });
        self.subscriptions.push(Subscription {
            id: subscription.into(),
            tenant: tenant.into(),
            name: format!("{name} networks"),
            ..Subscription::default()
        });
        self.applications.push(Application {
            tenant: tenant.into(),
            id: related(app_id, 'a'),
            app_id: app_id.into(),
            display_name: app_name.into(),
            audience: "AzureADMultipleOrgs".into(),
            created: "2025-01-15T09:00:00Z".into(),
            ..Application::default()
        });
        self.principals.push(Principal {
            tenant: tenant.into(),
            id: related(app_id, 'b'),
            app_id: app_id.into(),
            owner_tenant: tenant.into(),
            display_name: app_name.into(),
            created: "2025-01-15T09:00:05Z".into(),
            enabled: true,
            ..Principal::default()
        });
    }

    /// Adds an active VPC on Azure to a project at Aiven or Timescale and gives its id. Its range is its own.
    pub fn add_project_vpc(&mut self, project: &str) -> String {
        let timescale = self.aiven.accounts.iter().any(|account| {
            account.realm == "timescale" && account.projects.iter().any(|name| name == project)
        });
        let cloud = if timescale {
            "timescale-azure-westeurope"
        } else {
            "azure-westeurope"
        };
        self.add_vpc(Some(project.to_owned()), None, cloud)
    }

    /// Adds an active VPC on Azure to an organization at Aiven and gives its id. Its range is its own.
    pub fn add_organization_vpc(&mut self, organization: &str) -> String {
        self.add_vpc(None, Some(organization.to_owned()), "azure-westeurope")
    }

    fn add_vpc(
        &mut self,
        project: Option<String>,
        organization: Option<String>,
        cloud: &str,
    ) -> String {
        let number = self.aiven.vpcs.len();
        let id = related(&format!("vpc {number}"), 'a');
        let cidr = format!("172.16.{}.0/22", 4 * number);
        let home = vnet(
            AIVEN_SUBSCRIPTION,
            "vpc-westeurope",
            &format!("vpc-{}", &id[..8]),
            "westeurope",
            &cidr,
        );
        self.aiven.vpcs.push(Vpc {
            id: id.clone(),
            project,
            organization,
            cloud: cloud.into(),
            cidr,
            state: "ACTIVE".into(),
            created: "2025-02-01T08:00:00Z".into(),
            network: home.id(),
            ..Vpc::default()
        });
        self.networks.push(home);
        id
    }
}
