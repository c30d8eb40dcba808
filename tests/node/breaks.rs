//! Runs that do not come to their own end: their task breaks, they are stopped, or nobody has room
//! for what they leave. Beside them, others do.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use envelope_evidence::Label;
use envelope_evidence::journal::Outcome;
use envelope_gate::model::Purse;
use envelope_node::{Drained, NodeError, Outside, Seen, Settings, Tell, Told, now, state};
use envelope_rules::guard::Warrant;
use envelope_rules::kill::{Event, Target, Thrown};
use envelope_store::noun::Noun;
use envelope_store::stops::note;
use tokio::sync::oneshot;

use super::house::{LEASE, Nothing, Plan, Town};
use crate::net::peer::Peer;
use crate::store::world::both;

/// Breaks whoever looks outside first, and nobody after that.
#[derive(Default)]
struct Breaks(AtomicBool);

impl Outside for Breaks {
    fn seen(
        &self,
        warrant: &Warrant,
        asks: bool,
        purse: Arc<dyn Purse>,
    ) -> Result<Seen, NodeError> {
        assert!(self.0.swap(true, Ordering::SeqCst), "the first one breaks");
        Nothing.seen(warrant, asks, purse)
    }
}

#[test]
fn a_run_whose_task_breaks_is_let_go_of_and_claimed_again() {
    both(async |world| {
        let town = Town::found(world).await;
        town.launch(Plan::of("run_1", "now; write out/a x")).await;
        let heard = Arc::new(Mutex::new(Vec::new()));
        let told = Arc::clone(&heard);
        let tell: Tell = Arc::new(move |what: Told<'_>| {
            let why = match what {
                Told::Run(_, came) => came.as_ref().err(),
                Told::Trouble(why) => Some(why),
            };
            told.lock().unwrap().extend(why.map(ToString::to_string));
        });
        let settings = Settings { lease: LEASE, ..Settings::of("a") };
        let node = town.node_with(settings, Box::new(Breaks::default()), tell);
        let (leave, over) = oneshot::channel();
        let ends = async {
            // Who still said that it lives would keep it from everybody.
            town.until("run_1", "ended").await;
            leave.send(()).unwrap();
        };
        let (left, ()) = tokio::join!(node.serve(async { over.await.unwrap() }), ends);
        assert_eq!(left, Drained { runs: 0 });
        let all: Vec<String> = heard.lock().unwrap().clone();
        assert!(all.len() == 1 && all[0].contains("broke down"), "{all:?}");
        let finished = town.finished(&town.org, "run_1").await;
        assert_eq!(finished.ended().unwrap().outcome, Outcome::Ok);
    });
}

#[test]
fn a_node_that_was_told_to_leave_claims_nothing_however_much_is_due() {
    both(async |world| {
        let town = Town::found(world).await;
        town.launch(Plan::of("run_1", "now")).await;
        let left = town.node(Settings::of("a")).serve(std::future::ready(())).await;
        assert_eq!(left, Drained { runs: 0 });
        assert_eq!(state(&town.house, &town.org, "run_1").await.unwrap(), "queued");
    });
}

#[test]
fn an_organisations_switch_ends_its_run_and_not_the_one_beside_it() {
    both(async |world| {
        let town = Town::found(world).await;
        let other = world.found("other", 0).await;
        town.house.blobs(&other).set_quota(1 << 30).await.unwrap();
        let long = ["sleep 100"; 600].join("; ");
        let short = ["sleep 100"; 30].join("; ") + "; write out/a x";
        town.launch(Plan::of("run_1", &long)).await;
        town.launch_as(&other, Plan::of("run_1", &short)).await;
        let node = town.node(Settings::of("a"));
        let (leave, over) = oneshot::channel();
        let stands = async |org, wanted: &str| {
            town.wait(async || state(&town.house, org, "run_1").await.unwrap() == wanted).await;
        };
        let ends = async {
            stands(&town.org, "running").await;
            stands(&other, "running").await;
            let (by, reason) = (Label::cut("ada"), Label::cut("it loops"));
            let word = Thrown { by, reason, at: now() };
            let target = Target::Organisation(Label::cut("acme"));
            let thrown = Event::Thrown { target, word };
            assert!(note(&world.store, Some(&town.org), thrown).await.unwrap());
            stands(&town.org, "ended").await;
            stands(&other, "ended").await;
            leave.send(()).unwrap();
        };
        tokio::join!(node.serve(async { over.await.unwrap() }), ends);
        let stopped = town.finished(&town.org, "run_1").await;
        let ended = stopped.ended().unwrap();
        assert_eq!(ended.outcome, Outcome::Killed);
        assert!(ended.reason.as_str().starts_with("organisation acme stopped by ada"), "{ended:?}");
        let mut tx = world.store.read().await.unwrap();
        let receipts = tx.of(&town.org).list(Noun::Receipt, "signed", "").await.unwrap();
        assert!(receipts.len() == 1 && receipts[0].body.contains("it loops"), "{receipts:?}");
        drop(tx);
        let beside = town.finished(&other, "run_1").await;
        assert_eq!(beside.ended().unwrap().outcome, Outcome::Ok);
    });
}

#[test]
fn a_run_that_finds_no_room_for_an_answer_ends_and_asks_only_once() {
    both(async |world| {
        let town = Town::found(world).await;
        let peer = Peer::start(IpAddr::V4(Ipv4Addr::LOCALHOST));
        let at = peer.authority();
        let acts = format!("send GET|http|{at}|/first/bytes/200000; now; write out/a x");
        let net = vec![format!("GET http://{at}/**")];
        town.launch(Plan { net, ..Plan::of("run_1", &acts) }).await;
        let blobs = town.house.blobs(&town.org);
        let (used, cap) = blobs.quota().await.unwrap();
        blobs.set_quota(used).await.unwrap();
        let node = town.process("a");
        town.until("run_1", "ended").await;
        assert!(node.leave(), "{}", town.heard());
        assert_eq!(peer.connections(), 1, "{}", town.heard());
        assert_eq!(blobs.quota().await.unwrap(), (used, used), "nothing was kept");
        let claims = world.own("SELECT CAST(epoch AS TEXT) FROM work").await.unwrap();
        assert_eq!(claims, ["1"], "no other node had to find it out again");
        let finished = town.finished(&town.org, "run_1").await;
        let ended = finished.ended().unwrap();
        assert_eq!(ended.outcome, Outcome::Killed, "{ended:?}");
        assert!(ended.reason.as_str().contains("do not fit"), "{ended:?}");
        // With room, the same run comes to its own end.
        blobs.set_quota(cap).await.unwrap();
        let net = vec![format!("GET http://{at}/**")];
        town.launch(Plan { net, ..Plan::of("run_2", &acts) }).await;
        let node = town.process("b");
        town.until("run_2", "ended").await;
        assert!(node.leave(), "{}", town.heard());
        let finished = town.finished(&town.org, "run_2").await;
        assert_eq!(finished.ended().unwrap().outcome, Outcome::Ok);
    });
}

#[test]
fn a_run_that_finds_no_room_for_what_it_leaves_ends_without_it() {
    both(async |world| {
        let town = Town::found(world).await;
        let large = "x".repeat(50_000);
        let acts = format!("now; write out/a {large}; artifact note {large}");
        let blobs = town.house.blobs(&town.org);
        for (run, room, outcome) in
            [("run_1", 4_000, Outcome::Killed), ("run_2", 400_000, Outcome::Ok)]
        {
            blobs.set_quota(1 << 30).await.unwrap();
            town.launch(Plan::of(run, &acts)).await;
            blobs.set_quota(blobs.quota().await.unwrap().0 + room).await.unwrap();
            let node = town.process("a");
            town.until(run, "ended").await;
            assert!(node.leave(), "{}", town.heard());
            let finished = town.finished(&town.org, run).await;
            let ended = finished.ended().unwrap();
            assert_eq!(ended.outcome, outcome, "{ended:?}");
            let told = ended.reason.as_str().contains("do not fit");
            assert_eq!(told, outcome == Outcome::Killed, "{ended:?}");
            let claims = format!("SELECT CAST(epoch AS TEXT) FROM work WHERE id = '{run}'");
            assert_eq!(world.own(&claims).await.unwrap(), ["1"], "{}", town.heard());
        }
    });
}
