//! Giving outputs out into a real folder: all of them, or nothing.
//!
//! Everything is looked at first, then written beside its place and flushed, then moved into it.
//! Whatever goes wrong on the way is undone. No file appears above the prefix, nothing that is
//! not a plain file is replaced, and no symlink is followed, wherever somebody planted it.

use std::io::{self, Write as _};

use cap_fs_ext::{FollowSymlinks, OpenOptionsFollowExt as _};
use cap_std::fs::{Dir, OpenOptions};
use envelope_evidence::Digest;
use envelope_rules::path::{Path, Prefix};

use super::blobs::{Blobs, Fault};
use super::disk::{self, Found, STAGING};
use super::outputs::Output;

/// What was given out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Exported {
    /// Files written.
    pub written: usize,
    /// Files that were there already, byte for byte, and were not touched.
    pub same: usize,
}

/// Why nothing was given out.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// A path that is not below the prefix.
    #[error("`{0}` is not below the outputs' prefix")]
    Outside(Path),
    /// An output without its bytes: [`Output::load`] was not called.
    #[error("the bytes of `{0}` are not loaded")]
    NotLoaded(Path),
    /// Something that is no folder, where a folder is needed: a symlink, for example.
    #[error("`{0}` is not a real folder")]
    NotFolder(Path),
    /// Something that is no file, where a file is to be written.
    #[error("`{0}` exists and is not a plain file")]
    NotFile(Path),
    /// The disk failed.
    #[error("`{path}` cannot be written")]
    Disk {
        /// Where.
        path: Path,
        /// How.
        source: io::Error,
    },
}

impl Output {
    /// Loads its bytes, if they are not there.
    pub async fn load(&mut self, blobs: &Blobs) -> Result<(), Fault> {
        if self.bytes.is_none() {
            self.bytes = Some(blobs.get(&self.digest).await?);
        }
        Ok(())
    }
}

/// Writes `outputs`, all below `prefix`, into the real folder `dir`. What is there already with the
/// same bytes is not touched, so doing it twice is doing it once.
pub fn export(dir: &Dir, prefix: &Prefix, outputs: &[Output]) -> Result<Exported, ExportError> {
    let mut new = Vec::new();
    for output in outputs {
        if !prefix.contains(&output.path) {
            return Err(ExportError::Outside(output.path.clone()));
        }
        let bytes = output.bytes.as_deref();
        let bytes = bytes.ok_or_else(|| ExportError::NotLoaded(output.path.clone()))?;
        if !is_there(dir, &output.path, bytes)? {
            new.push((&output.path, bytes));
        }
    }
    let same = outputs.len() - new.len();
    if !new.is_empty() {
        let (folder, path) = nearest(dir, &prefix.folder())?;
        Stage::open(dir, folder, path, outputs)?.run(&new)?;
    }
    Ok(Exported { written: new.len(), same })
}

/// Whether exactly these bytes are at `path`; an error when something else than a file is.
fn is_there(dir: &Dir, path: &Path, bytes: &[u8]) -> Result<bool, ExportError> {
    let (above, name) = split(path);
    let (folder, reached) = nearest(dir, &above)?;
    if reached != above {
        return Ok(false);
    }
    let failed = |source| ExportError::Disk { path: path.clone(), source };
    match disk::look(&folder, name).map_err(failed)? {
        Found::Nothing => Ok(false),
        Found::File => {
            let size = super::content::to_u64(bytes.len());
            let there = disk::read(&folder, name, size).map_err(failed)?;
            Ok(there.is_some_and(|there| there == bytes))
        }
        Found::Folder | Found::Symlink | Found::Special => Err(ExportError::NotFile(path.clone())),
    }
}

/// The last folder on the way to `path` that exists, and its path.
fn nearest(dir: &Dir, path: &Path) -> Result<(Dir, Path), ExportError> {
    let mut at = Path::root();
    let mut folder = dir.try_clone().map_err(|source| failed(&at, source))?;
    for name in path.segments() {
        let below = join(&at, name);
        match disk::look(&folder, name).map_err(|source| failed(&below, source))? {
            Found::Nothing => break,
            Found::Folder => {
                folder = disk::enter(&folder, name).map_err(|source| failed(&below, source))?;
                at = below;
            }
            Found::File | Found::Symlink | Found::Special => {
                return Err(ExportError::NotFolder(below));
            }
        }
    }
    Ok((folder, at))
}

/// Files on their way, and what has to be undone if they do not arrive.
struct Stage<'a> {
    dir: &'a Dir,
    /// The real folder in which the staging folder lies.
    folder: Dir,
    path: Path,
    name: String,
    staging: Dir,
    made: Vec<Path>,
    moved: Vec<Moved<'a>>,
}

/// A file that is in its place.
struct Moved<'a> {
    path: &'a Path,
    /// The name under which the staging folder keeps what was there before.
    before: Option<String>,
}

impl<'a> Stage<'a> {
    /// Makes the staging folder. Its name follows from the outputs, so that whoever repeats an
    /// export that was killed clears away what it left.
    fn open(
        dir: &'a Dir,
        folder: Dir,
        path: Path,
        outputs: &[Output],
    ) -> Result<Self, ExportError> {
        let digests: Vec<_> = outputs.iter().map(|output| output.digest).collect();
        let parts: Vec<&[u8]> = digests.iter().map(|digest| &digest.as_bytes()[..]).collect();
        let name = format!("{STAGING}{}", Digest::of_parts(&parts).hex());
        let open = || {
            match disk::look(&folder, &name)? {
                Found::Nothing => {}
                Found::Folder => folder.remove_dir_all(&name)?,
                Found::File | Found::Symlink | Found::Special => {
                    return Err(io::ErrorKind::AlreadyExists.into());
                }
            }
            folder.create_dir(&name)?;
            disk::enter(&folder, &name).inspect_err(|_| drop(folder.remove_dir(&name)))
        };
        let staging = open().map_err(|source| failed(&path, source))?;
        Ok(Self { dir, folder, path, name, staging, made: Vec::new(), moved: Vec::new() })
    }

    fn run(mut self, files: &[(&'a Path, &[u8])]) -> Result<(), ExportError> {
        let done = self.deliver(files);
        if done.is_err() {
            self.undo();
        }
        // What is left of the staging folder harms nobody, and the next export clears it away.
        let _ = self.folder.remove_dir_all(&self.name);
        let _ = disk::sync(&self.folder);
        done
    }

    fn deliver(&mut self, files: &[(&'a Path, &[u8])]) -> Result<(), ExportError> {
        for (number, (path, bytes)) in files.iter().enumerate() {
            self.write(&number.to_string(), bytes).map_err(|source| failed(path, source))?;
        }
        for (number, &(path, _)) in files.iter().enumerate() {
            let folder = self.make_folders(path)?;
            self.place(number, &folder, path).map_err(|source| failed(path, source))?;
        }
        for (path, _) in files {
            let (above, _) = split(path);
            let synced = disk::walk(self.dir, &above).and_then(|folder| disk::sync(&folder));
            synced.map_err(|source| failed(path, source))?;
        }
        disk::sync(&self.folder).map_err(|source| failed(&self.path, source))
    }

    fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).follow(FollowSymlinks::No);
        let mut file = self.staging.open_with(name, &options)?;
        file.write_all(bytes)?;
        file.sync_all()
    }

    /// The folder for `path`, made where it is missing.
    fn make_folders(&mut self, path: &Path) -> Result<Dir, ExportError> {
        let (above, _) = split(path);
        let (mut folder, mut at) = nearest(self.dir, &above)?;
        for name in above.segments().skip(at.segments().count()) {
            at = join(&at, name);
            folder.create_dir(name).map_err(|source| failed(&at, source))?;
            self.made.push(at.clone());
            let synced = disk::sync(&folder).and_then(|()| disk::enter(&folder, name));
            folder = synced.map_err(|source| failed(&at, source))?;
        }
        Ok(folder)
    }

    /// Moves a written file into its place. What was there keeps a second name until the end.
    fn place(&mut self, number: usize, folder: &Dir, path: &'a Path) -> io::Result<()> {
        let (_, name) = split(path);
        match disk::look(folder, name)? {
            Found::Nothing => {
                self.staging.rename(number.to_string(), folder, name)?;
                self.moved.push(Moved { path, before: None });
                Ok(())
            }
            Found::File => {
                let before = format!("{number}.before");
                // Where the file system has no hard links, the place is empty for a moment.
                if folder.hard_link(name, &self.staging, &before).is_err() {
                    folder.rename(name, &self.staging, &before)?;
                }
                self.moved.push(Moved { path, before: Some(before) });
                self.staging.rename(number.to_string(), folder, name)
            }
            Found::Folder | Found::Symlink | Found::Special => {
                Err(io::ErrorKind::AlreadyExists.into())
            }
        }
    }

    /// Puts back what was there. Goes on when something cannot be undone: the first error tells.
    fn undo(&mut self) {
        while let Some(Moved { path, before }) = self.moved.pop() {
            let (above, name) = split(path);
            let Ok(folder) = disk::walk(self.dir, &above) else { continue };
            let _ = match before {
                Some(before) => self.staging.rename(before, &folder, name),
                None => folder.remove_file(name),
            };
        }
        while let Some(path) = self.made.pop() {
            let (above, name) = split(&path);
            let _ = disk::walk(self.dir, &above).and_then(|folder| folder.remove_dir(name));
        }
    }
}

fn failed(path: &Path, source: io::Error) -> ExportError {
    ExportError::Disk { path: path.clone(), source }
}

/// The folder and the name of a path below a prefix, which is never the root.
fn split(path: &Path) -> (Path, &str) {
    (path.parent().unwrap_or_else(Path::root), path.name().unwrap_or_default())
}

/// The path of a segment of a longer path: that one was checked as a whole.
fn join(folder: &Path, name: &str) -> Path {
    folder.join(name).unwrap_or_else(|_| folder.clone())
}
