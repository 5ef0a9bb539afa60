//! Three people with rights in one part each, who run the scripts of their parts in turn.

use super::{native, plain, provider};
use crate::{
    person::{Person, Ran},
    shape::{assert_same, shape},
    support::Cloud,
};
use peer_wizard::sandbox::Lag;
use std::collections::BTreeMap;

/// What the scripts have printed so far, as the next takes it.
#[derive(Default)]
struct Told(BTreeMap<String, String>);

impl Told {
    fn vars(&self) -> Vec<(&str, &str)> {
        let all = self.0.iter();
        all.map(|(name, value)| (name.as_str(), value.as_str()))
            .collect()
    }

    fn take(&mut self, ran: &Ran) {
        let lines = ran.said.lines().filter_map(|line| line.split_once('='));
        let is_name = |name: &str| name.bytes().all(|it| it.is_ascii_uppercase() || it == b'_');
        let lines = lines.filter(|(name, _)| is_name(name));
        self.0
            .extend(lines.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }
}

/// Three people, each with the rights of one part: the client ids by which they sign in.
fn colleagues(cloud: &Cloud) -> [(&'static str, String); 3] {
    let administrator = ["Application Administrator"];
    [
        (
            "entra",
            cloud.add_colleague("Directory", &administrator, false),
        ),
        ("azure", cloud.add_colleague("Network", &[], true)),
        ("provider", cloud.add_colleague("Service", &[], false)),
    ]
}

/// Signs three people in, and brings the scripts to their end in this order, each with the code that it ends with.
fn connects(id: &str, turns: &[(&str, i32)]) {
    let provider = provider(id);
    let prepare = |cloud: &Cloud| {
        colleagues(cloud);
    };
    let (_, _, goal) = native(provider, &plain(), &prepare);
    let cloud = Cloud::with(Lag::Timed(0.2));
    let people = colleagues(&cloud);
    let before = cloud.world();
    let people: BTreeMap<&str, Person> = people
        .into_iter()
        .map(|(part, client)| (part, Person::sign_in_as(&cloud, provider, &client)))
        .collect();
    let print = |part: &str| {
        let person: &Person = &people[part];
        let mut args = person.connect_args();
        // Each finds the tenant in a way of their own.
        let tenant = args.iter().position(|it| it == "--tenant");
        args.drain(tenant.expect("it is given")..)
            .take(2)
            .for_each(drop);
        args.extend(["--dry-run", "--no-input", "--part", part].map(str::to_owned));
        (person, person.print(&args))
    };
    let mut told = Told::default();
    for (index, (part, code)) in turns.iter().enumerate() {
        let (person, script) = print(part);
        let what = format!("{id}: turn {}, {part}", index + 1);
        let ran = person.try_run(&what, &script, &told.vars());
        assert_eq!(ran.code, Some(*code), "{what}\n{}", ran.said);
        let other = if *part == "provider" { "az " } else { "avn " };
        let strange = ran.called.iter().find(|call| call.starts_with(other));
        assert_eq!(strange, None, "{what}");
        told.take(&ran);
    }
    assert_same(id, &shape(&cloud, &before, provider), &goal);
    // Whoever runs their script again doubles nothing.
    let world = cloud.world();
    for part in people.keys() {
        let (person, script) = print(part);
        person.run_with(&format!("{id}: {part} again"), &script, &told.vars());
        assert_same(id, &cloud.world(), &world);
    }
}

#[test]
#[ignore = "needs PyPI; run by .ci/run"]
fn three_people_connect_in_turn() {
    connects(
        "aiven-project",
        &[
            ("provider", 5),
            ("entra", 5),
            ("azure", 0),
            ("provider", 5),
            ("entra", 0),
            ("provider", 0),
        ],
    );
}

#[test]
#[ignore = "needs PyPI; run by .ci/run"]
fn three_people_connect_a_gateway_in_turn() {
    connects(
        "kong",
        &[
            ("provider", 5),
            ("entra", 0),
            ("azure", 5),
            ("provider", 0),
            ("azure", 0),
        ],
    );
}
