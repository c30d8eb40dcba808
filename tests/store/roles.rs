//! On PostgreSQL the program is not the owner: what it may do, and what it may not.

use envelope_evidence::{Digest, Label};
use envelope_gate::model::Purse as _;
use envelope_gate::workspace::Manifest;
use envelope_rules::budget::{Accounting, Level, Shared};
use envelope_rules::kill::{Event, Target, Thrown};
use envelope_store::audit::{sequence, verify};
use envelope_store::blobs::{self, Blobs, GRACE, Version};
use envelope_store::budget::StorePurse;
use envelope_store::journal::queue;
use envelope_store::noun::Noun;
use envelope_store::outbox::take;
use envelope_store::stops::note;
use envelope_store::vault::{Field, MasterKeys, expire, rotate};
use envelope_store::work::{LEASE, claim};
use envelope_store::{Engine, Org, Store, migrate};

use super::log::{log, publish, publisher};
use super::movements::lines;
use super::world::{World, active, at, both, folder, run};

/// What the program's role tries.
const FORBIDDEN: [&str; 14] = [
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
    "DELETE FROM accounts",
    "UPDATE leases SET chain = '[]', version = version + 1",
    "DELETE FROM workspaces",
    "SELECT audit_note('agents', 'acme', 'x', 1, '{}')",
    "CREATE TEMP TABLE signers (
        org TEXT, id TEXT, parent TEXT, state TEXT, version BIGINT, digest TEXT, changed BIGINT
    );
    CREATE TRIGGER mine AFTER INSERT ON pg_temp.signers
        FOR EACH ROW EXECUTE FUNCTION public.noun_log()",
];

/// What the program does beside its nouns: money, blobs and secrets.
async fn spend_keep_and_seal(app: &World, org: &Org) {
    let account = Shared { level: Level::Organisation, name: "o".to_owned() };
    let keys = MasterKeys::new([1; 32].into(), []);
    let field = Field { subject: "ada", name: "name" };
    let mut tx = app.store.write().await.unwrap();
    let mut rows = tx.of(org);
    rows.open_account(&account, 1).await.unwrap();
    rows.open_account(&account, 100).await.unwrap();
    rows.seal(&keys, field, b"Ada", (at(0), at(1))).await.unwrap();
    rows.seal(&keys, field, b"Ada", (at(0), at(1))).await.unwrap();
    tx.commit().await.unwrap();
    let (by, reason) = (Label::new("ada").unwrap(), Label::new("it loops").unwrap());
    let word = Thrown { by, reason, at: at(1) };
    let (target, lifted) = (Target::All, word.clone());
    assert!(note(&app.store, None, Event::Thrown { target, word }).await.unwrap());
    let lifts = Event::Lifted { target: Target::All, word: lifted };
    assert!(note(&app.store, None, lifts).await.unwrap());
    let purse = StorePurse::new(app.store.clone(), org.clone());
    let lease = Digest::of(b"lease");
    purse.lease(lease, &[account], 1, 9).await.unwrap().unwrap();
    purse.account(lease, Accounting { seq: 0, spent: 4, returned: 5 }).await.unwrap();
    assert_eq!(
        rotate(&app.store, &MasterKeys::new([2; 32].into(), [[1; 32].into()])).await.unwrap(),
        1
    );
    assert_eq!(expire(&app.store, at(9)).await.unwrap(), 1);
    let mut tx = app.store.write().await.unwrap();
    assert!(tx.of(org).erase("ada", at(9)).await.unwrap());
    tx.commit().await.unwrap();
    let blobs = Blobs::new(app.store.clone(), org.clone(), blobs::folder(folder()).unwrap());
    blobs.set_quota(1000).await.unwrap();
    let none = Manifest::new(Vec::new()).unwrap();
    let version = blobs.save("ws", 0, &none, at(0)).await.unwrap();
    let of = Version { id: "ws", version };
    blobs.pin(of, at(0)).await.unwrap();
    let later = at(u64::try_from((GRACE * 2).as_millis()).unwrap());
    blobs.drop_version(of, later).await.unwrap();
    assert_eq!(blobs.sweep(later).await.unwrap(), 1);
}

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
        let lease = claim(&app.store, "a", at(0), LEASE).await.unwrap().unwrap();
        let message = take(&app.store, at(0)).await.unwrap().unwrap();
        let (queue, scribe) = queue(app.store.clone());
        tokio::spawn(scribe.serve());
        queue.append(&lease, 0, lines().concat()).await.unwrap();
        let mut tx = app.store.write().await.unwrap();
        tx.of(&org).done(&lease).await.unwrap();
        assert!(tx.of(&org).heard(message.seq).await.unwrap());
        tx.commit().await.unwrap();
        spend_keep_and_seal(&app, &org).await;
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
