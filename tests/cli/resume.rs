//! `envelope resume`: a run whose process is killed ends as if it had never been.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use envelope_evidence::journal::Event;
use serde_json::Value;

use super::desk::{Desk, copy, listing};

/// Writes, sleeps, writes: what is in the journal grows for as long as it runs.
const SOURCE: &str = r#"
use std::time::Duration;

fn main() {
    std::fs::create_dir_all("out").unwrap();
    for number in 0..8 {
        std::fs::write(format!("out/{number}"), format!("number {number}")).unwrap();
        std::thread::sleep(Duration::from_millis(150));
    }
    println!("{{\"written\":8}}");
}
"#;

/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

fn sleeper(desk: &Desk) -> String {
    desk.program("sleeper", SOURCE)
}

fn words<'a>(component: &'a str, dir: &'a str, out: &'a str) -> [&'a str; 9] {
    ["run", component, "run", "--dir", dir, "--outputs", "out/", "--out", out]
}

/// A run that is killed some time after its journal began. It sleeps for longer than that.
fn killed(desk: &Desk, component: &str, name: &str, after: u64) {
    fs::create_dir_all(desk.path(&format!("ws-{name}"))).unwrap();
    let mut child = started(desk, component, name);
    begins(&mut child, &journal(desk, name));
    sleep(Duration::from_millis(after));
    child.kill().unwrap();
    assert!(!child.wait().unwrap().success(), "it was killed");
}

fn started(desk: &Desk, component: &str, name: &str) -> Child {
    let (dir, out) = (format!("ws-{name}"), format!("run-{name}"));
    let mut command = desk.command();
    command.args(words(component, &dir, &out)).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().unwrap()
}

fn begins(child: &mut Child, journal: &PathBuf) {
    let begun = Instant::now();
    while !fs::read_to_string(journal).is_ok_and(|text| text.ends_with('\n')) {
        assert!(child.try_wait().unwrap().is_none(), "it ended before it began");
        assert!(begun.elapsed() < PATIENCE, "it never began");
        sleep(Duration::from_millis(2));
    }
}

fn journal(desk: &Desk, name: &str) -> PathBuf {
    desk.path(&format!("run-{name}/receipt/journal.jsonl"))
}

/// The files in the folder that the run called `name` wrote to, by their names in it.
fn outputs(desk: &Desk, name: &str) -> Vec<(PathBuf, Option<envelope_evidence::Digest>)> {
    let folder = desk.path(&format!("ws-{name}"));
    let inside = |path: PathBuf| path.strip_prefix(&folder).unwrap().to_owned();
    listing(&folder).into_iter().map(|(path, (digest, _))| (inside(path), digest)).collect()
}

fn verified(desk: &Desk, name: &str) {
    let (receipt, keys) = (format!("run-{name}/receipt"), format!("run-{name}/keys.json"));
    desk.says(["verify", &receipt, "--keys", &keys], 0);
    desk.says(["replay", &format!("run-{name}")], 0);
}

/// Resumes the run called `name`, which has to end as `whole` did.
fn goes_on(desk: &Desk, name: &str, whole: &Value, more: &[&str]) {
    let folder = format!("run-{name}");
    assert!(outputs(desk, name).is_empty(), "nothing appears before the end");
    let said = desk.says(["replay", &folder], 2);
    assert!(said.err.contains("resume the run first"), "{}", said.err);
    // A power cut may leave half a line.
    let mut file = OpenOptions::new().append(true).open(journal(desk, name)).unwrap();
    file.write_all(br#"{"n":99,"event":{"be"#).unwrap();

    let document = desk.json(["resume", &folder].iter().chain(more), 0);
    for member in ["result", "outputs", "outcome", "calls"] {
        assert_eq!(document[member], whole[member], "{member} of {name}");
    }
    assert_eq!(outputs(desk, name), outputs(desk, "whole"));
    verified(desk, name);
    let said = desk.says(["resume", &folder], 2);
    assert!(said.err.contains("has ended already"), "{}", said.err);
}

#[test]
fn a_killed_run_goes_on_to_the_same_end() {
    let desk = Desk::new("resume");
    let component = sleeper(&desk);
    fs::create_dir_all(desk.path("ws-whole")).unwrap();
    let whole = desk.json(words(&component, "ws-whole", "run-whole"), 0);
    assert_eq!(whole["result"]["written"], 8);
    for after in [0, 200, 400, 800] {
        let name = format!("killed-{after}");
        killed(&desk, &component, &name, after);
        goes_on(&desk, &name, &whole, &[]);
    }

    // Killed after any line of the journal: between two calls, and between a call and its answer.
    let lines = fs::read_to_string(journal(&desk, "whole")).unwrap();
    let lines: Vec<_> = lines.split_inclusive('\n').collect();
    for cut in [1, 2, 3, lines.len() / 4, lines.len() / 2, lines.len() - 2, lines.len() - 1] {
        let name = format!("cut-{cut}");
        let (folder, dir) = (desk.path(&format!("run-{name}")), format!("ws-{name}"));
        copy(&desk.path("run-whole"), &folder);
        fs::remove_file(folder.join("keys.json")).unwrap();
        fs::write(journal(&desk, &name), lines[..cut].concat()).unwrap();
        fs::create_dir_all(desk.path(&dir)).unwrap();
        goes_on(&desk, &name, &whole, &["--dir", &dir]);
    }
}

/// Writes, then sleeps for longer than anybody waits.
const LONG: &str = r#"
fn main() {
    std::fs::create_dir_all("out").unwrap();
    for number in 0..3 {
        std::fs::write(format!("out/{number}"), "x").unwrap();
    }
    std::thread::sleep(std::time::Duration::from_secs(250));
}
"#;

#[test]
fn a_run_that_is_killed_in_its_sleep_has_kept_everything() {
    let desk = Desk::new("asleep");
    let component = desk.program("long", LONG);
    fs::create_dir_all(desk.path("ws-long")).unwrap();
    let mut child = started(&desk, &component, "long");
    let begun = Instant::now();
    let written = || fs::read_to_string(journal(&desk, "long")).unwrap_or_default();
    while !written().contains("\"out/2\"") {
        assert!(child.try_wait().unwrap().is_none(), "it ended before it slept");
        assert!(begun.elapsed() < PATIENCE, "its writes never reach the disk");
        sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let kept = envelope_evidence::journal::Journal::parse(written().as_bytes()).unwrap();
    assert!(kept.ended().is_none());
    let last = kept.entries().last().unwrap();
    let operation = |event: &Event| match event {
        Event::Answered(it) => it.call.operation.to_string(),
        other => panic!("{other:?}"),
    };
    assert!(operation(&last.event).ends_with("subscribe-duration"), "{last:?}");
}

#[test]
fn a_run_that_died_before_its_receipt_gets_it() {
    let desk = Desk::new("unsealed");
    let component = sleeper(&desk);
    fs::create_dir_all(desk.path("ws-late")).unwrap();
    desk.says(words(&component, "ws-late", "run-late"), 0);
    let given = outputs(&desk, "late");
    fs::remove_file(desk.path("run-late/keys.json")).unwrap();
    fs::remove_dir_all(desk.path("ws-late/out")).unwrap();

    let said = desk.says(["resume", "run-late"], 2);
    assert!(said.err.contains("`--dir`"), "{}", said.err);
    desk.says(["resume", "run-late", "--dir", "ws-late"], 0);
    assert_eq!(outputs(&desk, "late"), given);
    verified(&desk, "late");
}

#[test]
fn only_the_run_itself_goes_on() {
    let desk = Desk::new("stranger");
    let component = sleeper(&desk);
    killed(&desk, &component, "cut", 300);
    let kept = desk.path("kept");
    copy(&desk.path("run-cut"), &kept);

    // Another machine did not grant this, and another warrant is not the one it began under.
    let stranger = Desk::new("resume-stranger");
    copy(&kept, &stranger.path("run"));
    let said = stranger.says(["resume", "run", "--dir", "."], 2);
    assert!(said.err.contains("keys of this machine"), "{}", said.err);
    let warrant = desk.path("run-cut/run/warrant.json");
    let whole = fs::read_to_string(&warrant).unwrap();
    let wider = whole.replace("\"calls\":200000", "\"calls\":900000");
    assert_ne!(wider, whole);
    fs::write(&warrant, wider).unwrap();
    let said = desk.says(["resume", "run-cut"], 1);
    assert!(said.err.contains("the warrant is not"), "{}", said.err);
    fs::write(&warrant, whole).unwrap();

    // Nor are other limits those it began under.
    let limits = desk.path("run-cut/run/limits.json");
    let whole = fs::read_to_string(&limits).unwrap();
    let wider = whole.replace("\"journal_bytes\":", "\"journal_bytes\":9");
    assert_ne!(wider, whole);
    fs::write(&limits, wider).unwrap();
    let said = desk.says(["resume", "run-cut"], 1);
    assert!(said.err.contains("the limits are"), "{}", said.err);
    fs::write(&limits, whole).unwrap();

    // A folder that was moved does not say where its outputs go.
    let said = desk.says(["resume", "kept"], 2);
    assert!(said.err.contains("`--dir`"), "{}", said.err);
    assert!(outputs(&desk, "cut").is_empty());
    desk.says(["resume", "run-cut"], 0);
    assert_eq!(outputs(&desk, "cut").len(), 9, "a folder and eight files");
}

#[test]
fn a_run_that_goes_on_is_left_alone() {
    let desk = Desk::new("alive");
    let component = sleeper(&desk);
    fs::create_dir_all(desk.path("ws-alive")).unwrap();
    let mut child = started(&desk, &component, "alive");
    begins(&mut child, &journal(&desk, "alive"));
    let said = desk.says(["resume", "run-alive"], 2);
    assert!(said.err.contains("is in use"), "{}", said.err);
    assert!(child.wait().unwrap().success());
    verified(&desk, "alive");
}
