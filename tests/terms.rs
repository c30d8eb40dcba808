//! Contracts: their data, their documents, and what becomes of a purchase.

mod amendment;
mod chain;
mod contract;
pub mod documents;
pub mod contract;
pub mod exports;
mod precedence;
mod escrow;
mod machine;
pub mod sample;
mod side_letter;
mod schema;
mod source;
