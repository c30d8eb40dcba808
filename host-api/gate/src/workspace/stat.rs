//! What is known of a file besides its bytes.

use envelope_evidence::Timestamp;
use serde::Serialize;

const NANOS_PER_SEC: u32 = 1_000_000_000;
const NANOS_PER_MILLI: u64 = 1_000_000;

/// A time as programs set it on files: to the nanosecond, since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Moment {
    secs: u64,
    nanos: u32,
}

impl Moment {
    /// The moment `nanos` after `secs`, unless that is a second or more.
    pub const fn new(secs: u64, nanos: u32) -> Option<Self> {
        if nanos < NANOS_PER_SEC { Some(Self { secs, nanos }) } else { None }
    }

    /// Whole seconds since 1970.
    pub const fn secs(self) -> u64 {
        self.secs
    }

    /// Nanoseconds beyond them.
    pub const fn nanos(self) -> u32 {
        self.nanos
    }
}

impl From<Timestamp> for Moment {
    fn from(at: Timestamp) -> Self {
        let nanos = at.millis() % 1000 * NANOS_PER_MILLI;
        Self { secs: at.secs(), nanos: u32::try_from(nanos).unwrap_or_default() }
    }
}

/// What there is in a workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum NodeKind {
    /// Bytes.
    File,
    /// Names.
    Folder,
}

/// The metadata of a file or folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Stat {
    /// What it is.
    pub kind: NodeKind,
    /// How many bytes. A folder has none.
    pub size: u64,
    /// How many names it has: one, and none after it was removed while open.
    pub links: u64,
    /// When it was last read, as far as anybody says: reading leaves it as it is.
    pub accessed: Moment,
    /// When its content last changed.
    pub modified: Moment,
    /// When its content or metadata last changed.
    pub changed: Moment,
}

/// One name in a folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Listed {
    /// The name.
    pub name: String,
    /// What it names.
    pub kind: NodeKind,
}

/// When a node was read, modified and changed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times {
    pub(super) accessed: Moment,
    pub(super) modified: Moment,
    pub(super) changed: Moment,
}

impl Times {
    pub(super) const fn all(at: Moment) -> Self {
        Self { accessed: at, modified: at, changed: at }
    }

    /// The content changed.
    pub(super) const fn modify(&mut self, now: Moment) {
        self.modified = now;
        self.changed = now;
    }
}
