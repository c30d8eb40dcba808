//! The store, on both engines: what it keeps, and what cannot be quietly changed in it.

mod attacks;
mod budget;
mod journal;
pub mod log;
mod migrations;
mod nouns;
mod outbox;
mod postgres;
mod roles;
mod schema;
mod statements;
mod work;
pub mod world;
