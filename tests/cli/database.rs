//! `envelope db`, `log`, `backup` and `restore`, as somebody runs them who keeps a database.

use std::fs;

use envelope_evidence::{Label, Timestamp, Usage};
use envelope_rules::budget::{Frost, Place};
use envelope_store::blobs::Blobs;
use envelope_store::migrate::MIGRATIONS;
use envelope_store::noun::Noun;
use envelope_store::vault::{Field, MasterKeys};
use envelope_store::{Org, Store};

use super::desk::Desk;
use crate::store::world::{World, at, both, run, urls};

fn words<'a>(line: &'a str, url: &'a str) -> Vec<&'a str> {
    line.split(' ').map(|word| if word == "URL" { url } else { word }).collect()
}

#[test]
fn a_database_is_set_up_told_and_checked() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for url in runtime.block_on(urls()) {
        let desk = Desk::new("db");
        let sqlite = url.starts_with("sqlite");
        if sqlite {
            let said = desk.says(words("db status --db URL", &url), 1);
            assert!(said.err.contains("run `envelope db migrate`"), "{}", said.err);
        }
        let steps = desk.json(words("db migrate --db URL", &url), 0)["steps"].as_u64().unwrap();
        assert!(steps >= 7);
        desk.says(words("db migrate --db URL", &url), 0);
        let told = desk.json(words("db status --db URL", &url), 0);
        let steps = told["steps"].as_array().unwrap();
        assert!(steps.iter().all(|step| step["done"] == true), "{told}");
        assert_eq!(told["log"]["entries"], 0);
        desk.says(words("db check --db URL", &url), 0);
        let last = MIGRATIONS.last().unwrap().name;
        let lost = format!("DELETE FROM migrations WHERE name = '{last}'");
        runtime.block_on(run(&url, &lost)).unwrap();
        let refused = desk.json(words("db check --db URL", &url), 8);
        assert!(refused["findings"][0].as_str().unwrap().contains(last), "{refused}");
        let told = desk.json(words("db status --db URL", &url), 0);
        assert_eq!(told["steps"].as_array().unwrap().last().unwrap()["done"], false, "{told}");
    }
}

#[test]
fn a_broken_file_is_found() {
    let desk = Desk::new("db-broken");
    let url = format!("sqlite:{}", desk.path("store.db").display());
    desk.says(words("db migrate --db URL", &url), 0);
    desk.says(words("db check --db URL", &url), 0);
    let file = desk.path("store.db");
    // All of it into the one file, or its log would heal what is broken here.
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(run(&url, "PRAGMA wal_checkpoint(TRUNCATE)")).unwrap();
    let mut bytes = fs::read(&file).unwrap();
    for page in bytes.chunks_mut(4096).skip(20).step_by(3) {
        page[..64].fill(0x5a);
    }
    fs::write(&file, bytes).unwrap();
    let output = desk.command().args(words("db check --db URL", &url)).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(matches!(output.status.code(), Some(1 | 8)), "{:?}", output.status);
    assert!(said.contains("malformed") || said.contains("✗"), "{said}");
}

#[test]
fn the_log_is_published_proven_and_verified_and_a_lie_is_named() {
    both(async |world| {
        let desk = Desk::new("log");
        let url = world.url.as_str();
        let org = world.found("acme", 3).await;
        let said = desk.json(words("log export public --name log.example/l --db URL", url), 0);
        let key = said["log"].as_str().unwrap().to_owned();
        assert_eq!(said["size"], "4");
        let verify = format!("log verify --db URL --log {key} --held public/checkpoint");
        assert_eq!(desk.json(words(&verify, url), 0)["entries"], 4);
        let prove = format!("log prove agents acme agent-001 --db URL --log {key}");
        let proof = desk.json(words(&prove, url), 0);
        assert!(proof["proof"].as_str().unwrap().starts_with("c2sp.org/tlog-proof@v1\n"));
        assert!(proof["payload"].as_str().unwrap().contains("agent-001"));
        desk.says(words(&format!("{prove} --version 2"), url), 1);
        let unknown = format!("log prove nothing acme agent-001 --db URL --log {key}");
        desk.says(words(&unknown, url), 2);
        world.add(&org, Noun::User, "later").await.unwrap();
        desk.says(words("log export public --name log.example/l --db URL", url), 0);
        desk.says(words(&verify, url), 0);

        desk.says(words("backup monday --db URL", url), 0);
        desk.says(words("backup monday --db URL", url), 2);
        for (number, new) in urls().await.into_iter().enumerate() {
            let restore =
                format!("restore monday --db URL --verify {key} --held public/checkpoint");
            assert_eq!(desk.json(words(&restore, &new), 0)["entries"], 5, "{number}");
            desk.says(words(&restore, &new), 1);
            let other = World::at(Store::open(&new).await.unwrap(), new);
            let rules = "SELECT 'DROP TRIGGER ' || name FROM sqlite_schema WHERE type = 'trigger'
                AND tbl_name = 'agents'";
            let rules = other.spell(rules, "SELECT 'ALTER TABLE agents DISABLE TRIGGER ALL'");
            for rule in other.own(rules).await.unwrap() {
                other.own(&rule).await.unwrap();
            }
            other
                .own("UPDATE agents SET state = 'withdrawn' WHERE id = 'agent-001'")
                .await
                .unwrap();
            let lie = desk.json(words(&verify, &other.url), 8);
            let found = lie["findings"][0].as_str().unwrap();
            assert!(found.starts_with("`agents/acme/agent-001`"), "{lie}");
            other.store.close().await;
        }
        let wrong = "log verify --db URL --log log.example/l+00000000+AQ";
        desk.says(words(wrong, url), 2);
    });
}

#[test]
fn the_keys_of_an_organisation_are_kept_retired_and_revoked() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for url in runtime.block_on(urls()) {
        let desk = Desk::new("db-keys");
        desk.says(words("db migrate --db URL", &url), 0);
        let refused = desk.says(words("keys record acme --db URL", &url), 1);
        assert!(refused.err.contains("foreign key") || refused.err.contains("FOREIGN KEY"));
        runtime.block_on(async {
            let world = World::at(Store::open(&url).await.unwrap(), String::new());
            world.found("acme", 0).await;
            world.store.close().await;
        });
        let made = desk.json(words("keys record acme --db URL", &url), 0);
        let keys = made["keys"].as_array().unwrap();
        assert_eq!((&keys[0]["purpose"], &keys[1]["purpose"]), (&"receipt".into(), &"log".into()));
        let again = desk.json(words("keys record acme --db URL", &url), 0);
        assert_eq!(again["keys"].as_array().unwrap().len(), 0);
        let (receipts, log) = (keys[0]["key"].as_str().unwrap(), keys[1]["key"].as_str().unwrap());
        let retire = format!("keys retire acme {receipts} --db URL");
        assert_eq!(desk.json(words(&retire, &url), 0)["keys"][0]["state"], "retired");
        desk.says(words(&retire, &url), 1);
        let revoke = format!("keys revoke acme {log} --db URL --because lost --since");
        let early = format!("{revoke} yesterday");
        desk.says(words(&early, &url), 2);
        let early = format!("{revoke} 2020-01-01T00:00:00Z");
        assert_eq!(desk.json(words(&early, &url), 0)["keys"][0]["why"], "lost");
        let listed = desk.says(words("keys list acme --db URL", &url), 0).out;
        assert!(listed.contains("retired") && listed.contains("revoked  lost"), "{listed}");
        // Nothing that the stolen key signed is believed, so the ring does not name it.
        let ring = desk.says(words("keys ring acme --db URL", &url), 0).out;
        assert!(ring.contains(receipts) && !ring.contains(log), "{ring}");
        envelope_evidence::keyring::KeyRing::from_json(ring.as_bytes()).unwrap();
    }
}

#[test]
fn a_person_is_erased_and_the_master_key_changed() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for url in runtime.block_on(urls()) {
        let desk = Desk::new("db-vault");
        desk.says(words("db migrate --db URL", &url), 0);
        let first = desk.json(words("vault rotate --db URL", &url), 0);
        assert_eq!((&first["sealed"], &first["older"]), (&0.into(), &serde_json::json!([])));
        let master = fs::read(desk.path("home/keys/master.key")).unwrap();
        let keys = MasterKeys::new(<[u8; 32]>::try_from(master).unwrap().into(), []);
        let seal = async |name: &str, until| {
            let store = Store::open(&url).await.unwrap();
            let org = Org::new("acme").unwrap();
            let mut tx = store.write().await.unwrap();
            let field = Field { subject: name, name: "name" };
            let times = (at(0), until);
            tx.of(&org).seal(&keys, field, b"Ada Lovelace", times).await.unwrap();
            tx.commit().await.unwrap();
            store.close().await;
        };
        runtime.block_on(async {
            let world = World::at(Store::open(&url).await.unwrap(), String::new());
            world.found("acme", 0).await;
            world.store.close().await;
            seal("ada", Timestamp::MAX).await;
            seal("grace", at(9)).await;
        });
        assert_eq!(desk.json(words("vault expire --db URL", &url), 0)["removed"], 1);
        let unsure = desk.says(words("vault erase acme ada --db URL", &url), 2);
        assert!(unsure.err.contains("--yes"), "{}", unsure.err);
        let count = "SELECT CAST(count(*) AS TEXT) FROM sealed";
        assert_eq!(runtime.block_on(run(&url, count)).unwrap(), ["1"], "nothing happened");
        let second = desk.json(words("vault rotate --db URL", &url), 0);
        assert_eq!(second["sealed"], 2, "{second}");
        assert_eq!(second["older"].as_array().unwrap().len(), 1);
        assert_ne!(second["master"], first["master"]);
        assert_eq!(
            desk.json(words("vault erase acme ada --yes --db URL", &url), 0)["erased"],
            true
        );
        assert_eq!(
            desk.json(words("vault erase acme ada --yes --db URL", &url), 0)["erased"],
            false
        );
        assert_eq!(runtime.block_on(run(&url, count)).unwrap(), ["0"]);
        assert_eq!(desk.json(words("vault rotate --db URL", &url), 0)["sealed"], 1, "grace's");
    }
}

#[test]
fn every_database_of_a_home_comes_under_one_master_key() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for (first, second) in runtime.block_on(urls()).into_iter().zip(runtime.block_on(urls())) {
        let desk = Desk::new("db-masters");
        desk.says(words("db migrate --db URL", &first), 0);
        let old = desk.json(words("vault rotate --db URL", &first), 0);
        let master = fs::read(desk.path("home/keys/master.key")).unwrap();
        let keys = MasterKeys::new(<[u8; 32]>::try_from(master).unwrap().into(), []);
        for url in [&first, &second] {
            desk.says(words("db migrate --db URL", url), 0);
            runtime.block_on(async {
                let world = World::at(Store::open(url).await.unwrap(), String::new());
                let org = world.found("acme", 0).await;
                let mut tx = world.store.write().await.unwrap();
                let field = Field { subject: "ada", name: "name" };
                let times = (at(0), Timestamp::MAX);
                tx.of(&org).seal(&keys, field, b"Ada Lovelace", times).await.unwrap();
                tx.commit().await.unwrap();
                world.store.close().await;
            });
        }
        let rotated = desk.json(words("vault rotate --db URL", &first), 0);
        assert_eq!(rotated["sealed"], 1);
        assert_ne!(rotated["master"], old["master"]);
        let told = desk.says(words("vault rotate --current --db URL", &first), 0).err;
        assert!(told.contains("--current"), "{told}");
        let current = desk.json(words("vault rotate --current --db URL", &second), 0);
        assert_eq!((&current["sealed"], &current["master"]), (&1.into(), &rotated["master"]));
        assert_eq!(current["older"].as_array().unwrap().len(), 1, "no further key was made");
        let again = desk.json(words("vault rotate --current --db URL", &second), 0);
        assert_eq!(again["sealed"], 0);
        // As it is told: what is older goes, and nothing is lost.
        fs::remove_file(current["older"][0].as_str().unwrap()).unwrap();
        for url in [&first, &second] {
            let moved = desk.json(words("vault rotate --db URL", url), 0);
            assert_eq!(moved["sealed"], 1, "it still opens: {moved}");
        }
    }
}

#[test]
fn blobs_that_nobody_needs_are_swept() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for url in runtime.block_on(urls()) {
        let desk = Desk::new("db-sweep");
        desk.says(words("db migrate --db URL", &url), 0);
        fs::create_dir(desk.path("blobs")).unwrap();
        let objects = envelope_store::blobs::folder(desk.path("blobs")).unwrap();
        let (stray, fresh) = runtime.block_on(async {
            let world = World::at(Store::open(&url).await.unwrap(), String::new());
            let put = async |org: &str, bytes: &'static [u8], now| {
                let org = world.found(org, 0).await;
                let blobs = Blobs::new(world.store.clone(), org, objects.clone());
                blobs.set_quota(100).await.unwrap();
                (blobs.put(bytes.into(), now).await.unwrap(), blobs)
            };
            let stray = put("acme", b"stray", at(0)).await;
            (stray, put("other", b"fresh", envelope_node::now()).await)
        });
        let sweep = words("db sweep --blobs blobs --db URL", &url);
        assert_eq!(desk.json(sweep.clone(), 0)["removed"], 1);
        assert_eq!(desk.json(sweep, 0)["removed"], 0);
        runtime.block_on(async {
            stray.1.get(stray.0).await.unwrap_err();
            assert_eq!(stray.1.quota().await.unwrap(), (0, 100));
            assert_eq!(fresh.1.get(fresh.0).await.unwrap(), "fresh");
        });
    }
}

#[test]
fn a_model_that_a_database_froze_is_thawed_on_somebodys_word() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for url in runtime.block_on(urls()) {
        let desk = Desk::new("db-breaker");
        desk.says(words("db migrate --db URL", &url), 0);
        runtime.block_on(async {
            let world = World::at(Store::open(&url).await.unwrap(), String::new());
            let org = world.found("acme", 0).await;
            let (provider, model) = (Label::cut("p"), Label::cut("p/m"));
            let frost = Frost {
                place: Place { provider, model },
                run: Label::cut("run_1"),
                key: Label::cut("run_1/1"),
                reserved: Usage::ZERO,
                charged: Usage::ZERO,
                at: at(5),
            };
            let mut tx = world.store.write().await.unwrap();
            tx.of(&org).freeze(&frost).await.unwrap();
            tx.commit().await.unwrap();
            world.store.close().await;
        });
        let show = |org| desk.json(words(&format!("breaker show --org {org} --db URL"), &url), 0);
        assert_eq!(show("acme")["frozen"][0]["place"]["model"], "p/m");
        assert_eq!(show("local")["frozen"], serde_json::json!([]), "another organisation's");
        let thaw = words("breaker thaw p/m --by ada --because paid --org acme --db URL", &url);
        desk.says(thaw.clone(), 0);
        assert_eq!(show("acme")["frozen"], serde_json::json!([]));
        desk.says(thaw, 2);
        let kept = runtime.block_on(run(&url, "SELECT body FROM frosts")).unwrap();
        assert!(kept[0].contains("ada") && kept[0].contains("paid"), "the word is kept: {kept:?}");
        assert!(!desk.path("home/breaker.jsonl").exists());
    }
}
