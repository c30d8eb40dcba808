//! What happened: canonical JSON, digests, keys, journals, receipts, verification.

pub mod canonical;
mod chain;
mod fold_property;
mod journal;
mod keys;
mod lies;
mod merkle;
mod mutation;
mod receipt;
pub mod sample;
mod strict;
mod tlog;
