//! Rows in a file: a JSON array on each line. Bytes are hex, marked as such.

use envelope_evidence::digest::{bytes_of_hex, hex};
use serde_json::{Value as Json, json};

use crate::value::{Row, Value};

/// Some rows, as they stand in one file.
pub(super) struct Part {
    pub(super) rows: u64,
    pub(super) bytes: Vec<u8>,
}

/// Takes rows until they are `aim` bytes or more, or there are no more.
pub(super) fn part<'a>(rows: &mut impl Iterator<Item = &'a Row>, aim: usize) -> Option<Part> {
    let mut part = Part { rows: 0, bytes: Vec::new() };
    while part.bytes.len() < aim
        && let Some(row) = rows.next()
    {
        let row: Json = row.values().iter().map(said).collect();
        part.bytes.extend(row.to_string().into_bytes());
        part.bytes.push(b'\n');
        part.rows += 1;
    }
    (part.rows > 0).then_some(part)
}

/// The rows, if that is what it is.
pub(super) fn read(bytes: &[u8]) -> Option<Vec<Vec<Value>>> {
    let text = std::str::from_utf8(bytes).ok()?;
    text.lines().map(line).collect()
}

fn line(line: &str) -> Option<Vec<Value>> {
    let row: Vec<Json> = serde_json::from_str(line).ok()?;
    row.iter().map(meant).collect()
}

fn said(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Int(number) => json!(number),
        Value::Text(text) => json!(text),
        Value::Bytes(bytes) => json!({ "hex": hex(bytes) }),
    }
}

fn meant(value: &Json) -> Option<Value> {
    match value {
        Json::Null => Some(Value::Null),
        Json::Number(number) => number.as_i64().map(Value::Int),
        Json::String(text) => Some(Value::Text(text.clone())),
        Json::Object(bytes) => bytes.get("hex")?.as_str().and_then(unhex).map(Value::Bytes),
        Json::Bool(_) | Json::Array(_) => None,
    }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return None };
    let byte = |pair| bytes_of_hex(std::str::from_utf8(pair).ok()?).map(|[byte]| byte);
    pairs.iter().map(|pair| byte(pair)).collect()
}
