//! What one run may take of the machine.

use serde::{Deserialize, Serialize};
use wasmtime::ResourceLimiter;

/// The limits of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Bytes of linear memory.
    pub memory: usize,
    /// Elements of one table.
    pub table: usize,
    /// Units of fuel, for the guest and for what the host does for it.
    pub fuel: u64,
    /// Bytes that one call may hand to the host or get from it.
    pub hostcall_bytes: usize,
    /// Handles held at once.
    pub handles: usize,
    /// Bytes of journal.
    pub journal_bytes: u64,
    /// Bytes of standard output, and as many of standard error.
    pub output_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            // What a language runtime with a few documents in hand takes.
            memory: 256 << 20,
            // Function pointers of a large program.
            table: 100_000,
            // Some ten seconds of plain computing.
            fuel: 100_000_000_000,
            // A few times what a call may move.
            hostcall_bytes: 16 << 20,
            // What an ordinary process may have open, fourfold.
            handles: 4096,
            // A few hundred thousand calls.
            journal_bytes: 256 << 20,
            // More than anybody reads.
            output_bytes: 4 << 20,
        }
    }
}

/// Holds a store under its limits, and remembers which one was met first.
#[derive(Debug)]
pub(crate) struct Meter {
    memory: usize,
    table: usize,
    pub(crate) met: Option<&'static str>,
}

impl Meter {
    pub(crate) const fn new(limits: &Limits) -> Self {
        Self { memory: limits.memory, table: limits.table, met: None }
    }
}

impl ResourceLimiter for Meter {
    fn memory_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let fits = desired <= self.memory;
        if !fits {
            self.met.get_or_insert("memory");
        }
        Ok(fits)
    }

    fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let fits = desired <= self.table;
        if !fits {
            self.met.get_or_insert("table elements");
        }
        Ok(fits)
    }
}
