//! Contracts as a type system.
//!
//! What two parties agreed, as data that a machine can check and a court can read. This crate never
//! reads a clock, a disk, a socket or a source of randomness, and holds no float: time, keys and
//! salts are arguments. It never decides whether a call may happen (that is `envelope-rules`) and
//! never records one (that is `envelope-evidence`).

pub mod acceptance;
pub mod badge;
pub mod contract;
pub mod deal;
pub mod dispute;
pub mod document;
pub mod escrow;
pub mod export;
pub mod purchase;
pub mod schema;
pub mod source;

pub use contract::{Contract, Flaw};
