//! The sign-in service: who gets tokens, for which tenant.
//!
//! Models <https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow>,
//! <https://learn.microsoft.com/entra/identity-platform/v2-oauth2-device-code> and
//! <https://learn.microsoft.com/entra/identity-platform/reference-error-codes>.

mod assertions;
mod tokens;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use self::tokens::{Holder, LIFE, jwt, mint, moment};
use super::faults::Fault;
use super::lag::{Spread, now, parse_stamp};
use super::log::Service;
use super::wire::{Answer, Ask, Reply};
use super::world::{Grant, Tenant, World, guid, sha256};

pub(super) fn answer(world: &mut World, ask: &Ask) -> Reply {
    match ask.route() {
        ("GET", parts) if parts.ends_with(&["discovery", "instance"]) => Ok(instance(ask)),
        ("GET", parts) if parts.ends_with(&[".well-known", "openid-configuration"]) => {
            configuration(world, ask, parts[0])
        }
        ("GET", parts) if parts.ends_with(&["discovery", "v2.0", "keys"]) => {
            Ok(Answer::json(200, json!({"keys": []})))
        }
        ("GET", parts) if parts.ends_with(&["oauth2", "deviceauth"]) => Ok(page(
            "In the sandbox nobody has to type the code: the sample person approves it after a moment.",
        )),
        ("GET", parts) if parts.len() == 2 && parts[1] == "adminconsent" => {
            consent(world, ask, parts[0])
        }
        ("POST", parts) if parts.len() == 4 && parts[1..] == ["oauth2", "v2.0", "devicecode"] => {
            device_code(world, ask, parts[0])
        }
        ("POST", parts) if parts.len() == 4 && parts[1..] == ["oauth2", "v2.0", "token"] => {
            token(world, ask, parts[0])
        }
        _ => Err(Answer::empty(404)),
    }
}

/// Which names the authority has, so that clients trust it: `GET /common/discovery/instance`.
fn instance(ask: &Ask) -> Answer {
    let host = ask.origin.trim_start_matches("https://");
    Answer::json(
        200,
        json!({
            "tenant_discovery_endpoint": format!("{}/common/v2.0/.well-known/openid-configuration", ask.origin),
            "api-version": "1.1",
            "metadata": [{"preferred_network": host, "preferred_cache": host, "aliases": [host]}],
        }),
    )
}

/// `GET /{tenant}/v2.0/.well-known/openid-configuration`
fn configuration(world: &World, ask: &Ask, name: &str) -> Reply {
    let id = match name {
        "common" | "organizations" => "{tenantid}".to_owned(),
        _ => tenant(world, name)?.id,
    };
    let base = format!("{}/{name}", ask.origin);
    Ok(Answer::json(
        200,
        json!({
            "issuer": format!("{}/{id}/v2.0", ask.origin),
            "authorization_endpoint": format!("{base}/oauth2/v2.0/authorize"),
            "token_endpoint": format!("{base}/oauth2/v2.0/token"),
            "device_authorization_endpoint": format!("{base}/oauth2/v2.0/devicecode"),
            "jwks_uri": format!("{base}/discovery/v2.0/keys"),
            "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
            "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
            "scopes_supported": ["openid", "profile", "email", "offline_access"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "tenant_region_scope": Value::Null,
        }),
    ))
}

/// An administrator's consent to an application, given as soon as the page is opened:
/// <https://learn.microsoft.com/entra/identity-platform/v2-admin-consent>.
fn consent(world: &mut World, ask: &Ask, name: &str) -> Reply {
    let tenant = tenant(world, name)?.id;
    let app_id = ask.query("client_id").unwrap_or_default().to_owned();
    if world
        .application(&app_id)
        .is_none_or(|app| !app.is_multi_tenant())
    {
        return Err(not_found(&app_id, &tenant));
    }
    if world.principal(&tenant, &app_id).is_none() {
        world.add_principal(&tenant, &app_id, Vec::new());
    }
    Ok(page(
        "The application is now approved in your organization.",
    ))
}

/// `POST /{tenant}/oauth2/v2.0/devicecode`
fn device_code(world: &mut World, ask: &Ask, name: &str) -> Reply {
    let user = match name {
        "common" | "organizations" => world.users.first().cloned(),
        _ => {
            let id = tenant(world, name)?.id;
            world.users.iter().find(|user| user.tenant == id).cloned()
        }
    };
    let user = user.ok_or_else(|| {
        error(
            400,
            "invalid_request",
            50020,
            "User account does not exist in tenant.",
        )
    })?;
    let code = format!("{}{}", guid(), guid()).replace('-', "");
    world.conceal(&code);
    let pending = Some(world.lag.begin(Spread::Person));
    let grant = Grant {
        tenant: user.tenant,
        user: user.id,
        client: ask.text("client_id").unwrap_or_default().to_owned(),
        scope: ask.text("scope").unwrap_or_default().to_owned(),
        pending,
    };
    world.session.grants.insert(code.clone(), grant);
    let (short, address) = (
        code[..9].to_uppercase(),
        format!("{}/common/oauth2/deviceauth", ask.origin),
    );
    Ok(Answer::json(
        200,
        json!({
            "user_code": short, "device_code": code, "verification_uri": address, "expires_in": 900, "interval": 1,
            "message": format!("To sign in, use a web browser to open the page {address} and enter the code {short} to authenticate."),
        }),
    ))
}

/// `POST /{tenant}/oauth2/v2.0/token`
fn token(world: &mut World, ask: &Ask, name: &str) -> Reply {
    if !matches!(name, "common" | "organizations") {
        tenant(world, name)?;
    }
    if world
        .faults
        .strike(Service::Entra, ask, |fault| {
            *fault == Fault::ConditionalAccess
        })
        .is_some()
    {
        return Err(error(
            400,
            "invalid_grant",
            53003,
            "Access has been blocked by Conditional Access policies. The access policy does not allow token issuance.",
        ));
    }
    match ask.text("grant_type") {
        Some("client_credentials") => client_credentials(world, ask, name),
        Some("refresh_token") => granted(world, ask, name, "refresh_token"),
        Some("urn:ietf:params:oauth:grant-type:device_code") => {
            granted(world, ask, name, "device_code")
        }
        Some(_) => Err(error(
            400,
            "unsupported_grant_type",
            70003,
            "The app requested an unsupported grant type.",
        )),
        None => Err(error(
            400,
            "invalid_request",
            900_144,
            "The request body must contain the following parameter: 'grant_type'.",
        )),
    }
}

fn client_credentials(world: &mut World, ask: &Ask, name: &str) -> Reply {
    let tenant = tenant(world, name)?.id;
    let app_id = ask.text("client_id").unwrap_or_default().to_owned();
    let scope = ask.text("scope").unwrap_or_default();
    let Some(resource) = scope.strip_suffix("/.default") else {
        return Err(error(
            400,
            "invalid_scope",
            1_002_012,
            &format!(
                "The provided value for scope {scope} is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI)."
            ),
        ));
    };
    let Some(app) = world
        .applications
        .iter()
        .position(|app| app.deleted.is_none() && app.app_id.eq_ignore_ascii_case(&app_id))
    else {
        return Err(not_found(&app_id, &tenant));
    };
    #[expect(clippy::cast_precision_loss, reason = "an hour or a day")]
    let clock = now() + world.ahead as f64;
    let at_home = world.applications[app].tenant == tenant;
    let principal = world.principals.iter_mut().find(|sp| {
        sp.deleted.is_none() && sp.tenant == tenant && sp.app_id.eq_ignore_ascii_case(&app_id)
    });
    let Some(principal) = principal.and_then(|sp| sp.settle.look().then(|| sp.id.clone())) else {
        return Err(if at_home {
            no_principal(&app_id, &tenant)
        } else {
            not_found(&app_id, &tenant)
        });
    };
    if !at_home && !world.applications[app].is_multi_tenant() {
        return Err(not_found(&app_id, &tenant));
    }
    if let Some(assertion) = ask.text("client_assertion") {
        world.conceal(assertion);
        let endpoint = format!("{}/{name}/oauth2/v2.0/token", ask.origin);
        let app = &mut world.applications[app];
        assertions::check(app, ask, (assertion, &endpoint), clock)?;
        return Ok(issue(world, ask, (tenant, principal, app_id), resource));
    }
    let Some(secret) = ask.text("client_secret") else {
        return Err(error(
            401,
            "invalid_client",
            7_000_218,
            "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
        ));
    };
    let hash = sha256(secret);
    let password = world.applications[app]
        .passwords
        .iter_mut()
        .find(|password| password.sha256 == hash);
    let Some(password) = password.and_then(|password| password.settle.look().then_some(password))
    else {
        return Err(error(
            401,
            "invalid_client",
            7_000_215,
            &format!(
                "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '{app_id}'."
            ),
        ));
    };
    if parse_stamp(&password.end).is_some_and(|end| end < clock) {
        return Err(error(
            401,
            "invalid_client",
            7_000_222,
            &format!("The provided client secret keys for app '{app_id}' are expired."),
        ));
    }
    Ok(issue(world, ask, (tenant, principal, app_id), resource))
}

/// An access token for an application.
fn issue(
    world: &mut World,
    ask: &Ask,
    (tenant, principal, app_id): (String, String, String),
    resource: &str,
) -> Answer {
    let holder = Holder {
        tenant,
        principal,
        app_id,
        user: None,
    };
    let access = mint(world, ask, &holder, resource);
    Answer::json(
        200,
        json!({"token_type": "Bearer", "expires_in": LIFE, "ext_expires_in": LIFE, "access_token": access}),
    )
}

/// Redeems a refresh token, or a device code once the person has approved it.
fn granted(world: &mut World, ask: &Ask, name: &str, field: &str) -> Reply {
    let text = ask.text(field).unwrap_or_default();
    let Some(grant) = world.session.grants.get_mut(text) else {
        return Err(match field {
            "device_code" => error(
                400,
                "bad_verification_code",
                70_019,
                "The verification code is not recognized or has expired.",
            ),
            _ => error(
                400,
                "invalid_grant",
                700_082,
                "The refresh token has expired due to inactivity.",
            ),
        });
    };
    if let Some(pending) = &mut grant.pending
        && !pending.look()
    {
        let text = "The provided request has not yet been authorized by the user. The user must input their code.";
        return Err(error(400, "authorization_pending", 70_016, text));
    }
    let mut grant = grant.clone();
    if field == "device_code" {
        world.session.grants.remove(text);
    }
    grant.pending = None;
    let tenant = match name {
        "common" | "organizations" => grant.tenant.clone(),
        _ => tenant(world, name)?.id,
    };
    let user = world
        .users
        .iter()
        .find(|user| user.id == grant.user && user.tenant == tenant)
        .cloned();
    let Some(user) = user else {
        return Err(error(
            400,
            "invalid_grant",
            50_020,
            "User account does not exist in tenant and cannot access the application.",
        ));
    };
    let scope = ask.text("scope").unwrap_or(&grant.scope).to_owned();
    let resource = scope
        .split(' ')
        .find(|word| word.contains("://"))
        .unwrap_or("https://graph.microsoft.com/.default");
    let resource = resource
        .rsplit_once('/')
        .map_or(resource, |(resource, _)| resource)
        .to_owned();
    let holder = Holder {
        tenant: tenant.clone(),
        principal: user.id.clone(),
        app_id: grant.client.clone(),
        user: Some(user.name.clone()),
    };
    let access = mint(world, ask, &holder, &resource);
    let refresh = format!("1.{}{}", guid(), guid()).replace('-', "");
    world.conceal(&refresh);
    world.session.grants.insert(refresh.clone(), grant.clone());
    let id = json!({
        "aud": grant.client, "iss": format!("{}/{tenant}/v2.0", ask.origin), "tid": tenant, "oid": user.id, "sub": user.id,
        "preferred_username": user.name, "name": user.display_name, "ver": "2.0", "exp": moment(f64::from(LIFE)), "iat": moment(0.0),
    });
    let info = json!({"uid": user.id, "utid": user.tenant}).to_string();
    Ok(Answer::json(
        200,
        json!({
            "token_type": "Bearer", "scope": scope, "expires_in": LIFE, "ext_expires_in": LIFE, "access_token": access,
            "refresh_token": refresh, "id_token": jwt(&id), "client_info": URL_SAFE_NO_PAD.encode(info),
        }),
    ))
}

fn tenant(world: &World, name: &str) -> Result<Tenant, Answer> {
    world.tenant(name).cloned().ok_or_else(|| {
        let text = format!(
            "Tenant '{name}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. Check with your subscription administrator, this may happen if there are no active subscriptions for the tenant."
        );
        error(400, "invalid_request", 90_002, &text)
    })
}

fn not_found(app_id: &str, tenant: &str) -> Answer {
    let text = format!(
        "Application with identifier '{app_id}' was not found in the directory '{tenant}'. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You may have sent your authentication request to the wrong tenant."
    );
    error(400, "unauthorized_client", 700_016, &text)
}

fn no_principal(app_id: &str, tenant: &str) -> Answer {
    let text = format!(
        "The client application {app_id} is missing service principal in the tenant {tenant}. See instructions here: https://go.microsoft.com/fwlink/?linkid=2225119"
    );
    error(400, "unauthorized_client", 7_000_229, &text)
}

fn error(status: u16, word: &str, code: u32, text: &str) -> Answer {
    let (trace, correlation) = (guid(), guid());
    let stamp = super::lag::stamp().replace('T', " ");
    Answer::json(
        status,
        json!({
            "error": word,
            "error_description": format!("AADSTS{code}: {text}\r\nTrace ID: {trace}\r\nCorrelation ID: {correlation}\r\nTimestamp: {stamp}"),
            "error_codes": [code],
            "timestamp": stamp,
            "trace_id": trace,
            "correlation_id": correlation,
            "error_uri": format!("{}?code={code}", "https://login.microsoftonline.com/error"),
        }),
    )
}

fn page(text: &str) -> Answer {
    let html = format!("<!doctype html><title>peer-wizard sandbox</title><p>{text}</p>");
    Answer::json(200, Value::String(html)).with("content-type", "text/html; charset=utf-8")
}
