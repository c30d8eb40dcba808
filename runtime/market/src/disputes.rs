//! Disputes: opened by a party, decided by the panel that the Paper names, or by a human.

pub mod answer;
pub mod decide;
pub mod open;
mod step;

pub(crate) use step::overdue;
