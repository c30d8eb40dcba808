//! Whether the work is what was agreed: each criterion becomes an observation, from digests that
//! receipts hold and never from what an agent says.
//!
//! JSON Schemas are judged through [`Schemas`], because the validators made for the job seed their
//! hash maps from the operating system and compute in floats, which this crate may not. What a
//! model or a person thinks comes in as a [`Judgement`].

mod delivery;
mod exact;
mod observation;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use envelope_evidence::journal::Verdict;
use envelope_evidence::{Digest, Label, Timestamp};

use crate::contract::{
    Check, Contract, Criterion, Did, Id, Model, NumberRule, Reviewer, Share, TextRule,
};

pub use delivery::{Delivered, Delivery, Undelivered};
pub use observation::{Method, Observation, Recorded};

/// The longest deliverable that is read by a text, number or schema rule. Longer ones are judged
/// by people: a rule that takes minutes is no rule.
pub const READ_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Who can say whether a JSON Schema accepts a document.
pub trait Schemas: Sync {
    /// Whether `schema`, of the 2020-12 dialect, accepts the JSON `document`. None when the schema
    /// cannot be used.
    fn accepts(&self, schema: &Map<String, Value>, document: &[u8]) -> Option<bool>;
}

/// What a model or a person thinks of a deliverable, already checked to be theirs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Judgement {
    /// A model's score.
    Score {
        /// The model that was asked.
        model: Model,
        /// The digest of the question put to it.
        prompt: Digest,
        /// The digest of the deliverable it saw.
        saw: Digest,
        /// The score, in basis points.
        score: Share,
        /// The digest of question, answer and score.
        evidence: Digest,
    },
    /// A person's answer.
    Review {
        /// Who answered.
        reviewer: Did,
        /// The digest of the deliverable they saw.
        saw: Digest,
        /// Their answer.
        conform: bool,
        /// The digest of the signed answer.
        evidence: Digest,
    },
}

/// What a criterion is judged by.
#[expect(missing_debug_implementations, reason = "it borrows bytes and a trait object")]
#[derive(Clone, Copy)]
pub struct Exhibits<'a> {
    /// What was delivered.
    pub delivery: &'a Delivery,
    /// The stored bytes by digest. Bytes of another digest count as missing.
    pub bytes: &'a BTreeMap<Digest, Vec<u8>>,
    /// Who judges schemas.
    pub schemas: &'a dyn Schemas,
    /// What models and people said, by criterion.
    pub judgements: &'a BTreeMap<Id, Judgement>,
}

/// Observes `criterion`. What the exhibits do not decide is indeterminate, never conform.
pub fn observe(
    contract: &Contract,
    criterion: &Criterion,
    exhibits: &Exhibits<'_>,
    observer: Label,
    at: Timestamp,
) -> Observation {
    let finding = find(contract, criterion, exhibits);
    Observation {
        event: Recorded::ConformityObservationRecorded,
        criterion: criterion.id.clone(),
        verdict: finding.verdict,
        evidence: finding.evidence,
        method: Method::of(&criterion.check),
        observer,
        at,
        reason: Label::cut(finding.reason),
    }
}

/// What came of one check.
struct Finding {
    verdict: Verdict,
    reason: &'static str,
    evidence: Vec<Digest>,
}

impl Finding {
    const fn of(verdict: Verdict, reason: &'static str) -> Self {
        Self { verdict, reason, evidence: Vec::new() }
    }

    const fn open(reason: &'static str) -> Self {
        Self::of(Verdict::Indeterminate, reason)
    }

    const fn rule(holds: bool) -> Self {
        if holds {
            Self::of(Verdict::Conform, "the rule holds")
        } else {
            Self::of(Verdict::Deviate, "the rule does not hold")
        }
    }

    fn resting_on(mut self, digest: Digest) -> Self {
        self.evidence.push(digest);
        self
    }
}

fn find(contract: &Contract, criterion: &Criterion, exhibits: &Exhibits<'_>) -> Finding {
    let Some(item) = exhibits.delivery.item(&criterion.deliverable) else {
        return Finding::open("the deliverable is not part of the delivery");
    };
    let judgement = exhibits.judgements.get(&criterion.id);
    let finding = match &criterion.check {
        Check::FileExists { bytes_min } => Finding::rule(item.size >= bytes_min.get()),
        Check::OutputJsonSchema { schema } => match read(exhibits, item) {
            Ok(bytes) => match exhibits.schemas.accepts(schema, bytes) {
                Some(accepted) => Finding::rule(accepted),
                None => Finding::open("the schema cannot be used"),
            },
            Err(open) => open,
        },
        Check::Text { rule } => match read(exhibits, item) {
            Ok(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => Finding::rule(obeys(rule, text)),
                Err(_) => Finding::of(Verdict::Deviate, "the deliverable is not UTF-8 text"),
            },
            Err(open) => open,
        },
        Check::Number { pointer, rule } => match read(exhibits, item) {
            Ok(bytes) => number(bytes, pointer.as_str(), *rule),
            Err(open) => open,
        },
        Check::Evaluator { model, prompt, score_min } => {
            scored(judgement, item, (model, *prompt), score_min.get())
        }
        Check::HumanReview { reviewer, .. } => reviewed(judgement, item, *reviewer, contract),
    };
    finding.resting_on(item.digest).resting_on(item.receipt)
}

fn read<'a>(exhibits: &Exhibits<'a>, item: &Delivered) -> Result<&'a [u8], Finding> {
    let bytes = exhibits.bytes.get(&item.digest);
    match bytes {
        None => Err(Finding::open("the stored bytes are missing")),
        Some(bytes) if bytes.len() > READ_BYTES_MAX => {
            Err(Finding::open("the deliverable is too long for a rule"))
        }
        Some(bytes) if Digest::of(bytes) != item.digest => {
            Err(Finding::open("the stored bytes have another digest"))
        }
        Some(bytes) => Ok(bytes),
    }
}

fn obeys(rule: &TextRule, text: &str) -> bool {
    let within = |count: usize, min: u64, max: u64| {
        u64::try_from(count).is_ok_and(|count| min <= count && count <= max)
    };
    match rule {
        TextRule::Contains { text: wanted } => text.contains(wanted.as_str()),
        TextRule::Excludes { text: banned } => !text.contains(banned.as_str()),
        TextRule::Chars { min, max } => within(text.chars().count(), min.get(), max.get()),
        TextRule::Words { min, max } => {
            within(text.split_whitespace().count(), min.get(), max.get())
        }
    }
}

fn number(bytes: &[u8], pointer: &str, rule: NumberRule) -> Finding {
    let number = match exact::at(bytes, pointer) {
        Ok(number) => number,
        Err(exact::Unread::TooPrecise) => return Finding::open("the number has too many digits"),
        Err(exact::Unread::Absent) => {
            return Finding::of(Verdict::Deviate, "there is no such number");
        }
    };
    let (bound, wanted): (_, fn(std::cmp::Ordering) -> bool) = match rule {
        NumberRule::AtLeast { bound } => (bound, std::cmp::Ordering::is_ge),
        NumberRule::AtMost { bound } => (bound, std::cmp::Ordering::is_le),
        NumberRule::Equals { bound } => (bound, std::cmp::Ordering::is_eq),
    };
    Finding::rule(wanted(number.cmp(&exact::Scaled::of(bound))))
}

fn scored(
    judgement: Option<&Judgement>,
    item: &Delivered,
    asked: (&Model, Digest),
    least: u64,
) -> Finding {
    match judgement {
        Some(Judgement::Score { model, prompt, saw, score, evidence }) => {
            let finding = if (model, *prompt) == asked && *saw == item.digest {
                Finding::rule(score.get() >= least)
            } else {
                Finding::open("another model, question or deliverable than agreed")
            };
            finding.resting_on(*evidence)
        }
        Some(Judgement::Review { .. }) | None => Finding::open("the model gave no score"),
    }
}

fn reviewed(
    judgement: Option<&Judgement>,
    item: &Delivered,
    wanted: Reviewer,
    contract: &Contract,
) -> Finding {
    match judgement {
        Some(Judgement::Review { reviewer, saw, conform, evidence }) => {
            let finding = if *saw != item.digest {
                Finding::open("the reviewer saw another deliverable")
            } else if !may_review(reviewer, wanted, contract) {
                Finding::open("another reviewer than agreed")
            } else {
                Finding::rule(*conform)
            };
            finding.resting_on(*evidence)
        }
        Some(Judgement::Score { .. }) | None => Finding::open("nobody reviewed it"),
    }
}

fn may_review(reviewer: &Did, wanted: Reviewer, contract: &Contract) -> bool {
    let parties = &contract.parties;
    match wanted {
        Reviewer::Buyer => parties.buyer.principals.iter().any(|one| one.did == *reviewer),
        Reviewer::Independent => [&parties.buyer, &parties.developer].into_iter().all(|party| {
            party.did != *reviewer
                && party.human_root.did != *reviewer
                && party.principals.iter().all(|one| one.did != *reviewer)
        }),
    }
}
