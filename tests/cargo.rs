//! What Cargo knows about this workspace.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use serde_json::Value;

/// The root of the repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ stands in the root")
}

/// Runs this toolchain's cargo in the root and returns what it prints.
pub fn cargo(arguments: &[&str]) -> String {
    let program = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(program).args(arguments).current_dir(root()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo {}: {said}", arguments.join(" "));
    String::from_utf8(output.stdout).unwrap()
}

/// Where this workspace is built.
pub fn target_directory() -> &'static Path {
    static DIRECTORY: LazyLock<PathBuf> = LazyLock::new(|| {
        let metadata = metadata("Cargo.toml");
        PathBuf::from(metadata["target_directory"].as_str().unwrap())
    });
    &DIRECTORY
}

/// The packages of the workspace whose manifest is `manifest`, without their dependencies.
pub fn packages(manifest: &str) -> Vec<Value> {
    metadata(manifest)["packages"].as_array().unwrap().clone()
}

/// The program `envelope`.
pub fn envelope() -> &'static Path {
    static PROGRAM: LazyLock<PathBuf> = LazyLock::new(|| program("envelope"));
    &PROGRAM
}

/// The program that answers for OPA.
pub fn opa() -> &'static Path {
    static PROGRAM: LazyLock<PathBuf> = LazyLock::new(|| program("opa-by-regorus"));
    &PROGRAM
}

/// The program that is a node of its own.
pub fn store_node() -> &'static Path {
    static PROGRAM: LazyLock<PathBuf> = LazyLock::new(|| program("store-node"));
    &PROGRAM
}

/// The program called `name`. All are built once with the features this test binary was built
/// with, so that next to nothing is compiled twice.
fn program(name: &str) -> PathBuf {
    static MESSAGES: LazyLock<String> = LazyLock::new(|| {
        let targets =
            ["--bin=envelope", "--example=opa-by-regorus", "--example=store-node", "--test=suite"];
        let mut arguments = vec!["build", "--workspace", "--message-format=json"];
        arguments.extend(targets);
        if !cfg!(debug_assertions) {
            arguments.push("--release");
        }
        cargo(&arguments)
    });
    let executable = |line: &str| {
        let message: Value = serde_json::from_str(line).ok()?;
        let is_it = message["target"]["name"] == name;
        message["executable"].as_str().filter(|_| is_it).map(PathBuf::from)
    };
    MESSAGES.lines().find_map(executable).expect("cargo names what it built")
}

fn metadata(manifest: &str) -> Value {
    let manifest = format!("--manifest-path={manifest}");
    serde_json::from_str(&cargo(&["metadata", "--format-version=1", "--no-deps", &manifest]))
        .unwrap()
}
