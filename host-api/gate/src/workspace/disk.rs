//! Looking at a real folder without following anything.
//!
//! Names are opened one by one, each relative to the folder before it, and none of them through a
//! symlink: what is swapped in between two looks is refused by the system, not by us.

use std::io::{self, Read as _};

use cap_fs_ext::{DirExt as _, FollowSymlinks, OpenOptionsFollowExt as _, OpenOptionsSyncExt as _};
use cap_std::fs::{Dir, FileType, OpenOptions};
use envelope_rules::path::Path;

use super::content::to_u64;

/// How the folder is called in which an export prepares its files. Never taken in.
pub(super) const STAGING: &str = ".envelope-staging-";

/// What has a name in a real folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    Nothing,
    File,
    Folder,
    Symlink,
    /// A pipe, a socket, a device.
    Special,
}

impl From<FileType> for Found {
    fn from(kind: FileType) -> Self {
        if kind.is_symlink() {
            Self::Symlink
        } else if kind.is_dir() {
            Self::Folder
        } else if kind.is_file() {
            Self::File
        } else {
            Self::Special
        }
    }
}

/// What `name`, one segment, is in `folder`.
pub(super) fn look(folder: &Dir, name: &str) -> io::Result<Found> {
    match folder.symlink_metadata(name) {
        Ok(metadata) => Ok(metadata.file_type().into()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Found::Nothing),
        Err(error) => Err(error),
    }
}

/// The folder `name`, one segment, in `folder`.
pub(super) fn enter(folder: &Dir, name: &str) -> io::Result<Dir> {
    folder.open_dir_nofollow(name)
}

/// The folder at `path`.
pub(super) fn walk(root: &Dir, path: &Path) -> io::Result<Dir> {
    path.segments().try_fold(root.try_clone()?, |folder, name| enter(&folder, name))
}

/// The bytes of the file `name`, one segment, in `folder`, unless they are more than `max` or it is
/// no file. Opening a pipe does not wait for its other end.
pub(super) fn read(folder: &Dir, name: &str, max: u64) -> io::Result<Option<Vec<u8>>> {
    let mut options = OpenOptions::new();
    options.read(true).follow(FollowSymlinks::No).nonblock(true);
    let file = folder.open_with(name, &options)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() || metadata.len() > max {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    file.take(max.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok((to_u64(bytes.len()) <= max).then_some(bytes))
}

/// Waits until the names in `folder` are on the disk.
pub(super) fn sync(folder: &Dir) -> io::Result<()> {
    // A handle that is good for walking is not good for flushing: the folder is opened anew.
    folder.open(".")?.sync_all()
}
