//! TOML as JSON, with the span of every value.

use std::collections::BTreeMap;
use std::ops::Range;

use serde_json::{Map, Value};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::diagnostic::Diagnostic;
use crate::contract::{Code, Flaw};

/// Data as JSON, and where in the source each value stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Data {
    pub(super) value: Value,
    spots: BTreeMap<String, Spot>,
}

/// Where one value stands.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Spot {
    /// Its key, or its header when it is a table.
    key: Range<usize>,
    /// The value itself.
    value: Range<usize>,
    /// Whether the value is a table or a list, which is too much to point at.
    wide: bool,
}

impl Data {
    /// Reads the TOML in `text`, which begins at byte `offset` of its file. What cannot be read is
    /// told, and the rest is read nevertheless.
    pub(super) fn read(text: &str, offset: usize, found: &mut Vec<Diagnostic>) -> Self {
        let (table, errors) = DeTable::parse_recoverable(text);
        let whole = || 0..text.len();
        found.extend(errors.into_iter().map(|error| {
            let span = moved(error.span().unwrap_or_else(whole), offset);
            Diagnostic::new(Code::Syntax, span, error.message())
        }));
        let mut reader = Reader { offset, spots: BTreeMap::new(), found };
        let value = reader.table(table.get_ref(), "");
        Self { value, spots: reader.spots }
    }

    /// The span of the value at `pointer`, or of the nearest one around it.
    pub(super) fn span(&self, pointer: &str) -> Option<Range<usize>> {
        let spot = self.nearest(pointer)?;
        Some(if spot.wide { spot.key.clone() } else { spot.value.clone() })
    }

    /// A flaw of the contract as a diagnostic; `whole` is the place of what is wrong with all.
    pub(super) fn diagnostic(&self, flaw: &Flaw, whole: &Range<usize>) -> Diagnostic {
        let spot = self.nearest(&flaw.pointer);
        let unknown = flaw.code == Code::Shape && flaw.message.starts_with("unknown field");
        let span = match spot {
            None => whole.clone(),
            Some(spot) if spot.wide || unknown => spot.key.clone(),
            Some(spot) => spot.value.clone(),
        };
        Diagnostic::new(flaw.code, span, flaw.message.as_str())
    }

    fn nearest(&self, pointer: &str) -> Option<&Spot> {
        let mut pointer = pointer;
        loop {
            if let Some(spot) = self.spots.get(pointer) {
                return Some(spot);
            }
            pointer = pointer.rsplit_once('/')?.0;
        }
    }
}

struct Reader<'a> {
    offset: usize,
    spots: BTreeMap<String, Spot>,
    found: &'a mut Vec<Diagnostic>,
}

impl Reader<'_> {
    fn table(&mut self, table: &DeTable<'_>, pointer: &str) -> Value {
        let mut map = Map::new();
        for (key, value) in table {
            let token = key.get_ref().replace('~', "~0").replace('/', "~1");
            let at = format!("{pointer}/{token}");
            let read = self.value(value, &at, key.span());
            map.insert(key.get_ref().to_string(), read);
        }
        Value::Object(map)
    }

    fn value(&mut self, value: &Spanned<DeValue<'_>>, at: &str, key: Range<usize>) -> Value {
        let wide = matches!(value.get_ref(), DeValue::Array(_) | DeValue::Table(_));
        let (key, span) = (moved(key, self.offset), moved(value.span(), self.offset));
        self.spots.insert(at.to_owned(), Spot { key, value: span.clone(), wide });
        match value.get_ref() {
            DeValue::String(text) => Value::from(text.as_ref()),
            DeValue::Boolean(is) => Value::from(*is),
            DeValue::Integer(number) => match whole(number.as_str(), number.radix()) {
                Some(value) => value,
                None => self.refuse(span, "no such number can be written without rounding"),
            },
            DeValue::Float(_) => {
                self.refuse(span, "a number with a fraction: use a whole number of a smaller unit")
            }
            DeValue::Datetime(_) => self.refuse(span, "a date is written as text, between quotes"),
            DeValue::Array(list) => {
                let read = |(nth, entry): (usize, &Spanned<DeValue<'_>>)| {
                    self.value(entry, &format!("{at}/{nth}"), entry.span())
                };
                list.iter().enumerate().map(read).collect()
            }
            DeValue::Table(table) => self.table(table, at),
        }
    }

    fn refuse(&mut self, span: Range<usize>, message: &str) -> Value {
        self.found.push(Diagnostic::new(Code::Shape, span, message));
        Value::Null
    }
}

fn whole(digits: &str, radix: u32) -> Option<Value> {
    let positive = u64::from_str_radix(digits, radix).map(Value::from);
    positive.or_else(|_| i64::from_str_radix(digits, radix).map(Value::from)).ok()
}

fn moved(span: Range<usize>, offset: usize) -> Range<usize> {
    span.start.saturating_add(offset)..span.end.saturating_add(offset)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_keep_their_places() {
        let text = "a = 1\n[b.c]\nd = \"x\"\n[[e]]\nf = [0x10, true]\n[[e]]\ng = {h = -2}\n";
        let data = Data::read(text, 0, &mut Vec::new());
        let value = json!({
            "a": 1, "b": {"c": {"d": "x"}}, "e": [{"f": [16, true]}, {"g": {"h": -2}}]
        });
        assert_eq!(data.value, value);
        let at = |pointer| data.span(pointer).and_then(|span| text.get(span));
        for (pointer, place) in [
            ("/a", "1"),
            ("/b/c/d", "\"x\""),
            ("/b/c/missing", "c"),
            ("/e/0/f/0", "0x10"),
            ("/e/0/f", "f"),
            ("/e/1/g/h", "-2"),
            ("/e/1", "[[e]]"),
        ] {
            assert_eq!(at(pointer), Some(place), "{pointer}");
        }
        assert_eq!(at("/z"), None);
    }

    #[test]
    fn what_json_cannot_say_is_refused() {
        let mut found = Vec::new();
        Data::read("a = 1.5\nb = 2026-01-01\nc = 99999999999999999999\nd = \n", 3, &mut found);
        let found: Vec<_> = found.iter().map(|one| (one.code, one.start)).collect();
        assert_eq!(found[0].0, Code::Syntax);
        assert_eq!(found[1..], [(Code::Shape, 7), (Code::Shape, 15), (Code::Shape, 30)]);
    }
}
