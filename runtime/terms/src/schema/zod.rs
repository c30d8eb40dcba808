//! Shapes as a module for Zod 4.

use std::fmt::Write as _;

use super::shape::{Described, Member, Shape, Shapes};

/// The module: one constant for each named shape, and the document as the default.
pub(super) fn module(shapes: &Shapes) -> String {
    let mut out = format!("// {}\n", one_line(&shapes.id));
    out.push_str("// Made from the JSON Schema of the same name: change that one.\n\n");
    out.push_str("import { z } from \"zod\";\n\n");
    if uses_lengths(shapes) {
        out.push_str(CHARACTERS);
    }
    for (name, described) in &shapes.named {
        constant(&mut out, name, described);
    }
    constant(&mut out, &shapes.title, &shapes.root);
    let _ = writeln!(out, "export default {};", shapes.title);
    out
}

/// JSON Schema counts characters where JavaScript counts halves of surrogate pairs.
const CHARACTERS: &str = "\
/** Text of `min` to `max` characters, each counted once. */
const characters = (min, max) => [
  (text) => { const { length } = [...text]; return min <= length && length <= max; },
  { error: `a text has ${min} to ${max} characters` },
];

";

fn uses_lengths(shapes: &Shapes) -> bool {
    fn inside(it: &Described) -> bool {
        match &it.shape {
            Shape::Text { min, max, .. } => min.is_some() || max.is_some(),
            Shape::List { items: inner, .. } | Shape::Map(inner) => inside(inner),
            Shape::Object(members) => members.iter().any(|member| inside(&member.value)),
            Shape::Union(all) | Shape::Tagged { variants: all, .. } => all.iter().any(inside),
            Shape::Named { .. }
            | Shape::Anything
            | Shape::Boolean
            | Shape::Null
            | Shape::Integer { .. }
            | Shape::Words(_) => false,
        }
    }
    inside(&shapes.root) || shapes.named.iter().any(|(_, it)| inside(it))
}

fn constant(out: &mut String, name: &str, described: &Described) {
    comment(out, described, 0);
    let _ = writeln!(out, "export const {name} = {};\n", expression(&described.shape, 0));
}

fn comment(out: &mut String, described: &Described, depth: usize) {
    if let Some(description) = &described.description {
        let text = one_line(description).replace("*/", "* /");
        let _ = writeln!(out, "{}/** {text} */", indent(depth));
    }
}

fn expression(shape: &Shape, depth: usize) -> String {
    match shape {
        Shape::Named { name, later: false } => name.clone(),
        Shape::Named { name, later: true } => format!("z.lazy(() => {name})"),
        Shape::Anything => "z.unknown()".to_owned(),
        Shape::Boolean => "z.boolean()".to_owned(),
        Shape::Null => "z.null()".to_owned(),
        Shape::Integer { min, max } => format!("z.int().min({min}).max({max})"),
        Shape::Text { min, max, pattern } => text(*min, *max, pattern.as_deref()),
        Shape::Words(words) => match words.as_slice() {
            [word] => format!("z.literal({})", quoted(word)),
            words => format!(
                "z.enum([{}])",
                words.iter().map(|it| quoted(it)).collect::<Vec<_>>().join(", ")
            ),
        },
        Shape::List { items, min, max } => {
            let inner = expression(&items.shape, depth);
            format!("z.array({inner}){}{}", call("min", *min), call("max", *max))
        }
        Shape::Object(members) => object(members, depth),
        Shape::Map(value) => {
            format!("z.record(z.string(), {})", expression(&value.shape, depth))
        }
        Shape::Union(all) => format!("z.union({})", array(all, depth)),
        Shape::Tagged { tag, variants } => {
            format!("z.discriminatedUnion({}, {})", quoted(tag), array(variants, depth))
        }
    }
}

fn text(min: Option<u64>, max: Option<u64>, pattern: Option<&str>) -> String {
    let pattern = pattern.map(|it| format!(".regex({})", regex(it))).unwrap_or_default();
    let max = max.map(|max| max.to_string());
    let length = match (min, max) {
        (None | Some(0), None) => String::new(),
        (min, max) => {
            let max = max.as_deref().unwrap_or("Infinity");
            format!(".refine(...characters({}, {max}))", min.unwrap_or(0))
        }
    };
    format!("z.string(){pattern}{length}")
}

fn object(members: &[Member], depth: usize) -> String {
    if members.is_empty() {
        return "z.strictObject({})".to_owned();
    }
    let mut out = "z.strictObject({\n".to_owned();
    for member in members {
        comment(&mut out, &member.value, depth + 1);
        let value = expression(&member.value.shape, depth + 1);
        let optional = if member.required { "" } else { ".optional()" };
        let name = key(&member.name);
        let _ = writeln!(out, "{}{name}: {value}{optional},", indent(depth + 1));
    }
    out + &indent(depth) + "})"
}

fn array(all: &[Described], depth: usize) -> String {
    let mut out = "[\n".to_owned();
    for described in all {
        comment(&mut out, described, depth + 1);
        let _ = writeln!(out, "{}{},", indent(depth + 1), expression(&described.shape, depth + 1));
    }
    out + &indent(depth) + "]"
}

fn call(name: &str, bound: Option<u64>) -> String {
    bound
        .filter(|bound| *bound > 0 || name == "max")
        .map(|it| format!(".{name}({it})"))
        .unwrap_or_default()
}

/// A pattern as JavaScript writes it, matched by characters as JSON Schema wants it.
fn regex(pattern: &str) -> String {
    let mut out = "/".to_owned();
    let mut escaped = false;
    for c in pattern.chars() {
        if c == '/' && !escaped {
            out.push('\\');
        }
        escaped = c == '\\' && !escaped;
        out.push(c);
    }
    out + "/u"
}

/// A member's name, computed where the bare one would mean the prototype.
fn key(name: &str) -> String {
    let bare = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && !name.is_empty();
    match name {
        "__proto__" => "[\"__proto__\"]".to_owned(),
        name if bare => name.to_owned(),
        name => quoted(name),
    }
}

/// Text as JavaScript writes it, which is how JSON does.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn indent(depth: usize) -> String {
    "  ".repeat(depth)
}
