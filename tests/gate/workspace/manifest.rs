//! One spelling for a set of files.

use envelope_evidence::Digest;
use envelope_gate::workspace::{BadManifest, FILE_BYTES_MAX, FileEntry, Manifest};

use super::*;

#[test]
fn order_does_not_matter_and_spelling_does() {
    let (a, b) = (entry("a/b", b"one"), entry("a-b", b"two"));
    let manifest = Manifest::new(vec![a.clone(), b.clone()]).unwrap();
    assert_eq!(Manifest::new(vec![b.clone(), a.clone()]).unwrap(), manifest);
    let paths: Vec<_> = manifest.files().iter().map(|file| file.path.as_str()).collect();
    assert_eq!(paths, ["a-b", "a/b"]);
    assert_eq!(Manifest::read(manifest.as_bytes()), Ok(manifest.clone()));
    assert_eq!(manifest.digest(), Digest::of(manifest.as_bytes()));
    let text = String::from_utf8(manifest.as_bytes().to_vec()).unwrap();
    assert!(Manifest::read(text.replace(r#""v":1"#, r#""v":2"#).as_bytes()).is_err());
    assert!(matches!(Manifest::read(format!("{text} ").as_bytes()), Err(BadManifest::Json(_))));
    let turned = format!(
        r#"{{"files":[{},{}],"v":1}}"#,
        serde_json::to_value(&a).unwrap(),
        serde_json::to_value(&b).unwrap()
    );
    assert_eq!(Manifest::read(turned.as_bytes()), Err(BadManifest::Unsorted));
    let dots = text.replace("a-b", "../b");
    assert!(matches!(Manifest::read(dots.as_bytes()), Err(BadManifest::Json(_))));
    let root = text.replace("a-b", ".");
    assert!(matches!(Manifest::read(root.as_bytes()), Err(BadManifest::Json(_))));
}

#[test]
fn a_name_is_a_file_or_a_folder() {
    let twice = |names: &[&str]| Manifest::new(names.iter().map(|name| entry(name, b"")).collect());
    for names in [&["a", "a"][..], &["a", "a/b"], &["a", "a-b", "a/b"], &["a/b", "a/b/c/d"]] {
        assert!(matches!(twice(names), Err(BadManifest::Twice(_))), "{names:?}");
    }
    assert!(twice(&["a/b", "a/bc", "ab", "a-b/c"]).is_ok());
}

#[test]
fn sizes_are_bounded() {
    let file = |name, size| FileEntry { size, ..entry(name, b"") };
    assert!(Manifest::new(vec![file("a", FILE_BYTES_MAX)]).is_ok());
    let large = Manifest::new(vec![file("a", FILE_BYTES_MAX + 1)]);
    assert_eq!(large, Err(BadManifest::FileBytes(path("a"))));
    let full = ["a", "b", "c", "d"].map(|name| file(name, FILE_BYTES_MAX)).to_vec();
    assert!(Manifest::new(full.clone()).is_ok());
    let over = [full, vec![file("e", 1)]].concat();
    assert_eq!(Manifest::new(over), Err(BadManifest::Bytes));
}
