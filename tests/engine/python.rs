//! Agents in Python, as it is: `open`, `time`, `random`, `json`, sets, floats and `urllib`.

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

use envelope_evidence::Digest;
use envelope_evidence::journal::Outcome;
use serde_json::{Value, json};

use super::world::{Ran, Setup, prepared, run, setup};
use crate::models::desk::desk;
use crate::net::peer::Peer;
use crate::net::{LOOPBACK, online};
use crate::strangers::componentize::{draw, fetch};

/// The example's component has an interpreter in it, which takes its time and its memory.
fn python(args: &Value) -> Option<Setup> {
    static COMPONENT: LazyLock<Option<Arc<envelope_engine::prepared::Prepared>>> =
        LazyLock::new(|| Some(Arc::new(prepared(draw()?).unwrap())));
    let mut setup = setup("").memory(256 << 20).fuel(20_000_000_000);
    setup.component = COMPONENT.clone()?;
    setup.skill = "draw";
    setup.args = args.to_string().into();
    setup.files = vec![
        ("in/a.txt", "one two three four five six seven eight nine ten"),
        ("in/deep/b.md", "eleven twelve thirteen fourteen fifteen sixteen seventeen"),
        ("secret/c.txt", "the secret"),
    ];
    Some(setup)
}

fn result(ran: &Ran) -> Value {
    serde_json::from_slice(ran.finished().result.as_ref().unwrap()).unwrap()
}

#[test]
fn python_runs_unchanged_and_the_same_again() {
    let Some(setup) = python(&json!({"folder": "in", "count": 4})) else { return };
    let ran = run(&setup);
    assert_eq!(ran.end(), (Outcome::Ok, "returned".to_owned()));
    assert_eq!(result(&ran)["documents"], 2);
    assert_eq!(ran.outputs(), ["out/words.json"]);
    let page = ran.finished().outputs[0].bytes.clone().unwrap();
    let page: Value = serde_json::from_slice(&page).unwrap();
    assert_eq!(page["words"], result(&ran)["words"]);
    assert_eq!(page["at"], 1_748_133_600.0, "`time.time()` is the run's clock");
    ran.replays_same();
    ran.outside_unchanged();
    ran.books_are_exact();

    let again = (1..100).map(|_| Digest::of(&run(&setup).journal).to_string());
    let digests: BTreeSet<_> = again.chain([Digest::of(&ran.journal).to_string()]).collect();
    assert_eq!(digests.len(), 1);
    let drawn = ["a", "b", "c"].map(|seed| result(&run(&Setup { seed, ..setup.clone() })));
    assert!(drawn.iter().any(|other| *other != result(&ran)), "chance comes from the run's seed");
}

#[test]
fn a_denied_open_is_a_permission_error() {
    let Some(setup) = python(&json!({"folder": "secret", "count": 1})) else { return };
    let ran = run(&setup);
    assert_eq!(ran.end(), (Outcome::Failed, "the skill failed".to_owned()));
    assert_eq!(result(&ran), json!({"error": "PermissionError", "path": "/secret"}));
    assert_eq!(ran.denied(), ["path.outside"]);
    assert_eq!(ran.outputs(), Vec::<String>::new());
    ran.replays_same();
    ran.outside_unchanged();
    ran.books_are_exact();

    // A folder that may be seen, with one file in it that may not.
    let mixed = Setup { read: vec!["secret/*.md"], ..setup.clone() };
    let ran = run(&mixed);
    assert_eq!(ran.end().0, Outcome::Ok, "what may not be seen is not there");
    assert_eq!(result(&ran)["documents"], 0);

    let nowhere = run(&Setup { outputs: Some("elsewhere/"), ..setup.clone() });
    assert_eq!(nowhere.denied(), ["path.outside"]);

    let allowed = run(&Setup { read: vec!["secret/**"], ..setup });
    assert_eq!(allowed.end(), (Outcome::Ok, "returned".to_owned()));
    assert_eq!(result(&allowed)["documents"], 1);
    assert_eq!(allowed.outputs(), ["out/words.json"]);
}

#[test]
fn a_file_that_is_not_there_is_another_error() {
    let Some(setup) = python(&json!({"folder": "in/none", "count": 1})) else { return };
    let ran = run(&setup);
    assert_eq!(result(&ran), json!({"error": "FileNotFoundError", "path": "/in/none"}));
    assert_eq!(ran.denied(), Vec::<String>::new());
    ran.replays_same();
}

/// The example that sends requests.
fn fetching(setup: Setup, skill: &'static str, args: &Value) -> Option<Setup> {
    static COMPONENT: LazyLock<Option<Arc<envelope_engine::prepared::Prepared>>> =
        LazyLock::new(|| Some(Arc::new(prepared(fetch()?).unwrap())));
    let mut setup = setup.memory(256 << 20).fuel(20_000_000_000);
    setup.component = COMPONENT.clone()?;
    setup.skill = skill;
    setup.args = args.to_string().into();
    Some(setup)
}

#[test]
fn pythons_own_client_fetches_what_is_allowed() {
    let peer = Peer::start(LOOPBACK);
    let at = peer.authority();
    let urls = ["v1/x", "v1/bytes/200000", "admin", "v1/redirect"];
    let urls: Vec<_> = urls.iter().map(|path| format!("http://{at}/{path}")).collect();
    let mut online = online(&peer, &["GET http://PEER/v1/**"], &[]);
    let everywhere = [format!("GET http://{at}/**"), "GET http://evil.test/**".to_owned()];
    online.operator_egress = Some(everywhere.into());
    let Some(setup) = fetching(online, "fetch", &json!({ "urls": urls })) else { return };
    let ran = run(&setup);
    assert_eq!(ran.end(), (Outcome::Ok, "returned".to_owned()));
    let found = result(&ran);
    assert_eq!(found[0], json!({ "status": 200, "bytes": 5 }));
    assert_eq!(found[1], json!({ "status": 200, "bytes": 200_000 }));
    assert_eq!(found[2], json!({ "status": 403, "denied": "egress.path" }));
    // It follows a redirect as it always does: by another request, which is judged.
    assert_eq!(found[3], json!({ "status": 403, "denied": "egress.host" }));
    assert_eq!(ran.denied(), ["egress.path", "egress.host"]);
    assert_eq!(peer.connections(), 3);
    drop(peer);
    ran.replays_same();
    ran.books_are_exact();
    let needs = &setup.component.card().needs;
    assert_eq!((needs.net.len(), needs.models.len()), (1, 1));
}

#[test]
fn pythons_own_client_asks_a_model() {
    let mut desk = desk("");
    let args = |model: &str| json!({ "model": model, "question": "How are you?" });
    let Some(setup) = fetching(desk.setup.clone(), "ask", &args("stub/a")) else { return };
    desk.setup = setup;
    let told = desk.run();
    let answer = told.finished().result.clone().unwrap();
    assert_eq!(answer, r#""(a stub, no model was asked) How are you?""#.as_bytes());
    told.replays_same();
    desk.setup.args = args("other/a").to_string().into();
    let told = desk.run();
    assert_eq!(told.denied(), ["model.outside"]);
    assert_eq!(desk.stub.asked().len(), 1);
    told.replays_same();
}
