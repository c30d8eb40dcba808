//! A node: it claims runs from the store's queue, runs them with the engine, and keeps in the store
//! what became of them.
//!
//! A run is its row, its journal and its blobs, and nothing else: no node has anything of it that
//! another would miss. Its journal begins with the [launch], so every node only ever goes on with a
//! run, whether nobody had it before, a node died with it, or it waited for a human. What a node
//! writes it writes while it holds the lease, in the same transaction.

mod agents;
mod asked;
mod beats;
mod calendar;
mod desk;
mod error;
mod export;
mod finish;
mod hopeless;
mod house;
mod known;
pub mod launch;
mod listed;
mod load;
mod node;
mod outside;
mod room;
mod run;
mod seat;
mod sheet;

pub use asked::{Asked, Late};
pub use calendar::{Calendar, NoZone};
pub use desk::{decide, decide_within, waiting};
pub use error::NodeError;
pub use export::{export, finished};
pub use house::{House, now};
pub use listed::{LIST_MAX, Listed, list, state};
pub use node::{Drained, Keys, Node, RUNS, Settings, Tell, Told};
pub use outside::{Outside, Seen};
pub use run::Came;
pub use sheet::{Over, Sheet};
