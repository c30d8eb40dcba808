//! A refusal as an answer: what an ordinary HTTP client shows, and what an agent can act on.

use bytes::Bytes;
use envelope_rules::denial::Denial;
use envelope_rules::egress::rule::RuleDocument;
use envelope_rules::egress::target::Target;
use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue};
use serde_json::json;

/// The header that tells a refusal of this host from an answer of the peer: its code. Peers that
/// send it are not heard: see [`is_ours`].
const DENIED: HeaderName = HeaderName::from_static("envelope-denied");

/// Characters of the guest's own words that are said back: enough to know them again.
const SHOWN_CHARS_MAX: usize = 256;

/// What the guest asked for, in its own words.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The method.
    pub method: &'a str,
    /// The scheme.
    pub scheme: &'a str,
    /// The host, and the port if it named one.
    pub authority: &'a str,
    /// The path and the query.
    pub path: &'a str,
}

/// An answer: status, headers, body.
pub type Answer = (u16, Vec<(HeaderName, HeaderValue)>, Bytes);

/// Whether a header of a peer would be taken for a refusal of this host.
pub fn is_ours(name: &HeaderName) -> bool {
    *name == DENIED
}

/// The answer that says `denial` about `asked`: a problem document (RFC 9457).
pub fn answer(denial: &Denial, asked: &Asked<'_>) -> Answer {
    let row = denial.row();
    let target = Target::from_parts(asked.method, asked.scheme, asked.authority, asked.path);
    let missing =
        target.ok().filter(|_| row.scope_helps).map(|it| RuleDocument::of(&it).to_string());
    let path = asked.path.split(['?', '#']).next().unwrap_or_default();
    // Before an `@` stand passwords.
    let host = asked.authority.rsplit('@').next().unwrap_or_default();
    let problem = json!({
        "type": format!("urn:envelope:denied:{}", row.name),
        "title": row.meaning,
        "status": row.status,
        "detail": denial.detail(),
        "code": row.name,
        "layer": row.wit.name(),
        "method": shown(asked.method),
        "host": shown(host),
        "path": shown(path),
        "rule_missing": missing,
        "scope_helps": row.scope_helps,
        "next": row.next,
    });
    let headers = vec![
        (CONTENT_TYPE, HeaderValue::from_static("application/problem+json")),
        (DENIED, HeaderValue::from_static(row.name)),
    ];
    (row.status, headers, problem.to_string().into())
}

fn shown(text: &str) -> String {
    text.chars().take(SHOWN_CHARS_MAX).collect()
}
