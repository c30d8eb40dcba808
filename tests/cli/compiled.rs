//! A component is compiled once on a machine, and what was kept of it is loaded only if it is ours.

use std::fs;
use std::path::PathBuf;

use super::desk::{Desk, copy, example, listing};

const COMPILING: &str = "compiling ";
const ADA: &str = r#"{"name":"Ada"}"#;

fn hello(desk: &Desk) -> String {
    let said = desk.says(["run", example("hello"), "hello", "--args", ADA], 0);
    assert_eq!(said.out, "\"Hello, Ada!\"\n");
    said.err
}

/// The one entry that is kept.
fn entry(desk: &Desk) -> PathBuf {
    let mut entries = fs::read_dir(desk.path("home/compiled")).unwrap();
    let entry = entries.next().unwrap().unwrap().path();
    assert!(entries.next().is_none(), "more than one entry");
    entry
}

#[test]
fn the_second_run_does_not_compile() {
    let desk = Desk::new("compiled");
    assert!(hello(&desk).contains(COMPILING));
    let kept = listing(&desk.path("home/compiled"));
    entry(&desk);
    assert!(!hello(&desk).contains(COMPILING));

    // Nor does anything else that needs the component.
    desk.says(["run", example("hello"), "hello", "--args", ADA, "--out", "run"], 0);
    for words in [&["inspect", example("hello")][..], &["replay", "run"]] {
        let said = desk.says(words, 0);
        assert!(!said.err.contains(COMPILING), "{}", said.err);
    }
    assert_eq!(listing(&desk.path("home/compiled")), kept);

    // Another component is another matter.
    let said = desk.says(["inspect", example("summary")], 0);
    assert!(said.err.contains(COMPILING), "{}", said.err);
}

#[test]
fn what_somebody_changed_is_compiled_again() {
    let desk = Desk::new("poisoned");
    hello(&desk);
    let (path, whole) = (entry(&desk), fs::read(entry(&desk)).unwrap());
    let mut flipped = whole.clone();
    *flipped.last_mut().unwrap() ^= 1;
    // A good entry of another machine is none here: its key is another.
    let other = Desk::new("poisoner");
    hello(&other);
    let foreign = fs::read(entry(&other)).unwrap();
    assert_ne!(foreign, whole);
    for poison in [&flipped, &foreign, &whole[..whole.len() / 2], b""] {
        fs::write(&path, poison).unwrap();
        let told = hello(&desk);
        assert!(told.contains("was changed") && told.contains(COMPILING), "{told}");
        assert_eq!(fs::read(&path).unwrap(), whole, "it is put right");
    }
    assert!(!hello(&desk).contains(COMPILING));
}

#[test]
fn where_nothing_can_be_kept_it_still_runs() {
    let desk = Desk::new("homeless");
    desk.says(["run", example("hello"), "hello", "--args", ADA, "--out", "run"], 0);
    fs::remove_dir_all(desk.path("home/compiled")).unwrap();
    fs::write(desk.path("home/compiled"), "in the way").unwrap();
    for _ in 0..2 {
        let told = hello(&desk);
        assert!(told.contains("compiled again next time") && told.contains(COMPILING), "{told}");
    }

    // A stranger who only looks gets no keys to sign with.
    let stranger = Desk::new("onlooker");
    copy(&desk.path("run"), &stranger.path("run"));
    stranger.says(["replay", "run"], 0);
    let made = listing(&stranger.path("home/keys"));
    assert_eq!(made.into_keys().collect::<Vec<_>>(), [stranger.path("home/keys/compiled.key")]);
}
