//! Cedar policies: a `permit` for each clearance, and no `forbid`, because an engine that fails on
//! one passes over it.

use super::allowed::{Allowed, classes};
use super::quote::cedar;
use super::{EXPORTER, File};
use crate::contract::Classification;

pub(super) fn files(allowed: &Allowed<'_>) -> Vec<File> {
    vec![
        File { path: "paper.cedar", text: policies(allowed) },
        File { path: "paper.cedarschema", text: schema(allowed) },
    ]
}

fn policies(allowed: &Allowed<'_>) -> String {
    let permits = allowed.by_clearance().into_iter().map(|(clearance, names)| {
        let names = names.into_iter().map(|name| format!("Action::{}", cedar(name)));
        format!(
            "\n@id({id})\npermit (\n  principal == Agent::{agent},\n  action in [{names}],\n  \
             resource\n) when {{\n{conditions}}};\n",
            id = cedar(&format!("paper-{}", clearance.name())),
            agent = cedar(allowed.agent),
            names = names.collect::<Vec<_>>().join(", "),
            conditions = conditions(allowed, clearance),
        )
    });
    let permits: String = permits.collect();
    format!(
        "// Exported from contract {contract}; exporter {EXPORTER}.\n\
         // What is not permitted here is denied.\n{permits}",
        contract = allowed.contract,
    )
}

fn conditions(allowed: &Allowed<'_>, clearance: Classification) -> String {
    let hosts = set(allowed.hosts.iter().map(String::as_str));
    let mut host = format!("{hosts}.contains(context.egress.host)");
    if !allowed.below.is_empty() {
        let below = set(allowed.below.iter().map(String::as_str));
        host = format!("({host} || {below}.contains(context.egress.above))");
    }
    let data = set(classes(clearance).map(Classification::name));
    let data = format!("{data}.contains(context.data.class)");
    let ceilings = [
        ("session.remaining_seconds", allowed.seconds),
        ("budget.remaining_calls", allowed.calls),
        ("budget.remaining_tokens", allowed.tokens),
        ("budget.remaining_nano_usd", allowed.nano_usd),
    ];
    let ceilings = ceilings
        .map(|(path, ceiling)| format!("0 < context.{path} && context.{path} <= {ceiling}"));
    let all: Vec<String> = [data, host].into_iter().chain(ceilings).collect();
    format!("  {}\n", all.join(" &&\n  "))
}

fn schema(allowed: &Allowed<'_>) -> String {
    let names: Vec<String> = allowed.actions.keys().map(|name| cedar(name)).collect();
    let mut actions = String::new();
    if !names.is_empty() {
        actions = format!(
            "\naction {} appliesTo {{\n  principal: [Agent],\n  resource: [Resource],\n  \
             context: Call\n}};\n",
            names.join(", ")
        );
    }
    format!("{CONTEXT}{actions}")
}

const CONTEXT: &str = "\
entity Agent;
entity Resource;

type Call = {
  action: { type: String },
  budget: { remaining_calls: Long, remaining_nano_usd: Long, remaining_tokens: Long },
  data: { class: String },
  egress: { above: String, host: String },
  session: { remaining_seconds: Long }
};
";

fn set<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    let texts: Vec<String> = texts.map(cedar).collect();
    format!("[{}]", texts.join(", "))
}
