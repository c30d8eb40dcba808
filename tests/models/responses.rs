//! `http://model.envelope/v1/responses`: the newer format of OpenAI's, read closed and without a
//! memory.

use std::sync::{Arc, Mutex};

use envelope_gate::model::{Failed, Finish, Piece, Script};
use envelope_rules::model::{Ask, Part, Role, ToolCall};
use serde_json::{Value, json};

use super::desk::{Told, desk};

fn post(body: &Value) -> String {
    format!("send POST|http|model.envelope|/v1/responses|content-type: application/json||{body}")
}

fn question() -> Value {
    json!({ "model": "stub/a", "max_output_tokens": 50, "input": "Hello" })
}

fn with(name: &str, value: Value) -> Value {
    let mut body = question();
    body[name] = value;
    body
}

fn run(body: &Value) -> Told {
    desk(&post(body)).run()
}

fn page(told: &Told) -> Value {
    let said = told.said();
    let text = said.strip_prefix("send: ok 200 ").unwrap_or_else(|| panic!("{said}"));
    serde_json::from_str(text).unwrap_or_else(|why| panic!("{why}: {text}"))
}

/// What it says, and how it ends.
fn script(says: Vec<Piece>, finish: Finish) -> Script {
    let says = says.into_iter().chain([Piece::Finish(finish)]).map(Ok).collect();
    Script { says, ..Script::default() }
}

const REPEATED: &str = "(a stub, no model was asked) Hello";

#[test]
fn a_whole_answer_has_the_form_of_its_vendor() {
    let ours = desk("chat stub/a 50 Hello").run();
    let told = run(&question());
    let page = page(&told);
    assert_eq!(told.money(), ours.money(), "it is the same call by either door");
    assert_eq!((&page["object"], &page["status"]), (&json!("response"), &json!("completed")));
    assert_eq!(page["output"][0]["content"][0]["text"], REPEATED);
    assert_eq!(page["usage"]["output_tokens"], 7);
    assert_eq!((&page["store"], &page["previous_response_id"]), (&json!(false), &Value::Null));
    assert_eq!(page["envelope"]["stub"], true, "a stub says that it is one");
    assert_eq!(page["envelope"]["nano_usd"], told.money());
    told.replays_same();
}

/// Instructions, messages, pictures, calls and what they gave become the question that the other
/// doors make of the same.
#[test]
fn a_conversation_is_understood() {
    let body = json!({
        "model": "stub/a", "max_output_tokens": 50, "instructions": "Be brief.", "store": false,
        "temperature": 0.5, "top_p": 1, "metadata": { "a": "b" }, "tool_choice": "auto",
        "input": [
            { "role": "user", "content": [
                { "type": "input_text", "text": "How is it?" },
                { "type": "input_image", "image_url": "data:image/png;base64,YWxwaGE=" } ] },
            { "type": "message", "id": "msg_1_0", "status": "completed", "role": "assistant",
                "content": [{ "type": "output_text", "text": "Two places.", "annotations": [] }] },
            { "type": "function_call", "id": "fc_1_1", "call_id": "c", "name": "weather",
                "arguments": "{}", "status": "completed" },
            { "type": "function_call", "call_id": "d", "name": "weather", "arguments": "{}" },
            { "type": "function_call_output", "call_id": "c", "output": "clear" },
            { "type": "function_call_output", "call_id": "d", "output": [
                { "type": "input_text", "text": "rain" }] },
        ],
        "tools": [{ "type": "function", "name": "weather", "strict": true,
            "description": "The weather.", "parameters": { "type": "object" } }],
        "text": { "format": { "type": "json_schema", "name": "n", "strict": true,
            "schema": { "type": "object" } } },
    });
    let asked = Arc::<Mutex<Vec<Ask>>>::default();
    let seen = asked.clone();
    let told = desk(&post(&body))
        .playing(move |order| {
            seen.lock().unwrap().push(order.ask.clone());
            script(vec![Piece::Text("{}".to_owned())], Finish::Stop)
        })
        .run();
    assert_eq!(page(&told)["output"][0]["content"][0]["text"], "{}");
    let asked = asked.lock().unwrap();
    let [ask] = &asked[..] else { panic!("{}", asked.len()) };
    let roles: Vec<_> = ask.messages.iter().map(|it| it.role).collect();
    assert_eq!(roles, [Role::System, Role::User, Role::Assistant, Role::Tool]);
    assert_eq!(ask.images(), 1);
    let call = |id: &str| {
        let (id, name, arguments) = (id.to_owned(), "weather".to_owned(), "{}".to_owned());
        Part::Call(ToolCall { id, name, arguments })
    };
    let words = Part::Text("Two places.".to_owned());
    assert_eq!(ask.messages[2].parts, [words, call("c"), call("d")]);
    let answer = |id: &str, text: &str| Part::Answer { id: id.to_owned(), text: text.to_owned() };
    assert_eq!(ask.messages[3].parts, [answer("c", "clear"), answer("d", "rain")]);
    assert_eq!(ask.tools[0].description, "The weather.");
    assert_eq!(ask.schema.as_deref(), Some("{\"type\":\"object\"}"));
    assert_eq!(ask.sampling.temperature.as_deref(), Some("0.5"));
    told.replays_same();
}

#[test]
fn calls_and_short_answers_are_told() {
    let call = ToolCall { id: "c".into(), name: "weather".into(), arguments: "{}".into() };
    for (finish, status, why) in [
        (Finish::ToolCalls, "completed", Value::Null),
        (Finish::Length, "incomplete", json!({ "reason": "max_output_tokens" })),
        (Finish::Refused, "incomplete", json!({ "reason": "content_filter" })),
    ] {
        let called = call.clone();
        let told = desk(&post(&question()))
            .playing(move |_| {
                let says = vec![Piece::Text("So.".into()), Piece::Call(called.clone())];
                script(says, finish)
            })
            .run();
        let page = page(&told);
        assert_eq!((&page["status"], &page["incomplete_details"]), (&json!(status), &why));
        let item = &page["output"][1];
        assert_eq!((&item["type"], &item["call_id"]), (&json!("function_call"), &json!("c")));
        assert_eq!((&item["name"], &item["arguments"]), (&json!("weather"), &json!("{}")));
        told.replays_same();
    }
}

/// The data of the events of a stream.
fn events(told: &Told) -> Vec<Value> {
    let said = told.said();
    let data = said.split("; ").filter_map(|line| line.strip_prefix("data: "));
    data.map(|data| serde_json::from_str(data).unwrap_or_else(|why| panic!("{why}: {data}")))
        .collect()
}

#[test]
fn a_stream_tells_each_item_from_its_beginning_to_its_end() {
    let call = ToolCall { id: "c".into(), name: "weather".into(), arguments: "{}".into() };
    let told = desk(&post(&with("stream", json!(true))))
        .playing(move |_| {
            let text = |text: &str| Piece::Text(text.to_owned());
            script(vec![text("So "), text("it is."), Piece::Call(call.clone())], Finish::ToolCalls)
        })
        .run();
    let events = events(&told);
    let kinds: Vec<_> = events.iter().map(|it| it["type"].as_str().unwrap()).collect();
    assert_eq!(
        kinds,
        [
            "response.created",
            "response.in_progress",
            "response.output_item.added",
            "response.content_part.added",
            "response.output_text.delta",
            "response.output_text.delta",
            "response.output_text.done",
            "response.content_part.done",
            "response.output_item.done",
            "response.output_item.added",
            "response.function_call_arguments.delta",
            "response.function_call_arguments.done",
            "response.output_item.done",
            "response.completed",
        ]
    );
    for (number, event) in (0_u64..).zip(&events) {
        assert_eq!(event["sequence_number"], number);
    }
    let last = &events[events.len() - 1]["response"];
    assert_eq!(last["output"][0], events[8]["item"], "what was told is what there is");
    assert_eq!(last["output"][1], events[12]["item"]);
    assert_eq!(last["output"][0]["content"][0]["text"], "So it is.");
    told.replays_same();
}

#[test]
fn a_stream_that_breaks_off_says_so() {
    let told = desk(&post(&with("stream", json!(true))))
        .playing(|_| {
            let lost = Failed::Unknown("the line went dead".to_owned());
            let says = vec![Ok(Piece::Text("So".to_owned())), Err(lost)];
            Script { says, ..Script::default() }
        })
        .run();
    let events = events(&told);
    let last = &events[events.len() - 1];
    assert_eq!(last["type"], "error", "{last}");
    assert!(last["message"].as_str().unwrap().contains("went dead"), "{last}");
    told.replays_same();
}

/// What is kept between two answers, or costs beside tokens, is refused by its name.
#[test]
fn what_is_not_known_is_refused_by_its_name() {
    let refused = [
        ("store", json!(true)),
        ("previous_response_id", json!("resp_1")),
        ("conversation", json!("conv_1")),
        ("background", json!(true)),
        ("prompt", json!({ "id": "p" })),
        ("reasoning", json!({ "effort": "high" })),
        ("service_tier", json!("priority")),
        ("truncation", json!("auto")),
        ("include", json!(["web_search_call.results"])),
        ("tools", json!([{ "type": "web_search" }])),
        ("tools", json!([{ "type": "mcp" }])),
        ("tool_choice", json!("required")),
        ("max_tool_calls", json!(3)),
        ("text", json!({ "verbosity": "high" })),
        ("input", json!([{ "type": "item_reference", "id": "x" }])),
        ("input", json!([{ "role": "user", "content": [{ "type": "input_file" }] }])),
        (
            "input",
            json!([{ "role": "user", "content": [
            { "type": "input_image", "image_url": "https://example.org/a.png" }] }]),
        ),
    ];
    for (name, value) in refused {
        let acts = [post(&with(name, value.clone())), post(&question())];
        let told = desk(&acts.join("; ")).run();
        let said = told.said();
        assert!(said.starts_with("send: 403 model.unbounded; send: ok 200"), "{name}: {said}");
        assert_eq!(told.denied(), ["model.unbounded"]);
        assert_eq!(told.desk.stub.asked().len(), 1, "only the control");
        told.replays_same();
    }
    for (name, value) in [
        ("input", json!([])),
        ("input", json!([{ "type": "function_call", "name": "weather" }])),
        ("input", json!([{ "role": "user", "content": "x", "output": "y" }])),
        ("max_output_tokens", json!(0)),
        ("text", json!({ "format": { "type": "json_schema" } })),
    ] {
        let told = run(&with(name, value.clone()));
        assert!(told.said().starts_with("send: ok 400 "), "{name} {value}: {}", told.said());
        assert_eq!((told.money(), told.desk.stub.asked().len()), (0, 0));
        told.replays_same();
    }
}
