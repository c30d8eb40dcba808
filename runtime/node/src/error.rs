//! What goes wrong between a node and what it works with.

use envelope_engine::local::{BadFolder, OtherKeys};
use envelope_engine::prepared::NotRunnable;
use envelope_gate::desk::NotCounted;
use envelope_gate::workspace;
use envelope_store::StoreError;
use envelope_store::blobs::BlobError;
use envelope_store::budget::BudgetError;

use crate::NoZone;

/// Why it was not done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NodeError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The blobs.
    #[error(transparent)]
    Blobs(#[from] BlobError),
    /// The shared accounts.
    #[error(transparent)]
    Books(#[from] BudgetError),
    /// The blobs, as runs see them.
    #[error(transparent)]
    Contents(#[from] workspace::Fault),
    /// The component.
    #[error(transparent)]
    Component(#[from] NotRunnable),
    /// The grant was made elsewhere.
    #[error(transparent)]
    Keys(#[from] OtherKeys),
    /// The folder that a run is written to.
    #[error(transparent)]
    Folder(#[from] BadFolder),
    /// Days that begin nowhere.
    #[error(transparent)]
    Days(#[from] NoZone),
    /// A decision that does not count.
    #[error("{0} (`{code}`)", code = .0.code())]
    Refused(NotCounted),
    /// There is no such run.
    #[error("no run `{0}` is kept here")]
    NoRun(String),
    /// There is no such question.
    #[error("nothing of `{0}` waits for a decision")]
    NothingAsked(String),
    /// It has not come to its end.
    #[error("`{0}` has not ended yet")]
    NotEnded(String),
    /// What is kept of a run does not read, or does not belong together.
    #[error("what is kept of `{run}` cannot be used: {why}")]
    Kept {
        /// The run.
        run: String,
        /// What is wrong.
        why: String,
    },
    /// A run broke the task that it had. Its lease runs out.
    #[error("a run broke down: {0}")]
    Broken(tokio::task::JoinError),
    /// What a run needs outside is not to be had.
    #[error("{0}")]
    Outside(String),
}

impl NodeError {
    /// What is kept of `run`, and does not read.
    pub(crate) fn kept(run: &str, why: impl std::fmt::Display) -> Self {
        Self::Kept { run: run.to_owned(), why: why.to_string() }
    }

    /// Whether another node has the run now.
    pub(crate) const fn is_fenced(&self) -> bool {
        matches!(self, Self::Store(StoreError::Fenced { .. }))
    }
}
