//! How a run ended, read off what the engine says. The one place that knows the engine's errors.
//!
//! Some come as types, some only as words. The words are those of a pinned engine, and a test makes
//! the engine say each of them.

use envelope_evidence::journal::Outcome;
use envelope_gate::stop::{Fault, Stop};
use wasmtime::component::ResourceTableError;
use wasmtime::{Error, PoolConcurrencyLimitError, Trap};

use crate::limits::Met;

/// Characters of a reason.
const REASON_CHARS_MAX: usize = 200;

/// Why a guest came back without a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// The run ended like this, for this reason.
    Ended(Outcome, String),
    /// It did not end: it was put aside, diverged, or the world failed.
    Stopped(Stop),
}

/// Limits that the engine only tells in words: what it says, and the limit's name.
const LIMITS: [(&str, &str); 7] = [
    ("exceeds memory limits", "memory"),
    ("exceeds table limits", "table elements"),
    ("resource limit exceeded: memory count", "memories"),
    ("resource limit exceeded: table count", "tables"),
    ("resource limit exceeded: instance count", "instances"),
    ("store handle limit exceeded", "handles"),
    ("fuel allocated for hostcalls", "bytes of one call"),
];

/// Classifies `error`. `met` is the limit of memory or tables that the guest met, if it met one.
pub fn of(error: &Error, met: Option<Met>) -> Ending {
    if let Some(stop) = error.downcast_ref::<Stop>() {
        return match stop.ending() {
            Some((outcome, reason)) => Ending::Ended(outcome, reason),
            None => Ending::Stopped(stop.clone()),
        };
    }
    if let Some(trap) = error.downcast_ref::<Trap>() {
        return of_trap(*trap, met);
    }
    if let Some(error) = error.downcast_ref::<ResourceTableError>() {
        return match error {
            ResourceTableError::Full => exhausted("handles"),
            ResourceTableError::NotPresent
            | ResourceTableError::WrongType
            | ResourceTableError::HasChildren => crashed(&error.to_string()),
        };
    }
    if error.is::<PoolConcurrencyLimitError>() {
        return Ending::Stopped(Fault::NoRoom.into());
    }
    let words = format!("{error:#}");
    let limit = LIMITS.iter().find(|(said, _)| words.contains(said));
    limit.map_or_else(|| crashed(&words), |(_, name)| exhausted(name))
}

fn of_trap(trap: Trap, met: Option<Met>) -> Ending {
    match (trap, met) {
        (Trap::OutOfFuel, _) => exhausted("fuel"),
        (Trap::StackOverflow, _) => exhausted("stack"),
        (Trap::Interrupt, _) => exhausted("wall time"),
        // A program that is refused memory usually gives up like this.
        (Trap::UnreachableCodeReached, Some(met)) => exhausted(met.name()),
        (trap, _) => {
            let words = trap.to_string();
            crashed(words.strip_prefix("wasm trap: ").unwrap_or(&words))
        }
    }
}

fn exhausted(limit: &str) -> Ending {
    Ending::Ended(Outcome::Exhausted, limit.to_owned())
}

fn crashed(words: &str) -> Ending {
    let line = words.lines().next().unwrap_or_default();
    Ending::Ended(Outcome::Crashed, line.chars().take(REASON_CHARS_MAX).collect())
}
