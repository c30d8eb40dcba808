//! Shapes as a module for Zod 4.

use std::fmt::Write as _;

use super::shapes::{Described, Member, Shape, Shapes};

/// The module: one constant for each named shape, and the document as the default.
pub(super) fn module(shapes: &Shapes) -> String {
    let mut out = format!("// {}\n", one_line(&shapes.id));
    out.push_str("// Made from the JSON Schema of the same name: change that one.\n\n");
    out.push_str("import { z } from \"zod\";\n\n");
    let writer = Writer { repeated: repeated(shapes) };
    if all(shapes).iter().any(|shape| matches!(shape, Shape::Text { .. })) {
        out.push_str(TEXT);
    }
    for (at, pattern) in writer.repeated.iter().enumerate() {
        let _ = writeln!(out, "const {} = {};", pattern_name(at), regex(pattern));
    }
    if !writer.repeated.is_empty() {
        out.push('\n');
    }
    for (name, described) in &shapes.named {
        writer.constant(&mut out, name, described);
    }
    writer.constant(&mut out, &shapes.title, &shapes.root);
    let _ = writeln!(out, "export default {};", shapes.title);
    out
}

/// JSON Schema counts characters where JavaScript counts halves of surrogate pairs.
const TEXT: &str = "\
/** Text of `min` to `max` characters, each counted once, that `pattern` matches. */
const text = (min, max, pattern = /^/u) =>
  z.string().regex(pattern).refine(
    (text) => { const { length } = [...text]; return min <= length && length <= max; },
    { error: `a text has ${min} to ${max} characters` },
  );

";

/// The patterns that stand in several places, in the order of their first.
fn repeated(shapes: &Shapes) -> Vec<String> {
    let (mut seen, mut repeated) = (Vec::new(), Vec::new());
    for shape in all(shapes) {
        let Shape::Text { pattern: Some(pattern), .. } = shape else { continue };
        if !seen.contains(pattern) {
            seen.push(pattern.clone());
        } else if !repeated.contains(pattern) {
            repeated.push(pattern.clone());
        }
    }
    repeated
}

fn pattern_name(at: usize) -> String {
    format!("pattern{}", at + 1)
}

/// Every shape of a schema.
fn all(shapes: &Shapes) -> Vec<&Shape> {
    let mut waiting: Vec<_> = shapes.named.iter().map(|(_, it)| &it.shape).collect();
    waiting.push(&shapes.root.shape);
    let mut found = Vec::new();
    while let Some(shape) = waiting.pop() {
        found.push(shape);
        match shape {
            Shape::List { items: inner, .. } | Shape::Map(inner) => waiting.push(&inner.shape),
            Shape::Object(members) => waiting.extend(members.iter().map(|it| &it.value.shape)),
            Shape::Union(all) | Shape::Tagged { variants: all, .. } => {
                waiting.extend(all.iter().map(|it| &it.shape));
            }
            Shape::Named { .. }
            | Shape::Anything
            | Shape::Boolean
            | Shape::Null
            | Shape::Integer { .. }
            | Shape::Text { .. }
            | Shape::Words(_) => {}
        }
    }
    found
}

/// To Zod a member of any value may also be left out, to JSON Schema it may not.
const PRESENT: &str = ".refine((value) => value !== undefined)";

struct Writer {
    repeated: Vec<String>,
}

impl Writer {
    fn constant(&self, out: &mut String, name: &str, described: &Described) {
        comment(out, described, 0);
        let _ = writeln!(out, "export const {name} = {};\n", self.expression(&described.shape, 0));
    }

    fn expression(&self, shape: &Shape, depth: usize) -> String {
        match shape {
            Shape::Named { name, later: false } => name.clone(),
            Shape::Named { name, later: true } => format!("z.lazy(() => {name})"),
            Shape::Anything => "z.unknown()".to_owned(),
            Shape::Boolean => "z.boolean()".to_owned(),
            Shape::Null => "z.null()".to_owned(),
            Shape::Integer { min, max } => format!("z.int().min({min}).max({max})"),
            Shape::Text { min, max, pattern } => self.text(*min, *max, pattern.as_deref()),
            Shape::Words(words) => choice(words, depth),
            Shape::List { items, min, max } => {
                let inner = self.expression(&items.shape, depth);
                format!("z.array({inner}){}{}", call("min", *min), call("max", *max))
            }
            Shape::Object(members) => self.object(members, depth),
            Shape::Map(value) => {
                format!("z.record(z.string(), {})", self.expression(&value.shape, depth))
            }
            Shape::Union(all) => format!("z.union({})", self.array(all, depth)),
            Shape::Tagged { tag, variants } => {
                let variants = self.array(variants, depth);
                format!("z.discriminatedUnion({}, {variants})", quoted(tag))
            }
        }
    }

    fn text(&self, min: Option<u64>, max: Option<u64>, pattern: Option<&str>) -> String {
        let repeated = |it: &str| self.repeated.iter().position(|repeated| repeated == it);
        let pattern = pattern.map(|it| repeated(it).map_or_else(|| regex(it), pattern_name));
        let pattern = pattern.map(|it| format!(", {it}")).unwrap_or_default();
        let max = max.map_or_else(|| "Infinity".to_owned(), |max| max.to_string());
        format!("text({}, {max}{pattern})", min.unwrap_or(0))
    }

    fn object(&self, members: &[Member], depth: usize) -> String {
        if members.is_empty() {
            return "z.strictObject({})".to_owned();
        }
        let mut out = "z.strictObject({\n".to_owned();
        for member in members {
            comment(&mut out, &member.value, depth + 1);
            let value = self.expression(&member.value.shape, depth + 1);
            let optional = match (member.required, &member.value.shape) {
                (true, Shape::Anything) => PRESENT,
                (true, _) => "",
                (false, _) => ".optional()",
            };
            let name = key(&member.name);
            let _ = writeln!(out, "{}{name}: {value}{optional},", indent(depth + 1));
        }
        out + &indent(depth) + "})"
    }

    fn array(&self, all: &[Described], depth: usize) -> String {
        let mut out = "[\n".to_owned();
        for described in all {
            comment(&mut out, described, depth + 1);
            let value = self.expression(&described.shape, depth + 1);
            let _ = writeln!(out, "{}{value},", indent(depth + 1));
        }
        out + &indent(depth) + "]"
    }
}

/// One of several words; many stand on lines of their own.
fn choice(words: &[String], depth: usize) -> String {
    let quoted: Vec<_> = words.iter().map(|word| quoted(word)).collect();
    match quoted.as_slice() {
        [word] => format!("z.literal({word})"),
        words if words.len() <= WORDS_ON_A_LINE => format!("z.enum([{}])", words.join(", ")),
        words => {
            let line = |words: &[String]| format!("{}{},\n", indent(depth + 1), words.join(", "));
            let lines: String = words.chunks(WORDS_ON_A_LINE).map(line).collect();
            format!("z.enum([\n{lines}{}])", indent(depth))
        }
    }
}

/// Words of a choice on one line: six fit into its width.
const WORDS_ON_A_LINE: usize = 6;

fn comment(out: &mut String, described: &Described, depth: usize) {
    if let Some(description) = &described.description {
        let text = one_line(description).replace("*/", "* /");
        let _ = writeln!(out, "{}/** {text} */", indent(depth));
    }
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
