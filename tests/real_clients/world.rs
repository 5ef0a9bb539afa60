//! What lies in the clouds before a script runs, or comes there meanwhile.

use crate::support::{Bench, Cloud};
use peer_wizard::{
    provider::Provider,
    sandbox::parts::{Permission, Role},
};

/// Lets the provider peer with another VNet of the same subscription, by the role and the principal that are there.
pub fn rely_on(bench: &Bench, provider: &Provider) {
    let tenant = bench.cloud.sandbox.sample().tenant;
    bench.cloud.sandbox.edit(|world| {
        let principal = world
            .principals
            .iter()
            .find(|it| it.app_id == provider.app_id && it.tenant == tenant && it.deleted.is_none())
            .expect("the run let the provider in")
            .id
            .clone();
        let ours = world
            .assignments
            .iter()
            .find(|it| it.principal == principal);
        let mut another = ours.expect("the run gave it a role").clone();
        another.id = "8c7d6e5f-4a3b-4c2d-9e0f-1a2b3c4d5e6f".into();
        another.scope = another.scope.replace("vnet-hub-prod", "VNet-Apps");
        world.assignments.push(another);
    });
}

/// An earlier peering in another subscription of the same tenant has left the provider's role there.
pub fn role_of_another_subscription(cloud: &Cloud, provider: &Provider) {
    let tenant = cloud.sandbox.sample().tenant;
    cloud.sandbox.edit(|world| {
        let other = world
            .subscriptions
            .iter()
            .find(|it| it.name == "Development");
        let other = other.expect("the sample world has it").id.clone();
        world.roles.push(Role {
            tenant,
            id: "3a8d0f12-5c4b-4e6d-9f70-8b9c0d1e2f3a".into(),
            name: provider.role_name.into(),
            description: provider.allows.description.into(),
            permissions: vec![Permission {
                actions: provider
                    .allows
                    .actions
                    .iter()
                    .map(|it| (*it).to_owned())
                    .collect(),
                ..Permission::default()
            }],
            assignable_scopes: vec![format!("/subscriptions/{other}")],
            created: "2025-06-01T08:00:00Z".into(),
            updated: "2025-06-01T08:00:00Z".into(),
            ..Role::default()
        });
    });
}
