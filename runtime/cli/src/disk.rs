//! The one file of this crate that reads the disk.
#![expect(
    clippy::disallowed_methods,
    reason = "commands are given paths by the person at the keys"
)]

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

/// Bytes of one file, and of all files of a folder: a journal of a million calls.
const BYTES_MAX: u64 = 1 << 30;

/// Files of a receipt folder: it has a dozen, a folder with thousands is something else.
const FILES_MAX: usize = 64;

/// A path that cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unreadable {
    #[error("cannot read `{path}`: {why}", path = path.display())]
    Io { path: PathBuf, why: io::Error },
    #[error("`{path}` is larger than {BYTES_MAX} bytes", path = path.display())]
    TooLarge { path: PathBuf },
    #[error("`{path}` holds more than {FILES_MAX} files: is it a receipt?", path = path.display())]
    TooMany { path: PathBuf },
    #[error("`{path}` is not a regular file", path = path.display())]
    Special { path: PathBuf },
    #[error("`{path}` has a name that is not text", path = path.display())]
    Name { path: PathBuf },
}

/// Whether `path` is a folder.
pub(crate) fn is_folder(path: &Path) -> bool {
    path.is_dir()
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

/// The files of a folder and of the folders in it, by name with `/` between. Links are not
/// followed: what a folder holds is what lies in it.
pub(crate) fn read_folder(folder: &Path) -> Result<BTreeMap<String, Vec<u8>>, Unreadable> {
    let mut files = BTreeMap::new();
    for entry in list(folder)? {
        if entry.kind.is_dir() {
            for inner in list(&entry.path)? {
                let name = format!("{}/{}", entry.name, inner.name);
                add(&mut files, folder, name, &inner)?;
            }
        } else {
            add(&mut files, folder, entry.name.clone(), &entry)?;
        }
    }
    Ok(files)
}

struct Entry {
    name: String,
    path: PathBuf,
    kind: fs::FileType,
}

fn add(
    files: &mut BTreeMap<String, Vec<u8>>,
    folder: &Path,
    name: String,
    entry: &Entry,
) -> Result<(), Unreadable> {
    if !entry.kind.is_file() {
        return Err(Unreadable::Special { path: entry.path.clone() });
    }
    if files.len() >= FILES_MAX {
        return Err(Unreadable::TooMany { path: folder.to_owned() });
    }
    let bytes = read(&entry.path)?;
    if files.values().map(|file| size(file)).sum::<u64>() + size(&bytes) > BYTES_MAX {
        return Err(Unreadable::TooLarge { path: folder.to_owned() });
    }
    files.insert(name, bytes);
    Ok(())
}

fn size(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

fn list(folder: &Path) -> Result<Vec<Entry>, Unreadable> {
    let failed = |why| Unreadable::Io { path: folder.to_owned(), why };
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)?.take(FILES_MAX + 1) {
        let entry = entry.map_err(failed)?;
        let (path, kind) = (entry.path(), entry.file_type().map_err(failed)?);
        let Ok(name) = entry.file_name().into_string() else {
            return Err(Unreadable::Name { path });
        };
        entries.push(Entry { name, path, kind });
    }
    if entries.len() > FILES_MAX {
        return Err(Unreadable::TooMany { path: folder.to_owned() });
    }
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(entries)
}
