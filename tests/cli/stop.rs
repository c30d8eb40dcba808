//! `envelope stop`: from another terminal, while a run goes on, before it begins, and while it
//! waits.

use std::fs;
use std::process::{Child, Stdio};
use std::time::Duration;

use serde_json::Value;

use super::desk::{Desk, example};
use crate::patience::until;
use crate::store::world::urls;

/// A program that never asks for anything and never ends by itself.
const SPINS: &str = "fn main() { loop { std::hint::black_box(0); } }";

/// Lines of one book.
const LINES_MAX: usize = 100_000;

fn hello(desk: &Desk, exit: i32, out: &str) -> String {
    let words = ["run", example("hello"), "hello", "--args", r#"{"name":"Ada"}"#, "--out", out];
    let said = desk.says(words, exit);
    said.out + &said.err
}

/// A busy run in the folder `out`, from when its journal is there.
fn busy(desk: &Desk, spins: &str, out: &str) -> Child {
    let mut command = desk.command();
    command.args(["run", spins, "run", "--out", out, "--fuel", "1000000000000000", "--json"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    until("its journal", || {
        assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
        desk.path(out).join("receipt/journal.jsonl").is_file()
    });
    child
}

fn verified(desk: &Desk, folder: &str) {
    let (receipt, keys) = (format!("{folder}/receipt"), format!("{folder}/keys.json"));
    desk.says(["verify", &receipt, "--keys", &keys], 0);
    assert_eq!(desk.json(["replay", folder], 0)["verdict"], "same");
}

#[test]
fn a_busy_run_is_stopped_from_another_terminal() {
    let desk = Desk::new("stop-busy");
    let spins = desk.program("spins", SPINS);
    let cases: [&[&str]; 3] = [&["run", "one"], &["agent", "spins@local"], &["all"]];
    for (case, target) in cases.into_iter().enumerate() {
        let out = ["one", "two", "three"][case];
        let mut child = busy(&desk, &spins, out);
        desk.says(["stop", "agent", "other@local", "--reason", "elsewhere"], 0);
        std::thread::sleep(Duration::from_millis(100));
        assert!(child.try_wait().unwrap().is_none(), "another's switch stops it");
        let stop = [&["stop"], target, &["--reason", "it loops", "--as", "ada"]].concat();
        desk.says(&stop, 0);
        let output = child.wait_with_output().unwrap();
        let document: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!((&document["outcome"], output.status.code()), (&"killed".into(), Some(5)));
        let reason = document["reason"].as_str().unwrap();
        assert!(
            reason.contains("stopped by ada at 2") && reason.ends_with(": it loops"),
            "{reason}"
        );
        verified(&desk, out);
        let life = fs::read_to_string(desk.path(out).join("run/life.jsonl")).unwrap();
        assert!(life.lines().last().unwrap().contains("\"killed\""), "{life}");
        for target in [target, &["agent", "other@local"]] {
            desk.says([&["stop", "lift"], target, &["--reason", "mended"]].concat(), 0);
        }
    }
}

#[test]
fn nobody_begins_who_is_stopped_until_a_human_lifts_it() {
    let desk = Desk::new("stop-begins");
    hello(&desk, 0, "before");
    assert!(desk.says(["stop", "list"], 0).err.contains("nobody is stopped"));
    desk.says(["stop", "agent", "hello@local", "--reason", "tampered with", "--as", "ada"], 0);
    let told = hello(&desk, 5, "stopped");
    assert!(told.contains("run.stopped"), "{told}");
    assert!(told.contains("agent hello@local stopped by ada at 2"), "{told}");
    assert!(!desk.path("stopped").exists(), "nothing is made");
    let list = desk.json(["stop", "list"], 0);
    let [stopped] = &list["stopped"].as_array().unwrap()[..] else { panic!("{list}") };
    assert_eq!(stopped["word"]["by"], "ada");
    assert_eq!(stopped["target"], serde_json::json!({ "kind": "agent", "id": "hello@local" }));
    // What is so already is told.
    desk.says(["stop", "agent", "hello@local", "--reason", "again"], 2);
    desk.says(["stop", "lift", "all", "--reason", "nothing"], 2);
    desk.says(["stop", "lift", "agent", "hello@local", "--reason", "replaced"], 0);
    hello(&desk, 0, "after");
    let kept = fs::read_to_string(desk.path("home/stops.jsonl")).unwrap();
    assert_eq!(kept.lines().count(), 2, "{kept}");
    assert!(kept.contains("tampered with") && kept.contains("replaced"), "{kept}");
}

/// A name that stops nobody is refused, and so is a stop without a reason.
#[test]
fn names_that_stop_nobody_are_refused() {
    let desk = Desk::new("stop-names");
    for words in [
        &["stop", "agent", "hello", "--reason", "x"][..],
        &["stop", "run", "elsewhere", "--reason", "x"],
        &["stop", "organisation", "acme", "--reason", "x"],
        &["stop", "all", "--reason", " "],
        &["stop", "all"],
    ] {
        desk.says(words, 2);
    }
    assert!(!desk.path("home/stops.jsonl").exists());
}

/// Switches that cannot be read stop everybody.
#[test]
fn a_torn_file_lets_nobody_begin() {
    let desk = Desk::new("stop-torn");
    fs::create_dir_all(desk.path("home")).unwrap();
    fs::write(desk.path("home/stops.jsonl"), "{\"thrown\":").unwrap();
    let told = hello(&desk, 1, "run");
    assert!(told.contains("stops.jsonl"), "{told}");
    assert!(!desk.path("run").exists());
    fs::write(desk.path("home/stops.jsonl"), "").unwrap();
    hello(&desk, 0, "run");
}

/// A full book is read to its last line, takes no more, and says so.
#[test]
fn a_full_book_still_counts_and_takes_no_more() {
    let desk = Desk::new("stop-full");
    let book = desk.path("home/stops.jsonl");
    desk.says(["stop", "agent", "hello@local", "--reason", "x"], 0);
    let thrown = fs::read_to_string(&book).unwrap();
    desk.says(["stop", "lift", "agent", "hello@local", "--reason", "y"], 0);
    let both = fs::read_to_string(&book).unwrap();

    let full = both.repeat(LINES_MAX / 2);
    fs::write(&book, &full).unwrap();
    hello(&desk, 0, "before");
    let told = desk.says(["stop", "all", "--reason", "fire"], 1).err;
    assert!(told.contains("has 100000 lines already"), "{told}");
    assert_eq!(fs::metadata(&book).unwrap().len(), u64::try_from(full.len()).unwrap());
    // One line more is no book any more, and lets nobody begin.
    fs::write(&book, full + &thrown).unwrap();
    assert!(hello(&desk, 1, "beyond").contains("more than 100000 lines"));
    assert!(!desk.path("beyond").exists());
    // One line less has room for one, and that one counts.
    fs::write(&book, both.repeat(LINES_MAX / 2 - 1) + &both[thrown.len()..]).unwrap();
    desk.says(["stop", "agent", "hello@local", "--reason", "the last"], 0);
    assert!(hello(&desk, 5, "after").contains("the last"));
}

/// The switches of a database, for its nodes.
#[test]
fn a_database_has_switches_of_its_own() {
    let desk = Desk::new("stop-db");
    desk.says(["db", "migrate", "--db", "sqlite:store.db"], 0);
    let at = ["--db", "sqlite:store.db"];
    let stop = ["stop", "organisation", "acme", "--reason", "unpaid", "--as", "ada"];
    desk.says([&stop[..], &at].concat(), 0);
    let list = desk.says([&["stop", "list"][..], &at].concat(), 0);
    assert!(list.out.starts_with("organisation acme stopped by ada at 2"), "{}", list.out);
    assert!(desk.says(["stop", "list"], 0).out.is_empty(), "they are not those of this machine");
    let lift = ["stop", "lift", "organisation", "acme", "--reason", "paid"];
    desk.says([&lift[..], &at].concat(), 0);
    assert!(desk.says([&["stop", "list"][..], &at].concat(), 0).out.is_empty());
}

#[test]
fn the_switches_are_those_of_the_database_that_the_environment_names() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for url in runtime.block_on(urls()) {
        let desk = Desk::new("stop-named");
        desk.says(["db", "migrate", "--db", &url], 0);
        let stop = ["stop", "organisation", "acme", "--reason", "unpaid"];
        let unnamed = desk.says(stop, 2);
        assert!(unnamed.err.contains("--db"), "{}", unnamed.err);
        let named = |words: &[&str]| {
            let output = desk.command().args(words).env("ENVELOPE_DB", &url).output().unwrap();
            let text = [output.stdout, output.stderr].concat();
            (output.status.code(), String::from_utf8_lossy(&text).into_owned())
        };
        let (exit, said) = named(&stop);
        assert_eq!(exit, Some(0), "{said}");
        assert!(named(&["stop", "list"]).1.contains("acme"));
        let there = desk.json(["stop", "list", "--db", &url], 0);
        assert_eq!(there["stopped"].as_array().unwrap().len(), 1);
        assert!(desk.says(["stop", "list"], 0).err.contains("nobody is stopped"));
        assert!(!desk.path("home/stops.jsonl").exists(), "nothing is written at home");
    }
}

#[test]
fn a_paper_is_named_by_its_digest() {
    let desk = Desk::new("stop-paper");
    desk.says(["db", "migrate", "--db", "sqlite:store.db"], 0);
    let at = ["--db", "sqlite:store.db"];
    let told = desk.says([&["stop", "paper", "pap_1", "--reason", "unpaid"][..], &at].concat(), 2);
    assert!(told.err.contains("named by its digest"), "{}", told.err);
    let digest = envelope_evidence::Digest::of(b"paper").to_string();
    let stop = ["stop", "paper", &digest, "--reason", "unpaid"];
    let told = desk.says(stop, 2);
    assert!(told.err.contains("under no Paper"), "{}", told.err);
    desk.says([&stop[..], &at].concat(), 0);
    let list = || desk.says([&["stop", "list"][..], &at].concat(), 0).out;
    assert!(list().starts_with(&format!("paper {digest} stopped by")), "{}", list());
    desk.says([&["stop", "lift", "paper", &digest, "--reason", "paid"][..], &at].concat(), 0);
    assert!(list().is_empty());
}
