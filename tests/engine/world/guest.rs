//! The guests, compiled once for all tests.

use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, LazyLock};
use std::{env, fs};

use envelope_engine::config::Machine;
use envelope_engine::prepared::{NotRunnable, Prepared};

use crate::cargo::root;

const TARGET: &str = "wasm32-wasip2";

static BYTES: LazyLock<Vec<u8>> = LazyLock::new(|| built("guests"));

/// The engine of all tests. It has no heartbeat, so that nothing happens by chance.
pub fn machine() -> &'static Machine {
    static MACHINE: LazyLock<Machine> = LazyLock::new(|| Machine::without_heartbeat().unwrap());
    &MACHINE
}

/// The guest whose arguments are its acts.
pub fn guest() -> Arc<Prepared> {
    static GUEST: LazyLock<Arc<Prepared>> =
        LazyLock::new(|| Arc::new(compile(machine(), &BYTES).unwrap()));
    GUEST.clone()
}

/// An ordinary program with an ordinary HTTP client: its arguments are URLs.
pub fn fetch() -> Arc<Prepared> {
    static FETCH: LazyLock<Arc<Prepared>> =
        LazyLock::new(|| Arc::new(compile(machine(), &built("fetch")).unwrap()));
    FETCH.clone()
}

/// A component written by hand.
pub fn component(text: &str) -> Result<Prepared, NotRunnable> {
    prepared(&wat::parse_str(text).unwrap())
}

/// A component as it comes.
pub fn prepared(bytes: &[u8]) -> Result<Prepared, NotRunnable> {
    compile(machine(), bytes)
}

/// An engine of its own, and the guest on it.
pub struct Beating {
    pub guest: Arc<Prepared>,
}

impl Beating {
    pub fn start() -> Self {
        let machine = Machine::new().unwrap();
        let guest = Arc::new(compile(&machine, &BYTES).unwrap());
        Self { guest }
    }
}

fn compile(machine: &Machine, bytes: &[u8]) -> Result<Prepared, NotRunnable> {
    super::wait(Prepared::compile(machine, bytes, "guests"))
}

fn built(package: &str) -> Vec<u8> {
    fs::read(file(package)).unwrap()
}

/// The component of a package of `tests/guests`, built.
pub fn file(package: &str) -> PathBuf {
    let folder = root().join("tests/guests");
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let build = || {
        let mut command = Command::new(&cargo);
        command.args(["build", "--release", "--locked", "--target", TARGET, "--package", package]);
        command.current_dir(&folder).env_remove("RUSTFLAGS").env_remove("CARGO_TARGET_DIR");
        command.output().unwrap()
    };
    let mut built = build();
    let lacks = String::from_utf8_lossy(&built.stderr).contains("target may not be installed");
    if !built.status.success() && lacks {
        let added = Command::new("rustup").args(["target", "add", TARGET]).output().unwrap();
        assert!(added.status.success(), "{}", String::from_utf8_lossy(&added.stderr));
        built = build();
    }
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    folder.join("target").join(TARGET).join(format!("release/{package}.wasm"))
}
