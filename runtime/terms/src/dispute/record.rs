//! The sealed record: everything the panel may read, fixed when a dispute opens.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use envelope_evidence::merkle::{self, Unproven};
use envelope_evidence::{Digest, Label, Timestamp, canonical};

use super::Rules;
use crate::contract::{DigestShape, Id, LabelShape, Sentence, Verdict};

/// Receipts, slices, deliverables, observations and telemetry files in one record, each: a year of
/// daily runs.
pub const LIST_MAX: usize = 400;

/// Calls in all slices of a record: what a reader can still follow, and the panel too.
pub const TRACED_MAX: usize = 10_000;

/// What the panel may read, by digest. Both parties see the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SealedRecord {
    /// The dispute it was sealed for.
    pub dispute: Digest,
    /// When it was sealed.
    pub sealed: Timestamp,
    /// The digests of the documents, the Paper's last.
    pub papers: Vec<Digest>,
    /// The question, as it was frozen.
    pub question: Sentence,
    /// What may be answered, as it was frozen.
    pub options: Vec<Verdict>,
    /// The receipts of all runs, oldest first.
    pub receipts: Vec<Digest>,
    /// What was delivered.
    pub deliverables: Vec<Delivered>,
    /// The observations.
    pub observations: Vec<Digest>,
    /// The calls that matter, each proven to be in its run.
    pub trace: Vec<TraceSlice>,
    /// What others recorded about the same runs.
    pub telemetry: Vec<Telemetry>,
}

/// What was delivered in one place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Delivered {
    /// Which deliverable of the contract.
    pub deliverable: Id,
    /// The digest of its bytes.
    #[schemars(with = "DigestShape")]
    pub digest: Digest,
}

/// Some calls of one run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TraceSlice {
    /// The receipt that commits to all calls of the run.
    pub receipt: Digest,
    /// The root of the tree over all calls, as the receipt tells it.
    pub root: Digest,
    /// How many calls there were.
    pub count: u64,
    /// The calls.
    pub calls: Vec<Traced>,
}

/// One call and the proof that the run made it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Traced {
    /// Which call.
    pub index: u64,
    /// Its leaf hash.
    pub leaf: Digest,
    /// The way to the root.
    pub proof: Vec<Digest>,
}

/// A file that another system recorded: evidence of what that system says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Telemetry {
    /// Who recorded it.
    #[schemars(with = "LabelShape")]
    pub source: Label,
    /// The digest of the file.
    #[schemars(with = "DigestShape")]
    pub digest: Digest,
}

/// Why a record cannot be sealed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadRecord {
    /// Of another dispute.
    #[error("it was sealed for dispute `{0}`")]
    OtherDispute(Digest),
    /// Of another Paper.
    #[error("its last document is not the Paper in dispute")]
    OtherPaper,
    /// Question or options differ from the frozen ones.
    #[error("its question or options are not those of the Paper")]
    OtherQuestion,
    /// A slice of a run that is not in the record.
    #[error("slice {0} is of a run whose receipt is not in the record")]
    NoReceipt(usize),
    /// A call that its run did not make.
    #[error("call {call} of slice {slice} is not proven: {why}")]
    Unproven {
        /// Which slice.
        slice: usize,
        /// Which call, by its index in the run.
        call: u64,
        /// Why not.
        why: Unproven,
    },
    /// More than a list takes.
    #[error("`{0}` has too many entries")]
    TooMany(&'static str),
    /// It has no canonical form.
    #[error(transparent)]
    Canonical(#[from] canonical::Refused),
}

impl SealedRecord {
    /// The record's name.
    pub fn digest(&self) -> Result<Digest, canonical::Refused> {
        Ok(Digest::of(&canonical::of(self)?))
    }

    /// Whether it is a record of `dispute` under `rules` whose proofs hold.
    pub(super) fn check(&self, dispute: Digest, rules: &Rules) -> Result<(), BadRecord> {
        if self.dispute != dispute {
            return Err(BadRecord::OtherDispute(self.dispute));
        }
        if self.papers.last() != Some(&rules.paper) {
            return Err(BadRecord::OtherPaper);
        }
        if self.question != rules.dispute.question || *self.options != *rules.dispute.options {
            return Err(BadRecord::OtherQuestion);
        }
        self.check_sizes()?;
        for (at, slice) in self.trace.iter().enumerate() {
            if !self.receipts.contains(&slice.receipt) {
                return Err(BadRecord::NoReceipt(at));
            }
            slice.check().map_err(|(call, why)| BadRecord::Unproven { slice: at, call, why })?;
        }
        Ok(())
    }

    fn check_sizes(&self) -> Result<(), BadRecord> {
        let lists = [
            ("papers", self.papers.len()),
            ("receipts", self.receipts.len()),
            ("deliverables", self.deliverables.len()),
            ("observations", self.observations.len()),
            ("trace", self.trace.len()),
            ("telemetry", self.telemetry.len()),
        ];
        if let Some((name, _)) = lists.into_iter().find(|(_, len)| *len > LIST_MAX) {
            return Err(BadRecord::TooMany(name));
        }
        let calls = self.trace.iter().map(|slice| slice.calls.len());
        if calls.fold(0_usize, usize::saturating_add) > TRACED_MAX {
            return Err(BadRecord::TooMany("trace"));
        }
        Ok(())
    }
}

impl TraceSlice {
    fn check(&self) -> Result<(), (u64, Unproven)> {
        self.calls.iter().try_for_each(|call| {
            let Traced { index, leaf, proof } = call;
            merkle::verify_inclusion(self.root, self.count, *index, *leaf, proof)
                .map_err(|why| (*index, why))
        })
    }
}
