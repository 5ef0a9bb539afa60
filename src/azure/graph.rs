//! Microsoft Graph v1.0: applications and service principals.
//! <https://learn.microsoft.com/graph/api/resources/application>

use super::keys::{AppId, AppObjectId, PrincipalId};
use crate::{
    fact::Secret,
    http::{Call, Service::Graph, segment},
};
use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// An application registration.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Application {
    /// The object id.
    pub id: String,
    /// The application (client) id.
    pub app_id: String,
    /// What people call it.
    #[serde(default)]
    pub display_name: Option<String>,
    /// `AzureADMultipleOrgs` when it can sign in to other tenants.
    #[serde(default)]
    pub sign_in_audience: Option<String>,
    /// Its tags.
    #[serde(default)]
    pub tags: Option<Vec<String>>,
    /// Its passwords, without their secrets.
    #[serde(default)]
    pub password_credentials: Option<Vec<PasswordCredential>>,
    /// Its certificates, without what they hold.
    #[serde(default)]
    pub key_credentials: Option<Vec<KeyCredential>>,
}

/// A password without its secret.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PasswordCredential {
    /// The id by which it is removed.
    pub key_id: String,
    /// What it was made for.
    #[serde(default)]
    pub display_name: Option<String>,
}

/// A certificate as Graph shows it, `"key": null`: kept as it came, since what is there already has to be written back unchanged.
/// <https://learn.microsoft.com/graph/api/resources/keycredential>
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(transparent)]
pub struct KeyCredential(Value);

impl KeyCredential {
    /// A new certificate in DER, to sign in with until `until`, RFC 3339.
    #[must_use]
    pub fn new(key_id: &str, name: &str, der: &[u8], [from, until]: [&str; 2]) -> Self {
        Self(json!({
            "type": "AsymmetricX509Cert",
            "usage": "Verify",
            "key": azure_core::base64::encode(der),
            "keyId": key_id,
            "displayName": name,
            "startDateTime": from,
            "endDateTime": until,
        }))
    }

    /// Its id.
    #[must_use]
    pub fn key_id(&self) -> &str {
        self.0["keyId"].as_str().unwrap_or_default()
    }

    /// What it was made for.
    #[must_use]
    pub fn display_name(&self) -> Option<&str> {
        self.0["displayName"].as_str()
    }
}

/// A password as it is told once, when it is made.
#[derive(Clone, Debug)]
pub struct NewPassword {
    /// The id by which it is removed.
    pub key_id: String,
    /// The password.
    pub secret: Secret,
}

impl<'de> Deserialize<'de> for NewPassword {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Wire {
            key_id: String,
            secret_text: String,
        }
        let Wire {
            key_id,
            secret_text,
        } = Wire::deserialize(deserializer)?;
        Ok(Self {
            key_id,
            secret: secret_text.into(),
        })
    }
}

/// A service principal.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ServicePrincipal {
    /// The object id, which roles are assigned to.
    pub id: String,
    /// The application it stands for.
    #[serde(default)]
    pub app_id: Option<String>,
    /// What people call it.
    #[serde(default)]
    pub display_name: Option<String>,
    /// The tenant that the application belongs to.
    #[serde(default)]
    pub app_owner_organization_id: Option<String>,
    /// Who Microsoft verified as its publisher.
    #[serde(default)]
    pub verified_publisher: Option<Named>,
    /// Its tags.
    #[serde(default)]
    pub tags: Option<Vec<String>>,
}

impl ServicePrincipal {
    /// The verified publisher, if it has one.
    #[must_use]
    pub fn publisher(&self) -> Option<&str> {
        let name = self.verified_publisher.as_ref()?.display_name.as_deref();
        name.filter(|name| !name.trim().is_empty())
    }
}

/// What has a name for people.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Named {
    /// That name.
    #[serde(default)]
    pub display_name: Option<String>,
}

/// <https://learn.microsoft.com/graph/api/directoryobject-get>
#[must_use]
pub fn directory_object(id: &str) -> Call<Named> {
    Call::get(Graph, format!("/v1.0/directoryObjects/{}", segment(id)))
}

/// <https://learn.microsoft.com/graph/api/application-get>
#[must_use]
pub fn application(id: &AppId) -> Call<Application> {
    Call::get(
        Graph,
        format!("/v1.0/applications(appId='{}')", key(id.as_ref())),
    )
}

/// <https://learn.microsoft.com/graph/api/application-get>
#[must_use]
pub fn application_by_unique_name(name: &str) -> Call<Application> {
    Call::get(Graph, unique_name_path(name))
}

/// Creates the application unless one has this unique name: 201 with it, or 204 without a body.
/// <https://learn.microsoft.com/graph/api/application-upsert>
#[must_use]
pub fn upsert_application(name: &str, display_name: &str, tag: &str) -> Call<Option<Application>> {
    Call::new(Graph, Method::PATCH, unique_name_path(name))
        .header("prefer", "create-if-missing")
        .json(json!({
            "displayName": display_name,
            "signInAudience": "AzureADMultipleOrgs",
            "tags": [tag],
        }))
}

/// <https://learn.microsoft.com/graph/api/application-delete>
#[must_use]
pub fn delete_application(id: &AppObjectId) -> Call<Value> {
    Call::delete(
        Graph,
        format!("/v1.0/applications/{}", segment(id.as_ref())),
    )
}

/// Adds a password that ends at `end`, RFC 3339.
/// <https://learn.microsoft.com/graph/api/application-addpassword>
#[must_use]
pub fn add_password(id: &AppObjectId, name: &str, end: &str) -> Call<NewPassword> {
    Call::post(
        Graph,
        format!("/v1.0/applications/{}/addPassword", segment(id.as_ref())),
        json!({ "passwordCredential": { "displayName": name, "endDateTime": end } }),
    )
}

/// <https://learn.microsoft.com/graph/api/application-removepassword>
#[must_use]
pub fn remove_password(id: &AppObjectId, key_id: &str) -> Call<Value> {
    Call::post(
        Graph,
        format!("/v1.0/applications/{}/removePassword", segment(id.as_ref())),
        json!({ "keyId": key_id }),
    )
}

/// Puts these in place of all certificates that there are.
/// <https://learn.microsoft.com/graph/api/application-update>
#[must_use]
pub fn put_keys(id: &AppObjectId, keys: &[KeyCredential]) -> Call<()> {
    let path = format!("/v1.0/applications/{}", segment(id.as_ref()));
    Call::new(Graph, Method::PATCH, path).json(json!({ "keyCredentials": keys }))
}

/// <https://learn.microsoft.com/graph/api/serviceprincipal-get>
#[must_use]
pub fn principal(app: &AppId) -> Call<ServicePrincipal> {
    Call::get(
        Graph,
        format!("/v1.0/servicePrincipals(appId='{}')", key(app.as_ref())),
    )
}

/// <https://learn.microsoft.com/graph/api/serviceprincipal-post-serviceprincipals>
#[must_use]
pub fn create_principal(app: &AppId, tag: &str) -> Call<ServicePrincipal> {
    Call::post(
        Graph,
        "/v1.0/servicePrincipals",
        json!({ "appId": app.as_ref(), "tags": [tag] }),
    )
}

/// <https://learn.microsoft.com/graph/api/serviceprincipal-delete>
#[must_use]
pub fn delete_principal(id: &PrincipalId) -> Call<Value> {
    Call::delete(
        Graph,
        format!("/v1.0/servicePrincipals/{}", segment(id.as_ref())),
    )
}

fn unique_name_path(name: &str) -> String {
    format!("/v1.0/applications(uniqueName='{}')", key(name))
}

/// A text as an `OData` key: quotes doubled, then encoded.
fn key(text: &str) -> String {
    segment(&text.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_cannot_leave_its_quotes() {
        let call = application_by_unique_name("it's/x");
        assert_eq!(call.path, "/v1.0/applications(uniqueName='it%27%27s%2Fx')");
    }

    #[test]
    fn the_new_password_is_not_shown() {
        let wire = json!({ "keyId": "k", "secretText": "hunter2", "hint": "hun" });
        let password: NewPassword = serde_json::from_value(wire).expect("the shape of Graph");
        assert!(!format!("{password:?}").contains("hunter2"));
        assert_eq!(password.secret.expose(), "hunter2");
    }
}
