//! The hash functions of Python and Node agree with `Digest`.

use envelope_evidence::Digest;
use envelope_evidence::digest::hex;
use serde_json::{Value, json};

use super::stranger::{NODE, PYTHON, Stranger};

#[test]
fn python_computes_the_same_digests() {
    compare(&PYTHON, "digests.py");
}

#[test]
fn node_computes_the_same_digests() {
    compare(&NODE, "digests.mjs");
}

fn compare(stranger: &Stranger, script: &str) {
    let mut rows: Vec<_> = (0..100).map(bytes).map(|data| row(&data, &data)).collect();
    let Some(wrong) = stranger.ask(script, &json!(rows)) else { return };
    assert_eq!(wrong, json!([]));
    rows[41] = row(b"one thing", b"another");
    assert_eq!(stranger.ask(script, &json!(rows)), Some(json!([41])), "a lie is noticed");
}

fn row(data: &[u8], digested: &[u8]) -> Value {
    json!([hex(data), Digest::of(digested)])
}

/// `length` bytes without a pattern.
fn bytes(length: usize) -> Vec<u8> {
    (0..length).map(|at| Digest::of(&[length as u8, at as u8]).as_bytes()[0]).collect()
}
