//! Canonical JSON: RFC 8785 over a profile in which every document has exactly one spelling.
//!
//! The profile: objects, arrays, strings, booleans, null and whole numbers up to 2^53 − 1; no
//! fractions, no duplicate members, no lone surrogates, valid UTF-8, bounded depth and size. It is
//! checked before anything is written, because RFC 8785 alone rounds large numbers together and
//! leaves duplicates to the parser: two documents, one hash. Text is never normalised.

mod direct;
mod rewrite;

use std::fmt;

use serde::{Serialize, de::DeserializeOwned};

/// The longest document: far above any receipt or journal line, and small enough to hold twice.
pub const BYTES_MAX: usize = 8 * 1024 * 1024;

/// The deepest nesting of arrays and objects: parsers of every language follow it without strain.
pub const DEPTH_MAX: usize = 64;

/// The longest JSON pointer in a [`Refused`]: an error must not grow with its document.
pub const POINTER_BYTES_MAX: usize = 256;

/// The longest reason in a [`Refused`], likewise.
const REASON_CHARS_MAX: usize = 256;

/// The canonical bytes of the document in `bytes`. Never longer than `bytes`.
pub fn canonical(bytes: &[u8]) -> Result<Vec<u8>, Refused> {
    canonical_bounded(bytes, BYTES_MAX)
}

/// Like [`canonical`], for documents of at most `max` bytes.
pub fn canonical_bounded(bytes: &[u8], max: usize) -> Result<Vec<u8>, Refused> {
    if bytes.len() > max {
        return Err(Refused::at(max, Why::TooLong { max }));
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => rewrite::rewrite(text),
        Err(error) => Err(Refused::at(error.valid_up_to(), Why::Utf8)),
    }
}

/// The canonical bytes of `value`, through the same door as foreign documents. A float is refused,
/// except one that is not a number, which `serde_json` writes as null before this can see it.
pub fn of<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, Refused> {
    match direct::write(value) {
        Some(bytes) => Ok(bytes),
        None => canonical(&write(value)?),
    }
}

/// Whether `bytes` are exactly the canonical bytes of their document.
pub fn is_canonical(bytes: &[u8]) -> bool {
    check(bytes).is_ok()
}

/// Reads a `T` from bytes that are exactly what [`of`] writes for it, and from no others: what is
/// signed or hashed has one spelling, so a second one is an alteration. A member that may be null
/// and is left out is such a second spelling.
pub fn read<T: DeserializeOwned + Serialize>(bytes: &[u8]) -> Result<T, Refused> {
    if let Some(value) = read_as_written(bytes) {
        return Ok(value);
    }
    check(bytes)?;
    let value = serde_json::from_slice(bytes).map_err(|error| {
        // Canonical bytes are one line: the column is the offset.
        Refused::at(error.column().min(bytes.len()), Why::Shape(without_position(&error)))
    })?;
    // `bytes` are canonical: what is written just like them needs no second look.
    let written = write(&value)?;
    if written != bytes {
        same(&canonical(&written)?, bytes)?;
    }
    Ok(value)
}

/// The value whose canonical bytes are `bytes`. None says only that it takes a closer look.
fn read_as_written<T: DeserializeOwned + Serialize>(bytes: &[u8]) -> Option<T> {
    let short = bytes.len() <= BYTES_MAX;
    let value = short.then(|| serde_json::from_slice(bytes).ok()).flatten()?;
    (direct::write(&value)? == bytes).then_some(value)
}

/// A document outside the profile: where and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {why}", self.place())]
pub struct Refused {
    /// The bytes read before the refusal.
    pub byte: usize,
    /// The JSON pointer of the value concerned, where it is known and at most
    /// [`POINTER_BYTES_MAX`] long. The empty pointer is the whole document.
    pub pointer: Option<String>,
    /// The reason.
    pub why: Why,
}

impl Refused {
    fn at(byte: usize, why: Why) -> Self {
        Self { byte, pointer: None, why }
    }

    fn place(&self) -> impl fmt::Display {
        fmt::from_fn(|f| match self.pointer.as_deref() {
            None | Some("") => write!(f, "at byte {}", self.byte),
            Some(pointer) => write!(f, "at `{pointer}`, byte {}", self.byte),
        })
    }
}

/// Why a document is outside the profile.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// More bytes than allowed.
    #[error("the document is longer than {max} bytes")]
    TooLong {
        /// The bound that was passed.
        max: usize,
    },
    /// Bytes that are not UTF-8.
    #[error("the document is not UTF-8")]
    Utf8,
    /// Not JSON.
    #[error("not JSON: {0}")]
    Syntax(String),
    /// The document ends inside a value.
    #[error("the document ends too early")]
    Ended,
    /// Something follows the document.
    #[error("something follows the document: remove it")]
    Trailing,
    /// Nested deeper than [`DEPTH_MAX`].
    #[error("nested deeper than {DEPTH_MAX} arrays and objects")]
    TooDeep,
    /// A number with a fraction or an exponent.
    #[error("a number with a fraction or an exponent: use a whole number of a smaller unit")]
    Fraction,
    /// Minus zero, a second spelling of zero.
    #[error("`-0` is a second spelling of zero: write `0`")]
    NegativeZero,
    /// A number beyond 2^53 − 1, which other readers round.
    #[error("a number beyond 2^53 − 1 is rounded by other readers: write it as a string")]
    TooLarge,
    /// Two members of one name.
    #[error("two members of an object have this name")]
    Duplicate,
    /// Half of a surrogate pair, which is not a character.
    #[error("a string holds half of a surrogate pair")]
    LoneSurrogate,
    /// In the profile, but spelled differently.
    #[error("not in canonical form from here on")]
    NotCanonical,
    /// In the profile and canonical, but not of the expected shape.
    #[error("not of the expected shape: {0}")]
    Shape(String),
    /// A value that has no JSON form.
    #[error("cannot be written as JSON: {0}")]
    Unwritable(String),
}

fn write<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, Refused> {
    serde_json::to_vec(value).map_err(|error| Refused::at(0, Why::Unwritable(error.to_string())))
}

fn check(bytes: &[u8]) -> Result<(), Refused> {
    same(&canonical(bytes)?, bytes)
}

fn same(canonical: &[u8], bytes: &[u8]) -> Result<(), Refused> {
    if canonical == bytes {
        return Ok(());
    }
    let same = canonical.iter().zip(bytes).take_while(|(ours, theirs)| ours == theirs).count();
    Err(Refused::at(same, Why::NotCanonical))
}

/// What `error` says, without its line and column: a [`Refused`] has its own place. It may quote
/// the document, so it is cut.
fn without_position(error: &serde_json::Error) -> String {
    let said = error.to_string();
    let what = said.rsplit_once(" at line ").map_or(said.as_str(), |(what, _)| what);
    what.chars().take(REASON_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_says_where_and_why() {
        let said = |text: &str| canonical(text.as_bytes()).unwrap_err().to_string();
        let fraction = "a number with a fraction or an exponent: use a whole number of a smaller \
                        unit";
        assert_eq!(said(r#"{"a/b":[1,2.5]}"#), format!("at `/a~1b/1`, byte 13: {fraction}"));
        assert_eq!(said("1.5"), format!("at byte 3: {fraction}"));
        assert_eq!(said("[1] x"), "at byte 5: something follows the document: remove it");
    }

    #[test]
    fn typed_reading_wants_the_one_spelling() {
        assert_eq!(read::<Vec<u8>>(b"[1,2]"), Ok(vec![1, 2]));
        let refused = read::<Vec<u8>>(b"[1, 2]").unwrap_err();
        assert_eq!(refused, Refused { byte: 3, pointer: None, why: Why::NotCanonical });
        let long = canonical(format!("{:?}", "a".repeat(10_000)).as_bytes()).unwrap();
        assert!(read::<Vec<u8>>(&long).unwrap_err().to_string().len() < 400);
        let refused = read::<Vec<u8>>(b"[1,-2]").unwrap_err();
        assert!(matches!(refused, Refused { byte: 5, why: Why::Shape(_), .. }), "{refused}");
    }

    #[test]
    fn a_member_left_out_is_a_second_spelling_of_null() {
        #[derive(Debug, PartialEq, Serialize, serde::Deserialize)]
        struct Row {
            parent: Option<u8>,
        }
        assert_eq!(read(br#"{"parent":null}"#), Ok(Row { parent: None }));
        let refused = read::<Row>(b"{}").unwrap_err();
        assert_eq!(refused, Refused { byte: 1, pointer: None, why: Why::NotCanonical });
    }
}
