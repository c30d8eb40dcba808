//! Merkle trees of RFC 6962 and RFC 9162 §2.1: roots, and proofs that an entry is in a tree or
//! that one tree begins with another.

use crate::Digest;
use crate::usage::MAX_EXACT;

/// The largest tree: its size must survive every JSON reader.
pub const SIZE_MAX: u64 = MAX_EXACT;

/// The longest proof of a tree of [`SIZE_MAX`] leaves: one hash a level, and one to start from.
pub const PROOF_MAX: usize = 54;

/// The hash of an entry as a leaf.
pub fn leaf(entry: &[u8]) -> Digest {
    Digest::of_parts(&[&[0], entry])
}

/// The hash of two subtrees. Its prefix differs from a leaf's, so neither passes for the other.
pub fn node(left: Digest, right: Digest) -> Digest {
    Digest::of_parts(&[&[1], left.as_bytes(), right.as_bytes()])
}

/// The root of the tree over `leaves` (hashes made by [`leaf`]).
pub fn root(leaves: impl IntoIterator<Item = Digest>) -> Digest {
    leaves.into_iter().collect::<Tree>().root()
}

/// A tree that grows leaf by leaf and remembers only the roots of its perfect subtrees, at most
/// one for each bit of its size.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tree {
    size: u64,
    /// From the largest subtree, on the left, to the smallest.
    peaks: Vec<Digest>,
}

impl Tree {
    /// Adds a leaf on the right.
    pub fn push(&mut self, leaf: Digest) {
        // Each trailing one bit of the size is a subtree that this leaf makes a pair with.
        let full = usize::try_from(self.size.trailing_ones()).unwrap_or(usize::MAX);
        let kept = self.peaks.len().saturating_sub(full);
        let merged = self.peaks.drain(kept..).rev().fold(leaf, |right, left| node(left, right));
        self.peaks.push(merged);
        self.size += 1;
    }

    /// The number of leaves.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The root hash. That of the empty tree is the digest of nothing.
    pub fn root(&self) -> Digest {
        let peaks = self.peaks.iter().rev().copied();
        peaks.reduce(|right, left| node(left, right)).unwrap_or_else(|| Digest::of(b""))
    }
}

impl FromIterator<Digest> for Tree {
    fn from_iter<I: IntoIterator<Item = Digest>>(leaves: I) -> Self {
        let mut tree = Self::default();
        leaves.into_iter().for_each(|leaf| tree.push(leaf));
        tree
    }
}

/// The proof that leaf `index` is in the tree over `leaves`: the sibling hashes from the leaf up.
pub fn prove_inclusion(leaves: &[Digest], index: usize) -> Result<Vec<Digest>, Unproven> {
    if index >= leaves.len() {
        return Err(Unproven::NoSuchLeaf);
    }
    let (mut rest, mut index, mut proof) = (leaves, index, Vec::new());
    while let Some((left, right)) = halves(rest) {
        let sibling = if index < left.len() {
            rest = left;
            right
        } else {
            index -= left.len();
            rest = right;
            left
        };
        proof.push(root(sibling.iter().copied()));
    }
    proof.reverse();
    Ok(proof)
}

/// The proof that the tree over `leaves` begins with its first `old` leaves.
pub fn prove_consistency(leaves: &[Digest], old: usize) -> Result<Vec<Digest>, Unproven> {
    if old > leaves.len() {
        return Err(Unproven::Shrunk);
    }
    if old == 0 {
        return Ok(Vec::new());
    }
    let (mut rest, mut old, mut known, mut proof) = (leaves, old, true, Vec::new());
    while old < rest.len() {
        let Some((left, right)) = halves(rest) else { break };
        let sibling = if old <= left.len() {
            rest = left;
            right
        } else {
            // What remains of the old tree is no longer all of it: its root has to be told.
            known = false;
            old -= left.len();
            rest = right;
            left
        };
        proof.push(root(sibling.iter().copied()));
    }
    if !known {
        proof.push(root(rest.iter().copied()));
    }
    proof.reverse();
    Ok(proof)
}

/// Checks that `leaf` is at `index` in the tree of `size` leaves with this `root`.
pub fn verify_inclusion(
    root: Digest,
    size: u64,
    index: u64,
    leaf: Digest,
    proof: &[Digest],
) -> Result<(), Unproven> {
    if index >= size {
        return Err(Unproven::NoSuchLeaf);
    }
    let mut climb = Climb::new(index, size)?;
    let mut hash = leaf;
    for &sibling in bounded(proof)? {
        hash = match climb.step()? {
            Side::Left => node(sibling, hash),
            Side::Right => node(hash, sibling),
        };
    }
    climb.end()?;
    if hash == root { Ok(()) } else { Err(Unproven::Root) }
}

/// Checks that the tree of `new` leaves with `new_root` begins with that of `old` and `old_root`.
pub fn verify_consistency(
    old: u64,
    old_root: Digest,
    new: u64,
    new_root: Digest,
    proof: &[Digest],
) -> Result<(), Unproven> {
    if old > new {
        return Err(Unproven::Shrunk);
    }
    if old == 0 || old == new {
        // Nothing to climb: an empty tree begins every tree, and a tree begins itself.
        let begins = if old == 0 { root([]) } else { new_root };
        return match (old_root == begins, proof.is_empty()) {
            (_, false) => Err(Unproven::TooLong),
            (true, true) => Ok(()),
            (false, true) => Err(Unproven::OldRoot),
        };
    }
    let mut hashes = bounded(proof)?.iter().copied();
    // A perfect old tree is a subtree of the new one, so the proof does not repeat its root.
    let told = if old.is_power_of_two() { Some(old_root) } else { hashes.next() };
    let start = told.ok_or(Unproven::TooShort)?;
    let mut climb = Climb::new(old - 1, new)?;
    climb.skip_right_edges();
    let (mut old_hash, mut new_hash) = (start, start);
    for sibling in hashes {
        match climb.step()? {
            Side::Left => {
                old_hash = node(sibling, old_hash);
                new_hash = node(sibling, new_hash);
            }
            Side::Right => new_hash = node(new_hash, sibling),
        }
    }
    climb.end()?;
    if old_hash != old_root {
        return Err(Unproven::OldRoot);
    }
    if new_hash == new_root { Ok(()) } else { Err(Unproven::Root) }
}

/// Why a proof does not prove.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unproven {
    /// The index is not below the size.
    #[error("the tree has no leaf of this index")]
    NoSuchLeaf,
    /// The new tree is smaller than the old one.
    #[error("the new tree is smaller than the old one")]
    Shrunk,
    /// More than [`SIZE_MAX`] leaves.
    #[error("a tree has at most {SIZE_MAX} leaves")]
    TooLarge,
    /// The proof has too few hashes for the index and size.
    #[error("the proof has too few hashes")]
    TooShort,
    /// The proof has too many hashes for the index and size.
    #[error("the proof has too many hashes")]
    TooLong,
    /// The proof leads to another old root.
    #[error("the proof leads to another root of the old tree")]
    OldRoot,
    /// The proof leads to another root.
    #[error("the proof leads to another root")]
    Root,
}

/// The way from a node up to the root (RFC 9162 §2.1.3.2): the node's place on its level, and that
/// of the level's last node.
struct Climb {
    place: u64,
    last: u64,
}

/// Where the sibling stands.
enum Side {
    Left,
    Right,
}

impl Climb {
    fn new(index: u64, size: u64) -> Result<Self, Unproven> {
        if size > SIZE_MAX {
            return Err(Unproven::TooLarge);
        }
        Ok(Self { place: index, last: size.saturating_sub(1) })
    }

    fn step(&mut self) -> Result<Side, Unproven> {
        if self.last == 0 {
            return Err(Unproven::TooLong);
        }
        let right_child = self.place & 1 == 1;
        let side = if right_child || self.place == self.last { Side::Left } else { Side::Right };
        if self.place == self.last {
            // A last node without a sibling of its own rises until it is a right child.
            self.up(self.place.trailing_zeros());
        }
        self.up(1);
        Ok(side)
    }

    fn skip_right_edges(&mut self) {
        self.up(self.place.trailing_ones());
    }

    fn up(&mut self, levels: u32) {
        self.place = self.place.checked_shr(levels).unwrap_or(0);
        self.last = self.last.checked_shr(levels).unwrap_or(0);
    }

    fn end(&self) -> Result<(), Unproven> {
        if self.last == 0 { Ok(()) } else { Err(Unproven::TooShort) }
    }
}

fn bounded(proof: &[Digest]) -> Result<&[Digest], Unproven> {
    if proof.len() > PROOF_MAX { Err(Unproven::TooLong) } else { Ok(proof) }
}

/// The largest perfect tree that is smaller than the whole, and what is to the right of it.
fn halves(leaves: &[Digest]) -> Option<(&[Digest], &[Digest])> {
    let last = leaves.len().checked_sub(1)?;
    leaves.split_at_checked(1 << last.checked_ilog2()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The hashes of RFC 6962 §2.1 over nothing and over one empty entry.
    #[test]
    fn empty_roots() {
        let hex = |digest: Digest| digest.hex();
        let nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let empty_entry = "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d";
        assert_eq!(hex(root([])), nothing);
        assert_eq!(hex(root([leaf(b"")])), empty_entry);
    }
}
