//! A number in a JSON document, read digit by digit: no float comes between the text and the rule.

use std::fmt;

use serde::de::{Deserializer as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::contract::Decimal;

/// Digits before and behind the point that are compared: more than any measure has, and all of
/// them fit the integers used here.
const DIGITS_MAX: usize = 18;

/// Keys and indices that a pointer may have: as deep as documents are read.
const STEPS_MAX: usize = 64;

/// A number as a count of 10⁻¹⁸.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Scaled(i128);

/// Why there is no number to compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unread {
    /// The document is no JSON, has two members of one name on the way, or nothing is there.
    Absent,
    /// More digits than are compared.
    TooPrecise,
}

/// The number at `pointer` in `document`.
pub(super) fn at(document: &[u8], pointer: &str) -> Result<Scaled, Unread> {
    let mut value: &RawValue = serde_json::from_slice(document).map_err(|_| Unread::Absent)?;
    if pointer.split('/').count() > STEPS_MAX {
        return Err(Unread::Absent);
    }
    for key in pointer.split('/').skip(1) {
        let key = key.replace("~1", "/").replace("~0", "~");
        value = step(value, &key).ok_or(Unread::Absent)?;
    }
    Scaled::read(value.get())
}

impl Scaled {
    /// The exact value of a decimal of the contract.
    pub(super) fn of(decimal: Decimal) -> Self {
        let places = usize::try_from(decimal.places.get()).unwrap_or(DIGITS_MAX);
        let missing = u32::try_from(DIGITS_MAX.saturating_sub(places)).unwrap_or(0);
        let factor = 10_i128.saturating_pow(missing);
        Self(i128::from(decimal.value.get()).saturating_mul(factor))
    }

    /// Reads a JSON number.
    fn read(text: &str) -> Result<Self, Unread> {
        let (sign, digits) = match text.strip_prefix('-') {
            Some(rest) => (-1, rest),
            None => (1, text),
        };
        if !digits.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(Unread::Absent);
        }
        let (mantissa, exponent) = digits.split_once(['e', 'E']).unwrap_or((digits, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let joined = [whole, fraction].concat();
        let significant = joined.trim_start_matches('0');
        let kept = significant.trim_end_matches('0');
        if kept.is_empty() {
            return Ok(Self(0));
        }
        let dropped = significant.len().saturating_sub(kept.len());
        // The value is `kept` times ten to the power of `shift − 18`.
        let shift = exponent
            .parse::<i64>()
            .ok()
            .and_then(|exponent| exponent.checked_add(i64::try_from(dropped).ok()?))
            .and_then(|sum| sum.checked_sub(i64::try_from(fraction.len()).ok()?))
            .and_then(|sum| sum.checked_add(i64::try_from(DIGITS_MAX).ok()?));
        let shift = shift.and_then(|shift| u32::try_from(shift).ok()).ok_or(Unread::TooPrecise)?;
        let value = kept.parse::<i128>().ok();
        let scaled = value.and_then(|value| value.checked_mul(10_i128.checked_pow(shift)?));
        scaled.map(|size| Self(sign * size)).ok_or(Unread::TooPrecise)
    }
}

fn step<'a>(value: &'a RawValue, key: &str) -> Option<&'a RawValue> {
    let mut reader = serde_json::Deserializer::from_str(value.get());
    reader.deserialize_any(Step { key }).ok().flatten()
}

/// Finds one entry of an object or array; two members of one name are none.
struct Step<'k> {
    key: &'k str,
}

impl<'de> Visitor<'de> for Step<'_> {
    type Value = Option<&'de RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or an array")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let (mut found, mut count) = (None, 0_u32);
        while let Some(key) = map.next_key::<String>()? {
            if key == self.key {
                found = Some(map.next_value::<&RawValue>()?);
                count = count.saturating_add(1);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found.filter(|_| count == 1))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let spelled = |index: &usize| index.to_string() == self.key;
        let wanted = self.key.parse::<usize>().ok().filter(spelled);
        let (mut found, mut index) = (None, 0_usize);
        while let Some(value) = seq.next_element::<&RawValue>()? {
            if Some(index) == wanted {
                found = Some(value);
            }
            index = index.saturating_add(1);
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::{Exact, Signed};

    fn bound(value: i64, places: u64) -> Scaled {
        let (value, places) = (Signed::new(value).unwrap(), Exact::new(places).unwrap());
        Scaled::of(Decimal { value, places })
    }

    #[test]
    fn numbers_are_read_exactly() {
        for (text, number) in [
            ("0.95", bound(95, 2)),
            ("9.5e-1", bound(95, 2)),
            ("950E-3", bound(95, 2)),
            ("-0", bound(0, 0)),
            ("0e999999999999", bound(0, 0)),
            ("-12.50", bound(-125, 1)),
            ("9007199254740991", bound(9_007_199_254_740_991, 0)),
        ] {
            assert_eq!(at(text.as_bytes(), ""), Ok(number), "{text}");
        }
        assert!(at(b"0.950000000000000001", "").unwrap() > bound(95, 2));
        assert_eq!(at(b"0.1234567890123456789", ""), Err(Unread::TooPrecise));
        assert_eq!(at(b"1e99", ""), Err(Unread::TooPrecise));
    }

    #[test]
    fn pointers_lead_to_one_place() {
        let document = br#"{"a":[{"b/c":1},{"~":2}],"d":3,"d":4,"s":"5","":6}"#;
        for (pointer, found) in [("/a/0/b~1c", Some(1)), ("/a/1/~0", Some(2)), ("/", Some(6))] {
            assert_eq!(at(document, pointer).ok(), found.map(|n| bound(n, 0)), "{pointer}");
        }
        for nowhere in ["", "/d", "/s", "/a", "/a/2", "/a/00", "/x", "/s/0"] {
            assert_eq!(at(document, nowhere), Err(Unread::Absent), "{nowhere}");
        }
    }
}
