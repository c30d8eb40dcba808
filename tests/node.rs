//! Nodes: the real engine on the real store, each node a process of its own where it can die.

mod away;
mod breaks;
mod cuts;
mod days;
mod hopeless;
pub mod house;
mod leaving;
mod liars;
mod nodes;
mod waiting;
