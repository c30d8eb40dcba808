//! Whether a component is valid, and if it is not, which feature that is off would make it so.

use wasmparser::{Validator, WasmFeatures};

use super::Refused;
use crate::config::features;

/// Bytes up to which the features are looked for one by one: that takes some sixty validations. Of
/// a larger component only the first complaint is told.
const SEARCHED_BYTES_MAX: usize = 4 << 20;

/// Validates `bytes` as the engine will.
pub(super) fn check(bytes: &[u8]) -> Result<(), Refused> {
    let Err(why) = validate(bytes, features::on()) else { return Ok(()) };
    let missing = if bytes.len() > SEARCHED_BYTES_MAX { Vec::new() } else { missing(bytes) };
    if missing.is_empty() {
        return Err(Refused::Malformed { byte: why.offset(), why: why.message().to_owned() });
    }
    Err(Refused::Off { features: missing, why: why.message().to_owned() })
}

/// The features that are off and without which `bytes` are not valid: one that suffices, or else as
/// few as there must be. None, when they are not valid with all of them.
fn missing(bytes: &[u8]) -> Vec<String> {
    let suffices = |feature| validate(bytes, features::on() | feature).is_ok();
    if let Some((name, _)) = features::off().find(|(_, feature)| suffices(*feature)) {
        return vec![name];
    }
    let mut on = WasmFeatures::all();
    if validate(bytes, on).is_err() {
        return Vec::new();
    }
    let mut missing = Vec::new();
    for (name, feature) in features::off() {
        if validate(bytes, on - feature).is_ok() {
            on -= feature;
        } else {
            missing.push(name);
        }
    }
    missing
}

fn validate(bytes: &[u8], on: WasmFeatures) -> Result<(), wasmparser::BinaryReaderError> {
    Validator::new_with_features(on).validate_all(bytes).map(drop)
}
