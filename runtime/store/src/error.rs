//! What goes wrong between us and the database.

use crate::noun::BODY_BYTES_MAX;

/// Why the store did not do it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Neither engine.
    #[error("`{url}` is not a database: want `sqlite:<file>` or `postgres://…`")]
    Url {
        /// The start of what was given, without what follows its scheme.
        url: String,
    },
    /// An organisation's name that is no name.
    #[error("an organisation's name has 1 to {0} characters of `a-z`, `0-9` and, within, `-`")]
    Org(usize),
    /// The row changed meanwhile, or is not there.
    #[error("{noun} `{id}` is not at version {version}: load it again and decide afresh")]
    Changed {
        /// The table.
        noun: &'static str,
        /// The row.
        id: String,
        /// The version that was expected.
        version: i64,
    },
    /// More than [`BODY_BYTES_MAX`].
    #[error("{table} `{name}`: a body has at most {BODY_BYTES_MAX} bytes, and this has {bytes}")]
    TooLong {
        /// The table.
        table: &'static str,
        /// The row, or the topic of a message.
        name: String,
        /// The bytes of its body.
        bytes: usize,
    },
    /// Another node claimed the work meanwhile, or it is done.
    #[error("`{id}` is no longer held at epoch {epoch}: another node has it, or it is done")]
    Fenced {
        /// The work.
        id: String,
        /// The epoch of the lease.
        epoch: i64,
    },
    /// The migrations of the database are not those of this program.
    #[error("the database and this program do not agree: {0}")]
    Migration(String),
    /// A value of another kind than the statement promises.
    #[error("column {column} of `{statement}` is not {want}")]
    Column {
        /// The statement's name.
        statement: &'static str,
        /// Counted from zero.
        column: usize,
        /// The kind expected.
        want: &'static str,
    },
    /// What is stored does not read.
    #[error("stored data does not read: {0}")]
    Data(String),
    /// The engine refused, or is gone.
    #[error("`{statement}`: {why}")]
    Database {
        /// The statement's name.
        statement: &'static str,
        /// What the engine says.
        why: sqlx::Error,
    },
}

/// What PostgreSQL calls it when transactions contradict each other, wait for each other in a
/// circle, wait too long, or add the same row.
const PASSING: [&str; 4] = ["40001", "40P01", "55P03", "23505"];

impl StoreError {
    /// Whether it was bad luck, and the same may succeed when it is tried again: somebody else
    /// decided at the same moment. What was tried did not happen.
    pub fn passes(&self) -> bool {
        let code = match self {
            Self::Changed { .. } => return true,
            Self::Database { why, .. } => why.as_database_error().and_then(|said| said.code()),
            Self::Url { .. }
            | Self::Org(_)
            | Self::TooLong { .. }
            | Self::Fenced { .. }
            | Self::Migration(_)
            | Self::Column { .. }
            | Self::Data(_) => None,
        };
        code.is_some_and(|code| PASSING.contains(&code.as_ref()))
    }

    pub(crate) fn database(statement: &'static str) -> impl Fn(sqlx::Error) -> Self {
        move |why| Self::Database { statement, why }
    }
}
