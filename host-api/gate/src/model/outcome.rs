//! What is written down of an attempt, and given again on replay.

use envelope_rules::budget::Billed;
use envelope_rules::model::{Part, ToolCall};
use serde::{Deserialize, Serialize};

use super::provider::Finish;

/// What came of one attempt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// An answer.
    Done(Reply),
    /// Vectors of texts.
    Embedded {
        /// One for each text.
        vectors: Vec<Vec<f32>>,
        /// What was paid.
        usage: Usage,
        /// Whether nobody thought about them: they come from a stand-in.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        stub: bool,
    },
    /// None.
    Failed {
        /// What went wrong, in words.
        why: String,
        /// Whether it was a matter of time.
        timed_out: bool,
        /// What the operator's policy says is done next.
        then: Then,
    },
    /// The process that asked is gone: what was set aside counts as spent.
    Interrupted,
    /// The guest let go of the answer: what was set aside counts as spent.
    Dropped,
}

/// What is done after an attempt without an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Then {
    /// Nothing.
    Stop,
    /// This model is asked: another, or the same one again.
    Ask(String),
}

/// A whole answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// The model that gave it, by its name in the price book.
    pub model: String,
    /// Whether it only plays a model.
    pub stub: bool,
    /// What it says.
    pub parts: Vec<Part>,
    /// Why it ends.
    pub finish: Finish,
    /// What was paid.
    pub usage: Usage,
    /// The longest answer that was asked for in truth, where that is less than was wished for.
    pub clamped_to: Option<u32>,
    /// Whose limit made it so.
    pub because: Option<String>,
}

/// What was paid for an answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Tokens in.
    pub input: u64,
    /// Tokens out.
    pub output: u64,
    /// Nano-dollars.
    pub nano_usd: u64,
    /// Whether the provider said so. If not, all that was set aside counts.
    pub confirmed: bool,
    /// Whether it charged more than was set aside.
    pub overcharged: bool,
}

impl Usage {
    /// What a report says, at that price.
    pub fn reported(billed: &Billed, nano_usd: u64, overcharged: bool) -> Self {
        let Billed { input, cache_read, cache_write, cache_write_long, output, reasoning } =
            *billed;
        let sum = |parts: &[u64]| parts.iter().copied().fold(0, u64::saturating_add);
        Self {
            input: sum(&[input, cache_read, cache_write, cache_write_long]),
            output: sum(&[output, reasoning]),
            nano_usd,
            confirmed: true,
            overcharged,
        }
    }
}

/// A piece of a stream, as it is written down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Chunk {
    /// Words.
    Text(String),
    /// A call of a tool.
    Call(ToolCall),
    /// The end, with everything.
    Done(Box<Reply>),
    /// Nothing more: it ended before.
    End,
    /// It broke off.
    Failed {
        /// What went wrong, in words.
        why: String,
        /// Whether it was a matter of time.
        timed_out: bool,
    },
}
