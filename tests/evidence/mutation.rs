//! Every bit and every leaf of a receipt folder: changed, verification must fail.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use envelope_evidence::canonical;
use envelope_evidence::receipt::{Folder, JOURNAL_FILE, Kind, PROOF_FILE, RECEIPT_FILE};
use envelope_evidence::verify::verify;
use serde_json::Value;

use super::sample::{folder, ring};

/// A file of the folder and what it was changed into.
type Mutant = (String, Vec<u8>);

/// Counts the mutants that still verify, over two threads. Each file is judged beside the receipt
/// alone, so that the time goes into mutants instead of their unchanged neighbours.
fn survivors(mutants: &[Mutant]) -> usize {
    let (ring, whole) = (ring(), folder());
    let (next, survived) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let work = || {
        while let Some((name, bytes)) = mutants.get(next.fetch_add(1, Ordering::Relaxed)) {
            let mut folder = beside_the_receipt(&whole, name);
            folder.files.insert(name.clone(), bytes.clone());
            if verify(&folder, &ring).verified() {
                println!("survived: a mutant of {name}");
                survived.fetch_add(1, Ordering::Relaxed);
            }
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(work);
        scope.spawn(work);
    });
    survived.into_inner()
}

fn beside_the_receipt(whole: &Folder, name: &str) -> Folder {
    let shown = |other: &&String| *other == name || *other == RECEIPT_FILE;
    let names = whole.files.keys().filter(shown);
    Folder { files: names.map(|name| (name.clone(), whole.files[name].clone())).collect() }
}

fn none_survives(what: &str, mutants: &[Mutant]) {
    let survived = survivors(mutants);
    println!("{} {what}, {survived} survivors", mutants.len());
    assert!(!mutants.is_empty());
    assert_eq!(survived, 0);
}

#[test]
fn every_file_verifies_unchanged() {
    let whole = folder();
    for name in whole.files.keys() {
        assert!(verify(&beside_the_receipt(&whole, name), &ring()).verified(), "{name}");
    }
}

#[test]
fn no_single_bit_survives() {
    for (name, bytes) in folder().files {
        let flip = |bit: usize| {
            let mut mutant = bytes.clone();
            mutant[bit / 8] ^= 1 << (bit % 8);
            (name.clone(), mutant)
        };
        let mutants: Vec<_> = (0..bytes.len() * 8).map(flip).collect();
        none_survives(&format!("single-bit mutants of {name}"), &mutants);
    }
}

#[test]
fn no_cut_and_no_added_byte_survives() {
    let mut mutants = Vec::new();
    for (name, bytes) in folder().files {
        mutants.extend((0..bytes.len()).map(|cut| (name.clone(), bytes[..cut].to_vec())));
        for extra in [b" ", b"\n", b"\0", b"}"] {
            mutants.push((name.clone(), [extra, bytes.as_slice()].concat()));
            mutants.push((name.clone(), [bytes.as_slice(), extra].concat()));
        }
    }
    none_survives("cut or extended files", &mutants);
}

/// Every leaf of every signed payload is changed and the envelope rebuilt around it, as somebody
/// without the key would have to.
#[test]
fn no_leaf_survives() {
    let mut mutants = Vec::new();
    let envelopes = folder().files.into_iter().filter(|(name, _)| name.ends_with(".dsse.json"));
    for (name, bytes) in envelopes {
        let mut envelope: Value = serde_json::from_slice(&bytes).unwrap();
        let payload = STANDARD.decode(envelope["payload"].as_str().unwrap()).unwrap();
        let payload: Value = serde_json::from_slice(&payload).unwrap();
        for leaf in leaves(&payload, String::new()) {
            let mut changed = payload.clone();
            change(changed.pointer_mut(&leaf).unwrap());
            envelope["payload"] = STANDARD.encode(canonical::of(&changed).unwrap()).into();
            mutants.push((name.clone(), canonical::of(&envelope).unwrap()));
        }
    }
    let files: BTreeSet<_> = mutants.iter().map(|(name, _)| name).collect();
    assert_eq!(files.len(), Kind::ALL.len() + 1);
    none_survives("changed leaves", &mutants);
}

pub fn leaves(value: &Value, at: String) -> Vec<String> {
    match value {
        Value::Object(members) => {
            let below = |(name, value): (&String, &Value)| {
                leaves(value, format!("{at}/{}", name.replace('~', "~0").replace('/', "~1")))
            };
            members.iter().flat_map(below).collect()
        }
        Value::Array(items) if !items.is_empty() => {
            items.iter().enumerate().flat_map(|(n, it)| leaves(it, format!("{at}/{n}"))).collect()
        }
        _ => vec![at],
    }
}

pub fn change(leaf: &mut Value) {
    *leaf = match leaf.take() {
        Value::String(text) => match text.strip_suffix(['0', 'a']) {
            Some(head) => format!("{head}1").into(),
            None => format!("{text}0").into(),
        },
        Value::Number(number) => (number.as_u64().unwrap() ^ 1).into(),
        Value::Bool(is) => (!is).into(),
        Value::Null => "".into(),
        Value::Array(_) => vec![Value::Null].into(),
        Value::Object(_) => unreachable!("an object is not a leaf"),
    };
}

/// The last digit of a base64 text has bits that carry nothing: other tools accept fifteen other
/// spellings of a signature, this verifier accepts one.
#[test]
fn no_respelled_base64_survives() {
    let digits = || ('A'..='Z').chain('a'..='z').chain('0'..='9').chain(['+', '/', '-', '_']);
    let mut mutants = Vec::new();
    for (name, bytes) in folder().files {
        let text = String::from_utf8(bytes).unwrap();
        for (at, _) in text.match_indices('=') {
            let last = text[..at].trim_end_matches('=').len() - 1;
            for digit in digits().filter(|&digit| !text[last..].starts_with(digit)) {
                let mut respelled = text.clone();
                respelled.replace_range(last..=last, &digit.to_string());
                mutants.push((name.clone(), respelled.into_bytes()));
            }
            let unpadded = [&text[..at], &text[at + 1..]].concat();
            mutants.push((name.clone(), unpadded.into_bytes()));
        }
    }
    let files: BTreeSet<_> = mutants.iter().map(|(name, _)| name.as_str()).collect();
    assert!(files.contains(PROOF_FILE) && files.contains(JOURNAL_FILE));
    none_survives("respelled files", &mutants);
}
