//! A flow as the bash script that a careful person would have typed: from the same definitions that run it.

use crate::{
    engine::{Flow, Run, Status, Step, World},
    fact::Facts,
    shell::{Shell, Wait, quoted, single},
};
use std::{collections::BTreeSet, fmt::Write as _};

/// A line that sets a variable which the answers did not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// The variable.
    pub name: String,
    /// Bash that sets it, or checks that it is set.
    pub line: String,
}

/// What a script is made from.
pub struct Script<'a, W: World> {
    /// What it does, in one line.
    pub headline: String,
    /// The flow.
    pub flow: &'a Flow<W>,
    /// The run: what is known, and what is done.
    pub run: &'a Run,
    /// How the variables are set that nothing has set yet.
    pub settings: &'a dyn Fn(&str) -> Option<Setting>,
}

impl<W: World + 'static> Script<'_, W> {
    /// The script that does what is left of the run.
    #[must_use]
    pub fn apply(&self) -> String {
        let left: Vec<&Step<W>> = self
            .flow
            .steps
            .iter()
            .enumerate()
            .filter(|(index, _)| self.flow.is_left(*index, self.run))
            .map(|(_, step)| step)
            .collect();
        let total = left.len();
        let mut body = Body::default();
        // A function may come with a step that is done already; only those that are used are printed.
        body.functions.extend(
            self.flow
                .steps
                .iter()
                .flat_map(|step| shell_of(step).functions),
        );
        for (index, step) in left.iter().enumerate() {
            let about = step.about();
            let again = self.run.steps.get(about.id).is_some_and(|it| it.renew);
            body.heading(index + 1, total, &about.title, about.why, about.link);
            body.commands(&shell_of(step), again);
        }
        let plan: Vec<String> = left.iter().map(|step| step.about().title).collect();
        let facts: BTreeSet<&str> = left
            .iter()
            .flat_map(|step| shell_of(step).shown().collect::<Vec<_>>())
            .collect();
        body.push("\n# What the next command may want to know\n");
        for name in facts {
            body.push(&format!("printf '{name}=%s\\n' \"${name}\"\n"));
        }
        body.push("say 'Connected.'\n");
        self.page(
            &plan,
            &body,
            "It looks before it makes anything, so it can be run again.",
        )
    }

    /// The script that deletes what the run created.
    #[must_use]
    pub fn undo(&self, keep: &[&str]) -> String {
        let mut body = Body::default();
        let mut plan = Vec::new();
        let order: Vec<_> = self
            .flow
            .undo_order()
            .into_iter()
            .filter(|it| !keep.contains(&it.about().id))
            .filter(|it| self.run.status(it.about().id) == Some(Status::Created))
            .collect();
        for resource in self.flow.undo_order() {
            let about = resource.about();
            if !keep.contains(&about.id) && self.run.status(about.id) == Some(Status::Creating) {
                // Whose it is, if it is there, is told by an id that only the program derives.
                let text = format!(
                    "not looked at: {}, whose making was interrupted; peer-wizard undo {} looks",
                    resource.thing(),
                    self.run.run
                );
                body.push(&format!("\nsay {}\n", single(&text)));
            }
        }
        for (index, resource) in order.iter().enumerate() {
            let title = format!("Delete {}", resource.thing());
            let shell = resource.shell(&Facts::symbolic()).unwrap_or_default();
            body.functions.extend(&shell.functions);
            body.heading(index + 1, order.len(), &title, "", "");
            for cmd in &shell.delete {
                let words = cmd.bash_words();
                // A function of that name looks for itself.
                let looks = words.starts_with("delete_");
                let guard = if looks { "" } else { "delete_if_there " };
                body.push(&format!("{guard}{words}\n"));
            }
            plan.push(title);
        }
        self.page(
            &plan,
            &body,
            "What was there before the run stays; what is gone already is no error.",
        )
    }

    fn page(&self, plan: &[String], body: &Body, promise: &str) -> String {
        let text = &body.text;
        let functions = body.functions(text);
        let whole = format!("{functions}\n{text}");
        let mut head = format!(
            "#!/usr/bin/env bash\n# {}\n#\n# Printed by {}. {promise}\n",
            comment(&self.headline),
            self.run.written_by
        );
        head.push_str("# Your own az session stays as it is. What it does:\n");
        for (index, line) in plan.iter().enumerate() {
            let _ = writeln!(head, "#   {}. {}", index + 1, comment(line));
        }
        head.push_str("set -euo pipefail\n");
        let settings = self.variables(&whole);
        let tools: String = ["az", "avn", "curl"]
            .into_iter()
            .filter(|tool| uses(&whole, tool) || uses(&settings, tool))
            .map(|tool| {
                format!("command -v {tool} >/dev/null || {{ echo '{tool} is not installed' >&2; exit 1; }}\n")
            })
            .collect();
        format!("{head}\n{tools}{settings}{functions}{text}")
    }

    /// The variables that the text reads: what is known is set, what can be told from others is told, the rest is
    /// asked of whoever runs the script.
    fn variables(&self, text: &str) -> String {
        let reads = |name: &str| {
            text.contains(&format!("${{{name}}}")) || text.contains(&format!("${name}"))
        };
        let mut known = String::new();
        for (name, value) in self.run.facts.durable() {
            if reads(name) {
                if value.contains(['$', '`']) {
                    known
                        .push_str("# shellcheck disable=SC2016 # the value has these characters\n");
                }
                let _ = writeln!(known, "{name}={}", quoted(value));
            }
        }
        let answered: BTreeSet<&str> = self
            .run
            .facts
            .durable()
            .keys()
            .map(String::as_str)
            .collect();
        let mut asked: Vec<Setting> = Vec::new();
        let mut open: Vec<String> = self
            .flow
            .unfed(&answered)
            .into_iter()
            .map(|unfed| unfed.fact.to_owned())
            .filter(|name| reads(name))
            .collect();
        // A setting may read variables of its own; they come before it.
        while let Some(name) = open.pop() {
            let Some(setting) = (self.settings)(&name) else {
                continue;
            };
            for other in names_in(&setting.line) {
                if other != setting.name && !answered.contains(other.as_str()) {
                    open.push(other);
                }
            }
            asked.retain(|it| it.name != setting.name);
            asked.insert(0, setting);
        }
        let mut out = String::new();
        if !known.is_empty() {
            out.push_str("\n# Known\n");
            out.push_str(&known);
        }
        if !asked.is_empty() {
            out.push_str("\n# Not answered: to be set before, or looked up\n");
            // What is missing is said before anything is asked of a service.
            asked.sort_by_key(|setting| !setting.line.starts_with(": "));
            for setting in &asked {
                out.push_str(&setting.line);
                out.push('\n');
            }
        }
        out
    }
}

/// The names of the variables that a line of bash reads.
fn names_in(line: &str) -> Vec<String> {
    line.split('$')
        .skip(1)
        .map(|rest| {
            rest.trim_start_matches('{')
                .chars()
                .take_while(|c| c.is_ascii_uppercase() || *c == '_' || c.is_ascii_digit())
                .collect::<String>()
        })
        .filter(|name| !name.is_empty())
        .collect()
}

fn shell_of<W: World>(step: &Step<W>) -> Shell {
    // Symbolic facts are never missing.
    step.shell(&Facts::symbolic()).unwrap_or_default()
}

/// Text that cannot leave a comment.
fn comment(text: &str) -> String {
    super::clean(text).replace(['\n', '\r'], " ")
}

#[derive(Default)]
struct Body {
    text: String,
    functions: BTreeSet<&'static str>,
}

impl Body {
    fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    fn heading(&mut self, number: usize, total: usize, title: &str, why: &str, link: &str) {
        let (title, why, link) = (comment(title), comment(why), comment(link));
        self.push(&format!("\n# {number}. {title}\n"));
        for line in [why, link].iter().filter(|it| !it.is_empty()) {
            self.push(&format!("#    {line}\n"));
        }
        self.push(&format!(
            "say {}\n",
            single(&format!("{number}/{total} {title}"))
        ));
    }

    fn commands(&mut self, shell: &Shell, again: bool) {
        let Shell {
            find,
            create,
            delete: _,
            wait,
            functions,
        } = shell;
        self.functions.extend(functions);
        if let Some(Wait {
            state,
            reached,
            refused,
            limit,
        }) = wait
        {
            self.push(&format!(
                "wait_for {} {} {} {}\n",
                limit.as_secs(),
                single(&reached.join("|")),
                single(&refused.join("|")),
                state.bash_words()
            ));
        }
        let lines = |indent: &str| -> String {
            create
                .iter()
                .map(|cmd| format!("{indent}{}\n", cmd.statement()))
                .collect::<Vec<_>>()
                .concat()
        };
        match find.as_ref().filter(|_| !again) {
            None => self.push(&lines("")),
            Some(find) => {
                self.push(&format!("{}\n", find.statement()));
                if let Some(variable) = find.variable()
                    && !create.is_empty()
                {
                    self.push(&format!(
                        "if [ -z \"${variable}\" ]; then\n{}fi\n",
                        lines("  ")
                    ));
                }
            }
        }
    }

    /// The functions that the text uses, and those that these use.
    fn functions(&self, text: &str) -> String {
        let general = GENERAL.iter().copied();
        let all: Vec<&str> = general.chain(self.functions.iter().copied()).collect();
        let mut used = vec![false; all.len()];
        let mut reader = text.to_owned();
        while let Some(next) = (0..all.len())
            .find(|index| !used[*index] && defines(all[*index]).any(|name| uses(&reader, name)))
        {
            used[next] = true;
            reader.push_str(all[next]);
        }
        all.iter()
            .zip(used)
            .filter(|(_, used)| *used)
            .map(|(function, _)| format!("\n{function}\n"))
            .collect::<Vec<_>>()
            .concat()
    }
}

/// The functions that a piece of bash defines.
fn defines(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .filter_map(|line| line.split_once("()").map(|(name, _)| name))
        .filter(|name| !name.contains([' ', '#']))
}

/// Whether a piece of bash names a function outside of comments.
fn uses(text: &str, name: &str) -> bool {
    text.lines()
        .filter(|line| !line.trim_start().starts_with('#'))
        .any(|line| {
            line.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
                .any(|word| word == name)
        })
}

/// The functions that steps may use.
const GENERAL: &[&str] = &[
    "say() { printf '%s\\n' \"$*\" >&2; }",
    "fail() { say \"error: $*\"; exit 1; }",
    "lower() { printf '%s' \"$1\" | tr '[:upper:]' '[:lower:]'; }",
    "# json_text TEXT: the text as it stands between the quotes of JSON\njson_text() { printf '%s' \"$1\" | sed 's/\\\\/\\\\\\\\/g; s/\"/\\\\\"/g'; }",
    "# odata TEXT: the text as it stands between the quotes of a filter of Graph\nodata() { printf '%s' \"$1\" | sed \"s/'/''/g\"; }",
    r#"# jmes TEXT: the text as a value in a --query, quotes and all
jmes() { printf "\`\"%s\"\`" "$(json_text "$1" | sed "s/\`/\\\\\`/g")"; }"#,
    r#"# json_ascii TEXT: the text as avn prints it between the quotes of JSON, where all but ASCII is escaped
json_ascii() {
  { json_text "$1" | iconv -f UTF-8 -t UTF-16BE | od -An -v -tx1 | tr -d ' \n'; echo; } | fold -w 4 | awk '
    { low = index("0123456789abcdef", substr($1, 3, 1)) * 16 + index("0123456789abcdef", substr($1, 4, 1)) - 17
      if (substr($1, 1, 2) == "00" && low < 128) printf "%c", low; else printf "\\u%s", $1 }'
}"#,
    "# tomorrow: in 24 hours, for the date of GNU and of BSD\ntomorrow() {\n  date -u -d '+1 day' '+%Y-%m-%dT%H:%M:%SZ' 2>/dev/null || date -u -v+1d '+%Y-%m-%dT%H:%M:%SZ'\n}",
    r#"# retry SECONDS BECAUSE COMMAND...: tries again while it fails, prints what it printed when it did not
retry() {
  local limit=$1 because=$2 began=$SECONDS output
  shift 2
  until output=$("$@"); do
    [ $((SECONDS - began)) -lt "$limit" ] || fail "gave up after $limit s: $because"
    say "  not yet: $because; trying again"
    sleep "${PAUSE:-10}"
  done
  if [ -n "$output" ]; then
    printf '%s\n' "$output"
  fi
}"#,
    r#"# wait_for SECONDS REACHED REFUSED COMMAND...: until the command prints one of the words, each list joined by |
wait_for() {
  local limit=$1 reached=$2 refused=$3 began=$SECONDS state='' last='' failures=0
  shift 3
  while :; do
    if ! state=$("$@"); then
      failures=$((failures + 1))
      [ "$failures" -lt 5 ] || fail 'cannot look at the state'
      sleep "${PAUSE:-5}"
      continue
    fi
    failures=0
    case "|$reached|" in *"|${state:-none}|"*) return ;; esac
    case "|$refused|" in *"|${state:-none}|"*) fail "the state is $state" ;; esac
    if [ "$state" != "$last" ]; then
      say "  ${state:-none}"
      last=$state
    fi
    [ $((SECONDS - began)) -lt "$limit" ] || fail "still ${state:-none} after $limit s; run this again to go on waiting"
    sleep "${PAUSE:-5}"
  done
}"#,
    r#"# delete_if_there COMMAND...: what is not there counts as deleted
delete_if_there() {
  local output
  if ! output=$("$@" 2>&1); then
    case $output in
      *NotFound* | *"does not exist"* | *"not found"* | *"could not be found"* | *"No matched"*) say '  was gone' ;;
      *) fail "$output" ;;
    esac
  fi
}"#,
    r#"# delete_unless_used ROLE PRINCIPAL COMMAND...: leaves what another assignment has come to need; either may be empty
delete_unless_used() {
  local role=${1##*/} principal=$2 subscriptions subscription used
  shift 2
  subscriptions=$(az account list --query "[?tenantId=='$USER_TENANT_ID'].id" --output tsv) || fail 'cannot list the subscriptions'
  for subscription in $subscriptions; do
    used=$(az role assignment list --all --subscription "$subscription" --fill-principal-name false --fill-role-definition-name false \
      --query "[?principalId=='${principal:-none}' || ends_with(roleDefinitionId, '/${role:-none}')]|[0].id" --output tsv) || fail 'cannot list the role assignments'
    if [ -n "$used" ]; then
      say "  left: another assignment needs it ($used)"
      return
    fi
  done
  delete_if_there "$@"
}"#,
];
