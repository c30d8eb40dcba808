//! What goes wrong, as RFC 9457 has it told; and the one table of codes.

mod codes;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use envelope_market::Refused;
use envelope_node::NodeError;
use envelope_store::StoreError;
use envelope_terms::purchase::{Refused as Unsold, Seen};
use serde_json::{Map, Value, json};

pub use codes::{CODES, Code, find};

/// Something that was asked for and not done.
#[derive(Debug, Clone)]
pub struct Problem {
    code: &'static str,
    detail: String,
    more: Map<String, Value>,
}

impl Problem {
    /// A problem with a code of the table.
    pub fn new(code: &'static str, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), more: Map::new() }
    }

    fn meanwhile() -> Self {
        let told = "others decided at the same moment: load it again and decide afresh";
        Self::new("CHANGED_MEANWHILE", told)
    }

    /// The same, with a member more.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.more.insert(name.to_owned(), value.into());
        self
    }

    /// Its code.
    pub const fn code(&self) -> &'static str {
        self.code
    }

    /// What went wrong, for whoever keeps the house.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// As it is told. What went wrong inside is not told to anybody outside.
    pub fn response(self, request: &str) -> Response {
        let row = find(self.code);
        let status = StatusCode::from_u16(row.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let inside = status == StatusCode::INTERNAL_SERVER_ERROR;
        let detail = if inside { "see the log of the server" } else { self.detail.as_str() };
        let mut body = json!({
            "type": format!("urn:envelope:problem:{}", self.code.to_lowercase()),
            "title": row.title,
            "status": row.status,
            "detail": detail,
            "code": self.code,
            "request": request,
        });
        if let Value::Object(members) = &mut body {
            members.extend(self.more.clone());
        }
        let kind = HeaderValue::from_static("application/problem+json");
        let mut response =
            (status, [(header::CONTENT_TYPE, kind)], body.to_string()).into_response();
        let headers = response.headers_mut();
        if status == StatusCode::UNAUTHORIZED {
            let how = HeaderValue::from_static("Bearer realm=\"envelope\"");
            headers.insert(header::WWW_AUTHENTICATE, how);
        }
        if let Some(after) = self.more.get("retry_after").and_then(Value::as_u64) {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(after));
        }
        response
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        if refused.passes() {
            return Self::meanwhile();
        }
        let (code, detail) = (refused.code(), refused.to_string());
        let problem = Self::new(code, detail);
        if let Refused::Invalid { field, .. } = refused {
            problem.with("param", field)
        } else if let Refused::Purchase(Unsold::ListingModified(both)) = refused {
            let seen = |one: Seen| json!({ "listing": one.listing, "msa": one.msa });
            problem.with("seen", seen(both.seen)).with("current", seen(both.current))
        } else if let Refused::Flawed(report) = refused {
            let flaws = report.diagnostics().iter().map(|flaw| {
                json!({
                    "code": flaw.code.name(), "message": flaw.message, "help": flaw.help,
                    "start": flaw.start, "end": flaw.end,
                })
            });
            problem.with("flaws", Vec::from_iter(flaws))
        } else if let Refused::Store(why) | Refused::Node(NodeError::Store(why)) = refused {
            why.into()
        } else {
            problem
        }
    }
}

impl From<StoreError> for Problem {
    fn from(why: StoreError) -> Self {
        if matches!(why, StoreError::Org(_)) {
            return Self::new("INVALID", why.to_string());
        }
        if why.passes() {
            return Self::meanwhile();
        }
        Self::new("INTERNAL", why.to_string())
    }
}
