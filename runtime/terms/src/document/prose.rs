//! The text of a document: Markdown in one spelling, salted before it is hashed.

use std::fmt;

use envelope_evidence::Digest;
use envelope_evidence::digest::{bytes_of_hex, hex};
use serde::{Deserialize, Serialize};

use super::clause::{self, Clause};

/// The longest prose: a contract of a thousand pages.
pub const PROSE_BYTES_MAX: usize = 2 * 1024 * 1024;

/// 32 random bytes that keep a text from being guessed by its digest. Who is shown the whole text
/// is shown the salt; who is shown one clause is shown what was derived for that clause alone.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Salt([u8; 32]);

impl Salt {
    /// A salt of 32 random bytes, which are the caller's to make.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The 64 lower-case hexadecimal digits.
    pub fn hex(&self) -> String {
        hex(&self.0)
    }

    /// Reads what [`Salt::hex`] writes.
    pub fn from_hex(text: &str) -> Option<Self> {
        bytes_of_hex(text).map(Self)
    }
}

/// Printed without its bytes, which are a secret as long as the text is one.
impl fmt::Debug for Salt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Salt")
    }
}

impl From<Salt> for String {
    fn from(salt: Salt) -> Self {
        salt.hex()
    }
}

impl TryFrom<String> for Salt {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::from_hex(&text).ok_or("a salt is 64 lower-case hexadecimal digits")
    }
}

/// A text with its salt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    prose: String,
    salt: Salt,
}

/// Prose that cannot be part of a document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadProse {
    /// Longer than [`PROSE_BYTES_MAX`].
    #[error("the prose is longer than {PROSE_BYTES_MAX} bytes")]
    TooLong,
    /// Something that a reader does not see.
    #[error("line {line} of the prose has a control character: remove it")]
    Control {
        /// Counted from one.
        line: usize,
    },
    /// Other bytes than normalisation leaves.
    #[error("the prose is not UTF-8 with `\\n` at the end of each line")]
    Spelling,
    /// Two clauses with one id.
    #[error("two clauses of the prose have the id `{0}`")]
    Duplicate(String),
    /// A clause whose id cannot be cited.
    #[error("`{0}` is not a clause id: lower-case letters and digits, joined by single hyphens")]
    Id(String),
    /// More clauses than a tree takes.
    #[error("the prose has more than {} clauses", clause::CLAUSES_MAX)]
    TooMany,
}

impl Text {
    /// Normalises `prose`: `\r\n` becomes `\n`, and the last line ends like the others.
    pub fn new(prose: &str, salt: Salt) -> Result<Self, BadProse> {
        let mut prose = prose.replace("\r\n", "\n");
        if !prose.is_empty() && !prose.ends_with('\n') {
            prose.push('\n');
        }
        Self::normalised(prose, salt)
    }

    /// Reads prose from its file, which has to be normalised already.
    pub fn read(bytes: &[u8], salt: Salt) -> Result<Self, BadProse> {
        let prose = std::str::from_utf8(bytes).map_err(|_| BadProse::Spelling)?;
        let text = Self::new(prose, salt)?;
        if text.prose.as_bytes() == bytes { Ok(text) } else { Err(BadProse::Spelling) }
    }

    fn normalised(prose: String, salt: Salt) -> Result<Self, BadProse> {
        if prose.len() > PROSE_BYTES_MAX {
            return Err(BadProse::TooLong);
        }
        let hidden = |line: &str| line.contains(|c: char| c.is_control() && c != '\t');
        if let Some(at) = prose.split('\n').position(hidden) {
            return Err(BadProse::Control { line: at + 1 });
        }
        clause::check(&prose)?;
        Ok(Self { prose, salt })
    }

    /// The normalised prose.
    pub fn prose(&self) -> &str {
        &self.prose
    }

    /// The salt.
    pub const fn salt(&self) -> Salt {
        self.salt
    }

    /// The digest of the salt followed by the prose.
    pub fn digest(&self) -> Digest {
        Digest::of_parts(&[self.salt.as_bytes(), self.prose.as_bytes()])
    }

    /// The clauses, which together are the prose.
    pub fn clauses(&self) -> impl Iterator<Item = Clause> {
        clause::split(&self.prose).map(|(id, text)| Clause::salted(id, text, self.salt))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SALT: Salt = Salt::new([7; 32]);

    #[test]
    fn prose_is_normalised_once() {
        let text = Text::new("a\r\nb", SALT).unwrap();
        assert_eq!(text.prose(), "a\nb\n");
        assert_eq!(Text::new(text.prose(), SALT), Ok(text.clone()));
        assert_eq!(Text::read(b"a\nb\n", SALT), Ok(text.clone()));
        assert_ne!(Text::new("a\nb", Salt::new([8; 32])).unwrap().digest(), text.digest());
        for other in [&b"a\nb"[..], b"a\r\nb\n", b"\xff\n"] {
            assert_eq!(Text::read(other, SALT), Err(BadProse::Spelling));
        }
        assert_eq!(Text::new("a\nb\u{1b}[2K", SALT), Err(BadProse::Control { line: 2 }));
        assert_eq!(Text::new("a\rb", SALT), Err(BadProse::Control { line: 1 }));
    }
}
