//! A person with a home, an `az` session and tokens, who runs the scripts that are printed for them.

use super::{
    clients,
    support::{Cloud, TestEnv},
};
use peer_wizard::{provider::Provider, providers};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

/// A script that takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(420);

/// The person.
pub struct Person<'a> {
    /// Their home, for this program.
    pub env: TestEnv,
    cloud: &'a Cloud,
    provider: &'static Provider,
    /// What a script and the clients see.
    vars: BTreeMap<String, String>,
    /// Their `az` session as they left it.
    session: String,
    scripts: std::cell::Cell<usize>,
}

impl<'a> Person<'a> {
    /// Signed in to these clouds with the real `az`, by the metadata of their Resource Manager, as the sandbox tells it.
    pub fn sign_in(cloud: &'a Cloud, provider: &'static Provider) -> Self {
        let mut person = Self::sign_in_as(cloud, provider, &cloud.sandbox.sample().client_id);
        // The token for Graph too is fetched now, so that a test can take the world back to this moment and it is still
        // good there.
        person.az(&[
            "ad",
            "sp",
            "list",
            "--filter",
            "displayName eq 'x'",
            "--output",
            "none",
        ]);
        person.session = person.session_now();
        person
    }

    /// The same as this application, whose password is the sample's.
    pub fn sign_in_as(cloud: &'a Cloud, provider: &'static Provider, client: &str) -> Self {
        let env = TestEnv::of(cloud, provider.id);
        let tools = env.path("tools");
        clients::recorders(&tools, &env.path("record"));
        fs::create_dir(env.path("tmp")).expect("a new folder");
        let shown = |path: PathBuf| path.display().to_string();
        let system = std::env::var("PATH").expect("a PATH");
        let clients = clients::bin().display();
        let sample = cloud.sandbox.sample();
        let mut vars: BTreeMap<String, String> = [
            ("PATH", format!("{}:{clients}:{system}", tools.display())),
            ("HOME", shown(env.path("home"))),
            ("TMPDIR", shown(env.path("tmp"))),
            ("LANG", "C.UTF-8".into()),
            ("AZURE_CONFIG_DIR", shown(env.path("azure"))),
            ("AZURE_CORE_INSTANCE_DISCOVERY", "false".into()),
            ("AZURE_CORE_COLLECT_TELEMETRY", "false".into()),
            // The longest of the pauses, and what most of a test's time would be.
            ("PAUSE", "1".into()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into();
        for name in ["REQUESTS_CA_BUNDLE", "AIVEN_CA_CERT", "CURL_CA_BUNDLE"] {
            vars.insert(name.into(), cloud.ca_file());
        }
        // What the script's own tools read. The sign-in of `az` is the session, not the environment.
        for kind in providers::tokens() {
            vars.insert(kind.vendor.variable.into(), cloud.sandbox.origin());
            vars.insert(kind.variables[0].into(), cloud.sample(kind.sample));
        }
        let own = provider.token;
        vars.insert(own.variables[0].into(), cloud.sample(own.sample));
        let mut person = Self {
            env,
            cloud,
            provider,
            vars,
            session: String::new(),
            scripts: std::cell::Cell::new(0),
        };
        let origin = cloud.sandbox.origin();
        let login = [
            "login",
            "--service-principal",
            "--username",
            client,
            "--password",
            &sample.client_secret,
            "--tenant",
            &sample.tenant,
            "--allow-no-subscriptions",
            "--output",
            "none",
        ];
        let register = [
            "cloud",
            "register",
            "--name",
            "peer-wizard-sandbox",
            "--endpoint-resource-manager",
            &origin,
            "--only-show-errors",
        ];
        person.az(&register);
        person.az(&[
            "cloud",
            "set",
            "--name",
            "peer-wizard-sandbox",
            "--only-show-errors",
        ]);
        person.az(&login);
        person.az(&["account", "get-access-token", "--output", "none"]);
        person.session = person.session_now();
        person
    }

    /// The real `az`, not recorded: what a test does with it is not what a script does.
    pub fn az(&self, args: &[&str]) -> String {
        let output = Command::new(clients::bin().join("az"))
            .args(args)
            .env_clear()
            .envs(&self.vars)
            .stdin(Stdio::null())
            .output()
            .expect("az starts");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "az {args:?}: {said}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// What the person's session is made of: who is signed in, to what, and in whose name tokens are kept.
    pub fn session_now(&self) -> String {
        let mut text = self.az(&["account", "show", "--output", "json"]);
        let folder = self.env.path("azure");
        let file = |name: &str| fs::read(folder.join(name)).unwrap_or_default();
        for name in [
            "azureProfile.json",
            "service_principal_entries.json",
            "service_principal_entries.bin",
            "clouds.config",
            "config",
        ] {
            text.push_str(&format!(
                "\n=== {name}\n{}",
                String::from_utf8_lossy(&file(name))
            ));
        }
        // Tokens come and go; whose they are does not.
        let tokens: Value =
            serde_json::from_slice(&file("msal_token_cache.json")).unwrap_or_default();
        let holders = |kind: &str| -> Vec<String> {
            let all = tokens[kind].as_object().into_iter().flatten();
            let mut all: Vec<String> = all
                .map(|(_, one)| {
                    format!(
                        "{} {} {}",
                        one["client_id"], one["home_account_id"], one["realm"]
                    )
                })
                .collect();
            all.sort();
            all.dedup();
            all
        };
        text.push_str(&format!(
            "\n=== tokens\n{:?}\n{:?}",
            holders("AccessToken"),
            holders("Account")
        ));
        text
    }

    /// What this program prints for these arguments: a script.
    #[track_caller]
    pub fn print<T: AsRef<str>>(&self, args: &[T]) -> String {
        self.env.run(args).code(0).stdout
    }

    /// The arguments that print the connecting script with every answer given.
    pub fn connect_args(&self) -> Vec<String> {
        let mut args = self.cloud.args(self.provider);
        args.retain(|arg| arg != "--yes");
        let tenant = self.cloud.sandbox.sample().tenant;
        args.extend(["--tenant".to_owned(), tenant]);
        args.extend(["--dry-run", "--no-input"].map(str::to_owned));
        args
    }

    /// Puts a saved run where this program looks for runs.
    pub fn has_run(&self, saved: &str) -> String {
        let run: Value = serde_json::from_str(saved).expect("a whole run");
        let name = run["run"].as_str().expect("a run has a name").to_owned();
        fs::create_dir_all(self.env.runs()).expect("a folder");
        fs::write(self.env.runs().join(format!("{name}.json")), saved).expect("a file");
        name
    }

    /// Runs a script to its good end, and checks what is to be checked of every script.
    #[track_caller]
    pub fn run(&self, what: &str, script: &str) -> Ran {
        self.run_with(what, script, &[])
    }

    /// The same with further variables.
    #[track_caller]
    pub fn run_with(&self, what: &str, script: &str, vars: &[(&str, &str)]) -> Ran {
        let ran = self.try_run(what, script, vars);
        assert!(
            ran.code == Some(0),
            "{what}: exit code {:?}\n{}",
            ran.code,
            ran.said
        );
        ran
    }

    /// Runs a script to whatever end. It is clean; it leaves the person's session as it was, and nothing in the folder
    /// for temporary files; no secret is in its text, its output, or in an argument of what it calls.
    #[track_caller]
    pub fn try_run(&self, what: &str, script: &str, vars: &[(&str, &str)]) -> Ran {
        let number = self.scripts.get() + 1;
        self.scripts.set(number);
        let path = |name: &str| self.env.path(&format!("{number}-{name}"));
        let file = path("script.sh");
        fs::write(&file, script).expect("a new file");
        clients::shellcheck(what, &file);
        let record = self.env.path("record");
        let _ = fs::remove_file(&record);
        let (out, err) = (path("stdout"), path("stderr"));
        let began = Instant::now();
        let code = wait(
            what,
            Command::new("bash")
                .arg(&file)
                .env_clear()
                .envs(&self.vars)
                .envs(vars.iter().copied())
                .stdin(Stdio::null())
                .stdout(File::create(&out).expect("a new file"))
                .stderr(File::create(&err).expect("a new file")),
            &err,
        );
        let took = began.elapsed();
        let read = |path: &Path| {
            fs::read(path)
                .map(|it| String::from_utf8_lossy(&it).into_owned())
                .unwrap_or_default()
        };
        let called = self.calls();
        let said = format!("{}{}", read(&out), read(&err));
        let what = format!(
            "{what} ({} calls in {:.0} s)",
            called.len(),
            took.as_secs_f64()
        );
        // For whoever looks at the times.
        #[expect(clippy::print_stderr, reason = "a test's own words")]
        {
            eprintln!("{what}");
        }
        for secret in self.cloud.sandbox.secrets() {
            assert!(
                !script.contains(&secret),
                "{what}: the script holds {secret}"
            );
            assert!(
                !said.contains(&secret),
                "{what}: the output tells {secret}\n{said}"
            );
        }
        self.assert_untouched(&what, &called);
        Ran { code, said, called }
    }

    /// No secret is in what these calls were given, nothing is left in the folder for temporary files, and the session
    /// is what it was.
    #[track_caller]
    pub fn assert_untouched(&self, what: &str, called: &[String]) {
        for secret in self.cloud.sandbox.secrets() {
            let told = called.iter().find(|call| call.contains(&secret));
            assert_eq!(
                told, None,
                "{what}: a secret in an argument or the environment"
            );
        }
        let left: Vec<_> = fs::read_dir(self.env.path("tmp"))
            .expect("a folder of our own")
            .flatten()
            .map(|entry| entry.file_name())
            .collect();
        assert!(
            left.is_empty(),
            "{what}: left in the folder for temporary files: {left:?}"
        );
        assert_eq!(
            self.session_now(),
            self.session,
            "{what}: the person's own session"
        );
    }

    /// What the programs were given since the last script began.
    pub fn calls(&self) -> Vec<String> {
        let record = fs::read(self.env.path("record")).unwrap_or_default();
        String::from_utf8_lossy(&record)
            .split("\0\n\0")
            .filter(|call| !call.is_empty())
            .map(|call| call.replace('\0', " "))
            .collect()
    }

    /// The variables that the clients see.
    pub fn vars(&self) -> &BTreeMap<String, String> {
        &self.vars
    }
}

/// How a script ended.
pub struct Ran {
    /// Its exit code.
    pub code: Option<i32>,
    /// What it said.
    pub said: String,
    /// The programs that it called, with their arguments and environment.
    pub called: Vec<String>,
}

#[track_caller]
fn wait(what: &str, command: &mut Command, err: &Path) -> Option<i32> {
    let mut child = command.spawn().expect("bash starts");
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(status) = child.try_wait().expect("a child can be waited for") {
            return status.code();
        }
        if Instant::now() > end {
            let _ = child.kill();
            let _ = child.wait();
            let said = fs::read_to_string(err).unwrap_or_default();
            panic!("{what} does not end\n{said}");
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}
