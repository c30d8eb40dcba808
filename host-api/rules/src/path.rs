//! Paths in normal form: the only spelling under which a file can be asked for.
//!
//! A path is relative to the workspace, its segments are separated by `/`, and none of them is
//! empty, `.` or `..`. So a prefix of the text is a prefix of the place, and matching a pattern
//! needs no further thought. What stands in a path:
//!
//! - Unicode in NFC, so that two spellings never name one file;
//! - no control character and no invisible mark that reorders or splits a line, because a human
//!   approves paths by reading them;
//! - no backslash, which is a separator elsewhere, and no `*`, so that every path, read as a
//!   [`Pattern`](crate::pattern::Pattern), matches itself alone.
//!
//! Case counts, and nothing is repaired: a text that is not in normal form is refused.
//!
//! The workspace's own folder has no spelling of this kind. It is [`Path::root`], which no text
//! parses to and no pattern matches. As a [`Prefix`] it has one, `./`: whoever lets everything be
//! written has to say so.

use std::fmt;
use std::str::FromStr;

use icu_normalizer::ComposingNormalizerBorrowed;
use serde::{Deserialize, Serialize, Serializer};

/// The longest path in bytes: the longest key an S3 bucket takes.
pub const PATH_BYTES_MAX: usize = 1024;

/// The longest segment in bytes: the longest file name of the common file systems.
pub const SEGMENT_BYTES_MAX: usize = 255;

/// The deepest path. Real trees stay far below, and matching is linear in it.
pub const SEGMENTS_MAX: usize = 32;

/// How the root is spelled: a segment that no other path can have.
const ROOT: &str = ".";

/// The path of a file or folder in normal form.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct Path(String);

impl Path {
    /// The folder that holds everything, spelled `.`. No other path has that spelling, and none is
    /// parsed from it: whoever means the root says so.
    pub fn root() -> Self {
        Self(ROOT.to_owned())
    }

    /// The path `text` spells, when it is in normal form.
    pub fn parse(text: &str) -> Result<Self, BadPath> {
        check(text, Stars::Refused)?;
        Ok(Self(text.to_owned()))
    }

    /// The path's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is the root.
    pub fn is_root(&self) -> bool {
        self.0 == ROOT
    }

    /// The names between the slashes, from the outermost. The root has none, every other path has
    /// at least one, and none of them is empty.
    pub fn segments(&self) -> impl Iterator<Item = &str> {
        let names = if self.is_root() { "" } else { &self.0 };
        names.split_terminator('/')
    }

    /// The last name. The root has none.
    pub fn name(&self) -> Option<&str> {
        if self.is_root() { None } else { self.0.rsplit('/').next() }
    }

    /// The folder it lies in. The root lies in none.
    pub fn parent(&self) -> Option<Self> {
        match self.0.rsplit_once('/') {
            Some((above, _)) => Some(Self(above.to_owned())),
            None if self.is_root() => None,
            None => Some(Self::root()),
        }
    }

    /// The path of `name`, one segment, in this folder.
    pub fn join(&self, name: &str) -> Result<Self, BadPath> {
        match name.find('/') {
            Some(at) => Err(BadPath::at(Flaw::Slash, at)),
            None if self.is_root() => Self::parse(name),
            None => Self::parse(&format!("{self}/{name}")),
        }
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Path {
    type Err = BadPath;

    fn from_str(text: &str) -> Result<Self, BadPath> {
        Self::parse(text)
    }
}

impl Serialize for Path {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl TryFrom<String> for Path {
    type Error = BadPath;

    fn try_from(text: String) -> Result<Self, BadPath> {
        check(&text, Stars::Refused)?;
        Ok(Self(text))
    }
}

/// How the prefix of everything is spelled.
const EVERYTHING: &str = "./";

/// A folder below which everything may be written. Spelled as a path and a final `/`, the root as
/// `./`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct Prefix(String);

impl Prefix {
    /// The prefix `text` spells, when it is `./` or a path in normal form followed by `/`.
    pub fn parse(text: &str) -> Result<Self, BadPath> {
        Self::try_from(text.to_owned())
    }

    /// The prefix with its final `/`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is the root, below which everything lies.
    pub fn is_root(&self) -> bool {
        self.0 == EVERYTHING
    }

    /// Whether `path` lies below the prefix, at any depth. The folder itself does not.
    pub fn contains(&self, path: &Path) -> bool {
        if self.is_root() { !path.is_root() } else { path.0.starts_with(&self.0) }
    }

    /// The folder itself, which lies above everything that may be written.
    pub fn folder(&self) -> Path {
        Path(self.0.trim_end_matches('/').to_owned())
    }

    /// Whether `path` is the prefix's folder or one above it.
    pub fn is_reached_through(&self, path: &Path) -> bool {
        let below = self.0.strip_prefix(&path.0);
        path.is_root() || below.is_some_and(|rest| rest.starts_with('/'))
    }

    /// Whether everything below this prefix lies below `parent` too.
    pub fn within(&self, parent: &Self) -> bool {
        parent.is_root() || self.0.starts_with(&parent.0)
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Prefix {
    type Err = BadPath;

    fn from_str(text: &str) -> Result<Self, BadPath> {
        Self::parse(text)
    }
}

impl Serialize for Prefix {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl TryFrom<String> for Prefix {
    type Error = BadPath;

    fn try_from(text: String) -> Result<Self, BadPath> {
        let folder = text.strip_suffix('/').ok_or(BadPath::at(Flaw::NoFinalSlash, text.len()))?;
        if folder != ROOT {
            check(folder, Stars::Refused)?;
        }
        Ok(Self(text))
    }
}

/// A text that is not in normal form: what is wrong, and at which byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{flaw} at byte {at}")]
pub struct BadPath {
    /// What is wrong.
    pub flaw: Flaw,
    /// The byte at which it starts.
    pub at: usize,
}

impl BadPath {
    pub(crate) const fn at(flaw: Flaw, at: usize) -> Self {
        Self { flaw, at }
    }
}

/// What keeps a text from being a path, a prefix or a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
pub enum Flaw {
    /// No text at all.
    #[error("nothing is named: write a relative path")]
    Nothing,
    /// It starts with `/`.
    #[error("the path is absolute: write it relative to the workspace")]
    Absolute,
    /// Two slashes in a row, or one at the end.
    #[error("a segment is empty: write one `/` between segments and none at the end")]
    EmptySegment,
    /// A slash where one segment is wanted.
    #[error("a slash stands between segments: this is one")]
    Slash,
    /// The segment `.` or `..`.
    #[error("a segment is `.` or `..`: write the path without detours")]
    Dots,
    /// A backslash.
    #[error("a backslash is no separator here: write `/`")]
    Backslash,
    /// A control character or an invisible mark.
    #[error("a control character or invisible mark cannot stand in a path")]
    Invisible,
    /// Text that is not in Unicode normalisation form C.
    #[error("the text is not in Unicode normalisation form C")]
    NotNfc,
    /// A `*` where a path is wanted.
    #[error("`*` stands in patterns alone")]
    Star,
    /// `**` anywhere but as a pattern's whole last segment.
    #[error("`**` is a whole segment, and the last one of its pattern")]
    DoubleStar,
    /// A prefix without its final slash.
    #[error("a prefix of outputs ends with `/`")]
    NoFinalSlash,
    /// More than [`PATH_BYTES_MAX`].
    #[error("the path is longer than {PATH_BYTES_MAX} bytes")]
    TooLong,
    /// More than [`SEGMENT_BYTES_MAX`].
    #[error("the segment is longer than {SEGMENT_BYTES_MAX} bytes")]
    SegmentTooLong,
    /// More than [`SEGMENTS_MAX`].
    #[error("the path has more than {SEGMENTS_MAX} segments")]
    TooDeep,
}

/// Whether a `*` may stand in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stars {
    Refused,
    Allowed,
}

/// Whether `text` is in normal form, and if not, the first thing wrong with it.
pub(crate) fn check(text: &str, stars: Stars) -> Result<(), BadPath> {
    if text.is_empty() {
        return Err(BadPath::at(Flaw::Nothing, 0));
    }
    if text.len() > PATH_BYTES_MAX {
        return Err(BadPath::at(Flaw::TooLong, PATH_BYTES_MAX));
    }
    if text.starts_with('/') {
        return Err(BadPath::at(Flaw::Absolute, 0));
    }
    let mut at = 0;
    for (index, segment) in text.split('/').enumerate() {
        if index == SEGMENTS_MAX {
            return Err(BadPath::at(Flaw::TooDeep, at));
        }
        check_segment(segment, stars).map_err(|flaw| BadPath::at(flaw.flaw, at + flaw.at))?;
        at += segment.len() + 1;
    }
    check_nfc(text)
}

fn check_segment(segment: &str, stars: Stars) -> Result<(), BadPath> {
    match segment {
        "" => return Err(BadPath::at(Flaw::EmptySegment, 0)),
        "." | ".." => return Err(BadPath::at(Flaw::Dots, 0)),
        _ if segment.len() > SEGMENT_BYTES_MAX => {
            return Err(BadPath::at(Flaw::SegmentTooLong, SEGMENT_BYTES_MAX));
        }
        _ => {}
    }
    for (at, c) in segment.char_indices() {
        let flaw = match c {
            '\\' => Flaw::Backslash,
            '*' if stars == Stars::Refused => Flaw::Star,
            _ if invisible(c) => Flaw::Invisible,
            _ => continue,
        };
        return Err(BadPath::at(flaw, at));
    }
    Ok(())
}

/// Control characters, direction marks, line and paragraph separators, and spaces without width.
/// The two joiners (U+200C, U+200D) stay: Persian and Indic names are misspelled without them.
fn invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{061c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(c, '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

fn check_nfc(text: &str) -> Result<(), BadPath> {
    if text.is_ascii() {
        return Ok(());
    }
    let (normal, _) = ComposingNormalizerBorrowed::new_nfc().split_normalized(text);
    if normal.len() == text.len() {
        return Ok(());
    }
    Err(BadPath::at(Flaw::NotNfc, normal.len()))
}
