//! Which fields a contract can have, read from the JSON Schema of its type.

use std::sync::OnceLock;

use serde_json::Value;

use super::prose::Path;
use crate::contract::Contract;

/// Alternatives followed at once: the widest field of a contract has six.
const WIDTH_MAX: usize = 64;

/// Whether some contract has a field at the end of these paths, one after the other.
pub(super) fn check(paths: &[&Path]) -> Result<(), String> {
    let root = schema();
    let mut nodes = open(root, vec![root]);
    let mut before = "a contract".to_owned();
    for step in paths.iter().flat_map(|path| &path.steps) {
        let next: Vec<_> = nodes.iter().flat_map(|node| below(node, step)).collect();
        if next.is_empty() {
            return Err(unknown(step, &before, &nodes));
        }
        nodes = open(root, next);
        before = format!("`{step}`");
    }
    Ok(())
}

/// Whether the entries of `list`, or what stands there instead of a list, have the field `path`.
pub(super) fn in_list(list: &Path, path: &Path) -> Result<(), String> {
    let entry = Path { relative: true, steps: vec!["0".to_owned()] };
    check(&[list, &entry, path]).or_else(|why| check(&[list, path]).map_err(|_| why))
}

fn unknown(step: &str, before: &str, nodes: &[&Value]) -> String {
    let properties = nodes.iter().filter_map(|node| node.get("properties")?.as_object());
    let names = properties.flat_map(|map| map.keys());
    let near = names.map(|name| (distance(step, name), name)).min();
    match near.filter(|(distance, _)| distance * 3 <= step.len()) {
        Some((_, name)) => format!("{before} has no `{step}`; did you mean `{name}`?"),
        None => format!("{before} has no `{step}`"),
    }
}

fn schema() -> &'static Value {
    static SCHEMA: OnceLock<Value> = OnceLock::new();
    SCHEMA.get_or_init(|| schemars::schema_for!(Contract).to_value())
}

/// What `nodes` say, behind references and alternatives.
fn open<'a>(root: &'a Value, mut nodes: Vec<&'a Value>) -> Vec<&'a Value> {
    let mut at = 0;
    while let Some(node) = nodes.get(at).copied().filter(|_| at < WIDTH_MAX) {
        let reference = node.get("$ref").and_then(Value::as_str);
        nodes.extend(reference.and_then(|to| root.pointer(to.strip_prefix('#')?)));
        for alternatives in ["anyOf", "oneOf", "allOf"] {
            nodes.extend(node.get(alternatives).and_then(Value::as_array).into_iter().flatten());
        }
        at += 1;
    }
    nodes
}

fn below<'a>(node: &'a Value, step: &str) -> Vec<&'a Value> {
    let field = node.get("properties").and_then(|properties| properties.get(step));
    let entry = node.get("items");
    field.into_iter().chain(entry).collect()
}

/// The letters to change, add or leave out on the way from one word to the other.
fn distance(from: &str, to: &str) -> usize {
    let mut row: Vec<usize> = (0..=to.chars().count()).collect();
    for (at, a) in from.chars().enumerate() {
        let mut left = at + 1;
        let mut next = vec![left];
        for (b, pair) in to.chars().zip(row.windows(2)) {
            let [diagonal, above] = *pair else { continue };
            left = (diagonal + usize::from(a != b)).min(above + 1).min(left + 1);
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_known_by_the_types() {
        let check = |path: &str| {
            let steps = path.split('.').map(str::to_owned).collect();
            super::check(&[&Path { relative: false, steps }])
        };
        for known in ["price.amount", "criteria.0.statement", "liability.cap.amount", "stakes"] {
            assert_eq!(check(known), Ok(()), "{known}");
        }
        let wrong = check("price.amunt").unwrap_err();
        assert_eq!(wrong, "`price` has no `amunt`; did you mean `amount`?");
        assert_eq!(check("colour").unwrap_err(), "a contract has no `colour`");
        assert!(check("price.amount.more").is_err());
        assert_eq!(distance("kitten", "sitting"), 3);
    }
}
