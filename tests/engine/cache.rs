//! What was compiled is kept, and nobody else's bytes are ever loaded.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Barrier, Mutex};
use std::time::Duration;
use std::{env, fs, process, thread};

use bytes::Bytes;
use cap_std::ambient_authority;
use cap_std::fs::Dir;
use envelope_engine::component::{CacheKey, Compiled, Components, How, Refused, Step};
use envelope_evidence::Digest;

use super::wasm::{command, component};
use super::{machine, wait};

const SERVED: &[&str] = &["wasi:io/poll@0.2.12"];

/// A folder of this test's own, gone when it ends.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = env::temp_dir().join(format!("envelope-compiled-{}-{number}", process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// The files in it.
    fn files(&self) -> Vec<PathBuf> {
        let mut files: Vec<_> =
            fs::read_dir(&self.0).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files
    }

    /// The one file in it.
    fn file(&self) -> PathBuf {
        let files = self.files();
        assert_eq!(files.len(), 1, "{files:?}");
        files[0].clone()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn components(folder: &Path, key: u8) -> Components {
    let dir = Dir::open_ambient_dir(folder, ambient_authority()).unwrap();
    let components = Components::new(machine().clone(), SERVED);
    components.kept_in(dir, CacheKey::new([key; 32])).unwrap()
}

/// Loads as a process would that has just started.
fn load(folder: &Folder, bytes: &Bytes) -> Compiled {
    let compiled = wait(components(&folder.0, 1).load(bytes, |_| {})).unwrap();
    assert!(compiled.not_kept.is_none(), "{:?}", compiled.not_kept);
    compiled
}

/// A program that takes the compiler a while.
fn long(seed: usize) -> Bytes {
    let sum = "(i32.add (i32.const 1) (i32.mul (local.get 0) (local.get 0)))";
    let function = format!("(func (param i32) (result i32) {sum})");
    command(&format!("i32.const {seed}"), &function.repeat(5_000))
}

#[test]
fn the_second_load_is_cached() {
    let (folder, program) = (Folder::new(), command("i32.const 0", ""));
    let told = Mutex::new(Vec::new());
    let load = || {
        let loaded = components(&folder.0, 1);
        let loaded = wait(loaded.load(&program, |step| told.lock().unwrap().push(step))).unwrap();
        (loaded.how, loaded.digest)
    };
    let digest = Digest::of(&program);
    assert_eq!(load(), (How::Fresh, digest));
    assert_eq!(*told.lock().unwrap(), [Step::Compiling { bytes: program.len() }]);
    assert_eq!(load(), (How::Cached, digest));
    assert_eq!(told.lock().unwrap().len(), 1, "nothing to wait for");
}

#[test]
fn what_is_kept_is_ours_alone() {
    let folder = Folder::new();
    fs::set_permissions(&folder.0, fs::Permissions::from_mode(0o755)).unwrap();
    load(&folder, &command("i32.const 0", ""));
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder.0), 0o700);
    assert_eq!(mode(&folder.file()), 0o600);
}

#[test]
fn a_changed_entry_is_compiled_again() {
    let (folder, program) = (Folder::new(), command("i32.const 0", ""));
    load(&folder, &program);
    let path = folder.file();
    let good = fs::read(&path).unwrap();
    let changed = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = good.clone();
        change(&mut bytes);
        fs::write(&path, bytes).unwrap();
        assert_eq!(load(&folder, &program).how, How::Repaired);
        assert_eq!(load(&folder, &program).how, How::Cached);
    };
    // In the first line, in the code, at the beginning and end of the machine code, and in it.
    let last = good.len() - 1;
    for at in [0, 20, 21, 40, 52, 53, 54, good.len() / 3, good.len() / 2, last] {
        changed(&|bytes| bytes[at] ^= 1);
    }
    changed(&|bytes| bytes.truncate(last));
    changed(&|bytes| bytes.truncate(30));
    changed(&|bytes| bytes.clear());
    changed(&|bytes| bytes.push(0));
}

#[test]
fn an_entry_proves_itself_with_the_key_alone() {
    let (folder, program) = (Folder::new(), command("i32.const 0", ""));
    assert_eq!(wait(components(&folder.0, 1).load(&program, |_| {})).unwrap().how, How::Fresh);
    // Written by somebody who knows everything but the key.
    assert_eq!(wait(components(&folder.0, 2).load(&program, |_| {})).unwrap().how, How::Repaired);
    assert_eq!(wait(components(&folder.0, 2).load(&program, |_| {})).unwrap().how, How::Cached);
    assert_eq!(wait(components(&folder.0, 1).load(&program, |_| {})).unwrap().how, How::Repaired);
}

#[test]
fn an_entry_is_no_other_components() {
    let (folder, other) = (Folder::new(), Folder::new());
    let (good, evil) = (command("i32.const 0", ""), command("i32.const 1", ""));
    load(&folder, &good);
    load(&other, &evil);
    fs::copy(other.file(), folder.file()).unwrap();
    assert_eq!(load(&folder, &good).how, How::Repaired);
    assert_eq!(load(&folder, &good).how, How::Cached);
}

#[test]
fn a_folder_that_cannot_be_written_is_done_without() {
    let (folder, program) = (Folder::new(), command("i32.const 0", ""));
    let components = components(&folder.0, 1);
    fs::remove_dir(&folder.0).unwrap();
    let loaded = wait(components.load(&program, |_| {})).unwrap();
    assert_eq!(loaded.how, How::Fresh);
    assert!(loaded.not_kept.is_some());
}

#[test]
fn threads_that_write_the_same_do_not_disturb_each_other() {
    const THREADS: usize = 8;
    let (folder, program) = (Folder::new(), command("i32.const 0", ""));
    let ready = Barrier::new(THREADS);
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                let components = components(&folder.0, 1);
                ready.wait();
                let loaded = wait(components.load(&program, |_| {})).unwrap();
                assert_ne!(loaded.how, How::Repaired, "nobody sees a half-written entry");
                assert!(loaded.not_kept.is_none(), "{:?}", loaded.not_kept);
            });
        }
    });
    folder.file();
    assert_eq!(load(&folder, &program).how, How::Cached);
}

const RACE: &str = "ENVELOPE_TEST_RACE";

#[test]
fn processes_that_write_the_same_do_not_disturb_each_other() {
    let folder = Folder::new();
    let race = || {
        Command::new(env::current_exe().unwrap())
            .args(["--exact", "engine::cache::one_of_two_processes"])
            .env(RACE, &folder.0)
            .spawn()
            .unwrap()
    };
    for mut process in [race(), race()] {
        assert!(process.wait().unwrap().success());
    }
    folder.file();
    assert_eq!(load(&folder, &command("i32.const 0", "")).how, How::Cached);
}

/// Started by the test above; by itself it has nothing to do.
#[test]
fn one_of_two_processes() {
    let Some(folder) = env::var_os(RACE) else { return };
    let components = components(Path::new(&folder), 1);
    let loaded = wait(components.load(&command("i32.const 0", ""), |_| {})).unwrap();
    assert_ne!(loaded.how, How::Repaired);
    assert!(loaded.not_kept.is_none(), "{:?}", loaded.not_kept);
}

#[test]
fn who_comes_second_waits_for_the_first() {
    let (folder, program) = (Folder::new(), long(0));
    let components = components(&folder.0, 1);
    let told = Mutex::new(Vec::new());
    let load = || components.load(&program, |step| told.lock().unwrap().push(step));
    let (one, two) = wait(async { tokio::join!(load(), load()) });
    let mut how = [one.unwrap().how, two.unwrap().how];
    how.sort_by_key(|how| *how == How::Cached);
    assert_eq!(how, [How::Fresh, How::Cached]);
    let told = told.into_inner().unwrap();
    assert!(told.contains(&Step::Waiting), "{told:?}");
    let compilations = told.iter().filter(|step| matches!(step, Step::Compiling { .. }));
    assert_eq!(compilations.count(), 1, "{told:?}");
}

#[test]
fn a_compilation_has_its_time_and_keeps_its_seat() {
    let folder = Folder::new();
    let components = components(&folder.0, 1).within(Duration::ZERO);
    let refused = |seed| match wait(components.load(&long(seed), |_| {})) {
        Err(refused) => refused,
        Ok(loaded) => panic!("{seed}: {:?}", loaded.how),
    };
    let after = Duration::ZERO;
    assert_eq!(refused(1), Refused::Slow { after });
    assert_eq!(refused(2), Refused::Slow { after });
    // Both go on, and have the seats.
    assert_eq!(refused(3), Refused::Busy { after });
    // What they make is thrown away.
    assert_eq!(load(&folder, &long(1)).how, How::Fresh);
}

#[test]
fn what_may_not_run_is_not_compiled() {
    let folder = Folder::new();
    let refused = |bytes: &Bytes| match wait(components(&folder.0, 1).load(bytes, |_| {})) {
        Err(refused) => refused,
        Ok(loaded) => panic!("{:?}", loaded.how),
    };
    let foreign = component("(import \"a:b/c@1.0.0\" (instance))");
    assert_eq!(refused(&foreign), Refused::Foreign(vec!["a:b/c@1.0.0".to_owned()]));
    assert_eq!(refused(&component("")), Refused::Shapeless);
    let module = wat::parse_str("(module)").unwrap().into();
    assert_eq!(refused(&module), Refused::CoreModule);
    let shared = command("i32.const 0", "(memory 1 1 shared)");
    assert!(matches!(refused(&shared), Refused::Off { .. }));
    let mut broken = command("i32.const 0", "").to_vec();
    let at = broken.iter().rposition(|&byte| byte == 0x0b).unwrap();
    broken[at] = 0xff;
    assert!(matches!(refused(&broken.into()), Refused::Malformed { .. }));
    assert_eq!(folder.files(), Vec::<PathBuf>::new());
    // Beside them, the same program is.
    assert_eq!(load(&folder, &command("i32.const 0", "")).how, How::Fresh);
}
