//! Taking a real folder in: its files become blobs, and their names a manifest.
//!
//! What has no place in a workspace stays behind and is reported by name: symlinks, which are never
//! followed, pipes and devices, names that are no paths. A hard link is a file like any other, and
//! its bytes are copied.

use std::io;

use cap_std::fs::Dir;
use envelope_rules::path::{BadPath, Path};

use super::blobs::{Blobs, Fault};
use super::content::to_u64;
use super::disk::{self, Found, STAGING};
use super::manifest::{BadManifest, FileEntry, Limits, Manifest};

/// Names looked at in all, whatever they name: a folder of a million empty folders ends too.
pub const NAMES_MAX: usize = 1 << 18;

/// Names of things left behind that are reported; more are counted.
pub const LEFT_MAX: usize = 1000;

/// What was taken in.
#[derive(Debug, Clone)]
pub struct Imported {
    /// The files.
    pub manifest: Manifest,
    /// The first of what was left behind, sorted by name.
    pub left: Vec<Left>,
    /// How many things were left behind.
    pub left_count: usize,
}

/// Something that was left behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// Its name below the folder, with what cannot be shown replaced.
    pub name: String,
    /// Why.
    pub why: WhyLeft,
}

/// Why something stays outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WhyLeft {
    /// A symlink, wherever it leads.
    #[error("a symlink is not followed")]
    Symlink,
    /// A pipe, a socket, a device.
    #[error("it is neither a file nor a folder")]
    Special,
    /// A name that no path in a workspace has.
    #[error("it has no name that a workspace knows: {0}")]
    Name(BadPath),
    /// A name that is not Unicode.
    #[error("its name is not Unicode")]
    NotUnicode,
    /// Something the system does not let us read.
    #[error("it cannot be read: {0}")]
    Unreadable(io::ErrorKind),
    /// What an export that was killed left there.
    #[error("an export was interrupted there")]
    Staging,
}

/// How far an import is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Files taken in.
    pub files: usize,
    /// Files there are.
    pub files_all: usize,
    /// Bytes taken in.
    pub bytes: u64,
}

/// Why a folder is not taken in. Blobs that are stored already stay stored.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// Too many files.
    #[error("the folder holds more than {max} files")]
    Files {
        /// How many may be taken in.
        max: usize,
    },
    /// Too many bytes.
    #[error("the folder holds more than {max} bytes")]
    Bytes {
        /// How many may be taken in.
        max: u64,
    },
    /// A file that is too large.
    #[error("`{path}` is larger than {max} bytes")]
    FileBytes {
        /// Which one.
        path: Path,
        /// How large it may be.
        max: u64,
    },
    /// Too many names.
    #[error("the folder holds more than {NAMES_MAX} names")]
    Names,
    /// The folder itself cannot be read.
    #[error("the folder cannot be read")]
    Disk(#[source] io::Error),
    /// The bytes cannot be stored.
    #[error("the files cannot be stored")]
    Blobs(#[from] Fault),
    /// The names cannot be written down.
    #[error("the files make no manifest")]
    Manifest(#[from] BadManifest),
}

/// Takes in the files below `dir` and stores their bytes. Reads the disk as it goes: on a server,
/// call it where waiting hurts nobody.
pub async fn import(
    dir: &Dir,
    blobs: &Blobs,
    limits: &Limits,
    mut progress: impl FnMut(Progress),
) -> Result<Imported, ImportError> {
    let mut scan = Scan { limits, files: Vec::new(), left: Vec::new(), left_count: 0, names: 0 };
    scan.folder(dir, &Path::root()).map_err(|stop| match stop {
        Stop::Folder(error) => ImportError::Disk(error),
        Stop::All(error) => error,
    })?;
    scan.files.sort();
    let (paths, mut files, mut bytes) = (std::mem::take(&mut scan.files), Vec::new(), 0);
    for path in &paths {
        progress(Progress { files: files.len(), files_all: paths.len(), bytes });
        let Some(content) = scan.read(dir, path)? else { continue };
        let size = to_u64(content.len());
        bytes += size;
        if bytes > limits.bytes {
            return Err(ImportError::Bytes { max: limits.bytes });
        }
        let digest = blobs.put(content.into()).await?;
        files.push(FileEntry { path: path.clone(), digest, size });
    }
    progress(Progress { files: files.len(), files_all: paths.len(), bytes });
    let Scan { mut left, left_count, .. } = scan;
    left.sort_by(|left, right| left.name.cmp(&right.name));
    Ok(Imported { manifest: Manifest::new(files)?, left, left_count })
}

/// Why a walk ends: this folder cannot be read, or it is all too much.
enum Stop {
    Folder(io::Error),
    All(ImportError),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Folder(error)
    }
}

struct Scan<'a> {
    limits: &'a Limits,
    files: Vec<Path>,
    left: Vec<Left>,
    left_count: usize,
    names: usize,
}

impl Scan<'_> {
    /// Notes what is in `folder` and below it. As deep as a path may be, and no deeper.
    fn folder(&mut self, folder: &Dir, path: &Path) -> Result<(), Stop> {
        for entry in folder.entries()? {
            let entry = entry?;
            self.names += 1;
            if self.names > NAMES_MAX {
                return Err(Stop::All(ImportError::Names));
            }
            let name = entry.file_name();
            let Some(name) = name.to_str() else {
                self.leave(path, &name.to_string_lossy(), WhyLeft::NotUnicode);
                continue;
            };
            match entry.file_type() {
                Ok(kind) => self.entry(folder, path, name, kind.into())?,
                Err(error) => self.leave(path, name, WhyLeft::Unreadable(error.kind())),
            }
        }
        Ok(())
    }

    fn entry(&mut self, folder: &Dir, path: &Path, name: &str, found: Found) -> Result<(), Stop> {
        if name.starts_with(STAGING) {
            self.leave(path, name, WhyLeft::Staging);
            return Ok(());
        }
        match (found, path.join(name)) {
            (Found::Symlink, _) => self.leave(path, name, WhyLeft::Symlink),
            (Found::Special, _) => self.leave(path, name, WhyLeft::Special),
            (Found::Nothing, _) => {}
            (Found::File | Found::Folder, Err(bad)) => {
                self.leave(path, name, WhyLeft::Name(bad));
            }
            (Found::File, Ok(_)) if self.files.len() == self.limits.files => {
                return Err(Stop::All(ImportError::Files { max: self.limits.files }));
            }
            (Found::File, Ok(path)) => self.files.push(path),
            (Found::Folder, Ok(below)) => {
                let inner = disk::enter(folder, name).map_err(Stop::from);
                match inner.and_then(|inner| self.folder(&inner, &below)) {
                    Ok(()) => {}
                    Err(Stop::Folder(error)) => {
                        self.leave(path, name, WhyLeft::Unreadable(error.kind()));
                    }
                    Err(stop @ Stop::All(_)) => return Err(stop),
                }
            }
        }
        Ok(())
    }

    /// The bytes of a file, unless it became something else or cannot be read.
    fn read(&mut self, dir: &Dir, path: &Path) -> Result<Option<Vec<u8>>, ImportError> {
        let max = self.limits.file_bytes;
        let (Some(folder), Some(name)) = (path.parent(), path.name()) else { return Ok(None) };
        let read = disk::walk(dir, &folder).and_then(|dir| {
            let bytes = disk::read(&dir, name, max)?;
            let found = if bytes.is_some() { Found::File } else { disk::look(&dir, name)? };
            Ok((bytes, found))
        });
        match read {
            Ok((None, Found::File)) => {
                return Err(ImportError::FileBytes { path: path.clone(), max });
            }
            Ok((None, _)) => self.leave(&folder, name, WhyLeft::Special),
            Ok((Some(bytes), _)) => return Ok(Some(bytes)),
            Err(error) => self.leave(&folder, name, WhyLeft::Unreadable(error.kind())),
        }
        Ok(None)
    }

    fn leave(&mut self, folder: &Path, name: &str, why: WhyLeft) {
        self.left_count += 1;
        if self.left.len() < LEFT_MAX {
            let name = if folder.is_root() { name.to_owned() } else { format!("{folder}/{name}") };
            self.left.push(Left { name, why });
        }
    }
}
