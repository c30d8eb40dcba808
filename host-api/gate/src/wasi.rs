//! WASI 0.2 over the gate, one file per package.

pub mod cli;
pub mod filesystem;
