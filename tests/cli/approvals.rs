//! Agents that call agents and ask people, from the command line: decided now, later, elsewhere, by
//! two, not at all.

use std::fs;

use envelope_engine::local::RunFolder;
use envelope_evidence::Timestamp;
use envelope_rules::life::{Life, Logged};
use serde_json::Value;

use super::desk::{Desk, copy, example, listing};
use crate::patience::until;

/// The planner on its documents, and the specialist that it calls.
fn desk(name: &str) -> Desk {
    example("planner");
    example("specialist");
    Desk::with_documents(name)
}

pub(super) fn words<'a>(out: &'a str, more: &[&'a str]) -> Vec<String> {
    let callee = format!("specialist={}", example("specialist"));
    let args = r#"{"specialist":"specialist@local"}"#;
    let all = ["run", example("planner"), "offer", "--args", args, "--callee", &callee];
    let files = ["--dir", "ws", "--allow-read", "rfp/*.pdf", "--outputs", "rfp/draft/"];
    let out = ["--out", out];
    let words = all.iter().chain(&files).chain(&out).chain(more);
    words.map(|word| (*word).to_owned()).collect()
}

/// Forty tours, two hundred guides, twelve visits.
const SUM: u64 = 40 * 12_000 + 200 * 450 + 12 * 8_000;

pub(super) fn verified(desk: &Desk, folder: &str) {
    let (receipt, keys) = (format!("{folder}/receipt"), format!("{folder}/keys.json"));
    desk.says(["verify", &receipt, "--keys", &keys], 0);
    let replayed = desk.json(["replay", folder], 0);
    assert_eq!(replayed["verdict"], "same");
}

/// The folders of the runs that `folder` called.
fn callees(desk: &Desk, folder: &str) -> Vec<String> {
    let path = desk.path(folder).join("callees");
    let names = fs::read_dir(path).unwrap().map(|it| it.unwrap().file_name());
    names.map(|name| format!("{folder}/callees/{}", name.to_str().unwrap())).collect()
}

/// Where the run stood after each thing that happened to it. The log replays.
fn life(desk: &Desk, folder: &str) -> Vec<&'static str> {
    let lines = fs::read_to_string(desk.path(folder).join("run/life.jsonl")).unwrap();
    let log: Vec<Logged> = lines.lines().map(|it| serde_json::from_str(it).unwrap()).collect();
    let replayed = Life::replay(Timestamp::MAX, &log).unwrap();
    assert_eq!(*replayed.state(), log.last().unwrap().to);
    log.iter().map(|line| line.to.name()).collect()
}

fn authority(desk: &Desk, folder: &str) -> String {
    use base64::Engine as _;
    let path = desk.path(folder).join("receipt/evidence/authority.dsse.json");
    let envelope: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    let payload = envelope["payload"].as_str().unwrap();
    let bytes = base64::engine::general_purpose::STANDARD.decode(payload).unwrap();
    String::from_utf8(bytes).unwrap()
}

#[test]
fn a_planner_hands_on_and_gets_more_by_flag() {
    let desk = desk("approvals-flag");
    let document = desk.json(words("yes", &["--approvals", "yes"]), 0);
    assert_eq!(document["result"]["cents"], SUM);
    let written = desk.path("ws/rfp/draft");
    assert!(written.join("wishes.md").is_file(), "the specialist wrote it");
    assert!(written.join("offer.md").is_file());
    verified(&desk, "yes");
    let [callee] = &callees(&desk, "yes")[..] else { panic!() };
    verified(&desk, callee);
    let authority = authority(&desk, "yes");
    for told in ["rfp/*.pdf", "prices/*.csv", "specialist@local"] {
        assert!(authority.contains(told), "{told} in {authority}");
    }
    fs::remove_dir_all(&written).unwrap();
    let document = desk.json(words("no", &["--approvals", "no"]), 0);
    assert_eq!(document["result"]["cents"], Value::Null);
    verified(&desk, "no");
    // Nobody is asked where nobody says so and no terminal is there.
    fs::remove_dir_all(&written).unwrap();
    let document = desk.json(words("never", &[]), 0);
    assert_eq!(document["result"]["cents"], Value::Null);
    let reviewed = |folder: &str| {
        let journal = desk.path(folder).join("receipt/journal.jsonl");
        fs::read_to_string(journal).unwrap().contains("\"reviewed\"")
    };
    assert!(reviewed("yes") && reviewed("no") && !reviewed("never"));
}

#[test]
fn a_run_waits_and_another_command_decides() {
    let desk = desk("approvals-wait");
    let before = listing(&desk.path("ws"));
    let said = desk.says(words("run", &["--approvals", "wait"]), 4);
    assert!(said.err.contains("envelope approvals list run"), "{}", said.err);
    assert_eq!(listing(&desk.path("ws")), before, "nothing appears before the end");
    let said = desk.says(["replay", "run"], 2);
    assert!(said.err.contains("resume the run first"), "{}", said.err);
    // Nobody decided: it waits on.
    desk.says(["resume", "run"], 4);
    let list = desk.says(["approvals", "list"], 0);
    assert!(list.out.contains("price list"), "{}", list.out);
    let document = desk.json(["approvals", "list", "run"], 0);
    let waiting = &document["waiting"][0];
    assert_eq!(waiting["state"], "open");
    assert_eq!(waiting["request"]["matter"]["wanted"]["read"][0], "prices/*.csv");
    // What is shown is what the decision is bound to.
    let shown = desk.says(["approvals", "show", "run"], 0);
    let digest = envelope_evidence::Digest::of(shown.out.trim_end().as_bytes()).to_string();
    assert_eq!(waiting["digest"], digest.as_str());
    let other = envelope_evidence::Digest::of(b"another").to_string();
    let said = desk.says(["approvals", "approve", "run", "--saw", &other], 1);
    assert!(said.err.contains("not what was seen"), "{}", said.err);
    desk.says(["approvals", "approve", "run", "--saw", &digest], 0);
    // A second click has nothing left to decide.
    desk.says(["approvals", "approve", "run"], 2);
    let said = desk.says(["approvals", "list"], 0);
    assert!(said.err.contains("nothing waits"), "{}", said.err);

    assert_eq!(life(&desk, "run"), ["starting", "running", "waiting", "suspended, undecided"]);
    let document = desk.json(["resume", "run"], 0);
    assert_eq!(document["result"]["cents"], SUM);
    let after = ["suspended", "resuming", "running", "succeeded"];
    assert_eq!(life(&desk, "run")[4..], after);
    verified(&desk, "run");
    assert!(desk.path("ws/rfp/draft/offer.md").is_file());
    assert_eq!(callees(&desk, "run").len(), 1, "the specialist worked once");
    let said = desk.says(["approvals", "list", "run"], 2);
    assert!(said.err.contains("has ended"), "{}", said.err);
}

#[test]
fn less_than_asked_is_less() {
    let desk = desk("approvals-less");
    desk.says(words("run", &["--approvals", "wait"]), 4);
    let wider = ["approvals", "approve", "run", "--read", "**"];
    let said = desk.says(wider, 1);
    assert!(said.err.contains("APPROVAL_WIDER"), "{}", said.err);
    let answer = ["approvals", "approve", "run", "--read", "prices/none.csv", "--ttl", "60"];
    let document = desk.json(answer, 0);
    assert_eq!(document["state"], "narrowed");
    // The planner may not read the list still, and says so.
    let document = desk.json(["resume", "run"], 3);
    assert!(document["result"].to_string().contains("path.outside"), "{document}");
    verified(&desk, "run");
    assert!(authority(&desk, "run").contains("prices/none.csv"));
}

#[test]
fn a_no_and_a_kill_end_in_receipts() {
    let desk = desk("approvals-no");
    desk.says(words("run", &["--approvals", "wait"]), 4);
    desk.says(["approvals", "deny", "run", "--reason", "not this week"], 0);
    let document = desk.json(["resume", "run"], 0);
    assert_eq!(document["result"]["cents"], Value::Null);
    verified(&desk, "run");
    let told = fs::read_to_string(desk.path("run/receipt/journal.jsonl")).unwrap();
    assert!(told.contains("not this week"), "{told}");

    fs::remove_dir_all(desk.path("ws/rfp/draft")).unwrap();
    desk.says(words("other", &["--approvals", "wait"]), 4);
    let document = desk.json(["resume", "other", "--kill", "no longer needed"], 5);
    assert_eq!(life(&desk, "other")[3..], ["suspended, undecided", "stopping, killed", "killed"]);
    assert_eq!(
        (&document["outcome"], &document["reason"]),
        (&"killed".into(), &"no longer needed".into())
    );
    verified(&desk, "other");
    assert!(!desk.path("ws/rfp/draft").exists(), "it gives nothing out");
}

#[test]
fn where_two_have_to_agree_two_do() {
    let desk = desk("approvals-two");
    desk.says(words("run", &["--approvals", "wait", "--approvers", "2"]), 4);
    let said = desk.says(["approvals", "approve", "run", "--as", "ada"], 0);
    assert!(said.err.contains("somebody else has to agree"), "{}", said.err);
    desk.says(["resume", "run"], 4);
    desk.says(["approvals", "approve", "run", "--as", "ada"], 0);
    desk.says(["resume", "run"], 4);
    // Not the agent, whoever types its name.
    let said = desk.says(["approvals", "approve", "run", "--as", "planner@local"], 1);
    assert!(said.err.contains("APPROVAL_SELF"), "{}", said.err);
    desk.says(["approvals", "approve", "run", "--as", "bea"], 0);
    desk.says(["resume", "run"], 0);
    let keys = desk.says(["verify", "run/receipt", "--keys", "run/keys.json"], 0);
    assert!(keys.out.contains("by ada, bea"), "{}", keys.out);
}

/// The operator wants to be asked before an agent is called, though the planner does not ask.
#[test]
fn calls_can_need_leave() {
    let desk = desk("approvals-before");
    let before = ["--ask-before", "agents specialist@local"];
    let no = [&before[..], &["--approvals", "no"]].concat();
    let document = desk.json(words("no", &no), 3);
    assert!(document["result"].to_string().contains("approval.rejected"), "{document}");
    desk.says(words("run", &before), 4);
    desk.says(["approvals", "approve", "run"], 0);
    desk.says(["resume", "run"], 4);
    desk.says(["approvals", "approve", "run"], 0);
    let document = desk.json(["resume", "run"], 0);
    assert_eq!(document["result"]["cents"], SUM);
    verified(&desk, "run");
    for (calls, what) in [
        ("files", "begin with `http`"),
        ("http post", "no method, and no host"),
        ("http API.example.org", "no method, and no host"),
        ("http api.example.org:443", "no method, and no host"),
        ("http POST GET", "one too many"),
        ("agents specialist", "write `specialist@local`"),
        ("model >0.01 >0.02", "one too many"),
    ] {
        let said = desk.says(words("bad", &["--ask-before", calls]), 2);
        assert!(said.err.contains(what), "{calls}: {}", said.err);
    }
    let many = ["--ask-before", "http POST api.example.org"].repeat(65);
    let said = desk.says(words("bad", &many), 2);
    assert!(said.err.contains("more than 64"), "{}", said.err);
    let never = [&before[..], &["--approvals", "never"]].concat();
    desk.says(words("bad", &never), 2);
}

/// A log that tells what cannot have happened is no log of this run.
#[test]
fn a_log_that_lies_is_refused() {
    let desk = desk("approvals-life");
    desk.says(words("run", &["--approvals", "wait"]), 4);
    let path = desk.path("run/run/life.jsonl");
    let whole = fs::read_to_string(&path).unwrap();
    fs::write(&path, whole.replacen("\"kind\":\"begin\"", "\"kind\":\"catch-up\"", 1)).unwrap();
    let said = desk.says(["resume", "run"], 2);
    assert!(said.err.contains("line 1 of the log is refused"), "{}", said.err);
    fs::write(&path, whole).unwrap();
    desk.says(["resume", "run"], 4);
}

/// What was decided lies at home: a folder from elsewhere does not bring its own approvals.
#[test]
fn nobody_brings_their_own_approval() {
    let desk = desk("approvals-own");
    desk.says(words("run", &["--approvals", "wait"]), 4);
    let stranger = Desk::new("approvals-stranger");
    copy(&desk.path("run"), &stranger.path("run"));
    let said = stranger.says(["approvals", "approve", "run"], 2);
    assert!(said.err.contains("asked nobody on this machine"), "{}", said.err);
    // The files that say what was decided are nobody else's business.
    let kept = listing(&desk.path("home/desk")).into_keys();
    let kept: Vec<_> = kept.filter_map(|path| Some(path.file_name()?.to_owned())).collect();
    let book = kept.iter().find(|name| name.to_string_lossy().ends_with(".json")).unwrap();
    assert!(listing(&desk.path("run")).keys().all(|path| path.file_name() != Some(book)));
    desk.says(["approvals", "approve", "run"], 0);
}

/// A run whose desk is gone does not go on as if nobody had to be asked.
#[test]
fn a_run_that_has_to_ask_does_not_go_on_unasked() {
    let desk = desk("approvals-lost");
    desk.says(words("run", &["--ask-before", "agents specialist@local"]), 4);
    let home = desk.path("home/desk");
    let away = desk.path("away");
    fs::rename(&home, &away).unwrap();
    let said = desk.says(["resume", "run"], 2);
    assert!(said.err.contains("nothing at home says whom this run asks"), "{}", said.err);
    fs::rename(&away, &home).unwrap();
    desk.says(["resume", "run"], 4);
}

#[test]
fn callees_are_named_in_order() {
    let desk = desk("approvals-callees");
    let path = example("specialist");
    let twice = ["--callee", &format!("specialist={path}")[..]].map(str::to_owned);
    let said = desk.says([&words("run", &[])[..], &twice[..]].concat(), 2);
    assert!(said.err.contains("no name for one more agent"), "{}", said.err);
    // Who is not named is not called.
    let args = r#"{"specialist":"other@local"}"#;
    let document = desk.json(
        ["run", example("planner"), "offer", "--args", args, "--dir", "ws", "--out", "alone"],
        3,
    );
    assert!(document["result"].to_string().contains("policy.forbidden"), "{document}");
}

/// One process goes on with whatever was decided, in its own order, and leaves what still waits.
#[test]
fn runs_are_woken_when_they_are_decided() {
    let desk = desk("approvals-wake");
    for out in ["one", "two", "three"] {
        desk.says(words(out, &["--approvals", "wait"]), 4);
    }
    desk.says(["resume", "--all"], 0);
    desk.says(["approvals", "deny", "two"], 0);
    desk.says(["stop", "run", "three", "--reason", "enough"], 0);
    let mut waker = desk.command().args(["resume", "--all", "--wait"]).spawn().unwrap();
    let sealed = |out: &str| desk.path(out).join("keys.json").is_file();
    until("the end of two and three", || {
        assert!(waker.try_wait().unwrap().is_none(), "it goes on looking");
        sealed("two") && sealed("three")
    });
    assert!(!sealed("one"), "nobody decided");
    desk.says(["approvals", "approve", "one"], 0);
    until("the end of one", || sealed("one"));
    waker.kill().unwrap();
    waker.wait().unwrap();
    for out in ["one", "two", "three"] {
        verified(&desk, out);
    }
    assert_eq!(*life(&desk, "three").last().unwrap(), "killed");
    assert_eq!(*life(&desk, "one").last().unwrap(), "succeeded");
    desk.says(["resume"], 2);
    desk.says(["resume", "one", "--all"], 2);
}

/// A run that another process is at work on is left to it: that is no failure, nor counts as one.
#[test]
fn a_run_in_other_hands_is_not_woken() {
    let desk = desk("approvals-busy");
    desk.says(words("one", &["--approvals", "wait"]), 4);
    desk.says(["approvals", "approve", "one"], 0);
    let sealed = || desk.path("one").join("keys.json").is_file();
    let held = RunFolder::open(&desk.path("one")).hold().unwrap();
    let said = desk.says(["resume", "--all"], 0);
    assert!(!(said.out + &said.err).contains("in use"), "nothing went wrong");
    let mut waker = desk.command().args(["resume", "--all", "--wait"]).spawn().unwrap();
    // It looks more often than it tries a run that fails.
    std::thread::sleep(std::time::Duration::from_secs(5));
    assert!(waker.try_wait().unwrap().is_none(), "it goes on looking");
    assert!(!sealed());
    drop(held);
    while !sealed() {
        assert!(waker.try_wait().unwrap().is_none(), "it goes on looking");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    waker.kill().unwrap();
    waker.wait().unwrap();
    verified(&desk, "one");
}
