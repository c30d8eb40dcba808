//! Names of what is new.

use envelope_evidence::{Timestamp, ulid};

use crate::Refused;

/// A name that says what it names, sorts by time and is never made twice: `pur_` and the 26
/// characters of a UUID of version 7 in Crockford's base 32.
pub fn id(prefix: &str, at: Timestamp) -> Result<String, Refused> {
    let mut chance = [0; 16];
    getrandom::fill(&mut chance).map_err(|why| Refused::Chance(why.to_string()))?;
    let chance = u128::from_be_bytes(chance);
    let (version, variant) = (0x7 << 76, 0b10 << 62);
    let random = chance & ((0xfff << 64) | ((1 << 62) - 1));
    let value = (u128::from(at.millis()) << 80) | version | variant | random;
    Ok(format!("{prefix}_{}", ulid(value).to_lowercase()))
}
