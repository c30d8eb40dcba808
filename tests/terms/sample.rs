//! A whole, realistic contract.

use envelope_terms::contract::{Contract, read};
use serde_json::Value;

/// The sample as JSON, to be spoiled by a test.
pub fn json() -> Value {
    serde_json::from_str(include_str!("../golden/terms/contract.json")).unwrap()
}

/// The sample.
pub fn contract() -> Contract {
    read(&json()).unwrap().contract
}
