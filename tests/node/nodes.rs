//! Two nodes on one PostgreSQL, each a process of its own, killed or stopped at moments of chance:
//! every run ends once, no effect is made twice, and nobody spends past a cap.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use envelope_evidence::Dimension;
use envelope_node::list;
use envelope_rules::budget::{Level, Shared};
use envelope_store::Store;
use envelope_store::audit::{Finding, verify};
use envelope_store::noun::Noun;

use super::house::{Plan, Process, Town};
use crate::chance::Chance;
use crate::net::peer::Peer;
use crate::store::log::{log, publish, publisher};
use crate::store::world::{World, folder, postgres, unruled};

/// Moments at which a node is killed, or stopped and continued.
const MOMENTS: u64 = 200;

/// Runs that are open at once, as far as so many new ones at each moment allow.
const OPEN: usize = 8;
const NEW: usize = 3;

/// What all runs together may spend, in nano-dollars: less than they would.
const CAP: u64 = 4_000_000;

/// The accounts of every run.
fn shared() -> [Shared; 2] {
    let account = |level, name: &str| Shared { level, name: name.to_owned() };
    [account(Level::Agent, "guests@local"), account(Level::Organisation, "acme")]
}

/// Sends what must not be sent twice, and what may be; asks a model, and sleeps between.
async fn launch(town: &Town, peer: &Peer, run: usize) {
    let (id, at) = (format!("run_{run:05}"), peer.authority());
    let post = |n| format!("send POST|http|{at}|/{id}-{n}/ok|content-type: text/plain||x");
    let acts = format!(
        "{}; chat stub/any 300 one; sleep 60; send GET|http|{at}|/again/ok; {}; now; \
         chat stub/any 300 two; sleep 60; {}; write out/a {id}",
        post(0),
        post(1),
        post(2)
    );
    let net = ["GET", "POST"].map(|method| format!("{method} http://{at}/**"));
    let (net, shared) = (net.into(), shared());
    let plan = Plan { net, money: 1_000_000_000, shared: &shared, ..Plan::of(&id, &acts) };
    town.launch(plan).await;
}

async fn open(town: &Town) -> usize {
    let mut open = 0;
    for state in ["queued", "running", "suspended"] {
        open += list(&town.house, &town.org, Some(state), "").await.unwrap().len();
    }
    open
}

#[test]
fn every_run_ends_once_whichever_node_dies_or_sleeps() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let Some(url) = postgres().await else { return };
        let store = Store::migrated(&url).await.unwrap();
        let world = World::at(store, url);
        let town = Town::found(&world).await;
        let mut tx = world.store.write().await.unwrap();
        for account in shared() {
            tx.of(&town.org).open_account(&account, CAP).await.unwrap();
        }
        tx.commit().await.unwrap();
        let peer = Peer::start(IpAddr::V4(Ipv4Addr::LOCALHOST));
        let (mut chance, mut runs, mut kills, mut sleeps) = (Chance(0x5eed), 0, 0, 0);
        let mut nodes = ["a", "b"].map(|name| town.process(name));
        for moment in 0..MOMENTS {
            for _ in 0..OPEN.saturating_sub(open(&town).await).min(NEW) {
                launch(&town, &peer, runs).await;
                runs += 1;
            }
            let at = usize::try_from(chance.below(2)).unwrap();
            tokio::time::sleep(Duration::from_millis(chance.below(250))).await;
            if chance.below(3) > 0 {
                let next = town.process(&format!("n{moment}"));
                std::mem::replace(&mut nodes[at], next).kill();
                kills += 1;
            } else {
                // Longer than a lease, mostly: the other has taken its runs, and it comes back.
                nodes[at].signal("STOP");
                tokio::time::sleep(Duration::from_millis(500 + chance.below(500))).await;
                nodes[at].signal("CONT");
                sleeps += 1;
            }
        }
        town.wait(async || open(&town).await == 0).await;
        nodes.into_iter().for_each(Process::kill);
        assert!(kills > 100 && sleeps > 40, "{kills} {sleeps}");
        check(&world, &town, runs, &peer).await;
        world.store.close().await;
    });
}

async fn check(world: &World, town: &Town, runs: usize, peer: &Peer) {
    let taken = world.own("SELECT id FROM work WHERE epoch > 1").await.unwrap().len();
    assert!(taken > 20, "{taken} of {runs} runs were taken over");
    let fenced = town.heard().matches("is another node's now").count();
    assert!(fenced > 5, "{fenced} times a node came back late");
    let told = world.own("SELECT body FROM outbox").await.unwrap();
    let told: Vec<serde_json::Value> =
        told.iter().map(|body| serde_json::from_str(body).unwrap()).collect();
    let mut told: Vec<_> = told.iter().map(|body| body["run"].as_str().unwrap()).collect();
    told.sort_unstable();
    let all: Vec<_> = (0..runs).map(|run| format!("run_{run:05}")).collect();
    assert_eq!(told, all, "every run ends once");
    let mut posts = BTreeMap::new();
    let heard = peer.heard();
    for request in heard.iter().filter(|request| request.starts_with("POST ")) {
        *posts.entry(request.split(' ').nth(1).unwrap()).or_insert(0) += 1;
    }
    assert!(posts.values().all(|count| *count == 1), "an effect was made twice: {posts:?}");
    // What began and was interrupted may not have happened; everything else did.
    assert!(posts.len() > runs * 3 * 6 / 10, "{} of {runs} runs", posts.len());
    let (mut spent, mut denied) = (0, 0);
    for run in &all {
        // That it can be played again says that no line of its journal is missing or doubled.
        let finished = town.finished(&town.org, run).await;
        spent += finished.journal.used().get(Dimension::NanoUsd);
        denied += usize::from(String::from_utf8_lossy(&finished.stdout).contains("budget"));
    }
    assert!(denied > 0, "the cap was never felt: {spent}");
    let mut tx = world.store.read().await.unwrap();
    for account in shared() {
        let balance = tx.of(&town.org).balance(&account).await.unwrap().unwrap();
        assert!(balance.spent <= CAP && balance.leased == 0, "{balance:?}");
        assert_eq!(balance.spent, spent, "what the runs recorded is what is booked");
    }
    let receipts = tx.of(&town.org).list(Noun::Receipt, "signed", "").await.unwrap();
    assert_eq!(receipts.len(), runs.min(1000));
    drop(tx);
    logged(world).await;
}

/// What all these nodes did is in the log as it was, and whoever alters a row of it is found out.
async fn logged(world: &World) {
    let held = [publish(world, &mut publisher(&folder())).await];
    let found = async || verify(&world.store, &log(), &held).await.unwrap();
    assert_eq!(found().await, []);
    unruled(world, "UPDATE runs SET state = 'queued' WHERE id = 'run_00003'").await;
    let findings = found().await;
    let [Finding::Row(row)] = &findings[..] else { panic!("{findings:?}") };
    assert!(row.contains("run_00003"), "{row}");
}
