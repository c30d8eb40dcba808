//! The only door to the world: journal → rules → effect → journal.

pub mod workspace;
