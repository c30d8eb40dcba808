//! The queue: every piece of work is done once, whoever dies or comes back late.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use envelope_evidence::Timestamp;
use envelope_store::journal::queue as journals;
use envelope_store::noun::Noun;
use envelope_store::work::{LEASE, LEASE_MAX, Lease, TRIES_MAX, claim, hasten};
use envelope_store::{Engine, Org, Store, StoreError};

use super::world::{World, active, at, both};

/// Puts so many pieces of work into the queue, due one after the other.
async fn queue(world: &World, org: &Org, count: u64) {
    let mut tx = world.store.write().await.unwrap();
    for number in 0..count {
        tx.of(org).queue(&format!("run-{number:02}"), at(number)).await.unwrap();
    }
    tx.commit().await.unwrap();
}

async fn end(store: &Store, lease: &Lease) -> Result<(), StoreError> {
    let mut tx = store.write().await?;
    tx.of(&lease.org).done(lease).await?;
    tx.commit().await
}

fn is_fenced<T>(end: &Result<T, StoreError>) -> bool {
    matches!(end, Err(StoreError::Fenced { .. }))
}

fn later(by: Duration) -> Timestamp {
    at(1000 + u64::try_from(by.as_millis()).unwrap())
}

#[test]
fn work_is_claimed_in_order_and_not_before_it_is_due() {
    both(async |world| {
        let org = world.found("acme", 0).await;
        queue(world, &org, 3).await;
        for (now, id) in [(0, Some("run-00")), (0, None), (1, Some("run-01")), (1, None)] {
            let lease = claim(&world.store, "a", at(now), LEASE).await.unwrap();
            assert_eq!(lease.as_ref().map(|lease| lease.id.as_str()), id);
            if let Some(lease) = lease {
                end(&world.store, &lease).await.unwrap();
            }
        }
        assert!(claim(&world.store, "a", later(LEASE), LEASE).await.unwrap().is_some());
    });
}

#[test]
fn a_node_that_comes_back_late_is_fenced() {
    both(async |world| {
        let org = world.found("acme", 1).await;
        queue(world, &org, 1).await;
        let old = claim(&world.store, "a", later(Duration::ZERO), LEASE).await.unwrap().unwrap();
        let mut tx = world.store.write().await.unwrap();
        tx.of(&org).beat(&old, later(LEASE / 2), LEASE).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(claim(&world.store, "b", later(LEASE), LEASE).await.unwrap(), None, "it lives");
        let new = claim(&world.store, "b", later(LEASE * 2), LEASE).await.unwrap().unwrap();
        assert_eq!((new.id.as_str(), new.epoch), ("run-00", old.epoch + 1));
        let mut tx = world.store.write().await.unwrap();
        let mut rows = tx.of(&org);
        assert!(is_fenced(&rows.beat(&old, later(LEASE * 2), LEASE).await));
        assert!(is_fenced(&rows.hold(&old).await));
        assert!(is_fenced(&rows.done(&old).await));
        rows.hold(&new).await.unwrap();
        rows.step(Noun::Agent, 1, active("agent-000")).await.unwrap();
        rows.done(&new).await.unwrap();
        tx.commit().await.unwrap();
        assert!(is_fenced(&end(&world.store, &new).await), "done is done");
        assert_eq!(claim(&world.store, "a", later(LEASE * 9), LEASE).await.unwrap(), None);
    });
}

/// Work that is queued or held by a clock that is far ahead does not wait until that time comes.
#[test]
fn a_clock_that_goes_back_leaves_nothing_waiting() {
    both(async |world| {
        let org = world.found("acme", 0).await;
        let ahead = |by: u64| later(LEASE_MAX * 9 + Duration::from_millis(by));
        let mut tx = world.store.write().await.unwrap();
        let mut rows = tx.of(&org);
        for (id, due) in [("dead", 0), ("waits", 1), ("queued", 2)] {
            rows.queue(id, ahead(due)).await.unwrap();
        }
        rows.take("dead", "a", ahead(2), LEASE).await.unwrap().unwrap();
        let waits = rows.take("waits", "a", ahead(2), LEASE).await.unwrap().unwrap();
        rows.give_back(&waits, ahead(2)).await.unwrap();
        rows.queue("lives", at(0)).await.unwrap();
        let lives = rows.take("lives", "b", at(0), LEASE).await.unwrap().unwrap();
        tx.commit().await.unwrap();
        let due = async |now| {
            let lease = claim(&world.store, "c", now, LEASE).await.unwrap();
            lease.map(|lease| lease.id)
        };
        assert_eq!(due(at(0)).await, None);
        assert_eq!(hasten(&world.store, at(0)).await.unwrap(), 2);
        assert_eq!(hasten(&world.store, at(0)).await.unwrap(), 0);
        assert_eq!(due(at(0)).await.as_deref(), Some("queued"), "it was never claimed");
        assert_eq!(due(at(0)).await, None, "whoever holds the other may live");
        let mut tx = world.store.write().await.unwrap();
        tx.of(&org).beat(&lives, later(LEASE), LEASE).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(due(later(LEASE)).await.as_deref(), Some("dead"));
        assert_eq!(due(later(LEASE)).await.as_deref(), Some("queued"), "c fell silent");
        assert_eq!(due(later(LEASE)).await, None, "what waits, waits; what lives, lives");
        for id in ["dead", "lives", "queued", "waits"] {
            assert_eq!(due(ahead(2)).await.as_deref(), Some(id), "in its time");
        }
    });
}

#[test]
fn whoever_holds_a_lease_keeps_it_until_it_has_written() {
    both(async |world| {
        let org = world.found("acme", 1).await;
        queue(world, &org, 1).await;
        let old = claim(&world.store, "a", later(Duration::ZERO), LEASE).await.unwrap().unwrap();
        let mut tx = world.store.write().await.unwrap();
        tx.of(&org).hold(&old).await.unwrap();
        let store = world.store.clone();
        let thief = tokio::spawn(async move { claim(&store, "b", later(LEASE * 2), LEASE).await });
        tx.of(&org).step(Noun::Agent, 1, active("agent-000")).await.unwrap();
        match world.engine {
            // It passes by what is held.
            Engine::Postgres => {
                assert_eq!(thief.await.unwrap().unwrap(), None);
                tx.commit().await.unwrap();
            }
            // It waits for its turn to write.
            Engine::Sqlite => {
                tokio::time::sleep(Duration::from_millis(50)).await;
                assert!(!thief.is_finished());
                tx.commit().await.unwrap();
                assert_eq!(thief.await.unwrap().unwrap().unwrap().epoch, old.epoch + 1);
            }
        }
        let stolen = claim(&world.store, "c", later(LEASE * 4), LEASE).await.unwrap().unwrap();
        assert!(stolen.epoch > old.epoch, "after it has written, it may be claimed");
    });
}

#[test]
fn many_nodes_do_each_piece_once() {
    both(async |world| {
        let org = world.found("acme", 0).await;
        queue(world, &org, 40).await;
        let done = Arc::new(tokio::sync::Mutex::new(Vec::new()));
        let mut nodes = tokio::task::JoinSet::new();
        for node in 0..8 {
            let (store, done) = (world.store.clone(), Arc::clone(&done));
            nodes.spawn(async move {
                let name = format!("node-{node}");
                while let Some(lease) = claim(&store, &name, at(1000), LEASE).await.unwrap() {
                    end(&store, &lease).await.unwrap();
                    done.lock().await.push(lease.id);
                }
            });
        }
        nodes.join_all().await;
        let done = done.lock().await;
        assert_eq!((done.len(), done.iter().collect::<BTreeSet<_>>().len()), (40, 40));
    });
}

#[test]
fn a_lease_of_one_organisation_is_none_in_another() {
    both(async |world| {
        let (acme, other) = (world.found("acme", 0).await, world.found("other", 0).await);
        queue(world, &acme, 1).await;
        let lease = claim(&world.store, "a", at(1000), LEASE).await.unwrap().unwrap();
        let mut tx = world.store.write().await.unwrap();
        assert!(is_fenced(&tx.of(&other).done(&lease).await));
        let lie = Lease { org: other.clone(), ..lease.clone() };
        assert!(is_fenced(&tx.of(&other).done(&lie).await));
        tx.of(&acme).done(&lease).await.unwrap();
    });
}

/// The work of a node that says nothing more.
async fn silent(world: &World) -> Lease {
    claim(&world.store, "a", at(1000), Duration::ZERO).await.unwrap().unwrap()
}

#[test]
fn claims_that_come_to_nothing_are_counted_and_those_that_do_not_begin_anew() {
    both(async |world| {
        let org = world.found("acme", 0).await;
        queue(world, &org, 1).await;
        let (journals, scribe) = journals(world.store.clone());
        let scribe = tokio::spawn(scribe.serve());
        for tries in 1..=TRIES_MAX {
            let lease = silent(world).await;
            assert_eq!((lease.tries, lease.is_hopeless()), (tries, false));
        }
        // One more line in the journal, and it has as long again.
        let lease = silent(world).await;
        assert!(lease.is_hopeless(), "{lease:?}");
        journals.append(&lease, 0, b"a line".to_vec()).await.unwrap();
        for tries in 1..=2 {
            assert_eq!(silent(world).await.tries, tries);
        }
        // Whoever gives it back has survived it.
        let lease = silent(world).await;
        let mut tx = world.store.write().await.unwrap();
        tx.of(&org).give_back(&lease, at(0)).await.unwrap();
        let taken = tx.of(&org).take("run-00", "b", at(1000), Duration::ZERO).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(taken.unwrap().tries, 1);
        for tries in 2..=TRIES_MAX + 1 {
            let mut tx = world.store.write().await.unwrap();
            let taken = tx.of(&org).take("run-00", "b", at(1000), Duration::ZERO).await.unwrap();
            tx.commit().await.unwrap();
            let taken = taken.unwrap();
            assert_eq!((taken.tries, taken.is_hopeless()), (tries, tries > TRIES_MAX));
        }
        drop(journals);
        scribe.await.unwrap();
    });
}
