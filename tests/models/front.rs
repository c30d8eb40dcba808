//! `http://model.envelope`: the wire formats of vendors, spoken by the host to its guests.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use envelope_evidence::journal::Event;
use envelope_gate::model::{Failed, Finish, Piece, Script};
use envelope_rules::guard::Capability;
use envelope_rules::model::Ask;
use serde_json::{Value, json};

use super::desk::{Desk, Told, desk};
use super::wire::{Upstream, anthropic, openai};
use crate::engine::world::Lines;

/// The act that sends `body`.
fn post(path: &str, body: &Value) -> String {
    format!("send POST|http|model.envelope|{path}|content-type: application/json||{body}")
}

fn question(words: &str) -> Value {
    let messages = json!([{ "role": "user", "content": words }]);
    json!({ "model": "stub/a", "max_tokens": 50, "messages": messages })
}

fn with(name: &str, value: Value) -> Value {
    let mut body = question("Hello");
    body[name] = value;
    body
}

fn run(acts: &[String]) -> Told {
    desk(&acts.join("; ")).run()
}

/// The answers, one for each act.
fn answers(told: &Told) -> Vec<String> {
    told.said().split("; send: ").map(|it| it.trim_start_matches("send: ").to_owned()).collect()
}

fn page(answer: &str) -> Value {
    let text = answer.strip_prefix("ok 200 ").unwrap_or_else(|| panic!("{answer}"));
    serde_json::from_str(text).unwrap_or_else(|why| panic!("{why}: {answer}"))
}

const CHAT: &str = "/v1/chat/completions";
const MESSAGES: &str = "/v1/messages";
const REPEATED: &str = "(a stub, no model was asked) Hello";

/// The digest of what was asked, and what it cost, of every call of a model.
fn calls(told: &Told) -> Vec<String> {
    let record = told.record();
    let calls = record.entries().iter().filter_map(|entry| match &entry.event {
        Event::Answered(answered) => Some(&answered.call),
        _ => None,
    });
    let calls = calls.filter(|call| ["complete", "stream"].contains(&call.operation.as_str()));
    calls.map(|call| format!("{} {:?} {}", call.operation, call.target, call.request)).collect()
}

#[test]
fn it_is_the_same_call_by_either_door() {
    let ours = desk("chat stub/a 50 Hello").run();
    for path in [CHAT, MESSAGES] {
        let told = run(&[post(path, &question("Hello"))]);
        assert_eq!(calls(&told), calls(&ours), "{path}");
        assert_eq!(told.money(), ours.money());
        told.replays_same();
    }
    let ours = desk("ask-stream stub/a 50 Hello").run();
    for path in [CHAT, MESSAGES] {
        let told = run(&[post(path, &with("stream", json!(true)))]);
        assert_eq!(calls(&told), calls(&ours), "{path}");
        assert_eq!(told.money(), ours.money());
        told.replays_same();
    }
}

#[test]
fn whole_answers_have_the_form_of_their_vendor() {
    let told = run(&[post(CHAT, &question("Hello")), post(MESSAGES, &question("Hello"))]);
    let answers = answers(&told);
    let (openai, anthropic) = (page(&answers[0]), page(&answers[1]));
    assert_eq!(openai["choices"][0]["message"]["content"], REPEATED);
    assert_eq!(openai["choices"][0]["finish_reason"], "stop");
    assert_eq!(openai["usage"]["completion_tokens"], 7);
    assert_eq!(openai["object"], "chat.completion");
    assert_eq!(openai["envelope"]["stub"], true, "a stub says that it is one");
    assert_eq!(anthropic["content"], json!([{ "type": "text", "text": REPEATED }]));
    assert_eq!(anthropic["stop_reason"], "end_turn");
    assert_eq!(anthropic["usage"]["output_tokens"], 7);
    assert_ne!(openai["id"], anthropic["id"]);
    let paid = [&openai, &anthropic].map(|it| it["envelope"]["nano_usd"].as_u64().unwrap());
    assert_eq!(paid.iter().sum::<u64>(), told.money());
    told.replays_same();
}

#[test]
fn what_is_lowered_is_said() {
    let mut desk = desk(&[CHAT, MESSAGES].map(|path| post(path, &question("Hello"))).join("; "));
    desk.money = 900_000;
    let body = with("max_tokens", json!(5000));
    desk.setup.args = json!([post(CHAT, &body), post(MESSAGES, &body)]).to_string().into();
    let told = desk.run();
    for answer in answers(&told) {
        let beside = &page(&answer)["envelope"];
        assert!(beside["clamped_to"].as_u64().unwrap() < 500, "{beside}");
        assert!(beside["clamped_by"].as_str().unwrap().starts_with("run `"), "{beside}");
    }
    told.replays_same();
}

#[test]
fn tools_shapes_and_pictures_are_understood() {
    let parameters = json!({ "type": "object" });
    let dot = "data:image/png;base64,YWxwaGE=";
    let openai = json!({
        "model": "stub/a", "max_completion_tokens": 50, "n": 1, "temperature": 1, "user": "u",
        "messages": [
            { "role": "developer", "content": "Be brief." },
            { "role": "user", "content": [{ "type": "text", "text": "How is it?" },
                { "type": "image_url", "image_url": { "url": dot, "detail": "low" } }] },
            { "role": "assistant", "content": null, "refusal": null, "tool_calls": [{ "id": "c",
                "type": "function", "function": { "name": "weather", "arguments": "{}" } }] },
            { "role": "tool", "tool_call_id": "c", "content": "clear" },
        ],
        "tools": [{ "type": "function", "function": { "name": "weather", "strict": true,
            "description": "The weather.", "parameters": parameters } }],
        "tool_choice": "auto",
    });
    let source = json!({ "type": "base64", "media_type": "image/png", "data": "YWxwaGE=" });
    let anthropic = json!({
        "model": "stub/a", "max_tokens": 50, "temperature": 1.0, "metadata": { "user_id": "u" },
        "system": [{ "type": "text", "text": "Be brief.",
            "cache_control": { "type": "ephemeral" } }],
        "messages": [
            { "role": "user", "content": [{ "type": "text", "text": "How is it?" },
                { "type": "image", "source": source }] },
            { "role": "assistant", "content": [{ "type": "tool_use", "id": "c",
                "name": "weather", "input": {} }] },
            { "role": "tool", "content": "clear" },
        ],
        "tools": [{ "name": "weather", "description": "The weather.",
            "input_schema": parameters }],
        "tool_choice": { "type": "auto" },
    });
    let answer = json!([{ "type": "tool_result", "tool_use_id": "c", "content": "clear" }]);
    let mut results = anthropic.clone();
    results["messages"][2] = json!({ "role": "user", "content": answer });
    let acts = [post(CHAT, &openai), post(MESSAGES, &results), post(MESSAGES, &anthropic)];
    let asked = Arc::<Mutex<Vec<Ask>>>::default();
    let seen = asked.clone();
    let told = desk(&acts.join("; "))
        .playing(move |order| {
            seen.lock().unwrap().push(order.ask.clone());
            let says = [Ok(Piece::Text("Clear.".to_owned())), Ok(Piece::Finish(Finish::Stop))];
            Script { says: says.into_iter().collect(), ..Script::default() }
        })
        .run();
    assert_eq!(answers(&told)[2], "403 model.unbounded", "there is no such role here");
    let asked = asked.lock().unwrap().clone();
    let parts = |ask: &Ask| ask.messages.iter().map(|it| it.parts.clone()).collect::<Vec<_>>();
    assert_eq!(parts(&asked[0]), parts(&asked[1]), "either wire says the same");
    assert_eq!((asked.len(), asked[0].images(), asked[0].messages.len()), (2, 1, 4));
    assert_eq!(asked[0].tools, asked[1].tools);
    told.replays_same();

    let shape = json!({ "type": "json_schema",
        "json_schema": { "name": "n", "strict": true, "schema": parameters } });
    let told = run(&[post(CHAT, &with("response_format", shape))]);
    let page = page(&self::answers(&told)[0]);
    assert_eq!(page["choices"][0]["message"]["content"], "{}");
    told.replays_same();
}

/// Two answers that both vendors could have given.
pub fn twice_hi() -> Upstream {
    let usage = json!({ "prompt_tokens": 9, "completion_tokens": 1, "input_tokens": 9,
        "output_tokens": 1 });
    let choice = json!({ "message": { "content": "Hi" }, "finish_reason": "stop" });
    let page = json!({ "choices": [choice], "content": [], "stop_reason": "end_turn",
        "usage": usage });
    Upstream::new(vec![(200, "application/json", page.to_string()); 2])
}

/// What changes no price goes to the vendor as it was written.
#[test]
fn how_words_are_drawn_is_passed_on() {
    let upstream = twice_hi();
    let mut chat = question("Hello");
    chat["model"] = json!("small");
    (chat["temperature"], chat["top_p"], chat["stop"]) = (json!(0.25), json!(1), json!("END"));
    chat["seed"] = json!(7);
    let mut messages = question("Hello");
    messages["model"] = json!("claude");
    (messages["temperature"], messages["stop_sequences"]) = (json!(0), json!(["END"]));
    let told = desk(&[post(CHAT, &chat), post(MESSAGES, &messages)].join("; "))
        .with("openai", "openai/small", openai(&upstream.url))
        .with("anthropic", "anthropic/claude", anthropic(&upstream.url))
        .run();
    assert_eq!(told.denied(), Vec::<String>::new(), "{}", told.said());
    let seen = upstream.seen();
    let body = &seen[0].body;
    assert_eq!((&body["temperature"], &body["top_p"]), (&json!(0.25), &json!(1)));
    assert_eq!((&body["stop"], &body["seed"]), (&json!(["END"]), &json!(7)));
    let body = &seen[1].body;
    assert_eq!((&body["temperature"], &body["top_p"]), (&json!(0), &Value::Null));
    assert_eq!(body["stop_sequences"], json!(["END"]));
    told.replays_same();
}

/// Every field is priced, bounded or refused: what nobody here knows is not passed on.
#[test]
fn what_is_not_known_is_refused_by_its_name() {
    let url = json!([{ "role": "user", "content": [{ "type": "image_url",
        "image_url": { "url": "https://example.org/a.png" } }] }]);
    let audio = json!([{ "role": "user", "content": [{ "type": "input_audio" }] }]);
    let refused = [
        (CHAT, "n", json!(2)),
        (CHAT, "frequency_penalty", json!(1)),
        (CHAT, "logprobs", json!(true)),
        (CHAT, "prediction", json!({ "type": "content", "content": "x" })),
        (CHAT, "modalities", json!(["text", "audio"])),
        (CHAT, "service_tier", json!("priority")),
        (CHAT, "web_search_options", json!({})),
        (CHAT, "store", json!(true)),
        (CHAT, "tools", json!([{ "type": "web_search" }])),
        (CHAT, "tool_choice", json!("required")),
        (CHAT, "messages", url),
        (CHAT, "messages", audio),
        (MESSAGES, "top_k", json!(5)),
        (MESSAGES, "thinking", json!({ "type": "enabled", "budget_tokens": 1024 })),
        (MESSAGES, "service_tier", json!("priority")),
        (MESSAGES, "mcp_servers", json!([])),
        (MESSAGES, "container", json!("c")),
        (MESSAGES, "tools", json!([{ "type": "web_search_20250305", "name": "web_search" }])),
    ];
    for (path, name, value) in refused {
        let told = run(&[post(path, &with(name, value.clone())), post(path, &question("Hello"))]);
        let answers = answers(&told);
        assert_eq!(answers[0], "403 model.unbounded", "{path} {name} {value}");
        page(&answers[1]);
        assert_eq!(told.denied(), ["model.unbounded"]);
        let named = String::from_utf8_lossy(&told.journal).contains(word(name, &value));
        assert!(named, "{path} {name} {value}: what is refused is said");
        assert_eq!(told.desk.stub.asked().len(), 1, "only the control");
        told.replays_same();
    }
}

/// Pieces of an answer are heard before its end is on record: they are dated by what is known then.
#[test]
fn answers_are_dated_by_the_start_of_the_run() {
    let mut streamed = question("Hello");
    streamed["stream"] = true.into();
    let acts = [post(CHAT, &question("Hello")), "sleep 5000".to_owned(), post(CHAT, &streamed)];
    let told = run(&acts);
    let dated = format!("\"created\":{}", crate::engine::world::START.secs());
    assert!(told.said().matches(&dated).count() > 2, "{}", told.said());
    assert_eq!(told.said().matches("\"created\"").count(), told.said().matches(&dated).count());
    told.replays_same();
}

/// What a refusal has to name: the field, or what in it is not known.
fn word<'a>(name: &'a str, value: &serde_json::Value) -> &'a str {
    let text = value.to_string();
    let inner = ["web_search_20250305", "web_search", "input_audio"];
    match inner.into_iter().find(|inner| text.contains(&format!("\"{inner}\""))) {
        Some(inner) => inner,
        None if text.contains("image_url") => "a picture",
        None => name,
    }
}

#[test]
fn what_makes_no_sense_is_said_to_be_wrong() {
    let wrong = [
        (CHAT, json!({ "model": "stub/a" })),
        (CHAT, with("messages", json!([]))),
        (CHAT, with("max_tokens", json!(0))),
        (CHAT, with("max_tokens", json!(-1))),
        (CHAT, with("temperature", json!(3))),
        (CHAT, with("stop", json!([""]))),
        (MESSAGES, with("top_p", json!("0.5"))),
        (CHAT, json!([])),
        (MESSAGES, json!({ "model": "stub/a", "messages": [] })),
        (MESSAGES, with("messages", json!([{ "role": "user", "content": [{ "type": "image" }] }]))),
    ];
    for (path, body) in wrong {
        let told = run(&[post(path, &body)]);
        let said = told.said();
        assert!(said.starts_with("send: ok 400 "), "{path} {body}: {said}");
        assert!(said.contains("invalid_request_error"), "{said}");
        assert_eq!((told.money(), told.desk.stub.asked().len()), (0, 0));
        told.replays_same();
    }
    let twice = r#"{"model":"stub/a","model":"stub/b","max_tokens":5,"messages":[]}"#;
    let told = run(&[format!("send POST|http|model.envelope|{CHAT}|||{twice}")]);
    assert!(told.said().starts_with("send: ok 400 "), "{}", told.said());
}

#[test]
fn the_rules_of_models_hold_at_this_door() {
    let act = post(CHAT, &question("Hello"));
    type Spoil = fn(&mut Desk);
    let spoiled: [(&str, Spoil); 6] = [
        ("403 policy.not-granted", |desk| desk.capability = false),
        ("403 policy.forbidden", |desk| desk.operator = false),
        ("403 model.outside", |desk| desk.models = vec!["stub/b"]),
        ("402 budget.unpriced", |desk| desk.priced = vec!["stub/b"]),
        ("402 budget.exhausted", |desk| desk.money = 1000),
        ("403 paper.unlocked", |desk| desk.criteria = false),
    ];
    for (expected, spoil) in spoiled {
        let mut desk = desk(&act);
        spoil(&mut desk);
        let told = desk.run();
        assert_eq!(told.said(), format!("send: {expected}"));
        assert_eq!(desk.stub.asked().len(), 0, "{expected}");
        told.replays_same();
    }
    // Nothing of the network is asked, nor needed.
    let mut online = desk(&act);
    assert!(!Vec::from(online.setup.capabilities).contains(&Capability::Http));
    page(&answers(&online.run())[0]);
    online.setup.capabilities = online.setup.capabilities.with(Capability::Http);
    online.setup.operator = online.setup.operator.with(Capability::Http);
    online.capability = false;
    assert_eq!(online.run().said(), "send: 403 policy.not-granted");
}

#[test]
fn there_is_one_address_and_no_other() {
    let body = question("Hello");
    for (scheme, host) in [
        ("https", "model.envelope"),
        ("http", "model.envelope:8080"),
        ("http", "MODEL.envelope.:81"),
    ] {
        let told = run(&[format!("send POST|{scheme}|{host}|{CHAT}||{body}")]);
        assert_eq!(told.said(), "send: 403 egress.target", "{scheme} {host}");
        told.replays_same();
    }
    for (method, path) in [
        ("GET", "/v1/responses"),
        ("GET", "/v1/responses/resp_1"),
        ("GET", CHAT),
        ("POST", "/v1/chat/completions?beta=true"),
        ("POST", "/v1/files"),
        ("GET", "/"),
    ] {
        let told = run(&[format!("send {method}|http|model.envelope|{path}")]);
        assert_eq!(told.said(), "send: 403 model.unbounded", "{method} {path}");
        told.replays_same();
    }
    let told = run(&[format!("send POST|http|MODEL.envelope.:80|{CHAT}||{body}")]);
    page(&answers(&told)[0]);
}

/// The data of a stream's events.
fn events(answer: &str) -> Vec<Value> {
    let lines = answer.split("data: ").skip(1);
    let data = lines.map(|data| data.split(['\n', ';']).next().unwrap_or_default());
    data.filter(|data| *data != "[DONE]").map(|data| serde_json::from_str(data).unwrap()).collect()
}

#[test]
fn streams_have_the_form_of_their_vendor() {
    let mut body = with("stream", json!(true));
    body["max_tokens"] = json!(2);
    let anthropic = run(&[post(MESSAGES, &body)]);
    body["stream_options"] = json!({ "include_usage": true });
    let openai = run(&[post(CHAT, &body)]);
    for told in [&openai, &anthropic] {
        assert_eq!(told.denied(), Vec::<String>::new());
        told.replays_same();
    }
    let found = events(&openai.said());
    let deltas: String =
        found.iter().filter_map(|it| it["choices"][0]["delta"]["content"].as_str()).collect();
    assert_eq!(deltas, "(a stub, ");
    let finish = found.iter().find_map(|it| it["choices"][0]["finish_reason"].as_str());
    assert_eq!(finish, Some("length"));
    assert_eq!(found.last().unwrap()["usage"]["completion_tokens"], 2);
    let found = events(&anthropic.said());
    let kinds: Vec<_> = found.iter().map(|it| it["type"].as_str().unwrap()).collect();
    let block = "content_block_delta";
    let expected = [
        "message_start",
        "content_block_start",
        block,
        block,
        "content_block_stop",
        "message_delta",
        "message_stop",
    ];
    assert_eq!(kinds, expected);
    assert_eq!(found[5]["usage"]["output_tokens"], 2);
}

/// What a guest lets go of is settled at once, in full.
#[test]
fn a_stream_that_is_let_go_is_paid_for() {
    let stream = post(CHAT, &with("stream", json!(true))).replacen("send", "keep", 1);
    for (let_go, first) in [("let-go", "stream"), ("now", "complete")] {
        let told = desk(&format!("{stream}; more 40; {let_go}; chat stub/a 50 Hello")).run();
        assert!(told.said().contains("chat: ok"), "{}", told.said());
        assert!(told.money() > 100_000, "all that was set aside");
        assert!(calls(&told)[0].starts_with(first), "{let_go}: {:?}", calls(&told));
        told.replays_same();
    }
}

#[test]
fn a_stream_that_breaks_off_ends_with_an_error() {
    let acts = [CHAT, MESSAGES].map(|path| post(path, &with("stream", json!(true))));
    let broken = desk(&acts.join("; ")).playing(|_| {
        let says = [Ok(Piece::Text("one ".to_owned())), Err(Failed::Unknown("gone".to_owned()))];
        Script { says: says.into_iter().collect(), ..Script::default() }
    });
    let told = broken.run();
    assert_eq!(told.said().matches("gone").count(), 2, "{}", told.said());
    assert_eq!(told.said().matches("api_error").count(), 4, "{}", told.said());
    assert!(!told.said().contains("[DONE]") && !told.said().contains("message_stop"));
    told.replays_same();
}

#[test]
fn a_run_that_crashes_goes_on_at_this_door_as_at_the_other() {
    let stream = post(CHAT, &with("stream", json!(true)));
    let acts = format!("{stream}; {}", post(MESSAGES, &question("Hello")));
    let whole = desk(&acts).run();
    let count = whole.journal.iter().filter(|byte| **byte == b'\n').count();
    for room in 1..count {
        let desk = desk(&acts);
        let crashed = desk.run_into(Lines::of(b"", Some(room)), None);
        assert!(crashed.finished.is_err(), "line {room}");
        let again = desk.run_into(Lines::of(&crashed.journal, None), Some(crashed.store));
        assert!(again.finished().ended().is_some(), "line {room}");
        let keys = desk.stub.asked();
        let once: BTreeSet<_> = keys.iter().map(|asked| &asked.key).collect();
        assert_eq!(once.len(), keys.len(), "line {room}: nothing is sent twice under one key");
        again.replays_same();
    }
}

#[test]
fn vectors_and_models() {
    let input = json!(["one", "two"]);
    let body =
        |format: &str| json!({ "model": "stub/a", "input": input, "encoding_format": format });
    let told = run(&[
        post("/v1/embeddings", &body("float")),
        post("/v1/embeddings", &body("base64")),
        post("/v1/embeddings", &json!({ "model": "stub/a", "input": [[1, 2]] })),
        post("/v1/embeddings", &json!({ "model": "stub/a", "input": "x", "dimensions": 3 })),
        "send GET|http|model.envelope|/v1/models".to_owned(),
        "send GET|http|model.envelope|/v1/models|anthropic-version: 2023-06-01".to_owned(),
    ]);
    let answers = answers(&told);
    let (plain, packed) = (page(&answers[0]), page(&answers[1]));
    let numbers = plain["data"][1]["embedding"].as_array().unwrap().len();
    let text = packed["data"][1]["embedding"].as_str().unwrap();
    assert_eq!(text.len(), (numbers * 4).div_ceil(3) * 4, "four bytes for a number");
    assert!(answers[2].starts_with("ok 400 "), "{}", answers[2]);
    assert_eq!(answers[3], "403 model.unbounded");
    let names = |page: Value| {
        let data = page["data"].as_array().unwrap().clone();
        data.iter().map(|it| it["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(page(&answers[4])), ["stub/a", "stub/b"]);
    assert_eq!(names(page(&answers[5])), ["stub/a", "stub/b"]);
    told.replays_same();
}
