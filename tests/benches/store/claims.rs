//! What a claim takes: in a queue that is empty but for what is claimed, and again when much more
//! waits there and most is done.

use std::time::{Duration, Instant};

use envelope_store::work::{LEASE, claim};
use envelope_store::{Engine, Org};

use crate::middle_and_worst;
use crate::world::{World, at};

const CLAIMS: usize = 2_000;

/// What waits behind the claims, and what is done.
const WAITING: u32 = 100_000;
const DONE: u32 = 1_000_000;

/// Due after all that is claimed here.
const LATER: u32 = 1_000_000;

/// Rounds of each: the machine has other things to do, and the best round of either had least.
const ROUNDS: usize = 5;

pub async fn measure(world: &World) {
    let org = world.found("acme", 0).await;
    let empty = best(world, &org, "empty").await;
    println!("claim, nothing else in the table    p50 {:?}, p99 {:?}", empty.0, empty.1);
    fill(world).await;
    let full = best(world, &org, "full").await;
    println!("claim, {WAITING} wait, {DONE} done  p50 {:?}, p99 {:?}", full.0, full.1);
    let ratio = |full: Duration, empty: Duration| full.as_secs_f64() / empty.as_secs_f64();
    let (middle, worst) = (ratio(full.0, empty.0), ratio(full.1, empty.1));
    println!("  full to empty: p50 {middle:.2}, p99 {worst:.2}; asked: 1.2");
}

async fn best(world: &World, org: &Org, name: &str) -> (Duration, Duration) {
    let mut rounds = Vec::new();
    for round in 0..ROUNDS {
        rounds.push(claimed(world, org, &format!("{name}-{round}")).await);
    }
    let middle = rounds.iter().map(|round| round.0).min().unwrap();
    (middle, rounds.iter().map(|round| round.1).min().unwrap())
}

/// Queues a run, claims it and ends it, again and again; the claim is what is measured.
async fn claimed(world: &World, org: &Org, name: &str) -> (Duration, Duration) {
    let mut times = Vec::new();
    for number in 0..CLAIMS {
        let id = format!("{name}-{number}");
        let mut tx = world.store.write().await.unwrap();
        tx.of(org).queue(&id, at(0)).await.unwrap();
        tx.commit().await.unwrap();
        let start = Instant::now();
        let lease = claim(&world.store, "node", at(1), LEASE).await.unwrap().unwrap();
        times.push(start.elapsed());
        assert_eq!(lease.id, id);
        let mut tx = world.store.write().await.unwrap();
        tx.of(org).done(&lease).await.unwrap();
        tx.commit().await.unwrap();
    }
    middle_and_worst(times)
}

async fn fill(world: &World) {
    let rows = |count: u32, state: &str| {
        let numbers = match world.engine {
            Engine::Sqlite => format!(
                "(WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < {count})
                SELECT n FROM c)"
            ),
            Engine::Postgres => format!("generate_series(1, {count}) n"),
        };
        format!(
            "INSERT INTO work (org, id, state, epoch, due)
            SELECT 'acme', '{state}-' || n, '{state}', 0, n + {LATER} FROM {numbers}"
        )
    };
    world.own(&rows(DONE, "done")).await.unwrap();
    world.own(&rows(WAITING, "open")).await.unwrap();
    // As the server does by itself, a little later.
    world.own(world.spell("ANALYZE", "VACUUM ANALYZE")).await.unwrap();
}
