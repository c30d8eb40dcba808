//! Journals: what was acknowledged is there, in order, and only from whoever holds the run.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

use envelope_gate::journal::JournalWriter as _;
use envelope_gate::stop::Fault;
use envelope_store::journal::{CHUNK_BYTES_MAX, InStore, Lost, Queue, WAITING_MAX, queue, read};
use envelope_store::work::{LEASE, Lease, claim};
use envelope_store::{Engine, Org};

use super::world::{World, at, both};

async fn leases(world: &World, count: u64) -> (Org, Vec<Lease>) {
    let org = world.found("acme", 0).await;
    let mut tx = world.store.write().await.unwrap();
    for number in 0..count {
        tx.of(&org).queue(&format!("run-{number:02}"), at(number)).await.unwrap();
    }
    tx.commit().await.unwrap();
    let mut leases = Vec::new();
    while let Some(lease) = claim(&world.store, "a", at(1000), LEASE).await.unwrap() {
        leases.push(lease);
    }
    (org, leases)
}

type Run = Pin<Box<dyn Future<Output = Result<(), Lost>>>>;

/// A run that waits for its chunk: in the queue, or for a place in it.
async fn wait(queue: &Queue, lease: &Lease, chunk: i64, lines: Vec<u8>) -> Run {
    let (queue, lease) = (queue.clone(), lease.clone());
    let mut run: Run = Box::pin(async move { queue.append(&lease, chunk, lines).await });
    let pending = poll_fn(|context| Poll::Ready(run.as_mut().poll(context).is_pending()));
    assert!(pending.await);
    run
}

#[test]
fn runs_that_write_at_once_each_find_their_own_journal() {
    both(async |world| {
        let (org, leases) = leases(world, 16).await;
        let (queue, scribe) = queue(world.store.clone());
        let scribe = tokio::spawn(scribe.serve());
        let mut runs = tokio::task::JoinSet::new();
        for lease in leases.clone() {
            let queue = queue.clone();
            runs.spawn(async move {
                for chunk in 0..70 {
                    let line = format!("{} {chunk}\n", lease.id).into_bytes();
                    queue.append(&lease, chunk, line).await.unwrap();
                }
            });
        }
        runs.join_all().await;
        drop(queue);
        scribe.await.unwrap();
        for lease in leases {
            let whole: String = (0..70).map(|chunk| format!("{} {chunk}\n", lease.id)).collect();
            let found = read(&world.store, &org, &lease.id).await.unwrap();
            assert_eq!(found, (whole.into_bytes(), 70));
        }
    });
}

#[test]
fn a_late_or_misplaced_chunk_is_refused_and_its_neighbours_are_written() {
    both(async |world| {
        let (org, leases) = leases(world, 2).await;
        let late = at(1000 + 2 * u64::try_from(LEASE.as_millis()).unwrap());
        let new = claim(&world.store, "b", late, LEASE).await.unwrap().unwrap();
        let (old, other) = (&leases[0], &leases[1]);
        assert_eq!((&new.id, new.epoch), (&old.id, old.epoch + 1));
        let (queue, scribe) = queue(world.store.clone());
        // All wait before anybody writes, so that they share a transaction.
        let first = b"first\n".to_vec();
        let chunks = [
            (old, 0, b"late\n".to_vec(), Err(Lost::Fenced)),
            (other, 0, first.clone(), Ok(())),
            (other, 0, b"twice\n".to_vec(), Err(Lost::Misplaced(0))),
            (other, 2, b"gap\n".to_vec(), Err(Lost::Misplaced(2))),
            (&new, 0, first.clone(), Ok(())),
        ];
        let mut waiting = Vec::new();
        for (lease, chunk, lines, end) in chunks {
            waiting.push((wait(&queue, lease, chunk, lines).await, end));
        }
        tokio::spawn(scribe.serve());
        for (run, end) in waiting {
            assert_eq!(run.await, end);
        }
        let long = queue.append(&new, 1, vec![0; CHUNK_BYTES_MAX + 1]).await;
        assert_eq!(long, Err(Lost::TooLong));
        for id in [&old.id, &other.id] {
            assert_eq!(read(&world.store, &org, id).await.unwrap(), (first.clone(), 1));
        }
        let stranger = Org::new("other").unwrap();
        assert_eq!(read(&world.store, &stranger, &old.id).await.unwrap(), (Vec::new(), 0));
    });
}

#[test]
fn when_the_queue_is_full_runs_wait_and_lose_nothing() {
    both(async |world| {
        let (org, leases) = leases(world, 1).await;
        let (queue, scribe) = queue(world.store.clone());
        let mut runs = Vec::new();
        for chunk in 0..WAITING_MAX + 5 {
            let chunk = i64::try_from(chunk).unwrap();
            runs.push(wait(&queue, &leases[0], chunk, vec![b'\n']).await);
        }
        assert_eq!(read(&world.store, &org, "run-00").await.unwrap().1, 0);
        tokio::spawn(scribe.serve());
        for run in runs {
            run.await.unwrap();
        }
        let all = i64::try_from(WAITING_MAX + 5).unwrap();
        assert_eq!(read(&world.store, &org, "run-00").await.unwrap().1, all);
    });
}

#[test]
fn a_run_goes_on_with_its_journal_and_no_line_is_lost_in_silence() {
    both(async |world| {
        let (org, leases) = leases(world, 1).await;
        let found = async || read(&world.store, &org, "run-00").await.unwrap();
        let (queue, scribe) = queue(world.store.clone());
        let writer = |next| InStore::new(queue.clone(), leases[0].clone(), next);
        let mut first = writer(0);
        first.write(b"one\n").unwrap();
        // Whoever waits gives up before anybody writes: the line is pending, and in the queue.
        let mut flush = first.flush(true);
        assert!(poll_fn(|context| Poll::Ready(flush.as_mut().poll(context).is_pending())).await);
        drop(flush);
        assert_eq!((first.pending(), found().await.1), (4, 0));
        tokio::spawn(scribe.serve());
        let refused = first.flush(true).await;
        assert!(matches!(refused, Err(Fault::Journal(_))), "{refused:?}");
        assert_eq!((first.pending(), found().await), (4, (b"one\n".to_vec(), 1)));

        let mut second = writer(1);
        second.flush(true).await.unwrap();
        assert_eq!(found().await.1, 1, "nothing makes no chunk");
        second.write(b"two\n").unwrap();
        second.write(b"three\n").unwrap();
        assert_eq!(second.pending(), 10);
        second.flush(true).await.unwrap();
        assert_eq!((second.pending(), found().await), (0, (b"one\ntwo\nthree\n".to_vec(), 2)));

        let mut third = writer(found().await.1);
        third.write(b"four\n").unwrap();
        third.flush(true).await.unwrap();
        second.write(b"late\n").unwrap();
        let refused = second.flush(true).await;
        assert!(matches!(refused, Err(Fault::Journal(_))), "{refused:?}");
        let whole = b"one\ntwo\nthree\nfour\n".to_vec();
        assert_eq!((second.pending(), found().await), (5, (whole, 3)));
    });
}

#[test]
fn a_journal_is_append_only_for_its_owner_too() {
    both(async |world| {
        let (org, leases) = leases(world, 1).await;
        let (queue, scribe) = queue(world.store.clone());
        tokio::spawn(scribe.serve());
        queue.append(&leases[0], 0, b"first\n".to_vec()).await.unwrap();
        let own = match world.engine {
            Engine::Sqlite => "REPLACE INTO journal SELECT org, id, chunk, 9, lines FROM journal",
            Engine::Postgres => "TRUNCATE journal",
        };
        for attack in ["UPDATE journal SET epoch = 9", "DELETE FROM journal", own] {
            let refused = world.own(attack).await.expect_err(attack);
            assert!(refused.contains("append-only"), "{attack}: {refused}");
        }
        assert_eq!(read(&world.store, &org, "run-00").await.unwrap(), (b"first\n".to_vec(), 1));
    });
}
