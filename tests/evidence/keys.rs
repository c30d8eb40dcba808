//! Key files: one spelling of each key, one purpose, one window.

use envelope_evidence::Timestamp;
use envelope_evidence::key::{BadKey, Purpose, Window};
use envelope_evidence::keyring::{BadKeyFile, BadRecord, KeyRecord, KeyRing, NoKey};
use serde_json::{Value, json};

use super::sample::{at, log_key, receipt_key, ring, year};

fn file() -> Value {
    serde_json::from_slice(&ring().to_json().unwrap()).unwrap()
}

fn read(file: &Value) -> Result<KeyRing, BadKeyFile> {
    KeyRing::from_json(&serde_json::to_vec_pretty(file).unwrap())
}

#[test]
fn a_key_file_reads_back_however_it_is_laid_out() {
    assert_eq!(read(&file()).unwrap(), ring());
    assert_eq!(KeyRing::from_json(&ring().to_json().unwrap()).unwrap(), ring());
}

#[test]
fn a_bad_record_is_named() {
    let refused = |field: &str, value: Value, why: BadRecord| {
        let mut file = file();
        file["keys"][1][field] = value;
        assert_eq!(read(&file), Err(BadKeyFile::Record { index: 1, why }), "{field}");
    };
    let id = file()["keys"][1]["kid"].as_str().unwrap().to_owned();
    let public = file()["keys"][1]["public"].as_str().unwrap().to_owned();
    let weak = "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    refused("alg", json!("rsa"), BadRecord::Algorithm);
    refused("kid", json!("0".repeat(64)), BadRecord::Kid(id));
    refused("not_after", json!(0), BadRecord::Window);
    refused("public", json!(weak), BadRecord::Key(BadKey::Weak));
    for spelled in [public.trim_end_matches('='), &public.replace('=', ""), "AAAA", "!"] {
        refused("public", json!(spelled), BadRecord::Base64);
    }
    let mut twice = file();
    twice["keys"][1] = twice["keys"][0].clone();
    let why = BadRecord::Twice;
    assert_eq!(read(&twice), Err(BadKeyFile::Record { index: 1, why }));
}

#[test]
fn another_shape_is_refused_with_its_place() {
    for (change, wanted) in [
        (json!({"keys": [{}]}), "missing field"),
        (json!({"keys": [], "more": 1}), "unknown field"),
        (json!([]), "invalid"),
    ] {
        let why = read(&change).unwrap_err().to_string();
        assert!(why.contains(wanted), "{why}");
    }
    let mut file = file();
    file["keys"][0]["purpose"] = json!("everything");
    assert!(read(&file).unwrap_err().to_string().contains("unknown variant"));
    assert!(KeyRing::from_json(br#"{"keys":[],"keys":[]}"#).is_err());
}

#[test]
fn one_key_has_one_purpose() {
    let record = KeyRecord::of(&receipt_key(), year());
    let other = KeyRecord { purpose: Purpose::Log, ..record.clone() };
    assert!(KeyRing::new([record.clone()]).is_ok());
    let why = BadRecord::Twice;
    assert_eq!(KeyRing::new([record, other]), Err(BadKeyFile::Record { index: 1, why }));
}

#[test]
fn a_key_is_found_for_its_purpose_in_its_window() {
    let (ring, key) = (ring(), receipt_key());
    let find = |purpose, when| ring.find(key.id(), purpose, when).copied();
    assert_eq!(find(Purpose::Receipt, at(0)), Ok(key.public()));
    for purpose in [Purpose::Grant, Purpose::Review, Purpose::Log, Purpose::Document] {
        assert!(matches!(find(purpose, at(0)), Err(NoKey::Purpose { .. })));
    }
    let Window { not_before, not_after } = year();
    let before = Timestamp::from_millis(not_before.millis() - 1).unwrap();
    let last = Timestamp::from_millis(not_after.millis() - 1).unwrap();
    assert!(find(Purpose::Receipt, last).is_ok());
    for outside in [before, not_after] {
        assert!(matches!(find(Purpose::Receipt, outside), Err(NoKey::Window { .. })));
    }
    assert!(matches!(ring.find("none", Purpose::Receipt, at(0)), Err(NoKey::Unknown { .. })));
}

#[test]
fn a_pem_key_is_trusted_for_receipts_alone() {
    let ring = KeyRing::from_pem(&log_key().public().to_pem()).unwrap();
    assert!(ring.find(log_key().id(), Purpose::Receipt, Timestamp::ZERO).is_ok());
    assert!(ring.find(log_key().id(), Purpose::Log, Timestamp::ZERO).is_err());
    assert_eq!(KeyRing::from_pem("-----BEGIN"), Err(BadKey::Pem));
}
