//! A node that is told to leave.

use envelope_evidence::journal::Outcome;
use envelope_store::journal::read;

use super::house::{LEASE, Plan, Town};
use crate::net::LOOPBACK;
use crate::net::peer::Peer;
use crate::store::world::both;

/// Runs that may post to `peer`.
async fn launch(town: &Town, peer: &Peer, runs: &[&'static str], acts: &str) {
    for run in runs {
        let net = vec![format!("POST http://{}/**", peer.authority())];
        town.launch(Plan { net, ..Plan::of(run, acts) }).await;
    }
}

#[test]
fn a_node_that_leaves_gives_its_runs_back_and_another_goes_on() {
    both(async |world| {
        let town = Town::found(world).await;
        let peer = Peer::start(LOOPBACK);
        let at = peer.authority();
        let acts = format!(
            "send POST|http|{at}|/first/ok|content-type: text/plain||x; write out/a x; \
             sleep 6000; send POST|http|{at}|/second/ok|content-type: text/plain||x"
        );
        let runs = ["run_1", "run_2", "run_3"];
        launch(&town, &peer, &runs, &acts).await;
        let first = town.process("first");
        // Told to leave before, a run may have its answer and not its body: that is lost.
        for run in runs {
            town.wait(async || {
                let (lines, _) = read(&world.store, &town.org, run).await.unwrap();
                String::from_utf8_lossy(&lines).contains("subscribe-duration")
            })
            .await;
        }
        assert!(first.leave(), "{}", town.heard());
        let said = town.heard();
        assert!(said.contains("left; 3 runs were given back"), "{said}");
        let held = "SELECT id FROM work WHERE state = 'open' AND node IS NULL";
        assert_eq!(world.own(held).await.unwrap().len(), 3, "nobody waits for a lease");
        assert_eq!(peer.connections(), 3);
        let second = town.process("second");
        for run in runs {
            town.until(run, "ended").await;
            let finished = town.finished(&town.org, run).await;
            let ended = finished.ended().unwrap();
            assert_eq!(ended.outcome, Outcome::Ok, "{ended:?} {}", town.heard());
            let text = String::from_utf8_lossy(&finished.stdout).into_owned();
            assert_eq!(text.matches("send: ok 200 hello").count(), 2, "{text}");
        }
        assert_eq!(peer.connections(), 6, "nothing was sent twice");
        assert!(second.leave());
    });
}

#[test]
fn a_request_under_way_is_answered_before_the_node_leaves() {
    both(async |world| {
        let town = Town::found(world).await;
        let peer = Peer::start(LOOPBACK);
        let at = peer.authority();
        let acts = format!("send POST|http|{at}|/slow/late/1500|content-type: text/plain||x; now");
        launch(&town, &peer, &["run_1"], &acts).await;
        let first = town.process("first");
        town.wait(async || peer.connections() == 1).await;
        assert!(first.leave());
        let second = town.process("second");
        town.until("run_1", "ended").await;
        let finished = town.finished(&town.org, "run_1").await;
        // Cut off, it would be one whose outcome nobody knows: that ends a run.
        let ended = finished.ended().unwrap();
        assert_eq!(ended.outcome, Outcome::Ok, "{ended:?}");
        assert_eq!(peer.connections(), 1);
        assert!(second.leave());
    });
}

/// A node that stood still for longer than its lease, and comes back before anybody else.
#[test]
fn a_node_that_comes_back_first_keeps_its_runs() {
    both(async |world| {
        let town = Town::found(world).await;
        let peer = Peer::start(LOOPBACK);
        let at = peer.authority();
        let acts = format!("send POST|http|{at}|/slow/late/3000|content-type: text/plain||x; now");
        // Fewer than the node has room for: it looks for more all the time.
        let runs = ["run_1", "run_2", "run_3"];
        launch(&town, &peer, &runs, &acts).await;
        let node = town.process("alone");
        town.wait(async || peer.connections() == runs.len()).await;
        node.signal("STOP");
        tokio::time::sleep(LEASE * 2).await;
        node.signal("CONT");
        for run in runs {
            town.until(run, "ended").await;
            let finished = town.finished(&town.org, run).await;
            // Claimed again, it would have asked what it has not heard: that ends a run.
            assert_eq!(finished.ended().unwrap().outcome, Outcome::Ok, "{run}");
        }
        assert_eq!(peer.connections(), runs.len());
        assert!(node.leave());
    });
}
