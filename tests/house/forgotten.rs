//! A file of tests, benchmarks or fuzzing that nothing compiles fails here.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use super::source::{Source, files};
use super::tokens::{file_modules, parse};
use crate::cargo::{packages, root};

#[test]
fn no_test_or_benchmark_is_forgotten() {
    let apart = ["tests/fuzz/", "tests/guests/"];
    let ours = |path: &str| {
        path.starts_with("tests/") && !apart.iter().any(|folder| path.starts_with(folder))
    };
    assert_eq!(forgotten(files(), ours, &targets("Cargo.toml")), Vec::<&str>::new());
}

#[test]
fn no_file_of_the_guests_is_forgotten() {
    let ours = |path: &str| path.starts_with("tests/guests/");
    assert_eq!(forgotten(files(), ours, &targets("tests/guests/Cargo.toml")), Vec::<&str>::new());
}

#[test]
fn no_fuzz_target_is_forgotten() {
    let ours = |path: &str| path.starts_with("tests/fuzz/");
    assert_eq!(forgotten(files(), ours, &targets("tests/fuzz/Cargo.toml")), Vec::<&str>::new());
}

#[test]
fn every_fuzz_target_has_seeds() {
    for target in targets("tests/fuzz/Cargo.toml") {
        let name = Path::new(&target).file_stem().unwrap().to_str().unwrap();
        let seeds = format!("tests/fuzz/seeds/{name}/");
        assert!(files().iter().any(|file| file.path.starts_with(&seeds)), "{seeds} is empty");
    }
}

#[test]
fn a_forgotten_file_is_noticed() {
    let source = |(path, text): (&str, &str)| Source::new(path, text);
    let files = [
        ("tests/suite.rs", "mod a; mod c;"),
        ("tests/a.rs", "mod b; mod old { }"),
        ("tests/a/b.rs", ""),
        ("tests/a/old.rs", ""),
        ("tests/b.rs", ""),
        ("tests/c/mod.rs", "mod d;"),
        ("tests/c/d.rs", "fn d() {}"),
    ]
    .map(source);
    let roots = BTreeSet::from(["tests/suite.rs".to_string()]);
    assert_eq!(forgotten(&files, |_| true, &roots), ["tests/a/old.rs", "tests/b.rs"]);
}

/// The Rust files that are `ours` and yet reached from none of `roots`.
fn forgotten<'a>(
    files: &'a [Source],
    ours: impl Fn(&str) -> bool,
    roots: &BTreeSet<String>,
) -> Vec<&'a str> {
    let mut reached = BTreeSet::new();
    for path in roots {
        reach(files, path, true, &mut reached);
    }
    let rust = files.iter().filter(|file| file.is_rust() && ours(&file.path));
    rust.map(|file| file.path.as_str()).filter(|path| !reached.contains(*path)).collect()
}

fn reach(files: &[Source], path: &str, is_root: bool, reached: &mut BTreeSet<String>) {
    let Some(file) = files.iter().find(|file| file.path == path) else { return };
    if !reached.insert(path.to_string()) {
        return;
    }
    let own_folder = is_root || path.ends_with("/mod.rs");
    let folder = if own_folder { path.rsplit_once('/').map(|(folder, _)| folder) } else { None };
    let folder = folder.unwrap_or_else(|| path.trim_end_matches(".rs"));
    for module in file_modules(parse(&file.text)) {
        reach(files, &format!("{folder}/{module}.rs"), false, reached);
        reach(files, &format!("{folder}/{module}/mod.rs"), false, reached);
    }
}

/// The files that Cargo compiles for the workspace of `manifest`, from the root of the repository.
fn targets(manifest: &str) -> BTreeSet<String> {
    let packages = packages(manifest);
    let targets = packages.iter().flat_map(|package| package["targets"].as_array().unwrap());
    let paths = targets.map(|target| PathBuf::from(target["src_path"].as_str().unwrap()));
    paths.map(|path| relative(&path)).collect()
}

fn relative(path: &Path) -> String {
    let path = path.strip_prefix(root()).unwrap_or(path);
    let parts = path.components().filter(|part| matches!(part, Component::Normal(_)));
    Vec::from_iter(parts.map(|part| part.as_os_str().to_str().unwrap())).join("/")
}
