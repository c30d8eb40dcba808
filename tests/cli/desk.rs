//! A folder of a test's own from which commands are run, with keys of its own.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use std::{env, fs, process};

use envelope_evidence::Digest;
use serde_json::Value;

use crate::cargo::{envelope, root};

/// The folder, gone when the test ends.
pub(super) struct Desk(pub(super) PathBuf);

/// What a command said.
pub(super) struct Said {
    pub(super) exit: i32,
    pub(super) out: String,
    pub(super) err: String,
}

impl Desk {
    pub(super) fn new(name: &str) -> Self {
        let path = env::temp_dir().join(format!("envelope-desk-{name}-{}", process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// A desk with the examples' documents in `ws`.
    pub(super) fn with_documents(name: &str) -> Self {
        let desk = Self::new(name);
        copy(&root().join("guest-examples/data"), &desk.0.join("ws"));
        desk
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// The component of a program with this source, built on this desk.
    pub(super) fn program(&self, name: &str, source: &str) -> String {
        let manifest = format!(
            "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[workspace]\n"
        );
        fs::create_dir_all(self.path(name).join("src")).unwrap();
        fs::write(self.path(name).join("Cargo.toml"), manifest).unwrap();
        fs::write(self.path(name).join("src/main.rs"), source).unwrap();
        self.says(["build", name], 0).out.trim_end().to_owned()
    }

    /// The program, not started yet.
    pub(super) fn command(&self) -> Command {
        let mut command = Command::new(envelope());
        command.current_dir(&self.0).env("ENVELOPE_HOME", self.path("home"));
        command
    }

    /// Runs the program with these arguments, which has to end with `exit`.
    pub(super) fn says<I: IntoIterator<Item: AsRef<OsStr>>>(&self, words: I, exit: i32) -> Said {
        let output = self.command().args(words).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let said = Said {
            exit: output.status.code().unwrap_or(-1),
            out: text(output.stdout),
            err: text(output.stderr),
        };
        assert_eq!(said.exit, exit, "{}\n{}", said.out, said.err);
        said
    }

    /// The same with `--json`: one document, which says the same exit.
    pub(super) fn json<I>(&self, words: I, exit: i32) -> Value
    where
        I: IntoIterator<Item: AsRef<OsStr>>,
    {
        let mut all: Vec<_> = words.into_iter().map(|it| it.as_ref().to_owned()).collect();
        all.push("--json".into());
        let said = self.says(all, exit);
        let document: Value = serde_json::from_str(&said.out).expect("one document");
        assert_eq!(document["exit"], exit);
        document
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The component of an example, built by the very command that people use.
pub fn example(name: &str) -> &'static str {
    static BUILT: LazyLock<BTreeMap<&str, String>> = LazyLock::new(|| {
        let build = |name| {
            let desk = Desk::new(&format!("build-{name}"));
            let folder = root().join("guest-examples").join(name);
            let said = desk.says(["build".as_ref(), folder.as_os_str()], 0);
            (name, said.out.trim_end().to_owned())
        };
        ["briefing", "hello", "hostile", "report", "summary"].map(build).into()
    });
    &BUILT[name]
}

/// Every file and folder below `folder` with its digest and its mode.
pub(super) fn listing(folder: &Path) -> BTreeMap<PathBuf, (Option<Digest>, u32)> {
    use std::os::unix::fs::PermissionsExt as _;
    let mut all = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let (path, about) = (entry.path(), entry.metadata().unwrap());
        let mode = about.permissions().mode();
        if about.is_dir() {
            all.extend(listing(&path));
            all.insert(path, (None, mode));
        } else {
            let digest = Digest::of(&fs::read(&path).unwrap());
            all.insert(path, (Some(digest), mode));
        }
    }
    all
}

/// Copies a folder.
pub(super) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
