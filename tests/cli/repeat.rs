//! The same run again: from its record, and live with the same seed.

use std::fs;

use envelope_evidence::journal::{Event, Journal};
use envelope_evidence::preview::Secrets;
use envelope_evidence::{Digest, Preview};

use super::desk::{Desk, example, listing};

/// Tells its chance, and the order that a hash map has by it.
const GAMBLER: &str = r#"
fn main() {
    let map: std::collections::HashMap<_, _> = (0..50).map(|n| (n, n)).collect();
    println!("{:?}", map.keys().collect::<Vec<_>>());
}
"#;

const SEED: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

#[test]
fn a_seed_gives_the_same_run_again() {
    let desk = Desk::new("seed");
    let gambler = desk.program("gambler", GAMBLER);
    let run = |seed: &[&str]| {
        let document = desk.json(["run", &gambler, "run"].iter().chain(seed), 0);
        let folder = desk.path(document["folder"].as_str().unwrap());
        let journal = fs::read(folder.join("receipt/journal.jsonl")).unwrap();
        let journal = Journal::parse(&journal).unwrap();
        // The clock and the run's name are no matter of chance.
        let asked = journal.entries().iter().filter_map(|entry| match &entry.event {
            Event::Answered(it) => Some((it.call.request, it.answer.digest())),
            _ => None,
        });
        (document["result"].to_string(), asked.collect::<Vec<_>>())
    };
    let first = run(&["--seed", SEED]);
    assert_eq!(run(&["--seed", SEED]), first);
    let other = SEED.replace("00", "01");
    assert_ne!(run(&["--seed", &other]).0, first.0);
    assert_ne!(run(&[]).0, run(&[]).0, "without one, every run has its own");
}

/// The journal of a run, with its first answered call changed as somebody might who can make
/// journals.
fn forged(journal: &Journal, change: impl Fn(&mut Event)) -> Vec<u8> {
    let (mut forged, mut bytes) = Journal::start(journal.header().clone()).unwrap();
    let first = journal.entries().iter().position(|it| matches!(it.event, Event::Answered(_)));
    for (place, entry) in journal.entries().iter().enumerate() {
        let mut event = entry.event.clone();
        if Some(place) == first {
            change(&mut event);
        }
        bytes.extend(forged.append(entry.at, event).unwrap());
    }
    bytes
}

#[test]
fn the_first_call_that_diverges_is_named() {
    let desk = Desk::new("diverged");
    let hello = ["run", example("hello"), "hello", "--args", r#"{"name":"Ada"}"#, "--out", "run"];
    desk.says(hello, 0);
    let path = desk.path("run/receipt/journal.jsonl");
    let whole = fs::read(&path).unwrap();
    let journal = Journal::parse(&whole).unwrap();
    assert_eq!(forged(&journal, |_| {}), whole);
    assert_eq!(desk.json(["replay", "run"], 0)["verdict"], "same");

    let another_call = forged(&journal, |event| {
        let Event::Answered(it) = event else { return };
        it.call.request = Digest::of(b"another request");
        it.call.target = Preview::of("a farewell", &Secrets::none());
    });
    let another_answer = forged(&journal, |event| {
        let Event::Answered(it) = event else { return };
        let zero = Digest::of(b"another answer");
        it.answer = envelope_evidence::journal::Content::named(zero, 0);
    });
    let other = Digest::of(b"another answer").to_string();
    for (bytes, recorded) in [(another_call, "`a farewell`"), (another_answer, other.as_str())] {
        fs::write(&path, bytes).unwrap();
        let before = listing(&desk.path("run"));
        let document = desk.json(["replay", "run"], 8);
        assert_eq!(document["verdict"], "diverged");
        assert_eq!(document["call"], 0, "{document}");
        let (said, asked) = (&document["recorded"], document["asked"].as_str().unwrap());
        assert!(said.as_str().unwrap().contains(recorded), "{document}");
        assert!(asked.contains("trace log") && !asked.contains(recorded), "{document}");
        let said = desk.says(["replay", "run"], 8);
        assert!(said.out.starts_with("another run at call 0\nrecorded  "), "{}", said.out);
        assert_eq!(listing(&desk.path("run")), before);
    }
}
