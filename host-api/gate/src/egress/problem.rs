//! A refusal as an answer: what an ordinary HTTP client shows, and what an agent can act on.

use bytes::Bytes;
use envelope_rules::denial::{Code, Denial, Row, WitCase};
use envelope_rules::egress::rule::RuleDocument;
use envelope_rules::egress::target::Target;
use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue};
use serde_json::{Value, json};

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
pub type Answer = (u16, Headers, Bytes);

type Headers = Vec<(HeaderName, HeaderValue)>;

/// Whether a header of a peer would be taken for a refusal of this host.
pub fn is_ours(name: &HeaderName) -> bool {
    *name == DENIED
}

/// The answer that says `denial` about `asked`: a problem document (RFC 9457).
pub fn answer(denial: &Denial, asked: &Asked<'_>) -> Answer {
    let (status, headers, problem) = document(denial, asked);
    (status, headers, problem.to_string().into())
}

/// The same, its document not written out yet.
pub(crate) fn document(denial: &Denial, asked: &Asked<'_>) -> (u16, Headers, Value) {
    let row = denial.row();
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
        "rule_missing": missing(row, asked).map(|rule| rule.to_string()),
        "scope_helps": row.scope_helps,
        "next": row.next,
    });
    let headers = vec![
        (CONTENT_TYPE, HeaderValue::from_static("application/problem+json")),
        (DENIED, HeaderValue::from_static(row.name)),
    ];
    (row.status, headers, problem)
}

/// The rule that would have let the request through, where it was for want of one that it did not.
fn missing(row: &Row, asked: &Asked<'_>) -> Option<RuleDocument> {
    let lacks = matches!(row.wit, WitCase::Egress) || row.code == Code::NotGranted;
    if !lacks || !row.scope_helps {
        return None;
    }
    let Asked { method, scheme, authority, path } = *asked;
    Target::from_parts(method, scheme, authority, path).ok().as_ref().and_then(RuleDocument::of)
}

fn shown(text: &str) -> String {
    text.chars().take(SHOWN_CHARS_MAX).collect()
}
