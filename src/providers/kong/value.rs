//! Kong Konnect: networks of Dedicated Cloud Gateways on Azure.
//! <https://developer.konghq.com/dedicated-cloud-gateways/azure-peering/>

use super::{
    checks::NetworkReady,
    inputs,
    keys::KONG,
    probes::{Connected, Ready},
    steps::TransitGateway,
};
use crate::{
    azure::{
        Flow,
        steps::{Allows, MayGrant, Principal, VnetReady},
    },
    provider::{Provider, Shape, let_in},
};

/// Kong's application, as its guide names it. Konnect's page shows the one for your organization.
pub const APP_ID: &str = "207b296f-cf25-4d23-9eba-9a2c41dc62ca";

/// What the role allows: Kong makes both halves, so it also writes the one on the VNet, and deletes it in the end.
pub const ALLOWS: Allows = Allows {
    actions: &[
        "Microsoft.Network/virtualNetworks/read",
        "Microsoft.Network/virtualNetworks/virtualNetworkPeerings/read",
        "Microsoft.Network/virtualNetworks/virtualNetworkPeerings/write",
        "Microsoft.Network/virtualNetworks/virtualNetworkPeerings/delete",
        "Microsoft.Network/virtualNetworks/peer/action",
    ],
    description: "Perform cross-tenant network peering.",
    // The guide defines the role under one name and assigns it under the other.
    other_names: &["Kong Cloud Gateway Peering Creator"],
};

/// A network of Dedicated Cloud Gateways.
pub const KONG_CONNECT: Provider = Provider {
    id: "kong",
    name: "Kong",
    title: "Kong Konnect Dedicated Cloud Gateways",
    service: "Kong Konnect",
    app_id: APP_ID,
    side: KONG,
    role_name: "Kong Cloud Gateway Peering Creator - Kong",
    allows: ALLOWS,
    inputs: &[&inputs::NETWORK, &inputs::DNS],
    derived: &[inputs::GATEWAY_NAME],
    own_application: false,
    token: &inputs::TOKEN,
    halves: ["connected", "transit-gateway"],
    console: "https://cloud.konghq.com/",
    next_steps: &[
        "in Konnect, create a service with the private address or name of your upstream, and a route to it: https://developer.konghq.com/gateway/entities/route/",
        "your network security groups must allow the range of Kong's network (KONG_NETWORK_RANGE) to your upstreams' ports",
        "a firewall or route table on your side must let that range in, and send its answers back through the peering",
        "DNS servers that Kong is to ask must answer to that range on port 53, UDP and TCP",
        "test it: curl -i https://<your gateway's public host>/<route>; 503 or 504 means that the upstream cannot be reached",
    ],
    flow,
};

fn flow(provider: &Provider, shape: &Shape) -> Flow {
    let (name, side) = (provider.name, provider.side);
    let flow = Flow::new()
        .check(NetworkReady)
        .check(VnetReady { side })
        .check(MayGrant {
            role: provider.role(),
        });
    let principal = Principal::of(name, side, provider.app_id).by_consent(&shape.login_host);
    let_in(flow, provider, principal)
        .ensure(TransitGateway)
        .wait(Ready::new(&shape.login_host, provider.allows.actions))
        .wait(Connected)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_step_is_fed_by_the_answers_or_an_earlier_step() {
        let answers = BTreeSet::from([
            "KONG_APP_ID",
            "KONG_DNS",
            "KONG_GATEWAY_NAME",
            "KONG_NETWORK_ID",
            "ROLE_NAME",
            "USER_RESOURCE_GROUP",
            "USER_SUBSCRIPTION_ID",
            "USER_TENANT_ID",
            "USER_VNET_ID",
            "USER_VNET_NAME",
        ]);
        let flow = KONG_CONNECT.flow(&Shape::default());
        assert_eq!(flow.unfed(&answers), []);
    }

    #[test]
    fn the_gateway_goes_before_what_it_needs() {
        let flow = KONG_CONNECT.flow(&Shape::default());
        let order: Vec<&str> = flow.undo_order().iter().map(|it| it.about().id).collect();
        assert_eq!(
            order,
            [
                "transit-gateway",
                "provider-assignment",
                "role-scope",
                "role",
                "provider-principal"
            ]
        );
    }
}
