//! A table that is no noun, against the log: what they have in common.

use serde_json::Value as Json;

use super::finding::{Finding, Findings};
use super::verify::said_last;
use super::{PAGE, signed};
use crate::sql::Wide;
use crate::value::{Row, Value};
use crate::{StoreError, Tx};

/// Every row of a table behind a key, beside what the log last said of it and how often it spoke;
/// and what the log knows and the table does not, unless the log says itself that it went.
macro_rules! table {
    ($rows:ident, $lost:ident, $name:literal, $id:literal, $key:literal > $from:literal,
        $limit:literal, $columns:literal) => {
        table!(
            $rows, $lost, $name, $id, $key > $from, $limit, $columns, until "never"
        );
    };
    ($rows:ident, $lost:ident, $name:literal, $id:literal, $key:literal > $from:literal,
        $limit:literal, $columns:literal, until $gone:literal) => {
        const $rows: Wide = Wide(Text::common(
            concat!($name, ".rows"),
            concat!(
                "SELECT ",
                $columns,
                ", (SELECT a.payload FROM audit_in a WHERE a.noun = '",
                $name,
                "' AND a.org = r.org",
                " AND a.id = ",
                $id,
                " ORDER BY a.seq DESC LIMIT 1),",
                " (SELECT count(*) FROM audit_in a WHERE a.noun = '",
                $name,
                "' AND a.org = r.org",
                " AND a.id = ",
                $id,
                ") FROM ",
                $name,
                " r WHERE (",
                $key,
                ") > (",
                $from,
                ") ORDER BY ",
                $key,
                " LIMIT ",
                $limit,
            ),
        ));
        // Quotes within what a row says are escaped: no text can look like a state.
        const $lost: Wide = Wide(Text::common(
            concat!($name, ".lost"),
            concat!(
                "SELECT a.org, a.id FROM audit_in a WHERE a.noun = '",
                $name,
                "' AND a.payload NOT LIKE '%\"state\":\"",
                $gone,
                "\"%' AND NOT EXISTS (SELECT 1 FROM ",
                $name,
                " r WHERE r.org = a.org AND ",
                $id,
                " = a.id) AND NOT EXISTS (SELECT 1 FROM audit_in b WHERE b.noun = a.noun",
                " AND b.org = a.org AND b.id = a.id AND b.seq > a.seq) ORDER BY a.seq LIMIT $1",
            ),
        ));
    };
}
pub(super) use table;

/// Where the first page of a table begins whose key is so many texts.
pub(super) fn texts(count: usize) -> Vec<Value> {
    vec![Value::from(""); count]
}

/// Shows every row, page by page, from the key on, which the first columns are.
pub(super) async fn each(
    tx: &mut Tx,
    statement: &Wide,
    mut from: Vec<Value>,
    mut see: impl FnMut(&Row) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let keys = from.len();
    loop {
        from.push(signed(PAGE)?.into());
        let rows = tx.wide(statement, from).await?;
        let Some(last) = rows.last() else { return Ok(()) };
        from = last.values().iter().take(keys).cloned().collect();
        rows.iter().try_for_each(&mut see)?;
    }
}

/// Names the rows that the log knows and these tables do not.
pub(super) async fn lost(
    tx: &mut Tx,
    tables: &[(&str, Wide)],
    findings: &mut Findings,
) -> Result<(), StoreError> {
    for (noun, statement) in tables {
        for row in tx.wide(statement, vec![Value::from(signed(PAGE)?)]).await? {
            findings.push(Finding::Lost(format!("{noun}/{}/{}", row.text(0)?, row.text(1)?)));
        }
    }
    Ok(())
}

/// Holds a row against the log, whose last word and count stand behind its `columns`.
pub(super) fn logged(
    row: &Row,
    columns: usize,
    (says, times): (&Json, Option<i64>),
    name: impl FnOnce() -> String,
    findings: &mut Findings,
) -> Result<(), StoreError> {
    let count = row.int(columns + 1)?;
    let as_often = times.is_none_or(|times| times == count);
    if !said_last(says, row.maybe_text(columns)?, as_often) {
        findings.push(Finding::Row(name()));
    }
    Ok(())
}
