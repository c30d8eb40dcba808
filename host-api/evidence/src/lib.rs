//! What happened, provable by strangers.
//!
//! Canonical JSON, digests, hash links, keys, journals, receipts and their verification. This crate
//! never reads a clock, a disk, a socket or a source of randomness: time and secrets are arguments.

pub mod canonical;
pub mod chain;
pub mod digest;
pub mod merkle;
pub mod time;
pub mod tlog;
pub mod usage;

pub use digest::Digest;
pub use time::Timestamp;
pub use usage::Usage;
