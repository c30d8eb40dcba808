//! What must survive: nouns, money, journals, blobs, secrets, work; and a log that strangers check,
//! of every change of nouns, money, workspaces and secrets.
//!
//! One body of statements runs on SQLite and on PostgreSQL; no other crate knows SQL. Every row
//! belongs to an organisation, and every statement reaches the rows of one alone, unless it is on a
//! short list that is reviewed by name ([`sql::Wide`]).

pub mod audit;
pub mod backup;
pub mod blobs;
pub mod budget;
mod error;
mod files;
mod found;
pub mod journal;
pub mod migrate;
pub mod noun;
pub mod outbox;
pub mod signers;
pub mod sql;
pub mod stops;
mod store;
mod tx;
pub mod value;
pub mod vault;
pub mod work;

pub use error::StoreError;
pub use found::Found;
/// What keeps the bytes of blobs.
pub use object_store::ObjectStore;
pub use store::{Engine, Store};
pub use tx::{ORG_CHARS_MAX, Org, OrgTx, Tx};
