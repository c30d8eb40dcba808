//! The house itself: sizes, words, the crate graph, the README, forgotten files.

mod forgotten;
mod graph;
mod lints;
mod readme;
mod source;
mod tidy;
mod tokens;
mod wasm;
