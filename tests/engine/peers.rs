//! Agents that call agents.

mod deputies;
mod humans;
pub mod means;
mod reach;
mod returns;
pub mod town;
mod trees;

use envelope_evidence::Digest;
use envelope_evidence::Dimension;
use envelope_evidence::journal::{CallerKind, Event, Journal, Outcome};
use envelope_evidence::receipt::fold;
use envelope_gate::stop::Stop;

use super::world::Change;
use town::{Town, ended, town};

/// The acts of a caller that hands `in/**` and `out/draft/` on.
fn handing(acts: &str) -> String {
    format!("call helper@local in/** out/draft/ 60 0 1000 {acts}")
}

#[test]
fn a_callee_does_what_is_handed_on() {
    let town = town(&format!(
        "write in2 x; {}; read out/draft/note",
        handing("read in/a.txt|write out/draft/note hello")
    ));
    let ran = town.run();
    let said = "write: access; call: ok read: ok alpha, write: ok 5; read: ok hello";
    assert_eq!(ran.said(), said);
    assert_eq!(ran.outputs(), ["out/draft/note"]);
    ran.replays_same();
}

#[test]
fn each_receipt_names_the_other() {
    let town = town(&handing("read in/a.txt"));
    let ran = town.run();
    let [child] = &ran.children()[..] else { panic!() };
    let callee = town.journal_of(&child.run);
    assert_eq!(child.receipt, Digest::of(&fold(&callee).receipt));
    assert_eq!(child.outcome, Outcome::Ok);
    let header = callee.header();
    assert_eq!(
        (header.caller.kind, header.caller.id.as_str()),
        (CallerKind::Agent, "guests@local")
    );
    assert_eq!(header.caller.run.as_ref(), Some(&ran.journal.header().run));
    assert_eq!(header.agent.service.as_str(), "helper@local");
    // Both say what was handed on, and under which warrant.
    assert_eq!(header.scope.as_ref(), Some(&child.scope));
    assert_eq!(header.warrant, child.warrant);
    assert_ne!(child.own, child.warrant);
    let parent = ran.journal.header().scope.as_ref().unwrap();
    assert_eq!(child.scope.parent.as_ref(), Some(&parent.jti));
    assert_eq!(child.scope.depth, 1);
    let said = String::from_utf8(fold(&ran.journal).evidence[2].clone()).unwrap();
    assert!(said.contains(&child.receipt.to_string()), "{said}");
}

/// Whatever goes wrong with the callee is a value for the caller, which goes on.
#[test]
fn a_callee_that_fails_fails_alone() {
    let cases = [
        ("exit 3", "failed "),
        ("panic x", "ended wasm `unreachable` instruction executed"),
        ("spin", "ended fuel"),
        ("insist 2000 now", "ended budget.exhausted"),
    ];
    for (acts, sees) in cases {
        let ran = town(&format!("{}; read in/a.txt", handing(acts))).run();
        assert_eq!(ran.said(), format!("call: {sees}; read: ok alpha"), "{acts}");
        assert_eq!(ran.end(), (Outcome::Ok, "exit 0".to_owned()));
        ran.replays_same();
    }
}

#[test]
fn what_cannot_be_called_is_told() {
    let ran = town("call nobody@local in/** - 60 0 9 noop; read in/a.txt").run();
    assert_eq!(ran.said(), "call: unavailable; read: ok alpha");
    assert_eq!(ran.children(), []);
    ran.replays_same();
    let mut alone = town(&handing("noop"));
    alone.alone = true;
    let ran = alone.run();
    assert_eq!(ran.said(), "call: unavailable");
    ran.replays_same();
}

/// What a callee does not use can be used again: ten callees in a row get what one could not get
/// ten times.
#[test]
fn what_is_not_used_goes_back() {
    let mut town = town(&"call helper@local - - 60 0 50 now; ".repeat(10));
    town.setup.calls = 100;
    let ran = town.run();
    assert!(ran.denied().is_empty(), "{:?}", ran.said());
    let children = ran.children();
    let calls = |usage: &envelope_evidence::Usage| usage.get(Dimension::Calls);
    let used: u64 = children.iter().map(|child| calls(&child.used)).sum();
    assert!(children.iter().all(|child| calls(&child.reserved) == 50 && calls(&child.used) < 10));
    assert_eq!(calls(&ran.journal.used()), used + ran.own_calls());
    ran.replays_same();
}

#[test]
fn callees_work_side_by_side_and_answer_in_order() {
    let ran = town(
        "call-all 5 helper@local in/** out/{n}/ 60 0 100 write out/{n}/x {n}|read in/a.txt; read \
         out/3/x",
    )
    .run();
    let one = "ok write: ok 1, read: ok alpha";
    let all = [one.trim_start_matches("ok "); 5].join(" & ");
    assert_eq!(ran.said(), format!("call-all: ok {all}; read: ok 3"));
    assert_eq!(ran.children().len(), 5);
    assert_eq!(ran.outputs().len(), 5);
    ran.replays_same();
    let ran = town("call-all 17 helper@local - - 60 0 1 noop").run();
    assert!(ran.children().is_empty());
    assert!(ran.said().starts_with("call-all: ok invalid & invalid"), "{}", ran.said());
}

/// The callee calls the caller: every round is carved out of the one before, so it ends.
#[test]
fn agents_that_call_each_other_come_to_an_end() {
    let ran =
        town("call helper@local in/** - 60 0 500 call guests@local in/** - 60 0 100 read in/a.txt")
            .run();
    // A callee's fuel is out of its caller's: the second round asks for all that the first has.
    assert_eq!(ran.said(), "call: ok call: denied budget.exhausted");
    let ran = town(
        "call-deep helper@local in/** - 60 0 500 call-small guests@local in/** - 60 0 \
                    100 read in/a.txt",
    )
    .run();
    assert_eq!(ran.said(), "call-deep: ok call-small: ok read: ok alpha");
    ran.replays_same();
}

#[test]
fn whoever_is_stopped_in_a_callee_ends_with_both_receipts() {
    let acts = format!("{}; read in/a.txt", handing("insist 500 now"));
    let undisturbed = town(&acts).run();
    assert_eq!(undisturbed.end().0, Outcome::Ok);
    let killed = Change::Stop(Stop::Killed("by the owner".to_owned()));
    let mut town = town(&acts);
    town.setup = town.setup.after(100, killed);
    let ran = town.run();
    assert_eq!(ran.end(), (Outcome::Killed, "by the owner".to_owned()));
    let [child] = &ran.children()[..] else { panic!() };
    assert_eq!(child.outcome, Outcome::Killed);
    let callee = town.journal_of(&child.run);
    assert_eq!(ended(&callee), (Outcome::Killed, "by the owner".to_owned()));
    // What was set aside and not used is nobody's expense.
    assert!(child.used.get(Dimension::Calls) < child.reserved.get(Dimension::Calls));
    ran.replays_same();
}

/// The process dies after each line of the caller's journal: the callee is the same run, once.
#[test]
fn a_caller_that_goes_on_meets_the_same_callee() {
    let acts = format!(
        "now; {}; call-all 2 helper@local in/** out/{{n}}/ 60 0 99 write out/{{n}}/x y; left",
        handing("read in/a.txt|write out/draft/x y")
    );
    let undisturbed = town(&acts).run();
    let lines = undisturbed.journal.entries().len();
    for room in 1..=lines {
        let town = town(&acts);
        let resumed = town.crash_and_resume(room);
        assert_eq!(resumed.said(), undisturbed.said(), "line {room}");
        assert_eq!(resumed.outputs(), undisturbed.outputs(), "line {room}");
        let runs = |journal: &Journal| -> Vec<_> {
            town::children(journal).into_iter().map(|child| (child.run, child.receipt)).collect()
        };
        assert_eq!(runs(&resumed.journal), runs(&undisturbed.journal), "line {room}");
        assert_eq!(town.records(), 3, "line {room}: each callee ran once");
        resumed.replays_same();
    }
}

#[test]
fn a_callee_has_no_more_time_than_its_caller() {
    let mut late = town("call helper@local in/** - 4000000 0 99 noop; now");
    late.setup.timeout = 100;
    let ran = late.run();
    let [child] = &ran.children()[..] else { panic!() };
    let parent = ran.journal.header().scope.as_ref().unwrap();
    assert!(child.scope.expires <= parent.expires);
    assert!(child.scope.expires <= late.deadline().secs());
}

/// A denial is recorded once and costs nothing.
fn denied_once(ran: &town::Ran, code: &str) {
    assert_eq!(ran.denied(), [code]);
    assert_eq!(ran.children(), []);
    let begun = ran.journal.entries().iter().any(|it| matches!(it.event, Event::Begun(_)));
    assert!(!begun, "nothing began");
    ran.replays_same();
}

fn counted(town: &Town) -> usize {
    town.records()
}
