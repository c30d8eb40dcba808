//! The HTTP API, on both databases, asked by a client that nobody here wrote.

mod calls;
mod hooks;
pub mod house;
mod isolation;
mod sessions;
mod stops;
mod table;
mod trust;
pub mod village;
mod walk;
