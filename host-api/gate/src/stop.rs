//! Why a run cannot go on: what the gate says when there is nobody to answer to any more.

use envelope_evidence::Digest;
use envelope_evidence::journal::Outcome;
use envelope_rules::Denial;

/// The end of a run, decided at the gate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Stop {
    /// A refusal where the interface has no room for one.
    #[error("{0}")]
    Denied(Denial),
    /// A limit of the run.
    #[error("the run's limit of {0} is reached")]
    Exhausted(&'static str),
    /// The guest left with this status.
    #[error("the guest left with status {0}")]
    Exit(u8),
    /// The guest broke the rules of an interface.
    #[error("{0}")]
    Misuse(&'static str),
    /// Somebody stopped the run.
    #[error("stopped: {0}")]
    Killed(String),
    /// The run is put aside. Its journal goes on where it stopped.
    #[error("suspended")]
    Suspended,
    /// The world failed.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// A replay has come to the end of what is recorded.
    #[error("nothing more is recorded")]
    EndOfRecord,
    /// The guest did something else than what is recorded.
    #[error(transparent)]
    Diverged(Box<Divergence>),
}

/// The world failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The journal cannot be written.
    #[error("the journal cannot be written: {0}")]
    Journal(String),
    /// Content that should be there is not, or is other content.
    #[error("content {digest} cannot be read: {why}")]
    Blob {
        /// Which content.
        digest: Digest,
        /// What happened.
        why: String,
    },
    /// The shared books cannot be kept.
    #[error("the shared books cannot be kept: {0}")]
    Books(String),
    /// What humans are asked cannot be kept.
    #[error("what humans are asked cannot be kept: {0}")]
    Desk(String),
    /// Nobody can tell whether the run has to stop: it does not go on.
    #[error("the kill switches cannot be read: {0}")]
    Switches(String),
    /// Other runs hold what this one would need: that is nothing it did.
    #[error("there is no room for another run here")]
    NoRoom,
    /// There is no such thing here.
    #[error("{0} is not available here")]
    Unavailable(&'static str),
}

/// The first call that is not the recorded one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("call {n} diverges: recorded {recorded}, asked {asked}")]
pub struct Divergence {
    /// The number of the call.
    pub n: u64,
    /// What the journal says, in words.
    pub recorded: String,
    /// What happened instead.
    pub asked: String,
}

impl Stop {
    /// How the run ends, and the reason in a word. `None` when it does not end: it is put aside, or
    /// this process cannot tell its story.
    pub fn ending(&self) -> Option<(Outcome, String)> {
        match self {
            Self::Denied(denial) => Some((Outcome::Denied, denial.row().name.to_owned())),
            Self::Exhausted(limit) => Some((Outcome::Exhausted, (*limit).to_owned())),
            Self::Exit(0) => Some((Outcome::Ok, "exit 0".to_owned())),
            Self::Exit(status) => Some((Outcome::Failed, format!("exit {status}"))),
            Self::Misuse(what) => Some((Outcome::Crashed, (*what).to_owned())),
            Self::Killed(reason) => Some((Outcome::Killed, reason.clone())),
            Self::Suspended | Self::EndOfRecord | Self::Fault(_) | Self::Diverged(_) => None,
        }
    }
}
