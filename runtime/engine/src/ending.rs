//! How a run ended, read off what the engine says. The one place that knows the engine's errors.

use envelope_evidence::journal::Outcome;
use envelope_gate::stop::Stop;
use wasmtime::Trap;

/// What the engine says when a call carries more than `Limits::hostcall_bytes`. It has no type that
/// can be named; a guest of the tests holds the words.
const TOO_MUCH: &str = "fuel allocated for hostcalls has been exhausted";

/// Why a guest came back without a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ending {
    /// The run ended like this, for this reason.
    Ended(Outcome, String),
    /// It did not end: it was put aside, diverged, or the world failed.
    Stopped(Stop),
}

/// Classifies `error`. `met` is the limit of memory or tables that the guest met, if it met one.
pub(crate) fn of(error: &wasmtime::Error, met: Option<&'static str>) -> Ending {
    if let Some(stop) = error.downcast_ref::<Stop>() {
        return match stop.ending() {
            Some((outcome, reason)) => Ending::Ended(outcome, reason),
            None => Ending::Stopped(stop.clone()),
        };
    }
    if let Some(trap) = error.downcast_ref::<Trap>() {
        return of_trap(*trap, met);
    }
    if error.is::<wasmtime::component::ResourceTableError>() {
        return Ending::Ended(Outcome::Exhausted, "handles".to_owned());
    }
    if format!("{error:#}").contains(TOO_MUCH) {
        return Ending::Ended(Outcome::Exhausted, "bytes of one call".to_owned());
    }
    match met {
        Some(limit) => Ending::Ended(Outcome::Exhausted, limit.to_owned()),
        None => Ending::Ended(Outcome::Crashed, first_words(&format!("{error:#}"))),
    }
}

fn of_trap(trap: Trap, met: Option<&'static str>) -> Ending {
    match (trap, met) {
        (Trap::OutOfFuel, _) => Ending::Ended(Outcome::Exhausted, "fuel".to_owned()),
        (Trap::StackOverflow, _) => Ending::Ended(Outcome::Exhausted, "stack".to_owned()),
        // A program that is refused memory usually gives up like this.
        (Trap::UnreachableCodeReached, Some(limit)) => {
            Ending::Ended(Outcome::Exhausted, limit.to_owned())
        }
        (trap, _) => Ending::Ended(Outcome::Crashed, trap.to_string()),
    }
}

fn first_words(text: &str) -> String {
    text.lines().next().unwrap_or_default().chars().take(200).collect()
}
