//! The one file of this crate that reads and writes the disk.
#![expect(
    clippy::disallowed_methods,
    reason = "commands are given paths by the person at the keys"
)]

use std::collections::BTreeMap;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::{fs, process};

/// Bytes of one file, and of all files of a folder: a journal of a million calls.
const BYTES_MAX: u64 = 1 << 30;

/// Files of a receipt folder: it has a dozen, a folder with thousands is something else.
pub(crate) const RECEIPT_FILES_MAX: usize = 64;

/// Files of a chain's folder: five for each of ten thousand documents.
pub(crate) const CHAIN_FILES_MAX: usize = 50_000;

/// Names of one folder that are copied: sample data is small.
const COPIED_MAX: usize = 1_000;

/// A path that cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unreadable {
    #[error("cannot read `{path}`: {why}", path = path.display())]
    Io { path: PathBuf, why: io::Error },
    #[error("`{path}` is larger than {BYTES_MAX} bytes", path = path.display())]
    TooLarge { path: PathBuf },
    #[error("`{path}` holds more than {max} files: is it the right folder?", path = path.display())]
    TooMany { path: PathBuf, max: usize },
    #[error("`{path}` is not a regular file", path = path.display())]
    Special { path: PathBuf },
    #[error("`{path}` has a name that is not text", path = path.display())]
    Name { path: PathBuf },
    #[error("`{path}` can be read by others than its owner", path = path.display())]
    Open { path: PathBuf },
}

/// A path that cannot be written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unwritable {
    #[error("cannot write `{path}`: {why}", path = path.display())]
    Io { path: PathBuf, why: io::Error },
    #[error("`{path}` is there already", path = path.display())]
    Exists { path: PathBuf },
}

/// What to do about a file that is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Existing {
    Keep,
    Replace,
}

/// Whether `path` is a folder.
pub(crate) fn is_folder(path: &Path) -> bool {
    path.is_dir()
}

/// Whether anything is at `path`, a broken link too.
pub(crate) fn is_there(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

/// Bytes that are free where `path` is.
pub(crate) fn room(path: &Path) -> io::Result<u64> {
    let about = rustix::fs::statvfs(path)?;
    Ok(about.f_bavail.saturating_mul(about.f_frsize))
}

/// Whether nothing is at `path`, for certain.
pub(crate) fn is_missing(path: &Path) -> bool {
    path.symlink_metadata().is_err_and(|why| why.kind() == std::io::ErrorKind::NotFound)
}

/// Copies the files of `from`, and of the folders in it, to `to`, which is made. What is neither
/// file nor folder is left out.
pub(crate) fn copy_folder(from: &Path, to: &Path) -> Result<(), Unwritable> {
    let failed = |why| unwritable(to, why);
    fs::create_dir_all(to).map_err(failed)?;
    for entry in fs::read_dir(from).map_err(failed)?.take(COPIED_MAX) {
        let entry = entry.map_err(failed)?;
        let (kind, target) = (entry.file_type().map_err(failed)?, to.join(entry.file_name()));
        if kind.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else if kind.is_file() {
            fs::copy(entry.path(), &target).map_err(|why| unwritable(&target, why))?;
        }
    }
    Ok(())
}

/// Makes a folder and those above it, if they are not there.
pub(crate) fn make_folder(path: &Path) -> Result<(), Unwritable> {
    fs::create_dir_all(path).map_err(|why| unwritable(path, why))
}

/// Where `path` really is.
pub(crate) fn real(path: &Path) -> Result<PathBuf, Unreadable> {
    fs::canonicalize(path).map_err(|why| Unreadable::Io { path: path.to_owned(), why })
}

/// The names of the files in a folder, at most `max`. None, where there is no folder.
pub(crate) fn names(folder: &Path, max: usize) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut names: Vec<_> = names.take(max).collect();
    names.sort();
    names
}

/// What a file was when somebody looked: another one after it was written anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stamp {
    changed: Option<std::time::SystemTime>,
    bytes: u64,
    #[cfg(unix)]
    inode: u64,
}

/// What the file at `path` is now. None, if there is none.
pub(crate) fn stamp(path: &Path) -> Option<Stamp> {
    let about = fs::metadata(path).ok()?;
    Some(Stamp {
        changed: about.modified().ok(),
        bytes: about.len(),
        #[cfg(unix)]
        inode: std::os::unix::fs::MetadataExt::ino(&about),
    })
}

/// Removes a file, if it is there.
pub(crate) fn remove(path: &Path) {
    let _ = fs::remove_file(path);
}

/// The bytes of a file.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Unreadable> {
    let failed = |why| Unreadable::Io { path: path.to_owned(), why };
    // Asked before it is opened: opening a pipe waits for somebody to write to it.
    if !fs::metadata(path).map_err(failed)?.is_file() {
        return Err(Unreadable::Special { path: path.to_owned() });
    }
    let file = fs::File::open(path).map_err(failed)?;
    let mut bytes = Vec::new();
    file.take(BYTES_MAX + 1).read_to_end(&mut bytes).map_err(failed)?;
    if size(&bytes) > BYTES_MAX {
        return Err(Unreadable::TooLarge { path: path.to_owned() });
    }
    Ok(bytes)
}

/// The bytes of a file that only its owner may read.
pub(crate) fn read_secret(path: &Path) -> Result<Vec<u8>, Unreadable> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let failed = |why| Unreadable::Io { path: path.to_owned(), why };
        if fs::metadata(path).map_err(failed)?.permissions().mode() & 0o077 != 0 {
            return Err(Unreadable::Open { path: path.to_owned() });
        }
    }
    read(path)
}

/// The files of a folder and of the folders in it, by name with `/` between: at most `max`. Links
/// are not followed: what a folder holds is what lies in it.
pub(crate) fn read_folder(
    folder: &Path,
    max: usize,
) -> Result<BTreeMap<String, Vec<u8>>, Unreadable> {
    let mut reading = Reading { folder, max, files: BTreeMap::new(), bytes: 0 };
    for entry in reading.list(folder)? {
        if entry.kind.is_dir() {
            for inner in reading.list(&entry.path)? {
                let name = format!("{}/{}", entry.name, inner.name);
                reading.add(name, &inner)?;
            }
        } else {
            reading.add(entry.name.clone(), &entry)?;
        }
    }
    Ok(reading.files)
}

/// Writes a file whole or not at all, with the folders above it.
pub(crate) fn write(path: &Path, bytes: &[u8], existing: Existing) -> Result<(), Unwritable> {
    if existing == Existing::Keep && path.symlink_metadata().is_ok() {
        return Err(Unwritable::Exists { path: path.to_owned() });
    }
    let folder = path.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(|why| unwritable(path, why))?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let draft = folder.join(format!(".{name}.{}", process::id()));
    let written = create(&draft, bytes, false).and_then(|()| match existing {
        Existing::Replace => fs::rename(&draft, path),
        // A link fails where a name is taken, which renaming does not.
        Existing::Keep => fs::hard_link(&draft, path),
    });
    let _ = fs::remove_file(&draft);
    written.map_err(|why| unwritable(path, why))
}

/// Holds a lock until it is dropped: the empty file at `path`, which is made.
pub(crate) fn lock(path: &Path) -> Result<fs::File, Unwritable> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(|why| unwritable(path, why))?;
    let file = fs::File::options().create(true).append(true).open(path);
    let file = file.map_err(|why| unwritable(path, why))?;
    file.lock().map_err(|why| unwritable(path, why))?;
    Ok(file)
}

/// Writes a new file that only its owner may read.
pub(crate) fn write_secret(path: &Path, bytes: &[u8]) -> Result<(), Unwritable> {
    create(path, bytes, true).map_err(|why| unwritable(path, why))
}

fn unwritable(path: &Path, why: io::Error) -> Unwritable {
    let path = path.to_owned();
    if why.kind() == io::ErrorKind::AlreadyExists {
        Unwritable::Exists { path }
    } else {
        Unwritable::Io { path, why }
    }
}

fn create(path: &Path, bytes: &[u8], secret: bool) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    if secret {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    #[cfg(not(unix))]
    let _ = secret;
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

struct Entry {
    name: String,
    path: PathBuf,
    kind: fs::FileType,
}

/// A folder as far as it is read.
struct Reading<'a> {
    folder: &'a Path,
    max: usize,
    files: BTreeMap<String, Vec<u8>>,
    bytes: u64,
}

impl Reading<'_> {
    fn add(&mut self, name: String, entry: &Entry) -> Result<(), Unreadable> {
        if !entry.kind.is_file() {
            return Err(Unreadable::Special { path: entry.path.clone() });
        }
        if self.files.len() >= self.max {
            return Err(self.too_many());
        }
        let bytes = read(&entry.path)?;
        self.bytes = self.bytes.saturating_add(size(&bytes));
        if self.bytes > BYTES_MAX {
            return Err(Unreadable::TooLarge { path: self.folder.to_owned() });
        }
        self.files.insert(name, bytes);
        Ok(())
    }

    fn list(&self, folder: &Path) -> Result<Vec<Entry>, Unreadable> {
        let failed = |why| Unreadable::Io { path: folder.to_owned(), why };
        let mut entries = Vec::new();
        for entry in fs::read_dir(folder).map_err(failed)?.take(self.max.saturating_add(1)) {
            let entry = entry.map_err(failed)?;
            let (path, kind) = (entry.path(), entry.file_type().map_err(failed)?);
            let Ok(name) = entry.file_name().into_string() else {
                return Err(Unreadable::Name { path });
            };
            entries.push(Entry { name, path, kind });
        }
        if entries.len() > self.max {
            return Err(self.too_many());
        }
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    }

    fn too_many(&self) -> Unreadable {
        Unreadable::TooMany { path: self.folder.to_owned(), max: self.max }
    }
}

fn size(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}
