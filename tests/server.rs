//! The HTTP API, on both databases, asked by a client that nobody here wrote.

mod calls;
mod house;
mod sessions;
mod table;
mod walk;
