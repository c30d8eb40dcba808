//! What carries a request to a provider and its answer back.
//!
//! The adapters know wire formats and no sockets. The key of the provider is added by whoever
//! implements this, after everything was judged: an adapter never has it in hand.

use std::future::Future;
use std::pin::Pin;

use bytes::Bytes;

/// The way to one provider.
pub trait Transport: Send + Sync {
    /// Sends `letter`, once, and waits for the head of the answer.
    fn post(&self, letter: Letter) -> Posting<'_>;
}

/// A request to a provider.
#[derive(Debug, Clone)]
pub struct Letter {
    /// The path below the provider's address, such as `/chat/completions`.
    pub path: &'static str,
    /// Headers beside the key.
    pub headers: Vec<(&'static str, String)>,
    /// The body, JSON.
    pub body: Bytes,
    /// How many bytes may come back.
    pub response_bytes: u64,
}

/// The head of an answer, and its body as it comes.
pub struct Posted {
    /// The status.
    pub status: u16,
    /// How long the provider wants to be left alone, in seconds.
    pub retry_after: Option<u64>,
    /// The body.
    pub body: Box<dyn Body>,
}

/// A body as it comes. What it already has is not lost when a call of `next` is given up.
pub trait Body: Send {
    /// The next bytes; none at the end.
    fn next(&mut self) -> Reading<'_>;
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lost {
    /// Nothing was sent.
    NotSent(String),
    /// It was sent, or may have been.
    Unknown(String),
}

/// A request under way.
pub type Posting<'a> = Pin<Box<dyn Future<Output = Result<Posted, Lost>> + Send + 'a>>;

/// Bytes under way.
pub type Reading<'a> = Pin<Box<dyn Future<Output = Result<Option<Bytes>, String>> + Send + 'a>>;
