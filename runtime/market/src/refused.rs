//! Why a command does nothing.

use envelope_engine::local::BadJob;
use envelope_engine::prepared::NotRunnable;
use envelope_node::NodeError;
use envelope_store::StoreError;
use envelope_store::blobs::BlobError;
use envelope_store::signers::SignerError;
use envelope_store::vault::VaultError;
use envelope_terms::acceptance::Undelivered;
use envelope_terms::deal::Undrawn;
use envelope_terms::source::Report;
use envelope_terms::{document, purchase};

use crate::Role;

/// Why a command did nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// There is none, or it is none of theirs: which of both, nobody is told.
    #[error("`{id}` is not among your {what}")]
    Unknown {
        /// Where it was looked for.
        what: &'static str,
        /// By what name.
        id: String,
    },
    /// They may not.
    #[error("this takes the role `{0}`")]
    Role(Role),
    /// A program asks for what a human decides.
    #[error("a human decides this: sign in, or use a key that you made to decide with")]
    NotHuman,
    /// A purchase had as many runs as it may.
    #[error("purchase `{id}` had {most} runs, and may have no more")]
    TooManyRuns {
        /// The purchase.
        id: String,
        /// How many it may have.
        most: i64,
    },
    /// They are the wrong party.
    #[error("only the {0} may do this")]
    Party(&'static str),
    /// A part of what they gave does not fit.
    #[error("`{field}`: {why}")]
    Invalid {
        /// Which part.
        field: &'static str,
        /// What is wrong, and what would do.
        why: String,
    },
    /// There is one already.
    #[error("there is a {what} `{id}` already")]
    Exists {
        /// What.
        what: &'static str,
        /// Its name.
        id: String,
    },
    /// Not in this state of its life.
    #[error("{what} `{id}` is {state}: {act} comes too late or too early")]
    NotNow {
        /// What.
        what: &'static str,
        /// Its name.
        id: String,
        /// Where it stands.
        state: String,
        /// What was tried.
        act: &'static str,
    },
    /// It is at another version than they saw.
    #[error("`{id}` is at version {is}, and version {saw} was seen")]
    Stale {
        /// Which row.
        id: String,
        /// The version it is at.
        is: i64,
        /// The version that was seen.
        saw: i64,
    },
    /// A key names one request.
    #[error("this key was used for another request")]
    KeyReused,
    /// The decision does not count.
    #[error("{0}")]
    Undecided(String),
    /// The purchase says no.
    #[error(transparent)]
    Purchase(#[from] purchase::Refused),
    /// The component cannot be run.
    #[error(transparent)]
    Component(#[from] NotRunnable),
    /// The run cannot be launched like that.
    #[error(transparent)]
    Job(#[from] BadJob),
    /// The document cannot be drawn up.
    #[error(transparent)]
    Undrawn(#[from] Undrawn),
    /// The chain of documents says no.
    #[error(transparent)]
    Document(#[from] document::Refused),
    /// The words of a contract have flaws.
    #[error("the contract has flaws, the first: {}", first(.0))]
    Flawed(Box<Report>),
    /// The keys say no.
    #[error(transparent)]
    Signer(#[from] SignerError),
    /// The vault says no.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The runs do not add up to a delivery.
    #[error(transparent)]
    Undelivered(#[from] Undelivered),
    /// The agent has no badge now.
    #[error("agent `{0}` holds no badge: pillars are missing, ended or taken back")]
    Unbadged(String),
    /// The runs say no.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// The bytes say no.
    #[error(transparent)]
    Blobs(#[from] BlobError),
    /// The database says no, or somebody was faster.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What is kept does not read.
    #[error("`{id}` as it is kept does not read: {why}")]
    Kept {
        /// The row.
        id: String,
        /// What is wrong.
        why: String,
    },
    /// No source of chance.
    #[error("the system gives no random bytes: {0}")]
    Chance(String),
}

impl Refused {
    /// A part that does not fit.
    pub fn invalid(field: &'static str, why: impl std::fmt::Display) -> Self {
        Self::Invalid { field, why: why.to_string() }
    }

    /// A row that does not read.
    pub(crate) fn kept(id: &str, why: impl std::fmt::Display) -> Self {
        Self::Kept { id: id.to_owned(), why: why.to_string() }
    }

    /// Whether others decided at the same moment, and the same may succeed when it is tried again.
    pub fn passes(&self) -> bool {
        if let Self::Store(why)
        | Self::Node(NodeError::Store(why))
        | Self::Vault(VaultError::Store(why))
        | Self::Signer(SignerError::Store(why))
        | Self::Blobs(BlobError::Store(why)) = self
        {
            return why.passes();
        }
        false
    }

    /// The stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unknown { .. } => "NOT_FOUND",
            Self::Role(_) => "ROLE_MISSING",
            Self::NotHuman => "HUMAN_NEEDED",
            Self::TooManyRuns { .. } => "RUNS_MAX",
            Self::Party(_) => "WRONG_PARTY",
            Self::Invalid { .. } => "INVALID",
            Self::Exists { .. } => "EXISTS",
            Self::NotNow { .. } => "NOT_NOW",
            Self::Component(_) => "COMPONENT_REFUSED",
            Self::Job(_) => "LAUNCH_REFUSED",
            Self::Undrawn(why) => why.code(),
            Self::Document(why) => why.code(),
            Self::Flawed(_) => "CONTRACT_FLAWED",
            Self::Undelivered(why) => why.code(),
            Self::Unbadged(_) => "BADGE_MISSING",
            Self::Stale { .. } => "PRECONDITION",
            Self::KeyReused => "KEY_REUSED",
            Self::Undecided(_) => "APPROVAL_REFUSED",
            Self::Purchase(refused) => refused.code(),
            Self::Node(NodeError::NoRun(_) | NodeError::NothingAsked(_)) => "NOT_FOUND",
            Self::Store(StoreError::Changed { .. }) => "CHANGED_MEANWHILE",
            Self::Store(StoreError::TooLong { .. }) => "TOO_LONG",
            Self::Blobs(BlobError::Quota { .. }) => "QUOTA",
            Self::Node(_) | Self::Blobs(_) | Self::Store(_) | Self::Kept { .. } => "INTERNAL",
            Self::Signer(_) | Self::Vault(_) | Self::Chance(_) => "INTERNAL",
        }
    }
}

fn first(report: &Report) -> String {
    let first = report.diagnostics().first();
    first.map_or_else(String::new, |one| format!("{}: {}", one.code.name(), one.message))
}
