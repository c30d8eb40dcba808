//! Two nodes on one PostgreSQL, each a process of its own, killed or stopped at moments of chance:
//! every run ends once, and no effect is made twice.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use envelope_store::journal::read;
use envelope_store::{Org, Store};

use super::world::{World, at, folder, postgres};
use crate::cargo::store_node;

/// Moments at which a node is killed, or stopped and continued.
const MOMENTS: u64 = 200;

/// Effects of one run, as the node makes them.
const STEPS: usize = 6;

struct Chance(u64);

impl Chance {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

fn node(url: &str, name: &str, world: &Path) -> Child {
    let mut command = Command::new(store_node());
    command.args(["work", url, name]).arg(world).stdout(Stdio::null());
    command.spawn().unwrap()
}

fn signal(child: &Child, name: &str) {
    // The shell's own, which is everywhere.
    let kill = format!("kill {name} {}", child.id());
    let sent = Command::new("sh").args(["-c", &kill]).status().unwrap();
    assert!(sent.success());
}

async fn pause(millis: u64) {
    tokio::time::sleep(Duration::from_millis(millis)).await;
}

/// Queues more runs, so that there is always something to interrupt.
async fn queue(world: &World, org: &Org, runs: &mut usize, more: usize) {
    let mut tx = world.store.write().await.unwrap();
    for _ in 0..more {
        tx.of(org).queue(&format!("run-{runs:04}"), at(0)).await.unwrap();
        *runs += 1;
    }
    tx.commit().await.unwrap();
}

async fn open(world: &World) -> usize {
    let open = "SELECT id FROM work WHERE state = 'open'";
    world.own(open).await.unwrap().len()
}

#[test]
fn every_run_ends_once_whichever_node_dies_or_sleeps() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let Some(url) = postgres().await else { return };
        let store = Store::migrated(&url).await.unwrap();
        let world = World::at(store, url);
        let org = world.found("acme", 0).await;
        let seen = folder().join("world");
        let (mut chance, mut runs, mut kills, mut sleeps) = (Chance(0x5eed), 0, 0, 0);
        let mut nodes = ["a", "b"].map(|name| node(&world.url, name, &seen));
        for moment in 0..MOMENTS {
            if open(&world).await < 8 {
                queue(&world, &org, &mut runs, 8).await;
            }
            let at = usize::try_from(chance.below(2)).unwrap();
            pause(chance.below(40)).await;
            if chance.below(4) > 0 {
                nodes[at].kill().unwrap();
                nodes[at].wait().unwrap();
                nodes[at] = node(&world.url, &format!("n{moment}"), &seen);
                kills += 1;
            } else {
                // Longer than a lease, mostly: the other has taken its run, and it comes back.
                signal(&nodes[at], "-STOP");
                pause(300 + chance.below(600)).await;
                signal(&nodes[at], "-CONT");
                sleeps += 1;
            }
        }
        while open(&world).await > 0 {
            pause(20).await;
        }
        for mut node in nodes {
            node.kill().unwrap();
            node.wait().unwrap();
        }
        assert!(kills > 100 && sleeps > 30, "{kills} {sleeps}");
        let taken = "SELECT id FROM work WHERE epoch > 1";
        let taken = world.own(taken).await.unwrap().len();
        assert!(taken > 20, "{taken} of {runs} runs were taken over");
        check(&world, &org, runs, &fs::read_to_string(&seen).unwrap()).await;
        world.store.close().await;
    });
}

async fn check(world: &World, org: &Org, runs: usize, seen: &str) {
    let mut effects = BTreeMap::new();
    for line in seen.lines() {
        *effects.entry(line).or_insert(0) += 1;
    }
    assert!(effects.values().all(|count| *count == 1), "an effect was made twice");
    // What began and was interrupted may not have happened; everything else did.
    assert!(effects.len() > runs * STEPS * 8 / 10, "{} of {runs} runs", effects.len());
    let told = world.own("SELECT body FROM outbox ORDER BY body").await.unwrap();
    let all: Vec<_> = (0..runs).map(|run| format!("run-{run:04}")).collect();
    assert_eq!(told, all, "every run ends once");
    for run in all {
        let (lines, _) = read(&world.store, org, &run).await.unwrap();
        let lines = String::from_utf8(lines).unwrap();
        let mut once: Vec<_> = lines.lines().collect();
        assert_eq!(once.len(), 2 * STEPS, "{run}: {lines}");
        once.sort_unstable();
        once.dedup();
        assert_eq!(once.len(), 2 * STEPS, "{run}: {lines}");
    }
}
