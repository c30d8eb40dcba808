//! The record that one criterion was checked.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use envelope_evidence::journal::Verdict;
use envelope_evidence::{Digest, Label, Timestamp, canonical};

use crate::contract::{Check, DigestShape, Id, LabelShape, TimestampShape};

/// One criterion, checked once. It says how, by whom and resting on what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Observation {
    /// The name of the event.
    pub event: Recorded,
    /// The criterion.
    pub criterion: Id,
    /// What came of it.
    #[schemars(with = "VerdictShape")]
    pub verdict: Verdict,
    /// The digests it rests on.
    #[schemars(with = "Vec<DigestShape>")]
    pub evidence: Vec<Digest>,
    /// How it was checked.
    pub method: Method,
    /// By whom or what.
    #[schemars(with = "LabelShape")]
    pub observer: Label,
    /// When.
    #[schemars(with = "TimestampShape")]
    pub at: Timestamp,
    /// Why the verdict is what it is, in a few words.
    #[schemars(with = "LabelShape")]
    pub reason: Label,
}

/// The shape of a [`Verdict`].
#[derive(JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "Conformity")]
#[expect(dead_code, reason = "only its schema is asked")]
enum VerdictShape {
    Conform,
    Deviate,
    Indeterminate,
}

/// The one name of the event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Recorded {
    /// A criterion was checked.
    #[serde(rename = "CONFORMITY_OBSERVATION_RECORDED")]
    ConformityObservationRecorded,
}

/// How a criterion was checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
