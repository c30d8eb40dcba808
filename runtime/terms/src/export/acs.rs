//! The Agent Control Specification manifest: which rule answers where, and which tools exist.

use envelope_evidence::canonical;
use serde_json::{Map, Value, json};

use super::allowed::Allowed;
use super::{AcsVersion, EXPORTER, File, Refused, rego};

const MANIFEST: &str = "manifest.json";
const MODULE: &str = "policy/paper.rego";
const BUNDLE: &str = "./policy";

/// Every intervention point, because a point that is not bound is denied: its rule, and what of the
/// snapshot is looked at.
const POINTS: [(&str, &str, &str); 8] = [
    ("agent_startup", "session", "$.envelope"),
    ("input", "session", "$.envelope"),
    ("pre_model_call", "model", "$.envelope"),
    ("post_model_call", "session", "$.envelope"),
    ("pre_tool_call", "call", "$.tool_call.args"),
    ("post_tool_call", "session", "$.tool_call.args"),
    ("output", "session", "$.envelope"),
    ("agent_shutdown", "end", "$.envelope"),
];

pub(super) fn files(allowed: &Allowed<'_>, version: AcsVersion) -> Result<Vec<File>, Refused> {
    let manifest = canonical::of(&manifest(allowed, version))?;
    let manifest = String::from_utf8_lossy(&manifest).into_owned() + "\n";
    Ok(vec![
        File { path: MANIFEST, text: manifest },
        File { path: MODULE, text: rego::module(allowed) },
    ])
}

fn manifest(allowed: &Allowed<'_>, version: AcsVersion) -> Value {
    let points = POINTS.map(|(name, rule, target)| (name.to_owned(), point(name, rule, target)));
    // A tool that is not listed is denied before any policy is asked.
    let tools = allowed.actions.iter().map(|(name, clearance)| {
        ((*name).to_owned(), json!({ "clearance": rego::label(*clearance) }))
    });
    json!({
        "agent_control_specification_version": version.name(),
        "metadata": {
            "title": allowed.title,
            "contract": allowed.contract,
            "exporter": EXPORTER,
            "ring_ceiling": allowed.ring,
        },
        "policies": {
            "paper": { "type": "rego", "bundle": BUNDLE, "query": "data.envelope.paper.call" },
        },
        "intervention_points": Map::from_iter(points),
        "tools": tools.collect::<Map<_, _>>(),
    })
}

fn point(name: &str, rule: &str, target: &str) -> Value {
    let query = format!("data.envelope.paper.{rule}");
    let policy = json!({ "id": "paper", "query": query });
    if name.ends_with("_tool_call") {
        let tool = "$.tool_call.name";
        return json!({ "policy_target": target, "tool_name_from": tool, "policy": policy });
    }
    json!({ "policy_target": target, "policy": policy })
}
