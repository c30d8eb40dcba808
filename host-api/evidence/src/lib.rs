//! What happened, provable by strangers.
//!
//! Canonical JSON, digests, hash links, keys, journals, receipts and their verification. This crate
//! never reads a clock, a disk, a socket or a source of randomness: time and secrets are arguments.

pub mod canonical;
pub mod chain;
pub mod digest;
pub mod dsse;
pub mod journal;
pub mod key;
pub mod keyring;
pub mod merkle;
pub mod preview;
pub mod receipt;
pub mod statement;
pub mod text;
pub mod time;
pub mod tlog;
mod ulid;
pub mod usage;
pub mod verify;

pub use digest::Digest;
pub use preview::Preview;
pub use text::{Label, PathText};
pub use time::Timestamp;
pub use ulid::ulid;
pub use usage::{Dimension, Usage};
