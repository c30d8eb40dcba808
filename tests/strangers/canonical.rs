//! rfc8785, fast-json-stable-stringify and canonicalize write the bytes that we write.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::sync::LazyLock;

use envelope_evidence::canonical::{DEPTH_MAX, canonical};
use serde_json::{Value, json};

use super::stranger::{NODE, PYTHON, Stranger};
use crate::evidence::canonical::{Doc, spelled};

const DOCUMENTS: usize = 100_000;

/// One document of so many is nested as deep as the profile allows.
const ONE_DEEP_OF: usize = 100;

/// How deep the others are, at most.
const DEPTH: usize = 5;

/// Characters around every border that matters to order or escaping.
const CHARACTERS: [RangeInclusive<char>; 7] = [
    'a'..='d',
    '\0'..='\u{7f}',
    '\u{80}'..='\u{7ff}',
    '\u{d7f0}'..='\u{d7ff}',
    '\u{e000}'..='\u{ffff}',
    '\u{10000}'..='\u{10ffff}',
    '\0'..='\u{10ffff}',
];

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
    let bytes: usize =
        ROWS.as_array().unwrap().iter().map(|row| row[1].as_str().unwrap().len()).sum();
    println!("{DOCUMENTS} documents of {bytes} bytes, {script} writes the same");
}

/// Random documents in random spellings beside our canonical bytes, always the same ones, and
/// after them one whose canonical bytes are wrong.
static ROWS: LazyLock<Value> = LazyLock::new(|| {
    let mut random = Random(0);
    let mut rows: Vec<_> = (0..DOCUMENTS).map(|at| row(&mut random, at)).collect();
    rows.push(json!([r#"{"b":1,"a":2}"#, r#"{"a":2,"b":3}"#]));
    rows.into()
});

fn row(random: &mut Random, at: usize) -> Value {
    let doc = random.doc(DEPTH);
    let doc = if at.is_multiple_of(ONE_DEEP_OF) { deep(doc) } else { doc };
    let text = spelled(&doc, &random.next().to_le_bytes());
    let ours = String::from_utf8(canonical(text.as_bytes()).unwrap()).unwrap();
    json!([text, ours])
}

fn deep(doc: Doc) -> Doc {
    (DEPTH..DEPTH_MAX).fold(doc, |inner, at| match at % 2 {
        0 => Doc::Array(vec![inner]),
        _ => Doc::Object(vec![(vec!['\u{1f600}'], inner), (vec!['\u{fb33}'], Doc::Plain("null"))]),
    })
}

/// SplitMix64: small, even, and the same everywhere. A property test would draw the same documents
/// more slowly, and none of them has to be shrunk.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    /// A document that has room for `depth` arrays and objects.
    fn doc(&mut self, depth: usize) -> Doc {
        match self.below(if depth == 0 { 3 } else { 8 }) {
            0 => Doc::Plain(["null", "true", "false"][self.below(3)]),
            1 => Doc::Integer(self.integer()),
            2 => Doc::Text(self.text()),
            3..5 => Doc::Array((0..self.below(6)).map(|_| self.doc(depth - 1)).collect()),
            _ => {
                let names = BTreeSet::from_iter((0..self.below(6)).map(|_| self.text()));
                Doc::Object(
                    names.into_iter().rev().map(|name| (name, self.doc(depth - 1))).collect(),
                )
            }
        }
    }

    /// Small ones, those at the edge, and those that need every bit.
    fn integer(&mut self) -> i64 {
        const EDGE: i64 = (1 << 53) - 1;
        let size = match self.below(3) {
            0 => self.below(300) as i64,
            1 => EDGE - self.below(3) as i64,
            _ => self.next() as i64 & EDGE,
        };
        if self.below(2) == 0 { size } else { -size }
    }

    fn text(&mut self) -> Vec<char> {
        (0..self.below(6)).map(|_| self.character()).collect()
    }

    fn character(&mut self) -> char {
        let range = CHARACTERS[self.below(CHARACTERS.len())].clone();
        let (first, last) = (u32::from(*range.start()), u32::from(*range.end()));
        let drawn = first + self.below((last - first) as usize + 1) as u32;
        char::from_u32(drawn).unwrap_or('\u{fb33}') // half of a surrogate pair is no character
    }
}
