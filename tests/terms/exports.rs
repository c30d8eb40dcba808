//! Policy exports: what they say, that they say the same as the contract, and what they do broken.

mod agreement;
mod broken;
pub mod random;

use envelope_evidence::Digest;
use envelope_terms::contract::{Contract, read};
use envelope_terms::export::{AcsVersion, File, Format, export, export_digests};
use serde_json::{Value, json};

use super::sample;
use crate::golden;

#[test]
fn the_exports_are_the_ones_reviewed() {
    let contract = sample::contract();
    for format in Format::all(AcsVersion::default()) {
        for File { path, text } in export(&contract, format).unwrap() {
            golden::check(&format!("terms/export/{}/{path}", format.name()), &text);
        }
    }
    let digests = export_digests(&contract, AcsVersion::default()).unwrap();
    let pretty = serde_json::to_string_pretty(&digests).unwrap() + "\n";
    golden::check("terms/export/digests.json", &pretty);
}

/// The order in which a contract lists things is not its meaning, so it does not show in the
/// policies; what it says does.
#[test]
fn exports_follow_from_what_is_allowed() {
    let one = sample::contract();
    let mut json = sample::json();
    for list in ["actions", "egress"] {
        json["scope"][list].as_array_mut().unwrap().reverse();
    }
    let other = read(&json).unwrap().contract;
    let strip = |contract: &Contract, format| {
        let digest = Digest::of(&contract.canonical().unwrap());
        let mut files = export(contract, format).unwrap();
        files.iter_mut().for_each(|f| f.text = f.text.replace(&digest.hex().to_string(), "…"));
        files
    };
    let changed = changed("/scope/max_session_seconds", json!(5401));
    for format in Format::all(AcsVersion::Alpha) {
        assert_eq!(export(&one, format).unwrap(), export(&one, format).unwrap());
        assert_eq!(strip(&one, format), strip(&other, format));
        assert_ne!(strip(&one, format), strip(&changed, format));
    }
}

#[test]
fn versions_are_spelled_one_way() {
    for version in AcsVersion::ALL {
        assert_eq!(serde_json::to_value(version).unwrap(), version.name());
        assert_eq!(AcsVersion::parse(version.name()), Some(version));
        let files = export(&sample::contract(), Format::Acs(version)).unwrap();
        let manifest: Value = serde_json::from_str(&files[0].text).unwrap();
        assert_eq!(manifest["agent_control_specification_version"], version.name());
    }
    assert_eq!(AcsVersion::parse("0.4.0-alpha.1"), None);
}

/// The largest contract is still told in conditions that the toolkit reads: it never matches one of
/// more than 2,000 characters.
#[test]
fn the_largest_contract_is_exported() {
    let mut json = sample::json();
    let action = |at| json!({ "name": format!("{at:0128}"), "clearance": "confidential" });
    json["scope"]["actions"] = (0..256).map(action).collect();
    let rule = json["scope"]["egress"][0].clone();
    let host = |at| {
        let mut rule = rule.clone();
        let label = "x".repeat(60);
        rule["host"] = format!("h{at}.{label}.{label}.{label}.tenders.example").into();
        rule
    };
    json["scope"]["egress"] = (0..256).map(host).collect();
    let contract = read(&json).unwrap().contract;
    for format in Format::all(AcsVersion::default()) {
        for File { path, text } in export(&contract, format).unwrap() {
            println!("{path}: {} bytes", text.len());
            assert!(text.len() < 10_000_000, "{path}");
            let conditions =
                text.lines().filter_map(|line| line.trim().strip_prefix("condition: "));
            assert!(conditions.map(str::len).all(|length| length <= 2000), "{path}");
        }
    }
}

/// The sample with `value` at `pointer`.
fn changed(pointer: &str, value: Value) -> Contract {
    let mut json = sample::json();
    *json.pointer_mut(pointer).unwrap() = value;
    read(&json).unwrap().contract
}
