//! People who sign in with a password.

use envelope_evidence::Timestamp;
use envelope_market::identity::session::{LIFE, who};
use envelope_node::now;
use serde_json::{Value, json};

use super::house::{Open, Reply};
use crate::store::world::both;

const SIGN_IN: &str = "POST /api/v1/session";
const PASSWORD: &str = "PUT /api/v1/me/password";
const ME: &str = "GET /api/v1/me";
const FIRST: &str = "correct horse battery";

fn wish(org: &str, email: &str, password: &str) -> Value {
    json!({ "organisation": org, "email": email, "password": password })
}

/// What the owner of `two-rivers` says to be let in.
fn owner(password: &str) -> Value {
    wish("two-rivers", "owner@two-rivers.example", password)
}

/// What a browser shows from now on.
fn cookie(signed: &Reply) -> String {
    let set = signed.header("set-cookie").unwrap();
    let (shown, rules) = set.split_once("; ").unwrap();
    assert!(shown.starts_with("__Host-envelope="), "{set}");
    for rule in ["Path=/", "Secure", "HttpOnly", "SameSite=Lax"] {
        assert!(rules.split("; ").any(|found| found == rule), "{set}");
    }
    format!("cookie: {shown}")
}

#[test]
fn a_person_signs_in_and_out() {
    both(async |world| {
        let open = Open::house(world).await;
        let key = open.join("two-rivers").await;
        assert_eq!(open.ask("", SIGN_IN, Some(&owner(FIRST))).await.code(), "SIGN_IN");
        open.ask(&key, PASSWORD, Some(&json!({ "password": FIRST }))).await.done();
        let signed = open.ask("", SIGN_IN, Some(&owner(FIRST))).await;
        let shown = cookie(&signed);
        let token = shown.split_once('=').unwrap().1.to_owned();
        let session = signed.done();
        assert_ne!(session["id"], token, "what is listed opens nothing");
        let me = open.ask_with("", ME, None, &[&shown]).await.done();
        assert_eq!(me["id"], session["user"]);

        let mut tx = world.store.read().await.unwrap();
        assert!(who(&mut tx, &token, now()).await.unwrap().is_some());
        let later = Timestamp::from_millis(now().millis() + LIFE).unwrap();
        assert_eq!(who(&mut tx, &token, later).await.unwrap(), None);
        drop(tx);

        let home = format!("origin: http://{}", open.at);
        let out = "DELETE /api/v1/session";
        let gone = open.ask_with("", out, None, &[&shown, &home]).await;
        assert!(gone.header("set-cookie").unwrap().contains("Max-Age=0"));
        assert_eq!(gone.done()["state"], "closed");
        assert_eq!(open.ask_with("", ME, None, &[&shown]).await.code(), "SIGN_IN");
        open.close().await;
    });
}

#[test]
fn another_site_changes_nothing() {
    both(async |world| {
        let open = Open::house(world).await;
        let key = open.join("two-rivers").await;
        open.ask(&key, PASSWORD, Some(&json!({ "password": FIRST }))).await.done();
        let shown = cookie(&open.ask("", SIGN_IN, Some(&owner(FIRST))).await);
        let count = async || {
            let keys = open.ask(&key, "GET /api/v1/keys", None).await.done();
            keys["data"].as_array().unwrap().len()
        };
        let before = count().await;
        let make = async |more: &str| {
            let name = json!({ "name": "a key" });
            open.ask_with("", "POST /api/v1/keys", Some(&name), &[&shown, more]).await
        };
        for other in ["accept: */*", "origin: null", "origin: https://evil.example"] {
            let refused = make(other).await;
            assert_eq!((refused.status, refused.code().as_str()), (403, "ORIGIN"), "{other}");
        }
        assert_eq!(count().await, before);
        make(&format!("origin: http://{}", open.at)).await.done();
        assert_eq!(count().await, before + 1);
        open.close().await;
    });
}

#[test]
fn all_who_do_not_get_in_are_told_the_same() {
    both(async |world| {
        let open = Open::house(world).await;
        let key = open.join("two-rivers").await;
        open.ask(&key, PASSWORD, Some(&json!({ "password": FIRST }))).await.done();
        let mut told = Vec::new();
        for wrong in [
            owner("correct horse batterz"),
            wish("two-rivers", "nobody@two-rivers.example", FIRST),
            wish("nowhere", "owner@two-rivers.example", FIRST),
            wish("Not An Organisation", "owner@two-rivers.example", FIRST),
        ] {
            let refused = open.ask("", SIGN_IN, Some(&wrong)).await;
            assert_eq!(refused.header("set-cookie"), None);
            let mut problem = refused.json();
            problem.as_object_mut().unwrap().remove("request");
            told.push(problem);
        }
        assert!(told.iter().all(|one| *one == told[0]), "{told:?}");
        assert_eq!((&told[0]["status"], &told[0]["code"]), (&json!(401), &json!("SIGN_IN")));
        let short = open.ask(&key, PASSWORD, Some(&json!({ "password": "short" }))).await;
        assert_eq!(
            (short.code().as_str(), &short.json()["param"]),
            ("INVALID", &json!("password"))
        );
        // An address is found however it is written.
        let loud = wish("two-rivers", "OWNER@two-rivers.example", FIRST);
        assert_eq!(open.ask("", SIGN_IN, Some(&loud)).await.status, 201);
        open.close().await;
    });
}

#[test]
fn a_new_password_signs_out_and_takes_the_one_before() {
    both(async |world| {
        let open = Open::house(world).await;
        let key = open.join("two-rivers").await;
        open.ask(&key, PASSWORD, Some(&json!({ "password": FIRST }))).await.done();
        let shown = cookie(&open.ask("", SIGN_IN, Some(&owner(FIRST))).await);
        let second = "battery horse correct";
        for before in [json!(null), json!("battery horse correct")] {
            let new = json!({ "password": second, "before": before });
            assert_eq!(open.ask(&key, PASSWORD, Some(&new)).await.code(), "SIGN_IN");
        }
        assert_eq!(open.ask_with("", ME, None, &[&shown]).await.status, 200);
        let new = json!({ "password": second, "before": FIRST });
        open.ask(&key, PASSWORD, Some(&new)).await.done();
        assert_eq!(open.ask_with("", ME, None, &[&shown]).await.status, 401);
        assert_eq!(open.ask("", SIGN_IN, Some(&owner(FIRST))).await.status, 401);
        assert_eq!(open.ask("", SIGN_IN, Some(&owner(second))).await.status, 201);
        // Keys are listed without it.
        let keys = open.ask(&key, "GET /api/v1/keys", None).await.done();
        assert_eq!(keys["data"].as_array().unwrap().len(), 1);
        open.close().await;
    });
}

/// Who shows the same password at once changes it once.
#[test]
fn one_password_follows_another() {
    both(async |world| {
        let open = Open::house(world).await;
        let key = open.join("two-rivers").await;
        open.ask(&key, PASSWORD, Some(&json!({ "password": FIRST }))).await.done();
        let new = ["battery horse one", "battery horse two", "battery horse three"];
        let change = async |password: &str| {
            let wish = json!({ "password": password, "before": FIRST });
            open.ask(&key, PASSWORD, Some(&wish)).await
        };
        let (one, two, three) = tokio::join!(change(new[0]), change(new[1]), change(new[2]));
        let mut signed_in = 0;
        for (password, told) in new.into_iter().zip([one, two, three]) {
            let back = open.ask("", SIGN_IN, Some(&owner(password))).await.status;
            assert_eq!(back == 201, told.status == 200, "{password}: {told:?}");
            signed_in += usize::from(back == 201);
        }
        assert_eq!(signed_in, 1);
        open.close().await;
    });
}

/// A key counts where a human decides only if its owner made it while signed in, to decide with;
/// and nobody makes keys for somebody who can make their own.
#[test]
fn nobody_decides_with_a_key_that_others_made() {
    both(async |world| {
        let open = Open::house(world).await;
        let owner = open.join("two-rivers").await;
        let roles = ["approver"];
        let new = json!({ "name": "Kenji Abe", "email": "kenji@x.example", "roles": roles });
        let user = open.ask(&owner, "POST /api/v1/users", Some(&new)).await.done();
        let keys = "POST /api/v1/keys";
        let his = json!({ "name": "let him in", "user": user["id"] });
        let decides = |mut key: Value| {
            key["decides"] = json!(true);
            key
        };
        let refused = open.ask(&owner, keys, Some(&decides(his.clone()))).await;
        assert_eq!((refused.status, refused.code().as_str()), (403, "HUMAN_NEEDED"));
        let first = open.ask(&owner, keys, Some(&his)).await.done();
        assert_eq!(first["decides"], false);
        let first = first["token"].as_str().unwrap();
        let own = json!({ "name": "his own" });
        let refused = open.ask(first, keys, Some(&decides(own.clone()))).await;
        assert_eq!(refused.code(), "HUMAN_NEEDED", "who was let in is not known to be he");

        open.ask(first, PASSWORD, Some(&json!({ "password": FIRST }))).await.done();
        let refused = open.ask(&owner, keys, Some(&his)).await;
        assert_eq!(
            (refused.code().as_str(), &refused.json()["param"]),
            ("INVALID", &json!("user"))
        );
        let him = wish("two-rivers", "kenji@x.example", FIRST);
        let shown = cookie(&open.ask("", SIGN_IN, Some(&him)).await);
        let home = format!("origin: http://{}", open.at);
        let made = open.ask_with("", keys, Some(&decides(own)), &[&shown, &home]).await.done();
        assert_eq!(made["decides"], true);
        let listed = open.ask(&owner, "GET /api/v1/keys", None).await.done();
        assert_eq!(listed["data"].as_array().unwrap().len(), 3, "what was refused was not made");
        open.close().await;
    });
}

#[test]
fn whoever_is_forgotten_signs_in_no_more() {
    both(async |world| {
        let open = Open::house(world).await;
        let owner = open.join("two-rivers").await;
        let new = json!({ "name": "Kenji Abe", "email": "kenji@x.example", "roles": ["author"] });
        let user = open.ask(&owner, "POST /api/v1/users", Some(&new)).await.done();
        let key = json!({ "name": "a key", "user": user["id"] });
        let key = open.ask(&owner, "POST /api/v1/keys", Some(&key)).await.done();
        let key = key["token"].as_str().unwrap();
        open.ask(key, PASSWORD, Some(&json!({ "password": FIRST }))).await.done();
        let him = wish("two-rivers", "kenji@x.example", FIRST);
        let shown = cookie(&open.ask("", SIGN_IN, Some(&him)).await);
        let line = format!("DELETE /api/v1/users/{}", user["id"].as_str().unwrap());
        open.ask(&owner, &line, None).await.done();
        assert_eq!(open.ask("", SIGN_IN, Some(&him)).await.status, 401);
        assert_eq!(open.ask_with("", ME, None, &[&shown]).await.status, 401);
        // What the database keeps of him names him nowhere.
        for table in ["credentials", "sessions", "users", "answers"] {
            let rows = world.own(&format!("SELECT id || body FROM {table}")).await.unwrap();
            assert!(rows.iter().all(|row| !row.contains("enji")), "{table}: {rows:?}");
        }
        open.close().await;
    });
}
