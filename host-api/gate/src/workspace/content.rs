//! The bytes of one file: what was stored, and what the run wrote over it.
//!
//! Writing copies the pieces it touches and no more, a hole takes no memory, and reading what
//! nobody wrote over is a slice of what was loaded.

use std::collections::BTreeMap;

use bytes::Bytes;
use envelope_evidence::Digest;

/// Bytes of a piece. The first write to one copies it, so that small writes to a large file cost
/// little; a large file has few enough of them.
const PIECE: u64 = 16 * 1024;

/// What the store holds of a file.
#[derive(Debug, Clone)]
struct Base {
    digest: Digest,
    size: u64,
    /// How many of its bytes still show.
    shown: u64,
    bytes: Option<Bytes>,
}

/// The bytes of one file.
#[derive(Debug, Clone, Default)]
pub(super) struct Content {
    size: u64,
    base: Option<Base>,
    /// Written pieces by their number. Each holds all that shows of the base at its place; what it
    /// lacks at its end is zeros.
    pieces: BTreeMap<u64, Vec<u8>>,
    /// Whether somebody paid for the digest of what it is now.
    paid: bool,
}

impl Content {
    /// What is stored as `digest`, not loaded yet.
    pub(super) const fn stored(digest: Digest, size: u64) -> Self {
        let base = Base { digest, size, shown: size, bytes: None };
        Self { size, base: Some(base), pieces: BTreeMap::new(), paid: true }
    }

    /// The same bytes, which are stored as `digest` now.
    pub(super) fn keep_as(&mut self, digest: Digest, bytes: Bytes) {
        let size = self.size;
        self.base = Some(Base { digest, size, shown: size, bytes: Some(bytes) });
        self.pieces.clear();
    }

    /// Bytes to be paid for before the whole is hashed, once after each change.
    pub(super) const fn owe(&mut self) -> u64 {
        let owed = if self.paid { 0 } else { self.size };
        self.paid = true;
        owed
    }

    pub(super) const fn size(&self) -> u64 {
        self.size
    }

    /// The blob that has to be supplied before bytes are read or written.
    pub(super) fn needs(&self) -> Option<Digest> {
        let base = self.base.as_ref()?;
        (base.bytes.is_none() && base.shown > 0).then_some(base.digest)
    }

    /// Takes the blob's bytes, whose digest the caller knows. False when they are too many or few.
    pub(super) fn supply(&mut self, bytes: Bytes) -> bool {
        let Some(base) = &mut self.base else { return true };
        let fits = to_u64(bytes.len()) == base.size;
        if fits {
            base.bytes = Some(bytes);
        }
        fits
    }

    /// The digest of the whole, where it is known without a look at the bytes.
    pub(super) fn known_digest(&self) -> Option<Digest> {
        let base = self.base.as_ref()?;
        let whole = base.shown == base.size && base.size == self.size && self.pieces.is_empty();
        whole.then_some(base.digest)
    }

    /// All bytes.
    pub(super) fn whole(&self) -> Bytes {
        self.read(0, self.size)
    }

    /// Up to `len` bytes from `offset` on, fewer where the file ends.
    pub(super) fn read(&self, offset: u64, len: u64) -> Bytes {
        let end = self.size.min(offset.saturating_add(len));
        if offset >= end {
            return Bytes::new();
        }
        let shown = self.base_at(offset, end);
        let mut pieces = self.pieces.range(offset / PIECE..=(end - 1) / PIECE).peekable();
        if pieces.peek().is_none() && to_u64(shown.len()) == end - offset {
            return shown;
        }
        let mut all = vec![0; to_usize(end - offset)];
        copy(&mut all, 0, &shown);
        for (number, piece) in pieces {
            let start = number * PIECE;
            let skip = offset.saturating_sub(start);
            let part = piece.get(to_usize(skip)..).unwrap_or_default();
            copy(&mut all, to_usize(start.saturating_sub(offset)), part);
        }
        all.into()
    }

    /// Puts `data` at `offset`. What lies between the end of the file and there is zeros.
    pub(super) fn write(&mut self, offset: u64, mut data: &[u8]) {
        self.paid = false;
        self.size = self.size.max(offset.saturating_add(to_u64(data.len())));
        let mut at = offset;
        while !data.is_empty() {
            let within = to_usize(at % PIECE);
            let room = to_usize(PIECE) - within;
            let (now, later) = data.split_at(room.min(data.len()));
            let piece = self.piece(at / PIECE);
            if piece.len() < within + now.len() {
                piece.resize(within + now.len(), 0);
            }
            copy(piece, within, now);
            at += to_u64(now.len());
            data = later;
        }
    }

    /// Cuts the file or lengthens it by zeros. Needs nothing loaded.
    pub(super) fn set_size(&mut self, size: u64) {
        self.paid = false;
        if size < self.size {
            if let Some(base) = &mut self.base {
                base.shown = base.shown.min(size);
            }
            self.base = self.base.take().filter(|base| base.shown > 0);
            let mut cut = self.pieces.split_off(&(size / PIECE));
            let last = cut.remove(&(size / PIECE));
            let within = to_usize(size % PIECE);
            if let Some(mut piece) = last.filter(|_| within > 0) {
                piece.truncate(within);
                self.pieces.insert(size / PIECE, piece);
            }
        }
        self.size = size;
    }

    fn piece(&mut self, number: u64) -> &mut Vec<u8> {
        let shown = match self.pieces.contains_key(&number) {
            true => Bytes::new(),
            false => self.base_at(number * PIECE, (number + 1) * PIECE),
        };
        self.pieces.entry(number).or_insert_with(|| shown.into())
    }

    /// What shows of the base between two places.
    fn base_at(&self, from: u64, to: u64) -> Bytes {
        let Some(base) = &self.base else { return Bytes::new() };
        let to = to.min(base.shown);
        match &base.bytes {
            Some(bytes) if from < to => bytes.slice(to_usize(from)..to_usize(to)),
            Some(_) | None => Bytes::new(),
        }
    }
}

/// Copies as much of `from` as has room at `at`.
fn copy(to: &mut [u8], at: usize, from: &[u8]) {
    let count = from.len().min(to.len().saturating_sub(at));
    if let (Some(to), Some(from)) = (to.get_mut(at..at + count), from.get(..count)) {
        to.copy_from_slice(from);
    }
}

pub(super) fn to_u64(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

fn to_usize(n: u64) -> usize {
    usize::try_from(n).unwrap_or(usize::MAX)
}
