//! A fresh database on each engine, and the hands of somebody who owns it.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{env, fs, process};

use envelope_evidence::Timestamp;
use envelope_store::noun::{Change, Noun};
use envelope_store::{Engine, Org, Store, StoreError};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, Row as _, SqliteConnection};

use super::postgres::{SERVER, SUPERUSER};
use crate::not_shown;

/// Names of databases, one for each test and engine.
static COUNT: AtomicUsize = AtomicUsize::new(0);

/// A database and how to reach it.
pub struct World {
    pub store: Store,
    pub url: String,
    pub engine: Engine,
    folder: Option<PathBuf>,
}

impl Drop for World {
    fn drop(&mut self) {
        if let Some(folder) = &self.folder {
            drop(fs::remove_dir_all(folder));
        }
    }
}

/// Runs a test on both engines. Without a PostgreSQL it says so, and in CI it fails.
pub fn both(test: impl AsyncFn(&World)) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        for url in urls().await {
            let store = Store::migrated(&url).await.unwrap();
            let world = World::at(store, url);
            test(&world).await;
            world.store.close().await;
        }
    });
}

/// An empty database on each engine.
pub async fn urls() -> Vec<String> {
    let file = folder().join("store.db");
    let mut urls = vec![format!("sqlite:{}", file.display())];
    urls.extend(postgres().await);
    urls
}

/// An empty database on PostgreSQL, if there is one.
pub async fn postgres() -> Option<String> {
    let socket = match &*SERVER {
        Ok(socket) => socket,
        Err(why) => {
            not_shown::or_fail("PostgreSQL", why);
            return None;
        }
    };
    let name = format!("world{}", COUNT.fetch_add(1, Ordering::Relaxed));
    let url = |base: &str| {
        let host = socket.display().to_string().replace('/', "%2F");
        format!("postgres://{SUPERUSER}@localhost/{base}?host={host}")
    };
    run(&url("postgres"), &format!("CREATE DATABASE {name}")).await.unwrap();
    Some(url(&name))
}

/// A fresh folder.
pub fn folder() -> PathBuf {
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let folder = env::temp_dir().join(format!("envelope-store-{}-{number}", process::id()));
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// Runs what somebody types who owns the database, past our crate and its settings.
pub async fn run(url: &str, sql: &str) -> Result<Vec<String>, String> {
    let sql = AssertSqlSafe(sql.to_owned());
    let first = |error: sqlx::Error| error.to_string();
    if let Some(file) = url.strip_prefix("sqlite:") {
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file);
        let options = options.create_if_missing(true);
        let mut connection = SqliteConnection::connect_with(&options).await.map_err(first)?;
        let rows = sqlx::raw_sql(sql).fetch_all(&mut connection).await.map_err(first)?;
        return Ok(rows.iter().map(|row| row.try_get(0).unwrap_or_default()).collect());
    }
    let mut connection = PgConnection::connect(url).await.map_err(first)?;
    let rows = sqlx::raw_sql(sql).fetch_all(&mut connection).await.map_err(first)?;
    Ok(rows.iter().map(|row| row.try_get(0).unwrap_or_default()).collect())
}

impl World {
    /// The world of an open database.
    pub fn at(store: Store, url: String) -> Self {
        let engine = store.engine();
        let file = url.strip_prefix("sqlite:").map(PathBuf::from);
        let folder = file.and_then(|file| Some(file.parent()?.to_owned()));
        Self { store, url, engine, folder }
    }

    /// Runs a statement as the owner of the database.
    pub async fn own(&self, sql: &str) -> Result<Vec<String>, String> {
        run(&self.url, sql).await
    }

    /// The engine's own spelling of something.
    pub fn spell<'a>(&self, sqlite: &'a str, postgres: &'a str) -> &'a str {
        match self.engine {
            Engine::Sqlite => sqlite,
            Engine::Postgres => postgres,
        }
    }

    /// Adds an organisation and agents of it, each in a transaction of its own.
    pub async fn found(&self, org: &str, agents: usize) -> Org {
        let org = Org::new(org).unwrap();
        self.add(&org, Noun::Organisation, org.as_str()).await.unwrap();
        for number in 0..agents {
            self.add(&org, Noun::Agent, &format!("agent-{number:03}")).await.unwrap();
        }
        org
    }

    /// Adds a row.
    pub async fn add(&self, org: &Org, noun: Noun, id: &str) -> Result<(), StoreError> {
        let mut tx = self.store.write().await?;
        tx.of(org).add(noun, None, active(id)).await?;
        tx.commit().await
    }

    /// Changes a row that is at `version`.
    pub async fn step(
        &self,
        org: &Org,
        noun: Noun,
        version: i64,
        change: Change<'_>,
    ) -> Result<i64, StoreError> {
        let mut tx = self.store.write().await?;
        let version = tx.of(org).step(noun, version, change).await?;
        tx.commit().await.map(|()| version)
    }
}

/// Takes the rules away, as only an owner can, and then does `attack`.
pub async fn unruled(world: &World, attack: &str) {
    let rules = "SELECT name FROM sqlite_schema WHERE type = 'trigger'";
    let rules = world.spell(rules, "SELECT NULL::text WHERE false");
    let mut sql = String::from(world.spell("PRAGMA foreign_keys = OFF;", ""));
    for rule in world.own(rules).await.unwrap() {
        sql += &format!("DROP TRIGGER {rule};");
    }
    if world.engine == Engine::Postgres {
        let tables = "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'";
        for table in world.own(tables).await.unwrap() {
            sql += &format!("ALTER TABLE {table} DISABLE TRIGGER ALL;");
        }
    }
    world.own(&format!("{sql} {attack}")).await.unwrap();
}

/// A row that is in use.
pub fn active(id: &str) -> Change<'_> {
    Change { id, state: "active", body: r#"{"name":"one"}"#, at: at(1) }
}

/// A moment.
pub fn at(millis: u64) -> Timestamp {
    Timestamp::from_millis(millis).unwrap()
}
