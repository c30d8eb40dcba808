//! Calls that need leave because of what the run has read: data of a class.

use std::sync::Arc;

use envelope_gate::net::Network;
use envelope_rules::approval::{Class, Labelled, Matter, Rules};
use envelope_rules::guard::Capability;
use envelope_rules::pattern::PatternSet;

use super::office::{Office, Says, ada, label, no};
use super::{is_aside, journal, reviews};
use crate::engine::peers::town::town;
use crate::engine::world::{Lines, Setup, run, run_into, setup};
use crate::net::peer::Peer;
use crate::net::{LOOPBACK, settings};

/// `in/a.txt` holds medical data, which needs leave to go out by `capability`.
fn medical(capability: Capability) -> impl FnOnce(&mut Rules) {
    medical_in("in/a.txt", capability)
}

/// The same of other files.
fn medical_in(files: &str, capability: Capability) -> impl FnOnce(&mut Rules) {
    let files = PatternSet::parse(&[files]).unwrap();
    move |rules| {
        let class = label("medical");
        let data = Some(class.clone());
        rules.calls =
            vec![Class { capability, method: None, to: None, above_nano_usd: None, data }];
        rules.data = vec![Labelled { class, files }];
    }
}

fn sending(peer: &Peer, acts: &str, says: &[Says]) -> (Setup, Arc<Office>) {
    sending_with(peer, acts, says, medical(Capability::Http))
}

fn sending_with(
    peer: &Peer,
    acts: &str,
    says: &[Says],
    rules: impl FnOnce(&mut Rules),
) -> (Setup, Arc<Office>) {
    let office = Office::with(says, rules);
    let rules = [format!("POST http://{}/**", peer.authority())];
    let mut setup = setup(acts).online(&rules, Network::new(settings(peer)).unwrap());
    setup.outputs = Some("in/");
    (setup.at_desk(office.clone()), office)
}

fn post(peer: &Peer) -> String {
    format!("send POST|http|{}|/b", peer.authority())
}

#[test]
fn who_has_read_it_needs_leave_from_then_on() {
    let peer = Peer::start(LOOPBACK);
    let post = post(&peer);
    let acts = format!("{post}; stat in/a.txt; list in; {post}; read in/a.txt; {post}; {post}");
    let (setup, office) = sending(&peer, &acts, &[no]);
    let ran = run(&setup);
    let refused = "send: 403 approval.rejected";
    assert!(
        ran.said().ends_with(&format!("read: ok alpha; {refused}; {refused}")),
        "{}",
        ran.said()
    );
    assert!(ran.said().starts_with("send: ok 200 hello; stat: ok"), "{}", ran.said());
    assert_eq!((peer.connections(), office.requests().len()), (2, 2));
    let Matter::Choice { text, .. } = &office.requests()[0].matter else { panic!() };
    assert!(text.contains("data of `medical`"), "{text}");
    ran.replays_same();
    ran.books_are_exact();
    let (setup, office) = sending(&peer, &acts, &[ada]);
    let ran = run(&setup);
    assert!(ran.said().ends_with("send: ok 200 hello; send: ok 200 hello"), "{}", ran.said());
    assert_eq!((office.requests().len(), reviews(&journal(&ran)).len()), (2, 2));
    ran.replays_same();
    // Whoever read other files needs nobody's leave.
    let (setup, office) = sending(&peer, &format!("read in/b.txt; {post}"), &[no]);
    assert_eq!(run(&setup).said(), "read: ok beta; send: ok 200 hello");
    assert!(office.requests().is_empty());
    // What it may not read it has not read.
    let (mut setup, office) = sending(&peer, &format!("read in/a.txt; {post}"), &[no]);
    (setup.read, setup.outputs) = (vec!["in/b.txt"], None);
    assert_eq!(run(&setup).said(), "read: access; send: ok 200 hello");
    assert!(office.requests().is_empty());
}

/// Under another name it is the same data.
#[test]
fn who_moves_it_away_and_reads_it_there_needs_leave() {
    let peer = Peer::start(LOOPBACK);
    let acts = format!("rename in/a.txt in/z.txt; read in/z.txt; {}", post(&peer));
    let ran = run(&sending(&peer, &acts, &[no]).0);
    assert_eq!(ran.said(), "rename: ok; read: ok alpha; send: 403 approval.rejected");
    assert_eq!(peer.connections(), 0);
    ran.replays_same();
}

/// The class goes by the folder, and the folder gets another name. Whoever moves it carries its
/// data from then on, read or not; who leaves it alone does not.
#[test]
fn who_renames_the_folder_and_reads_it_there_needs_leave() {
    let peer = Peer::start(LOOPBACK);
    let run_of = |acts: &str, says: &[Says]| {
        let acts = format!("{acts}; {}", post(&peer));
        let deep = medical_in("in/deep/**", Capability::Http);
        let (setup, office) = sending_with(&peer, &acts, says, deep);
        let ran = run(&setup);
        ran.replays_same();
        ran.books_are_exact();
        (ran.said(), office.requests().len())
    };
    let moved = "rename in/deep in/other; read in/other/c.txt";
    let refused = "rename: ok; read: ok gamma; send: 403 approval.rejected";
    assert_eq!(run_of(moved, &[no]), (refused.to_owned(), 1));
    let twice = "rename in/deep in/other; rename in/other in/third; read in/third/c.txt";
    assert_eq!(run_of(twice, &[no]), (format!("rename: ok; {refused}"), 1));
    assert_eq!(peer.connections(), 0);
    let allowed = "rename: ok; read: ok gamma; send: ok 200 hello";
    assert_eq!(run_of(moved, &[ada]), (allowed.to_owned(), 1));
    for moved in ["rename in/deep in/other", "rename in/deep in/other; read in/b.txt"] {
        let (said, asked) = run_of(moved, &[no]);
        assert!(said.ends_with("send: 403 approval.rejected"), "{said}");
        assert_eq!(asked, 1);
    }
    let alone = "mkdir in/new; rename in/new in/other; read in/b.txt";
    let said = "mkdir: ok; rename: ok; read: ok beta; send: ok 200 hello";
    assert_eq!(run_of(alone, &[no]), (said.to_owned(), 0));
}

/// Another process knows what was read before.
#[test]
fn who_goes_on_carries_what_was_read() {
    let peer = Peer::start(LOOPBACK);
    let acts = format!("read in/a.txt; choose red|green; {}", post(&peer));
    let (setup, office) = sending(&peer, &acts, &[]);
    let aside = run(&setup);
    assert!(is_aside(&aside));
    office.seat(&[no]);
    let lines = Lines::default();
    lines.bytes.lock().unwrap().extend_from_slice(&aside.journal);
    let ran = run_into(&setup, lines, Some(aside.store.clone()));
    assert!(ran.said().ends_with("send: 403 approval.rejected"), "{}", ran.said());
    assert_eq!(peer.connections(), 0);
    ran.replays_same();
}

/// To hand it on is to let it out, read or not; and whom it was handed to carries it too, in its
/// files or in what it was told.
#[test]
fn what_is_handed_on_is_carried_on() {
    let one = |files| format!("call helper@local {files} - 60 0 99 read in/b.txt");
    let ok = "call: ok read: ok beta";
    let no_leave = "call: denied approval.rejected";
    let deep = "call helper@local in/b.txt - 60 0 500 call-small guests@local in/b.txt - 60 0 100 \
                read in/b.txt";
    for (acts, said, asked) in [
        (one("in/b.txt"), ok.to_owned(), 0),
        (one("in/**"), no_leave.to_owned(), 1),
        (format!("read in/a.txt; {}", one("in/b.txt")), format!("read: ok alpha; {no_leave}"), 1),
        (format!("{}; {}", one("in/a.txt"), one("in/b.txt")), format!("{no_leave}; {no_leave}"), 2),
        (deep.to_owned(), "call: ok call-small: ok read: ok beta".to_owned(), 0),
    ] {
        let mut town = town(&acts);
        let office = Office::with(&[no], medical(Capability::Agents));
        town.setup = town.setup.at_desk(office.clone());
        let ran = town.run();
        assert_eq!(ran.said(), said, "{acts}");
        assert_eq!(office.requests().len(), asked, "{acts}");
        ran.replays_same();
    }
    // A callee asks because its caller knows.
    let mut town = town(&format!("read in/a.txt; {deep}"));
    let office = Office::with(&[ada], medical(Capability::Agents));
    town.setup = town.setup.at_desk(office.clone());
    let ran = town.run();
    assert!(ran.said().ends_with("call: ok call-small: ok read: ok beta"), "{}", ran.said());
    let agents: Vec<_> = office.requests().iter().map(|it| it.agent.to_string()).collect();
    assert_eq!(agents, ["guests@local", "helper@local"]);
    ran.replays_same();
}
