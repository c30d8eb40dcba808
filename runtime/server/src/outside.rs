//! What stands outside the API: health, metrics, keys, and how to reach whoever keeps the house.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use envelope_evidence::key::{PublicKey, Purpose};
use envelope_evidence::time::Rfc3339;
use envelope_node::now;
use envelope_store::{StoreError, signers};
use serde_json::json;

use crate::{App, Problem};

/// How long the file of contacts says that it holds, in milliseconds: half a year.
const CONTACT_MILLIS: u64 = 182 * 24 * 3600 * 1000;

pub(crate) fn router(app: &Arc<App>) -> Router {
    Router::new()
        .route("/livez", get(async || "ok\n"))
        .route("/readyz", get(ready))
        .route("/metrics", get(async |State(app): State<Arc<App>>| app.metrics()))
        .route("/.well-known/security.txt", get(security))
        .route("/.well-known/jwks.json", get(keys))
        .route("/trust", get(trust))
        .with_state(Arc::clone(app))
}

/// Whether it can do its work: what is checked, line by line.
async fn ready(State(app): State<Arc<App>>) -> Response {
    let store = app.market.house.store.read().await;
    let checks = [("staying", !app.is_leaving()), ("store", store.is_ok())];
    let well = checks.iter().all(|(_, well)| *well);
    let status = if well { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let line =
        |(name, well): &(&str, bool)| format!("{} {name}\n", if *well { "ok  " } else { "FAIL" });
    (status, String::from_iter(checks.iter().map(line))).into_response()
}

async fn security(State(app): State<Arc<App>>) -> Response {
    let domain = &app.market.domain;
    let until = now().millis().saturating_add(CONTACT_MILLIS);
    let until = envelope_evidence::Timestamp::from_millis(until).unwrap_or(now());
    let until = serde_json::to_string(&Rfc3339(until)).unwrap_or_default();
    let until = until.trim_matches('"');
    let text = format!(
        "Contact: mailto:security@{domain}\nExpires: {until}\nPreferred-Languages: en\n\
         Canonical: https://{domain}/.well-known/security.txt\nPolicy: https://{domain}/trust\n"
    );
    ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response()
}

/// The keys that sign receipts, and those that did and stay good, as JOSE libraries read them.
async fn keys(State(app): State<Arc<App>>) -> Result<Response, Response> {
    let mut all = vec![app.market.receipts.public()];
    let known = announced(&app).await;
    all.extend(known.map_err(|why| Problem::from(why).response(""))?);
    let keys = all.iter().map(|key| {
        json!({
            "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": key.id(),
            "x": URL_SAFE_NO_PAD.encode(key.as_bytes()),
        })
    });
    let kind = [(header::CONTENT_TYPE, "application/jwk-set+json")];
    Ok((kind, json!({ "keys": Vec::from_iter(keys) }).to_string()).into_response())
}

/// What the house announced of such keys, but for those that were revoked.
async fn announced(app: &App) -> Result<Vec<PublicKey>, StoreError> {
    let mut tx = app.market.house.store.read().await?;
    let keys = tx.of(&app.operator).keys().await?.into_iter();
    let good = keys.filter(|key| {
        key.record.purpose == Purpose::Receipt && key.state != signers::State::Revoked
    });
    let mut all: Vec<_> = good.map(|key| key.record.key).collect();
    all.retain(|key| *key != app.market.receipts.public());
    Ok(all)
}

/// What the house promises, and how each is checked by whoever does not believe it.
async fn trust(State(app): State<Arc<App>>) -> Response {
    let claims = [
        ("Receipts are signed by this house", "/.well-known/jwks.json"),
        ("What this API does stands in one document", "/api/v1/openapi.json"),
        ("It is at work", "/readyz"),
        ("Whom to tell of a weakness", "/.well-known/security.txt"),
    ];
    let lines = claims.map(|(claim, at)| format!("<li>{claim}: <a href=\"{at}\">{at}</a></li>\n"));
    let page = format!(
        "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>Trust</title>\n\
         <h1>{domain}</h1>\n<p>Whoever does not believe a line follows its link. A receipt is \
         checked without us: <code>envelope verify</code>.</p>\n<ul>\n{lines}</ul>\n</html>\n",
        domain = app.market.domain,
        lines = lines.concat()
    );
    let kind = [(header::CONTENT_TYPE, "text/html; charset=utf-8")];
    (kind, page).into_response()
}
