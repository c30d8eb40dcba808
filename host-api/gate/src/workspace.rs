//! The files a run sees: an overlay over files named by their digests.
//!
//! A [`Manifest`] says which files there are, [`Blobs`] holds their bytes, and a [`Workspace`] is
//! what one run makes of them. It never waits and touches nothing outside itself: whoever asks it
//! first hands over the bytes that it [needs](Workspace::needs). The same calls in the same order
//! lead to the same state, so a replay computes files again instead of recording them.
//!
//! There are files and folders and nothing else. A symlink, a second name for a file, a device or
//! a pipe has no representation here, so none can lead out. [`import`] leaves them behind, and
//! [`export`] refuses to walk through one.
//!
//! Paths are judged elsewhere: [`resolve`] turns what a guest wrote into the one path that is
//! judged and then opened, and the workspace takes no other kind.

mod blobs;
mod bytes;
mod content;
mod disk;
mod error;
mod export;
mod folder;
mod hand;
mod import;
mod manifest;
mod names;
mod outputs;
mod quota;
mod rename;
mod resolve;
mod stat;
mod tree;

pub use blobs::{BLOB_BYTES_MAX, Blobs, Count, Counting, Fault};
pub use error::FsError;
pub use export::{ExportError, Exported, export};
pub use folder::Folder;
pub use hand::Handed;
pub use import::{ImportError, Imported, LEFT_MAX, Left, NAMES_MAX, Progress, WhyLeft, import};
pub use manifest::{
    BYTES_MAX, BadManifest, FILE_BYTES_MAX, FILES_MAX, FileEntry, Limits, Manifest,
};
pub use outputs::Output;
pub use quota::{OWN_BYTES_MAX, OWN_FILES_MAX, Quota, Used};
pub use resolve::{CLIMBS_MAX, Ending, GUEST_PATH_BYTES_MAX, Resolved, resolve};
pub use stat::{Listed, Moment, NodeKind, Stat};
pub use tree::{NodeId, Workspace};
