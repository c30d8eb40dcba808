//! Finds out which wasmtime this is: the engine itself does not say, and every run's header must.

use std::path::Path;
use std::{env, fs};

#[expect(clippy::disallowed_methods, reason = "a build script is given its paths by Cargo")]
fn main() {
    let root = env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
    let lock = Path::new(&root).join("../../Cargo.lock");
    println!("cargo::rerun-if-changed={}", lock.display());
    let text = fs::read_to_string(&lock).unwrap_or_default();
    let version = text
        .split("[[package]]")
        .find(|package| package.contains("\nname = \"wasmtime\"\n"))
        .and_then(|package| package.split("version = \"").nth(1)?.split('"').next());
    match version {
        Some(version) => println!("cargo::rustc-env=ENVELOPE_WASMTIME_VERSION={version}"),
        None => println!("cargo::error=`Cargo.lock` names no wasmtime"),
    }
}
