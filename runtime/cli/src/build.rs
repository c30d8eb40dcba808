//! `envelope build`: from a folder of source to a component.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use clap::Args;
use serde_json::{Value, json};

use crate::answer::Trouble;
use crate::exit::Exit;
use crate::page;

/// What agents in Rust are built for.
const TARGET: &str = "wasm32-wasip2";

/// Build an agent's component.
#[derive(Args)]
#[command(after_help = "\
Exit codes:
  0  built        2  the folder holds no agent        1  the build failed

Example:
  envelope build guest-examples/hello")]
pub(crate) struct Build {
    /// The folder of the source
    #[arg(default_value = ".")]
    folder: PathBuf,
    /// Answer in JSON
    #[arg(long)]
    json: bool,
}

impl Build {
    pub(crate) fn run(&self) -> Exit {
        match build(&self.folder) {
            Ok(file) if self.json => {
                page::line(json!({"type": "build", "exit": 0, "component": file}));
                Exit::Done
            }
            Ok(file) => {
                page::line(file.display());
                Exit::Done
            }
            Err(trouble) => trouble.tell(self.json),
        }
    }
}

/// Builds the package in `folder` and returns the component.
pub(crate) fn build(folder: &Path) -> Result<PathBuf, Trouble> {
    let manifest = folder.join("Cargo.toml");
    if !manifest.is_file() {
        let what = format!("`{}` has no `Cargo.toml`", folder.display());
        return Err(Trouble::usage(what, "give the folder of an agent, or a component"));
    }
    have_target()?;
    let output = cargo()
        .args([
            "build",
            "--release",
            "--target",
            TARGET,
            "--message-format=json-render-diagnostics",
        ])
        .arg("--manifest-path")
        .arg(&manifest)
        .stderr(Stdio::inherit())
        .output()
        .map_err(|why| Trouble::failed(format!("`cargo`: {why}"), "install Rust: rustup.rs"))?;
    if !output.status.success() {
        return Err(Trouble::failed("the build failed", "see the compiler's messages above"));
    }
    component_of(&output.stdout, &manifest).ok_or_else(|| {
        let what = format!("`{}` builds no component", folder.display());
        Trouble::usage(what, "a package with `crate-type = [\"cdylib\"]`, or a program")
    })
}

/// The last artifact that Cargo says it made of this very package.
fn component_of(messages: &[u8], manifest: &Path) -> Option<PathBuf> {
    let manifest = manifest.canonicalize().ok()?;
    let messages = messages.split(|&byte| byte == b'\n');
    let artifacts = messages.filter_map(|line| serde_json::from_slice::<Value>(line).ok());
    let ours = artifacts.filter(|message| {
        let path = message.get("manifest_path").and_then(Value::as_str);
        path.is_some_and(|path| Path::new(path) == manifest)
    });
    let files = ours.filter_map(|message| message.get("filenames").cloned());
    let files = files.filter_map(|names| serde_json::from_value::<Vec<PathBuf>>(names).ok());
    files.flatten().rfind(|file| file.extension().is_some_and(|it| it == "wasm"))
}

/// Brings the target when it is missing. Automatic installation may be switched off.
fn have_target() -> Result<(), Trouble> {
    let list = program("rustup").args(["target", "list", "--installed"]).output();
    let Ok(list) = list else { return Ok(()) };
    if String::from_utf8_lossy(&list.stdout).lines().any(|line| line == TARGET) {
        return Ok(());
    }
    page::aside(format!("the compiler lacks `{TARGET}`: running `rustup target add {TARGET}`"));
    let added = program("rustup").args(["target", "add", TARGET]).status();
    if added.is_ok_and(|status| status.success()) {
        return Ok(());
    }
    let what = format!("`rustup target add {TARGET}` failed");
    Err(Trouble::failed(what, "install the target by hand"))
}

fn cargo() -> Command {
    program("cargo")
}

#[expect(clippy::disallowed_methods, reason = "building runs the guest's own toolchain")]
fn program(name: &str) -> Command {
    Command::new(name)
}
