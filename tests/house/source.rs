//! The files of this repository, read at run time.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use crate::cargo::root;

/// One file: its path from the root, with `/`, and its text (empty when it is not text).
pub struct Source {
    pub path: String,
    pub text: String,
}

impl Source {
    pub fn new(path: &str, text: &str) -> Self {
        Self { path: path.into(), text: text.into() }
    }

    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    pub fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// Data that tests compare byte for byte: its layout is not ours to choose.
    pub fn is_data(&self) -> bool {
        ["tests/golden/", "tests/fuzz/seeds/"].iter().any(|folder| self.path.starts_with(folder))
    }
}

/// Every file that is or would be committed, in order.
pub fn files() -> &'static [Source] {
    static FILES: LazyLock<Vec<Source>> = LazyLock::new(|| {
        let paths = listed_by_git().unwrap_or_else(|| {
            let mut found = BTreeSet::new();
            walk(root(), &mut found);
            found
        });
        paths.iter().filter_map(|path| read(path)).collect()
    });
    &FILES
}

fn read(path: &str) -> Option<Source> {
    let bytes = std::fs::read(root().join(path)).ok()?;
    Some(Source::new(path, &String::from_utf8(bytes).unwrap_or_default()))
}

fn listed_by_git() -> Option<BTreeSet<String>> {
    let output = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output()
        .ok()?;
    let listing = String::from_utf8(output.stdout).ok()?;
    let paths: BTreeSet<_> =
        listing.split('\0').filter(|path| !path.is_empty()).map(String::from).collect();
    (output.status.success() && !paths.is_empty()).then_some(paths)
}

/// For a copy without git: everything but what `.gitignore` names.
fn walk(folder: &Path, found: &mut BTreeSet<String>) {
    const SKIPPED: [&str; 5] = [".git", "target", "corpus", "artifacts", "__pycache__"];
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        if SKIPPED.iter().any(|name| entry.file_name() == *name) {
            continue;
        }
        let path: PathBuf = entry.path();
        if entry.file_type().unwrap().is_dir() {
            walk(&path, found);
        } else {
            let relative = path.strip_prefix(root()).unwrap().to_str().unwrap();
            found.insert(relative.replace('\\', "/"));
        }
    }
}

#[test]
fn both_ways_of_listing_find_the_same_sources() {
    let mut walked = BTreeSet::new();
    walk(root(), &mut walked);
    assert!(walked.contains("tests/house/source.rs"));
    assert!(!walked.iter().any(|path| path.starts_with("target/")));
    let unseen = |source: &&Source| !walked.contains(&source.path);
    assert_eq!(files().iter().find(unseen).map(|source| &source.path), None);
}
