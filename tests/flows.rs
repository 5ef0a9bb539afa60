//! What is true of every provider's flow in each of its shapes, told from the flow alone: no network, no sign-in.

mod support;

use peer_wizard::{
    ask::facts_of,
    azure::Flow,
    engine::{Answer, Origin, Step},
    fact::{Facts, Named},
    net::VnetId,
    provider::{Provider, Shape},
    providers,
    sandbox::Lag,
    shell::{Helper, with_needs},
};
use std::collections::{BTreeMap, BTreeSet};
use support::{Bench, Journey, shapes};

/// Every flow, with a name for messages.
fn flows() -> Vec<(String, &'static Provider, Shape, Flow)> {
    let mut flows = Vec::new();
    for provider in providers::ALL {
        for (name, shape) in shapes() {
            let flow = provider.flow(&shape);
            flows.push((format!("{} ({name})", provider.id), provider, shape, flow));
        }
    }
    flows
}

/// The facts that the answers alone give.
fn answered(provider: &Provider, shape: &Shape) -> Facts {
    let vnet = VnetId {
        subscription: "0b1f6471-1bf0-4dda-aec3-cb9272f09590".into(),
        resource_group: "RG-Prod".into(),
        name: "vnet-hub".into(),
    };
    let mut values = BTreeMap::from([
        ("PROVIDER", provider.id.to_owned()),
        ("VNET_ID", vnet.to_string()),
        ("TENANT_ID", "3f0a6c1e-5b1d-4a77-9c58-2d1e7b90c4a1".into()),
    ]);
    let inputs = provider.inputs.iter();
    let needed = inputs.filter(|input| input.default.is_none());
    values
        .extend(needed.map(|input| (input.answer, "d3c1b5a7-8e90-4f2d-a6b4-1c3e5d7f9b80".into())));
    if shape.application_given {
        values.insert(
            "APPLICATION_ID",
            "5c1d0a4e-77b2-4a60-9f0e-2b6d8c3e1f55".into(),
        );
    }
    if shape.peering_only {
        values.insert("GRANT_ROLE", "peering-only".into());
    }
    let answer = |(name, value): (&str, String)| {
        let from = Origin::Flag;
        (name.to_owned(), Answer { value, from })
    };
    let answers = values.into_iter().map(answer).collect();
    facts_of(&answers, provider, &format!("{}-test", provider.id)).shared
}

fn names(named: impl IntoIterator<Item = Named>) -> BTreeSet<&'static str> {
    named.into_iter().map(|named| named.name).collect()
}

#[test]
fn ids_are_unique_and_fit_for_a_file() {
    for (name, _, _, flow) in flows() {
        let mut ids = BTreeSet::new();
        for step in &flow.steps {
            let id = step.about().id;
            assert!(ids.insert(id), "{name}: two steps are called {id}");
            let word = |c: char| c.is_ascii_lowercase() || c == '-';
            assert!(!id.is_empty() && id.chars().all(word), "{name}: {id}");
        }
    }
}

#[test]
fn ids_of_released_steps_are_still_there() {
    // State files name them; what is here stays.
    let released = [
        "application",
        "password",
        "provider-principal",
        "role",
        "role-scope",
        "provider-assignment",
        "principal",
        "provider-peering",
        "assignment",
        "pending-peer",
        "vnet-peering",
        "active",
        "password-revoked",
    ];
    for provider in [
        &providers::aiven::PROJECT,
        &providers::aiven::ORGANIZATION,
        &providers::timescale::TIMESCALE,
    ] {
        let flow = provider.flow(&shapes()[0].1);
        let ids: Vec<&str> = flow.steps.iter().map(|step| step.about().id).collect();
        assert_eq!(ids, released, "{}", provider.id);
    }
}

#[test]
fn every_step_explains_itself() {
    for (name, _, _, flow) in flows() {
        for step in &flow.steps {
            let about = step.about();
            let what = format!("{name}: {}", about.id);
            let sentence = |text: &str| text.chars().next().is_some_and(char::is_uppercase);
            assert!(
                sentence(&about.title) && !about.title.ends_with('.'),
                "{what}: title `{}`",
                about.title
            );
            assert!(
                about.title.chars().count() <= 60,
                "{what}: a title is short"
            );
            assert!(
                sentence(about.why) && about.why.ends_with('.'),
                "{what}: why `{}`",
                about.why
            );
            assert!(
                about.link.starts_with("https://"),
                "{what}: link `{}`",
                about.link
            );
            assert!(!about.link.contains(' '), "{what}: link `{}`", about.link);
            if !matches!(step, Step::Wait(_)) {
                assert!(
                    !about.permissions.is_empty(),
                    "{what}: which rights does it take?"
                );
            }
        }
    }
}

#[test]
fn titles_of_a_flow_differ() {
    for (name, provider, shape, flow) in flows() {
        let titles: BTreeSet<String> = flow.steps.iter().map(|step| step.about().title).collect();
        // With two custom roles, both are made assignable.
        let twins = usize::from(shape.peering_only && provider.own_application);
        assert!(
            titles.len() + twins >= flow.steps.len(),
            "{name}: {titles:?}"
        );
    }
}

/// What a step says it reads is what its commands name and what its code reads, no less and no more. A step sees nothing else,
/// so a fact that is not said fails the journeys below.
#[test]
fn a_step_reads_just_what_it_says() {
    // By the name of the flow, and by that of its provider.
    let mut heard: BTreeMap<(String, &'static str), BTreeSet<&'static str>> = BTreeMap::new();
    let listen = |provider: &'static Provider| {
        let mut all = Vec::new();
        for (index, (name, shape)) in shapes().into_iter().enumerate() {
            let bench = Bench::new(provider, &shape, Lag::None);
            for (step, reads) in bench.heard(index == 0) {
                all.push((format!("{} ({name})", provider.id), step, reads.clone()));
                all.push((provider.id.to_owned(), step, reads));
            }
        }
        all
    };
    // Beside each other, as some of their time is spent on waiting.
    std::thread::scope(|scope| {
        let threads = providers::ALL.map(|provider| scope.spawn(move || listen(provider)));
        for thread in threads {
            for (name, step, reads) in thread.join().expect("it listens") {
                heard.entry((name, step)).or_default().extend(&reads);
            }
        }
    });
    for (what, provider, _, flow) in flows() {
        for step in &flow.steps {
            let id = step.about().id;
            let (reads, gives) = (names(step.reads()), names(step.gives()));
            let mut named = names(step.shell().named());
            named.extend(names(step.shell_apart().named()));
            let told = reads.union(&gives).copied().collect::<BTreeSet<_>>();
            let code = heard.get(&(what.clone(), id)).cloned().unwrap_or_default();
            let untold: Vec<_> = code.difference(&told).collect();
            assert!(
                untold.is_empty(),
                "{what}: {id} does not say that it reads {untold:?}"
            );
            let untold: Vec<_> = named.difference(&told).collect();
            assert!(
                untold.is_empty(),
                "{what}: {id} does not say that its commands read {untold:?}"
            );
            let code = heard
                .get(&(provider.id.to_owned(), id))
                .cloned()
                .unwrap_or_default();
            let idle: Vec<_> = reads
                .iter()
                .filter(|name| !named.contains(*name) && !code.contains(*name))
                .collect();
            assert!(
                idle.is_empty(),
                "{what}: {id} says that it reads {idle:?}, and does not"
            );
            let twice: Vec<_> = reads.intersection(&gives).collect();
            assert!(twice.is_empty(), "{what}: {id} gives {twice:?} itself");
        }
    }
}

/// What a step says it gives holds what its commands keep, and what it really gave.
#[test]
fn a_step_gives_just_what_it_says() {
    for (what, _, _, flow) in flows() {
        for step in &flow.steps {
            let (id, gives) = (step.about().id, names(step.gives()));
            let mut kept = names(step.shell().given());
            kept.extend(names(step.shell_apart().given()));
            let untold: Vec<_> = kept.difference(&gives).collect();
            assert!(
                untold.is_empty(),
                "{what}: {id} does not say that its commands give {untold:?}"
            );
        }
    }
    for provider in providers::ALL {
        let bench = Bench::new(provider, &shapes()[0].1, Lag::None);
        let mut disk = bench.disk();
        let begins = names_of(&bench.start().facts());
        let run = bench.go(&mut disk, Journey::Apply).expect(provider.id);
        let gives = bench.flow.steps.iter().flat_map(|step| step.gives());
        let gives: BTreeSet<String> = gives.map(|named| named.name.to_owned()).collect();
        let got = names_of(&run.facts());
        let untold: Vec<_> = got
            .difference(&begins)
            .filter(|it| !gives.contains(*it))
            .collect();
        assert!(
            untold.is_empty(),
            "{}: nobody says that it gives {untold:?}",
            provider.id
        );
    }
}

fn names_of(facts: &Facts) -> BTreeSet<String> {
    facts.texts().keys().cloned().collect()
}

/// A helper names in its text just what it says that it reads and needs.
#[test]
fn a_helper_of_the_script_says_what_it_reads_and_needs() {
    let mut helpers: BTreeMap<&str, &'static Helper> = BTreeMap::new();
    let mut facts: BTreeSet<&str> = BTreeSet::new();
    for (_, _, _, flow) in flows() {
        for step in &flow.steps {
            facts.extend(names(step.reads()));
            facts.extend(names(step.gives()));
            for shell in [step.shell(), step.shell_apart()] {
                for helper in with_needs(shell.helpers()) {
                    helpers.insert(helper.name, helper);
                }
            }
        }
    }
    let words = |text: &str| -> BTreeSet<String> {
        let code = text
            .lines()
            .filter(|line| !line.trim_start().starts_with('#'));
        // An option of a program is no call: `--retry`.
        let word = |c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '-');
        code.flat_map(|line| line.split(word).map(str::to_owned))
            .collect()
    };
    assert!(helpers.len() > 15, "{} helpers", helpers.len());
    for helper in helpers.values() {
        let words = words(helper.bash);
        let defines = |name: &str| {
            let head = format!("{name}()");
            helper.bash.lines().any(|line| line.starts_with(&head))
        };
        let says: BTreeSet<&str> = helper.needs.iter().map(|need| need.name).collect();
        let calls: BTreeSet<&str> = helpers
            .keys()
            .copied()
            .filter(|name| *name != helper.name && words.contains(*name) && !defines(name))
            .collect();
        assert_eq!(says, calls, "{}: what it needs", helper.name);
        let says = names(helper.reads.iter().copied());
        let reads: BTreeSet<&str> = facts
            .iter()
            .copied()
            .filter(|name| words.contains(*name))
            .collect();
        assert_eq!(says, reads, "{}: what it reads", helper.name);
    }
}

#[test]
fn every_fact_is_given_before_it_is_read() {
    for (name, provider, shape, flow) in flows() {
        let facts = answered(provider, &shape);
        let given: BTreeSet<&str> = facts.texts().keys().map(String::as_str).collect();
        assert_eq!(flow.unfed(&given), [], "{name}");
    }
}

#[test]
fn a_fact_that_nobody_gives_is_noticed() {
    for (name, provider, shape, flow) in flows() {
        let facts = answered(provider, &shape);
        let names = facts.texts().keys().map(String::as_str);
        let given: BTreeSet<&str> = names.filter(|it| *it != "USER_VNET_NAME").collect();
        assert!(
            !flow.unfed(&given).is_empty(),
            "{name}: the check sees nothing"
        );
    }
}

#[test]
fn what_can_be_made_can_be_deleted_by_hand() {
    for (name, _, _, flow) in flows() {
        for step in &flow.steps {
            let (id, shell) = (step.about().id, step.shell());
            match step {
                Step::Ensure(_) => {
                    let made = !shell.create.is_empty();
                    let both = made && !shell.delete.is_empty();
                    assert!(both || !made, "{name}: {id} is made and cannot be deleted");
                    assert!(made || shell.find.is_some(), "{name}: {id} has no command");
                }
                Step::Wait(_) | Step::Release(_) => {
                    let something = shell.wait.is_some() || !shell.create.is_empty();
                    assert!(something, "{name}: {id} has no command");
                    assert!(
                        shell.delete.is_empty(),
                        "{name}: {id} is a wait and owns nothing"
                    );
                }
            }
        }
    }
}

#[test]
fn no_command_carries_a_secret_in_its_arguments() {
    for (name, _, _, flow) in flows() {
        for step in &flow.steps {
            let shell = step.shell();
            let commands = shell.find.iter().chain(&shell.create).chain(&shell.delete);
            for command in commands {
                let words = command.bash_words();
                let tokens = providers::tokens().into_iter();
                let tokens = tokens.flat_map(|token| token.variables.iter().copied());
                for secret in tokens.chain(["USER_APP_SECRET"]) {
                    assert!(!words.contains(secret), "{name}: {words}");
                }
            }
        }
    }
}

#[test]
fn waits_say_how_long_they_usually_take() {
    for (name, _, _, flow) in flows() {
        for step in &flow.steps {
            let Step::Wait(probe) = step else { continue };
            let (id, usual) = (probe.about().id, probe.usual());
            assert!(!usual.words.is_empty(), "{name}: {id}");
            assert!(
                usual.every <= usual.limit && usual.time <= usual.limit,
                "{name}: {id}: {usual:?}"
            );
            if let Some(wait) = step.shell().wait {
                assert!(!wait.reached.is_empty(), "{name}: {id} never ends");
                assert!(
                    wait.reached.iter().all(|it| !wait.refused.contains(it)),
                    "{name}: {id}"
                );
            }
        }
    }
}

#[test]
fn undo_begins_at_the_provider_and_goes_over_everything_once() {
    for (name, provider, _, flow) in flows() {
        let order: Vec<&str> = flow.undo_order().iter().map(|it| it.about().id).collect();
        let ensured = flow
            .steps
            .iter()
            .filter(|step| matches!(step, Step::Ensure(_)));
        let mut made: Vec<&str> = ensured.map(|step| step.about().id).collect();
        let at = |id: &str| order.iter().position(|it| *it == id);
        for (earlier, later) in [
            ("vnet-peering", "assignment"),
            ("provider-assignment", "role"),
            ("provider-assignment", "provider-principal"),
            ("assignment", "principal"),
            ("principal", "application"),
        ] {
            if let (Some(earlier), Some(later)) = (at(earlier), at(later)) {
                assert!(earlier < later, "{name}: {order:?}");
            }
        }
        if provider.own_application {
            assert_eq!(order.first(), Some(&"provider-peering"), "{name}");
        }
        made.sort_unstable();
        let mut order = order;
        order.sort_unstable();
        assert_eq!(order, made, "{name}");
    }
}

#[test]
fn providers_are_told_apart() {
    let mut ids = BTreeSet::new();
    for provider in providers::ALL {
        assert!(ids.insert(provider.id));
        assert!(providers::named(provider.id).is_some());
        assert!(provider.console.starts_with("https://"), "{}", provider.id);
        assert!(!provider.allows.actions.is_empty(), "{}", provider.id);
        let guid = provider.app_id.len() == 36 && provider.app_id.to_lowercase() == provider.app_id;
        assert!(guid, "{}: {}", provider.id, provider.app_id);
    }
    assert!(providers::named("nobody").is_none());
}
