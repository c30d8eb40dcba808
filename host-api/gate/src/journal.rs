//! Where journal lines go: a trait, because a local run keeps them in a file and a server in its
//! database.

mod file;

pub use file::InFile;

use std::future::Future;
use std::pin::Pin;

use crate::stop::Fault;

/// A future of a journal.
pub type Writing<'a> = Pin<Box<dyn Future<Output = Result<(), Fault>> + Send + 'a>>;

/// Takes the lines of one run, in order, and loses none.
pub trait JournalWriter: Send {
    /// Takes a line, line feed included. It may stay in memory until the next flush.
    fn write(&mut self, line: &[u8]) -> Result<(), Fault>;

    /// Bytes that were taken and are not written yet.
    fn pending(&self) -> usize;

    /// Writes what is pending. `durable`: it survives a power cut when this returns.
    fn flush(&mut self, durable: bool) -> Writing<'_>;
}

/// Bytes that may wait in memory before a guest waits for its journal.
pub const PENDING_BYTES_MAX: usize = 256 << 10;

/// Keeps lines in memory: for tests, and for replays, which write nothing.
#[derive(Debug, Default)]
pub struct InMemory {
    /// Everything that was written.
    pub lines: Vec<u8>,
}

impl JournalWriter for InMemory {
    fn write(&mut self, line: &[u8]) -> Result<(), Fault> {
        self.lines.extend_from_slice(line);
        Ok(())
    }

    fn pending(&self) -> usize {
        0
    }

    fn flush(&mut self, _durable: bool) -> Writing<'_> {
        Box::pin(std::future::ready(Ok(())))
    }
}
