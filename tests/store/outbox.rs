//! The outbox: told if and only if it happened, and until it is heard.

use std::collections::BTreeSet;

use envelope_evidence::Timestamp;
use envelope_store::noun::Noun;
use envelope_store::outbox::{DOUBLED_MAX, TELLING, take};

use super::world::{active, at, both};

#[test]
fn a_message_is_told_if_and_only_if_its_change_happened() {
    both(async |world| {
        let org = world.found("acme", 1).await;
        for kept in [false, true] {
            let mut tx = world.store.write().await.unwrap();
            tx.of(&org).step(Noun::Agent, 1, active("agent-000")).await.unwrap();
            tx.of(&org).announce("agent.changed", "{}", at(5)).await.unwrap();
            if kept {
                tx.commit().await.unwrap();
            } else {
                drop(tx);
                assert_eq!(take(&world.store, at(9)).await.unwrap(), None);
            }
        }
        assert_eq!(take(&world.store, at(4)).await.unwrap(), None, "not yet");
        let told = take(&world.store, at(9)).await.unwrap().unwrap();
        assert_eq!((told.topic.as_str(), told.body.as_str()), ("agent.changed", "{}"));
        assert_eq!((&told.org, told.tries), (&org, 1));
    });
}

#[test]
fn a_message_is_told_more_and_more_rarely_until_it_is_heard() {
    both(async |world| {
        let (org, other) = (world.found("acme", 0).await, world.found("other", 0).await);
        let mut tx = world.store.write().await.unwrap();
        tx.of(&org).announce("topic", "{}", at(0)).await.unwrap();
        tx.commit().await.unwrap();
        let telling = u64::try_from(TELLING.as_millis()).unwrap();
        let mut now = 0;
        for tries in 1..DOUBLED_MAX + 4 {
            let told = take(&world.store, at(now)).await.unwrap().unwrap();
            assert_eq!(told.tries, tries);
            now += telling << (tries - 1).min(DOUBLED_MAX);
            assert_eq!(take(&world.store, at(now - 1)).await.unwrap(), None);
        }
        let told = take(&world.store, at(now)).await.unwrap().unwrap();
        let mut tx = world.store.write().await.unwrap();
        assert!(!tx.of(&other).heard(told.seq).await.unwrap(), "nobody else's to let go");
        assert!(tx.of(&org).heard(told.seq).await.unwrap());
        assert!(!tx.of(&org).heard(told.seq).await.unwrap());
        tx.commit().await.unwrap();
        assert_eq!(take(&world.store, Timestamp::MAX).await.unwrap(), None);
    });
}

#[test]
fn many_who_take_at_once_take_different_ones() {
    both(async |world| {
        let org = world.found("acme", 0).await;
        let mut tx = world.store.write().await.unwrap();
        for number in 0..32 {
            tx.of(&org).announce("topic", &number.to_string(), at(0)).await.unwrap();
        }
        tx.commit().await.unwrap();
        let mut takers = tokio::task::JoinSet::new();
        for _ in 0..8 {
            let store = world.store.clone();
            takers.spawn(async move {
                let mut taken = Vec::new();
                while let Some(message) = take(&store, at(1)).await.unwrap() {
                    taken.push(message.seq);
                }
                taken
            });
        }
        let taken = takers.join_all().await.concat();
        assert_eq!((taken.len(), taken.iter().collect::<BTreeSet<_>>().len()), (32, 32));
    });
}
