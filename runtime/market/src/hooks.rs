//! Webhooks: whoever wants to be told is told, over HTTP, by [Standard Webhooks].
//!
//! ```text
//! a change → a message of the outbox → a delivery for each hook that wants it → errands
//! ```
//!
//! Each step is one transaction with what it follows from, so nothing is told that did not happen,
//! and nothing is forgotten. A delivery may arrive twice, under the same id. An errand that fails
//! falls due again, each time after twice as long, until it was tried [`TRIES_MAX`] times.
//!
//! [Standard Webhooks]: https://www.standardwebhooks.com

mod courier;
mod delivery;
mod hook;
mod seal;

pub use courier::{Courier, TRIES_MAX};
pub(crate) use delivery::spread;
pub use delivery::{Delivery, again, deliveries};
pub use hook::{HOOKS_MAX, Hook, NewHook, OVERLAP_SECS, Topic, end, renew, subscribe, view};
