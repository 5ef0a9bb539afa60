//! Which file uses which, told from the paths in their text, and the circles among them. A module's own file that hands on what
//! its files define is no user of them: what is named through it is looked up where it is defined.

use std::collections::{BTreeMap, BTreeSet};

/// For each file, the files that it uses.
pub type Graph = BTreeMap<String, BTreeSet<String>>;

/// The module path of a file: `engine/step.rs` is `engine::step`, `engine/mod.rs` is `engine`.
fn module(path: &str) -> Vec<String> {
    let path = path.trim_end_matches(".rs");
    let path = path.strip_suffix("/mod").unwrap_or(path);
    match path {
        "lib" | "main" => Vec::new(),
        path => path.split('/').map(str::to_owned).collect(),
    }
}

/// The text without comments, on one line.
fn code(text: &str) -> String {
    let lines = text
        .lines()
        .map(|line| line.split("//").next().unwrap_or_default());
    lines.collect::<Vec<_>>().join(" ")
}

/// `a::{b, c::{d, e}}` becomes `a::b`, `a::c::d`, `a::c::e`.
fn expand(tree: &str) -> Vec<String> {
    let tree = tree.trim();
    let Some((prefix, rest)) = tree.split_once('{') else {
        let name = tree.split(" as ").next().unwrap_or_default().trim();
        return if name.is_empty() {
            Vec::new()
        } else {
            vec![name.to_owned()]
        };
    };
    let inner = rest.rsplit_once('}').map_or(rest, |(inner, _)| inner);
    let (mut depth, mut begin) = (0, 0);
    let mut parts = Vec::new();
    for (at, c) in inner.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&inner[begin..at]);
                begin = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&inner[begin..]);
    let each = parts.into_iter().flat_map(expand);
    each.map(|part| format!("{}{part}", prefix.trim()))
        .collect()
}

/// The paths that a text names: those of its `use` lines, told apart by whether they hand on, and those in its code.
fn paths(text: &str) -> Vec<(bool, String)> {
    let code = code(text);
    let mut found = Vec::new();
    let mut rest = code.as_str();
    let mut body = String::new();
    while let Some(at) = rest.find("use ") {
        let (before, after) = rest.split_at(at);
        body.push_str(before);
        let end = after.find(';').unwrap_or(after.len());
        let starts = before.trim_end();
        let whole = starts.is_empty() || starts.ends_with([';', '}', '{', ')', ']', 'b']);
        if whole {
            let public = starts.ends_with("pub") || starts.ends_with(')');
            let tree = after["use ".len()..end].to_owned();
            found.extend(expand(&tree).into_iter().map(|path| (public, path)));
            rest = &after[end..];
        } else {
            body.push_str("use ");
            rest = &after["use ".len()..];
        }
    }
    body.push_str(rest);
    for root in ["crate::", "super::"] {
        for (at, _) in body.match_indices(root) {
            let name = |c: char| !(c.is_alphanumeric() || c == '_' || c == ':');
            let end = body[at..].find(name).map_or(body.len(), |end| at + end);
            found.push((false, body[at..end].trim_end_matches(':').to_owned()));
        }
    }
    found
}

fn absolute(path: &str, at: &[String]) -> Option<Vec<String>> {
    let parts: Vec<&str> = path.split("::").map(str::trim).collect();
    let mut base = at.to_vec();
    let mut index = 0;
    match parts[0] {
        "crate" | "peer_wizard" => {
            base.clear();
            index = 1;
        }
        "self" => index = 1,
        "super" => {
            while parts.get(index) == Some(&"super") {
                base.pop();
                index += 1;
            }
        }
        _ => {}
    }
    base.extend(parts[index..].iter().map(|part| (*part).to_owned()));
    (!base.is_empty()).then_some(base)
}

/// The graph of these files: their paths and their texts.
pub fn graph(files: &[(&str, &str)]) -> Graph {
    let modules: BTreeMap<Vec<String>, &str> = files
        .iter()
        .map(|(path, _)| (module(path), *path))
        .collect();
    // What a module hands on, and where it is defined.
    let mut handed: BTreeMap<Vec<String>, Vec<String>> = BTreeMap::new();
    for (path, text) in files {
        let at = module(path);
        for (public, named) in paths(text) {
            let Some(target) = absolute(&named, &at) else {
                continue;
            };
            if public && target.len() > at.len() {
                let mut name = at.clone();
                name.extend(target.last().cloned());
                if name != target {
                    handed.insert(name, target);
                }
            }
        }
    }
    let file_of = |target: &[String]| -> Option<&str> {
        let mut target = target.to_vec();
        for _ in 0..8 {
            let on = (1..=target.len()).rev().find_map(|end| {
                let on = handed.get(&target[..end])?;
                Some([on.as_slice(), &target[end..]].concat())
            });
            match on {
                Some(on) if on != target => target = on,
                _ => break,
            }
        }
        (1..=target.len())
            .rev()
            .find_map(|end| modules.get(&target[..end]).copied())
    };
    let mut graph = Graph::new();
    for (path, text) in files {
        let at = module(path);
        let uses = graph.entry((*path).to_owned()).or_default();
        for (public, named) in paths(text) {
            if public {
                continue;
            }
            let target = absolute(&named, &at).filter(|target| target.first() == at.first());
            let file = target.and_then(|target| file_of(&target).map(str::to_owned));
            uses.extend(file.filter(|file| file != path));
        }
    }
    graph
}

/// The circles of a graph, each once.
pub fn of(graph: &Graph) -> Vec<Vec<String>> {
    fn visit<'a>(
        at: &'a str,
        graph: &'a Graph,
        way: &mut Vec<&'a str>,
        done: &mut BTreeSet<&'a str>,
        found: &mut Vec<Vec<String>>,
    ) {
        if let Some(begin) = way.iter().position(|it| *it == at) {
            let circle = way[begin..].iter().chain([&at]);
            found.push(circle.map(|it| (*it).to_owned()).collect());
            return;
        }
        if !done.insert(at) {
            return;
        }
        way.push(at);
        for next in graph.get(at).into_iter().flatten() {
            visit(next, graph, way, done, found);
        }
        way.pop();
    }
    let (mut done, mut found) = (BTreeSet::new(), Vec::new());
    for at in graph.keys() {
        visit(at, graph, &mut Vec::new(), &mut done, &mut found);
    }
    found
}

#[test]
fn a_circle_is_found_also_through_what_is_handed_on() {
    let files = [
        (
            "m/mod.rs",
            "pub mod a; pub mod b; pub use a::A; pub use b::{B, C};",
        ),
        ("m/a.rs", "use super::{B, x::Y};"),
        ("m/b.rs", "use crate::m::a::A;\nfn f() { other::g(); }"),
    ];
    let graph = graph(&files);
    assert_eq!(
        graph["m/a.rs"],
        BTreeSet::from(["m/b.rs".to_owned(), "m/mod.rs".to_owned()])
    );
    let circles = of(&graph);
    assert_eq!(circles, [["m/a.rs", "m/b.rs", "m/a.rs"]]);
}
