//! The HTTP API, on both databases, asked by a client that nobody here wrote.

mod calls;
mod hooks;
mod house;
mod sessions;
mod stops;
mod table;
mod walk;
