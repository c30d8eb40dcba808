//! Contracts: their data, their documents, and what becomes of a purchase.

mod amendment;
mod chain;
mod acceptance;
mod badge;
mod contract;
pub mod documents;
pub mod contract;
pub mod exports;
mod precedence;
mod deal;
mod dispute;
mod escrow;
pub mod exports;
mod machine;
mod purchase;
pub mod sample;
mod side_letter;
mod schema;
mod source;
