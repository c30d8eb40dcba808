//! What is looked at, one after the other.

use std::net::SocketAddr;
use std::path::Path;

use envelope_engine::config::{Machine, VERSION};
use envelope_node::now;
use envelope_server::serve::Door;
use envelope_store::{Store, migrate, vault};

use super::Finding;
use crate::disk::{self, Existing};
use crate::settings::{ConfigFlag, Settings};
use crate::store::HouseFlags;
use crate::{config, home, walls};

/// Bytes of room below which a house soon stands still, and those below which it does already.
const ROOM: u64 = 2 << 30;
const ROOM_MIN: u64 = 64 << 20;

/// Milliseconds that two clocks may be apart: grants live for minutes, leases for seconds.
const APART: u64 = 2_000;
const APART_MAX: u64 = 30_000;

/// Seconds since 1970 at the beginning of 2025: a clock before it was never set.
const BUILT: u64 = 1_735_689_600;

/// Whether the settings can be used: a finding for each flaw.
pub(super) fn settings(from: &ConfigFlag) -> Vec<Finding> {
    let settings = match config::checked(from, &crate::all()) {
        Ok(settings) => settings,
        Err(why) => return vec![Finding::of("settings", &why)],
    };
    let Settings { file, flaws, .. } = &settings;
    if flaws.is_empty() {
        let read = file.as_ref().map(|file| format!("read from {}", file.display()));
        return vec![Finding::well("settings", read.unwrap_or_else(|| "no file".to_owned()))];
    }
    let failing = |flaw: &crate::settings::Flaw| {
        Finding::failing("settings", format!("{}: {}", flaw.source, flaw.what), flaw.hint.clone())
    };
    flaws.iter().map(failing).collect()
}

/// Whether the database is there and this program's.
pub(super) async fn database(house: &HouseFlags) -> (Option<Store>, Finding) {
    let hint = "found a house with `envelope init`, name its database with `--db`, or see whether \
                its server runs";
    let store = match house.look().await {
        Ok(store) => store,
        Err(why) => return (None, Finding::failing("database", why.what(), hint)),
    };
    match migrate::check(&store).await {
        Ok(()) => (Some(store), Finding::well("database", "reached, and all its steps are taken")),
        Err(why) => {
            let hint = "bring it up with `envelope db migrate`, or update Envelope";
            (None, Finding::failing("database", why, hint))
        }
    }
}

/// Whether blobs can be kept.
pub(super) fn blobs(house: &HouseFlags) -> Finding {
    let name = "blobs";
    let place = match house.blobs() {
        Ok(place) => place,
        Err(why) => return Finding::of(name, &why),
    };
    if place.to_str().is_some_and(|text| text.starts_with("s3://")) {
        let hint = "look into its own console, or run `envelope db sweep`";
        return Finding::warning(name, "they lie in a bucket, which is not tried here", hint);
    }
    match tried(&place) {
        Err(why) => Finding::failing(name, why, "make it a folder that this user may write to"),
        Ok(room) => {
            let what = format!("`{}` has room for {} MiB", place.display(), room >> 20);
            let hint = "make room, run `envelope db sweep`, or name another folder with `--blobs`";
            match room {
                ..ROOM_MIN => Finding::failing(name, what, hint),
                ROOM_MIN..ROOM => Finding::warning(name, what, hint),
                ROOM.. => Finding::well(name, what),
            }
        }
    }
}

/// Writes a file, removes it, and tells how much room there is.
fn tried(place: &Path) -> Result<u64, String> {
    if !disk::is_folder(place) {
        return Err(format!("`{}` is no folder", place.display()));
    }
    let file = place.join(".doctor");
    disk::write(&file, b"doctor", Existing::Replace).map_err(|why| why.to_string())?;
    disk::remove(&file);
    disk::room(place).map_err(|why| format!("`{}`: {why}", place.display()))
}

/// Whether the keys are there, and open what is sealed in the database. None is made.
pub(super) async fn keys(store: Option<&Store>) -> Finding {
    let name = "keys";
    let restore = "put the keys back from their backup: what is sealed under a lost one is lost";
    let folder = match home::home() {
        Ok(home) => home.join("keys"),
        Err(why) => return Finding::failing(name, why, "set `ENVELOPE_HOME`"),
    };
    let missing = ["master.key", "receipts.key", "grants.key"]
        .into_iter()
        .find(|file| !disk::is_there(&folder.join(file)));
    if let Some(file) = missing {
        let what = format!("there is no `{}`", folder.join(file).display());
        return Finding::failing(name, what, format!("`envelope init` makes it; else {restore}"));
    }
    let read = home::LocalKeys::load().and_then(|_| home::masters());
    let masters = match read {
        Ok(masters) => masters,
        Err(why) => return Finding::failing(name, why, restore),
    };
    let Some(store) = store else {
        let hint = "mend the database, and look again";
        return Finding::warning(name, "they are there; nothing is at hand that they open", hint);
    };
    match vault::try_out(store, &masters).await {
        Ok(count) => {
            Finding::well(name, format!("they open {count} of {count} sealed keys that were tried"))
        }
        Err(why) => Finding::failing(name, why, restore),
    }
}

/// Whether this clock is sane, and that of the database the same.
pub(super) async fn clock(store: &Store) -> Finding {
    let (name, hint) = ("clock", "set it by the network (NTP), here and at the database");
    let before = now();
    let there = match store.clock().await {
        Ok(there) => u64::try_from(there).unwrap_or_default(),
        Err(why) => return Finding::failing(name, why, "see `envelope db status`"),
    };
    // Its answer was under way for a while: it is right if it falls between asking and hearing.
    let (asked, heard) = (before.millis(), now().millis());
    let apart = asked.saturating_sub(there).max(there.saturating_sub(heard));
    if before.secs() < BUILT {
        return Finding::failing(name, format!("it says {before}"), hint);
    }
    let what = format!("{apart} ms beside that of the database");
    match apart {
        ..APART => Finding::well(name, what),
        APART..APART_MAX => Finding::warning(name, what, hint),
        APART_MAX.. => Finding::failing(name, what, hint),
    }
}

/// Whether a door can be opened there. It is closed again at once.
pub(super) async fn address(at: SocketAddr) -> Finding {
    match Door::open(at).await {
        Ok(_) => Finding::well("address", format!("{at} is free")),
        Err(why) => Finding::failing(
            "address",
            format!("{at} cannot be opened: {why}"),
            "see whether a house is open there already, or give another with `--address`",
        ),
    }
}

/// Whether the engine starts and compiles, and each of its walls stands.
pub(super) async fn engine() -> Vec<Finding> {
    let machine = match Machine::new() {
        Ok(machine) => machine,
        Err(why) => {
            let hint = "update Envelope; a limit on address space (`ulimit -v`) must be off, and \
                        memory that is made executable be allowed";
            return vec![Finding::failing("engine", why, hint)];
        }
    };
    let walls = match walls::tried(&machine).await {
        Ok(walls) => walls,
        Err(why) => return vec![Finding::of("engine", &why)],
    };
    let hint = "let nothing run here, update Envelope, and tell us";
    let engine = Finding::well("engine", format!("wasmtime {VERSION} compiles and runs"));
    let walls = walls.into_iter().map(|wall| match wall.stands {
        true => Finding::well(wall.name, wall.met),
        false => Finding::failing(wall.name, wall.met, hint),
    });
    std::iter::once(engine).chain(walls).collect()
}
