//! Migrations: twins by name, forward only. What ran once is never edited, and a database that
//! another program changed is not opened.

use envelope_evidence::Digest;

use crate::sql::{Text, Wide};
use crate::value::Value;
use crate::{Engine, Store, StoreError};

/// A step from one shape of the database to the next.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    /// Its number and name.
    pub name: &'static str,
    /// The step on SQLite.
    pub sqlite: &'static str,
    /// The same step on PostgreSQL.
    pub postgres: &'static str,
}

impl Migration {
    const fn text(&self, engine: Engine) -> &'static str {
        match engine {
            Engine::Sqlite => self.sqlite,
            Engine::Postgres => self.postgres,
        }
    }
}

/// A migration by the name of its two files.
macro_rules! twin {
    ($name:literal) => {
        Migration {
            name: $name,
            sqlite: include_str!(concat!("../../../migrations/sqlite/", $name, ".sql")),
            postgres: include_str!(concat!("../../../migrations/postgres/", $name, ".sql")),
        }
    };
}

/// Every migration, in order.
pub const MIGRATIONS: [Migration; 15] = [
    twin!("0001_nouns"),
    twin!("0002_audit"),
    twin!("0003_work"),
    twin!("0004_outbox"),
    twin!("0005_journal"),
    twin!("0006_budget"),
    twin!("0007_receipts"),
    twin!("0008_blobs"),
    twin!("0009_vault"),
    twin!("0010_stops"),
    twin!("0012_movements"),
    twin!("0013_signers"),
    twin!("0014_server"),
    twin!("0015_tries"),
    twin!("0016_agents"),
];

const JOURNAL: [&str; 2] = [
    "CREATE TABLE IF NOT EXISTS migrations (
        name TEXT NOT NULL PRIMARY KEY, digest TEXT NOT NULL
    ) STRICT",
    "CREATE TABLE IF NOT EXISTS migrations (
        name TEXT NOT NULL PRIMARY KEY, digest TEXT NOT NULL
    )",
];

/// Two nodes that start together migrate one after the other. On SQLite the transaction does that.
const TURN: [&str; 2] = ["SELECT 1", "SELECT pg_advisory_xact_lock(5063947132)"];

const DONE: Wide =
    Wide(Text::common("migrate.done", "SELECT name, digest FROM migrations ORDER BY name"));

const NOTE: Wide =
    Wide(Text::common("migrate.note", "INSERT INTO migrations (name, digest) VALUES ($1, $2)"));

/// On SQLite whoever has the file has it all; there is nobody to admit.
const ADMIT: Wide =
    Wide(Text { name: "migrate.admit", sqlite: "SELECT $1", postgres: "SELECT admit($1)" });

pub(crate) const STATEMENTS: [Wide; 3] = [DONE, NOTE, ADMIT];

/// Takes the steps that are missing, all or none.
pub async fn run(store: &Store) -> Result<(), StoreError> {
    let mut tx = store.write().await?;
    tx.script("migrate.turn", TURN).await?;
    tx.script("migrate.journal", JOURNAL).await?;
    let done = tx.wide(&DONE, Vec::new()).await?.len();
    for migration in MIGRATIONS.iter().skip(done) {
        let texts = [migration.sqlite, migration.postgres];
        tx.script(migration.name, texts).await?;
        let digest = Digest::of(migration.text(store.engine()).as_bytes()).to_string();
        let row = vec![Value::from(migration.name), Value::from(digest.as_str())];
        tx.wide(&NOTE, row).await?;
    }
    tx.commit().await
}

/// Refuses a database whose migrations are not exactly ours.
pub async fn check(store: &Store) -> Result<(), StoreError> {
    let wrong = |what: String| Err(StoreError::Migration(what));
    let done = match store.read().await?.wide(&DONE, Vec::new()).await {
        Ok(done) => done,
        Err(StoreError::Database { why: sqlx::Error::Database(_), .. }) => {
            return wrong("it was never migrated: run `envelope db migrate`".to_owned());
        }
        Err(other) => return Err(other),
    };
    let mut ours = MIGRATIONS.iter();
    for row in &done {
        let name = row.text(0)?;
        let Some(migration) = ours.next().filter(|migration| migration.name == name) else {
            return wrong(format!("it took the step `{name}`, which is unknown here"));
        };
        let text = migration.text(store.engine());
        if row.text(1)? != Digest::of(text.as_bytes()).to_string() {
            return wrong(format!("its step `{name}` was another one"));
        }
    }
    match ours.next() {
        None => Ok(()),
        Some(next) => {
            wrong(format!("the step `{}` is missing: run `envelope db migrate`", next.name))
        }
    }
}

/// Every step of this program, and whether the database took it.
pub async fn status(store: &Store) -> Result<Vec<(&'static str, bool)>, StoreError> {
    let done = match store.read().await?.wide(&DONE, Vec::new()).await {
        Ok(done) => done.len(),
        Err(StoreError::Database { why: sqlx::Error::Database(_), .. }) => 0,
        Err(other) => return Err(other),
    };
    let steps = MIGRATIONS.iter().enumerate();
    Ok(steps.map(|(number, step)| (step.name, number < done)).collect())
}

/// Lets a role of PostgreSQL, which is not the owner, do what the program does, and nothing else:
/// it cannot write the log but through the triggers, and takes no trigger away.
pub async fn admit(store: &Store, role: &str) -> Result<(), StoreError> {
    let mut tx = store.write().await?;
    tx.wide(&ADMIT, vec![Value::from(role)]).await?;
    tx.commit().await
}
