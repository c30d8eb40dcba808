//! What stands outside the API: health, metrics, keys, promises, and how to reach whoever keeps
//! the house.

pub(crate) mod contact;
mod identity;
pub mod trust;

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;

use crate::App;

pub(crate) fn router(app: &Arc<App>) -> Router {
    Router::new()
        .route("/livez", get(async || "ok\n"))
        .route("/readyz", get(ready))
        .route("/metrics", get(async |State(app): State<Arc<App>>| app.metrics()))
        .route("/.well-known/security.txt", get(contact::security))
        .route("/.well-known/jwks.json", get(identity::keys))
        .route("/.well-known/did.json", get(identity::house))
        .route("/agents/{agent}/did.json", get(identity::agent))
        .route("/agents/{agent}/jwks.json", get(identity::agent_keys))
        .route("/trust", get(trust::page))
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
