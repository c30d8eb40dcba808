//! Contracts: their data, their documents, and what becomes of a purchase.

mod acceptance;
mod amendment;
mod badge;
mod chain;
pub mod contract;
pub mod deal;
mod dispute;
pub mod documents;
mod escrow;
pub mod exports;
pub mod machine;
mod placed;
mod precedence;
mod purchase;
pub mod sample;
mod schema;
mod side_letter;
pub mod source;
