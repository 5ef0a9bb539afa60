//! Who is in the sample tenants, and what they may do.

use super::{
    ADMIN_APP, ADMIN_SECRET, ADMIN_SP, ADMINISTRATOR, AIVEN_APP, AIVEN_TENANT, DEVELOPMENT,
    KONG_APP, KONG_TENANT, OWNER, PERSON, PRODUCTION, TENANT, related,
};
use crate::sandbox::world::{Application, Assignment, Password, Principal, World, sha256};

/// The applications and principals that are there before anything happens, and what they may do.
pub(super) fn people(world: &mut World) {
    for (tenant, app_id, name, audience) in [
        (TENANT, ADMIN_APP, "Platform administration", "AzureADMyOrg"),
        (
            AIVEN_TENANT,
            AIVEN_APP,
            "Aiven VPC peering",
            "AzureADMultipleOrgs",
        ),
        (
            KONG_TENANT,
            KONG_APP,
            "kong-cgw-azure-vnet-peering-app",
            "AzureADMultipleOrgs",
        ),
    ] {
        let admin = app_id == ADMIN_APP;
        world.applications.push(Application {
            tenant: tenant.into(),
            id: related(app_id, 'a'),
            app_id: app_id.into(),
            display_name: name.into(),
            audience: audience.into(),
            created: "2025-01-15T09:00:00Z".into(),
            passwords: if admin {
                vec![admin_password()]
            } else {
                Vec::new()
            },
            ..Application::default()
        });
        world.principals.push(Principal {
            tenant: tenant.into(),
            id: if admin {
                ADMIN_SP.into()
            } else {
                related(app_id, 'b')
            },
            app_id: app_id.into(),
            owner_tenant: tenant.into(),
            display_name: name.into(),
            created: "2025-01-15T09:00:05Z".into(),
            enabled: true,
            directory_roles: if admin {
                vec![ADMINISTRATOR.into()]
            } else {
                Vec::new()
            },
            ..Principal::default()
        });
    }
    for (principal, kind) in [(ADMIN_SP, "ServicePrincipal"), (PERSON, "User")] {
        for subscription in [PRODUCTION, DEVELOPMENT] {
            world.assignments.push(Assignment {
                tenant: TENANT.into(),
                id: related(subscription, if kind == "User" { 'c' } else { 'd' }),
                scope: format!("/subscriptions/{subscription}"),
                role: OWNER.into(),
                principal: principal.into(),
                principal_type: kind.into(),
                created: "2025-01-15T09:10:00Z".into(),
                author: PERSON.into(),
                ..Assignment::default()
            });
        }
    }
}

fn admin_password() -> Password {
    Password {
        key_id: related(ADMIN_APP, 'e'),
        display_name: Some("practice".into()),
        start: "2025-01-15T09:00:00Z".into(),
        end: "2099-12-31T00:00:00Z".into(),
        hint: ADMIN_SECRET[..3].into(),
        sha256: sha256(ADMIN_SECRET),
        ..Password::default()
    }
}
