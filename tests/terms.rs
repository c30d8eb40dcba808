//! Contracts: their data, their documents, and what becomes of a purchase.

mod amendment;
mod chain;
mod contract;
pub mod documents;
pub mod exports;
mod precedence;
pub mod sample;
mod side_letter;
