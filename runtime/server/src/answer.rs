//! What an operation answers.

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Value, json};

use crate::Problem;

/// An answer, not sent yet.
#[derive(Debug)]
pub struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

/// Whether an answer was given before.
pub const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

impl Answer {
    /// A document.
    pub fn json(status: u16, document: &impl Serialize) -> Result<Self, Problem> {
        let body = serde_json::to_vec(document);
        let body = body.map_err(|why| Problem::new("INTERNAL", why.to_string()))?;
        Ok(Self::of(status, "application/json", body))
    }

    /// Any bytes.
    pub fn of(status: u16, kind: &'static str, body: Vec<u8>) -> Self {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        Self { status, headers, body }
    }

    /// One page of a list: what is on it, and how to ask for the next.
    pub fn page<T: Serialize>(
        items: &[T],
        last: Option<&str>,
        limit: usize,
    ) -> Result<Self, Problem> {
        let more = items.len() >= limit && last.is_some();
        let next = last.filter(|_| more);
        Self::json(200, &json!({ "data": items, "has_more": more, "next": next }))
    }

    /// The same with a header.
    #[must_use]
    pub fn with(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(name, value);
        }
        self
    }

    /// The same with the version of what it shows, by which a change names what it saw.
    #[must_use]
    pub fn at_version(self, version: i64) -> Self {
        self.with(header::ETAG, &format!("\"{version}\""))
    }

    /// As it is kept, to be given again.
    pub(crate) fn kept(document: &Value, status: u16) -> Result<Self, Problem> {
        Self::json(status, document)
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        (self.status, self.headers, self.body).into_response()
    }
}
