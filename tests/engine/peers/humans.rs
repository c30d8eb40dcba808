//! Callees that ask humans: in their own name, while their callers wait with them.

use std::sync::Arc;

use envelope_engine::run::Halted;
use envelope_evidence::journal::Outcome;
use envelope_gate::stop::Stop;

use super::handing;
use super::town::{Town, ended, town};
use crate::engine::approvals::office::{Office, Says, ada, no};
use crate::engine::approvals::{reviews, rotations};
use crate::engine::world::{Change, Lines};

fn asking(acts: &str, says: &[Says]) -> (Town, Arc<Office>) {
    let office = Office::new(says);
    let mut town = town(acts);
    town.setup = town.setup.at_desk(office.clone());
    (town, office)
}

#[test]
fn a_callee_asks_in_its_own_name() {
    let (town, office) = asking(&handing("choose red|green|read in/a.txt"), &[ada]);
    // In an act of a callee the choices are cut too: it offers one answer.
    let ran = town.run();
    assert!(ran.said().starts_with("call: ok choose: ok 0"), "{}", ran.said());
    let [request] = &office.requests()[..] else { panic!() };
    assert_eq!((request.agent.as_str(), request.caller.as_str()), ("helper@local", "guests@local"));
    let [child] = &ran.children()[..] else { panic!() };
    assert_eq!(request.run, child.run);
    let callee = town.journal_of(&child.run);
    assert_eq!(reviews(&callee).len(), 1);
    assert_eq!(reviews(&ran.journal), []);
    ran.replays_same();
}

/// No child exceeds its parent, whoever says yes.
#[test]
fn a_callee_gets_no_more_than_its_caller_hands_on() {
    let (town, office) = asking(&handing("widen secret/* - - - 0 60|read in/a.txt"), &[ada]);
    let ran = town.run();
    assert_eq!(ran.said(), "call: ok widen: denied approval.callee, read: ok alpha");
    assert!(office.requests().is_empty());
    ran.replays_same();
    // The caller asks, and hands on what it got.
    let (town, _) = asking(
        &format!(
            "widen secret/* - - - 0 60; {}",
            handing("read in/a.txt").replace("in/**", "in/**,secret/*")
        ),
        &[ada],
    );
    let ran = town.run();
    assert_eq!(ran.said(), "widen: ok secret/* - 60; call: ok read: ok alpha");
    let [rotation] = &rotations(&ran.journal)[..] else { panic!() };
    let [child] = &ran.children()[..] else { panic!() };
    assert_eq!(child.scope.parent.as_ref(), Some(&rotation.scope.jti));
    assert!(child.scope.expires <= rotation.scope.expires);
    ran.replays_same();
}

/// The callee waits, so its caller does: both are put aside, and both go on.
#[test]
fn a_caller_waits_with_its_callee() {
    let acts =
        format!("write out/a x; {}; read out/draft/x", handing("write out/draft/x y|choose a"));
    let (town, office) = asking(&acts, &[]);
    let lines = put_aside(&town);
    assert_eq!(office.requests().len(), 1);
    let lines = again(&town, &lines);
    assert_eq!(office.requests().len(), 2, "the same question, once more");
    assert_eq!(office.requests()[0], office.requests()[1]);
    office.seat(&[ada]);
    let ran = town.resume(&lines).unwrap();
    let said = "write: ok 1; call: ok write: ok 1, choose: ok 0; read: ok y";
    assert_eq!(ran.said(), said);
    assert_eq!(town.records(), 1, "the callee ran once");
    ran.replays_same();
}

/// One of several waits: the others come to their end, and do not work twice.
#[test]
fn the_others_are_not_torn_from_their_work() {
    let acts = "call-all 3 helper@local in/** out/{n}/ 60 0 99 write out/{n}/x {n}|choose a";
    let (town, office) = asking(acts, &[]);
    let lines = put_aside(&town);
    assert_eq!(office.requests().len(), 3, "all three came to their question");
    office.seat(&[no]);
    let ran = town.resume(&lines).unwrap();
    let one = "write: ok 1, choose: ok declined not today";
    assert_eq!(ran.said(), format!("call-all: ok {one} & {one} & {one}"));
    assert_eq!((ran.children().len(), town.records()), (3, 3));
    ran.replays_same();
}

#[test]
fn whoever_is_killed_while_its_callee_waits_ends_with_both_receipts() {
    let (mut town, office) = asking(&handing("choose a"), &[]);
    let lines = put_aside(&town);
    office.seat(&[ada]);
    town.setup = town.setup.after(0, Change::Stop(Stop::Killed("by the owner".to_owned())));
    let ran = town.resume(&lines).unwrap();
    assert_eq!(ran.end(), (Outcome::Killed, "by the owner".to_owned()));
    let [child] = &ran.children()[..] else { panic!() };
    assert_eq!(child.outcome, Outcome::Killed);
    let callee = town.journal_of(&child.run);
    assert_eq!(ended(&callee), (Outcome::Killed, "by the owner".to_owned()));
    assert_eq!(reviews(&callee).len(), 1, "withdrawn");
    ran.replays_same();
}

/// Runs until it is put aside, and returns its journal.
fn put_aside(town: &Town) -> Lines {
    let lines = Lines::default();
    aside(town.start(&lines));
    lines
}

fn again(town: &Town, lines: &Lines) -> Lines {
    aside(town.resume(lines));
    lines.clone()
}

fn aside(ran: Result<super::town::Ran, Halted>) {
    match ran {
        Err(Halted::Stopped(Stop::Suspended)) => {}
        Err(why) => panic!("{why}"),
        Ok(ran) => panic!("it did not wait: {}", ran.said()),
    }
}
