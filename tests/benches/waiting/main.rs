//! What it costs to wait for a human, and to have another agent do something.
//!
//! Prints a line per promise with what is asked of it.

mod host;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use envelope_engine::config::Machine;
use envelope_evidence::journal::Journal;
use host::{Host, Office};
use tokio::runtime::Runtime;

/// Runs that wait at once.
const WAITING: usize = 10_000;

/// Runs before anything is measured: they fill the pools.
const WARM: usize = 200;

/// Runs that are taken up again, one after the other.
const RESUMED: usize = 500;

/// Calls of another agent in one run.
const CALLS: u32 = 200;

/// A run with a journal of a hundred calls, which asks and then ends.
const ASKING: &str = "repeat 100 now; choose a";

criterion_group!(benches, promises);
criterion_main!(benches);

fn promises(_: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let machine = Machine::new().unwrap();
    let host = runtime.block_on(Host::new(&machine));
    waiting(&runtime, &host);
    resuming(&runtime, &host);
    calling(&runtime, &host);
    fanning_out(&runtime, &host);
}

/// Ten thousand runs that ask and are put aside: what is left of each is its journal on the disk,
/// and where that lies.
fn waiting(runtime: &Runtime, host: &Host) {
    let folder = std::env::temp_dir().join(format!("waiting-bench-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let aside = |number: usize| {
        let lines = runtime.block_on(host.put_aside(ASKING));
        let path = folder.join(number.to_string());
        std::fs::write(&path, lines).unwrap();
        path
    };
    (0..WARM).for_each(|number| drop(aside(number)));
    let before = resident();
    let begun = Instant::now();
    let waiting: Vec<PathBuf> = (0..WAITING).map(aside).collect();
    let taken = begun.elapsed();
    let grown = resident().saturating_sub(before);
    println!(
        "{} waiting runs: {:.1} MB more in memory; asked: 20 ({:.1} s to start them)",
        waiting.len(),
        grown as f64 / 1e6,
        taken.as_secs_f64()
    );
    std::fs::remove_dir_all(folder).unwrap();
}

/// A decided run is read, played and ended.
fn resuming(runtime: &Runtime, host: &Host) {
    let lines = runtime.block_on(host.put_aside(ASKING));
    let calls = Journal::parse(&lines).unwrap().calls().len();
    let once = |_| {
        let begun = Instant::now();
        let journal = Journal::parse(&lines).unwrap();
        runtime.block_on(host.take_up(ASKING, journal, Office::yes()));
        begun.elapsed()
    };
    for number in 0..WARM {
        once(number);
    }
    let all = (0..RESUMED).map(once).collect();
    println!("resuming a run with {calls} calls: {}; asked: p50 10 ms", spread(all));
}

/// One call of another agent: many, less one.
fn calling(runtime: &Runtime, host: &Host) {
    let acts = |times: u32| format!("insist {times} call-small helper@local - - 60 0 9 noop");
    let (one, many) = (acts(1), acts(CALLS + 1));
    let timed = |acts: &str| {
        let begun = Instant::now();
        runtime.block_on(host.run(acts));
        begun.elapsed()
    };
    for _ in 0..3 {
        timed(&many);
    }
    let per_call = |_| timed(&many).saturating_sub(timed(&one)) / CALLS;
    let all = (0..30).map(per_call).collect();
    println!("call of a no-op skill: {}; asked: p50 0.4 ms", spread(all));
}

/// A hundred agents, as many side by side as one call takes.
fn fanning_out(runtime: &Runtime, host: &Host) {
    let batch = |size: u32| format!("call-all {size} helper@local - - 60 0 9 noop");
    let acts = [batch(16).as_str(); 6].join("; ") + "; " + &batch(4);
    let once = |_| {
        let begun = Instant::now();
        runtime.block_on(host.run(&acts));
        begun.elapsed()
    };
    for number in 0..3 {
        once(number);
    }
    let all = (0..50).map(once).collect();
    println!("fan-out of 100 calls: {}", spread(all));
}

fn spread(mut all: Vec<Duration>) -> String {
    all.sort_unstable();
    let millis = |at: usize| all[at].as_secs_f64() * 1e3;
    format!("p50 {:.3} ms, p95 {:.3} ms", millis(all.len() / 2), millis(all.len() * 95 / 100))
}

/// Resident bytes of this process.
fn resident() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    pages.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4096
}
