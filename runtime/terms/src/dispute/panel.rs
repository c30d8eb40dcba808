//! What a panel believes: `Σ(cᵢwᵢpᵢ) / Σ(cᵢwᵢ)`, exactly.

use std::collections::{BTreeMap, BTreeSet};

use super::event::Answer;
use crate::contract::{Dispute, Evaluator, Exact, Id, Verdict, WHOLE};

/// A probability is told in so many parts.
pub const MILLION: u64 = 1_000_000;

/// A probability, in millionths.
pub type Million = Exact<0, MILLION>;

/// One usable answer and its weight.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Voice {
    /// The weight of the evaluator, in basis points.
    pub weight: u64,
    /// How sure it is.
    pub confidence: Million,
    /// How likely it thinks the buyer is right.
    pub buyer: Million,
    /// The criteria it finds unmet.
    pub unmet: BTreeSet<Id>,
}

/// The panel's belief in the buyer, as an exact fraction of [`MILLION`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Posterior {
    numerator: u128,
    denominator: u128,
}

impl Voice {
    /// The voice of a model that is asked alone; none if it gave no belief.
    pub(super) fn alone(answer: &Answer) -> Vec<Self> {
        Self::of(WHOLE, answer).into_iter().collect()
    }

    fn of(weight: u64, answer: &Answer) -> Option<Self> {
        match answer {
            Answer::Belief { buyer, confidence, unmet } => {
                let (buyer, confidence, unmet) = (*buyer, *confidence, unmet.clone());
                Some(Self { weight, confidence, buyer, unmet })
            }
            Answer::CannotDecide {} | Answer::Failed { .. } => None,
        }
    }

    fn say(&self) -> u128 {
        u128::from(self.weight) * u128::from(self.confidence.get())
    }
}

/// What `voices` believe together; none when nobody has any say.
pub fn posterior(voices: &[Voice]) -> Option<Posterior> {
    let denominator: u128 = voices.iter().map(Voice::say).sum();
    let numerator: u128 =
        voices.iter().map(|voice| voice.say() * u128::from(voice.buyer.get())).sum();
    (denominator > 0).then_some(Posterior { numerator, denominator })
}

impl Posterior {
    /// The belief in millionths, rounded down: for readers. Verdicts rest on the exact fraction.
    pub fn millionths(&self) -> Million {
        let rounded = self.numerator.checked_div(self.denominator);
        let rounded = rounded.and_then(|rounded| u64::try_from(rounded).ok());
        rounded.and_then(|rounded| Million::new(rounded).ok()).unwrap_or(Million::MAX)
    }

    /// The verdict by the frozen thresholds; none between them.
    pub fn verdict(&self, rules: &Dispute) -> Option<Verdict> {
        if self.reaches(rules.refund_from.get()) {
            Some(Verdict::Refund)
        } else if self.stays_within(rules.release_to.get()) {
            Some(Verdict::Release)
        } else {
            None
        }
    }

    fn reaches(&self, basis_points: u64) -> bool {
        let (left, right) = self.scaled(basis_points);
        left >= right
    }

    fn stays_within(&self, basis_points: u64) -> bool {
        let (left, right) = self.scaled(basis_points);
        left <= right
    }

    /// Both sides of `belief ? threshold`, multiplied out: no rounding on either.
    fn scaled(&self, basis_points: u64) -> (u128, u128) {
        let Self { numerator, denominator } = *self;
        let (whole, million) = (u128::from(WHOLE), u128::from(MILLION));
        (numerator * whole, denominator * million * u128::from(basis_points))
    }
}

/// The voices of those who gave a belief.
pub(super) fn voices(panel: &[Evaluator], answers: &BTreeMap<Id, Answer>) -> Vec<Voice> {
    let voice = |one: &Evaluator| Voice::of(one.weight.get(), answers.get(&one.id)?);
    panel.iter().filter_map(voice).collect()
}

/// The criteria that voices with more than half of the say find unmet.
pub(super) fn unmet(voices: &[Voice]) -> BTreeSet<Id> {
    let all: u128 = voices.iter().map(Voice::say).sum();
    let named: BTreeSet<&Id> = voices.iter().flat_map(|voice| &voice.unmet).collect();
    let carried = |id: &&Id| {
        let say = voices.iter().filter(|voice| voice.unmet.contains(*id)).map(Voice::say);
        say.sum::<u128>() * 2 > all
    };
    named.into_iter().filter(carried).cloned().collect()
}
