//! What a run owns: its workspace, its output, its stream of chance, its artifacts. Functions of
//! the calls so far, so that a replay has the same.

use std::collections::BTreeMap;

use bytes::Bytes;
use envelope_evidence::{Digest, Timestamp};

use crate::workspace::{Blobs, Workspace};

/// The state of one run, apart from the guest's own memory.
pub struct Inside {
    /// The files.
    pub workspace: Workspace,
    /// Where contents come from, and where they go.
    pub blobs: Blobs,
    /// What the guest may read on its standard input.
    pub stdin: Bytes,
    /// What it wrote on its standard output.
    pub stdout: Captured,
    /// What it wrote on its standard error.
    pub stderr: Captured,
    /// Results beside the files, by name.
    pub artifacts: BTreeMap<String, Artifact>,
    /// Where all chance comes from.
    pub chance: Chance,
    /// Whoever watches the notes.
    pub watcher: Option<Watcher>,
}

/// A named result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    /// What kind of bytes.
    pub media_type: String,
    /// The bytes.
    pub bytes: Bytes,
}

/// Called with every note, also again on a replay.
pub type Watcher = Box<dyn FnMut(&Note) + Send>;

/// A note of the guest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// When.
    pub at: Timestamp,
    /// `debug`, `info`, `warn`, `error`, `progress` or `emit`.
    pub level: &'static str,
    /// Its text.
    pub text: String,
    /// Its fields, a JSON object or nothing.
    pub fields: String,
}

impl Inside {
    /// Shows a note to whoever watches.
    pub fn watch(&mut self, note: &Note) {
        if let Some(watcher) = &mut self.watcher {
            watcher(note);
        }
    }
}

/// Output that is kept up to a limit.
#[derive(Debug)]
pub struct Captured {
    bytes: Vec<u8>,
    max: usize,
}

impl Captured {
    /// Room for `max` bytes.
    pub const fn new(max: usize) -> Self {
        Self { bytes: Vec::new(), max }
    }

    /// Takes `more`, whole or not at all.
    pub fn push(&mut self, more: &[u8]) -> bool {
        let fits = self.bytes.len().saturating_add(more.len()) <= self.max;
        if fits {
            self.bytes.extend_from_slice(more);
        }
        fits
    }

    /// What was written.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// A stream of bytes that nobody can tell from chance without knowing its seed: SHA-256 over the
/// seed and a counter. It is as long as anybody wants it, and the same on every machine.
#[derive(Debug)]
pub struct Chance {
    seed: Digest,
    block: u64,
    rest: Vec<u8>,
}

impl Chance {
    /// The stream of `seed`.
    pub const fn new(seed: Digest) -> Self {
        Self { seed, block: 0, rest: Vec::new() }
    }

    /// The next `count` bytes.
    pub fn take(&mut self, count: usize) -> Vec<u8> {
        let mut taken = std::mem::take(&mut self.rest);
        while taken.len() < count {
            let counter = self.block.to_be_bytes();
            let block = Digest::of_parts(&[b"envelope chance 1", self.seed.as_bytes(), &counter]);
            self.block += 1;
            taken.extend_from_slice(block.as_bytes());
        }
        self.rest = taken.split_off(count);
        taken
    }

    /// Two numbers that belong to the seed: always the same, and no part of the stream.
    pub fn constant(&self) -> (u64, u64) {
        let digest = Digest::of_parts(&[b"envelope constant chance 1", self.seed.as_bytes()]);
        let (one, other) = digest.as_bytes().split_at(8);
        (number(one), number(other))
    }
}

/// The number that the first eight of `bytes` are.
fn number(bytes: &[u8]) -> u64 {
    bytes.iter().take(8).fold(0, |number, byte| (number << 8) | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chance_is_one_stream_however_it_is_cut() {
        let seed = Digest::of(b"seed");
        let whole = Chance::new(seed).take(200);
        let mut cut = Chance::new(seed);
        let parts = [0, 1, 31, 32, 33, 103].map(|count| cut.take(count));
        assert_eq!(parts.concat(), whole);
        assert_ne!(Chance::new(Digest::of(b"other")).take(200), whole);
    }

    #[test]
    fn output_is_taken_whole_or_not_at_all() {
        let mut output = Captured::new(4);
        assert!(output.push(b"abc"));
        assert!(!output.push(b"de"));
        assert!(output.push(b"d"));
        assert_eq!(output.bytes(), b"abcd");
    }
}
