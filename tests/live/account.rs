//! An account at one provider and in Azure, as the variables tell it, and the journey of its flow.

use super::left;
use peer_wizard::{provider::Provider, providers};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

/// How often undo is tried.
const TRIES: usize = 3;

/// What a journey may take.
pub struct Budget {
    /// For connecting.
    pub connect: Duration,
    /// For each other command.
    pub other: Duration,
    /// For a command to end after it was told to.
    pub grace: Duration,
    /// How many objects may be made.
    pub objects: usize,
    /// For lists to forget what is gone.
    pub patience: Duration,
}

/// The account.
pub struct Account {
    pub budget: Budget,
    provider: &'static Provider,
    /// What the program sees; secrets reach it in no other way.
    vars: BTreeMap<String, String>,
    /// Where the runs are kept: for as long as one of them is not undone.
    folder: PathBuf,
}

/// How a command ended.
struct Ran {
    /// Nothing when it was stopped.
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

/// The variables without which there is no journey, of those that are not set.
pub fn missing(provider: &Provider, vars: &BTreeMap<String, String>) -> Vec<String> {
    let inputs = provider.inputs.iter().filter(|it| it.sample.is_some());
    let one_of = inputs
        .filter_map(|it| it.flag.variable)
        .map(|name| vec![name]);
    [vec!["PEER_WIZARD_VNET"], provider.token.variables.to_vec()]
        .into_iter()
        .chain(one_of)
        .filter(|names| !names.iter().any(|name| vars.contains_key(*name)))
        .map(|names| names[0].to_owned())
        .collect()
}

impl Account {
    pub fn new(
        provider: &'static Provider,
        mut vars: BTreeMap<String, String>,
        folder: PathBuf,
        budget: Budget,
    ) -> Self {
        fs::create_dir_all(&folder).expect("a folder of this test's own");
        let shown = folder.display().to_string();
        vars.insert("PEER_WIZARD_STATE_DIR".into(), shown);
        Self {
            budget,
            provider,
            vars,
            folder,
        }
    }

    /// The account that this process's own variables tell.
    pub fn real(provider: &str) -> Self {
        let provider = providers::named(provider).expect("there is such a provider");
        // A variable of a workflow that is not set is empty.
        let vars: BTreeMap<String, String> =
            env::vars().filter(|(_, value)| !value.is_empty()).collect();
        let missing = missing(provider, &vars);
        assert!(missing.is_empty(), "set {}", missing.join(", "));
        let number = |name: &str, usual: u64| {
            vars.get(name).map_or(usual, |it| {
                it.parse().unwrap_or_else(|_| panic!("{name}={it}"))
            })
        };
        let minutes = |number: u64| Duration::from_secs(number * 60);
        let budget = Budget {
            connect: minutes(number("PEER_WIZARD_LIVE_MINUTES", 90)),
            // What costs is to be gone even when that takes longer.
            other: minutes(120),
            grace: minutes(2),
            objects: usize::try_from(number("PEER_WIZARD_LIVE_OBJECTS", 12)).expect("a number"),
            patience: minutes(10),
        };
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let folder = folder.join("live").join(provider.id);
        Self::new(provider, vars, folder, budget)
    }

    pub fn vars(&self) -> &BTreeMap<String, String> {
        &self.vars
    }

    /// What the objects of a run are called, so that they are known when its file is lost.
    pub fn mark(&self) -> String {
        format!("peer-wizard-live-{}", self.provider.id)
    }

    /// Connects, looks at all of it, undoes it, and looks for what is left. Whatever happens on the way, what was made is
    /// undone.
    ///
    /// # Errors
    /// What was not as it should be, a line each.
    pub fn journey(&self) -> Result<(), String> {
        let before = left::picture(self)?;
        let mark = self.mark();
        let earlier = before.iter().map(String::as_str);
        let earlier: Vec<&str> = earlier.filter(|it| it.contains(&mark)).collect();
        if !earlier.is_empty() {
            return Err(format!("left by an earlier run: {}", earlier.join(", ")));
        }
        let plan = self.plan()?;
        let mut wrong: Vec<String> = self.connects(&plan).err().into_iter().collect();
        wrong.extend(self.clean_up().err());
        wrong.extend(self.leaves(&before).err());
        match self.plan() {
            Ok(now) if now == plan => {}
            Ok(now) => wrong.push(format!("the plan is another one now:\n{}", now.join("\n"))),
            Err(why) => wrong.push(why),
        }
        if wrong.is_empty() {
            Ok(())
        } else {
            Err(wrong.join("\n"))
        }
    }

    /// The lines of the preview: what would be made, and what is found.
    fn plan(&self) -> Result<Vec<String>, String> {
        let ran = self.run(&self.connecting(&[]))?;
        let lines = ran.stderr.lines().map(str::trim);
        let is_step = |line: &&str| line.starts_with(|c: char| c.is_ascii_digit());
        let plan: Vec<String> = lines.filter(is_step).map(str::to_owned).collect();
        if ran.code == Some(2) && !plan.is_empty() {
            Ok(plan)
        } else {
            Err(ran.failed("the preview"))
        }
    }

    fn connects(&self, plan: &[String]) -> Result<(), String> {
        let (new, may) = (
            plan.iter().filter(|line| line.ends_with(" new")).count(),
            self.budget.objects,
        );
        if new > may {
            return Err(format!("{new} objects would be made, and {may} may be"));
        }
        let ran = self.run(&self.connecting(&["--yes"]))?;
        if ran.code != Some(0) {
            return Err(ran.failed("azure"));
        }
        let run = ran.run();
        let ran = self.run(&["status", &run])?;
        if ran.code != Some(0) {
            return Err(ran.failed("status"));
        }
        Ok(())
    }

    fn connecting(&self, more: &[&str]) -> Vec<String> {
        let mark = self.mark();
        let mut args = vec!["azure", "--provider", self.provider.id, "--output", "json"];
        args.extend(["--role-name", &mark]);
        if self.provider.own_application {
            args.extend(["--application", &mark, "--peering-name", &mark]);
        }
        args.extend(more);
        args.into_iter().map(str::to_owned).collect()
    }

    /// Undoes every run that is not undone.
    ///
    /// # Errors
    /// When one cannot be.
    pub fn clean_up(&self) -> Result<(), String> {
        let mut why = String::new();
        for _ in 0..TRIES {
            let left = self.runs()?;
            if left.is_empty() {
                return Ok(());
            }
            why.clear();
            for run in left {
                match self.run(&["undo", &run, "--yes"]) {
                    Ok(ran) if ran.code == Some(0) => {}
                    Ok(ran) => why.push_str(&ran.failed(&format!("{run} is not undone"))),
                    Err(failed) => why.push_str(&failed),
                }
            }
        }
        let left = self.runs()?;
        if left.is_empty() { Ok(()) } else { Err(why) }
    }

    /// The runs that have still something to undo.
    fn runs(&self) -> Result<Vec<String>, String> {
        let ran = self.run(&["runs", "--output", "json"])?;
        let all: Value = serde_json::from_str(&ran.stdout).map_err(|_| ran.failed("runs"))?;
        let all = all["runs"].as_array().into_iter().flatten();
        let left = all.filter(|run| run["state"] != "undone");
        Ok(left
            .filter_map(|run| run["run"].as_str().map(str::to_owned))
            .collect())
    }

    /// Nothing is there that was not there before; lists may show for minutes what is gone.
    fn leaves(&self, before: &BTreeSet<String>) -> Result<(), String> {
        let end = Instant::now() + self.budget.patience;
        loop {
            let now = left::picture(self)?;
            let left: Vec<&str> = now.difference(before).map(String::as_str).collect();
            if left.is_empty() {
                return Ok(());
            }
            if Instant::now() >= end {
                return Err(format!("left: {}", left.join(", left: ")));
            }
            std::thread::sleep(Duration::from_secs(15));
        }
    }

    /// Runs the program to its end, or to the end of its time: then it is told to stop, and killed if it does not.
    fn run<T: AsRef<str>>(&self, args: &[T]) -> Result<Ran, String> {
        let args: Vec<&str> = args.iter().map(AsRef::as_ref).collect();
        let (out, err) = (self.folder.join("stdout"), self.folder.join("stderr"));
        let file = |path: &Path| File::create(path).expect("a file of this test's own");
        let mut child = Command::new(env!("CARGO_BIN_EXE_peer-wizard"))
            .args(&args)
            .args(["--no-input"])
            .env_clear()
            .envs(&self.vars)
            .stdin(Stdio::null())
            .stdout(file(&out))
            .stderr(file(&err))
            .spawn()
            .expect("the program starts");
        let began = Instant::now();
        let time = match args[0] {
            "azure" => self.budget.connect,
            _ => self.budget.other,
        };
        let mut end = began + time;
        let mut told = false;
        let status = loop {
            if let Some(status) = child.try_wait().expect("a child can be waited for") {
                break status;
            }
            if Instant::now() >= end {
                if told || self.budget.grace.is_zero() {
                    let _ = child.kill();
                    told = true;
                    break child.wait().expect("a child can be waited for");
                }
                // As Ctrl-C: it saves how far it is.
                let id = child.id().to_string();
                let _ = Command::new("kill").args(["-s", "INT", &id]).status();
                told = true;
                end = Instant::now() + self.budget.grace;
            }
            std::thread::sleep(Duration::from_millis(20));
        };
        let text = |path: &Path| {
            fs::read(path)
                .map(|it| String::from_utf8_lossy(&it).into_owned())
                .unwrap_or_default()
        };
        let (stdout, stderr) = (text(&out), text(&err));
        #[expect(clippy::print_stderr, reason = "for whoever watches")]
        {
            let took = began.elapsed().as_secs();
            eprintln!(
                "peer-wizard {}: {status}, {took} s\n{stderr}",
                args.join(" ")
            );
        }
        for secret in self.secrets() {
            let said = [stdout.as_str(), &stderr, &args.join(" ")];
            if said.iter().any(|it| it.contains(secret)) {
                return Err(format!("{} tells a secret", args[0]));
            }
        }
        if told {
            return Err(format!("{}: out of time\n{stderr}", args[0]));
        }
        Ok(Ran {
            code: status.code(),
            stdout,
            stderr,
        })
    }

    fn secrets(&self) -> impl Iterator<Item = &str> {
        let tokens = providers::tokens().into_iter();
        let names = tokens.flat_map(|kind| kind.variables).copied();
        let names = names.chain(["AZURE_CLIENT_SECRET"]);
        names.filter_map(|name| self.vars.get(name).map(String::as_str))
    }

    /// A variable that moves a service elsewhere, or signs in to it.
    pub fn var(&self, name: &str) -> Option<String> {
        self.vars.get(name).cloned()
    }

    pub fn provider(&self) -> &'static Provider {
        self.provider
    }
}

impl Ran {
    fn failed(&self, what: &str) -> String {
        let code = self.code.map_or("none".into(), |code| code.to_string());
        format!("{what}: exit code {code}\n{}", self.stderr)
    }

    /// The name of the run that the first event tells.
    fn run(&self) -> String {
        let first = self.stdout.lines().next().unwrap_or_default();
        let first: Value = serde_json::from_str(first).unwrap_or_default();
        first["run"].as_str().unwrap_or_default().to_owned()
    }
}
