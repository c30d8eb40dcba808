//! What is found when table, log and signatures do not fit together.

use std::{fmt, mem};

use envelope_evidence::tlog::Untrusted;

/// Findings of one kind that are told: whoever changed one thing is named, whoever changed
/// everything need not be named a million times, nor hide behind it what else was done.
pub const FINDINGS_MAX: usize = 10;

/// What does not fit together.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finding {
    /// A row's document is not what its digest names.
    Document(String),
    /// A row is not what the log last said of it.
    Row(String),
    /// The log knows a row that is gone.
    Lost(String),
    /// A sum is not that of its parts: what is leased of an account and the leases of it, what an
    /// organisation keeps and its blobs, what a workspace needs and its manifest.
    Books(String),
    /// A journal is not as long as the log says, or does not read as a chain.
    Journal(String),
    /// A change that the triggers wrote is neither in the log nor waiting for it.
    Unplaced(i64),
    /// The log's entry at this place is not what its source yields, or has none.
    Leaf(u64),
    /// The log has a gap: this place is missing.
    Gap(u64),
    /// A checkpoint of this size does not open.
    Unsigned(u64, Untrusted),
    /// A checkpoint of this size signs other entries.
    Fork(u64),
    /// The log has fewer entries than a checkpoint signs.
    Cut {
        /// The entries signed.
        signed: u64,
        /// The entries there are.
        found: u64,
    },
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Document(row) => write!(f, "`{row}`: the document is not the one named"),
            Self::Row(row) => write!(f, "`{row}`: the row is not what the log says"),
            Self::Lost(row) => write!(f, "`{row}`: the log knows a row that is gone"),
            Self::Books(row) => write!(f, "`{row}`: its parts add up to something else"),
            Self::Journal(run) => write!(f, "`{run}`: the journal is not the one logged"),
            Self::Unplaced(seq) => write!(f, "change {seq}: neither logged nor waiting"),
            Self::Leaf(place) => write!(f, "entry {place}: its source says something else"),
            Self::Gap(place) => write!(f, "entry {place}: missing"),
            Self::Unsigned(size, why) => write!(f, "checkpoint of {size}: {why}"),
            Self::Fork(size) => write!(f, "checkpoint of {size}: signs other entries"),
            Self::Cut { signed, found } => {
                write!(f, "checkpoint of {signed}: the log ends after {found} entries")
            }
        }
    }
}

/// What was found so far.
#[derive(Debug, Default)]
pub(super) struct Findings(Vec<Finding>);

impl Findings {
    /// Adds a finding, if fewer than [`FINDINGS_MAX`] of its kind are there.
    pub(super) fn push(&mut self, finding: Finding) {
        let kind = mem::discriminant(&finding);
        let alike = self.0.iter().filter(|one| mem::discriminant(*one) == kind).count();
        if alike < FINDINGS_MAX {
            self.0.push(finding);
        }
    }

    /// What to tell.
    pub(super) fn told(self) -> Vec<Finding> {
        self.0
    }
}
