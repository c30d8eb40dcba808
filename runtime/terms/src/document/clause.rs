//! Clauses as a hash tree, so that one can be shown and proven without the others.
//!
//! A clause begins at a heading that ends in its id, `## Payment {#payment}`, and runs to the next
//! such heading. What stands before the first one is the clause [`PREAMBLE`].

use std::collections::BTreeSet;

use envelope_evidence::{Digest, merkle};
use serde::{Deserialize, Serialize};

use super::prose::{BadProse, Salt, Text};

/// Clauses of one document: a contract of a thousand pages has fewer.
pub const CLAUSES_MAX: usize = 10_000;

/// The id of what stands before the first named clause.
pub const PREAMBLE: &str = "preamble";

/// The longest id of a clause, in characters: the same as of any other name in a contract.
const ID_CHARS_MAX: usize = 64;

/// A clause with its own salt, which tells nothing about the salts of the others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clause {
    /// The id under which it is cited.
    pub clause: String,
    /// What keeps a short clause from being guessed by its leaf.
    pub salt: Salt,
    /// The text, from its heading to the next.
    pub text: String,
}

/// One clause and the proof that it stands in a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClauseProof {
    /// The clause.
    pub shown: Clause,
    /// Its place among the clauses.
    pub index: u64,
    /// The number of clauses.
    pub size: u64,
    /// The hashes beside it on the way to the root.
    pub hashes: Vec<Digest>,
}

/// A text of which some clauses are shown, and of the others the leaves of the tree alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Disclosure {
    /// Every clause in order.
    pub clauses: Vec<Shown>,
}

/// A clause of a partly shown text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Shown {
    /// The clause itself.
    Clause(Clause),
    /// Its leaf.
    Leaf(Digest),
}

impl Text {
    /// The root of the tree of clauses.
    pub fn root(&self) -> Digest {
        merkle::root(self.clauses().map(|clause| clause.leaf()))
    }

    /// The clause `id` with the proof that it stands in this text.
    pub fn prove(&self, id: &str) -> Option<ClauseProof> {
        let clauses: Vec<_> = self.clauses().collect();
        let leaves: Vec<_> = clauses.iter().map(Clause::leaf).collect();
        let index = clauses.iter().position(|clause| clause.clause == id)?;
        let hashes = merkle::prove_inclusion(&leaves, index).ok()?;
        let (index, size) = (u64::try_from(index).ok()?, u64::try_from(leaves.len()).ok()?);
        Some(ClauseProof {
            shown: clauses.into_iter().nth(usize::try_from(index).ok()?)?,
            index,
            size,
            hashes,
        })
    }

    /// The text without the clauses for which `hidden` says so.
    pub fn redact(&self, hidden: impl Fn(&str) -> bool) -> Disclosure {
        let show = |clause: Clause| match hidden(&clause.clause) {
            true => Shown::Leaf(clause.leaf()),
            false => Shown::Clause(clause),
        };
        Disclosure { clauses: self.clauses().map(show).collect() }
    }
}

impl Clause {
    /// The clause with the salt that `salt` gives it.
    pub(super) fn salted(id: &str, text: &str, salt: Salt) -> Self {
        let parts = [DOMAIN, id.as_bytes(), &[0], salt.as_bytes()];
        let salt = Salt::new(*Digest::of_parts(&parts).as_bytes());
        Self { clause: id.to_owned(), salt, text: text.to_owned() }
    }

    /// The leaf: the hash of salt, id, a zero byte and text.
    pub fn leaf(&self) -> Digest {
        let entry = [self.salt.as_bytes(), self.clause.as_bytes(), &[0], self.text.as_bytes()];
        merkle::leaf(&entry.concat())
    }
}

impl ClauseProof {
    /// Checks that the clause stands in the document whose node has this root of `clauses`.
    pub fn verify(&self, root: Digest) -> Result<(), merkle::Unproven> {
        merkle::verify_inclusion(root, self.size, self.index, self.shown.leaf(), &self.hashes)
    }
}

impl Disclosure {
    /// The root that the shown clauses and the leaves of the others lead to.
    pub fn root(&self) -> Digest {
        merkle::root(self.clauses.iter().map(|shown| match shown {
            Shown::Clause(clause) => clause.leaf(),
            Shown::Leaf(leaf) => *leaf,
        }))
    }

    /// The clauses that are shown.
    pub fn shown(&self) -> impl Iterator<Item = &Clause> {
        self.clauses.iter().filter_map(|shown| match shown {
            Shown::Clause(clause) => Some(clause),
            Shown::Leaf(_) => None,
        })
    }
}

/// Where the salts of clauses come from, so that they are the salts of nothing else.
const DOMAIN: &[u8] = b"envelope clause salt v1\0";

/// Checks the ids of the clauses of `prose`.
pub(super) fn check(prose: &str) -> Result<(), BadProse> {
    let mut seen = BTreeSet::new();
    for (id, _) in split(prose) {
        if !is_id(id) {
            return Err(BadProse::Id(id.chars().take(ID_CHARS_MAX).collect()));
        }
        if !seen.insert(id) {
            return Err(BadProse::Duplicate(id.to_owned()));
        }
        if seen.len() > CLAUSES_MAX {
            return Err(BadProse::TooMany);
        }
    }
    Ok(())
}

/// The clauses of `prose` in order: together they are all of it.
pub(super) fn split(prose: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = prose;
    std::iter::from_fn(move || {
        let first = rest.split_inclusive('\n').next()?;
        let id = id_of(first).unwrap_or(PREAMBLE);
        let more = rest.split_inclusive('\n').skip(1).take_while(|line| id_of(line).is_none());
        let length = first.len() + more.map(str::len).sum::<usize>();
        let (clause, after) = rest.split_at_checked(length)?;
        rest = after;
        Some((id, clause))
    })
}

/// The id at the end of a heading.
fn id_of(line: &str) -> Option<&str> {
    if !line.starts_with('#') {
        return None;
    }
    let title = line.trim_start_matches('#');
    let level = line.len() - title.len();
    let heading = (1..=6).contains(&level) && title.starts_with(' ');
    let (_, id) = title.trim_end().strip_suffix('}')?.rsplit_once("{#")?;
    heading.then_some(id)
}

fn is_id(id: &str) -> bool {
    let letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let part = |part: &str| !part.is_empty() && part.chars().all(letter);
    id.len() <= ID_CHARS_MAX && id.split('-').all(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clauses_are_all_of_the_prose() {
        let prose = "# Title\n\nBefore.\n## Payment {#payment}\n\nNow.\n### Late\n## End {#end}\n";
        let clauses: Vec<_> = split(prose).collect();
        let ids: Vec<_> = clauses.iter().map(|(id, _)| *id).collect();
        assert_eq!(ids, [PREAMBLE, "payment", "end"]);
        assert_eq!(clauses.iter().map(|(_, text)| *text).collect::<String>(), prose);
        assert_eq!(split("").count(), 0);
        for plain in ["#payment {#a}\n", "####### A {#a}\n", "A {#a}\n", "# A {#a} b\n"] {
            assert_eq!(split(plain).collect::<Vec<_>>(), [(PREAMBLE, plain)]);
        }
    }

    #[test]
    fn ids_are_checked() {
        assert_eq!(check("# A {#a-1}\n# B {#b}\n"), Ok(()));
        assert_eq!(check("# A {#a}\n# B {#a}\n"), Err(BadProse::Duplicate("a".into())));
        assert_eq!(check("x\n# A {#preamble}\n"), Err(BadProse::Duplicate("preamble".into())));
        for wrong in ["", "A", "a b", "a--b", "-a", "é"] {
            assert_eq!(check(&format!("# A {{#{wrong}}}\n")), Err(BadProse::Id(wrong.into())));
        }
    }
}
