//! Why a document does not join a chain.

use envelope_evidence::{Digest, Timestamp, canonical, chain, dsse};

use super::difference::BadChange;
use super::kind::Kind;
use super::prose::BadProse;
use super::side_letter::Unreadable;
use super::signers::{BadSigners, Side};

/// A document that was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Not canonical JSON of the documented shape.
    #[error("not of the documented shape: {0}")]
    Shape(String),
    /// No place for a document of this kind.
    #[error("a {kind} does not come {}", after(*before))]
    Order {
        /// The document's kind.
        kind: Kind,
        /// The kind before it.
        before: Option<Kind>,
    },
    /// It names another document than the newest as the one before it.
    #[error("it {0}: draw it up again from the newest document")]
    Stale(chain::Fracture),
    /// It counts itself at another place.
    #[error("it says it is document {found}, but its place is {expected}")]
    Seq {
        /// Its place.
        expected: u64,
        /// What it says.
        found: u64,
    },
    /// The chain is full.
    #[error("a chain has at most {} documents", super::node::DOCUMENTS_MAX)]
    TooMany,
    /// Prose that cannot be part of a document.
    #[error(transparent)]
    Prose(#[from] BadProse),
    /// Another prose than the document names.
    #[error("the prose and its salt have the digest `{found}`, the document names `{expected}`")]
    OtherProse {
        /// What the document names.
        expected: Digest,
        /// What is there.
        found: Digest,
    },
    /// Other clauses than the document names.
    #[error("the clauses have the root `{found}`, the document names `{expected}`")]
    OtherClauses {
        /// What the document names.
        expected: Digest,
        /// What is there.
        found: Digest,
    },
    /// An amendment that changes neither terms nor prose nor signers.
    #[error("the amendment changes nothing")]
    Idle,
    /// An amendment's difference does not fit the terms it changes.
    #[error(transparent)]
    Difference(#[from] BadChange),
    /// A redline that does not lead from the text before to the text after.
    #[error("the redline does not lead from the text before to the text after")]
    Redline,
    /// Keys that cannot sign for two sides.
    #[error(transparent)]
    Signers(#[from] BadSigners),
    /// No signatures at all.
    #[error("nobody signed it, and both parties have to")]
    Unsigned,
    /// The consent of one side is missing.
    #[error("the {0} did not sign")]
    OneSided(Side),
    /// A key that signs for neither side.
    #[error("key `{0}` signs for neither party")]
    Foreign(String),
    /// A signature that does not hold, or by a key that is not trusted.
    #[error(transparent)]
    Signature(#[from] dsse::BadSignature),
    /// What was signed is about something else.
    #[error("the signed statement is about another document")]
    OtherDocument,
    /// A level of signature that nothing here can check.
    #[error("the signatures claim the level `{0}`, which nothing here can check")]
    Level(super::signature::Level),
    /// Signed before the document that it follows.
    #[error("it was signed at {found}, before the document it follows ({before})")]
    Backdated {
        /// When the document before it was signed.
        before: Timestamp,
        /// When it was signed.
        found: Timestamp,
    },
    /// A snapshot of other documents than the chain begins with.
    #[error("the snapshot names other documents than the chain begins with")]
    Snapshot,
    /// A side letter that cannot be made.
    #[error(transparent)]
    SideLetter(#[from] Unreadable),
}

impl Refused {
    /// The stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Shape(_) => "DOCUMENT_SHAPE",
            Self::Order { .. } => "DOCUMENT_ORDER",
            Self::Stale(_) => "DOCUMENT_STALE_PARENT",
            Self::Seq { .. } => "DOCUMENT_SEQ",
            Self::TooMany => "DOCUMENT_TOO_MANY",
            Self::Prose(_) => "DOCUMENT_PROSE",
            Self::OtherProse { .. } => "DOCUMENT_OTHER_PROSE",
            Self::OtherClauses { .. } => "DOCUMENT_OTHER_CLAUSES",
            Self::Idle => "AMENDMENT_CHANGES_NOTHING",
            Self::Difference(_) => "AMENDMENT_DIFFERENCE",
            Self::Redline => "AMENDMENT_REDLINE",
            Self::Signers(_) => "DOCUMENT_SIGNERS",
            Self::Unsigned => "SIGNATURE_MISSING",
            Self::OneSided(_) => "SIGNATURE_ONE_SIDED",
            Self::Foreign(_) => "SIGNATURE_FOREIGN_KEY",
            Self::Signature(_) => "SIGNATURE_INVALID",
            Self::OtherDocument => "SIGNATURE_OTHER_DOCUMENT",
            Self::Level(_) => "SIGNATURE_LEVEL",
            Self::Backdated { .. } => "SIGNATURE_BACKDATED",
            Self::Snapshot => "SNAPSHOT_OTHER_CHAIN",
            Self::SideLetter(_) => "SIDE_LETTER",
        }
    }
}

impl From<canonical::Refused> for Refused {
    fn from(refused: canonical::Refused) -> Self {
        Self::Shape(refused.to_string())
    }
}

fn after(before: Option<Kind>) -> String {
    before.map_or_else(|| "first".to_owned(), |kind| format!("directly after a {kind}"))
}
