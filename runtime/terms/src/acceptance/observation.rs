//! The record that one criterion was checked.

use serde::{Deserialize, Serialize};

use envelope_evidence::journal::Verdict;
use envelope_evidence::{Digest, Label, Timestamp, canonical};

use crate::contract::{Check, Id};

/// One criterion, checked once. It says how, by whom and resting on what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Observation {
    /// The name of the event.
    pub event: Recorded,
    /// The criterion.
    pub criterion: Id,
    /// What came of it.
    pub verdict: Verdict,
    /// The digests it rests on.
    pub evidence: Vec<Digest>,
    /// How it was checked.
    pub method: Method,
    /// By whom or what.
    pub observer: Label,
    /// When.
    pub at: Timestamp,
    /// Why the verdict is what it is, in a few words.
    pub reason: Label,
}

/// The one name of the event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Recorded {
    /// A criterion was checked.
    #[serde(rename = "CONFORMITY_OBSERVATION_RECORDED")]
    ConformityObservationRecorded,
}

/// How a criterion was checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// By a JSON Schema.
    OutputJsonSchema,
    /// By the size that the receipt holds.
    FileExists,
    /// By a rule about text.
    Text,
    /// By a rule about a number.
    Number,
    /// By a model.
    Evaluator,
    /// By a person.
    HumanReview,
}

impl Method {
    /// The method of `check`.
    pub const fn of(check: &Check) -> Self {
        match check {
            Check::OutputJsonSchema { .. } => Self::OutputJsonSchema,
            Check::FileExists { .. } => Self::FileExists,
            Check::Text { .. } => Self::Text,
            Check::Number { .. } => Self::Number,
            Check::Evaluator { .. } => Self::Evaluator,
            Check::HumanReview { .. } => Self::HumanReview,
        }
    }
}

impl Observation {
    /// The digest of the canonical record.
    pub fn digest(&self) -> Result<Digest, canonical::Refused> {
        Ok(Digest::of(&canonical::of(self)?))
    }
}
