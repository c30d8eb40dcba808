//! PyJWT and jose check what the house and its agents sign, with the keys that are served.

use serde_json::{Value, json};

use super::stranger::{NODE, PYTHON};
use crate::server::house::Open;
use crate::server::village::Village;
use crate::store::world::both;

async fn served(open: &Open, path: &str, kind: &str) -> Value {
    let found = open.ask("", &format!("GET {path}"), None).await;
    assert_eq!(found.header("content-type"), Some(kind), "{found:?}");
    found.done()
}

/// The keys in the document of an identifier, which has to be that of `did`.
async fn resolved(open: &Open, did: &str) -> Value {
    // As the method `did:web` says: a colon is a slash, and without a path it is well known.
    let rest = did.strip_prefix("did:web:market.example").unwrap();
    let folder = if rest.is_empty() { "/.well-known".to_owned() } else { rest.replace(':', "/") };
    let document = served(open, &format!("{folder}/did.json"), "application/did+json").await;
    assert_eq!((&document["id"], &document["controller"]), (&json!(did), &json!(HOUSE)));
    let methods = document["verificationMethod"].as_array().unwrap();
    for (method, name) in methods.iter().zip(document["assertionMethod"].as_array().unwrap()) {
        let kid = method["publicKeyJwk"]["kid"].as_str().unwrap();
        assert_eq!((&method["id"], name), (&json!(format!("{did}#{kid}")), &method["id"]));
    }
    let keys: Vec<_> = methods.iter().map(|method| method["publicKeyJwk"].clone()).collect();
    let listed = served(open, &format!("{folder}/jwks.json"), "application/jwk-set+json").await;
    assert_eq!(listed, json!({ "keys": keys }), "both tell the same keys");
    listed
}

const HOUSE: &str = "did:web:market.example";

#[test]
fn what_the_house_signs_is_checked_with_the_keys_it_serves() {
    both(async |world| {
        let village = Village::new(world).await;
        let (open, seller) = (&village.open, &village.seller);
        let get = async |path: String| open.ask(seller, &format!("GET /api/v1{path}"), None).await;
        let agent = get(format!("/agents/{}", village.id("agent"))).await.done();
        let did = agent["did"].as_str().unwrap();
        let card = get(format!("/listings/{}/card", village.id("listing"))).await;
        assert_eq!(card.header("content-type"), Some("application/jose"));
        let oath = get(format!("/attestations/{}", village.id("attestation"))).await.done();
        let receipts = get(format!("/purchases/{}/receipts", village.id("purchase"))).await.done();
        let receipt = receipts["data"][0]["envelope"].clone();

        let (house, agents) = (resolved(open, HOUSE).await, resolved(open, did).await);
        let (start, end) = card.text.rsplit_once('.').unwrap();
        let other = if end.starts_with('A') { 'B' } else { 'A' };
        let forged = format!("{start}.{other}{}", &end[1..]);
        let mut altered = oath.clone();
        altered["payload"] = receipt["payload"].clone();
        let asked = json!({
            "tokens": [[card.text, agents], [card.text, house], [forged, agents]],
            "envelopes": [
                [oath, house], [receipt, house], [oath, agents], [altered, house],
            ],
        });
        for answers in [PYTHON.ask("identity.py", &asked), NODE.ask("identity.mjs", &asked)] {
            let Some(answers) = answers else { continue };
            judge(&answers, did);
        }
        let nobody = open.ask("", "GET /agents/agt_nobody/did.json", None).await;
        assert_eq!((nobody.status, nobody.code().as_str()), (404, "NOT_FOUND"));
        village.open.close().await;
    });
}

fn judge(answers: &Value, did: &str) {
    let claims = &answers["tokens"][0];
    assert_eq!((&claims["iss"], &claims["sub"]), (&json!(did), &json!(did)), "{answers}");
    assert!(claims["card"].is_object(), "{claims}");
    let oath = &answers["envelopes"][0]["predicate"];
    assert_eq!((&oath["iss"], &oath["sub"]), (&json!(HOUSE), &json!(did)), "{answers}");
    assert!(answers["envelopes"][1]["predicate"].is_object(), "{answers}");
    // Another's keys, or another signature or payload: each is refused.
    for wrong in ["/tokens/1", "/tokens/2", "/envelopes/2", "/envelopes/3"] {
        assert!(answers.pointer(wrong).unwrap().is_string(), "{wrong}: {answers}");
    }
}
