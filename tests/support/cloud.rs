//! Simulated clouds in this process, and how to point and sign in the binary to them.

use super::TempDir;
use peer_wizard::{
    clouds,
    provider::{Provider, TokenKind},
    providers,
    sandbox::{
        Faults, Lag, Options, Sandbox, World,
        parts::{Application, Assignment, Permission, Principal, Role},
    },
};
use serde_json::Value;
use std::fs;

/// Every variable that moves a service elsewhere.
pub fn endpoints() -> Vec<&'static str> {
    clouds::variables(&providers::vendors())
}

/// The one action that Aiven's principal needs on the VNet.
pub const PEER_ACTION: &str = "Microsoft.Network/virtualNetworks/peer/action";

/// The variable that a token is put into: the last of those that are looked at.
pub fn variable(token: &TokenKind) -> &'static str {
    token.variables.last().expect("it has a variable")
}

/// The application that a test names with `--application-id`.
pub const GIVEN_APP: &str = "5c1d0a4e-77b2-4a60-9f0e-2b6d8c3e1f55";

/// Simulated clouds, with a way back to how they were.
pub struct Cloud {
    /// The clouds.
    pub sandbox: Sandbox,
    fresh: World,
    dir: TempDir,
}

impl Cloud {
    /// A sample world without delays.
    pub fn new() -> Self {
        Self::with(Lag::None)
    }

    /// A sample world with delays.
    pub fn with(lag: Lag) -> Self {
        let options = Options {
            lag,
            ..Options::default()
        };
        let sandbox = Sandbox::boot(options).expect("a port is free on loopback");
        let dir = TempDir::new();
        fs::write(dir.path("ca.pem"), sandbox.ca_pem()).expect("a new file");
        let mut cloud = Self {
            sandbox,
            fresh: World::default(),
            dir,
        };
        cloud.settle();
        cloud
    }

    /// Takes the world as it is now for the one to come back to.
    pub fn settle(&mut self) {
        self.fresh = self.copy();
    }

    /// A copy of the world.
    pub fn copy(&self) -> World {
        let mut copy = World::default();
        self.sandbox.edit(|world| copy = world.clone());
        copy
    }

    /// Puts a copy in place of the world.
    pub fn restore(&self, copy: &World) {
        let copy = copy.clone();
        self.sandbox.edit(|world| *world = copy);
    }

    /// Makes the world as it was at first.
    pub fn reset(&self) {
        self.restore(&self.fresh);
    }

    /// The rules of what goes wrong, from now on.
    pub fn faults(&self, faults: Faults) {
        self.sandbox.edit(|world| world.faults = faults);
    }

    /// How often the only rule of what goes wrong has still to strike.
    pub fn fault_left(&self) -> u32 {
        self.sandbox
            .edit(|world| world.faults.rules.iter().map(|rule| rule.times).sum())
    }

    /// Every peering at a provider is in this state, and stays in it; an empty word changes nothing.
    pub fn say(&self, word: &str) {
        if word.is_empty() {
            return;
        }
        self.sandbox.say(word);
    }

    /// Every gateway is somebody else's: it has another name, and maps other names.
    pub fn disguise(&self) {
        self.sandbox.edit(|world| {
            let networks = world.konnect.networks.iter_mut();
            for gateway in networks.flat_map(|network| &mut network.gateways) {
                gateway.name = "somebody-elses".into();
                gateway.dns = serde_json::json!([{
                    "remote_dns_server_ip_addresses": ["10.0.0.9"],
                    "domain_proxy_list": ["other.example"],
                }]);
            }
        });
    }

    /// All that exists.
    pub fn world(&self) -> Value {
        self.sandbox.world()
    }

    /// The file with the certificate authority to trust.
    pub fn ca_file(&self) -> String {
        self.dir.path("ca.pem").display().to_string()
    }

    /// A value of the sample world, by its name.
    pub fn sample(&self, name: &str) -> String {
        let sample = serde_json::to_value(self.sandbox.sample()).expect("it is plain data");
        let text = sample[name].as_str();
        text.unwrap_or_else(|| panic!("no sample is called {name}"))
            .to_owned()
    }

    /// The variables that point the binary here and sign it in.
    pub fn vars(&self, provider: &str) -> Vec<(String, String)> {
        let sample = self.sandbox.sample();
        let provider = providers::named(provider).expect("there is such a provider");
        let token = self.sample(provider.token.sample);
        let endpoints = endpoints()
            .into_iter()
            .map(|name| (name, self.sandbox.origin()));
        let tokens = providers::ALL
            .iter()
            .map(|it| (variable(it.token), self.sample(it.token.sample)));
        let rest = [
            ("SSL_CERT_FILE", self.ca_file()),
            ("AZURE_CLIENT_ID", sample.client_id),
            ("AZURE_TENANT_ID", sample.tenant),
            ("AZURE_CLIENT_SECRET", sample.client_secret),
        ];
        // The provider's own comes last, since two may read the same variable.
        endpoints
            .chain(rest)
            .chain(tokens)
            .chain([(variable(provider.token), token)])
            .map(|(name, value)| (name.to_owned(), value))
            .collect()
    }

    /// What a provider has to be told about the sample world: flag, answer, value.
    pub fn inputs(&self, provider: &Provider) -> Vec<(String, &'static str, String)> {
        let inputs = provider.inputs.iter();
        let known = inputs.filter_map(|input| Some((input, input.sample?)));
        known
            .map(|(input, sample)| (input.flag.long(), input.answer, self.sample(sample)))
            .collect()
    }

    /// The main job's arguments for a provider, with every answer given.
    pub fn args(&self, provider: &Provider) -> Vec<String> {
        let mut args: Vec<String> = ["azure", "--yes", "--provider", provider.id, "--vnet"]
            .map(str::to_owned)
            .to_vec();
        args.push(self.sandbox.sample().vnet_id);
        for (flag, _, value) in self.inputs(provider) {
            args.extend([flag, value]);
        }
        args
    }

    /// The same with its output in JSON.
    pub fn json_args(&self, provider: &Provider) -> Vec<String> {
        let mut args = self.args(provider);
        args.extend(["--output", "json"].map(str::to_owned));
        args
    }

    /// Registers an application of the person's own, which can sign in to other tenants.
    pub fn add_application(&self) -> &'static str {
        let tenant = self.sandbox.sample().tenant;
        self.sandbox.edit(|world| {
            world.applications.push(Application {
                tenant,
                id: "1d2e3f40-5a6b-4c7d-8e9f-0a1b2c3d4e5f".into(),
                app_id: GIVEN_APP.into(),
                display_name: "Network automation".into(),
                audience: "AzureADMultipleOrgs".into(),
                created: "2025-06-01T08:00:00Z".into(),
                ..Application::default()
            });
        });
        GIVEN_APP
    }

    /// A colleague who signs in as an application with the sample's password, holds these directory roles, and is perhaps
    /// owner of the sample VNet's subscription: the client id.
    pub fn add_colleague(&self, name: &str, roles: &[&str], owner: bool) -> String {
        let sample = self.sandbox.sample();
        self.sandbox.edit(|world| {
            let new = |at: usize| {
                let number = world.applications.len() * 10 + at;
                format!("7c0ffee0-0000-4000-8000-{number:012}")
            };
            let (app, object, principal, assignment) = (new(1), new(2), new(3), new(4));
            let mine = |it: &&Application| it.app_id == sample.client_id;
            let model = world.applications.iter().find(mine).expect("the sample's");
            let model = model.clone();
            world.applications.push(Application {
                id: object,
                app_id: app.clone(),
                display_name: name.into(),
                ..model
            });
            let mine = |it: &&Principal| it.app_id == sample.client_id;
            let model = world.principals.iter().find(mine).expect("the sample's");
            let model = model.clone();
            world.principals.push(Principal {
                id: principal.clone(),
                app_id: app.clone(),
                display_name: name.into(),
                directory_roles: roles.iter().map(|it| (*it).to_owned()).collect(),
                ..model.clone()
            });
            if owner {
                let mine = |it: &&Assignment| it.principal == model.id;
                let model = world.assignments.iter().find(mine).expect("the sample's");
                let model = model.clone();
                world.assignments.push(Assignment {
                    id: assignment,
                    scope: format!("/subscriptions/{}", sample.subscription),
                    principal,
                    ..model
                });
            }
            app
        })
    }

    /// Lets the provider in beforehand, as an earlier peering of the same company would have: its principal, a custom role,
    /// and its assignment on the sample VNet. Unless the gate is open, the provider does not begin.
    pub fn let_in_beforehand(&self, provider: &Provider, open: bool) {
        let sample = self.sandbox.sample();
        let text = |text: &str| text.to_owned();
        let (role, principal) = (
            text("2f7c9e01-4b3a-4d5c-8e6f-7a8b9c0d1e2f"),
            text("6a5b4c3d-2e1f-4a0b-9c8d-7e6f5a4b3c2d"),
        );
        self.sandbox.edit(|world| {
            world.closed = !open;
            let home = world
                .applications
                .iter()
                .find(|app| app.app_id == provider.app_id)
                .map(|app| app.tenant.clone());
            world.principals.push(Principal {
                tenant: sample.tenant.clone(),
                id: principal.clone(),
                app_id: text(provider.app_id),
                owner_tenant: home.expect("the provider's application is in the sample world"),
                display_name: text(provider.name),
                created: text("2025-06-01T08:00:00Z"),
                enabled: true,
                ..Principal::default()
            });
            world.roles.push(Role {
                tenant: sample.tenant.clone(),
                id: role.clone(),
                name: text(provider.role_name),
                permissions: vec![Permission {
                    actions: provider.allows.actions.iter().map(|it| text(it)).collect(),
                    ..Permission::default()
                }],
                assignable_scopes: vec![format!("/subscriptions/{}", sample.subscription)],
                created: text("2025-06-01T08:00:00Z"),
                updated: text("2025-06-01T08:00:00Z"),
                ..Role::default()
            });
            world.assignments.push(Assignment {
                tenant: sample.tenant,
                id: text("7b6c5d4e-3f2a-4b1c-8d9e-0f1a2b3c4d5e"),
                scope: sample.vnet_id,
                role,
                principal,
                principal_type: text("ServicePrincipal"),
                created: text("2025-06-01T08:00:00Z"),
                author: text("c9f3a1d5-4e72-4b86-8a0c-1d6f5b3e7a28"),
                ..Assignment::default()
            });
        });
    }

    /// Lets the provider begin.
    pub fn open_the_gate(&self) {
        self.sandbox.edit(|world| world.closed = false);
    }
}

/// The arguments with another value after a flag.
pub fn but(mut args: Vec<String>, flag: &str, value: &str) -> Vec<String> {
    let at = args
        .iter()
        .position(|it| it == flag)
        .expect("the flag is given");
    value.clone_into(&mut args[at + 1]);
    args
}
