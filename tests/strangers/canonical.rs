//! rfc8785, fast-json-stable-stringify and canonicalize write the bytes that we write.

use std::sync::LazyLock;

use envelope_evidence::canonical::{DEPTH_MAX, canonical};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use super::stranger::{NODE, PYTHON, Stranger};
use crate::evidence::canonical::{Doc, doc, spelled};

const DOCUMENTS: usize = 100_000;

/// One document of so many is nested as deep as the profile allows.
const ONE_DEEP_OF: usize = 100;

/// The depth of [`doc`], at most.
const DOC_DEPTH: usize = 8;

#[test]
fn python_writes_the_same_canonical_bytes() {
    compare(&PYTHON, "canonical.py");
}

#[test]
fn node_writes_the_same_canonical_bytes() {
    compare(&NODE, "canonical.mjs");
}

fn compare(stranger: &Stranger, script: &str) {
    let Some(wrong) = stranger.ask(script, &ROWS) else { return };
    assert_eq!(wrong, json!([DOCUMENTS]), "all agree but the last, which has one byte changed");
    println!("{DOCUMENTS} documents, {script} writes the same bytes");
}

/// Random documents in random spellings beside our canonical bytes, always the same ones, and
/// after them one whose canonical bytes are wrong.
static ROWS: LazyLock<Value> = LazyLock::new(|| {
    let mut runner = TestRunner::deterministic();
    let strategy = (doc(), vec(any::<u8>(), 1..64));
    let mut rows: Vec<_> = (0..DOCUMENTS)
        .map(|at| {
            let (doc, noise) = strategy.new_tree(&mut runner).unwrap().current();
            let doc = if at % ONE_DEEP_OF == 0 { deep(doc) } else { doc };
            let text = spelled(&doc, &noise);
            let ours = String::from_utf8(canonical(text.as_bytes()).unwrap()).unwrap();
            json!([text, ours])
        })
        .collect();
    rows.push(json!([r#"{"b":1,"a":2}"#, r#"{"a":2,"b":3}"#]));
    rows.into()
});

fn deep(doc: Doc) -> Doc {
    (DOC_DEPTH..DEPTH_MAX).fold(doc, |inner, at| match at % 2 {
        0 => Doc::Array(vec![inner]),
        _ => Doc::Object(vec![(vec!['\u{1f600}'], inner), (vec!['\u{fb33}'], Doc::Plain("null"))]),
    })
}
