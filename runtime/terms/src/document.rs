//! Documents and the one hash chain they stand in.
//!
//! A chain runs from the terms of service to the newest side letter. Each document is a node of
//! canonical JSON that names the digest of the node before it, so the digest of the last one, the
//! head, stands for all of them. Ancestors of the MSA may be absent; from the Paper on, nothing
//! joins the chain that not both parties signed.
//!
//! [`Chain`] builds and [`verify_chain`] checks an exported folder, by the same rules.

mod chain;
mod clause;
mod difference;
mod folder;
mod kind;
mod node;
mod precedence;
mod prose;
mod reader;
mod redline;
mod refused;
mod rules;
pub(crate) mod shape;
mod side_letter;
mod signature;
mod signers;
mod snapshot;
mod verify;

/// What a side letter needs of a source of chance.
pub use hpke::rand_core::CryptoRng;

pub use chain::{Chain, Document, Hashes};
pub use clause::{CLAUSES_MAX, Clause, ClauseProof, Disclosure, PREAMBLE, Shown};
pub use difference::{BadChange, Change, Terms, apply, difference};
pub use folder::{Files, Part, SNAPSHOT_FILE, own_keys};
pub use kind::Kind;
pub use node::{Amendment, Body, Commitment, DOCUMENTS_MAX, Node, Paper, Standard};
pub use precedence::{Conflict, Effective, Layers, Unsettled};
pub use prose::{BadProse, PROSE_BYTES_MAX, Salt, Text};
pub use reader::{BadReaderKey, ReaderKey, ReaderSecret};
pub use redline::{Redline, redline};
pub use refused::Refused;
pub use side_letter::{READERS_MAX, Sealed, SideLetter, Unreadable, open, seal};
pub use signature::{Level, SIGNATURE_TYPE, Signing, sign};
pub use signers::{BadSigners, SIGNERS_MAX, Side, Signers};
pub use snapshot::{SNAPSHOT_TYPE, Snapshot, Taken};
pub use verify::{Agreed, verify_chain};
