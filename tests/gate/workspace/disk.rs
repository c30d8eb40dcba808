//! Real folders, with everything in them that could lead elsewhere.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::os::unix::net::UnixListener;
use std::process::Command;
use std::sync::atomic::AtomicBool;
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use envelope_gate::workspace::{
    ExportError, Exported, ImportError, Imported, Limits, Output, Progress, WhyLeft, export, import,
};
use envelope_rules::path::Flaw;

use super::*;

fn take_in(folder: &Folder, limits: &Limits) -> Result<Imported, ImportError> {
    wait(import(&folder.dir(), &in_memory(), limits, |_| {}))
}

fn output(name: &str, bytes: &'static [u8]) -> Output {
    let FileEntry { path, digest, size } = entry(name, bytes);
    Output { path, digest, size, bytes: Some(Bytes::from_static(bytes)) }
}

#[test]
fn files_come_in_with_their_bytes() {
    let files = [("a/b.txt", &b"text"[..]), ("a-b", b""), (".hidden/x", b"\0\xff")];
    let folder = Folder::with(&files);
    fs::create_dir_all(folder.at("empty/folder")).unwrap();
    let (blobs, mut seen) = (in_memory(), Vec::new());
    let dir = folder.dir();
    let imported = wait(import(&dir, &blobs, &Limits::default(), |it| seen.push(it))).unwrap();
    assert_eq!((imported.manifest.clone(), imported.left), (manifest(&files), vec![]));
    for file in imported.manifest.files() {
        assert_eq!(Digest::of(&wait(blobs.get(&file.digest)).unwrap()), file.digest);
    }
    let ends = [seen.first(), seen.last()].map(|it| *it.unwrap());
    let at = |files, bytes| Progress { files, files_all: 3, bytes };
    assert_eq!(ends, [at(0, 0), at(3, 6)]);
}

/// Nothing that leads out, waits for ever or has no name comes in; what stands beside it does.
#[test]
fn what_has_no_place_stays_outside_and_is_named() {
    let secret = Folder::with(&[("secret", b"secret")]);
    let folder = Folder::with(&[("d/file", b"file")]);
    symlink(secret.at("secret"), folder.at("d/link")).unwrap();
    symlink(&secret.0, folder.at("folder-link")).unwrap();
    symlink("d/file", folder.at("inner-link")).unwrap();
    symlink("loop", folder.at("loop")).unwrap();
    symlink("nowhere", folder.at("dangling")).unwrap();
    let _socket = UnixListener::bind(folder.at("socket")).unwrap();
    assert!(Command::new("mkfifo").arg(folder.at("pipe")).status().unwrap().success());
    for name in ["back\\slash", "st*r", "line\nbreak", "e\u{301}"] {
        folder.write(name, b"named");
    }
    folder.write("bad\u{202e}/inner", b"named");
    folder.write(".envelope-staging-0/0", b"left by an export that was killed");
    fs::hard_link(folder.at("d/file"), folder.at("hard")).unwrap();
    let Imported { manifest, left, left_count } = take_in(&folder, &Limits::default()).unwrap();
    let paths: Vec<_> = manifest.files().iter().map(|file| file.path.as_str()).collect();
    assert_eq!(paths, ["d/file", "hard"], "a hard link is a file");
    let name = |flaw| move |why| matches!(why, WhyLeft::Name(bad) if bad.flaw == flaw);
    let whys: [(&str, &dyn Fn(WhyLeft) -> bool); 13] = [
        (".envelope-staging-0", &|why| why == WhyLeft::Staging),
        ("back\\slash", &name(Flaw::Backslash)),
        ("bad\u{202e}", &name(Flaw::Invisible)),
        ("d/link", &|why| why == WhyLeft::Symlink),
        ("dangling", &|why| why == WhyLeft::Symlink),
        ("e\u{301}", &name(Flaw::NotNfc)),
        ("folder-link", &|why| why == WhyLeft::Symlink),
        ("inner-link", &|why| why == WhyLeft::Symlink),
        ("line\nbreak", &name(Flaw::Invisible)),
        ("loop", &|why| why == WhyLeft::Symlink),
        ("pipe", &|why| why == WhyLeft::Special),
        ("socket", &|why| why == WhyLeft::Special),
        ("st*r", &name(Flaw::Star)),
    ];
    assert_eq!((left.len(), left_count), (whys.len(), whys.len()), "{left:?}");
    for (left, (name, why)) in left.iter().zip(whys) {
        assert!(left.name == name && why(left.why), "{left:?}");
    }
}

#[test]
fn an_import_is_bounded() {
    let folder = Folder::with(&[("a", b"1234"), ("b", b"567"), ("d/c", b"8")]);
    let limits = Limits { files: 3, bytes: 8, file_bytes: 4 };
    assert_eq!(take_in(&folder, &limits).unwrap().manifest.files().len(), 3);
    let fewer = take_in(&folder, &Limits { files: 2, ..limits });
    assert!(matches!(fewer, Err(ImportError::Files { max: 2 })), "{fewer:?}");
    let less = take_in(&folder, &Limits { bytes: 7, ..limits });
    assert!(matches!(less, Err(ImportError::Bytes { max: 7 })), "{less:?}");
    let smaller = take_in(&folder, &Limits { file_bytes: 3, ..limits });
    assert!(
        matches!(&smaller, Err(ImportError::FileBytes { path: at, max: 3 }) if *at == path("a")),
        "{smaller:?}"
    );
    folder.write(&["d"; 40].join("/"), b"deep");
    let deep = take_in(&folder, &limits).unwrap();
    assert_eq!(deep.left.len(), 1, "{:?}", deep.left);
    assert_eq!(deep.left[0].name, ["d"; 33].join("/"));
}

#[test]
fn outputs_go_out_and_nothing_else_changes() {
    let folder = Folder::with(&[("in", b"in"), ("out/old", b"old"), ("out/kept", b"kept")]);
    let outputs = [output("out/old", b"new"), output("out/a/b/c", b"c"), output("out/d", b"")];
    let done = export(&folder.dir(), &prefix("out/"), &outputs).unwrap();
    assert_eq!(done, Exported { written: 3, same: 0 });
    let wanted = Folder::with(&[
        ("in", b"in"),
        ("out/old", b"new"),
        ("out/a/b/c", b"c"),
        ("out/d", b""),
        ("out/kept", b"kept"),
    ]);
    assert_eq!(folder.tree(), wanted.tree());
    let inode =
        || fs::metadata(folder.at("out/old")).map(|it| (it.ino(), it.mtime_nsec())).unwrap();
    let before = inode();
    let again = export(&folder.dir(), &prefix("out/"), &outputs).unwrap();
    assert_eq!((again, inode()), (Exported { written: 0, same: 3 }, before));
    assert_eq!(folder.tree(), wanted.tree());
}

#[test]
fn the_prefix_is_made_where_it_is_missing() {
    let folder = Folder::with(&[("a/x", b"x")]);
    export(&folder.dir(), &prefix("a/b/c/"), &[output("a/b/c/d", b"d")]).unwrap();
    assert_eq!(folder.tree(), Folder::with(&[("a/x", b"x"), ("a/b/c/d", b"d")]).tree());
}

/// A replaced file gets a new inode: a second name of the old one keeps the old bytes.
#[test]
fn a_hard_link_out_of_the_outputs_is_not_written_through() {
    let outside = Folder::with(&[("file", b"outside")]);
    let folder = Folder::new();
    fs::create_dir(folder.at("out")).unwrap();
    fs::hard_link(outside.at("file"), folder.at("out/file")).unwrap();
    export(&folder.dir(), &prefix("out/"), &[output("out/file", b"new")]).unwrap();
    assert_eq!(fs::read(outside.at("file")).unwrap(), b"outside");
    assert_eq!(fs::read(folder.at("out/file")).unwrap(), b"new");
}

/// Each obstacle is planted in a fresh folder; the export is refused, and nothing changed inside or
/// outside.
#[test]
fn nothing_planted_on_the_way_is_followed_or_replaced() {
    type Plant = fn(&Folder, &Folder);
    let obstacles: [(&str, Plant); 10] = [
        ("the prefix is a symlink", |it, outside| symlink(&outside.0, it.at("out")).unwrap()),
        ("a folder is a symlink", |it, outside| {
            fs::create_dir(it.at("out")).unwrap();
            symlink(&outside.0, it.at("out/d")).unwrap();
        }),
        ("a folder is a symlink inside", |it, _| {
            fs::create_dir_all(it.at("out/real")).unwrap();
            symlink("real", it.at("out/d")).unwrap();
        }),
        ("the file is a symlink", |it, outside| {
            fs::create_dir_all(it.at("out/d")).unwrap();
            symlink(outside.at("file"), it.at("out/d/file")).unwrap();
        }),
        ("the file is a dangling symlink", |it, outside| {
            fs::create_dir_all(it.at("out/d")).unwrap();
            symlink(outside.at("new"), it.at("out/d/file")).unwrap();
        }),
        ("the file is a pipe", |it, _| {
            fs::create_dir_all(it.at("out/d")).unwrap();
            assert!(Command::new("mkfifo").arg(it.at("out/d/file")).status().unwrap().success());
        }),
        ("the file is a folder", |it, _| fs::create_dir_all(it.at("out/d/file")).unwrap()),
        ("a folder is a file", |it, _| it.write("out/d", b"file")),
        ("the prefix is a file", |it, _| it.write("out", b"file")),
        ("the folder may not be written", |it, _| {
            fs::create_dir_all(it.at("out")).unwrap();
            fs::create_dir_all(it.at("out/d")).unwrap();
            it.write("out/d/file/x", b"in the way");
        }),
    ];
    let outputs = [output("out/a", b"a"), output("out/d/file", b"new"), output("out/e/f", b"f")];
    for (what, plant) in obstacles {
        let (folder, outside) = (Folder::new(), Folder::with(&[("file", b"outside")]));
        plant(&folder, &outside);
        let before = (folder.tree(), outside.tree());
        let done = export(&folder.dir(), &prefix("out/"), &outputs);
        let refused = matches!(done, Err(ExportError::NotFolder(_) | ExportError::NotFile(_)));
        assert!(refused, "{what}: {done:?}");
        assert_eq!((folder.tree(), outside.tree()), before, "{what}");
    }
    let folder = Folder::new();
    export(&folder.dir(), &prefix("out/"), &outputs).expect("without an obstacle it works");
}

/// An obstacle that shows when half is done: what was done is undone.
#[test]
fn a_late_failure_leaves_everything_as_it_was() {
    let folder = Folder::with(&[("out/a", b"old a"), ("out/b", b"old b")]);
    // Two outputs of which one has to be the other's folder: no look beforehand shows it.
    let outputs = [
        output("out/a", b"new a"),
        output("out/n/m", b"new"),
        output("out/x", b"file"),
        output("out/x/y", b"below a file"),
    ];
    let before = folder.tree();
    let done = export(&folder.dir(), &prefix("out/"), &outputs);
    assert!(done.is_err(), "{done:?}");
    assert_eq!(folder.tree(), before);
    export(&folder.dir(), &prefix("out/"), &outputs[..3]).unwrap();
    assert_eq!(fs::read(folder.at("out/a")).unwrap(), b"new a");
}

#[test]
fn what_a_killed_export_left_is_cleared_away() {
    let folder = Folder::with(&[("out/a", b"old")]);
    let outputs = [output("out/a", b"new")];
    let digests: Vec<&[u8]> = outputs.iter().map(|it| &it.digest.as_bytes()[..]).collect();
    let name = format!("out/.envelope-staging-{}", Digest::of_parts(&digests).hex());
    folder.write(&format!("{name}/0"), b"half");
    folder.write(&format!("{name}/0.before"), b"old");
    export(&folder.dir(), &prefix("out/"), &outputs).unwrap();
    assert_eq!(folder.tree(), Folder::with(&[("out/a", b"new")]).tree());
}

#[test]
fn what_is_not_below_the_prefix_stays() {
    let folder = Folder::new();
    for name in ["a", "output/a", "ou"] {
        let outputs = [output("out/fine", b""), output(name, b"")];
        let done = export(&folder.dir(), &prefix("out/"), &outputs);
        assert!(matches!(&done, Err(ExportError::Outside(at)) if *at == path(name)), "{done:?}");
    }
    let unloaded = Output { bytes: None, ..output("out/a", b"") };
    let done = export(&folder.dir(), &prefix("out/"), &[unloaded]);
    assert!(matches!(done, Err(ExportError::NotLoaded(_))), "{done:?}");
    assert_eq!(folder.tree(), vec![]);
}

/// Somebody swaps a folder for a symlink all the while. Exports come through or fail; imports find
/// the file or leave the symlink behind; nothing outside is read or written.
#[test]
fn a_symlink_swapped_in_between_two_looks_leads_nowhere() {
    let outside = Folder::with(&[("file", b"secret")]);
    let folder = Folder::with(&[("out/d/file", b"inside")]);
    let before = outside.tree();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            // Exports interfere, so each step may fail, and then the next one is tried.
            while !done.load(Ordering::Relaxed) {
                let _ = fs::rename(folder.at("out/d"), folder.at("gone"));
                let _ = symlink(&outside.0, folder.at("out/d"));
                let _ = fs::remove_dir_all(folder.at("gone"));
                let _ = fs::remove_file(folder.at("out/d"));
                thread::sleep(Duration::from_millis(1));
            }
        });
        let contents: [&[u8]; 2] = [b"one", b"two"];
        for content in contents.into_iter().cycle().take(300) {
            let outputs = [output("out/d/file", content), output("out/d/e/file", content)];
            let _ = export(&folder.dir(), &prefix("out/"), &outputs);
            if let Ok(Imported { manifest, .. }) = take_in(&folder, &Limits::default()) {
                let secret = Digest::of(b"secret");
                assert!(manifest.files().iter().all(|file| file.digest != secret));
            }
        }
        done.store(true, Ordering::Relaxed);
    });
    assert_eq!(outside.tree(), before);
    let calm = [output("out/d/file", b"calm")];
    export(&folder.dir(), &prefix("out/"), &calm).expect("nobody is in the way any more");
    let secret = Digest::of(b"secret").to_string();
    assert!(folder.tree().iter().all(|(_, what)| *what != secret));
}

/// In, through a run, and out again.
#[test]
fn a_moved_input_goes_out_with_its_bytes() {
    let folder = Folder::with(&[("out/old", b"bytes")]);
    let blobs = in_memory();
    let imported =
        wait(import(&folder.dir(), &blobs, &Limits::default(), |_| {})).unwrap().manifest;
    let outputs = prefix("out/");
    let mut it = Workspace::new(&imported, Some(&outputs), Quota::default(), START).unwrap();
    it.rename(&path("out/old"), &path("out/new"), START).unwrap();
    let mut given = it.outputs(&outputs);
    for output in &mut given {
        wait(output.load(&blobs)).unwrap();
    }
    export(&folder.dir(), &outputs, &given).unwrap();
    assert_eq!(fs::read(folder.at("out/new")).unwrap(), b"bytes");
    assert_eq!(fs::metadata(folder.at("out/new")).unwrap().permissions().mode() & 0o111, 0);
}
