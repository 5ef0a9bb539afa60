//! Access tokens: <https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference>.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::sandbox::lag::now;
use crate::sandbox::wire::Ask;
use crate::sandbox::world::{Audience, Token, World, guid, sha256};

/// How long access tokens live, in seconds.
pub(super) const LIFE: u32 = 3599;

/// Whom a token is for.
pub(super) struct Holder {
    pub tenant: String,
    pub principal: String,
    pub app_id: String,
    /// The sign-in name, when it is a person.
    pub user: Option<String>,
}

/// Issues an access token for a resource.
pub(super) fn mint(world: &mut World, ask: &Ask, holder: &Holder, resource: &str) -> String {
    let mut claims = json!({
        "aud": resource, "iss": format!("https://sts.windows.net/{}/", holder.tenant), "tid": holder.tenant, "oid": holder.principal,
        "sub": holder.principal, "appid": holder.app_id, "idtyp": if holder.user.is_some() { "user" } else { "app" },
        "iat": moment(0.0), "nbf": moment(0.0), "exp": moment(f64::from(LIFE)), "uti": guid(), "ver": "1.0",
    });
    if let Some(name) = &holder.user {
        claims["upn"] = json!(name);
        claims["unique_name"] = json!(name);
    }
    let text = jwt(&claims);
    world.session.serial += 1;
    let token = Token {
        serial: world.session.serial,
        tenant: holder.tenant.clone(),
        audience: audience(resource, &ask.origin),
        principal: holder.principal.clone(),
        app_id: holder.app_id.clone(),
        is_user: holder.user.is_some(),
        expires: now() + f64::from(LIFE),
    };
    world.conceal(&text);
    world.session.tokens.insert(text.clone(), token);
    text
}

/// The service that a resource identifier names. Clients that were pointed here by a cloud profile ask for Graph by the
/// address that the profile gives it.
fn audience(resource: &str, origin: &str) -> Audience {
    const ARM: [&str; 6] = [
        "management.azure.com",
        "management.core.windows.net",
        "management.usgovcloudapi.net",
        "management.core.usgovcloudapi.net",
        "management.chinacloudapi.cn",
        "management.core.chinacloudapi.cn",
    ];
    const GRAPH: [&str; 4] = [
        "graph.microsoft.com",
        "graph.microsoft.us",
        "microsoftgraph.chinacloudapi.cn",
        "00000003-0000-0000-c000-000000000000",
    ];
    let host = resource
        .trim_start_matches("https://")
        .trim_end_matches('/');
    let port = origin.rsplit(':').next().unwrap_or_default();
    let here = ["localhost", "127.0.0.1"]
        .iter()
        .any(|name| host == format!("{name}:{port}"));
    if ARM.contains(&host) {
        Audience::Arm
    } else if here || GRAPH.contains(&host) {
        Audience::Graph
    } else {
        Audience::Other
    }
}

/// A token in the usual shape; nobody outside is meant to check its signature.
pub(super) fn jwt(claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signature = URL_SAFE_NO_PAD.encode(sha256(&guid()));
    format!(
        "{}.{}.{signature}",
        part(&json!({"alg": "HS256", "typ": "JWT"})),
        part(claims)
    )
}

/// A moment so many seconds from now, as tokens carry it.
#[expect(clippy::cast_possible_truncation, reason = "seconds since 1970")]
pub(super) fn moment(from_now: f64) -> i64 {
    (now() + from_now) as i64
}
