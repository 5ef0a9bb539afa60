//! What applications and service principals look like in answers.

use serde_json::{Value, json};

use super::keys;
use crate::sandbox::world::{Application, Principal, User};

/// <https://learn.microsoft.com/graph/api/application-get>
pub(super) fn application(app: &Application, domain: &str) -> Value {
    let passwords: Vec<Value> = app
        .passwords
        .iter()
        .filter(|password| password.shows.due())
        .map(|password| {
            json!({
                "customKeyIdentifier": null, "displayName": password.display_name, "endDateTime": password.end, "hint": password.hint,
                "keyId": password.key_id, "secretText": null, "startDateTime": password.start,
            })
        })
        .collect();
    let mut object = json!({
        "id": app.id,
        "deletedDateTime": app.deleted,
        "appId": app.app_id,
        "applicationTemplateId": null,
        "disabledByMicrosoftStatus": null,
        "createdDateTime": app.created,
        "displayName": app.display_name,
        "description": null,
        "groupMembershipClaims": null,
        "identifierUris": [],
        "isDeviceOnlyAuthSupported": null,
        "isFallbackPublicClient": null,
        "notes": null,
        "publisherDomain": domain,
        "serviceManagementReference": null,
        "signInAudience": app.audience,
        "tags": [],
        "tokenEncryptionKeyId": null,
        "uniqueName": app.unique_name,
        "samlMetadataUrl": null,
        "defaultRedirectUri": null,
        "certification": null,
        "optionalClaims": null,
        "servicePrincipalLockConfiguration": null,
        "requestSignatureVerification": null,
    });
    let nested = json!({
        "addIns": [],
        "api": {
            "acceptMappedClaims": null, "knownClientApplications": [], "requestedAccessTokenVersion": 2, "oauth2PermissionScopes": [],
            "preAuthorizedApplications": []
        },
        "appRoles": [],
        "info": information(),
        "keyCredentials": keys::shown(app, false),
        "parentalControlSettings": {"countriesBlockedForMinors": [], "legalAgeGroupRule": "Allow"},
        "passwordCredentials": passwords,
        "publicClient": {"redirectUris": []},
        "requiredResourceAccess": [],
        "verifiedPublisher": publisher(app.publisher.as_deref()),
        "web": {
            "homePageUrl": null, "logoutUrl": null, "redirectUris": [],
            "implicitGrantSettings": {"enableAccessTokenIssuance": false, "enableIdTokenIssuance": false}, "redirectUriSettings": []
        },
        "spa": {"redirectUris": []}
    });
    for (key, value) in nested.as_object().into_iter().flatten().chain(&app.extra) {
        object[key] = value.clone();
    }
    object
}

/// <https://learn.microsoft.com/graph/api/serviceprincipal-get>
pub(super) fn principal(principal: &Principal, app: Option<&Application>) -> Value {
    json!({
        "id": principal.id,
        "deletedDateTime": principal.deleted,
        "accountEnabled": principal.enabled,
        "alternativeNames": [],
        "appDisplayName": app.map_or(&principal.display_name, |app| &app.display_name),
        "appDescription": null,
        "appId": principal.app_id,
        "applicationTemplateId": null,
        "appOwnerOrganizationId": Some(&principal.owner_tenant).filter(|owner| !owner.is_empty()),
        "appRoleAssignmentRequired": false,
        "createdDateTime": principal.created,
        "description": null,
        "disabledByMicrosoftStatus": null,
        "displayName": principal.display_name,
        "homepage": null,
        "loginUrl": null,
        "logoutUrl": null,
        "notes": null,
        "notificationEmailAddresses": [],
        "preferredSingleSignOnMode": null,
        "preferredTokenSigningKeyThumbprint": null,
        "replyUrls": [],
        "servicePrincipalNames": [principal.app_id],
        "servicePrincipalType": "Application",
        "signInAudience": app.map_or("AzureADMultipleOrgs", |app| &app.audience),
        "tags": principal.tags,
        "tokenEncryptionKeyId": null,
        "samlSingleSignOnSettings": null,
        "addIns": [],
        "appRoles": [],
        "info": information(),
        "keyCredentials": [],
        "oauth2PermissionScopes": [],
        "passwordCredentials": [],
        "resourceSpecificApplicationPermissions": [],
        "verifiedPublisher": publisher(app.and_then(|app| app.publisher.as_deref())),
    })
}

/// <https://learn.microsoft.com/graph/api/user-get>
pub(super) fn user(user: &User) -> Value {
    json!({
        "id": user.id, "displayName": user.display_name, "userPrincipalName": user.name, "mail": user.name, "businessPhones": [],
        "givenName": null, "jobTitle": null, "mobilePhone": null, "officeLocation": null, "preferredLanguage": null, "surname": null,
    })
}

fn information() -> Value {
    json!({"logoUrl": null, "marketingUrl": null, "privacyStatementUrl": null, "supportUrl": null, "termsOfServiceUrl": null})
}

/// Who Microsoft verified as the publisher of an application: <https://learn.microsoft.com/graph/api/resources/verifiedpublisher>.
fn publisher(name: Option<&str>) -> Value {
    let of = |text: &'static str| name.map(|_| text);
    json!({"displayName": name, "verifiedPublisherId": of("4711001"), "addedDateTime": of("2024-03-01T10:00:00Z")})
}
