//! Software nobody here wrote checks what we emit: Python, Node and Go.

mod api;
mod canonical;
mod chain;
pub mod componentize;
mod contact;
mod digests;
mod gateway;
mod grants;
pub mod hooks;
mod identity;
mod keys;
mod log;
mod models;
mod policies;
mod receipts;
mod schema;
mod sdks;
mod stranger;
mod witness;
