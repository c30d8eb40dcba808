//! The whole story over HTTP: two organisations, an agent, a purchase, a run, and the money.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use envelope_market::Role;
use envelope_terms::badge::Pillar;
use serde_json::{Value, json};

use super::house::{Open, Reply};
use crate::market::house::{museum, offered};
use crate::node::house::COMPONENT;
use crate::store::world::both;

/// Its id.
pub fn id(document: &Value) -> &str {
    document["id"].as_str().unwrap()
}

/// The offer of an agent that has a badge.
pub async fn stall(open: &Open, seller: &str) -> Value {
    let new = json!({ "name": "Label Translator" });
    let agent = open.ask(seller, "POST /api/v1/agents", Some(&new)).await.done();
    let line = format!("POST /api/v1/agents/{}/releases", id(&agent));
    let wasm = Some(("application/wasm", COMPONENT.to_vec()));
    let release = open.send(seller, &line, wasm, &["idempotency-key: 1"]).await.done();
    let text = std::fs::read_to_string("../policies/msa.template.md").unwrap();
    let msa = open.ask(seller, "POST /api/v1/msas", Some(&json!({ "text": text }))).await.done();
    let new = offered(&agent, &release, &msa, 180_000);
    let listing = open.ask(seller, "POST /api/v1/listings", Some(&new)).await.done();
    let line = format!("POST /api/v1/listings/{}/offer", id(&listing));
    assert_eq!(open.ask(seller, &line, None).await.code(), "BADGE_MISSING");
    for pillar in Pillar::ALL {
        let oath = json!({
            "org": "two-rivers", "agent": agent["id"], "pillar": pillar, "seconds": 3600,
            "evidence": envelope_evidence::Digest::of(b"seen").to_string(),
        });
        let sworn = open.ask(&open.operator, "POST /api/v1/attestations", Some(&oath)).await;
        sworn.done();
    }
    open.ask(seller, &line, None).await.done()
}

/// Asks until what is shown is as wanted.
pub async fn until(open: &Open, key: &str, line: &str, holds: impl Fn(&Value) -> bool) -> Value {
    for _ in 0..1200 {
        let document = open.ask(key, line, None).await.done();
        if holds(&document) {
            return document;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("`{line}` does not come");
}

#[test]
fn the_story_is_told_over_http() {
    both(async |world| {
        let open = Open::house(world).await;
        let seller = open.join("two-rivers").await;
        let owner = open.join("kamo").await;
        let buyer = open.person(&owner, Role::Buyer).await;
        let listing = stall(&open, &seller).await;
        let public = open.ask("", "GET /api/v1/listings", None).await.done();
        assert_eq!(public["data"][0]["id"], listing["id"]);

        let wish = json!({ "listing": listing["id"], "buyer": museum() });
        let paper = open.ask(&buyer, "POST /api/v1/papers", Some(&wish)).await.done();
        let buy = |listing: &Value| {
            json!({
                "paper": paper["id"], "listing_digest": listing, "msa_digest": paper["msa_digest"],
            })
        };
        let other = json!(envelope_evidence::Digest::of(b"other").to_string());
        let refused = open.ask(&buyer, "POST /api/v1/purchases", Some(&buy(&other))).await;
        assert_eq!((refused.status, refused.code().as_str()), (409, "LISTING_MODIFIED"));
        assert_eq!(refused.json()["seen"]["listing"], other);
        assert_eq!(refused.json()["current"]["listing"], paper["listing_digest"]);
        let bought = buy(&paper["listing_digest"]);
        let bought = open.ask(&buyer, "POST /api/v1/purchases", Some(&bought)).await.done();
        let at = format!("/api/v1/purchases/{}", id(&bought));
        let asked = open.ask(&buyer, &format!("POST {at}/pay"), None).await.done();
        let funded = settle(&open, &at, asked).await;
        assert_eq!(funded["state"], "ESCROW_FUNDED");

        let start = json!({
            "purchase": bought["id"],
            "args": ["read labels/ja.md", "read secrets/key", "write labels/en Hokusai"],
            "files": [{ "path": "labels/ja.md", "base64": STANDARD.encode("北斎") }],
        });
        let headers = ["idempotency-key: run", "prefer: wait=60"];
        let run = open.ask_with(&buyer, "POST /api/v1/runs", Some(&start), &headers).await.done();
        let run_at = format!("/api/v1/runs/{}", run["run"].as_str().unwrap());
        let ended = open.ask(&buyer, &format!("GET {run_at}"), None).await.done();
        assert_eq!((&ended["state"], &ended["outcome"]), (&json!("ended"), &json!("ok")));
        watched(&open, &buyer, &run_at).await;
        verified(&open, &buyer, &run_at).await;

        let worked = |purchase: &Value| purchase["runs"].as_array().unwrap().len() == 1;
        let told = until(&open, &seller, &format!("GET {at}"), worked).await;
        assert_eq!(told["runs"][0], ended["receipt"]);
        let staged = open.ask(&seller, &format!("POST {at}/deliver"), None).await.done();
        assert_eq!(staged["state"], "DELIVERABLE_STAGED");
        let accepted = open.ask(&buyer, &format!("POST {at}/accept"), Some(&json!({}))).await;
        let settled = settle(&open, &at, accepted.done()).await;
        assert_eq!(
            (&settled["state"], &settled["money"]["held"]),
            (&json!("FUNDS_RELEASED"), &json!(0))
        );
        let receipts =
            open.ask(&seller, &format!("GET {at}/receipts?limit=100"), None).await.done();
        let count = receipts["data"].as_array().unwrap().len();
        assert_eq!(json!(count), settled["receipts"]);

        hidden(&open, [&at, &run_at, id(&paper)]).await;
        open.close().await;
    });
}

/// The operator moves all money that is ordered, and says so.
pub async fn settle(open: &Open, at: &str, mut purchase: Value) -> Value {
    while let Some(order) = purchase["money"]["orders"].get(0) {
        let said = json!({ "org": purchase["buyer"], "order": order["id"] });
        let told = open.ask(&open.operator, &format!("POST {at}/money"), Some(&said)).await;
        purchase = told.done();
    }
    purchase
}

/// Others see none of it, whatever they are.
async fn hidden(open: &Open, [at, run_at, paper]: [&str; 3]) {
    let stranger = open.join("stranger").await;
    let lines = [
        format!("GET {at}"),
        format!("GET {run_at}"),
        format!("GET {run_at}/receipt"),
        format!("GET {run_at}/events"),
        format!("GET {at}/receipts"),
        format!("POST {at}/pay"),
        format!("POST {at}/cure"),
        format!("GET /api/v1/papers/{paper}"),
    ];
    for line in lines {
        let refused = open.ask(&stranger, &line, None).await;
        assert_eq!((refused.status, refused.code().as_str()), (404, "NOT_FOUND"), "{line}");
    }
}

/// The record of a run, as pages and as a stream that is taken up again.
async fn watched(open: &Open, buyer: &str, run_at: &str) {
    let page = open.ask(buyer, &format!("GET {run_at}/events?limit=100"), None).await.done();
    let lines = page["data"].as_array().unwrap();
    let kinds: Vec<_> = lines.iter().map(|line| line["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds.first(), Some(&"begun"));
    assert!(kinds.contains(&"denied") && kinds.contains(&"ended"), "{kinds:?}");
    let stream = async |last: &str| {
        let headers = ["accept: text/event-stream", last];
        open.ask_with(buyer, &format!("GET {run_at}/events"), None, &headers).await
    };
    let whole = stream("last-event-id: 0").await;
    assert_eq!(whole.header("content-type"), Some("text/event-stream"));
    assert_eq!(whole.text.matches("\nevent: ").count(), lines.len());
    let rest = stream("last-event-id: 2").await;
    assert_eq!(rest.text.matches("\nevent: ").count(), lines.len() - 2);
    assert!(rest.text.starts_with("id: 3\n"), "{}", rest.text);
}

/// The receipt of a run holds for a stranger who knows the house's key.
async fn verified(open: &Open, buyer: &str, run_at: &str) {
    use envelope_evidence::key::{PublicKey, Purpose, Window};
    use envelope_evidence::keyring::{KeyRecord, KeyRing};
    use envelope_evidence::receipt::Folder;
    let receipt = open.ask(buyer, &format!("GET {run_at}/receipt"), None).await;
    assert_eq!(receipt.status, 200);
    let folder = Folder::of_one_file(receipt.text.as_bytes()).unwrap();
    let keys: Reply = open.ask("", "GET /.well-known/jwks.json", None).await;
    let x = keys.json()["keys"][0]["x"].as_str().unwrap().to_owned();
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(x).unwrap();
    let key = PublicKey::from_bytes(&bytes.try_into().unwrap()).unwrap();
    let record = KeyRecord { key, purpose: Purpose::Receipt, window: Window::ALWAYS };
    let report = envelope_evidence::verify::verify(&folder, &KeyRing::new([record]).unwrap());
    assert!(report.verified(), "{:?}", report.first_failure());
    let said = report.said.unwrap();
    assert!(said.receipt.paper.is_some(), "it names what was bought");
}

#[test]
fn what_stands_outside_tells_how_it_is() {
    both(async |world| {
        let open = Open::house(world).await;
        assert_eq!(open.ask("", "GET /livez", None).await.text, "ok\n");
        let ready = open.ask("", "GET /readyz", None).await;
        assert_eq!((ready.status, ready.text.contains("ok   store")), (200, true));
        open.ask("", "GET /api/v1/listings", None).await.done();
        let metrics = open.ask("", "GET /metrics", None).await.text;
        let line = "envelope_requests_total{operation=\"listings\",status=\"200\"} 1";
        assert!(metrics.contains(line), "{metrics}");
        open.close().await;
    });
}
