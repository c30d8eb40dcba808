//! Software nobody here wrote checks what we emit: Python and Node packages.

mod canonical;
mod chain;
mod digests;
mod grants;
mod keys;
mod models;
mod policies;
mod receipts;
mod schema;
mod stranger;
