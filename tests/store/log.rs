//! The audit log in peace: every change is in it once, and strangers can follow it.

use std::fs;
use std::path::Path;
use std::time::Duration;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use envelope_evidence::key::{ForLogs, SigningKey};
use envelope_evidence::merkle;
use envelope_evidence::tlog::{Log, NOTE_BYTES_MAX, Proof};
use envelope_store::audit::{
    AuditError, BATCH_MAX, Publisher, entry, prove_consistency, prove_inclusion, sequence, verify,
};
use envelope_store::noun::Noun;

use super::world::{World, active, both, folder};

/// The key that signs the log.
pub fn key() -> SigningKey<ForLogs> {
    SigningKey::from_secret(&[7; 32].into())
}

/// The log of the tests.
pub fn log() -> Log {
    Log::new("envelope.example/log", key().public()).unwrap()
}

pub fn publisher(path: &Path) -> Publisher {
    Publisher::new(log(), Dir::open_ambient_dir(path, ambient_authority()).unwrap())
}

/// Places every change, signs the log and returns the checkpoint.
pub async fn publish(world: &World, publisher: &mut Publisher) -> String {
    while sequence(&world.store).await.unwrap() > 0 {}
    publisher.publish(&world.store, &key()).await.unwrap()
}

#[test]
fn every_change_is_logged_once_and_provable() {
    both(async |world| {
        let (path, org) = (folder(), world.found("acme", 3).await);
        world.step(&org, Noun::Agent, 1, active("agent-001")).await.unwrap();
        let note = publish(world, &mut publisher(&path)).await;
        let held = log().open(&note).unwrap();
        assert_eq!(held.size, 5);
        assert_eq!(verify(&world.store, &log(), &[note]).await.unwrap(), []);
        for version in [1, 2] {
            let row = ("agent-001", version);
            let proven = prove_inclusion(&world.store, &log(), Noun::Agent, &org, row).await;
            let (proof, payload) = proven.unwrap();
            let proof = Proof::parse(&proof.to_string()).unwrap();
            let leaf = |payload: &str| merkle::leaf(&entry(&proof.salt, payload.as_bytes()));
            let holds = |leaf| {
                merkle::verify_inclusion(held.root, held.size, proof.index, leaf, &proof.hashes)
            };
            holds(leaf(&payload)).unwrap();
            assert!(payload.contains(&format!("\"version\":{version}}}")), "{payload}");
            assert!(holds(leaf(&payload.replace("agent-001", "agent-002"))).is_err());
        }
        let absent = ("agent-001", 3);
        let unknown = prove_inclusion(&world.store, &log(), Noun::Agent, &org, absent).await;
        assert!(matches!(unknown, Err(AuditError::Unknown)));
    });
}

#[test]
fn the_log_grows_by_what_was_added() {
    both(async |world| {
        let (path, org) = (folder(), world.found("acme", 0).await);
        let mut old = None;
        let mut one = publisher(&path);
        // Past the width of a tile, by one publisher and by its successors.
        for (round, count) in [3, 252, 1, 300].into_iter().enumerate() {
            let mut tx = world.store.write().await.unwrap();
            for number in 0..count {
                let id = format!("agent-{round}-{number}");
                tx.of(&org).add(Noun::Agent, None, active(&id)).await.unwrap();
            }
            tx.commit().await.unwrap();
            if round == 2 {
                one = publisher(&path);
            }
            let note = publish(world, &mut one).await;
            let new = log().open(&note).unwrap();
            assert_eq!(fs::read_to_string(path.join("checkpoint")).unwrap(), note);
            if let Some((old, root)) = old {
                let proof = prove_consistency(&world.store, old, new.size).await.unwrap();
                merkle::verify_consistency(old, root, new.size, new.root, &proof).unwrap();
            }
            old = Some((new.size, new.root));
        }
        assert_eq!(old.unwrap().0, 557);
        assert_eq!(verify(&world.store, &log(), &[]).await.unwrap(), []);
        let again = publish(world, &mut publisher(&path)).await;
        assert_eq!(again, publish(world, &mut one).await, "one size, one note");
    });
}

#[test]
fn a_folder_that_failed_is_whole_the_next_time() {
    both(async |world| {
        let (path, twin) = (folder(), folder());
        let mut one = publisher(&path);
        world.found("acme", 1).await;
        publish(world, &mut one).await;
        // A folder in the place of a file: the disk refuses.
        let (tile, entries) = (path.join("tile/0/000"), "tile/entries/000");
        fs::create_dir(&tile).unwrap();
        world.found("other", 299).await;
        while sequence(&world.store).await.unwrap() > 0 {}
        let failed = one.publish(&world.store, &key()).await;
        assert!(matches!(failed, Err(AuditError::Folder { .. })), "{failed:?}");
        fs::remove_dir(&tile).unwrap();
        fs::remove_file(path.join(entries)).unwrap();
        publish(world, &mut one).await;
        publish(world, &mut publisher(&twin)).await;
        for file in [entries, "tile/0/000", "tile/0/001.p/46", "tile/1/000.p/1", "checkpoint"] {
            let read = |path: &Path| fs::read(path.join(file)).expect(file);
            assert_eq!(read(&path), read(&twin), "{file}");
        }
    });
}

#[test]
fn a_checkpoint_in_the_folder_that_is_too_long_is_not_read() {
    both(async |world| {
        let path = folder();
        world.found("acme", 1).await;
        publish(world, &mut publisher(&path)).await;
        fs::write(path.join("checkpoint"), vec![b'a'; NOTE_BYTES_MAX + 1]).unwrap();
        let refused = publisher(&path).publish(&world.store, &key()).await;
        assert!(matches!(refused, Err(AuditError::Folder { .. })), "{refused:?}");
    });
}

#[test]
fn sequencers_that_race_place_each_change_once() {
    both(async |world| {
        let org = world.found("acme", 0).await;
        let mut tx = world.store.write().await.unwrap();
        for number in 0..BATCH_MAX + 10 {
            tx.of(&org).add(Noun::Agent, None, active(&number.to_string())).await.unwrap();
        }
        tx.commit().await.unwrap();
        let mut racers = tokio::task::JoinSet::new();
        for _ in 0..4 {
            let store = world.store.clone();
            racers.spawn(async move { sequence(&store).await.unwrap() });
        }
        let placed: usize = racers.join_all().await.into_iter().sum();
        assert_eq!(placed, usize::try_from(BATCH_MAX).unwrap() + 11);
        assert_eq!(verify(&world.store, &log(), &[]).await.unwrap(), []);
    });
}

/// Nobody waits for the files of another, and whoever is overtaken lays what is new as well.
#[test]
fn two_who_publish_at_once_sign_one_log() {
    both(async |world| {
        let org = world.found("acme", 1).await;
        let folders = [folder(), folder()];
        let mut publishers = folders.each_ref().map(|path| publisher(path));
        for round in 0..12 {
            world.add(&org, Noun::User, &format!("user-{round}")).await.unwrap();
            while sequence(&world.store).await.unwrap() > 0 {}
            let [one, two] = &mut publishers;
            let (key_one, key_two) = (key(), key());
            let (one, two) = tokio::join!(
                one.publish(&world.store, &key_one),
                two.publish(&world.store, &key_two)
            );
            assert_eq!(one.unwrap(), two.unwrap(), "one note for one size");
        }
        let shown = folders.each_ref().map(|path| fs::read(path.join("checkpoint")).unwrap());
        assert_eq!(shown[0], shown[1]);
        // Two into one folder, at their own pace: what is shown never goes back.
        let mut both = tokio::task::JoinSet::new();
        let path = folder();
        for name in ["one", "two"] {
            let (mut publisher, store) = (publisher(&path), world.store.clone());
            let org = org.clone();
            both.spawn(async move {
                for round in 0..10 {
                    let mut tx = store.write().await.unwrap();
                    let id = format!("{name}-{round}");
                    tx.of(&org).add(Noun::User, None, active(&id)).await.unwrap();
                    tx.commit().await.unwrap();
                    while sequence(&store).await.unwrap() > 0 {}
                    publisher.publish(&store, &key()).await.unwrap();
                }
            });
        }
        let mut last = 0;
        while !both.is_empty() {
            if let Ok(Some(ended)) =
                tokio::time::timeout(Duration::from_millis(1), both.join_next()).await
            {
                ended.unwrap();
            }
            let Ok(note) = fs::read_to_string(path.join("checkpoint")) else { continue };
            let size = log().open(&note).unwrap().size;
            assert!(size >= last, "{size} after {last}");
            last = size;
        }
        let held = [String::from_utf8(shown[0].clone()).unwrap()];
        assert_eq!(verify(&world.store, &log(), &held).await.unwrap(), []);
    });
}
