//! Documents, held against the schemas that guests and authors write.
//!
//! A schema comes from a stranger: it reaches for nothing outside itself, and its patterns give up
//! after so many steps.

use std::collections::BTreeMap;

use jsonschema::{PatternOptions, Validator};
use serde_json::Value;

/// Steps that one pattern may take back: more than an honest one ever does, some milliseconds.
const BACKTRACKS_MAX: usize = 100_000;

/// Values of a schema, with what it refers to written out, up to which is said where a document does
/// not fit: some milliseconds.
const UNFOLDED_MAX: u64 = 10_000;

/// A document that does not fit its schema.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("at `{at}`: {why}")]
pub struct Unfit {
    /// A JSON pointer; empty for the whole document.
    pub at: String,
    /// What is wrong there.
    pub why: String,
}

/// Whether `schema` is one. What was left out allows anything.
pub fn check(schema: &Value) -> Result<(), String> {
    validator(schema).map(drop)
}

/// The same for a schema in text.
pub fn check_text(schema: &str) -> Result<(), String> {
    check(&serde_json::from_str(schema).map_err(|why| why.to_string())?)
}

/// Whether `document` fits `schema`.
pub fn fits(schema: &Value, document: &[u8]) -> Result<(), Unfit> {
    let whole = |why: String| Unfit { at: String::new(), why };
    let document: Value =
        serde_json::from_slice(document).map_err(|why| whole(format!("not JSON: {why}")))?;
    let validator = validator(schema).map_err(whole)?;
    if is_wide(schema) {
        // It can be asked whether, which is remembered on the way, but not where: that would be
        // looked for along every path.
        let fits = validator.is_valid(&document);
        return if fits { Ok(()) } else { Err(whole("it does not fit".to_owned())) };
    }
    let fits = validator.validate(&document);
    fits.map_err(|why| Unfit { at: why.instance_path().to_string(), why: why.to_string() })
}

/// Whether `schema`, with what it refers to written out, is larger than [`UNFOLDED_MAX`], or refers
/// to itself.
fn is_wide(schema: &Value) -> bool {
    let mut known = BTreeMap::new();
    unfolded(schema, schema, &mut known) > UNFOLDED_MAX
}

/// The values in `part`, with what it refers to written out. What is being counted just now counts
/// as endless.
fn unfolded(part: &Value, whole: &Value, known: &mut BTreeMap<String, u64>) -> u64 {
    match part {
        Value::Array(parts) => {
            parts.iter().fold(1, |sum, part| u64::saturating_add(sum, unfolded(part, whole, known)))
        }
        Value::Object(parts) => parts.iter().fold(1, |sum, (name, part)| {
            let refers = name.starts_with('$') && name.to_ascii_lowercase().ends_with("ref");
            let more = match part.as_str().filter(|_| refers) {
                Some(target) => referred(target, whole, known),
                None => unfolded(part, whole, known),
            };
            u64::saturating_add(sum, more)
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 1,
    }
}

fn referred(target: &str, whole: &Value, known: &mut BTreeMap<String, u64>) -> u64 {
    if let Some(count) = known.get(target) {
        return *count;
    }
    known.insert(target.to_owned(), u64::MAX);
    let part = target.strip_prefix('#').and_then(|pointer| whole.pointer(pointer));
    // What is found in another way, by an anchor or an id, is not counted and so is endless.
    let count = part.map_or(u64::MAX, |part| unfolded(part, whole, known));
    known.insert(target.to_owned(), count);
    count
}

/// The same for a schema in text.
pub fn fits_text(schema: &str, document: &str) -> Result<(), Unfit> {
    let whole = |why: serde_json::Error| Unfit { at: String::new(), why: why.to_string() };
    fits(&serde_json::from_str(schema).map_err(whole)?, document.as_bytes())
}

fn validator(schema: &Value) -> Result<Validator, String> {
    let anything = Value::Bool(true);
    let schema = if schema.is_null() { &anything } else { schema };
    let patterns = PatternOptions::fancy_regex().backtrack_limit(BACKTRACKS_MAX);
    let built = jsonschema::options().with_pattern_options(patterns).build(schema);
    built.map_err(|why| why.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_where_and_why() {
        let schema =
            r#"{"type":"object","properties":{"a":{"type":"array","items":{"maximum":3}}}}"#;
        assert_eq!(fits_text(schema, r#"{"a":[1,2]}"#), Ok(()));
        let unfit = fits_text(schema, r#"{"a":[1,9]}"#).unwrap_err();
        assert_eq!(unfit.at, "/a/1");
        assert!(unfit.why.contains('9'), "{}", unfit.why);
        assert_eq!(fits_text(schema, "{").unwrap_err().at, "");
        assert_eq!(fits_text("null", "7"), Ok(()));
    }

    #[test]
    fn schemas_of_strangers_reach_for_nothing_and_come_to_an_end() {
        for away in ["http://example.org/s", "file:///etc/passwd"] {
            assert!(check_text(&format!("{{\"$ref\":\"{away}\"}}")).is_err(), "{away}");
        }
        let round =
            r##"{"$defs":{"a":{"$ref":"#/$defs/b"},"b":{"$ref":"#/$defs/a"}},"$ref":"#/$defs/a"}"##;
        for round in [r##"{"$ref":"#"}"##, r##"{"allOf":[{"$ref":"#"}]}"##, round] {
            let _ = fits_text(round, "7");
        }
        let doubled = |n: u32| {
            let defs = (0..n).map(|at| {
                let next = format!("{{\"$ref\":\"#/$defs/a{}\"}}", at + 1);
                format!("\"a{at}\":{{\"allOf\":[{next},{next}]}},")
            });
            let defs: String = defs.collect();
            format!(
                "{{\"$defs\":{{{defs}\"a{n}\":{{\"type\":\"integer\"}}}},\"$ref\":\"#/$defs/a0\"}}"
            )
        };
        assert_eq!(fits_text(&doubled(60), "7"), Ok(()));
        assert!(fits_text(&doubled(60), "\"seven\"").is_err());
        assert!(fits_text(&doubled(3), "\"seven\"").unwrap_err().why.contains("integer"));
        let slow = r#"{"pattern":"^(?:(a+)+)+(?=b)$"}"#;
        let unfit = fits_text(slow, &format!("\"{}\"", "a".repeat(5_000)));
        assert!(unfit.is_err());
    }
}
