//! Software nobody here wrote checks what we emit: Python, Node and Go.

mod canonical;
mod chain;
pub mod componentize;
mod digests;
mod gateway;
mod grants;
pub mod hooks;
mod keys;
mod log;
mod models;
mod policies;
mod receipts;
mod schema;
mod sdks;
mod stranger;
mod witness;
