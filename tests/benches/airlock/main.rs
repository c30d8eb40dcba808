//! What the airlock costs, beside bare wasmtime on the same component in the same process.
//!
//! Prints a line per promise with what is asked of it, then measures the single steps.

mod bare;
mod guests;
mod journals;
mod lock;
#[path = "../../evidence/sample.rs"]
#[expect(dead_code, reason = "the tests use more of it")]
mod sample;

use std::future::Future;
use std::rc::Rc;
use std::time::{Duration, Instant};

use bare::Bare;
use criterion::{Criterion, criterion_group, criterion_main};
use envelope_engine::config::Machine;
use envelope_engine::replay::{Verdict, replay};
use envelope_evidence::journal::Journal;
use envelope_evidence::key::{ForReceipts, SigningKey};
use envelope_gate::journal::{InMemory, JournalWriter};
use lock::{Lines, Lock};
use tokio::runtime::Runtime;

/// Samples of what takes microseconds: enough for a median that other work does not move.
const SAMPLES: usize = 2000;

/// Runs that wait at once.
const IDLE: u32 = 1000;

criterion_group!(benches, promises, steps);
criterion_main!(benches);

fn promises(_: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let machine = Machine::new().unwrap();
    idle(&runtime);
    suspended(&runtime, &machine);
    warm_start(&runtime, &machine);
    reads(&runtime, &machine);
    journals::buffered(&runtime);
    journals::durable();
    replays(&runtime, &machine);
    whole_runs(&runtime, &machine);
}

fn idle(runtime: &Runtime) {
    let (ours, theirs) = (Machine::new().unwrap(), Machine::new().unwrap());
    let component = guests::idle();
    let lock = Rc::new(runtime.block_on(Lock::new(&ours, &component)));
    let bare = Rc::new(Bare::new(&theirs, &component));
    let jobs: Vec<_> = (0..IDLE).map(|_| lock.job()).collect();
    let tasks = tokio::task::LocalSet::new();
    let before = resident();
    for job in jobs {
        let lock = lock.clone();
        tasks
            .spawn_local(async move { lock.run(job, Box::new(InMemory::default())).await.is_ok() });
    }
    tasks.block_on(runtime, settled());
    let (gated, before) = (resident() - before, resident());
    for _ in 0..IDLE {
        let bare = bare.clone();
        tasks.spawn_local(async move { drop(bare.run().await) });
    }
    tasks.block_on(runtime, settled());
    let plain = resident() - before;
    let each = |bytes: u64| bytes / u64::from(IDLE) / 1024;
    println!("idle run: {} KiB, bare {} KiB; asked: 128", each(gated), each(plain));
}

/// What a run that was put aside leaves in memory: how much more there is after a thousand of them
/// than after the first hundred, which warm the pools.
fn suspended(runtime: &Runtime, machine: &Machine) {
    let lock = runtime.block_on(Lock::new(machine, &guests::chance(1)));
    let aside = |times: u32| (0..times).for_each(|_| runtime.block_on(lock.put_aside()));
    aside(IDLE / 10);
    let before = resident();
    aside(IDLE);
    let each = resident().saturating_sub(before) / u64::from(IDLE);
    println!("suspended run: {each} bytes; asked: 0");
}

/// Lets every task go on until it waits.
async fn settled() {
    for _ in 0..1000 {
        tokio::task::yield_now().await;
    }
}

/// Resident bytes of this process.
fn resident() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    pages.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4096
}

fn warm_start(runtime: &Runtime, machine: &Machine) {
    let component = guests::chance(1);
    let lock = runtime.block_on(Lock::new(machine, &component));
    let bare = Bare::new(machine, &component);
    let (mut plain, mut gated, mut headed) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..SAMPLES {
        plain.push(runtime.block_on(bare.first_call()));
        gated.push(runtime.block_on(lock.first_call(false)));
        headed.push(runtime.block_on(lock.first_call(true)));
    }
    let (plain, gated, headed) = (Spread::of(plain), Spread::of(gated), Spread::of(headed));
    println!("warm start: {gated}, bare {plain}, {}; asked: 1.5", gated.beside(&plain));
    println!("  with the header written: {headed}, {}", headed.beside(&plain));
    let pins = (0..SAMPLES).map(|_| runtime.block_on(lock.pins())).collect();
    let files = (0..SAMPLES).map(|_| lock.files()).collect();
    println!(
        "  of it, what the journal pins: {}; the files: {}",
        Spread::of(pins),
        Spread::of(files)
    );
}

/// The time of one call: many, less none, in one run of each.
fn per_call(times: u32, mut run: impl FnMut(bool) -> Duration) -> Spread {
    let once = |_| (run(true).saturating_sub(run(false))) / times;
    Spread::of((0..30).map(once).collect())
}

fn reads(runtime: &Runtime, machine: &Machine) {
    const TIMES: u32 = 2000;
    let [none, many] = [1, TIMES].map(guests::reads);
    let [none, many] = [none, many].map(|it| runtime.block_on(Lock::new(machine, &it)));
    let gated = per_call(TIMES, |full| {
        let lock = if full { &many } else { &none };
        let job = lock.job();
        timed(runtime, lock.run(job, Box::new(Lines::default())))
    });
    let [none, many] = [1, TIMES].map(|times| Bare::new(machine, &guests::bytes(times)));
    let plain = per_call(TIMES, |full| timed(runtime, if full { &many } else { &none }.run()));
    println!("read of {} bytes: {gated}, bare host call {plain}; asked: 5 µs more", guests::READ);
}

fn replays(runtime: &Runtime, machine: &Machine) {
    const TIMES: u32 = 50_000;
    for (what, guest) in
        [("random numbers", guests::chance(TIMES)), ("reads of 1 KiB", guests::reads(TIMES))]
    {
        let lock = runtime.block_on(Lock::new(machine, &guest));
        let lines = Lines::default();
        let journal = {
            let writer: Box<dyn JournalWriter> = Box::new(lines.clone());
            runtime.block_on(lock.run(lock.job(), writer)).unwrap().journal
        };
        let bytes = lines.bytes();
        let mut parsing = Vec::new();
        let mut playing = Vec::new();
        for _ in 0..5 {
            let start = Instant::now();
            assert_eq!(Journal::parse(&bytes).unwrap().head(), journal.head());
            parsing.push(start.elapsed());
            let (order, journal) = (lock.job().order, journal.clone());
            let start = Instant::now();
            let verdict = runtime.block_on(replay(order, journal, lock.blobs()));
            playing.push(start.elapsed());
            assert!(matches!(verdict, Ok(Verdict::Same(_))));
        }
        let rate = |spread: &Spread| f64::from(TIMES) / spread.least.as_secs_f64() / 1000.0;
        let (playing, parsing) = (Spread::of(playing), Spread::of(parsing));
        println!(
            "replay of {what}: {:.0} k/s (reading the journal: {:.0} k/s); asked: 200 k/s",
            rate(&playing),
            rate(&parsing)
        );
    }
}

fn whole_runs(runtime: &Runtime, machine: &Machine) {
    let component = guests::nothing();
    let lock = runtime.block_on(Lock::new(machine, &component));
    let key = SigningKey::<ForReceipts>::from_secret(&[1; 32].into());
    let run = |job: bool| {
        let ready = lock.job();
        let start = Instant::now();
        let ready = if job { lock.job() } else { ready };
        let finished = runtime.block_on(lock.run(ready, Box::new(InMemory::default()))).unwrap();
        std::hint::black_box(finished.receipt(&key));
        start.elapsed()
    };
    let admitted = Spread::of((0..SAMPLES).map(|_| run(false)).collect());
    let asked = Spread::of((0..SAMPLES).map(|_| run(true)).collect());
    println!("no-op run with signed receipt: {admitted}; asked: 300 µs");
    println!("  with its warrant and grant made: {asked}");
}

/// The single steps, for whoever makes them faster.
fn steps(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let machine = Machine::new().unwrap();
    let lock = runtime.block_on(Lock::new(&machine, &guests::nothing()));
    let bare = Bare::new(&machine, &guests::nothing());
    criterion.bench_function("bare run", |b| b.iter(|| runtime.block_on(bare.run())));
    criterion.bench_function("run", |b| {
        b.iter_batched(
            || lock.job(),
            |job| runtime.block_on(lock.run(job, Box::new(InMemory::default()))).is_ok(),
            criterion::BatchSize::SmallInput,
        );
    });
    journals::steps(criterion);
}

fn timed<T>(runtime: &Runtime, work: impl Future<Output = T>) -> Duration {
    let start = Instant::now();
    let done = runtime.block_on(work);
    let taken = start.elapsed();
    drop(done);
    taken
}

/// What was measured many times, on a machine that does other things too.
pub(crate) struct Spread {
    least: Duration,
    median: Duration,
}

impl Spread {
    pub(crate) fn of(mut all: Vec<Duration>) -> Self {
        all.sort_unstable();
        Self { least: all[0], median: all[all.len() / 2] }
    }

    fn beside(&self, other: &Self) -> String {
        let ratio = |a: Duration, b: Duration| a.as_secs_f64() / b.as_secs_f64();
        let (least, median) = (ratio(self.least, other.least), ratio(self.median, other.median));
        format!("× {least:.2} (median × {median:.2})")
    }
}

impl std::fmt::Display for Spread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let micros = |it: Duration| it.as_secs_f64() * 1e6;
        write!(f, "{:.2} µs (median {:.2})", micros(self.least), micros(self.median))
    }
}
