//! What moves beside the nouns is in the log too: work and its journals, messages, blobs, quotas.

use bytes::Bytes;
use envelope_gate::workspace::{FileEntry, Manifest};
use envelope_rules::path::Path;
use envelope_store::audit::{Finding, verify};
use envelope_store::blobs::{self, Blobs, GRACE};
use envelope_store::journal::queue;
use envelope_store::outbox::take;
use envelope_store::work::{LEASE, claim};
use envelope_store::{Engine, Org};

use super::log::{log, publish, publisher};
use super::world::{World, at, both, folder, unruled};

/// What an owner types, and a word of the refusal.
const REFUSED: [(&str, &str); 12] = [
    ("DELETE FROM work WHERE id = 'open'", "never deleted"),
    ("UPDATE work SET epoch = epoch - 1 WHERE id = 'open'", "never falls"),
    ("UPDATE work SET state = 'open' WHERE id = 'done'", "stays so"),
    ("UPDATE work SET id = 'other' WHERE id = 'open'", "never falls"),
    ("UPDATE outbox SET body = '{\"evil\":1}'", "what it says"),
    ("UPDATE outbox SET topic = 'evil'", "what it says"),
    ("UPDATE blobs SET size = size - 1", "keeps its row"),
    ("UPDATE blobs SET digest = digest || 'x'", "keeps its row"),
    ("UPDATE needs SET version = 7", "stays as it is"),
    ("DELETE FROM needs", "needs its blobs"),
    ("DELETE FROM storage", "never deleted"),
    ("UPDATE journal SET lines = lines", "append-only"),
];

/// The lines of a journal, one to a chunk.
pub fn lines() -> Vec<Vec<u8>> {
    let journal = include_bytes!("../golden/journal-v1.jsonl");
    journal.split_inclusive(|&byte| byte == b'\n').map(<[u8]>::to_vec).collect()
}

/// Work that is open, with half a journal, and work that is done, with a whole one; one message
/// that waits and one that was heard; a version of a workspace, and a blob that went.
async fn moved(world: &World) -> Org {
    let org = world.found("acme", 0).await;
    let mut tx = world.store.write().await.unwrap();
    let mut rows = tx.of(&org);
    rows.queue("done", at(0)).await.unwrap();
    rows.queue("open", at(1)).await.unwrap();
    rows.announce("topic", r#"{"one":1}"#, at(0)).await.unwrap();
    rows.announce("topic", r#"{"two":2}"#, at(1)).await.unwrap();
    tx.commit().await.unwrap();
    let heard = take(&world.store, at(1)).await.unwrap().unwrap();
    let (queue, scribe) = queue(world.store.clone());
    tokio::spawn(scribe.serve());
    for count in [10, 5] {
        let lease = claim(&world.store, "node", at(1), LEASE).await.unwrap().unwrap();
        for (line, chunk) in lines().into_iter().zip(0..count) {
            queue.append(&lease, chunk, line).await.unwrap();
        }
        let mut tx = world.store.write().await.unwrap();
        let mut rows = tx.of(&org);
        rows.beat(&lease, at(2), LEASE).await.unwrap();
        if lease.id == "done" {
            rows.done(&lease).await.unwrap();
            assert!(rows.heard(heard.seq).await.unwrap());
        }
        tx.commit().await.unwrap();
    }
    let blobs = Blobs::new(world.store.clone(), org.clone(), blobs::folder(folder()).unwrap());
    blobs.set_quota(1000).await.unwrap();
    blobs.put(Bytes::from_static(b"goes"), at(0)).await.unwrap();
    assert_eq!(blobs.sweep(at(millis(2))).await.unwrap(), 1);
    let digest = blobs.put(Bytes::from_static(b"stays"), at(0)).await.unwrap();
    let file = FileEntry { path: Path::parse("a").unwrap(), digest, size: 5 };
    blobs.save("ws", 0, &Manifest::new(vec![file]).unwrap(), at(0)).await.unwrap();
    org
}

fn millis(graces: u64) -> u64 {
    u64::try_from(GRACE.as_millis()).unwrap() * graces
}

#[test]
fn every_movement_is_logged_once_and_a_heartbeat_is_none() {
    both(async |world| {
        moved(world).await;
        let counts = "SELECT noun || ' ' || count(*) FROM audit_in GROUP BY noun ORDER BY noun";
        let counts = world.own(counts).await.unwrap();
        let all = ["blobs 5", "organisations 1", "outbox 3", "storage 1", "work 5", "workspaces 1"];
        assert_eq!(counts, all);
        let note = publish(world, &mut publisher(&folder())).await;
        assert_eq!(verify(&world.store, &log(), &[note]).await.unwrap(), []);
    });
}

#[test]
fn the_rules_of_the_database_refuse_their_owner() {
    both(async |world| {
        moved(world).await;
        let note = publish(world, &mut publisher(&folder())).await;
        for (attack, word) in REFUSED {
            let refused = world.own(attack).await.expect_err(attack);
            assert!(refused.contains(word), "{attack}: {refused}");
        }
        let own = match world.engine {
            Engine::Sqlite => [
                "REPLACE INTO work SELECT * FROM work WHERE id = 'done'",
                "REPLACE INTO outbox SELECT * FROM outbox",
            ],
            Engine::Postgres => [
                "SET session_replication_role = replica; TRUNCATE work CASCADE",
                "SET session_replication_role = replica; TRUNCATE needs",
            ],
        };
        for attack in own {
            let refused = world.own(attack).await.expect_err(attack);
            let words = ["never", "append-only"];
            assert!(words.iter().any(|word| refused.contains(word)), "{attack}: {refused}");
        }
        assert_eq!(verify(&world.store, &log(), &[note]).await.unwrap(), []);
    });
}

#[test]
fn what_the_owner_does_without_the_rules_is_named() {
    let books = || Finding::Books("storage/acme".to_owned());
    let journal = |id: &str| Finding::Journal(format!("work/acme/{id}"));
    let row = |name: &str| Finding::Row(name.to_owned());
    let attacks = [
        ("UPDATE work SET node = 'evil' WHERE id = 'open'", vec![row("work/acme/open")]),
        ("UPDATE work SET epoch = 9 WHERE id = 'done'", vec![row("work/acme/done")]),
        ("DELETE FROM journal WHERE id = 'done' AND chunk = 9", vec![journal("done")]),
        ("DELETE FROM journal WHERE id = 'open' AND chunk = 2", vec![journal("open")]),
        (
            "UPDATE journal SET lines = (
                SELECT lines FROM journal WHERE id = 'open' AND chunk = 1
            ) WHERE id = 'open' AND chunk = 2",
            vec![journal("open")],
        ),
        ("UPDATE outbox SET body = '{}'", vec![Finding::Document("outbox/acme/2".to_owned())]),
        ("UPDATE outbox SET topic = 'evil'", vec![row("outbox/acme/2")]),
        ("DELETE FROM outbox", vec![Finding::Lost("outbox/acme/2".to_owned())]),
        // Filed where nobody looks for it, so that nobody misses the message.
        (
            "UPDATE audit_in SET noun = 'nothing' WHERE noun = 'outbox' AND id = '2';
            DELETE FROM outbox",
            vec![Finding::Leaf(4)],
        ),
        ("DELETE FROM needs", vec![Finding::Books("needs/acme/ws/1".to_owned())]),
        ("UPDATE storage SET cap = 2000", vec![row("storage/acme")]),
        ("UPDATE storage SET used = used + 1", vec![books()]),
        (
            "UPDATE workspaces SET state = 'dropped'",
            vec![row("workspaces/acme/ws/1"), Finding::Books("needs/acme/ws/1".to_owned())],
        ),
    ];
    for (attack, named) in attacks {
        both(async |world| {
            moved(world).await;
            publish(world, &mut publisher(&folder())).await;
            assert_eq!(verify(&world.store, &log(), &[]).await.unwrap(), []);
            unruled(world, attack).await;
            assert_eq!(verify(&world.store, &log(), &[]).await.unwrap(), named, "{attack}");
        });
    }
}

/// However many messages were heard, one that was lost is seen.
#[test]
fn a_loss_does_not_hide_behind_what_went_rightly() {
    both(async |world| {
        world.found("acme", 0).await;
        let numbers = world.spell(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4100)",
            "WITH n AS (SELECT generate_series(1, 4100) AS i)",
        );
        let announce = "INSERT INTO outbox (org, topic, body, tries, due)";
        world
            .own(&format!("{numbers} {announce} SELECT 'acme', 't', '{{}}', 0, 0 FROM n"))
            .await
            .unwrap();
        world.own("DELETE FROM outbox WHERE seq < 4100").await.unwrap();
        publish(world, &mut publisher(&folder())).await;
        assert_eq!(verify(&world.store, &log(), &[]).await.unwrap(), []);
        unruled(world, "DELETE FROM outbox").await;
        let lost = Finding::Lost("outbox/acme/4100".to_owned());
        assert_eq!(verify(&world.store, &log(), &[]).await.unwrap(), [lost]);
    });
}
