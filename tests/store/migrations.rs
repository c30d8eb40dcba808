//! Migrations: forward, once, and never another's.

use envelope_evidence::Digest;
use envelope_store::migrate::MIGRATIONS;
use envelope_store::{Store, StoreError};

use super::world::{both, run, urls};

#[test]
fn a_database_that_was_never_migrated_is_not_opened() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        for url in urls().await {
            refused(&url, "run `envelope db migrate`").await;
            Store::migrated(&url).await.unwrap().close().await;
            Store::open(&url).await.unwrap().close().await;
        }
    });
}

#[test]
fn every_older_version_is_brought_up_to_this_one() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        for version in 1..=MIGRATIONS.len() {
            for url in urls().await {
                let sqlite = url.starts_with("sqlite");
                run(&url, "CREATE TABLE migrations (name TEXT NOT NULL PRIMARY KEY, digest TEXT)")
                    .await
                    .unwrap();
                for step in &MIGRATIONS[..version] {
                    let text = if sqlite { step.sqlite } else { step.postgres };
                    let digest = Digest::of(text.as_bytes());
                    let done =
                        format!("INSERT INTO migrations VALUES ('{}', '{digest}')", step.name);
                    run(&url, &format!("{text};\n{done}")).await.unwrap();
                }
                let current = version == MIGRATIONS.len();
                assert_eq!(Store::open(&url).await.is_ok(), current, "{version}");
                Store::migrated(&url).await.unwrap().close().await;
            }
        }
    });
}

#[test]
fn nodes_that_start_together_migrate_once() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let mut urls = urls().await;
        // Who is first at a new file is luck: so more than once.
        let file = urls[0].clone();
        urls.extend((0..20).map(|n| format!("{file}.{n}")));
        for url in urls {
            let mut nodes = tokio::task::JoinSet::new();
            for _ in 0..8 {
                let url = url.clone();
                nodes.spawn(async move { Store::migrated(&url).await.map(drop) });
            }
            let ends = nodes.join_all().await;
            assert!(ends.iter().all(Result::is_ok), "{ends:?}");
            let steps = run(&url, "SELECT name FROM migrations ORDER BY name").await.unwrap();
            assert_eq!(steps, MIGRATIONS.map(|step| step.name));
        }
    });
}

#[test]
fn a_step_that_is_missing_unknown_or_another_is_named() {
    both(async |world| {
        let last = MIGRATIONS[MIGRATIONS.len() - 1].name;
        let edits = [
            ("UPDATE migrations SET digest = 'x' WHERE name = '0001_nouns'", "`0001_nouns` was"),
            ("INSERT INTO migrations (name, digest) VALUES ('9999_later', 'x')", "`9999_later`"),
            (&format!("DELETE FROM migrations WHERE name = '{last}'"), last),
        ];
        let keep = "CREATE TABLE kept AS SELECT name, digest FROM migrations";
        world.own(keep).await.unwrap();
        for (edit, named) in edits {
            world.own(edit).await.unwrap();
            refused(&world.url, named).await;
            let restore = "DELETE FROM migrations;
                INSERT INTO migrations (name, digest) SELECT name, digest FROM kept";
            world.own(restore).await.unwrap();
            Store::open(&world.url).await.unwrap().close().await;
        }
    });
}

#[test]
fn a_url_of_neither_engine_is_refused() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let wrong = Store::open("mysql://user:secret@here/x").await.unwrap_err();
        assert!(matches!(wrong, StoreError::Url { .. }));
        assert!(!wrong.to_string().contains("secret"), "{wrong}");
    });
}

async fn refused(url: &str, named: &str) {
    match Store::open(url).await {
        Err(StoreError::Migration(why)) => assert!(why.contains(named), "{why}"),
        other => panic!("{other:?}"),
    }
}
