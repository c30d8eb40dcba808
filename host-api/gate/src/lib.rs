//! The only door to the world: journal → rules → effect → journal.

pub mod airlock;
pub mod bindings;
pub mod cost;
pub mod desk;
pub mod egress;
pub mod gate;
pub mod host;
pub mod inside;
pub mod journal;
pub mod kill;
pub mod link;
pub mod model;
pub mod net;
pub mod peers;
pub mod request;
pub mod schema;
pub mod stop;
pub mod wasi;
pub mod workspace;
pub mod world;
