//! WASI 0.2 over the gate, one file per package.

pub mod cli;
pub mod clocks;
pub(crate) mod files;
pub mod filesystem;
pub mod http;
pub mod poll;
pub mod random;
pub mod sockets;
pub mod streams;
