//! The path of a request: who it is, whether they may, what they say, and once.

use std::sync::Arc;

use envelope_market::Role;
use serde_json::json;
use tokio::task::JoinSet;

use super::house::Open;
use crate::store::world::both;

const AGENTS: &str = "POST /api/v1/agents";

#[test]
fn a_key_is_shown_once_and_known_until_it_is_taken_back() {
    both(async |world| {
        let open = Open::house(world).await;
        let owner = open.join("two-rivers").await;
        let own = "GET /api/v1/organisation";
        assert_eq!(open.ask(&owner, own, None).await.done()["id"], "two-rivers");
        for wrong in [
            "",
            "env_live_x",
            &owner[..owner.len() - 1],
            &owner.replace("env_live_0", "env_live_1"),
        ] {
            let refused = open.ask(wrong, own, None).await;
            assert_eq!((refused.status, refused.code().as_str()), (401, "SIGN_IN"), "{wrong}");
            assert!(refused.header("www-authenticate").unwrap().starts_with("Bearer"));
        }
        let made =
            open.ask(&owner, "POST /api/v1/keys", Some(&json!({ "name": "ci" }))).await.done();
        let (id, token) = (made["id"].as_str().unwrap(), made["token"].as_str().unwrap());
        assert_eq!(open.ask(token, own, None).await.status, 200);
        let listed = open.ask(&owner, "GET /api/v1/keys", None).await;
        assert!(!listed.text.contains(&token[40..100]), "a secret is never shown again");
        assert_eq!(open.ask(&owner, &format!("DELETE /api/v1/keys/{id}"), None).await.status, 200);
        assert_eq!(open.ask(token, own, None).await.status, 401);
        open.close().await;
    });
}

#[test]
fn what_is_asked_twice_under_one_key_happens_once() {
    both(async |world| {
        let open = Open::house(world).await;
        let owner = open.join("two-rivers").await;
        let body = json!({ "name": "Label Translator" });
        assert_eq!(open.ask_with(&owner, AGENTS, Some(&body), &[]).await.code(), "KEY_MISSING");
        let key = ["idempotency-key: one"];
        let open = Arc::new(open);
        let mut all = JoinSet::new();
        for _ in 0..12 {
            let (open, owner, body) = (open.clone(), owner.clone(), body.clone());
            all.spawn(async move { open.ask_with(&owner, AGENTS, Some(&body), &key).await });
        }
        let mut replies = Vec::new();
        while let Some(reply) = all.join_next().await {
            let reply = reply.unwrap();
            assert_eq!(reply.status, 201, "{reply:?}");
            replies.push((reply.header("idempotent-replayed").is_some(), reply.text));
        }
        assert_eq!(replies.iter().filter(|(again, _)| !again).count(), 1);
        assert!(replies.iter().all(|(_, text)| *text == replies[0].1));
        let listed = open.ask(&owner, "GET /api/v1/agents", None).await.done();
        assert_eq!(listed["data"].as_array().unwrap().len(), 1);
        let other = json!({ "name": "Another" });
        let reused = open.ask_with(&owner, AGENTS, Some(&other), &key).await;
        assert_eq!((reused.status, reused.code().as_str()), (422, "KEY_REUSED"));
        // The same key of somebody else is another one.
        let author = open.person(&owner, Role::Author).await;
        assert_eq!(open.ask_with(&author, AGENTS, Some(&body), &key).await.status, 201);
        Arc::into_inner(open).unwrap().close().await;
    });
}

#[test]
fn bad_input_is_told_where_and_what() {
    both(async |world| {
        let open = Open::house(world).await;
        let owner = open.join("two-rivers").await;
        let key = ["idempotency-key: x"];
        let sent = async |kind: &str, body: &str| {
            open.send(&owner, AGENTS, Some((kind, body.as_bytes().to_vec())), &key).await
        };
        assert_eq!(sent("text/plain", "{}").await.code(), "MEDIA_TYPE");
        assert_eq!(sent("application/json", "{").await.code(), "MALFORMED");
        let unknown = sent("application/json", r#"{"name":"x","nmae":"y"}"#).await;
        assert_eq!((unknown.status, unknown.code().as_str()), (422, "INVALID"));
        assert!(unknown.text.contains("nmae"), "{}", unknown.text);
        let wrong = sent("application/json", r#"{"name":""}"#).await;
        assert_eq!(wrong.json()["param"], "name");
        let limit = open.ask(&owner, "GET /api/v1/agents?limit=1000", None).await;
        assert_eq!((limit.status, &limit.json()["param"]), (422, &json!("limit")));
        assert_eq!(open.ask(&owner, "GET /api/v1/nowhere", None).await.code(), "NOT_FOUND");
        let method = open.ask(&owner, "PATCH /api/v1/agents", None).await;
        assert_eq!((method.status, method.code().as_str()), (405, "METHOD"));
        assert_eq!(sent("application/json", r#"{"name":"Good"}"#).await.status, 201);
        open.close().await;
    });
}

#[test]
fn a_person_is_forgotten_and_their_keys_with_them() {
    both(async |world| {
        let open = Open::house(world).await;
        let owner = open.join("two-rivers").await;
        let new = json!({ "name": "Kenji Abe", "email": "kenji@x.example", "roles": ["author"] });
        let user = open.ask(&owner, "POST /api/v1/users", Some(&new)).await.done();
        let id = user["id"].as_str().unwrap();
        let key = json!({ "name": "a key", "user": id });
        let key = open.ask(&owner, "POST /api/v1/keys", Some(&key)).await.done();
        let token = key["token"].as_str().unwrap();
        assert_eq!(open.ask(token, "GET /api/v1/organisation", None).await.status, 200);
        let gone = open.ask(&owner, &format!("DELETE /api/v1/users/{id}"), None).await.done();
        assert_eq!((&gone["state"], &gone["name"]), (&json!("erased"), &json!(null)));
        assert_eq!(open.ask(token, "GET /api/v1/organisation", None).await.status, 401);
        // Nobody makes an operator who is none.
        let more = json!({ "name": "Mallory", "email": "m@x.example", "roles": ["operator"] });
        let refused = open.ask(&owner, "POST /api/v1/users", Some(&more)).await;
        assert_eq!(refused.code(), "ROLE_MISSING");
        open.close().await;
    });
}
