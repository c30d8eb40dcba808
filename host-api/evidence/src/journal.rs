//! The run journal: the only record of a run. Receipt, trace and replay input are read off it.
//!
//! One canonical JSON line per record, each carrying the digest of the line before it: first the
//! [`Header`], which pins the run, then one [`Entry`] per begun, answered or denied call and per
//! judgement on the run. A [`Journal`] holds only records that follow the rules of [`Broken`], so
//! folding one into a receipt cannot fail.

mod entry;
mod header;
mod progress;

pub use entry::{
    Answered, Begun, Call, Child, Content, Denied, Ended, Entry, Evaluation, Event, FILES,
    FileTouch, INLINE_BYTES_MAX, Outcome, Output, OutputValue, Recovery, Review, Reviewed,
    Rotation, Verdict,
};
pub use header::{Agent, Args, Caller, CallerKind, Engine, Header, PaperRef, Scope};
pub use progress::{Broken, CHILDREN_MAX, CallState, Settled};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::canonical;
use crate::chain::{Chain, Fracture};
use crate::digest::Digest;
use crate::time::Timestamp;
use crate::usage::Usage;
use progress::Progress;

/// The version this build writes. Older versions stay readable for ever.
pub const VERSION: u64 = 1;

/// Records in one journal. A run that makes a call every millisecond for a quarter of an hour fits.
pub const ENTRIES_MAX: usize = 1_000_000;

/// Bytes of one line: room for an inline answer or a new scope with many patterns.
pub const LINE_BYTES_MAX: usize = 64 << 10;

/// Bytes of the line that ends a run: room for thousands of outputs.
pub const END_BYTES_MAX: usize = 2 << 20;

/// A valid journal in memory.
#[derive(Debug, Clone)]
pub struct Journal {
    header: Header,
    header_digest: Digest,
    entries: Vec<Entry>,
    chain: Chain,
    progress: Progress,
}

/// A journal file that was refused: the first bad line and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the journal is refused: {why}")]
pub struct BadJournal {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong.
    pub why: BadLine,
}

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadLine {
    /// The bytes.
    #[error(transparent)]
    Shape(#[from] canonical::Refused),
    /// It was written by a newer build.
    #[error("version {0} is not known to this build, which reads up to {VERSION}")]
    Version(u64),
    /// The link to the line before it.
    #[error("it {0}")]
    Link(Fracture),
    /// It does not fit what happened before.
    #[error(transparent)]
    Broken(#[from] Broken),
    /// It is larger than its kind may be.
    #[error("a line of {found} bytes is longer than {max}")]
    Long {
        /// How many bytes it has.
        found: usize,
        /// How many fit.
        max: usize,
    },
    /// Lines end with a line feed, the last one too: a torn write is not a record.
    #[error("the line does not end with a line feed")]
    Torn,
    /// There is not even a header.
    #[error("the journal is empty")]
    Empty,
}

impl Journal {
    /// Starts a journal. The bytes are its first line.
    pub fn start(header: Header) -> Result<(Self, Vec<u8>), BadLine> {
        let line = canonical::of(&header)?;
        let journal = Self::headed(header, &line)?;
        Ok((journal, with_line_feed(line)))
    }

    /// Adds a record. The bytes are its line; write them before acting on the record.
    pub fn append(&mut self, at: Timestamp, event: Event) -> Result<Vec<u8>, BadLine> {
        let entry = Entry { v: VERSION, seq: self.next_seq(), prev: self.head(), at, event };
        let line = canonical::of(&entry)?;
        self.admit(entry, &line)?;
        Ok(with_line_feed(line))
    }

    /// Reads a whole journal file, checking every link and rule.
    pub fn parse(bytes: &[u8]) -> Result<Self, BadJournal> {
        let mut lines = bytes.split_inclusive(|&byte| byte == b'\n').zip(1..);
        let (first, _) = lines.next().ok_or(BadJournal { line: 1, why: BadLine::Empty })?;
        let mut journal = Self::read_header(first).map_err(|why| BadJournal { line: 1, why })?;
        for (bytes, line) in lines {
            journal.read_line(bytes).map_err(|why| BadJournal { line, why })?;
        }
        Ok(journal)
    }

    /// What pins the run.
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// The digest of the first line.
    pub const fn header_digest(&self) -> Digest {
        self.header_digest
    }

    /// The digest of the last line: it stands for the whole journal.
    pub fn head(&self) -> Digest {
        self.chain.head().unwrap_or(self.header_digest)
    }

    /// The records after the header.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Every call in order, and how far it came.
    pub fn calls(&self) -> &[CallState] {
        self.progress.calls()
    }

    /// What was used: settled amounts, plus the whole reservation of each call whose outcome is
    /// not known.
    pub const fn used(&self) -> Usage {
        self.progress.used()
    }

    /// How the run ended, if it did.
    pub fn ended(&self) -> Option<&Ended> {
        self.entries.iter().find_map(|entry| entry.event.as_ended())
    }

    /// The time of the last record, or of the start.
    pub const fn last_at(&self) -> Timestamp {
        self.progress.last_at()
    }

    fn headed(header: Header, line: &[u8]) -> Result<Self, BadLine> {
        check_version(header.v)?;
        check_size(line, LINE_BYTES_MAX)?;
        let mut chain = Chain::default();
        chain.accept(line, None).map_err(|broken| BadLine::Link(broken.why))?;
        let progress = Progress::new(&header);
        let header_digest = Digest::of(line);
        Ok(Self { header, header_digest, entries: Vec::new(), chain, progress })
    }

    fn read_header(bytes: &[u8]) -> Result<Self, BadLine> {
        let line = without_line_feed(bytes)?;
        Self::headed(versioned(line)?, line)
    }

    fn read_line(&mut self, bytes: &[u8]) -> Result<(), BadLine> {
        let line = without_line_feed(bytes)?;
        self.admit(versioned(line)?, line)
    }

    /// Takes a record in, or leaves everything as it was.
    fn admit(&mut self, entry: Entry, line: &[u8]) -> Result<(), BadLine> {
        check_version(entry.v)?;
        let ends = entry.event.as_ended().is_some();
        check_size(line, if ends { END_BYTES_MAX } else { LINE_BYTES_MAX })?;
        let mut chain = self.chain;
        chain.accept(line, Some(entry.prev)).map_err(|broken| BadLine::Link(broken.why))?;
        if entry.seq != self.next_seq() {
            return Err(Broken::Sequence { expected: self.next_seq(), found: entry.seq }.into());
        }
        if self.entries.len() >= ENTRIES_MAX {
            return Err(Broken::Full.into());
        }
        self.progress.follow(&self.entries, &entry)?;
        self.entries.push(entry);
        self.chain = chain;
        Ok(())
    }

    fn next_seq(&self) -> u64 {
        u64::try_from(self.entries.len()).unwrap_or(u64::MAX)
    }
}

fn check_size(line: &[u8], max: usize) -> Result<(), BadLine> {
    if line.len() > max { Err(BadLine::Long { found: line.len(), max }) } else { Ok(()) }
}

fn check_version(v: u64) -> Result<(), BadLine> {
    if v == VERSION { Ok(()) } else { Err(BadLine::Version(v)) }
}

/// Reads a line of a known version. Version 1 is the only one so far; a second one gets its own
/// types and is turned into today's here.
fn versioned<T: DeserializeOwned + Serialize>(line: &[u8]) -> Result<T, BadLine> {
    #[derive(serde::Deserialize)]
    struct Probe {
        v: u64,
    }
    canonical::read(line).map_err(|why| match serde_json::from_slice(line) {
        Ok(Probe { v }) if v != VERSION => BadLine::Version(v),
        Ok(_) | Err(_) => why.into(),
    })
}

fn with_line_feed(mut line: Vec<u8>) -> Vec<u8> {
    line.push(b'\n');
    line
}

fn without_line_feed(bytes: &[u8]) -> Result<&[u8], BadLine> {
    bytes.strip_suffix(b"\n").ok_or(BadLine::Torn)
}
