//! The functions of a script, in a real bash, with what `az` and Konnect would answer.

use super::support::{Bench, TempDir, shapes};
use peer_wizard::{
    azure::keys,
    engine::{Status, StepRecord},
    providers,
    sandbox::Lag,
    shell::single,
    view::script::Script,
};
use serde_json::json;
use std::{
    fs,
    process::{Command, Stdio},
};

/// What a provider's script knows and can do, without what it does.
struct Functions {
    bench: Bench,
    text: String,
}

impl Functions {
    fn of(provider: &str) -> Self {
        let provider = providers::named(provider).expect("there is such a provider");
        let bench = Bench::new(provider, &shapes()[0].1, Lag::None);
        let script = Script {
            headline: "functions".into(),
            flow: &bench.flow,
            run: bench.start(),
            secrets: &tokens(),
            settings: &|_| None,
        };
        let text = before(&script.apply(), "\n# Look at what is there");
        Self { bench, text }
    }

    /// The same of the script that undoes a run.
    fn of_undo(provider: &str) -> Self {
        let provider = providers::named(provider).expect("there is such a provider");
        let bench = Bench::new(provider, &shapes()[0].1, Lag::None);
        let mut run = bench.start().clone();
        for step in &bench.flow.steps {
            let made = StepRecord::now(Status::Created, None);
            run.shared.steps.insert(step.about().id.into(), made);
        }
        let script = Script {
            headline: "functions".into(),
            flow: &bench.flow,
            run: &run,
            secrets: &tokens(),
            settings: &|_| None,
        };
        let text = before(&script.undo(&[]), "\n# 1. ");
        Self { bench, text }
    }

    /// Runs this after the functions: what it printed, what it said, and whether it went well.
    fn run(&self, then: &str) -> (String, String, bool) {
        let dir = TempDir::new();
        let path = dir.path("script");
        fs::write(&path, format!("{}\n{then}\n", self.text)).expect("a new file");
        let output = Command::new("bash")
            .args(["--noprofile", "script"])
            .current_dir(dir.path(""))
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", dir.path(""))
            .env("TMPDIR", dir.path(""))
            .env("PAUSE", "0")
            .env("USER_APP_SECRET", "exported")
            .env("KONNECT_TOKEN", "exported")
            .env("AIVEN_AUTH_TOKEN", "exported")
            .stdin(Stdio::null())
            .output()
            .expect("there is a bash");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end().to_owned();
        (
            text(&output.stdout),
            text(&output.stderr),
            output.status.success(),
        )
    }

    #[track_caller]
    fn prints(&self, then: &str, wanted: &str) {
        let (out, said, good) = self.run(then);
        assert!(good, "{then}: {said}");
        assert_eq!(out, wanted, "{then}");
    }

    #[track_caller]
    fn fails(&self, then: &str, why: &str) {
        let (out, said, good) = self.run(then);
        assert!(!good && out.is_empty(), "{then}: {out}");
        assert!(said.contains(why), "{then}: {said}");
    }
}

/// The variables that hold the tokens of all providers.
fn tokens() -> Vec<&'static str> {
    let kinds = providers::tokens().into_iter();
    kinds.flat_map(|kind| kind.variables).copied().collect()
}

/// What comes before a script does anything; no program is wanted.
fn before(script: &str, begins: &str) -> String {
    let (text, _) = script.split_once(begins).expect("it begins");
    let lines = text.lines().filter(|line| !line.starts_with("command -v"));
    lines.map(|line| format!("{line}\n")).collect()
}

#[test]
fn a_script_knows_its_own_by_what_the_program_knows_it_by() {
    let functions = Functions::of("aiven-project");
    let run = functions.bench.start();
    for what in ["tag", "application"] {
        let guid = keys::guid(&run.facts(), what).expect("the run is known");
        functions.prints(&format!("own_guid {what}"), &guid.to_string());
    }
    let tag = keys::tag(&run.facts()).expect("the run is known");
    functions.prints(
        "az() { printf '%s\\n' \"$*\"; }; find_application appId",
        &format!("ad app list --filter tags/any(t:t eq '{tag}') --query [0].appId --output tsv"),
    );
}

#[test]
fn a_role_counts_by_its_name_and_by_just_these_actions() {
    let functions = Functions::of("aiven-project");
    let find = |answer: &str| {
        format!(
            "az() {{ case $1 in account) echo S ;; *) printf '%s\\n' '{answer}' ;; esac; }}\nROLE=$(find_role R 'a/b x/y')\nprintf '%s' \"$ROLE\""
        )
    };
    functions.prints(&find("/id|1|||X/y a/B"), "/id");
    functions.prints(&find(""), "");
    for other in [
        "/id|1|||a/b",
        "/id|1|||a/b x/y z",
        "/id|1|||a/* x/y",
        "/id|1||data|a/b x/y",
        "/id|1|not||a/b x/y",
        "/id|2|||a/b x/y",
    ] {
        functions.fails(&find(other), "allows something else");
    }
}

#[test]
fn nothing_is_made_where_the_networks_cannot_be_peered() {
    let functions = Functions::of("aiven-project");
    let check = |ours: &str, state: &str, theirs: &str| {
        format!("az() {{ echo '{ours}'; }}\ncheck_networks '{state}' ACTIVE '{theirs}'")
    };
    let ours = "Succeeded 10.0.0.0/16 192.168.0.0/24 fd00::/8";
    functions.prints(&check(ours, "ACTIVE", "10.1.0.0/24 fd00::/8"), "");
    for (ours, state, theirs, why) in [
        (
            ours,
            "ACTIVE",
            "10.1.0.0/24 10.0.5.0/24",
            "10.0.0.0/16 and 10.0.5.0/24",
        ),
        (ours, "ACTIVE", "10.0.0.0/8", "share addresses"),
        (ours, "ACTIVE", "192.168.0.255/32", "share addresses"),
        (
            ours,
            "APPROVED",
            "10.1.0.0/24",
            "in state APPROVED, not ACTIVE",
        ),
        (ours, "", "", "in state none"),
        (
            "Failed 10.0.0.0/16",
            "ACTIVE",
            "10.1.0.0/24",
            "your VNet is in state Failed",
        ),
    ] {
        functions.fails(&check(ours, state, theirs), why);
    }
}

#[test]
fn the_providers_reason_is_told() {
    let functions = Functions::of("aiven-project");
    functions.fails(
        "say_state() { printf 'REJECTED_BY_PEER\\nno \\033[31mright\\n'; }\nwait_for 9 ACTIVE REJECTED_BY_PEER say_state",
        "the state is REJECTED_BY_PEER: no [31mright",
    );
    functions.prints(
        "say_state() { echo ACTIVE; }\nwait_for 9 ACTIVE '' say_state",
        "",
    );
}

#[test]
fn a_gateway_counts_with_just_these_mappings() {
    let functions = Functions::of("kong");
    let find = |dns: &str, wanted: &str| {
        let fields = [
            ("id", "g1"),
            ("name", "other"),
            ("state", "ready"),
            (
                "transit_gateway_attachment_config.kind",
                "azure-vnet-peering-attachment",
            ),
            (
                "transit_gateway_attachment_config.tenant_id",
                "$USER_TENANT_ID",
            ),
            (
                "transit_gateway_attachment_config.subscription_id",
                "$USER_SUBSCRIPTION_ID",
            ),
            (
                "transit_gateway_attachment_config.resource_group_name",
                "$USER_RESOURCE_GROUP",
            ),
            (
                "transit_gateway_attachment_config.vnet_name",
                "$USER_VNET_NAME",
            ),
        ];
        let lines: String = fields
            .iter()
            .map(|(name, value)| format!("printf '1.0.{name}\\t%s\\n' \"{value}\"\n"))
            .collect();
        let mappings: String = dns
            .split(';')
            .filter(|it| !it.is_empty())
            .enumerate()
            .map(|(at, mapping)| {
                let (servers, domains) = mapping.split_once('=').expect("a mapping");
                let list = |field: &str, all: &str| -> String {
                    all.split(',')
                        .enumerate()
                        .map(|(n, it)| {
                            format!(
                                "printf '1.0.dns_config.{}.{field}.{}\\t{it}\\n'\n",
                                at + 1,
                                n + 1
                            )
                        })
                        .collect()
                };
                list("remote_dns_server_ip_addresses", servers)
                    + &list("domain_proxy_list", domains)
            })
            .collect();
        format!(
            "konnect_list() {{\n{lines}{mappings}}}\nGATEWAY=$(attached_gateway /x '{wanted}')\nprintf '%s' \"$GATEWAY\""
        )
    };
    functions.prints(&find("", ""), "g1");
    functions.prints(
        &find(
            "10.0.0.4,10.0.0.5=A.example.,b.example",
            "10.0.0.5,10.0.0.4=b.example,a.example",
        ),
        "g1",
    );
    functions.prints(
        &find(
            "10.0.0.4=a.example;10.0.0.5=a.example",
            "10.0.0.4,10.0.0.5=a.example",
        ),
        "g1",
    );
    for (has, wanted) in [
        ("10.0.0.4=a.example", ""),
        ("", "10.0.0.4=a.example"),
        ("10.0.0.4=a.example", "10.0.0.4,10.0.0.5=a.example"),
        ("10.0.0.4=a.example", "10.0.0.4=b.example"),
    ] {
        functions.fails(&find(has, wanted), "has another DNS mapping");
    }
}

#[test]
fn an_id_that_leads_elsewhere_is_not_asked_for_and_secrets_are_not_exported() {
    let functions = Functions::of("kong");
    for path in [
        "/v2/networks/../x",
        "/v2/networks//gateways?page=1",
        "/v2/./x",
        "/v2/networks/",
    ] {
        functions.fails(
            &format!("curl() {{ echo asked; }}\nkonnect GET '{path}'"),
            "is none",
        );
    }
    functions.prints("curl() { printf '{}'; }\nkonnect GET /v2/x", "{}");
    functions.prints("env | grep -c KONNECT_TOKEN || :", "0");
    let functions = Functions::of("aiven-project");
    functions.prints("env | grep -c USER_APP_SECRET || :", "0");
}

#[test]
fn a_token_reaches_the_program_that_needs_it_and_no_other() {
    // Programs, not functions: what counts is what a child finds in its environment.
    let programs = "for it in az avn curl; do
  printf '#!/bin/sh\\necho %s \"$(env | grep -c TOKEN=exported)\" \"$*\"\\n' $it >$it
  chmod +x $it
done
PATH=.:$PATH\n";
    let functions = Functions::of("aiven-project");
    functions.prints(
        &format!("{programs}az a; avn b c; curl d; retry 9 'slow' avn e; AIVEN_AUTH_TOKEN= avn f"),
        "az 0 a\navn 1 b c\ncurl 0 d\navn 1 e\navn 0 f",
    );
    functions.prints(
        &format!("{programs}unset AIVEN_AUTH_TOKEN\nexport AIVEN_TOKEN=exported\nexport -n AIVEN_TOKEN\navn a\nunset AIVEN_TOKEN\navn b"),
        "avn 1 a\navn 0 b",
    );
    let functions = Functions::of("kong");
    let (out, said, good) = functions.run(&format!("{programs}konnect GET /v2/x\naz a"));
    assert!(good && out.starts_with("curl 0 "), "{out}{said}");
    assert!(
        out.ends_with("\naz 0 a") && !out.contains("exported"),
        "{out}"
    );
}

#[test]
fn no_id_breaks_out_of_a_query() {
    // Tells the queries; there are no assignments, and of definitions what is said.
    let az = r#"az() {
  case $2 in definition) printf '%s\n' "$answer" ;; list) echo S ;; esac
  while [ $# -gt 0 ]; do
    if [ "$1" = --query ]; then printf '%s\n' "$2" >&2; fi
    shift
  done
}"#;
    let (apply, undo) = (
        Functions::of("aiven-project"),
        Functions::of_undo("aiven-project"),
    );
    for id in ["a'b", "'] || [?'", "a`b", r#"a"b"#, r"a\b"] {
        // A literal of JMESPath is JSON in which a backtick is escaped too.
        let literal = |text: String| format!("`{}`", json!(text).to_string().replace('`', r"\`"));
        let (name, last) = (literal(id.into()), literal(format!("/{id}")));
        let word = single(id);
        for (functions, call, queries) in [
            (
                &apply,
                format!("answer=; set_role_scopes /s/providers/r/{word} {word} add"),
                vec![
                    format!("[?name=={name}]|[0].assignableScopes[?@=={name}]|[0]"),
                    format!("assignableScopes:[assignableScopes, [{name}]][]}}"),
                ],
            ),
            (
                &apply,
                format!("answer=S; set_role_scopes /s/providers/r/{word} {word} remove"),
                vec![
                    format!("[?ends_with(roleDefinitionId, {last})]|[0].id"),
                    format!("assignableScopes:assignableScopes[?@!={name}]}}"),
                ],
            ),
            (
                &undo,
                format!("answer=; delete_unless_used /s/providers/r/{word} {word} :"),
                vec![format!(
                    "[?principalId=={name} || ends_with(roleDefinitionId, {last})]|[0].id"
                )],
            ),
        ] {
            let (_, said, good) = functions.run(&format!("{az}\n{call}"));
            assert!(good, "{call}: {said}");
            for query in queries {
                assert!(said.contains(&query), "{call}: {said} has no {query}");
            }
        }
    }
}

#[test]
fn a_script_asks_again_while_the_providers_right_may_spread() {
    let functions = Functions::of("aiven-project");
    // Refused until it was asked as often as wanted; `touch` and files, since the state is read in a shell of its own.
    let asking = |needed: usize, within: usize, state: &str| {
        format!(
            "ask_for_peering() {{ echo asked >>asked; }}\n: >asked\n\
             peering_row() {{ if [ \"$(wc -l <asked)\" -ge {needed} ]; then echo PENDING_PEER; else printf '%s\\n' {state} 'no right'; fi; }}\n\
             asking_again {within} 'INVALID_SPECIFICATION|REJECTED_BY_PEER' ask_for_peering wait_for 9 'PENDING_PEER|ACTIVE' 'INVALID_SPECIFICATION|REJECTED_BY_PEER|ERROR' peering_row says\n\
             cat asked"
        )
    };
    functions.prints(&asking(0, 600, "ERROR"), "");
    functions.prints(&asking(1, 600, "INVALID_SPECIFICATION"), "asked");
    functions.prints(&asking(2, 600, "REJECTED_BY_PEER"), "asked\nasked");
    functions.fails(&asking(1, 600, "ERROR"), "the state is ERROR: no right");
    functions.fails(
        &asking(1, 0, "INVALID_SPECIFICATION"),
        "the state is still INVALID_SPECIFICATION: no right",
    );
    // No other wait asks for anything.
    functions.fails(
        "peering_row() { echo INVALID_SPECIFICATION; }\nwait_for 9 ACTIVE 'INVALID_SPECIFICATION' peering_row",
        "the state is INVALID_SPECIFICATION",
    );
}

#[test]
fn a_script_forgets_the_tokens_from_before_each_try_to_peer() {
    for provider in ["aiven-project", "aiven-organization"] {
        let functions = Functions::of(provider);
        // What az has cached, and what it has not.
        let try_it = "az() { :; }\nsign_in() { :; }\n\
             cd \"$APPLICATION_SESSION\"\n: >msal_token_cache.json\n: >msal_http_cache.bin\n: >azureProfile.json\n\
             peer_from_vnet T N sign_in\nls";
        functions.prints(try_it, "azureProfile.json");
    }
}
