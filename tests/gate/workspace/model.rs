//! The workspace against a real file system: the same operations, the same answers, the same tree.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileExt as _, MetadataExt as _};

use envelope_gate::workspace::{FsError, NodeId, NodeKind, Quota, Used};
use proptest::prelude::*;

use super::*;

const NOW: Timestamp = at(2_000);

/// Offsets and sizes around the pieces in which content is kept, and around the end of the input.
const PLACES: [u64; 9] = [0, 1, 5, 16_383, 16_384, 16_390, 32_768, 40_000, 50_000];

#[derive(Debug, Clone)]
enum Op {
    Create(String),
    Mkdir(String),
    Rmdir(String),
    Unlink(String),
    Rename(String, String),
    Write(String, u64, usize),
    Read(String, u64, usize),
    SetSize(String, u64),
    Open(String),
    Close(usize),
    WriteOpen(usize, u64, usize),
    AppendOpen(usize, usize),
    SetSizeOpen(usize, u64),
}

fn names() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(vec!["a", "b", "c"]), 1..=3)
        .prop_map(|names| format!("w/{}", names.join("/")))
}

fn ops() -> impl Strategy<Value = Op> {
    let place = || prop::sample::select(&PLACES[..]);
    let len = || prop::sample::select(vec![0, 1, 7, 400, 16_384, 20_000]);
    let fd = || 0..4_usize;
    prop_oneof![
        3 => names().prop_map(Op::Create),
        3 => names().prop_map(Op::Mkdir),
        1 => names().prop_map(Op::Rmdir),
        1 => names().prop_map(Op::Unlink),
        4 => (names(), names()).prop_map(|(from, to)| Op::Rename(from, to)),
        3 => (names(), place(), len()).prop_map(|(name, at, len)| Op::Write(name, at, len)),
        2 => (names(), place(), len()).prop_map(|(name, at, len)| Op::Read(name, at, len)),
        1 => (names(), place()).prop_map(|(name, size)| Op::SetSize(name, size)),
        2 => names().prop_map(Op::Open),
        1 => fd().prop_map(Op::Close),
        2 => (fd(), place(), len()).prop_map(|(fd, at, len)| Op::WriteOpen(fd, at, len)),
        1 => (fd(), len()).prop_map(|(fd, len)| Op::AppendOpen(fd, len)),
        1 => (fd(), place()).prop_map(|(fd, size)| Op::SetSizeOpen(fd, size)),
    ]
}

/// Both, with the descriptors that are open in both.
struct Pair {
    real: Folder,
    ours: Workspace,
    open: Vec<(File, NodeId)>,
    written: u8,
}

type Both<T> = (io::Result<T>, Result<T, FsError>);

impl Pair {
    fn new() -> Self {
        let large: Vec<u8> = (0..40_000_u32).map(|n| n.to_le_bytes()[0] | 1).collect();
        let files = [("w/a/a", &large[..]), ("w/b/c/a", b"small"), ("w/c", b"")];
        let real = Folder::with(&files);
        let ours = workspace(&files, "", Quota::default());
        Self { real, ours, open: Vec::new(), written: 0 }
    }

    /// Bytes that were not written before.
    fn bytes(&mut self, len: usize) -> Vec<u8> {
        self.written = self.written.wrapping_add(1).max(1);
        vec![self.written; len]
    }

    fn apply(&mut self, op: &Op) {
        let answer = match op {
            Op::Create(name) => {
                let real = OpenOptions::new().write(true).create_new(true).open(self.real.at(name));
                (real.map(drop), self.ours.create(&path(name), NOW).map(drop))
            }
            Op::Mkdir(name) => {
                let real = fs::create_dir(self.real.at(name));
                (real, self.ours.mkdir(&path(name), NOW).map(drop))
            }
            Op::Rmdir(name) => {
                (fs::remove_dir(self.real.at(name)), self.ours.rmdir(&path(name), NOW))
            }
            Op::Unlink(name) => {
                (fs::remove_file(self.real.at(name)), self.ours.unlink(&path(name), NOW))
            }
            Op::Rename(from, to) => self.rename(from, to),
            Op::Write(name, at, len) => {
                let bytes = self.bytes(*len);
                let real = OpenOptions::new().write(true).open(self.real.at(name));
                let real = real.and_then(|file| file.write_all_at(&bytes, *at));
                let ours = self.ours.lookup(&path(name));
                (real, ours.and_then(|id| self.ours.write(id, *at, &bytes, NOW)))
            }
            Op::Read(name, at, len) => {
                let (real, ours) = self.read(name, *at, *len);
                if let (Ok(real), Ok(ours)) = (&real, &ours) {
                    assert!(real == ours, "{op:?}");
                }
                (real.map(drop), ours.map(drop))
            }
            Op::SetSize(name, size) => {
                let real = OpenOptions::new().write(true).open(self.real.at(name));
                let real = real.and_then(|file| file.set_len(*size));
                let ours = self.ours.lookup(&path(name));
                (real, ours.and_then(|id| self.ours.set_size(id, *size, NOW)))
            }
            Op::Open(name) => self.open(name),
            Op::Close(fd) => {
                if *fd < self.open.len() {
                    let (_, id) = self.open.remove(*fd);
                    self.ours.release(id);
                }
                return;
            }
            Op::WriteOpen(..) | Op::AppendOpen(..) | Op::SetSizeOpen(..) => {
                match self.on_open(op) {
                    Some(answer) => answer,
                    None => return,
                }
            }
        };
        check(op, &answer);
    }

    /// POSIX says what a file over a folder above it is; Linux says that it is not empty.
    fn rename(&mut self, from: &str, to: &str) -> Both<()> {
        let real = fs::rename(self.real.at(from), self.real.at(to));
        let ours = self.ours.rename(&path(from), &path(to), NOW);
        let above = from.strip_prefix(to).is_some_and(|rest| rest.starts_with('/'));
        match (&real, ours) {
            (Err(error), Err(FsError::IsDirectory))
                if above && error.kind() == ErrorKind::DirectoryNotEmpty =>
            {
                (real, Err(FsError::NotEmpty))
            }
            (_, ours) => (real, ours),
        }
    }

    fn read(&self, name: &str, at: u64, len: usize) -> Both<Vec<u8>> {
        let real = File::open(self.real.at(name)).and_then(|file| {
            let mut bytes = vec![0; len];
            let mut filled = 0;
            while filled < len {
                match file.read_at(&mut bytes[filled..], at + filled as u64)? {
                    0 => break,
                    count => filled += count,
                }
            }
            // Linux reads nothing of a folder without complaint.
            if file.metadata()?.is_dir() {
                return Err(ErrorKind::IsADirectory.into());
            }
            bytes.truncate(filled);
            Ok(bytes)
        });
        let ours = self.ours.lookup(&path(name)).and_then(|id| self.ours.read(id, at, len as u64));
        (real, ours.map(|bytes| bytes.to_vec()))
    }

    fn open(&mut self, name: &str) -> Both<()> {
        let real = OpenOptions::new().read(true).write(true).open(self.real.at(name));
        let ours = self.ours.lookup(&path(name)).and_then(|id| {
            let file = self.ours.stat(id)?.kind == NodeKind::File;
            if file { Ok(id) } else { Err(FsError::IsDirectory) }
        });
        match (real, ours) {
            (Ok(file), Ok(id)) => {
                self.ours.retain(id).unwrap();
                self.open.push((file, id));
                (Ok(()), Ok(()))
            }
            (real, ours) => (real.map(drop), ours.map(drop)),
        }
    }

    fn on_open(&mut self, op: &Op) -> Option<Both<()>> {
        let bytes = self.bytes(match op {
            Op::WriteOpen(_, _, len) | Op::AppendOpen(_, len) => *len,
            _ => 0,
        });
        let at = |fd: &usize| self.open.get(*fd).map(|(file, id)| (file, *id));
        Some(match op {
            Op::WriteOpen(fd, offset, _) => {
                let (file, id) = at(fd)?;
                (file.write_all_at(&bytes, *offset), self.ours.write(id, *offset, &bytes, NOW))
            }
            Op::AppendOpen(fd, _) => {
                let (file, id) = at(fd)?;
                let end = file.metadata().unwrap().len();
                let ours = self.ours.append(id, &bytes, NOW);
                assert!(ours == Ok(end), "{op:?}");
                (file.write_all_at(&bytes, end), ours.map(drop))
            }
            Op::SetSizeOpen(fd, size) => {
                let (file, id) = at(fd)?;
                (file.set_len(*size), self.ours.set_size(id, *size, NOW))
            }
            _ => return None,
        })
    }

    /// Every name, every byte, every descriptor.
    fn compare(&self) {
        let mut ours = Vec::new();
        let mut waiting = vec![Path::root()];
        while let Some(folder) = waiting.pop() {
            for listed in self.ours.list(self.ours.lookup(&folder).unwrap()).unwrap() {
                let below = folder.join(&listed.name).unwrap();
                let id = self.ours.lookup(&below).unwrap();
                assert_eq!(self.ours.path(id).as_ref(), Some(&below));
                let what = match listed.kind {
                    NodeKind::File => {
                        Digest::of(&self.ours.read(id, 0, u64::MAX).unwrap()).to_string()
                    }
                    NodeKind::Folder => "folder".to_owned(),
                };
                ours.push((below.to_string(), what));
                if listed.kind == NodeKind::Folder {
                    waiting.push(below);
                }
            }
        }
        ours.sort();
        assert_eq!(ours, self.real.tree());
        for (file, id) in &self.open {
            let (real, ours) = (file.metadata().unwrap(), self.ours.stat(*id).unwrap());
            assert_eq!((real.len(), real.nlink()), (ours.size, ours.links));
            let mut bytes = vec![0; real.len().try_into().unwrap()];
            file.read_exact_at(&mut bytes, 0).unwrap();
            assert!(bytes == self.ours.read(*id, 0, u64::MAX).unwrap());
        }
    }
}

fn check(op: &Op, (real, ours): &Both<()>) {
    let real = real.as_ref().map_err(|error| match error.kind() {
        ErrorKind::NotFound => FsError::NoEntry,
        ErrorKind::AlreadyExists => FsError::Exist,
        ErrorKind::NotADirectory => FsError::NotDirectory,
        ErrorKind::IsADirectory => FsError::IsDirectory,
        ErrorKind::DirectoryNotEmpty => FsError::NotEmpty,
        ErrorKind::InvalidInput => FsError::Invalid,
        kind => panic!("{op:?}: {kind}"),
    });
    assert_eq!(ours.as_ref(), real.as_ref().map(|()| &()), "{op:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn like_a_real_file_system(ops in prop::collection::vec(ops(), 1..60)) {
        let mut pair = Pair::new();
        for op in &ops {
            pair.apply(op);
        }
        pair.compare();
        for (_, id) in std::mem::take(&mut pair.open) {
            pair.ours.release(id);
        }
        let own = pair.ours.outputs(&prefix("w/"));
        let Used { bytes, files } = pair.ours.used();
        prop_assert_eq!(bytes, own.iter().map(|output| output.size).sum::<u64>());
        prop_assert!(files >= own.len() as u64);
        empty(&mut pair.ours, &path("w"));
        prop_assert_eq!(pair.ours.used(), Used::default());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(30))]

    /// All there is to see and not to see: numbers of nodes, times, pieces.
    #[test]
    fn the_same_calls_lead_to_the_same_state(ops in prop::collection::vec(ops(), 1..60)) {
        let [one, two] = [(); 2].map(|()| {
            let mut pair = Pair::new();
            ops.iter().for_each(|op| pair.apply(op));
            format!("{:?}", pair.ours)
        });
        prop_assert!(one == two);
    }
}

fn empty(ours: &mut Workspace, folder: &Path) {
    for listed in ours.list(ours.lookup(folder).unwrap()).unwrap() {
        let below = folder.join(&listed.name).unwrap();
        match listed.kind {
            NodeKind::File => ours.unlink(&below, NOW).unwrap(),
            NodeKind::Folder => {
                empty(ours, &below);
                ours.rmdir(&below, NOW).unwrap();
            }
        }
    }
}

/// The positive control: a workspace that differs in one byte, or one name, is told apart.
#[test]
#[should_panic(expected = "left == right")]
fn the_comparison_sees_one_byte() {
    let mut pair = Pair::new();
    let id = pair.ours.lookup(&path("w/b/c/a")).unwrap();
    pair.ours.write(id, 4, b"L", NOW).unwrap();
    pair.compare();
}

/// Each of the operations succeeds and fails in the samples below, so the property is not empty.
#[test]
fn every_operation_was_seen_both_ways() {
    let mut pair = Pair::new();
    let s = |text: &str| format!("w/{text}");
    for op in [
        Op::Create(s("a/b")),
        Op::Create(s("a/b")),
        Op::Create(s("c/b")),
        Op::Create(s("x/b")),
        Op::Mkdir(s("b/b")),
        Op::Mkdir(s("a")),
        Op::Rmdir(s("b/b")),
        Op::Rmdir(s("a")),
        Op::Rmdir(s("c")),
        Op::Unlink(s("a")),
        Op::Unlink(s("a/b")),
        Op::Rename(s("a"), s("a/b")),
        Op::Rename(s("a"), s("c")),
        Op::Rename(s("c"), s("a")),
        Op::Rename(s("b/c/a"), s("b")),
        Op::Rename(s("b/c"), s("b")),
        Op::Rename(s("c"), s("c")),
        Op::Rename(s("b"), s("a/b")),
        Op::Open(s("a/a")),
        Op::Open(s("a")),
        Op::Rename(s("c"), s("a/a")),
        Op::WriteOpen(0, 50_000, 7),
        Op::AppendOpen(0, 400),
        Op::SetSizeOpen(0, 16_390),
        Op::Read(s("a"), 0, 1),
        Op::Write(s("a"), 0, 1),
        Op::SetSize(s("a"), 1),
        Op::Read(s("a/b/c/a"), 1, 20_000),
    ] {
        pair.apply(&op);
        pair.compare();
    }
    assert_eq!(pair.ours.stat(pair.open[0].1).unwrap().links, 0);
}
