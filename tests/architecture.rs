//! The shape of the crate: who may use whom, and what only one place does. The map is in the doc of `src/lib.rs`.

#[path = "architecture/circles.rs"]
mod circles;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// Who may use whom. What is not listed is forbidden.
const ARROWS: &[(&str, &[&str])] = &[
    ("main", &["commands"]),
    // Glue: it joins the parts, and starts the sandbox.
    (
        "commands",
        &[
            "ask",
            "azure",
            "cli",
            "clouds",
            "engine",
            "error",
            "fact",
            "http",
            "net",
            "provider",
            "providers",
            "sandbox",
            "shell",
            "store",
            "view",
        ],
    ),
    // Finds answers: looks things up in the clouds, makes facts of them.
    (
        "ask",
        &[
            "azure",
            "cli",
            "clouds",
            "engine",
            "error",
            "fact",
            "http",
            "net",
            "provider",
            "providers",
        ],
    ),
    ("view", &["engine", "error", "fact", "shell", "visible"]),
    // The flags of the providers come from the catalogue.
    ("cli", &["engine", "error", "provider", "providers"]),
    // The folder of the runs.
    ("store", &["engine", "fact"]),
    // The catalogue, and a folder for each.
    (
        "providers",
        &[
            "azure", "clouds", "engine", "error", "fact", "http", "net", "provider", "shell",
        ],
    ),
    // What a provider is.
    (
        "provider",
        &["azure", "clouds", "engine", "error", "fact", "http"],
    ),
    ("error", &["engine", "http"]),
    (
        "azure",
        &["clouds", "engine", "fact", "http", "net", "shell"],
    ),
    // The world of the engine's steps.
    ("clouds", &["engine", "fact", "http"]),
    // No cloud, no terminal and no file.
    ("engine", &["fact", "shell"]),
    // Secrets are next to facts.
    ("http", &["fact"]),
    ("shell", &["fact", "visible"]),
    ("net", &["fact"]),
    ("fact", &[]),
    // Which characters are seen, wherever they are shown.
    ("visible", &[]),
    ("sandbox", &[]),
];

/// One file of the crate.
struct Source {
    /// Its path below `src`, with slashes.
    path: String,
    /// The top-level module it belongs to.
    module: String,
    /// Its text.
    text: String,
}

impl Source {
    /// Its lines without comments, with their numbers.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.text.lines().enumerate();
        lines
            .filter(|(_, line)| !line.trim_start().starts_with("//"))
            .map(|(at, line)| (at + 1, line))
    }

    /// The same without its tests, which may speak of examples.
    fn without_tests(mut self) -> Self {
        let end = self.text.find("#[cfg(test)]").unwrap_or(self.text.len());
        self.text.truncate(end);
        self
    }

    /// Where its code, without texts for people, has one of these words in a name.
    fn names(&self, words: &[&str]) -> Vec<String> {
        let bare = |line: &str| -> String {
            let parts = line.split('"').step_by(2);
            parts.collect::<Vec<_>>().join(" ").to_lowercase()
        };
        self.code()
            .filter(|(_, line)| words.iter().any(|word| bare(line).contains(word)))
            .map(|(at, line)| format!("src/{}:{at}: {}", self.path, line.trim()))
            .collect()
    }

    /// Where its code has one of these words.
    fn has(&self, words: &[&str]) -> Vec<String> {
        self.code()
            .filter(|(_, line)| words.iter().any(|word| line.contains(word)))
            .map(|(at, line)| format!("src/{}:{at}: {}", self.path, line.trim()))
            .collect()
    }
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push(path);
        }
    }
}

fn sources() -> Vec<Source> {
    let src = root().join("src");
    let mut found = Vec::new();
    files(&src, &mut found);
    found.sort();
    let read = |path: PathBuf| {
        let below = path.strip_prefix(&src).expect("found below it");
        let path_text = below.to_string_lossy().replace('\\', "/");
        let module = path_text.split('/').next().unwrap_or_default();
        Source {
            module: module.trim_end_matches(".rs").to_owned(),
            text: fs::read_to_string(&path).expect("source is text"),
            path: path_text,
        }
    };
    let rust = found
        .into_iter()
        .filter(|path| path.extension().is_some_and(|it| it == "rs"));
    rust.map(read).collect()
}

/// The names that follow `crate::` in a text, also in groups: `crate::{a::B, c}` has `a` and `c`.
fn used(text: &str) -> BTreeSet<String> {
    let name = |text: &str| -> String {
        let word = |c: &char| c.is_alphanumeric() || *c == '_';
        text.trim_start().chars().take_while(word).collect()
    };
    let mut used = BTreeSet::new();
    for (at, found) in text.match_indices("crate::") {
        let rest = &text[at + found.len()..];
        let Some(group) = rest.strip_prefix('{') else {
            used.insert(name(rest));
            continue;
        };
        let (mut depth, mut begin) = (0, 0);
        for (at, c) in group.char_indices() {
            match c {
                '{' => depth += 1,
                '}' | ',' if depth == 0 => {
                    used.insert(name(&group[begin..at]));
                    begin = at + 1;
                    if c == '}' {
                        break;
                    }
                }
                '}' => depth -= 1,
                _ => {}
            }
        }
    }
    used.remove("");
    used
}

fn assert_none(what: &str, found: &[String]) {
    assert!(found.is_empty(), "{what}:\n{}", found.join("\n"));
}

#[test]
fn groups_are_read() {
    let text = "use crate::{a::{B, C}, d, e::F};\nuse crate::g::H; crate::{\n    i,\n}";
    let names: Vec<String> = used(text).into_iter().collect();
    assert_eq!(names, ["a", "d", "e", "g", "i"]);
}

#[test]
fn arrows_point_one_way() {
    let allowed: BTreeMap<&str, &[&str]> = ARROWS.iter().copied().collect();
    let sources = sources();
    let modules: BTreeSet<&str> = sources.iter().map(|it| it.module.as_str()).collect();
    let mut forbidden = Vec::new();
    for source in &sources {
        let module = source.module.as_str();
        if module == "lib" {
            continue;
        }
        let Some(allowed) = allowed.get(module) else {
            forbidden.push(format!("src/{}: the module has no row here", source.path));
            continue;
        };
        let code: Vec<&str> = source.code().map(|(_, line)| line).collect();
        let mut names = used(&code.join("\n").replace("peer_wizard::", "crate::"));
        // Macros live at the root.
        for of_the_root in ["text_types", "keys", "text"] {
            names.remove(of_the_root);
        }
        let steps_out = names
            .iter()
            .filter(|name| *name != module && !allowed.contains(&name.as_str()));
        forbidden.extend(steps_out.map(|name| format!("src/{}: {module} -> {name}", source.path)));
        // `super` of a top-level module is the crate's root, which would go round the arrows.
        let depth = source.path.trim_end_matches("/mod.rs").matches('/').count();
        let tests = source
            .text
            .find("#[cfg(test)]")
            .unwrap_or(source.text.len());
        let round = "super::".repeat(depth + 1);
        if source.text[..tests].contains(&round) {
            forbidden.push(format!(
                "src/{}: `{round}` leads out of {module}",
                source.path
            ));
        }
    }
    assert_none("forbidden arrows", &forbidden);
    for (module, targets) in ARROWS {
        for target in *targets {
            let there = modules.contains(target) || !modules.contains(module);
            assert!(there, "{module} -> {target}: there is no {target}");
        }
    }
}

#[test]
fn arrows_have_no_cycle() {
    fn visit<'a>(at: &'a str, way: &mut Vec<&'a str>) {
        assert!(!way.contains(&at), "a cycle: {way:?} -> {at}");
        way.push(at);
        let row = ARROWS.iter().find(|(module, _)| *module == at);
        for target in row.map(|(_, targets)| *targets).unwrap_or_default() {
            visit(target, way);
        }
        way.pop();
    }
    for (module, _) in ARROWS {
        visit(module, &mut Vec::new());
    }
}

/// Asserts that these words are in the code of these places only; a place ends with `/` or is a file.
fn only(places: &[&str], words: &[&str]) {
    let here = |path: &str| {
        let is =
            |place: &&str| path == *place || (place.ends_with('/') && path.starts_with(*place));
        places.iter().any(is)
    };
    let found: Vec<String> = sources()
        .iter()
        .filter(|source| !here(&source.path))
        .flat_map(|source| source.has(words))
        .collect();
    assert_none(&format!("only {places:?} may name {words:?}"), &found);
}

#[test]
fn one_place_sends_requests() {
    only(
        &["http/send.rs"],
        &[
            "Client::builder",
            "Client::new",
            "ClientBuilder",
            "reqwest::get",
        ],
    );
}

#[test]
fn one_place_draws_and_one_asks() {
    only(
        &["view/", "ask/prompt.rs", "ask/prompt/"],
        &["indicatif", "dialoguer", "console::"],
    );
    only(
        &["view/"],
        &["stdout()", "io::stdout", "println!", "print!("],
    );
}

#[test]
fn one_place_writes_files() {
    let words = [
        "fs::write",
        "File::create",
        "OpenOptions",
        "fs::rename",
        "create_dir",
        "DirBuilder",
        "remove_file",
        "remove_dir",
        "fs::copy",
        "hard_link",
        "set_permissions",
        "tempfile",
    ];
    only(&["store.rs", "sandbox/"], &words);
}

#[test]
fn the_sandbox_is_an_island() {
    // It names nothing of the crate, and only what starts it names it.
    only(
        &["lib.rs", "sandbox/", "commands/practice/"],
        &["sandbox::", "crate::sandbox", "{sandbox"],
    );
    let clients = [
        "reqwest",
        "azure_identity",
        "azure_core",
        "clap",
        "indicatif",
        "dialoguer",
    ];
    let sources = sources();
    let island = sources.iter().filter(|source| source.module == "sandbox");
    let found: Vec<String> = island.flat_map(|source| source.has(&clients)).collect();
    assert_none("the sandbox knows no client", &found);
}

#[test]
fn the_engine_knows_no_cloud_and_no_terminal() {
    let mut words = vec!["azure", "entra", "reqwest", "console", "stdin", "stderr"];
    let vendors = vendors();
    words.extend(vendors.iter().map(String::as_str));
    let sources: Vec<Source> = sources().into_iter().map(Source::without_tests).collect();
    let engine = sources
        .iter()
        .filter(|it| ["engine", "fact", "net"].contains(&it.module.as_str()));
    let found: Vec<String> = engine
        .flat_map(|source| source.has(&words))
        // An ARM id's parts are told by their names.
        .filter(|line| !line.starts_with("src/net.rs"))
        .collect();
    assert_none("the engine names a cloud", &found);
}

/// Waiting goes through the context of a step, so that it is told and can be ended.
#[test]
fn one_place_sleeps() {
    only(
        &["engine/cx.rs", "sandbox/"],
        &["sleep(", "interval(", "sleep_until(", "park_timeout"],
    );
}

/// The engine's retry policy is the only one, and only it tells of another try.
#[test]
fn one_place_tries_again() {
    only(
        &[
            "engine/cx.rs",
            "engine/event.rs",
            "view/",
            "commands/stream.rs",
        ],
        &["Event::Retrying"],
    );
}

/// The names of the providers' folders and APIs.
fn vendors() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(root().join("src/providers")).expect("it is there") {
        let path = entry.expect("it can be read").path();
        if let (true, Some(name)) = (path.is_dir(), path.file_name()) {
            names.insert(name.to_string_lossy().into_owned());
        }
    }
    let apis = peer_wizard::providers::vendors().into_iter();
    names.extend(apis.map(|vendor| vendor.name.to_lowercase()));
    names
}

/// What is known of one provider is in its folder, and in the sandbox's for it.
#[test]
fn no_provider_is_named_outside_its_folder() {
    let names: Vec<String> = peer_wizard::providers::ALL
        .iter()
        .map(|provider| format!("\"{}\"", provider.id))
        .collect();
    let words: Vec<&str> = names.iter().map(String::as_str).collect();
    let code: Vec<Source> = sources().into_iter().map(Source::without_tests).collect();
    let found: Vec<String> = code
        .iter()
        .filter(|source| !source.path.starts_with("providers/") && source.module != "sandbox")
        .flat_map(|source| source.has(&words))
        .collect();
    assert_none("a provider is named outside its folder", &found);
    let vendors = vendors();
    let vendors: Vec<&str> = vendors.iter().map(String::as_str).collect();
    let found: Vec<String> = code
        .iter()
        .filter(|source| {
            [
                "engine", "azure", "clouds", "http", "provider", "ask", "cli", "view", "commands",
            ]
            .contains(&source.module.as_str())
        })
        .flat_map(|source| source.names(&vendors))
        .collect();
    assert_none("code outside a provider's folder knows it", &found);
}

#[test]
fn files_of_a_module_make_no_circles() {
    let sources: Vec<Source> = sources().into_iter().map(Source::without_tests).collect();
    let mut circles = Vec::new();
    let graph = circles::graph(
        &sources
            .iter()
            .map(|it| (it.path.as_str(), it.text.as_str()))
            .collect::<Vec<_>>(),
    );
    for circle in circles::of(&graph) {
        circles.push(circle.join(" -> "));
    }
    assert_none("circles among files", &circles);
}

#[test]
fn files_can_be_read_in_one_sitting() {
    let mut found = Vec::new();
    for folder in ["src", "tests"] {
        files(&root().join(folder), &mut found);
    }
    let long: Vec<String> = found
        .iter()
        .filter(|path| path.extension().is_some_and(|it| it == "rs"))
        .map(|path| {
            (
                path,
                fs::read_to_string(path).unwrap_or_default().lines().count(),
            )
        })
        .filter(|(_, lines)| *lines > 600)
        .map(|(path, lines)| format!("{}: {lines} lines", path.display()))
        .collect();
    assert_none("over 600 lines", &long);
}

#[test]
fn every_file_says_what_it_is() {
    let bare: Vec<String> = sources()
        .iter()
        .filter(|source| !source.path.starts_with("sandbox/tests/"))
        .filter(|source| !source.text.starts_with("//!"))
        .map(|source| format!("src/{}", source.path))
        .collect();
    assert_none("without a module doc", &bare);
}

#[test]
fn the_tree_stands_alone() {
    // Written in pieces, or this file would find itself.
    let words = [
        ["/wo", "rk/"].concat(),
        ["../sha", "red"].concat(),
        ["registry.", "npmjs"].concat(),
        ["index.", "crates.io"].concat(),
        ["pypi.", "org/simple"].concat(),
        ["proxy.", "golang"].concat(),
    ];
    let mut found = Vec::new();
    for folder in ["src", "tests", ".github", ".ci"] {
        files(&root().join(folder), &mut found);
    }
    found.extend(["Cargo.toml", "README.md"].map(|name| root().join(name)));
    let mut outside = Vec::new();
    for path in found {
        let text = fs::read_to_string(&path).unwrap_or_default();
        for (at, line) in text.lines().enumerate() {
            if words.iter().any(|word| line.contains(word.as_str())) {
                outside.push(format!("{}:{}: {}", path.display(), at + 1, line.trim()));
            }
        }
    }
    assert_none("names of places outside the tree", &outside);
}
