//! What the house promises, and how each promise is checked by whoever does not believe it.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};

use crate::App;

/// A promise.
#[derive(Debug, Clone, Copy)]
pub struct Claim {
    /// What is promised.
    pub what: &'static str,
    /// How it is checked.
    pub check: Check,
}

/// How a promise is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Check {
    /// By asking this house.
    At(&'static str),
    /// By a command, anywhere.
    Run(&'static str),
    /// By a test of the sources, by its name.
    Test(&'static str),
}

/// All of them.
pub const CLAIMS: &[Claim] = &[
    claim("It is at work", Check::At("/readyz")),
    claim("What its API does stands in one document", Check::At("/api/v1/openapi.json")),
    claim(
        "The API does what that document says, and nothing else",
        Check::Test("strangers::api::the_server_does_what_its_document_says"),
    ),
    claim("Receipts are signed by keys that it tells", Check::At("/.well-known/jwks.json")),
    claim("A receipt is checked without the house", Check::Run("envelope verify")),
    claim("Its identifier is its own", Check::At("/.well-known/did.json")),
    claim(
        "Agents sign their cards by keys of their own",
        Check::Test("strangers::identity::what_the_house_signs_is_checked_with_the_keys_it_serves"),
    ),
    claim(
        "An organisation sees nothing of another's",
        Check::Test("server::isolation::nobody_reaches_what_is_another_organisations"),
    ),
    claim(
        "Nobody buys terms that they did not see",
        Check::Test("market::refusals::nobody_buys_what_they_did_not_see"),
    ),
    claim(
        "What is asked twice under one key happens once",
        Check::Test("server::calls::what_is_asked_twice_under_one_key_happens_once"),
    ),
    claim("Whoever finds a weakness is heard", Check::At(SECURITY)),
];

const SECURITY: &str = "/.well-known/security.txt";

const fn claim(what: &'static str, check: Check) -> Claim {
    Claim { what, check }
}

impl Check {
    /// Its kind, and what to follow.
    pub const fn told(self) -> (&'static str, &'static str) {
        match self {
            Self::At(path) => ("at", path),
            Self::Run(command) => ("run", command),
            Self::Test(name) => ("test", name),
        }
    }
}

/// The promises: as a page, or as JSON for whoever asks for that alone.
pub(super) async fn page(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    let contact = app.contact.is_some();
    let all: Vec<_> =
        CLAIMS.iter().filter(|claim| contact || claim.check != Check::At(SECURITY)).collect();
    let (kind, text) = if wants_json(&headers) {
        let claims = Vec::from_iter(all.into_iter().map(row));
        let document = json!({ "house": app.market.domain, "claims": claims });
        ("application/json", document.to_string())
    } else {
        ("text/html; charset=utf-8", html(&app.market.domain, &all))
    };
    let headers = [(header::CONTENT_TYPE, kind), (header::VARY, "Accept")];
    (headers, text).into_response()
}

/// Whether JSON is named before any page is: browsers name pages first.
fn wants_json(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    let kinds = accept.unwrap_or_default().split(',');
    let mut kinds = kinds.map(|kind| kind.split(';').next().unwrap_or_default().trim());
    let first = kinds.find(|kind| ["application/json", "text/html", "*/*"].contains(kind));
    first == Some("application/json")
}

fn row(claim: &Claim) -> Value {
    let (kind, how) = claim.check.told();
    json!({ "claim": claim.what, "check": { kind: how } })
}

fn html(domain: &str, claims: &[&Claim]) -> String {
    let line = |claim: &&Claim| {
        let how = match claim.check {
            Check::At(path) => format!("<a href=\"{path}\">{path}</a>"),
            Check::Run(command) => format!("<code>{command}</code>"),
            Check::Test(name) => format!("the test <code>{name}</code>"),
        };
        format!("<li>{}: {how}</li>\n", claim.what)
    };
    let lines = String::from_iter(claims.iter().map(line));
    let domain = escaped(domain);
    format!(
        "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>Trust</title>\n\
         <h1>{domain}</h1>\n<p>Whoever does not believe a line checks it.</p>\n<ul>\n{lines}</ul>\n\
         </html>\n"
    )
}

/// The operator chooses the name, and no name is a mark.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
