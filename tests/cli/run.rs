//! `envelope run` and what goes with it, as a person uses them: the examples of this repository, a
//! folder of documents, keys made on first use.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::json;

use super::desk::{Desk, copy, example, listing};
use crate::cargo::root;

const ADA: &str = r#"{"name":"Ada"}"#;
const DOCS: &str = r#"{"folder":"docs"}"#;

/// Runs `summary` on the desk's documents; the run lies in `run`.
fn summary(desk: &Desk) {
    let words = ["run", example("summary"), "summary", "--args", DOCS, "--dir", "ws"];
    let more = ["--allow-read", "docs/**", "--outputs", "out/", "--out", "run"];
    let said = desk.says(words.iter().chain(&more), 0);
    assert!(said.out.contains(r#""documents":4"#), "{}", said.out);
    assert!(said.err.contains("wrote out/summary.md"), "{}", said.err);
}

#[test]
fn the_result_is_on_stdout_and_the_rest_is_not() {
    let desk = Desk::new("hello");
    let said = desk.says(["run", example("hello"), "hello", "--args", ADA], 0);
    assert_eq!(said.out, "\"Hello, Ada!\"\n");
    assert!(said.err.contains("greeting") && said.err.contains("receipt"), "{}", said.err);

    fs::write(desk.path("ada.json"), ADA).unwrap();
    let words = ["run", example("hello"), "hello", "--args", "@ada.json", "--out", "kept"];
    let document = desk.json(words, 0);
    let known = json!({"type": "run", "exit": 0, "outcome": "ok", "reason": "returned",
        "result": "Hello, Ada!", "stdout": "", "stderr": "", "outputs": [], "calls": 2,
        "folder": "kept", "run": document["run"]});
    assert_eq!(document, known);
    assert!(document["run"].as_str().unwrap().starts_with("run_"));
}

/// Tells what it found and why, and fails if it is told to; or writes what is no text.
const TELLING: &str = r#"
use std::io::Write as _;

fn main() {
    if std::env::args().any(|word| word == "draw") {
        std::io::stdout().write_all(b"\x89\tP\x1b\xff").unwrap();
        return;
    }
    println!("found");
    eprintln!("because");
    std::process::exit(std::env::args().count() as i32 - 1);
}
"#;

#[test]
fn what_a_program_writes_is_shown_however_it_ends() {
    let desk = Desk::new("telling");
    let program = desk.program("telling", TELLING);
    for (args, exit) in [("[]", 0), (r#"["fail"]"#, 3)] {
        let said = desk.says(["run", &*program, "run", "--args", args], exit);
        assert_eq!(said.out, "found\n", "{args}");
        assert!(said.err.contains("because\n") && !said.err.contains("found"), "{}", said.err);
        let document = desk.json(["run", &*program, "run", "--args", args], exit);
        let told = (&document["stdout"], &document["stderr"]);
        assert_eq!(told, (&"found\n".into(), &"because\n".into()), "{document}");
    }
    let draw = desk.command().args(["run", &program, "run", "--args", r#"["draw"]"#]).output();
    assert_eq!(draw.unwrap().stdout, b"\x89\tP\x1b\xff", "who reads has it as it is");
    let said = desk.says(["run", example("hostile"), "panic"], 3);
    assert!(said.out.is_empty() && said.err.contains("panicked at"), "{}{}", said.out, said.err);
    let document = desk.json(["run", example("hostile"), "panic"], 3);
    assert!(document["stderr"].as_str().unwrap().contains("panicked at"), "{document}");
    assert_eq!((&document["stdout"], &document["result"]), (&"".into(), &json!(null)));
}

/// Makes a file, knocks three times at one door and once at another, and leaves with a code.
const KNOCKING: &str = r#"
fn main() {
    std::fs::write("/out/found", "one").unwrap();
    for door in ["/a", "/b", "/a", "/a"] {
        assert!(std::fs::read(door).is_err());
    }
    std::process::exit(3);
}
"#;

#[test]
fn equal_denials_are_one_line_and_a_code_loses_no_file() {
    let desk = Desk::with_documents("knocking");
    let before = listing(&desk.path("ws"));
    let program = desk.program("knocking", KNOCKING);
    let words = ["run", &*program, "run", "--dir", "ws", "--outputs", "out/", "--out", "ran"];
    let said = desk.says(words, 3);
    let denied: Vec<_> = said.err.lines().filter(|line| line.starts_with("denied")).collect();
    let [first, second] = denied[..] else { panic!("{}", said.err) };
    assert!(first.starts_with("denied path.outside open a: "), "{first}");
    assert!(first.ends_with(" (3 times)"), "{first}");
    assert!(second.starts_with("denied path.outside open b: "), "{second}");
    assert!(!second.contains("times"), "{second}");
    let journal = fs::read_to_string(desk.path("ran/receipt/journal.jsonl")).unwrap();
    assert_eq!(journal.matches("path.outside").count(), 4, "each is in the journal");

    assert!(said.err.contains("wrote out/found (3 bytes)"), "{}", said.err);
    let mut after = listing(&desk.path("ws"));
    assert!(after.remove(&desk.path("ws/out/found")).is_some());
    after.remove(&desk.path("ws/out"));
    assert_eq!(after, before);
    verified(&desk, "ran");
    assert_eq!(desk.json(["replay", "ran"], 0)["verdict"], "same");
}

#[test]
fn what_cannot_be_run_says_what_and_where() {
    let desk = Desk::new("unusable");
    let hello = example("hello");
    fs::write(desk.path("text.wasm"), "text").unwrap();
    fs::write(desk.path("module.wasm"), b"\0asm\x01\0\0\0").unwrap();
    fs::write(desk.path("cut.wasm"), &fs::read(hello).unwrap()[..5000]).unwrap();
    // Compiled once, it is not spoken of again: all that is said is what is wrong.
    desk.says(&["run", hello, "hello", "--args", ADA], 0);
    for (words, what) in [
        (&[hello, "hello", "--args", r#"{"name":1}"#][..], "at `/name`"),
        (&[hello, "hello", "--args", "{}"], "name"),
        (&[hello, "hello", "--args", "{name"], "line 1 column 2"),
        (&[hello, "hello", "--args", "@none.json"], "none.json"),
        (&[hello, "greet", "--args", ADA], "no skill `greet`; it has `hello`"),
        (&[hello, "hello", "--args", ADA, "--dir", "none"], "`none`"),
        (&[hello, "hello", "--args", ADA, "--allow-read", "../**"], "../**"),
        (&[hello, "hello", "--args", ADA, "--outputs", "../out/"], "../out/"),
        (&["none.wasm", "hello"], "none.wasm"),
        (&["text.wasm", "hello"], "this is text and no component"),
        (&["module.wasm", "hello"], "build it with `--target wasm32-wasip2`"),
        (&["cut.wasm", "hello"], "the component is not whole"),
    ] {
        let words: Vec<_> = ["run"].iter().chain(words).collect();
        let said = desk.says(&words, 2);
        assert!(said.out.is_empty(), "{}", said.out);
        assert!(said.err.contains(what) && said.err.contains("hint: "), "{words:?}: {}", said.err);
        assert_eq!(said.err.lines().count(), 2, "{}", said.err);
        let document = desk.json(&words, 2);
        assert_eq!(document["type"], "error");
        assert!(document["error"].as_str().unwrap().contains(what), "{document}");
    }
}

#[test]
fn outputs_appear_and_nothing_else_changes() {
    let desk = Desk::with_documents("summary");
    let before = listing(&desk.path("ws"));
    summary(&desk);
    let mut after = listing(&desk.path("ws"));
    let page = fs::read_to_string(desk.path("ws/out/summary.md")).unwrap();
    assert!(page.contains("## docs/notes/meeting.md"), "{page}");
    assert!(after.remove(&desk.path("ws/out/summary.md")).is_some());
    assert!(after.remove(&desk.path("ws/out")).is_some());
    assert_eq!(after, before);
}

/// A grant for everything is spelled out, and holds for everything but the folder itself.
#[test]
fn everything_may_be_written_by_whoever_is_let() {
    let desk = Desk::with_documents("root");
    let before = listing(&desk.path("ws"));
    let words = ["run", example("summary"), "summary", "--args", DOCS, "--dir", "ws"];
    let grant = ["--allow-read", "docs/**", "--outputs", "./", "--out", "ran"];
    let document = desk.json(words.iter().chain(&grant), 0);
    assert_eq!(document["outputs"][0]["path"], "summary.md", "{document}");
    let mut after = listing(&desk.path("ws"));
    assert!(after.remove(&desk.path("ws/summary.md")).is_some());
    assert_eq!(after, before, "nothing is left of the way there");
    desk.says(["replay", "ran"], 0);
    desk.says(["verify", "ran/receipt", "--keys", "ran/keys.json"], 0);
}

#[test]
fn what_was_not_granted_is_denied_and_nothing_changes() {
    let desk = Desk::with_documents("denied");
    let before = listing(&desk.path("ws"));
    let words = ["run", example("summary"), "summary", "--args", DOCS, "--dir", "ws"];
    let said = desk.says(words.iter().chain(&["--outputs", "out/"]), 3);
    assert!(said.err.contains("denied path.outside open docs"), "{}", said.err);
    let read = ["--allow-read", "docs/*.md", "--outputs", "out/"];
    let document = desk.json(words.iter().chain(&read[..2]), 3);
    assert_eq!(document["outcome"], "failed", "it may not write: {document}");
    assert_eq!(listing(&desk.path("ws")), before);

    // The positive control, under a narrower grant than the whole folder.
    let document = desk.json(words.iter().chain(&read), 0);
    assert_eq!(document["result"]["documents"], 2, "{document}");
    assert_eq!(document["outputs"][0]["path"], "out/summary.md");
}

#[test]
fn each_bad_end_has_its_exit_code() {
    let desk = Desk::with_documents("ends");
    let before = listing(&desk.path("ws"));
    let world = ["--dir", "ws", "--allow-read", "docs/**", "--outputs", "out/"];
    for (skill, limit, exit, outcome, reason) in [
        ("panic", &[][..], 3, "crashed", "unreachable"),
        // Its own stack is memory of its own, below which there is none: see the attack table.
        ("recurse", &[], 3, "crashed", "out of bounds memory access"),
        ("spin", &["--fuel", "10000000"], 6, "exhausted", "fuel"),
        ("handles", &[], 6, "exhausted", "handles"),
        ("flood", &["--calls", "50"], 5, "denied", "budget.exhausted"),
        ("chatter", &["--calls", "50"], 3, "failed", "the skill failed"),
    ] {
        let words = ["run", example("hostile"), skill, "--out", skill];
        let document = desk.json(words.iter().chain(&world).chain(limit), exit);
        assert_eq!(document["outcome"], outcome, "{document}");
        assert!(document["reason"].as_str().unwrap().contains(reason), "{document}");
        assert_eq!(listing(&desk.path("ws")), before, "{skill}");
        verified(&desk, skill);
        assert_eq!(desk.json(["replay", skill], 0)["verdict"], "same");
    }
}

#[test]
fn a_run_that_takes_too_long_is_stopped() {
    let desk = Desk::new("timeout");
    let words = ["run", example("hostile"), "spin", "--timeout", "1", "--out", "run"];
    let fuel = ["--fuel", "1000000000000000"];
    let document = desk.json(words.iter().chain(&fuel), 6);
    assert_eq!(document["outcome"], "exhausted", "{document}");
    verified(&desk, "run");
}

#[test]
fn a_hostile_agent_gets_nothing() {
    let desk = Desk::with_documents("hostile");
    let before = listing(&desk.path("ws"));
    let words = ["run", example("hostile"), "try-all", "--dir", "ws", "--out", "run"];
    let grant = ["--allow-read", "docs/**", "--outputs", "out/"];
    let document = desk.json(words.iter().chain(&grant), 0);
    let tried = document["result"].as_array().unwrap();
    // Its own arguments lie on its standard input.
    let own = |it: &&serde_json::Value| it["tried"] == "read what was typed";
    let done = tried.iter().filter(|it| it["got"].get("done").is_some() && !own(it));
    let done: Vec<_> = done.collect();
    assert!(tried.len() > 40 && done.is_empty(), "{done:?}");
    assert_eq!(listing(&desk.path("ws")), before);
    verified(&desk, "run");
}

fn verified(desk: &Desk, folder: &str) {
    let (receipt, keys) = (format!("{folder}/receipt"), format!("{folder}/keys.json"));
    let document = desk.json(["verify", &receipt, "--keys", &keys], 0);
    assert_eq!(document["verified"], true);
}

#[test]
fn a_run_verifies_and_replays_on_a_strangers_desk() {
    let desk = Desk::with_documents("own");
    summary(&desk);
    verified(&desk, "run");

    let stranger = Desk::new("stranger");
    copy(&desk.path("run"), &stranger.path("run"));
    verified(&stranger, "run");
    let before = listing(&stranger.path("run"));
    let document = stranger.json(["replay", "run"], 0);
    assert_eq!((&document["type"], &document["verdict"]), (&"replay".into(), &"same".into()));
    let receipt = ["verify", "run/receipt", "--keys", "run/keys.json"];
    assert_eq!(stranger.json(receipt, 0)["id"], document["receipt"]);
    let said = stranger.says(["replay", "run"], 0);
    assert!(said.out.starts_with("the same run: "), "{}", said.out);
    assert_eq!(listing(&stranger.path("run")), before, "a replay writes nothing");
}

#[test]
fn a_record_that_was_changed_does_not_replay() {
    let desk = Desk::with_documents("changed");
    summary(&desk);
    let hello = fs::read(example("hello")).unwrap();
    for (name, change) in [
        ("receipt/journal.jsonl", None),
        ("run/warrant.json", None),
        ("run/inputs.json", None),
        ("run/limits.json", None),
        ("run/args.json", Some(br#"{"folder":"secrets"}"#.to_vec())),
        ("run/component.wasm", Some(hello)),
    ] {
        let path = desk.path("run").join(name);
        let whole = fs::read(&path).unwrap();
        let mut flipped = whole.clone();
        flipped[whole.len() / 2] ^= 1;
        fs::write(&path, change.unwrap_or(flipped)).unwrap();
        let document = desk.json(["replay", "run"], 2);
        assert_eq!(document["type"], "error", "{name}: {document}");
        fs::remove_file(&path).unwrap();
        let document = desk.json(["replay", "run"], 2);
        let file = path.file_name().unwrap().to_str().unwrap();
        assert!(document["error"].as_str().unwrap().contains(file), "{document}");
        fs::write(&path, whole).unwrap();
    }
    assert_eq!(desk.json(["replay", "run"], 0)["verdict"], "same");
}

#[test]
fn a_run_never_takes_the_folder_of_another() {
    let desk = Desk::new("taken");
    let hello = ["run", example("hello"), "hello", "--args", ADA, "--out", "run"];
    desk.says(hello, 0);
    let before = listing(&desk.path("run"));
    let said = desk.says(["run", example("hostile"), "panic", "--out", "run"], 2);
    assert!(said.err.contains("holds a run already"), "{}", said.err);
    assert_eq!(listing(&desk.path("run")), before);
}

#[test]
fn keys_are_for_their_owner_alone() {
    let desk = Desk::new("keys");
    let hello = ["run", example("hello"), "hello", "--args", ADA];
    desk.says(hello, 0);
    let key = desk.path("home/keys/receipts.key");
    for path in [&key, &desk.path("home/keys/grants.key")] {
        let mode = fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", path.display());
    }
    let before = listing(&desk.path("home"));
    desk.says(hello, 0);
    assert_eq!(listing(&desk.path("home")), before, "keys are made once");

    fs::set_permissions(&key, fs::Permissions::from_mode(0o640)).unwrap();
    let said = desk.says(hello, 1);
    assert!(said.err.contains("can be read by others"), "{}", said.err);
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(&key, "short").unwrap();
    let said = desk.says(hello, 1);
    assert!(said.err.contains("is no key of 32 bytes"), "{}", said.err);
}

/// Whoever starts first makes the keys, also when several start at once, or one began and died.
#[test]
fn first_starts_at_once_have_the_same_keys() {
    for round in 0..3 {
        let desk = Desk::new(&format!("first-{round}"));
        if round > 0 {
            fs::create_dir_all(desk.path("home/keys")).unwrap();
            let half = fs::File::create_new(desk.path("home/keys/receipts.key")).unwrap();
            half.set_permissions(fs::Permissions::from_mode(0o600)).unwrap();
        }
        let outs: Vec<_> = (0..6).map(|n| format!("run-{n}")).collect();
        let start = |out: &String| {
            let mut command = desk.command();
            command.args(["run", example("hello"), "hello", "--args", ADA, "--out", out]);
            command.spawn().unwrap()
        };
        let children: Vec<_> = outs.iter().map(start).collect();
        for mut child in children {
            assert!(child.wait().unwrap().success());
        }
        let keys = |out: &String| fs::read(desk.path(out).join("keys.json")).unwrap();
        for out in &outs {
            verified(&desk, out);
            assert_eq!(keys(out), keys(&outs[0]));
        }
        assert_eq!(fs::read(desk.path("home/keys/receipts.key")).unwrap().len(), 32);
    }
}

#[test]
fn a_component_shows_its_skills_and_imports() {
    let desk = Desk::new("inspect");
    let document = desk.json(["inspect", example("hostile")], 0);
    assert_eq!(document["type"], "inspection");
    let skills = document["card"]["skills"].as_array().unwrap();
    let names: Vec<_> = skills.iter().map(|skill| skill["name"].as_str().unwrap()).collect();
    assert!(names.contains(&"try-all") && names.contains(&"spin"), "{names:?}");
    let imports = document["imports"].as_array().unwrap();
    let begins = |name: &str| imports.iter().any(|it| it.as_str().unwrap().starts_with(name));
    assert!(begins("wasi:filesystem/types@0.2") && begins("envelope:host/"), "{imports:?}");

    let said = desk.says(["inspect", example("hello")], 0);
    assert!(said.out.contains("skill hello  Greets someone in one line."), "{}", said.out);
}

#[test]
fn a_folder_without_an_agent_is_not_built() {
    let desk = Desk::new("empty");
    for words in [&["build", "."][..], &["run", ".", "hello"], &["inspect", "."]] {
        let said = desk.says(words, 2);
        assert!(said.err.contains("has no `Cargo.toml`"), "{}", said.err);
    }
}

#[test]
fn the_demo_tells_its_story() {
    let desk = Desk::new("demo");
    for name in ["briefing", "hello", "hostile", "planner", "specialist", "summary"] {
        example(name);
    }
    let mut demo = desk.command();
    demo.current_dir(root()).args(["demo", "--json", "--out"]).arg(desk.path("demo"));
    let output = demo.output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{told}");
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&document["type"], &document["replayed"]), (&"demo".into(), &4.into()));
    assert!(document["denied"].as_u64().unwrap() > 40, "{document}");
    assert!(desk.path("demo/workspace/out/summary.md").is_file());
    assert!(told.contains("6/6") && told.contains("approved by local"), "{told}");
    let offer = fs::read_to_string(desk.path("demo/workspace/rfp/draft/offer.md")).unwrap();
    assert!(offer.contains("In all: 6660.00"), "{offer}");
    // What the hostile agent read, it did not get out.
    let exfiltration = "denied request POST https://collector.example/  egress.host";
    assert!(told.contains(exfiltration), "{told}");

    let said = desk.says(["demo"], 2);
    assert!(said.err.contains("root of the repository"), "{}", said.err);
}
