//! What is bought, frozen at the moment of buying.

use serde::{Deserialize, Serialize};

use envelope_evidence::{Digest, canonical};

use crate::contract::{Contract, Id};

/// Everything a purchase depends on and nothing that can change under it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Snapshot {
    /// The purchase's name.
    pub purchase: Id,
    /// The digests of all documents, from the root to the Paper.
    pub papers: Vec<Digest>,
    /// Which of them is the MSA.
    pub msa: Digest,
    /// The Paper's digest: the last of the documents.
    pub paper: Digest,
    /// The Paper's data.
    pub contract: Contract,
}

/// The listing and the MSA as somebody sees them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seen {
    /// The digest of the listing.
    pub listing: Digest,
    /// The digest of the MSA.
    pub msa: Digest,
}

impl Snapshot {
    /// The digest of the snapshot, which begins the chain of receipts.
    pub fn digest(&self) -> Result<Digest, canonical::Refused> {
        Ok(Digest::of(&canonical::of(self)?))
    }

    /// The MSA, if the documents hang together: it comes before the Paper, which is the last.
    pub(super) fn msa(&self) -> Option<Digest> {
        let (last, before) = self.papers.split_last()?;
        let whole = *last == self.paper && before.contains(&self.msa);
        whole.then_some(self.msa)
    }
}
