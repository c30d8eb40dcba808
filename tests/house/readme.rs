//! The README is tested: its commands run, its map is true.
//!
//! A block marked `sh` is run line by line in the root; a block marked `console` right after it is
//! exactly what it prints. A block marked `text` under the heading "The map" is the map.

use std::collections::BTreeSet;
use std::process::Command;

use super::source::files;
use crate::cargo::{envelope, packages, root};

/// What a newcomer types to run the program; here the program stands built already.
const RUN: &str = "cargo run --release -- ";

/// What a newcomer types to run these tests, and what `.ci/run` runs. Running it here would never
/// end.
const TEST: &str = "cargo test --workspace";

struct Block {
    heading: String,
    kind: String,
    text: String,
}

#[test]
fn commands_run_and_print_what_is_shown() {
    let blocks = blocks(&readme());
    let mut commands = 0;
    for (at, block) in blocks.iter().enumerate().filter(|(_, block)| block.kind == "sh") {
        let shown = blocks.get(at + 1).filter(|next| next.kind == "console");
        let (printed, count) = run(&block.text).unwrap_or_else(|error| panic!("{error}"));
        commands += count;
        if let Some(shown) = shown {
            assert_eq!(printed, shown.text, "what is printed by\n{}", block.text);
        }
    }
    assert!(commands > 0, "the README shows no command to run");
}

#[test]
fn a_wrong_command_is_noticed() {
    assert_eq!(run("# a comment\necho one\n"), Ok(("one\n".to_string(), 1)));
    for wrong in ["false\n", "cargo run --release -- no-such-command\n"] {
        assert!(run(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn continuous_integration_runs_the_same_tests() {
    let lines = |text: &str| text.lines().filter(|line| line.ends_with(TEST)).count();
    let script = std::fs::read_to_string(root().join(".ci/run")).unwrap();
    assert_eq!((lines(&readme()), lines(&script)), (1, 1), "`{TEST}` once in each");
}

#[test]
fn the_map_is_true_and_whole() {
    assert_eq!(falsehoods(&map(&readme())), Vec::<String>::new());
}

#[test]
fn a_wrong_map_is_noticed() {
    let found = falsehoods(&["Cargo.toml".into(), "host-api".into(), "host-api/none".into()]);
    assert!(found.contains(&"host-api/none is not there".to_string()));
    assert!(found.contains(&"tests is not on the map".to_string()));
    assert!(found.contains(&"host-api/rules is not on the map".to_string()));
    assert!(!found.contains(&"host-api is not on the map".to_string()));
}

fn readme() -> String {
    std::fs::read_to_string(root().join("README.md")).unwrap()
}

fn blocks(markdown: &str) -> Vec<Block> {
    let (mut heading, mut found, mut open) = (String::new(), Vec::new(), None);
    for line in markdown.lines() {
        match (line.strip_prefix("```"), open.take()) {
            (Some(kind), None) => {
                let (kind, text) = (kind.to_string(), String::new());
                open = Some(Block { heading: heading.clone(), kind, text });
            }
            (Some(_), Some(block)) => found.push(block),
            (None, Some(mut block)) => {
                block.text.push_str(line);
                block.text.push('\n');
                open = Some(block);
            }
            (None, None) => {
                if let Some(title) = line.strip_prefix("## ") {
                    heading = title.to_string();
                }
            }
        }
    }
    assert!(open.is_none(), "a block is never closed");
    found
}

/// Runs the commands of a block in the root: what they print and how many there were, or the first
/// that failed.
fn run(block: &str) -> Result<(String, usize), String> {
    let is_command = |line: &&str| !line.is_empty() && !line.starts_with('#') && *line != TEST;
    let (mut printed, mut count) = (String::new(), 0);
    for line in block.lines().filter(is_command) {
        let mut shell = Command::new("sh");
        shell.arg("-ec");
        match line.strip_prefix(RUN) {
            Some(rest) => shell.env("ENVELOPE", envelope()).arg(format!("\"$ENVELOPE\" {rest}")),
            None => shell.arg(line),
        };
        let output = shell.current_dir(root()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        if !output.status.success() {
            return Err(format!("`{line}`: {}\n{said}", output.status));
        }
        printed.push_str(&String::from_utf8_lossy(&output.stdout));
        count += 1;
    }
    Ok((printed, count))
}

/// The paths on the map: two spaces of indentation go one folder down.
fn map(markdown: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut above: Vec<&str> = Vec::new();
    let blocks = blocks(markdown);
    let is_map = |block: &&Block| block.heading == "The map" && block.kind == "text";
    let map = blocks.iter().find(is_map).expect("there is a map");
    for line in map.text.lines() {
        let depth = (line.len() - line.trim_start().len()) / 2;
        let Some(name) = line.split_whitespace().next() else { continue };
        above.truncate(depth);
        above.push(name.trim_end_matches('/'));
        found.push(above.join("/"));
    }
    found
}

/// What is on the map and not there, and what has to be on the map and is not.
fn falsehoods(map: &[String]) -> Vec<String> {
    let there = |path: &&String| root().join(path).exists();
    let lost = map.iter().filter(|path| !there(path)).map(|path| format!("{path} is not there"));
    let top = files().iter().filter_map(|file| Some(file.path.split_once('/')?.0.to_string()));
    let wanted: BTreeSet<_> = top.filter(|name| !name.starts_with('.')).chain(crates()).collect();
    let unseen = wanted.into_iter().filter(|path| !map.contains(path));
    lost.chain(unseen.map(|path| format!("{path} is not on the map"))).collect()
}

/// The folder of every crate.
fn crates() -> Vec<String> {
    let folder = |package: &serde_json::Value| {
        let manifest = std::path::PathBuf::from(package["manifest_path"].as_str().unwrap());
        let folder = manifest.strip_prefix(root()).unwrap().parent().unwrap();
        folder.to_str().unwrap().replace('\\', "/")
    };
    packages("Cargo.toml").iter().map(folder).collect()
}
