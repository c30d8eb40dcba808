//! The store, on both engines: what it keeps, and what cannot be quietly changed in it.

mod attacks;
mod backup;
mod blobs;
pub mod bucket;
mod budget;
pub mod cuts;
mod journal;
pub mod log;
mod migrations;
mod movements;
mod nouns;
mod outbox;
pub mod postgres;
mod receipts;
mod roles;
mod schema;
mod signers;
mod statements;
mod stops;
mod tls;
mod vault;
mod work;
pub mod world;
