//! What the model against the real file system does not show: quotas, times, identity, outputs.

use bytes::Bytes;
use envelope_gate::workspace::{BadManifest, FsError, Moment, NodeKind, Quota, Used};

use super::*;

const NOW: Timestamp = at(2_000);

fn quota(bytes: u64, files: u64) -> Quota {
    Quota { bytes, files, ..Quota::default() }
}

/// Everything that can be seen of a workspace.
fn seen(it: &Workspace) -> String {
    let mut text = format!("{:?}\n", it.used());
    let mut waiting = vec![Path::root()];
    while let Some(folder) = waiting.pop() {
        let id = it.lookup(&folder).unwrap();
        text += &format!("{folder} {:?}\n", it.stat(id).unwrap());
        for listed in it.list(id).unwrap() {
            let below = folder.join(&listed.name).unwrap();
            let id = it.lookup(&below).unwrap();
            assert_eq!(it.path(id), Some(below.clone()));
            match listed.kind {
                NodeKind::Folder => waiting.push(below),
                NodeKind::File => {
                    let bytes = it.read(id, 0, u64::MAX).map(|bytes| Digest::of(&bytes));
                    text += &format!("{below} {:?} {bytes:?}\n", it.stat(id).unwrap());
                }
            }
        }
    }
    text
}

/// `act` fails with `wanted`, and nothing changed.
#[track_caller]
fn refused<T: std::fmt::Debug>(
    it: &mut Workspace,
    wanted: FsError,
    act: impl FnOnce(&mut Workspace) -> Result<T, FsError>,
) {
    let before = seen(it);
    assert_eq!(act(it).unwrap_err(), wanted);
    assert_eq!(seen(it), before);
}

#[test]
fn bytes_are_counted_to_the_last() {
    let mut it = workspace(&[("in", b"0123456789")], "out/", quota(20, 9));
    let file = it.create(&path("out/a"), NOW).unwrap();
    it.write(file, 0, b"01234", NOW).unwrap();
    assert_eq!(it.used(), Used { bytes: 5, files: 1 });
    refused(&mut it, FsError::Quota, |it| it.write(file, 20, b"x", NOW));
    refused(&mut it, FsError::Quota, |it| it.set_size(file, 21, NOW));
    refused(&mut it, FsError::FileTooLarge, |it| it.write(file, u64::MAX, b"x", NOW));
    refused(&mut it, FsError::FileTooLarge, |it| it.set_size(file, u64::MAX, NOW));
    it.write(file, 19, b"x", NOW).unwrap();
    assert_eq!(it.used().bytes, 20, "a hole counts in full");
    refused(&mut it, FsError::Quota, |it| it.append(file, b"x", NOW));
    it.write(file, 0, b"y", NOW).unwrap();
    it.set_size(file, 10, NOW).unwrap();
    let input = it.lookup(&path("in")).unwrap();
    refused(&mut it, FsError::Quota, |it| it.append(input, b"x", NOW));
    it.write(input, 0, b"x", NOW).unwrap();
    assert_eq!(it.used(), Used { bytes: 20, files: 2 }, "a changed input counts as a whole");
}

#[test]
fn one_file_is_bounded_too() {
    let small = Quota { file_bytes: 4, ..Quota::default() };
    let mut it = workspace(&[("in", b"0123456789")], "", small);
    let file = it.create(&path("a"), NOW).unwrap();
    it.write(file, 0, b"0123", NOW).unwrap();
    refused(&mut it, FsError::FileTooLarge, |it| it.append(file, b"4", NOW));
    let input = it.lookup(&path("in")).unwrap();
    it.write(input, 0, b"x", NOW).expect("it was larger before");
    refused(&mut it, FsError::FileTooLarge, |it| it.append(input, b"x", NOW));
}

#[test]
fn files_are_counted_while_anything_holds_them() {
    let mut it = workspace(&[("in/a", b"a"), ("in/b", b"b")], "out/", quota(9, 3));
    assert_eq!(it.used(), Used::default());
    let file = it.create(&path("a"), NOW).unwrap();
    it.write(file, 0, b"12345678", NOW).unwrap();
    it.mkdir(&path("d"), NOW).unwrap();
    it.create(&path("d/b"), NOW).unwrap();
    refused(&mut it, FsError::Quota, |it| it.create(&path("c"), NOW));
    refused(&mut it, FsError::Quota, |it| it.mkdir(&path("c"), NOW));
    refused(&mut it, FsError::Quota, |it| it.rename(&path("in/a"), &path("c"), NOW));
    it.unlink(&path("d/b"), NOW).unwrap();
    refused(&mut it, FsError::Quota, |it| it.rename(&path("in"), &path("c"), NOW));
    it.retain(file).unwrap();
    it.unlink(&path("a"), NOW).unwrap();
    assert_eq!(it.used(), Used { bytes: 8, files: 2 }, "a descriptor holds it");
    assert_eq!(it.stat(file).unwrap().links, 0);
    refused(&mut it, FsError::Quota, |it| it.rename(&path("in"), &path("c"), NOW));
    it.release(file);
    assert_eq!(it.used(), Used { bytes: 0, files: 1 });
    assert_eq!(it.stat(file), Err(FsError::BadDescriptor));
    it.rename(&path("in"), &path("c"), NOW).unwrap();
    assert_eq!(it.used(), Used { bytes: 2, files: 3 }, "moved files are the run's own");
}

/// What a rename replaces makes room for what it brings.
#[test]
fn a_rename_exchanges() {
    let mut it = workspace(&[("in", b"123")], "out/", quota(4, 1));
    let file = it.create(&path("out/a"), NOW).unwrap();
    it.write(file, 0, b"12", NOW).unwrap();
    it.retain(file).unwrap();
    refused(&mut it, FsError::Quota, |it| it.rename(&path("in"), &path("out/a"), NOW));
    it.release(file);
    it.rename(&path("in"), &path("out/a"), NOW).unwrap();
    assert_eq!(it.used(), Used { bytes: 3, files: 1 });
    it.unlink(&path("out/a"), NOW).unwrap();
    assert_eq!(it.used(), Used::default());
}

#[test]
fn paths_are_bounded_where_they_are_made() {
    let short = Quota { path: 8, ..Quota::default() };
    let mut it = workspace(&[("input/long-name", b"")], "out/", short);
    it.create(&path("out/1234"), NOW).unwrap();
    refused(&mut it, FsError::NameTooLong, |it| it.create(&path("out/12345"), NOW));
    refused(&mut it, FsError::NameTooLong, |it| {
        it.rename(&path("out/1234"), &path("123456789"), NOW)
    });
    it.mkdir(&path("a"), NOW).unwrap();
    it.create(&path("a/1234"), NOW).unwrap();
    refused(&mut it, FsError::NameTooLong, |it| it.rename(&path("a"), &path("abcd"), NOW));
    it.rename(&path("a"), &path("abc"), NOW).unwrap();
    let mut it = workspace(&[(&["d"; 31].join("/"), b"")], "", Quota::default());
    it.mkdir(&path("e"), NOW).unwrap();
    it.mkdir(&path("e/e"), NOW).unwrap();
    refused(&mut it, FsError::NameTooLong, |it| it.rename(&path("d"), &path("e/e/d"), NOW));
    it.rename(&path("d"), &path("e/d"), NOW).unwrap();
}

#[test]
fn times_are_what_the_caller_says() {
    let mut it = workspace(&[("in", b"x")], "out/", Quota::default());
    let stat = |it: &Workspace, name: &str| it.stat(it.lookup(&path(name)).unwrap()).unwrap();
    let times = |it: &Workspace, name: &str| {
        let stat = stat(it, name);
        [stat.accessed, stat.modified, stat.changed].map(|at| at.secs())
    };
    for name in [".", "in", "out"] {
        assert_eq!(times(&it, name), [1, 1, 1], "{name}");
    }
    let file = it.create(&path("out/a"), at(2_000)).unwrap();
    assert_eq!((times(&it, "out/a"), times(&it, "out")), ([2, 2, 2], [1, 2, 2]));
    it.write(file, 0, b"x", at(3_500)).unwrap();
    assert_eq!((times(&it, "out/a"), times(&it, "out")), ([2, 3, 3], [1, 2, 2]));
    assert_eq!(stat(&it, "out/a").modified.nanos(), 500_000_000);
    it.write(file, 0, b"", at(4_000)).unwrap();
    let _ = it.read(file, 0, 1).unwrap();
    assert_eq!(times(&it, "out/a"), [2, 3, 3], "nothing was written, and reading changes nothing");
    it.rename(&path("out/a"), &path("b"), at(5_000)).unwrap();
    assert_eq!(
        (times(&it, "b"), times(&it, "out"), times(&it, ".")),
        ([2, 3, 5], [1, 5, 5], [1, 5, 5])
    );
    let exact = Moment::new(77, 123_456_789).unwrap();
    it.set_times(file, None, Some(exact), at(6_000)).unwrap();
    assert_eq!((stat(&it, "b").modified, times(&it, "b")), (exact, [2, 77, 6]));
    assert_eq!(Moment::new(0, 1_000_000_000), None);
}

#[test]
fn identity_survives_names() {
    let mut it = workspace(&[("d/a", b"a"), ("d/b", b"b")], "", Quota::default());
    let (a, b) = (it.lookup(&path("d/a")).unwrap(), it.lookup(&path("d/b")).unwrap());
    let hash = it.metadata_hash(a).unwrap();
    assert!(it.same(a, a) && !it.same(a, b));
    assert_ne!(hash, it.metadata_hash(b).unwrap());
    it.retain(b).unwrap();
    it.rename(&path("d/a"), &path("d/b"), NOW).unwrap();
    it.rename(&path("d"), &path("e"), NOW).unwrap();
    assert_eq!((it.path(a), it.path(b)), (Some(path("e/b")), None));
    assert_eq!((it.metadata_hash(a), it.lookup(&path("e/b"))), (Ok(hash), Ok(a)));
    assert_eq!(it.read(b, 0, 9).unwrap(), "b", "what was replaced is still read");
    let folder = it.mkdir(&path("f"), NOW).unwrap();
    it.retain(folder).unwrap();
    it.rmdir(&path("f"), NOW).unwrap();
    assert_eq!((it.path(folder), it.list(folder)), (None, Ok(vec![])));
    let new = it.mkdir(&path("f"), NOW).unwrap();
    assert!(!it.same(folder, new));
}

#[test]
fn the_root_stays() {
    let mut it = workspace(&[], "", Quota::default());
    let root = path(".");
    it.mkdir(&path("a"), NOW).unwrap();
    refused(&mut it, FsError::Busy, |it| it.rmdir(&root, NOW));
    refused(&mut it, FsError::IsDirectory, |it| it.unlink(&root, NOW));
    refused(&mut it, FsError::Exist, |it| it.mkdir(&root, NOW));
    refused(&mut it, FsError::Exist, |it| it.create(&root, NOW));
    refused(&mut it, FsError::Busy, |it| it.rename(&root, &path("a/b"), NOW));
    refused(&mut it, FsError::Busy, |it| it.rename(&path("a"), &root, NOW));
    let id = it.root();
    it.release(id);
    assert_eq!(it.lookup(&root), Ok(id));
}

#[test]
fn content_is_loaded_when_it_is_needed() {
    let files = [("a", &b"0123456789"[..]), ("b", b"")];
    let mut it = Workspace::new(&manifest(&files), None, Quota::default(), START).unwrap();
    let (a, b) = (it.lookup(&path("a")).unwrap(), it.lookup(&path("b")).unwrap());
    assert_eq!((it.needs(a), it.needs(b)), (Some(Digest::of(b"0123456789")), None));
    assert_eq!(it.stat(a).unwrap().size, 10, "metadata needs nothing");
    refused(&mut it, FsError::Io, |it| it.read(a, 0, 1));
    refused(&mut it, FsError::Io, |it| it.write(a, 0, b"x", NOW));
    refused(&mut it, FsError::Io, |it| it.set_size(a, 5, NOW));
    refused(&mut it, FsError::Io, |it| it.supply(a, Bytes::from_static(b"too short")));
    let mut emptied = it.clone();
    emptied.set_size(a, 0, NOW).unwrap();
    assert_eq!(emptied.needs(a), None, "nothing of it is left to be read");
    it.supply(a, Bytes::from_static(b"0123456789")).unwrap();
    assert_eq!(it.read(a, 8, 9).unwrap(), "89");
}

/// Reading what nobody wrote over gives slices of what was supplied.
#[test]
fn inputs_are_not_copied() {
    let bytes = Bytes::from(vec![7; 1 << 20]);
    let mut it =
        Workspace::new(&manifest(&[("a", &bytes)]), None, Quota::default(), START).unwrap();
    let a = it.lookup(&path("a")).unwrap();
    it.supply(a, bytes.clone()).unwrap();
    let same = |it: &Workspace, offset: usize| {
        let read = it.read(a, offset.try_into().unwrap(), 4096).unwrap();
        read.as_ptr() == bytes[offset..].as_ptr()
    };
    assert!(same(&it, 0) && same(&it, 1000) && same(&it, 65_000));
    it.write(a, 70_000, b"x", NOW).unwrap();
    assert!(same(&it, 0) && !same(&it, 68_000) && same(&it, 200_000));
}

#[test]
fn a_file_cannot_be_a_folder_of_the_outputs() {
    let it = |outputs: &str| {
        Workspace::new(&manifest(&[("a/b", b"")]), Some(&prefix(outputs)), Quota::default(), START)
    };
    assert!(matches!(it("a/b/"), Err(BadManifest::Twice(_))));
    assert!(matches!(it("a/b/c/"), Err(BadManifest::Twice(_))));
    let it = it("a/c/d/").unwrap();
    assert!(it.folder(&path("a/c/d")).is_ok());
}

#[test]
fn outputs_are_what_the_run_made_its_own() {
    let files = [
        ("out/kept", &b"kept"[..]),
        ("out/changed", b"old"),
        ("out/moved", b"moved"),
        ("out/gone", b"gone"),
        ("out/emptied", b"full"),
        ("in", b"in"),
    ];
    let mut it =
        Workspace::new(&manifest(&files), Some(&prefix("out/")), Quota::default(), START).unwrap();
    let changed = it.lookup(&path("out/changed")).unwrap();
    it.supply(changed, Bytes::from_static(b"old")).unwrap();
    it.write(changed, 0, b"new", NOW).unwrap();
    let emptied = it.lookup(&path("out/emptied")).unwrap();
    it.set_size(emptied, 0, NOW).unwrap();
    it.mkdir(&path("out/d"), NOW).unwrap();
    it.rename(&path("out/moved"), &path("out/d/moved"), NOW).unwrap();
    it.unlink(&path("out/gone"), NOW).unwrap();
    it.create(&path("out-side"), NOW).unwrap();
    let outputs: Vec<_> = it
        .outputs(&prefix("out/"))
        .into_iter()
        .map(|output| (output.path.to_string(), output.digest, output.size, output.bytes))
        .collect();
    let row = |name: &str, bytes: &'static [u8]| {
        let size = bytes.len().try_into().unwrap();
        (name.to_owned(), Digest::of(bytes), size, Some(Bytes::from_static(bytes)))
    };
    let mut moved = row("out/d/moved", b"moved");
    moved.3 = None;
    assert_eq!(outputs, [row("out/changed", b"new"), moved, row("out/emptied", b"")]);
    assert_eq!(it.outputs(&prefix("nowhere/")), []);
}

/// What another run made is tried before it is taken in: all of it, behind what came before.
#[test]
fn what_comes_from_another_run_is_tried_first() {
    let quota = Quota { files: 3, ..Quota::default() };
    let mut it = workspace(&[("in/a", b"a")], "out/", quota);
    it.mkdir(&path("out/folder"), START).unwrap();
    let files = |names: &[&str]| names.iter().map(|name| entry(name, b"x")).collect::<Vec<_>>();
    for (before, then, expected) in [
        (&[][..], &["out/x", "out/y"][..], Ok(())),
        (&["out/x"], &["out/y"], Ok(())),
        (&["out/x"], &["out/x"], Ok(())),
        (&["out/x", "out/y"], &["out/z"], Err(FsError::Quota)),
        (&[], &["in/a"], Ok(())),
        (&[], &["in/a/b"], Err(FsError::NotDirectory)),
        (&[], &["out/folder"], Err(FsError::IsDirectory)),
        (&[], &["out/folder/x"], Ok(())),
        (&["out/x"], &["out/x/y"], Err(FsError::NotDirectory)),
        (&["out/x/y"], &["out/x"], Err(FsError::NotDirectory)),
    ] {
        let (before, then) = (files(before), files(then));
        assert_eq!(it.admits(&before, &then), expected, "{before:?} {then:?}");
        // And so it goes, file by file.
        let mut taken = it.clone();
        let all = before.iter().chain(&then);
        let accepted: Result<Vec<_>, _> = all.map(|file| taken.accept(file, START)).collect();
        assert_eq!(accepted.is_ok(), expected.is_ok(), "{before:?} {then:?}");
    }
}
