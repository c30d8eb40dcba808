//! On PostgreSQL the program is not the owner: what it may do, and what it may not.

use envelope_store::audit::{sequence, verify};
use envelope_store::journal::queue;
use envelope_store::noun::Noun;
use envelope_store::outbox::take;
use envelope_store::work::claim;
use envelope_store::{Engine, Store, migrate};

use super::log::{log, publish, publisher};
use super::world::{World, active, at, both, folder, run};

/// What the program's role tries.
const FORBIDDEN: [&str; 9] = [
    "INSERT INTO audit_in (noun, org, id, version, payload, salt)
        VALUES ('agents', 'acme', 'x', 1, '{}', decode(repeat('00', 16), 'hex'))",
    "UPDATE audit_in SET payload = 'EVIL'",
    "TRUNCATE audit_in",
    "DELETE FROM agents",
    "UPDATE agents SET org = 'other', version = version + 1",
    "ALTER TABLE agents DISABLE TRIGGER ALL",
    "DROP TRIGGER agents_log ON agents",
    "CREATE OR REPLACE FUNCTION noun_log() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN END'",
    "SET session_replication_role = replica",
];

#[test]
fn the_program_works_as_a_role_that_cannot_touch_the_log() {
    both(async |world| {
        if world.engine == Engine::Sqlite {
            return;
        }
        let role =
            format!("app_{}", world.url.rsplit("world").next().unwrap().split('?').next().unwrap());
        world.own(&format!("CREATE ROLE {role} LOGIN")).await.unwrap();
        migrate::admit(&world.store, &role).await.unwrap();
        let url = world.url.replace("founder@", &format!("{role}@"));
        let store = Store::open(&url).await.unwrap();
        let app = World::at(store, url.clone());
        let org = app.found("acme", 2).await;
        app.step(&org, Noun::Agent, 1, active("agent-000")).await.unwrap();
        let mut tx = app.store.write().await.unwrap();
        tx.of(&org).queue("run", at(0)).await.unwrap();
        tx.of(&org).announce("topic", "{}", at(0)).await.unwrap();
        tx.commit().await.unwrap();
        let lease = claim(&app.store, "a", at(0)).await.unwrap().unwrap();
        let message = take(&app.store, at(0)).await.unwrap().unwrap();
        let (queue, scribe) = queue(app.store.clone());
        tokio::spawn(scribe.serve());
        queue.append(&lease, 0, b"line\n".to_vec()).await.unwrap();
        let mut tx = app.store.write().await.unwrap();
        tx.of(&org).done(&lease).await.unwrap();
        assert!(tx.of(&org).heard(message.seq).await.unwrap());
        tx.commit().await.unwrap();
        publish(&app, &mut publisher(&folder())).await;
        for attack in FORBIDDEN {
            let refused = run(&url, attack).await.expect_err(attack);
            let words = ["permission denied", "must be owner"];
            assert!(words.iter().any(|word| refused.contains(word)), "{attack}: {refused}");
        }
        assert_eq!(sequence(&app.store).await.unwrap(), 0);
        assert_eq!(verify(&app.store, &log(), &[]).await.unwrap(), []);
        app.store.close().await;
    });
}
