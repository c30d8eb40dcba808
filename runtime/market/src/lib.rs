//! What people and agents do to each other in the market.
//!
//! One command per file. Each loads what it changes, has `terms` decide, and saves the row, its
//! message and with them the log, all in the transaction of its [`Turn`]: when it fails, nothing of
//! it happened. Whoever comes over the network is somebody ([`Who`]) before any of this is reached.

pub mod agents;
pub mod approvals;
pub mod disputes;
pub mod hooks;
pub mod identity;
mod ids;
mod keys;
pub mod lists;
mod market;
mod once;
pub mod papers;
pub mod purchases;
mod refused;
pub mod runs;
pub mod shape;
pub mod stops;
mod turn;
mod who;

pub use ids::id;
pub use market::{Act, Market};
pub use once::{AGAIN_MILLIS, Once, Told};
pub use refused::Refused;
pub use turn::Turn;
pub use who::{Means, Role, Who};
