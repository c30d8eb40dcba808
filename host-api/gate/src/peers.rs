//! Other agents, as far as the gate knows of them: somebody has them run.
//!
//! The gate judges a call, sets its budget aside and mints what is handed on. Whoever stands behind
//! [`Peers`] runs the callee as a run of its own, under what both the callee and its caller may do,
//! and gives back what came of it.

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use envelope_evidence::journal::{Child, Outcome};
use envelope_evidence::preview::Secrets;
use envelope_evidence::{Digest, Label, Timestamp, Usage};
use envelope_rules::grant::Token;
use envelope_rules::guard::{Operator, Warrant};
use serde::{Deserialize, Serialize};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::cost;
use crate::stop::Stop;
use crate::workspace::{Blobs, FileEntry, Manifest};
use crate::world::World;

/// Has other agents run.
pub trait Peers: Send + Sync {
    /// Runs a callee to its end. The same errand twice is one run: a second time goes on with what
    /// the first one left, or tells how it ended. Its receipt is kept where it finds it again.
    fn call(self: Arc<Self>, errand: Errand, world: Arc<dyn World>) -> Calling;
}

/// A callee under way. `Err` ends or suspends the caller too; a callee that fails is an answer.
pub type Calling = Pin<Box<dyn Future<Output = Result<Returned, Stop>> + Send>>;

/// What a callee is to do, and with what.
pub struct Errand {
    /// The name of its run: made from the call, so that it is the same after a crash.
    pub run: Label,
    /// The agent, by its service identity.
    pub agent: Label,
    /// The skill.
    pub skill: Label,
    /// Its arguments.
    pub args: Bytes,
    /// The grant: for the callee's host, never for a guest.
    pub token: Token,
    /// The files it sees.
    pub files: Manifest,
    /// Where their bytes lie.
    pub blobs: Blobs,
    /// What the operator allows anybody.
    pub operator: Arc<Operator>,
    /// What the caller may do: the callee may do nothing else.
    pub ceiling: Arc<Warrant>,
    /// What is set aside.
    pub budget: Usage,
    /// The first instant that is too late.
    pub deadline: Timestamp,
    /// Where its chance comes from.
    pub seed: Digest,
    /// Values that no record may show, the callee's no more than the caller's.
    pub secrets: Secrets,
    /// The classes of data that its caller carries.
    pub carried: BTreeSet<Label>,
    /// Where it finds room to run.
    pub room: Room,
}

/// Callees under way at once below one run that nobody called, however deep they call each other:
/// each holds a sandbox, and one tree is not to take those of all others.
pub const LIVE_MAX: usize = 64;

/// Room for the callees of one tree of calls.
#[derive(Debug, Clone)]
pub struct Room(Arc<Semaphore>);

impl Room {
    /// Room for so many.
    pub fn new(seats: usize) -> Self {
        Self(Arc::new(Semaphore::new(seats)))
    }

    /// Takes a place until what it returns is dropped. None, if all are taken: whoever waited for
    /// one could wait for those that wait for it.
    pub fn enter(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.0).try_acquire_owned().ok()
    }
}

impl Default for Room {
    fn default() -> Self {
        Self::new(LIVE_MAX)
    }
}

/// What came of a callee.
#[derive(Debug)]
pub struct Returned {
    /// For the guest that called.
    pub came: Came,
    /// For the record. None, if there was no run.
    pub child: Option<Child>,
}

/// What the guest gets, now and on every replay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Came {
    /// How the callee ended. None, if it could not be called.
    pub outcome: Option<Outcome>,
    /// Why, in a word.
    pub reason: Label,
    /// What its skill returned.
    pub document: Option<String>,
    /// The files it made.
    pub outputs: Vec<FileEntry>,
    /// What it burnt: its caller pays.
    pub fuel: u64,
}

impl Came {
    /// What it costs to hand it to a guest, in fuel.
    pub(crate) fn weight(&self) -> u64 {
        let wide = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        let document = wide(self.document.as_ref().map_or(0, String::len));
        let files = wide(self.outputs.len()).saturating_mul(cost::ITEM);
        document.saturating_mul(cost::BYTE).saturating_add(files)
    }
}

impl Returned {
    /// There was no run, and this is why.
    pub fn never(reason: &str) -> Self {
        let reason = Label::cut(reason);
        let came = Came { outcome: None, reason, document: None, outputs: Vec::new(), fuel: 0 };
        Self { came, child: None }
    }
}
