//! Models that charged more than was reserved: nothing more is sent to them until a human says so.

use envelope_evidence::{Digest, Label, Timestamp, Usage};
use serde::{Deserialize, Serialize};

use crate::{Code, Denial};

/// Frozen models that are remembered: more than one operator uses.
pub const FROZEN_MAX: usize = 1024;

/// What is frozen: one model at one provider.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// The provider, by the operator's name for it.
    pub provider: Label,
    /// The model, by its name in the price book.
    pub model: Label,
}

/// Why it is frozen: the first charge above its reservation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Frost {
    /// Where.
    pub place: Place,
    /// The run whose call it was.
    pub run: Label,
    /// The key of the call.
    pub key: Label,
    /// What was reserved.
    pub reserved: Usage,
    /// What was charged.
    pub charged: Usage,
    /// When.
    pub at: Timestamp,
}

/// A human thawed it: for the audit log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[must_use = "a thaw has to be written down"]
pub struct Thaw {
    /// The approval or amendment that allowed it.
    pub by: Digest,
    /// When.
    pub at: Timestamp,
    /// Why it had been frozen.
    pub frost: Frost,
}

/// What is frozen for an organisation. It latches: the first reason stays until a human thaws it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Freezer {
    frozen: Vec<Frost>,
    /// More broke their word than are remembered: nothing is sent to anybody.
    full: bool,
}

impl Freezer {
    /// Freezes. True when it was not frozen yet.
    pub fn freeze(&mut self, frost: Frost) -> bool {
        if self.frost(&frost.place).is_some() {
            return false;
        }
        self.full |= self.frozen.len() >= FROZEN_MAX;
        if !self.full {
            self.frozen.push(frost);
        }
        true
    }

    /// Whether anything may be sent there.
    pub fn check(&self, place: &Place) -> Result<(), Denial> {
        let Place { provider, model } = place;
        match self.frost(place) {
            Some(Frost { run, at, .. }) => {
                let what = format_args!("`{model}` at `{provider}`, since {at}, by run `{run}`");
                Err(Denial::new(Code::BudgetFrozen, what))
            }
            None if self.full => Err(Denial::new(Code::BudgetFrozen, "everything")),
            None => Ok(()),
        }
    }

    /// Thaws on the word of the approval `by`. `None` when it was not frozen.
    pub fn thaw(&mut self, place: &Place, by: Digest, at: Timestamp) -> Option<Thaw> {
        let slot = self.frozen.iter().position(|frost| frost.place == *place)?;
        let frost = self.frozen.remove(slot);
        Some(Thaw { by, at, frost })
    }

    /// Everything that is frozen.
    pub fn frozen(&self) -> &[Frost] {
        &self.frozen
    }

    fn frost(&self, place: &Place) -> Option<&Frost> {
        self.frozen.iter().find(|frost| frost.place == *place)
    }
}
