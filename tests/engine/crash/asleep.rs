//! A process that is killed while its run waits has lost nothing of the run.

use std::sync::{Arc, Mutex};

use envelope_engine::run::{Halted, Surroundings, resume, start};
use envelope_evidence::journal::{Event, Journal};
use envelope_gate::journal::{JournalWriter, Writing};
use envelope_gate::stop::{Fault, Stop};
use envelope_gate::workspace::Blobs;

use crate::engine::world::{Change, Fake, Setup, setup, wait};

/// What a file would hold, and what a process has only in its memory.
#[derive(Clone, Default)]
struct Kept {
    disk: Arc<Mutex<Vec<u8>>>,
    memory: Vec<u8>,
    /// How many lines the disk held after each flush.
    flushes: Arc<Mutex<Vec<usize>>>,
}

impl JournalWriter for Kept {
    fn write(&mut self, line: &[u8]) -> Result<(), Fault> {
        self.memory.extend_from_slice(line);
        Ok(())
    }

    fn pending(&self) -> usize {
        self.memory.len()
    }

    fn flush(&mut self, _durable: bool) -> Writing<'_> {
        let mut disk = self.disk.lock().unwrap();
        disk.append(&mut self.memory);
        let lines = disk.iter().filter(|byte| **byte == b'\n').count();
        self.flushes.lock().unwrap().push(lines);
        Box::pin(std::future::ready(Ok(())))
    }
}

fn surroundings(setup: &Setup, kept: &Kept) -> Surroundings {
    Surroundings {
        blobs: Blobs::new(setup.store()),
        world: Arc::new(Fake::new(setup)),
        writer: Box::new(kept.clone()),
        watcher: None,
    }
}

const ACTS: &str =
    "write out/a x; now; sleep 5; sleep 0; read in/a.txt; append out/a y; sleep 7; now";

#[test]
fn a_run_is_written_down_before_it_waits() {
    let (setup, kept) = (setup(ACTS), Kept::default());
    let (order, header) = setup.order();
    let finished = wait(start(order, header, surroundings(&setup, &kept))).unwrap();
    let entries = finished.journal.entries();
    let waits = entries.iter().enumerate().filter(|(_, entry)| match &entry.event {
        Event::Answered(it) => it.call.operation.as_str() == "pollable.block",
        _ => false,
    });
    // The header is a line too, so the place of an entry is how many lines are before it.
    let mut waits: Vec<_> = waits.map(|(before, _)| before + 1).collect();
    assert_eq!(waits.len(), 3, "{waits:?}");
    let at_once = waits.remove(1);
    let expected: Vec<_> = [1].into_iter().chain(waits).chain([entries.len() + 1]).collect();
    let flushes = kept.flushes.lock().unwrap().clone();
    assert_eq!(flushes, expected, "the start, each wait, the end");
    assert!(!flushes.contains(&at_once), "what ends at once is no wait");
}

/// Killed in any wait, it goes on behind the last record, not behind its header.
#[test]
fn what_was_done_before_a_wait_is_not_done_again() {
    let (setup, kept) = (setup(ACTS), Kept::default());
    let (order, header) = setup.order();
    let whole = wait(start(order, header, surroundings(&setup, &kept))).unwrap();
    let bytes = kept.disk.lock().unwrap().clone();
    let lines: Vec<_> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
    for flushed in kept.flushes.lock().unwrap().iter() {
        let left = lines[..*flushed].concat();
        let disk = Arc::new(Mutex::new(left.clone()));
        let kept = Kept { disk: disk.clone(), ..Kept::default() };
        let journal = Journal::parse(&left).unwrap();
        let (order, _) = setup.order();
        let again = wait(resume(order, journal, surroundings(&setup, &kept))).unwrap();
        assert_eq!(again.journal.head(), whole.journal.head());
        assert_eq!(*disk.lock().unwrap(), bytes, "killed behind line {flushed}");
    }
}

/// Whoever is stopped while it sleeps does not sleep on: nobody would ever wake it here.
#[test]
fn a_stop_ends_a_long_sleep() {
    let killed = Stop::Killed("by the owner".to_owned());
    for stop in [killed, Stop::Suspended] {
        for at in 1..12 {
            let setup = setup("now; sleep 1000000000; now").after(at, Change::Stop(stop.clone()));
            let mut world = Fake::new(&setup);
            world.endless = true;
            let kept = Kept::default();
            let around = Surroundings { world: Arc::new(world), ..surroundings(&setup, &kept) };
            let (order, header) = setup.order();
            match (wait(start(order, header, around)), &stop) {
                (Ok(finished), Stop::Killed(why)) => {
                    assert_eq!(finished.ended().unwrap().reason.as_str(), why);
                }
                (Err(Halted::Stopped(Stop::Suspended)), Stop::Suspended) => {}
                (finished, _) => panic!("{stop}: {:?}", finished.err()),
            }
        }
    }
}
