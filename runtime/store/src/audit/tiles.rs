//! Tiles of the public log (C2SP tlog-tiles): 256 hashes of one level to a file, and the entries
//! beside them, so that a static folder serves every proof.

use envelope_evidence::Digest;
use envelope_evidence::merkle::{self, Tree};

/// Hashes in a full tile.
pub(super) const WIDTH: u64 = 256;

/// A file of the log: its path and its bytes.
pub(super) type File = (String, Vec<u8>);

/// What stands at the right edge of the log: on each level the tile that is not full, and the
/// entries of the lowest.
#[derive(Debug, Default)]
pub(super) struct Edge {
    tree: Tree,
    levels: Vec<Vec<Digest>>,
    entries: Vec<Vec<u8>>,
    full: Vec<File>,
}

impl Edge {
    /// The tree so far.
    pub(super) const fn tree(&self) -> &Tree {
        &self.tree
    }

    /// Adds an entry. Tiles that became full wait for [`take`](Self::take).
    pub(super) fn push(&mut self, entry: Vec<u8>) {
        let place = self.tree.size();
        let leaf = merkle::leaf(&entry);
        self.tree.push(leaf);
        self.entries.push(entry);
        if (place + 1).is_multiple_of(WIDTH) {
            let bytes = bundle(&std::mem::take(&mut self.entries));
            self.full.push((path("entries", place / WIDTH, 0), bytes));
        }
        let (mut hash, mut place) = (leaf, place);
        for level in 0.. {
            if self.levels.len() <= level {
                self.levels.push(Vec::new());
            }
            let Some(tile) = self.levels.get_mut(level) else { break };
            tile.push(hash);
            if !(place + 1).is_multiple_of(WIDTH) {
                break;
            }
            let hashes = std::mem::take(tile);
            place /= WIDTH;
            self.full.push((path(&level.to_string(), place, 0), joined(&hashes)));
            hash = merkle::root(hashes);
        }
    }

    /// The tiles that became full since the last time, and every tile of the edge as it is now.
    pub(super) fn take(&mut self) -> Vec<File> {
        let mut files = std::mem::take(&mut self.full);
        let mut count = self.tree.size();
        if !self.entries.is_empty() {
            let bytes = bundle(&self.entries);
            files.push((path("entries", count / WIDTH, count % WIDTH), bytes));
        }
        for (level, hashes) in self.levels.iter().enumerate() {
            if !hashes.is_empty() {
                let path = path(&level.to_string(), count / WIDTH, count % WIDTH);
                files.push((path, joined(hashes)));
            }
            count /= WIDTH;
        }
        files
    }
}

fn joined(hashes: &[Digest]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| *hash.as_bytes()).collect()
}

/// Entries are commitments of one short shape: their length always fits.
fn bundle(entries: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for entry in entries {
        bytes.extend(u16::try_from(entry.len()).unwrap_or(u16::MAX).to_be_bytes());
        bytes.extend(entry);
    }
    bytes
}

/// `tile/<level>/<number>`, the number in groups of three digits, all but the last marked by `x`;
/// a tile of `width` hashes that is not full carries its width.
fn path(level: &str, number: u64, width: u64) -> String {
    let mut groups = format!("{:03}", number % 1000);
    let mut rest = number / 1000;
    while rest > 0 {
        groups = format!("x{:03}/{groups}", rest % 1000);
        rest /= 1000;
    }
    let partial = if width == 0 { String::new() } else { format!(".p/{width}") };
    format!("tile/{level}/{groups}{partial}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_those_of_the_standard() {
        assert_eq!(path("0", 0, 0), "tile/0/000");
        assert_eq!(path("entries", 5, 7), "tile/entries/005.p/7");
        assert_eq!(path("1", 1_234_067, 0), "tile/1/x001/x234/067");
    }

    #[test]
    fn upper_tiles_hold_the_roots_of_lower_ones() {
        let mut edge = Edge::default();
        (0..600_u32).for_each(|number| edge.push(number.to_be_bytes().to_vec()));
        let files = edge.take();
        let names: Vec<_> = files.iter().map(|(path, _)| path.as_str()).collect();
        assert_eq!(
            names,
            [
                "tile/entries/000",
                "tile/0/000",
                "tile/entries/001",
                "tile/0/001",
                "tile/entries/002.p/88",
                "tile/0/002.p/88",
                "tile/1/000.p/2",
            ]
        );
        let hashes: Vec<_> = (256..512_u32).map(|n| merkle::leaf(&n.to_be_bytes())).collect();
        assert_eq!(files[6].1[32..], *merkle::root(hashes).as_bytes());
    }
}
