//! A browser or an agent can verify a receipt too: the pure crates compile for WebAssembly.

use std::process::Command;

use super::graph::PURE;
use crate::cargo::{cargo, root};

const TARGET: &str = "wasm32-wasip2";

#[test]
fn pure_crates_compile_for_webassembly() {
    install_target();
    let target = format!("--target={TARGET}");
    let packages = PURE.map(|name| format!("--package={name}"));
    let packages = packages.iter().map(String::as_str);
    cargo(&["build", target.as_str()].into_iter().chain(packages).collect::<Vec<_>>());
}

fn install_target() {
    if rustup(&["target", "list", "--installed"]).lines().any(|line| line == TARGET) {
        return;
    }
    println!("the target {TARGET} is missing: running `rustup target add {TARGET}`");
    rustup(&["target", "add", TARGET]);
}

fn rustup(arguments: &[&str]) -> String {
    let output = Command::new("rustup").args(arguments).current_dir(root()).output();
    let output =
        output.expect("rustup is needed: it keeps the compiler `rust-toolchain.toml` names");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "rustup {}: {said}", arguments.join(" "));
    String::from_utf8(output.stdout).unwrap()
}
