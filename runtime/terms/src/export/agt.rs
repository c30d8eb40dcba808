//! The YAML policy of `governance.toolkit/v1`.
//!
//! Its engine takes conditions apart by words, knows no brackets and no escapes, passes over what
//! it does not understand, counts a missing number as zero, and takes an error for a match. So each
//! `allow` stands for itself, numbers count down, and a `deny` on the same numbers stands first: it
//! names the reason, and matches wherever an `allow` would match by error.

use super::allowed::{Allowed, classes};
use super::quote::{condition, condition_entry, yaml};
use super::{EXPORTER, File};
use crate::contract::Classification;

/// How long a list in a condition may grow. The engine never matches a condition of more than 2,000
/// characters; two lists and the ceilings stay below that.
const LIST_CHARS: usize = 700;

pub(super) fn files(allowed: &Allowed<'_>) -> Vec<File> {
    vec![File { path: "paper.yaml", text: policy(allowed) }]
}

fn policy(allowed: &Allowed<'_>) -> String {
    let ceilings = ceilings(allowed);
    let denies = ceilings.iter().map(|(name, path, ceiling)| {
        let condition = format!("{path} <= 0 or {path} > {ceiling}");
        rule(name, "deny", 100, &condition)
    });
    let allows = conditions(allowed).into_iter().enumerate();
    let allows = allows.map(|(at, condition)| rule(&format!("call-{at}"), "allow", 10, &condition));
    let rules: String = denies.chain(allows).collect();
    format!(
        "apiVersion: \"governance.toolkit/v1\"\ndefault_action: \"deny\"\nname: {name}\n\
         version: \"{EXPORTER}\"\ndescription: {title}\nagents: [{agent}]\nrules:\n{rules}",
        name = yaml(&format!("paper-{}", allowed.contract.hex())),
        title = yaml(allowed.title),
        agent = yaml(allowed.agent),
    )
}

/// A rule whose last line is its condition, without which it cannot be loaded.
fn rule(name: &str, action: &str, priority: u8, condition: &str) -> String {
    format!(
        "  - name: {name}\n    action: \"{action}\"\n    priority: {priority}\n    \
         condition: {condition}\n",
        name = yaml(name),
        condition = yaml(condition),
    )
}

/// The conditions that allow: each group of actions with each group of hosts.
fn conditions(allowed: &Allowed<'_>) -> Vec<String> {
    let mut hosts = one_of("egress.host", allowed.hosts.iter().map(String::as_str));
    hosts.extend(one_of("egress.above", allowed.below.iter().map(String::as_str)));
    let rest = ceilings(allowed).map(|(_, path, most)| format!("{path} > 0 and {path} <= {most}"));
    let rest = rest.join(" and ");
    let mut conditions = Vec::new();
    for (clearance, actions) in allowed.by_clearance() {
        let classes = one_of("data.class", classes(clearance).map(Classification::name));
        let classes = classes.concat();
        for action in one_of("action.type", actions.into_iter()) {
            for host in &hosts {
                conditions.push(format!("{action} and {classes} and {host} and {rest}"));
            }
        }
    }
    conditions
}

fn ceilings(allowed: &Allowed<'_>) -> [(&'static str, &'static str, u64); 4] {
    [
        ("paper_session", "session.remaining_seconds", allowed.seconds),
        ("paper_calls", "budget.remaining_calls", allowed.calls),
        ("paper_tokens", "budget.remaining_tokens", allowed.tokens),
        ("paper_spending", "budget.remaining_nano_usd", allowed.nano_usd),
    ]
}

/// Conditions of which one holds if `path` is one of `texts`. A text that cannot be said is left
/// out, which allows less.
fn one_of<'a>(path: &str, texts: impl Iterator<Item = &'a str>) -> Vec<String> {
    let (mut conditions, mut list) = (Vec::new(), String::new());
    for text in texts {
        let Some(entry) = condition_entry(text) else {
            conditions.extend(condition(text).map(|text| format!("{path} == {text}")));
            continue;
        };
        if !list.is_empty() && list.len() + entry.len() > LIST_CHARS {
            conditions.push(format!("{path} in [{list}]"));
            list.clear();
        }
        if !list.is_empty() {
            list.push_str(", ");
        }
        list.push_str(&entry);
    }
    if !list.is_empty() {
        conditions.push(format!("{path} in [{list}]"));
    }
    conditions
}
