//! Backups: what comes back is what was there, on whichever engine, and it verifies.

use std::fs;
use std::path::Path;

use bytes::Bytes;
use cap_std::ambient_authority;
use cap_std::fs::Dir;
use envelope_evidence::Digest;
use envelope_gate::model::Purse as _;
use envelope_gate::workspace::{FileEntry, Manifest};
use envelope_rules::budget::{Level, Shared};
use envelope_rules::path::Path as Name;
use envelope_store::audit::verify;
use envelope_store::backup::{BackupError, restore, write};
use envelope_store::blobs::{self, Blobs};
use envelope_store::budget::StorePurse;
use envelope_store::journal::{queue, read};
use envelope_store::noun::{Change, Noun};
use envelope_store::outbox::take;
use envelope_store::sql::wide;
use envelope_store::vault::{Field, MasterKeys};
use envelope_store::work::{LEASE, claim};
use envelope_store::{Org, Store};
use serde_json::Value as Json;

use super::log::{log, publish, publisher};
use super::movements::lines;
use super::world::{World, active, at, both, folder, urls};

fn dir(path: &Path) -> Dir {
    Dir::open_ambient_dir(path, ambient_authority()).unwrap()
}

/// The first state of every noun that [`World::found`] does not make.
const STATES: [(Noun, &str); 29] = [
    (Noun::User, "active"),
    (Noun::Release, "submitted"),
    (Noun::Listing, "draft"),
    (Noun::Msa, "offered"),
    (Noun::Paper, "draft"),
    (Noun::Amendment, "proposed"),
    (Noun::SideLetter, "proposed"),
    (Noun::Purchase, "COMPILED"),
    (Noun::Escrow, "unfunded"),
    (Noun::Dispute, "panel"),
    (Noun::SealedRecord, "sealed"),
    (Noun::Remedy, "ordered"),
    (Noun::Warrant, "issued"),
    (Noun::Grant, "issued"),
    (Noun::Run, "queued"),
    (Noun::Receipt, "signed"),
    (Noun::ScopeRequest, "open"),
    (Noun::Approval, "open"),
    (Noun::Badge, "issued"),
    (Noun::Attestation, "issued"),
    (Noun::Frost, "frozen"),
    (Noun::Stop, "thrown"),
    (Noun::Signer, "next"),
    (Noun::Share, "open"),
    (Noun::Credential, "active"),
    (Noun::Session, "open"),
    (Noun::Answer, "given"),
    (Noun::Hook, "active"),
    (Noun::Delivery, "due"),
];

/// Something in every table, but for what waits for its place in the log.
async fn fill(world: &World) -> Org {
    let org = world.found("acme", 3).await;
    world.step(&org, Noun::Agent, 1, active("agent-001")).await.unwrap();
    let account = Shared { level: Level::Organisation, name: "o".to_owned() };
    let mut tx = world.store.write().await.unwrap();
    let mut rows = tx.of(&org);
    rows.queue("run-1", at(0)).await.unwrap();
    rows.queue("run-2", at(5)).await.unwrap();
    rows.announce("topic", "{\"ä\":\"\\u0000\"}", at(0)).await.unwrap();
    rows.announce("topic", "{}", at(1)).await.unwrap();
    rows.open_account(&account, 100).await.unwrap();
    for (noun, state) in STATES {
        rows.add(noun, None, Change { state, ..active("one") }).await.unwrap();
    }
    let keys = MasterKeys::new([1; 32].into(), []);
    let field = Field { subject: "ada", name: "name" };
    rows.seal(&keys, field, b"Ada", (at(0), at(1))).await.unwrap();
    tx.commit().await.unwrap();
    let blobs = Blobs::new(world.store.clone(), org.clone(), blobs::folder(folder()).unwrap());
    blobs.set_quota(1000).await.unwrap();
    let digest = blobs.put(Bytes::from_static(b"hello"), at(0)).await.unwrap();
    let file = FileEntry { path: Name::parse("a").unwrap(), digest, size: 5 };
    blobs.save("ws", 0, &Manifest::new(vec![file]).unwrap(), at(0)).await.unwrap();
    let purse = StorePurse::new(world.store.clone(), org.clone());
    purse.lease(Digest::of(b"lease"), &[account], 1, 30).await.unwrap().unwrap();
    let lease = claim(&world.store, "node", at(1), LEASE).await.unwrap().unwrap();
    let (queue, scribe) = queue(world.store.clone());
    tokio::spawn(scribe.serve());
    for (line, chunk) in lines().into_iter().zip(0..) {
        queue.append(&lease, chunk, line).await.unwrap();
    }
    let mut tx = world.store.write().await.unwrap();
    assert!(tx.of(&org).heard(2).await.unwrap());
    tx.commit().await.unwrap();
    org
}

/// Every column of every table of the schema, but of that of the migrations.
fn columns() -> Vec<(String, String)> {
    let schema = fs::read_to_string(crate::cargo::root().join("tests/golden/store-schema.txt"));
    let schema = schema.unwrap();
    let lines = schema.lines().filter(|line| !line.contains("->"));
    let columns = lines.filter_map(|line| line.split_once('.'));
    let name = |rest: &str| rest.split(' ').next().unwrap().to_owned();
    let columns = columns.map(|(table, rest)| (table.to_owned(), name(rest)));
    columns.filter(|(table, _)| table != "migrations").collect()
}

/// What the backup says of its files.
fn said(path: &Path) -> Json {
    serde_json::from_slice(&fs::read(path.join("backup.json")).unwrap()).unwrap()
}

#[test]
fn a_backup_comes_back_whole_on_either_engine_and_goes_on() {
    both(async |world| {
        let org = fill(world).await;
        let held = [publish(world, &mut publisher(&folder())).await];
        world.add(&org, Noun::User, "after-the-checkpoint").await.unwrap();
        let path = folder();
        let written = write(&world.store, None, &dir(&path)).await.unwrap();
        let contents = said(&path)["files"].to_string();
        for (table, _) in columns() {
            assert!(contents.contains(&format!("\"{table}\"")), "{table} is empty: {contents}");
        }
        for url in urls().await {
            let other = World::at(Store::migrated(&url).await.unwrap(), url);
            assert_eq!(restore(&other.store, None, &dir(&path)).await.unwrap(), written);
            let again = write(&other.store, None, &dir(&folder())).await.unwrap();
            assert_eq!(again, written, "row by row");
            assert_eq!(verify(&other.store, &log(), &held).await.unwrap(), []);
            assert_eq!(read(&other.store, &org, "run-1").await.unwrap().1, 10);
            // The rules are back, and what is new goes on behind what is old.
            let refused = other.own("DELETE FROM audit_in").await.unwrap_err();
            assert!(refused.contains("append-only"), "{refused}");
            other.add(&org, Noun::User, "new").await.unwrap();
            let mut tx = other.store.write().await.unwrap();
            tx.of(&org).announce("topic", "{}", at(9)).await.unwrap();
            tx.commit().await.unwrap();
            let seqs = other.own("SELECT CAST(seq AS TEXT) FROM outbox ORDER BY seq").await;
            assert_eq!(seqs.unwrap(), ["1", "3"], "no number is given twice");
            let note = publish(&other, &mut publisher(&folder())).await;
            assert_eq!(log().open(&note).unwrap().size, log().open(&held[0]).unwrap().size + 3);
            assert_eq!(verify(&other.store, &log(), &held).await.unwrap(), []);
            let twice = restore(&other.store, None, &dir(&path)).await;
            assert!(matches!(twice, Err(BackupError::NotEmpty("organisations"))), "{twice:?}");
            other.store.close().await;
        }
    });
}

#[test]
fn a_backup_that_was_altered_is_refused_and_nothing_of_it_comes_back() {
    both(async |world| {
        fill(world).await;
        let path = folder();
        let written = write(&world.store, None, &dir(&path)).await.unwrap();
        for url in urls().await {
            let store = Store::migrated(&url).await.unwrap();
            let last = fs::read_dir(path.join("rows")).unwrap().count() - 1;
            let file = path.join(format!("rows/{last:06}.jsonl"));
            let bytes = fs::read(&file).unwrap();
            let mut other = bytes.clone();
            other[3] ^= 1;
            fs::write(&file, &other).unwrap();
            let refused = restore(&store, None, &dir(&path)).await;
            assert!(matches!(refused, Err(BackupError::Altered(_))), "{refused:?}");
            fs::remove_file(&file).unwrap();
            let refused = restore(&store, None, &dir(&path)).await;
            assert!(matches!(refused, Err(BackupError::File { .. })), "{refused:?}");
            let none = restore(&store, None, &dir(&folder())).await;
            assert!(matches!(none, Err(BackupError::File { .. })), "{none:?}");
            fs::write(&file, &bytes).unwrap();
            assert_eq!(
                restore(&store, None, &dir(&path)).await.unwrap(),
                written,
                "nothing was left"
            );
            store.close().await;
        }
    });
}

#[test]
fn a_number_of_rows_that_lies_is_refused() {
    both(async |world| {
        fill(world).await;
        let path = folder();
        let written = write(&world.store, None, &dir(&path)).await.unwrap();
        let store = Store::migrated(&urls().await[0]).await.unwrap();
        let honest = said(&path);
        for lie in [0, u64::MAX] {
            let mut contents = honest.clone();
            contents["files"][1]["rows"] = lie.into();
            fs::write(path.join("backup.json"), contents.to_string()).unwrap();
            let refused = restore(&store, None, &dir(&path)).await;
            assert!(matches!(refused, Err(BackupError::Altered(_))), "{refused:?}");
        }
        fs::write(path.join("backup.json"), honest.to_string()).unwrap();
        assert_eq!(restore(&store, None, &dir(&path)).await.unwrap(), written);
        store.close().await;
    });
}

#[test]
fn the_bytes_of_blobs_come_back_or_nothing_does() {
    both(async |world| {
        let org = world.found("acme", 0).await;
        let (old, path) = (blobs::folder(folder()).unwrap(), folder());
        let kept = Blobs::new(world.store.clone(), org.clone(), old.clone());
        kept.set_quota(1000).await.unwrap();
        let mut digests = Vec::new();
        for bytes in ["one", "two", "three"] {
            digests.push(kept.put(Bytes::from(bytes), at(0)).await.unwrap());
        }
        let written = write(&world.store, Some(&*old), &dir(&path)).await.unwrap();
        assert_eq!(written.blobs(), Some(3));
        let store = Store::migrated(&urls().await[0]).await.unwrap();
        let new = blobs::folder(folder()).unwrap();
        let restored = async || restore(&store, Some(&*new), &dir(&path)).await;
        let nowhere = restore(&store, None, &dir(&path)).await;
        assert!(matches!(nowhere, Err(BackupError::Bytes(true))), "{nowhere:?}");
        let file = path.join(format!("blobs/acme/{}", digests[1].hex()));
        fs::write(&file, "evil").unwrap();
        let altered = restored().await;
        assert!(matches!(altered, Err(BackupError::Altered(_))), "{altered:?}");
        fs::remove_file(&file).unwrap();
        let fewer = restored().await;
        assert!(matches!(fewer, Err(BackupError::Blobs { said: 3, found: 2 })), "{fewer:?}");
        fs::write(&file, "two").unwrap();
        assert_eq!(restored().await.unwrap(), written, "nothing was left of what failed");
        let kept = Blobs::new(store.clone(), org, new.clone());
        assert_eq!(kept.get(digests[1]).await.unwrap(), "two");
        store.close().await;
    });
}

#[test]
fn a_blob_without_its_bytes_is_told_before_it_is_needed() {
    both(async |world| {
        let org = world.found("acme", 0).await;
        let place = folder();
        let old = blobs::folder(&place).unwrap();
        let kept = Blobs::new(world.store.clone(), org, old.clone());
        kept.set_quota(1000).await.unwrap();
        // What nobody needs may be without its bytes: a crash leaves it so.
        kept.put(Bytes::from("left behind"), at(0)).await.unwrap();
        fs::remove_dir_all(place.join("acme")).unwrap();
        let written = write(&world.store, Some(&*old), &dir(&folder())).await.unwrap();
        assert_eq!(written.blobs(), Some(0));
        let digest = kept.put(Bytes::from("gone"), at(0)).await.unwrap();
        let file = FileEntry { path: Name::parse("a").unwrap(), digest, size: 4 };
        kept.save("ws", 0, &Manifest::new(vec![file]).unwrap(), at(0)).await.unwrap();
        let path = place.join("acme/sha256").join(&digest.hex()[..2]).join(digest.hex());
        fs::remove_file(path).unwrap();
        let missing = write(&world.store, Some(&*old), &dir(&folder())).await;
        let missing = missing.unwrap_err().to_string();
        assert!(missing.contains(&digest.to_string()), "{missing}");
    });
}

/// Each byte of the long body takes six in JSON, which is 66 MiB.
#[test]
fn a_long_row_ends_its_file() {
    both(async |world| {
        let (org, path) = (world.found("acme", 0).await, folder());
        let bodies = ["\u{1}".repeat(11 << 20), "{}".to_owned()];
        let mut tx = world.store.write().await.unwrap();
        for body in &bodies {
            tx.of(&org).announce("topic", body, at(0)).await.unwrap();
        }
        tx.commit().await.unwrap();
        let written = write(&world.store, None, &dir(&path)).await.unwrap();
        let contents = said(&path);
        let files = contents["files"].as_array().unwrap().iter();
        let rows: Vec<_> = files.filter(|file| file["table"] == "outbox").collect();
        assert_eq!(rows.iter().map(|file| &file["rows"]).collect::<Vec<_>>(), [1, 1]);
        let store = Store::migrated(&urls().await[0]).await.unwrap();
        assert_eq!(restore(&store, None, &dir(&path)).await.unwrap(), written);
        for body in bodies {
            assert_eq!(take(&store, at(0)).await.unwrap().unwrap().body, body);
        }
        store.close().await;
    });
}

#[test]
fn a_backup_knows_every_column_of_every_table() {
    let wide = wide();
    let columns = columns();
    assert!(columns.len() > 200, "{columns:?}");
    for (table, column) in columns {
        let fill = format!("backup.{table}.fill");
        let fill = wide.iter().find(|one| one.text().name == fill);
        let text = fill.unwrap_or_else(|| panic!("{table} is in no backup")).text().sqlite;
        let named = text.split(['(', ')', ',', ' ']).any(|word| word == column);
        assert!(named, "{table}.{column} is in no backup");
    }
}
