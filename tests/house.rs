//! The house itself: sizes, words, the crate graph, the README, forgotten files.
