//! Whole numbers with bounds. The bounds are part of the type, so they show in the JSON Schema.

use std::borrow::Cow;
use std::fmt;

use envelope_evidence::usage::MAX_EXACT;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// A whole is this many basis points.
pub const WHOLE: u64 = 10_000;

/// An amount of money in billionths of a US dollar: what an agent may spend.
pub type NanoUsd = Exact<1, MAX_EXACT>;

/// An amount of money in the smallest unit of its currency: what the parties settle.
pub type MinorUnits = Exact<1, MAX_EXACT>;

/// How many, at least one.
pub type Count = Exact<1, MAX_EXACT>;

/// A share that counts, in basis points.
pub type Weight = Exact<1, WHOLE>;

/// A share, in basis points, nothing included.
pub type Share = Exact<0, WHOLE>;

/// A number of days from one to a year: longer waits leave money locked without a reason.
pub type Days = Exact<1, 366>;

/// A whole number from `MIN` to `MAX`, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u64", into = "u64")]
pub struct Exact<const MIN: u64, const MAX: u64>(u64);

/// A number outside its bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("`{number}` is not between {min} and {max}")]
pub struct OutOfBounds {
    number: u64,
    min: u64,
    max: u64,
}

impl<const MIN: u64, const MAX: u64> Exact<MIN, MAX> {
    /// The smallest.
    pub const MIN: Self = Self(MIN);

    /// The largest.
    pub const MAX: Self = Self(MAX);

    /// `number`, if it lies within the bounds.
    pub const fn new(number: u64) -> Result<Self, OutOfBounds> {
        if MIN <= number && number <= MAX {
            Ok(Self(number))
        } else {
            Err(OutOfBounds { number, min: MIN, max: MAX })
        }
    }

    /// The number.
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl<const MIN: u64, const MAX: u64> fmt::Display for Exact<MIN, MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<const MIN: u64, const MAX: u64> TryFrom<u64> for Exact<MIN, MAX> {
    type Error = OutOfBounds;

    fn try_from(number: u64) -> Result<Self, OutOfBounds> {
        Self::new(number)
    }
}

impl<const MIN: u64, const MAX: u64> From<Exact<MIN, MAX>> for u64 {
    fn from(exact: Exact<MIN, MAX>) -> Self {
        exact.0
    }
}

impl<const MIN: u64, const MAX: u64> JsonSchema for Exact<MIN, MAX> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("Exact_{MIN}_{MAX}").into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": MIN, "maximum": MAX })
    }
}

/// A decimal number without a float: `value` divided by ten to the power of `places`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Decimal {
    /// The digits.
    pub value: Signed,
    /// How many of them stand behind the point.
    pub places: Exact<0, 9>,
}

/// A whole number that every JSON reader keeps exact, also a negative one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "i64")]
pub struct Signed(i64);

impl Signed {
    /// `number`, if it is at most 2^53 − 1 away from zero.
    pub const fn new(number: i64) -> Result<Self, OutOfBounds> {
        match number.unsigned_abs() {
            size if size <= MAX_EXACT => Ok(Self(number)),
            size => Err(OutOfBounds { number: size, min: 0, max: MAX_EXACT }),
        }
    }

    /// The number.
    pub const fn get(self) -> i64 {
        self.0
    }
}

impl TryFrom<i64> for Signed {
    type Error = OutOfBounds;

    fn try_from(number: i64) -> Result<Self, OutOfBounds> {
        Self::new(number)
    }
}

impl From<Signed> for i64 {
    fn from(signed: Signed) -> Self {
        signed.0
    }
}

impl JsonSchema for Signed {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Signed".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let max = MAX_EXACT.cast_signed();
        json_schema!({ "type": "integer", "minimum": -max, "maximum": max })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_inclusive_and_kept_when_read() {
        let read = |text: &str| serde_json::from_str::<MinorUnits>(text);
        assert_eq!(read("1").unwrap().get(), 1);
        assert_eq!(read("9007199254740991").unwrap().get(), MAX_EXACT);
        for wrong in ["0", "-1", "9007199254740992", "1.0", "\"1\"", "18446744073709551616"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
        let signed = |text: &str| serde_json::from_str::<Signed>(text);
        assert_eq!(signed("-9007199254740991").unwrap().get(), -9_007_199_254_740_991);
        for wrong in ["-9007199254740992", "9007199254740992", "0.5", "-9223372036854775808"] {
            assert!(signed(wrong).is_err(), "{wrong}");
        }
    }
}
