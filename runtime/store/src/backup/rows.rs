//! Rows in a file: a JSON array on each line. Bytes are hex, marked as such.

use envelope_evidence::digest::hex;
use serde_json::{Value as Json, json};

use crate::value::{Row, Value};

pub(super) fn written(rows: &[Row]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for row in rows {
        let row: Json = row.values().iter().map(said).collect();
        bytes.extend(row.to_string().into_bytes());
        bytes.push(b'\n');
    }
    bytes
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
    let digits: Option<Vec<u32>> = text.chars().map(|digit| digit.to_digit(16)).collect();
    let (pairs, []) = digits.as_deref()?.as_chunks::<2>() else { return None };
    pairs.iter().map(|[high, low]| u8::try_from(high * 16 + low).ok()).collect()
}
