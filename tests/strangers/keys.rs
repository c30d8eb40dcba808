//! Python's `cryptography` reads our keys, spells them as we do and finds the same key ids.

use envelope_evidence::key::{PublicKey, SigningKey, Use};
use serde_json::json;

use super::stranger::PYTHON;
use crate::evidence::sample::{log_key, receipt_key, review_key};

#[test]
fn python_reads_our_keys_and_we_read_its_keys() {
    fn public<U: Use>(key: &SigningKey<U>) -> PublicKey {
        key.public()
    }
    let keys = [public(&receipt_key()), public(&review_key()), public(&log_key())];
    let Some(answers) = PYTHON.ask("keys.py", &json!(keys.map(|key| key.to_pem()))) else { return };
    assert_eq!(answers, json!(keys.map(|key| (key.id(), key.to_pem()))));
    for (key, answer) in keys.iter().zip(answers.as_array().unwrap()) {
        assert_eq!(PublicKey::from_pem(answer[1].as_str().unwrap()), Ok(*key));
    }
}
