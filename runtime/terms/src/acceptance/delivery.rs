//! What was delivered, as receipts tell it. An agent cannot claim a delivery.

use serde::{Deserialize, Serialize};

use envelope_evidence::Digest;
use envelope_evidence::journal::Outcome;
use envelope_evidence::receipt::provenance::Ending;
use envelope_evidence::verify::Said;

use crate::contract::{Contract, Deliverable, Form, Id};

/// Everything that was agreed to be handed over, by the digests of verified receipts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Delivery {
    items: Vec<Delivered>,
}

/// One deliverable and where it comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Delivered {
    /// Which deliverable.
    pub deliverable: Id,
    /// The digest of its bytes.
    pub digest: Digest,
    /// How many bytes.
    pub size: u64,
    /// The receipt that holds the digest.
    pub receipt: Digest,
}

/// Why receipts do not add up to a delivery.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Undelivered {
    /// A run under another contract delivers nothing under this one.
    #[error("receipt `{0}` is of a run under another Paper")]
    OtherPaper(Digest),
    /// No finished run holds it.
    #[error("no finished run produced `{0}`")]
    Missing(Id),
    /// More bytes than agreed.
    #[error("`{deliverable}` has {size} bytes, and at most {max} are taken over")]
    TooLarge {
        /// Which deliverable.
        deliverable: Id,
        /// Its bytes.
        size: u64,
        /// How many are taken.
        max: u64,
    },
}

impl Undelivered {
    /// The stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::OtherPaper(_) => "DELIVERY_OTHER_PAPER",
            Self::Missing(_) => "DELIVERY_MISSING",
            Self::TooLarge { .. } => "DELIVERY_TOO_LARGE",
        }
    }
}

impl Delivery {
    /// What the verified receipts of one purchase deliver, the newest of them last. Only runs that
    /// ended well and whose output evidence was disclosed deliver anything.
    pub fn of(contract: &Contract, paper: Digest, runs: &[Said]) -> Result<Self, Undelivered> {
        let foreign = |run: &&Said| run.receipt.paper.as_ref().map(|of| of.digest) != Some(paper);
        if let Some(run) = runs.iter().find(foreign) {
            return Err(Undelivered::OtherPaper(run.id));
        }
        let items = contract.deliverables.iter().map(|deliverable| newest(deliverable, runs));
        Ok(Self { items: items.collect::<Result<_, _>>()? })
    }

    /// Every deliverable, in the order of the contract.
    pub fn items(&self) -> &[Delivered] {
        &self.items
    }

    /// The deliverable called `id`.
    pub fn item(&self, id: &Id) -> Option<&Delivered> {
        self.items.iter().find(|item| item.deliverable == *id)
    }
}

fn newest(deliverable: &Deliverable, runs: &[Said]) -> Result<Delivered, Undelivered> {
    let found = runs.iter().rev().find_map(|run| {
        let ending = run.evidence.output.as_ref().map(|output| &output.envelope)?;
        let (digest, size) = if ending.outcome == Outcome::Ok {
            stored(&deliverable.form, ending)?
        } else {
            return None;
        };
        let id = deliverable.id.clone();
        Some(Delivered { deliverable: id, digest, size, receipt: run.id })
    });
    let item = found.ok_or_else(|| Undelivered::Missing(deliverable.id.clone()))?;
    match &deliverable.form {
        Form::File { bytes_max, .. } if item.size > bytes_max.get() => {
            let max = bytes_max.get();
            Err(Undelivered::TooLarge { deliverable: item.deliverable, size: item.size, max })
        }
        Form::File { .. } | Form::Result {} => Ok(item),
    }
}

fn stored(form: &Form, ending: &Ending) -> Option<(Digest, u64)> {
    match form {
        Form::Result {} => ending.result.as_ref().map(|value| (value.digest, value.size)),
        Form::File { path, .. } => {
            let output = ending.outputs.iter().find(|output| *output.path == **path)?;
            Some((output.digest, output.size))
        }
    }
}
