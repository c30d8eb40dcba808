//! A file of settings: what stands in it, on which line, and all that is wrong with it.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::key::LIST_MAX;
use super::{Flaw, KEYS, Key, Kind, Said, Source};

/// Steps from one word to another below which the one may be meant by the other.
const NEAR: usize = 3;

/// Reads `text`, which stands at `path`. What is wrong is told, and the rest is read nevertheless.
pub(super) fn read(text: &str, path: &Path) -> (BTreeMap<&'static str, Said>, Vec<Flaw>) {
    let place = |span: Range<usize>| {
        let before = text.get(..span.start).unwrap_or(text);
        let line = before.matches('\n').count().saturating_add(1);
        Source::File { path: path.to_owned(), line }
    };
    let (table, errors) = DeTable::parse_recoverable(text);
    let broken = |error: toml::de::Error| Flaw {
        source: place(error.span().unwrap_or(0..0)),
        what: error.message().to_owned(),
        hint: "the file is TOML: `key = \"value\"` on each line".to_owned(),
    };
    let mut flaws: Vec<_> = errors.into_iter().map(broken).collect();
    let mut said = BTreeMap::new();
    for (name, value) in table.get_ref() {
        let source = place(name.span());
        let Some(key) = Key::named(name.get_ref()) else {
            flaws.push(unknown(name.get_ref(), source));
            continue;
        };
        match words(key.kind, value) {
            Ok(words) => drop(said.insert(key.name, Said { words, source })),
            Err(found) => {
                let what = format!("`{}` is {found}", key.name);
                flaws.push(Flaw { source, what, hint: key.hint() });
            }
        }
    }
    (said, flaws)
}

/// The words of a value, or what it is instead.
fn words(kind: Kind, value: &Spanned<DeValue<'_>>) -> Result<Vec<String>, &'static str> {
    match (kind, value.get_ref()) {
        (Kind::Text(_), DeValue::String(text)) => Ok(vec![text.to_string()]),
        (Kind::Count(..), DeValue::Integer(number)) => {
            let count = u64::from_str_radix(number.as_str(), number.radix());
            count.map(|count| vec![count.to_string()]).map_err(|_| "no number that it can be")
        }
        (Kind::List, DeValue::Array(list)) if list.len() > LIST_MAX => Err("too long a list"),
        (Kind::List, DeValue::Array(list)) => {
            list.iter().map(|entry| text(entry.get_ref())).collect()
        }
        (_, other) => Err(named(other)),
    }
}

fn text(value: &DeValue<'_>) -> Result<String, &'static str> {
    match value {
        DeValue::String(text) => Ok(text.to_string()),
        DeValue::Integer(_)
        | DeValue::Float(_)
        | DeValue::Boolean(_)
        | DeValue::Datetime(_)
        | DeValue::Array(_)
        | DeValue::Table(_) => Err("a list of something else than texts"),
    }
}

const fn named(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a number",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(_) => "a truth value",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

fn unknown(name: &str, source: Source) -> Flaw {
    let near = KEYS.iter().map(|key| (distance(name, key.name), key.name));
    let near = near.min().filter(|(steps, _)| *steps < NEAR);
    let hint = match near {
        Some((_, near)) => format!("did you mean `{near}`?"),
        None => "`envelope config schema` tells every key".to_owned(),
    };
    let name: String = name.chars().take(64).collect();
    Flaw { source, what: format!("there is no setting `{name}`"), hint }
}

/// How many characters have to be added, taken away or changed to make `one` of `other`. Case and
/// the kind of dash count nothing.
fn distance(one: &str, other: &str) -> usize {
    let plain = |text: &str| text.to_ascii_lowercase().replace('_', "-");
    let (one, other) = (plain(one), plain(other));
    let mut row: Vec<usize> = (0..=other.chars().count()).collect();
    for (nth, mine) in one.chars().take(64).enumerate() {
        let (mut above_left, mut left) = (nth, nth + 1);
        if let Some(first) = row.first_mut() {
            *first = left;
        }
        for (theirs, cell) in other.chars().zip(row.iter_mut().skip(1)) {
            let changed = above_left + usize::from(mine != theirs);
            above_left = *cell;
            left = changed.min(left + 1).min(*cell + 1);
            *cell = left;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_words_are_few_steps_apart() {
        for (one, other, steps) in [
            ("adress", "address", 1),
            ("ports_file", "ports-file", 0),
            ("Runs", "runs", 0),
            ("rusn", "runs", 2),
            ("", "db", 2),
            ("db", "", 2),
        ] {
            assert_eq!(distance(one, other), steps, "{one} {other}");
        }
    }
}
