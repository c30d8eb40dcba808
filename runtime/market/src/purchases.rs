//! Purchases: bought, paid in, worked on, looked at, settled. What may happen when, and where the
//! money goes, is for `terms` to say; these commands tell it what happened, and keep what it says.

pub mod accept;
pub mod buy;
pub(crate) mod caps;
mod clock;
pub(crate) mod deal;
pub mod deliver;
pub mod follow;
pub mod launch;
pub mod money;
pub(crate) mod view;

pub use caps::RUNS_MAX;
pub use deal::load;
pub use view::{Money, Ordered, Purchase, receipts, view};
