//! Attacks on the log, by whoever owns the database. What its rules can refuse is refused; what
//! they cannot is named by `verify`, each by its own name.

use envelope_store::audit::{AuditError, FINDINGS_MAX, Finding, sequence, verify};
use envelope_store::{Engine, noun::Noun};

use super::log::{key, log, publish, publisher};
use super::world::{World, active, both, folder, unruled};

/// What an owner types, and a word of the refusal.
const REFUSED: [(&str, &str); 13] = [
    ("UPDATE audit_in SET payload = 'EVIL'", "append-only"),
    ("DELETE FROM audit_in WHERE seq = 2", "append-only"),
    ("UPDATE audit_leaf SET leaf = leaf", "append-only"),
    ("DELETE FROM audit_leaf WHERE idx = 1", "append-only"),
    ("INSERT INTO audit_leaf (idx, seq, leaf) SELECT 90, 1, leaf FROM audit_leaf", "append-only"),
    ("UPDATE audit_checkpoint SET note = 'EVIL'", "append-only"),
    ("DELETE FROM audit_checkpoint", "append-only"),
    ("INSERT INTO audit_checkpoint (size, note) VALUES (1, 'EVIL')", "append-only"),
    ("DELETE FROM agents", "never deleted"),
    ("UPDATE agents SET state = 'withdrawn'", "raises the version"),
    ("UPDATE agents SET id = 'other', version = version + 1", "keeps its row"),
    ("UPDATE agents SET parent = 'other', version = version + 1", "keeps its row"),
    (
        "INSERT INTO agents (org, id, state, version, body, digest, changed)
        SELECT org, 'new', state, 7, body, digest, changed FROM agents WHERE id = 'agent-000'",
        "version 1",
    ),
];

/// What SQLite alone understands: statements that delete without asking.
const REPLACED: [&str; 4] = [
    "INSERT OR REPLACE INTO audit_in SELECT seq, noun, org, id, version, 'EVIL', salt
        FROM audit_in WHERE seq = 1",
    "REPLACE INTO audit_leaf SELECT 4, 1, leaf FROM audit_leaf WHERE idx = 1",
    "INSERT OR REPLACE INTO audit_checkpoint SELECT size, 'EVIL' FROM audit_checkpoint",
    "REPLACE INTO agents SELECT org, id, parent, 'withdrawn', 1, body, digest, changed
        FROM agents WHERE id = 'agent-000'",
];

/// What PostgreSQL alone understands.
const REPLICA: [&str; 6] = [
    "TRUNCATE audit_in CASCADE",
    "TRUNCATE audit_leaf",
    "TRUNCATE agents CASCADE",
    "SET session_replication_role = replica; UPDATE audit_in SET payload = 'EVIL'",
    "SET session_replication_role = replica; TRUNCATE audit_checkpoint",
    "SET session_replication_role = replica; UPDATE agents SET state = 'withdrawn'",
];

async fn logged(world: &World) -> String {
    world.found("acme", 3).await;
    publish(world, &mut publisher(&folder())).await
}

#[test]
fn the_rules_of_the_database_refuse_their_owner() {
    both(async |world| {
        let held = [logged(world).await];
        let content = "SELECT payload FROM audit_in ORDER BY seq";
        let before = world.own(content).await.unwrap();
        let own = match world.engine {
            Engine::Sqlite => REPLACED.as_slice(),
            Engine::Postgres => REPLICA.as_slice(),
        };
        for &(attack, word) in
            REFUSED.iter().chain(&own.iter().map(|a| (*a, "")).collect::<Vec<_>>())
        {
            let refused = world.own(attack).await.expect_err(attack);
            assert!(refused.contains(word), "{attack}: {refused}");
            let ours = ["append-only", "never", "keeps its row"];
            assert!(ours.iter().any(|word| refused.contains(word)), "{attack}: {refused}");
        }
        assert_eq!(world.own(content).await.unwrap(), before);
        assert_eq!(verify(&world.store, &log(), &held).await.unwrap(), []);
    });
}

#[test]
fn what_the_owner_does_without_the_rules_is_named() {
    let row = || "agents/acme/agent-001".to_owned();
    let attacks: [(&str, Vec<Finding>); 8] = [
        ("UPDATE agents SET body = '{}' WHERE id = 'agent-001'", vec![Finding::Document(row())]),
        ("UPDATE agents SET state = 'withdrawn' WHERE id = 'agent-001'", vec![Finding::Row(row())]),
        ("DELETE FROM agents WHERE id = 'agent-001'", vec![Finding::Lost(row())]),
        (
            "UPDATE audit_in SET payload = replace(payload, 'active', 'closed') WHERE seq = 3",
            vec![Finding::Row(row()), Finding::Leaf(2)],
        ),
        (
            "UPDATE audit_leaf SET leaf = (SELECT leaf FROM audit_leaf WHERE idx = 0)
            WHERE idx = 2",
            vec![Finding::Leaf(2), Finding::Fork(4)],
        ),
        (
            "DELETE FROM audit_leaf WHERE idx = 2",
            vec![Finding::Unplaced(3), Finding::Gap(2), Finding::Cut { signed: 4, found: 3 }],
        ),
        (
            "DELETE FROM audit_leaf WHERE idx = 3; DELETE FROM audit_in WHERE seq = 4;
            DELETE FROM agents WHERE id = 'agent-002'",
            vec![Finding::Cut { signed: 4, found: 3 }],
        ),
        ("UPDATE audit_leaf SET idx = 9 WHERE idx = 3", vec![Finding::Gap(3)]),
    ];
    for (attack, named) in attacks {
        both(async |world| {
            logged(world).await;
            assert_eq!(verify(&world.store, &log(), &[]).await.unwrap(), []);
            unruled(world, attack).await;
            assert_eq!(verify(&world.store, &log(), &[]).await.unwrap(), named, "{attack}");
        });
    }
}

/// Past every rule, with the file in hand: one letter of one document.
#[test]
fn a_row_that_is_edited_on_the_disk_is_named() {
    both(async |world| {
        if world.engine == Engine::Postgres {
            return;
        }
        let org = world.found("acme", 3).await;
        let body = r#"{"name":"the one that is edited"}"#;
        let change = envelope_store::noun::Change { body, ..active("agent-001") };
        world.step(&org, Noun::Agent, 1, change).await.unwrap();
        let held = [publish(world, &mut publisher(&folder())).await];
        world.own("PRAGMA wal_checkpoint(TRUNCATE)").await.unwrap();
        let path = world.url.strip_prefix("sqlite:").unwrap();
        let mut bytes = std::fs::read(path).unwrap();
        let places: Vec<_> = memchr::memmem::find_iter(&bytes, body).collect();
        let [place] = places[..] else { panic!("{places:?}") };
        bytes[place + 9] = b'T';
        std::fs::write(path, bytes).unwrap();
        let store = envelope_store::Store::open(&world.url).await.unwrap();
        assert_eq!(store.integrity().await.unwrap(), Vec::<String>::new(), "a file like any other");
        let found = verify(&store, &log(), &held).await.unwrap();
        assert_eq!(found, [Finding::Document("agents/acme/agent-001".to_owned())]);
        store.close().await;
    });
}

#[test]
fn a_cut_tail_with_its_checkpoint_is_caught_by_whoever_holds_one() {
    both(async |world| {
        let held = [logged(world).await];
        unruled(
            world,
            "DELETE FROM audit_checkpoint; DELETE FROM audit_leaf WHERE idx = 3;
            DELETE FROM audit_in WHERE seq = 4; DELETE FROM agents WHERE id = 'agent-002'",
        )
        .await;
        assert_eq!(verify(&world.store, &log(), &[]).await.unwrap(), [], "nobody can know");
        let cut = [Finding::Cut { signed: 4, found: 3 }];
        assert_eq!(verify(&world.store, &log(), &held).await.unwrap(), cut);
    });
}

#[test]
fn many_changed_rows_do_not_hide_a_cut() {
    both(async |world| {
        world.found("acme", 150).await;
        publish(world, &mut publisher(&folder())).await;
        assert_eq!(verify(&world.store, &log(), &[]).await.unwrap(), []);
        let attack = "UPDATE agents SET body = '{}', state = 'withdrawn'";
        unruled(world, &format!("{attack}; DELETE FROM audit_leaf WHERE idx = 150")).await;
        let found = verify(&world.store, &log(), &[]).await.unwrap();
        let (rows, rest) = found.split_at(2 * FINDINGS_MAX);
        let of_rows = |one: &Finding| matches!(one, Finding::Document(_) | Finding::Row(_));
        assert!(rows.iter().all(of_rows), "{rows:?}");
        assert_eq!(rest, [Finding::Unplaced(151), Finding::Cut { signed: 151, found: 150 }]);
    });
}

#[test]
fn a_checkpoint_of_another_key_or_size_is_named() {
    both(async |world| {
        let note = logged(world).await;
        unruled(world, "UPDATE audit_checkpoint SET note = replace(note, '— ', '— x')").await;
        let found = verify(&world.store, &log(), std::slice::from_ref(&note)).await.unwrap();
        assert!(matches!(found[..], [Finding::Unsigned(4, _)]), "{found:?}");
        unruled(world, &format!("UPDATE audit_checkpoint SET size = 3, note = '{note}'")).await;
        assert_eq!(verify(&world.store, &log(), &[]).await.unwrap(), [Finding::Fork(3)]);
    });
}

#[test]
fn nothing_is_signed_that_forks_what_was_shown() {
    both(async |world| {
        let (path, org) = (folder(), world.found("acme", 3).await);
        let note = publish(world, &mut publisher(&path)).await;
        // The database is set back behind what the folder shows, and goes on from there.
        unruled(
            world,
            "DELETE FROM audit_checkpoint; DELETE FROM audit_leaf WHERE idx = 3;
            INSERT INTO audit_pending (seq) SELECT 4",
        )
        .await;
        let refused = publisher(&path).publish(&world.store, &key()).await;
        assert!(matches!(refused, Err(AuditError::Fork { size: 4 })), "{refused:?}");
        world.own("UPDATE audit_in SET payload = '{}' WHERE seq = 4").await.unwrap();
        world.add(&org, Noun::User, "somebody").await.unwrap();
        while sequence(&world.store).await.unwrap() > 0 {}
        let refused = publisher(&path).publish(&world.store, &key()).await;
        assert!(matches!(refused, Err(AuditError::Fork { size: 4 })), "{refused:?}");
        assert_eq!(std::fs::read_to_string(path.join("checkpoint")).unwrap(), note);
        let signed = "SELECT note FROM audit_checkpoint";
        assert_eq!(world.own(signed).await.unwrap(), Vec::<String>::new());
        let fresh = publisher(&folder()).publish(&world.store, &key()).await;
        assert!(fresh.is_ok(), "a folder that shows nothing: {fresh:?}");
    });
}
