//! The way to a database of either engine.

use std::str::FromStr as _;
use std::time::Duration;

use sqlx::Connection as _;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions, PgSslMode};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};

use crate::sql::{Text, Wide};
use crate::tx::{Inner, Tx};
use crate::{StoreError, migrate};

/// Connections that read beside the one that writes (SQLite), or all of them (PostgreSQL): enough
/// to keep a machine busy, few enough for a server that many nodes share.
const CONNECTIONS_MAX: u32 = 16;

/// How long a transaction waits for its turn before it is an error: a writer that is stuck longer
/// than this will not become free.
const TURN_MAX: Duration = Duration::from_secs(30);

/// How long a transaction on a server may do nothing: whoever holds its locks longer between two
/// statements has hung, and everybody waits for it.
const IDLE_MAX: Duration = Duration::from_mins(5);

const INTEGRITY: Wide = Wide(Text {
    name: "store.integrity",
    sqlite: "SELECT integrity_check FROM pragma_integrity_check",
    postgres: "SELECT 'ok'",
});

/// The clock of a server. A file has none of its own: there it is that of this machine.
const CLOCK: Wide = Wide(Text {
    name: "store.clock",
    sqlite: "SELECT CAST(unixepoch('subsec') * 1000 AS INTEGER)",
    postgres: "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint",
});

pub(crate) const STATEMENTS: [Wide; 2] = [INTEGRITY, CLOCK];

/// What SQLite says of a file that is not there.
const CANTOPEN: &str = "14";

/// What SQLite says of a file that another has.
const BUSY: &str = "5";

/// How long whoever found a file busy waits before it comes again.
const PAUSE: Duration = Duration::from_millis(20);

/// Which engine a store is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// A file of our own.
    Sqlite,
    /// A server.
    Postgres,
}

/// A database. Clones share its connections.
#[derive(Debug, Clone)]
pub struct Store {
    pools: Pools,
}

#[derive(Debug, Clone)]
enum Pools {
    Sqlite { writer: SqlitePool, readers: SqlitePool },
    Postgres(PgPool),
}

impl Store {
    /// Opens a database whose migrations are those of this program.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        let store = Self::look(url).await?;
        migrate::check(&store).await?;
        Ok(store)
    }

    /// Opens a database and brings its migrations up to those of this program.
    pub async fn migrated(url: &str) -> Result<Self, StoreError> {
        let store = Self::connect(url, true).await?;
        migrate::run(&store).await?;
        migrate::check(&store).await?;
        Ok(store)
    }

    /// Connects to a database whatever its migrations are: to say what they are.
    pub async fn look(url: &str) -> Result<Self, StoreError> {
        Self::connect(url, false).await
    }

    async fn connect(url: &str, create: bool) -> Result<Self, StoreError> {
        let pools = match url.split_once(':') {
            Some(("sqlite", file)) => sqlite(file, create).await,
            Some(("postgres" | "postgresql", _)) => postgres(url).await,
            other => {
                let scheme = other.map_or("", |(scheme, _)| scheme);
                return Err(StoreError::Url { url: scheme.chars().take(32).collect() });
            }
        };
        Ok(Self { pools: pools? })
    }

    /// Which engine this is.
    pub const fn engine(&self) -> Engine {
        match self.pools {
            Pools::Sqlite { .. } => Engine::Sqlite,
            Pools::Postgres(_) => Engine::Postgres,
        }
    }

    /// Begins a transaction that writes. On SQLite there is one at a time, and it takes its lock
    /// at once: a reader that becomes a writer later would fail without waiting.
    pub async fn write(&self) -> Result<Tx, StoreError> {
        let inner = match &self.pools {
            Pools::Sqlite { writer, .. } => {
                writer.begin_with("BEGIN IMMEDIATE").await.map(Inner::Sqlite)
            }
            Pools::Postgres(pool) => begun(pool, "BEGIN").await,
        };
        Ok(Tx { inner: inner.map_err(StoreError::database("begin"))? })
    }

    /// Begins a transaction that writes as if it were alone: whatever it read, it read last. Where
    /// two would contradict each other, one of them fails, and [may try again](StoreError::passes).
    pub async fn alone(&self) -> Result<Tx, StoreError> {
        match &self.pools {
            Pools::Sqlite { .. } => self.write().await,
            Pools::Postgres(pool) => {
                let inner = begun(pool, "BEGIN ISOLATION LEVEL SERIALIZABLE").await;
                Ok(Tx { inner: inner.map_err(StoreError::database("begin"))? })
            }
        }
    }

    /// Begins a transaction that reads one state of the database, beside whoever writes.
    pub async fn read(&self) -> Result<Tx, StoreError> {
        let inner = match &self.pools {
            Pools::Sqlite { readers, .. } => readers.begin().await.map(Inner::Sqlite),
            Pools::Postgres(pool) => {
                begun(pool, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await
            }
        };
        Ok(Tx { inner: inner.map_err(StoreError::database("begin"))? })
    }

    /// What the engine itself finds wrong with its file: nothing, when all is well. A server looks
    /// after its own files.
    pub async fn integrity(&self) -> Result<Vec<String>, StoreError> {
        let mut tx = self.read().await?;
        let said = tx.wide(&INTEGRITY, Vec::new()).await?;
        let said: Result<Vec<_>, _> =
            said.iter().map(|row| row.text(0).map(str::to_owned)).collect();
        Ok(said?.into_iter().filter(|line| line != "ok").collect())
    }

    /// What time it is where the database is, in milliseconds since 1970.
    pub async fn clock(&self) -> Result<i64, StoreError> {
        let said = self.read().await?.wide(&CLOCK, Vec::new()).await?;
        said.first().map_or(Ok(0), |row| row.int(0))
    }

    /// Lets go of old pages: after an erasure, so that what it destroyed does not lie about in the
    /// write-ahead log (SQLite) or between live rows (PostgreSQL, whose own log and copies are its
    /// operator's to let go of, and whose tables only their owner tidies).
    pub async fn tidy(&self) -> Result<(), StoreError> {
        match &self.pools {
            Pools::Sqlite { writer, .. } => {
                sqlx::raw_sql("PRAGMA wal_checkpoint(TRUNCATE)").execute(writer).await.map(|_| ())
            }
            Pools::Postgres(pool) => {
                sqlx::raw_sql("VACUUM keys, sealed").execute(pool).await.map(|_| ())
            }
        }
        .map_err(StoreError::database("tidy"))
    }

    /// Ends every connection.
    pub async fn close(&self) {
        match &self.pools {
            Pools::Sqlite { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
            Pools::Postgres(pool) => pool.close().await,
        }
    }
}

/// Begins a transaction, also when nobody waits for it any more: left in the middle, a connection
/// would go back among the others within a transaction that it knows nothing of.
async fn begun(pool: &PgPool, how: &'static str) -> Result<Inner, sqlx::Error> {
    let pool = pool.clone();
    let begun = tokio::spawn(async move { pool.begin_with(how).await });
    let begun = begun.await.map_err(|why| sqlx::Error::Protocol(why.to_string()))?;
    begun.map(Inner::Postgres)
}

async fn sqlite(file: &str, create: bool) -> Result<Pools, StoreError> {
    let options = SqliteConnectOptions::new()
        .filename(file)
        .foreign_keys(true)
        .busy_timeout(TURN_MAX)
        .journal_mode(SqliteJournalMode::Wal)
        // In WAL mode only this survives a power cut with every acknowledged commit.
        .synchronous(SqliteSynchronous::Full)
        // Else a REPLACE deletes rows without asking the triggers.
        .pragma("recursive_triggers", "ON")
        // What is deleted is overwritten, not only forgotten about.
        .pragma("secure_delete", "ON")
        .pragma("trusted_schema", "OFF")
        .pragma("cell_size_check", "ON");
    let wrong = StoreError::database("connect");
    let pool = || SqlitePoolOptions::new().acquire_timeout(TURN_MAX);
    let writer = options.clone().create_if_missing(create);
    // A commit that failed on a full disk leaves a connection that believes to be still at it.
    let one = pool().max_connections(1).before_acquire(|connection, _| {
        Box::pin(async move { Ok(!connection.is_in_transaction()) })
    });
    let writer = connected(one, writer).await.map_err(|why| {
        if !create && says(&why, CANTOPEN) {
            let what = "there is no such file: run `envelope db migrate`";
            return StoreError::Migration(what.to_owned());
        }
        wrong(why)
    })?;
    let readers = options.read_only(true);
    let readers = pool().max_connections(CONNECTIONS_MAX).connect_lazy_with(readers);
    Ok(Pools::Sqlite { writer, readers })
}

/// Several that open a new file at once and turn it to its journal mode would wait for each other
/// for ever: SQLite lets one through and answers the others at once that it is busy, whatever the
/// timeout. They come again.
async fn connected(
    pool: SqlitePoolOptions,
    options: SqliteConnectOptions,
) -> Result<SqlitePool, sqlx::Error> {
    let mut tries = TURN_MAX.as_millis() / PAUSE.as_millis();
    loop {
        match pool.clone().connect_with(options.clone()).await {
            Err(why) if tries > 0 && says(&why, BUSY) => {
                tries -= 1;
                tokio::time::sleep(PAUSE).await;
            }
            end => return end,
        }
    }
}

fn says(why: &sqlx::Error, code: &str) -> bool {
    why.as_database_error().and_then(|said| said.code()).as_deref() == Some(code)
}

async fn postgres(url: &str) -> Result<Pools, StoreError> {
    let options = PgConnectOptions::from_str(url).map_err(StoreError::database("connect"))?;
    let near = ["localhost", "127.0.0.1", "::1", "[::1]"].contains(&options.get_host());
    let far = !near && options.get_socket().is_none() && !options.get_host().starts_with('/');
    // Whatever the URL says: what goes over a network goes encrypted, and to the right server.
    let options = if far { options.ssl_mode(PgSslMode::VerifyFull) } else { options };
    let millis = |time: Duration| format!("{}ms", time.as_millis());
    let options = options.options([
        ("lock_timeout", millis(TURN_MAX)),
        ("idle_in_transaction_session_timeout", millis(IDLE_MAX)),
    ]);
    let pool = PgPoolOptions::new().max_connections(CONNECTIONS_MAX).acquire_timeout(TURN_MAX);
    let pool = pool.connect_with(options).await.map_err(StoreError::database("connect"))?;
    Ok(Pools::Postgres(pool))
}
