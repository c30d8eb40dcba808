//! Files: leaving the workspace, leaving the grant, links, and names that no file has.

use super::table::{Case, case, hold};

const OUTSIDE: &[&str] = &["path.outside"];
const NO_WRITE: &[&str] = &["outputs.outside"];

const READ: (&str, &str) = ("read in/a.txt", "read: ok alpha");
const WRITE: (&str, &str) = ("write out/a.txt x; read out/a.txt", "write: ok 1; read: ok x");

const fn not_read(name: &'static str, acts: &'static str, sees: &'static str) -> Case {
    case(7, name, acts, sees).but(READ.0, READ.1)
}

const fn not_written(name: &'static str, acts: &'static str, sees: &'static str) -> Case {
    case(7, name, acts, sees).but(WRITE.0, WRITE.1)
}

pub const CASES: &[Case] = &[
    not_read("above the root", "read ../secret", "read: not-permitted"),
    not_read("above the root and back", "read ../in/a.txt", "read: not-permitted"),
    not_read("above through a folder", "read in/../../a", "read: not-permitted"),
    not_read("absolute", "read /in/a.txt", "read: not-permitted"),
    not_read("absolute of the machine", "read /etc/passwd", "read: not-permitted"),
    not_read("proc", "read proc/self/environ", "read: access").denies(OUTSIDE),
    not_read("dev", "read dev/null", "read: access").denies(OUTSIDE),
    not_read("another's file", "read secret/key.txt", "read: access").denies(OUTSIDE),
    not_read("no file, not granted", "read secret/none", "read: access").denies(OUTSIDE),
    not_read("dots into the secret", "read in/../secret/key.txt", "read: access").denies(OUTSIDE),
    not_read("a stat of the secret", "stat secret/key.txt", "stat: access").denies(OUTSIDE),
    not_read("a hash of the secret", "hash secret/key.txt", "hash: access").denies(OUTSIDE),
    not_read("a list of the secret", "list secret", "list: access").denies(OUTSIDE),
    not_read("through a hidden folder", "read secret/../in/a.txt", "read: no-entry"),
    not_read("case", "read IN/a.txt", "read: access").denies(OUTSIDE),
    not_read("a slash after a file", "read in/a.txt/", "read: not-directory"),
    not_read("a file as a folder", "read in/a.txt/b", "read: not-directory"),
    not_read("a folder as a file", "read in", "read: is-directory"),
    not_read("an empty name", "read ", "read: no-entry"),
    not_read("a backslash", "read in\\a.txt", "read: illegal-byte-sequence"),
    not_read("nul", "read in/a.txt\0.pdf", "read: invalid"),
    not_read("not in normal form", "read in/e\u{301}", "read: illegal-byte-sequence"),
    not_read("right to left", "read in/\u{202e}txt.a", "read: illegal-byte-sequence"),
    not_read("a star", "read in/*", "read: illegal-byte-sequence"),
    not_read("the root hides", "list .", "list: ok in,out"),
    not_read("up from a folder", "hold in; up ../secret/key.txt", "hold: ok; up: not-permitted"),
    not_read("up by an absolute name", "hold in; up /in/a.txt", "hold: ok; up: not-permitted"),
    not_written("into the inputs", "write in/a.txt x", "write: access").denies(NO_WRITE),
    not_written("a new input", "write in/new.txt x", "write: access").denies(NO_WRITE),
    not_written("at the top", "write top.txt x", "write: access").denies(NO_WRITE),
    not_written("beside the prefix", "write outside.txt x", "write: access").denies(NO_WRITE),
    not_written("out of the prefix", "write out/../in/a.txt x", "write: access").denies(NO_WRITE),
    not_written(
        "truncate, read only",
        "truncate in/a.txt; read in/a.txt",
        "truncate: access; read: ok alpha",
    )
    .denies(NO_WRITE),
    not_written("write, read only", "write-read-only in/a.txt", "write-read-only: bad-descriptor"),
    not_written("exclusive, there", "exclusive in/a.txt", "exclusive: access").denies(NO_WRITE),
    not_written("resize", "size in/a.txt 0", "size: access").denies(NO_WRITE),
    not_written("remove an input", "unlink in/a.txt", "unlink: access").denies(NO_WRITE),
    not_written("remove a folder", "rmdir in/deep", "rmdir: access").denies(NO_WRITE),
    not_written("make a folder", "mkdir in/x", "mkdir: access").denies(NO_WRITE),
    not_written("move an input out", "rename in/a.txt out/a.txt", "rename: access")
        .denies(NO_WRITE),
    not_written(
        "move over an input",
        "write out/a x; rename out/a in/a.txt",
        "write: ok 1; rename: access",
    )
    .denies(NO_WRITE)
    .leaves(&["out/a"]),
    not_written("move the secret in", "rename secret/key.txt out/k", "rename: access")
        .denies(NO_WRITE),
    not_written("hard link to the secret", "link secret/key.txt out/k", "link: access")
        .denies(NO_WRITE),
    not_written(
        "hard link inside",
        "write out/a x; link out/a out/b",
        "write: ok 1; link: not-permitted",
    )
    .leaves(&["out/a"]),
    not_written("hard link from an input", "link in/a.txt out/b", "link: access").denies(NO_WRITE),
    not_written("symlink to the machine", "symlink /etc/passwd out/p", "symlink: not-permitted"),
    not_written(
        "symlink above",
        "symlink ../secret out/s; read out/s/key.txt",
        "symlink: not-permitted; read: no-entry",
    ),
    not_written("symlink into the inputs", "symlink x in/s", "symlink: access").denies(NO_WRITE),
    not_written("times of an input", "times in/a.txt 1:0", "times: access").denies(NO_WRITE),
];

#[test]
fn files_stay_where_they_belong() {
    hold(CASES);
}
