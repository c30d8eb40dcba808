//! The part of JSON Schema that our types need, read strictly: a keyword that is not known here is
//! an error and not ignored, for whoever ignores it accepts too much.

use std::collections::{BTreeMap, BTreeSet};

use envelope_evidence::usage::MAX_EXACT;
use serde_json::{Map, Value};

/// What a schema says that is not known here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("at `{pointer}`: {what}")]
pub struct Unknown {
    /// Where: an RFC 6901 pointer into the schema.
    pub pointer: String,
    /// What.
    pub what: String,
}

/// A whole schema.
pub(super) struct Shapes {
    pub id: String,
    pub title: String,
    pub root: Described,
    /// Named shapes. Each is listed after those it refers to, as far as that goes.
    pub named: Vec<(String, Described)>,
}

/// A shape and what it is for.
pub(super) struct Described {
    pub description: Option<String>,
    pub shape: Shape,
}

pub(super) enum Shape {
    /// A shape with a name. It is `later` where it refers to itself on some way.
    Named {
        name: String,
        later: bool,
    },
    /// Anything at all.
    Anything,
    Boolean,
    Null,
    Integer {
        min: i64,
        max: i64,
    },
    /// Text, its length counted in characters.
    Text {
        min: Option<u64>,
        max: Option<u64>,
        pattern: Option<String>,
    },
    /// One of these words.
    Words(Vec<String>),
    List {
        items: Box<Described>,
        min: Option<u64>,
        max: Option<u64>,
    },
    /// An object with these members and no others.
    Object(Vec<Member>),
    /// An object with any members.
    Map(Box<Described>),
    /// Any of these. Where exactly one is meant, no two have a value in common.
    Union(Vec<Described>),
    /// Objects told apart by the word in one member.
    Tagged {
        tag: String,
        variants: Vec<Described>,
    },
}

pub(super) struct Member {
    pub name: String,
    pub required: bool,
    pub value: Described,
}

/// What every schema may carry and no validator heeds.
const ANNOTATIONS: [&str; 6] =
    ["description", "title", "default", "$comment", "examples", "deprecated"];

/// How deep shapes nest: ours have five levels between two names.
const DEPTH_MAX: usize = 32;

pub(super) fn read(schema: &Value) -> Result<Shapes, Unknown> {
    let top = object(schema, "")?;
    let mut named = BTreeMap::new();
    if let Some(defs) = top.get("$defs") {
        for (name, def) in object(defs, "/$defs")? {
            let pointer = format!("/$defs/{name}");
            if !is_name(name) {
                return unknown(&pointer, format!("`{name}` cannot name a constant"));
            }
            named.insert(name.clone(), described(def, &pointer, 0)?);
        }
    }
    let mut root = top.clone();
    for keyword in ["$defs", "$id", "$schema"] {
        root.remove(keyword);
    }
    let root = described(&Value::Object(root), "", 0)?;
    let title = text(top, "title", "")?.unwrap_or_default().to_owned();
    if !is_name(&title) || named.contains_key(&title) {
        return unknown("/title", format!("`{title}` cannot name the root"));
    }
    let id = text(top, "$id", "")?.unwrap_or_default().to_owned();
    Ok(Shapes { id, title, root, named: in_order(named)? })
}

fn described(schema: &Value, pointer: &str, depth: usize) -> Result<Described, Unknown> {
    if depth > DEPTH_MAX {
        return unknown(pointer, format!("nested deeper than {DEPTH_MAX} shapes"));
    }
    if *schema == Value::Bool(true) {
        return Ok(Described { description: None, shape: Shape::Anything });
    }
    let schema = object(schema, pointer)?;
    let description = text(schema, "description", pointer)?.map(str::to_owned);
    Ok(Described { description, shape: shape(schema, pointer, depth)? })
}

type Keywords = Map<String, Value>;

fn shape(schema: &Keywords, pointer: &str, depth: usize) -> Result<Shape, Unknown> {
    if schema.contains_key("$ref") {
        return reference(schema, pointer);
    }
    for (keyword, exclusive) in [("oneOf", true), ("anyOf", false)] {
        if let Some(branches) = schema.get(keyword) {
            only(schema, &[keyword], pointer)?;
            return union(branches, exclusive, &format!("{pointer}/{keyword}"), depth);
        }
    }
    match text(schema, "type", pointer)? {
        Some("string") => words(schema, pointer),
        Some("integer") => integer(schema, pointer),
        Some("array") => list(schema, pointer, depth),
        Some("object") => members(schema, pointer, depth),
        Some("boolean") => only(schema, &["type"], pointer).map(|()| Shape::Boolean),
        Some("null") => only(schema, &["type"], pointer).map(|()| Shape::Null),
        Some(other) => unknown(pointer, format!("the type `{other}`")),
        None => only(schema, &[], pointer).map(|()| Shape::Anything),
    }
}

fn reference(schema: &Keywords, pointer: &str) -> Result<Shape, Unknown> {
    only(schema, &["$ref"], pointer)?;
    let target = text(schema, "$ref", pointer)?.unwrap_or_default();
    match target.strip_prefix("#/$defs/") {
        Some(name) if is_name(name) => Ok(Shape::Named { name: name.to_owned(), later: false }),
        Some(_) | None => unknown(pointer, format!("the reference `{target}`")),
    }
}

fn words(schema: &Keywords, pointer: &str) -> Result<Shape, Unknown> {
    if let Some(word) = text(schema, "const", pointer)? {
        only(schema, &["type", "const"], pointer)?;
        return Ok(Shape::Words(vec![word.to_owned()]));
    }
    if let Some(list) = schema.get("enum") {
        only(schema, &["type", "enum"], pointer)?;
        let word = |word: &Value| word.as_str().map(str::to_owned);
        let list = list.as_array().and_then(|list| list.iter().map(word).collect());
        return list.map_or_else(|| unknown(pointer, "an `enum` of more than words"), word_shape);
    }
    only(schema, &["type", "minLength", "maxLength", "pattern"], pointer)?;
    let pattern = text(schema, "pattern", pointer)?.map(str::to_owned);
    if pattern.as_ref().is_some_and(|it| it.is_empty() || !it.chars().all(is_plain)) {
        return unknown(pointer, "a pattern that is empty or not plain ASCII");
    }
    let (min, max) = (bound(schema, "minLength", pointer)?, bound(schema, "maxLength", pointer)?);
    Ok(Shape::Text { min, max, pattern })
}

fn word_shape(words: Vec<String>) -> Result<Shape, Unknown> {
    Ok(Shape::Words(words))
}

fn integer(schema: &Keywords, pointer: &str) -> Result<Shape, Unknown> {
    only(schema, &["type", "minimum", "maximum"], pointer)?;
    let exact = |keyword: &str| {
        let number = schema.get(keyword).and_then(Value::as_i64);
        number.filter(|number| number.unsigned_abs() <= MAX_EXACT)
    };
    match (exact("minimum"), exact("maximum")) {
        (Some(min), Some(max)) => Ok(Shape::Integer { min, max }),
        _ => unknown(pointer, "an integer without bounds within ±(2^53 − 1)"),
    }
}

fn list(schema: &Keywords, pointer: &str, depth: usize) -> Result<Shape, Unknown> {
    only(schema, &["type", "items", "minItems", "maxItems"], pointer)?;
    let items = schema.get("items").unwrap_or(&Value::Bool(true));
    let items = Box::new(described(items, &format!("{pointer}/items"), depth + 1)?);
    let (min, max) = (bound(schema, "minItems", pointer)?, bound(schema, "maxItems", pointer)?);
    Ok(Shape::List { items, min, max })
}

fn members(schema: &Keywords, pointer: &str, depth: usize) -> Result<Shape, Unknown> {
    only(schema, &["type", "properties", "required", "additionalProperties"], pointer)?;
    let Some(closed) = schema.get("additionalProperties") else {
        return unknown(pointer, "an object that does not say whether it has other members");
    };
    let empty = Map::new();
    let properties = schema.get("properties").map_or(Ok(&empty), |it| object(it, pointer))?;
    if *closed != Value::Bool(false) {
        if !properties.is_empty() || schema.contains_key("required") {
            return unknown(pointer, "an object with both named and any members");
        }
        let value = described(closed, &format!("{pointer}/additionalProperties"), depth + 1)?;
        return Ok(Shape::Map(Box::new(value)));
    }
    let required = schema.get("required").and_then(Value::as_array).into_iter().flatten();
    let required: BTreeSet<_> = required.filter_map(Value::as_str).collect();
    if let Some(name) = required.iter().find(|name| !properties.contains_key(**name)) {
        return unknown(pointer, format!("`{name}` is required and not described"));
    }
    let member = |(name, value): (&String, &Value)| {
        let value = described(value, &format!("{pointer}/properties/{name}"), depth + 1)?;
        Ok(Member { name: name.clone(), required: required.contains(name.as_str()), value })
    };
    Ok(Shape::Object(properties.iter().map(member).collect::<Result<_, _>>()?))
}

fn union(branches: &Value, exclusive: bool, at: &str, depth: usize) -> Result<Shape, Unknown> {
    let Some(branches) = branches.as_array().filter(|branches| !branches.is_empty()) else {
        return unknown(at, "no branches");
    };
    let branch = |(n, branch)| described(branch, &format!("{at}/{n}"), depth + 1);
    let branches: Vec<_> = branches.iter().enumerate().map(branch).collect::<Result<_, _>>()?;
    let words: Option<Vec<_>> = branches.iter().map(|it| it.shape.words()).collect();
    if let Some(words) = words {
        let words: Vec<_> = words.into_iter().flatten().cloned().collect();
        let distinct = words.iter().collect::<BTreeSet<_>>().len() == words.len();
        return match distinct || !exclusive {
            true => Ok(Shape::Words(words)),
            false => unknown(at, "a word in two branches"),
        };
    }
    if let Some(tag) = tag_of(&branches) {
        return Ok(Shape::Tagged { tag, variants: branches });
    }
    let overlapping = |n: usize, a: &Described| {
        branches.iter().skip(n + 1).any(|b| !a.shape.is_apart_from(&b.shape))
    };
    if exclusive && branches.iter().enumerate().any(|(n, branch)| overlapping(n, branch)) {
        return unknown(at, "branches that may have a value in common");
    }
    Ok(Shape::Union(branches))
}

/// The required member whose word differs in every branch.
fn tag_of(branches: &[Described]) -> Option<String> {
    let Shape::Object(first) = &branches.first()?.shape else { return None };
    let tells = |tag: &&str| {
        let words: Option<BTreeSet<_>> =
            branches.iter().map(|branch| branch.shape.word_at(tag)).collect();
        words.is_some_and(|words| words.len() == branches.len())
    };
    first.iter().map(|member| member.name.as_str()).find(tells).map(str::to_owned)
}

impl Shape {
    fn words(&self) -> Option<&[String]> {
        if let Self::Words(words) = self { Some(words) } else { None }
    }

    /// The one word that the required member `name` holds.
    fn word_at(&self, name: &str) -> Option<&str> {
        let Self::Object(members) = self else { return None };
        let member = members.iter().find(|member| member.name == name && member.required)?;
        let [word] = member.value.shape.words()? else { return None };
        Some(word)
    }

    /// Whether no value fits both. Names are not followed: `false` is the safe answer.
    fn is_apart_from(&self, other: &Self) -> bool {
        if let (Self::Words(words), Self::Words(others)) = (self, other) {
            return !words.iter().any(|word| others.contains(word));
        }
        if let (Self::Object(members), Self::Object(others)) = (self, other) {
            return lacks(members, others) || lacks(others, members);
        }
        matches!((self.kind(), other.kind()), (Some(kind), Some(other)) if kind != other)
    }

    const fn kind(&self) -> Option<&'static str> {
        match self {
            Self::Named { .. } | Self::Anything | Self::Union(_) => None,
            Self::Boolean => Some("boolean"),
            Self::Null => Some("null"),
            Self::Integer { .. } => Some("integer"),
            Self::Text { .. } | Self::Words(_) => Some("string"),
            Self::List { .. } => Some("array"),
            Self::Object(_) | Self::Map(_) | Self::Tagged { .. } => Some("object"),
        }
    }

    /// The shapes inside this one.
    fn inner(&mut self) -> Vec<&mut Self> {
        match self {
            Self::List { items, .. } => vec![&mut items.shape],
            Self::Map(value) => vec![&mut value.shape],
            Self::Object(members) => members.iter_mut().map(|it| &mut it.value.shape).collect(),
            Self::Union(all) | Self::Tagged { variants: all, .. } => {
                all.iter_mut().map(|it| &mut it.shape).collect()
            }
            Self::Named { .. }
            | Self::Anything
            | Self::Boolean
            | Self::Null
            | Self::Integer { .. }
            | Self::Text { .. }
            | Self::Words(_) => Vec::new(),
        }
    }
}

/// Whether `members` lack one that `others` require.
fn lacks(members: &[Member], others: &[Member]) -> bool {
    let has = |name: &str| members.iter().any(|member| member.name == name);
    others.iter().any(|other| other.required && !has(&other.name))
}

/// Puts every shape behind those it refers to, and marks the references that look ahead.
fn in_order(named: BTreeMap<String, Described>) -> Result<Vec<(String, Described)>, Unknown> {
    let names: BTreeSet<_> = named.keys().cloned().collect();
    let mut waiting = Vec::from_iter(named);
    let mut placed = BTreeSet::new();
    let mut order = Vec::new();
    while !waiting.is_empty() {
        let ready = |shape: &mut Shape, placed: &BTreeSet<String>| {
            references(shape).into_iter().all(|(name, _)| placed.contains(name.as_str()))
        };
        let next = waiting.iter_mut().position(|(_, it)| ready(&mut it.shape, &placed));
        let (name, mut next) = waiting.remove(next.unwrap_or(0));
        for (target, later) in references(&mut next.shape) {
            if !names.contains(target.as_str()) {
                return unknown(&format!("/$defs/{name}"), format!("`{target}` is not defined"));
            }
            *later = !placed.contains(target.as_str());
        }
        placed.insert(name.clone());
        order.push((name, next));
    }
    Ok(order)
}

fn references(shape: &mut Shape) -> Vec<(&mut String, &mut bool)> {
    let mut found = Vec::new();
    let mut waiting = vec![shape];
    while let Some(shape) = waiting.pop() {
        if let Shape::Named { name, later } = shape {
            found.push((name, later));
        } else {
            waiting.extend(shape.inner());
        }
    }
    found
}

/// A name that can stand as a constant and shadows nothing that a module needs.
fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_uppercase())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn is_plain(c: char) -> bool {
    c == ' ' || c.is_ascii_graphic()
}

fn only(schema: &Keywords, known: &[&str], pointer: &str) -> Result<(), Unknown> {
    let is_known = |it: &str| known.contains(&it) || ANNOTATIONS.contains(&it);
    match schema.keys().find(|keyword| !is_known(keyword)) {
        None => Ok(()),
        Some(keyword) => unknown(pointer, format!("the keyword `{keyword}` here")),
    }
}

fn object<'a>(value: &'a Value, pointer: &str) -> Result<&'a Keywords, Unknown> {
    value.as_object().map_or_else(|| unknown(pointer, "not an object"), Ok)
}

fn text<'a>(schema: &'a Keywords, key: &str, pointer: &str) -> Result<Option<&'a str>, Unknown> {
    match schema.get(key) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => unknown(pointer, format!("a `{key}` that is no text")),
    }
}

fn bound(schema: &Keywords, key: &str, pointer: &str) -> Result<Option<u64>, Unknown> {
    match schema.get(key) {
        None => Ok(None),
        Some(bound) => match bound.as_u64().filter(|bound| *bound <= MAX_EXACT) {
            Some(bound) => Ok(Some(bound)),
            None => unknown(pointer, format!("a `{key}` that is no length")),
        },
    }
}

fn unknown<T>(pointer: &str, what: impl Into<String>) -> Result<T, Unknown> {
    Err(Unknown { pointer: pointer.to_owned(), what: what.into() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn refusal(schema: &Value) -> String {
        let root = json!({ "title": "Root", "type": "object", "additionalProperties": false,
            "properties": { "a": schema } });
        read(&root).err().map(|unknown| unknown.to_string()).unwrap_or_default()
    }

    #[test]
    fn what_is_not_known_is_refused() {
        let object = |name: &str| {
            let members = json!({ name: true });
            json!({ "type": "object", "additionalProperties": false, "properties": members })
        };
        let cases = [
            (json!({ "type": "number" }), "at `/properties/a`: the type `number`"),
            (json!({ "not": {} }), "at `/properties/a`: the keyword `not` here"),
            (
                json!({ "type": "string", "format": "date" }),
                "at `/properties/a`: the keyword `format` here",
            ),
            (
                json!({ "type": "integer", "minimum": 0 }),
                "at `/properties/a`: an integer without bounds within ±(2^53 − 1)",
            ),
            (
                json!({ "type": "object" }),
                "at `/properties/a`: an object that does not say whether it has other members",
            ),
            (
                json!({ "oneOf": [object("b"), object("c")] }),
                "at `/properties/a/oneOf`: branches that may have a value in common",
            ),
            (json!({ "$ref": "#" }), "at `/properties/a`: the reference `#`"),
            (
                json!({ "$ref": "#/$defs/A", "minLength": 1 }),
                "at `/properties/a`: the keyword \
              `minLength` here",
            ),
            (json!({ "type": "string", "maxLength": 9 }), ""),
            (json!({ "oneOf": [{ "type": "null" }, { "type": "boolean" }] }), ""),
        ];
        for (schema, said) in cases {
            assert_eq!(refusal(&schema), said, "{schema}");
        }
    }

    #[test]
    fn shapes_stand_behind_those_they_refer_to() {
        let to =
            |name: &str| json!({ "type": "array", "items": { "$ref": format!("#/$defs/{name}") } });
        let root = json!({ "title": "Root", "type": "boolean", "$defs": {
            "A": to("B"), "B": to("C"), "C": { "type": "null" }, "D": to("D") } });
        let shapes = read(&root).unwrap();
        let names: Vec<_> = shapes.named.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["C", "B", "A", "D"]);
        let mut shapes = shapes.named;
        let later =
            |shape: &mut Shape| references(shape).iter().map(|(_, it)| **it).collect::<Vec<_>>();
        assert_eq!(later(&mut shapes[2].1.shape), [false]);
        assert_eq!(later(&mut shapes[3].1.shape), [true]);
    }
}
