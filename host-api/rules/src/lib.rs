//! May it happen?
//!
//! Grants, path and host patterns, egress, budget and the guard that turns a call into a
//! [`Permit`](guard::Permit) or a [`Denial`]. This crate never reads a clock, a disk, a socket or a
//! source of randomness, and holds no float: time, keys and state are arguments.

pub mod approval;
pub mod budget;
pub mod content;
pub mod denial;
pub mod egress;
pub mod grant;
pub mod guard;
pub mod jws;
pub mod kill;
pub mod life;
pub mod model;
pub mod path;
pub mod pattern;

pub use denial::{Code, Denial};
pub use grant::Grant;
pub use path::Path;
pub use pattern::{Pattern, PatternSet};
