//! A flow as the bash script that a careful person would have typed: from the same definitions that run it.

mod part;

pub use part::Told;

use crate::{
    engine::{Flow, Run, Status, Step, World},
    shell::{Cmd, Helper, Shell, Wait, helpers, quoted, single, with_needs},
};
use std::{collections::BTreeSet, fmt::Write as _};

/// The functions that come first, in this order; those of the steps follow.
const FIRST: [&str; 15] = [
    "say",
    "fail",
    "tell",
    "needs",
    "lower",
    "json_text",
    "odata",
    "jmes",
    "json_ascii",
    "in_two_hours",
    "retry",
    "wait_for",
    "delete_if_there",
    "delete_unless_used",
    "avn",
];

/// A line that sets a variable which the answers did not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// The variable.
    pub name: String,
    /// Bash that sets it, or checks that it is set.
    pub line: String,
    /// The other variables that the line reads.
    pub reads: Vec<&'static str>,
}

impl Setting {
    /// A line of bash that sets `name` from the variables that it reads, or that checks that it is set if it reads none.
    #[must_use]
    pub fn new(name: impl Into<String>, line: impl Into<String>, reads: Vec<&'static str>) -> Self {
        Self {
            name: name.into(),
            line: line.into(),
            reads,
        }
    }
}

/// What a script is made from.
pub struct Script<'a, W: World> {
    /// What it does, in one line.
    pub headline: String,
    /// The flow.
    pub flow: &'a Flow<W>,
    /// The run: what is known, and what is done.
    pub run: &'a Run,
    /// The variables that may hold secrets of the person who runs it. Programs get none of them unless they need it.
    pub secrets: &'a [&'static str],
    /// How the variables are set that nothing has set yet.
    pub settings: &'a dyn Fn(&str) -> Option<Setting>,
}

impl<W: World + 'static> Script<'_, W> {
    /// The script that does what is left of the run.
    #[must_use]
    pub fn apply(&self) -> String {
        let left = self.left();
        let mut body = Body::default();
        let mut shown = BTreeSet::new();
        // What only waits or cleans up goes on whatever the networks are like by now.
        if left.iter().any(|step| step.shell().find.is_some()) {
            body.looks(self.flow);
        }
        for (index, step) in left.iter().enumerate() {
            let about = step.about();
            let again = self.run.record(about.id).is_some_and(|it| it.renew);
            body.heading(index + 1, left.len(), &about.title, about.why, about.link);
            let shell = step.shell();
            let given = shell.given().into_iter();
            shown.extend(given.filter(|it| !it.secret).map(|it| it.name));
            body.make(shell, again);
        }
        body.push("\n# What the next command may want to know\n");
        for name in &shown {
            body.push(&format!("printf '{name}=%s\\n' \"${name}\"\n"));
        }
        body.reads.extend(shown);
        body.say("Connected.");
        let plan: Vec<String> = left.iter().map(|step| step.about().title).collect();
        let promise = "It looks before it makes anything, so it can be run again.";
        self.page(&plan, &body, promise)
    }

    fn left(&self) -> Vec<&Step<W>> {
        let steps = self.flow.steps.iter().enumerate();
        let left = steps.filter(|(index, _)| self.flow.is_left(*index, self.run));
        left.map(|(_, step)| step).collect()
    }

    /// The script that deletes what the run created.
    #[must_use]
    pub fn undo(&self, keep: &[&str]) -> String {
        let mut body = Body::default();
        let mut plan = Vec::new();
        let mut order = Vec::new();
        for step in self.flow.undo_order() {
            let id = step.about().id;
            if keep.contains(&id) {
                continue;
            }
            match self.run.status(id) {
                // Whose it is, if it is there, is told by an id that only the program derives.
                Some(Status::Creating) => {
                    body.push("\n");
                    body.say(&format!(
                        "not looked at: {}, whose making was interrupted; peer-wizard undo {} looks",
                        step.thing(),
                        self.run.run
                    ));
                }
                Some(status) if status.ours() => order.push(step),
                _ => {}
            }
        }
        for (index, step) in order.iter().enumerate() {
            let title = format!("Delete {}", step.thing());
            body.heading(index + 1, order.len(), &title, "", "");
            body.delete(step.shell());
            plan.push(title);
        }
        let promise = "What was there before the run stays; what is gone already is no error.";
        self.page(&plan, &body, promise)
    }

    fn page(&self, plan: &[String], body: &Body, promise: &str) -> String {
        let mut head = format!(
            "#!/usr/bin/env bash\n# {}\n#\n# Printed by {}. {promise}\n",
            comment(&self.headline),
            comment(&self.run.written_by)
        );
        head.push_str("# Your own az session stays as it is. What it does:\n");
        for (index, line) in plan.iter().enumerate() {
            let _ = writeln!(head, "#   {}. {}", index + 1, comment(line));
        }
        // Without -f a word that a client prints could stand for the names of files.
        head.push_str("set -euf -o pipefail\n");
        if !self.secrets.is_empty() {
            let names = self.secrets.join(" ");
            head.push_str("\n# What is exported, every program would get; these are given only to those that need them\n");
            let _ = writeln!(head, "export -n {names}");
        }
        let text = &body.text;
        let functions = body.functions();
        let settings = self.variables(body);
        let tools: String = ["az", "avn", "curl"]
            .into_iter()
            .filter(|tool| [text, &functions, &settings].iter().any(|it| runs(it, tool)))
            .map(|tool| {
                format!("command -v {tool} >/dev/null || {{ echo '{tool} is not installed' >&2; exit 1; }}\n")
            })
            .collect();
        format!("{head}\n{tools}{settings}{functions}{text}")
    }

    /// The variables that the script reads: what is known is set, what can be told from others is told, the rest is asked of
    /// whoever runs the script.
    fn variables(&self, body: &Body) -> String {
        let facts = self.run.facts();
        let mut asked: Vec<Setting> = Vec::new();
        let mut reads = body.reads.clone();
        let mut open: Vec<&'static str> = body.unset.clone();
        open.retain(|name| facts.text(name).is_none());
        // A setting may read variables of its own; they come before it.
        while let Some(name) = open.pop() {
            let Some(setting) = (self.settings)(name) else {
                continue;
            };
            reads.extend(&setting.reads);
            let others = setting.reads.iter().filter(|other| **other != name);
            open.extend(others.filter(|other| facts.text(other).is_none()));
            asked.retain(|it| it.name != setting.name);
            asked.insert(0, setting);
        }
        let mut out = String::new();
        let known = facts.texts().iter();
        let known: Vec<_> = known
            .filter(|(name, _)| reads.contains(name.as_str()))
            .collect();
        if !known.is_empty() {
            out.push_str("\n# Known\n");
        }
        for (name, value) in known {
            if value.contains(['$', '`']) {
                out.push_str("# shellcheck disable=SC2016 # the value has these characters\n");
            }
            let _ = writeln!(out, "{name}={}", quoted(value));
        }
        if !asked.is_empty() {
            out.push_str("\n# Not answered: to be set before, or looked up\n");
            // What is missing is said before anything is asked of a service.
            asked.sort_by_key(|setting| !setting.reads.is_empty());
            for setting in &asked {
                let _ = writeln!(out, "{}", setting.line);
            }
        }
        out
    }
}

/// Text that cannot leave a comment.
fn comment(text: &str) -> String {
    super::clean(text)
}

/// What the script does, and what that takes.
#[derive(Default)]
struct Body {
    text: String,
    helpers: Vec<&'static Helper>,
    /// The variables that the text and its functions read.
    reads: BTreeSet<&'static str>,
    /// Those of them that nothing before has set, in the order of their use.
    unset: Vec<&'static str>,
    set: BTreeSet<&'static str>,
}

impl Body {
    fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    fn say(&mut self, words: &str) {
        self.helpers.push(&helpers::SAY);
        self.push(&format!("say {}\n", quoted(&comment(words))));
    }

    fn heading(&mut self, number: usize, total: usize, title: &str, why: &str, link: &str) {
        let (title, why, link) = (comment(title), comment(why), comment(link));
        self.push(&format!("\n# {number}. {title}\n"));
        for line in [why, link].iter().filter(|it| !it.is_empty()) {
            self.push(&format!("#    {line}\n"));
        }
        self.say(&format!("{number}/{total} {title}"));
    }

    /// Prints what ends the script before anything is made, where nothing must be.
    fn looks<W: World>(&mut self, flow: &Flow<W>) {
        let create: Vec<Cmd> = flow.checks.iter().flat_map(|it| it.shell()).collect();
        if create.is_empty() {
            return;
        }
        let printed = Shell {
            create,
            ..Shell::default()
        };
        self.push("\n# Look at what is there, before anything is made\n");
        self.say("Looking at the networks");
        self.takes(&printed);
        for cmd in &printed.create {
            self.push(&format!("{}\n", cmd.statement()));
        }
    }

    /// Takes note of a variable that is read.
    fn read(&mut self, name: &'static str) {
        self.reads.insert(name);
        if !self.set.contains(name) {
            self.unset.push(name);
        }
    }

    /// Takes note of what these commands take and set.
    fn takes(&mut self, printed: &Shell) {
        self.helpers.extend(printed.helpers());
        self.set.extend(printed.given().iter().map(|it| it.name));
        for named in printed.named() {
            self.read(named.name);
        }
    }

    /// Prints the commands that make it, or wait for it; with `again`, also when it is there.
    fn make(&mut self, shell: Shell, again: bool) {
        let printed = Shell {
            find: shell.find.filter(|_| !again),
            delete: Vec::new(),
            ..shell
        };
        self.takes(&printed);
        let Shell {
            find,
            create,
            delete: _,
            wait,
        } = printed;
        if let Some(Wait {
            state,
            reached,
            refused,
            limit,
            again,
        }) = wait
        {
            let asking = again.map_or_else(String::new, |again| {
                let on = single(&again.on.join("|"));
                let (within, ask) = (again.within.as_secs(), again.ask.name);
                format!("asking_again {within} {on} {ask} ")
            });
            self.push(&format!(
                "{asking}wait_for {} {} {} {}\n",
                limit.as_secs(),
                single(&reached.join("|")),
                single(&refused.join("|")),
                state.bash_words()
            ));
        }
        let lines = |indent: &str| -> String {
            let lines = create.iter();
            lines
                .map(|cmd| format!("{indent}{}\n", cmd.statement()))
                .collect()
        };
        let Some(find) = find else {
            self.push(&lines(""));
            return;
        };
        self.push(&format!("{}\n", find.statement()));
        if let Some(variable) = find.kept()
            && !create.is_empty()
        {
            let (name, lines) = (variable.name, lines("  "));
            self.push(&format!("if [ -z \"${name}\" ]; then\n{lines}fi\n"));
        }
    }

    /// Prints the commands that delete it.
    fn delete(&mut self, shell: Shell) {
        let printed = Shell {
            delete: shell.delete,
            ..Shell::default()
        };
        self.takes(&printed);
        for cmd in &printed.delete {
            let guard = if cmd.looks() {
                ""
            } else {
                self.helpers.push(&helpers::DELETE_IF_THERE);
                "delete_if_there "
            };
            self.push(&format!("{guard}{}\n", cmd.bash_words()));
        }
    }

    /// The functions that the text calls, and those that these call.
    fn functions(&self) -> String {
        let mut all = with_needs(self.helpers.clone());
        let place = |helper: &Helper| FIRST.iter().position(|name| *name == helper.name);
        all.sort_by_key(|helper| (place(helper).unwrap_or(FIRST.len()), helper.bash));
        let texts = all.iter().filter(|helper| !helper.bash.is_empty());
        texts.map(|helper| format!("\n{}\n", helper.bash)).collect()
    }
}

/// Whether a piece of bash runs a program of this name.
fn runs(bash: &str, program: &str) -> bool {
    let code = bash
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'));
    code.flat_map(|line| line.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')))
        .any(|word| word == program)
}

#[cfg(test)]
mod tests;
