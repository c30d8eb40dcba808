//! Checks that several parts share.

use std::collections::BTreeSet;

use super::flaw::{Code, Flaw};
use super::number::{WHOLE, Weight};

/// One flaw for each name that stood in the list before.
pub(super) fn unique<'a>(
    list: &str,
    field: &str,
    names: impl IntoIterator<Item = &'a str>,
) -> Vec<Flaw> {
    let mut seen = BTreeSet::new();
    let again = names.into_iter().enumerate().filter(|(_, name)| !seen.insert(*name));
    let flaw = |(at, name)| {
        let message = format!("`{name}` is listed twice");
        Flaw::new(Code::Duplicate, format!("{list}/{at}{field}"), message)
    };
    again.map(flaw).collect()
}

/// A flaw when the weights of a list do not make a whole.
pub(super) fn whole(list: &str, weights: impl IntoIterator<Item = Weight>) -> Option<Flaw> {
    let sum = weights.into_iter().fold(0, |sum: u64, weight| sum.saturating_add(weight.get()));
    let message = || format!("the weights add up to {sum} basis points, not {WHOLE}");
    (sum != WHOLE).then(|| Flaw::new(Code::Weights, list, message()))
}
