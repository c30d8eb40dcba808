//! The world outside a run, as arguments: the time, what the store says about a grant, whether
//! somebody wants the run stopped.

use std::future::Future;
use std::pin::Pin;

use envelope_evidence::Timestamp;

use crate::stop::{Fault, Stop};

/// What a run can learn from outside. Asked live, never on replay.
pub trait World: Send + Sync {
    /// The time.
    fn now(&self) -> Timestamp;

    /// Waits until `instant`.
    fn sleep_until(&self, instant: Timestamp) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;

    /// What is known of the grant `jti` at this moment.
    fn standing(&self, jti: &str) -> GrantState;

    /// Whether the run has to stop, or to be put aside. Asked at every passage through the gate.
    fn stopped(&self) -> Option<Stop>;

    /// Performs an effect outside, once, under the idempotency key `key`.
    fn perform<'a>(&'a self, key: &'a str, request: &'a [u8]) -> Performing<'a>;
}

/// An effect under way.
pub type Performing<'a> = Pin<Box<dyn Future<Output = Result<Vec<u8>, Fault>> + Send + 'a>>;

/// What the store says about a grant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GrantState {
    /// The run that redeemed it.
    pub bound_run: Option<String>,
    /// Whether it was withdrawn.
    pub revoked: bool,
}
