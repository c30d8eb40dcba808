//! How much a run may hold in its workspace.
//!
//! What counts is what the run made its own: files and folders that it created, and files that it
//! changed or moved, each with its full size, holes included. A file that was removed counts until
//! its last descriptor is closed. Inputs that stay as they were cost nothing.

use envelope_rules::path::PATH_BYTES_MAX;
use serde::{Deserialize, Serialize};

use super::error::FsError;
use super::manifest::FILE_BYTES_MAX;

/// Bytes of a run's own files, unless its warrant says less: reports and data sets fit, and a
/// hundred runs at once fit a server's memory.
pub const OWN_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// Files and folders of a run's own, unless its warrant says less: more than the build of a large
/// site writes.
pub const OWN_FILES_MAX: u64 = 4096;

/// What a run may hold at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quota {
    /// Bytes of all its own files.
    pub bytes: u64,
    /// Its own files and folders.
    pub files: u64,
    /// Bytes of one file.
    pub file_bytes: u64,
    /// Bytes of a path that it creates.
    pub path: usize,
}

impl Default for Quota {
    fn default() -> Self {
        Self {
            bytes: OWN_BYTES_MAX,
            files: OWN_FILES_MAX,
            file_bytes: FILE_BYTES_MAX,
            path: PATH_BYTES_MAX,
        }
    }
}

/// What a run holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Used {
    /// Bytes of all its own files.
    pub bytes: u64,
    /// Its own files and folders.
    pub files: u64,
}

impl Used {
    /// `self` without `gone` and with `come`, if that is within `quota`. What only shrinks is
    /// always within: it was before.
    pub(super) fn exchange(self, gone: Self, come: Self, quota: &Quota) -> Result<Self, FsError> {
        let swap = |have: u64, gone, come| have.saturating_sub(gone).checked_add(come);
        let bytes = swap(self.bytes, gone.bytes, come.bytes).ok_or(FsError::Quota)?;
        let files = swap(self.files, gone.files, come.files).ok_or(FsError::Quota)?;
        let grows = |now, before, max| now > max && now > before;
        if grows(bytes, self.bytes, quota.bytes) || grows(files, self.files, quota.files) {
            return Err(FsError::Quota);
        }
        Ok(Self { bytes, files })
    }
}
