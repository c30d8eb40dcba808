//! How an amendment changes the prose, as a reader sees it.

use envelope_evidence::Digest;
use similar::{ChangeTag, TextDiff};

use super::prose::Text;

/// The whole text, line by line: each line is kept (a space before it), struck (`-`) or new (`+`).
///
/// The way lines are matched is free, and may improve; that it leads from the old text to the new
/// one is checked with [`Redline::parse`], which needs to know nothing about the way.
pub fn redline(old: &str, new: &str) -> String {
    let mut text = String::with_capacity(new.len() + new.len() / 8);
    for change in TextDiff::from_lines(old, new).iter_all_changes() {
        text.push(match change.tag() {
            ChangeTag::Equal => KEPT,
            ChangeTag::Delete => STRUCK,
            ChangeTag::Insert => ADDED,
        });
        text.push_str(change.value());
    }
    text
}

const KEPT: char = ' ';
const STRUCK: char = '-';
const ADDED: char = '+';

/// The digest of a redline, salted by both texts: who is not shown all of one of them cannot guess
/// the rest by it.
pub(super) fn digest(old: &Text, new: &Text, redline: &[u8]) -> Digest {
    Digest::of_parts(&[old.salt().as_bytes(), new.salt().as_bytes(), redline])
}

/// What a redline says of the text before and after.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Redline {
    /// Kept and struck lines.
    pub old: String,
    /// Kept and new lines.
    pub new: String,
}

impl Redline {
    /// Reads a redline; nothing for a line that is neither kept, struck nor new.
    pub fn parse(text: &str) -> Option<Self> {
        let mut read = Self::default();
        for line in text.split_inclusive('\n') {
            let mark = line.chars().next()?;
            let rest = line.strip_prefix(mark)?;
            match mark {
                KEPT => {
                    read.old.push_str(rest);
                    read.new.push_str(rest);
                }
                STRUCK => read.old.push_str(rest),
                ADDED => read.new.push_str(rest),
                _ => return None,
            }
        }
        Some(read)
    }
}
