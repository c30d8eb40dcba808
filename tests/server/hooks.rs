//! Webhooks over HTTP: an address is told, and a library that nobody here wrote opens what it
//! hears.

use envelope_market::Role;
use serde_json::{Value, json};

use super::house::Open;
use super::walk::{id, stall, until};
use crate::market::house::museum;
use crate::net::LOOPBACK;
use crate::net::peer::Peer;
use crate::store::world::both;
use crate::strangers::hooks::opens;

/// What came over one connection: its headers, and the body.
fn heard(text: &str) -> (Value, &str) {
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let lines = head.lines().skip(1).filter_map(|line| line.split_once(": "));
    let headers = lines.map(|(name, value)| (name.to_owned(), json!(value)));
    (Value::Object(headers.collect()), body)
}

#[test]
fn an_address_is_told_of_a_purchase() {
    both(async |world| {
        let (open, peer) = (Open::house(world).await, Peer::start(LOOPBACK));
        let seller = open.join("two-rivers").await;
        let owner = open.join("kamo").await;
        let buyer = open.person(&owner, Role::Buyer).await;
        let new = json!({ "url": format!("http://{}/x", peer.authority()) });
        let hook = open.ask(&owner, "POST /api/v1/hooks", Some(&new)).await.done();
        let at = format!("/api/v1/hooks/{}", id(&hook));
        let shown = open.ask(&owner, &format!("GET {at}"), None).await.done();
        assert_eq!((shown["secret"].is_null(), &shown["url"]), (true, &new["url"]));
        let plain = json!({ "url": "http://hooks.example/x" });
        let refused = open.ask(&owner, "POST /api/v1/hooks", Some(&plain)).await;
        assert_eq!(refused.code(), "INVALID");

        let listing = stall(&open, &seller).await;
        let wish = json!({ "listing": listing["id"], "buyer": museum() });
        let paper = open.ask(&buyer, "POST /api/v1/papers", Some(&wish)).await.done();
        let bought = json!({
            "paper": paper["id"], "listing_digest": paper["listing_digest"],
            "msa_digest": paper["msa_digest"],
        });
        let bought = open.ask(&buyer, "POST /api/v1/purchases", Some(&bought)).await.done();
        let line = format!("GET {at}/deliveries");
        let delivered = |page: &Value| page["data"][0]["state"] == "delivered";
        let page = until(&open, &owner, &line, delivered).await;
        let told = peer.heard();
        let (headers, body) = heard(&told[0]);
        assert_eq!(headers["webhook-id"], page["data"][0]["id"]);
        let document: Value = serde_json::from_str(body).unwrap();
        assert_eq!(document["data"]["purchase"], bought["id"]);
        opens(hook["secret"].as_str().unwrap(), &headers, body, &document);

        // Told again when that is asked for, under the same id; and not at all once it has ended.
        let again =
            format!("POST /api/v1/deliveries/{}/again", page["data"][0]["id"].as_str().unwrap());
        open.ask(&owner, &again, None).await.done();
        until(&open, &owner, &line, |page| page["data"][0]["tries"] == 2).await;
        let second = peer.heard();
        assert_eq!(heard(&second[1]).0["webhook-id"], headers["webhook-id"]);
        open.ask(&owner, &format!("DELETE {at}"), None).await.done();
        // The seller is told of what comes next, and hears it after the buyer would.
        let new = json!({ "url": format!("http://{}/seller", peer.authority()) });
        let other = open.ask(&seller, "POST /api/v1/hooks", Some(&new)).await.done();
        let paid = format!("POST /api/v1/purchases/{}/pay", id(&bought));
        open.ask(&buyer, &paid, None).await.done();
        let line = format!("GET /api/v1/hooks/{}/deliveries", id(&other));
        until(&open, &seller, &line, delivered).await;
        let paths = peer.heard();
        let paths: Vec<_> = paths.iter().map(|it| it.split(' ').nth(1).unwrap()).collect();
        assert_eq!(paths, ["/x", "/x", "/seller"]);
        open.close().await;
    });
}
