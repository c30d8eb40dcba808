//! The shape of the sealed record, for its JSON Schema.
//!
//! A record is checked when it is sealed, by its dispute. A shape says the same of every field by
//! itself; that proofs hold, that a slice's receipt is listed and that all slices together are not
//! too many, only several fields can say.

use envelope_evidence::merkle::{PROOF_MAX, SIZE_MAX};
use envelope_evidence::{Digest, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::record::{Delivered, LIST_MAX, TRACED_MAX, Telemetry};
use crate::contract::{DigestShape, Exact, List, Sentence, TimestampShape, Verdict};

/// What the panel may read, by digest. Both parties see the same.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SealedRecord {
    /// What was delivered.
    deliverables: List<Delivered, 0, LIST_MAX>,
    /// The dispute it was sealed for.
    #[schemars(with = "DigestShape")]
    dispute: Digest,
    /// The observations.
    #[schemars(with = "List<DigestShape, 0, LIST_MAX>")]
    observations: List<Digest, 0, LIST_MAX>,
    /// What may be answered, as it was frozen.
    options: Vec<Verdict>,
    /// The digests of the documents, the Paper's last.
    #[schemars(with = "List<DigestShape, 1, LIST_MAX>")]
    papers: List<Digest, 1, LIST_MAX>,
    /// The question, as it was frozen.
    question: Sentence,
    /// The receipts of all runs, oldest first.
    #[schemars(with = "List<DigestShape, 0, LIST_MAX>")]
    receipts: List<Digest, 0, LIST_MAX>,
    /// When it was sealed.
    #[schemars(with = "TimestampShape")]
    sealed: Timestamp,
    /// What others recorded about the same runs.
    telemetry: List<Telemetry, 0, LIST_MAX>,
    /// The calls that matter, each proven to be in its run.
    trace: List<TraceSlice, 0, LIST_MAX>,
}

/// Some calls of one run.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct TraceSlice {
    /// The calls.
    calls: List<Traced, 0, TRACED_MAX>,
    /// How many calls there were.
    count: Exact<0, SIZE_MAX>,
    /// The receipt that commits to all calls of the run.
    #[schemars(with = "DigestShape")]
    receipt: Digest,
    /// The root of the tree over all calls, as the receipt tells it.
    #[schemars(with = "DigestShape")]
    root: Digest,
}

/// One call and the proof that the run made it.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Traced {
    /// Which call.
    index: Exact<0, SIZE_MAX>,
    /// Its leaf hash.
    #[schemars(with = "DigestShape")]
    leaf: Digest,
    /// The way to the root.
    #[schemars(with = "List<DigestShape, 0, PROOF_MAX>")]
    proof: List<Digest, 0, PROOF_MAX>,
}
