//! Golden files: text that a reviewer reads and a test compares.

use std::path::PathBuf;
use std::{env, fs};

/// Compares `actual` with `tests/golden/<name>`. `UPDATE_GOLDEN=1` writes the file instead.
pub fn check(name: &str, actual: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("golden").join(name);
    if env::var_os("UPDATE_GOLDEN").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, actual).unwrap();
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    if let Some(difference) = first_difference(&expected, actual) {
        panic!("tests/golden/{name}, {difference}\nif that is meant: UPDATE_GOLDEN=1 cargo test");
    }
}

fn first_difference(expected: &str, actual: &str) -> Option<String> {
    if expected == actual {
        return None;
    }
    let (mut old, mut new) = (expected.split('\n'), actual.split('\n'));
    (1..).find_map(|line| match (old.next(), new.next()) {
        (old, new) if old == new => None,
        (old, new) => Some(format!(
            "line {line}\n  golden: {}\n  now:    {}",
            old.unwrap_or("(end)"),
            new.unwrap_or("(end)")
        )),
    })
}

#[test]
fn a_difference_is_found() {
    assert_eq!(first_difference("a\nb\n", "a\nb\n"), None);
    for changed in ["a\nc\n", "a\n", "a\nb", "a\nb\nc\n", ""] {
        let difference = first_difference("a\nb\n", changed).expect(changed);
        assert!(difference.starts_with("line "), "{difference}");
    }
}
