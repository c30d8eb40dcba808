//! Humans, as far as the gate knows of them: somebody keeps what they are asked, and tells what
//! they decided.
//!
//! The gate writes a request into the journal, waits a while, and has the run put aside if nobody
//! decides meanwhile. What is decided it judges itself: a desk cannot make a decision count that
//! does not.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use envelope_evidence::{Digest, Timestamp};
use envelope_rules::approval::{Principal, Request, Rules, Verdict};
use serde::{Deserialize, Serialize};

use crate::stop::Fault;

/// Keeps requests to humans.
pub trait Desk: Send + Sync {
    /// How the operator has humans asked.
    fn rules(&self) -> &Rules;

    /// How long a guest that waits stays in memory.
    fn grace(&self) -> Duration;

    /// Takes a request in, or finds it again: the same request twice is one. Ends when as many
    /// humans as the operator wants have decided, with all that they said, in order.
    fn ask<'a>(&'a self, request: &'a Request) -> Asking<'a>;
}

/// A request under way.
pub type Asking<'a> = Pin<Box<dyn Future<Output = Result<Vec<Decision>, Fault>> + Send + 'a>>;

/// What one human said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// Who. Whoever keeps the desk knows it, and not from the one who asks.
    pub by: Principal,
    /// When.
    pub at: Timestamp,
    /// The digest of what they saw.
    pub saw: Digest,
    /// What they said.
    pub verdict: Verdict,
}
