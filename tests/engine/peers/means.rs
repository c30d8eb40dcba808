//! What callees have at hand: their caller's network and models, at their caller's expense.

use std::sync::Arc;

use envelope_evidence::Dimension;
use envelope_gate::model::InMemoryPurse;
use envelope_gate::net::Network;
use envelope_rules::budget::{Level, Shared};
use envelope_rules::guard::Capability;

use super::town::{Town, town};
use crate::models::desk::PLENTY;
use crate::net::peer::Peer;
use crate::net::{LOOPBACK, settings};

/// A caller with models and money, some of which it hands on.
pub fn rich(acts: &str) -> Town {
    let mut town = town(acts);
    town.stub = Some(Arc::default());
    (town.nano_usd, town.tokens) = (PLENTY, PLENTY);
    town
}

const ASK: &str = "call helper@local - - 60 100000000+100000 99 chat stub/a 200 Why?";

/// The money of all runs of a tree comes out of the one at its root.
#[test]
fn a_callee_spends_its_callers_money() {
    let town = rich(&format!("{ASK}; chat stub/a 200 Why?"));
    let ran = town.run();
    assert!(ran.said().starts_with("call: ok chat: ok"), "{}", ran.said());
    let [child] = &ran.children()[..] else { panic!() };
    let money = |usage: &envelope_evidence::Usage| usage.get(Dimension::NanoUsd);
    let theirs = money(&town.journal_of(&child.run).used());
    assert!(theirs > 0);
    assert_eq!(money(&child.used), theirs);
    // It and its callee asked the same.
    assert_eq!(money(&ran.journal.used()), 2 * theirs);
    assert_eq!(town.stub.as_ref().unwrap().asked().len(), 2);
    ran.replays_same();
    assert_eq!(town.stub.as_ref().unwrap().asked().len(), 2, "a replay asks nobody");
    // Without money of its own there is none to be had.
    let poor = rich(&ASK.replace("100000000+", "0+")).run();
    assert!(poor.said().starts_with("call: ok chat: denied budget.exhausted"), "{}", poor.said());
    poor.replays_same();
}

/// Accounts that are shared with others are charged once, through the caller.
#[test]
fn shared_accounts_are_charged_once() {
    let account = || Shared { level: Level::Task, name: "t".to_owned() };
    let with = |cap: u64| {
        let mut town = rich(ASK);
        town.chain = vec![account()];
        town.purse = Arc::new(InMemoryPurse::new([(account(), cap)]));
        town
    };
    let town = with(PLENTY);
    let ran = town.run();
    assert!(ran.said().starts_with("call: ok chat: ok"), "{}", ran.said());
    let spent = ran.journal.used().get(Dimension::NanoUsd);
    let balance = town.purse.ledger().balance(&account()).unwrap();
    assert_eq!((balance.spent, balance.leased), (spent, 0));
    // And what they lack nobody hands on.
    let ran = with(1_000).run();
    assert_eq!(ran.said(), "call: denied budget.exhausted");
    assert_eq!(ran.children(), []);
    ran.replays_same();
}

#[test]
fn a_callee_reaches_what_its_caller_reaches() {
    let peer = Peer::start(LOOPBACK);
    let at = peer.authority();
    let acts = format!("call helper@local - - 60 0 99 send GET^http^{at}^/v1/x");
    let rules = [format!("GET http://{at}/v1/**")];
    let mut town = town(&acts);
    town.setup = town.setup.online(&rules, Network::new(settings(&peer)).unwrap());
    let ran = town.run();
    assert_eq!(ran.said(), "call: ok send: ok 200 hello");
    assert_eq!(peer.connections(), 1);
    ran.replays_same();
    assert_eq!(peer.connections(), 1);
    // A caller that may not send has nobody send for it.
    town.setup = town.setup.deny(Capability::Http);
    let ran = town.fresh().run();
    assert_eq!(ran.said(), "call: ok send: 403 policy.not-granted");
    assert_eq!(peer.connections(), 1);
    ran.replays_same();
}

/// What is secret to the caller's host is secret in the records of its callees.
#[test]
fn a_callee_keeps_its_callers_secrets() {
    let mut town = town("call helper@local - - 60 0 99 log the-very-secret");
    town.setup.secrets = vec!["the-very-secret"];
    let ran = town.run();
    let [child] = &ran.children()[..] else { panic!() };
    let shown = |town: &Town| {
        let journal = town.journal_of(&child.run);
        let entries = journal.entries().iter().map(|it| format!("{:?}", it.event));
        format!("{:?} {}", journal.header(), entries.collect::<String>())
    };
    assert!(!shown(&town).contains("the-very-secret"));
    let mut open = town.fresh();
    open.setup.secrets = Vec::new();
    open.run();
    assert!(shown(&open).contains("the-very-secret"));
}
