//! Bounded text: no field of a journal or receipt can grow without a limit.

use std::fmt;
use std::ops::Deref;

use serde::{Deserialize, Serialize, Serializer};

/// Characters of a name, a code or an identifier.
pub const LABEL_CHARS_MAX: usize = 240;

/// Characters of a workspace path: what common file systems allow, in characters.
pub const PATH_CHARS_MAX: usize = 1024;

/// A name, code or identifier.
pub type Label = Text<LABEL_CHARS_MAX>;

/// A workspace path as it was asked for.
pub type PathText = Text<PATH_CHARS_MAX>;

/// Text of at most `MAX` characters, without control characters.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct Text<const MAX: usize>(String);

/// Text that does not fit its field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadText {
    /// More than the field holds.
    #[error("a text of {chars} characters does not fit a field of {max}")]
    TooLong {
        /// How many there are.
        chars: usize,
        /// How many fit.
        max: usize,
    },
    /// A line break, a tab, an escape: nothing that a terminal or a log would act on.
    #[error("a control character at byte {at}")]
    Control {
        /// Where it stands.
        at: usize,
    },
}

impl<const MAX: usize> Text<MAX> {
    /// `text` if it fits.
    pub fn new(text: impl Into<String>) -> Result<Self, BadText> {
        let text = text.into();
        if is_plain(&text, MAX) {
            return Ok(Self(text));
        }
        let chars = text.chars().count();
        if chars > MAX {
            return Err(BadText::TooLong { chars, max: MAX });
        }
        match text.char_indices().find(|(_, c)| c.is_control()) {
            Some((at, _)) => Err(BadText::Control { at }),
            None => Ok(Self(text)),
        }
    }

    /// As much of `text` as fits, control characters as spaces and a cut shown by an ellipsis.
    pub fn cut(text: &str) -> Self {
        if is_plain(text, MAX) {
            return Self(text.to_owned());
        }
        let mut kept: String =
            text.chars().take(MAX).map(|c| if c.is_control() { ' ' } else { c }).collect();
        if text.chars().nth(MAX).is_some() {
            kept.pop();
            kept.push('…');
        }
        Self(kept)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether `text` fits as it is, seen without counting characters: most texts are like that.
fn is_plain(text: &str, max: usize) -> bool {
    text.len() <= max && text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

impl<const MAX: usize> Serialize for Text<MAX> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<const MAX: usize> Deref for Text<MAX> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl<const MAX: usize> fmt::Display for Text<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<const MAX: usize> TryFrom<String> for Text<MAX> {
    type Error = BadText;

    fn try_from(text: String) -> Result<Self, BadText> {
        Self::new(text)
    }
}

impl<const MAX: usize> From<Text<MAX>> for String {
    fn from(text: Text<MAX>) -> Self {
        text.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounded_by_characters_not_bytes() {
        let full = "é".repeat(4);
        assert_eq!(Text::<4>::new(full.clone()).unwrap().as_str(), full);
        assert_eq!(Text::<3>::new(full.clone()), Err(BadText::TooLong { chars: 4, max: 3 }));
        assert_eq!(Text::<3>::cut(&full).as_str(), "éé…");
        assert_eq!(Text::<4>::cut(&full).as_str(), full);
        assert_eq!(Text::<4>::new("a\nb"), Err(BadText::Control { at: 1 }));
        assert_eq!(Text::<4>::cut("a\nb").as_str(), "a b");
    }
}
