//! Contracts: their data, their documents, and what becomes of a purchase.

mod contract;
pub mod exports;
pub mod sample;
