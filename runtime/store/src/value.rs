//! What goes into a statement and comes out of it: the few types that both engines share.

use sqlx::{Column as _, Row as _, TypeInfo as _, ValueRef as _};

use crate::StoreError;

/// A value that both engines keep alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Nothing, where text could stand.
    Null,
    /// `BIGINT`: a count, money in its smallest unit, or milliseconds.
    Int(i64),
    /// `TEXT`: words and JSON.
    Text(String),
    /// `BLOB` or `BYTEA`.
    Bytes(Vec<u8>),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<Option<&str>> for Value {
    fn from(text: Option<&str>) -> Self {
        text.map_or(Self::Null, Self::from)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<&[u8]> for Value {
    fn from(bytes: &[u8]) -> Self {
        Self::Bytes(bytes.to_owned())
    }
}

/// Whether both engines keep `text`: PostgreSQL has no text with the character 0.
pub fn is_text(text: &str) -> bool {
    !text.contains('\0')
}

/// A row of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    pub(crate) statement: &'static str,
    pub(crate) values: Vec<Value>,
}

impl Row {
    /// The values, left to right.
    pub fn values(&self) -> &[Value] {
        &self.values
    }

    /// A number.
    pub fn int(&self, column: usize) -> Result<i64, StoreError> {
        match self.values.get(column) {
            Some(Value::Int(number)) => Ok(*number),
            Some(Value::Null | Value::Text(_) | Value::Bytes(_)) | None => {
                Err(self.is_not(column, "a number"))
            }
        }
    }

    /// Text.
    pub fn text(&self, column: usize) -> Result<&str, StoreError> {
        self.maybe_text(column)?.ok_or_else(|| self.is_not(column, "text"))
    }

    /// Text, or nothing.
    pub fn maybe_text(&self, column: usize) -> Result<Option<&str>, StoreError> {
        match self.values.get(column) {
            Some(Value::Text(text)) => Ok(Some(text)),
            Some(Value::Null) => Ok(None),
            Some(Value::Int(_) | Value::Bytes(_)) | None => Err(self.is_not(column, "text")),
        }
    }

    /// Exactly so many bytes.
    pub fn bytes<const N: usize>(&self, column: usize) -> Result<[u8; N], StoreError> {
        match self.values.get(column) {
            Some(Value::Bytes(bytes)) => bytes.as_slice().try_into().ok(),
            Some(Value::Null | Value::Int(_) | Value::Text(_)) | None => None,
        }
        .ok_or_else(|| self.is_not(column, "as many bytes as it has to be"))
    }

    /// Bytes, however many.
    pub fn blob(&self, column: usize) -> Result<&[u8], StoreError> {
        match self.values.get(column) {
            Some(Value::Bytes(bytes)) => Ok(bytes),
            Some(Value::Null | Value::Int(_) | Value::Text(_)) | None => {
                Err(self.is_not(column, "bytes"))
            }
        }
    }

    const fn is_not(&self, column: usize, want: &'static str) -> StoreError {
        StoreError::Column { statement: self.statement, column, want }
    }
}

/// Reads a row of either engine. The engines differ in their types alone, which traits would
/// spell at greater length than this macro does.
macro_rules! read {
    ($name:ident, $row:ty) => {
        pub(crate) fn $name(statement: &'static str, row: &$row) -> Result<Row, StoreError> {
            let wrong = StoreError::database(statement);
            let mut values = Vec::with_capacity(row.columns().len());
            for column in row.columns() {
                let at = column.ordinal();
                let raw = row.try_get_raw(at).map_err(&wrong)?;
                let value = if raw.is_null() {
                    Ok(Value::Null)
                } else {
                    match raw.type_info().name() {
                        "INTEGER" | "INT8" => row.try_get(at).map(Value::Int),
                        "BLOB" | "BYTEA" => row.try_get(at).map(Value::Bytes),
                        _ => row.try_get(at).map(Value::Text),
                    }
                };
                values.push(value.map_err(&wrong)?);
            }
            Ok(Row { statement, values })
        }
    };
}

read!(sqlite_row, sqlx::sqlite::SqliteRow);
read!(postgres_row, sqlx::postgres::PgRow);
