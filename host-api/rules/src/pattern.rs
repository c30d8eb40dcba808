//! Patterns over paths, and the exact answer to "does one set of patterns lie within another?"
//!
//! A pattern is a path in which `*` stands for any run of characters inside one segment, also for
//! none, and a last segment `**` stands for one segment or more. So `rfp/**` matches everything
//! below `rfp`, not `rfp` itself, and `**` matches every path but the root. Nothing else is
//! special: `?`, `[` and `{` are letters. Case counts.
//!
//! # Why containment needs no automaton
//!
//! Freeze a child without `**`: read each of its `*` as one letter that occurs in no pattern. The
//! result is a path the child matches. A parent that matches it must cover each frozen letter by
//! one of its own `*`, for no literal of a parent is that letter; and what a `*` covers may be
//! replaced by anything. So that parent matches all the child does, while if no parent matches the
//! frozen path, the child reaches further than all of them together. Since `*` cannot occur in a
//! path, the letter `*` itself is the frozen one: the child's own text is matched.
//!
//! A child that ends in `**` is the union of the patterns that end in `*`, `*/*`, and so on down to
//! the deepest path; each of them is asked. So the answer is exact for sets too, where `a/*` and
//! `a/*/**` together hold `a/**` and neither does alone. Only the limits on bytes are left out,
//! which can turn a yes into a no, never a no into a yes.

use std::fmt;
use std::iter;
use std::str::FromStr;

use serde::{Deserialize, Serialize, Serializer};

use crate::path::{self, BadPath, Flaw, Path, Prefix, SEGMENTS_MAX, Stars};

/// The most patterns in one set. Grants are minimal: more than this is a folder, spelled `**`.
pub const PATTERNS_MAX: usize = 64;

const DEEP: &str = "**";

/// A pattern over paths, checked once.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct Pattern {
    /// All segments but a final `**`.
    stem: String,
    /// Whether `**` follows.
    deep: bool,
}

impl Pattern {
    /// The pattern `text` spells.
    pub fn parse(text: &str) -> Result<Self, BadPath> {
        Self::try_from(text.to_owned())
    }

    /// Everything below `prefix`.
    pub fn below(prefix: &Prefix) -> Self {
        let folder = prefix.folder();
        let stem = if folder.is_root() { "" } else { folder.as_str() };
        Self { stem: stem.to_owned(), deep: true }
    }

    /// Whether the pattern matches `path`. Allocates nothing; linear in both.
    pub fn matches(&self, path: &Path) -> bool {
        self.covers(path.segments())
    }

    /// Whether the pattern matches some path below the folder `path`, at any depth. Allocates
    /// nothing. Exact as containment is: only the limits on bytes are left out.
    pub fn reaches_below(&self, path: &Path) -> bool {
        let mut stem = self.stem();
        for name in path.segments() {
            match stem.next() {
                Some(glob) if glob_matches(glob, name) => {}
                Some(_) => return false,
                None => return self.deep && path.segments().count() < SEGMENTS_MAX,
            }
        }
        stem.next().is_some() || self.deep && path.segments().count() < SEGMENTS_MAX
    }

    /// Whether every path this pattern matches is matched by `parent` too.
    pub fn within(&self, parent: &Self) -> bool {
        self.within_any(std::slice::from_ref(parent))
    }

    fn within_any(&self, parents: &[Self]) -> bool {
        let room = SEGMENTS_MAX.saturating_sub(self.stem().count());
        let mut depths = if self.deep { 1..=room } else { 0..=0 };
        depths.all(|depth| {
            let frozen = || self.stem().chain(iter::repeat_n("*", depth));
            parents.iter().any(|parent| parent.covers(frozen()))
        })
    }

    fn covers<'n>(&self, mut names: impl Iterator<Item = &'n str>) -> bool {
        self.stem().all(|glob| names.next().is_some_and(|name| glob_matches(glob, name)))
            && self.deep == names.next().is_some()
    }

    fn stem(&self) -> impl Iterator<Item = &str> {
        self.stem.split_terminator('/')
    }
}

/// Whether `name` is `glob` with each `*` replaced by some text. The leftmost place for each
/// literal is the best one, because it leaves the most for the rest.
fn glob_matches(glob: &str, name: &str) -> bool {
    let Some((head, rest)) = glob.split_once('*') else { return glob == name };
    let (middle, tail) = rest.rsplit_once('*').unwrap_or(("", rest));
    let inner = name.strip_prefix(head).and_then(|name| name.strip_suffix(tail));
    let mut left = inner;
    if !middle.is_empty() {
        for literal in middle.split('*') {
            left = left.and_then(|left| left.split_once(literal)).map(|(_, after)| after);
        }
    }
    left.is_some()
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let slash = if self.deep && !self.stem.is_empty() { "/" } else { "" };
        write!(f, "{}{slash}{}", self.stem, if self.deep { DEEP } else { "" })
    }
}

impl FromStr for Pattern {
    type Err = BadPath;

    fn from_str(text: &str) -> Result<Self, BadPath> {
        Self::parse(text)
    }
}

impl TryFrom<String> for Pattern {
    type Error = BadPath;

    fn try_from(mut text: String) -> Result<Self, BadPath> {
        path::check(&text, Stars::Allowed)?;
        let above = text
            .strip_suffix(DEEP)
            .and_then(|above| if above.is_empty() { Some(above) } else { above.strip_suffix('/') });
        let deep = above.is_some();
        text.truncate(above.unwrap_or(&text).len());
        match text.find(DEEP) {
            Some(at) => Err(BadPath::at(Flaw::DoubleStar, at)),
            None => Ok(Self { stem: text, deep }),
        }
    }
}

impl Serialize for Pattern {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Patterns of which any may match. An empty set matches nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Pattern>")]
pub struct PatternSet(Vec<Pattern>);

impl PatternSet {
    /// The set of `patterns`, at most [`PATTERNS_MAX`].
    pub fn new(patterns: Vec<Pattern>) -> Result<Self, TooManyPatterns> {
        if patterns.len() > PATTERNS_MAX { Err(TooManyPatterns) } else { Ok(Self(patterns)) }
    }

    /// The set of the patterns that `texts` spell.
    pub fn parse(texts: &[&str]) -> Result<Self, BadPattern> {
        let patterns: Result<Vec<_>, _> = texts.iter().map(|text| Pattern::parse(text)).collect();
        Ok(Self::new(patterns?)?)
    }

    /// The patterns, in the order given.
    pub fn patterns(&self) -> &[Pattern] {
        &self.0
    }

    /// Whether any pattern matches `path`. Allocates nothing.
    pub fn matches(&self, path: &Path) -> bool {
        self.0.iter().any(|pattern| pattern.matches(path))
    }

    /// Whether any pattern matches some path below the folder `path`. Allocates nothing.
    pub fn reaches_below(&self, path: &Path) -> bool {
        self.0.iter().any(|pattern| pattern.reaches_below(path))
    }

    /// Whether every path this set matches is matched by `parent`, all of its patterns together.
    pub fn within(&self, parent: &Self) -> bool {
        self.within_any(&parent.0)
    }

    /// The same as [`PatternSet::within`], for parents that are not a set of their own.
    pub(crate) fn within_any(&self, parents: &[Pattern]) -> bool {
        self.0.iter().all(|pattern| pattern.within_any(parents))
    }
}

impl TryFrom<Vec<Pattern>> for PatternSet {
    type Error = TooManyPatterns;

    fn try_from(patterns: Vec<Pattern>) -> Result<Self, TooManyPatterns> {
        Self::new(patterns)
    }
}

/// More than [`PATTERNS_MAX`] patterns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a set holds at most {PATTERNS_MAX} patterns: name a folder with `**`")]
pub struct TooManyPatterns;

/// Texts that do not make a set of patterns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadPattern {
    /// One of them is no pattern.
    #[error(transparent)]
    Text(#[from] BadPath),
    /// There are too many.
    #[error(transparent)]
    Many(#[from] TooManyPatterns),
}
