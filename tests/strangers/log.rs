//! Go's client of its checksum database reads the log that we publish, and refuses what we refuse.

use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use envelope_evidence::Digest;
use envelope_evidence::digest::bytes_of_hex;
use envelope_evidence::tlog::Checkpoint;
use envelope_store::audit::entry;
use serde_json::{Value, json};

use super::stranger::GO;
use crate::store::log::{key, log, publish, publisher};
use crate::store::world::{World, both, folder};

#[test]
fn go_follows_our_log_and_refuses_a_lie() {
    both(async |world| {
        let path = folder();
        let mut one = publisher(&path);
        world.found("acme", 299).await;
        let old = publish(world, &mut one).await;
        world.found("other", 39).await;
        let new = publish(world, &mut one).await;
        let entries = entries(world).await;
        let ask = |old: &str| {
            let vkey = log().vkey();
            let asked = json!({ "folder": path, "vkey": vkey, "old": old, "entries": entries });
            GO.ask("tlog.go", &asked)
        };
        let Some(said) = ask(&old) else { return };
        let whole = json!({
            "Size": 340, "Included": 340, "Refused": 340, "Consistent": true, "Error": "",
        });
        assert_eq!(said, whole);
        // A checkpoint of the same key over other entries: a fork.
        let fork =
            signed_over(Checkpoint { root: Digest::of(b"other"), ..log().open(&old).unwrap() });
        assert_eq!(ask(&fork).unwrap()["Consistent"], false);
        let forged = ask(&old.replace("300", "301")).unwrap();
        assert!(forged["Error"].as_str().unwrap().contains("invalid signature"), "{forged}");
        let tile = path.join("tile/0/000");
        let mut bytes = fs::read(&tile).unwrap();
        bytes[40] ^= 1;
        fs::write(&tile, bytes).unwrap();
        let altered = ask(&old).unwrap();
        assert!(altered["Error"].as_str().unwrap().contains("inconsistent"), "{altered}");
        assert!(new.contains("\n340\n"));
    });
}

fn signed_over(checkpoint: Checkpoint) -> String {
    log().sign(checkpoint, |text| key().sign(text)).unwrap()
}

/// The entries of the log, in its order.
async fn entries(world: &World) -> Vec<Value> {
    let columns = "SELECT lower(hex(i.salt)) || i.payload";
    let columns = world.spell(columns, "SELECT encode(i.salt, 'hex') || i.payload");
    let query = format!("{columns} FROM audit_leaf l JOIN audit_in i USING (seq) ORDER BY l.idx");
    let rows = world.own(&query).await.unwrap();
    let entry = |row: &String| {
        let (salt, payload) = row.split_at(32);
        let salt = bytes_of_hex(salt).unwrap();
        Value::from(STANDARD.encode(entry(&salt, payload.as_bytes())))
    };
    rows.iter().map(entry).collect()
}
