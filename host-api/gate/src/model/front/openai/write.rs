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
    let texts: String = reply.parts.iter().filter_map(text).collect();
    let calls: Vec<_> = reply.parts.iter().filter_map(call).map(written).collect();
    let content = if texts.is_empty() && !calls.is_empty() { Value::Null } else { texts.into() };
    let mut message = Map::new();
    message.insert("role".to_owned(), "assistant".into());
    message.insert("content".to_owned(), content);
    message.insert("refusal".to_owned(), Value::Null);
    if !calls.is_empty() {
        message.insert("tool_calls".to_owned(), calls.into());
    }
    json!({
        "id": id(mark),
        "object": "chat.completion",
        "created": mark.created,
        "model": reply.model,
        "choices": [{ "index": 0, "message": message, "logprobs": Value::Null,
            "finish_reason": finish(reply.finish) }],
        "usage": usage(&reply.usage),
        "envelope": beside_reply(reply),
    })
}

/// The models of a run.
pub(in crate::model::front) fn list(names: &[&str]) -> Value {
    let model = |name: &&str| {
        let owner = name.split_once('/').map_or(*name, |(owner, _)| owner);
        json!({ "id": name, "object": "model", "created": 0, "owned_by": owner })
    };
    json!({ "object": "list", "data": names.iter().map(model).collect::<Vec<_>>() })
}

/// An answer in pieces.
#[derive(Debug)]
pub(in crate::model::front) struct Stream {
    model: String,
    mark: Mark,
    reports: bool,
    begun: bool,
    calls: u64,
}

impl Stream {
    pub(in crate::model::front) const fn new(model: String, mark: Mark, reports: bool) -> Self {
        Self { model, mark, reports, begun: false, calls: 0 }
    }

    pub(in crate::model::front) fn say(&mut self, chunk: &Chunk, to: &mut BytesMut) {
        match chunk {
            Chunk::Text(text) => self.delta(json!({ "content": text }), to),
            Chunk::Call(call) => {
                let mut called = written(call);
                if let Some(called) = called.as_object_mut() {
                    called.insert("index".to_owned(), self.calls.into());
                }
                self.calls = self.calls.saturating_add(1);
                self.delta(json!({ "tool_calls": [called] }), to);
            }
            Chunk::Done(reply) => self.end(reply, to),
            Chunk::End | Chunk::Failed { .. } => {}
        }
    }

    fn end(&self, reply: &Reply, to: &mut BytesMut) {
        let last = [choice(&json!({}), Some(finish(reply.finish)))];
        let mut chunk = self.chunk(&last);
        chunk.insert("envelope".to_owned(), beside_reply(reply));
        event(None, &Value::Object(chunk), to);
        if self.reports {
            let mut chunk = self.chunk(&[]);
            chunk.insert("usage".to_owned(), usage(&reply.usage));
            event(None, &Value::Object(chunk), to);
        }
        to.extend_from_slice(b"data: [DONE]\n\n");
    }

    fn delta(&mut self, mut delta: Value, to: &mut BytesMut) {
        let first = !std::mem::replace(&mut self.begun, true);
        if let Some(delta) = delta.as_object_mut().filter(|_| first) {
            delta.insert("role".to_owned(), "assistant".into());
        }
        let chunk = self.chunk(&[choice(&delta, None)]);
        event(None, &Value::Object(chunk), to);
    }

    fn chunk(&self, choices: &[Value]) -> Map<String, Value> {
        let rows = [
            ("id", id(&self.mark).into()),
            ("object", "chat.completion.chunk".into()),
            ("created", self.mark.created.into()),
            ("model", self.model.as_str().into()),
            ("choices", choices.into()),
        ];
        rows.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

fn choice(delta: &Value, finish: Option<&str>) -> Value {
    json!({ "index": 0, "delta": delta, "logprobs": Value::Null, "finish_reason": finish })
}

fn id(mark: &Mark) -> String {
    format!("chatcmpl-{}", mark.number)
}

fn text(part: &Part) -> Option<&str> {
    match part {
        Part::Text(text) => Some(text),
        Part::Image(_) | Part::Call(_) | Part::Answer { .. } => None,
    }
}

fn call(part: &Part) -> Option<&ToolCall> {
    match part {
        Part::Call(call) => Some(call),
        Part::Image(_) | Part::Text(_) | Part::Answer { .. } => None,
    }
}

fn written(call: &ToolCall) -> Value {
    let ToolCall { id, name, arguments } = call;
    json!({ "id": id, "type": "function", "function": { "name": name, "arguments": arguments } })
}

const fn finish(finish: Finish) -> &'static str {
    match finish {
        Finish::Stop => "stop",
        Finish::Length | Finish::Cut => "length",
        Finish::ToolCalls => "tool_calls",
        Finish::Refused => "content_filter",
    }
}

fn usage(usage: &Usage) -> Value {
    json!({ "prompt_tokens": usage.input, "completion_tokens": usage.output,
        "total_tokens": usage.input.saturating_add(usage.output) })
}
