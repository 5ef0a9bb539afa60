//! An `az` of one's own: a profile with accounts, each a subscription with its tenant and user, of which one is the current
//! one. It answers as the real one does: `--subscription` asks the user of that subscription, `--tenant` the current one.

use super::support::{Cloud, TestEnv};
use serde_json::{Value, json};
use std::{collections::BTreeMap, fs, os::unix::fs::PermissionsExt, path::PathBuf};

const SCRIPT: &str = r#"#!/bin/sh
here='HERE'
printf '%s\n' "$*" >> "$here/calls"
env >> "$here/environment"
while [ $# -gt 0 ]; do
  case $1 in
    --scope) scope=$2; shift ;;
    --tenant) tenant=$2; shift ;;
    --subscription) subscription=$2; shift ;;
  esac
  shift
done
fail() { echo "ERROR: $*" >&2; exit 1; }
[ -z "$tenant" ] || [ -z "$subscription" ] || fail 'Please specify only one of subscription and tenant, not both'
case $scope in *graph*) kind=graph ;; *) kind=arm ;; esac
. "$here/before"
if [ -n "$subscription" ]; then
  account=$(grep -i "^$subscription " "$here/accounts") || fail "Subscription '$subscription' not found. Check the spelling and casing and try again."
else
  account=$(head -n 1 "$here/accounts")
fi
set -- $account
tenant=${tenant:-$2}
token="$here/$3-$tenant-$kind.json"
[ -f "$token" ] || fail "AADSTS50020: User account '$3' from identity provider 'https://sts.windows.net/$2/' does not exist in tenant 'Acme' and cannot access the application '04b07795-8ddb-461a-bbee-02f9e1bf7b46'(Microsoft Azure CLI) in that tenant. The account needs to be added as an external user in the tenant first. Sign out and sign in again with a different Azure Active Directory user account. Trace ID: 0 Correlation ID: 0"
cat "$token"
"#;

/// The profile.
pub struct Az {
    folder: PathBuf,
}

impl Az {
    /// Puts an `az` without accounts before all other programs; nothing else signs in to Azure.
    pub fn install(env: TestEnv) -> (Self, TestEnv) {
        let folder = env.path("az-profile");
        fs::create_dir_all(&folder).expect("a new folder");
        let program = folder.join("az");
        let script = SCRIPT.replace("HERE", &folder.display().to_string());
        for (name, text) in [("az", script.as_str()), ("accounts", ""), ("before", "")] {
            fs::write(folder.join(name), text).expect("a new file");
        }
        fs::set_permissions(&program, fs::Permissions::from_mode(0o700)).expect("our own file");
        let path = std::env::var("PATH").unwrap_or_default();
        let env = env
            .set("PATH", format!("{}:{path}", folder.display()))
            .unset("AZURE_CLIENT_ID")
            .unset("AZURE_TENANT_ID");
        (Self { folder }, env)
    }

    /// Adds an account of the first user of a tenant, who signs in at the sandbox; the first one that is added is the current.
    pub fn add(&self, cloud: &Cloud, subscription: &str, tenant: &str) {
        for (kind, resource) in [
            ("arm", "https://management.azure.com"),
            ("graph", "https://graph.microsoft.com"),
        ] {
            let (user, token) = sign_in(cloud, tenant, resource);
            let text = json!({
                "accessToken": token, "expiresOn": "2099-01-01 00:00:00.000000", "expires_on": 4_070_908_800_u64,
                "subscription": subscription, "tenant": tenant, "tokenType": "Bearer",
            });
            let file = format!("{user}-{tenant}-{kind}.json");
            fs::write(self.folder.join(file), text.to_string()).expect("a new file");
            if kind == "arm" {
                let accounts = self.folder.join("accounts");
                let mut text = fs::read_to_string(&accounts).expect("it is there");
                text.push_str(&format!("{subscription} {tenant} {user}\n"));
                fs::write(accounts, text).expect("our own file");
            }
        }
    }

    /// Shell that is run before a token is given; it sees `here` and `kind`.
    pub fn before(&self, shell: &str) {
        fs::write(self.folder.join("before"), shell).expect("our own file");
    }

    /// What it was called with since the last time that this was asked.
    pub fn calls(&self) -> Vec<String> {
        let path = self.folder.join("calls");
        let text = fs::read_to_string(&path).unwrap_or_default();
        let _ = fs::remove_file(path);
        text.lines().map(str::to_owned).collect()
    }

    /// The variables that it saw.
    pub fn environment(&self) -> BTreeMap<String, String> {
        let text = fs::read_to_string(self.folder.join("environment")).unwrap_or_default();
        let pairs = text.lines().filter_map(|line| line.split_once('='));
        pairs
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    }
}

/// Name and token of the first user of a tenant, who approves a device code.
fn sign_in(cloud: &Cloud, tenant: &str, resource: &str) -> (String, String) {
    let base = format!("{}/{tenant}/oauth2/v2.0", cloud.sandbox.origin());
    let ca = reqwest::Certificate::from_pem(cloud.sandbox.ca_pem().as_bytes());
    let client = reqwest::Client::builder()
        .tls_certs_merge([ca.expect("a certificate")])
        .build()
        .expect("a client");
    let post = async |place: &str, form: &[(&str, &str)]| -> Value {
        let request = client.post(format!("{base}/{place}")).form(form);
        let answer = request.send().await.expect("an answer");
        answer.json().await.expect("JSON")
    };
    let scope = format!("{resource}/.default");
    let client_id = ("client_id", "04b07795-8ddb-461a-bbee-02f9e1bf7b46");
    let work = async {
        let code = post("devicecode", &[client_id, ("scope", &scope)]).await;
        let code = code["device_code"].as_str().expect("a code").to_owned();
        let grant = "urn:ietf:params:oauth:grant-type:device_code";
        let form = [
            client_id,
            ("grant_type", grant),
            ("device_code", &code),
            ("scope", &scope),
        ];
        let answer = post("token", &form).await;
        answer["access_token"].as_str().expect("a token").to_owned()
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let token = runtime.expect("a runtime").block_on(work);
    let mut name = String::new();
    cloud.sandbox.edit(|world| {
        let user = world.users.iter().find(|user| user.tenant == tenant);
        name.clone_from(&user.expect("the tenant has a user").name);
    });
    (name, token)
}
