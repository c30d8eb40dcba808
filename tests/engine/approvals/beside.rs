//! What is allowed beside files: hosts, models, money. It ends with the grant that it came with.

use std::sync::Arc;

use envelope_evidence::Dimension;
use envelope_gate::net::{Network, Settings};
use envelope_rules::guard::Capability;

use super::office::{Office, ada};
use super::{journal, rotations};
use crate::engine::peers::town::{Town, town};
use crate::engine::world::{run, setup};
use crate::models::desk::PLENTY;
use crate::net::scripted::Scripted;

/// A run that may ask a model, and has no money for it.
fn poor(acts: &str) -> Town {
    let mut town = town(acts);
    town.stub = Some(Arc::default());
    town.setup = town.setup.at_desk(Office::new(&[ada]));
    town
}

#[test]
fn more_money_is_more_money_for_a_time() {
    let acts = format!(
        "chat stub/a 200 Why?; widen - - - - {PLENTY} 60; chat stub/a 200 Why?; sleep 60000; chat \
         stub/a 200 Why?"
    );
    let town = poor(&acts);
    let ran = town.run();
    let said = ran.said();
    let order = ["chat: denied", "widen: ok", "chat: ok", "sleep: ok", "chat: denied"];
    let places: Vec<_> = order.iter().map(|word| said.find(word)).collect();
    assert!(places.iter().all(Option::is_some) && places[1] < places[2], "{said} {:?}", ran.end());
    assert_eq!(ran.denied(), ["budget.exhausted", "budget.exhausted"]);
    assert!(said.contains("sleep: ok; chat: denied"), "{said}");
    assert_eq!(town.stub.as_ref().unwrap().asked().len(), 1);
    let spent = ran.journal.used().get(Dimension::NanoUsd);
    let [rotation] = &rotations(&ran.journal)[..] else { panic!() };
    assert!(spent > 0 && spent <= rotation.beside.as_ref().unwrap().nano_usd);
    ran.replays_same();
}

/// Taken up again at any line, a run has no more than it was allowed.
#[test]
fn what_was_spent_of_it_is_spent_after_a_crash() {
    let acts = format!("widen - - - - {PLENTY} 600; chat stub/a 200 Why?; left; noop");
    let undisturbed = poor(&acts).run();
    let (mut whole, mut broken) = (0, 0);
    for room in 1..undisturbed.journal.entries().len() {
        let again = poor(&acts).crash_and_resume(room);
        let (used, paid) = (again.journal.used(), undisturbed.journal.used());
        assert!(used.get(Dimension::NanoUsd) <= PLENTY, "line {room}");
        let interrupted = again.said().contains("interrupted") || again.said().contains("unavail");
        assert!(interrupted || used == paid, "line {room}: {}", again.said());
        (whole, broken) = (whole + u32::from(!interrupted), broken + u32::from(interrupted));
        again.replays_same();
    }
    assert!(whole > 1 && broken > 0, "{whole} whole, {broken} broken off");
}

/// Which models there are is on record: a replay does not hold what a human lent.
#[test]
fn the_list_of_models_is_the_same_again() {
    let list = "send GET|http|model.envelope|/v1/models";
    let acts = format!("{list}; widen - - - stub/b 0 60; {list}; sleep 60000; {list}");
    let ran = poor(&acts).run();
    assert_eq!(ran.said().matches("\"stub/b\"").count(), 1, "{}", ran.said());
    assert_eq!(ran.said().matches("\"stub/a\"").count(), 3, "{}", ran.said());
    ran.replays_same();
    for room in 1..ran.journal.entries().len() {
        let again = poor(&acts).crash_and_resume(room);
        assert_eq!(again.said(), ran.said(), "line {room}");
        again.replays_same();
    }
}

#[test]
fn a_host_is_its_pages_over_https() {
    let acts = "send GET|https|api.example.org|/v1; widen - - api.example.org - 0 60; send \
                GET|https|api.example.org|/v1; send GET|http|api.example.org|/; send \
                GET|https|other.example.org|/; sleep 60000; send GET|https|api.example.org|/v1";
    let mut setup = setup(acts).at_desk(Office::new(&[ada]));
    setup.capabilities = setup.capabilities.with(Capability::Http);
    setup.operator = setup.operator.with(Capability::Http);
    setup.operator_egress = Some(vec![
        "GET https://*.example.org/**".to_owned(),
        "GET http://api.example.org/**".to_owned(),
    ]);
    let names = Settings { names: Box::new(Scripted::default()), ..Settings::default() };
    setup.network = Some(Arc::new(Network::new(names).unwrap()));
    let ran = run(&setup);
    let said: Vec<_> = ran.said().split("; ").map(str::to_owned).collect();
    assert_eq!(said[0], "send: 403 egress.host");
    assert!(!said[2].contains("403"), "it is let out: {said:?}");
    assert_eq!(said[3], "send: 403 egress.scheme");
    assert_eq!(said[4], "send: 403 egress.host");
    assert!(said[6].contains("403"), "it is over: {said:?}");
    ran.replays_same();
    let [rotation] = &rotations(&journal(&ran))[..] else { panic!() };
    assert_eq!(rotation.beside.as_ref().unwrap().hosts, [super::label("api.example.org")]);
    // What the operator lets nobody reach, nobody reaches on a human's word.
    setup.operator_egress = Some(vec!["GET https://elsewhere.example.org/**".to_owned()]);
    let ran = run(&setup);
    assert!(ran.said().contains("widen: ok"), "{}", ran.said());
    assert_eq!(ran.said().matches("403 policy.forbidden").count(), 5, "{}", ran.said());
}
