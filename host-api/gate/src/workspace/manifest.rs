//! Which files there are: paths, digests and sizes, in one spelling.

use std::collections::BTreeSet;

use envelope_evidence::Digest;
use envelope_evidence::canonical::{self, Refused};
use envelope_rules::path::Path;
use serde::{Deserialize, Serialize};

/// The version of the format.
const VERSION: u64 = 1;

/// Files in one manifest. The document stays within what canonical JSON takes.
pub const FILES_MAX: usize = 16_384;

/// Bytes of all files together: what a run reads it reads from memory.
pub const BYTES_MAX: u64 = 1024 * 1024 * 1024;

/// Bytes of one file: it is held in memory as a whole.
pub const FILE_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// One file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileEntry {
    /// Where it stands.
    pub path: Path,
    /// The digest of its bytes.
    pub digest: Digest,
    /// How many bytes.
    pub size: u64,
}

/// How much may be taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Files.
    pub files: usize,
    /// Bytes of all of them.
    pub bytes: u64,
    /// Bytes of one.
    pub file_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { files: FILES_MAX, bytes: BYTES_MAX, file_bytes: FILE_BYTES_MAX }
    }
}

/// The files of a workspace at one moment, sorted by path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    files: Vec<FileEntry>,
    bytes: Vec<u8>,
}

impl Manifest {
    /// The manifest of `files`, in whatever order they come.
    pub fn new(mut files: Vec<FileEntry>) -> Result<Self, BadManifest> {
        files.sort_by(|left, right| left.path.cmp(&right.path));
        check(&files)?;
        let bytes = canonical::of(&OnPaper { v: VERSION, files: &files })?;
        Ok(Self { files, bytes })
    }

    /// Reads what [`Manifest::as_bytes`] wrote, and no other spelling of it.
    pub fn read(bytes: &[u8]) -> Result<Self, BadManifest> {
        let paper: Paper = canonical::read(bytes)?;
        if paper.v != VERSION {
            return Err(BadManifest::Version(paper.v));
        }
        let manifest = Self::new(paper.files)?;
        if manifest.bytes == bytes { Ok(manifest) } else { Err(BadManifest::Unsorted) }
    }

    /// Its canonical bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The digest of those bytes: the name of this version of the workspace.
    pub fn digest(&self) -> Digest {
        Digest::of(&self.bytes)
    }

    /// The files, sorted by path.
    pub fn files(&self) -> &[FileEntry] {
        &self.files
    }
}

#[derive(Serialize)]
struct OnPaper<'a> {
    v: u64,
    files: &'a [FileEntry],
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Paper {
    v: u64,
    files: Vec<FileEntry>,
}

/// Files that cannot stand in one workspace.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadManifest {
    /// Too many.
    #[error("more than {FILES_MAX} files")]
    Files,
    /// Too much.
    #[error("the files hold more than {BYTES_MAX} bytes")]
    Bytes,
    /// One that is too large.
    #[error("`{0}` is larger than {FILE_BYTES_MAX} bytes")]
    FileBytes(Path),
    /// A path that names two files, or a file and a folder.
    #[error("`{0}` is named twice, or is a file and a folder")]
    Twice(Path),
    /// Another format.
    #[error("version {0} of the format is unknown")]
    Version(u64),
    /// A second spelling.
    #[error("the files are not sorted by path")]
    Unsorted,
    /// Not a manifest at all.
    #[error("not a manifest: {0}")]
    Json(#[from] Refused),
}

fn check(files: &[FileEntry]) -> Result<(), BadManifest> {
    if files.len() > FILES_MAX {
        return Err(BadManifest::Files);
    }
    let mut names = BTreeSet::new();
    let mut total = 0_u64;
    for file in files {
        if file.size > FILE_BYTES_MAX {
            return Err(BadManifest::FileBytes(file.path.clone()));
        }
        total = total.saturating_add(file.size);
        if !names.insert(file.path.as_str()) {
            return Err(BadManifest::Twice(file.path.clone()));
        }
    }
    if total > BYTES_MAX {
        return Err(BadManifest::Bytes);
    }
    let above = |file: &&FileEntry| {
        let text = file.path.as_str();
        text.match_indices('/').any(|(at, _)| text.get(..at).is_some_and(|at| names.contains(at)))
    };
    match files.iter().find(above) {
        Some(file) => Err(BadManifest::Twice(file.path.clone())),
        None => Ok(()),
    }
}
