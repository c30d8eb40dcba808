//! The lints are those of the workspace, also where a crate has a list of its own.

use std::fs;

use crate::cargo::{packages, root};

/// The crate that may be `unsafe` in one place, and how that reads in its list.
const EXCEPTION: &str = "envelope-engine";
const STRICT: &str = "unsafe_code = \"forbid\"";
const EXCEPTED: &str =
    "unsafe_code = \"deny\" # and expected in one place: src/component/precompiled.rs";

#[test]
fn every_crate_has_the_lints_of_the_workspace() {
    let workspace = read("Cargo.toml");
    let list = lists(&workspace, "[workspace.lints.").replace("[workspace.", "[");
    assert!(list.contains(STRICT) && list.contains("unwrap_used"), "{list}");
    for package in packages("Cargo.toml") {
        let name = package["name"].as_str().unwrap();
        let manifest = fs::read_to_string(package["manifest_path"].as_str().unwrap()).unwrap();
        match name {
            "envelope-tests" => {}
            EXCEPTION => {
                assert_eq!(lists(&manifest, "[lints."), list.replace(STRICT, EXCEPTED));
            }
            _ => assert!(manifest.contains("[lints]\nworkspace = true\n"), "{name}"),
        }
    }
}

#[test]
fn one_place_is_unsafe() {
    let sources = super::source::files().iter().filter(|file| file.is_rust());
    let unsafe_ones = sources.filter(|file| file.text.contains(concat!("unsafe", " {")));
    let paths = Vec::from_iter(unsafe_ones.map(|file| file.path.as_str()));
    assert_eq!(paths, ["runtime/engine/src/component/precompiled.rs"]);
}

/// The lines of the tables of `manifest` whose names begin with `start`, without comments above.
fn lists(manifest: &str, start: &str) -> String {
    let mut lines = Vec::new();
    let mut inside = false;
    for line in manifest.lines() {
        if line.starts_with('[') {
            inside = line.starts_with(start);
        }
        if inside && !line.is_empty() && !line.starts_with('#') {
            lines.push(line);
        }
    }
    lines.join("\n")
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}
