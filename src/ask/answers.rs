//! The answers, and the facts and the shape of the flow that follow from them.

use crate::{
    azure::keys::{
        APPLICATION_NAME, GRANT_SCOPE, NETWORK_CONTRIBUTOR_ROLE_ID, PEERING_NAME, ROLE_NAME, RUN,
        USER_APP_ID, USER_RESOURCE_GROUP, USER_ROLE_NAME, USER_SUBSCRIPTION_ID, USER_TENANT_ID,
        USER_VNET_ID, USER_VNET_NAME,
    },
    engine::{Answer, Origin},
    fact::Facts,
    net::VnetId,
    providers::{Provider, Shape},
};
use std::collections::BTreeMap;

/// The built-in role of the guides, the same GUID in every tenant.
/// <https://learn.microsoft.com/azure/role-based-access-control/built-in-roles/networking#network-contributor>
const NETWORK_CONTRIBUTOR: &str = "4d97b98b-1d4f-4787-a291-c67834d212e7";
const OWN_ROLE_NAME: &str = "peer-wizard VNet peering writer";

/// Answers by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answers(pub BTreeMap<String, Answer>);

impl Answers {
    /// Sets an answer.
    pub fn set(&mut self, name: &str, value: impl Into<String>, from: Origin) {
        let value = value.into();
        self.0.insert(name.into(), Answer { value, from });
    }

    /// An answer.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|answer| answer.value.as_str())
    }

    /// Where an answer came from.
    #[must_use]
    pub fn from(&self, name: &str) -> Option<Origin> {
        self.0.get(name).map(|answer| answer.from)
    }

    /// Whether `other` asks for the same connection: the same provider, networks and application.
    #[must_use]
    pub fn same_connection(&self, other: &BTreeMap<String, Answer>) -> bool {
        const WHAT: [&str; 9] = [
            "PROVIDER",
            "VNET_ID",
            "PROJECT",
            "ORGANIZATION",
            "VPC_ID",
            "NETWORK",
            "DNS",
            "APPLICATION_ID",
            "SANDBOX",
        ];
        WHAT.iter().all(|name| {
            let theirs = other.get(*name).map(|answer| answer.value.to_lowercase());
            self.value(name).map(str::to_lowercase) == theirs
        })
    }
}

/// The shape of the flow that these answers ask for.
#[must_use]
pub fn shape_of(answers: &BTreeMap<String, Answer>, login_host: &str) -> Shape {
    let value = |name: &str| answers.get(name).map(|answer| answer.value.as_str());
    Shape {
        application_given: value("APPLICATION_ID").is_some(),
        peering_only: value("GRANT_ROLE") == Some("peering-only"),
        login_host: login_host.into(),
    }
}

/// The facts that a run called `run` begins with. What is not answered yet is left out.
#[must_use]
pub fn facts_of(answers: &BTreeMap<String, Answer>, provider: &Provider, run: &str) -> Facts {
    let value = |name: &str| answers.get(name).map(|answer| answer.value.as_str());
    let mut facts = Facts::default().with(RUN, run.into());
    let ours = format!("peer-wizard-{run}");
    facts.set(
        ROLE_NAME,
        value("ROLE_NAME").unwrap_or(provider.role_name).into(),
    );
    let app = value("PROVIDER_APPLICATION_ID").unwrap_or(provider.app_id);
    facts.set(provider.side.app_id, app.into());
    if let Some(tenant) = value("TENANT_ID") {
        facts.set(USER_TENANT_ID, tenant.into());
    }
    if provider.own_application {
        facts.set(PEERING_NAME, value("PEERING_NAME").unwrap_or(&ours).into());
        match value("APPLICATION_ID") {
            Some(id) => facts.set(USER_APP_ID, id.into()),
            None => facts.set(
                APPLICATION_NAME,
                value("APPLICATION").unwrap_or(&ours).into(),
            ),
        }
    }
    if provider.own_application && value("GRANT_ROLE") == Some("peering-only") {
        facts.set(USER_ROLE_NAME, OWN_ROLE_NAME.into());
    }
    if let Some(vnet) = value("VNET_ID").and_then(VnetId::parse) {
        facts.set(USER_VNET_ID, vnet.to_string().into());
        facts.set(USER_SUBSCRIPTION_ID, vnet.subscription.as_str().into());
        facts.set(USER_RESOURCE_GROUP, vnet.resource_group.as_str().into());
        facts.set(USER_VNET_NAME, vnet.name.as_str().into());
        if provider.own_application {
            own_role(&mut facts, &vnet, &value);
        }
    }
    for input in provider.inputs {
        super::provider::facts_of(*input, &value, &mut facts);
    }
    super::provider::derived(provider, run, &value, &mut facts);
    facts
}

fn own_role<'a>(facts: &mut Facts, vnet: &VnetId, value: &impl Fn(&str) -> Option<&'a str>) {
    let subscription = format!("/subscriptions/{}", vnet.subscription);
    let scope = match value("GRANT_SCOPE") {
        Some("subscription") => subscription.clone(),
        Some("resource-group") => {
            format!("{subscription}/resourceGroups/{}", vnet.resource_group)
        }
        _ => vnet.to_string(),
    };
    facts.set(GRANT_SCOPE, scope.into());
    if value("GRANT_ROLE") != Some("peering-only") {
        facts.set(
            NETWORK_CONTRIBUTOR_ROLE_ID,
            crate::azure::arm::role_id(&vnet.subscription, NETWORK_CONTRIBUTOR),
        );
    }
}

/// The line of a script that sets the variable of a fact which the answers do not tell: from others where it follows
/// from them, else by asking whoever runs the script.
#[must_use]
pub fn setting(
    name: &str,
    answers: &BTreeMap<String, Answer>,
    provider: &Provider,
) -> Option<String> {
    let value = |name: &str| answers.get(name).map(|answer| answer.value.as_str());
    let ask = |arg: &str| {
        let about = crate::cli::about(arg);
        format!(": \"${{{name}:?set it: {} ({})}}\"", about.help, about.flag)
    };
    let part = |field: u8| format!("{name}=$(printf '%s' \"$USER_VNET_ID\" | cut -d / -f {field})");
    let input = provider
        .inputs
        .iter()
        .find(|input| super::fact_name(**input) == name);
    Some(match name {
        "USER_VNET_ID" => format!(
            ": \"${{{name}:?set it to the resource ID of your VNet; az network vnet list shows it}}\""
        ),
        "USER_SUBSCRIPTION_ID" => part(3),
        "USER_RESOURCE_GROUP" => part(5),
        "USER_VNET_NAME" => part(9),
        "USER_TENANT_ID" => format!(
            "{name}=$(az account show --subscription \"$USER_SUBSCRIPTION_ID\" --query tenantId --output tsv)"
        ),
        "GRANT_SCOPE" => match value("GRANT_SCOPE") {
            Some("subscription") => format!("{name}=\"/subscriptions/$USER_SUBSCRIPTION_ID\""),
            Some("resource-group") => format!(
                "{name}=\"/subscriptions/$USER_SUBSCRIPTION_ID/resourceGroups/$USER_RESOURCE_GROUP\""
            ),
            _ => format!("{name}=$USER_VNET_ID"),
        },
        "NETWORK_CONTRIBUTOR_ROLE_ID" => format!(
            "{name}=\"{}\"",
            crate::azure::arm::role_id("$USER_SUBSCRIPTION_ID", NETWORK_CONTRIBUTOR)
        ),
        _ => ask(super::provider::arg_of(*input?)),
    })
}
