//! Blobs and workspaces: on both engines, in a folder and on a server that speaks S3.

use std::error::Error;
use std::fs;
use std::os::unix::fs::symlink;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use envelope_evidence::{Digest, Timestamp};
use envelope_gate::workspace::{FileEntry, Manifest};
use envelope_rules::path::Path;
use envelope_store::blobs::{BlobError, Blobs, GRACE, PIN, S3, Version, folder, s3};
use envelope_store::work::{LEASE, Lease, claim};
use envelope_store::{Engine, Org};
use object_store::{ObjectStore, ObjectStoreExt as _, path};

use super::bucket::{bucket, server};
use super::world::{World, at, both};

/// Runs a test on both engines, and on each in a folder and on S3.
fn everywhere(test: impl AsyncFn(&World, &Org, Arc<dyn ObjectStore>)) {
    both(async |world| {
        let stores = [folder(super::world::folder()).unwrap(), bucket(server().await, "secret")];
        for (objects, name) in stores.into_iter().zip(["folder", "bucket"]) {
            let org = world.found(name, 0).await;
            test(world, &org, objects).await;
        }
    });
}

fn blobs(world: &World, org: &Org, objects: &Arc<dyn ObjectStore>) -> Blobs {
    Blobs::new(world.store.clone(), org.clone(), Arc::clone(objects))
}

fn later(by: Duration) -> Timestamp {
    at(1_000 + u64::try_from(by.as_millis()).unwrap())
}

fn manifest(files: &[(&str, &[u8])]) -> Manifest {
    let entry = |(path, bytes): &(&str, &[u8])| FileEntry {
        path: Path::parse(path).unwrap(),
        digest: Digest::of(bytes),
        size: u64::try_from(bytes.len()).unwrap(),
    };
    Manifest::new(files.iter().map(entry).collect()).unwrap()
}

#[test]
fn a_blob_is_kept_once_checked_and_counted() {
    everywhere(async |world, org, objects| {
        let blobs = blobs(world, org, &objects);
        let bytes = Bytes::from_static(b"hello");
        let refused = blobs.put(bytes.clone(), at(0)).await.unwrap_err();
        assert!(matches!(refused, BlobError::Quota { size: 5, used: 0, cap: 0 }), "{refused}");
        blobs.set_quota(12).await.unwrap();
        let digest = blobs.put(bytes.clone(), at(0)).await.unwrap();
        assert_eq!(blobs.put(bytes.clone(), at(1)).await.unwrap(), digest);
        assert_eq!(blobs.quota().await.unwrap(), (5, 12), "twice is once");
        assert_eq!(blobs.get(digest).await.unwrap(), bytes);
        let refused = blobs.put(Bytes::from_static(b"too much"), at(1)).await.unwrap_err();
        assert!(matches!(refused, BlobError::Quota { size: 8, used: 5, cap: 12 }), "{refused}");
        let absent = blobs.get(Digest::of(b"too much")).await.unwrap_err();
        assert!(matches!(absent, BlobError::Missing(_)), "{absent}");
        // Somebody reaches into the store of objects.
        let hex = digest.hex();
        let key = path::Path::from(format!("{org}/sha256/{}/{hex}", &hex[..2]));
        objects.put(&key, Bytes::from_static(b"jello").into()).await.unwrap();
        let altered = blobs.get(digest).await.unwrap_err();
        assert!(matches!(altered, BlobError::Corrupted(_)), "{altered}");
        objects.put(&key, Bytes::from_static(b"hel").into()).await.unwrap();
        blobs.put(bytes.clone(), at(2)).await.unwrap();
        assert_eq!(blobs.get(digest).await.unwrap(), bytes, "half a blob is put anew");
    });
}

#[test]
fn equal_bytes_of_two_organisations_are_two_blobs() {
    everywhere(async |world, org, objects| {
        let name = format!("other-{org}");
        let other = world.found(&name, 0).await;
        let (ours, theirs) = (blobs(world, org, &objects), blobs(world, &other, &objects));
        ours.set_quota(100).await.unwrap();
        theirs.set_quota(100).await.unwrap();
        let digest = ours.put(Bytes::from_static(b"same"), at(0)).await.unwrap();
        assert!(matches!(theirs.get(digest).await, Err(BlobError::Missing(_))));
        assert_eq!(theirs.quota().await.unwrap().0, 0);
        theirs.put(Bytes::from_static(b"same"), at(0)).await.unwrap();
        while ours.sweep(later(GRACE)).await.unwrap() > 0 {}
        assert!(matches!(ours.get(digest).await, Err(BlobError::Missing(_))));
        assert!(theirs.get(digest).await.is_ok(), "theirs stays");
    });
}

#[test]
fn a_workspace_is_a_line_of_versions_and_keeps_what_it_needs() {
    everywhere(async |world, org, objects| {
        let blobs = blobs(world, org, &objects);
        blobs.set_quota(100_000).await.unwrap();
        for bytes in [b"one".as_slice(), b"two", b"stray"] {
            blobs.put(Bytes::copy_from_slice(bytes), at(0)).await.unwrap();
        }
        let first = manifest(&[("a", b"one"), ("b", b"one")]);
        let second = manifest(&[("a", b"two"), ("b", b"one")]);
        assert_eq!(blobs.latest("ws").await.unwrap(), 0);
        assert_eq!(blobs.save("ws", 0, &first, at(1)).await.unwrap(), 1);
        let stale = blobs.save("ws", 0, &second, at(2)).await.unwrap_err();
        assert!(matches!(stale, BlobError::Changed { .. }), "{stale}");
        assert_eq!(blobs.save("ws", 1, &second, at(2)).await.unwrap(), 2);
        let absent = blobs.save("ws", 2, &manifest(&[("c", b"never put")]), at(2)).await;
        assert!(matches!(absent, Err(BlobError::Missing(_))), "{absent:?}");
        assert_eq!(blobs.latest("ws").await.unwrap(), 2);

        let now = later(GRACE * 2);
        while blobs.sweep(now).await.unwrap() > 0 {}
        assert!(matches!(blobs.get(Digest::of(b"stray")).await, Err(BlobError::Missing(_))));
        let version = |version| Version { id: "ws", version };
        assert_eq!(blobs.pin(version(1), now).await.unwrap().manifest, first);
        assert_eq!(blobs.pin(version(2), now).await.unwrap().manifest, second);
        assert!(matches!(blobs.pin(version(3), now).await, Err(BlobError::NoVersion { .. })));

        // Nothing is dropped beneath a reader.
        let read = blobs.drop_version(version(1), later(GRACE * 2)).await.unwrap_err();
        assert!(matches!(read, BlobError::Read { .. }), "{read}");
        let now = later(GRACE * 2 + PIN * 2);
        blobs.drop_version(version(2), now).await.unwrap();
        assert!(matches!(
            blobs.drop_version(version(2), now).await,
            Err(BlobError::NoVersion { .. })
        ));
        while blobs.sweep(later(GRACE * 9)).await.unwrap() > 0 {}
        assert!(matches!(blobs.get(Digest::of(b"two")).await, Err(BlobError::Missing(_))));
        assert_eq!(blobs.get(Digest::of(b"one")).await.unwrap(), "one");
        let left = 3 + i64::try_from(first.as_bytes().len()).unwrap();
        assert_eq!(blobs.quota().await.unwrap().0, left, "what went no longer counts");
    });
}

/// Runs that end at once often leave the same.
#[test]
fn many_put_the_same_at_once_and_it_counts_once() {
    everywhere(async |world, org, objects| {
        let blobs = blobs(world, org, &objects);
        blobs.set_quota(1 << 20).await.unwrap();
        for round in 0..20_i64 {
            let mut tasks = tokio::task::JoinSet::new();
            for _ in 0..8 {
                let blobs = blobs.clone();
                let bytes = Bytes::from(format!("round {round:04}"));
                tasks.spawn(async move { blobs.put(bytes, at(0)).await.map(drop) });
            }
            for put in tasks.join_all().await {
                put.unwrap();
            }
            assert_eq!(blobs.quota().await.unwrap().0, (round + 1) * 10);
        }
    });
}

/// Savers, readers and collectors at once, with clocks that make everything old at once: whoever
/// saved a version or pinned it reads all of it.
#[test]
fn collecting_never_races_a_reader_or_a_writer() {
    everywhere(async |world, org, objects| {
        let blobs = blobs(world, org, &objects);
        blobs.set_quota(1 << 20).await.unwrap();
        let mut tasks = tokio::task::JoinSet::new();
        let rounds = if world.engine == Engine::Sqlite { 6 } else { 12 };
        for worker in 0..3_u64 {
            let blobs = blobs.clone();
            tasks.spawn(async move {
                let id = format!("ws-{worker}");
                for round in 0..rounds {
                    // All share these bytes: each round they were old, and may just be going.
                    let (bytes, now) =
                        (format!("shared {}", round % 3), later(GRACE * (round * 4)));
                    let manifest = manifest(&[("f", bytes.as_bytes())]);
                    let version = loop {
                        match blobs.put(bytes.clone().into(), now).await {
                            Ok(_) => {}
                            Err(BlobError::Doomed(_)) => continue,
                            Err(other) => panic!("{other}"),
                        }
                        let last = blobs.latest(&id).await.unwrap();
                        match blobs.save(&id, last, &manifest, now).await {
                            Ok(version) => break version,
                            Err(BlobError::Missing(_) | BlobError::Doomed(_)) => {}
                            Err(other) => panic!("{other}"),
                        }
                    };
                    let of = Version { id: &id, version };
                    let pinned = blobs.pin(of, now).await.unwrap();
                    for file in pinned.manifest.files() {
                        assert_eq!(blobs.get(file.digest).await.unwrap(), bytes);
                    }
                    blobs.drop_version(of, later(GRACE * (round * 4 + 1))).await.unwrap();
                }
            });
        }
        for _ in 0..2 {
            let blobs = blobs.clone();
            tasks.spawn(async move {
                for round in 0..rounds * 8 {
                    blobs.sweep(later(GRACE * (round / 2 + 2))).await.unwrap();
                }
            });
        }
        while let Some(end) = tasks.join_next().await {
            end.unwrap();
        }
        while blobs.sweep(later(GRACE * 999)).await.unwrap() > 0 {}
        assert_eq!(blobs.quota().await.unwrap().0, 0, "in the end nothing is left");
    });
}

#[test]
fn a_run_puts_only_under_its_lease_and_for_a_version_that_is_kept() {
    both(async |world| {
        let org = world.found("acme", 0).await;
        let blobs = blobs(world, &org, &folder(super::world::folder()).unwrap());
        blobs.set_quota(10_000).await.unwrap();
        blobs.save("run", 0, &manifest(&[]), at(0)).await.unwrap();
        let mut tx = world.store.write().await.unwrap();
        tx.of(&org).queue("run", at(0)).await.unwrap();
        tx.commit().await.unwrap();
        let old = claim(&world.store, "a", at(0), LEASE).await.unwrap().unwrap();
        let new = claim(&world.store, "b", later(LEASE), LEASE).await.unwrap().unwrap();
        let refused = Arc::new(AtomicU64::new(0));
        let put = async |lease: &Lease, bytes: Vec<u8>| {
            let seen = blobs.of_run(lease.clone(), || at(9), Arc::clone(&refused));
            seen.put(bytes.into()).await
        };
        let of = Version { id: "run", version: 1 };
        let (before, needs) = (blobs.quota().await.unwrap(), blobs.needed(of).await.unwrap());
        put(&old, b"late".to_vec()).await.unwrap_err();
        assert_eq!(blobs.quota().await.unwrap(), before, "nothing is counted for who is late");
        assert_eq!(blobs.needed(of).await.unwrap(), needs);
        let kept = put(&new, b"kept".to_vec()).await.unwrap();
        assert!(blobs.needed(of).await.unwrap().contains(&kept));
        assert_eq!(refused.load(Ordering::Acquire), 0);
        put(&new, vec![0; 20_000]).await.unwrap_err();
        assert_eq!(refused.load(Ordering::Acquire), 20_000);
        blobs.drop_version(of, later(LEASE)).await.unwrap();
        put(&new, b"more".to_vec()).await.unwrap_err();
        assert_eq!(blobs.needed(of).await.unwrap(), [], "what is dropped needs nothing again");
    });
}

#[test]
fn a_bucket_with_another_key_and_a_far_one_without_encryption_are_refused() {
    both(async |world| {
        let org = world.found("acme", 0).await;
        let address = server().await;
        for (secret, works) in [("secret", true), ("other", false)] {
            let blobs = blobs(world, &org, &bucket(address, secret));
            blobs.set_quota(100).await.unwrap();
            let end = blobs.put(Bytes::from_static(b"hello"), at(0)).await;
            assert_eq!(end.is_ok(), works, "{end:?}");
        }
        let far = s3(S3 {
            endpoint: Some("http://s3.example".to_owned()),
            region: "r".to_owned(),
            bucket: "b".to_owned(),
            prefix: String::new(),
            access_key: "a".to_owned(),
            secret_key: "s".to_owned(),
            token: None,
        });
        let objects = far.unwrap();
        let refused = objects.head(&path::Path::from("x")).await.unwrap_err();
        let mut why: &dyn Error = &refused;
        while let Some(cause) = why.source() {
            why = cause;
        }
        assert_eq!(why.to_string(), "URL scheme is not allowed", "before anything is sent");
    });
}

/// Where a blob lies below the folder.
fn file_of(org: &Org, digest: Digest) -> String {
    let hex = digest.hex();
    format!("{org}/sha256/{}/{hex}", &hex[..2])
}

#[test]
fn no_link_in_the_folder_leads_out_of_it() {
    both(async |world| {
        let bytes = Bytes::from_static(b"hello");
        let digest = Digest::of(&bytes);
        // In the place of the blob, of each folder above it, and none at all.
        for depth in [Some(4), Some(3), Some(2), Some(1), None] {
            let org = world.found(&format!("acme-{}", depth.unwrap_or(0)), 0).await;
            let (inside, outside) = (super::world::folder(), super::world::folder());
            let objects = folder(&inside).unwrap();
            let blobs = blobs(world, &org, &objects);
            blobs.set_quota(100).await.unwrap();
            let below = file_of(&org, digest);
            let parts: Vec<_> = below.split('/').collect();
            let split = depth.unwrap_or(4);
            let (link, rest) = (inside.join(parts[..split].join("/")), parts[split..].join("/"));
            let target = outside.join("target");
            let there = if rest.is_empty() { target.clone() } else { target.join(rest) };
            fs::create_dir_all(there.parent().unwrap()).unwrap();
            fs::write(&there, &bytes).unwrap();
            fs::create_dir_all(link.parent().unwrap()).unwrap();
            if depth.is_none() {
                fs::copy(&there, &link).unwrap();
                assert_eq!(blobs.get(digest).await.unwrap(), bytes, "a file of its own is read");
                continue;
            }
            symlink(&target, &link).unwrap();
            let read = blobs.get(digest).await.unwrap_err();
            assert!(matches!(read, BlobError::Objects(_)), "{depth:?}: {read}");
            blobs.put(bytes.clone(), at(0)).await.unwrap_err();
            let key = path::Path::from(below);
            let _ = objects.delete(&key).await;
            assert_eq!(fs::read(&there).unwrap(), &bytes[..], "{depth:?}: nothing is done outside");
            let count = fs::read_dir(there.parent().unwrap()).unwrap().count();
            assert_eq!(count, 1, "{depth:?}: nothing is made outside");
        }
    });
}

#[test]
fn what_a_crash_left_in_the_making_is_in_nobodys_way() {
    both(async |world| {
        let org = world.found("acme", 0).await;
        let inside = super::world::folder();
        let objects = folder(&inside).unwrap();
        let blobs = blobs(world, &org, &objects);
        blobs.set_quota(100).await.unwrap();
        let digest = Digest::of(b"hello");
        let path = inside.join(file_of(&org, digest));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let left = path.with_extension("0.new");
        fs::write(&left, b"hel").unwrap();
        assert!(matches!(blobs.get(digest).await, Err(BlobError::Missing(_))));
        blobs.put(Bytes::from_static(b"hello"), at(0)).await.unwrap();
        assert_eq!(blobs.get(digest).await.unwrap(), "hello");
        let names = fs::read_dir(path.parent().unwrap()).unwrap().count();
        assert_eq!(names, 2, "the blob, and what was left");
    });
}
