//! Models: what they may cost, whoever answers, and what is written down of it.

mod caps;
mod content;
mod crash;
mod days;
pub mod desk;
mod drawn;
mod faults;
mod front;
mod responses;
mod streams;
pub mod wire;
