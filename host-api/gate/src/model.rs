//! Language models: whoever answers, how they are asked, and what it costs.
//!
//! ```text
//! grant → name allowed → priced → clamped → reserved → begun (durable)
//!       → resolved, dialled, key added → streamed under meters → settled → answered
//! ```
//!
//! The door itself is [`Gate::pay`](crate::gate::Gate); this module is what stands outside of it:
//! one trait, [`Provider`], with an adapter per wire format and a stub that says it is one. A
//! provider is told the longest answer that is affordable, writes it into the request and reads it
//! back from the bytes that are sent. One physical attempt is one call of the journal with a hold
//! of its own: nothing is sent twice under one.

mod anthropic;
mod books;
mod credit;
mod events;
pub(crate) mod front;
mod gathering;
mod models;
mod openai;
mod outcome;
mod over_http;
mod over_network;
mod provider;
mod purse;
mod stub;
pub mod transport;

pub use books::{Books, Chain, Days, Spent, Tab};
pub use credit::{LIMIT_BYTES_MAX, response_bytes};
pub use gathering::Gathering;
pub use models::{ATTEMPTS_MAX, Models, Policy, REST_MILLIS, RESTS_AFTER};
pub(crate) use models::{Live, Seat};
pub(crate) use outcome::Chunk;
pub use outcome::{Outcome, Reply, Then, Usage};
pub use over_http::{Anthropic, OpenAi, OverHttp};
pub use over_network::{BadAddress, Key, OverNetwork, Surroundings, tell};
pub use provider::{
    Asking, Coming, Embedded, Embedding, Failed, Finish, Images, Next, Order, Piece, Provider,
    Texts,
};
pub(crate) use provider::{IMAGE_BYTES_MAX, IMAGES_MAX};
pub use purse::{InMemoryPurse, Pending, Purse};
pub use stub::{Asked, Script, Stub};
