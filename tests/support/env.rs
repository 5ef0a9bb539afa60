//! A home of one's own for the binary, and what it said and how it ended, as one text.

use super::Cloud;
use serde_json::Value;
use std::{
    collections::BTreeMap,
    env, fmt, fs,
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        atomic::{AtomicU32, Ordering},
        mpsc::{Receiver, channel},
    },
    time::{Duration, Instant},
};

/// A test that waits longer than this has failed.
const PATIENCE: Duration = Duration::from_secs(120);

/// A folder that goes away with the test.
pub struct TempDir(PathBuf);

impl TempDir {
    /// A new, empty one.
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let nanos = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .map_or(0, |time| time.subsec_nanos());
        let name = format!(
            "peer-wizard-test-{}-{}-{nanos}",
            std::process::id(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        );
        let path = env::temp_dir().join(name);
        fs::create_dir(&path).expect("the folder for temporary files can be written to");
        Self(path)
    }

    /// A path in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A home, a state folder and an environment in which nothing of the real ones is left.
pub struct TestEnv {
    dir: TempDir,
    vars: BTreeMap<String, String>,
}

impl TestEnv {
    /// One without any sign-in, whose services are all at an address where nothing listens.
    pub fn new() -> Self {
        let dir = TempDir::new();
        let mut vars = BTreeMap::new();
        // Needed to start a program at all.
        for name in ["PATH", "SystemRoot", "TMPDIR", "TEMP", "TMP"] {
            if let Ok(value) = env::var(name) {
                vars.insert(name.to_owned(), value);
            }
        }
        for (name, folder) in [
            ("HOME", "home"),
            ("USERPROFILE", "home"),
            ("LOCALAPPDATA", "home"),
            ("APPDATA", "home"),
            ("XDG_STATE_HOME", "xdg-state"),
            ("XDG_CONFIG_HOME", "xdg-config"),
            ("AZURE_CONFIG_DIR", "azure"),
            ("PEER_WIZARD_STATE_DIR", "state"),
        ] {
            let path = dir.path(folder);
            fs::create_dir_all(&path).expect("a new folder");
            vars.insert(name.to_owned(), path.display().to_string());
        }
        for name in super::endpoints() {
            vars.insert(name.to_owned(), "https://localhost:9".to_owned());
        }
        vars.insert("LANG".to_owned(), "C.UTF-8".to_owned());
        Self { dir, vars }
    }

    /// One that is signed in to these clouds as their administrator, with tokens for the provider.
    pub fn of(cloud: &Cloud, provider: &str) -> Self {
        let mut env = Self::new();
        env.vars.extend(cloud.vars(provider));
        env
    }

    /// Sets a variable.
    pub fn set(mut self, name: &str, value: impl Into<String>) -> Self {
        self.vars.insert(name.to_owned(), value.into());
        self
    }

    /// Removes a variable.
    pub fn unset(mut self, name: &str) -> Self {
        self.vars.remove(name);
        self
    }

    /// A path in this test's own folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path(name)
    }

    /// The folder with the runs' files.
    pub fn runs(&self) -> PathBuf {
        self.path("state").join("runs")
    }

    /// The file of the only run there is.
    pub fn run_file(&self) -> Option<PathBuf> {
        let is_run = |path: &PathBuf| {
            let name = path.file_name().and_then(|name| name.to_str());
            name.is_some_and(|name| {
                name.strip_suffix(".json")
                    .is_some_and(|name| !name.contains('.'))
            })
        };
        let files = fs::read_dir(self.runs()).ok()?;
        files
            .filter_map(|entry| Some(entry.ok()?.path()))
            .find(is_run)
    }

    /// The only run there is, as its file says.
    pub fn file(&self) -> Value {
        let path = self.run_file().expect("there is a run");
        let text = fs::read_to_string(path).expect("a run can be read");
        serde_json::from_str(&text).expect("a run is whole at every moment")
    }

    /// The only run there is, as saved, with what its one VNet has of its own.
    pub fn saved(&self) -> Value {
        let mut saved = self.file();
        let members = saved["members"].as_object().cloned().unwrap_or_default();
        for member in members.values() {
            for part in ["facts", "steps"] {
                let own = member[part].as_object().cloned().unwrap_or_default();
                let all = saved[part].as_object_mut().expect("an object");
                all.extend(own);
            }
        }
        saved
    }

    /// Everything that lies in the state folder and in the home, as one text, with the names of the files.
    pub fn everything_written(&self) -> String {
        let mut text = String::new();
        collect(&self.dir.0, &mut text);
        text
    }

    /// The binary with these arguments in this environment.
    pub fn command<T: AsRef<str>>(&self, args: &[T]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_peer-wizard"));
        command
            .args(args.iter().map(AsRef::as_ref))
            .env_clear()
            .envs(&self.vars)
            .current_dir(&self.dir.0)
            .stdin(Stdio::null());
        command
    }

    /// Runs the binary to its end.
    pub fn run<T: AsRef<str>>(&self, args: &[T]) -> Output {
        self.start(args).finish()
    }

    /// Starts the binary.
    pub fn start<T: AsRef<str>>(&self, args: &[T]) -> Started {
        let mut command = self.command(args);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the binary starts");
        let stdout = child.stdout.take().map(lines);
        let stderr = child.stderr.take().map(lines);
        let words: Vec<&str> = args.iter().map(AsRef::as_ref).collect();
        Started {
            child,
            stdout: stdout.expect("stdout is piped"),
            stderr: stderr.expect("stderr is piped"),
            output: Output {
                command: format!("peer-wizard {}", words.join(" ")),
                ..Output::default()
            },
        }
    }
}

fn collect(path: &Path, text: &mut String) {
    if path.is_dir() {
        let entries = fs::read_dir(path).expect("a folder of this test can be read");
        for entry in entries.flatten() {
            collect(&entry.path(), text);
        }
    } else if let Ok(bytes) = fs::read(path) {
        let content = String::from_utf8_lossy(&bytes);
        text.push_str(&format!("=== {}\n{content}\n", path.display()));
    }
}

/// A stream's lines as they come; it is read to its end, so that nobody blocks on writing to it.
fn lines(stream: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            let _ = sender.send(line);
        }
    });
    receiver
}

/// A process under way; it is killed when it is forgotten.
pub struct Started {
    child: Child,
    stdout: Receiver<String>,
    stderr: Receiver<String>,
    output: Output,
}

impl Drop for Started {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Started {
    /// The process's id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it still runs.
    pub fn runs(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Waits for the JSON line on stdout that `wanted` describes.
    pub fn until(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        let end = Instant::now() + PATIENCE;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let Ok(line) = self.stdout.recv_timeout(left) else {
                self.output.stderr = self.stderr.try_iter().collect::<Vec<_>>().join("\n");
                panic!("the line that was waited for did not come\n{}", self.output);
            };
            self.output.stdout.push_str(&line);
            self.output.stdout.push('\n');
            if let Ok(event) = serde_json::from_str(&line)
                && wanted(&event)
            {
                return event;
            }
        }
    }

    /// Waits until a step reports that it waits, with this in the service's words.
    pub fn until_waiting(&mut self, step: &str) -> Value {
        self.until(|event| event["event"] == "waiting" && event["step"] == step)
    }

    /// Waits until stderr says this; false when the process ends without.
    pub fn until_said(&mut self, text: &str) -> bool {
        let end = Instant::now() + PATIENCE;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let Ok(line) = self.stderr.recv_timeout(left) else {
                return false;
            };
            self.output.stderr.push_str(&line);
            self.output.stderr.push('\n');
            if line.contains(text) {
                return true;
            }
        }
    }

    /// Sends SIGINT, as Ctrl-C does.
    #[cfg(unix)]
    pub fn interrupt(&self) {
        self.signal("INT");
    }

    /// Sends the signal of this name.
    #[cfg(unix)]
    pub fn signal(&self, name: &str) {
        let id = self.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &id]).status();
        assert!(
            sent.is_ok_and(|status| status.success()),
            "kill -s {name} {id}"
        );
    }

    /// Kills it: SIGKILL on Unix.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Waits for its end.
    pub fn finish(mut self) -> Output {
        let end = Instant::now() + PATIENCE;
        let mut output = std::mem::take(&mut self.output);
        output.stdout.push_str(&rest(&self.stdout, end));
        output.stderr.push_str(&rest(&self.stderr, end));
        assert!(Instant::now() < end, "it does not end\n{output}");
        let status = self.child.wait().expect("a child can be waited for");
        output.code = status.code();
        output
    }
}

/// All further lines, until the stream or the time is over.
fn rest(stream: &Receiver<String>, end: Instant) -> String {
    let mut text = String::new();
    while let Ok(line) = stream.recv_timeout(end.saturating_duration_since(Instant::now())) {
        text.push_str(&line);
        text.push('\n');
    }
    text
}

/// What a process said and how it ended.
#[derive(Clone, Debug, Default)]
pub struct Output {
    /// What was typed.
    pub command: String,
    /// The exit code; none after a signal.
    pub code: Option<i32>,
    /// The data.
    pub stdout: String,
    /// The prose.
    pub stderr: String,
}

impl fmt::Display for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            command,
            code,
            stdout,
            stderr,
        } = self;
        let code = code.map_or("none".to_owned(), |code| code.to_string());
        write!(
            f,
            "$ {command}\n--- exit code {code}\n--- stdout\n{stdout}--- stderr\n{stderr}---"
        )
    }
}

impl Output {
    /// Asserts the exit code.
    #[track_caller]
    pub fn code(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self}");
        self
    }

    /// Asserts that stderr says this, wherever its lines break.
    #[track_caller]
    pub fn says(self, text: &str) -> Self {
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(
            words(&self.stderr).contains(&words(text)),
            "`{text}` is not said\n{self}"
        );
        self
    }

    /// Every line of stdout, which has to be JSON.
    #[track_caller]
    pub fn events(&self) -> Vec<Value> {
        let parse = |line: &str| {
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}\n{self}"))
        };
        self.stdout.lines().map(parse).collect()
    }

    /// The name of the run, which the first event tells.
    #[track_caller]
    pub fn run(&self) -> String {
        let first = self.events().first().cloned().unwrap_or_default();
        first["run"].as_str().expect("a run").to_owned()
    }

    /// The status that each step ended with.
    pub fn finished(&self) -> BTreeMap<String, String> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        self.events()
            .iter()
            .filter(|event| event["event"] == "finished")
            .map(|event| (text(&event["step"]), text(&event["status"])))
            .collect()
    }
}
