//! What a run was denied, for people: a program that knocks at one door again and again fills one
//! line. Its journal has them one by one.

use std::collections::BTreeMap;

use envelope_evidence::journal::{Denied, Event, Journal};

use crate::page::{BAD, plain, styled};

/// One line for each thing denied, in the order in which they came first.
pub(super) fn lines(journal: &Journal) -> Vec<String> {
    let mut order = Vec::new();
    let mut counts = BTreeMap::<String, usize>::new();
    for entry in journal.entries() {
        let Event::Denied(denied) = &entry.event else { continue };
        let line = line(denied);
        let count = counts.entry(line.clone()).or_default();
        if *count == 0 {
            order.push(line);
        }
        *count += 1;
    }
    let counted = |line: String| match counts.get(&line) {
        Some(count) if *count > 1 => format!("{line} ({count} times)"),
        Some(_) | None => line,
    };
    order.into_iter().map(counted).collect()
}

fn line(denied: &Denied) -> String {
    let what = plain(format!("{} {}", denied.call.operation, denied.call.target.as_str()));
    let detail = plain(denied.detail.as_str());
    format!("{} {} {what}: {detail}", styled(BAD, "denied"), denied.code)
}
