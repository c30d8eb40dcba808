//! What happened: canonical JSON, digests, keys, journals, receipts, verification.

mod journal;
mod mutation;
mod receipt;
pub mod sample;
