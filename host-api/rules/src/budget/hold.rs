//! A hold: the worst case of one call, set aside until its outcome is known.

use envelope_evidence::{Digest, Usage};
use serde::{Deserialize, Serialize};

/// Names a hold for good: the meter that made it and its number there. The idempotency key of the
/// settlement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HoldId {
    /// The meter's name.
    pub meter: Digest,
    /// Counted from zero, never used twice.
    pub number: u64,
}

/// Money and more set aside for one call.
///
/// It is made by [`reserve`](super::Meter::reserve) alone and used up by `settle`, `void` or
/// `forfeit`: it cannot be cloned, so it cannot be settled twice.
///
/// ```compile_fail
/// fn twice(hold: envelope_rules::budget::Hold) -> [envelope_rules::budget::Hold; 2] {
///     [hold.clone(), hold]
/// }
/// ```
///
/// Dropping it releases nothing. What it held stays held, since nobody knows whether the call was
/// sent: a lost hold can under-spend, never over-spend.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "a hold that is never settled stays held"]
pub struct Hold {
    id: HoldId,
    worst: Usage,
}

impl Hold {
    pub(super) const fn new(id: HoldId, worst: Usage) -> Self {
        Self { id, worst }
    }

    /// Its name, for the journal and for recovery.
    pub const fn id(&self) -> HoldId {
        self.id
    }

    /// What is set aside.
    pub const fn worst(&self) -> &Usage {
        &self.worst
    }
}

/// What the meter remembers of a hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OpenHold {
    pub(super) number: u64,
    pub(super) worst: Usage,
    /// The row of the day on which it was admitted, whatever day it is when it is settled.
    pub(super) day: Option<u32>,
}
