//! Backups: every row of one moment, in files that either engine reads back.
//!
//! What is written is what the tables hold, never the file of an engine: so a backup of SQLite is
//! restored on PostgreSQL and the other way round. Rows come back past the triggers, in one
//! transaction, and the audit log that they form is then held against its checkpoints. The bytes of
//! blobs stand beside them, a file for each, wherever they lay and wherever they go.

mod bytes;
mod rows;
mod tables;

use cap_std::fs::Dir;
use envelope_evidence::Digest;
use object_store::ObjectStore;
use serde::{Deserialize, Serialize};

use crate::blobs::BlobError;
use crate::sql::Wide;
use crate::value::Value;
use crate::{Engine, Store, StoreError, Tx, files, migrate};
use tables::{TABLES, Table};

/// The file that says what a backup holds. It is written last: without it there is no backup.
const CONTENTS: &str = "backup.json";

/// The version of the format.
const VERSION: u64 = 1;

/// A file ends with the row that brings it here: it is held in memory as a whole.
const FILE_BYTES_AIM: usize = 64 << 20;

/// The largest file that is read. What is written is shorter by far: the aim and one row, which is
/// a body of which each byte takes six in JSON, at most.
const FILE_BYTES_MAX: u64 = 1 << 30;

pub(crate) fn statements() -> impl Iterator<Item = Wide> {
    let tables = TABLES.iter().flat_map(|table| [table.page, table.fill, table.count]);
    tables.chain(tables::RULES).chain(bytes::WIDE)
}

/// What a backup holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contents {
    v: u64,
    /// The last migration of the database.
    migration: String,
    /// Its files, in the order in which they are read back.
    files: Vec<Page>,
    /// Blobs whose bytes it holds; nothing, when they are backed up elsewhere.
    blobs: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Page {
    table: String,
    rows: u64,
    digest: Digest,
}

impl Contents {
    /// Rows of all tables.
    pub fn rows(&self) -> u64 {
        self.files.iter().map(|page| page.rows).sum()
    }

    /// Blobs whose bytes it holds; nothing, when they are backed up elsewhere.
    pub const fn blobs(&self) -> Option<u64> {
        self.blobs
    }
}

/// Why there is no backup, or none that can be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BackupError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The bytes of a blob.
    #[error(transparent)]
    Blob(#[from] BlobError),
    /// The backup holds bytes, and nobody said where they go; or the other way round.
    #[error("this backup holds {} bytes of blobs: say {}", if *(.0) { "the" } else { "no" },
        if *(.0) { "where they go" } else { "nothing of where they would go" })]
    Bytes(bool),
    /// Fewer blobs than the backup says it holds.
    #[error("the backup says that it holds {said} blobs, and there are {found}")]
    Blobs {
        /// What it says.
        said: u64,
        /// What there is.
        found: u64,
    },
    /// A file of the backup.
    #[error("`{path}`: {why}")]
    File {
        /// Which.
        path: String,
        /// What the disk says.
        why: std::io::Error,
    },
    /// A file that is not what the backup says of it.
    #[error("`{0}` is not what this backup was written with")]
    Altered(String),
    /// A folder that holds no backup, or one of another program.
    #[error("this is no backup that can be restored here: {0}")]
    Contents(String),
    /// Rows would be mixed with others.
    #[error("the database is not empty: `{0}` has rows; restore into a new one")]
    NotEmpty(&'static str),
}

/// Writes every row of this moment into an empty folder, and the bytes of its blobs, unless these
/// are backed up where they lie.
pub async fn write(
    store: &Store,
    blobs: Option<&dyn ObjectStore>,
    folder: &Dir,
) -> Result<Contents, BackupError> {
    let mut tx = store.read().await?;
    let migration = migrate::MIGRATIONS.last().map_or("", |last| last.name).to_owned();
    let mut contents = Contents { v: VERSION, migration, files: Vec::new(), blobs: None };
    for table in TABLES {
        let mut from = table.first();
        loop {
            let rows = table.page(&mut tx, from).await?;
            let Some(next) = table.after(&rows) else { break };
            from = next;
            let mut rows = rows.iter();
            while let Some(part) = rows::part(&mut rows, FILE_BYTES_AIM) {
                let digest = Digest::of(&part.bytes);
                put(folder, &name(contents.files.len()), &part.bytes)?;
                let page = Page { table: table.name.to_owned(), rows: part.rows, digest };
                contents.files.push(page);
            }
        }
    }
    if let Some(objects) = blobs {
        patient(&mut tx, store.engine()).await?;
        contents.blobs = Some(bytes::write((store, &mut tx), objects, folder).await?);
    }
    let text = serde_json::to_vec_pretty(&contents);
    let text = text.map_err(|why| BackupError::Contents(why.to_string()))?;
    put(folder, CONTENTS, &text)?;
    Ok(contents)
}

/// Reads a backup back into a database that is migrated and empty, all of it or nothing. Bytes of
/// blobs go to `blobs`, before any row is seen.
pub async fn restore(
    store: &Store,
    blobs: Option<&dyn ObjectStore>,
    folder: &Dir,
) -> Result<Contents, BackupError> {
    let contents = contents(folder)?;
    if contents.blobs.is_some() != blobs.is_some() {
        return Err(BackupError::Bytes(contents.blobs.is_some()));
    }
    let mut tx = store.write().await?;
    for table in TABLES {
        let count = tx.wide(&table.count, Vec::new()).await?;
        if !count.is_empty() {
            return Err(BackupError::NotEmpty(table.name));
        }
    }
    let rules = lift(&mut tx, store.engine()).await?;
    for (number, page) in contents.files.iter().enumerate() {
        let path = name(number);
        let bytes = get(folder, &path)?;
        let altered = || BackupError::Altered(path.clone());
        if Digest::of(&bytes) != page.digest {
            return Err(altered());
        }
        let table = TABLES.iter().find(|table| table.name == page.table).ok_or_else(altered)?;
        let rows = rows::read(&bytes).ok_or_else(altered)?;
        if u64::try_from(rows.len()) != Ok(page.rows) {
            return Err(altered());
        }
        for row in rows {
            table.fill(&mut tx, row).await?;
        }
    }
    if let (Some(said), Some(objects)) = (contents.blobs, blobs) {
        patient(&mut tx, store.engine()).await?;
        let found = bytes::restore(&mut tx, objects, folder).await?;
        if found != said {
            return Err(BackupError::Blobs { said, found });
        }
    }
    set(&mut tx, rules).await?;
    tx.commit().await?;
    Ok(contents)
}

fn contents(folder: &Dir) -> Result<Contents, BackupError> {
    let wrong = |why: String| BackupError::Contents(why);
    let contents: Contents = serde_json::from_slice(&get(folder, CONTENTS)?)
        .map_err(|why| wrong(format!("`{CONTENTS}`: {why}")))?;
    let ours = migrate::MIGRATIONS.last().map_or("", |last| last.name);
    if contents.v != VERSION {
        return Err(wrong(format!("version {} of the format is unknown", contents.v)));
    }
    if contents.migration != ours {
        return Err(wrong(format!(
            "it was written at the step `{}`, and this program is at `{ours}`",
            contents.migration
        )));
    }
    Ok(contents)
}

/// Takes the triggers away until the transaction ends, and returns what makes them again. On
/// PostgreSQL only the owner of the tables can.
async fn lift(tx: &mut Tx, engine: Engine) -> Result<Vec<String>, StoreError> {
    let mut rules = Vec::new();
    for row in tx.wide(&tables::TRIGGERS, Vec::new()).await? {
        let (lift, set) = (row.text(0)?, row.text(1)?);
        tx.owned("backup.lift", lift.to_owned()).await?;
        rules.push(set.to_owned());
    }
    debug_assert!(!rules.is_empty(), "no rules on {engine:?}");
    Ok(rules)
}

/// Bytes are copied while the transaction says nothing: that is no sign of somebody who hung.
async fn patient(tx: &mut Tx, engine: Engine) -> Result<(), StoreError> {
    if engine == Engine::Postgres {
        let for_long = "SET LOCAL idle_in_transaction_session_timeout = 0".to_owned();
        tx.owned("backup.patience", for_long).await?;
    }
    Ok(())
}

async fn set(tx: &mut Tx, rules: Vec<String>) -> Result<(), StoreError> {
    for rule in rules {
        tx.owned("backup.set", rule).await?;
    }
    for counter in tables::COUNTERS {
        tx.wide(&counter, Vec::new()).await?;
    }
    Ok(())
}

fn name(number: usize) -> String {
    format!("rows/{number:06}.jsonl")
}

fn put(folder: &Dir, path: &str, bytes: &[u8]) -> Result<(), BackupError> {
    files::write(folder, path, bytes)
        .map_err(|why| BackupError::File { path: path.to_owned(), why })
}

fn get(folder: &Dir, path: &str) -> Result<Vec<u8>, BackupError> {
    get_up_to(folder, path, FILE_BYTES_MAX)
}

fn get_up_to(folder: &Dir, path: &str, max: u64) -> Result<Vec<u8>, BackupError> {
    files::read(folder, path, max).map_err(|why| BackupError::File { path: path.to_owned(), why })
}

impl Table {
    async fn page(
        &self,
        tx: &mut Tx,
        mut from: Vec<Value>,
    ) -> Result<Vec<crate::value::Row>, StoreError> {
        from.push(Value::Int(self.rows_max));
        tx.wide(&self.page, from).await
    }

    async fn fill(&self, tx: &mut Tx, row: Vec<Value>) -> Result<(), StoreError> {
        tx.wide(&self.fill, row).await.map(|_| ())
    }

    fn first(&self) -> Vec<Value> {
        self.key.iter().map(|of| if *of { Value::from("") } else { Value::Int(-1) }).collect()
    }

    /// The key to go on from, if there were rows.
    fn after(&self, rows: &[crate::value::Row]) -> Option<Vec<Value>> {
        let last = rows.last()?;
        Some(last.values().iter().take(self.key.len()).cloned().collect())
    }
}
