//! When the work counts as done: statements that a machine or a named person can check.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use envelope_evidence::{Digest, canonical};

use super::agent::Model;
use super::flaw::{Code, Flaw};
use super::list::List;
use super::number::{Decimal, Exact, Weight};
use super::shape::DigestShape;
use super::words::{Id, Pointer, Sentence};

/// The largest JSON Schema in a criterion, in canonical bytes: a long one has twenty thousand.
pub const SCHEMA_BYTES_MAX: usize = 64 * 1024;

/// One statement that is true or false of a deliverable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Criterion {
    /// Its name in this contract.
    pub id: Id,
    /// The statement. In a dispute it is put to the panel word for word.
    pub statement: Sentence,
    /// The deliverable it is about.
    pub deliverable: Id,
    /// Its share of the remedy when unmet, in basis points.
    pub weight: Weight,
    /// How it is checked.
    pub check: Check,
    /// What is kept so that the check can be repeated.
    pub evidence: List<Evidence, 1, 6>,
}

/// How a criterion is checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Check {
    /// The deliverable is JSON that a JSON Schema of the 2020-12 dialect accepts.
    OutputJsonSchema {
        /// The schema, without references to other documents.
        schema: Map<String, Value>,
    },
    /// The deliverable is a file of at least so many bytes.
    FileExists {
        /// The least size.
        bytes_min: Exact<0, { 1 << 40 }>,
    },
    /// The deliverable's text obeys a rule.
    Text {
        /// The rule.
        rule: TextRule,
    },
    /// A number in the deliverable obeys a rule.
    Number {
        /// Where the number stands in the JSON.
        pointer: Pointer,
        /// The rule.
        rule: NumberRule,
    },
    /// A model that has nothing to do with the agent gives a score.
    Evaluator {
        /// The model.
        model: Model,
        /// The digest of the question put to it.
        #[schemars(with = "DigestShape")]
        prompt: Digest,
        /// The least score, in basis points.
        score_min: Weight,
    },
    /// A person says yes or no.
    HumanReview {
        /// Who is asked.
        reviewer: Reviewer,
        /// What is asked.
        question: Sentence,
    },
}

/// A rule about text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum TextRule {
    /// It contains these characters.
    Contains {
        /// The characters.
        text: Sentence,
    },
    /// It does not contain these characters.
    Excludes {
        /// The characters.
        text: Sentence,
    },
    /// It has so many characters.
    Chars {
        /// The fewest.
        min: Exact<0, 100_000_000>,
        /// The most.
        max: Exact<1, 100_000_000>,
    },
    /// It has so many words, separated by white space.
    Words {
        /// The fewest.
        min: Exact<0, 100_000_000>,
        /// The most.
        max: Exact<1, 100_000_000>,
    },
}

/// A rule about a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum NumberRule {
    /// Not below.
    AtLeast {
        /// The bound.
        bound: Decimal,
    },
    /// Not above.
    AtMost {
        /// The bound.
        bound: Decimal,
    },
    /// Exactly.
    Equals {
        /// The number.
        bound: Decimal,
    },
}

/// Who reviews.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Reviewer {
    /// Someone of the buyer's.
    Buyer,
    /// Someone of neither party.
    Independent,
}

/// What is kept for a criterion.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Evidence {
    /// The signed receipt of the run.
    Receipt,
    /// The journal that the receipt commits to.
    Journal,
    /// The answer of the run.
    Output,
    /// The delivered file.
    File,
    /// The evaluator's question, answer and score.
    Evaluation,
    /// The reviewer's signed answer.
    Review,
}

impl Evidence {
    /// The name in documents.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Receipt => "receipt",
            Self::Journal => "journal",
            Self::Output => "output",
            Self::File => "file",
            Self::Evaluation => "evaluation",
            Self::Review => "review",
        }
    }
}

impl Criterion {
    /// What types cannot say about the check itself. What it says about its deliverable is checked
    /// by the contract, which knows the deliverable.
    pub fn validate(&self) -> Vec<Flaw> {
        let mut flaws = self.check.validate();
        for (at, evidence) in self.evidence.iter().enumerate() {
            if self.evidence.iter().take(at).any(|earlier| earlier == evidence) {
                let message = format!("`{}` is listed twice", evidence.name());
                flaws.push(Flaw::new(Code::Duplicate, format!("/evidence/{at}"), message));
            }
        }
        flaws
    }
}

impl Check {
    /// The evidence the check reads when the deliverable is kept as `stored`.
    pub const fn reads(&self, stored: Evidence) -> Evidence {
        match self {
            Self::Evaluator { .. } => Evidence::Evaluation,
            Self::HumanReview { .. } => Evidence::Review,
            Self::OutputJsonSchema { .. }
            | Self::FileExists { .. }
            | Self::Text { .. }
            | Self::Number { .. } => stored,
        }
    }

    fn validate(&self) -> Vec<Flaw> {
        match self {
            Self::OutputJsonSchema { schema } => schema_flaw(schema).into_iter().collect(),
            Self::Text { rule: TextRule::Chars { min, max } | TextRule::Words { min, max } }
                if min.get() > max.get() =>
            {
                let message = format!("no text has at least {min} and at most {max}");
                vec![Flaw::new(Code::Check, "/check/rule", message)]
            }
            Self::FileExists { .. }
            | Self::Text { .. }
            | Self::Number { .. }
            | Self::Evaluator { .. }
            | Self::HumanReview { .. } => Vec::new(),
        }
    }
}

fn schema_flaw(schema: &Map<String, Value>) -> Option<Flaw> {
    let pointer = "/check/schema";
    if schema.is_empty() {
        let message = "an empty schema accepts everything and checks nothing";
        return Some(Flaw::new(Code::Check, pointer, message));
    }
    match canonical::of(schema) {
        Err(refused) => Some(Flaw::new(Code::Check, pointer, refused)),
        Ok(bytes) if bytes.len() > SCHEMA_BYTES_MAX => {
            let message = format!("a schema has at most {SCHEMA_BYTES_MAX} bytes");
            Some(Flaw::new(Code::Check, pointer, message))
        }
        Ok(_) => None,
    }
}
