//! Contracts: their data, their documents, and what becomes of a purchase.

pub mod contract;
pub mod exports;
pub mod sample;
mod schema;
