//! The market: what people and agents do to each other, on both databases.

mod disputes;
mod house;
mod refusals;
mod story;
