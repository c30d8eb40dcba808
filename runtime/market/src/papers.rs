//! Papers: what is offered, under which standing agreement, and what somebody would buy.

pub mod listing;
pub mod msa;
mod party;
pub mod quote;

pub use quote::Paper;
