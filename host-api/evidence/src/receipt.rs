//! Receipts: what a run was, in eight signed pieces of evidence and one statement that links them.
//!
//! [`fold`] reads a receipt off a journal. It is pure and total: a denied, failed, killed or
//! abandoned run has a receipt like any other. Every piece is a file of its own, so that an auditor
//! can be shown some of them and still check that the rest exists unchanged.

pub mod evidence;
mod fold;
mod folder;
pub mod provenance;
mod statement;

pub use evidence::{Calls, Kind};
pub use fold::fold;
pub use folder::{BUNDLE_FILE, Folder, JOURNAL_FILE, PROOF_FILE, RECEIPT_FILE, Unusable};
pub use statement::{Component, Cost, Evidence, RECEIPT_TYPE, Receipt};

pub(crate) use folder::{Bundle, evidence_file};

use crate::dsse::Envelope;
use crate::key::{ForReceipts, ForReviews, SigningKey};
use crate::statement::PAYLOAD_TYPE;

/// A folded receipt, not yet signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsigned {
    /// The payload of each piece of evidence, in the order of [`Kind::ALL`].
    pub evidence: [Vec<u8>; 8],
    /// The payload of the receipt statement.
    pub receipt: Vec<u8>,
}

impl Unsigned {
    /// Signs all nine statements with the host's receipt key.
    pub fn sign(self, key: &SigningKey<ForReceipts>) -> Signed {
        let seal = |payload| Envelope::seal(PAYLOAD_TYPE, payload, key);
        Signed { evidence: self.evidence.map(seal), receipt: seal(self.receipt) }
    }
}

/// A signed receipt with all its evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    evidence: [Envelope; 8],
    receipt: Envelope,
}

impl Signed {
    /// The receipt statement. Its digest is the receipt's id.
    pub const fn receipt(&self) -> &Envelope {
        &self.receipt
    }

    /// Every piece of evidence.
    pub fn evidence(&self) -> impl Iterator<Item = (Kind, &Envelope)> {
        Kind::ALL.into_iter().zip(&self.evidence)
    }

    /// Adds a reviewer's own signature to the review evidence.
    #[must_use]
    pub fn countersign(mut self, key: &SigningKey<ForReviews>) -> Self {
        self.evidence = {
            let mut kinds = Kind::ALL.into_iter();
            self.evidence.map(|envelope| match kinds.next() {
                Some(Kind::Review) => envelope.cosign(key),
                Some(_) | None => envelope,
            })
        };
        self
    }
}
