//! Documents, held against the schemas that guests and authors write.
//!
//! A schema comes from a stranger: it reaches for nothing outside itself, its patterns give up
//! after so many steps, and one that refers to itself comes to an end with the document.

mod round;

use std::collections::BTreeMap;

use jsonschema::{PatternOptions, Validator};
use serde_json::Value;

/// Steps that one pattern may take back: more than an honest one ever does, some milliseconds.
const BACKTRACKS_MAX: usize = 100_000;

/// Values of a schema, with what it refers to written out: a document is held against each of them,
/// some milliseconds long.
const UNFOLDED_MAX: u64 = 10_000;

/// References that lead from one to the next, and values in values, of one schema: each takes a
/// piece of the stack.
const DEPTH_MAX: usize = 200;

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
    if is_round(schema) {
        round::bounded(schema, &document).map_err(whole)?;
    }
    let fits = validator.validate(&document);
    fits.map_err(|why| Unfit { at: why.instance_path().to_string(), why: why.to_string() })
}

/// Counts the values of a schema with what it refers to written out.
struct Unfolding<'a> {
    whole: &'a Value,
    /// What is being counted just now counts as endless.
    known: BTreeMap<&'a str, u64>,
    /// Whether an `id` names a part of it, as in the oldest schemas.
    old: bool,
}

impl<'a> Unfolding<'a> {
    fn of(whole: &'a Value) -> u64 {
        let old = whole.to_string().contains("draft-04");
        Self { whole, known: BTreeMap::new(), old }.count(whole, 0)
    }

    fn count(&mut self, part: &'a Value, depth: usize) -> u64 {
        if depth > DEPTH_MAX {
            return u64::MAX;
        }
        match part {
            Value::Array(parts) => parts
                .iter()
                .fold(1, |sum, part| u64::saturating_add(sum, self.count(part, depth + 1))),
            Value::Object(parts) => parts.iter().fold(1, |sum, (name, part)| {
                let more = match part.as_str() {
                    Some(target) if refers(name) => self.referred(target, depth),
                    // Below it the same reference leads elsewhere.
                    Some(_) if depth > 0 && self.renames(name) => u64::MAX,
                    _ => self.count(part, depth + 1),
                };
                u64::saturating_add(sum, more)
            }),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 1,
        }
    }

    fn referred(&mut self, target: &'a str, depth: usize) -> u64 {
        if let Some(count) = self.known.get(target) {
            return *count;
        }
        self.known.insert(target, u64::MAX);
        let part = target.strip_prefix('#').and_then(|pointer| self.whole.pointer(pointer));
        // What is found in another way, by an anchor or an id, is not counted and so is endless.
        let count = part.map_or(u64::MAX, |part| self.count(part, depth + 1));
        self.known.insert(target, count);
        count
    }

    fn renames(&self, name: &str) -> bool {
        name == "$id" || (self.old && name == "id")
    }
}

fn refers(name: &str) -> bool {
    name.starts_with('$') && name.to_ascii_lowercase().ends_with("ref")
}

/// The same for a schema in text.
pub fn fits_text(schema: &str, document: &str) -> Result<(), Unfit> {
    let whole = |why: serde_json::Error| Unfit { at: String::new(), why: why.to_string() };
    fits(&serde_json::from_str(schema).map_err(whole)?, document.as_bytes())
}

/// Whether it cannot be written out.
fn is_round(schema: &Value) -> bool {
    Unfolding::of(schema) > UNFOLDED_MAX
}

fn validator(schema: &Value) -> Result<Validator, String> {
    let anything = Value::Bool(true);
    let schema = if schema.is_null() { &anything } else { schema };
    if is_round(schema) {
        round::ends(schema).map_err(|why| {
            format!(
                "with what it refers to written out it has more than {UNFOLDED_MAX} values, or \
                 no end: {why}"
            )
        })?;
    }
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

    const LIST: &str = r##"{"$id":"https://example.org/list","type":"object",
        "properties":{"value":{"type":"integer"},"next":{"anyOf":[{"type":"null"},{"$ref":"#"}]}},
        "required":["value"],"additionalProperties":false}"##;

    const TREE: &str = r##"{"$ref":"#/$defs/tree","$defs":{
        "tree":{"oneOf":[{"type":"string"},{"$ref":"#/$defs/branch"}]},
        "branch":{"type":"array","items":{"$ref":"#/$defs/tree"},"minItems":1}}}"##;

    fn list(length: usize, last: &str) -> String {
        let (head, tail) = (r#"{"value":1,"next":"#.repeat(length), "}".repeat(length));
        format!("{head}{last}{tail}")
    }

    fn deep(depth: usize) -> String {
        format!("{}{}", "[".repeat(depth), "]".repeat(depth))
    }

    #[test]
    fn lists_and_trees_may_be_asked_for() {
        for (schema, fit, unfit, at) in [
            (LIST, list(3, "null"), list(3, r#"{"value":"no"}"#), "/next"),
            (LIST, list(120, "null"), list(120, "7"), "/next"),
            (TREE, r#"["a",["b",["c"]],"d"]"#.to_owned(), r#"["a",["b",[]]]"#.to_owned(), ""),
            (TREE, deep(120).replace("[]", "[\"a\"]"), deep(120), ""),
        ] {
            assert_eq!(check_text(schema), Ok(()));
            assert_eq!(fits_text(schema, &fit), Ok(()));
            let unfit = fits_text(schema, &unfit).unwrap_err();
            assert!(unfit.at.starts_with(at), "{unfit}");
            assert!(!unfit.why.contains("steps"), "{unfit}");
        }
        let wide = format!("[{}\"a\"]", "\"a\",".repeat(10_000));
        assert_eq!(fits_text(TREE, &wide), Ok(()));
    }

    /// Each of these would not come to an end, or hides from whoever looks for one.
    #[test]
    fn what_turns_round_in_one_place_is_refused() {
        for (schema, why) in [
            (r##"{"$ref":"#"}"##, "without going deeper"),
            (r##"{"properties":{"a":{"$ref":"#"}},"not":{"$ref":"#"}}"##, "without going deeper"),
            (
                r##"{"$defs":{"items":{"$ref":"#/$defs/items"}},"$ref":"#/$defs/items"}"##,
                "without going deeper",
            ),
            (
                r##"{"properties":{"allOf":[{"$ref":"#/properties"}]},"$ref":"#/properties"}"##,
                "without going deeper",
            ),
            (r##"{"items":{"$ref":"#"},"unevaluatedItems":{"$ref":"#"}}"##, "`unevaluatedItems`"),
            (r##"{"items":{"$dynamicRef":"#"}}"##, "`$dynamicRef`"),
            (r##"{"items":{"$ref":"#"},"contains":{"$ref":"#/%24defs"},"$defs":{}}"##, "nowhere"),
            (r##"{"items":{"$ref":"#"},"contains":{"$ref":"#name"}}"##, "nowhere"),
            (r##"{"items":{"$ref":"#"},"$defs":{"a":{"$id":"urn:a"}}}"##, "an `$id`"),
        ] {
            let refused = check_text(schema).unwrap_err();
            assert!(refused.contains(why), "{schema}: {refused}");
            assert_eq!(fits_text(schema, "7").unwrap_err().why, refused);
        }
    }

    /// Each level doubles the work: a small document is held against it, a deep one is not.
    #[test]
    fn work_that_doubles_with_the_document_has_a_bound() {
        let doubling = r##"{"allOf":[{"items":{"$ref":"#"}},{"items":{"$ref":"#"}}]}"##;
        assert_eq!(fits_text(doubling, &deep(8)), Ok(()));
        let refused = fits_text(doubling, &deep(100)).unwrap_err();
        assert!(refused.why.contains("more than 100000 steps"), "{refused}");
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
        for wide in [doubled(60), doubled(60).replacen('{', "{\"$id\":\"urn:x\",", 1)] {
            let inside = format!("{{\"allOf\":[{wide}]}}");
            for wide in [&wide, &inside] {
                let refused = fits_text(wide, "7").unwrap_err();
                assert!(refused.why.contains("more than 10000 values"), "{}", refused.why);
            }
        }
        assert_eq!(fits_text(&doubled(3), "7"), Ok(()));
        assert!(fits_text(&doubled(3), "\"seven\"").unwrap_err().why.contains("integer"));
        let slow = r#"{"pattern":"^(?:(a+)+)+(?=b)$"}"#;
        let unfit = fits_text(slow, &format!("\"{}\"", "a".repeat(5_000)));
        assert!(unfit.is_err());
    }
}
