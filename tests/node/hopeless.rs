//! Runs over which nodes fall silent: they are done again, but not for ever.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use envelope_evidence::journal::Outcome;
use envelope_node::{Came, Over, Settings, list, now};
use envelope_store::noun::Noun;
use envelope_store::work::{TRIES_MAX, claim};

use super::house::{Plan, Town};
use crate::net::peer::Peer;
use crate::store::world::{World, both};

/// So many nodes claim the run, and die before its next step.
async fn die(world: &World, nodes: i64) {
    for number in 0..nodes {
        let node = format!("node {number}");
        claim(&world.store, &node, now(), Duration::ZERO).await.unwrap().unwrap();
    }
}

/// A run over which so many nodes died, and one that lives.
async fn after(world: &World, dead: i64, check: impl AsyncFn(&Town, &Peer, Over)) {
    let town = Town::found(world).await;
    let peer = Peer::start(IpAddr::V4(Ipv4Addr::LOCALHOST));
    let at = peer.authority();
    let acts = format!("send GET|http|{at}|/first/ok; write out/a x");
    let net = vec![format!("GET http://{at}/**")];
    town.launch(Plan { net, ..Plan::of("run_1", &acts) }).await;
    die(world, dead).await;
    let node = town.process("alive");
    town.until("run_1", "ended").await;
    assert!(node.leave(), "{}", town.heard());
    let ended = list(&town.house, &town.org, None, "").await.unwrap().pop().unwrap();
    check(&town, &peer, ended.over.unwrap()).await;
}

#[test]
fn a_run_that_kills_its_nodes_is_ended_without_being_run() {
    both(async |world| {
        after(world, TRIES_MAX, async |town, peer, over| {
            assert_eq!(over.outcome, Outcome::Interrupted, "{over:?}");
            assert!(over.reason.as_str().contains("fell silent over it"), "{over:?}");
            assert_eq!(peer.connections(), 0, "nobody ran it");
            let mut tx = world.store.read().await.unwrap();
            let receipts = tx.of(&town.org).list(Noun::Receipt, "signed", "").await.unwrap();
            assert!(receipts.len() == 1 && receipts[0].body.contains("fell silent"));
            drop(tx);
            let told = world.own("SELECT body FROM outbox").await.unwrap();
            assert!(told.len() == 1 && told[0].contains("interrupted"), "{told:?}");
            // Whoever plays it comes to the same end, and asks nothing of the world.
            let played = town.finished(&town.org, "run_1").await;
            assert_eq!(played.ended().unwrap().reason, over.reason);
            assert_eq!(peer.connections(), 0);
        })
        .await;
    });
}

#[test]
fn a_run_goes_on_whose_nodes_died_as_often_as_they_may() {
    both(async |world| {
        after(world, TRIES_MAX - 1, async |_, peer, over| {
            assert_eq!(over.outcome, Outcome::Ok, "{over:?}");
            assert_eq!(peer.connections(), 1);
        })
        .await;
    });
}

#[test]
fn what_is_recorded_before_it_is_given_up_stays_and_is_played() {
    both(async |world| {
        let town = Town::found(world).await;
        let acts = "now; write out/a x; sleep 400; now; sleep 60000; now";
        town.launch(Plan::of("run_1", acts)).await;
        let lease = super::house::LEASE;
        let node = town.process("first");
        let chunks = "SELECT id FROM journal WHERE chunk >= 2";
        town.wait(async || !world.own(chunks).await.unwrap().is_empty()).await;
        node.kill();
        tokio::time::sleep(lease * 2).await;
        die(world, TRIES_MAX + 1).await;
        let came = town.node(Settings::of("a")).one(&town.org, "run_1").await.unwrap();
        let Some(Came::Ended(over, finished)) = came else { panic!("it goes on") };
        assert_eq!(over.outcome, Outcome::Interrupted, "{over:?}");
        assert!(finished.journal.calls().len() > 3, "{}", finished.journal.calls().len());
        let played = town.finished(&town.org, "run_1").await;
        assert_eq!(played.journal.head(), finished.journal.head());
    });
}
