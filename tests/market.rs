//! The market: what people and agents do to each other, on both databases.

mod house;
mod story;
