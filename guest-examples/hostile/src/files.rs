//! Files that were not granted, by every way into the file system.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use crate::Attempts;

/// What lies outside of any workspace, by all spellings.
const OUTSIDE: [&str; 12] = [
    "/etc/passwd",
    "../etc/passwd",
    "../../../../../../etc/passwd",
    "docs/../../../etc/passwd",
    "/../etc/passwd",
    "//etc/passwd",
    "./././../etc/passwd",
    "/proc/self/environ",
    "/proc/self/root/etc/passwd",
    "/dev/random",
    "etc/passwd\0.txt",
    "C:\\Windows\\win.ini",
];

/// What lies in the workspace of the examples, beyond their grants.
const UNGRANTED: [&str; 5] = [
    "secrets/key.txt",
    "docs/../secrets/key.txt",
    "SECRETS/key.txt",
    "secrets//key.txt/",
    "secrets",
];

/// A document that the grants of the examples let an agent read, and not write.
const READABLE: &str = "docs/airlock.md";

/// Reads what it must not.
pub fn reads(attempts: &mut Attempts<'_>) {
    for path in OUTSIDE.iter().chain(&UNGRANTED) {
        let size = || fs::read(path).map(|bytes| format!("{} bytes", bytes.len()));
        attempts.attempt(format!("read {}", path.escape_debug()), size);
    }
    for path in ["..", "/etc", "/proc/self/fd", "secrets"] {
        attempts.attempt(format!("list {path}"), || names(path));
    }
    attempts.attempt("find a secret in the list of the root", || match names("/") {
        Ok(names) if !names.contains("secrets") => Err(format!("only {names}")),
        Ok(names) => Ok(names),
        Err(error) => Err(error.to_string()),
    });
    for path in ["/etc/passwd", "../..", "secrets/key.txt"] {
        attempts.attempt(format!("stat {path}"), || fs::metadata(path).map(|file| file.len()));
    }
}

/// Lists a folder.
fn names(path: &str) -> io::Result<String> {
    let mut names = fs::read_dir(path)?
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect::<io::Result<Vec<_>>>()?;
    names.sort();
    Ok(names.join(" "))
}

/// Writes where it must not.
pub fn writes(attempts: &mut Attempts<'_>) {
    for path in ["hostile.txt", "/hostile.txt", "../hostile.txt", "docs/hostile.txt", READABLE] {
        attempts.attempt(format!("write {path}"), || done(fs::write(path, "hostile")));
    }
    let outputs = outputs(attempts);
    let beyond = outputs.join("../hostile.txt");
    attempts.attempt("write beside the outputs", || done(fs::write(beyond, "hostile")));
    let truncate = || OpenOptions::new().write(true).truncate(true).open(READABLE);
    attempts.attempt("truncate an input", || done(truncate().map(drop)));
    let append = || OpenOptions::new().append(true).open(READABLE);
    attempts.attempt("append to an input", || done(append().map(drop)));
    let shrink = || File::open(READABLE)?.set_len(0);
    attempts.attempt("shrink an input that is open for reading", || done(shrink()));
    let touch = || File::open(READABLE)?.set_modified(std::time::UNIX_EPOCH);
    attempts.attempt("set the times of an input", || done(touch()));
    let mine = outputs.join("taken.md");
    attempts.attempt("move an input", || done(fs::rename("docs/contracts.md", &mine)));
    attempts.attempt("make a folder", || done(fs::create_dir("hostile")));
    attempts.attempt("remove an input", || done(fs::remove_file(READABLE)));
    attempts.attempt("remove a folder", || done(fs::remove_dir_all("docs")));
    attempts.attempt("copy a secret", || fs::copy("secrets/key.txt", &mine));
}

/// Plants links that lead out.
pub fn links(attempts: &mut Attempts<'_>) {
    let outputs = outputs(attempts);
    let soft = outputs.join("soft");
    for target in ["/etc/passwd", "../../../etc/passwd", "../secrets/key.txt", "soft"] {
        let through = || link(target, &soft).and_then(|()| fs::read(&soft)).map(|b| b.len());
        attempts.attempt(format!("read through a symlink to {target}"), through);
        let _ = fs::remove_file(&soft);
    }
    let hard = outputs.join("hard");
    for target in [READABLE, "secrets/key.txt", "/etc/passwd"] {
        let linked = || done(fs::hard_link(target, &hard));
        attempts.attempt(format!("hard link to {target}"), linked);
        let _ = fs::remove_file(&hard);
    }
    attempts.attempt("read a link", || fs::read_link("docs").map(|to| to.display().to_string()));
}

/// Makes a symlink; the standard library has no other portable way.
#[expect(deprecated, reason = "the ways that replaced it are not stable for this target")]
fn link(target: &str, name: &Path) -> io::Result<()> {
    fs::soft_link(target, name)
}

/// The outputs prefix of the run, made; a plausible one when it has none.
fn outputs(attempts: &Attempts<'_>) -> PathBuf {
    let outputs = attempts.ctx.outputs().unwrap_or_else(|_| "out".into());
    let _ = fs::create_dir_all(&outputs);
    outputs
}

fn done(result: io::Result<()>) -> io::Result<&'static str> {
    result.map(|()| "done")
}
