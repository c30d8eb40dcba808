//! The store, on both engines: what it keeps, and what cannot be quietly changed in it.

mod attacks;
mod backup;
mod blobs;
mod budget;
mod cuts;
mod journal;
pub mod log;
mod migrations;
mod movements;
mod nodes;
mod nouns;
mod outbox;
mod postgres;
mod receipts;
mod roles;
mod schema;
mod signers;
mod statements;
mod tls;
mod vault;
mod work;
pub mod world;
