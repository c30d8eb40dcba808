//! Both wire formats, over real sockets, against what providers document.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::thread;

use envelope_gate::model::{Anthropic, Key, OpenAi, OverHttp, OverNetwork, Provider, Surroundings};
use serde_json::{Value, json};

use super::desk::{Desk, INPUT, OUTPUT, Told, desk};
use crate::net::credentials::{assert_unseen, everything};

/// A provider on this machine: it answers each request with the next of its pages.
pub struct Upstream {
    pub url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Seen {
    pub line: String,
    pub head: String,
    pub text: String,
    pub body: Value,
}

pub const SECRET: &str = "sk-very-secret-value-0123456789";

impl Upstream {
    /// Answers with `pages`, each a status line, a kind of content and a body.
    pub fn new(pages: Vec<(u16, &'static str, String)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        let seen = Arc::<Mutex<Vec<Seen>>>::default();
        let notes = seen.clone();
        thread::spawn(move || {
            for (status, kind, body) in pages {
                let (mut stream, _) = listener.accept().unwrap();
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                let (mut line, mut head) = (String::new(), String::new());
                reader.read_line(&mut line).unwrap();
                loop {
                    let mut header = String::new();
                    reader.read_line(&mut header).unwrap();
                    if header.trim().is_empty() {
                        break;
                    }
                    head.push_str(&header.to_ascii_lowercase());
                }
                let length = head.lines().find_map(|it| it.strip_prefix("content-length: "));
                let mut bytes = vec![0; length.unwrap().trim().parse().unwrap()];
                reader.read_exact(&mut bytes).unwrap();
                let text = String::from_utf8(bytes).unwrap();
                let body_seen = serde_json::from_str(&text).unwrap();
                notes.lock().unwrap().push(Seen { line, head, text, body: body_seen });
                let page = format!(
                    "HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\nretry-after: 0\r\n\
                     content-length: {}\r\nconnection: close\r\n\r\n{body}",
                    body.len()
                );
                let _ = stream.write_all(page.as_bytes());
            }
        });
        Self { url, seen }
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

fn way(url: &str, header: &'static str) -> Arc<OverNetwork> {
    let key = Key { header, secret: SECRET };
    Arc::new(OverNetwork::new(url, Some(&key), Surroundings::default()).unwrap())
}

/// OpenAI itself, as far as its wire goes.
fn openai_itself(url: &str) -> Arc<dyn Provider> {
    Arc::new(OverHttp::new(OpenAi::itself(), way(url, "authorization")))
}

pub fn openai(url: &str) -> Arc<dyn Provider> {
    Arc::new(OverHttp::new(OpenAi::compatible(), way(url, "authorization")))
}

pub fn anthropic(url: &str) -> Arc<dyn Provider> {
    Arc::new(OverHttp::new(Anthropic, way(url, "x-api-key")))
}

/// A run with both providers in it.
fn run(acts: &str, upstream: &Upstream) -> Told {
    let desk: Desk = desk(acts).with("openai", "openai/small", openai(&upstream.url)).with(
        "anthropic",
        "anthropic/claude",
        anthropic(&upstream.url),
    );
    let told = desk.run();
    no_secret_is_on_record(&told);
    told
}

/// The key stands in no journal, no blob, no word of the guest.
pub fn no_secret_is_on_record(told: &Told) {
    let mut places = vec![told.journal.clone(), told.said().into_bytes()];
    places.extend(everything(told.finished(), &told.store));
    assert_unseen(SECRET, &places);
}

fn answer(text: &str, usage: &Value) -> String {
    let message = json!({ "role": "assistant", "content": text });
    json!({ "id": "x", "object": "chat.completion", "model": "small", "usage": usage,
        "choices": [{ "index": 0, "message": message, "finish_reason": "stop" }] })
    .to_string()
}

fn page(body: String) -> (u16, &'static str, String) {
    (200, "application/json", body)
}

fn stream(events: &[&str]) -> (u16, &'static str, String) {
    let body = events.iter().map(|data| format!("data: {data}\n\n")).collect();
    (200, "text/event-stream", body)
}

#[test]
fn openai_whole() {
    let usage = json!({ "prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13,
        "prompt_tokens_details": { "cached_tokens": 2 },
        "completion_tokens_details": { "reasoning_tokens": 3 } });
    let upstream = Upstream::new(vec![page(answer("Hi", &usage))]);
    let told = run("chat openai/small 50 Hello", &upstream);
    assert_eq!(told.said(), "chat: ok openai/small stop 9+4=17000: Hi");
    let seen = &upstream.seen()[0];
    assert_eq!(seen.line.trim(), "POST /v1/chat/completions HTTP/1.1");
    assert!(seen.head.contains(&format!("authorization: bearer {SECRET}")), "{}", seen.head);
    assert!(seen.head.contains("idempotency-key: run_1/"), "{}", seen.head);
    let expected = json!({ "model": "small", "max_tokens": 50,
        "messages": [{ "role": "user", "content": "Hello" }] });
    assert_eq!(seen.body, expected);
    told.replays_same();
}

#[test]
fn openai_streamed() {
    let upstream = Upstream::new(vec![stream(&[
        r#"{"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}"#,
        r#"{"choices":[{"index":0,"delta":{"content":"Hi "}}]}"#,
        r#"{"choices":[{"index":0,"delta":{"content":"there"}}],"usage":null}"#,
        r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#,
        r#"{"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":2}}"#,
        "[DONE]",
    ])]);
    let told = run("ask-stream openai/small 50 Hello", &upstream);
    let whole = "<openai/small stop 9+2=13000: Hi there>";
    assert_eq!(told.said(), format!("ask-stream: ok Hi |there|{whole}"));
    let body = &upstream.seen()[0].body;
    assert_eq!(body["stream"], true);
    assert_eq!(body["stream_options"], json!({ "include_usage": true }));
    told.replays_same();
}

#[test]
fn openai_tools_shapes_and_pictures() {
    let usage = json!({ "prompt_tokens": 9, "completion_tokens": 4 });
    let call = json!({ "id": "call-1", "type": "function",
        "function": { "name": "weather", "arguments": "{\"place\":\"Graz\"}" } });
    let called = json!({ "usage": usage, "choices": [{ "index": 0, "finish_reason": "tool_calls",
        "message": { "role": "assistant", "content": null, "tool_calls": [call] } }] });
    let upstream = Upstream::new(vec![
        page(called.to_string()),
        page(answer("Clear.", &usage)),
        page(answer("{\"n\":1}", &usage)),
        page(answer("A dot.", &usage)),
    ]);
    let acts = "ask-tool openai/small 50 How is it?; ask-after-tool openai/small 50 How is it?; \
                ask-shape openai/small 50 A number; ask-picture openai/small 50 in/a.txt";
    let told = run(acts, &upstream);
    let said = told.said();
    assert!(said.contains("tools 9+4=17000: weather({\"place\":\"Graz\"})"), "{said}");
    assert!(said.contains(": Clear.") && said.contains(": {\"n\":1}"), "{said}");
    let seen = upstream.seen();
    assert_eq!(seen[0].body["tools"][0]["function"]["name"], "weather");
    assert_eq!(seen[0].body["tool_choice"], "auto");
    let messages = &seen[1].body["messages"];
    assert_eq!(messages[1]["tool_calls"][0]["id"], "call-1");
    assert_eq!(
        messages[2],
        json!({ "role": "tool", "tool_call_id": "call-1",
        "content": "{\"sky\":\"clear\"}" })
    );
    let format = &seen[2].body["response_format"]["json_schema"];
    assert_eq!(format["schema"]["required"][0], "n");
    let picture = &seen[3].body["messages"][0]["content"][1]["image_url"]["url"];
    assert_eq!(*picture, json!("data:image/png;base64,YWxwaGE="));
    told.replays_same();
}

#[test]
fn openai_vectors() {
    let vectors = json!({ "data": [
        { "index": 1, "embedding": [0.5, -2] },
        { "index": 0, "embedding": [0.25, 1e-3] },
    ], "usage": { "prompt_tokens": 4, "total_tokens": 4 } });
    let upstream = Upstream::new(vec![page(vectors.to_string())]);
    let told = run("ask-vectors openai/small one,two", &upstream);
    assert_eq!(told.said(), "ask-vectors: ok [[0.25, 0.001], [0.5, -2.0]]");
    assert_eq!(told.money(), 4000);
    assert_eq!(upstream.seen()[0].line.trim(), "POST /v1/embeddings HTTP/1.1");
    told.replays_same();
}

fn message(content: &Value, reason: &str, usage: &Value) -> String {
    json!({ "id": "m", "type": "message", "role": "assistant", "model": "claude",
        "content": content, "stop_reason": reason, "usage": usage })
    .to_string()
}

#[test]
fn anthropic_whole() {
    let usage = json!({ "input_tokens": 7, "cache_read_input_tokens": 1,
        "cache_creation_input_tokens": 3, "output_tokens": 2,
        "cache_creation": { "ephemeral_5m_input_tokens": 1, "ephemeral_1h_input_tokens": 2 } });
    let text = json!([{ "type": "text", "text": "Hi" }]);
    let upstream = Upstream::new(vec![page(message(&text, "end_turn", &usage))]);
    let told = run("chat anthropic/claude 50 Hello", &upstream);
    assert_eq!(told.said(), "chat: ok anthropic/claude stop 11+2=15000: Hi");
    let seen = &upstream.seen()[0];
    assert_eq!(seen.line.trim(), "POST /v1/messages HTTP/1.1");
    assert!(seen.head.contains(&format!("x-api-key: {SECRET}")), "{}", seen.head);
    assert!(seen.head.contains("anthropic-version: 2023-06-01"));
    let block = json!({ "type": "text", "text": "Hello" });
    let expected = json!({ "model": "claude", "max_tokens": 50, "service_tier": "standard_only",
        "messages": [{ "role": "user", "content": [block] }] });
    assert_eq!(seen.body, expected);
    told.replays_same();
}

#[test]
fn anthropic_streamed() {
    let upstream = Upstream::new(vec![stream(&[
        r#"{"type":"message_start","message":{"usage":{"input_tokens":7,"output_tokens":1}}}"#,
        r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#,
        r#"{"type":"ping"}"#,
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hi "}}"#,
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"you"}}"#,
        r#"{"type":"content_block_stop","index":0}"#,
        r#"{"type":"message_delta","delta":{"stop_reason":"max_tokens"}}"#,
        r#"{"type":"message_delta","usage":{"output_tokens":2}}"#,
        r#"{"type":"message_stop"}"#,
    ])]);
    let told = run("ask-stream anthropic/claude 50 Hello", &upstream);
    let whole = "<anthropic/claude length 7+2=11000: Hi you>";
    assert_eq!(told.said(), format!("ask-stream: ok Hi |you|{whole}"));
    told.replays_same();
}

#[test]
fn anthropic_tools_and_shapes() {
    let usage = json!({ "input_tokens": 9, "output_tokens": 4 });
    let used = |name: &str, input: Value| {
        let id = "call-1";
        json!([{ "type": "tool_use", "id": id, "name": name, "input": input }])
    };
    let upstream = Upstream::new(vec![
        page(message(&used("weather", json!({ "place": "Graz" })), "tool_use", &usage)),
        page(message(&json!([{ "type": "text", "text": "Clear." }]), "end_turn", &usage)),
        page(message(&used("answer", json!({ "n": 1 })), "tool_use", &usage)),
        page(message(&json!([{ "type": "text", "text": "A dot." }]), "end_turn", &usage)),
    ]);
    let acts = "ask-tool anthropic/claude 50 How?; ask-after-tool anthropic/claude 50 How?; \
                ask-shape anthropic/claude 50 A number; ask-picture anthropic/claude 50 in/a.txt";
    let told = run(acts, &upstream);
    let said = told.said();
    assert!(said.contains("tools 9+4=17000: weather({\"place\":\"Graz\"})"), "{said}");
    assert!(said.contains("ask-shape: ok anthropic/claude stop 9+4=17000: {\"n\":1}"), "{said}");
    let seen = upstream.seen();
    assert_eq!(seen[0].body["tools"][0]["input_schema"]["type"], "object");
    assert_eq!(seen[1].body["messages"][2]["content"][0]["type"], "tool_result");
    assert_eq!(seen[2].body["tool_choice"], json!({ "type": "tool", "name": "answer" }));
    let source = &seen[3].body["messages"][0]["content"][1]["source"];
    assert_eq!(source["data"], "YWxwaGE=");
    told.replays_same();
}

/// What a status means for the money, over real sockets.
#[test]
fn statuses_decide_what_is_owed() {
    let error = || json!({ "error": { "message": format!("wrong: {SECRET}") } }).to_string();
    for (status, asked, owed) in [
        (401, 1, false),
        (413, 1, false),
        (429, 2, false),
        (400, 1, true),
        (422, 1, true),
        (500, 1, true),
    ] {
        let pages = vec![(status, "application/json", error()); asked];
        let upstream = Upstream::new(pages);
        let told = run("chat openai/small 50 Hello", &upstream);
        assert!(told.said().contains("unavailable"), "{status}: {}", told.said());
        assert_eq!(upstream.seen().len(), asked, "{status}");
        assert_eq!(told.money() > 0, owed, "{status}");
        told.replays_same();
    }
    // The owners of the formats say that nothing is billed for a request that is wrong.
    for status in [400, 422] {
        let upstream = Upstream::new(vec![(status, "application/json", error()); 2]);
        let desk = desk("chat itself/x 50 Hello; chat anthropic/claude 50 Hello")
            .with("itself", "itself/x", openai_itself(&upstream.url))
            .with("anthropic", "anthropic/claude", anthropic(&upstream.url));
        let told = desk.run();
        assert_eq!((upstream.seen().len(), told.money()), (2, 0), "{status}: {}", told.said());
        told.replays_same();
    }
    // Nobody listens: nothing is sent, nothing is owed.
    let nobody = Upstream { url: "http://127.0.0.1:9/v1".to_owned(), seen: Arc::default() };
    let told = run("chat openai/small 50 Hello", &nobody);
    assert!(told.said().contains("unavailable (the connection was refused)"), "{}", told.said());
    assert_eq!(told.money(), 0);
}

/// Thoughts are a part of the answer to most; where the total says that they stand beside it, they
/// are paid for beside it.
#[test]
fn thoughts_are_counted_where_they_stand() {
    for (total, thought, output) in
        [(13, 3, 4), (16, 3, 7), (20, 0, 11), (14, 3, 7), (0, 3, 4), (0, 5, 9)]
    {
        let mut usage = json!({ "prompt_tokens": 9, "completion_tokens": 4,
            "completion_tokens_details": { "reasoning_tokens": thought } });
        if total > 0 {
            usage["total_tokens"] = total.into();
        }
        let upstream = Upstream::new(vec![page(answer("Hi", &usage))]);
        let told = run("chat openai/small 50 Hello", &upstream);
        let paid = 9 * INPUT + output * OUTPUT;
        assert_eq!(told.money(), paid, "{usage}: {}", told.said());
    }
}

/// A report that says half of it is none: all that was set aside is paid.
#[test]
fn anthropic_has_to_tell_both_what_goes_in_and_what_comes_out() {
    let text = json!([{ "type": "text", "text": "Hi" }]);
    let begin = |usage: &Value| json!({ "type": "message_start", "message": { "usage": usage } });
    for (usage, sure) in [
        (json!({ "input_tokens": 7, "output_tokens": 2 }), true),
        (json!({ "output_tokens": 2 }), false),
        (json!({ "input_tokens": 7 }), false),
        (json!({}), false),
    ] {
        let streamed = [
            begin(&usage).to_string(),
            json!({ "type": "content_block_start", "content_block": text[0] }).to_string(),
            json!({ "type": "message_delta", "delta": { "stop_reason": "end_turn" },
                "usage": usage })
            .to_string(),
        ];
        let streamed: Vec<_> = streamed.iter().map(String::as_str).collect();
        let pages = vec![page(message(&text, "end_turn", &usage)), stream(&streamed)];
        for (act, page) in ["chat", "ask-stream"].into_iter().zip(pages) {
            let upstream = Upstream::new(vec![page]);
            let told = run(&format!("{act} anthropic/claude 50 Hello"), &upstream);
            let small = told.money() == 7 * INPUT + 2 * OUTPUT;
            assert_eq!(small, sure, "{act} {usage}: {}", told.said());
            assert_eq!(told.said().contains('?'), !sure, "{act} {usage}: {}", told.said());
            assert!(told.said().contains(": Hi"), "{}", told.said());
            told.replays_same();
        }
    }
}

/// A second answer was not asked for, in one piece or in many.
#[test]
fn a_second_answer_is_a_broken_word() {
    let two = json!({ "usage": { "prompt_tokens": 9, "completion_tokens": 4 }, "choices": [
        { "index": 0, "message": { "content": "Hi" }, "finish_reason": "stop" },
        { "index": 1, "message": { "content": "Ho" }, "finish_reason": "stop" } ] });
    let streamed = stream(&[
        r#"{"choices":[{"index":0,"delta":{"content":"Hi"}}]}"#,
        r#"{"choices":[{"index":1,"delta":{"content":"Ho"}}]}"#,
        r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#,
        r#"{"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":4}}"#,
        "[DONE]",
    ]);
    for (act, page) in [("chat", page(two.to_string())), ("ask-stream", streamed)] {
        let upstream = Upstream::new(vec![page]);
        let told = run(&format!("{act} openai/small 50 Hello"), &upstream);
        assert_eq!(told.desk.purse.freezer().frozen().len(), 1, "{act}: {}", told.said());
        assert!(!told.said().contains("Ho"), "{}", told.said());
        assert!(told.denied().iter().all(|code| code == "budget.latched"), "{:?}", told.denied());
        told.replays_same();
    }
}

#[test]
fn a_number_beyond_all_bounds_is_refused() {
    for (number, refused) in [("1e300", true), ("-1e39", true), ("3e38", false)] {
        let vectors = format!(
            "{{\"data\":[{{\"embedding\":[{number}]}}],\"usage\":{{\"prompt_tokens\":4}}}}"
        );
        let upstream = Upstream::new(vec![page(vectors)]);
        let told = run("ask-vectors openai/small one", &upstream);
        assert_eq!(told.said().contains("unavailable"), refused, "{}", told.said());
        assert_eq!(told.money() > 4000, refused, "{number}");
        told.replays_same();
    }
}

/// What is sent is what was counted: JSON of the guest's goes as it was written.
#[test]
fn json_is_sent_as_it_was_written() {
    let numbers = vec!["1e15"; 1000].join(",");
    let json = format!("{{\"enum\":[{numbers}]}}");
    let usage = json!({ "prompt_tokens": 1, "completion_tokens": 1, "input_tokens": 1,
        "output_tokens": 1 });
    let text = json!([{ "type": "text", "text": "Hi" }]);
    let pages = vec![page(answer("Hi", &usage)), page(message(&text, "end_turn", &usage))];
    let upstream = Upstream::new(pages);
    let acts = ["openai/small", "anthropic/claude"].map(|to| format!("ask-json {to} 50 {json}"));
    let told = run(&acts.join("; "), &upstream);
    let reserved: Vec<_> = told.record().entries().iter().filter_map(reserved).collect();
    let seen = upstream.seen();
    assert_eq!((seen.len(), reserved.len()), (2, 2), "{}", told.said());
    let quoted = serde_json::to_string(&json).unwrap();
    for (seen, reserved) in seen.iter().zip(&reserved) {
        let plain = seen.text.matches(&json).count() + seen.text.matches(&quoted).count();
        assert_eq!(plain, 4, "the words, the tool, the call and the shape");
        let input = (reserved - 50 * OUTPUT) / INPUT;
        assert!(u64::try_from(seen.text.len()).unwrap() <= input, "as sent");
        assert!(decoded(&seen.body) <= input, "as most providers would write it again");
    }
    told.replays_same();
}

/// The bound is above every byte that is sent, decoded, pictures aside: so above every token.
#[test]
fn the_bound_covers_every_byte_of_the_request() {
    let usage = json!({ "prompt_tokens": 1, "completion_tokens": 1 });
    let acts = "chat openai/small 50 Hello; ask-tool openai/small 50 \"\u{1f980}\\ü\"; \
                ask-after-tool openai/small 50 How is it?; ask-shape openai/small 50 A number";
    let upstream = Upstream::new(vec![page(answer("Hi", &usage)); 4]);
    let told = run(acts, &upstream);
    let reserved: Vec<_> = told.record().entries().iter().filter_map(reserved).collect();
    for (seen, reserved) in upstream.seen().iter().zip(&reserved) {
        let input = (reserved - 50 * OUTPUT) / INPUT;
        let bytes = decoded(&seen.body);
        assert!(bytes <= input, "{bytes} bytes, {input} tokens: {}", seen.body);
    }
    assert_eq!(reserved.len(), 4);
}

fn reserved(entry: &envelope_evidence::journal::Entry) -> Option<u64> {
    match &entry.event {
        envelope_evidence::journal::Event::Begun(begun) => {
            Some(begun.reserved.get(envelope_evidence::Dimension::NanoUsd))
        }
        _ => None,
    }
}

/// Every byte of a document once its texts are decoded: marks, keys, numbers and texts.
fn decoded(value: &Value) -> u64 {
    let bytes = |text: &str| u64::try_from(text.len()).unwrap() + 2;
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => bytes(&value.to_string()),
        Value::String(text) => bytes(text),
        Value::Array(list) => 2 + list.iter().map(|it| decoded(it) + 1).sum::<u64>(),
        Value::Object(map) => {
            2 + map.iter().map(|(key, it)| bytes(key) + 2 + decoded(it)).sum::<u64>()
        }
    }
}
