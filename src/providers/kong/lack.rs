//! What Kong may be waiting for on your side, found by looking instead of guessing.

use super::{super::diagnosis::not_allowed, keys::KONG};
use crate::{
    azure::{
        Fault, arm, graph,
        keys::{USER_TENANT_ID, USER_VNET_ID},
    },
    clouds::{AzureCloud, Clouds},
    fact::{Facts, Named},
    net::{covers, leaf},
};

/// What is missing on your side, and the page where it is mended.
pub struct Lack {
    pub text: String,
    pub url: String,
}

/// What [`lack`] reads.
pub const READS: [Named; 5] = [
    KONG.app_id.named(),
    KONG.sp_id.named(),
    KONG.role_id.named(),
    USER_TENANT_ID.named(),
    USER_VNET_ID.named(),
];

/// Looks for what Kong may be waiting for: its principal, the `actions` of its role, the role's assignment. A look that
/// is not allowed tells nothing.
///
/// # Errors
/// When a fact is missing, or a look failed in passing.
pub async fn lack(
    w: &Clouds,
    f: &Facts,
    login_host: &str,
    actions: &[&str],
) -> Result<Option<Lack>, Fault> {
    let (app, tenant, vnet) = (
        f.get(KONG.app_id)?,
        f.get(USER_TENANT_ID)?,
        f.get(USER_VNET_ID)?.to_string(),
    );
    let role = f.get(KONG.role_id)?;
    let principal = match w.look(&graph::principal(&app)).await {
        Ok(Some(principal)) => principal.id,
        Ok(None) => {
            return Ok(Some(Lack {
                text: format!(
                    "Kong waits for its service principal, which is missing in your tenant: `az ad sp create --id {app}`, or let an Application Administrator open this link; a new principal needs its role assigned anew"
                ),
                url: format!("{login_host}/{tenant}/adminconsent?client_id={app}"),
            }));
        }
        Err(error) => {
            not_allowed(error)?;
            f.get(KONG.sp_id)?.into()
        }
    };
    let access = || format!("{}/#@{tenant}/resource{vnet}/users", portal(login_host));
    let guid = leaf(role.as_ref());
    match w.look(&arm::role("", guid)).await {
        Ok(Some(defined)) => {
            let lacking: Vec<&str> = actions
                .iter()
                .copied()
                .filter(|action| {
                    !defined
                        .properties
                        .permissions
                        .iter()
                        .any(|it| it.allows(action))
                })
                .collect();
            if !lacking.is_empty() {
                return Ok(Some(Lack {
                    text: format!(
                        "Kong waits for rights: its role `{}` lacks {}; add them to the role",
                        defined.properties.role_name,
                        lacking.join(", ")
                    ),
                    url: access(),
                }));
            }
        }
        Ok(None) => {
            return Ok(Some(Lack {
                text: "Kong waits for its role, which somebody deleted: undo this run and begin anew, or define and assign it again".into(),
                url: access(),
            }));
        }
        Err(error) => not_allowed(error)?,
    }
    let assigned = match w.list(&arm::assignments(&vnet, Some(&principal))).await {
        Ok(list) => list.iter().any(|it| {
            leaf(&it.properties.role_definition_id).eq_ignore_ascii_case(guid)
                && covers(&it.properties.scope, &vnet)
        }),
        Err(error) => {
            not_allowed(error)?;
            true
        }
    };
    Ok((!assigned).then(|| Lack {
        text: format!(
            "Kong waits for the assignment of its role, which is missing on your VNet: `az role assignment create --role {guid} --assignee-object-id {principal} --assignee-principal-type ServicePrincipal --scope {}`",
            crate::shell::single(&vnet)
        ),
        url: access(),
    }))
}

/// The portal of the Azure cloud that the login host belongs to.
fn portal(login_host: &str) -> &'static str {
    let host = login_host.trim_end_matches('/');
    if host == AzureCloud::UsGovernment.login_host() {
        "https://portal.azure.us"
    } else if host == AzureCloud::China.login_host() {
        "https://portal.azure.cn"
    } else {
        "https://portal.azure.com"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_portal_is_that_of_the_cloud() {
        assert_eq!(
            portal("https://login.microsoftonline.com"),
            "https://portal.azure.com"
        );
        assert_eq!(
            portal("https://login.microsoftonline.us/"),
            "https://portal.azure.us"
        );
        assert_eq!(
            portal("https://login.chinacloudapi.cn"),
            "https://portal.azure.cn"
        );
        assert_eq!(portal("https://127.0.0.1:1"), "https://portal.azure.com");
    }
}
