//! `envelope paper` and `envelope chain`: from nothing to a signed Paper that strangers verify.

use std::path::PathBuf;
use std::process::{Command, Output};
use std::{env, fs, process};

use serde_json::Value;

use crate::cargo::{envelope, root};

/// A folder of this test's own, in which the program runs; gone when the test ends.
pub(super) struct Desk(PathBuf);

impl Desk {
    pub(super) fn new(name: &str) -> Self {
        let path = env::temp_dir().join(format!("envelope-paper-{name}-{}", process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        let msa = root().join("policies/msa.template.md");
        fs::copy(msa, path.join("msa.md")).unwrap();
        Self(path)
    }

    /// One with a Paper in `deal/` that is still to be signed, and the keys of both parties.
    pub(super) fn with_deal(name: &str) -> Self {
        let desk = Self::new(name);
        desk.done("paper new work.md");
        for key in ["buyer", "developer", "stranger"] {
            desk.done(&format!("paper sign --new-key --key {key}"));
        }
        desk.done(DEAL);
        desk
    }

    fn run(&self, line: &str) -> Output {
        let arguments: Vec<_> = line.split(' ').collect();
        Command::new(envelope()).args(arguments).current_dir(&self.0).output().unwrap()
    }

    /// What people read on stdout and on stderr when the command ends with `exit`.
    pub(super) fn people(&self, line: &str, exit: i32) -> (String, String) {
        let output = self.run(line);
        let [said, noted] = [output.stdout, output.stderr].map(|it| String::from_utf8(it).unwrap());
        assert_eq!(output.status.code(), Some(exit), "{line}\n{said}\n{noted}");
        (said, noted)
    }

    pub(super) fn done(&self, line: &str) -> String {
        self.people(line, 0).0
    }

    /// The one document that programs read, which says how the command ended.
    pub(super) fn machine(&self, line: &str, exit: i32) -> Value {
        let output = self.run(&format!("{line} --json"));
        assert_eq!(output.status.code(), Some(exit), "{line}");
        assert!(output.stderr.is_empty(), "{line}");
        let document: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(document["exit"], exit, "{line}");
        document
    }

    /// A refusal, told alike to people and to programs, with a hint.
    pub(super) fn refused(&self, line: &str, exit: i32, what: &str) {
        let (said, noted) = self.people(line, exit);
        assert!(said.is_empty() && noted.contains(what), "{line}: {noted}");
        assert!(noted.contains("\nhint: "), "{line}: {noted}");
        let document = self.machine(line, exit);
        assert_eq!(document["type"], "error");
        assert!(document["error"].as_str().unwrap().contains(what), "{line}: {document}");
        assert!(!document["hint"].as_str().unwrap().is_empty());
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub(super) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.0.join(name)).unwrap()
    }

    pub(super) fn edit(&self, name: &str, from: &str, to: &str) {
        let text = self.read(name);
        assert!(text.contains(from), "{name}: {from}");
        fs::write(self.0.join(name), text.replacen(from, to, 1)).unwrap();
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

pub(super) const DEAL: &str = "paper compile work.md --into deal --msa msa.md \
                    --buyer buyer.pub.pem --developer developer.pub.pem";
pub(super) const VERIFY: &str = "chain verify deal --keys buyer.pub.pem --keys developer.pub.pem";

#[test]
fn from_nothing_to_a_verified_chain() {
    let desk = Desk::with_deal("whole");
    assert_eq!(desk.machine("paper check work.md", 0)["type"], "check");
    assert_eq!(desk.machine(VERIFY, 8)["first_failure"], "0001-paper.signatures");
    let first = desk.machine("paper sign deal --key buyer", 0);
    assert_eq!((&first["side"], &first["missing"][0]), (&"buyer".into(), &"developer".into()));
    assert_eq!(desk.machine(VERIFY, 8)["verified"], false);
    let second = desk.machine("paper sign deal --key developer", 0);
    assert_eq!(second["missing"], serde_json::json!([]));
    let verified = desk.machine(VERIFY, 0);
    assert_eq!((&verified["head"], &verified["documents"]), (&first["id"], &2.into()));
    assert_eq!(verified["level"], "key");
    let (page, note) = desk.people(VERIFY, 0);
    assert!(page.contains("verified 2 documents") && note.is_empty(), "{page}");
    desk.edit("deal/prose/0001-paper.md", "labels", "lables");
    let (page, _) = desk.people(VERIFY, 8);
    assert!(page.contains("refused at 0001-paper.prose"), "{page}");
}

#[test]
fn a_paper_has_one_spelling_wherever_it_is_read() {
    let desk = Desk::with_deal("spelling");
    let stdout = desk.done("paper compile work.md");
    desk.done("paper compile work.md --out work.json");
    assert_eq!(desk.read("work.json") + "\n", stdout);
    for other in ["work.md", "work.json"] {
        let papers = ["deal", other].map(|it| desk.machine(&format!("paper show {it}"), 0));
        assert_eq!(papers[0]["paper"], papers[1]["paper"], "{other}");
        let (said, note) = desk.people(&format!("paper diff deal {other}"), 0);
        assert_eq!((said.as_str(), note.as_str()), ("", "they say the same\n"));
    }
    desk.done("paper new other.md");
    desk.edit("other.md", "availability = ", "availability = 1 # ");
    let difference = desk.machine("paper diff deal other.md", 0);
    assert_eq!(difference["changes"][0]["path"], "/service/availability");
    assert_eq!(difference["same"], false);
}

#[test]
fn an_amendment_is_agreed_like_the_paper() {
    let desk = Desk::with_deal("amend");
    let amend = ["paper", "compile", "work.md", "--amend", "deal", "--title", "First amendment"];
    let run = || {
        let output = Command::new(envelope()).args(amend).current_dir(&desk.0).output().unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    let told = run();
    assert!(told.0 == 1 && told.1.contains("is not signed by both"), "{}", told.1);
    for key in ["buyer", "developer"] {
        desk.done(&format!("paper sign deal --key {key}"));
    }
    let told = run();
    assert!(told.0 == 1 && told.1.contains("DOCUMENT_UNCHANGED"), "{}", told.1);
    desk.edit("work.md", "availability = ", "availability = 1 # ");
    let agreed = desk.machine("paper show deal", 0);
    let told = run();
    assert_eq!(told.0, 0, "{}", told.1);
    // Until both signed, the Paper stands as it was, and nobody takes the amendment for agreed.
    assert_eq!(desk.machine(VERIFY, 8)["first_failure"], "0002-amendment.signatures");
    assert_eq!(desk.machine("paper show deal", 0), agreed);
    desk.done("paper sign deal --key developer");
    assert_eq!(desk.machine(VERIFY, 8)["first_failure"], "0002-amendment.signatures");
    desk.done("paper sign deal --key buyer");
    let verified = desk.machine(VERIFY, 0);
    assert_eq!(verified["documents"], 3);
    assert_eq!(verified["head"], verified["hashes"]["amendmentHash"]);
    let now = desk.machine("paper show deal", 0);
    assert_eq!(now["paper"]["contract"]["service"]["availability"], 1);
    assert_eq!(now["paper"], desk.machine("paper show work.md", 0)["paper"]);
    assert!(desk.read("deal/nodes/0002-amendment.json").contains("\"/service/availability\""));
}

#[test]
fn policies_are_exported_and_never_overwritten_unasked() {
    let desk = Desk::with_deal("export");
    for to in ["acs", "cedar", "agt-yaml"] {
        let line = format!("paper export deal --to {to} --out {to}");
        let files = desk.done(&line);
        for file in files.lines() {
            assert!(!desk.read(file).is_empty(), "{file}");
        }
        desk.refused(&line, 2, "is there already");
        let again = desk.machine(&format!("{line} --force"), 0);
        assert_eq!(again["files"].as_array().unwrap().len(), files.lines().count());
        assert!(!again["gaps"].as_array().unwrap().is_empty());
    }
}

#[test]
fn schemas_are_printed_as_they_are_published() {
    let desk = Desk::new("schema");
    for name in desk.done("paper schema --list").lines() {
        let golden = |end: &str| {
            fs::read_to_string(root().join(format!("tests/golden/terms/{name}.{end}"))).unwrap()
        };
        let schema = desk.done(&format!("paper schema {name}"));
        assert_eq!(schema, golden("schema.json"));
        assert_eq!(desk.done(&format!("paper schema {name} --zod")), golden("zod.mjs"));
        let document = desk.machine(&format!("paper schema {name}"), 0);
        assert_eq!(document["schema"], serde_json::from_str::<Value>(&schema).unwrap());
    }
    desk.refused("paper schema poem", 2, "there is no document `poem`");
}

#[test]
fn flaws_are_told_at_their_place() {
    let desk = Desk::new("flaws");
    desk.done("paper new work.md");
    desk.edit("work.md", "escrow = ", "escrow = 1 # ");
    for line in ["paper check work.md", "paper compile work.md", "paper show work.md"] {
        desk.refused(line, 1, "`work.md` does not compile");
        let flaw = &desk.machine(line, 1)["report"]["diagnostics"][0];
        assert_eq!(flaw["code"], "COMPILE_ERROR_PRICE");
        assert_eq!(flaw["file"], "work.md");
        let (_, drawing) = desk.people(line, 1);
        assert!(drawing.contains("escrow = 1 #"), "{drawing}");
    }
}

#[test]
fn what_cannot_be_used_is_told_with_a_hint() {
    let desk = Desk::with_deal("unusable");
    desk.refused("paper new work.md", 2, "`work.md` is there already");
    desk.done("paper new work.md --force");
    desk.refused("paper check ghost.md", 2, "cannot read `ghost.md`");
    desk.refused(DEAL, 2, "`deal` is there already");
    desk.refused("chain verify deal --keys ghost.pem", 2, "cannot read `ghost.pem`");
    desk.refused("chain verify deal/prose --keys buyer.pub.pem", 2, "holds no documents");
    desk.edit("work.md", "kind = \"paper\"", &format!("kind = \"paper\", msa = \"{OTHER}\""));
    desk.refused(&DEAL.replace("deal", "other"), 1, "the Paper stands under");
    desk.people("paper compile work.md --into other", 2);
    desk.people("paper sign", 2);
}

const OTHER: &str = "sha256:44d630f74bd529584006c4fd6e547eb9009fdf2f80936a55b5f9f270c531bf33";

#[test]
fn only_the_parties_sign_once_and_what_they_see() {
    let desk = Desk::with_deal("sign");
    desk.refused("paper sign --new-key --key buyer", 2, "`buyer` is there already");
    desk.refused("paper sign deal --key stranger", 1, "signs for neither party");
    desk.refused("paper sign deal --key buyer.pub.pem", 2, "can be read by others");
    desk.done("paper sign deal --key buyer");
    desk.refused("paper sign deal --key buyer", 1, "has signed already");
    // A signature on another document is no invitation to sign that one.
    desk.done(&DEAL.replace("deal", "other"));
    let signature = "signatures/0001-paper.dsse.json";
    fs::create_dir_all(desk.0.join("other/signatures")).unwrap();
    fs::copy(desk.0.join("deal").join(signature), desk.0.join("other").join(signature)).unwrap();
    desk.refused("paper sign other --key developer", 1, "is about another document");
}

#[cfg(unix)]
#[test]
fn a_secret_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let desk = Desk::with_deal("secret");
    let file = desk.0.join("buyer");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::read(&file).unwrap().len(), 32);
    assert_ne!(fs::read(&file).unwrap(), fs::read(desk.0.join("developer")).unwrap());
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    desk.refused("paper sign deal --key buyer", 2, "can be read by others");
}
