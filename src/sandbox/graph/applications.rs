//! Application objects: <https://learn.microsoft.com/graph/api/application-upsert> and its neighbours.

use serde_json::{Map, Value, json};

use super::access::administrator;
use super::envelope::{CONCURRENT, bad_request, check_properties, entity, error, list, not_found};
use super::path::Key;
use super::{keys, objects, policies, shape};
use crate::sandbox::faults::Fault;
use crate::sandbox::lag::{Spread, parse_stamp, stamp, stamp_after};
use crate::sandbox::log::Service;
use crate::sandbox::wire::{Answer, Ask, Reply};
use crate::sandbox::world::{Application, Password, Token, World, guid};

const SETTABLE: [&str; 28] = [
    "addIns",
    "api",
    "appRoles",
    "defaultRedirectUri",
    "description",
    "displayName",
    "groupMembershipClaims",
    "identifierUris",
    "info",
    "isDeviceOnlyAuthSupported",
    "isFallbackPublicClient",
    "keyCredentials",
    "nativeAuthenticationApisEnabled",
    "notes",
    "optionalClaims",
    "parentalControlSettings",
    "publicClient",
    "requestSignatureVerification",
    "requiredResourceAccess",
    "samlMetadataUrl",
    "serviceManagementReference",
    "servicePrincipalLockConfiguration",
    "signInAudience",
    "spa",
    "tags",
    "tokenEncryptionKeyId",
    "web",
    "disabledByMicrosoftStatus",
];
const READ_ONLY: [&str; 9] = [
    "appId",
    "applicationTemplateId",
    "certification",
    "createdDateTime",
    "deletedDateTime",
    "id",
    "publisherDomain",
    "uniqueName",
    "verifiedPublisher",
];
const AUDIENCES: [&str; 4] = [
    "AzureADMyOrg",
    "AzureADMultipleOrgs",
    "AzureADandPersonalMicrosoftAccount",
    "PersonalMicrosoftAccount",
];

/// `GET` and `POST /applications`
pub(super) fn collection(world: &mut World, ask: &Ask, caller: &Token) -> Reply {
    administrator(world, caller)?;
    match ask.method.as_str() {
        "GET" => {
            let domain = domain(world, caller);
            let mut objects = Vec::new();
            for app in world
                .applications
                .iter_mut()
                .filter(|app| app.tenant == caller.tenant && app.deleted.is_none())
            {
                if app.settle.look() {
                    objects.push(shape::application(app, &domain));
                }
            }
            list(world, ask, "applications", objects)
        }
        "POST" => {
            check(&ask.body, true)?;
            let at = create(world, caller, &ask.body, None)?;
            Ok(entity(
                ask,
                201,
                "applications",
                shape::application(&world.applications[at], &domain(world, caller)),
            ))
        }
        _ => Err(Answer::empty(405)),
    }
}

/// Everything below one application.
pub(super) fn member(
    world: &mut World,
    ask: &Ask,
    caller: &Token,
    key: &Key,
    rest: &[&str],
) -> Reply {
    administrator(world, caller)?;
    let found = find(world, caller, key);
    if let ("PATCH", [], Key::UniqueName(name)) = (ask.method.as_str(), rest, key) {
        return upsert(world, ask, caller, name, found);
    }
    let name = match key {
        Key::Id(name) | Key::AppId(name) | Key::UniqueName(name) => name,
    };
    // A replica that has not heard of the object answers as if it did not exist; deletions do not ask replicas.
    let knows = |&at: &usize| ask.method == "DELETE" || world.applications[at].settle.look();
    let at = found.filter(knows).ok_or_else(|| not_found(name))?;
    if matches!(ask.method.as_str(), "PATCH" | "POST") && !world.applications[at].busy.look() {
        return Err(error(409, CONCURRENT.0, CONCURRENT.1, None));
    }
    match (ask.method.as_str(), rest) {
        ("GET", []) => {
            let mut shape = shape::application(&world.applications[at], &domain(world, caller));
            let app = &mut world.applications[at];
            if ask.query("$select") == Some("keyCredentials") {
                shape = json!({"keyCredentials": keys::shown(app, true)});
            }
            for password in &mut app.passwords {
                password.shows.look();
            }
            for key in &mut app.keys {
                key.shows.look();
            }
            Ok(entity(ask, 200, "applications", shape))
        }
        ("PATCH", []) => {
            change(world, ask, at)?;
            Ok(Answer::empty(204))
        }
        ("DELETE", []) => {
            remove(world, at);
            Ok(Answer::empty(204))
        }
        ("POST", ["addPassword" | "microsoft.graph.addPassword"]) => add_password(world, ask, at),
        ("POST", ["removePassword" | "microsoft.graph.removePassword"]) => {
            remove_password(world, ask, at)
        }
        ("GET", ["owners"]) => {
            let owners = world.applications[at].owners.clone();
            let objects = objects::by_ids(world, &caller.tenant, &owners);
            list(world, ask, "directoryObjects", objects)
        }
        ("DELETE", ["owners", owner, "$ref"]) => {
            world.applications[at].owners.retain(|known| known != owner);
            Ok(Answer::empty(204))
        }
        ("POST", ["owners", "$ref"]) => {
            let owner = objects::reference(ask)?;
            world.applications[at].owners.push(owner);
            Ok(Answer::empty(204))
        }
        ("GET", ["federatedIdentityCredentials"]) => {
            list(world, ask, "federatedIdentityCredentials", Vec::new())
        }
        _ => Err(bad_request("Resource not found for the segment.")),
    }
}

/// Creates the application of a unique name or updates it, with the header `Prefer: create-if-missing`.
fn upsert(world: &mut World, ask: &Ask, caller: &Token, name: &str, found: Option<usize>) -> Reply {
    if let Some(at) = found {
        change(world, ask, at)?;
        return Ok(Answer::empty(204));
    }
    if !ask
        .header("prefer")
        .is_some_and(|prefer| prefer.contains("create-if-missing"))
    {
        return Err(not_found(name));
    }
    check(&ask.body, true)?;
    let taken =
        |app: &Application| app.tenant == caller.tenant && app.unique_name.as_deref() == Some(name);
    if world.applications.iter().any(taken) {
        return Err(bad_request(
            "Another object with the same value for property uniqueName already exists.",
        ));
    }
    let at = create(world, caller, &ask.body, Some(name.to_owned()))?;
    Ok(entity(
        ask,
        201,
        "applications",
        shape::application(&world.applications[at], &domain(world, caller)),
    ))
}

fn create(
    world: &mut World,
    caller: &Token,
    body: &Value,
    unique_name: Option<String>,
) -> Result<usize, Answer> {
    policies::application(&world.policies, body)?;
    let mut app = Application {
        tenant: caller.tenant.clone(),
        id: guid(),
        app_id: guid(),
        unique_name,
        audience: "AzureADandPersonalMicrosoftAccount".to_owned(),
        created: stamp(),
        // Applications that create an application do not become its owner; people do.
        owners: if caller.is_user {
            vec![caller.principal.clone()]
        } else {
            Vec::new()
        },
        settle: world.lag.begin(Spread::Application),
        ..Application::default()
    };
    assign(&mut app, body);
    world.applications.push(app);
    let at = world.applications.len() - 1;
    if let Err(refusal) = keys::replace(world, at, body) {
        world.applications.pop();
        return Err(refusal);
    }
    Ok(at)
}

/// Changes what the body names. All of it is good, or nothing is done.
fn change(world: &mut World, ask: &Ask, at: usize) -> Result<(), Answer> {
    check(&ask.body, false)?;
    policies::application(&world.policies, &ask.body)?;
    let before = world.applications[at].keys.clone();
    keys::replace(world, at, &ask.body)?;
    if ask.body.get("keyCredentials").is_some() {
        let over = |fault: &Fault| *fault == Fault::KeysWrittenOver;
        if world.faults.strike(Service::Graph, ask, over).is_some() {
            keys::write_over(&mut world.applications[at], before);
        }
    }
    assign(&mut world.applications[at], &ask.body);
    Ok(())
}

fn assign(app: &mut Application, body: &Value) {
    for (key, value) in body.as_object().unwrap_or(&Map::new()) {
        match (key.as_str(), value) {
            ("displayName", Value::String(name)) => app.display_name.clone_from(name),
            ("signInAudience", Value::String(audience)) => app.audience.clone_from(audience),
            ("keyCredentials", _) => {}
            _ if key.starts_with('@') => {}
            _ => drop(app.extra.insert(key.clone(), value.clone())),
        }
    }
}

/// Refuses what the documentation says cannot be sent.
fn check(body: &Value, creating: bool) -> Result<(), Answer> {
    if !creating && body.get("passwordCredentials").is_some() {
        return Err(bad_request(
            "Updating property 'passwordCredentials' is not supported; use addPassword and removePassword.",
        ));
    }
    let mut settable = SETTABLE.to_vec();
    if creating {
        settable.push("passwordCredentials");
    }
    check_properties(body, &settable, &READ_ONLY)?;
    let invalid = |property: &str| {
        let text =
            format!("Invalid value specified for property '{property}' of resource 'Application'.");
        error(
            400,
            "Request_BadRequest",
            &text,
            Some(("InvalidValue", property)),
        )
    };
    match &body["displayName"] {
        Value::String(name) if !name.is_empty() && name.chars().count() <= 256 => {}
        Value::Null if !creating && body.get("displayName").is_none() => {}
        _ => return Err(invalid("displayName")),
    }
    match &body["signInAudience"] {
        Value::Null => Ok(()),
        Value::String(audience) if AUDIENCES.contains(&audience.as_str()) => Ok(()),
        _ => Err(invalid("signInAudience")),
    }
}

/// Deletes softly: it stays restorable for 30 days. Its principal at home goes with it, those in other tenants stay behind.
fn remove(world: &mut World, at: usize) {
    let (tenant, app_id) = (
        world.applications[at].tenant.clone(),
        world.applications[at].app_id.clone(),
    );
    world.applications[at].deleted = Some(stamp());
    for sp in world
        .principals
        .iter_mut()
        .filter(|sp| sp.tenant == tenant && sp.app_id == app_id && sp.deleted.is_none())
    {
        sp.deleted = Some(stamp());
    }
}

/// <https://learn.microsoft.com/graph/api/application-addpassword>
fn add_password(world: &mut World, ask: &Ask, at: usize) -> Reply {
    check_properties(&ask.body, &["passwordCredential"], &[])?;
    let wish = &ask.body["passwordCredential"];
    if !wish.is_null() {
        check_properties(
            wish,
            &[
                "displayName",
                "startDateTime",
                "endDateTime",
                "customKeyIdentifier",
            ],
            &["hint", "keyId", "secretText"],
        )?;
    }
    let moment = |key: &str, default: String| match wish[key].as_str() {
        Some(text) if parse_stamp(text).is_some() => Ok(text.to_owned()),
        Some(_) => Err(bad_request(&format!(
            "Cannot convert a value to the expected type 'Edm.DateTimeOffset' of property '{key}'."
        ))),
        None => Ok(default),
    };
    let (start, end) = (
        moment("startDateTime", stamp())?,
        moment("endDateTime", stamp_after(2 * 365 * 86_400))?,
    );
    #[expect(clippy::cast_precision_loss, reason = "an hour or a day")]
    let clock = crate::sandbox::lag::now() + world.ahead as f64;
    if parse_stamp(&end).is_some_and(|end| end <= clock) {
        return Err(bad_request(
            "The value of property 'endDateTime' is in the past.",
        ));
    }
    let life = parse_stamp(&end).zip(parse_stamp(&start));
    policies::password(
        &world.policies,
        life.map_or(0.0, |(end, start)| end - start),
    )?;
    let secret = format!("{}~{}", &guid()[..3], guid().replace('-', "Q"));
    let password = Password {
        key_id: guid(),
        display_name: wish["displayName"].as_str().map(str::to_owned),
        start,
        end,
        hint: secret[..3].to_owned(),
        sha256: world.conceal(&secret),
        settle: world.lag.begin(Spread::Secret),
        shows: world.lag.begin(Spread::Password),
        removable: world.lag.begin(Spread::Password),
    };
    let body = json!({
        "@odata.context": format!("{}/v1.0/$metadata#microsoft.graph.passwordCredential", ask.origin),
        "customKeyIdentifier": null, "displayName": password.display_name, "endDateTime": password.end, "hint": password.hint,
        "keyId": password.key_id, "secretText": secret, "startDateTime": password.start,
    });
    let busy = world.lag.begin(Spread::Change);
    let app = &mut world.applications[at];
    app.passwords.push(password);
    app.busy = busy;
    Ok(Answer::json(200, body))
}

/// <https://learn.microsoft.com/graph/api/application-removepassword>
fn remove_password(world: &mut World, ask: &Ask, at: usize) -> Reply {
    check_properties(&ask.body, &["keyId"], &[])?;
    let id = ask.text("keyId").unwrap_or_default();
    let passwords = &mut world.applications[at].passwords;
    let before = passwords.len();
    passwords.retain_mut(|password| {
        !password.key_id.eq_ignore_ascii_case(id) || !password.removable.look()
    });
    if passwords.len() == before {
        return Err(bad_request("No password credential found with keyId."));
    }
    Ok(Answer::empty(204))
}

fn find(world: &World, caller: &Token, key: &Key) -> Option<usize> {
    world.applications.iter().position(|app| {
        app.tenant == caller.tenant
            && app.deleted.is_none()
            && match key {
                Key::Id(id) => app.id.eq_ignore_ascii_case(id),
                Key::AppId(id) => app.app_id.eq_ignore_ascii_case(id),
                Key::UniqueName(name) => app.unique_name.as_ref() == Some(name),
            }
    })
}

fn domain(world: &World, caller: &Token) -> String {
    world
        .tenant(&caller.tenant)
        .map(|tenant| tenant.domain.clone())
        .unwrap_or_default()
}
