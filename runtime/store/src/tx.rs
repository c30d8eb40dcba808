//! Transactions, and the handle by which an organisation's rows are reached.

use std::fmt;
use std::sync::LazyLock;

use crate::StoreError;
use crate::sql::{Scoped, Text, Wide};
use crate::value::{Row, Value, postgres_row, sqlite_row};

/// The longest name of an organisation: it is a part of identifiers and addresses.
pub const ORG_CHARS_MAX: usize = 64;

/// The operator, where an organisation's name stands.
pub(crate) const OPERATOR: &str = "-";

/// An organisation, by its name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Org(String);

impl Org {
    /// Whoever keeps the database, in rows that are nobody else's. No organisation has the name.
    pub(crate) fn operator() -> Self {
        Self(OPERATOR.to_owned())
    }

    /// An organisation's name: 1 to [`ORG_CHARS_MAX`] of `a-z`, `0-9` and `-`, which neither begins
    /// nor ends it.
    pub fn new(name: &str) -> Result<Self, StoreError> {
        let fits = (1..=ORG_CHARS_MAX).contains(&name.len())
            && !name.starts_with('-')
            && !name.ends_with('-')
            && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if fits { Ok(Self(name.to_owned())) } else { Err(StoreError::Org(ORG_CHARS_MAX)) }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Org {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A transaction. Dropped without [`commit`](Self::commit), nothing of it happened.
pub struct Tx {
    pub(crate) inner: Inner,
}

/// On either engine.
pub(crate) enum Inner {
    Sqlite(sqlx::Transaction<'static, sqlx::Sqlite>),
    Postgres(sqlx::Transaction<'static, sqlx::Postgres>),
}

/// Runs a statement on one engine's connection.
macro_rules! run {
    ($connection:expr, $name:expr, $sql:expr, $arguments:expr, $read:path) => {{
        let mut query = sqlx::query($sql);
        for argument in $arguments {
            query = match argument {
                Value::Null => query.bind(None::<String>),
                Value::Int(number) => query.bind(number),
                Value::Text(text) => query.bind(text),
                Value::Bytes(bytes) => query.bind(bytes),
            };
        }
        let rows = query.fetch_all(&mut *$connection).await;
        let rows = rows.map_err(StoreError::database($name))?;
        rows.iter().map(|row| $read($name, row)).collect()
    }};
}

impl Tx {
    /// The same transaction, for the rows of `org`.
    pub const fn of<'a>(&'a mut self, org: &'a Org) -> OrgTx<'a> {
        OrgTx { tx: self, org }
    }

    /// The same for the rows of whoever keeps the database, which are no organisation's.
    pub fn of_operator(&mut self) -> OrgTx<'_> {
        static KEEPER: LazyLock<Org> = LazyLock::new(Org::operator);
        OrgTx { tx: self, org: &KEEPER }
    }

    /// Runs a statement over every organisation.
    pub async fn wide(
        &mut self,
        statement: &Wide,
        arguments: Vec<Value>,
    ) -> Result<Vec<Row>, StoreError> {
        self.run(statement.text(), arguments).await
    }

    /// Makes what was done lasting, all of it.
    pub async fn commit(self) -> Result<(), StoreError> {
        match self.inner {
            Inner::Sqlite(tx) => tx.commit().await,
            Inner::Postgres(tx) => tx.commit().await,
        }
        .map_err(StoreError::database("commit"))
    }

    /// Runs statements without arguments or answers, of which a migration is made.
    pub(crate) async fn script(
        &mut self,
        name: &'static str,
        [sqlite, postgres]: [&'static str; 2],
    ) -> Result<(), StoreError> {
        match &mut self.inner {
            Inner::Sqlite(tx) => sqlx::raw_sql(sqlite).execute(&mut **tx).await.map(|_| ()),
            Inner::Postgres(tx) => sqlx::raw_sql(postgres).execute(&mut **tx).await.map(|_| ()),
        }
        .map_err(StoreError::database(name))
    }

    /// Runs one statement that the database itself spelled.
    pub(crate) async fn owned(
        &mut self,
        name: &'static str,
        sql: String,
    ) -> Result<(), StoreError> {
        let sql = sqlx::AssertSqlSafe(sql);
        match &mut self.inner {
            Inner::Sqlite(tx) => sqlx::raw_sql(sql).execute(&mut **tx).await.map(|_| ()),
            Inner::Postgres(tx) => sqlx::raw_sql(sql).execute(&mut **tx).await.map(|_| ()),
        }
        .map_err(StoreError::database(name))
    }

    async fn run(&mut self, text: Text, arguments: Vec<Value>) -> Result<Vec<Row>, StoreError> {
        let name = text.name;
        match &mut self.inner {
            Inner::Sqlite(tx) => run!(*tx, name, text.sqlite, arguments, sqlite_row),
            Inner::Postgres(tx) => run!(*tx, name, text.postgres, arguments, postgres_row),
        }
    }
}

/// A transaction that reaches the rows of one organisation.
pub struct OrgTx<'a> {
    tx: &'a mut Tx,
    org: &'a Org,
}

impl OrgTx<'_> {
    /// Runs a statement; its `$1` is the organisation, `arguments` begin at `$2`.
    pub async fn run(
        &mut self,
        statement: &Scoped,
        mut arguments: Vec<Value>,
    ) -> Result<Vec<Row>, StoreError> {
        arguments.insert(0, Value::from(self.org.as_str()));
        self.tx.run(statement.text(), arguments).await
    }

    /// The organisation.
    pub const fn org(&self) -> &Org {
        self.org
    }
}
