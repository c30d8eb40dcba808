//! Secrets and persons: sealed at rest, forgotten for good, while the log stays what it was.

use std::fs;
use std::path::Path;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use envelope_evidence::Timestamp;
use envelope_store::audit::{Finding, verify};
use envelope_store::noun::{Change, Noun};
use envelope_store::vault::{FIELD_BYTES_MAX, Field, MasterKeys, VaultError, expire, rotate};
use envelope_store::{Engine, Org, backup};

use memchr::memmem;

use super::log::{log, publish, publisher};
use super::postgres::SERVER;
use super::world::{World, at, both, folder};

const MAX: Timestamp = Timestamp::MAX;

fn keys(current: u8, older: &[u8]) -> MasterKeys {
    MasterKeys::new([current; 32].into(), older.iter().map(|old| [*old; 32].into()))
}

fn field<'a>(subject: &'a str, name: &'a str) -> Field<'a> {
    Field { subject, name }
}

async fn seal(world: &World, org: &Org, of: Field<'_>, plain: &str, until: Timestamp) {
    let mut tx = world.store.write().await.unwrap();
    tx.of(org).seal(&keys(1, &[]), of, plain.as_bytes(), (at(1), until)).await.unwrap();
    tx.commit().await.unwrap();
}

async fn unseal(
    world: &World,
    org: &Org,
    keys: &MasterKeys,
    of: Field<'_>,
) -> Result<Option<String>, VaultError> {
    let mut tx = world.store.read().await.unwrap();
    let plain = tx.of(org).unseal(keys, of).await?;
    Ok(plain.map(|plain| String::from_utf8(plain.to_vec()).unwrap()))
}

/// Files below `folder` that hold `needle`, as it is or in hex.
fn holding(folder: &Path, needle: &[u8]) -> Vec<String> {
    let hex: String = needle.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(holding(&path, needle));
            continue;
        }
        // A file of the server may go while we look.
        let bytes = fs::read(&path).unwrap_or_default();
        let holds = |needle: &[u8]| memmem::find(&bytes, needle).is_some();
        if holds(needle) || holds(hex.as_bytes()) {
            found.push(path.display().to_string());
        }
    }
    found
}

/// Where the database keeps everything.
fn disk(world: &World) -> std::path::PathBuf {
    match world.engine {
        Engine::Sqlite => {
            Path::new(world.url.strip_prefix("sqlite:").unwrap()).parent().unwrap().to_owned()
        }
        Engine::Postgres => SERVER.as_ref().unwrap().join("data"),
    }
}

/// Takes the rules of tables away, as only an owner can, and then does `attack`.
async fn unruled(world: &World, tables: &str, attack: &str) {
    let rules = "SELECT 'DROP TRIGGER ' || name FROM sqlite_schema WHERE type = 'trigger'
        AND tbl_name IN ('keys', 'sealed')";
    for rule in world.own(world.spell(rules, "SELECT 'SELECT 1'")).await.unwrap() {
        world.own(&rule).await.unwrap();
    }
    if world.engine == Engine::Postgres {
        for table in tables.split(", ") {
            world.own(&format!("ALTER TABLE {table} DISABLE TRIGGER ALL")).await.unwrap();
        }
    }
    world.own(attack).await.unwrap();
}

#[test]
fn a_field_opens_for_its_owner_and_in_its_place_only() {
    both(async |world| {
        let (org, other) = (world.found("acme", 0).await, world.found("other", 0).await);
        let name = field("ada", "name");
        seal(world, &org, name, "Ada", MAX).await;
        seal(world, &org, field("ada", "mail"), "ada@example.org", MAX).await;
        seal(world, &org, field("bob", "name"), "Bob", MAX).await;
        let ring = keys(1, &[]);
        assert_eq!(unseal(world, &org, &ring, name).await.unwrap().as_deref(), Some("Ada"));
        seal(world, &org, name, "Ada L.", MAX).await;
        assert_eq!(unseal(world, &org, &ring, name).await.unwrap().as_deref(), Some("Ada L."));
        assert_eq!(unseal(world, &other, &ring, name).await.unwrap(), None);
        assert_eq!(unseal(world, &org, &ring, field("ada", "x")).await.unwrap(), None);
        let wrong = unseal(world, &org, &keys(2, &[]), name).await;
        assert!(matches!(wrong, Err(VaultError::NoMaster { .. })), "{wrong:?}");
        let long = vec![0; FIELD_BYTES_MAX + 1];
        let mut tx = world.store.write().await.unwrap();
        let refused = tx.of(&org).seal(&ring, name, &long, (at(1), MAX)).await;
        assert!(matches!(refused, Err(VaultError::TooLong)), "{refused:?}");
        drop(tx);
        // Whoever has the database moves and alters what is sealed.
        let moves = [
            "UPDATE sealed SET bytes = (SELECT bytes FROM sealed WHERE field = 'mail')
                WHERE id = 'ada' AND field = 'name'",
            "UPDATE sealed SET bytes = (SELECT bytes FROM sealed WHERE id = 'bob')
                WHERE id = 'ada' AND field = 'name'",
            "UPDATE keys SET sealed = (SELECT sealed FROM keys WHERE id = 'bob'),
                version = version + 1 WHERE id = 'ada'",
        ];
        for attack in moves {
            world.own(attack).await.unwrap();
            let forged = unseal(world, &org, &ring, name).await;
            assert!(matches!(forged, Err(VaultError::Forged(_))), "{attack}: {forged:?}");
        }
        let bob = field("bob", "name");
        assert_eq!(unseal(world, &org, &ring, bob).await.unwrap().as_deref(), Some("Bob"));
    });
}

#[test]
fn whoever_is_erased_is_nowhere_and_the_log_still_verifies() {
    both(async |world| {
        let org = world.found("acme", 0).await;
        let plain = "Ada Lovelace, 12 Analytical Lane";
        for name in ["name", "address"] {
            seal(world, &org, field("ada", name), plain, MAX).await;
        }
        seal(world, &org, field("bob", "name"), "Robert Boole, his neighbour", MAX).await;
        world.add(&org, Noun::User, "ada").await.unwrap();
        let held = [publish(world, &mut publisher(&folder())).await];
        let before = folder();
        let dir = |path: &Path| Dir::open_ambient_dir(path, ambient_authority()).unwrap();
        backup::write(&world.store, None, &dir(&before)).await.unwrap();
        let sealed = "SELECT lower(hex(sealed)) FROM keys WHERE id = 'ada'";
        let sealed = world.spell(sealed, "SELECT encode(sealed, 'hex') FROM keys WHERE id = 'ada'");
        let sealed = world.own(sealed).await.unwrap().remove(0);
        assert_eq!(holding(&before, sealed.as_bytes()).len(), 1, "the look-up sees what is there");

        let mut tx = world.store.write().await.unwrap();
        assert!(tx.of(&org).erase("ada", at(9)).await.unwrap());
        let gone = Change { id: "ada", state: "erased", body: "{}", at: at(9) };
        tx.of(&org).step(Noun::User, 1, gone).await.unwrap();
        tx.commit().await.unwrap();
        let ring = keys(1, &[]);
        let erased = unseal(world, &org, &ring, field("ada", "name")).await;
        assert!(matches!(erased, Err(VaultError::Erased(_))), "{erased:?}");
        let mut tx = world.store.write().await.unwrap();
        let again = tx.of(&org).seal(&ring, field("ada", "name"), b"Ada", (at(9), MAX)).await;
        assert!(matches!(again, Err(VaultError::Erased(_))), "{again:?}");
        assert!(!tx.of(&org).erase("ada", at(9)).await.unwrap(), "once");
        drop(tx);
        let bob = unseal(world, &org, &ring, field("bob", "name")).await.unwrap();
        assert_eq!(bob.as_deref(), Some("Robert Boole, his neighbour"));

        world.store.tidy().await.unwrap();
        let after = folder();
        backup::write(&world.store, None, &dir(&after)).await.unwrap();
        for folder in [disk(world).as_path(), &before, &after] {
            assert_eq!(holding(folder, plain.as_bytes()), Vec::<String>::new());
        }
        assert_eq!(holding(&after, sealed.as_bytes()), Vec::<String>::new(), "nor is its key");
        if world.engine == Engine::Sqlite {
            let bytes: Vec<u8> = (0..sealed.len() / 2)
                .map(|at| u8::from_str_radix(&sealed[2 * at..2 * at + 2], 16).unwrap())
                .collect();
            assert_eq!(holding(&disk(world), &bytes), Vec::<String>::new(), "nor on the disk");
        }
        publish(world, &mut publisher(&folder())).await;
        assert_eq!(verify(&world.store, &log(), &held).await.unwrap(), []);
        let back = world.own("UPDATE keys SET state = 'live', version = version + 1").await;
        assert!(back.is_err(), "what is destroyed stays so");
        unruled(world, "keys, sealed", "DELETE FROM sealed WHERE id = 'bob'").await;
        let found = verify(&world.store, &log(), &held).await.unwrap();
        assert_eq!(found, [Finding::Lost("sealed/acme/bob/name".to_owned())]);
    });
}

#[test]
fn a_field_is_kept_until_its_time() {
    both(async |world| {
        let org = world.found("acme", 0).await;
        seal(world, &org, field("ada", "ip"), "192.0.2.7", at(100)).await;
        seal(world, &org, field("ada", "name"), "Ada", MAX).await;
        assert_eq!(expire(&world.store, at(100)).await.unwrap(), 0, "not yet");
        assert_eq!(expire(&world.store, at(101)).await.unwrap(), 1);
        assert_eq!(expire(&world.store, at(101)).await.unwrap(), 0);
        let ring = keys(1, &[]);
        assert_eq!(unseal(world, &org, &ring, field("ada", "ip")).await.unwrap(), None);
        let name = unseal(world, &org, &ring, field("ada", "name")).await.unwrap();
        assert_eq!(name.as_deref(), Some("Ada"));
        let gone = "SELECT payload FROM audit_in WHERE noun = 'sealed' AND payload LIKE '%gone%'";
        let gone = world.own(gone).await.unwrap();
        assert!(gone.len() == 1 && gone[0].contains("\"ip\""), "{gone:?}");
    });
}

/// The master key is changed while others read and write under the ring that has both.
#[test]
fn the_master_key_is_rotated_under_load_and_the_old_one_dies() {
    both(async |world| {
        let org = world.found("acme", 0).await;
        let names: Vec<_> = (0..40).map(|number| format!("person-{number}")).collect();
        for name in &names {
            seal(world, &org, field(name, "name"), name, MAX).await;
        }
        let mut tasks = tokio::task::JoinSet::new();
        for worker in 0..3_usize {
            let (store, org, names) = (world.store.clone(), org.clone(), names.clone());
            tasks.spawn(async move {
                // Overlap: a node may still write under the old key, and reads both.
                let ring = if worker == 0 { keys(1, &[2]) } else { keys(2, &[1]) };
                for round in 0..40 {
                    let name = &names[(round * 7 + worker) % names.len()];
                    let mut tx = store.write().await.unwrap();
                    let mut rows = tx.of(&org);
                    let plain = rows.unseal(&ring, field(name, "name")).await.unwrap().unwrap();
                    assert_eq!(plain.as_slice(), name.as_bytes());
                    let new = format!("new-{worker}-{round}");
                    rows.seal(&ring, field(&new, "name"), b"x", (at(1), MAX)).await.unwrap();
                    tx.commit().await.unwrap();
                }
            });
        }
        let ring = keys(2, &[1]);
        while rotate(&world.store, &ring).await.unwrap() > 0 {}
        while let Some(end) = tasks.join_next().await {
            end.unwrap();
        }
        seal(world, &org, field("late", "name"), "late", MAX).await;
        let late = unseal(world, &org, &keys(2, &[]), field("late", "name")).await;
        assert!(matches!(late, Err(VaultError::NoMaster { .. })), "after the sweep: {late:?}");
        while rotate(&world.store, &ring).await.unwrap() > 0 {}
        let (alone, dead) = (keys(2, &[]), keys(1, &[]));
        for name in names.iter().map(String::as_str).chain(["late", "new-0-39", "new-2-0"]) {
            assert!(unseal(world, &org, &alone, field(name, "name")).await.unwrap().is_some());
            let refused = unseal(world, &org, &dead, field(name, "name")).await;
            assert!(matches!(refused, Err(VaultError::NoMaster { .. })), "{name}: {refused:?}");
        }
        let lost = rotate(&world.store, &keys(3, &[])).await;
        assert!(matches!(lost, Err(VaultError::NoMaster { .. })), "nothing is half done: {lost:?}");
        let still = unseal(world, &org, &alone, field("person-1", "name")).await.unwrap();
        assert_eq!(still.as_deref(), Some("person-1"));
    });
}
