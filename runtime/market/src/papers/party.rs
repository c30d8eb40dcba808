//! The buyer joins a source that was written for anybody.

use envelope_terms::contract::Party;
use serde_json::Value;

use crate::Refused;

/// The line around the data of a source.
const FENCE: &str = "+++";

/// `source`, in which `buyer` is the buyer.
pub(super) fn with_buyer(source: &str, buyer: &Party) -> Result<String, Refused> {
    let no_data = || Refused::invalid("source", "its data stand between two lines `+++`");
    let rest = source.strip_prefix(FENCE).ok_or_else(no_data)?;
    let end = rest.find(&format!("\n{FENCE}\n")).ok_or_else(no_data)?;
    let (data, prose) = rest.split_at_checked(end).ok_or_else(no_data)?;
    let party = serde_json::to_value(buyer).map_err(|why| Refused::invalid("buyer", why))?;
    let Value::Object(members) = party else { return Err(no_data()) };
    let lines = members.iter().map(|(name, value)| format!("{name} = {}\n", inline(value)));
    Ok(format!(
        "{FENCE}{data}\n\n[parties.buyer]\n{}{}",
        String::from_iter(lines),
        prose.trim_start()
    ))
}

/// A value as TOML writes it in one line. Strings are those of JSON, which TOML reads alike.
fn inline(value: &Value) -> String {
    match value {
        Value::Array(items) => {
            format!("[{}]", Vec::from_iter(items.iter().map(inline)).join(", "))
        }
        Value::Object(members) => {
            let members = members.iter().map(|(name, value)| format!("{name} = {}", inline(value)));
            format!("{{ {} }}", Vec::from_iter(members).join(", "))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.to_string(),
    }
}

/// A buyer that is nobody, by which an offer is checked before anybody buys.
pub(super) fn somebody(domain: &str) -> Result<Party, Refused> {
    let own = format!("did:web:{}", domain.replace(':', "%3A"));
    let party = serde_json::json!({
        "name": "Whoever buys",
        "did": format!("{own}:somebody"),
        "principals": [
            { "name": "Somebody", "did": format!("{own}:somebody:one"), "role": "Buyer" },
        ],
        "human_root": {
            "name": "Somebody", "kind": "natural", "did": format!("{own}:somebody:root"),
            "verification": envelope_evidence::Digest::of(b"").to_string(),
        },
        "notice": { "email": "somebody@example.invalid", "address": ["Somewhere"] },
    });
    serde_json::from_value(party).map_err(|why| Refused::invalid("domain", why))
}
