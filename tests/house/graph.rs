//! Which way dependencies run.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::cargo::{cargo, packages};
use crate::golden;

/// The crates that may not reach a clock, a disk, a socket or chance.
pub(super) const PURE: [&str; 3] = ["envelope-evidence", "envelope-rules", "envelope-terms"];

/// What only some crates of the house may use by name.
const RESERVED: [(&str, &[&str]); 4] = [
    ("hyper", &["envelope-gate"]),
    ("rustls", &["envelope-gate"]),
    ("wasmtime", &["envelope-gate", "envelope-engine"]),
    ("sqlx", &["envelope-store"]),
];

/// What no pure crate may depend on, at any distance. `rand_core` is not among them: it holds the
/// traits by which a source of chance is handed in, and no source.
const IMPURE: [&str; 17] = [
    "async_std",
    "chrono",
    "fastrand",
    "getrandom",
    "hyper",
    "libc",
    "mio",
    "rand",
    "reqwest",
    "rustix",
    "socket2",
    "sqlx",
    "time",
    "tokio",
    "wasi",
    "wasmtime",
    "windows_sys",
];

/// A crate of the house and what it depends on directly, tests aside.
struct Node {
    name: String,
    needs: BTreeSet<String>,
}

#[test]
fn dependencies_run_one_way() {
    let graph = graph();
    let ours: BTreeSet<_> = graph.iter().map(|node| node.name.as_str()).collect();
    let mut text = String::from("# crate <- the crates of this house it depends on\n");
    for node in &graph {
        let inside = node.needs.iter().map(String::as_str).filter(|name| ours.contains(name));
        writeln!(text, "{} <- {}", node.name, Vec::from_iter(inside).join(" ")).unwrap();
    }
    golden::check("crate-graph.txt", &text.replace("<- \n", "<-\n"));
}

#[test]
fn reserved_crates_are_used_where_they_belong() {
    let trespasser = Node { name: "envelope-cli".into(), needs: ["sqlx".to_string()].into() };
    let owner = Node { name: "envelope-store".into(), needs: ["sqlx".to_string()].into() };
    assert_eq!(trespasses(&[trespasser, owner]), ["envelope-cli uses sqlx"]);
    assert_eq!(trespasses(&graph()), Vec::<String>::new());
}

#[test]
fn pure_crates_stay_pure() {
    let mut text = String::from("# every crate that stands in each pure crate\n");
    for name in PURE {
        let needs = closure(name);
        let impure: Vec<_> = needs.iter().filter(|need| IMPURE.contains(&need.as_str())).collect();
        assert!(impure.is_empty(), "{name} depends on {impure:?}");
        writeln!(text, "\n{name}").unwrap();
        needs.iter().for_each(|need| writeln!(text, "    {need}").unwrap());
    }
    golden::check("pure-crates.txt", &text);
    let tests = closure("envelope-tests");
    assert!(tests.contains("tokio") || tests.contains("getrandom"), "the look-up sees nothing");
}

fn graph() -> Vec<Node> {
    let node = |package: &serde_json::Value| {
        let needs = package["dependencies"].as_array().unwrap().iter();
        let needs = needs.filter(|dependency| dependency["kind"] != "dev");
        Node {
            name: package["name"].as_str().unwrap().into(),
            needs: needs.map(|need| need["name"].as_str().unwrap().into()).collect(),
        }
    };
    let mut graph: Vec<_> = packages("Cargo.toml").iter().map(node).collect();
    graph.sort_by(|a, b| a.name.cmp(&b.name));
    graph
}

fn trespasses(graph: &[Node]) -> Vec<String> {
    let mut found = Vec::new();
    for node in graph {
        for (reserved, owners) in RESERVED {
            if node.needs.contains(reserved) && !owners.contains(&node.name.as_str()) {
                found.push(format!("{} uses {reserved}", node.name));
            }
        }
    }
    found
}

/// Every library that `package` depends on at any distance, for one fixed kind of machine, so that
/// the list is the same everywhere. The test crate, which has only dev-dependencies, counts those.
fn closure(package: &str) -> BTreeSet<String> {
    let edges = if PURE.contains(&package) { "normal" } else { "normal,dev" };
    let arguments =
        ["tree", "--package", package, "--edges", edges, "--prefix=none", "--no-dedupe"];
    let format = ["--format={lib}", "--target=x86_64-unknown-linux-gnu", "--locked"];
    let listing = cargo(&[&arguments[..], &format[..]].concat());
    let own = package.replace('-', "_");
    listing.lines().filter(|name| !name.is_empty() && **name != own).map(String::from).collect()
}
