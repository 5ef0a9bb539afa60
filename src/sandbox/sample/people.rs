//! Who is in the sample tenants, and what they may do.

use super::ids::{
    ADMIN_APP, ADMIN_SECRET, ADMIN_SP, ADMINISTRATOR, DEVELOPMENT, OWNER, PERSON, PRODUCTION,
    TENANT, related,
};
use crate::sandbox::world::{Application, Assignment, Password, Principal, World, sha256};

/// The applications and principals that are there before anything happens, and what they may do.
pub(super) fn people(world: &mut World) {
    world.applications.push(Application {
        tenant: TENANT.into(),
        id: related(ADMIN_APP, 'a'),
        app_id: ADMIN_APP.into(),
        display_name: "Platform administration".into(),
        audience: "AzureADMyOrg".into(),
        created: "2025-01-15T09:00:00Z".into(),
        passwords: vec![admin_password()],
        ..Application::default()
    });
    world.principals.push(Principal {
        tenant: TENANT.into(),
        id: ADMIN_SP.into(),
        app_id: ADMIN_APP.into(),
        owner_tenant: TENANT.into(),
        display_name: "Platform administration".into(),
        created: "2025-01-15T09:00:05Z".into(),
        enabled: true,
        directory_roles: vec![ADMINISTRATOR.into()],
        ..Principal::default()
    });
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
