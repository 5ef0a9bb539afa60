//! Whatever a VNet, a role or an application is called: no output has a character in it that a reader would not see.

use super::{
    support::{Bench, shapes},
    texts, trial,
};
use peer_wizard::{
    engine::{Event, Run, Status, event::Outcome},
    error::Error,
    providers,
    sandbox::Lag,
    view::{
        Screen, View, clean,
        json::{self, Json},
        lines::Lines,
        preview::{PlanLine, Preview},
        report,
        script::Script,
    },
    visible::written_out,
};
use proptest::{
    prop_assert, prop_assert_eq,
    sample::select,
    strategy::{Strategy, Union},
};
use std::collections::BTreeMap;

/// The characters that are never to stand in any output as they are, told independently of the program: what the standards call
/// controls, formats, separators and variation selectors.
fn hides(char: char) -> bool {
    let code = u32::from(char);
    [
        (0, 0x1f),
        (0x7f, 0xa0),
        (0xad, 0xad),
        (0x61c, 0x61c),
        (0x1680, 0x1680),
        (0x180b, 0x180e),
        (0x2000, 0x200f),
        (0x2028, 0x202f),
        (0x205f, 0x2064),
        (0x2066, 0x206f),
        (0x3000, 0x3000),
        (0xfe00, 0xfe0f),
        (0xfeff, 0xfeff),
        (0xfff9, 0xfffb),
        (0xe0001, 0xe007f),
        (0xe0100, 0xe01ef),
    ]
    .iter()
    .any(|(from, to)| (*from..=*to).contains(&code))
}

const HIDDEN: &[char] = &[
    '\u{7f}',
    '\u{85}',
    '\u{9b}',
    '\u{a0}',
    '\u{ad}',
    '\u{61c}',
    '\u{1680}',
    '\u{180e}',
    '\u{2003}',
    '\u{200b}',
    '\u{200d}',
    '\u{200e}',
    '\u{200f}',
    '\u{2028}',
    '\u{202a}',
    '\u{202e}',
    '\u{202f}',
    '\u{205f}',
    '\u{2060}',
    '\u{2066}',
    '\u{2069}',
    '\u{3000}',
    '\u{fe0f}',
    '\u{feff}',
    '\u{e0041}',
    '\u{e0101}',
];

/// A name that somebody gave something.
fn name() -> impl Strategy<Value = String> + Clone {
    let odd = select(HIDDEN).prop_map(String::from);
    let piece = Union::new(vec![odd.boxed(), texts::text().boxed()]);
    proptest::collection::vec(piece, 1..5).prop_map(|pieces| pieces.concat())
}

/// Asserts that each line of an output shows all that is in it.
fn is_plain(what: &str, output: &str) -> trial::Verdict {
    let found: Vec<char> = output
        .lines()
        .flat_map(str::chars)
        .filter(|it| hides(*it))
        .collect();
    prop_assert!(found.is_empty(), "{what}: {found:?} in {output:?}");
    Ok(())
}

fn facts(name: &str) -> BTreeMap<String, String> {
    BTreeMap::from([("ROLE_NAME".to_owned(), name.to_owned())])
}

fn events<'a>(name: &'a str, facts: &'a BTreeMap<String, String>) -> Vec<Event<'a>> {
    vec![
        Event::Started {
            step: "role",
            title: name,
            index: 0,
            total: 1,
        },
        Event::Waiting {
            step: "role",
            says: name,
            elapsed: 1.0,
            usually: 2.0,
        },
        Event::Retrying {
            step: "role",
            because: name,
            attempt: 1,
            after: 1.0,
        },
        Event::Needs {
            step: "role",
            text: name,
            url: name,
        },
        Event::Finished {
            step: "role",
            status: Status::Created,
            took: 1.0,
            facts,
            note: Some(name),
            says: None,
        },
        Event::Closed {
            status: Outcome::Connected,
            facts,
        },
    ]
}

#[test]
fn no_view_shows_a_hidden_character() {
    trial::holds("names in views", 1500, &name(), |name| {
        let (facts, vnet) = (facts(&name), format!("/subscriptions/s/{name}"));
        is_plain("clean", &clean(&name))?;
        prop_assert!(!clean(&name).contains('\n'));
        let (mut out, mut err, mut told) = (Vec::new(), Vec::new(), Vec::new());
        let screen = Screen {
            verbose: true,
            ..Screen::plain(80)
        };
        let mut lines = Lines::new(&mut told, &screen);
        let mut json = Json::new(&mut out, &mut err, &screen);
        for event in events(&name, &facts) {
            lines.event(&event, Some(&vnet));
            json.event(&event, Some(&vnet));
        }
        lines.request(&name);
        json.request(&name);
        drop((lines, json));
        for (what, text) in [("lines", told), ("events", out), ("prose", err)] {
            is_plain(what, &String::from_utf8(text).expect("text"))?;
        }
        let line = json::line(&BTreeMap::from([(&name, &name)]));
        is_plain("JSON", &line)?;
        prop_assert!(!line.contains('\n'));
        let back: BTreeMap<String, String> = serde_json::from_str(&line).expect("JSON");
        prop_assert_eq!(back, BTreeMap::from([(name.clone(), name.clone())]));
        Ok(())
    });
}

#[test]
fn no_page_shows_a_hidden_character() {
    trial::holds("names on pages", 1500, &name(), |name| {
        let screen = Screen::plain(100);
        let line = PlanLine {
            title: name.clone(),
            detail: name.clone(),
            note: name.clone(),
            why: name.clone(),
            link: name.clone(),
            permissions: vec![name.clone()],
            ..PlanLine::default()
        };
        let page = Preview {
            verb: "Connect".into(),
            from: name.clone(),
            to: name.clone(),
            lines: vec![line],
            needs: vec![name.clone()],
            ..Preview::default()
        };
        is_plain("preview", &page.render(&screen, true))?;
        let error = Error::usage(name.clone()).hint(name.clone());
        is_plain("error", &report::error(&error, &screen, None))?;
        is_plain("facts", &report::facts(&facts(&name)))?;
        is_plain("table", &report::table(&["A"], &[vec![name.clone()]], 80))?;
        // What no part of the program has cleaned is written out at the very end.
        is_plain("end", &written_out(&clean(&name)))?;
        let bare: String = name
            .chars()
            .filter(|it| !matches!(it, '\n' | '\t' | '\u{1b}'))
            .collect();
        is_plain("end", &written_out(&bare))
    });
}

#[test]
fn no_script_has_a_hidden_character() {
    let bench = Bench::new(providers::ALL[0], &shapes()[0].1, Lag::None);
    let start = bench.start();
    trial::holds("names in scripts", 300, &name(), |name| {
        let mut facts = start.shared.facts.clone();
        for known in start.facts().texts().keys() {
            // A member's VNet is read as one; all others are what a person or a service says.
            if known.ends_with("_NAME") || known.ends_with("_PROJECT") {
                facts = facts.with(
                    peer_wizard::fact::Key::<String>::new(leak(known)),
                    name.as_str(),
                );
            }
        }
        let mut run: Run = start.clone();
        run.shared.facts = facts;
        run.written_by.clone_from(&name);
        let script = Script {
            headline: name.clone(),
            flow: &bench.flow,
            run: &run,
            secrets: &[],
            settings: &|_| None,
        };
        let text = script.apply();
        is_plain("script", &text)?;
        let (head, _) = text.split_once("\nset -euf -o pipefail\n").expect("a head");
        prop_assert!(head.lines().all(|line| line.starts_with('#')), "{head}");
        for step in bench.flow.steps.iter().map(|step| step.about().id) {
            run.shared.steps.insert(
                step.into(),
                peer_wizard::engine::StepRecord::now(Status::Created, None),
            );
        }
        let script = Script {
            headline: name.clone(),
            flow: &bench.flow,
            run: &run,
            secrets: &[],
            settings: &|_| None,
        };
        is_plain("undo", &script.undo(&[]))
    });
}

/// The name of a fact lives as long as the program.
fn leak(name: &str) -> &'static str {
    static KNOWN: &[&str] = &[
        "ROLE_NAME",
        "USER_ROLE_NAME",
        "APPLICATION_NAME",
        "PEERING_NAME",
        "AIVEN_PROJECT",
    ];
    KNOWN
        .iter()
        .find(|it| **it == name)
        .copied()
        .unwrap_or("OTHER_NAME")
}
