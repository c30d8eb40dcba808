//! Lists with a least and a greatest length.

use std::borrow::Cow;
use std::ops::Deref;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// A list of `MIN` to `MAX` entries.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Vec<T>", into = "Vec<T>", bound(serialize = "T: Serialize + Clone"))]
pub struct List<T, const MIN: usize, const MAX: usize>(Vec<T>);

/// A list that is too short or too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a list of {len} entries, where {min} to {max} are meant")]
pub struct BadLength {
    len: usize,
    min: usize,
    max: usize,
}

impl<T, const MIN: usize, const MAX: usize> List<T, MIN, MAX> {
    /// `entries`, if they are as many as the list takes.
    pub fn new(entries: Vec<T>) -> Result<Self, BadLength> {
        let len = entries.len();
        if (MIN..=MAX).contains(&len) {
            Ok(Self(entries))
        } else {
            Err(BadLength { len, min: MIN, max: MAX })
        }
    }
}

impl<T, const MAX: usize> List<T, 1, MAX> {
    /// A list of one.
    pub fn one(entry: T) -> Self {
        const { assert!(MAX >= 1) };
        Self(vec![entry])
    }
}

impl<T, const MAX: usize> Default for List<T, 0, MAX> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T, const MIN: usize, const MAX: usize> Deref for List<T, MIN, MAX> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<'a, T, const MIN: usize, const MAX: usize> IntoIterator for &'a List<T, MIN, MAX> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl<T, const MIN: usize, const MAX: usize> TryFrom<Vec<T>> for List<T, MIN, MAX> {
    type Error = BadLength;

    fn try_from(entries: Vec<T>) -> Result<Self, BadLength> {
        Self::new(entries)
    }
}

impl<T, const MIN: usize, const MAX: usize> From<List<T, MIN, MAX>> for Vec<T> {
    fn from(list: List<T, MIN, MAX>) -> Self {
        list.0
    }
}

impl<T: JsonSchema, const MIN: usize, const MAX: usize> JsonSchema for List<T, MIN, MAX> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("List_{MIN}_{MAX}_of_{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let items = generator.subschema_for::<T>();
        json_schema!({ "type": "array", "items": items, "minItems": MIN, "maxItems": MAX })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_kept_when_read() {
        let read = |text: &str| serde_json::from_str::<List<u8, 1, 2>>(text);
        assert_eq!(&*read("[1,2]").unwrap(), [1, 2]);
        assert!(read("[]").is_err() && read("[1,2,3]").is_err());
    }
}
