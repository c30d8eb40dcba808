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
use envelope_rules::approval::{
    Approval, Bounds, Event, Matter, Principal, Refused, Request, Rules, Verdict,
};
use serde::{Deserialize, Serialize};

use crate::schema::{self, Unfit};
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

/// Why a decision does not count.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotCounted {
    /// By the rules.
    #[error("{0}")]
    Refused(#[from] Refused),
    /// The document does not fit the schema that came with the question.
    #[error("the answer does not fit its schema {0}")]
    Unfit(#[from] Unfit),
}

impl NotCounted {
    /// The stable spelling.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Refused(refused) => refused.code(),
            Self::Unfit(_) => Refused::Answer.code(),
        }
    }
}

/// The same approval after `decision`, which is held against the rules and, where a document was
/// asked for, against its schema. What does not count has no effect.
pub fn decide(
    approval: Approval,
    decision: Decision,
    bounds: &[Bounds<'_>],
    now: Timestamp,
) -> Result<Approval, NotCounted> {
    let Decision { by, saw, verdict, at: _ } = decision;
    let matter = approval.request().matter.clone();
    let decided =
        approval.step(Event::Decide { by, saw, verdict: verdict.clone() }, bounds, now)?;
    if let (Matter::Document { schema, .. }, Verdict::Answer { document }) = (&matter, &verdict) {
        schema::fits_text(schema, document)?;
    }
    Ok(decided)
}
