//! The answers, and the facts, the rows of a table and the shape of the flow that follow from them.

use crate::{
    azure::{
        Flow, arm,
        keys::{
            APPLICATION_NAME, GRANT_SCOPE, NETWORK_CONTRIBUTOR_ROLE_ID, PEERING_NAME, ROLE_NAME,
            RUN, USER_APP_ID, USER_ROLE_NAME, USER_TENANT_ID, USER_VNET_ID, vnet_facts,
        },
        steps::CredentialKind,
    },
    cli,
    engine::{Answer, Origin, Run, Scope},
    fact::Facts,
    net::VnetId,
    provider::{Provider, Shape},
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
        value(&self.0, name)
    }

    /// Where an answer came from.
    #[must_use]
    pub fn from(&self, name: &str) -> Option<Origin> {
        self.0.get(name).map(|answer| answer.from)
    }

    /// Whether `other` asks for the same connection with this provider: the same networks and the same application.
    #[must_use]
    pub fn same_connection(&self, provider: &Provider, other: &BTreeMap<String, Answer>) -> bool {
        let inputs = provider.inputs.iter().filter(|input| input.identifies);
        let general = ["PROVIDER", "VNET_ID", "APPLICATION_ID", "SANDBOX"];
        let mut names = general.into_iter().chain(inputs.map(|input| input.answer));
        names.all(|name| {
            let theirs = value(other, name).map(str::to_lowercase);
            self.value(name).map(str::to_lowercase) == theirs
        })
    }
}

fn value<'a>(answers: &'a BTreeMap<String, Answer>, name: &str) -> Option<&'a str> {
    answers.get(name).map(|answer| answer.value.as_str())
}

/// The shape of the flow that these answers ask for.
#[must_use]
pub fn shape_of(answers: &BTreeMap<String, Answer>, login_host: &str) -> Shape {
    Shape {
        application_given: value(answers, "APPLICATION_ID").is_some(),
        peering_only: peering_only(answers),
        credential: credential(answers),
        login_host: login_host.into(),
    }
}

/// A run of an earlier version was not asked.
fn credential(answers: &BTreeMap<String, Answer>) -> CredentialKind {
    let word = value(answers, "CREDENTIAL").unwrap_or_default();
    match clap::ValueEnum::from_str(word, true).unwrap_or_default() {
        cli::Credential::Auto => CredentialKind::Auto,
        cli::Credential::Password => CredentialKind::Password,
        cli::Credential::Certificate => CredentialKind::Certificate,
    }
}

fn peering_only(answers: &BTreeMap<String, Answer>) -> bool {
    value(answers, "GRANT_ROLE") == Some(&cli::word(&cli::GrantRole::PeeringOnly))
}

/// What a run begins with.
#[derive(Clone, Debug)]
pub struct Begins {
    /// What its members share, and what is known of the first one's VNet.
    pub shared: Facts,
    /// What each member knows of its own VNet, by the name of the member. While the VNet is not known, as in a script that
    /// asks for it, there is one member without a name that knows nothing.
    pub members: BTreeMap<String, Facts>,
}

/// The facts that a run called `run` begins with. What is not answered yet is left out.
#[must_use]
pub fn facts_of(answers: &BTreeMap<String, Answer>, provider: &Provider, run: &str) -> Begins {
    let value = |name: &str| value(answers, name);
    let ours = format!("peer-wizard-{run}");
    let mut facts = Facts::default()
        .with(RUN, run)
        .with(ROLE_NAME, value("ROLE_NAME").unwrap_or(provider.role_name))
        .with(
            provider.side.app_id,
            value("PROVIDER_APPLICATION_ID").unwrap_or(provider.app_id),
        );
    if let Some(tenant) = value("TENANT_ID") {
        facts.set(USER_TENANT_ID, tenant);
    }
    let vnet = value("VNET_ID").and_then(VnetId::parse);
    if let Some(vnet) = &vnet {
        facts.absorb(vnet_facts(vnet));
    }
    if provider.own_application {
        facts.set(PEERING_NAME, value("PEERING_NAME").unwrap_or(&ours));
        match value("APPLICATION_ID") {
            Some(id) => facts.set(USER_APP_ID, id),
            None => facts.set(APPLICATION_NAME, value("APPLICATION").unwrap_or(&ours)),
        }
        if peering_only(answers) {
            facts.set(USER_ROLE_NAME, OWN_ROLE_NAME);
        }
        if let Some(vnet) = &vnet {
            own_role(&mut facts, vnet, answers);
        }
    }
    for input in provider.inputs {
        if let Some(value) = value(input.answer).or(input.default) {
            facts.set_text(input.fact.name, value.into());
        }
    }
    for derived in provider.derived {
        let text = value(derived.answer).map(str::to_owned);
        let text = text.unwrap_or_else(|| (derived.from)(&facts));
        facts.set_text(derived.fact.name, text);
    }
    let members = BTreeMap::from([match &vnet {
        Some(vnet) => (vnet.member(), vnet_facts(vnet)),
        None => (String::new(), Facts::default()),
    }]);
    Begins {
        shared: facts,
        members,
    }
}

/// Sets what a saved run's answers settle, and what follows from its VNets' ids: its file may have been edited, and an object
/// is looked for by these. What a default of this version would settle is left as it is: the run may be older.
pub fn settle(run: &mut Run, provider: &Provider, flow: &Flow) {
    let answers = &run.answers;
    let answered = |name: &str| value(answers, name).is_some();
    let mut settled = facts_of(answers, provider, &run.run).shared;
    let mut by_default = vec![USER_ROLE_NAME.named().name];
    if !answered("ROLE_NAME") {
        by_default.push(ROLE_NAME.named().name);
    }
    if !answered("PROVIDER_APPLICATION_ID") {
        by_default.push(provider.side.app_id.named().name);
    }
    let inputs = provider.inputs.iter();
    let defaults = inputs.filter(|input| !answered(input.answer));
    by_default.extend(defaults.map(|input| input.fact.name));
    for name in by_default {
        settled.take(name);
    }
    // What is shared is known of the shared part alone.
    let shared = flow.steps.iter().filter(|it| it.scope() == Scope::Shared);
    let mut shared: Vec<&str> = shared
        .flat_map(|step| step.gives())
        .map(|named| named.name)
        .collect();
    shared.extend(provider.inputs.iter().map(|input| input.fact.name));
    shared.extend(provider.derived.iter().map(|derived| derived.fact.name));
    shared.extend([USER_TENANT_ID.named().name, PEERING_NAME.named().name]);
    for member in run.members.values_mut() {
        for name in &shared {
            member.facts.take(name);
        }
        if let Ok(vnet) = member.facts.get(USER_VNET_ID) {
            member.facts.absorb(vnet_facts(&vnet));
        }
    }
    run.shared.facts.absorb(settled);
}

/// Where your own principal gets its role.
fn grant_scope(answers: &BTreeMap<String, Answer>) -> cli::GrantScope {
    let word = value(answers, "GRANT_SCOPE").unwrap_or_default();
    clap::ValueEnum::from_str(word, false).unwrap_or_default()
}

fn own_role(facts: &mut Facts, vnet: &VnetId, answers: &BTreeMap<String, Answer>) {
    let subscription = vnet.subscription_scope();
    let scope = match grant_scope(answers) {
        cli::GrantScope::Vnet => vnet.to_string(),
        cli::GrantScope::ResourceGroup => {
            format!("{subscription}/resourceGroups/{}", vnet.resource_group)
        }
        cli::GrantScope::Subscription => subscription,
    };
    facts.set(GRANT_SCOPE, scope);
    if !peering_only(answers) {
        facts.set(
            NETWORK_CONTRIBUTOR_ROLE_ID,
            arm::role_id(&vnet.subscription, NETWORK_CONTRIBUTOR),
        );
    }
}

/// One row of the table of answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Labelled {
    /// What it is called.
    pub label: &'static str,
    /// The answer.
    pub value: String,
    /// Where it came from, in words.
    pub from: &'static str,
}

/// The rows of the table of answers: those that were given, then the defaults of those that were not.
#[must_use]
pub fn labelled(
    answers: &BTreeMap<String, Answer>,
    provider: &Provider,
    facts: &Facts,
) -> Vec<Labelled> {
    const BEFORE: [(&str, &str); 4] = [
        ("PROVIDER", "Provider"),
        ("SUBSCRIPTION_ID", "Subscription"),
        ("TENANT_ID", "Tenant"),
        ("VNET_ID", "VNet"),
    ];
    const AFTER: [(&str, &str); 8] = [
        ("APPLICATION", "Application"),
        ("APPLICATION_ID", "Application ID"),
        ("CREDENTIAL", "Credential"),
        ("PROVIDER_APPLICATION_ID", "Provider's application"),
        ("GRANT_ROLE", "Your role"),
        ("GRANT_SCOPE", "Its scope"),
        ("PEERING_NAME", "Peering"),
        ("ROLE_NAME", "Provider's role"),
    ];
    let inputs = provider.inputs.iter().map(|it| (it.answer, it.label));
    let given = BEFORE.into_iter().chain(inputs).chain(AFTER);
    let given = given.filter_map(|(name, label)| {
        let answer = answers.get(name)?;
        let value = match VnetId::parse(&answer.value) {
            Some(id) => format!("{} in {}", id.name, id.resource_group),
            None => answer.value.clone(),
        };
        Some(Labelled {
            label,
            value,
            from: answer.from.words(),
        })
    });
    let first = [
        ("USER_SUBSCRIPTION_ID", "SUBSCRIPTION_ID", "Subscription"),
        ("APPLICATION_NAME", "APPLICATION", "Application"),
        ("PEERING_NAME", "PEERING_NAME", "Peering"),
    ];
    let derived = provider.derived.iter();
    let derived = derived.map(|it| (it.fact.name, it.answer, it.label));
    let last = [("ROLE_NAME", "ROLE_NAME", "Provider's role")];
    let defaults = first.into_iter().chain(derived).chain(last);
    let defaults = defaults
        .filter(|(_, answer, _)| !answers.contains_key(*answer))
        .filter_map(|(fact, _, label)| {
            Some(Labelled {
                label,
                value: facts.text(fact)?.to_owned(),
                from: Origin::Default.words(),
            })
        });
    given.chain(defaults).collect()
}

/// A line of a script that sets one variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The line.
    pub text: String,
    /// The variables that it reads.
    pub reads: Vec<&'static str>,
}

/// The line of a script that sets the variable of a fact which the answers do not tell: from others where it follows
/// from them, else by asking whoever runs the script.
#[must_use]
pub fn setting(
    name: &str,
    answers: &BTreeMap<String, Answer>,
    provider: &Provider,
) -> Option<Line> {
    const SUBSCRIPTION: &str = "USER_SUBSCRIPTION_ID";
    const VNET: &str = "USER_VNET_ID";
    let line = |text: String, reads: &[&'static str]| {
        let reads = reads.to_vec();
        Some(Line { text, reads })
    };
    let part = |field: u8| {
        let text = format!("{name}=$(printf '%s' \"$USER_VNET_ID\" | cut -d / -f {field})");
        line(text, &[VNET])
    };
    match name {
        VNET => line(
            format!(
                ": \"${{{name}:?set it to the resource ID of your VNet; az network vnet list shows it}}\""
            ),
            &[],
        ),
        SUBSCRIPTION => part(3),
        "USER_RESOURCE_GROUP" => part(5),
        "USER_VNET_NAME" => part(9),
        "USER_TENANT_ID" => line(
            format!(
                "{name}=$(az account show --subscription \"$USER_SUBSCRIPTION_ID\" --query tenantId --output tsv)"
            ),
            &[SUBSCRIPTION],
        ),
        "GRANT_SCOPE" => match grant_scope(answers) {
            cli::GrantScope::Vnet => line(format!("{name}=$USER_VNET_ID"), &[VNET]),
            cli::GrantScope::ResourceGroup => line(
                format!(
                    "{name}=\"/subscriptions/$USER_SUBSCRIPTION_ID/resourceGroups/$USER_RESOURCE_GROUP\""
                ),
                &[SUBSCRIPTION, "USER_RESOURCE_GROUP"],
            ),
            cli::GrantScope::Subscription => line(
                format!("{name}=\"/subscriptions/$USER_SUBSCRIPTION_ID\""),
                &[SUBSCRIPTION],
            ),
        },
        "NETWORK_CONTRIBUTOR_ROLE_ID" => {
            let role = arm::role_id("$USER_SUBSCRIPTION_ID", NETWORK_CONTRIBUTOR);
            line(format!("{name}=\"{role}\""), &[SUBSCRIPTION])
        }
        _ => {
            let input = provider.inputs.iter().find(|it| it.fact.name == name)?;
            let (help, flag) = (input.flag.help, input.flag.long());
            line(format!(": \"${{{name}:?set it: {help} ({flag})}}\""), &[])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::providers;

    fn answers_for(provider: &Provider) -> Answers {
        let mut answers = Answers::default();
        answers.set("PROVIDER", provider.id, Origin::Flag);
        for input in provider.inputs {
            answers.set(input.answer, "A", Origin::Flag);
        }
        answers
    }

    #[test]
    fn another_answer_that_identifies_is_another_connection() {
        for provider in providers::ALL {
            let answers = answers_for(provider);
            assert!(answers.same_connection(provider, &answers.0));
            for input in provider.inputs {
                let mut other = answers.clone();
                other.set(input.answer, "a", Origin::Environment);
                assert!(answers.same_connection(provider, &other.0));
                other.set(input.answer, "b", Origin::Flag);
                let same = answers.same_connection(provider, &other.0);
                assert_eq!(same, !input.identifies, "{}", input.answer);
            }
        }
    }

    #[test]
    fn each_answer_of_a_provider_is_a_fact_and_a_row() {
        for provider in providers::ALL {
            let answers = answers_for(provider);
            let facts = facts_of(&answers.0, provider, "run").shared;
            let rows = labelled(&answers.0, provider, &facts);
            for input in provider.inputs {
                assert_eq!(facts.text(input.fact.name), Some("A"));
                assert!(rows.iter().any(|row| row.label == input.label));
            }
            for derived in provider.derived {
                assert!(facts.knows(derived.fact.name));
                assert!(rows.iter().any(|row| row.label == derived.label));
            }
        }
    }
}
