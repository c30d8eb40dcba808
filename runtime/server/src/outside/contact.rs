//! How to reach whoever keeps the house, about a weakness (RFC 9116).

use std::sync::Arc;

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use envelope_evidence::Timestamp;
use envelope_evidence::time::Rfc3339;
use envelope_node::now;

use crate::{App, Problem};

/// How long the file says that it holds, in milliseconds: half a year. RFC 9116 advises less than
/// one.
const HOLDS_MILLIS: u64 = 182 * 24 * 3600 * 1000;

/// Characters of an address.
const CHARS_MAX: usize = 500;

/// With what an address begins.
const SCHEMES: [&str; 3] = ["mailto:", "https://", "tel:"];

/// Where whoever found a weakness tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact(String);

impl std::str::FromStr for Contact {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let begins = SCHEMES.iter().any(|scheme| {
            let rest = text.strip_prefix(scheme);
            rest.is_some_and(|rest| !rest.is_empty())
        });
        let plain = text.bytes().all(|byte| byte.is_ascii_graphic());
        if begins && plain && text.len() <= CHARS_MAX {
            return Ok(Self(text.to_owned()));
        }
        Err(format!(
            "want an address that begins with {}, of at most {CHARS_MAX} characters, none a space",
            SCHEMES.join(", ")
        ))
    }
}

/// The file, if the house has an address: one that nobody reads would be worse than none.
pub(super) async fn security(State(app): State<Arc<App>>) -> Response {
    let Some(Contact(contact)) = &app.contact else {
        return Problem::new("NOT_FOUND", "this house names no contact").response("");
    };
    let domain = &app.market.domain;
    let text = format!(
        "Contact: {contact}\nExpires: {until}\nPreferred-Languages: en\n\
         Canonical: https://{domain}/.well-known/security.txt\nPolicy: https://{domain}/trust\n",
        until = until(),
    );
    ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response()
}

fn until() -> String {
    let until = Timestamp::from_millis(now().millis().saturating_add(HOLDS_MILLIS));
    let until = serde_json::to_string(&Rfc3339(until.unwrap_or(Timestamp::MAX)));
    until.unwrap_or_default().trim_matches('"').to_owned()
}
