//! What keeping the journal costs a call.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

use criterion::Criterion;
use envelope_evidence::Preview;
use envelope_evidence::journal::{Event, Journal};
use envelope_evidence::preview::Secrets;
use envelope_gate::journal::{InFile, JournalWriter, PENDING_BYTES_MAX};
use tokio::runtime::Runtime;

use crate::Spread;
use crate::sample;

const CALLS: u32 = 5000;

/// Runs that wait for the disk at once, and how often each does.
const RUNS: u32 = 16;
const WAITS: u32 = 50;

fn event(n: u32) -> Event {
    sample::read(n.into(), "rfp/annexes/2026/prices.pdf", b"a few bytes of a file")
}

fn path() -> PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let next = NEXT.fetch_add(1, Ordering::Relaxed);
    let folder = std::env::temp_dir().join(format!("airlock-bench-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder.join(next.to_string())
}

/// A record, its line, its way to the file: all that a call waits for.
pub fn buffered(runtime: &Runtime) {
    let sample = |_| {
        let path = path();
        let mut writer = InFile::create(&path).unwrap();
        let (mut journal, _) = Journal::start(sample::header()).unwrap();
        let events: Vec<_> = (0..CALLS).map(event).collect();
        let start = Instant::now();
        for event in events {
            let line = journal.append(journal.last_at(), event).unwrap();
            writer.write(&line).unwrap();
            if writer.pending() > PENDING_BYTES_MAX {
                runtime.block_on(writer.flush(false)).unwrap();
            }
        }
        let taken = start.elapsed() / CALLS;
        std::fs::remove_file(path).unwrap();
        taken
    };
    println!("journal, buffered: {}; asked: 5 µs", Spread::of((0..10).map(sample).collect()));
}

/// Many runs whose every call waits until its record survives a power cut.
pub fn durable() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let alone = |_| runs_at_once(&runtime, 1);
    let many = |_| runs_at_once(&runtime, RUNS);
    let alone = Spread::of((0..5).map(alone).collect());
    println!("journal, durable, one run: {alone} each call");
    let many = Spread::of((0..5).map(many).collect());
    println!("journal, durable, {RUNS} runs with a file each: {many} each call; asked: 60 µs");
}

fn runs_at_once(runtime: &Runtime, runs: u32) -> std::time::Duration {
    let writers: Vec<_> = (0..runs).map(|_| InFile::create(&path()).unwrap()).collect();
    at_once(runtime, writers)
}

fn at_once(runtime: &Runtime, writers: Vec<impl JournalWriter + 'static>) -> std::time::Duration {
    let calls = u32::try_from(writers.len()).unwrap() * WAITS;
    let line = Arc::<[u8]>::from(line());
    let start = Instant::now();
    let tasks: Vec<_> = writers
        .into_iter()
        .map(|mut writer| {
            let line = line.clone();
            runtime.spawn(async move {
                for _ in 0..WAITS {
                    writer.write(&line).unwrap();
                    writer.flush(true).await.unwrap();
                }
            })
        })
        .collect();
    runtime.block_on(async {
        for task in tasks {
            task.await.unwrap();
        }
    });
    start.elapsed() / calls
}

fn line() -> Vec<u8> {
    let (mut journal, _) = Journal::start(sample::header()).unwrap();
    journal.append(journal.last_at(), event(0)).unwrap()
}

/// The parts of it.
pub fn steps(criterion: &mut Criterion) {
    let none = Secrets::none();
    let path = "rfp/annexes/2026/prices.pdf";
    criterion.bench_function("preview of a path", |b| b.iter(|| Preview::of(path, &none)));
    let (journal, _) = Journal::start(sample::header()).unwrap();
    criterion.bench_function("journal: append a record", |b| {
        b.iter_batched_ref(
            || (journal.clone(), event(0)),
            |(journal, event)| journal.append(journal.last_at(), event.clone()).unwrap(),
            criterion::BatchSize::SmallInput,
        );
    });
}
