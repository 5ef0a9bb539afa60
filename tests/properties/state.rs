//! State files that are not what a run wrote: they are refused or read, and left as they are.

use super::{
    support::TempDir,
    texts,
    trial::{self, Bytes},
};
use futures_util::FutureExt;
use peer_wizard::{
    engine::{Run, Runs, StoreError},
    store::Folder,
};
use proptest::{
    collection::{btree_map, vec},
    option,
    prelude::any,
    prop_assert, prop_assert_eq,
    sample::{Index, select},
    strategy::{Just, Strategy, Union},
    test_runner::TestCaseError,
};
use serde_json::{Map, Value, json};
use std::{ffi::OsString, fs, path::PathBuf};

/// A finished run, as version 0.1.0 wrote it.
pub const V1: &str = include_str!("../fixtures/state-v1.json");
pub const NAME: &str = "aiven-project-9k2f";

/// Names that the file's objects have.
const KEYS: &[&str] = &[
    "format",
    "run",
    "written_by",
    "serial",
    "flow",
    "answers",
    "facts",
    "steps",
    "value",
    "from",
    "status",
    "at",
    "took",
    "renew",
    "PROVIDER",
    "RUN",
    "application",
];

/// A state folder with one run's file in it.
struct State {
    dir: TempDir,
    folder: Folder,
    file: PathBuf,
}

impl State {
    fn new() -> Self {
        let dir = TempDir::new();
        let folder = Folder::new(&dir.path(""));
        let file = folder.path(NAME, "json");
        fs::create_dir_all(dir.path("runs")).expect("a new folder");
        Self { dir, folder, file }
    }

    /// Writes the file, reads it in both ways, and looks whether it was left alone.
    fn read(&self, bytes: &[u8]) -> Result<Option<Run>, TestCaseError> {
        fs::write(&self.file, bytes).expect("the test's own folder can be written to");
        let loaded = now(self.folder.load(NAME));
        let listed = now(self.folder.list()).expect("a folder");
        let after = fs::read(&self.file);
        prop_assert!(
            after.is_ok_and(|after| after == bytes),
            "the file is not what it was"
        );
        let runs = fs::read_dir(self.dir.path("runs")).expect("a folder");
        let names: Vec<OsString> = runs.flatten().map(|entry| entry.file_name()).collect();
        prop_assert_eq!(names, [OsString::from(format!("{NAME}.json"))]);
        let [(name, listed)] = listed.as_slice() else {
            return Err(TestCaseError::fail("the list has one run"));
        };
        prop_assert_eq!(name, NAME);
        match (loaded, listed) {
            (Ok(run), Ok(listed)) => {
                prop_assert_eq!(written(&run), written(listed));
                prop_assert!(matches!(run.format, 1 | 2), "format {}", run.format);
                // What the commands ask of a run does not panic either.
                let _ = run.undoing();
                for (step, record) in run.records() {
                    let _ = (run.done(step), record.age());
                }
                Ok(Some(run))
            }
            (Err(error), Err(listed)) => {
                prop_assert_eq!(error.to_string(), listed.to_string());
                let known = matches!(
                    error,
                    StoreError::Damaged { .. } | StoreError::Newer { format: 3.., .. }
                );
                prop_assert!(known, "{error}");
                Ok(None)
            }
            (loaded, listed) => Err(TestCaseError::fail(format!("{loaded:?} but {listed:?}"))),
        }
    }
}

/// A folder answers at once.
pub fn now<T>(work: impl Future<Output = T>) -> T {
    work.now_or_never()
        .expect("a folder has nothing to wait for")
}

/// The run as it would be saved.
fn written(run: &Run) -> Value {
    serde_json::to_value(run).expect("a run can be saved")
}

#[test]
fn the_first_format_is_read_and_would_be_written_as_it_was() {
    let state = State::new();
    let run = state
        .read(V1.as_bytes())
        .expect("left alone")
        .expect("a run");
    let text = serde_json::to_string_pretty(&run).expect("a run can be saved");
    assert_eq!(text + "\n", V1);
}

/// An object with any names and these values.
fn map<S: Strategy<Value = Value>>(value: S) -> impl Strategy<Value = Value> {
    btree_map(texts::text(), value, 0..5).prop_map(|map| Value::Object(map.into_iter().collect()))
}

/// A run that a later release of this version might have saved: all that is known, and some fields that are not.
fn valid() -> impl Strategy<Value = (Value, Value)> {
    let origins = &[
        "flag",
        "environment",
        "saved",
        "detected",
        "only-choice",
        "prompt",
        "sample",
        "default",
    ];
    let answer = (texts::text(), select(&origins[..]))
        .prop_map(|(value, from)| json!({ "value": value, "from": from }));
    let statuses = &["creating", "created", "found", "reached", "deleted"];
    let step = (
        select(&statuses[..]),
        texts::text(),
        option::of(0..100_000_u32),
        any::<bool>(),
    );
    let step = step.prop_map(|(status, at, tenths, renew)| {
        let mut step = json!({ "status": status, "at": at });
        if let Some(tenths) = tenths {
            step["took"] = (f64::from(tenths) / 10.0).into();
        }
        if renew {
            step["renew"] = true.into();
        }
        step
    });
    let maps = (
        map(answer),
        map(texts::text().prop_map(Value::from)),
        map(step),
    );
    let known = (texts::text(), texts::text(), any::<u64>(), maps);
    let known = known.prop_map(|(flow, written_by, serial, (answers, facts, steps))| {
        json!({
            "format": 1, "run": NAME, "written_by": written_by, "serial": serial, "flow": flow,
            "answers": answers, "facts": facts, "steps": steps,
        })
    });
    (known, btree_map("new-[a-z]{3}", texts::json(KEYS), 0..3)).prop_map(|(known, new)| {
        let mut file = known.clone();
        for (name, value) in new {
            file[name] = value;
        }
        (known, file)
    })
}

#[test]
fn a_valid_run_is_read_whole_and_fields_of_later_releases_do_not_matter() {
    let state = State::new();
    trial::holds("valid state files", 400, &valid(), |(mut known, file)| {
        // The run's own name is not the file's to say twice.
        known["facts"]["RUN"] = NAME.into();
        let run = state.read(file.to_string().as_bytes())?;
        prop_assert_eq!(run.as_ref().map(written), Some(known));
        Ok(())
    });
}

#[test]
fn a_file_of_any_bytes_is_refused_and_left_alone() {
    let state = State::new();
    let any = Union::new(vec![
        texts::bytes().boxed(),
        texts::text().prop_map(|it| Bytes(it.into_bytes())).boxed(),
        texts::json(KEYS)
            .prop_map(|it| Bytes(it.to_string().into_bytes()))
            .boxed(),
    ]);
    trial::holds("state files of any bytes", 800, &any, |Bytes(bytes)| {
        prop_assert!(state.read(&bytes)?.is_none(), "it is taken for a run");
        Ok(())
    });
}

/// What can happen to bytes.
#[derive(Clone, Debug)]
enum Hurt {
    Flip(Index, u8),
    Cut(Index),
    Insert(Index, Bytes),
    Remove(Index, usize),
    Repeat(Index, usize),
}

fn hurt() -> impl Strategy<Value = Hurt> {
    let at = any::<Index>;
    Union::new_weighted(vec![
        (
            3,
            (at(), 1..=255_u8)
                .prop_map(|(at, bits)| Hurt::Flip(at, bits))
                .boxed(),
        ),
        (1, at().prop_map(Hurt::Cut).boxed()),
        (
            2,
            (at(), texts::bytes())
                .prop_map(|(at, new)| Hurt::Insert(at, new))
                .boxed(),
        ),
        (
            2,
            (at(), 1..80_usize)
                .prop_map(|(at, count)| Hurt::Remove(at, count))
                .boxed(),
        ),
        (
            2,
            (at(), 1..400_usize)
                .prop_map(|(at, count)| Hurt::Repeat(at, count))
                .boxed(),
        ),
    ])
}

impl Hurt {
    fn apply(&self, bytes: &mut Vec<u8>) {
        let span = |at: &Index, count: usize, len: usize| {
            let at = at.index(len + 1);
            at..(at + count).min(len)
        };
        let len = bytes.len();
        match self {
            Self::Flip(at, bits) if len > 0 => bytes[at.index(len)] ^= bits,
            Self::Flip(..) => {}
            Self::Cut(at) => bytes.truncate(at.index(len + 1)),
            Self::Insert(at, new) => {
                bytes.splice(span(at, 0, len), new.0.iter().copied());
            }
            Self::Remove(at, count) => {
                bytes.drain(span(at, *count, len));
            }
            Self::Repeat(at, count) => {
                let again = bytes[span(at, *count, len)].to_vec();
                bytes.splice(span(at, 0, len), again);
            }
        }
    }
}

/// The first format's file after some of that.
pub fn damaged() -> impl Strategy<Value = Bytes> {
    vec(hurt(), 1..4).prop_map(|hurts| {
        let mut bytes = V1.as_bytes().to_vec();
        for hurt in &hurts {
            hurt.apply(&mut bytes);
        }
        Bytes(bytes)
    })
}

#[test]
fn a_file_that_was_damaged_on_disk_is_left_alone() {
    let state = State::new();
    trial::holds("damaged state files", 1500, &damaged(), |Bytes(bytes)| {
        state.read(&bytes)?;
        Ok(())
    });
}

/// What a person or another program can do to a field of an object.
#[derive(Clone, Debug)]
enum Edit {
    Remove,
    Set(Value),
    Rename(String),
    /// The same name once more, before the others.
    Twice(Value),
    /// What `Value` cannot hold.
    Raw(String),
}

/// Stands for raw text until the file is put together.
const RAW: &str = "@raw@";
/// Stands before a name that is there already.
const TWICE: &str = "@twice@";

fn edit() -> impl Strategy<Value = Edit> {
    let deep =
        (select(&[1, 100, 126, 127, 128, 5000][..]), any::<bool>()).prop_map(|(depth, list)| {
            let (open, close) = if list { ("[", "]") } else { ("{\"a\":", "}") };
            format!("{}1{}", open.repeat(depth), close.repeat(depth))
        });
    let numbers = &[
        "1e400",
        "-1e400",
        "1e-400",
        "-0",
        "-1",
        "1.0",
        "4294967297",
        "18446744073709551615",
        "18446744073709551616",
        "01",
        "NaN",
    ];
    let huge = Union::new(vec![
        select(&numbers[..]).prop_map(str::to_owned).boxed(),
        (1..400_usize).prop_map(|count| "9".repeat(count)).boxed(),
    ]);
    let name = || {
        Union::new(vec![
            select(KEYS).prop_map(str::to_owned).boxed(),
            texts::text().boxed(),
        ])
    };
    Union::new(vec![
        Just(Edit::Remove).boxed(),
        texts::json(KEYS).prop_map(Edit::Set).boxed(),
        texts::text().prop_map(|it| Edit::Set(it.into())).boxed(),
        name().prop_map(Edit::Rename).boxed(),
        texts::json(KEYS).prop_map(Edit::Twice).boxed(),
        deep.prop_map(Edit::Raw).boxed(),
        huge.prop_map(Edit::Raw).boxed(),
    ])
}

impl Edit {
    fn apply(&self, object: &mut Map<String, Value>, at: Index, raw: &mut Vec<String>) {
        let Some(name) = object.keys().nth(at.index(object.len().max(1))).cloned() else {
            return;
        };
        match self {
            Self::Remove => {
                object.remove(&name);
            }
            Self::Set(value) => {
                object.insert(name, value.clone());
            }
            Self::Rename(new) => {
                let value = object.remove(&name).unwrap_or_default();
                object.insert(new.clone(), value);
            }
            Self::Twice(value) => {
                object.insert(format!("{TWICE}{name}"), value.clone());
            }
            Self::Raw(text) => {
                object.insert(name, format!("{RAW}{}", raw.len()).into());
                raw.push(text.clone());
            }
        }
    }
}

/// The object that this way through the file leads to.
fn object<'a>(file: &'a mut Map<String, Value>, way: &[Index]) -> &'a mut Map<String, Value> {
    let mut at = file;
    for turn in way {
        let inner = at.values_mut().filter(|value| value.is_object()).count();
        if inner == 0 {
            break;
        }
        let turn = turn.index(inner);
        let inner = at.values_mut().filter_map(Value::as_object_mut).nth(turn);
        at = inner.expect("there are more");
    }
    at
}

/// The first format's file after some of that.
pub fn edited() -> impl Strategy<Value = Bytes> {
    let place = (vec(any::<Index>(), 0..3), any::<Index>());
    vec((place, edit()), 1..4).prop_map(|edits| {
        let mut file: Map<String, Value> = serde_json::from_str(V1).expect("the fixture is whole");
        let mut raw = Vec::new();
        for ((way, at), edit) in edits {
            edit.apply(object(&mut file, &way), at, &mut raw);
        }
        let mut text = Value::Object(file).to_string().replace(TWICE, "");
        for (at, new) in raw.iter().enumerate() {
            text = text.replace(&format!("\"{RAW}{at}\""), new);
        }
        Bytes(text.into_bytes())
    })
}

#[test]
fn a_file_that_was_edited_is_left_alone() {
    let state = State::new();
    trial::holds("edited state files", 1500, &edited(), |Bytes(bytes)| {
        state.read(&bytes)?;
        Ok(())
    });
}
