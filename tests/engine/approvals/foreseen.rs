//! Calls that the operator wants a human to allow, though the agent asked nobody.

use std::sync::Arc;

use envelope_gate::model::InMemoryPurse;
use envelope_gate::net::Network;
use envelope_rules::approval::{CLASSES_MAX, Class, Matter};
use envelope_rules::budget::{Level, Shared};
use envelope_rules::guard::Capability;

use super::office::{Office, Says, ada, class, label, no};
use super::{is_aside, journal, reviews};
use crate::engine::peers::means::rich;
use crate::engine::peers::town::town;
use crate::engine::world::{Lines, Setup, run, run_into, setup};
use crate::models::desk::PLENTY;
use crate::net::peer::Peer;
use crate::net::{LOOPBACK, settings};

/// A run that sends to `peer` and asks a human before each `POST`.
fn sending(peer: &Peer, acts: &str, says: &[Says]) -> (Setup, std::sync::Arc<Office>) {
    let posts = Class { method: Some(label("POST")), ..class(Capability::Http, "127.0.0.1") };
    let office = Office::with(says, |rules| rules.calls = vec![posts]);
    let rules = ["GET", "POST"].map(|method| format!("{method} http://{}/**", peer.authority()));
    let setup = setup(acts).online(&rules, Network::new(settings(peer)).unwrap());
    (setup.at_desk(office.clone()), office)
}

fn acts(peer: &Peer) -> String {
    let at = peer.authority();
    format!("send GET|http|{at}|/a; send POST|http|{at}|/b; send POST|http|{at}|/c")
}

#[test]
fn a_class_of_requests_is_allowed_one_by_one() {
    let peer = Peer::start(LOOPBACK);
    let (setup, office) = sending(&peer, &acts(&peer), &[ada]);
    let ran = run(&setup);
    assert_eq!(ran.said(), "send: ok 200 hello; send: ok 200 hello; send: ok 200 hello");
    assert_eq!(peer.connections(), 3);
    let requests = office.requests();
    assert_eq!(requests.len(), 2, "for each POST, and for no GET");
    for request in requests {
        let Matter::Choice { text, choices } = request.matter else { panic!() };
        assert!(text.contains("POST") && text.contains(&peer.authority()), "{text}");
        assert_eq!(choices, ["allow"]);
    }
    assert_eq!(reviews(&journal(&ran)).len(), 2);
    ran.replays_same();
    assert_eq!(peer.connections(), 3, "a replay sends nothing and asks nobody");
}

#[test]
fn a_no_sends_nothing() {
    let peer = Peer::start(LOOPBACK);
    let (setup, _) = sending(&peer, &acts(&peer), &[no]);
    let ran = run(&setup);
    let refused = "send: 403 approval.rejected";
    assert_eq!(ran.said(), format!("send: ok 200 hello; {refused}; {refused}"));
    assert_eq!(peer.connections(), 1);
    ran.replays_same();
    ran.books_are_exact();
}

/// Nobody is bothered with what may not be sent anyway.
#[test]
fn what_is_refused_anyway_is_asked_nobody() {
    let peer = Peer::start(LOOPBACK);
    let (setup, office) = sending(&peer, "send POST|http|127.0.0.1:1|/a", &[ada]);
    let ran = run(&setup);
    assert_eq!(ran.said(), "send: 403 policy.forbidden");
    assert!(office.requests().is_empty());
    ran.replays_same();
}

/// It waits like any other question, and what was sent before is not sent again.
#[test]
fn it_waits_and_is_sent_once() {
    let peer = Peer::start(LOOPBACK);
    let (setup, office) = sending(&peer, &acts(&peer), &[]);
    let aside = run(&setup);
    assert!(is_aside(&aside));
    assert_eq!(peer.connections(), 1, "the GET");
    office.seat(&[ada]);
    let lines = Lines::default();
    lines.bytes.lock().unwrap().extend_from_slice(&aside.journal);
    let ran = run_into(&setup, lines, Some(aside.store.clone()));
    assert_eq!(ran.said(), "send: ok 200 hello; send: ok 200 hello; send: ok 200 hello");
    assert_eq!(peer.connections(), 3);
    ran.replays_same();
}

#[test]
fn agents_are_called_with_a_humans_leave() {
    let acts = "call helper@local in/** - 60 0 99 read in/a.txt; call-all 2 helper@local in/** - \
                60 0 99 read in/b.txt";
    for (says, said, children) in [
        (ada as Says, "call: ok read: ok alpha; call-all: ok read: ok beta & read: ok beta", 3),
        (
            no,
            "call: denied approval.rejected; call-all: ok denied approval.rejected & denied \
             approval.rejected",
            0,
        ),
    ] {
        let mut town = town(acts);
        let helper = class(Capability::Agents, "helper@local");
        let office = Office::with(&[says], |rules| rules.calls = vec![helper]);
        town.setup = town.setup.at_desk(office.clone());
        let ran = town.run();
        assert_eq!(ran.said(), said);
        assert_eq!(ran.children().len(), children);
        assert_eq!(office.requests().len(), 3);
        ran.replays_same();
    }
}

/// What is longer than affordable is cut to what is, and needs leave like any other answer; what is
/// paid out of shared accounts does too.
#[test]
fn what_is_clamped_or_leased_needs_leave_all_the_same() {
    let any =
        |capability| Class { capability, method: None, to: None, above_nano_usd: None, data: None };
    let shared = || Shared { level: Level::Task, name: "t".to_owned() };
    let call = "call helper@local - - 60 100000000+100000 99 chat stub/a 200 Why?";
    for (capability, act, word) in [
        (Capability::Model, "chat stub/a 4000000 Why?", "chat"),
        (Capability::Model, "chat stub/a 4294967295 Why?", "chat"),
        (Capability::Agents, call, "call"),
    ] {
        for (says, said, asked) in [(no as Says, "denied approval.rejected", 0), (ada, "ok", 1)] {
            let mut town = rich(act);
            town.chain = vec![shared()];
            town.purse = Arc::new(InMemoryPurse::new([(shared(), PLENTY)]));
            let office = Office::with(&[says], |rules| rules.calls = vec![any(capability)]);
            town.setup = town.setup.at_desk(office.clone());
            let ran = town.run();
            assert!(ran.said().starts_with(&format!("{word}: {said}")), "{act}: {}", ran.said());
            assert_eq!(office.requests().len(), 1, "{act}");
            assert_eq!(town.stub.as_ref().unwrap().asked().len(), asked, "{act}");
            ran.replays_same();
        }
    }
}

/// More classes than fit are not fewer.
#[test]
fn too_many_classes_are_as_good_as_all() {
    let peer = Peer::start(LOOPBACK);
    let (mut setup, _) = sending(&peer, &acts(&peer), &[]);
    let elsewhere = class(Capability::Http, "elsewhere.example.org");
    for (count, asked) in [(CLASSES_MAX, 0), (CLASSES_MAX + 1, 3)] {
        let calls = vec![elsewhere.clone(); count];
        let office = Office::with(&[ada], |rules| rules.calls = calls);
        setup = setup.at_desk(office.clone());
        let ran = run(&setup);
        assert_eq!(office.requests().len(), asked, "{count}: {}", ran.said());
        ran.replays_same();
    }
}

/// Only what is dear: a cheap answer needs nobody's leave.
#[test]
fn a_price_is_a_class() {
    let dear = |nano_usd| Class {
        capability: Capability::Model,
        method: None,
        to: None,
        above_nano_usd: Some(nano_usd),
        data: None,
    };
    for (above, asked, said) in [(1, 1, "chat: denied approval.rejected"), (1 << 40, 0, "chat: ok")]
    {
        let mut town = rich("chat stub/a 200 Why?");
        let office = Office::with(&[no], |rules| rules.calls = vec![dear(above)]);
        town.setup = town.setup.at_desk(office.clone());
        let ran = town.run();
        assert!(ran.said().starts_with(said), "{}", ran.said());
        assert_eq!(office.requests().len(), asked);
        assert_eq!(town.stub.as_ref().unwrap().asked().len(), 1 - asked);
        ran.replays_same();
    }
}
