//! The test binary. One module per room of the house; `house/forgotten.rs` fails when a file is
//! not reachable from here.

mod cargo;
mod chance;
mod cli;
mod engine;
mod evidence;
mod gate;
mod golden;
mod house;
mod market;
mod models;
mod net;
mod node;
mod not_shown;
mod patience;
mod rules;
mod server;
mod store;
mod strangers;
mod terms;
