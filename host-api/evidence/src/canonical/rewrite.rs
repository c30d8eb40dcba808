//! One pass from text to canonical bytes, without a tree: values are written as they are read, and
//! only an object whose members arrive out of order is rearranged, in place.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::{DEPTH_MAX, POINTER_BYTES_MAX, Refused, Why, without_position};
use crate::usage::MAX_EXACT;

pub(super) fn rewrite(text: &str) -> Result<Vec<u8>, Refused> {
    let mut reader = serde_json::Deserializer::from_str(text);
    // Canonical bytes are never longer than the text: whitespace goes, escapes only shrink.
    let mut page = Page { out: Vec::with_capacity(text.len()), ..Page::default() };
    match Value(&mut page).deserialize(&mut reader) {
        Err(error) => Err(page.refused(text, &error)),
        Ok(()) => match reader.end() {
            Err(error) => Err(Refused::at(offset(text, &error), Why::Trailing)),
            Ok(()) => Ok(page.out),
        },
    }
}

/// What is written so far, and, after a refusal, why and where.
#[derive(Default)]
struct Page<'de> {
    out: Vec<u8>,
    /// The members of every object still open, the innermost last.
    members: Vec<Member<'de>>,
    depth: usize,
    why: Option<Why>,
    /// The way to the refused value, from the inside out.
    trail: Vec<String>,
}

/// A member `"key":value,` that ends at `end` of what is written and starts where the one before
/// it ends.
struct Member<'de> {
    key: Cow<'de, str>,
    end: usize,
}

impl<'de> Page<'de> {
    fn refuse<E: Error>(&mut self, why: Why) -> E {
        self.why = Some(why);
        E::custom("outside the profile")
    }

    fn enter<E: Error>(&mut self, bracket: u8) -> Result<(), E> {
        if self.depth == DEPTH_MAX {
            return Err(self.refuse(Why::TooDeep));
        }
        self.depth += 1;
        self.out.push(bracket);
        Ok(())
    }

    /// Every element and member was written with a comma after it: the last one becomes `bracket`.
    fn leave(&mut self, bracket: u8) {
        self.depth -= 1;
        self.out.pop_if(|last| *last == b',');
        self.out.push(bracket);
    }

    /// A borrowed string is a slice of the document, so it needed no escapes there and needs none
    /// here.
    fn write_verbatim(&mut self, text: &str) {
        self.out.push(b'"');
        self.out.extend_from_slice(text.as_bytes());
        self.out.push(b'"');
    }

    /// `serde_json` writes integers and escapes exactly as RFC 8785 §3.2.2 asks.
    fn write<E: Error>(&mut self, value: impl serde::Serialize) -> Result<(), E> {
        serde_json::to_writer(&mut self.out, &value).map_err(E::custom)
    }

    /// Closes the members from the `first` on, whose bytes begin at `start`.
    fn arrange<E: Error>(&mut self, first: usize, start: usize) -> Result<(), E> {
        let members = self.members.get_mut(first..).unwrap_or_default();
        if !members.is_sorted_by(|a, b| utf16_order(a.key.as_bytes(), b.key.as_bytes()).is_lt()) {
            let mut starts = start;
            let mut spans: Vec<_> = members
                .iter()
                .map(|Member { key, end }| (key, std::mem::replace(&mut starts, *end)..*end))
                .collect();
            spans.sort_by(|(a, _), (b, _)| utf16_order(a.as_bytes(), b.as_bytes()));
            if let Some(twice) = spans.iter().zip(spans.iter().skip(1)).find(|(a, b)| a.0 == b.0) {
                self.trail.push(twice.0.0.to_string());
                return Err(self.refuse(Why::Duplicate));
            }
            let mut sorted = Vec::with_capacity(self.out.len() - start);
            for (_, span) in spans {
                sorted.extend_from_slice(self.out.get(span).unwrap_or_default());
            }
            self.out.truncate(start);
            self.out.extend_from_slice(&sorted);
        }
        self.members.truncate(first);
        Ok(())
    }

    fn refused(self, text: &str, error: &serde_json::Error) -> Refused {
        let escaped = |step: &String| format!("/{}", step.replace('~', "~0").replace('/', "~1"));
        let pointer: String = self.trail.iter().rev().map(escaped).collect();
        Refused {
            byte: offset(text, error),
            pointer: (pointer.len() <= POINTER_BYTES_MAX).then_some(pointer),
            why: self.why.unwrap_or_else(|| why_not_json(error)),
        }
    }
}

/// Reads one value of the profile onto the page.
struct Value<'page, 'de>(&'page mut Page<'de>);

impl<'de> DeserializeSeed<'de> for Value<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Value<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value of the profile")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.0.out.extend_from_slice(b"null");
        Ok(())
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        self.0.out.extend_from_slice(if value { b"true" } else { b"false" });
        Ok(())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        if value > MAX_EXACT { Err(self.0.refuse(Why::TooLarge)) } else { self.0.write(value) }
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        let exact = value.unsigned_abs() <= MAX_EXACT;
        if exact { self.0.write(value) } else { Err(self.0.refuse(Why::TooLarge)) }
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        Err(self.0.refuse(match value.abs() {
            size if size > 9_007_199_254_740_991.0 => Why::TooLarge,
            0.0 if value.is_sign_negative() => Why::NegativeZero,
            _ => Why::Fraction,
        }))
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<(), E> {
        self.0.write_verbatim(text);
        Ok(())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        self.0.write(text)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<(), A::Error> {
        let page = self.0;
        page.enter(b'[')?;
        for index in 0_usize.. {
            match array.next_element_seed(Value(page)) {
                Ok(Some(())) => page.out.push(b','),
                Ok(None) => break,
                Err(error) => {
                    page.trail.push(index.to_string());
                    return Err(error);
                }
            }
        }
        page.leave(b']');
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<(), A::Error> {
        let page = self.0;
        page.enter(b'{')?;
        let (first, start) = (page.members.len(), page.out.len());
        while let Some(key) = object.next_key_seed(Key)? {
            match &key {
                Cow::Borrowed(key) => page.write_verbatim(key),
                Cow::Owned(key) => page.write(key)?,
            }
            page.out.push(b':');
            if let Err(error) = object.next_value_seed(Value(page)) {
                page.trail.push(key.into_owned());
                return Err(error);
            }
            page.out.push(b',');
            page.members.push(Member { key, end: page.out.len() });
        }
        page.arrange(first, start)?;
        page.leave(b'}');
        Ok(())
    }
}

/// Reads a member's name, borrowed unless it holds escapes.
struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Key {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member's name")
    }

    fn visit_borrowed_str<E: Error>(self, key: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(key))
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(key.to_owned()))
    }
}

/// The order of UTF-16 code units, which differs from that of UTF-8 in one place: U+E000–U+FFFF
/// (first bytes EE and EF) come after the surrogates that stand for U+10000 and above (F0–F4).
pub(super) fn utf16_order(a: &[u8], b: &[u8]) -> Ordering {
    let rank = |byte: &u8| if matches!(byte, 0xee | 0xef) { byte | 0x10 } else { *byte };
    a.iter().map(rank).cmp(b.iter().map(rank))
}

/// The parser keeps its reasons private but for their text. Text this does not know is still a
/// refusal.
fn why_not_json(error: &serde_json::Error) -> Why {
    if error.is_eof() {
        return Why::Ended;
    }
    match without_position(error).as_str() {
        "lone leading surrogate in hex escape" | "unexpected end of hex escape" => {
            Why::LoneSurrogate
        }
        "number out of range" => Why::TooLarge,
        other => Why::Syntax(other.to_owned()),
    }
}

/// The bytes of `text` that were read before `error`.
fn offset(text: &str, error: &serde_json::Error) -> usize {
    let lines_before = error.line().saturating_sub(1);
    let before: usize = text.split_inclusive('\n').take(lines_before).map(str::len).sum();
    (before + error.column()).min(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordered_as_utf_16() {
        let keys = ["", "\r", "1", "a", "ab", "é", "\u{d7ff}", "\u{1f600}", "\u{e000}", "\u{ffff}"];
        for a in keys {
            for b in keys {
                assert_eq!(
                    utf16_order(a.as_bytes(), b.as_bytes()),
                    a.encode_utf16().cmp(b.encode_utf16()),
                    "{a} {b}"
                );
            }
        }
    }
}
