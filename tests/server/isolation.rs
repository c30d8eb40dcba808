//! What is another organisation's: nobody reaches it, whatever they may in their own. Every
//! operation of the table is asked, so that a new one has to say here what it would reach.

use std::collections::BTreeMap;

use envelope_evidence::Digest;
use envelope_market::Role;
use envelope_server::route::{BASE, Needs, Route, Takes, all};
use envelope_store::Org;
use serde_json::{Value, json};

use super::house::{Open, Reply};
use super::village::Village;
use crate::market::house::museum;
use crate::store::world::both;

#[test]
fn nobody_reaches_what_is_another_organisations() {
    both(async |world| {
        let village = Village::new(world).await;
        let mut tx = world.store.read().await.unwrap();
        for thing in &village.things {
            // A question stands in its path with another character than in its row.
            let found = [thing.id.clone(), thing.id.replace('-', "/")];
            let org = Org::new(thing.org).unwrap();
            let first = tx.of(&org).get(thing.noun, &found[0]).await.unwrap();
            let second = tx.of(&org).get(thing.noun, &found[1]).await.unwrap();
            assert!(first.or(second).is_some(), "{thing:?} is there");
        }
        drop(tx);
        let strangers = strangers(&village.open).await;
        for route in all() {
            let reach = reach(route, &village);
            let mut replies = Vec::new();
            for (role, key) in &strangers {
                let reply = ask(&village, route, key, &reach).await;
                judge(route, *role, &reach, &reply, &village);
                replies.push(reply.status);
            }
            // Of whom it is not said in the table who may, somebody may.
            let reached = matches!(reach, Reach::Theirs(_));
            assert!(!reached || replies.contains(&404) || is_operators(route), "{replies:?}");
        }
        village.open.close().await;
    });
}

/// One person for each role, of an organisation that has to do with nobody.
async fn strangers(open: &Open) -> BTreeMap<Role, String> {
    let owner = open.join("stranger").await;
    let mut people = BTreeMap::new();
    for role in [Role::Buyer, Role::Author, Role::Approver, Role::Auditor] {
        people.insert(role, open.person(&owner, role).await);
    }
    people.insert(Role::Owner, owner);
    people
}

/// What somebody asks an operation for.
enum Reach {
    /// Something of others: by its id in the path, or in what is said.
    Theirs(Option<Value>),
    /// Something that no organisation may, whosever it is.
    NobodyMay(Value),
    /// Only what is one's own, or what everybody sees.
    Own,
    /// It makes something new, and names nothing that there is.
    New,
}

fn reach(route: &Route, village: &Village) -> Reach {
    let (digest, org) = (Digest::of(b"any").to_string(), "kamo");
    let id = |name: &str| village.id(name).to_owned();
    let theirs = |body: Value| Reach::Theirs(Some(body));
    match route.operation {
        "setRoles" => theirs(json!({ "roles": ["owner"] })),
        "makeKey" => theirs(json!({ "name": "a key", "user": id("user") })),
        "attest" => theirs(json!({
            "org": "two-rivers", "agent": id("agent"), "pillar": "legal", "evidence": digest,
            "seconds": 60,
        })),
        "list" | "changeListing" => {
            let release = village.release();
            theirs(json!({ "release": release, "msa": id("msa"), "source": "+++\n+++\n" }))
        }
        "quote" => theirs(json!({ "listing": id("listing"), "buyer": museum() })),
        "buy" => theirs(json!({
            "paper": id("paper"), "listing_digest": digest, "msa_digest": digest,
        })),
        "launch" => theirs(json!({ "purchase": id("purchase") })),
        "money" => theirs(json!({ "org": org, "order": "any" })),
        "retry" | "writeOff" | "overdue" => theirs(json!({ "org": org })),
        "accept" => theirs(json!({})),
        "dispute" => theirs(json!({ "statement": "It is not ours." })),
        "hearEvaluator" => theirs(json!({ "org": org, "evaluator": "one", "run": id("run") })),
        "decide" => theirs(json!({ "org": org, "verdict": "refund" })),
        "answer" => {
            theirs(json!({ "saw": digest, "decision": { "verdict": "choose", "choice": 0 } }))
        }
        "stop" | "liftStop" => Reach::NobodyMay(json!({
            "target": { "kind": "organisation", "id": org }, "reason": "It is not ours.",
        })),
        "signIn" => Reach::NobodyMay(json!({
            "organisation": org, "email": "kenji@x.example", "password": "nobody said one",
        })),
        "join" | "addUser" | "setPassword" | "registerAgent" | "offerMsa" | "makeHook" => {
            Reach::New
        }
        "signOut" => Reach::Own,
        other => {
            let json = matches!(route.takes, Takes::Json(_));
            assert!(!json, "say what `{other}` would reach of another organisation");
            if route.path.contains('{') { Reach::Theirs(None) } else { Reach::Own }
        }
    }
}

async fn ask(village: &Village, route: &Route, key: &str, reach: &Reach) -> Reply {
    let part = |part: &str| match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
        Some(name) => village.id(name).to_owned(),
        None => part.to_owned(),
    };
    let path = Vec::from_iter(route.path.split('/').map(part)).join("/");
    let line = format!("{} {BASE}{path}", route.method);
    match reach {
        Reach::Theirs(Some(body)) | Reach::NobodyMay(body) => {
            village.open.ask(key, &line, Some(body)).await
        }
        Reach::Theirs(None) if matches!(route.takes, Takes::Wasm) => {
            let junk = Some(("application/wasm", b"junk".to_vec()));
            village.open.send(key, &line, junk, &["idempotency-key: x"]).await
        }
        Reach::Theirs(None) | Reach::Own | Reach::New => village.open.ask(key, &line, None).await,
    }
}

fn judge(route: &Route, role: Role, reach: &Reach, reply: &Reply, village: &Village) {
    let told = format!("{} {} as {role}: {reply:?}", route.method, route.path);
    for thing in &village.things {
        // What is offered to everybody names its agent and its standing agreement.
        let offered = route.operation == "listings" && matches!(thing.name, "agent" | "msa");
        let named = !offered && reply.text.contains(&thing.id);
        // Whoever asks for an id is told which one is not there.
        assert!(!named || matches!(reach, Reach::Theirs(_)), "{}: {told}", thing.name);
    }
    match (reach, route.needs) {
        (Reach::Theirs(_), Needs::Role(needed)) if role.covers(needed) => {
            assert_eq!(reply.code(), "NOT_FOUND", "{told}");
        }
        (Reach::Theirs(_), Needs::Role(_)) => assert_eq!(reply.code(), "ROLE_MISSING", "{told}"),
        (Reach::Theirs(_), _) => assert!(matches!(reply.status, 403 | 404), "{told}"),
        (Reach::NobodyMay(_), _) => assert!(matches!(reply.status, 401 | 403), "{told}"),
        (Reach::Own, _) if route.method.as_str() == "GET" => {
            let may = match route.needs {
                Needs::Role(needed) => role.covers(needed),
                Needs::Anybody | Needs::Nobody => true,
            };
            assert_eq!(reply.status, if may { 200 } else { 403 }, "{told}");
        }
        (Reach::Own | Reach::New, _) => {}
    }
}

fn is_operators(route: &Route) -> bool {
    route.needs == Needs::Role(Role::Operator)
}
