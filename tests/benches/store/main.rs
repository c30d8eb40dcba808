//! What the store costs on either engine: changes that are logged, journals that share their
//! commits, runs that are launched, claims among a million finished runs, and a budget decision on
//! a warm lease.
//!
//! Each figure is printed as it is measured, with what is asked of it.

mod claims;
mod launches;
#[path = "../../not_shown.rs"]
#[expect(dead_code, reason = "a bench leaves out less than tests do")]
mod not_shown;
#[path = "../../store/postgres.rs"]
mod postgres;
#[path = "../../store/world.rs"]
#[expect(dead_code, reason = "the tests use more of it")]
mod world;

use std::time::{Duration, Instant};

use envelope_evidence::{Digest, Usage, usage::Dimension};
use envelope_gate::model::Purse as _;
use envelope_rules::budget::{Account, Cap, Level, Meter, Shared};
use envelope_store::audit::sequence;
use envelope_store::budget::StorePurse;
use envelope_store::journal::queue;
use envelope_store::noun::Noun;
use envelope_store::work::{LEASE, claim};
use envelope_store::{Org, Store};
use world::{World, active, at, urls};

/// Changes that are logged, and how many share a transaction.
const CHANGES: usize = 20_480;
const TOGETHER: usize = 256;

/// How long journals are written.
const WRITING: Duration = Duration::from_secs(3);

/// A line of a journal, as long as most are.
const LINE: [u8; 300] = [b'x'; 300];

fn main() {
    // A list of benches is asked for when tests are listed; there is nothing to tell.
    if std::env::args().any(|argument| argument == "--list" || argument == "--test") {
        return;
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    // In a task of its own, as all that a node does.
    runtime.block_on(async { tokio::spawn(measure()).await.unwrap() });
}

async fn measure() {
    for url in urls().await {
        let world = World::at(Store::migrated(&url).await.unwrap(), url);
        println!("\n{:?}", world.engine);
        let org = world.found("acme", 0).await;
        appends(&world, &org).await;
        for runs in [1, 16, 64] {
            journals(&world, &org, runs).await;
        }
        launches::measure(&world, &org).await;
        decisions(&world, &org).await;
        world.store.close().await;
    }
    // In databases of their own: what was done before would be in the way.
    for url in urls().await {
        let world = World::at(Store::migrated(&url).await.unwrap(), url);
        println!("\n{:?}", world.engine);
        claims::measure(&world).await;
        world.store.close().await;
    }
}

fn per_second(count: usize, since: Instant) -> u128 {
    u128::try_from(count).unwrap() * 1_000_000 / since.elapsed().as_micros().max(1)
}

/// As one node writes, and as several do.
async fn appends(world: &World, org: &Org) {
    for writers in [1, 4] {
        let mut tasks = tokio::task::JoinSet::new();
        let start = Instant::now();
        for writer in 0..writers {
            let (store, org) = (world.store.clone(), org.clone());
            tasks.spawn(async move {
                for batch in 0..CHANGES / TOGETHER / writers {
                    let mut tx = store.write().await.unwrap();
                    for number in 0..TOGETHER {
                        let id = format!("agent-{writers}-{writer}-{batch}-{number}");
                        tx.of(&org).add(Noun::Agent, None, active(&id)).await.unwrap();
                    }
                    tx.commit().await.unwrap();
                }
            });
        }
        tasks.join_all().await;
        let logged = per_second(CHANGES, start);
        println!("changes logged, {writers} at once           {logged:>9} /s; asked: 10000");
    }
    let start = Instant::now();
    let mut placed = 0;
    loop {
        let count = sequence(&world.store).await.unwrap();
        placed += count;
        if count == 0 {
            break;
        }
    }
    let placed = per_second(placed, start);
    println!("changes placed in the Merkle log    {placed:>9} /s; asked: 10000");
}

async fn journals(world: &World, org: &Org, runs: usize) {
    let mut leases = Vec::new();
    for number in 0..runs {
        let mut tx = world.store.write().await.unwrap();
        tx.of(org).queue(&format!("run-{runs}-{number}"), at(0)).await.unwrap();
        tx.commit().await.unwrap();
        leases.push(claim(&world.store, "node", at(1), LEASE).await.unwrap().unwrap());
    }
    let (queue, scribe) = queue(world.store.clone());
    let scribe = tokio::spawn(scribe.serve());
    let mut tasks = tokio::task::JoinSet::new();
    let start = Instant::now();
    for lease in leases.clone() {
        let queue = queue.clone();
        tasks.spawn(async move {
            let mut chunk = 0;
            while start.elapsed() < WRITING {
                queue.append(&lease, chunk, LINE.to_vec()).await.unwrap();
                chunk += 1;
            }
            usize::try_from(chunk).unwrap()
        });
    }
    let written = tasks.join_all().await.into_iter().sum();
    println!("journal entries, {runs:>2} runs            {:>9} /s", per_second(written, start));
    drop(queue);
    scribe.await.unwrap();
    for lease in leases {
        let mut tx = world.store.write().await.unwrap();
        tx.of(org).done(&lease).await.unwrap();
        tx.commit().await.unwrap();
    }
}

fn middle_and_worst(mut times: Vec<Duration>) -> (Duration, Duration) {
    times.sort_unstable();
    (times[times.len() / 2], times[times.len() * 99 / 100])
}

/// The slice is durable; what is decided on it is decided in memory.
async fn decisions(world: &World, org: &Org) {
    let shared = Shared { level: Level::Organisation, name: "o".to_owned() };
    let mut tx = world.store.write().await.unwrap();
    tx.of(org).open_account(&shared, 1 << 40).await.unwrap();
    tx.commit().await.unwrap();
    let purse = StorePurse::new(world.store.clone(), org.clone());
    let lease = Digest::of(b"lease");
    let chain = [shared.clone()];
    let start = Instant::now();
    let leased = purse.lease(lease, &chain, 1, 1 << 30).await.unwrap().unwrap();
    println!("lease, one account                 {:>14?}", start.elapsed());
    let account = |level, name: &str| {
        let cap = Cap::NONE.with(Dimension::NanoUsd, 0).unwrap();
        Account::new(level, name.to_owned(), cap, Usage::ZERO)
    };
    let leaf = Account::new(Level::Run, "run".to_owned(), Cap::NONE, Usage::ZERO);
    let accounts = vec![leaf, account(shared.level, &shared.name)];
    let mut meter = Meter::new(lease, accounts).unwrap();
    meter.top_up(&chain, leased);
    let nano = |amount| Usage::ZERO.with(Dimension::NanoUsd, amount).unwrap();
    let mut times = Vec::new();
    for _ in 0..100_000 {
        let start = Instant::now();
        let hold = meter.reserve(nano(900)).unwrap();
        let settled = meter.settle(hold, nano(1));
        times.push(start.elapsed());
        assert_eq!(settled.overspent, None);
    }
    let (middle, worst) = middle_and_worst(times);
    println!("decision on a warm lease, p50 {middle:?}, p99 {worst:?}; asked: 5µs");
}
