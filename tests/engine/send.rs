//! A server with many threads can hold a run, take it up again and replay it: what it waits for may
//! move from one thread to another. That it compiles is half of the test.

use std::sync::Arc;

use envelope_engine::replay::{Verdict, replay};
use envelope_engine::run::{Surroundings, resume, start};
use envelope_evidence::journal::Journal;
use envelope_gate::workspace::Blobs;

use super::world::{Fake, Lines, Setup, setup};

const fn is_send<T: Send>(it: T) -> T {
    it
}

fn surroundings(setup: &Setup, lines: &Lines) -> Surroundings {
    Surroundings {
        blobs: Blobs::new(setup.store()),
        world: Arc::new(Fake::new(setup)),
        writer: Box::new(lines.clone()),
        watcher: Some(Box::new(|_| {})),
    }
}

#[test]
fn many_threads_share_the_runs() {
    let threads =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build();
    let threads = threads.unwrap();
    let setup = setup("read in/a.txt; log done; write out/a x; artifact plot svg");
    let journal = |lines: &Lines| Journal::parse(&lines.bytes.lock().unwrap()).unwrap();

    let (lines, (order, header)) = (Lines::default(), setup.order());
    let run = is_send(start(order, header, surroundings(&setup, &lines)));
    let run = threads.block_on(threads.spawn(run)).unwrap().unwrap();

    let begun = journal(&lines).header().clone();
    let (begun, _) = Journal::start(begun).unwrap();
    let again = is_send(resume(setup.order().0, begun, surroundings(&setup, &lines)));
    let again = threads.block_on(threads.spawn(again)).unwrap().unwrap();
    assert_eq!(again.journal.head(), run.journal.head());

    let blobs = Blobs::new(setup.store());
    let replayed = is_send(replay(setup.order().0, run.journal.clone(), blobs));
    let replayed = threads.block_on(threads.spawn(replayed)).unwrap();
    assert!(matches!(replayed, Ok(Verdict::Same(it)) if it.journal.head() == run.journal.head()));
}
