//! A whole, realistic contract for tests.

use serde_json::Value;

use super::{Contract, read};

/// The sample as JSON.
pub(crate) fn json() -> Value {
    serde_json::from_str(include_str!("../../../../tests/golden/terms/contract.json")).unwrap()
}

/// The sample.
pub(crate) fn contract() -> Contract {
    read(&json()).unwrap().contract
}
