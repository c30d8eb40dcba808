//! Schemas that refer to themselves, as those of trees and of lists do.
//!
//! Written out, such a schema has no end. It comes to one all the same when each way back to itself
//! leads deeper into the document, which has an end. What is not understood here is refused.

use serde_json::Value;

/// Schemas of such a schema that hold others: building it may go through all of them, one within
/// the next, and each takes a piece of the stack.
const INNER_MAX: usize = 100;

/// Schemas that one value of a document is held against: more than an honest one has, and a number
/// that doubles at each of a few references does not pass.
const HERE_MAX: u64 = 1_000;

/// Schemas held against the values of one document, some milliseconds long.
const STEPS_MAX: usize = 100_000;

/// Schemas within each other that lead to one value: four for each level of the deepest document
/// that is read. Each takes a piece of the stack.
const DEPTH_MAX: usize = 512;

/// To which values a part of a schema applies, of the one that the schema applies to.
#[derive(Clone, Copy)]
enum Place<'a> {
    Here,
    Member(&'a str),
    Members,
    Elements,
    Names,
}

/// What the value of a keyword is.
enum Shape {
    /// It holds no schema that is applied.
    Plain,
    Reference,
    One,
    List,
    Map,
}

fn keyword<'a>(name: &str, value: &Value) -> Option<(Shape, Place<'a>)> {
    let listed = || if value.is_array() { Shape::List } else { Shape::One };
    Some(match name {
        "$schema" | "$id" | "$comment" | "$defs" | "definitions" | "title" | "description"
        | "default" | "examples" | "deprecated" | "readOnly" | "writeOnly" | "type" | "enum"
        | "const" | "multipleOf" | "maximum" | "exclusiveMaximum" | "minimum"
        | "exclusiveMinimum" | "maxLength" | "minLength" | "pattern" | "maxItems" | "minItems"
        | "uniqueItems" | "maxContains" | "minContains" | "maxProperties" | "minProperties"
        | "required" | "format" => (Shape::Plain, Place::Here),
        "$ref" => (Shape::Reference, Place::Here),
        "allOf" | "anyOf" | "oneOf" => (Shape::List, Place::Here),
        "not" | "if" | "then" | "else" => (Shape::One, Place::Here),
        "dependentSchemas" => (Shape::Map, Place::Here),
        "properties" | "patternProperties" => (Shape::Map, Place::Members),
        "additionalProperties" => (Shape::One, Place::Members),
        "propertyNames" => (Shape::One, Place::Names),
        "items" | "prefixItems" => (listed(), Place::Elements),
        "additionalItems" | "contains" => (Shape::One, Place::Elements),
        _ => return None,
    })
}

/// The schemas that `schema` consists of, each with what it applies to. Where several may apply, it
/// is all of them.
fn parts<'a>(whole: &'a Value, schema: &'a Value) -> Result<Vec<(Place<'a>, &'a Value)>, String> {
    let mut parts = Vec::new();
    for (name, value) in schema.as_object().into_iter().flatten() {
        let unknown = || format!("it refers to itself, where `{name}` is not understood");
        let (shape, place) = keyword(name, value).ok_or_else(unknown)?;
        match (shape, value) {
            (Shape::Plain, _) => {}
            (Shape::Reference, value) => parts.push((place, referred(whole, value)?)),
            (Shape::One, value) => parts.push((place, value)),
            (Shape::List, Value::Array(list)) => {
                parts.extend(list.iter().map(|part| (place, part)));
            }
            (Shape::Map, Value::Object(map)) if name == "properties" => {
                parts.extend(map.iter().map(|(name, part)| (Place::Member(name), part)));
            }
            (Shape::Map, Value::Object(map)) => {
                parts.extend(map.values().map(|part| (place, part)));
            }
            (Shape::List | Shape::Map, _) => return Err(format!("`{name}` holds no schemas")),
        }
    }
    Ok(parts)
}

/// What a JSON pointer leads to. One that is written with escapes of addresses is not followed.
fn referred<'a>(whole: &'a Value, reference: &Value) -> Result<&'a Value, String> {
    let pointer = reference.as_str().and_then(|text| text.strip_prefix('#'));
    let pointer = pointer.filter(|pointer| !pointer.contains('%'));
    let nowhere = || format!("it refers to itself, where {reference} leads nowhere: write `#/..`");
    pointer.and_then(|pointer| whole.pointer(pointer)).ok_or_else(nowhere)
}

/// Whether `whole` comes to an end with every document that does.
pub(super) fn ends(whole: &Value) -> Result<(), String> {
    if renames(whole, true) {
        return Err("it refers to itself, and has an `$id` or an `id` within".to_owned());
    }
    let mut ends = Ends { whole, known: Vec::new() };
    let mut next = vec![whole];
    let mut seen: Vec<&Value> = Vec::new();
    while let Some(schema) = next.pop() {
        let parts = parts(whole, schema)?;
        if parts.is_empty() || seen.iter().any(|known| std::ptr::eq(*known, schema)) {
            continue;
        }
        if seen.len() >= INNER_MAX {
            return Err(format!(
                "it refers to itself, and has more than {INNER_MAX} schemas with others within"
            ));
        }
        seen.push(schema);
        next.extend(parts.iter().map(|(_, part)| *part));
        if ends.here(schema)? > HERE_MAX {
            return Err(format!("it holds one value against more than {HERE_MAX} schemas"));
        }
    }
    Ok(())
}

/// Whether an id within moves what references lead to.
fn renames(value: &Value, top: bool) -> bool {
    match value {
        Value::Array(values) => values.iter().any(|value| renames(value, false)),
        Value::Object(members) => members.iter().any(|(name, value)| {
            let id = matches!(name.as_str(), "$id" | "id") && value.is_string();
            (id && !(top && name == "$id")) || renames(value, false)
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

struct Ends<'a> {
    whole: &'a Value,
    /// Schemas with others within, and how many they hold one value against: nobody knows yet for
    /// those that are counted just now.
    known: Vec<(&'a Value, Option<u64>)>,
}

impl<'a> Ends<'a> {
    /// How many schemas a value is held against by `schema`.
    fn here(&mut self, schema: &'a Value) -> Result<u64, String> {
        match self.known.iter().find(|(known, _)| std::ptr::eq(*known, schema)) {
            Some((_, Some(count))) => return Ok(*count),
            Some((_, None)) => {
                return Err("it refers to itself without going deeper into a document".to_owned());
            }
            None => {}
        }
        let parts = parts(self.whole, schema)?;
        let here = || parts.iter().filter(|(place, _)| matches!(place, Place::Here));
        if here().next().is_none() {
            return Ok(1);
        }
        // As deep as there are of them, at most.
        if self.known.len() >= INNER_MAX {
            return Err(format!("it has more than {INNER_MAX} schemas with others within"));
        }
        self.known.push((schema, None));
        let mut count: u64 = 1;
        for (_, part) in here() {
            count = count.saturating_add(self.here(part)?);
        }
        let known = self.known.iter_mut().find(|(known, _)| std::ptr::eq(*known, schema));
        if let Some((_, known)) = known {
            *known = Some(count);
        }
        Ok(count)
    }
}

/// Whether `document` can be held against `whole` in so many steps. It takes each of them, and
/// looks at nothing but where it leads.
pub(super) fn bounded(whole: &Value, document: &Value) -> Result<(), String> {
    Steps { whole, left: STEPS_MAX }.take(whole, document, 0)
}

struct Steps<'a> {
    whole: &'a Value,
    left: usize,
}

impl<'a> Steps<'a> {
    fn take(&mut self, schema: &'a Value, value: &Value, depth: usize) -> Result<(), String> {
        if depth > DEPTH_MAX {
            return Err(format!("it lies deeper than {DEPTH_MAX} schemas"));
        }
        let left = self.left.checked_sub(1);
        let many = || format!("to check it takes more than {STEPS_MAX} steps");
        self.left = left.ok_or_else(many)?;
        for (place, part) in parts(self.whole, schema)? {
            match (place, value) {
                (Place::Here, _) => self.take(part, value, depth + 1)?,
                (Place::Member(name), Value::Object(members)) => {
                    if let Some(value) = members.get(name) {
                        self.take(part, value, depth + 1)?;
                    }
                }
                (Place::Members, Value::Object(members)) => {
                    for value in members.values() {
                        self.take(part, value, depth + 1)?;
                    }
                }
                (Place::Elements, Value::Array(values)) => {
                    for value in values {
                        self.take(part, value, depth + 1)?;
                    }
                }
                (Place::Names, Value::Object(members)) => {
                    for _ in members {
                        self.take(part, &Value::Null, depth + 1)?;
                    }
                }
                (Place::Member(_) | Place::Members | Place::Elements | Place::Names, _) => {}
            }
        }
        Ok(())
    }
}
