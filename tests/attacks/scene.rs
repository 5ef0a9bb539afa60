//! What all attacks share: what an end has to look like, how much memory it took, and how much was tried.

use super::support::{Output, TestEnv};
use serde_json::Value;
use std::{
    fs,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

/// How many times as much is tried, as `PEER_WIZARD_CASES` says.
pub fn factor() -> usize {
    let times = std::env::var("PEER_WIZARD_CASES").ok();
    times.map_or(1, |times| times.parse().expect("a whole number"))
}

#[expect(
    clippy::print_stdout,
    reason = "the count is for the person who runs the tests"
)]
pub fn tried(count: usize, what: &str) {
    println!("tried {count} {what}");
}

/// How a process ended, how long that took, and what it needed.
pub struct Ended {
    pub output: Output,
    pub took: Duration,
    /// In KiB, at most.
    pub memory: u64,
}

/// Runs the binary and watches its memory.
pub fn watched(env: &TestEnv, args: &[impl AsRef<str>]) -> Ended {
    let begun = Instant::now();
    let started = env.start(args);
    let status = format!("/proc/{}/status", started.id());
    let over = Arc::new(AtomicBool::new(false));
    let watcher = {
        let over = Arc::clone(&over);
        thread::spawn(move || {
            let mut most = 0;
            while !over.load(Ordering::Relaxed) {
                let text = fs::read_to_string(&status).unwrap_or_default();
                let line = text.lines().find(|line| line.starts_with("VmHWM:"));
                let size = line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok());
                most = most.max(size.unwrap_or(0));
                thread::sleep(Duration::from_millis(5));
            }
            most
        })
    };
    let output = started.finish();
    over.store(true, Ordering::Relaxed);
    Ended {
        output,
        took: begun.elapsed(),
        memory: watcher.join().unwrap_or_default(),
    }
}

/// The error that a run in JSON ended with.
pub fn error(output: &Output) -> Value {
    let events = output.stdout.lines().rev();
    let failed = events
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .find(|event| event["error"].is_object());
    failed
        .map(|event| event["error"].clone())
        .unwrap_or_default()
}

/// What is wrong with how it ended: a signal, a bug, a panic, a line that is no JSON, an error that says nothing.
pub fn unsound(output: &Output) -> Option<String> {
    let code = output.code;
    if !matches!(code, Some(0..=5 | 130)) {
        return Some(format!("exit code {code:?}"));
    }
    for text in [&output.stdout, &output.stderr] {
        if text.contains("panicked") {
            return Some("a panic".into());
        }
    }
    if !output.command.contains("--output json") {
        return None;
    }
    for line in output.stdout.lines() {
        if serde_json::from_str::<Value>(line).is_err() {
            return Some(format!("no JSON: {line}"));
        }
    }
    if matches!(code, Some(1..=4)) {
        let error = error(output);
        if error["message"].as_str().is_none_or(str::is_empty) {
            return Some("it ends without a reason".into());
        }
    }
    None
}

/// Collects what breaks, to show all of it at once.
#[derive(Default)]
pub struct Broken(Mutex<Vec<String>>);

impl Broken {
    pub fn note(&self, what: impl Into<String>) {
        self.0.lock().expect("not poisoned").push(what.into());
    }

    #[track_caller]
    pub fn none(&self) {
        let all = self.0.lock().expect("not poisoned");
        assert!(all.is_empty(), "{} broken:\n{}", all.len(), all.join("\n"));
    }
}

/// Tries all of them, some side by side: much of an attack is waiting.
pub fn side_by_side<T: Send>(items: Vec<T>, attempt: impl Fn(T) + Sync) {
    let items = Mutex::new(items.into_iter());
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                loop {
                    let item = items.lock().expect("not poisoned").next();
                    let Some(item) = item else { return };
                    attempt(item);
                }
            });
        }
    });
}

/// The distance between what is tried.
pub fn every(step: usize) -> usize {
    (step / factor()).max(1)
}

/// Every `step`th, or as many times more as is to be tried.
pub fn some<T>(items: impl IntoIterator<Item = T>, step: usize) -> Vec<T> {
    items.into_iter().step_by(every(step)).collect()
}
