//! What must not leave, on its way to a model: it is there that agents send most of what they read.

use std::sync::Arc;

use envelope_gate::model::InMemoryPurse;
use envelope_rules::approval::Matter;
use serde_json::json;

use super::desk::{Desk, desk};
use crate::engine::approvals::office::{Office, Says, ada, no};
use crate::engine::peers::means::rich;

const CARD: &str = "4111 1111 1111 1111";
const DENY: &[&str] = &["deny:card-number", "deny:api-key"];

fn ruled(acts: &str, rules: &[&'static str]) -> Desk {
    let mut desk = desk(acts);
    desk.setup.content = rules.to_vec();
    desk.setup.secrets = vec!["sesame-0815-open"];
    desk
}

/// Each way in which something reaches a model: denied by a rule, without a question to anybody or
/// a charge; and passed where no rule is.
#[test]
fn nothing_reaches_a_model_by_any_way() {
    let body = |words: &str| {
        let messages = json!([{ "role": "user", "content": words }]);
        json!({ "model": "stub/a", "max_tokens": 50, "messages": messages }).to_string()
    };
    let escaped: String = CARD.bytes().map(|byte| format!("\\u{byte:04x}")).collect();
    for (act, where_) in [
        (format!("chat stub/a 50 pay {CARD}"), "message 1"),
        (format!("ask-stream stub/a 50 pay {CARD}"), "message 1"),
        ("ask-tool stub/a 50 sk-abcdefghijklmnop0123".to_owned(), "message 1"),
        (format!("ask-json stub/a 50 {{\"pan\":\"{CARD}\"}}"), "message 1"),
        (format!("ask-json stub/a 50 {{\"pan\":\"{escaped}\"}}"), "message 1"),
        (format!("ask-vectors stub/a hello,{CARD}"), "text 2"),
    ] {
        let told = ruled(&act, DENY).run();
        assert_eq!(told.denied(), ["egress.content"], "{act}: {}", told.said());
        assert!(told.said().contains(where_) && !told.said().contains("4111"), "{}", told.said());
        assert_eq!((told.desk.stub.asked().len(), told.money()), (0, 0), "{act}");
        told.replays_same();
        let free = ruled(&act, &[]).run();
        assert_eq!(free.denied(), [""; 0], "{act}: {}", free.said());
        assert_eq!(free.desk.stub.asked().len(), 1, "{act}");
        free.replays_same();
    }
    for path in ["/v1/chat/completions", "/v1/messages"] {
        let words = body(&format!("pay {CARD}"));
        let act =
            format!("send POST|http|model.envelope|{path}|content-type: application/json||{words}");
        let told = ruled(&act, DENY).run();
        assert_eq!(told.said(), "send: 403 egress.content", "{path}");
        assert_eq!(told.desk.stub.asked().len(), 0);
        told.replays_same();
        let free = ruled(&act, &[]).run();
        assert!(free.said().starts_with("send: ok 200"), "{}", free.said());
    }
}

/// The frame of a request is sent too: descriptions of tools, schemas, stops.
#[test]
fn nothing_hides_in_the_frame_of_a_request() {
    let tool = |parameters: &str| {
        format!(
            r#"{{"model":"stub/a","max_tokens":50,"messages":[{{"role":"user","content":"hi"}}],
            "tools":[{{"type":"function","function":{{"name":"pay","description":"{CARD}",
            "parameters":{parameters}}}}}]}}"#
        )
    };
    let stop = format!(
        r#"{{"model":"stub/a","max_tokens":50,"messages":[{{"role":"user","content":"hi"}}],
        "stop":["{CARD}"]}}"#
    );
    for body in [tool("{}"), stop] {
        let act = format!("send POST|http|model.envelope|/v1/chat/completions||{body}");
        let told = ruled(&act.replace('\n', ""), DENY).run();
        assert_eq!(told.said(), "send: 403 egress.content", "{body}");
        assert_eq!(told.desk.stub.asked().len(), 0);
        told.replays_same();
    }
}

#[test]
fn the_hosts_own_secrets_reach_no_model() {
    let told = ruled("chat stub/a 50 say sesame-0815-open", &[]).run();
    assert_eq!(told.denied(), ["egress.content"]);
    assert_eq!((told.desk.stub.asked().len(), told.money()), (0, 0));
    told.replays_same();
    let free = ruled("chat stub/a 50 say sesame-0815-shut", &[]).run();
    assert_eq!(free.desk.stub.asked().len(), 1);
}

/// A human says whether, and is told what it carries.
#[test]
fn what_needs_leave_is_asked_about() {
    for (says, asked, said) in
        [(ada as Says, 1, "chat: ok"), (no, 0, "chat: denied approval.rejected")]
    {
        let mut town = rich(&format!("chat stub/a 200 pay {CARD}"));
        let office = Office::with(&[says], |_| {});
        town.setup = town.setup.at_desk(office.clone());
        town.setup.content = vec!["ask:card-number"];
        let ran = town.run();
        assert!(ran.said().starts_with(said), "{}", ran.said());
        let requests = office.requests();
        let [request] = &requests[..] else { panic!("{requests:?}") };
        let Matter::Choice { text, .. } = &request.matter else { panic!() };
        assert!(
            text.contains("it carries a card number in the first 23 bytes of message 1"),
            "{text}"
        );
        assert!(!text.contains("4111"), "{text}");
        assert_eq!(town.stub.as_ref().unwrap().asked().len(), asked);
        ran.replays_same();
    }
}

/// A callee is held to its caller's rules, whatever its own are: nobody has another send for it.
#[test]
fn a_callee_is_held_to_its_callers_rules() {
    let call = format!("call helper@local - - 60 100000000+100000 99 chat stub/a 200 pay {CARD}");
    for (rules, said, asked) in [
        (DENY, "call: ok chat: denied egress.content", 0),
        (&["ask:card-number"], "call: ok chat: denied egress.content", 0),
        (&[], "call: ok chat: ok", 1),
    ] {
        let mut town = rich(&call);
        town.purse = Arc::new(InMemoryPurse::default());
        town.setup.content = rules.to_vec();
        let ran = town.run();
        assert!(ran.said().starts_with(said), "{rules:?}: {}", ran.said());
        assert_eq!(town.stub.as_ref().unwrap().asked().len(), asked);
        ran.replays_same();
    }
}
