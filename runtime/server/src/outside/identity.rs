//! Who the house and its agents are, to everybody: their keys as JOSE libraries read them, and the
//! documents of their `did:web` identifiers.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use envelope_evidence::key::{PublicKey, Purpose};
use envelope_market::agents::identity::identity;
use envelope_market::agents::register::Agent;
use envelope_store::{StoreError, signers};
use serde_json::{Value, json};

use crate::{App, Problem};

const JWKS: &str = "application/jwk-set+json";
const DID: &str = "application/did+json";

/// The keys that sign receipts and attestations, and those that did and stay good.
pub(super) async fn keys(State(app): State<Arc<App>>) -> Result<Response, Response> {
    let keys = announced(&app).await.map_err(|why| refused(why.into()))?;
    Ok(answer(JWKS, &set(&keys)))
}

/// The document of the house's own identifier.
pub(super) async fn house(State(app): State<Arc<App>>) -> Result<Response, Response> {
    let keys = announced(&app).await.map_err(|why| refused(why.into()))?;
    let did = app.market.did();
    Ok(answer(DID, &document(&did, &did, &keys)))
}

/// The document of an agent's identifier. Whoever controls it is the house, which keeps its key.
pub(super) async fn agent(
    State(app): State<Arc<App>>,
    path: Result<Path<String>, PathRejection>,
) -> Result<Response, Response> {
    let (agent, keys) = known(&app, path).await.map_err(refused)?;
    Ok(answer(DID, &document(agent.did.as_str(), &app.market.did(), &keys)))
}

/// An agent's keys alone.
pub(super) async fn agent_keys(
    State(app): State<Arc<App>>,
    path: Result<Path<String>, PathRejection>,
) -> Result<Response, Response> {
    let (_, keys) = known(&app, path).await.map_err(refused)?;
    Ok(answer(JWKS, &set(&keys)))
}

async fn known(
    app: &App,
    path: Result<Path<String>, PathRejection>,
) -> Result<(Agent, Vec<PublicKey>), Problem> {
    let unread = |why: PathRejection| Problem::new("MALFORMED", format!("the path: {why}"));
    let Path(id) = path.map_err(unread)?;
    Ok(identity(&mut app.market.house.store.read().await?, &id).await?)
}

/// The key that signs receipts here, and what the house announced to sign for it, but for what was
/// revoked.
async fn announced(app: &App) -> Result<Vec<PublicKey>, StoreError> {
    let own = app.market.receipts.public();
    let mut tx = app.market.house.store.read().await?;
    let known = tx.of(&app.operator).keys().await?;
    let mut all = vec![own];
    for key in known {
        let signs = matches!(key.record.purpose, Purpose::Receipt | Purpose::Attestation);
        if signs && key.state != signers::State::Revoked && key.record.key != own {
            all.push(key.record.key);
        }
    }
    Ok(all)
}

fn set(keys: &[PublicKey]) -> Value {
    json!({ "keys": Vec::from_iter(keys.iter().map(jwk)) })
}

fn jwk(key: &PublicKey) -> Value {
    json!({
        "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": key.id(),
        "x": URL_SAFE_NO_PAD.encode(key.as_bytes()),
    })
}

fn document(did: &str, controller: &str, keys: &[PublicKey]) -> Value {
    let name = |key: &PublicKey| format!("{did}#{}", key.id());
    let methods = keys.iter().map(|key| {
        json!({
            "id": name(key), "type": "JsonWebKey", "controller": did, "publicKeyJwk": jwk(key),
        })
    });
    json!({
        "@context": ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/jwk/v1"],
        "id": did,
        "controller": controller,
        "verificationMethod": Vec::from_iter(methods),
        "assertionMethod": Vec::from_iter(keys.iter().map(name)),
    })
}

fn answer(kind: &'static str, document: &Value) -> Response {
    ([(header::CONTENT_TYPE, kind)], document.to_string()).into_response()
}

fn refused(problem: Problem) -> Response {
    problem.response("")
}
