//! The Rego module of an Agent Control Specification manifest.

use super::EXPORTER;
use super::allowed::{Allowed, classes};
use super::quote::{dollars, rego};
use super::request::Denied;
use crate::contract::Classification;

/// The class in the specification's lattice, whose top is called `secret`.
pub(super) const fn label(class: Classification) -> &'static str {
    match class {
        Classification::Public => "public",
        Classification::Internal => "internal",
        Classification::Confidential => "confidential",
        Classification::Restricted => "secret",
    }
}

/// The module. Whatever is missing or of another type leaves a condition undefined, and with it the
/// verdict at its default. `allow` stands last: a module that is cut short has no word for it.
/// Numbers are bounded on both sides because Rego orders values of all types: `null` is below every
/// number, a text above.
pub(super) fn module(allowed: &Allowed<'_>) -> String {
    let actions = allowed.actions.iter().map(|(name, clearance)| {
        let labels = classes(*clearance).map(label);
        format!("\t{}: {},\n", rego(name), set(labels))
    });
    format!(
        r#"# Exported from a contract; exporter {EXPORTER}. What is not allowed here is denied.
package envelope.paper

import rego.v1

evidence := {{"artefact": {contract}}}

deny(reason) := {{"decision": "deny", "reason": reason, "evidence": evidence}}

# The labels of the data that each action may be handed.
labels := {{
{actions}}}

hosts := {hosts}

below := {below}

is_agent if input.snapshot.envelope.agent.id == {agent}

in_time if within(input.snapshot.envelope.budgets.elapsed_seconds, {seconds})

has_calls if within(input.snapshot.envelope.budgets.tool_call_count, {calls})

has_tokens if within(input.snapshot.envelope.budgets.token_count, {tokens})

has_money if within(input.snapshot.envelope.budgets.cost_usd, {dollars})

{CONDITIONS}
{rules}
allow := {{"decision": "allow", "evidence": evidence}}
"#,
        contract = rego(&allowed.contract.to_string()),
        actions = actions.collect::<String>(),
        hosts = set(allowed.hosts.iter().map(String::as_str)),
        below = set(allowed.below.iter().map(String::as_str)),
        agent = rego(allowed.agent),
        seconds = allowed.seconds,
        calls = allowed.calls,
        tokens = allowed.tokens,
        dollars = dollars(allowed.nano_usd),
        rules = RULES.map(|(name, needs)| rule(name, needs)).join("\n"),
    )
}

/// The conditions that are the same in every module.
const CONDITIONS: &str = r#"is_action if labels[input.tool.name]

is_cleared if {
	is_array(input.snapshot.ifc.source_labels)
	count(input.snapshot.ifc.source_labels) > 0
	every label in input.snapshot.ifc.source_labels {
		label in labels[input.tool.name]
	}
}

is_host if input.snapshot.egress.host in hosts

is_host if {
	parts := split(input.snapshot.egress.host, ".")
	parts[0] != ""
	concat(".", array.slice(parts, 1, count(parts))) in below
}

within(used, ceiling) if {
	0 <= used
	used < ceiling
}
"#;

/// The rules that intervention points query, each with what it needs. What a session produced after
/// its last paid call is still its own, and a session that is over may end.
pub(super) const RULES: [(&str, &[Denied]); 4] = [
    ("call", &Denied::ALL),
    ("model", &[Denied::Agent, Denied::Session, Denied::Tokens, Denied::Spending]),
    ("session", &[Denied::Agent, Denied::Session]),
    ("end", &[Denied::Agent]),
];

/// A rule: allowed if all it needs is there, and otherwise the first thing that is not.
fn rule(name: &str, needs: &[Denied]) -> String {
    let conditions: String = needs.iter().map(|need| format!("\t{}\n", condition(*need))).collect();
    let reasons = needs.iter().map(|need| {
        format!(" else := deny({}) if {{\n\tnot {}\n}}", rego(need.name()), condition(*need))
    });
    let reasons: String = reasons.collect();
    format!(
        "default {name} := {{\"decision\": \"deny\", \"reason\": \"paper\"}}\n\n\
         {name} := allow if {{\n{conditions}}}{reasons}\n"
    )
}

const fn condition(need: Denied) -> &'static str {
    match need {
        Denied::Agent => "is_agent",
        Denied::Action => "is_action",
        Denied::Data => "is_cleared",
        Denied::Host => "is_host",
        Denied::Session => "in_time",
        Denied::Calls => "has_calls",
        Denied::Tokens => "has_tokens",
        Denied::Spending => "has_money",
    }
}

fn set<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    let texts: Vec<String> = texts.map(rego).collect();
    if texts.is_empty() {
        // `{}` is an empty object.
        return "set()".to_owned();
    }
    format!("{{{}}}", texts.join(", "))
}
