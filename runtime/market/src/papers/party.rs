//! The buyer joins a source that was written for anybody.

use envelope_terms::contract::{Contract, Party};
use serde_json::Value;

use crate::{Market, Refused};

/// The line around the data of a source.
const FENCE: &str = "+++";

/// `source`, in which `buyer` is the buyer.
pub(super) fn with_buyer(source: &str, buyer: &Party) -> Result<String, Refused> {
    let no_data = || Refused::invalid("source", "its data stand between two lines `+++`");
    // Where the compiler ends the data: at the first line that is a fence, whatever follows it.
    let mut lines = source.split_inclusive('\n');
    lines.next().filter(|line| line.trim_end() == FENCE).ok_or_else(no_data)?;
    let mut data = String::new();
    loop {
        let line = lines.next().ok_or_else(no_data)?;
        if line.trim_end() == FENCE {
            break;
        }
        data.push_str(line);
    }
    let prose = String::from_iter(lines);
    let party = serde_json::to_value(buyer).map_err(|why| Refused::invalid("buyer", why))?;
    let Value::Object(members) = party else { return Err(no_data()) };
    let lines = members.iter().map(|(name, value)| format!("{name} = {}\n", inline(value)));
    let party = String::from_iter(lines);
    Ok(format!("{FENCE}\n{data}\n[parties.buyer]\n{party}{FENCE}\n{prose}"))
}

/// Refuses a contract whose buyer is not the one that joined it.
pub(super) fn is_buyer(contract: &Contract, buyer: &Party) -> Result<(), Refused> {
    if contract.parties.buyer == *buyer {
        return Ok(());
    }
    Err(Refused::invalid("source", "it names a buyer of its own"))
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
pub(super) fn somebody(market: &Market) -> Result<Party, Refused> {
    let own = market.did();
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
