//! `envelope new` and `envelope completions`: the first minutes with the program.

use std::fs;

use super::desk::Desk;
use crate::cargo::root;

#[test]
fn a_new_agent_builds_and_runs() {
    let desk = Desk::new("new");
    let document = desk.json(["new", "first-agent"], 0);
    assert_eq!(document["files"].as_array().unwrap().len(), 3);
    let manifest = fs::read_to_string(desk.path("first-agent/Cargo.toml")).unwrap();
    assert!(manifest.contains("envelope-sdk = { path = "), "{manifest}");

    // The versions that the examples are built with: nothing is looked up.
    let lock = root().join("guest-examples/Cargo.lock");
    fs::copy(lock, desk.path("first-agent/Cargo.lock")).unwrap();
    let run = ["run", "first-agent", "greet", "--args", r#"{"name":"Ada"}"#];
    let said = desk.says(run, 0);
    assert_eq!(said.out, "\"Hello, Ada!\"\n");
}

#[test]
fn nothing_is_written_over() {
    let desk = Desk::new("new-taken");
    fs::create_dir_all(desk.path("taken")).unwrap();
    let said = desk.says(["new", "taken"], 2);
    assert!(said.err.contains("`taken` is there already"), "{}", said.err);
    assert_eq!(fs::read_dir(desk.path("taken")).unwrap().count(), 0);

    let long = "a".repeat(41);
    for name in ["", "A", "1a", "a--b", "a-", "-a", "a_b", "../a", "a/b", "é", "fn", &long] {
        let words = ["new", "--json", "--", name];
        let said = desk.says(words, 2);
        assert!(said.out.contains("is no name for an agent"), "{name}: {}", said.out);
    }
    let said = desk.says(["new", "a", "--sdk", "nowhere"], 2);
    assert!(said.err.contains("nowhere"), "{}", said.err);
    assert_eq!(fs::read_dir(&desk.0).unwrap().count(), 1, "only `taken` is there");
}

#[test]
fn shells_complete_every_command_and_help_has_examples() {
    let desk = Desk::new("help");
    let commands = ["new", "build", "run", "resume", "replay", "inspect", "verify", "demo"];
    for shell in ["bash", "zsh", "fish"] {
        let script = desk.says(["completions", shell], 0).out;
        assert!(commands.iter().all(|name| script.contains(name)), "{shell}");
    }
    desk.says(["completions", "tcl"], 2);
    for command in commands.iter().chain(&["completions"]) {
        let help = desk.says([command, "--help"], 0).out;
        assert!(help.contains("Example"), "{command}: {help}");
    }
}

#[test]
fn a_seed_is_64_hex_digits() {
    let desk = Desk::new("seed");
    let said = desk.says(["run", "agent.wasm", "x", "--seed", "12"], 2);
    assert!(said.err.contains("--seed"), "{}", said.err);
}
