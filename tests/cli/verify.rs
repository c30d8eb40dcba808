//! `envelope verify`: exit 0 verified, 8 refused, 2 unusable, and `--json` says the same.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::{env, fs, process};

use envelope_evidence::receipt::{BUNDLE_FILE, PROOF_FILE, RECEIPT_FILE};
use serde_json::Value;

use crate::cargo::{envelope, root};
use crate::evidence::sample;

/// A folder of this test's own, gone when it ends.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let path = env::temp_dir().join(format!("envelope-verify-{name}-{}", process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// Writes the sample receipt into the folder `receipt`.
    fn receipt(&self) -> PathBuf {
        let folder = self.0.join("receipt");
        fs::create_dir_all(folder.join("evidence")).unwrap();
        for (name, bytes) in sample::folder().files {
            fs::write(folder.join(name), bytes).unwrap();
        }
        folder
    }

    fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        fs::write(self.0.join(name), bytes).unwrap();
        self.0.join(name)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn keys() -> PathBuf {
    root().join("tests/golden/receipt-keys.json")
}

fn run(arguments: &[&OsStr]) -> Output {
    Command::new(envelope()).arg("verify").args(arguments).output().unwrap()
}

/// Runs the command twice, for people and with `--json`: both must end alike. Returns what people
/// read on both streams, and the one document.
fn verify(receipt: &Path, keys: &Path, exit: i32) -> (String, Value) {
    let arguments = [receipt.as_os_str(), OsStr::new("--keys"), keys.as_os_str()];
    let people = run(&arguments);
    let machine = run(&[&arguments[..], &[OsStr::new("--json")]].concat());
    let text = String::from_utf8([people.stdout, people.stderr].concat()).unwrap();
    assert_eq!(people.status.code(), Some(exit), "{text}");
    assert_eq!(machine.status.code(), Some(exit));
    assert!(machine.stderr.is_empty());
    let document: Value = serde_json::from_slice(&machine.stdout).unwrap();
    assert_eq!(document["exit"], exit);
    (text, document)
}

#[test]
fn a_receipt_verifies_in_each_of_its_forms() {
    let scratch = Scratch::new("forms");
    let folder = scratch.receipt();
    let (text, document) = verify(&folder, &keys(), 0);
    assert!(text.contains("verified") && text.contains("rfp-responder 1.2.0"), "{text}");
    assert!(!text.contains('\u{1b}'), "no colour where nobody watches");
    assert_eq!((&document["type"], &document["verified"]), (&"verification".into(), &true.into()));
    assert_eq!(document["receipt"]["run"], sample::header().run.as_str());

    let lines = scratch.file("receipt.intoto.jsonl", &sample::folder().to_json_lines());
    for one in [lines, folder.join(BUNDLE_FILE), folder.join(RECEIPT_FILE)] {
        verify(&one, &keys(), 0);
    }
    verify(&root().join("tests/golden/receipt"), &keys(), 0);
}

#[test]
fn the_first_failure_is_named() {
    let scratch = Scratch::new("flipped");
    let folder = scratch.receipt();
    for (name, check) in [
        ("journal.jsonl", "journal.chain"),
        (PROOF_FILE, "log.inclusion"),
        ("evidence/files.dsse.json", "evidence.files"),
        (RECEIPT_FILE, "receipt."),
    ] {
        let whole = fs::read(folder.join(name)).unwrap();
        let mut changed = whole.clone();
        changed[whole.len() / 2] ^= 1;
        fs::write(folder.join(name), changed).unwrap();
        let (text, document) = verify(&folder, &keys(), 8);
        let failure = document["first_failure"].as_str().unwrap();
        assert!(failure.starts_with(check), "{failure}");
        assert!(text.contains(&format!("refused at {failure}")), "{text}");
        fs::write(folder.join(name), whole).unwrap();
    }
    fs::write(folder.join("\u{1b}[2J\u{202e}"), "").unwrap();
    let (text, _) = verify(&folder, &keys(), 8);
    assert!(text.contains("refused at folder.strays"), "{text}");
    assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text:?}");
}

#[test]
fn keys_nobody_trusts_verify_nothing() {
    let scratch = Scratch::new("keys");
    let none = scratch.file("none.json", br#"{"keys":[]}"#);
    let (text, _) = verify(&scratch.receipt(), &none, 8);
    assert!(text.contains("not among the trusted keys"), "{text}");

    let pem = scratch.file("host.pem", sample::receipt_key().public().to_pem().as_bytes());
    verify(&scratch.receipt().join(RECEIPT_FILE), &pem, 0);
}

#[test]
fn what_cannot_be_used_is_no_verdict() {
    let scratch = Scratch::new("unusable");
    let folder = scratch.receipt();
    let unusable = |receipt: &Path, keys: &Path, why: &str| {
        let (text, document) = verify(receipt, keys, 2);
        assert!(text.starts_with("error: ") && text.contains("hint: "), "{text}");
        assert!(text.contains(why), "{text}");
        assert_eq!(document["type"], "error");
        assert!(document["error"].as_str().unwrap().contains(why));
    };
    let bad = scratch.file("bad.json", b"{\"keys\":[{}]}");
    let stranger = scratch.file("stranger.json", b"{}");
    let missing = scratch.0.join("missing");
    let evidence = folder.join("evidence/files.dsse.json");
    unusable(&missing, &keys(), "cannot read");
    unusable(&folder, &missing, "cannot read");
    unusable(&folder, &bad, "key file is unusable");
    unusable(&folder, &folder, "is not a regular file");
    unusable(&stranger, &keys(), "not a receipt");
    unusable(&folder.join("evidence"), &keys(), "holds no receipt");
    unusable(&evidence, &keys(), "holds no receipt");
}

#[test]
fn wrong_usage_is_no_verdict() {
    for arguments in [&[][..], &["receipt"], &["--keys", "k"], &["a", "--keys", "k", "--what"]] {
        let arguments: Vec<_> = arguments.iter().map(OsStr::new).collect();
        assert_eq!(run(&arguments).status.code(), Some(2));
    }
    let help = run(&[OsStr::new("--help")]);
    assert_eq!(help.status.code(), Some(0));
    assert!(String::from_utf8(help.stdout).unwrap().contains("8  refused"));
}

/// A pipe nobody writes to must not be waited for, and a link must not lead out of the folder.
#[cfg(unix)]
#[test]
fn special_files_are_no_receipts() {
    use std::os::unix::ffi::OsStrExt as _;
    use std::os::unix::fs::symlink;

    let scratch = Scratch::new("special");
    let (folder, pipe) = (scratch.receipt(), scratch.0.join("pipe"));
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let special = |receipt: &Path, keys: &Path| {
        let (text, _) = verify(receipt, keys, 2);
        assert!(text.contains("is not a regular file"), "{text}");
    };
    special(&pipe, &keys());
    special(&folder, &pipe);
    special(Path::new("/dev/zero"), &keys());

    fs::rename(&pipe, folder.join("evidence/pipe")).unwrap();
    special(&folder, &keys());
    fs::remove_file(folder.join("evidence/pipe")).unwrap();

    symlink("/etc/hostname", folder.join("link")).unwrap();
    special(&folder, &keys());
    fs::remove_file(folder.join("link")).unwrap();

    fs::write(folder.join(OsStr::from_bytes(b"\xff")), "").unwrap();
    let (text, _) = verify(&folder, &keys(), 2);
    assert!(text.contains("a name that is not text"), "{text}");
}
