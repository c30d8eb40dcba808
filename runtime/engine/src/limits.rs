//! What one run may take of the machine.
//!
//! Two limits stand elsewhere: how long a run may take is its warrant's deadline, and how deep it
//! may call is a setting of the engine, the same for all.

use envelope_evidence::Digest;
use serde::{Deserialize, Serialize};
use wasmtime::{ResourceLimiter, Store};

use crate::config::{
    CORE_INSTANCES_MAX, MEMORIES_MAX, MEMORY_BYTES_MAX, TABLE_ELEMENTS_MAX, TABLES_MAX,
};

/// Bytes of linear memory: an interpreter with a few documents in hand.
pub const MEMORY_BYTES: usize = 256 << 20;

/// Elements of all tables: the pointers to the functions of a large program.
pub const TABLE_ELEMENTS: usize = 100_000;

/// Units of fuel: some ten seconds of plain computing.
pub const FUEL: u64 = 100_000_000_000;

/// Bytes that one call may hand to the host: a few times what a call may move, and with a thousand
/// runs in such a call at once still less than a machine has.
pub const CALL_BYTES: usize = 16 << 20;

/// Handles held at once: what an ordinary process may have open, fourfold.
pub const HANDLES: usize = 4096;

/// Bytes of journal: a few hundred thousand calls.
pub const JOURNAL_BYTES: u64 = 256 << 20;

/// Bytes of standard output: more than anybody reads.
pub const OUTPUT_BYTES: usize = 4 << 20;

/// The limits of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Bytes of linear memory, in all memories together.
    pub memory: usize,
    /// Elements of all tables together.
    pub table: usize,
    /// Linear memories.
    pub memories: usize,
    /// Tables.
    pub tables: usize,
    /// Core instances.
    pub instances: usize,
    /// Units of fuel, for the guest and for what the host does for it.
    pub fuel: u64,
    /// Bytes that one call may hand to the host or get from it.
    pub hostcall_bytes: usize,
    /// Handles held at once, of the host's things and of the guest's own.
    pub handles: usize,
    /// Bytes of journal.
    pub journal_bytes: u64,
    /// Bytes of standard output, and as many of standard error.
    pub output_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        let count = |count| usize::try_from(count).unwrap_or(usize::MAX);
        Self {
            memory: MEMORY_BYTES,
            table: TABLE_ELEMENTS,
            memories: count(MEMORIES_MAX),
            tables: count(TABLES_MAX),
            instances: count(CORE_INSTANCES_MAX),
            fuel: FUEL,
            hostcall_bytes: CALL_BYTES,
            handles: HANDLES,
            journal_bytes: JOURNAL_BYTES,
            output_bytes: OUTPUT_BYTES,
        }
    }
}

impl Limits {
    /// The document of them, as a run's folder keeps it.
    pub fn to_bytes(&self) -> Vec<u8> {
        // Numbers under fixed names: nothing that could fail.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// The digest of the document: a run's header pins it.
    pub fn digest(&self) -> Digest {
        Digest::of(&self.to_bytes())
    }

    /// Holds `store` to what the engine itself watches over. `limiter` finds the limiter in its
    /// data.
    pub fn hold<T: 'static>(
        &self,
        store: &mut Store<T>,
        limiter: impl (Fn(&mut T) -> &mut Limiter) + Send + Sync + 'static,
    ) {
        store.limiter(move |data| limiter(data));
        store.set_hostcall_fuel(self.hostcall_bytes);
        store.set_max_component_handles(self.handles);
    }
}

/// A limit of what a guest may have of memory and tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Met {
    /// Bytes of memory.
    Memory,
    /// Elements of tables.
    Table,
}

impl Met {
    /// Its name in a receipt.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Table => "table elements",
        }
    }
}

/// Holds a store to its memory, and remembers which limit was met first.
///
/// A guest that is refused more memory is told so, and may cope. A guest that cannot even be set up
/// does not start.
///
/// What was granted stays counted, also when the system then has not got it: the engine reports
/// growths as failed that were never granted, and giving back what such a report speaks of would
/// let a guest count down what it holds.
#[derive(Debug)]
pub struct Limiter {
    memory_left: usize,
    table_left: usize,
    memories: usize,
    tables: usize,
    instances: usize,
    met: Option<Met>,
}

impl Limiter {
    /// A limiter for one store.
    pub fn new(limits: &Limits) -> Self {
        Self {
            memory_left: limits.memory.min(MEMORY_BYTES_MAX),
            table_left: limits.table.min(TABLE_ELEMENTS_MAX),
            memories: limits.memories,
            tables: limits.tables,
            instances: limits.instances,
            met: None,
        }
    }

    /// The first limit that the guest met, if it met one.
    pub const fn met(&self) -> Option<Met> {
        self.met
    }

    /// Whether what is left suffices; if it does, it is taken.
    fn grow(&mut self, of: Met, current: usize, desired: usize, maximum: Option<usize>) -> bool {
        // What the guest itself declared to be its most is no limit of ours.
        if maximum.is_some_and(|most| desired > most) {
            return false;
        }
        let left = match of {
            Met::Memory => &mut self.memory_left,
            Met::Table => &mut self.table_left,
        };
        let Some(rest) = left.checked_sub(desired.saturating_sub(current)) else {
            self.met.get_or_insert(of);
            return false;
        };
        *left = rest;
        true
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(self.grow(Met::Memory, current, desired, maximum))
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(self.grow(Met::Table, current, desired, maximum))
    }

    fn instances(&self) -> usize {
        self.instances
    }

    fn tables(&self) -> usize {
        self.tables
    }

    fn memories(&self) -> usize {
        self.memories
    }
}
