//! The market: what people and agents do to each other, on both databases.

mod caps;
mod disputes;
mod hooks;
pub mod house;
mod humans;
mod races;
mod refusals;
mod story;
