//! The files a run sees.

mod blobs;
mod disk;
mod manifest;
mod model;
mod overlay;

use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::{env, fs, process};

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use envelope_evidence::{Digest, Timestamp};
use envelope_gate::workspace::{Blobs, FileEntry, Manifest, Quota, Workspace};
use envelope_rules::path::{Path, Prefix};
use object_store::memory::InMemory;

const START: Timestamp = at(1_000);

const fn at(millis: u64) -> Timestamp {
    Timestamp::from_millis(millis).unwrap()
}

fn path(text: &str) -> Path {
    if text == "." { Path::root() } else { Path::parse(text).unwrap() }
}

fn prefix(text: &str) -> Prefix {
    Prefix::parse(text).unwrap()
}

fn entry(name: &str, bytes: &[u8]) -> FileEntry {
    let size = bytes.len().try_into().unwrap();
    FileEntry { path: path(name), digest: Digest::of(bytes), size }
}

fn manifest(files: &[(&str, &[u8])]) -> Manifest {
    Manifest::new(files.iter().map(|(name, bytes)| entry(name, bytes)).collect()).unwrap()
}

/// A workspace of `files`, all of them loaded.
fn workspace(files: &[(&str, &[u8])], outputs: &str, quota: Quota) -> Workspace {
    let outputs = (!outputs.is_empty()).then(|| prefix(outputs));
    let mut it = Workspace::new(&manifest(files), outputs.as_ref(), quota, START).unwrap();
    for (name, bytes) in files {
        let node = it.lookup(&path(name)).unwrap();
        assert_eq!(it.needs(node), (!bytes.is_empty()).then(|| Digest::of(bytes)));
        it.supply(node, bytes.to_vec().into()).unwrap();
        assert_eq!(it.needs(node), None);
    }
    it
}

fn in_memory() -> Blobs {
    Blobs::new(Arc::new(InMemory::new()))
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

/// A folder of the real file system that is gone after the test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = env::temp_dir().join(format!("envelope-files-{}-{number}", process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn with(files: &[(&str, &[u8])]) -> Self {
        let folder = Self::new();
        for (name, bytes) in files {
            folder.write(name, bytes);
        }
        folder
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        fs::create_dir_all(self.at(name).parent().unwrap()).unwrap();
        fs::write(self.at(name), bytes).unwrap();
    }

    fn dir(&self) -> Dir {
        Dir::open_ambient_dir(&self.0, ambient_authority()).unwrap()
    }

    /// Everything below it: names, and what they are.
    fn tree(&self) -> Vec<(String, String)> {
        let mut tree = Vec::new();
        let mut waiting = vec![String::new()];
        while let Some(name) = waiting.pop() {
            for entry in fs::read_dir(self.at(&name)).unwrap() {
                let entry = entry.unwrap();
                let below = format!("{name}/{}", entry.file_name().to_string_lossy());
                let below = below.trim_start_matches('/').to_owned();
                let kind = entry.file_type().unwrap();
                let what = if kind.is_dir() {
                    waiting.push(below.clone());
                    "folder".to_owned()
                } else if kind.is_symlink() {
                    format!("-> {}", fs::read_link(entry.path()).unwrap().display())
                } else if kind.is_file() {
                    Digest::of(&fs::read(entry.path()).unwrap()).to_string()
                } else {
                    "special".to_owned()
                };
                tree.push((below, what));
            }
        }
        tree.sort();
        tree
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
