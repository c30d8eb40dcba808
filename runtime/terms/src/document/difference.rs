//! How an amendment changes terms, as data.

use envelope_evidence::{Digest, canonical};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::contract::DigestShape;

/// The terms of a document: a JSON object.
pub type Terms = Map<String, Value>;

/// One change: an operation of RFC 6902 that also names the digest of what it replaces. Any JSON
/// Patch library can apply it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "op", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Change {
    /// A member that was not there.
    Add {
        /// Where: an RFC 6901 pointer.
        path: String,
        /// The value.
        value: Value,
    },
    /// A member that is no longer there.
    Remove {
        /// Where.
        path: String,
        /// The digest of what stood there.
        #[schemars(with = "DigestShape")]
        old: Digest,
    },
    /// A member with another value.
    Replace {
        /// Where.
        path: String,
        /// The digest of what stood there.
        #[schemars(with = "DigestShape")]
        old: Digest,
        /// The value.
        value: Value,
    },
}

/// A list of changes that is not the difference from the terms it is applied to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadChange {
    /// Not spelled like a pointer, or it leads nowhere.
    #[error("`{0}` does not lead to a member of the terms")]
    Path(String),
    /// Added what was there, or removed or replaced what was not.
    #[error("`{0}` is there before it is added, or not there before it is removed or replaced")]
    Presence(String),
    /// What stands there is something else than the change says.
    #[error("`{0}` has another value than the change replaces")]
    Stale(String),
    /// A list that is longer than it has to be, or out of order: a difference has one spelling.
    #[error("the change at `{0}` is out of order, changes nothing or is not the smallest")]
    Form(String),
    /// Terms that cannot be written as canonical JSON.
    #[error("the value at `{0}` is outside the profile of canonical JSON")]
    Value(String),
}

impl Change {
    /// Where it changes something.
    pub fn path(&self) -> &str {
        match self {
            Self::Add { path, .. } | Self::Remove { path, .. } | Self::Replace { path, .. } => path,
        }
    }

    /// What stands there afterwards.
    pub const fn value(&self) -> Option<&Value> {
        match self {
            Self::Add { value, .. } | Self::Replace { value, .. } => Some(value),
            Self::Remove { .. } => None,
        }
    }
}

/// The one difference from `old` to `new`: the smallest members that differ, in the order of their
/// names. Lists are changed as a whole, for the place of an entry says little about which it is.
pub fn difference(old: &Terms, new: &Terms) -> Result<Vec<Change>, canonical::Refused> {
    let mut changes = Vec::new();
    compare(old, new, "", &mut changes)?;
    Ok(changes)
}

/// Applies `changes` to `terms`. It refuses every list that [`difference`] would not have written,
/// so that what was applied is what a reader would compute from the terms before and after.
pub fn apply(terms: &mut Terms, changes: &[Change]) -> Result<(), BadChange> {
    let mut previous: Vec<String> = Vec::new();
    for change in changes {
        let path = change.path();
        let tokens = tokens(path).ok_or_else(|| BadChange::Path(path.to_owned()))?;
        if tokens <= previous || !previous.is_empty() && tokens.starts_with(&previous) {
            return Err(BadChange::Form(path.to_owned()));
        }
        apply_one(terms, change, &tokens)?;
        previous = tokens;
    }
    Ok(())
}

fn compare(
    old: &Terms,
    new: &Terms,
    at: &str,
    changes: &mut Vec<Change>,
) -> Result<(), canonical::Refused> {
    let mut names: Vec<_> = old.keys().chain(new.keys()).collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        let path = format!("{at}/{}", escape(name));
        match (old.get(name), new.get(name)) {
            (Some(Value::Object(old)), Some(Value::Object(new))) => {
                compare(old, new, &path, changes)?;
            }
            (Some(old), Some(new)) if old != new => {
                let (old, value) = (digest(old)?, new.clone());
                changes.push(Change::Replace { path, old, value });
            }
            (Some(old), None) => changes.push(Change::Remove { path, old: digest(old)? }),
            (None, Some(new)) => changes.push(Change::Add { path, value: new.clone() }),
            (Some(_), Some(_)) | (None, None) => {}
        }
    }
    Ok(())
}

fn apply_one(terms: &mut Terms, change: &Change, tokens: &[String]) -> Result<(), BadChange> {
    let path = || change.path().to_owned();
    let (name, ancestors) = tokens.split_last().ok_or_else(|| BadChange::Path(path()))?;
    if let Some(value) = change.value()
        && tokens.len() + depth(value) > TERMS_DEPTH_MAX
    {
        return Err(BadChange::Value(path()));
    }
    let mut parent = terms;
    for ancestor in ancestors {
        let Some(Value::Object(below)) = parent.get_mut(ancestor) else {
            return Err(BadChange::Path(path()));
        };
        parent = below;
    }
    match (change, parent.get(name)) {
        (Change::Add { value, .. }, None) => {
            parent.insert(name.clone(), value.clone());
        }
        (Change::Remove { old, .. }, Some(there)) => {
            expect(there, *old, path)?;
            parent.remove(name);
        }
        (Change::Replace { old, value, .. }, Some(there)) => {
            expect(there, *old, path)?;
            if there == value || there.is_object() && value.is_object() {
                return Err(BadChange::Form(path()));
            }
            parent.insert(name.clone(), value.clone());
        }
        (Change::Add { .. }, Some(_)) | (Change::Remove { .. } | Change::Replace { .. }, None) => {
            return Err(BadChange::Presence(path()));
        }
    }
    Ok(())
}

fn expect(there: &Value, old: Digest, path: impl Fn() -> String) -> Result<(), BadChange> {
    let there = digest(there).map_err(|_| BadChange::Value(path()))?;
    if there == old { Ok(()) } else { Err(BadChange::Stale(path())) }
}

fn digest(value: &Value) -> Result<Digest, canonical::Refused> {
    canonical::of(value).map(|bytes| Digest::of(&bytes))
}

/// The deepest nesting of terms: they stand below the node, its body and their own member.
const TERMS_DEPTH_MAX: usize = canonical::DEPTH_MAX - 4;

/// The levels of arrays and objects. A value read from canonical JSON has a bounded number.
fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(members) => 1 + members.values().map(depth).max().unwrap_or(0),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

/// A member's name as a part of a pointer.
pub(super) fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// The names that a pointer leads through.
fn tokens(pointer: &str) -> Option<Vec<String>> {
    let bad = |token: &str| token.split('~').skip(1).any(|rest| !rest.starts_with(['0', '1']));
    let tokens = pointer.strip_prefix('/')?.split('/');
    let unescape = |token: &str| (!bad(token)).then(|| token.replace("~1", "/").replace("~0", "~"));
    tokens.map(unescape).collect()
}
