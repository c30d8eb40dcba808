//! Whoever answers: the one trait behind which every wire format stands.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;

use bytes::Bytes;
use envelope_evidence::Digest;
use envelope_rules::budget::Billed;
use envelope_rules::model::{Ask, Overheads, ToolCall};
use serde::{Deserialize, Serialize};

/// A provider of models.
pub trait Provider: Send + Sync {
    /// What its wire format adds to what a guest wrote.
    fn overheads(&self) -> &'static Overheads;

    /// Whether it only plays a model. Whoever shows its answers says so.
    fn is_stub(&self) -> bool {
        false
    }

    /// Sends a request for an answer, once. When this returns, the answer has begun.
    fn ask<'a>(&'a self, order: Order<'a>) -> Asking<'a>;

    /// Sends a request for embeddings, once.
    fn embed<'a>(&'a self, texts: Texts<'a>) -> Embedding<'a>;
}

/// Pictures of one request: what providers accept.
pub(crate) const IMAGES_MAX: usize = 16;

/// Bytes of one picture: what providers accept.
pub(crate) const IMAGE_BYTES_MAX: u64 = 5 << 20;

/// The pictures of a request, by digest.
pub type Images = BTreeMap<Digest, Bytes>;

/// A request for an answer, admitted and paid for in advance.
#[derive(Debug, Clone, Copy)]
pub struct Order<'a> {
    /// What is asked.
    pub ask: &'a Ask,
    /// The model, as the provider calls it.
    pub model: &'a str,
    /// The longest answer that was paid for: written into the request.
    pub max_output: u64,
    /// The content of its pictures.
    pub images: &'a Images,
    /// Whether the answer is wanted piece by piece.
    pub streamed: bool,
    /// The key of the attempt: another attempt has another.
    pub key: &'a str,
}

/// A request for embeddings.
#[derive(Debug, Clone, Copy)]
pub struct Texts<'a> {
    /// The model, as the provider calls it.
    pub model: &'a str,
    /// The texts.
    pub texts: &'a [String],
    /// The key of the attempt.
    pub key: &'a str,
}

/// An answer as it comes. Dropped, it takes the connection with it. What it already has is not lost
/// when a call of `next` is given up.
pub trait Coming: Send {
    /// The next piece; none at the end.
    fn next(&mut self) -> Next<'_>;
}

/// A piece of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Words.
    Text(String),
    /// A call of a tool, whole.
    Call(ToolCall),
    /// Something that is paid for and not shown, of so many bytes: a part of a call, a thought.
    Hidden(usize),
    /// What the provider says it bills. The latest word holds.
    Billed(Billed),
    /// The provider bills for something that was not asked for.
    Unasked(&'static str),
    /// Why it ends.
    Finish(Finish),
}

/// Why an answer ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Finish {
    /// It is complete.
    Stop,
    /// It is as long as it may be.
    Length,
    /// The model wants tools to be called.
    ToolCalls,
    /// The model, or its provider, will not answer.
    Refused,
    /// The host closed the connection: more came than was paid for.
    Cut,
}

/// The vectors of texts, and what the provider says it bills.
#[derive(Debug, Clone, PartialEq)]
pub struct Embedded {
    /// One for each text.
    pub vectors: Vec<Vec<f32>>,
    /// None: it does not say.
    pub billed: Option<Billed>,
}

/// Why there is no answer, and what that means for the money.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failed {
    /// The provider's format cannot say it: nothing was sent, nothing is owed, and nobody else is
    /// asked.
    #[error("{0}")]
    Unwritable(String),
    /// Nothing was sent: nothing is owed.
    #[error("{0}")]
    NotSent(String),
    /// It was turned away with a status for which, by the provider's own documents, nothing is
    /// billed.
    #[error("the provider answered {status}: {why}")]
    Free {
        /// The status.
        status: u16,
        /// Its words, cut short.
        why: String,
        /// How long it wants to be left alone, in seconds.
        after: Option<u64>,
    },
    /// It was turned away with a status that speaks of the request, and nobody knows what is owed.
    #[error("the provider answered {status}: {why}")]
    Refused {
        /// The status.
        status: u16,
        /// Its words, cut short.
        why: String,
    },
    /// Nobody knows what is owed.
    #[error("{0}")]
    Unknown(String),
    /// It took too long, and nobody knows what is owed.
    #[error("the provider took too long")]
    TimedOut,
}

/// A request under way.
pub type Asking<'a> = Pin<Box<dyn Future<Output = Result<Box<dyn Coming>, Failed>> + Send + 'a>>;

/// A request for embeddings under way.
pub type Embedding<'a> = Pin<Box<dyn Future<Output = Result<Embedded, Failed>> + Send + 'a>>;

/// A piece under way.
pub type Next<'a> = Pin<Box<dyn Future<Output = Result<Option<Piece>, Failed>> + Send + 'a>>;
