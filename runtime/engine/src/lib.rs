//! Runs a component under a warrant and gives back a receipt.
//!
//! This crate knows nothing of purchases, users or databases: it takes an [`Order`](run::Order) and
//! leaves a journal. Nothing in it performs an effect; that is the gate's.

mod bindings;
mod books;
pub mod card;
mod cell;
pub mod component;
pub mod config;
mod describe;
pub mod ending;
pub mod epoch;
mod invoke;
pub mod limits;
pub mod local;
mod offline;
pub mod peers;
pub mod prepared;
pub mod replay;
pub mod run;
