//! A journal is refused or is exactly what its records write, and folds into a receipt. Lines are
//! also tried with their links put right, for no mutation finds a digest.
#![no_main]

use envelope_evidence::Digest;
use envelope_evidence::canonical;
use envelope_evidence::journal::Journal;
use envelope_evidence::receipt::fold;
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};

fuzz_target!(|bytes: &[u8]| {
    read(bytes);
    read(&linked(bytes));
});

fn read(bytes: &[u8]) {
    let Ok(journal) = Journal::parse(bytes) else { return };
    let (mut again, mut file) = Journal::start(journal.header().clone()).unwrap();
    for entry in journal.entries() {
        file.extend(again.append(entry.at, entry.event.clone()).unwrap());
    }
    assert_eq!(file, bytes);
    assert_eq!(again.head(), journal.head());
    assert_eq!(fold(&again), fold(&journal));
}

/// The lines that are objects, each linked to the one before it.
fn linked(bytes: &[u8]) -> Vec<u8> {
    let (mut file, mut before) = (Vec::new(), None);
    for line in bytes.split(|&byte| byte == b'\n') {
        let Ok(Value::Object(mut line)) = serde_json::from_slice(line) else { continue };
        if let Some((seq, prev)) = before {
            line.insert("seq".to_owned(), json!(seq));
            line.insert("prev".to_owned(), json!(prev));
        }
        let Ok(line) = canonical::of(&line) else { continue };
        before = Some((before.map_or(0, |(seq, _)| seq + 1), Digest::of(&line)));
        file.extend(line);
        file.push(b'\n');
    }
    file
}
