//! Power cuts, full disks and servers that go away: nothing that was acknowledged is lost, nothing
//! half appears, and nobody has to lend a hand.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use envelope_store::audit::verify;
use envelope_store::noun::Noun;
use envelope_store::{Engine, Store};

use super::log::{log, publish, publisher};
use super::world::{World, active, at, both, folder, run};
use crate::cargo::store_node;
use crate::chance::Chance;
use crate::not_shown;

/// What a disk writes at once: anything longer may be torn.
const SECTOR: usize = 512;

/// Commits, after each of which the power is cut some times.
const COMMITS: usize = 40;

/// Cuts within one commit.
const CUTS: usize = 3;

/// The files of a database at a moment.
#[derive(Clone, PartialEq)]
pub struct Disk {
    pub file: Vec<u8>,
    pub wal: Vec<u8>,
}

impl Disk {
    pub fn of(path: &Path) -> Self {
        let wal = path.with_extension("db-wal");
        Self { file: fs::read(path).unwrap(), wal: fs::read(wal).unwrap_or_default() }
    }

    pub fn put(&self) -> PathBuf {
        let path = folder().join("store.db");
        fs::write(&path, &self.file).unwrap();
        fs::write(path.with_extension("db-wal"), &self.wal).unwrap();
        path
    }
}

/// A file of which any sectors were written, and the rest were not.
pub fn torn(old: &[u8], new: &[u8], chance: &mut Chance) -> Vec<u8> {
    // From nothing of it to all of it.
    let keep = chance.below(5);
    let mut bytes = new.to_vec();
    for start in (0..new.len()).step_by(SECTOR) {
        let end = (start + SECTOR).min(new.len());
        if old.get(start..end) != Some(&new[start..end]) && chance.below(4) >= keep {
            // What was there before is not harmed by what is written beside it.
            let there = end.min(old.len()).max(start);
            bytes[start..there].copy_from_slice(old.get(start..there).unwrap_or_default());
            bytes[there..end].fill(0);
        }
    }
    // A file that grew may not have.
    if new.len() > old.len() && chance.below(3) == 0 {
        let length = u64::try_from(new.len() - old.len()).unwrap();
        bytes.truncate(old.len() + usize::try_from(chance.below(length)).unwrap());
    }
    bytes
}

/// One change of several tables, in one transaction.
async fn change(world: &World, org: &envelope_store::Org, number: usize) {
    let id = format!("agent-{number:03}");
    let body = format!("{{\"text\":\"{}\"}}", "y".repeat(number * 97 % 9000));
    let mut tx = world.store.write().await.unwrap();
    let mut rows = tx.of(org);
    let first = envelope_store::noun::Change { body: &body, ..active(&id) };
    rows.add(Noun::Agent, None, first).await.unwrap();
    rows.queue(&id, at(0)).await.unwrap();
    rows.announce("new", &id, at(0)).await.unwrap();
    tx.commit().await.unwrap();
}

/// What a database says that was opened after a cut: how many changes it has, all of them whole.
async fn survivors(disk: &Disk, held: &[String]) -> usize {
    let url = format!("sqlite:{}", disk.put().display());
    let store = Store::open(&url).await.unwrap();
    assert_eq!(store.integrity().await.unwrap(), Vec::<String>::new());
    assert_eq!(verify(&store, &log(), held).await.unwrap(), []);
    let world = World::at(store, url);
    let count = async |query: &str| world.own(query).await.unwrap().len();
    let agents = count("SELECT id FROM agents").await;
    assert_eq!(agents, count("SELECT id FROM work").await);
    assert_eq!(agents, count("SELECT body FROM outbox").await);
    assert_eq!(agents, count("SELECT id FROM audit_in WHERE noun = 'agents'").await);
    let org = envelope_store::Org::new("acme").unwrap();
    world.add(&org, Noun::User, "it-goes-on").await.unwrap();
    world.store.close().await;
    agents
}

/// Between two commits only the log of the database is written, and while it is carried over only
/// the file: so any sectors of the one that is being written may be there or not. What SQLite
/// orders by waiting for the disk stays ordered.
#[test]
fn a_power_cut_loses_nothing_that_was_acknowledged() {
    both(async |world| {
        if world.engine == Engine::Postgres {
            return;
        }
        let org = world.found("acme", 0).await;
        let held = [publish(world, &mut publisher(&folder())).await];
        let path = PathBuf::from(world.url.strip_prefix("sqlite:").unwrap());
        let (mut chance, mut cuts, mut undone, mut carried) = (Chance(0xc07), 0, 0, 0);
        for number in 0..COMMITS {
            let before = Disk::of(&path);
            change(world, &org, number).await;
            let after = Disk::of(&path);
            for _ in 0..CUTS {
                if before.file == after.file {
                    let wal = torn(&before.wal, &after.wal, &mut chance);
                    let found = survivors(&Disk { wal, ..before.clone() }, &held).await;
                    assert!((number..=number + 1).contains(&found), "{found} of {number}");
                    undone += usize::from(found == number);
                    cuts += 1;
                }
            }
            assert_eq!(survivors(&after, &held).await, number + 1, "acknowledged");
            if number % 5 == 4 {
                run(&world.url, "PRAGMA wal_checkpoint(PASSIVE)").await.unwrap();
                let over = Disk::of(&path);
                assert!(over.wal == after.wal && over.file != after.file);
                for _ in 0..CUTS {
                    let file = torn(&after.file, &over.file, &mut chance);
                    let found = survivors(&Disk { file, ..after.clone() }, &held).await;
                    assert_eq!(found, number + 1, "carried over");
                    carried += 1;
                }
            }
        }
        assert!(cuts > 100 && undone > 30 && undone < cuts && carried > 20, "{cuts} {undone}");
    });
}

#[test]
fn a_full_disk_is_told_and_with_room_it_goes_on() {
    let disk = folder();
    if !not_shown::has_mounts("a full disk") {
        return;
    }
    let script = "mount -t tmpfs -o size=4m tmpfs $0 && head -c 1000000 /dev/zero > $0/ballast
        exec $1 fill sqlite:$0/store.db $0/ballast";
    let mut command = Command::new("unshare");
    command.args(["-rm", "sh", "-c", script]).arg(&disk).arg(store_node());
    let output = command.output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    let [full, found] = said.lines().collect::<Vec<_>>()[..] else { panic!("{said}{errors}") };
    let (kept, why) = full.strip_prefix("full ").unwrap().split_once(' ').unwrap();
    let kept: usize = kept.parse().unwrap();
    assert!(kept > 10, "{said}");
    assert!(why.contains("full") || why.contains("I/O"), "{why}");
    assert_eq!(found, format!("found {} []", kept + 1), "{errors}");
}

#[test]
fn a_server_that_goes_away_is_told_and_found_again() {
    both(async |world| {
        if world.engine == Engine::Sqlite {
            return;
        }
        let org = world.found("acme", 0).await;
        let gone = "SELECT pg_terminate_backend(pid)::text FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid()";
        for round in 0..5 {
            let mut tx = world.store.write().await.unwrap();
            tx.of(&org).add(Noun::User, None, active(&format!("lost-{round}"))).await.unwrap();
            world.own(gone).await.unwrap();
            tx.commit().await.unwrap_err();
            world.add(&org, Noun::User, &format!("kept-{round}")).await.unwrap();
        }
        let users = world.own("SELECT id FROM users ORDER BY id").await.unwrap();
        assert_eq!(users, ["kept-0", "kept-1", "kept-2", "kept-3", "kept-4"]);
    });
}
