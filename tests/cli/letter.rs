//! Documents beside the Paper, as a person writes them: what stands above it, and side letters.

use std::fs;

use envelope_terms::document::ReaderKey;
use serde_json::{Value, json};

use super::paper::{DEAL, Desk, VERIFY};
use crate::cargo::root;

/// A desk with a signed deal and the keys of three readers.
fn agreed(name: &str) -> Desk {
    let desk = Desk::with_deal(name);
    sign(&desk);
    for key in ["ann", "bob", "eve"] {
        desk.done(&format!("paper open --new-key --key {key}"));
    }
    desk
}

fn sign(desk: &Desk) {
    for key in ["buyer", "developer"] {
        desk.done(&format!("paper sign deal --key {key}"));
    }
}

/// Writes a side letter with other words and terms than the example's.
fn write(desk: &Desk, file: &str, terms: &str) {
    desk.done(&format!("paper new {file} --kind side-letter --force"));
    desk.edit(file, "only after asking", "with the code word Heron");
    desk.edit(file, "title = \"Side letter\"\n", &format!("title = \"Discretion\"\n{terms}"));
}

const LETTER: &str = "paper compile quiet.md --letter deal --reader ann.pub.pem";
const TERMS: &str = "[terms.service]\nreview_days = 21\n";

#[test]
fn a_side_letter_is_read_by_its_readers_and_signed_by_both() {
    let desk = agreed("letter");
    write(&desk, "quiet.md", TERMS);
    desk.done("paper check quiet.md --for deal");
    let sealed = desk.machine(&format!("{LETTER} --reader bob.pub.pem --reader ann.pub.pem"), 0);
    assert_eq!(sealed["readers"].as_array().unwrap().len(), 2, "named twice is named once");
    // Before it signs, a party reads it; nobody takes it for agreed.
    let draft = desk.machine("paper open deal --key ann", 0);
    assert_eq!(draft["letters"][0]["signed"], false);
    assert_eq!(desk.machine(VERIFY, 8)["first_failure"], "0002-side-letter.signatures");
    desk.done("paper sign deal --key developer");
    assert_eq!(desk.machine(VERIFY, 8)["first_failure"], "0002-side-letter.signatures");
    desk.done("paper sign deal --key buyer");
    let verified = desk.machine(VERIFY, 0);
    assert_eq!((&verified["documents"], &verified["head"]), (&json!(3), &sealed["id"]));
    assert_eq!(verified["hashes"]["sideLetterHash"], sealed["id"]);
    for key in ["ann", "bob"] {
        let opened = desk.machine(&format!("paper open deal --key {key}"), 0);
        let letter = &opened["letters"][0];
        assert_eq!((&letter["signed"], &letter["title"]), (&json!(true), &json!("Discretion")));
        assert!(letter["prose"].as_str().unwrap().contains("Heron"), "{letter}");
        assert_eq!(letter["terms"], json!({ "service": { "review_days": 21 } }));
        assert_eq!((&opened["closed"], &opened["conflicts"]), (&json!(0), &json!([])));
    }
    let (page, _) = desk.people("paper open deal --key ann", 0);
    assert!(page.contains("Heron") && page.contains("signed by both"), "{page}");
    // The Paper is what it was, and everybody else sees digests.
    desk.done("paper show deal");
    for entry in walk(&desk) {
        let text = String::from_utf8_lossy(&fs::read(&entry).unwrap()).into_owned();
        for secret in ["Heron", "Discretion", "review_days\":21"] {
            assert!(!text.contains(secret), "{} tells `{secret}`", entry.display());
        }
    }
    desk.refused("paper open deal --key eve", 1, "is not among the readers");
    desk.refused("paper show deal --document 2", 1, "which only its readers read");
}

fn walk(desk: &Desk) -> Vec<std::path::PathBuf> {
    let folders = fs::read_dir(desk.path("deal")).unwrap();
    let files = folders.flat_map(|folder| fs::read_dir(folder.unwrap().path()).unwrap());
    files.map(|file| file.unwrap().path()).collect()
}

/// Letters that contradict each other leave a question without an answer.
#[test]
fn letters_are_not_at_odds() {
    let desk = agreed("odds");
    write(&desk, "quiet.md", TERMS);
    desk.done(LETTER);
    sign(&desk);
    write(&desk, "other.md", "[terms.service]\nreview_days = 5\n");
    let other = "paper compile other.md --letter deal --reader ann.pub.pem";
    let nodes = || fs::read_dir(desk.path("deal/nodes")).unwrap().count();
    desk.refused(&format!("{other} --key ann"), 1, "COMPILE_ERROR_SCHEDULE_CONFLICT");
    assert_eq!(nodes(), 3, "nothing was written");
    // Letters about other things stand beside each other.
    write(&desk, "third.md", "[terms.termination]\nnotice_days = 9\n");
    let third = desk.machine(&third("ann"), 0);
    assert_eq!(third["not_compared"], 0);
    sign(&desk);
    // Who cannot read the first cannot see it coming; who reads both is told.
    assert_eq!(desk.machine(&format!("{other} --key eve"), 0)["not_compared"], 2);
    let opened = desk.machine("paper open deal --key ann", 0);
    assert_eq!(opened["letters"].as_array().unwrap().len(), 3);
    let conflicts = opened["conflicts"].as_array().unwrap();
    assert!(conflicts[0].as_str().unwrap().contains("`/service/review_days`"), "{conflicts:?}");
    sign(&desk);
    assert_eq!(desk.machine(VERIFY, 0)["documents"], 5);
}

fn third(key: &str) -> String {
    format!("paper compile third.md --letter deal --reader ann.pub.pem --key {key}")
}

#[test]
fn what_cannot_become_a_side_letter_is_told() {
    let desk = Desk::with_deal("no-letter");
    for key in ["ann", "eve"] {
        desk.done(&format!("paper open --new-key --key {key}"));
    }
    write(&desk, "quiet.md", "");
    desk.refused(LETTER, 1, "is not signed by both");
    sign(&desk);
    desk.refused("paper open deal --key ann", 1, "has no side letter");
    desk.refused("paper open deal/prose --key ann", 2, "holds no documents");
    desk.refused(&LETTER.replace("ann", "buyer"), 2, "not the PEM of an X25519 public key");
    desk.refused(&LETTER.replace("ann.pub.pem", "ann"), 2, "not the PEM of an X25519 public key");
    desk.refused(&LETTER.replace("quiet.md", "msa.md"), 2, "is of the kind `msa`");
    desk.refused(&LETTER.replace("quiet.md", "work.md"), 1, "does not compile");
    desk.refused(&LETTER.replace("--letter deal", "--letter ghost"), 2, "cannot read `ghost`");
    let many: String = (0..17).map(|n| format!(" --reader r{n}.pub.pem")).collect();
    for n in 0..17 {
        desk.done(&format!("paper open --new-key --key r{n}"));
    }
    desk.refused(&(LETTER.to_owned() + &many), 1, "1 to 16 different readers");
    desk.people("paper compile quiet.md --letter deal", 2);
    desk.people("paper compile quiet.md --reader ann.pub.pem", 2);
    desk.refused("paper compile quiet.md", 2, "is a template");
    assert_eq!(fs::read_dir(desk.path("deal/nodes")).unwrap().count(), 2, "nothing was written");
    // A point with which every secret is the same.
    let weak = ReaderKey::from_bytes([0; 32]);
    fs::write(desk.path("weak.pem"), weak.to_pem()).unwrap();
    desk.refused(&LETTER.replace("ann.pub.pem", "weak.pem"), 1, "is weak");
    // And with nothing changed but the reader it is taken.
    desk.done(LETTER);
    desk.refused(LETTER, 1, "is not signed by both");
}

/// Terms are fields of the contract, of its types: a letter is checked like everything else.
#[test]
fn terms_are_typed_at_their_place() {
    let desk = agreed("typed");
    for (terms, code, at, needs_paper) in [
        ("[terms.servise]\nreview_days = 9\n", "COMPILE_ERROR_SHAPE", "servise", false),
        ("[terms.service]\nreview_days = \"9\"\n", "COMPILE_ERROR_SHAPE", "\"9\"", true),
        ("[terms.service]\nreview_days = 9000\n", "COMPILE_ERROR_SHAPE", "9000", true),
        ("terms = 7\n", "COMPILE_ERROR_SHAPE", "7", false),
        ("terms = { ip = { training = 1.5 } }\n", "COMPILE_ERROR_SHAPE", "1.5", false),
        ("other = 7\n", "COMPILE_ERROR_SHAPE", "other", false),
    ] {
        write(&desk, "quiet.md", terms);
        let alone = if needs_paper { 0 } else { 1 };
        desk.machine("paper check quiet.md", alone);
        for line in ["paper check quiet.md --for deal", LETTER] {
            let told = desk.machine(line, 1);
            let flaw = &told["report"]["diagnostics"][0];
            assert_eq!(flaw["code"], code, "{terms}: {told}");
            let text = desk.read("quiet.md");
            let span = |end: &str| usize::try_from(flaw[end]["byte"].as_u64().unwrap()).unwrap();
            assert_eq!(&text[span("start")..span("end")], at, "{terms}");
        }
    }
    // What no contract could say, though each value is of its type.
    write(&desk, "quiet.md", "[terms.price]\namount = 1\n");
    desk.done("paper check quiet.md");
    for line in ["paper check quiet.md --for deal", LETTER] {
        let told = desk.machine(line, 1);
        assert_eq!(told["report"]["diagnostics"][0]["code"], "COMPILE_ERROR_PRICE", "{told}");
    }
    write(&desk, "quiet.md", TERMS);
    desk.done("paper check quiet.md --for deal");
    desk.done(LETTER);
}

/// A letter is damaged or changed on its way: whoever opens it, and whoever goes on, is told.
#[test]
fn a_letter_that_was_changed_is_noticed() {
    let desk = agreed("changed");
    write(&desk, "quiet.md", TERMS);
    desk.done(LETTER);
    let sealed = "deal/sealed/0002-side-letter.json";
    let whole = desk.read(sealed);
    for (from, to) in [("\"sealed\":\"", "\"sealed\":\"AAAA"), ("{", "[")] {
        desk.edit(sealed, from, to);
        assert_eq!(desk.machine(VERIFY, 8)["first_failure"], "0002-side-letter.sealed");
        desk.refused("paper open deal --key ann", 1, "SIDE_LETTER");
        fs::write(desk.path(sealed), &whole).unwrap();
    }
    desk.done("paper open deal --key ann");
    // Withheld it still verifies once both signed, and nobody opens it or goes on from it.
    sign(&desk);
    fs::remove_file(desk.path(sealed)).unwrap();
    let report = desk.machine(VERIFY, 0);
    let checks = report["checks"].as_array().unwrap();
    assert!(checks.iter().any(|it| it["name"] == "0002-side-letter.sealed"), "{report}");
    desk.refused("paper open deal --key ann", 1, "`sealed/0002-side-letter.json` is missing");
    desk.refused(LETTER, 1, "`sealed/0002-side-letter.json` is missing");
}

/// A letter that was drawn up from an older document than the newest joins nothing.
#[test]
fn a_letter_for_an_older_chain_is_stale() {
    let desk = agreed("stale");
    copy(&desk, "deal", "elsewhere");
    write(&desk, "quiet.md", TERMS);
    desk.done(&LETTER.replace("--letter deal", "--letter elsewhere"));
    write(&desk, "quiet.md", "");
    desk.done(LETTER);
    sign(&desk);
    for part in ["nodes", "sealed"] {
        let (from, to) = (format!("elsewhere/{part}/0002"), format!("deal/{part}/0003"));
        let end = "-side-letter.json";
        fs::copy(desk.path(&(from + end)), desk.path(&(to + end))).unwrap();
    }
    desk.refused("paper sign deal --key buyer", 1, "DOCUMENT_SHAPE");
    desk.edit("deal/nodes/0003-side-letter.json", "\"seq\":2", "\"seq\":3");
    desk.refused("paper sign deal --key buyer", 1, "DOCUMENT_STALE_PARENT");
    desk.refused("paper open deal --key ann", 1, "DOCUMENT_STALE_PARENT");
    assert_eq!(desk.machine(VERIFY, 8)["first_failure"], "0003-side-letter.node");
    // The same letter, drawn up again from the newest document, is taken.
    for part in ["nodes", "sealed"] {
        fs::remove_file(desk.path(&format!("deal/{part}/0003-side-letter.json"))).unwrap();
    }
    desk.done(LETTER);
    sign(&desk);
    assert_eq!(desk.machine(VERIFY, 0)["documents"], 4);
}

fn copy(desk: &Desk, from: &str, to: &str) {
    for file in walk(desk) {
        let inner = file.strip_prefix(desk.path(from)).unwrap();
        let target = desk.path(to).join(inner);
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::copy(&file, target).unwrap();
    }
}

/// Files that have no place in a chain, and names that are no document's.
#[test]
fn a_folder_with_strange_files_is_told() {
    let desk = agreed("strange");
    let clean = desk.machine(VERIFY, 0);
    assert_eq!(clean["verified"], true);
    for (name, failure) in [
        ("sealed/0009-side-letter.json", "folder.strays"),
        ("notes.txt", "folder.strays"),
        ("nodes/0002-poem.json", "0002-poem.node"),
        ("nodes/zzz", "zzz.node"),
        ("keys/x.pem", "keys"),
    ] {
        let path = desk.path("deal").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "{}").unwrap();
        assert_eq!(desk.machine(VERIFY, 8)["first_failure"], failure, "{name}");
        fs::remove_file(path).unwrap();
    }
    let path = desk.path("deal/nodes/0002-poem.json");
    fs::write(&path, "{}").unwrap();
    desk.refused("paper sign deal --key buyer", 1, "is not document 2");
    desk.refused("paper open deal --key ann", 1, "is not document 2");
    fs::remove_file(path).unwrap();
    fs::remove_dir(desk.path("deal/sealed")).unwrap();
    assert_eq!(desk.machine(VERIFY, 0), clean);
}

#[cfg(unix)]
#[test]
fn a_link_or_a_pipe_is_no_document() {
    let desk = agreed("links");
    std::os::unix::fs::symlink("/etc/hostname", desk.path("deal/nodes/0002-paper.json")).unwrap();
    desk.refused(VERIFY, 2, "is not a regular file");
    desk.refused("paper open deal --key ann", 2, "is not a regular file");
    fs::remove_file(desk.path("deal/nodes/0002-paper.json")).unwrap();
    desk.machine(VERIFY, 0);
}

/// More than a source may hold.
#[test]
fn an_oversized_source_is_refused() {
    let desk = agreed("oversized");
    write(&desk, "quiet.md", TERMS);
    let text = desk.read("quiet.md");
    fs::write(desk.path("quiet.md"), text + &"More words. ".repeat(100_000)).unwrap();
    for line in ["paper check quiet.md", LETTER] {
        let told = desk.machine(line, 1);
        let flaw = &told["report"]["diagnostics"][0];
        assert_eq!(flaw["code"], "COMPILE_ERROR_TOO_MANY", "{told}");
    }
    fs::write(desk.path("quiet.md"), b"+++\n\xff\n+++\n").unwrap();
    desk.refused(LETTER, 1, "does not compile");
}

/// All seven kinds of documents in one chain, each from a template.
#[test]
fn a_chain_begins_with_the_terms_of_service() {
    let desk = Desk::with_deal("layers");
    for kind in ["tos", "base-terms", "schedule", "nda", "dpa"] {
        desk.done(&format!("paper new {kind}.md --kind {kind}"));
        desk.done(&format!("paper check {kind}.md --for work.md"));
        assert_eq!(desk.read(&format!("{kind}.md")), policy(kind));
    }
    let whole = DEAL.replace("deal", "whole") + " --tos tos.md --base-terms base-terms.md";
    let whole = whole + " --schedule schedule.md --schedule nda.md --schedule dpa.md";
    desk.refused(&whole, 1, "the Paper names no schedule");
    let digest = desk.machine("paper check schedule.md", 0)["digest"].clone();
    let named = format!(
        "schedules = [{{ letters = \"T\", title = \"Technology\", version = \"1.0.0\", \
         document = {digest} }}]"
    );
    let work = root().join("tests/terms/papers/invoice-coding.paper.md");
    fs::copy(work, desk.path("work.md")).unwrap();
    desk.edit("work.md", "schedules = []", &named);
    desk.refused(&whole.replace("tos.md", "nda.md"), 2, "is of the kind `nda`, not `tos`");
    desk.refused(&whole.replace("--msa msa.md", "--msa tos.md"), 2, "not `msa`");
    desk.done(&whole);
    for key in ["buyer", "developer"] {
        desk.done(&format!("paper sign whole --key {key}"));
    }
    let verified = desk.machine(&VERIFY.replace("deal", "whole"), 0);
    assert_eq!(verified["documents"], 7);
    let hashes = verified["hashes"].as_object().unwrap();
    for hash in ["tosHash", "baseTermsHash", "scheduleHash", "msaHash", "paperContentHash"] {
        assert!(hashes[hash].is_string(), "{hash}");
    }
    let shown = desk.machine("paper show whole --document 1", 0);
    assert_eq!((&shown["kind"], &shown["seq"]), (&json!("base-terms"), &json!(1)));
    assert_eq!(shown["body"]["terms"], json!({ "ip": { "training": false } }));
    desk.refused("paper show whole --document 7", 2, "there is no document 7");
    // Another schedule, and one with other terms, is not the one that the Paper names.
    desk.edit("schedule.md", "response_hours = 24", "response_hours = 25");
    assert_ne!(desk.machine("paper check schedule.md", 0)["digest"], digest);
    desk.refused(&whole.replace("whole", "again"), 1, "the Paper names no schedule");
    assert!(!desk.path("again").exists());
}

fn policy(kind: &str) -> String {
    fs::read_to_string(root().join(format!("policies/{kind}.template.md"))).unwrap()
}

#[test]
fn templates_are_shown_and_compared() {
    let desk = Desk::new("templates");
    desk.done("paper new one.md --kind schedule");
    desk.done("paper new two.md --kind schedule");
    let shown = desk.machine("paper show one.md", 0);
    assert_eq!(shown["type"], "template");
    assert_eq!(shown["digest"], desk.machine("paper check one.md", 0)["digest"]);
    assert_eq!(desk.machine("paper diff one.md two.md", 0)["same"], true);
    desk.edit("two.md", "response_hours = 24", "response_hours = 8");
    desk.edit("two.md", "within 24 hours", "within 8 hours");
    let difference = desk.machine("paper diff one.md two.md", 0);
    assert_eq!(difference["changes"][0]["path"], "/service/response_hours");
    assert!(difference["redline"].as_str().unwrap().contains("within 8 hours"));
    desk.people("paper new three.md --kind poem", 2);
}

#[cfg(unix)]
#[test]
fn a_reader_key_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let desk = agreed("reader-key");
    let mode = |name: &str| fs::metadata(desk.path(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("ann"), 0o600);
    assert_eq!(fs::read(desk.path("ann")).unwrap().len(), 32);
    let key = desk.machine("paper open --new-key --key zoe", 0);
    assert!(desk.read("zoe.pub.pem").starts_with("-----BEGIN PUBLIC KEY-----\nMCowBQYDK2Vu"));
    assert_eq!(key["key"].as_str().unwrap().len(), 64);
    desk.refused("paper open --new-key --key ann", 2, "`ann` is there already");
    // Half a key is none, and a new one opens nothing that was sealed before.
    fs::write(desk.path("half.pub.pem"), "mine").unwrap();
    desk.refused("paper open --new-key --key half", 2, "`half.pub.pem` is there already");
    assert!(!desk.path("half").exists() && desk.read("half.pub.pem") == "mine");
    desk.people("paper open deal --new-key --key ned", 2);
    assert!(!desk.path("ned").exists());
    write(&desk, "quiet.md", TERMS);
    desk.done(LETTER);
    fs::set_permissions(desk.path("ann"), fs::Permissions::from_mode(0o644)).unwrap();
    desk.refused("paper open deal --key ann", 2, "can be read by others");
    fs::set_permissions(desk.path("ann"), fs::Permissions::from_mode(0o600)).unwrap();
    desk.done("paper open deal --key ann");
    // A key that signs reads nothing.
    desk.refused("paper open deal --key buyer", 1, "is not among the readers");
    fs::write(desk.path("short"), [1; 31]).unwrap();
    fs::set_permissions(desk.path("short"), fs::Permissions::from_mode(0o600)).unwrap();
    desk.refused("paper open deal --key short", 2, "is not a secret of 32 bytes");
}

/// Two letters with the same words have nothing in common.
#[test]
fn sealing_uses_fresh_chance() {
    let desk = agreed("chance");
    write(&desk, "quiet.md", "");
    copy(&desk, "deal", "twin");
    let one = desk.machine(LETTER, 0);
    let two = desk.machine(&LETTER.replace("--letter deal", "--letter twin"), 0);
    assert_ne!(one["id"], two["id"]);
    let node = |folder: &str| -> Value {
        let file = format!("{folder}/nodes/0002-side-letter.json");
        serde_json::from_str(&desk.read(&file)).unwrap()
    };
    let (one, two) = (node("deal"), node("twin"));
    assert_eq!(one["parent"], two["parent"]);
    for field in ["body", "clauses", "prose"] {
        assert_ne!(one[field], two[field], "{field}");
    }
}
