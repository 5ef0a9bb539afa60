//! What scripts look like, on a toy.

use super::*;
use crate::{
    engine::{
        About, Cx, Definition, Deleted, Done, Ensure, Judged, Known, Made, Release, Scope,
        StepRecord,
    },
    fact::{Facts, Key, Named, SecretKey},
    keys,
    shell::{Text, avn, az, call},
    text,
};
use async_trait::async_trait;
use std::{collections::BTreeMap, convert::Infallible, time::Duration};

const NET: Key<String> = Key::new("NET");
const APP: Key<String> = Key::new("APP");
const TENANT: Key<String> = Key::new("TENANT");
const ZONE: Key<String> = Key::new("ZONE");
const SECRET: SecretKey = SecretKey::new("SECRET");
static LIST: Helper = Helper::new("list", "# list ID\nlist() { avn list \"$TENANT\" \"$1\"; }")
    .reading(&[TENANT.named()])
    .needing(&[&helpers::JMES]);
static DROP: Helper = Helper::new("drop", "drop() { :; }").looking();

pub(super) struct Toy;
impl World for Toy {
    type Error = Infallible;
    type Realm = &'static str;
    fn judge(error: &Infallible) -> Judged {
        match *error {}
    }
}

struct It(&'static str, fn() -> Shell);
impl Definition<Toy> for It {
    fn about(&self) -> About {
        About {
            id: self.0,
            title: format!("Make {}\nrm -r /", self.0),
            why: "",
            link: "",
            permissions: &[],
        }
    }
    fn scope(&self) -> Scope {
        Scope::Shared
    }
    fn part(&self) -> &'static str {
        if self.0 == "a" { "here" } else { "there" }
    }
    fn reads(&self) -> Vec<Named> {
        keys![NET, TENANT, ZONE]
    }
    fn shell(&self) -> Shell {
        (self.1)()
    }
}
#[async_trait(?Send)]
impl Ensure<Toy> for It {
    async fn find(&self, _: &mut Cx<'_, Toy>) -> Done<Option<Known>, Toy> {
        Ok(None)
    }
    async fn create(&self, cx: &mut Cx<'_, Toy>) -> Done<Made, Toy> {
        let known = Known::new(cx.facts.clone(), crate::engine::Maker::Run);
        Ok(Made::New(known))
    }
    async fn remains(&self, _: &mut Cx<'_, Toy>) -> Done<Option<Known>, Toy> {
        Ok(None)
    }
    async fn delete(&self, _: &mut Cx<'_, Toy>) -> Done<Deleted, Toy> {
        Ok(Deleted::Gone)
    }
}
impl Release<Toy> for It {
    fn of(&self) -> &'static str {
        "a"
    }
}

fn flow() -> Flow<Toy> {
    Flow::new()
        .ensure(It("a", || Shell {
            find: Some(az("ad app list").opt("--id", NET).yields(APP, "[0].id")),
            create: vec![
                az("ad app create")
                    .opt_lower("--name", ZONE)
                    .yields(APP, "id"),
                az("ad app credential reset").yields_secret(SECRET, "password"),
            ],
            delete: vec![az("ad app delete").opt("--id", APP)],
            wait: None,
        }))
        .ensure(It("b", || Shell {
            create: vec![
                avn("vpc create")
                    .opt("--app", text!["x ", APP])
                    .patient("it is slow", Duration::from_secs(60)),
            ],
            delete: vec![call(&DROP).arg(NET)],
            ..Shell::default()
        }))
        .release(It("c", || Shell {
            wait: Some(Wait {
                state: call(&LIST).arg(APP),
                reached: &["UP"],
                refused: &[],
                limit: Duration::from_secs(9),
                again: None,
            }),
            create: vec![
                az("logout")
                    .opt("--id", Text::call(&LIST, [SECRET.named().into()]))
                    .quiet(),
            ],
            ..Shell::default()
        }))
}

fn run() -> Run {
    let facts = Facts::default()
        .with(NET, "it's $1")
        .with(Key::<String>::new("OTHER"), "unused");
    let mut run = Run::new(
        "toy-1".into(),
        "toy",
        BTreeMap::new(),
        facts,
        BTreeMap::new(),
    );
    run.written_by = "somebody\nrm -r /".into();
    run
}

fn settings(name: &str) -> Option<Setting> {
    Some(match name {
        "ZONE" => Setting::new(name, ": \"${ZONE:?set it}\"", vec![]),
        "TENANT" => Setting::new(name, "TENANT=${REGION}", vec!["REGION"]),
        "REGION" => Setting::new(name, "REGION=$ZONE", vec!["ZONE"]),
        _ => return None,
    })
}

/// Finds the line that sets a name.
type Settings = fn(&str) -> Option<Setting>;

pub(super) fn toy() -> (Flow<Toy>, Run, Settings) {
    (flow(), run(), settings)
}

fn script<'a>(flow: &'a Flow<Toy>, run: &'a Run) -> Script<'a, Toy> {
    Script {
        headline: "net and\ntoy".into(),
        flow,
        run,
        secrets: &["TOKEN", "OTHER_TOKEN"],
        settings: &settings,
    }
}

#[test]
fn a_script_sets_what_it_reads_and_prints_what_it_calls() {
    let (flow, run) = (flow(), run());
    let text = script(&flow, &run).apply();
    let (head, rest) = text
        .split_once("\nsay() {")
        .expect("say is the first function");
    assert_eq!(
        head,
        "#!/usr/bin/env bash\n# net and toy\n#\n# Printed by somebody rm -r /. It looks before it makes anything, so it can be run again.\n\
         # Your own az session stays as it is. What it does:\n#   1. Make a rm -r /\n#   2. Make b rm -r /\n#   3. Make c rm -r /\n\
         set -euf -o pipefail\n\n\
         # What is exported, every program would get; these are given only to those that need them\n\
         export -n TOKEN OTHER_TOKEN\n\n\
         command -v az >/dev/null || { echo 'az is not installed' >&2; exit 1; }\n\
         command -v avn >/dev/null || { echo 'avn is not installed' >&2; exit 1; }\n\
         \n# Known\n# shellcheck disable=SC2016 # the value has these characters\nNET='it'\\''s $1'\n\
         \n# Not answered: to be set before, or looked up\n: \"${ZONE:?set it}\"\nREGION=$ZONE\nTENANT=${REGION}\n"
    );
    let functions: Vec<&str> = rest
        .lines()
        .filter_map(|line| line.split_once("() {"))
        .map(|(name, _)| name)
        .collect();
    assert_eq!(
        functions,
        [
            "fail",
            "lower",
            "json_text",
            "jmes",
            "retry",
            "wait_for",
            "avn",
            "list"
        ]
    );
    let (_, body) = text
        .split_once("say '1/3 Make a rm -r /'\n")
        .expect("the first step");
    assert_eq!(
        body,
        "APP=$(az ad app list --id \"${NET}\" --query '[0].id' --output tsv)\n\
         if [ -z \"$APP\" ]; then\n\
         \x20 APP=$(az ad app create --name \"$(lower \"${ZONE}\")\" --query id --output tsv)\n\
         \x20 SECRET=$(az ad app credential reset --query password --output tsv)\n\
         fi\n\
         \n# 2. Make b rm -r /\nsay '2/3 Make b rm -r /'\n\
         retry 60 'it is slow' avn vpc create --app \"x ${APP}\"\n\
         \n# 3. Make c rm -r /\nsay '3/3 Make c rm -r /'\n\
         wait_for 9 UP '' list \"${APP}\"\n\
         az logout --id \"$(list \"${SECRET}\")\" >/dev/null --output none\n\
         \n# What the next command may want to know\n\
         printf 'APP=%s\\n' \"$APP\"\n\
         say 'Connected.'\n"
    );
}

#[test]
fn undo_deletes_what_may_be_there_and_tells_what_it_cannot_know() {
    let (flow, mut run) = (flow(), run());
    run.shared.facts.set(APP, "5");
    for (status, deletes) in [
        (Status::Created, true),
        (Status::Kept, true),
        (Status::Deleting, true),
        (Status::Creating, false),
        (Status::Found, false),
        (Status::Deleted, false),
    ] {
        for id in ["a", "b"] {
            let record = StepRecord::now(status, None);
            run.shared.steps.insert(id.into(), record);
        }
        let text = script(&flow, &run).undo(&[]);
        let whole = "say '2/2 Delete Make a rm -r /'\ndelete_if_there az ad app delete --id \"${APP}\" --output none\n";
        assert_eq!(text.ends_with(whole), deletes, "{status:?}: {text}");
        assert_eq!(text.contains("\ndrop \"${NET}\"\n"), deletes, "{text}");
        assert_eq!(
            text.contains("whose making was interrupted"),
            status == Status::Creating
        );
        assert_eq!(
            text.contains("\nsay() {"),
            text.contains("\nsay '"),
            "{text}"
        );
        assert!(!text.contains("TENANT") && !text.contains("ZONE"), "{text}");
    }
    let record = StepRecord::now(Status::Created, None);
    run.shared.steps.insert("a".into(), record);
    let kept = script(&flow, &run).undo(&["a"]);
    assert!(!kept.contains("ad app delete"), "{kept}");
}
