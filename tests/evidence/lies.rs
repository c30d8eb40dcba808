//! A host that lies in one place: it signs everything properly and contradicts itself.

use envelope_evidence::receipt::{Folder, Kind, fold};
use envelope_evidence::verify::{Finding, verify};
use envelope_evidence::{Digest, canonical};
use serde_json::{Value, json};

use super::mutation::{change, leaves};
use super::sample::{events, header, receipt_key, record, ring};

/// The nine statements of a run, and where each says what.
struct Story {
    evidence: Vec<Value>,
    receipt: Value,
}

const PLACES: [&str; 9] =
    ["identity", "intent", "authority", "files", "output", "eval", "review", "replay", "receipt"];

impl Story {
    fn new() -> Self {
        let unsigned = fold(&record(header(), events()).0);
        let read = |bytes: &Vec<u8>| serde_json::from_slice(bytes).unwrap();
        Self {
            evidence: unsigned.evidence.iter().map(read).collect(),
            receipt: read(&unsigned.receipt),
        }
    }

    fn statement(&mut self, place: usize) -> &mut Value {
        self.evidence.get_mut(place).unwrap_or(&mut self.receipt)
    }

    /// What the first failed check says, with every link and signature right.
    fn refusal(mut self) -> Option<String> {
        let mut unsigned = fold(&record(header(), []).0);
        for (kind, statement) in Kind::ALL.into_iter().zip(&self.evidence) {
            let bytes = canonical::of(statement).unwrap();
            let link = &mut self.receipt["predicate"]["evidence"][kind.name()]["digest"]["sha256"];
            *link = Digest::of(&bytes).hex().into();
            unsigned.evidence[kind as usize] = bytes;
        }
        unsigned.receipt = canonical::of(&self.receipt).unwrap();
        let folder = Folder::of(&unsigned.sign(&receipt_key()), None).unwrap();
        let report = verify(&folder, &ring());
        report.first_failure().map(|check| match &check.result {
            Finding::Fails(why) => format!("{}: {why}", check.name),
            Finding::Holds(_) | Finding::Withheld(_) => unreachable!(),
        })
    }
}

/// Every leaf of every statement is changed by itself. The golden list holds those that nothing
/// contradicts, because the journal alone says them too.
#[test]
fn what_is_said_twice_is_said_alike() {
    assert_eq!(Story::new().refusal(), None, "the positive control");
    let mut alone = String::new();
    for (place, name) in PLACES.into_iter().enumerate() {
        for leaf in leaves(Story::new().statement(place), String::new()) {
            let mut story = Story::new();
            lie(story.statement(place).pointer_mut(&leaf).unwrap());
            let is_link = leaf.starts_with("/predicate/evidence/") && leaf.ends_with("/sha256");
            if !is_link && story.refusal().is_none() {
                alone.push_str(&format!("{name} {leaf}\n"));
            }
        }
    }
    crate::golden::check("receipt-said-once.txt", &alone);
}

/// Another value of the same form where that takes care: a digest, a time.
fn lie(leaf: &mut Value) {
    let text = leaf.as_str().unwrap_or_default();
    if text.len() >= 64
        && text.bytes().all(|byte| byte.is_ascii_hexdigit() || b"sha:".contains(&byte))
    {
        let last = if text.ends_with('0') { '1' } else { '0' };
        *leaf = format!("{}{last}", &text[..text.len() - 1]).into();
    } else if let Some(rest) = text.strip_prefix("2025-") {
        *leaf = format!("2026-{rest}").into();
    } else {
        change(leaf);
    }
}

#[test]
fn the_contradiction_is_named() {
    let check = |place: &str, pointer: &str, lie: Value, expected: &str| {
        let mut story = Story::new();
        let place = PLACES.iter().position(|name| *name == place).unwrap();
        *story.statement(place).pointer_mut(pointer).unwrap() = lie;
        assert_eq!(story.refusal().as_deref(), Some(expected));
    };
    let otherwise = |kind: &str, what: &str| {
        format!("evidence.agreement: `{kind}` tells otherwise about {what}")
    };
    let other = "0".repeat(64);
    check("receipt", "/predicate/cost/amount", json!(1), &otherwise("receipt", "its cost"));
    check(
        "receipt",
        "/subject/0/name",
        json!("another file"),
        &otherwise("receipt", "its subject"),
    );
    check("output", "/subject/0/digest/sha256", json!(other), &otherwise("output", "its subject"));
    check("eval", "/subject/0/digest/sha256", json!(other), &otherwise("eval", "its subject"));
    check("review", "/subject/0/name", json!("run_other"), &otherwise("review", "its subject"));
    let finished = "/predicate/runDetails/metadata/finishedOn";
    check("output", finished, json!("2025-05-25T00:41:00.000Z"), &otherwise("output", "the times"));
    let skill = "/predicate/buildDefinition/externalParameters/skill";
    check("output", skill, json!("another"), &otherwise("output", "what was asked"));
    let denials = "/predicate/denials/0/count";
    let most = json!((1_u64 << 53) - 1);
    check("authority", denials, most.clone(), &otherwise("authority", "the calls"));
    check("files", "/predicate/operations/0/begun", most, &otherwise("files", "the calls"));
}
