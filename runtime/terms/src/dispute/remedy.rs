//! The graduated remedy: how much goes back for what was not met.

use std::collections::{BTreeMap, BTreeSet};

use crate::contract::{Id, Remedy, Share, Verdict, WHOLE, Weight};

/// What `criteria` weigh together, in basis points.
pub fn weight_of(criteria: &BTreeSet<Id>, weights: &BTreeMap<Id, Weight>) -> Share {
    let sum = criteria.iter().filter_map(|id| weights.get(id)).map(|weight| weight.get());
    let sum = sum.fold(0_u64, u64::saturating_add).min(WHOLE);
    Share::new(sum).unwrap_or(Share::MAX)
}

/// The share that goes back: all, nothing, or what the remedy says for this unmet weight. It never
/// falls when more is unmet, nor, in a table that was validated, when the stakes rise.
pub fn refund_share(verdict: Verdict, remedy: &Remedy, unmet: Share) -> Option<Share> {
    match verdict {
        Verdict::Refund => Some(Share::MAX),
        Verdict::Release => Some(Share::MIN),
        Verdict::Partial => Some(remedy.refund(unmet)),
        Verdict::CannotDecide => None,
    }
}
