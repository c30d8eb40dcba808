//! Kill switches over HTTP: whoever may throw one is obeyed, and nobody else is.

use envelope_evidence::Digest;
use envelope_market::Role;
use serde_json::{Value, json};

use super::house::Open;
use crate::store::world::both;

const STOPS: &str = "/api/v1/stops";

fn word(kind: &str, id: &str) -> Value {
    json!({ "target": { "kind": kind, "id": id }, "reason": "it loops" })
}

#[test]
fn whoever_may_throws_a_switch_and_lifts_it() {
    both(async |world| {
        let open = Open::house(world).await;
        let owner = open.join("kamo").await;
        let buyer = open.person(&owner, Role::Buyer).await;
        let other = open.join("other").await;
        let paper = Digest::of(b"paper").to_string();
        let everybody = json!({ "target": { "kind": "all" }, "reason": "fire" });
        let throw = async |key: &str, word: &Value| {
            open.ask(key, &format!("POST {STOPS}"), Some(word)).await
        };
        let lift = async |key: &str, word: &Value| {
            open.ask(key, &format!("POST {STOPS}/lift"), Some(word)).await
        };
        let list = async |key: &str| {
            let page = open.ask(key, &format!("GET {STOPS}"), None).await.done();
            page["data"].as_array().unwrap().len()
        };
        for (key, word) in [
            (&buyer, word("run", "run_1")),
            (&owner, word("agent", "scribe@market")),
            (&owner, word("paper", &paper)),
            (&owner, word("organisation", "kamo")),
            (&open.operator, word("organisation", "kamo")),
            (&open.operator, everybody.clone()),
        ] {
            let before = list(key).await;
            let thrown = throw(key, &word).await.done();
            assert_eq!((&thrown["target"], &thrown["reason"]), (&word["target"], &word["reason"]));
            let again = json!({ "target": word["target"], "reason": "another" });
            let again = throw(key, &again).await.done();
            assert_eq!(again["reason"], word["reason"], "the first reason stays");
            assert_eq!(list(key).await, before + 1);
            assert_eq!(lift(&other, &word).await.status / 100, 4, "{word}");
            lift(key, &word).await.done();
            assert_eq!(list(key).await, before);
            assert_eq!(lift(key, &word).await.code(), "NOT_FOUND");
        }
        for (key, word, code) in [
            (&buyer, word("paper", &paper), "ROLE_MISSING"),
            (&owner, everybody, "ROLE_MISSING"),
            (&owner, word("organisation", "other"), "ROLE_MISSING"),
            (&owner, word("paper", "pap_1"), "INVALID"),
            (&owner, json!({ "target": { "kind": "run", "id": "r" }, "reason": " " }), "INVALID"),
        ] {
            assert_eq!(throw(key, &word).await.code(), code, "{word}");
        }
        assert_eq!((list(&owner).await, list(&open.operator).await), (0, 0));
        open.close().await;
    });
}
