//! What is answered.

use bytes::BytesMut;
use envelope_rules::model::{Part, ToolCall};
use serde_json::{Map, Value, json};

use crate::model::front::read::event;
use crate::model::front::{Mark, beside_reply};
use crate::model::outcome::{Chunk, Reply, Usage};
use crate::model::provider::Finish;

/// A whole answer.
pub(in crate::model::front) fn whole(reply: &Reply, mark: &Mark) -> Value {
    let items = (0_u64..).zip(&reply.parts);
    let output: Vec<_> = items.filter_map(|(at, part)| item(part, mark, at)).collect();
    let (status, why) = status(reply.finish);
    let mut page = page(&reply.model, mark, status);
    page.insert("output".to_owned(), output.into());
    page.insert("usage".to_owned(), usage(&reply.usage));
    if let Some(reason) = why {
        page.insert("incomplete_details".to_owned(), json!({ "reason": reason }));
    }
    page.insert("envelope".to_owned(), beside_reply(reply));
    page.into()
}

/// An answer in pieces.
#[derive(Debug)]
pub(in crate::model::front) struct Stream {
    model: String,
    mark: Mark,
    /// The number of the next event.
    next: u64,
    /// How many items are closed.
    items: u64,
    /// The words of the one that is open.
    words: Option<String>,
}

impl Stream {
    pub(in crate::model::front) const fn new(model: String, mark: Mark) -> Self {
        Self { model, mark, next: 0, items: 0, words: None }
    }

    /// Before anything came.
    pub(in crate::model::front) fn begin(&mut self, to: &mut BytesMut) {
        for kind in ["response.created", "response.in_progress"] {
            let page = page(&self.model, &self.mark, "in_progress");
            self.tell(kind, json!({ "response": page }), to);
        }
    }

    pub(in crate::model::front) fn say(&mut self, chunk: &Chunk, to: &mut BytesMut) {
        match chunk {
            Chunk::Text(text) => self.words(text, to),
            Chunk::Call(call) => self.call(call, to),
            Chunk::Done(reply) => {
                self.close(to);
                let page = whole(reply, &self.mark);
                let kind = match status(reply.finish) {
                    ("completed", _) => "response.completed",
                    _ => "response.incomplete",
                };
                self.tell(kind, json!({ "response": page }), to);
            }
            Chunk::End | Chunk::Failed { .. } => {}
        }
    }

    /// It broke off.
    pub(in crate::model::front) fn fail(&mut self, code: &str, why: &str, to: &mut BytesMut) {
        self.tell("error", json!({ "code": code, "message": why, "param": Value::Null }), to);
    }

    fn words(&mut self, text: &str, to: &mut BytesMut) {
        let (at, id) = (self.items, message_id(&self.mark, self.items));
        if self.words.is_none() {
            self.words = Some(String::new());
            let item = message(&id, "in_progress", &[]);
            self.tell(
                "response.output_item.added",
                json!({ "output_index": at, "item": item }),
                to,
            );
            let place = json!({ "item_id": id, "output_index": at, "content_index": 0,
                "part": words("") });
            self.tell("response.content_part.added", place, to);
        }
        if let Some(words) = &mut self.words {
            words.push_str(text);
        }
        let delta = json!({ "item_id": id, "output_index": at, "content_index": 0, "delta": text,
            "logprobs": [] });
        self.tell("response.output_text.delta", delta, to);
    }

    fn call(&mut self, call: &ToolCall, to: &mut BytesMut) {
        self.close(to);
        let (at, id) = (self.items, call_id(&self.mark, self.items));
        let begun = called(&ToolCall { arguments: String::new(), ..call.clone() }, &id);
        self.tell("response.output_item.added", json!({ "output_index": at, "item": begun }), to);
        let delta = json!({ "item_id": id, "output_index": at, "delta": call.arguments });
        self.tell("response.function_call_arguments.delta", delta, to);
        let done = json!({ "item_id": id, "output_index": at, "name": call.name,
            "arguments": call.arguments });
        self.tell("response.function_call_arguments.done", done, to);
        let item = called(call, &id);
        self.tell("response.output_item.done", json!({ "output_index": at, "item": item }), to);
        self.items = self.items.saturating_add(1);
    }

    fn close(&mut self, to: &mut BytesMut) {
        let Some(text) = self.words.take() else { return };
        let (at, id) = (self.items, message_id(&self.mark, self.items));
        let done = json!({ "item_id": id, "output_index": at, "content_index": 0, "text": text,
            "logprobs": [] });
        self.tell("response.output_text.done", done, to);
        let place = json!({ "item_id": id, "output_index": at, "content_index": 0,
            "part": words(&text) });
        self.tell("response.content_part.done", place, to);
        let item = message(&id, "completed", &[words(&text)]);
        self.tell("response.output_item.done", json!({ "output_index": at, "item": item }), to);
        self.items = self.items.saturating_add(1);
    }

    fn tell(&mut self, kind: &str, mut data: Value, to: &mut BytesMut) {
        if let Some(data) = data.as_object_mut() {
            data.insert("type".to_owned(), kind.into());
            data.insert("sequence_number".to_owned(), self.next.into());
        }
        self.next = self.next.saturating_add(1);
        event(Some(kind), &data, to);
    }
}

/// An answer without what came. What a vendor's own would say of its state is said too: there is
/// none.
fn page(model: &str, mark: &Mark, status: &str) -> Map<String, Value> {
    let rows = [
        ("id", format!("resp_{}", mark.number).into()),
        ("object", "response".into()),
        ("created_at", mark.created.into()),
        ("status", status.into()),
        ("model", model.into()),
        ("output", json!([])),
        ("error", Value::Null),
        ("incomplete_details", Value::Null),
        ("instructions", Value::Null),
        ("metadata", json!({})),
        ("parallel_tool_calls", true.into()),
        ("previous_response_id", Value::Null),
        ("store", false.into()),
        ("temperature", Value::Null),
        ("tool_choice", "auto".into()),
        ("tools", json!([])),
        ("top_p", Value::Null),
        ("truncation", "disabled".into()),
    ];
    rows.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn item(part: &Part, mark: &Mark, at: u64) -> Option<Value> {
    match part {
        Part::Text(text) => Some(message(&message_id(mark, at), "completed", &[words(text)])),
        Part::Call(call) => Some(called(call, &call_id(mark, at))),
        Part::Image(_) | Part::Answer { .. } => None,
    }
}

fn message(id: &str, status: &str, content: &[Value]) -> Value {
    json!({ "id": id, "type": "message", "role": "assistant", "status": status,
        "content": content })
}

fn words(text: &str) -> Value {
    json!({ "type": "output_text", "text": text, "annotations": [], "logprobs": [] })
}

fn called(call: &ToolCall, id: &str) -> Value {
    json!({ "id": id, "type": "function_call", "status": "completed", "call_id": call.id,
        "name": call.name, "arguments": call.arguments })
}

fn message_id(mark: &Mark, at: u64) -> String {
    format!("msg_{}_{at}", mark.number)
}

fn call_id(mark: &Mark, at: u64) -> String {
    format!("fc_{}_{at}", mark.number)
}

/// How it ended, and why it is not complete if it is not.
const fn status(finish: Finish) -> (&'static str, Option<&'static str>) {
    match finish {
        Finish::Stop | Finish::ToolCalls => ("completed", None),
        Finish::Length | Finish::Cut => ("incomplete", Some("max_output_tokens")),
        Finish::Refused => ("incomplete", Some("content_filter")),
    }
}

/// What of the tokens was cached or hidden is not told apart here: it is in the sums.
fn usage(usage: &Usage) -> Value {
    json!({
        "input_tokens": usage.input,
        "input_tokens_details": { "cached_tokens": 0 },
        "output_tokens": usage.output,
        "output_tokens_details": { "reasoning_tokens": 0 },
        "total_tokens": usage.input.saturating_add(usage.output),
    })
}
