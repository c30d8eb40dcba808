//! Python and Node recompute a chain of documents, given only the exported folder.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use envelope_terms::document::{Files, verify_chain};
use serde_json::{Value, json};

use super::stranger::{NODE, PYTHON, Stranger};
use crate::terms::documents::{bought, export, ring, whole};

#[test]
fn python_recomputes_the_chain() {
    compare(&PYTHON, "chain.py");
}

#[test]
fn node_recomputes_the_chain() {
    compare(&NODE, "chain.mjs");
}

/// Strangers agree with us on two chains, and refuse what we refuse: each file with one bit changed
/// in its middle.
fn compare(stranger: &Stranger, script: &str) {
    let right = [export(&bought()), export(&whole())];
    let wrong: Vec<_> = right.iter().flat_map(mutants).collect();
    let folders: Vec<_> = right.iter().chain(&wrong).map(in_base64).collect();
    let Some(answers) = stranger.ask(script, &json!(folders)) else { return };
    let answers = answers.as_array().unwrap();
    assert_eq!(answers.len(), folders.len());
    for (files, answer) in right.iter().zip(answers) {
        let agreed = verify_chain(files, &ring()).said.unwrap();
        let mut hashes = serde_json::to_value(agreed.hashes).unwrap();
        hashes.as_object_mut().unwrap().retain(|_, hash| !hash.is_null());
        let ours = json!({"head": agreed.head, "hashes": hashes, "terms": agreed.terms});
        assert_eq!(answer, &ours);
    }
    assert!(wrong.len() > 40, "{}", wrong.len());
    for (files, answer) in wrong.iter().zip(&answers[right.len()..]) {
        let report = verify_chain(files, &ring());
        assert!(!report.verified());
        assert!(answer["refused"].is_string(), "{:?}: {answer}", report.first_failure());
    }
}

fn mutants(files: &Files) -> Vec<Files> {
    let mutant = |(name, bytes): (&String, &Vec<u8>)| {
        let mut changed = bytes.clone();
        let middle = changed.len() / 2;
        changed[middle] ^= 1;
        let mut files = files.clone();
        files.insert(name.clone(), changed);
        files
    };
    files.iter().map(mutant).collect()
}

fn in_base64(files: &Files) -> Value {
    files.iter().map(|(name, bytes)| (name.clone(), STANDARD.encode(bytes))).collect()
}
