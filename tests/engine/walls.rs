//! The guest that tries the walls is the one whose text can be read.

use std::fs;

use crate::cargo::root;

#[test]
fn the_bytes_are_those_of_the_text() {
    let folder = root().join("runtime/engine/src");
    let (text, bytes) = (folder.join("walls.wat"), folder.join("walls.wasm"));
    let encoded = wat::parse_file(&text).unwrap();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&bytes, &encoded).unwrap();
    }
    assert!(fs::read(&bytes).unwrap() == encoded, "encode it again with UPDATE_GOLDEN=1");
}
