//! Worlds without anything in them.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};

use envelope_evidence::Timestamp;
use envelope_gate::stop::{Fault, Stop};
use envelope_gate::world::{GrantState, Performing, World};

/// The world of a replay: there is none. Whoever asks it has left the record.
pub(crate) struct Nowhere;

/// The world of an agent that describes itself: nothing moves in it, but that whoever waits finds
/// that the time has come.
#[derive(Default)]
pub(crate) struct Still {
    millis: AtomicU64,
}

impl World for Nowhere {
    fn now(&self) -> Timestamp {
        Timestamp::ZERO
    }

    fn sleep_until(&self, _instant: Timestamp) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(std::future::ready(()))
    }

    fn standing(&self, _jti: &str) -> GrantState {
        GrantState { bound_run: None, revoked: true }
    }

    fn stopped(&self) -> Option<Stop> {
        Some(Stop::EndOfRecord)
    }

    fn perform<'a>(&'a self, _key: &'a str, _request: &'a [u8]) -> Performing<'a> {
        Box::pin(std::future::ready(Err(Fault::Unavailable("the world, on a replay,"))))
    }
}

impl World for Still {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.millis.load(Ordering::Relaxed)).unwrap_or(Timestamp::MAX)
    }

    fn sleep_until(&self, instant: Timestamp) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        self.millis.fetch_max(instant.millis(), Ordering::Relaxed);
        Box::pin(std::future::ready(()))
    }

    fn standing(&self, _jti: &str) -> GrantState {
        GrantState { bound_run: None, revoked: true }
    }

    fn stopped(&self) -> Option<Stop> {
        None
    }

    fn perform<'a>(&'a self, _key: &'a str, _request: &'a [u8]) -> Performing<'a> {
        Box::pin(std::future::ready(Err(Fault::Unavailable("the world"))))
    }
}
